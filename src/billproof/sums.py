"""``SHA256SUMS`` of a batch's directory, which `sha256sum --check` reads too."""

from __future__ import annotations

import hashlib
from pathlib import Path

from billproof.errors import DifferenceError

FILE = "SHA256SUMS"

_ADVICE = (
    "Restore the batch from a copy. Or move its directory away and run `billproof batch` with --sequence on"
    " the same files again: with the same secrets it gives the same root."
)


def write_sums(home: Path) -> None:
    """Writes the digests of all files that never change."""
    (home / FILE).write_bytes(_listing(_digests(home)))


def check_sums(home: Path) -> None:
    """Compares every file with its digest; :class:`DifferenceError` names the first that differs."""
    file = home / FILE
    listed = file.read_bytes() if file.exists() else b""
    there = _digests(home)
    if listed == _listing(there):
        return
    lines = (line.partition("  ") for line in listed.decode(errors="replace").split("\n"))
    said = {name: digest for digest, _, name in lines if name}
    differing = [name for name in sorted(said.keys() | there.keys()) if said.get(name) != there.get(name)]
    wrong = home / differing[0] if said and differing else file
    raise DifferenceError(f"{wrong}: not what was written (by {FILE})", advice=_ADVICE)


def _listing(digests: dict[str, str]) -> bytes:
    return "".join(f"{digest}  {name}\n" for name, digest in digests.items()).encode()


def _digests(home: Path) -> dict[str, str]:
    """Name and digest of every file of a batch that never changes, by name."""
    return {
        path.name: _sha256(path)
        for path in sorted(home.iterdir())
        if path.name not in (FILE, "anchor.json") and not path.name.startswith(".")
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
