"""Bills and phone logs as columns: one, or many bills beside each other, each with its own logs.

Everything after this works on a :class:`Stack`, whose rows are the lines of all its bills, the entries of all
their logs; a single bill is a stack of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from billproof.errors import InputError
from billproof.handset.entries import ENTRY_SCHEMA
from billproof.matching import numbers

if TYPE_CHECKING:
    from billproof.bundle.documents import Bundle
    from billproof.handset.entries import PhoneLog

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Codes of kinds, directions, answers; places in these.
CALL, MESSAGE, MMS, APP = 0, 1, 2, 3
KINDS = ("call", "message", "mms", "app")
OUT, IN = 0, 1
DIRECTIONS = ("out", "in")
YES, NO, UNKNOWN = 0, 1, 2
ANSWERS = ("yes", "no", "unknown")

#: What a line of a service wants: kind and direction; services that want nothing are not comparable.
_WANTS = {1: (CALL, OUT), 2: (CALL, IN), 3: (CALL, IN), 4: (MESSAGE, OUT), 5: (MESSAGE, IN), 7: (MMS, OUT)}
_KIND_OF = np.full(256, -1, np.int64)
_DIRECTION_OF = np.full(256, -1, np.int64)
for _service, (_kind, _direction) in _WANTS.items():
    _KIND_OF[_service], _DIRECTION_OF[_service] = _kind, _direction

#: Times and quantities beyond these are cut to them, so that sums stay within 64 bits.
_LATEST = 1 << 33
_MOST = 1 << 50
_ZERO = "0x" + "0" * 64


@dataclass(frozen=True)
class Invoice:
    """The lines of a bill, in order of ``index``: n values a column."""

    period: int
    currency: str
    service: Ints
    started_at: Ints
    utc_offset: Ints
    usage: Ints
    billed_usage: Ints
    number: pa.Array
    amount: Ints
    rate: pa.Array
    corrects: Flags

    def __len__(self) -> int:
        return len(self.service)

    @classmethod
    def of(cls, bundle: Bundle) -> Invoice:
        """The bill in a bundle."""
        lines = bundle.records
        return cls(
            int(bundle.batch.period),
            bundle.statement.currency,
            service=np.array([int(line.service) for line in lines], np.int64),
            started_at=np.array([int(line.startedAt) for line in lines], np.int64),
            utc_offset=np.array([int(line.utcOffset) for line in lines], np.int64),
            usage=np.array([int(line.usage) for line in lines], np.int64),
            billed_usage=np.array([int(line.billedUsage) for line in lines], np.int64),
            number=pa.array([line.number for line in lines], pa.string()),
            amount=np.array([int(line.amount) for line in lines], np.int64),
            rate=pa.array([line.rate for line in lines], pa.string()),
            corrects=np.array([line.corrects != _ZERO for line in lines], bool),
        )

    @classmethod
    def of_table(cls, period: int, currency: str, table: pa.Table) -> Invoice:
        """The bill in records (``billproof.records.SCHEMA``) of one statement, in its order."""
        names = ("service", "started_at", "utc_offset", "usage", "billed_usage", "amount")
        ints = {name: table[name].to_numpy().astype(np.int64) for name in names}
        return cls(
            period,
            currency,
            number=_texts(table["number"]),
            rate=_texts(table["rate"]),
            **ints,
            corrects=pc.not_equal(table["corrects"], pa.scalar(bytes(32), pa.binary(32))).to_numpy(),
        )

    def part(self, start: int, count: int, currency: str) -> Invoice:
        """Some of the lines, as a bill of their own in ``currency``."""
        rows = slice(start, start + count)
        return Invoice(
            self.period,
            currency,
            service=self.service[rows],
            started_at=self.started_at[rows],
            utc_offset=self.utc_offset[rows],
            usage=self.usage[rows],
            billed_usage=self.billed_usage[rows],
            number=self.number.slice(start, count),
            amount=self.amount[rows],
            rate=self.rate.slice(start, count),
            corrects=self.corrects[rows],
        )


@dataclass(frozen=True)
class Lines:
    """The lines of all bills: n rows."""

    bill: Ints
    index: Ints
    service: Ints
    started_at: Ints
    utc_offset: Ints
    usage: Ints
    billed_usage: Ints
    amount: Ints
    number: Ints  # code of the canonical form
    written: Ints  # code of the number as written
    rate: Ints  # code of (bill, rate text)
    comparable: Flags
    kind: Ints  # wanted; -1 for none
    direction: Ints

    def __len__(self) -> int:
        return len(self.bill)

    @property
    def local(self) -> Ints:
        return self.started_at + 60 * self.utc_offset


@dataclass(frozen=True)
class Entries:
    """The entries of all logs: m rows, log by log."""

    log: Ints
    kind: Ints
    direction: Ints
    answered: Ints
    number: Ints
    at: Ints
    duration: Ints
    parts: Ints
    sim: Ints  # code of the text; 0 when empty

    def __len__(self) -> int:
        return len(self.log)


@dataclass(frozen=True)
class Logs:
    """The logs of all bills, bill by bill: k rows."""

    bill: Ints
    local: Flags
    step: Ints
    duration_step: Ints
    exported_at: Ints  # the smallest of all numbers when not known
    starts: Ints  # (k + 1,): where a log's entries begin

    def __len__(self) -> int:
        return len(self.bill)


NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Stack:
    """Bills and their logs, and what can be said of each row alone."""

    periods: list[int]
    regions: list[str | None]
    starts: Ints  # (bills + 1,): where a bill's lines begin
    log_starts: Ints  # (bills + 1,): where a bill's logs begin
    lines: Lines
    logs: Logs
    entries: Entries
    forms: numbers.Forms

    @property
    def bills(self) -> int:
        return len(self.periods)


def stack(cases: Sequence[tuple[Invoice, Sequence[PhoneLog]]], *, region: str | None = None) -> Stack:
    """Bills and their logs beside each other."""
    invoices = [invoice for invoice, _ in cases]
    logs = [log for _, given in cases for log in given]
    starts = _ends([len(invoice) for invoice in invoices])
    bill = np.repeat(np.arange(len(cases)), np.diff(starts))
    log_starts = _ends([len(given) for _, given in cases])
    log_bill = np.repeat(np.arange(len(cases)), np.diff(log_starts))
    entry_starts = _ends([log.entries.num_rows for log in logs])
    log_of = np.repeat(np.arange(len(logs)), np.diff(entry_starts))

    table = pa.concat_tables([_plain(log.entries) for log in logs]) if logs else None
    ours = _joined([invoice.number for invoice in invoices])
    theirs = table["number"] if table is not None else pa.chunked_array([], pa.string())
    written, texts = _codes(pa.chunked_array([*ours.chunks, *theirs.chunks], pa.string()))
    regions = _regions(written[: len(ours)], texts, bill, len(cases), region)
    of_bill = np.concatenate([bill, log_bill[log_of]])
    number, forms = _forms(written, texts, of_bill, regions)

    def gather(name: str) -> Ints:
        return np.concatenate([getattr(invoice, name) for invoice in invoices] or [np.zeros(0, np.int64)])

    service = gather("service")
    corrects = np.concatenate([invoice.corrects for invoice in invoices] or [np.zeros(0, bool)])
    inside = np.where((service >= 0) & (service < 256), service, 0)
    comparable = (_KIND_OF[inside] >= 0) & ~corrects
    rates = _codes(_joined([invoice.rate for invoice in invoices]))[0]
    lines = Lines(
        bill=bill,
        index=np.arange(len(bill)) - starts[bill],
        service=service,
        started_at=np.clip(gather("started_at"), 0, _LATEST),
        utc_offset=gather("utc_offset"),
        usage=np.clip(gather("usage"), 0, _MOST),
        billed_usage=np.clip(gather("billed_usage"), 0, _MOST),
        amount=gather("amount"),
        number=number[: len(ours)],
        written=written[: len(ours)],
        rate=np.unique(bill * (len(rates) + 1) + rates, return_inverse=True)[1].reshape(-1),
        comparable=comparable,
        kind=np.where(comparable, _KIND_OF[inside], -1),
        direction=np.where(comparable, _DIRECTION_OF[inside], -1),
    )
    return Stack(
        periods=[invoice.period for invoice in invoices],
        regions=regions,
        starts=starts,
        log_starts=log_starts,
        lines=lines,
        logs=Logs(
            bill=log_bill,
            local=np.array([log.clock == "local" for log in logs], bool),
            step=np.array([log.step for log in logs], np.int64),
            duration_step=np.array([log.duration_step for log in logs], np.int64),
            exported_at=np.array(
                [NEVER if log.exported_at is None else log.exported_at for log in logs], np.int64
            ),
            starts=entry_starts,
        ),
        entries=_entries(table, log_of, number[len(ours) :]),
        forms=forms,
    )


def check_region(region: str | None) -> None:
    """Raises :class:`InputError` for what is no region that numbers are written in."""
    import phonenumbers

    if region is not None and region not in phonenumbers.SUPPORTED_REGIONS:
        raise InputError(f"{region!r} is no region", field="region", advice="For example IE, DE or US.")


def _entries(table: pa.Table | None, log: Ints, number: Ints) -> Entries:
    if table is None:
        nothing = np.zeros(0, np.int64)
        return Entries(*(nothing,) * 9)
    sims, texts = _codes(table["sim"])
    order = np.array([1 + at if text else 0 for at, text in enumerate(texts)] or [0], np.int64)
    return Entries(
        log=log,
        kind=_coded(table["kind"], KINDS),
        direction=_coded(table["direction"], DIRECTIONS),
        answered=_coded(table["answered"], ANSWERS),
        number=number,
        at=np.clip(table["at"].to_numpy(), -_LATEST, _LATEST),
        duration=np.clip(table["duration"].to_numpy(), -1, _MOST),
        parts=table["parts"].to_numpy().astype(np.int64),
        sim=order[sims] if len(sims) else sims,
    )


def _plain(entries: pa.Table) -> pa.Table:
    return entries if entries.schema.equals(ENTRY_SCHEMA) else entries.cast(ENTRY_SCHEMA)


def _coded(column: pa.ChunkedArray, words: Sequence[str]) -> Ints:
    """Codes of a dictionary column as places in ``words``, whatever each chunk's dictionary is."""
    if not len(column):
        return np.zeros(0, np.int64)
    coded = pa.concat_arrays(column.unify_dictionaries().chunks)
    places = np.array([words.index(word) for word in coded.dictionary.to_pylist()], np.int64)
    codes: Ints = places[coded.indices.to_numpy(zero_copy_only=False)]
    return codes


def _ends(counts: Sequence[int]) -> Ints:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.array(counts, np.int64))])


def _texts(column: pa.ChunkedArray) -> pa.Array:
    return (
        pa.concat_arrays(column.cast(pa.string()).chunks) if column.num_chunks else pa.array([], pa.string())
    )


def _joined(arrays: list[pa.Array]) -> pa.ChunkedArray:
    return pa.chunked_array(arrays, pa.string())


def _codes(column: pa.ChunkedArray) -> tuple[Ints, list[str]]:
    """A code a row, and the distinct texts."""
    if not len(column):
        return np.zeros(0, np.int64), []
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0) if encoded.num_chunks == 1 else encoded.combine_chunks()
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()


def _regions(written: Ints, texts: list[str], bill: Ints, bills: int, given: str | None) -> list[str | None]:
    if given is not None:
        return [given] * bills
    distinct, inverse = np.unique(written, return_inverse=True)
    said = np.array([numbers.code_of_written(texts[at]) for at in distinct.tolist()] or [0], np.int64)
    codes = said[inverse.reshape(-1)] if len(written) else written
    spoken = codes > 0
    pairs, counts = np.unique(bill[spoken] * 1000 + codes[spoken], return_counts=True)
    best = np.zeros(bills, np.int64)
    order = np.lexsort(
        (-(pairs % 1000), counts)
    )  # the last of a bill wins: most lines, then the smaller code
    best[pairs[order] // 1000] = pairs[order] % 1000
    found = {code: numbers.main_region(code) if code else None for code in np.unique(best).tolist()}
    return [found[code] for code in best.tolist()]


def _forms(
    written: Ints, texts: list[str], bill: Ints, regions: list[str | None]
) -> tuple[Ints, numbers.Forms]:
    """The code of each row's canonical form, in its bill's region, and the forms."""
    names = sorted({region or "" for region in regions})
    of_bill = np.array([names.index(region or "") for region in regions], np.int64)
    keys = written * max(1, len(names)) + (of_bill[bill] if len(bill) else written)
    distinct, inverse = np.unique(keys, return_inverse=True)
    codes: dict[str, int] = {}
    found = [
        codes.setdefault(
            numbers.canonical(texts[key // len(names)], names[key % len(names)] or None), len(codes)
        )
        for key in distinct.tolist()
    ]
    return np.array(found or [0], np.int64)[inverse.reshape(-1)], numbers.Forms(list(codes))
