"""What no log could tell, in words."""

import pytest

from billproof.bundle.lines import Line
from billproof.matching import asking
from billproof.matching.verdicts import CLASSES, REASONS


def line(party="+353153000001"):
    return Line(1, "2026-10-05 12:00:00", "call to", party, "1:00 min", "1:00 min", "1.00 EUR", "premium")


def money(amount):
    return f"{amount} EUR"


@pytest.mark.parametrize(
    ("service", "words"), [(1, "never called it"), (2, "never called you"), (4, "never wrote to it")]
)
def test_a_question_names_what_the_subscriber_would_have_done(service, words):
    asked = asking.question(line(), service)
    assert asked.startswith("Do you know this number?")
    assert words in asked


def test_without_a_number_nobody_is_asked_about_one():
    assert "number" not in asking.question(line(party=""), 1)


def test_reasons_are_told_with_their_number_and_cost_most_lines_first():
    lines = [("service", 32, 20), ("service", 35, 4), ("hole", 1, 3), ("outside", 1, 5), ("outside", 4, 7)]
    assert asking.reasons(lines, {"call"}, money) == [
        "2 are fees, data, taxes and the like, which phones do not log (24 EUR)",
        "1 falls into a gap in your log (3 EUR)",
        "1 is from before your log begins or after it ends (5 EUR)",
        "1 is a message, and your log has none (7 EUR)",
    ]


def test_there_are_words_for_whatever_may_be_uncompared():
    assert {"not-covered", "not-comparable"} <= set(CLASSES)
    apart = ("service", "correction", "forwarded", "outside", "hole", "foreign", "uncovered")
    assert set(apart) <= set(REASONS)
    for reason in apart:
        for count in (1, 2):
            (said,) = asking.reasons([(reason, 1, 1)] * count, {"call", "message", "mms"}, money)
            assert said.startswith(f"{count} ")
            assert ":" not in said


def test_a_log_of_calls_is_asked_for_messages_only_where_the_bill_has_some():
    assert "1 message," in asking.hint([1, 4], {"call"})
    assert "2 messages," in asking.hint([4, 7], {"call"})
    assert asking.hint([1, 2, 32], {"call"}) == ""
    assert asking.hint([4], {"call", "message"}) == ""
    assert asking.hint([4], set()) == ""
