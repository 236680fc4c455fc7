"""One simulation: validate, then write each operator's month block by block of subscribers."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from billproof.errors import InputError
from billproof.simulate import documents, enrolment
from billproof.simulate.blemishes import blemished, share
from billproof.simulate.cycle import settled
from billproof.simulate.draws import Draws
from billproof.simulate.formats import FORMATS, FileFormat, Issuer
from billproof.simulate.invoice import MEAN_LINES, invoice_lines, rate_names
from billproof.simulate.labels import NAME as LABELS
from billproof.simulate.mistakes import KINDS as MISTAKES
from billproof.simulate.month import Month, zone
from billproof.simulate.numbering import NumberPool, carrier, network_names, number_pool
from billproof.simulate.output import CdrFiles
from billproof.simulate.places import bill_order
from billproof.simulate.result import NAME, SCHEMA, Blemish, OperatorMonth, PhoneLog, Simulation
from billproof.simulate.traffic import FULL_MIX, Block, Habits, Int64s, Lines, usage_lines
from billproof.simulate.witness import Wanted, Witness, write_labels

#: Records in a block of subscribers: what is in memory at a time.
BLOCK_RECORDS = 100_000

#: Path of random streams below an operator.
_TRAFFIC, _ENROLMENT, _BLEMISHES = 0, 1, 2

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Options:
    """The arguments of :func:`simulate`, valid."""

    operators: int
    subscribers: int
    seed: int
    formats: tuple[str, ...]
    mean: float
    currency: str
    rejects: int
    other_periods: int
    wanted: Wanted

    def __post_init__(self) -> None:
        for field in ("operators", "subscribers"):
            if getattr(self, field) < 1:
                raise InputError(f"{field} is {getattr(self, field)}", field=field, advice="give at least 1")
        for field in ("seed", "rejects", "other_periods"):
            if getattr(self, field) < 0:
                raise InputError(f"{field} is {getattr(self, field)}", field=field, advice="give 0 or more")
        unknown = [name for name in self.formats if name not in FORMATS]
        if unknown or not self.formats or len(set(self.formats)) < len(self.formats):
            problem = f"cannot write {unknown[0]!r}" if unknown else "formats must be named once each"
            raise InputError(problem, field="format", advice=f"choose among {', '.join(FORMATS)}")
        if not re.fullmatch("[A-Z]{3}", self.currency):
            raise InputError(
                f"{self.currency!r} is no currency code", field="currency", advice="give three capitals: EUR"
            )
        if not 0 < self.mean <= 100_000:
            raise InputError(
                f"{self.mean} records for each subscriber",
                field="records_per_subscriber",
                advice="give more than 0 and at most 100,000",
            )

    @property
    def homes(self) -> tuple[str, ...]:
        """Formats other than ``csv``: every subscriber is at home in one, the n-th in turn."""
        return tuple(name for name in self.formats if name != "csv") or ("csv",)

    @property
    def rated(self) -> bool:
        """Whether the billing system's own export is among the formats: only it carries everything."""
        return "csv" in self.formats

    def habits(self, home: Int64s) -> Habits:
        """What subscribers may do so that some file can carry it."""
        if self.rated:
            return Habits((FULL_MIX,), home, roaming=True)
        mixes = tuple(
            {service: weight for service, weight in FULL_MIX.items() if service in FORMATS[name].services}
            for name in self.homes
        )
        return Habits(mixes, home, roaming=False)


def simulate(
    out: Path,
    *,
    operators: int,
    subscribers: int,
    period: int,
    seed: int,
    formats: Sequence[str],
    records_per_subscriber: float = 50,
    timezone: str = "Europe/Dublin",
    currency: str = "EUR",
    rejects: int = 0,
    other_periods: int = 0,
    phone_logs: bool = False,
    phone_format: str | None = None,
    errors: float = 0.0,
    error_kinds: Sequence[str] = (),
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Simulation:
    """Write a month of traffic of ``operators`` operators with ``subscribers`` accounts each.

    ``period`` is ``YYYYMM`` in ``timezone``; ``rejects`` and ``other_periods`` are numbers of bad rows and
    of rows from neighbouring months, spread over all operators and formats. ``phone_logs`` writes a phone
    log for each account, all in ``phone_format`` where one is named; ``errors`` is the share of usage lines
    to bill wrongly, in the ways of ``error_kinds`` or in all; with either, ``labels.csv`` says which lines
    are wrong. ``progress`` is called with the number of subscribers done and in all. The same arguments give
    the same bytes.

    Raises :class:`InputError` for options that make no sense, and when ``out`` holds a simulation and
    ``overwrite`` is not set.
    """
    options = Options(
        operators, subscribers, seed, tuple(formats), records_per_subscriber, currency, rejects,
        other_periods, Wanted(phone_logs, phone_format, errors, tuple(error_kinds) or MISTAKES),
    )  # fmt: skip
    month = Month(period, zone(timezone))
    pool = number_pool(operators, subscribers)
    _make_room(out, overwrite)
    done: list[OperatorMonth] = []
    blemishes: list[Blemish] = []
    logs: list[PhoneLog] = []
    labels: list[str] = []
    for index in range(operators):
        writer = _OperatorWriter(out, options, month, pool, index, blemishes)
        done.append(writer.run(progress))
        logs += writer.witness.logs
        labels += writer.witness.labels
    simulation = Simulation(
        out, seed, period, timezone, options.formats, tuple(done), tuple(blemishes), tuple(logs),
        write_labels(out, labels) if options.wanted.any else "",
    )  # fmt: skip
    simulation.save()
    return simulation


class _OperatorWriter:
    """The month of the operator at ``index``."""

    def __init__(
        self,
        out: Path,
        options: Options,
        month: Month,
        pool: NumberPool,
        index: int,
        blemishes: list[Blemish],
    ) -> None:
        self._out = out
        self._options = options
        self._month = month
        self._index = index
        self._blemishes = blemishes
        self._issuer = Issuer(
            carrier(index),
            month,
            pool,
            pa.array(network_names(index), pa.string()),
            rate_names(),
            options.currency,
            late=options.wanted.any,
        )
        self.witness = Witness(out, options.wanted, options.seed, options.formats, self._issuer)
        self._formats = {name: FORMATS[name](self._issuer) for name in options.formats}
        self._accounts = dict.fromkeys(options.formats, 0)
        self._plans: list[Int64s] = []

    def run(self, progress: Progress | None) -> OperatorMonth:
        options = self._options
        folder = f"cdr/operator-{self._issuer.carrier.number}"
        (self._out / folder).mkdir(parents=True)
        size = max(1, round(BLOCK_RECORDS / options.mean))
        with ExitStack() as stack:
            files = {
                name: stack.enter_context(CdrFiles(self._out, folder, file_format))
                for name, file_format in self._formats.items()
            }
            for first in range(0, options.subscribers, size):
                count = min(size, options.subscribers - first)
                self._write(files, first, self._block(first, count))
                if progress is not None:
                    before = self._index * options.subscribers
                    progress(before + first + count, options.operators * options.subscribers)
        return OperatorMonth(
            carrier=self._issuer.carrier,
            accounts=options.subscribers,
            accounts_by_format=self._accounts,
            enrolment=self._enrol(),
            tariffs=self._tariffs(),
            files=tuple(file for written in files.values() for file in written.closed),
        )

    def _block(self, first: int, count: int) -> Lines:
        """All lines of ``count`` subscribers."""
        options = self._options
        draws = Draws(options.seed, self._index, _TRAFFIC, first)
        home = np.arange(first, first + count, dtype=np.int64) % len(options.homes)
        block = self._suited(Block.draw(draws, self._index, first, count), home)
        mean = max(0.0, options.mean - MEAN_LINES) if options.rated else options.mean
        usage = usage_lines(draws, block, self._month, self._issuer.pool, options.habits(home), mean)
        usage, _, _ = settled(usage, partial(bill_order, self._issuer, options.formats))
        self._plans.append(block.plan)
        if not options.wanted.any:
            return usage.joined(self._closing(draws, block, usage)) if options.rated else usage
        billed, seen = self.witness.bill(first, count, usage)
        closing = self._closing(draws, block, billed.lines)
        self.witness.label(first, billed, seen, closing)
        return billed.lines.joined(closing)

    def _closing(self, draws: Draws, block: Block, usage: Lines) -> Lines:
        """Fees, tax and the like; none where no file can carry them."""
        if self._options.rated:
            return invoice_lines(draws, block, self._month, usage)
        return usage.take(np.zeros(len(usage), dtype=np.bool_))

    def _suited(self, block: Block, home: Int64s) -> Block:
        """The block with price plans that each subscriber's home format can express."""
        plan = block.plan.copy()
        for position, name in enumerate(self._options.homes):
            allowed = np.array(FORMATS[name].plans, dtype=np.int64)
            if len(allowed):
                mine = home == position
                plan[mine] = allowed[plan[mine] % len(allowed)]
        return replace(block, plan=plan)

    def _write(self, files: dict[str, CdrFiles], first: int, lines: Lines) -> None:
        """Share the lines out among the formats and append them."""
        homes = self._options.homes
        left = np.ones(len(lines), dtype=np.bool_)
        for name in sorted(files, key=lambda name: name == "csv"):
            file_format = self._formats[name]
            mine = left
            if name != "csv":
                carried = np.isin(lines.service, [int(service) for service in file_format.services])
                mine = carried & (lines.network <= 1) & (lines.subscriber % len(homes) == homes.index(name))
                left = left & ~mine
            self._append(files[name], file_format, lines.take(mine), is_first=first == 0)

    def _append(self, files: CdrFiles, file_format: FileFormat, lines: Lines, *, is_first: bool) -> None:
        if file_format.chronological:
            lines = lines.take(np.argsort(lines.started_at, kind="stable"))
        self._accounts[file_format.name] += len(np.unique(lines.subscriber))
        rows = file_format.rows(file_format.columns(lines), len(lines))
        amount = int(lines.amount.sum())
        rejects, others = self._wanted(file_format) if is_first else (0, 0)
        if not rejects and not others:
            files.append(rows, records=len(lines), amount=amount)
            return
        if not len(lines):
            raise InputError(
                f"operator {self._issuer.carrier.number} has no {file_format.name} rows to blemish",
                field="rejects",
                advice="ask for more subscribers or fewer formats",
            )
        position = self._options.formats.index(file_format.name)
        draws = Draws(self._options.seed, self._index, _BLEMISHES, position)
        mixed = blemished(draws, file_format, lines, rows, rejects, others)
        path, line = files.append(
            mixed.rows, records=len(lines), amount=amount, rejects=rejects, other_periods=others
        )
        self._blemishes += [replace(note, file=path, line=line + note.line) for note in mixed.found]

    def _wanted(self, file_format: FileFormat) -> tuple[int, int]:
        """Blemishes of this operator and format: rejects, rows of other periods."""
        options = self._options
        parts = options.operators * len(options.formats)
        part = options.formats.index(file_format.name) * options.operators + self._index
        return share(options.rejects, parts, part), share(options.other_periods, parts, part)

    def _enrol(self) -> str:
        path = f"enrolment/operator-{self._issuer.carrier.number}.csv"
        (self._out / "enrolment").mkdir(exist_ok=True)
        prefix = self._issuer.carrier.prefix
        accounts = [f"{prefix}{number:07d}" for number in range(1, self._options.subscribers + 1)]
        enrolment.write(self._out / path, Draws(self._options.seed, self._index, _ENROLMENT), accounts)
        return path

    def _tariffs(self) -> str:
        folder = f"tariffs/operator-{self._issuer.carrier.number}"
        (self._out / folder).mkdir(parents=True)
        return documents.write(
            self._out, folder, self._issuer, np.concatenate(self._plans), closed=self._options.rated
        )


def _make_room(out: Path, overwrite: bool) -> None:
    """Create ``out``; remove what an earlier simulation wrote there, only when told to."""
    out.mkdir(parents=True, exist_ok=True)
    ours = [out / "cdr", out / "enrolment", out / "phones", out / "tariffs"]
    if not any(path.exists() for path in (*ours, out / NAME)):
        return
    advice = "choose another folder, or overwrite with --force"
    if not overwrite:
        raise InputError("the folder already holds a simulation", file=out, advice=advice)
    try:
        known = json.loads((out / NAME).read_text(encoding="utf-8")).get("schema") == SCHEMA
    except (OSError, ValueError, AttributeError):
        known = False
    if not known:
        raise InputError(
            f"{out} holds files that no finished simulation wrote; they are left alone",
            advice="choose another folder, or remove cdr, enrolment, phones and tariffs yourself",
        )
    for path in ours:
        shutil.rmtree(path, ignore_errors=True)
    (out / LABELS).unlink(missing_ok=True)
    (out / NAME).unlink()
