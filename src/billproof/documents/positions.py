"""Where in a file a value stands: the line of every key and list item of TOML or JSON that was read.

The readers of Python give values without lines. This walks the text once more, knowing that it is
well-formed, and only when an error needs a line.
"""

from __future__ import annotations

import json
import re
import tomllib
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate

#: Keys and places in lists, from the top: ``("rates", 0, "price")``.
Path = tuple[str | int, ...]

_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|' + r"'''.*?'{3,5}|" + r'"(?:[^"\\]|\\.)*"|' + r"'[^']*'", re.DOTALL
)
_TOKEN = re.compile(rf"{_STRING.pattern}|#[^\n]*|[\[\]{{}}]", re.DOTALL)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE = re.compile(r"[^,\]}#\n]+")
_BLANK = re.compile(r"(?:[\s,]|#[^\n]*)*")


def depth_of(text: str) -> int:
    """How deeply brackets are nested in TOML, strings and comments aside; it need not be well-formed."""
    depth = deepest = 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif token[0] in "]}":
            depth -= 1
    return deepest


def has_long_key(text: str, parts: int) -> bool:
    """Whether a key of TOML has more than ``parts`` parts, strings and comments aside.

    Python's reader takes time and memory by the square of a key's parts.
    """
    if text.count(".") < parts:
        return False
    bare = _TOKEN.sub(
        lambda token: "" if token[0][0] == "#" else "_" if token[0][0] in "\"'" else token[0], text
    )
    return re.search(rf"(?<![A-Za-z0-9_-])(?:[A-Za-z0-9_-]+[ \t]*\.[ \t]*){{{parts}}}", bare) is not None


def lines_of(text: str, kind: str) -> dict[Path, int]:
    """The line, from 1, of every value of a well-formed file of ``kind`` "toml" or "json", by its path."""
    walk = _Walk(text)
    if kind == "json":
        walk.value((), walk.json_key, ":")
    else:
        walk.toml()
    return walk.lines


class _Walk:
    """A place in the text that moves forward, and the lines that it has passed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self._ends = list(accumulate(len(line) for line in text.split("\n")))
        self._ends = [end + number for number, end in enumerate(self._ends)]
        self._items: dict[Path, int] = {}  # arrays of tables: how many so far

    def note(self, path: Path) -> None:
        self.lines.setdefault(path, bisect_right(self._ends, self.at - 1) + 1)

    def blank(self) -> None:
        self.at = _end(_BLANK.match(self.text, self.at))

    def more(self) -> bool:
        """Whether anything but blanks is left."""
        self.blank()
        return self.at < len(self.text)

    def starts(self, mark: str) -> bool:
        """Whether the text goes on with ``mark``, which is passed then."""
        self.blank()
        found = self.text.startswith(mark, self.at)
        self.at += len(mark) * found
        return found

    def json_key(self) -> tuple[str, ...]:
        return (json.loads(self._passed(_STRING)),)

    def toml_key(self) -> tuple[str, ...]:
        """A key of parts with dots between them."""
        parts = []
        while True:
            self.blank()
            if self.text[self.at] in "\"'":
                parts.append(str(tomllib.loads(f"key = {self._passed(_STRING)}")["key"]))
            else:
                parts.append(self._passed(_BARE_KEY))
            if not self.starts("."):
                return tuple(parts)

    def toml(self) -> None:
        """All of a TOML file."""
        table: Path = ()
        while self.more():
            if self.starts("[["):
                start = self.at
                table = self._within(self.toml_key())
                number = self._items.get(table, -1) + 1
                self._items[table] = number
                table = (*table, number)
                self._note_header(table, start)
                self.starts("]]")
            elif self.starts("["):
                start = self.at
                keys = self.toml_key()
                table = self._within(keys)
                self._note_header(table, start)
                self.starts("]")
            else:
                self._pair(table, self.toml_key, "=")

    def value(self, path: Path, key: Callable[[], tuple[str, ...]], mark: str) -> None:
        """The value that comes next."""
        self.blank()
        self.note(path)
        if self.starts("{"):
            while not self.starts("}"):
                self._pair(path, key, mark)
        elif self.starts("["):
            number = 0
            while not self.starts("]"):
                self.value((*path, number), key, mark)
                number += 1
        elif self.text[self.at] in "\"'":
            self._passed(_STRING)
        else:
            self._passed(_BARE_VALUE)

    def _pair(self, path: Path, key: Callable[[], tuple[str, ...]], mark: str) -> None:
        self.blank()
        start = self.at
        keys = key()
        end, self.at = self.at, start
        for length in range(1, len(keys) + 1):
            self.note((*path, *keys[:length]))
        self.at = end
        self.starts(mark)
        self.value((*path, *keys), key, mark)

    def _within(self, keys: tuple[str, ...]) -> Path:
        """The path of a header: the last item of every array of tables on the way."""
        path: Path = ()
        for number, key in enumerate(keys):
            path = (*path, key)
            if path in self._items and number < len(keys) - 1:
                path = (*path, self._items[path])
        return path

    def _note_header(self, table: Path, start: int) -> None:
        end, self.at = self.at, start
        for length in range(1, len(table) + 1):
            self.note(table[:length])
        self.at = end

    def _passed(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        self.at = _end(match)
        return match[0] if match else ""


def _end(match: re.Match[str] | None) -> int:
    if match is None:
        raise ValueError("the text is not well-formed")  # the readers have read it
    return match.end()
