"""Whatever an agreement says: it is refused with a line, or books can be cleared under it."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from any_books import RECORD, book_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billproof.clearing.agreement.agreement import load_agreement
from billproof.clearing.agreement.building import AgreementError
from billproof.clearing.books.book import Codes
from billproof.clearing.books.sides import sides_of
from billproof.clearing.clearing import clear
from billproof.clearing.document.document import document
from billproof.clearing.document.form import tree_of
from billproof.clearing.document.reading import load_clear
from billproof.errors import InputError
from billproof.records import NANO

_quick = settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
_EDGES = [0, 1, 60, 3600, 7200, 7201, 1 << 31, 1 << 53, (1 << 53) + 1, 10**18 - 1]
_SPOILT = ["", '"', "9" * 20, "-1", "0", "\n", "[", "]]", "{", "=", "[[models]]\n", "e400", "nan"]
_whole = st.sampled_from(_EDGES) | st.integers(0, 10**18 - 1)
_time = st.builds("{} {}".format, _whole, st.sampled_from(["s", "min", "h"]))
_bytes = st.builds("{} {}".format, _whole, st.sampled_from(["B", "kB", "GB", "GiB"]))
_money = st.builds("{}.{:09}".format, _whole, st.integers(0, NANO - 1))
_decimal = st.builds(
    "{}.{:012}".format,
    st.sampled_from([0, 1, 999_999_999]) | st.integers(0, 10**9 - 1),
    st.sampled_from([0, 1, 10**12 - 1]) | st.integers(0, 10**12 - 1),
)
_rate = _decimal | st.builds("{}/{}".format, _decimal, _decimal)


def _text(start: str, usage: str, data: str, amount: str, rate: str, monthly: bool) -> str:
    gbp = f'{{ "2026-10" = "{rate}" }}' if monthly else f'"{rate}"'
    return f"""
schema = "billproof/agreement/1"
name = "any"
valid = {{ from = "2026-01-01", until = "2027-01-01" }}
settlement = "EUR"
[[parties]]
operator = 1
name = "Meridian"
currency = "EUR"
[[parties]]
operator = 2
name = "Skylark"
currency = "GBP"
[exchange]
GBP = {gbp}
[tolerance]
start = "{start}"
usage = "{usage}"
data = "{data}"
amount = "{amount}"
"""


def _tried(make: Callable[[], Any]) -> tuple[Any, InputError | None]:
    """What is made, or why it is refused; nothing else may be raised."""
    try:
        return make(), None
    except InputError as error:
        return None, error


@_quick
@given(
    start=st.just("60 s") | _time, usage=st.just("2 s") | _time, data=st.just("1 kB") | _bytes,
    amount=st.just("0.005") | _money, rate=st.just("1.1834") | _rate, monthly=st.booleans(),
    books=st.tuples(*[st.lists(RECORD, min_size=1, max_size=6)] * 2),
)  # fmt: skip
def test_books_are_cleared_under_any_agreement_that_is_accepted(
    start: str, usage: str, data: str, amount: str, rate: str, monthly: bool, books: tuple, tmp_path: Path
) -> None:
    content = _text(start, usage, data, amount, rate, monthly).encode()
    agreement, refused = _tried(lambda: load_agreement(content, name="any.toml"))
    if refused is not None:
        assert isinstance(refused, AgreementError)
        assert refused.line is not None
        assert refused.advice
        return
    agreement = agreement.in_month("2026-10")
    exchange = agreement.exchange["GBP"]
    assert Fraction(1, 2) / NANO < exchange <= NANO
    assert agreement.tolerance.start <= 7200
    codes = Codes()
    loaded, refused = _tried(
        lambda: [
            book_of(rows, tmp_path, name, agreement, codes) for name, rows in zip("ab", books, strict=True)
        ]
    )
    if refused is not None:
        assert refused.field == "amount"
        assert exchange > 10**6
        return
    both = loaded[0], loaded[1]
    file = document(clear(*both, agreement, codes), sides_of(both, agreement, operator=1, period=202610))
    assert load_clear(json.dumps(tree_of(file)).encode()) == file


@_quick
@given(data=st.data())
def test_no_text_ends_in_an_internal_error(data: st.DataObject) -> None:
    """A sound agreement, some of its characters replaced."""
    text = _text("60 s", "2 s", "1 kB", "0.005", "1.1834", data.draw(st.booleans()))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        more = data.draw(st.sampled_from(_SPOILT) | st.text(max_size=3))
        text = text[:at] + more + text[at + data.draw(st.integers(0, 8)) :]
    _tried(lambda: load_agreement(text.encode(errors="replace")))


@pytest.mark.parametrize(
    ("start", "rate", "field"),
    [("2 h", "1", None), ("7201 s", "1", "tolerance.start"), ("60 s", "1/0.000000001", None),
     ("60 s", "1.000000001/0.000000001", "exchange.GBP"), ("60 s", "0.0000000005", "exchange.GBP"),
     ("60 s", "0.000000000501", None)],
)  # fmt: skip
def test_the_edges_of_what_is_accepted(start: str, rate: str, field: str | None) -> None:
    content = _text(start, "2 s", "1 kB", "0.005", rate, False).encode()
    if field is None:
        load_agreement(content)
        return
    with pytest.raises(AgreementError) as caught:
        load_agreement(content)
    assert caught.value.field == field
