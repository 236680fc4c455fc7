"""Bills laid against phone logs, each with what must become of its lines and entries, stated by hand."""

import random
from collections.abc import Iterator

import matching_cases_findings
import matching_cases_pairs
import matching_cases_questions
from matching_case import HOUR, RATE, Case, local, number


def cases() -> Iterator[Case]:
    yield from _whole_bills()
    yield from _numbers()
    yield from _cycles()
    yield from matching_cases_pairs.cases()
    yield from matching_cases_findings.cases()
    yield from matching_cases_questions.cases()
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
    case.line("+353871299••••", local(7), 60, "invoice-only:unknown")
    case.entry("+353871299123", local(7), 60, "missing")  # a digit shorter than the masked number
    case.line("xxxxxx", local(8), 60, "matched:paired", at="0.15")  # nothing but masks: withheld
    case.entry("+353871299124", local(8), 60)
    yield case

    case = Case("withheld").log().base()
    case.both("", local(5), 60, as_logged="+353861111111", service=2, later=20)
    case.both("+353862222222", local(6), 60, as_logged="", service=2, talked=55)
    case.line("", local(7), 60, "invoice-only:unknown", service=2)  # 61 s are too far for a withheld one
    case.entry("", local(7) + 61, 60, "incoming", direction="in")
    case.line("", local(8), 60, "invoice-only:unknown", service=2)  # 21 s longer: too much
    case.entry("", local(8), 39, "incoming", direction="in")
    case.message("", local(9), "invoice-only:unknown")  # messages are never taken for withheld ones
    case.sent("+353863333333", local(9), "by-app")
    case.sent("+353863333333", local(3), "by-app")
    yield case

    case = Case("other-numbers").log().base()
    case.line("+353871234567", local(5), 60, "invoice-only:unknown", at="")
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
    case.line(number(3), local(1, 0), 60, "invoice-only:unknown")
    yield case

    case = Case("before-the-log-begins").log().base(first=10)
    case.line(number(1), local(3), 60, "not-covered:outside", at="")
    case.line(number(2), local(30), 60, "not-covered:outside")
    yield case

    case = Case("december", period=202612, offset=0).log()
    for at in range(4):
        case.both(number(at), local(63 + at, 23), 50, offset=0)
    yield case.expect(cycle=[local(62, 0), local(93, 0)])


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
