"""The compiled loops against the numpy versions and plain Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

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
SOURCE = Path(scan.__file__).parents[1]
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


def seconds_to_code(texts: list[bytes]) -> float:
    """The quickest of three."""
    window = np.frombuffer(b"".join(texts), np.uint8)
    ends = np.cumsum([len(text) for text in texts])
    spans = np.stack((np.append(0, ends[:-1]), ends), axis=1).astype(np.int32)
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        ((codes, met),) = scan.code(window, spans, np.arange(len(texts)), np.array([0]))
        taken.append(time.perf_counter() - start)
    assert (codes.tolist(), len(met)) == (list(range(len(texts))), len(texts))
    return min(taken)


def test_crafted_texts_are_coded_as_quickly_as_others() -> None:
    """Texts of equal hash, for whoever knows the hash: those of multiplying by a constant, without a key."""
    word, factor = (1 << 64) - 1, 0x9E3779B97F4A7C15
    back = pow(factor, -1, 1 << 64)
    crafted = []
    for at in range(40_000):
        mixed = (0x1234567800000000 + at) * back & word
        crafted.append(((mixed ^ mixed >> 32) * back & word ^ 8).to_bytes(8, "little"))
    assert seconds_to_code(crafted) < 50 * seconds_to_code([os.urandom(8) for _ in range(40_000)])


def test_codes_do_not_depend_on_the_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"{at % 5000}" for at in range(20_000)]
    window = np.frombuffer("\n".join(texts).encode(), np.uint8)
    spans = cut(window, Dialect(COMMA, -1, False), final=True).spans
    found = []
    for keys in (scan._keys, np.array([5, 7, 9])):
        monkeypatch.setattr(scan, "_keys", keys)
        found.append(scan.code(window, spans, np.arange(len(texts)), np.array([0]))[0])
    for ours, theirs in zip(*found, strict=True):
        assert ours.tolist() == theirs.tolist()
    keys = {str(fresh_process("from billproof.intake import scan; print(scan._keys)")) for _ in range(2)}
    assert len(keys) == 2


def fresh_process(script: str, source: Path = SOURCE, **environment: str) -> str:
    given = {**os.environ, "PYTHONPATH": str(source.parent), **environment}
    done = subprocess.run(
        [sys.executable, "-c", script], env=given, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("RETURN, MINUS = 10, 13, 45", "RETURN, MINUS = 10, 12, 45"),
        ("at[code] = field", "at[code] = row"),
        ("719_468", "719_469"),
    ],
)
def test_loops_that_read_wrongly_are_not_used(tmp_path: Path, old: str, new: str) -> None:
    shutil.copytree(SOURCE, tmp_path / "src/billproof", ignore=shutil.ignore_patterns("__pycache__"))
    source = tmp_path / "src/billproof/intake/scan_loops.py"
    text = source.read_text()
    assert text.count(old) == 1
    source.write_text(text.replace(old, new))
    script = """
from billproof.intake import scanner
for _ in range(2):
    try:
        scanner.scanner(scanner.LARGE)
    except Exception as error:
        print(type(error).__name__)
"""
    said = fresh_process(script, tmp_path / "src/billproof", XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert said.split() == ["ScannerFault", "ScannerFault"]


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
