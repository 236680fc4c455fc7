"""``SHA256SUMS`` of a batch's directory, which `sha256sum --check` reads too.

Two digests of different contents agree in four characters of 64. So a listed digest that agrees in most of
them was made of this very content, and was itself damaged afterwards.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from pathlib import Path

from billproof.errors import DifferenceError

FILE = "SHA256SUMS"

_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")

#: Characters in which a damaged digest still agrees, at least; by chance it happens once in 10^20.
_ENOUGH = 32

_ADVICE = (
    "Restore the batch from a copy. Or move its directory away and run `billproof batch` with --sequence on"
    " the same files again: with the same secrets it gives the same root."
)


def write_sums(home: Path) -> None:
    """Writes the digests of all files that never change."""
    (home / FILE).write_bytes(_listing(_digests(home)))


def check_sums(home: Path) -> None:
    """Compares every file with its digest.

    :class:`DifferenceError` names the first file that differs, or ``SHA256SUMS`` where that was damaged.
    """
    file = home / FILE
    if not file.is_file():
        raise DifferenceError(f"{file}: is missing", advice=_ADVICE)
    listed, there = file.read_bytes(), _digests(home)
    if listed == _listing(there):
        return
    changed, untold = _against(listed.decode("latin-1"), there)
    if changed:
        raise DifferenceError(f"{home / changed[0]}: not what was written (by {FILE})", advice=_ADVICE)
    message = f"{file}: {FILE} itself differs from what was written"
    if untold:
        raise DifferenceError(f"{message}, and says nothing of {untold[0]} any more", advice=_ADVICE)
    again = f"cd {shlex.quote(str(home))} && sha256sum {' '.join(map(shlex.quote, there))} > {FILE}"
    raise DifferenceError(
        f"{message}; no other file does", advice=f"Restore it from a copy, or write it again: {again}"
    )


def _against(listed: str, there: dict[str, str]) -> tuple[list[str], list[str]]:
    """By name, the files that the listing speaks against (changed, missing or added), and those that it says
    nothing of because it is damaged."""
    lines = listed.split("\n")
    said = {line[66:]: line[:64] for line in lines if line}
    whole = [match for match in map(_LINE.fullmatch, lines) if match]
    changed: list[str] = []
    untold: list[str] = []
    for name, digest in there.items():
        if name in said:
            if _agreeing(said[name], digest) < _ENOUGH:
                changed.append(name)
        elif digest not in listed:  # with it there, only the name or what is around it was damaged
            damaged = len(whole) < len(lines) - 1 or not listed.endswith("\n")
            (untold if damaged else changed).append(name)
    changed += [
        name
        for digest, name in (match.groups() for match in whole)
        if name not in there and digest not in there.values()
    ]
    return sorted(changed), untold


def _agreeing(one: str, other: str) -> int:
    return sum(a == b for a, b in zip(one, other, strict=False))


def _listing(digests: dict[str, str]) -> bytes:
    return "".join(f"{digest}  {name}\n" for name, digest in digests.items()).encode()


def _digests(home: Path) -> dict[str, str]:
    """Name and digest of every file of a batch that never changes, by name."""
    paths = (
        inner
        for path in home.iterdir()
        if path.name not in (FILE, "anchor.json") and not path.name.startswith(".")
        for inner in (path.iterdir() if path.is_dir() else [path])
    )
    names = {path.relative_to(home).as_posix(): path for path in paths}
    for path in names.values():
        if not path.is_file():  # reading a pipe or a device may never end
            raise DifferenceError(f"{path}: is no file", advice=_ADVICE)
    return {name: _sha256(names[name]) for name in sorted(names)}


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
