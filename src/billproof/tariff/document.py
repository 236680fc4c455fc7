"""A tariff's file → a :class:`Tariff`, or an error that says which line, and what to write instead.

Steps: bytes → tree (TOML or JSON) → shape (:mod:`form`) → values and names (:mod:`building`) → whether rates
and calendars fit together (:mod:`coherence`).
"""

from __future__ import annotations

from pathlib import Path

from billproof.commitment.keccak import keccak
from billproof.documents import source as documents
from billproof.documents.shape import shaped
from billproof.tariff import form
from billproof.tariff.model import Tariff


class TariffError(documents.DocumentError):
    """A tariff that cannot be used: names file, line and key, and says what to write instead."""


KIND = documents.Kind("a tariff", "see docs/tariff.md", form.SCHEMA, form.File, TariffError)


def load_tariff(source: Path | str | bytes, *, name: str = "") -> Tariff:
    """The tariff in a file (a path) or in its bytes; ``name`` is what errors call bytes.

    Raises :class:`TariffError`, an :class:`InputError` with file, line, key and remedy, for whatever
    section 9 of ``docs/tariff.md`` refuses.
    """
    from billproof.tariff.building import build

    read = documents.read(source, KIND, name)
    return build(read, shaped(read))


def hash_of(content: bytes) -> bytes:
    """The keccak256 that names a tariff."""
    return keccak(content)
