"""Cases of clocks, of pairs of lines and entries, and of lines that join others."""

from collections.abc import Iterator

from matching_case import DAY, HOUR, MINUTE, Case, local, number


def cases() -> Iterator[Case]:
    yield from _clocks()
    yield from _pairs()
    yield from _unanswered()
    yield from _joined()


def _clocks() -> Iterator[Case]:
    for name, off in (("clock-seconds-off", 7), ("clock-hours-off", -5 * HOUR + 3), ("clock-a-day-off", DAY)):
        yield Case(name).log(off=off).base().expect(logs__0__clock__offset=off, logs__0__clock__known=True)

    yield Case("clock-local").log(clock="local").base().expect(logs__0__clock__offset=0)

    case = Case("clock-unknown").log()
    case.both(number(1), local(5), 60)
    case.both(number(2), local(9), 60)
    case.line(number(1), local(7), 60, "invoice-only:absent", confidence=55)  # 90, less 20 and 15
    case.entry(number(4), local(8), 60, "missing")
    yield case.expect(logs__0__clock__known=False, logs__0__clock__support=2)

    case = Case("clock-unknown-and-off").log(off=1_100)
    case.line(number(1), local(5), 60, "not-covered:outside")
    case.entry(number(1), local(5), 60, "missing")
    case.line(number(2), local(9), 60, "invoice-only:absent")
    case.entry(number(2), local(9), 60, "missing")
    yield case

    case = Case("clock-unknown-and-whole-hours-off").log(off=-2 * HOUR + 20)
    case.both(number(1), local(5), 60, "matched:shifted", talked=67)
    case.both(number(2), local(9), 60, "matched:shifted", talked=58)
    yield case.expect(logs__0__clock__known=False, logs__0__clock__offset=0)

    case = Case("clock-unknown-and-nearly-whole-hours-off").log()
    case.both(number(1), local(5), 60, "matched:shifted", later=HOUR - 180)
    case.line(number(2), local(9), 60, "invoice-only:absent", at="")
    case.entry(number(2), local(9) + 2 * HOUR + 181, 60, "missing")
    yield case.expect(logs__0__clock__known=False)

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
    case.line(number(60), local(14, 13), 45, "invoice-only:unknown")
    yield case.expect(logs__0__clock__shifts__0__offset=2 * HOUR + 4, logs__0__clock__shifts__0__support=5)

    case = Case("strays").log(clock="local").base()
    case.both(number(50), local(14, 8), 45, "matched:shifted", later=HOUR + 60, talked=55)
    case.both(number(51), local(14, 10), 45, "matched:shifted", later=-15 * MINUTE)
    case.both(number(52), local(15, 10), 1, "matched:shifted", later=30 * MINUTE, service=4)
    case.both(number(53), local(15, 12), 45, "matched:shifted", later=14 * HOUR)
    case.line(number(60), local(16, 8), 45, "invoice-only:absent", at="")
    case.entry(number(60), local(16, 11), 106, "missing")  # 61 s longer
    case.line(number(66), local(16, 20), 45, "invoice-only:absent", at="")
    case.entry(number(66), local(16, 21, 15), 24, "missing")  # 21 s shorter
    case.both(
        number(67), local(17, 8), 45, "matched:shifted", later=-2 * HOUR, talked=105
    )  # it counts from dialling
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

    case = Case("covered-by-every-clock").log(exported=local(30))
    for at in range(4):
        case.both(number(at), local(10 + at, 9), 50, later=2 * HOUR)
    for at in range(6):
        case.both(number(10 + at), local(15 + 2 * at, 9), 50)
    case.line(
        number(1), local(10, 9) + HOUR, 60, "not-covered:outside", at=""
    )  # by the other clock before its first
    case.line(number(1), local(10, 9) + 2 * HOUR, 60, "invoice-only:absent", at="")
    case.line(number(1), local(30) - HOUR, 60, "not-covered:outside", offset=0)
    case.line(number(1), local(30) - 4 * HOUR, 60, "invoice-only:absent", offset=0)
    yield case.expect(logs__0__clock__offset=0, logs__0__clock__shifts__0__offset=2 * HOUR)

    case = Case("clock-shift-ends-after-half-a-day").log(clock="local").base()
    for at in range(3):
        case.both(number(50 + at), local(14, 8 + at, 30), 45, later=2 * HOUR)
    case.both(number(53), local(14, 22, 30), 45, later=2 * HOUR)  # 12 hours after the last
    case.line(number(50), local(14, 22, 31), 45, "invoice-only:absent")
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

    case = Case("duration-unknown-agrees-with-none").log().base()
    case.line(number(1), local(5), 228, "longer:talked", at="0.13")
    case.entry(number(1), local(5) - 98, -1, "missing", answered="unknown")
    case.entry(number(1), local(5), 10)
    case.both(number(2), local(6), 7_300, "longer:talked", talked=600)
    case.entry(number(2), local(6) - 90, -1, "missing", answered="unknown")
    case.both(number(3), local(7), 60, talked=-1, later=180)  # better than none
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
    case.line(number(1), local(17), 60, "invoice-only:absent")  # the other log knows the number
    yield case.expect(logs__1__clock__offset=-9)

    yield from _copies()


def _copies() -> Iterator[Case]:
    """Logs that have the same entries: one call bears out one line."""
    case = Case("one-call-in-two-logs").log().base()
    _copy(case, "copy.xml")
    yield case

    case = Case("copies-bear-out-no-duplicate").log().base()
    case.both(number(1), local(5), 454, talked=470)
    case.line(number(1), local(5) + 5, 454, "duplicate:near", at="")
    case.line(number(102), local(6), 60, "invoice-only:absent", at="")
    _copy(case, "new-phone.xml")
    case.both(number(2), local(20), 60)
    yield case

    case = Case("copies-as-often-as-the-first-log-has-them").log().base()
    for _ in range(2):
        case.message(number(1), local(5))
        case.sent(number(1), local(5))
    case.sent(number(2), local(7), "missing")
    case.log("copy.xml")
    for want in ("copy", "copy", "billed"):
        case.sent(number(1), local(5), want)
    case.sent(number(2), local(7), "copy")
    case.message(number(1), local(5))
    case.message(number(1), local(5), "duplicate:near", at="")
    yield case

    case = Case("copies-differ-in-nothing").log().base()
    case.both(number(1), local(5), 60)
    case.both("", local(6), 60, service=2)
    case.log("other.xml")
    case.entry(number(1), local(5) + 1, 60, "missing")
    case.entry(number(1), local(5), 61, "missing")
    case.entry(number(1), local(5), 60, "unanswered", answered="no")
    case.entry(number(1), local(5), 60, "incoming", direction="in")
    case.entry("0870000001", local(5), 60, "copy")
    case.entry("", local(6), 60, "copy", direction="in")
    case.log("wall-clock.csv", clock="local")
    case.entry(number(1), local(5), 60, "missing")
    yield case


def _copy(case: Case, name: str) -> None:
    """Another log with all entries of the first."""
    case.log(name)
    case.logs[-1]["entries"] = [dict(entry) for entry in case.logs[0]["entries"]]
    case.wanted_entries[-1] = ["copy"] * len(case.logs[0]["entries"])


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
