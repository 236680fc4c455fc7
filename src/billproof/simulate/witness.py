"""The second account of a month: what really happened, on phones, beside what was billed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from billproof.errors import InputError
from billproof.simulate import labels, mistakes
from billproof.simulate.draws import Draws
from billproof.simulate.formats import FORMATS, Issuer
from billproof.simulate.mistakes import Billed
from billproof.simulate.phones import PHONE_FORMATS
from billproof.simulate.phones.block import Seen, write
from billproof.simulate.phones.logs import Spelling
from billproof.simulate.places import bill_order
from billproof.simulate.result import PhoneLog
from billproof.simulate.traffic import Lines

#: Path of random streams below an operator, after those of the bills themselves.
_LATE, _MISTAKES, _PHONES = 3, 4, 5


@dataclass(frozen=True)
class Wanted:
    """Phone logs (of one format, or of all), and the share of usage lines to bill wrongly, in which ways."""

    phone_logs: bool
    phone_format: str | None
    errors: float
    error_kinds: tuple[str, ...] = mistakes.KINDS

    def __post_init__(self) -> None:
        if self.phone_format is not None and self.phone_format not in PHONE_FORMATS:
            raise InputError(
                f"cannot write phone logs as {self.phone_format!r}",
                field="phone_format",
                advice=f"choose among {', '.join(PHONE_FORMATS)}",
            )
        if self.phone_format is not None and not self.phone_logs:
            raise InputError("no phone logs to format", field="phone_format", advice="ask for phone logs too")
        if not 0 <= self.errors <= 0.5:
            raise InputError(
                f"a share of {self.errors} wrong lines",
                field="errors",
                advice="give a share of the usage lines from 0 to 0.5, for example 0.002",
            )
        unknown = [kind for kind in self.error_kinds if kind not in mistakes.KINDS]
        if unknown:
            raise InputError(
                f"no error is called {unknown[0]!r}",
                field="error_kinds",
                advice=f"choose among {', '.join(mistakes.KINDS)}",
            )

    @property
    def any(self) -> bool:
        return self.phone_logs or self.errors > 0


class Witness:
    """Errors, labels and phone logs of one operator, block by block."""

    def __init__(
        self, out: Path, wanted: Wanted, seed: int, formats: tuple[str, ...], issuer: Issuer
    ) -> None:
        self._out, self._wanted, self._seed, self._formats, self._issuer = out, wanted, seed, formats, issuer
        self.logs: list[PhoneLog] = []
        self.labels: list[str] = []

    def bill(self, first: int, size: int, usage: Lines) -> tuple[Billed, Seen | None]:
        """What is billed for ``usage`` of subscribers ``first`` onwards; writes their phone logs."""
        issuer, index = self._issuer, self._issuer.carrier.index
        if "csv" in self._formats:
            usage = mistakes.late_lines(self._draws(_LATE, first), usage, issuer.month, first, size)
        draws = self._draws(_MISTAKES, first)
        true, hung = mistakes.unhung(draws, usage)
        place = labels.homes(self._formats, usage)
        fixed = [bool(FORMATS[name].plans) for name in self._formats]
        billed = mistakes.billed(
            draws,
            usage,
            true,
            hung,
            self._wanted.errors,
            self._wanted.error_kinds,
            issuer.month,
            np.array(fixed)[place],
            issuer.pool.subscriber(index, usage.subscriber),
            partial(bill_order, issuer, self._formats),
        )
        if not self._wanted.phone_logs:
            return billed, None
        logs, seen = write(
            self._out,
            self._draws(_PHONES, first),
            true,
            first,
            issuer.month,
            issuer.pool,
            self._spelling,
            self._wanted.phone_format,
            issuer.carrier.number,
            [f"{issuer.carrier.prefix}{number + 1:07d}" for number in range(first, first + size)],
        )
        self.logs += logs
        return billed, seen

    def label(self, first: int, billed: Billed, seen: Seen | None, closing: Lines) -> None:
        """Note the wrong lines, given the lines that close the bills."""
        count = len(billed.lines)
        every = billed.lines
        tags = np.arange(count, dtype=np.int64)
        if len(closing):
            tags = np.concatenate((tags, np.full(len(closing), -1, dtype=np.int64)))
            owner = np.concatenate((every.subscriber, closing.subscriber))
            started = np.concatenate((every.started_at, closing.started_at))
            tags = tags[np.lexsort((started, owner))]
            every = every.joined(closing)
        self.labels += labels.rows(self._issuer, self._formats, every, tags, billed, seen, first)

    @cached_property
    def _spelling(self) -> Spelling:
        return Spelling.of(self._issuer.pool)

    def _draws(self, stream: int, first: int) -> Draws:
        return Draws(self._seed, self._issuer.carrier.index, stream, first)


def write_labels(out: Path, rows: list[str]) -> str:
    """Write ``labels.csv`` and give its path below ``out``."""
    text = ",".join(labels.COLUMNS) + "\n" + "".join(rows)
    (out / labels.NAME).write_text(text, encoding="utf-8", newline="\n")
    return labels.NAME
