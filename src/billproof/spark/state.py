"""What a part of a clearing knows between two steps: arrays in scratch files, each read when it is asked for.

A file holds arrays one after the other, then JSON that says what they belong to, then its length in 8 bytes.
An array that a step left as it was stays in the file that it came from.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from billproof.clearing.books.book import Book
from billproof.clearing.pairs.differences import Differences
from billproof.clearing.pairs.pairing import Renumbered
from billproof.clearing.pairs.parts import Frame, Part, Taken
from billproof.clearing.pairs.passes import Pairing, Pairs
from billproof.clearing.pairs.shifts import Voters
from billproof.spark.files import File

_LENGTH = np.dtype("<i8")

#: What may be in a file; what is called differently there is none of ours.
_KINDS = {
    kind.__name__: kind
    for kind in (Book, Differences, Frame, Pairing, Pairs, Part, Renumbered, Taken, Voters)
}


@dataclass(frozen=True)
class Texts(Mapping[int, str]):
    """Texts by number, in two columns: ascending numbers, and UTF-8 that a full stop ends."""

    numbers: NDArray[np.int64]
    texts: NDArray[np.bytes_]

    @classmethod
    def of(cls, texts: Mapping[int, str]) -> Texts:
        """The same in columns."""
        numbers = sorted(texts)
        encoded = [(texts[number] + ".").encode() for number in numbers]
        return cls(np.array(numbers, np.int64), np.array(encoded, f"S{max(map(len, encoded), default=1)}"))

    def __getitem__(self, number: int) -> str:
        at = int(np.searchsorted(self.numbers, number))
        if at == len(self.numbers) or self.numbers[at] != number:
            raise KeyError(number)
        return bytes(self.texts[at]).decode()[:-1]

    def __iter__(self) -> Iterator[int]:
        return iter(self.numbers.tolist())

    def __len__(self) -> int:
        return len(self.numbers)


class Store:
    """The files of one clearing below ``place``, as one task sees them."""

    def __init__(self, place: File) -> None:
        self._place = place
        self._known: dict[int, tuple[NDArray[Any], list[Any]]] = {}  # by id: what was read, and from where
        self._contents: dict[bytes, str] = {}  # files by what they say

    def save(self, value: Any, name: str) -> str:
        """Writes what is new to a file of that name; returns the name of the file that has all."""
        fresh: list[NDArray[Any]] = []
        content = json.dumps(_Writing(self, name, fresh).told(value)).encode()
        if content in self._contents:
            return self._contents[content]
        with (self._place / name).write() as stream:
            for array in fresh:
                stream.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
            stream.write(content)
            stream.write(np.array([len(content)], _LENGTH).tobytes())
        return name

    def load(self, name: str) -> Any:
        """What was saved; arrays cannot be written to."""
        with (self._place / name).open() as stream:
            size = stream.size()
            length = int(np.frombuffer(stream.read_at(_LENGTH.itemsize, size - _LENGTH.itemsize), _LENGTH)[0])
            content = stream.read_at(length, size - _LENGTH.itemsize - length)
        self._contents[bytes(content)] = name
        return self.value_of(json.loads(content))

    def place_of(self, array: NDArray[Any]) -> list[Any] | None:
        """Where an array was read from."""
        known = self._known.get(id(array))
        return known[1] if known else None

    def value_of(self, told: Any) -> Any:
        """What the JSON stands for."""
        if not isinstance(told, dict):
            return told
        if "array" in told:
            return self._array(told["array"])
        if "tuple" in told:
            return tuple(self.value_of(one) for one in told["tuple"])
        if "texts" in told:
            return Texts(*(self.value_of(one) for one in told["texts"]))
        kind = _KINDS[told["is"]]
        if kind is Part:
            return Part(**{name: self.value_of(one) for name, one in told["of"].items()})
        return _late(kind, self, told["of"])

    def _array(self, where: list[Any]) -> NDArray[Any]:
        name, offset, kind, shape = where
        dtype = np.dtype(kind)
        with (self._place / name).open() as stream:
            content = stream.read_at(int(np.prod(shape)) * dtype.itemsize, offset)
        array: NDArray[Any] = np.frombuffer(content, dtype) if len(content) else np.zeros(0, dtype)
        array = array.reshape(shape)
        self._known[id(array)] = array, where
        return array


class _Writing:
    """Tells values as JSON, and gathers the arrays that are in no file yet."""

    def __init__(self, store: Store, name: str, fresh: list[NDArray[Any]]) -> None:
        self._store = store
        self._name = name
        self._fresh = fresh
        self._offset = 0

    def told(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            where = self._store.place_of(value)
            if where is None:
                where = [self._name, self._offset, value.dtype.str, list(value.shape)]
                self._fresh.append(value)
                self._offset += value.nbytes
            return {"array": where}
        if isinstance(value, tuple):
            return {"tuple": [self.told(one) for one in value]}
        if isinstance(value, Texts):
            return {"texts": [self.told(value.numbers), self.told(value.texts)]}
        if isinstance(value, Mapping):
            return self.told(Texts.of(value))
        if value is None or isinstance(value, int | str):
            return value
        known = value.__dict__
        waiting = known.get("_waiting", {})
        kind = type(value).__bases__[0] if isinstance(value, _Late) else type(value)
        names = [each.name for each in fields(kind) if each.init and each.name != "sources"]
        return {
            "is": kind.__name__,
            "of": {
                name: self.told(getattr(value, name))
                if name in known or name not in waiting
                else waiting[name]
                for name in names
            },
        }


class _Late:
    """What makes a dataclass read its fields when they are asked for."""

    def __getattr__(self, name: str) -> Any:
        known = self.__dict__
        if name not in known.get("_waiting", {}):
            raise AttributeError(name)
        known[name] = known["_store"].value_of(known["_waiting"][name])
        return known[name]


def _late(kind: type, store: Store, told: Mapping[str, Any]) -> Any:
    made: Any = object.__new__(type(kind.__name__, (kind, _Late), {}))
    made.__dict__.update(_store=store, _waiting=dict(told))
    if kind is Book:
        made.__dict__["sources"] = {}
    return made
