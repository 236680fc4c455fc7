"""Where records belong: numbers → destinations by longest prefix, networks → zones; for columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from billproof.tariff.values import international, network_code

_BYTES = 256
_ZERO, _PLUS = b"0", b"+"
_MCC = 3


class Prefixes:
    """Longest prefixes as an automaton that walks all numbers at once, one byte of each a step.

    A state knows the longest prefix so far; where no prefix goes on, the destination's own state stays. From
    a first zero a second one leads to where ``+`` does.
    """

    def __init__(self, destinations: dict[str, tuple[str, ...]]) -> None:
        places = {
            international(prefix).encode(): place
            for place, prefixes in enumerate(destinations.values())
            for prefix in prefixes
        }
        self.elsewhere = len(destinations)
        self.depth = max(map(len, places), default=-1) + 1  # two zeros are one more than +
        used = sorted({byte for prefix in (*places, _ZERO, _PLUS) for byte in prefix})
        self._class = np.zeros(_BYTES, np.int32)
        self._class[used] = np.arange(1, len(used) + 1)
        classes = len(used) + 1
        # States 0 to elsewhere are the ends, the rest are prefixes of prefixes.
        state_of = {b"": self.elsewhere + 1}
        for prefix in sorted({*places, _ZERO, _PLUS}):
            for length in range(1, len(prefix) + 1):
                state_of.setdefault(prefix[:length], self.elsewhere + 1 + len(state_of))
        self.answer = np.arange(self.elsewhere + 1 + len(state_of), dtype=np.int32)
        self._next = np.repeat(self.answer, classes).reshape(-1, classes)
        for prefix, state in sorted(state_of.items()):  # what is shorter comes first
            best = places.get(prefix, self.answer[state_of[prefix[:-1]]] if prefix else self.elsewhere)
            self.answer[state] = best
            self._next[state] = best
        for prefix, state in state_of.items():
            if prefix:
                self._next[state_of[prefix[:-1]], self._class[prefix[-1]]] = state
        self._next[state_of[_ZERO], self._class[_ZERO[0]]] = state_of[_PLUS]
        self._classes = classes

    def of(self, numbers: pa.Array) -> NDArray[np.int32]:
        """Each number's destination, ``elsewhere`` being the last: (n,). None of the strings is null."""
        count = len(numbers)
        if not self.depth or not count:
            return np.full(count, self.elsewhere, np.int32)
        offsets, text = _bytes_of(numbers)
        start = offsets[:-1]
        length = np.diff(offsets)
        state = np.full(count, self.elsewhere + 1, np.int32)
        table = self._next.ravel()
        for place in range(min(self.depth, int(length.max(initial=0)))):
            step = self._class[text[start + place]]
            step *= length > place
            state *= self._classes
            state += step
            state = table[state]
        found: NDArray[np.int32] = self.answer[state]
        return found

    def of_text(self, number: str) -> int:
        """The destination of one number."""
        return int(self.of(pa.array([number]))[0])


def _bytes_of(numbers: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Offsets and bytes of strings; the bytes go on far enough beyond the last string."""
    wide = pa.types.is_large_string(numbers.type)
    _, where, content = numbers.buffers()
    dtype = np.int64 if wide else np.int32
    offsets = np.frombuffer(where, dtype)[numbers.offset : numbers.offset + len(numbers) + 1]
    begin, end = int(offsets[0]), int(offsets[-1])
    text = np.zeros(end - begin + _BYTES, np.uint8)
    if end > begin:
        text[: end - begin] = np.frombuffer(content, np.uint8, end - begin, begin)
    return offsets.astype(np.int64) - begin, text


class Zoned(Protocol):
    """What names zones: a tariff, an agreement. Networks are MCC-MNC without the hyphen, or MCC."""

    @property
    def home(self) -> frozenset[str]: ...

    @property
    def zones(self) -> Mapping[str, frozenset[str]]: ...


class Zones:
    """Networks → zones: 0 is home, the last is elsewhere."""

    def __init__(self, document: Zoned) -> None:
        self._place = dict.fromkeys(document.home, 0)
        for number, networks in enumerate(document.zones.values(), 1):
            self._place.update(dict.fromkeys(networks, number))
        self.elsewhere = len(document.zones) + 1

    def of_text(self, network: str) -> int:
        """The zone of one network, MCC-MNC with or without the hyphen, or empty."""
        code = network_code(network)
        if not code:
            return 0
        return self._place.get(code, self._place.get(code[:_MCC], self.elsewhere))

    def of(self, networks: pa.Array) -> NDArray[np.int32]:
        """Each network's zone: (n,); by what is there of different networks."""
        coded = networks if pa.types.is_dictionary(networks.type) else pc.dictionary_encode(networks)
        zones = np.array([self.of_text(text) for text in coded.dictionary.to_pylist()], np.int32)
        if len(zones) == 1 or not len(coded):
            return np.full(len(coded), zones[0] if len(zones) else 0, np.int32)
        found: NDArray[np.int32] = zones[coded.indices.to_numpy()]
        return found
