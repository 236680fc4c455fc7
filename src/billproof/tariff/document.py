"""A tariff's file → a :class:`Tariff`, or an error that says which line, and what to write instead.

Steps: bytes → tree (TOML or JSON) → shape (:mod:`form`) → values and names (:mod:`building`) → whether rates
and calendars fit together (:mod:`coherence`).
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from billproof.commitment.keccak import keccak
from billproof.errors import InputError
from billproof.files import nested_deeper
from billproof.intake.keys import nearest
from billproof.printable import printable
from billproof.records import Service
from billproof.tariff import form, positions
from billproof.tariff.model import Tariff
from billproof.tariff.values import KINDS, word_of

#: Larger files are refused: 100,000 prefixes are 2 MiB.
MAX_BYTES = 64 << 20
_MAX_DEPTH = 16

_SEE = "see docs/tariff.md"
_REMEDIES = {
    "date": 'write days in quotes: "2026-10-01"',
    "time": 'write times in quotes: "08:00"',
    "float": 'write decimals in quotes, since a binary fraction is not exact: "0.10"',
}


class TariffError(InputError):
    """A tariff that cannot be used: names file, line and key, and says what to write instead."""


class Source:
    """A file's bytes, tree and lines; makes the errors."""

    def __init__(self, content: bytes, name: str) -> None:
        self.content = content
        self.name = name
        self.kind = "json" if content.lstrip()[:1] == b"{" else "toml"
        self._lines: dict[positions.Path, int] | None = None
        self.tree = self._tree()

    def line(self, path: positions.Path) -> int | None:
        """The line of the value at ``path``, or of the nearest thing around it."""
        if self._lines is None:
            self._lines = positions.lines_of(self.content.decode(), self.kind)
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def error(self, path: positions.Path, message: str, advice: str = _SEE) -> TariffError:
        """An error about the value at ``path``."""
        return TariffError(
            printable(message, 500),
            file=self.name or None,
            line=self.line(path),
            field=_dotted(path) or None,
            advice=printable(advice, 500),
        )

    def _refuse(self, message: str, advice: str, line: int | None = None) -> NoReturn:
        raise TariffError(message, file=self.name or None, line=line, advice=advice)

    def _tree(self) -> Any:
        if len(self.content) > MAX_BYTES:
            self._refuse(f"larger than {MAX_BYTES >> 20} MiB", "This is no tariff.")
        try:
            text = self.content.decode()
        except UnicodeDecodeError as error:
            line = self.content.count(b"\n", 0, error.start) + 1
            self._refuse("is not UTF-8 text", "Save it as UTF-8.", line)
        if text.startswith("\ufeff"):
            self._refuse(
                "begins with a byte order mark", "Save it as UTF-8 without one: the hash is of every byte.", 1
            )
        # Python's own limit is no safeguard: the Ethereum libraries raise it.
        if self.kind == "toml" and positions.depth_of(text) > _MAX_DEPTH:
            self._refuse("is nested too deeply", "This is no tariff.")
        try:
            return self._json(text) if self.kind == "json" else tomllib.loads(text)
        except json.JSONDecodeError as error:
            self._refuse(f"is not JSON: {error.msg}", _SEE, error.lineno)
        except tomllib.TOMLDecodeError as error:
            found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", str(error))
            line = int(found[1]) if found and found[1] else text.count("\n") + 1
            message = str(error)[: found.start()] if found else str(error)
            self._refuse(f"is not TOML: {printable(message)}", _SEE, line)
        except (RecursionError, ValueError):
            self._refuse("cannot be read: a number too long, or nested too deeply", _SEE)

    def _json(self, text: str) -> Any:
        if nested_deeper(self.content, _MAX_DEPTH):
            self._refuse("is nested too deeply", "This is no tariff.")
        repeated: list[str] = []

        def to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            found = dict(pairs)
            if len(found) < len(pairs):
                keys = [key for key, _ in pairs]
                repeated.append(next(key for key in keys if keys.count(key) > 1))
            return found

        def refuse_constant(text: str) -> NoReturn:
            self._refuse(f"{text} is no number of JSON", _SEE)

        tree = json.loads(text, object_pairs_hook=to_object, parse_constant=refuse_constant)
        if repeated:
            places = [hit.start() for hit in re.finditer(re.escape(json.dumps(repeated[0])), text)]
            line = text.count("\n", 0, places[-1] if places else 0) + 1
            self._refuse(f"the key {printable(repr(repeated[0]))} is there twice", "Keep one of them.", line)
        return tree


def load_tariff(source: Path | str | bytes, *, name: str = "") -> Tariff:
    """The tariff in a file (a path) or in its bytes; ``name`` is what errors call bytes.

    Raises :class:`TariffError`, an :class:`InputError` with file, line, key and remedy, for whatever
    section 9 of ``docs/tariff.md`` refuses.
    """
    from billproof.tariff.building import build

    if isinstance(source, bytes):
        content = source
    else:
        name = name or str(source)
        try:
            with Path(source).open("rb") as stream:
                content = stream.read(MAX_BYTES + 1)
        except OSError as error:
            raise TariffError(
                f"cannot read: {error.strerror}", file=name, advice="Give a tariff, a .toml or .json file."
            ) from error
    read = Source(content, name)
    return build(read, _shaped(read))


def hash_of(content: bytes) -> bytes:
    """The keccak256 that names a tariff."""
    return keccak(content)


def _shaped(source: Source) -> form.File:
    """The tree as :class:`form.File`; the first thing that is otherwise as a :class:`TariffError`."""
    if not isinstance(source.tree, dict):
        raise source.error((), "is no table", "This is no tariff.")
    claimed = source.tree.get("schema")
    if claimed != form.SCHEMA:
        said = f"is of the schema {claimed!r}" if claimed is not None else "does not say its schema"
        raise source.error(("schema",), said, f'write schema = "{form.SCHEMA}"')
    try:
        return msgspec.convert(source.tree, form.File)
    except msgspec.ValidationError as error:
        raise _shape_error(source, str(error)) from None


def _shape_error(source: Source, text: str) -> TariffError:
    message, _, at = text.partition(" - at `")
    path = _path(source.tree, at.rstrip("`"), text)
    unknown = re.match(r"Object contains unknown field `(.*)`$", message)
    missing = re.match(r"Object missing required field `(.*)`$", message)
    if unknown:
        known = sorted(_keys_at(path))
        return source.error(
            (*path, unknown[1]), "is not a key of a tariff here", nearest(unknown[1], tuple(known))
        )
    if missing:
        return source.error(path, f"{missing[1]} is missing", f"write {missing[1]} = …; {_SEE}")
    matching = re.match(r"Expected `str` matching regex '(.*)'$", message)
    pattern = (matching[1] if matching else "").replace("\\\\", "\\")
    if pattern in form.REMEDIES:
        return source.error(path, f"{_at(source.tree, path)!r} will not do", form.REMEDIES[pattern])
    enumerated = re.match(r"Invalid enum value (.*)$", message)
    if enumerated:
        return source.error(
            path, f"{enumerated[1]} is unknown", nearest(_at(source.tree, path), _choices(path))
        )
    typed = re.match(r"Expected `(.*)`, got `(.*)`$", message)
    if typed:
        got = "date" if typed[2] == "datetime" else typed[2]
        kinds = {
            "str": "text",
            "object": "a table",
            "array": "a list",
            "int": "a whole number",
            "bool": "true or false",
        }
        wanted = " or ".join(
            kinds.get(kind.strip(), kind.strip()) for kind in typed[1].split("|") if kind.strip() != "null"
        )
        return source.error(path, f"must be {wanted}", _REMEDIES.get(got, _SEE))
    return source.error(path, message, _SEE)


def _path(tree: Any, at: str, text: str) -> positions.Path:
    """A path in msgspec's words, ``$.rates[0].price``; where it says ``[...]``, the entry is searched."""
    path: positions.Path = ()
    for key, place in re.findall(r"\.([^.\[\]]+)|\[([^\]]*)\]", at.removeprefix("$").removeprefix("key")):
        if place == "...":
            inner = _at(tree, path)
            path = (
                *path,
                next((name for name in inner if _fails(tree, path, name, text)), next(iter(inner))),
            )
        elif place:
            path = (*path, int(place))
        else:
            path = (*path, key)
    return path


def _fails(tree: Any, path: positions.Path, name: str, text: str) -> bool:
    """Whether the same error is there with this entry alone."""

    def pruned(node: Any, rest: positions.Path) -> Any:
        if not rest:
            return {name: node[name]}
        if isinstance(node, dict):
            return {**node, rest[0]: pruned(node[rest[0]], rest[1:])}
        return node

    try:
        msgspec.convert(pruned(tree, path), form.File)
    except msgspec.ValidationError as error:
        return str(error) == text
    return False


def _at(tree: Any, path: positions.Path) -> Any:
    for key in path:
        tree = tree[key]
    return tree


_TABLES: dict[str, type[msgspec.Struct]] = {
    "valid": form.Valid,
    "rounding": form.Rounding,
    "total": form.Plain,
    "exchange": form.Exchange,
    "rates": form.Rate,
    "intervals": form.Interval,
    "tiers": form.Tier,
    "allowances": form.Allowance,
    "rollover": form.Rollover,
    "fees": form.Fee,
    "commitment": form.Commitment,
    "discounts": form.Discount,
    "taxes": form.Tax,
}


def _keys_at(path: positions.Path) -> tuple[str, ...]:
    """The keys that the table at ``path`` may have."""
    if path[:1] == ("calendars",):
        table: type[msgspec.Struct] = form.HolidayUse if path[-1] == "holidays" else form.Span
    elif path[:1] == ("taxes",) and path[-1] == "rounding":
        table = form.Plain
    else:
        table = _TABLES.get(next((key for key in reversed(path) if isinstance(key, str)), ""), form.File)
    return table.__struct_encode_fields__


def _choices(path: positions.Path) -> tuple[str, ...]:
    """The words that the value at ``path`` may be."""
    words = {
        "mode": ("up", "down", "half-up", "half-even"),
        "at": ("increment", "call", "invoice"),
        "service": ("recurring", "one-off"),
        "times": ("once", "any"),
        "as": ("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
    }
    name = next((key for key in reversed(path) if isinstance(key, str)), "")
    if name in words:
        return words[name]
    if path[:1] == ("calendars",):
        return ("rest",)
    if path[:1] in (("rates",), ("allowances",)):
        return tuple(map(word_of, KINDS))
    return tuple(map(word_of, Service))


def _dotted(path: positions.Path) -> str:
    """``rates[1].price``, items counted from 1."""
    text = ""
    for key in path:
        text += f"[{key + 1}]" if isinstance(key, int) else f".{printable(key, 64)}"
    return text.removeprefix(".")
