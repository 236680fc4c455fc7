"""Two operators' books of the same traffic: what differs, why, and what is owed (``docs/clearing.md``)."""
