"""Numbers, networks and carriers that belong to nobody.

Subscribers live in Ireland's 020 91x xxxx, which the regulator keeps for drama, and, when there are more
than ninety thousand of them, in +44 1632, an area code of the United Kingdom that no place has. Everyone
else they reach has a number from a range that its regulator keeps for fiction: Ofcom (07700 900xxx,
020 7946 0xxx), Arcep (06 39 98 xx xx), ACMA (02 5550 xxxx), and 555-0100 to 555-0199 in North America.
Networks use mobile country code 999, which ITU-T E.212 leaves to private networks; carriers are invented
and on ``.example`` domains (RFC 2606).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from billproof.errors import InputError

#: Names of carriers, each with the domain NAME.example; more operators than names get a numeral.
CARRIERS = ("Meridian", "Skylark", "Halcyon", "Northgate", "Tideway", "Bluebell", "Lanternet", "Quayside")

#: Blocks for subscribers: what stands before the digits, how many digits, how many numbers.
SUBSCRIBER_BLOCKS = (("+3532091", 5, 90_000), ("+441632", 6, 1_000_000))

LANDLINES = ("+35320919", 4, 10_000)
ABROAD_NEAR = (("+447700900", 3, 1_000), ("+442079460", 3, 1_000), ("+3363998", 4, 10_000))
ABROAD_FAR = (("+120255501", 2, 100), ("+121255501", 2, 100), ("+141555501", 2, 100), ("+6125550", 4, 10_000))

#: Not E.164: dialled as they stand. The first is voicemail, the second the carrier's own help line.
SHORT_CODES = ("171", "1747", "57110", "57222", "57333")

#: Serving networks ``MCC-MNC``. Index 0 is none, then one home network for each carrier, then partners.
ROAMING_PARTNERS = ("999-71", "999-72", "999-73", "999-74", "999-75", "999-76")


@dataclass(frozen=True)
class Carrier:
    """An invented operator. ``index`` counts from 0, ``number`` from 1 as the ledger does."""

    index: int
    name: str
    domain: str

    @property
    def number(self) -> int:
        return self.index + 1

    @property
    def prefix(self) -> str:
        """Letter before the account numbers: ``M0000001``."""
        return self.name[0]


def carrier(index: int) -> Carrier:
    """The carrier at ``index``, from 0."""
    name = CARRIERS[index % len(CARRIERS)]
    turn = index // len(CARRIERS)
    if turn == 0:
        return Carrier(index, name, f"{name.lower()}.example")
    return Carrier(index, f"{name} {turn + 1}", f"{name.lower()}{turn + 1}.example")


@dataclass(frozen=True)
class Span:
    """Positions ``first`` to ``first + count - 1`` of the pool."""

    first: int
    count: int


@dataclass(frozen=True)
class NumberPool:
    """All numbers of one simulation. ``numbers[0]`` is empty: no counterpart, or a withheld one."""

    numbers: pa.StringArray
    operators: int
    subscribers: int
    landlines: Span
    near: Span
    far: Span
    short: Span

    def subscriber(self, operator: int, index: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Positions of subscribers of ``operator`` (index from 0)."""
        return 1 + operator * self.subscribers + index


def number_pool(operators: int, subscribers: int) -> NumberPool:
    """Numbers for ``operators`` × ``subscribers`` subscribers and for everyone they reach."""
    capacity = sum(count for _, _, count in SUBSCRIBER_BLOCKS)
    wanted = operators * subscribers
    if wanted > capacity:
        raise InputError(
            f"{wanted:,} subscribers are more than the {capacity:,} numbers reserved for fiction",
            field="subscribers",
            advice="ask for fewer operators or subscribers, and more records for each",
        )
    numbers = [""]
    for block in SUBSCRIBER_BLOCKS:
        numbers += _block(block, limit=wanted + 1 - len(numbers))

    def span(*blocks: tuple[str, int, int]) -> Span:
        first = len(numbers)
        for block in blocks:
            numbers.extend(_block(block))
        return Span(first, len(numbers) - first)

    landlines, near, far = span(LANDLINES), span(*ABROAD_NEAR), span(*ABROAD_FAR)
    short = Span(len(numbers), len(SHORT_CODES))
    numbers.extend(SHORT_CODES)
    return NumberPool(pa.array(numbers, pa.string()), operators, subscribers, landlines, near, far, short)


def _block(block: tuple[str, int, int], limit: int | None = None) -> list[str]:
    before, digits, count = block
    return [f"{before}{k:0{digits}d}" for k in range(count if limit is None else min(count, limit))]


def network_names(operator: int) -> list[str]:
    """Serving networks of the carrier at index ``operator``: none, its own, its roaming partners."""
    return ["", f"999-{10 + operator % 60:02d}", *ROAMING_PARTNERS]
