"""Which rate and which allowances apply: dense tables over service, zone, destination and slot of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from billproof.tariff import model, values
from billproof.tariff.calendars import Slots, build_slots

#: service, zone, destination, slot
Cell = tuple[int, int, int, int]


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
        filling = _Filling(tariff, zones, destinations, slots, row)
        rates, clash = filling.rates(shape)
        allowed = np.zeros((len(tariff.allowances), *shape), bool)
        for at, allowance in enumerate(tariff.allowances):
            for service in allowance.applies.services:
                for zone in allowance.applies.zones:
                    part = allowed[at, row[service], zones.index(zone)]
                    part |= filling.block(allowance.applies, None)
        return cls(zones, destinations, slots, row, rates, allowed, clash)


@dataclass(frozen=True)
class _Filling:
    tariff: model.Tariff
    zones: tuple[str, ...]
    destinations: tuple[str, ...]
    slots: Slots
    row: NDArray[np.int64]

    def block(self, applies: model.Applies, rest: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        """Destinations by slots that it applies to; ``rest`` are the destinations when it names none."""
        if applies.destinations is None:
            wide = np.ones(len(self.destinations), bool) if rest is None else rest
        else:
            wide = np.array([name in applies.destinations for name in self.destinations])
        names = self.tariff.calendars[applies.calendar].bands if applies.calendar else ()
        slots = self.slots.within(applies.calendar, applies.bands, names)
        block: NDArray[np.bool_] = wide[:, None] & slots[None, :]
        return block

    def rates(self, shape: tuple[int, ...]) -> tuple[NDArray[np.int32], tuple[int, int, Cell] | None]:
        table = np.full(shape, -1, np.int32)
        named: dict[tuple[int, str], set[str]] = {}
        for rate in self.tariff.rates:
            for service in rate.applies.services:
                for zone in rate.applies.zones:
                    named.setdefault((service, zone), set()).update(rate.applies.destinations or ())
        for at, rate in enumerate(self.tariff.rates):
            for service in sorted(rate.applies.services):
                for zone in sorted(rate.applies.zones, key=self.zones.index):
                    rest = np.array([name not in named[service, zone] for name in self.destinations])
                    block = self.block(rate.applies, rest)
                    part = table[self.row[service], self.zones.index(zone)]
                    clash = np.argwhere(block & (part >= 0))
                    if len(clash):
                        destination, slot = (int(place) for place in clash[0])
                        cell = (int(service), self.zones.index(zone), destination, slot)
                        return table, (int(part[destination, slot]), at, cell)
                    part[block] = at
        return table, None
