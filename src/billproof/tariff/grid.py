"""Which rate and which allowances apply: dense tables over service, zone, destination and slot of time."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from billproof.tariff import model, values
from billproof.tariff.calendars import Slots, TooLargeError, build_slots

#: service, zone, destination, slot
Cell = tuple[int, int, int, int]

#: Of the tables of one tariff.
MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class Grid:
    """``rates[service_row[service], zone, destination, slot]`` is the rate's place in the file, -1 for none.

    The last zone and destination are ``elsewhere``; the first zone is ``home``. Row 0 is of services without
    usage. ``allowed`` has such a table of bools for each allowance. ``clash``: two rates that claim one cell.
    """

    zones: tuple[str, ...]
    destinations: tuple[str, ...]
    slots: Slots
    service_row: NDArray[np.int64]  # (256,)
    rates: NDArray[np.int32]
    allowed: NDArray[np.bool_]
    clash: tuple[int, int, Cell] | None

    @classmethod
    def of(cls, tariff: model.Tariff) -> Grid:
        """The tables of a tariff."""
        zones = (model.HOME, *tariff.zones, model.ELSEWHERE)
        destinations = (*tariff.destinations, model.ELSEWHERE)
        used = {rate.applies.calendar for rate in tariff.rates}
        used |= {allowance.applies.calendar for allowance in tariff.allowances}
        slots = build_slots({name: calendar for name, calendar in tariff.calendars.items() if name in used})
        services = list(values.KINDS)
        row = np.zeros(256, np.int64)
        row[[int(service) for service in services]] = np.arange(1, len(services) + 1)
        shape = (len(services) + 1, len(zones), len(destinations), len(slots.bands))
        if prod(shape) * (len(tariff.allowances) + 4) > MOST_BYTES:
            raise TooLargeError(
                f"{len(zones):,} zones, {len(destinations):,} destinations and {len(slots.bands):,} different"
                " times together are more than can be rated"
            )
        filling = _Filling(tariff, zones, destinations, slots, row)
        rates, clash = filling.rates(shape)
        allowed = np.zeros((len(tariff.allowances), *shape), bool)
        for at, allowance in enumerate(tariff.allowances):
            for service in allowance.applies.services:
                for zone in allowance.applies.zones:
                    part = allowed[at, row[service], zones.index(zone)]
                    part[filling.block(allowance.applies, np.arange(len(destinations)))] = True
        return cls(zones, destinations, slots, row, rates, allowed, clash)


class _Filling:
    """The axes of the tables, by name, and what is filled into them."""

    def __init__(
        self,
        tariff: model.Tariff,
        zones: tuple[str, ...],
        destinations: tuple[str, ...],
        slots: Slots,
        row: NDArray[np.int64],
    ) -> None:
        self.tariff, self.slots, self.row = tariff, slots, row
        self.zones = {name: place for place, name in enumerate(zones)}
        self.destinations = {name: place for place, name in enumerate(destinations)}

    def block(self, applies: model.Applies, rest: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
        """Destinations and slots that it applies to, for indexing; ``rest`` where it names none."""
        wide = rest
        if applies.destinations is not None:
            wide = np.array(sorted(self.destinations[name] for name in applies.destinations))
        names = self.tariff.calendars[applies.calendar].bands if applies.calendar else ()
        return np.ix_(wide, np.flatnonzero(self.slots.within(applies.calendar, applies.bands, names)))

    def rates(self, shape: tuple[int, ...]) -> tuple[NDArray[np.int32], tuple[int, int, Cell] | None]:
        table = np.full(shape, -1, np.int32)
        unnamed: dict[tuple[int, str], NDArray[np.bool_]] = {}
        for rate in self.tariff.rates:
            named = [self.destinations[name] for name in rate.applies.destinations or ()]
            for service in rate.applies.services:
                for zone in rate.applies.zones:
                    unnamed.setdefault((service, zone), np.ones(shape[2], bool))[named] = False
        rests = {key: np.flatnonzero(open_) for key, open_ in unnamed.items()}
        for at, rate in enumerate(self.tariff.rates):
            for service in sorted(rate.applies.services):
                for zone in sorted(rate.applies.zones, key=self.zones.__getitem__):
                    block = self.block(rate.applies, rests[service, zone])
                    part = table[self.row[service], self.zones[zone]]
                    clash = np.argwhere(part[block] >= 0)
                    if len(clash):
                        destination = int(block[0][clash[0][0], 0])
                        slot = int(block[1][0, clash[0][1]])
                        cell = (int(service), self.zones[zone], destination, slot)
                        return table, (int(part[destination, slot]), at, cell)
                    part[block] = at
        return table, None
