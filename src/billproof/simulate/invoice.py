"""The lines of a bill that are no traffic: fees, discounts, credits, and the tax that closes it.

Tax is computed on the sum of all other lines of the account, in whichever file they are, to the
billionth; a rounding line then brings the total to whole cents.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from billproof.records import NANO, Service
from billproof.simulate.draws import Draws
from billproof.simulate.month import Month
from billproof.simulate.tariffs import LOYALTY_PERCENT, PLANS, SIM_REPLACEMENT, VAT_PERCENT, rate_table
from billproof.simulate.traffic import Block, Int64s, Lines

LABELS = (
    "plan/monthly-fee",
    "device/instalment",
    "service/sim-replacement",
    f"discount/loyalty-{LOYALTY_PERCENT}",
    "credit/outage",
    f"tax/vat-{VAT_PERCENT}",
    "rounding/cent",
)

#: Lines for each subscriber on average, by the shares below.
MEAN_LINES = 1 + 0.30 + 0.03 + 0.25 + 0.02 + 1 + 1

CENT = NANO // 100


def rate_names() -> pa.StringArray:
    """Names of all rates: those of the price plans, then the labels of this module."""
    return pa.concat_arrays([rate_table().names, pa.array(LABELS, pa.string())])


def invoice_lines(draws: Draws, block: Block, month: Month, usage: Lines) -> Lines:
    """Fees, discounts, credits, tax and rounding of the block's subscribers, given their usage."""
    everyone = np.arange(block.size, dtype=np.int64)
    fee = np.array([plan.fee for plan in PLANS], dtype=np.int64)[block.plan]
    span = month.end - month.start
    sometime = draws.below(span - 86400, block.size)
    zero = np.zeros(block.size, dtype=np.int64)
    instalment = (8 + draws.below(30, block.size)) * NANO + 990_000_000
    parts: list[tuple[Service, Int64s, Int64s, Int64s]] = [
        (Service.RECURRING, everyone, fee, zero),
        (Service.RECURRING, _some(draws, 300, block), instalment, zero),
        (Service.ONE_OFF, _some(draws, 30, block), np.full(block.size, SIM_REPLACEMENT), sometime),
        (Service.DISCOUNT, _some(draws, 250, block), -fee * LOYALTY_PERCENT // 100, zero),
        (Service.CREDIT, _some(draws, 20, block), -fee // 30, sometime),
    ]
    amounts = np.zeros(block.size, dtype=np.int64)
    for _, who, amount, _ in parts:
        amounts[who] += amount[who]
    amounts += _sums(usage, block)
    tax = (amounts * VAT_PERCENT + 50) // 100
    gross = amounts + tax
    rounding = (gross + CENT // 2) // CENT * CENT - gross
    parts.append((Service.TAX, everyone, tax, zero + span - 2))
    parts.append((Service.ROUNDING, everyone, rounding, zero + span - 1))
    return _lines(block, month, parts)


def _some(draws: Draws, per_mille: int, block: Block) -> Int64s:
    return np.flatnonzero(draws.chance(per_mille, block.size)).astype(np.int64)


def _sums(usage: Lines, block: Block) -> Int64s:
    """Sum of amounts of each subscriber of the block, exact; ``usage`` is sorted by subscriber."""
    running = np.concatenate(([0], np.cumsum(usage.amount)))
    bounds = np.searchsorted(usage.subscriber, np.arange(block.first, block.first + block.size + 1))
    return np.asarray(np.diff(running[bounds]), dtype=np.int64)


def _lines(block: Block, month: Month, parts: list[tuple[Service, Int64s, Int64s, Int64s]]) -> Lines:
    first_label = len(rate_table().names)
    who = np.concatenate([who for _, who, _, _ in parts])
    second = np.concatenate([second[who] for _, who, _, second in parts])
    sizes = [len(who) for _, who, _, _ in parts]

    def each(values: npt.NDArray[np.int64]) -> Int64s:
        return np.repeat(values, sizes)

    nothing = np.zeros(len(who), dtype=np.int64)
    return Lines(
        subscriber=who + block.first,
        service=each(np.array([int(service) for service, *_ in parts], dtype=np.int64)),
        started_at=second + month.start,
        offset=month.offsets[np.minimum(second // 3600, len(month.offsets) - 1)],
        usage=nothing,
        billed=nothing,
        number=nothing,
        network=nothing,
        amount=np.concatenate([amount[who] for _, who, amount, _ in parts]),
        rate=each(first_label + np.arange(len(parts), dtype=np.int64)),
    )
