"""A document's file: its bytes, its tree and the lines of its values; makes the errors."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar

import msgspec

from billproof.documents import positions
from billproof.errors import InputError
from billproof.files import nested_deeper
from billproof.printable import printable

#: Larger files are refused: 100,000 prefixes are 2 MiB.
MAX_BYTES = 64 << 20
_MAX_DEPTH = 16

#: Escapes of JSON texts; ``half`` is a surrogate without the other one.
_HALVES = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)


class DocumentError(InputError):
    """A document that cannot be used: names file, line and key, and says what to write instead."""


Form = TypeVar("Form", bound=msgspec.Struct)


@dataclass(frozen=True)
class Kind(Generic[Form]):
    """A kind of document: ``noun`` has its article, ``see`` says where it is described."""

    noun: str
    see: str
    schema: str
    form: type[Form]
    error: type[DocumentError]

    @property
    def none(self) -> str:
        """What is said of what cannot be one at all."""
        return f"This is no {self.noun.partition(' ')[2]}."


class Source(Generic[Form]):
    """A file's bytes, tree and lines; makes the errors."""

    def __init__(self, content: bytes, name: str, kind: Kind[Form]) -> None:
        self.content = content
        self.name = name
        self.kind = kind
        self.format = "json" if content.lstrip()[:1] == b"{" else "toml"
        self._lines: dict[positions.Path, int] | None = None
        self.tree = self._tree()

    def line(self, path: positions.Path) -> int | None:
        """The line of the value at ``path``, or of the nearest thing around it."""
        if self._lines is None:
            self._lines = positions.lines_of(self.content.decode(), self.format)
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def error(self, path: positions.Path, message: str, advice: str = "") -> DocumentError:
        """An error about the value at ``path``."""
        return self.kind.error(
            printable(message, 500),
            file=self.name or None,
            line=self.line(path),
            field=_dotted(path) or None,
            advice=printable(advice or self.kind.see, 500),
        )

    def _refuse(self, message: str, advice: str, line: int | None = None) -> NoReturn:
        raise self.kind.error(message, file=self.name or None, line=line, advice=advice)

    def _tree(self) -> Any:
        if len(self.content) > MAX_BYTES:
            self._refuse(f"larger than {MAX_BYTES >> 20} MiB", self.kind.none)
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
        if self.format == "toml" and (
            positions.depth_of(text) > _MAX_DEPTH or positions.has_long_key(text, _MAX_DEPTH)
        ):
            self._refuse("is nested too deeply", self.kind.none)
        if self.format == "json":
            self._refuse_surrogates(text)
        try:
            return self._json(text) if self.format == "json" else tomllib.loads(text)
        except json.JSONDecodeError as error:
            self._refuse(f"is not JSON: {error.msg}", self.kind.see, error.lineno)
        except tomllib.TOMLDecodeError as error:
            found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", str(error))
            line = int(found[1]) if found and found[1] else text.count("\n") + 1
            message = str(error)[: found.start()] if found else str(error)
            self._refuse(f"is not TOML: {printable(message)}", self.kind.see, line)
        except (RecursionError, ValueError):
            self._refuse("cannot be read: a number too long, or nested too deeply", self.kind.see)

    def _refuse_surrogates(self, text: str) -> None:
        """JSON can write half a character, which no text in UTF-8 has; TOML cannot."""
        for escape in _HALVES.finditer(text):
            if escape["half"]:
                line = text.count("\n", 0, escape.start()) + 1
                self._refuse(f"{escape[0]} is half a character", "Write the character itself.", line)

    def _json(self, text: str) -> Any:
        if nested_deeper(self.content, _MAX_DEPTH):
            self._refuse("is nested too deeply", self.kind.none)
        repeated: list[str] = []

        def to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            found = dict(pairs)
            if len(found) < len(pairs):
                counts = Counter(key for key, _ in pairs)
                repeated.append(next(key for key, count in counts.items() if count > 1))
            return found

        def refuse_constant(text: str) -> NoReturn:
            self._refuse(f"{text} is no number of JSON", self.kind.see)

        tree = json.loads(text, object_pairs_hook=to_object, parse_constant=refuse_constant)
        if repeated:
            places = [hit.start() for hit in re.finditer(re.escape(json.dumps(repeated[0])), text)]
            line = text.count("\n", 0, places[-1] if places else 0) + 1
            self._refuse(f"the key {printable(repr(repeated[0]))} is there twice", "Keep one of them.", line)
        return tree


def read(source: Path | str | bytes, kind: Kind[Form], name: str = "") -> Source[Form]:
    """The document in a file (a path) or in its bytes; ``name`` is what errors call bytes."""
    if isinstance(source, bytes):
        return Source(source, name, kind)
    name = name or str(source)
    try:
        with Path(source).open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        advice = f"Give the file of {kind.noun}."
        raise kind.error(f"cannot read: {error.strerror}", file=name, advice=advice) from error
    return Source(content, name, kind)


def _dotted(path: positions.Path) -> str:
    """``rates[1].price``, items counted from 1."""
    text = ""
    for key in path:
        text += f"[{key + 1}]" if isinstance(key, int) else f".{printable(key, 64)}"
    return text.removeprefix(".")
