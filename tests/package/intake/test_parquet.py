"""Parquet files through the same mapping as text: typed columns, text columns, and what is refused."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from billproof.errors import InputError
from billproof.intake import parquet, read_chunks
from billproof.intake.rows import CUT, RAW_KEPT

START = dt.datetime(2026, 11, 5, 10, 0, 7, 250000)
COLUMNS: dict[str, list[Any]] = {
    "acc": ["A1", "A2", "A1"],
    "kind": ["call", "sms", "data"],
    "at": ["2026-11-05T10:00:07", "2026-11-05T10:00:07", "2026-11-05T10:00:07"],
    "use": ["60", "1", "9007199254740993"],
    "who": ["+353861234567", "", "intern et"],
    "price": ["0.25", "-12", "0.000000001"],
}
ReadAll = Callable[..., Any]


@pytest.fixture
def read(tmp_path: Path, plain: str, read_all: ReadAll) -> Callable[..., Any]:
    """Writes the columns to a file, those given by name in place of the texts above, and reads it."""

    def written(mapping: str = plain, **columns: pa.Array) -> Any:
        table = pa.table({name: columns.get(name, pa.array(texts)) for name, texts in COLUMNS.items()})
        pq.write_table(table, tmp_path / "calls.parquet", row_group_size=2)
        (tmp_path / "mapping.toml").write_text(mapping)
        return read_all(tmp_path / "calls.parquet", "parquet", 202611, tmp_path / "mapping.toml")

    return written


def test_text_columns_are_read_as_from_text(read: Any, run: Any) -> None:
    rows = zip(*COLUMNS.values(), strict=True)
    text = ",".join(COLUMNS) + "\n" + "".join(",".join(row) + "\n" for row in rows)
    as_text, as_parquet = run(text), read()
    for record in as_text.records:
        del record["source"], record["line"]
    lines = [record.pop("line") for record in as_parquet.records]
    assert lines == [1, 2, 3]
    assert {record.pop("source") for record in as_parquet.records} == {"calls.parquet"}
    assert as_parquet.records == as_text.records


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("acc", pa.array(["A1", "A2", "A1"]).dictionary_encode()),
        ("acc", pa.array(["A1", "A2", "A1"], pa.large_string())),
        ("acc", pa.array(["A1", "A2", "A1"], pa.string_view())),
        ("use", pa.array([60, 1, 9007199254740993], pa.int64())),
        ("use", pa.array([60, 1, 9007199254740993], pa.uint64())),
        ("use", pa.array([60, 1, 9007199254740993], pa.decimal128(18, 0))),
        ("price", pa.array([Decimal("0.25"), Decimal(-12), Decimal("0.000000001")], pa.decimal128(18, 9))),
        ("price", pa.array([Decimal("0.25"), Decimal(-12), Decimal("0.000000001")], pa.decimal256(40, 9))),
        ("at", pa.array([START] * 3, pa.timestamp("s"))),
        ("at", pa.array([START] * 3, pa.timestamp("ms"))),
        ("at", pa.array([START] * 3, pa.timestamp("us"))),
        ("at", pa.array([START] * 3, pa.timestamp("ns"))),
        ("at", pa.array([START] * 3, pa.timestamp("us", "UTC"))),
        ("who", pa.array(["+353861234567", None, "intern et"])),
    ],
)
def test_typed_columns_mean_the_same_as_text(read: Any, column: str, values: pa.Array) -> None:
    assert read(**{column: values}).records == read().records


def test_timestamps_with_a_zone_are_that_moment(read: Any) -> None:
    there = pa.array([START] * 3).cast(pa.timestamp("us")).cast(pa.timestamp("us", "Asia/Tokyo"))
    assert read(at=there).records == read().records, "Arrow keeps UTC beside the zone's name"


def test_dates_and_times_may_stand_in_two_columns(read: Any, plain: str) -> None:
    mapping = plain.replace('column = "at"', 'column = ["at", "who"]')
    parts = {"at": pa.array([START.date()] * 3), "who": pa.array([START.time()] * 3, pa.time64("us"))}
    found = read(mapping, **parts).column("started_at")
    assert found == read().column("started_at")


def test_fractions_in_floating_point_are_never_rounded(read: Any) -> None:
    found = read(price=pa.array([0.25, 0.1 + 0.2, 1e-10]))
    assert found.column("amount") == [250_000_000]
    assert found.reasons == [
        (2, "amount", "has more than nine decimals"),
        (3, "amount", "is not a decimal number"),
    ]


def test_rejects_name_their_row_and_hold_its_text(read: Any) -> None:
    found = read(price=pa.array(["0.25", "ten", "0.1"]))
    assert found.reasons == [(2, "amount", "is not a decimal number")]
    assert found.rejects[0]["raw"] == (
        '{"acc": "A2", "at": "2026-11-05T10:00:07", "kind": "sms", "price": "ten", "use": "1", "who": ""}'
    )


def test_bytes_that_are_not_text_cost_their_row(read: Any) -> None:
    broken = pa.array([b"A1", b"\xff\xfe", b"A1"]).view(pa.string())
    found = read(acc=broken)
    assert found.column("account") == ["A1", "A1"]
    assert found.column("line") == [1, 3]
    assert found.reasons == [(2, "row", "is not valid text: Parquet holds UTF-8")]


def test_blanks_are_stripped_on_demand(read: Any, plain: str) -> None:
    padded = pa.array([" A1", "A2\t", "A1 "])
    assert read("[file]\nstrip = true\n" + plain, acc=padded).column("account") == ["A1", "A2", "A1"]


@pytest.mark.parametrize(
    "values",
    [pa.array([b"1"] * 3), pa.array([[1]] * 3), pa.array([{"a": 1}] * 3), pa.array([START - START] * 3)],
)
def test_columns_without_a_text_are_refused(read: Any, values: pa.Array) -> None:
    with pytest.raises(InputError, match=r"calls\.parquet:acc: the column is of type .*, which has no text"):
        read(acc=values)


def test_a_missing_column_is_named(read: Any, plain: str) -> None:
    with pytest.raises(InputError, match=r"calls\.parquet:msisdn: .* is not in the file \(acc, kind, at"):
        read(plain.replace('"acc"', '"msisdn"'))


@pytest.mark.parametrize("content", [b"", b"acc,kind\n", b"PAR1", b"PAR1" + b"x" * 5000 + b"PAR1"])
def test_what_is_no_parquet_file_is_said(
    content: bytes, tmp_path: Path, plain: str, read_all: ReadAll
) -> None:
    (tmp_path / "x.parquet").write_bytes(content)
    (tmp_path / "m.toml").write_text(plain)
    with pytest.raises(InputError, match=r"x\.parquet: is (not a Parquet file|empty|damaged)"):
        read_all(tmp_path / "x.parquet", "parquet", 202611, tmp_path / "m.toml")


def test_every_damaged_byte_is_an_error_or_harmless(
    read: Any, tmp_path: Path, plain: str, read_all: ReadAll
) -> None:
    read()
    file = tmp_path / "calls.parquet"
    whole = file.read_bytes()
    for at in range(4, len(whole), max(1, len(whole) // 300)):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            read_all(file, "parquet", 202611, tmp_path / "mapping.toml")
        except InputError as error:
            assert "calls.parquet" in str(error)  # noqa: PT017 - either way is right


@pytest.mark.parametrize("step", ["_texts", "_has_text"])
def test_what_arrow_cannot_turn_into_text_is_an_error_of_the_file(
    read: Any, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*given: Any) -> Any:
        raise pa.ArrowInvalid("offset overflow\nand more")

    monkeypatch.setattr(parquet, step, fail)
    with pytest.raises(InputError, match=r"calls\.parquet: is damaged, .* not supported: offset overflow\n"):
        read()


def test_a_long_row_is_not_kept_whole(read: Any) -> None:
    found = read(price=pa.array(["x" * 100_000, "-12", "y" * 3900]))
    raws = [reject["raw"] for reject in found.rejects]
    assert found.reasons == [(line, "amount", "is not a decimal number") for line in (1, 3)]
    assert [len(raw) for raw in raws] == [RAW_KEPT + len(CUT), len(raws[1])]
    assert raws[0].endswith("xxx" + CUT)
    assert "yyy" in raws[1]


def test_the_digest_is_that_of_the_file(read: Any, tmp_path: Path) -> None:
    read()
    digest, file = hashlib.sha256(), tmp_path / "calls.parquet"
    mapping = tmp_path / "mapping.toml"
    for make in read_chunks(file, "parquet", period=202611, mapping=mapping, digest=digest):
        make()
    assert digest.hexdigest() == hashlib.sha256(file.read_bytes()).hexdigest()
