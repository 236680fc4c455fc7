"""Cases of what logs cover, of findings, and of entries that nobody bills."""

from collections.abc import Iterator

from matching_case import HOUR, RATE, Case, local, number


def cases() -> Iterator[Case]:
    yield from _coverage()
    yield from _findings()
    yield from _entries()
    yield from _confirmed()


def _coverage() -> Iterator[Case]:
    case = Case("covered-until-export").log(exported=local(31) - HOUR).base(last=20)
    case.line(number(1), local(29, 12), 60, "invoice-only:unknown")
    yield case

    case = Case("covered-to-the-end-of-the-last-call").log().base(last=20)
    case.both(number(1), local(22), 194)
    case.line(number(1), local(22) + 7, 194, "duplicate:near", at="", confidence=90)
    case.line(number(100), local(22) + 194, 60, "invoice-only:absent")
    case.line(number(100), local(22) + 195, 60, "not-covered:outside")
    case.entry(number(2), local(22) + 60, 900, "unanswered", answered="no")
    yield case

    case = Case("hole").log().base(4, first=2, last=4)
    for at in range(5):
        case.line(number(100 + at % 4), local(10 + at), 60, "not-covered:hole")
    for at in range(4):
        case.both(number(30 + at), local(20 + at), 33)
    for at in range(4):
        case.line(number(30 + at), local(24, 12, at), 60, "invoice-only:absent")
    case.both(number(45), local(24, 18), 33)
    yield case

    case = Case("hole-with-an-entry").log().base(4, first=2, last=4)
    for at in range(6):
        case.line(number(1 + at), local(10 + at), 60, "invoice-only:unknown")
    case.entry(number(20), local(12, 15), 5, "incoming", direction="in")
    case.both(number(30), local(20), 33)
    yield case

    case = Case("messages-and-mms-are-covered-together").log(exported=local(31)).base()
    case.both(number(1), local(10), 1, service=7)
    case.line(number(1), local(5), 1, "invoice-only:absent", service=7)
    case.line(number(101), local(29), 1, "invoice-only:unknown", service=7)
    case.both(number(2), local(3), 1, service=4)
    case.line(number(100), local(2), 1, "not-covered:outside", service=7)
    span = [local(3) - HOUR, local(31)]
    yield case.expect(logs__0__coverage__mms=span, logs__0__coverage__message=span)

    case = _of_strangers("log-of-another-phone")
    for at in range(3):
        case.line(number(1 + at), local(5 + at), 60, "not-covered:foreign", stake=0)
    case.line(number(4), local(29), 60, "not-covered:outside")
    case.message(number(5), local(8), "not-covered:outside")
    case.line(number(3), local(7), 60, "duplicate:same")
    case.line(number(6), local(9), 60, "not-comparable:forwarded", service=3)
    case.line(number(6), local(10), 60, "not-comparable:service", service=32)
    yield case

    case = _of_strangers("log-of-another-phone-neither-near-nor-overlap")
    case.line(number(1), local(5), 500, "not-covered:foreign")
    case.line(number(1), local(5) + 60, 510, "not-covered:foreign")
    case.line(number(2), local(6), 11_000, "not-covered:foreign")
    yield case

    case = _of_strangers("log-of-another-phone-and-hole")
    for at in range(5):
        case.line(number(1 + at), local(10, 10, at), 60, "not-covered:foreign")
    case.line(number(6), local(20), 60, "not-covered:foreign")
    yield case

    case = _of_strangers("two-lines-tell-no-other-phone")
    for at in range(2):
        case.line(number(1 + at), local(5 + at), 60, "invoice-only:unknown")
    case.line(number(3), local(29), 60, "not-covered:outside")  # three lines, but two are covered
    yield case

    case = _of_strangers("one-line-tells-the-phone")
    case.both(number(50), local(4), 60)
    for at in range(3):
        case.line(number(1 + at), local(5 + at), 60, "invoice-only:unknown")
    yield case

    case = Case("kinds-are-covered-apart").log().base()
    case.message(number(1), local(5), "not-covered:outside")
    yield case.expect(logs__0__coverage__message=None)


def _of_strangers(name: str) -> Case:
    """A log of calls with numbers that the bill does not have, on most days of the month."""
    case = Case(name).log()
    for at in range(13):
        case.entry(number(900 + at), local(3 + 2 * at, 15, at), 200 + at, "missing")
    return case


def _findings() -> Iterator[Case]:
    case = Case("invoice-only").log().base()
    case.line(number(105), local(6), 60, "invoice-only:absent", stake=120_000_000, confidence=90)
    yield case.expect(summary__stake="120000000", summary__findings=1, summary__questions=0)

    case = Case("invoice-only-few-entries").log().base(5)
    case.line(number(101), local(5), 60, "invoice-only:absent", confidence=75)
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
    case.both(number(5), local(7, 18), 33)
    case.line(number(103), local(8), 500, "invoice-only:absent")
    case.line(number(103), local(8) + 9, 501, "duplicate:near")
    case.line(number(4), local(8), 500, "invoice-only:unknown")  # as two calls that were deleted look
    case.line(number(4), local(8) + 9, 501, "invoice-only:unknown")
    yield case

    case = Case("duplicate-near-of-the-first-call").log()
    case.line(
        number(1), local(2), 90, "duplicate:near", at="", confidence=90
    )  # a second before the log begins
    case.both(number(1), local(2) + 1, 90)
    case.line(number(2), local(2, 11, 59), 30, "not-covered:outside", at="")  # over before the other began
    case.base(first=3)
    case.both(number(2), local(28, 10, 0), 30)
    case.message(number(3), local(5), "not-covered:outside")
    case.line(number(4), local(29), 60, "not-covered:outside")  # no entry bears out either
    case.line(number(4), local(29) + 5, 60, "not-covered:outside")
    yield case

    case = Case("duplicate-near-before-the-log").log()
    case.line(number(1), local(2), 20, "not-covered:outside", at="")
    case.both(number(1), local(2) + 20, 20)
    case.line(number(2), local(2) - 20, 21, "duplicate:near", at="")
    case.both(number(2), local(2), 21, later=20)
    case.base(first=3)
    yield case

    case = Case("hung").log().base()
    case.both(number(1), local(5), 43_200, "hung:paired", talked=125, stake=86_150_000_000, confidence=95)
    case.both(number(2), local(8), 10_799, "longer:talked", talked=100)
    case.both(number(3), local(11), 12_000, "longer:talked", talked=8_401)
    yield case

    case = Case("hung-overlap").log().base()
    case.line(number(1), local(5, 10), 12_000, "hung:overlap", at="", confidence=85, stake=24_000_000_000)
    case.both(number(2), local(5, 11), 60)
    case.line(number(3), local(7, 10), 12_000, "invoice-only:unknown")
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
    # Stated apart from the package, which has the same list in matching/rounding.py.
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
            (120, 1),
            (120, 60),
            (180, 1),
            (180, 60),
            (240, 60),
            (300, 1),
            (300, 60),
        )
    ):
        for more, usage in enumerate((7, 27, 33, 61, 95, 131, 187, 250, 391)):
            billed = first - step * (-max(0, usage - first) // step)
            case.both(
                number(at * 20 + more),
                local(2 + at, 8 + more),
                usage,
                billed=billed,
                rate=f"{first}/{step}",
            )
        billed = first - step * (-max(0, 95 - first) // step) + 60
        case.both(
            number(at * 20 + 9),
            local(2 + at, 18),
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


def _confirmed() -> Iterator[Case]:
    """Four lines that the phone confirms, 476,000,000 in all, and as many before its log begins."""

    def beside(name: str, *amounts: int) -> Case:
        case = Case(name).log().base(4)
        for at, amount in enumerate(amounts):
            case.line(number(1 + at), local(1, 8 + at), 60, "not-covered:outside", amount=amount)
        return case

    half = 119_000_000
    yield beside("most-is-confirmed-at-half", *[half] * 4).expect(
        summary__confirmed=4, summary__mostConfirmed=True
    )
    yield beside("most-is-not-confirmed-of-the-money", *[half] * 3, half + 1).expect(
        summary__confirmed=4, summary__mostConfirmed=False
    )
    yield beside("most-is-not-confirmed-of-the-lines", *[0] * 5).expect(
        summary__confirmed=4, summary__mostConfirmed=False
    )
    case = beside("most-is-confirmed-whatever-phones-do-not-log", half, -10 * half)
    for at in range(5):
        case.line("", local(5 + at), 0, "not-comparable:service", service=35, amount=10 * half)
    yield case.expect(summary__confirmed=4, summary__mostConfirmed=True)
    case = Case("a-late-line-with-an-entry-is-confirmed").log().base(4)
    case.both(number(40), local(-1), 60, "late:paired", amount=0)
    yield case.expect(summary__confirmed=5, summary__mostConfirmed=True)
