"""Cases of questions: lines that a log with a deleted history and a padded bill have alike."""

from collections.abc import Iterator

from matching_case import RATE, ZERO, Case, local, number


def cases() -> Iterator[Case]:
    yield from _numbers()
    yield from _lists()
    yield from _order()
    yield from _padded()
    yield from _sums()
    yield from _minimum_charges()


def _numbers() -> Iterator[Case]:
    case = Case("question").log().base()
    case.line(number(1), local(5), 60, "invoice-only:unknown", stake=0, confidence=None, at="")
    yield case.expect(
        lines__12__confidence=None,
        summary__findings=0,
        summary__stake="0",
        summary__questions=1,
        summary__asked="120000000",
    )

    case = Case("question-of-many-lines").log().base()
    for at in range(3):
        case.line(number(1), local(5 + at), 60, "invoice-only:unknown", stake=0)
    case.line(number(2), local(25), 60, "invoice-only:unknown")
    case.line(number(2), local(25) + 299, 60, "invoice-only:unknown", amount=-5)  # costs nothing
    for at in range(3):
        case.line(number(3), local(11 + at), 60, "invoice-only:absent")
    case.entry(number(3), local(20), 60, "incoming", direction="in")
    yield case.expect(summary__findings=3, summary__questions=5, summary__asked="480000000")

    case = Case("question-numbers-alike").log().base()
    case.line("+441632960001", local(5), 60, "invoice-only:absent", confidence=90)
    case.entry("0111632960001", local(20), 60, "missing")  # the same by its last digits
    case.line("+353871234xxx", local(6), 60, "invoice-only:absent", confidence=70)
    case.entry("+353871234567", local(21), 60, "missing")
    case.line("+353879876543", local(7), 60, "invoice-only:absent", confidence=90)
    case.entry("+353879876xxx", local(22), 60, "missing")
    case.line("+353875555xxx", local(8), 60, "invoice-only:unknown")
    case.entry("+353875555xxx", local(23), 60, "missing")  # two masks tell nothing
    case.line("+3538744xxx", local(9), 60, "invoice-only:unknown")
    case.entry("+353874412345", local(24), 60, "missing")  # longer
    case.line("", local(10), 60, "invoice-only:unknown")
    case.entry("", local(24, 18), 60, "missing")  # withheld ones are one as the other
    case.line("50505", local(11), 60, "invoice-only:absent")
    case.entry("50505", local(24, 20), 0, "unanswered", answered="no")
    yield case.expect(summary__findings=4, summary__questions=3)


def _lists() -> Iterator[Case]:
    """Calls and messages are deleted apart."""
    case = Case("question-of-one-list").log().base()
    case.sent(number(100), local(3), "by-app")
    case.line(number(1), local(5), 60, "invoice-only:unknown")
    case.message(number(1), local(6), "invoice-only:unknown")
    case.message(number(1), local(2), "not-covered:outside")
    case.message(number(101), local(7), "invoice-only:unknown")  # in the list of calls only
    case.message(number(101), local(8), "invoice-only:unknown")
    case.line(number(50), local(9, 8), 60, "invoice-only:unknown")  # in the list of messages only
    case.sent(number(50), local(10), "by-app")
    case.message(number(51), local(9, 9), "invoice-only:absent", confidence=75)
    case.entry(number(51), local(10), -1, "missing", kind="mms")  # MMS and messages are one list
    case.sent(number(100), local(29), "by-app")
    yield case.expect(summary__findings=1, summary__questions=5)

    case = Case("question-app-entries").log().base()
    case.line(number(2), local(5, 14), 60, "invoice-only:absent")
    case.entry(number(2), local(20), 60, "free", kind="app")  # in a log of calls it is a call
    case.log("sms.xml")
    case.sent(number(60), local(3), "missing")
    case.message(number(60), local(5))
    case.sent(number(60), local(5))
    case.message(number(2), local(6, 14), "invoice-only:unknown")
    case.message(number(61), local(7, 14), "invoice-only:absent")
    case.entry(number(61), local(20), -1, "free", kind="app")
    case.line(number(61), local(8, 14), 60, "invoice-only:unknown")
    case.sent(number(60), local(28), "missing")
    yield case


def _order() -> Iterator[Case]:
    """Other verdicts that a line to a number that no log knows may have."""
    case = Case("question-after-duplicates").log().base()
    case.line(number(1), local(5), 60, "invoice-only:unknown")
    case.line(number(1), local(5), 60, "duplicate:same", stake=120_000_000, confidence=99)
    case.message(number(2), local(6), "not-covered:outside")
    case.line(number(3), local(7), 60, "invoice-only:unknown")
    case.line(number(3), local(7) + 40, 61, "invoice-only:unknown")  # nor could two that were deleted be told
    yield case.expect(summary__findings=1, summary__questions=3)

    case = Case("question-and-hung").log().base()
    case.line(number(1), local(5, 10), 12_000, "hung:overlap", at="")
    case.both(number(2), local(5, 11), 60)
    case.line(number(3), local(7, 10), 12_000, "invoice-only:unknown")
    yield case.expect(summary__findings=1, summary__questions=1, summary__asked="24000000000")

    case = Case("question-within-a-hole").log().base(4, first=2, last=4)
    for at in range(4):
        case.line(number(100 + at), local(10 + at), 60, "not-covered:hole")
    case.line(number(1), local(14), 60, "invoice-only:unknown")  # the hole needs it, and hides it not
    case.both(number(30), local(20), 33)
    yield case.expect(summary__questions=1, summary__asked="120000000", summary__uncompared=4)

    case = Case("question-late").log().base(first=-3)
    case.line(number(1), local(-1), 60, "invoice-only:unknown")
    yield case


def _padded() -> Iterator[Case]:
    """Bills that somebody has padded with calls to a premium number."""
    case = Case("padded-with-premium-calls").log().base()
    for at in range(12):
        case.line(
            "+353153000001", local(3 + 2 * at, 3, 10 + at), 600, "invoice-only:unknown", amount=9_990_000_000
        )
    yield case.expect(summary__questions=12, summary__asked="119880000000", summary__findings=0)

    case = Case("padded-in-one-night").log().base()
    for at in range(9):  # so many in a row look like a hole in the log
        case.line("+353153000001", local(12, 3, 5 * at), 240, "invoice-only:unknown", amount=4_000_000_000)
    yield case.expect(summary__questions=9, summary__asked="36000000000", summary__uncompared=0)

    case = Case("padded-where-the-phone-calls-too").log().base()
    for at in range(3):
        case.line(number(103), local(10 + at, 3), 600, "invoice-only:absent", confidence=90)
    yield case.expect(summary__questions=0, summary__findings=3)

    case = Case("padded-with-copies").log().base()
    for at in range(4):
        case.line(
            "+353153000001", local(8, 3), 600, "duplicate:same" if at else "invoice-only:unknown", stake=None
        )
    yield case.expect(summary__questions=1, summary__findings=3, summary__stake="3600000000")


def _sums() -> Iterator[Case]:
    case = Case("what-could-not-be-compared").log(exported=local(28)).base(first=4)
    case.line("", local(31), 1, "not-comparable:service", service=32, amount=20_000_000_000)  # a fee
    case.line("", local(31), 1, "not-comparable:service", service=34, amount=-5_000_000_000)  # a discount
    case.line("", local(31), 9_999, "not-comparable:service", service=6, amount=0)
    case.line(number(100), local(9), 40, "not-comparable:correction", corrects="0x" + "ab" * 32, amount=7)
    case.line(number(100), local(9), 40, "not-comparable:correction", corrects="0x" + "ac" * 32, amount=-7)
    case.line(number(101), local(9), 60, "not-comparable:forwarded", service=3, amount=300)
    case.line(number(101), local(29), 60, "not-covered:outside", amount=1_000)
    case.line(number(101), local(30), 60, "not-covered:outside", amount=0)
    case.message(number(101), local(12), "not-covered:outside", corrects=ZERO)
    case.line(number(102), local(-2), 60, "late:uncovered", amount=50)
    case.line(number(103), local(1, 0) - 60, 60, "late:uncovered", amount=-50)
    yield case.expect(
        summary__findings=0,
        summary__questions=0,
        summary__asked="0",
        summary__uncompared=6,
        summary__unchecked=str(20_000_000_000 + 7 + 300 + 1_000 + 90_000_000 + 50),
    )


def _minimum_charges() -> Iterator[Case]:
    """Rates that charge for two minutes and more however short the call."""
    for first, step in ((120, 1), (120, 60), (180, 60), (300, 60)):
        case = Case(f"minimum-charge-{first}-{step}").log().base()
        for at, usage in enumerate((5, 44, 61, 119, 130, 185, 299, 333, 612)):
            billed = first + step * max(0, -(-(usage - first) // step))
            case.both(number(1 + at), local(4 + at, 15), usage, billed=billed, rate="minimum")
        case.both(
            number(50), local(20), 30, "longer:rounding", billed=first + 60, rate="minimum", confidence=80
        )
        yield case.expect(summary__findings=1)

    case = Case("minimum-charge-of-another-rate").log().base()
    for at in range(6):
        case.both(number(1 + at), local(5 + at), 30 + 9 * at, billed=60 if at < 4 else 120, rate=RATE)
    case.both(number(20), local(15), 20, "longer:rounding", billed=120, rate=RATE, stake=120_000_000)
    yield case
