"""Whether a tariff's rates fit together: exactly one for each record of a service and zone that any names.

Before that, whether its tables fit into memory.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from billproof.records import Service
from billproof.tariff import model, values
from billproof.tariff.calendars import TooLargeError
from billproof.tariff.grid import MOST_BYTES, Grid

if TYPE_CHECKING:
    from billproof.documents.source import Source
    from billproof.tariff import form

_MOST_INTERVALS = 1_000

#: Of a prefix's state beside its row, of a formula beside its intervals, and of an interval: about.
_STATE, _FORMULA, _INTERVAL = 160, 1024, 24


def check_coverage(tariff: model.Tariff, source: Source[form.File]) -> None:
    """Raises where two rates apply to one record (*overlap*) or none does (*gap*), with an example."""
    _check_sizes(tariff, source)
    try:
        grid = Grid.of(tariff)
    except TooLargeError as error:
        raise source.error((), str(error), "split the plan into several files") from None
    if grid.clash is not None:
        first, second, cell = grid.clash
        raise source.error(
            ("rates", second),
            f"an overlap: {tariff.rates[first].name!r} and {tariff.rates[second].name!r} both apply to"
            f" {_example(tariff, grid, cell)}",
            "let their zones, destinations or bands exclude each other",
        )
    for service, zone in sorted(
        {(int(s), z) for rate in tariff.rates for s in rate.applies.services for z in rate.applies.zones}
    ):
        place = grid.zones.index(zone)
        without = grid.rates[grid.service_row[service], place] < 0
        without[-1] &= not without[-1].all()  # other numbers may have no rate, but then at no time
        missing = np.argwhere(without)
        if len(missing):
            cell = (service, place, int(missing[0][0]), int(missing[0][1]))
            first = next(
                at
                for at, rate in enumerate(tariff.rates)
                if service in rate.applies.services and zone in rate.applies.zones
            )
            raise source.error(
                ("rates", first),
                f"a gap: no rate applies to {_example(tariff, grid, cell)}",
                "write a rate for it, or one without destinations, which takes the rest",
            )


def without_rate(tariff: model.Tariff) -> dict[Service, tuple[str, ...]]:
    """The zones in which no rate applies to a service, home first and elsewhere last, of those with any."""
    zones = (model.HOME, *tariff.zones, model.ELSEWHERE)
    rated = {(s, z) for rate in tariff.rates for s in rate.applies.services for z in rate.applies.zones}
    found = {each: tuple(zone for zone in zones if (each, zone) not in rated) for each in values.KINDS}
    return {service: missing for service, missing in found.items() if missing}


def _check_sizes(tariff: model.Tariff, source: Source[form.File]) -> None:
    """Raises where rating would need too much memory, whatever the records."""
    widest = 1
    for at, rate in enumerate(tariff.rates):
        if len(rate.intervals) > _MOST_INTERVALS:
            raise source.error(
                ("rates", at, "intervals"),
                f"more than {_MOST_INTERVALS:,} intervals",
                "leave out those whose price is that of the one before",
            )
        widest = max(widest, len(rate.intervals))
    formulas = sum(1 + len(rate.tiers) for rate in tariff.rates)
    if formulas * (_FORMULA + widest * _INTERVAL) > MOST_BYTES:
        raise source.error(
            ("rates",),
            f"{formulas:,} rates and tiers of up to {widest:,} intervals are more than can be rated",
            "split the plan into several files",
        )
    if _prefix_bytes(tariff.destinations) > MOST_BYTES:
        raise source.error(
            ("destinations",), "more prefixes than can be rated", "split the plan into several files"
        )


def _prefix_bytes(destinations: dict[str, tuple[str, ...]]) -> int:
    """What the automaton of these prefixes takes: a state for each different beginning of one."""
    given = (values.international(prefix) for prefixes in destinations.values() for prefix in prefixes)
    texts = sorted(["0", "+", *given])
    shared = sum(_shared(*pair) for pair in pairwise(texts))
    classes = len(set().union(*texts)) + 1
    return (len(destinations) + 2 + sum(map(len, texts)) - shared) * (_STATE + 4 * classes)


def _shared(first: str, second: str) -> int:
    """How many characters two texts begin with in common."""
    return next((at for at, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), len(first))


def _example(tariff: model.Tariff, grid: Grid, cell: tuple[int, int, int, int]) -> str:
    """``voice-originated at home to near on mon 08:00``."""
    service, zone, destination, slot = cell
    kind, minute = grid.slots.examples[slot]
    where = {model.HOME: "at home", model.ELSEWHERE: "in any other network"}.get(
        grid.zones[zone], f"in {grid.zones[zone]}"
    )
    name = grid.destinations[destination]
    words = f"{values.word_of(service)} {where} to {'any other number' if name == model.ELSEWHERE else name}"
    if len(grid.slots.bands) == 1:
        return words
    day = values.WEEKDAYS[kind] if kind < 7 else "a holiday"
    return f"{words} on {day} at {minute // 60:02d}:{minute % 60:02d}"
