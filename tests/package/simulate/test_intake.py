"""The way back: intake reads every simulated file with the mapping beside it, and the sums hold."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pyarrow as pa
import pytest

from billproof.intake import read
from billproof.records import NANO, SCHEMA, Service
from billproof.simulate import FORMATS, simulate
from billproof.simulate.formats.rated_csv import CODES

#: The two hours, in UTC seconds, that clocks in Dublin both show as 01:00 to 02:00 on 25 October 2026.
REPEATED = range(1_792_886_400, 1_792_893_600)


def records(out, file, period):
    chunks = list(read(out / file.path, file.format, period=period, mapping=out / file.mapping))
    table = pa.Table.from_batches([chunk.records for chunk in chunks], SCHEMA)
    rejects = [row for chunk in chunks for row in chunk.rejects.to_pylist()]
    return table, rejects, sum(chunk.rows for chunk in chunks), sum(chunk.other_periods for chunk in chunks)


@pytest.mark.parametrize("name", FORMATS)
def test_every_row_is_a_record_with_the_same_amount(everything, read_rows, name):
    for operator in everything.operators:
        for file in operator.in_format(name):
            table, rejects, rows, others = records(everything.out, file, everything.period)
            assert rejects == []
            assert others == 0
            assert table.num_rows == rows == file.records
            assert sum(table["amount"].to_pylist()) == file.amount
            assert set(table["currency"].to_pylist()) == {"EUR"}
            for got, row in zip(table.to_pylist(), read_rows(everything.out / file.path, name), strict=True):
                assert got["account"] == row.account
                assert CODES[Service(got["service"])] == row.kind
                assert (got["usage"], got["billed_usage"]) == (row.usage, row.billed)
                assert got["number"] == row.number
                assert Decimal(got["amount"]) / NANO == row.amount
                local = got["started_at"] + got["utc_offset"] * 60
                assert local == int((row.local - type(row.local)(1970, 1, 1)).total_seconds())
                assert got["rate"]


@pytest.mark.parametrize("name", ["ipdr-csv", "ipdr-xml", "csv"])
def test_formats_with_an_offset_tell_the_repeated_hour_apart(tmp_path, name):
    """Traffic of both passes must come back with the offset of its own."""
    simulation = simulate(
        tmp_path, operators=1, subscribers=900, period=202610, seed=6, formats=[name],
        records_per_subscriber=120,
    )  # fmt: skip
    (file,) = simulation.operators[0].files
    table, rejects, _, _ = records(tmp_path, file, 202610)
    assert rejects == []
    hours = Counter()
    for at, offset in zip(table["started_at"].to_pylist(), table["utc_offset"].to_pylist(), strict=True):
        if at in REPEATED:
            hours[offset] += 1
    assert hours[60] > 0
    assert hours[0] > 0


@pytest.fixture(scope="module")
def blemished(tmp_path_factory):
    return simulate(
        tmp_path_factory.mktemp("blemished"), operators=2, subscribers=50, period=202510, seed=21,
        formats=list(FORMATS), rejects=72, other_periods=50,
    )  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_blemishes_are_found_line_by_line(blemished, name):
    for operator in blemished.operators:
        for file in operator.in_format(name):
            table, rejects, rows, others = records(blemished.out, file, blemished.period)
            known = [note for note in blemished.blemishes if note.file == file.path and note.field]
            assert {(row["line"], row["field"]) for row in rejects} == {
                (note.line, note.field) for note in known
            }
            assert len(rejects) == file.rejects > 0
            assert others == file.other_periods > 0
            assert table.num_rows == file.records
            assert rows == file.rows == table.num_rows + len(rejects) + others
            assert sum(table["amount"].to_pylist()) == file.amount
            assert {row["source"] for row in rejects} == {file.path.rsplit("/", 1)[1]}
