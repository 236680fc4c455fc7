"""What no log could tell, in words."""

import pytest

from billproof.bundle.lines import Line
from billproof.matching import asking
from billproof.matching.verdicts import CLASSES, REASONS


def line(party="+353153000001", number=1):
    when, used = "2026-10-05 12:00:00", "1:00 min"
    return Line(number, when, "call to", party, used, used, "1.00 EUR", "premium")


def asked(service=1, number=1, amount=10, elsewhere=False, party="+353153000001"):
    return asking.Asked(line(party, number), service, amount, elsewhere)


def money(amount):
    return f"{amount} EUR"


@pytest.mark.parametrize(
    ("service", "words"), [(1, "never called it"), (2, "never called you"), (4, "never wrote to it")]
)
def test_a_question_names_what_the_subscriber_would_have_done(service, words):
    (question,) = asking.questions([asked(service)])
    assert question.words.startswith("Do you know this number?")
    assert words in question.words


def test_without_a_number_nobody_is_asked_about_one():
    one, other = asking.questions([asked(party=""), asked(party="", number=2)])
    assert one.words == other.words == "Was that yours? If not, the line is wrong."
    assert one.known == "The bill shows no number to look for."


def test_a_number_is_asked_about_once_with_all_its_lines_and_the_dearest_first():
    nine = [asked(number=at, amount=at) for at in range(9, 0, -1)]
    dear = asked(party="+353153000002", number=20, amount=100)
    first, second = asking.questions([*nine, dear])
    assert (first.party, first.amount) == ("+353153000002", 100)
    assert [each.line.number for each in second.lines] == list(range(1, 10))
    assert second.amount == 45
    assert second.words == "Do you know this number? If you never called it, these lines are wrong."
    assert asking.questions_head([first, second], "1.45 EUR") == (
        "2 questions only you can answer (10 lines, 1.45 EUR)"
    )


def test_what_is_said_of_a_number_is_said_of_the_list_that_would_have_it():
    call, message = asking.questions([asked(1), asked(4, number=2, elsewhere=True)])
    assert call.known == "Your list of calls has nothing with this number."
    assert message.known == "Your messages have nothing with this number, though your list of calls does."
    (both,) = asking.questions([asked(1, elsewhere=True), asked(2, number=2)])
    assert both.known == "Your list of calls has nothing with this number, though your messages do."
    assert "If you never called it and it never called you, these lines" in both.words


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
