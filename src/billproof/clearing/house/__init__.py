"""A clearing on the chain: each side's files, compared, signed and submitted."""
