"""The compiled loops against the numpy versions and plain Python."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from billproof.intake import scan, timeformat
from billproof.intake.rows import MAX_ROW
from billproof.intake.splitting import Dialect, cut
from billproof.intake.timeformat import ISO, compile_format, parse_times

COMMA, QUOTE = ord(","), ord('"')
TEXTS = st.text(alphabet='a",\r\n ', max_size=300).map(str.encode)


@settings(max_examples=1000, deadline=None)
@given(TEXTS, st.booleans(), st.sampled_from([QUOTE, -1]))
@example(b'"a', True, QUOTE)
@example(b"a,", True, QUOTE)
@example(b'"a"\r\n"b""c",\n' + b"x" * 70 + b"\n", False, QUOTE)
def test_rows_are_cut_as_numpy_cuts_them(text: bytes, final: bool, quote: int) -> None:
    window, dialect = np.frombuffer(text, np.uint8), Dialect(COMMA, quote, False)
    ours, theirs = scan.cut(window, dialect, final=final), cut(window, dialect, final=final)
    if ours is None:
        assert theirs.fault or len(theirs.spoilt)
        return
    assert not (final and theirs.fault)  # what follows a row that is not complete may be seen later
    assert not len(theirs.spoilt)
    assert ours.spans.tolist() == theirs.spans.tolist()
    for name in ("rows", "first"):
        assert getattr(ours, name).tolist() == getattr(theirs, name).tolist(), name
    assert ours.consumed == theirs.consumed
    done = [place for place in theirs.newlines.tolist() if place < ours.consumed]
    assert [place for place in ours.newlines.tolist() if place < ours.consumed] == done
    assert ours.doubled or not theirs.doubled


def test_what_is_unusual_is_left_to_numpy() -> None:
    for text in (b'a"b\n', b'"a"b\n', b'"a\n', b"x" * (MAX_ROW + 1) + b"\n"):
        assert scan.cut(np.frombuffer(text, np.uint8), Dialect(COMMA, QUOTE, False), final=True) is None
    assert scan.cut(np.frombuffer(b"a\n", np.uint8), Dialect(COMMA, QUOTE, True), final=True) is None


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.text("ab", max_size=40), st.integers(0, 3000).map(str)), min_size=1, max_size=50),
    st.integers(1, 60),
)
def test_texts_are_coded(rows: list[tuple[str, str]], times: int) -> None:
    rows = [(left, f"{right}-{turn % 7}") for turn in range(times) for left, right in rows]
    text = "".join(f"{left},{right}\n" for left, right in rows).encode()
    window = np.frombuffer(text, np.uint8)
    found = cut(window, Dialect(COMMA, -1, False), final=True)
    coded = scan.code(window, found.spans, found.first[:-1], np.array([0, 1]))
    for column, (codes, met) in enumerate(coded):
        distinct = [text[slice(*found.spans[field])].decode() for field in met.tolist()]
        assert len(set(distinct)) == len(distinct)
        assert [distinct[code] for code in codes.tolist()] == [row[column] for row in rows]


def test_many_texts_of_one_beginning_are_coded_quickly() -> None:
    rows = [f"{'9' * 24}{number:08}" for number in range(50_000)]
    window = np.frombuffer("\n".join(rows).encode(), np.uint8)
    found = cut(window, Dialect(COMMA, -1, False), final=True)
    ((codes, met),) = scan.code(window, found.spans, found.first[:-1], np.array([0]))
    assert codes.tolist() == list(range(50_000))
    assert len(met) == 50_000


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([ISO, compile_format("%d/%m/%y %H:%M"), compile_format("%Y%m%d")]),
    st.lists(
        st.one_of(
            st.datetimes().map(lambda moment: moment.isoformat(timespec="seconds")),
            st.datetimes().map(lambda moment: moment.strftime("%d/%m/%y %H:%M")),
            st.datetimes().map(lambda moment: moment.strftime("%Y%m%d")),
            st.from_regex(
                r"[0-2][0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]([+-][01][0-9]:[0-5]0|Z)?",
                fullmatch=True,
            ),
            st.text("0123456789-/: TZ+", max_size=25),
        ),
        min_size=1,
        max_size=30,
    ),
)
def test_times_are_read_as_numpy_reads_them(how: timeformat.TimeFormat, texts: list[str]) -> None:
    read = []
    for loops in (scan, None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(timeformat, "scanner", lambda loops=loops: loops)
            read.append(parse_times(pa.array(texts, pa.string()), how))
    ours, theirs = read
    assert ours.bad.tolist() == theirs.bad.tolist()
    good = ~ours.bad
    for name in ("seconds", "offset", "has_offset"):
        assert getattr(ours, name)[good].tolist() == getattr(theirs, name)[good].tolist(), name
