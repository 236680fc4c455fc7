"""Which record of one book is which of the other, and what differs; in parts, of any number."""
