"""Tariffs: what the contract says a line costs, and whether a statement charges that (``docs/tariff.md``).

:mod:`document` reads the file, :mod:`rating` prices records by it, :mod:`check` lays the two beside each other.
"""
