"""The tariffs of batches that are about to be anchored, as the tariff book has them (docs/tariff.md, 10).

What is wrong here, verifiers will say of every statement; nobody can publish in time afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from billproof.batch_id import BatchId
from billproof.leaves import byte_rows
from billproof.ledger.deployments import Deployment
from billproof.ledger.reads import batch_state
from billproof.ledger.rpc import Endpoint
from billproof.ledger.states import BatchKey, TariffState
from billproof.ledger.tariff_reads import tariff_state
from billproof.publication import USAGE, fault_words, faults
from billproof.store import StoredBatch

#: Records that are read at a time, about.
_RANGE = 1 << 18

#: (started at in UTC seconds, offset in minutes)
_Line = tuple[int, int]


@dataclass(frozen=True)
class TariffWarning:
    """A tariff that so many ``statements`` of a batch name, and what is wrong with its publication.

    ``faults``: no-book or unpublished, or some of late, withdrawn and outside.
    """

    batch: BatchId
    tariff: bytes
    statements: int
    faults: tuple[str, ...]

    @property
    def words(self) -> str:
        many = "statement names" if self.statements == 1 else "statements name"
        return f"{self.statements:,} {many} the tariff 0x{self.tariff.hex()}: {fault_words(self.faults)}"

    def document(self) -> dict[str, Any]:
        return {
            "batch": self.batch.fields,
            "tariff": "0x" + self.tariff.hex(),
            "statements": self.statements,
            "faults": list(self.faults),
        }


def tariff_warnings(
    batches: Sequence[StoredBatch], endpoint: Endpoint, deployment: Deployment
) -> Iterator[TariffWarning]:
    """What verifiers will say of the tariffs of those batches that the chain does not have yet."""
    asked: dict[tuple[int, bytes], TariffState | None] = {}
    for batch in batches:
        key = BatchKey(batch.id.operator_id, batch.id.period, batch.id.region, batch.id.sequence)
        if batch_state(endpoint, deployment, key).exists:
            continue
        for tariff in batch.tariffs.used:
            if (key.operator_id, tariff) not in asked:
                asked[key.operator_id, tariff] = tariff_state(endpoint, deployment, key.operator_id, tariff)
        yield from _of_batch(batch, {tariff: asked[key.operator_id, tariff] for tariff in batch.tariffs.used})


def _of_batch(batch: StoredBatch, states: dict[bytes, TariffState | None]) -> Iterator[TariffWarning]:
    named = batch.tariffs
    lines = _outermost(batch, {tariff: state for tariff, state in states.items() if state and state.exists})
    for tariff, state in states.items():
        if state is None:
            found = ["no-book"]
        elif not state.exists:
            found = ["unpublished"]
        else:
            found = faults(batch.id.period, lines.get(tariff, []), state)
        if found:
            statements = int(np.count_nonzero(named.codes == named.hashes.index(tariff)))
            yield TariffWarning(batch.id, tariff, statements, tuple(found))


def _outermost(batch: StoredBatch, states: dict[bytes, TariffState]) -> dict[bytes, list[_Line]]:
    """Of each tariff's lines of usage those that decide when it had to be there: the first and the last ones,
    by UTC and on the wall, and the first that it prices."""
    found: dict[bytes, list[_Line]] = {}
    if not states:
        return found
    entries, named = batch.entries, batch.tariffs
    starts, counts = entries["first"].to_numpy(), entries["count"].to_numpy()
    order = np.argsort(starts, kind="stable")
    groups = np.cumsum(counts[order]) // _RANGE
    for range_ in np.split(order, np.flatnonzero(np.diff(groups)) + 1):
        begin = int(starts[range_[0]])
        size = int(starts[range_[-1]] + counts[range_[-1]]) - begin
        records = batch.records_of(begin, size, ["service", "started_at", "utc_offset", "corrects"])
        usage = records["service"].to_numpy() < USAGE.stop
        usage &= ~byte_rows(records["corrects"], 32).any(axis=1)
        code = np.repeat(named.codes[range_], counts[range_])
        started, offset = records["started_at"].to_numpy(), records["utc_offset"].to_numpy().astype(np.int64)
        for place in np.unique(code).tolist():
            tariff = named.hashes[place]
            if tariff in states:
                own = usage & (code == place)
                found.setdefault(tariff, []).extend(_extremes(started[own], offset[own], states[tariff]))
    return found


def _extremes(started: NDArray[np.int64], offset: NDArray[np.int64], state: TariffState) -> Iterator[_Line]:
    if not len(started):
        return
    wall = started + 60 * offset
    places = [started.argmin(), started.argmax(), wall.argmin(), wall.argmax()]
    priced = np.flatnonzero(
        (wall >= state.valid_from) & ((wall < state.valid_until) | (not state.valid_until))
    )
    if len(priced):
        places.append(priced[started[priced].argmin()])
    for place in places:
        yield int(started[place]), int(offset[place])
