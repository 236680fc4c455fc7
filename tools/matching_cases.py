"""Bills laid against phone logs, each with what must become of its lines and entries, stated by hand."""

import random
from collections.abc import Iterator
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


def cases() -> Iterator[Case]:
    yield from _whole_bills()
    yield from _numbers()
    yield from _cycles()
    yield from _clocks()
    yield from _pairs()
    yield from _unanswered()
    yield from _joined()
    yield from _coverage()
    yield from _findings()
    yield from _entries()
    for seed in range(12):
        yield _random(seed)


def _whole_bills() -> Iterator[Case]:
    case = Case("ordinary").log().base()
    yield case.expect(summary__findings=0, logs__0__clock__known=True, logs__0__clock__offset=0, region="IE")

    case = Case("empty-log").log()
    case.line(number(1), local(5), want="not-covered:outside", at="")
    yield case.expect(logs__0__coverage__call=None, summary__findings=0)

    case = Case("no-logs")
    case.line(number(1), local(5), want="not-covered:outside")
    yield case

    case = Case("no-comparable-lines").log()
    case.line("", local(32, 0, 0, 0) - 1, 0, "not-comparable:service", service=32, amount=10_000_000_000)
    case.line("", local(9), 5_000_000, "not-comparable:service", service=6)
    case.entry(number(1), local(5), 30, "missing")
    yield case.expect(region=None, cycle=[local(1, 0), local(32, 0)])

    case = Case("corrections-and-services").log().base()
    case.line(
        number(100),
        local(2, 9, 0, 11),
        40,
        "not-comparable:correction",
        corrects="0x" + "ab" * 32,
        amount=-80_000_000,
    )
    for service in (6, 8, 32, 33, 34, 35, 36, 37, 0, 200):
        case.line("", local(9), 1, "not-comparable:service", service=service)
    yield case

    case = Case("every-service").log().base()
    case.both(number(1), local(6), 30, service=2)
    case.both(number(2), local(7), 30, service=3, talked=0, answered="no")
    case.both(number(3), local(8), 1, service=4)
    case.both(number(4), local(9), 1, service=5)
    case.both(number(5), local(10), 1, service=7)
    yield case

    case = Case("wrong-direction").log().base()
    case.line(number(1), local(6), 60, "invoice-only:absent", at="")
    case.entry(number(1), local(6), 60, "incoming", direction="in")
    case.line(number(2), local(7), 60, "invoice-only:absent", service=2)
    case.entry(number(2), local(7), 60, "missing")
    yield case


def _numbers() -> Iterator[Case]:
    case = Case("number-forms").log().base()
    for at, text in enumerate(
        (
            "0870012345",
            "+353 87 001-2346",
            "00353870012347",
            "(087) 001 2348",
            "+353(0)870012349",
            "#31#0870012350",
        )
    ):
        case.both(f"+35387001{2345 + at}", local(5 + at), 60, as_logged=text)
    yield case

    case = Case("short-codes").log().base()
    case.both("1890", local(5), 60)
    case.both("50123", local(6), 1, service=4)
    case.line("50123", local(7), 1, "not-covered:outside", service=7)
    case.entry("50124", local(8), -1, "missing", kind="message")
    yield case

    case = Case("alike-other-country-code").log().base()
    case.both("+441632960001", local(5), 60, as_logged="0111632960001")
    yield case

    case = Case("masked-bill").log().base()
    case.both("+353871234xxx", local(5), 60, as_logged="0871234567")
    case.both("087 765 4***", local(6), 60, as_logged="+353877654321")
    case.line("+353871299••••", local(7), 60, "invoice-only:absent", confidence=70)
    case.entry("+353871299123", local(7), 60, "missing")  # a digit shorter than the masked number
    case.line("xxxxxx", local(8), 60, "matched:paired", at="0.15")  # nothing but masks: withheld
    case.entry("+353871299124", local(8), 60)
    yield case

    case = Case("withheld").log().base()
    case.both("", local(5), 60, as_logged="+353861111111", service=2, later=20)
    case.both("+353862222222", local(6), 60, as_logged="", service=2, talked=55)
    case.line(
        "", local(7), 60, "invoice-only:absent", service=2, confidence=70
    )  # 61 s are too far for a withheld one
    case.entry("", local(7) + 61, 60, "incoming", direction="in")
    case.line("", local(8), 60, "invoice-only:absent", service=2)  # 21 s longer: too much
    case.entry("", local(8), 39, "incoming", direction="in")
    case.message("", local(9), "invoice-only:absent")  # messages are never taken for withheld ones
    case.sent("+353863333333", local(9), "by-app")
    case.sent("+353863333333", local(3), "by-app")
    yield case

    case = Case("other-numbers").log().base()
    case.line("+353871234567", local(5), 60, "invoice-only:absent", at="")
    case.entry("+353871234568", local(5), 60, "missing")
    yield case

    case = Case("region-given", region="GB", offset=0).log()
    case.both("01632960001", local(5), 60, as_logged="+441632960001", offset=0)
    case.both("01632 960002", local(6), 60, as_logged="+44 1632 960002", offset=0)
    case.both("+441632960003", local(7), 60, as_logged="01632960003", offset=0)
    yield case.expect(region="GB")

    case = Case("region-of-most-lines").log().base(4)
    for at in range(5):
        case.both(f"+4930901820{at:02d}", local(10 + at), 60, as_logged=f"030901820{at:02d}")
    yield case.expect(region="DE")

    case = Case("no-region").log()
    for at in range(4):
        case.both(f"087001234{at}", local(5 + at), 60)
    case.line("0870012349", local(6, 15), 60, "matched:paired", at="0.4")
    case.entry("+353870012349", local(6, 15), 60)  # alike by its last digits
    yield case.expect(region=None)


def _cycles() -> Iterator[Case]:
    case = Case("cycle-from-the-fifteenth").log()
    for at in range(15):
        day = local(-14 + 2 * at, 9)
        case.both(number(at), day, 50)
    yield case.expect(cycle=[local(-15, 0), local(15, 0)])

    case = Case("late-lines").log(exported=local(32)).base()
    case.line(number(1), local(-3), 60, "late:uncovered")
    case.line(number(2), local(1, 0) - 60, 60, "late:paired", at="0.12")
    case.entry(number(2), local(1, 0) - 60, 60)
    case.line(number(3), local(1, 0), 60, "invoice-only:absent")
    yield case

    case = Case("before-the-log-begins").log().base(first=10)
    case.line(number(1), local(3), 60, "not-covered:outside", at="")
    case.line(number(2), local(30), 60, "not-covered:outside")
    yield case

    case = Case("december", period=202612, offset=0).log()
    for at in range(4):
        case.both(number(at), local(63 + at, 23), 50, offset=0)
    yield case.expect(cycle=[local(62, 0), local(93, 0)])


def _clocks() -> Iterator[Case]:
    for name, off in (("clock-seconds-off", 7), ("clock-hours-off", -5 * HOUR + 3), ("clock-a-day-off", DAY)):
        yield Case(name).log(off=off).base().expect(logs__0__clock__offset=off, logs__0__clock__known=True)

    yield Case("clock-local").log(clock="local").base().expect(logs__0__clock__offset=0)

    case = Case("clock-unknown").log()
    case.both(number(1), local(5), 60)
    case.both(number(2), local(9), 60)
    case.line(number(3), local(7), 60, "invoice-only:absent", confidence=35)  # 90, less 20, 20 and 15
    case.entry(number(4), local(8), 60, "missing")
    yield case.expect(logs__0__clock__known=False, logs__0__clock__support=2)

    case = Case("clock-unknown-and-off").log(off=1_000)
    case.line(number(1), local(5), 60, "not-covered:outside")
    case.entry(number(1), local(5), 60, "missing")
    case.line(number(2), local(9), 60, "invoice-only:absent")
    case.entry(number(2), local(9), 60, "missing")
    yield case

    case = Case("clock-unknown-and-whole-hours-off").log(off=-2 * HOUR + 20)
    case.both(number(1), local(5), 60, "matched:shifted", talked=67)
    case.both(number(2), local(9), 60, "matched:shifted", talked=58)
    yield case.expect(logs__0__clock__known=False, logs__0__clock__offset=0)

    case = Case("clock-borrowed-from-the-other-log").log(off=1_000).base()
    case.log("sms.xml", off=1_000)
    case.both(number(1), local(5), 1, service=4)
    case.both(number(2), local(9), 1, service=4)
    yield case.expect(logs__1__clock__known=False, logs__1__clock__offset=1_000, logs__1__clock__support=2)

    case = Case("clock-changed-with-daylight-saving", offset=60).log(clock="local")
    for at in range(8):  # the phone's export shows the whole month in winter time
        case.both(number(at), local(3 + 2 * at, 9, at), 50 + at, later=-HOUR, offset=60)
    for at in range(4):
        case.both(number(20 + at), local(26 + at, 9, at), 50 + at, offset=0)
    yield case.expect(
        logs__0__clock__offset=-HOUR,
        logs__0__clock__shifts__0__offset=0,
        logs__0__clock__shifts__0__support=4,
    )

    case = Case("clock-shifted-abroad").log(clock="local").base()
    for at in range(5):  # a week two hours ahead
        case.both(number(50 + at), local(14, 8 + 2 * at, 30), 45, later=2 * HOUR + 4)
    case.line(number(60), local(14, 13), 45, "invoice-only:absent")
    yield case.expect(logs__0__clock__shifts__0__offset=2 * HOUR + 4, logs__0__clock__shifts__0__support=5)

    case = Case("strays").log(clock="local").base()
    case.both(number(50), local(14, 8), 45, "matched:shifted", later=HOUR + 60, talked=55)
    case.both(number(51), local(14, 10), 45, "matched:shifted", later=-15 * MINUTE)
    case.both(number(52), local(15, 10), 1, "matched:shifted", later=30 * MINUTE, service=4)
    case.both(number(53), local(15, 12), 45, "matched:shifted", later=14 * HOUR)
    case.line(number(60), local(16, 8), 45, "invoice-only:absent", at="")
    case.entry(number(60), local(16, 11), 66, "missing")  # 21 s longer
    case.line(number(61), local(16, 10), 45, "invoice-only:absent", at="")
    case.entry(number(61), local(16, 14, 1, 1), 45, "missing")  # 61 s off
    case.line(number(62), local(16, 12), 45, "invoice-only:absent", at="")
    case.entry(number(62), local(17, 2, 15), 45, "missing")  # more than 14 hours
    case.message(number(63), local(14, 8), "invoice-only:absent", at="")
    case.sent(number(63), local(14, 8, 15), "missing")  # messages only by half hours
    case.line(number(64), local(18, 8), 45, "invoice-only:absent", at="")
    case.entry(number(64), local(18, 13), 0, "unanswered", answered="no")
    case.sent(number(65), local(15, 20), "missing")
    case.sent(number(65), local(13, 20), "missing")
    yield case.expect(logs__0__clock__shifts=[])

    case = Case("stray-nearest").log(clock="local").base()
    case.line(number(50), local(14, 8), 45, "matched:shifted", at="0.13")
    case.entry(number(50), local(14, 10), 45, "missing")
    case.entry(number(50), local(14, 7), 45)
    yield case

    case = Case("clock-shift-ends-after-half-a-day").log(clock="local").base()
    for at in range(3):
        case.both(number(50 + at), local(14, 8 + at, 30), 45, later=2 * HOUR)
    case.both(number(53), local(14, 22, 30), 45, later=2 * HOUR)  # 12 hours after the last
    case.line(number(54), local(14, 22, 31), 45, "invoice-only:absent")
    yield case


def _pairs() -> Iterator[Case]:
    case = Case("gap-of-calls").log().base()
    case.both(number(1), local(5), 60, later=180)
    case.line(number(2), local(6), 60, "invoice-only:absent")
    case.entry(number(2), local(6) + 181, 60, "missing")
    case.both(number(3), local(7), 60, later=-180)
    yield case

    case = Case("gap-of-messages").log().base()
    for at in range(3):
        case.both(number(1 + at), local(5 + at), 1, service=4, later=(300, -300, 0)[at])
    case.message(number(5), local(8) - 301, "invoice-only:absent")
    case.sent(number(5), local(8), "missing")
    yield case

    case = Case("minute-steps").log(step=60, minutes=True)
    for at in range(8):
        case.both(number(at), local(4 + 2 * at, 9, at, 7 * at), 61 + 17 * at)
    yield case.expect(logs__0__clock__known=True)

    case = Case("nearest-of-two").log().base()
    case.both(number(1), local(5), 60)
    case.line(number(1), local(5) + 150, 60, "matched:paired", at="0.13")
    case.entry(number(1), local(5) + 152, 60)
    case.entry(number(1), local(5) + 80, 0, "unanswered", answered="no")
    yield case

    case = Case("duration-decides").log().base()
    case.line(number(1), local(5), 300, "matched:paired", at="0.13")
    case.line(number(1), local(5) + 100, 60, "matched:paired", at="0.12")
    case.entry(number(1), local(5) + 40, 60)
    case.entry(number(1), local(5) + 60, 300)
    yield case

    case = Case("least-sum-not-nearest").log().base()
    case.line(number(1), local(5), 60, "matched:paired", at="0.12")  # leaves the nearer one to the next
    case.line(number(1), local(5) + 200, 60, "matched:paired", at="0.13")
    case.entry(number(1), local(5) - 120, 60)
    case.entry(number(1), local(5) + 90, 60)
    yield case

    case = Case("ties-go-in-order").log().base()
    case.line(number(1), local(5), 1, "matched:paired", service=4, at="0.12")
    case.line(number(1), local(5), 1, "matched:paired", service=4, at="0.13")
    case.sent(number(1), local(5))
    case.sent(number(1), local(5))
    case.line(number(2), local(6), 1, "matched:paired", service=4, at="0.14")
    case.line(number(2), local(6), 1, "duplicate:near", service=4, at="", confidence=90)
    case.sent(number(2), local(6))
    case.sent(number(9), local(7), "missing")
    yield case

    case = Case("ties-between-entries").log().base()
    case.line(number(1), local(5), 60, "matched:paired", at="0.12")
    case.entry(number(1), local(5) + 10, 60)
    case.entry(number(1), local(5) - 10, 60, "missing")
    yield case

    case = Case("two-logs").log().base()
    case.both(number(1), local(5), 60)
    case.log("old-phone.csv", clock="local", off=-9)
    for at in range(5):
        case.both(number(50 + at), local(15 + at, 18), 44)
    case.line(number(60), local(17), 60, "invoice-only:absent")
    yield case.expect(logs__1__clock__offset=-9)

    case = Case("one-call-in-two-logs").log().base()
    case.log("copy.xml")
    for at in range(12):
        case.logs[1]["entries"].append(dict(case.logs[0]["entries"][at]))
        case.wanted_entries[1].append("missing")
    yield case


def _unanswered() -> Iterator[Case]:
    case = Case("unanswered-must-be-near").log().base()
    case.both(number(1), local(5), 60, "longer:unanswered", talked=0, answered="no", later=60)
    case.line(number(2), local(6), 60, "invoice-only:absent", at="")
    case.entry(number(2), local(6) + 61, 0, "unanswered", answered="no")
    yield case

    case = Case("unanswered-call-given-back").log().base()
    case.line(number(1), local(5), 60, "duplicate:same", at="")
    case.line(number(1), local(5), 60, "matched:paired", at="0.13")
    case.entry(number(1), local(5) - 40, 0, "unanswered", answered="no")
    case.entry(number(1), local(5) + 2, 60)
    case.line(number(3), local(8), 60, "duplicate:same", at="")
    case.line(number(3), local(8), 60, "matched:paired", at="0.16")
    case.line(number(2), local(6), 60, "longer:unanswered", at="0.14")  # no other answered call
    case.entry(number(2), local(6) - 40, 0, answered="no")
    case.entry(number(3), local(8) - 90, -1, "missing", answered="unknown")
    case.entry(number(3), local(8) + 100, 60)
    yield case


def _joined() -> Iterator[Case]:
    case = Case("continued-call").log().base()
    case.line(number(1), local(5, 22), 3_600, "matched:paired", at="0.12")
    case.line(number(1), local(5, 23), 3_600, "matched:continued", at="0.12")
    case.line(number(1), local(6, 0) + 4, 1_800, "matched:continued", at="0.12")
    case.entry(number(1), local(5, 22), 9_000)
    yield case.expect(lines__13__joins=12, lines__14__joins=12)

    case = Case("continued-too-long").log().base()
    case.line(number(1), local(5, 20), 600, "matched:paired", at="0.12")
    case.line(number(1), local(5, 20, 10), 600, "invoice-only:absent", at="")
    case.entry(number(1), local(5, 20), 1_189)
    yield case

    case = Case("continued-only-after-half-a-minute").log().base()
    case.line(number(1), local(5), 6, "matched:paired", at="0.12")
    case.line(number(1), local(5), 6, "duplicate:same", at="")
    case.entry(number(1), local(5), 5)
    case.line(number(2), local(6), 30, "matched:paired", at="0.13")
    case.line(number(2), local(6) + 31, 6, "matched:continued", at="0.13")
    case.entry(number(2), local(6), 36)
    yield case

    case = Case("message-in-parts").log().base()
    case.message(number(1), local(5), at="0.12")
    case.message(number(1), local(5) + 1, "matched:part", at="0.12")
    case.message(number(1), local(5) + 2, "matched:part", at="0.12")
    case.message(number(1), local(5) + 3, "duplicate:near", at="")
    case.sent(number(1), local(5), parts=3)
    case.sent(number(2), local(6), "missing")
    yield case.expect(lines__13__joins=12)


def _coverage() -> Iterator[Case]:
    case = Case("covered-until-export").log(exported=local(31) - HOUR).base(last=20)
    case.line(number(1), local(29, 12), 60, "invoice-only:absent")
    yield case

    case = Case("history-deleted").log().base()
    for at in range(3):
        case.line(number(1), local(5 + at), 60, "not-covered:deleted")
    case.line(number(2), local(25), 60, "invoice-only:absent")
    case.line(number(2), local(25) + 299, 60, "invoice-only:absent")
    case.line(number(4), local(5), 60, "not-covered:deleted")
    case.line(number(4), local(5) + 300, 60, "not-covered:deleted")
    for at in range(3):
        case.line(number(3), local(11 + at), 60, "invoice-only:absent")
    case.entry(number(3), local(20), 60, "incoming", direction="in")
    yield case

    case = Case("history-deleted-in-all-kinds").log().base()
    case.sent(number(100), local(3), "by-app")
    case.line(number(1), local(5), 60, "not-covered:deleted")
    case.message(number(1), local(6), "not-covered:deleted")
    case.message(number(1), local(2), "not-covered:outside")
    case.sent(number(100), local(29), "by-app")
    case.line(number(2), local(5, 14), 60, "invoice-only:absent")
    case.message(number(2), local(6, 14), "invoice-only:absent")
    case.entry(number(2), local(20), 60, "free", kind="app")
    yield case

    case = Case("hole").log().base(4, first=2, last=4)
    for at in range(5):
        case.line(number(1 + at), local(10 + at), 60, "not-covered:hole")
    for at in range(4):
        case.both(number(30 + at), local(20 + at), 33)
    for at in range(4):
        case.line(number(40 + at), local(24, 12, at), 60, "invoice-only:absent")
    case.both(number(45), local(24, 18), 33)
    yield case

    case = Case("hole-with-an-entry").log().base(4, first=2, last=4)
    for at in range(6):
        case.line(number(1 + at), local(10 + at), 60, "invoice-only:absent")
    case.entry(number(20), local(12, 15), 5, "incoming", direction="in")
    case.both(number(30), local(20), 33)
    yield case

    case = Case("kinds-are-covered-apart").log().base()
    case.message(number(1), local(5), "not-covered:outside")
    yield case.expect(logs__0__coverage__message=None)


def _findings() -> Iterator[Case]:
    case = Case("invoice-only").log().base()
    case.line(number(1), local(5), 60, "invoice-only:absent", stake=120_000_000, confidence=70)
    case.line(number(105), local(6), 60, "invoice-only:absent", confidence=90)  # a number that the log knows
    yield case.expect(summary__stake="240000000")

    case = Case("invoice-only-few-entries").log().base(5)
    case.line(number(1), local(5), 60, "invoice-only:absent", confidence=55)
    yield case

    case = Case("duplicate-same").log().base()
    case.both(number(1), local(5), 60)
    case.line(number(1), local(5), 60, "duplicate:same", stake=120_000_000, confidence=99)
    yield case

    case = Case("duplicate-same-uncovered").log().base()
    case.line(number(1), local(30), 60, "not-covered:outside")
    case.line(number(1), local(30), 60, "duplicate:same", stake=120_000_000)
    case.message(number(1), local(30), "not-covered:outside")
    case.message(number(1), local(30), "not-covered:outside")
    yield case

    case = Case("duplicate-near").log().base()
    case.both(number(1), local(5), 500)
    case.line(number(1), local(5) + 60, 510, "duplicate:near", confidence=90)
    case.both(number(2), local(6), 500)
    case.line(number(2), local(6) + 61, 500, "invoice-only:absent")
    case.both(number(3), local(7), 500)
    case.line(number(3), local(7) + 3, 511, "invoice-only:absent")
    case.line(number(4), local(8), 500, "invoice-only:absent")
    case.line(number(4), local(8) + 9, 501, "duplicate:near")
    yield case

    case = Case("hung").log().base()
    case.both(number(1), local(5), 43_200, "hung:paired", talked=125, stake=86_150_000_000, confidence=95)
    case.both(number(2), local(8), 10_799, "longer:talked", talked=100)
    case.both(number(3), local(11), 12_000, "longer:talked", talked=8_401)
    yield case

    case = Case("hung-overlap").log().base()
    case.line(number(1), local(5, 10), 12_000, "hung:overlap", at="", confidence=85, stake=24_000_000_000)
    case.both(number(2), local(5, 11), 60)
    case.line(number(3), local(7, 10), 12_000, "invoice-only:absent")
    yield case

    case = Case("longer-unanswered").log().base()
    case.both(
        number(1), local(5), 30, "longer:unanswered", talked=0, answered="no", stake=60_000_000, confidence=75
    )
    case.both(
        number(2), local(6), 30, "longer:unanswered", service=2, talked=9, answered="no", stake=60_000_000
    )
    yield case

    case = Case("longer-talked").log().base()
    case.both(number(1), local(5), 66, "longer:talked", talked=60, stake=12_000_000, confidence=85)
    case.both(number(2), local(6), 65, talked=60)
    case.both(number(3), local(7), 91, "longer:talked", talked=60, stake=62_000_000, confidence=95)
    case.both(number(4), local(8), 90, "longer:talked", talked=60, confidence=85)
    case.both(number(5), local(9), 60, talked=300)
    case.both(number(6), local(10), 60, talked=-1)
    case.both(number(7), local(11), 600, "longer:talked", talked=60, amount=-5_000_000, stake=0)
    yield case

    case = Case("longer-by-whole-minutes").log().base()
    for at in range(6):
        case.both(number(1 + at), local(5 + at), 30 + 9 * at, billed=60 if at < 4 else 120, rate=RATE)
    case.both(
        number(11), local(12), 110, "longer:talked", talked=50, billed=120, rate=RATE, stake=120_000_000
    )
    case.both(
        number(12), local(13), 50, "longer:rounding", billed=120, rate=RATE, stake=120_000_000, confidence=80
    )
    yield case

    case = Case("rounding-unknown").log().base()
    for at in range(5):
        case.both(number(1 + at), local(5 + at), 30 + at, billed=33 + 3 * at, rate="odd")
    yield case.expect(summary__findings=0)

    case = Case("every-rounding").log()
    for at, (first, step) in enumerate(
        (
            (1, 1),
            (6, 6),
            (10, 10),
            (20, 20),
            (30, 1),
            (30, 6),
            (30, 30),
            (60, 1),
            (60, 6),
            (60, 10),
            (60, 30),
            (60, 60),
        )
    ):
        for more, usage in enumerate((7, 27, 33, 61, 95)):
            billed = first - step * (-max(0, usage - first) // step)
            case.both(
                number(at * 20 + more),
                local(2 + 2 * at, 8 + more),
                usage,
                billed=billed,
                rate=f"{first}/{step}",
            )
        billed = first - step * (-max(0, 95 - first) // step) + 60
        case.both(
            number(at * 20 + 9),
            local(2 + 2 * at, 18),
            95,
            "longer:rounding",
            billed=billed,
            rate=f"{first}/{step}",
        )
    yield case

    case = Case("rounding-that-fits-most").log().base()
    for at, (usage, billed) in enumerate(((13, 30), (28, 30), (31, 36), (61, 66), (301, 306), (734, 738))):
        case.both(number(1 + at), local(5 + at), usage, billed=billed, rate="flex")  # 6/6 fits 5, 30/6 all
    yield case.expect(summary__findings=0)

    case = Case("minutes-rounded-up").log(step=60, minutes=True)
    for at in range(6):
        case.both(number(1 + at), local(5 + at), 61 + 7 * at, talked=120)
    case.both(number(20), local(15), 125, talked=120)
    case.both(number(21), local(16), 126, "longer:talked", talked=120)
    yield case

    case = Case("bias").log()
    for at in range(7):
        case.both(number(1 + at), local(5 + at), 60, talked=57)
    case.both(number(20), local(15), 60, talked=52)
    case.both(number(21), local(16), 60, "longer:talked", talked=51)
    yield case.expect(logs__0__bias=3)

    case = Case("bias-of-few").log()
    for at in range(4):
        case.both(number(1 + at), local(5 + at), 60, talked=57)
    yield case.expect(logs__0__bias=0)

    case = Case("forwarded-without-entry").log().base()
    case.line(number(1), local(5), 60, "not-comparable:forwarded", service=3)
    yield case


def _entries() -> Iterator[Case]:
    case = Case("entries-nobody-bills").log().base()
    case.entry(number(1), local(5), 60, "free", kind="app")
    case.entry(number(2), local(6), 60, "incoming", direction="in")
    case.entry(number(3), local(7), 0, "unanswered", answered="no")
    case.entry("1800 123456", local(8), 60, "freephone")
    case.entry("112", local(9), 60, "freephone")
    case.entry("116123", local(10), 60, "freephone")
    case.entry("1161234", local(10, 15), 60, "missing")
    case.entry(number(4), local(11), 60, "missing")
    case.entry(number(5), local(0), 60, "other-period")
    case.entry(number(6), local(32), 60, "other-period", offset=0)
    case.entry(number(7), local(30, 0), 60, "next-bill", offset=0)
    case.entry(number(8), local(30, 0) - 1, 60, "missing", offset=0)
    yield case

    case = Case("other-sim").log()
    for at in range(4):
        case.both(number(1 + at), local(5 + at), 60, sim="1")
    case.entry(number(10), local(6), 60, "other-sim", sim="2")
    case.entry(number(11), local(7), 60, "missing", sim="1")
    case.entry(number(12), local(8), 60, "missing")
    yield case

    case = Case("messages-through-an-app").log().base()
    for at in range(2):
        case.message(number(1 + at), local(5 + at))
        case.sent(number(1 + at), local(5 + at))
    for at in range(9):
        case.sent(number(10 + at), local(8 + at), "by-app")
    case.entry(number(30), local(9), -1, "missing", kind="mms")
    yield case

    case = Case("messages-one-in-five").log().base()
    for at in range(2):
        case.message(number(1 + at), local(5 + at))
        case.sent(number(1 + at), local(5 + at))
    for at in range(8):
        case.sent(number(10 + at), local(8 + at), "missing")
    yield case


def _random(seed: int) -> Case:
    """An invented month with everything in it; nothing is stated by hand."""
    dice = random.Random(seed)  # noqa: S311
    utc = dice.random() < 0.5
    case = Case(f"random-{seed:02d}").log(
        clock="utc" if utc else "local",
        step=dice.choice((1, 1, 60)),
        minutes=dice.random() < 0.3,
        off=dice.choice((0, 0, 3, -HOUR, 7_204)),
    )
    people = [number(dice.randrange(100_000)) for _ in range(6)] + ["", "50505", "1800123456"]
    for _ in range(40):
        who, when = (
            dice.choice(people),
            local(dice.randint(2, 24), dice.randrange(24), dice.randrange(60), dice.randrange(60)),
        )
        service = dice.choice((1, 1, 1, 1, 2, 2, 3, 4, 4, 4, 5, 7))
        kind, direction = {
            1: ("call", "out"),
            2: ("call", "in"),
            3: ("call", "in"),
            4: ("message", "out"),
            5: ("message", "in"),
            7: ("mms", "out"),
        }[service]
        usage = (
            dice.choice((3, 20, 61, 240, 900, 11_000)) + dice.randrange(20)
            if kind == "call"
            else dice.choice((1, 1, 2))
        )
        for copy in range(dice.choice((1, 1, 1, 1, 1, 2, 3))):
            billed = -(-usage // 60) * 60 if kind == "call" else usage
            if dice.random() < 0.85:
                case.line(
                    who,
                    when + copy * dice.choice((0, 3, 40)),
                    usage,
                    service=service,
                    rate=RATE,
                    billed=billed + 60 * (dice.random() < 0.05),
                )
            if dice.random() < 0.85:
                near = when + copy * dice.choice((0, 3, 40)) + dice.randint(-4, 9)
                spoken = usage - dice.choice((0, 0, 1, 2, 30, 7_000)) if kind == "call" else -1
                case.entry(
                    "0" + who[4:] if who.startswith("+353") and dice.random() < 0.3 else who,
                    near,
                    max(0, spoken) if kind == "call" else -1,
                    None,
                    kind=kind,
                    direction=direction,
                    answered=dice.choice(("yes", "yes", "yes", "unknown", "no")) if kind == "call" else "yes",
                    parts=dice.choice((0, 1, 3)) if kind == "message" else 0,
                    sim=dice.choice(("", "1", "1", "2")),
                )
    return case
