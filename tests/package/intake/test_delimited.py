"""Cutting delimited text into rows, against Python's ``csv``; every way in which a row can be broken."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billproof.errors import InputError
from billproof.intake.delimited import DelimitedReader, Layout
from billproof.intake.rows import MAX_ROW
from billproof.intake.source import raw_blocks
from billproof.intake.splitting import Dialect

NAMES = ("a", "b", "c")
COMMA = Dialect(ord(","), ord('"'), strip=False)

texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=8)
fields = st.one_of(
    texts, st.sampled_from(['"', '""', ",", "\n", "\r\n", "\r", ' "', "", " ", 'a"b', "ü", "😀"])
)
tables = st.lists(st.tuples(fields, fields, fields), max_size=12)


def cells(
    path: Path,
    *,
    dialect: Dialect = COMMA,
    block: int | None = None,
    least: int | None = None,
    encoding: str = "utf-8",
) -> tuple[list[tuple[int, tuple[str, ...]]], list[tuple[int, str]]]:
    """Every row as (line, fields), and every bad one as (line, reason)."""
    layout = Layout(encoding, dialect, 0, NAMES, least)
    rows, bad = [], []
    for part in DelimitedReader(path, layout, frozenset(NAMES), block=block):
        columns = [part.column(name).to_pylist() for name in NAMES]
        rows += list(zip(part.lines.tolist(), zip(*columns, strict=True), strict=True))
        bad += [(row.line, row.reason) for row in part.bad]
    return rows, bad


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bytes], Path]:
    path = tmp_path_factory.mktemp("delimited") / "calls.csv"

    def write(content: bytes) -> Path:
        path.write_bytes(content)
        return path

    return write


@settings(max_examples=150, deadline=None)
@given(tables, st.sampled_from(["\n", "\r\n"]), st.integers(3, 200), st.booleans(), st.booleans())
def test_agrees_with_the_csv_module(
    file: Callable[[bytes], Path],
    table: list[tuple[str, str, str]],
    ending: str,
    block: int,
    cut: bool,
    bom: bool,
) -> None:
    content, wanted = "", []
    for row in table:
        wanted.append((content.count("\n") + 1, row))
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator="\r\n").writerow(row)
        content += out.getvalue().removesuffix("\r\n") + ending
    if cut:
        content = content.removesuffix("\n").removesuffix("\r")
    if not content:
        return
    path = file(("\ufeff" if bom else "").encode() + content.encode())
    assert cells(path, block=block) == (wanted, [])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from(["x", '"', ",", "\n", "ab", '""', "\0", "\xff", "\r\n"]), max_size=10),
        max_size=20,
    )
)
def test_what_is_broken_costs_only_itself(file: Callable[[bytes], Path], mess: list[list[str]]) -> None:
    """Whatever stands between two good rows, unless it opens a quote for them, both are read."""
    for piece in mess:
        middle = "".join(piece).encode("latin-1").replace(b"\n", b"")
        content = b"1,2,3\n" + middle + b'\n4,5,6\n"7","8","9"\n'
        rows, bad = cells(file(content), block=3)
        assert (1, ("1", "2", "3")) in rows
        assert (3, ("4", "5", "6")) in rows
        assert (4, ("7", "8", "9")) in rows
        assert len(rows) + len(bad) == (4 if middle.removesuffix(b"\r") not in (b"", b'""') else 3)


def test_block_boundaries_change_nothing(file: Callable[[bytes], Path]) -> None:
    content = 'ä,"x\ny",z\r\n"""q""",,\n\n"a" b,1,2\nü,ö,"end\n",not\n1,2,3\n"open,1,2\n4,5,6'.encode()
    whole = cells(file(content))
    for block in range(1, len(content) + 1):
        assert cells(file(content), block=block) == whole
    rows, bad = whole
    assert [line for line, _ in rows] == [1, 3, 8, 10]
    assert [line for line, _ in bad] == [5, 6, 9]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"1,2", "2 columns instead of 3"),
        (b"1,2,3,4", "4 columns instead of 3"),
        (b"1,2,\xff", "is not valid text in the file's encoding"),
        (b"1,2,\xc3", "is not valid text in the file's encoding"),
        (b"1,\xed\xa0\x80,3", "is not valid text in the file's encoding"),
        (b"1,\0,3", "holds a NUL byte"),
        (b'1,2"3,3', "a quote stands inside a field, or is never closed"),
        (b'1,"2"3,3', "a quote stands inside a field, or is never closed"),
        (b'1,"2,3', "a quote stands inside a field, or is never closed"),
    ],
)
def test_bad_rows(file: Callable[[bytes], Path], row: bytes, reason: str) -> None:
    rows, bad = cells(file(b"a,b,c\n" + row + b'\nd,e,f\n"g",h,i\n'))
    assert rows == [(1, ("a", "b", "c")), (3, ("d", "e", "f")), (4, ("g", "h", "i"))]
    assert bad == [(2, reason)]


def test_a_quote_that_nothing_closes(file: Callable[[bytes], Path]) -> None:
    rows, bad = cells(file(b'1,2,3\n"4,5,6\n7,8,9\n'))
    assert rows == [(1, ("1", "2", "3")), (3, ("7", "8", "9"))]
    assert bad == [(2, "a quote is opened and never closed")]


def test_many_broken_rows(file: Callable[[bytes], Path]) -> None:
    rows, bad = cells(file(b'1,2,3\n4,"5"x,6\n' * 3000))
    assert (len(rows), len(bad)) == (3000, 3000)
    assert [line for line, _ in bad] == list(range(2, 6001, 2))


@pytest.mark.parametrize("block", [None, 1 << 16])
def test_overlong_rows(file: Callable[[bytes], Path], block: int | None) -> None:
    long = b"x" * (MAX_ROW + 10)
    rows, bad = cells(file(b"1,2,3\n" + long + b"\n4,5,6\n" + long), block=block)
    assert [line for line, _ in rows] == [1, 3]
    assert [line for line, _ in bad] == [2, 4]
    assert all("longer than" in reason for _, reason in bad)


def test_rows_that_may_end_early(file: Callable[[bytes], Path]) -> None:
    rows, bad = cells(file(b"1\n1,2\n1,2,3\n1,2,3,4\n"), least=2)
    assert rows == [(2, ("1", "2", "")), (3, ("1", "2", "3"))]
    assert bad == [(1, "1 columns instead of 2 to 3"), (4, "4 columns instead of 2 to 3")]


def test_blanks_around_fields(file: Callable[[bytes], Path]) -> None:
    strip = Dialect(ord(","), ord('"'), strip=True)
    rows, bad = cells(file(b'  a , b\t,c  \r\n , "x, y" , " z "\n   \n"" , ,\n'), dialect=strip)
    assert rows == [(1, ("a", "b", "c")), (2, ("", "x, y", " z ")), (4, ("", "", ""))]
    assert bad == []


def test_no_quote_character(file: Callable[[bytes], Path]) -> None:
    rows, _ = cells(file(b'1"|"2|""\n'), dialect=Dialect(ord("|"), -1, strip=False))
    assert rows == [(1, ('1"', '"2', '""'))]


def test_code_pages(file: Callable[[bytes], Path]) -> None:
    text = "ž,€,ü\n"
    assert cells(file(text.encode("cp1252")), encoding="cp1252")[0] == [(1, ("ž", "€", "ü"))]
    rows, bad = cells(file(text.encode("cp1252") + b"a,\x81,c\nd,e,f\n"), encoding="cp1252")
    assert [line for line, _ in rows] == [1, 3]
    assert bad == [(2, "is not valid text in the file's encoding")]
    assert cells(file("表,能,ソ\n".encode("shift_jis")), encoding="shift_jis", block=1)[0] == [
        (1, ("表", "能", "ソ"))
    ]


def test_gzip_is_read_as_it_is(file: Callable[[bytes], Path]) -> None:
    assert cells(file(gzip.compress(b"1,2,3\n" * 1000)))[0][-1] == (1000, ("1", "2", "3"))


def test_gzip_that_is_cut_short_or_damaged(file: Callable[[bytes], Path]) -> None:
    packed = gzip.compress(b"".join(b"%d,2,3\n" % row for row in range(5000)))
    for content in (packed[:-20], packed[:50] + b"\0\0" + packed[52:], b"\x1f\x8bnonsense"):
        with pytest.raises(InputError, match="gzip data is damaged or cut short"):
            cells(file(content))


def test_gzip_bomb(file: Callable[[bytes], Path]) -> None:
    with pytest.raises(InputError, match="400-fold"):
        list(raw_blocks(file(gzip.compress(b"1,2,3\n" * 5_000_000, 9))))


def test_unusable_files(file: Callable[[bytes], Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is empty"):
        cells(file(b""))
    with pytest.raises(InputError, match="is empty"):
        cells(file(gzip.compress(b"")))
    with pytest.raises(InputError, match="No such file"):
        cells(tmp_path / "missing.csv")
    with pytest.raises(InputError, match="is a directory"):
        cells(tmp_path)
    with pytest.raises(InputError, match="is UTF-16"):
        cells(file("a,b,c\n".encode("utf-16")))


def test_a_reject_keeps_its_whole_row(file: Callable[[bytes], Path]) -> None:
    long = b"y" * 50_000
    content = b'1,"2"x,' + long + b"\n" + b'1,2"x,' + long + b"\n1,2\n"
    layout = Layout("utf-8", COMMA, 0, NAMES, None)
    bad = [row for part in DelimitedReader(file(content), layout, frozenset(NAMES)) for row in part.bad]
    assert "\n".join(row.raw for row in sorted(bad, key=lambda row: row.line)).encode() + b"\n" == content
