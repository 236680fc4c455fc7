"""Tariffs: what the contract says a line costs, and whether a statement charges that (``docs/tariff.md``).

:mod:`document` reads the file, :mod:`rating` prices records by it, :mod:`check` compares.
"""

from billproof.tariff.document import TariffError, hash_of, load_tariff
from billproof.tariff.model import Tariff

__all__ = ["Tariff", "TariffError", "hash_of", "load_tariff"]
