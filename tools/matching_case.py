"""A case of a bill laid against phone logs, in the making, and what must become of its rows."""

from typing import Any

#: 2026-10-01 00:00 as local seconds; in Dublin that is one hour ahead of UTC until the 25th, 01:00 UTC.
MONTH = 1_790_812_800
DAY, HOUR, MINUTE = 86_400, 3_600, 60
ZERO = "0x" + "0" * 64
RATE = "mobile 0.10/min 60/60"
WHOLE = "mobile 0.10/min 1/1"


def local(day: int, hour: int = 12, minute: int = 0, second: int = 0) -> int:
    """A wall-clock second of October 2026 (day 32 is the first of November)."""
    return MONTH + (day - 1) * DAY + hour * HOUR + minute * MINUTE + second


def number(n: int) -> str:
    return f"+3538700{n:05d}"


class Case:
    """A bill and logs in the making."""

    def __init__(
        self, name: str, *, region: str | None = None, period: int = 202610, offset: int = 60
    ) -> None:
        self.name, self.region, self.period, self.offset = name, region, period, offset
        self.lines: list[dict[str, Any]] = []
        self.logs: list[dict[str, Any]] = []
        self.wanted_lines: list[dict[str, Any]] = []
        self.wanted_entries: list[list[str | None]] = []
        self.facts: dict[str, Any] = {}
        self._bases = 0

    def log(
        self,
        name: str = "calls.xml",
        *,
        clock: str = "utc",
        step: int = 1,
        minutes: bool = False,
        exported: int | None = None,
        off: int = 0,
    ) -> "Case":
        """Another log; what follows goes into it. ``off``: how far its clock is ahead."""
        self.logs.append(
            {
                "name": name,
                "format": "test",
                "clock": clock,
                "step": step,
                "durationStep": 60 if minutes else 1,
                "exportedAt": exported,
                "entries": [],
            }
        )
        self.wanted_entries.append([])
        self.off = off
        return self

    def line(
        self,
        to: str,
        when: int,
        usage: int = 60,
        want: str = "",
        *,
        service: int = 1,
        billed: int | None = None,
        amount: int | None = None,
        rate: str = WHOLE,
        corrects: str = ZERO,
        offset: int | None = None,
        stake: int | None = None,
        confidence: int | None = None,
        at: str | None = None,
    ) -> int:
        """A line at a local time. ``want``: class:reason; ``at``: log.entry."""
        offset = self.offset if offset is None else offset
        billed = usage if billed is None else billed
        self.lines.append(
            {
                "service": service,
                "startedAt": when - 60 * offset,
                "utcOffset": offset,
                "usage": usage,
                "billedUsage": billed,
                "number": to,
                "amount": str(billed * 2_000_000 if amount is None else amount),
                "rate": rate,
                "corrects": corrects,
            }
        )
        kind, _, reason = want.partition(":")
        wanted: dict[str, Any] = {"class": kind, "reason": reason} if want else {}
        if stake is not None:
            wanted["stake"] = str(stake)
        if confidence is not None:
            wanted["confidence"] = confidence
        if at is not None:
            log, _, entry = at.partition(".")
            wanted |= {"log": int(log) if entry else None, "entry": int(entry) if entry else None}
        self.wanted_lines.append(wanted)
        return len(self.lines) - 1

    def entry(
        self,
        to: str,
        when: int,
        duration: int = 60,
        want: str | None = "billed",
        *,
        kind: str = "call",
        direction: str = "out",
        answered: str = "yes",
        parts: int = 0,
        sim: str = "",
        offset: int | None = None,
    ) -> None:
        """An entry at a local time of the bill, as the last log's clock shows it."""
        log = self.logs[-1]
        offset = self.offset if offset is None else offset
        at = when + self.off - (60 * offset if log["clock"] == "utc" else 0)
        log["entries"].append(
            {
                "kind": kind,
                "direction": direction,
                "answered": answered,
                "number": to,
                "at": at // log["step"] * log["step"],
                "duration": duration // 60 * 60 if log["durationStep"] == 60 and duration > 0 else duration,
                "parts": parts,
                "sim": sim,
            }
        )
        self.wanted_entries[-1].append(want)

    def both(
        self,
        to: str,
        when: int,
        usage: int = 60,
        want: str = "matched:paired",
        *,
        talked: int | None = None,
        billed: int | None = None,
        later: int = 0,
        rate: str = WHOLE,
        stake: int | None = None,
        confidence: int | None = None,
        service: int = 1,
        as_logged: str | None = None,
        answered: str = "yes",
        sim: str = "",
        offset: int | None = None,
        amount: int | None = None,
    ) -> None:
        """A line and its entry, which begins ``later``."""
        kind, direction = {
            1: ("call", "out"),
            2: ("call", "in"),
            3: ("call", "in"),
            4: ("message", "out"),
            5: ("message", "in"),
            7: ("mms", "out"),
        }[service]
        at = f"{len(self.logs) - 1}.{len(self.logs[-1]['entries'])}"
        self.line(
            to,
            when,
            usage,
            want,
            billed=billed,
            rate=rate,
            stake=stake,
            confidence=confidence,
            service=service,
            at=at,
            offset=offset,
            amount=amount,
        )
        duration = (usage if kind == "call" else -1) if talked is None else talked
        self.entry(
            to if as_logged is None else as_logged,
            when + later,
            duration,
            kind=kind,
            direction=direction,
            answered=answered,
            sim=sim,
            offset=offset,
        )

    def base(self, count: int = 12, *, first: int = 2, last: int = 28) -> "Case":
        """Ordinary calls spread over the month, by which the clock is known and the log covers the month."""
        self._bases += 1
        for at in range(count):
            day = first + (last - first) * at // max(1, count - 1)
            offset = 0 if self.offset == 60 and day > 24 else self.offset
            self.both(
                number(100 * self._bases + at), local(day, 9, 7 * at % 60, 11), 40 + 13 * at, offset=offset
            )
        return self

    def message(self, to: str, when: int, want: str = "matched:paired", usage: int = 1, **more: Any) -> int:
        return self.line(to, when, usage, want, service=4, amount=90_000_000 * usage, rate="SMS 0.09", **more)

    def sent(self, to: str, when: int, want: str | None = "billed", **more: Any) -> None:
        self.entry(to, when, -1, want, kind="message", **more)

    def expect(self, **facts: Any) -> "Case":
        """Values of the result by path, with ``__`` for a step."""
        self.facts |= {path.replace("__", "."): value for path, value in facts.items()}
        return self

    def document(self) -> dict[str, Any]:
        region = {"region": self.region} if self.region else {}
        invoice = {"period": self.period, "currency": "EUR", "lines": self.lines}
        return {"name": self.name, "invoice": invoice, "logs": self.logs, **region}
