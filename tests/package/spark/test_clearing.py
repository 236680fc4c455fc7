"""Books in parts on a cluster, without Spark itself: the document of one machine, to the byte."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from clearings import local_document, spread_document
from click.testing import CliRunner
from engines import InProcess
from partner_stores import store_of

from billproof.clearing.agreement.agreement import load_agreement
from billproof.clearing.books.book import Codes, load_book
from billproof.clearing.books.sides import sides_of
from billproof.clearing.clearing import clear
from billproof.clearing.document.document import document
from billproof.clearing.document.listing import Told, write_listing
from billproof.cli.clear import clear as clear_command
from billproof.errors import InputError
from billproof.simulate.partner_files import account_of, write_partner_files
from billproof.simulate.partner_month import PARTNERS, Partner
from billproof.simulate.partners import partner_books
from billproof.spark import clearing as module
from billproof.spark.clearing import SparkClearing, Wanted
from billproof.spark.files import File

_FROM = 1_790_812_800 + 23 * 86_400  # 24 October 2026


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> InProcess:
    cluster = InProcess()
    monkeypatch.setattr(module, "cluster", cluster)
    return cluster


def _written(records: int, seed: int, home: Path) -> tuple[Path, Path, Path]:
    """Books with all errors; some numbers are masked, some differ, and some days are there twice."""
    partners = partner_books(records, seed)
    draw = random.Random(seed)
    for tables in partners.tables:
        for region, table in enumerate(tables):
            at = table.column_names.index("number")
            numbers = table["number"].to_pylist()
            for row in draw.sample(range(table.num_rows), 60):
                numbers[row] = numbers[row] and numbers[row][:-3] + draw.choice(["xxx", "999"])
            tables[region] = table.set_column(at, "number", pa.array(numbers))
    table = partners.tables[1][2]
    late = pc.greater_equal(table["started_at"], _FROM)
    partners.tables[1][2] = pa.concat_tables([table, table.filter(late)])
    return partners.write(home / "books")


@pytest.mark.parametrize("part_records", [10**9, 30_000, 12_000])
def test_the_document_is_that_of_one_machine(part_records: int, inside: InProcess, tmp_path: Path) -> None:
    ours, theirs, agreement = _written(20_000, 5, tmp_path)
    engine = SparkClearing({}, str(tmp_path), part_records, source_records=2_000)
    found = spread_document(engine, ours, theirs, agreement)
    assert found == local_document(ours, theirs, agreement)
    assert b'"from": "2026-10-24"' in found
    assert not list(tmp_path.glob(".spark-*"))


def test_row_groups_are_read_by_tasks_of_their_own(inside: InProcess, tmp_path: Path) -> None:
    ours, theirs, agreement = _written(20_000, 6, tmp_path)
    for file in [*ours.iterdir(), *theirs.iterdir()]:
        pq.write_table(pq.read_table(file), file, row_group_size=1_000)
    engine = SparkClearing({}, str(tmp_path), 10_000, source_records=2_500)
    assert spread_document(engine, ours, theirs, agreement) == local_document(ours, theirs, agreement)
    assert inside.jobs[0] > 12


def test_the_listing_has_every_difference(inside: InProcess, tmp_path: Path) -> None:
    ours, theirs, file = _written(8_000, 7, tmp_path)
    agreement, codes = load_agreement(file), Codes()
    books = [load_book(path, agreement, codes) for path in (ours, theirs)]
    found = clear(books[0], books[1], agreement, codes)
    told = Told.of(document(found, sides_of((books[0], books[1]), agreement, operator=1)))
    write_listing(found, told, str(tmp_path / "whole.csv"))
    engine = SparkClearing({}, str(tmp_path), 4_500)
    with engine.open(Wanted(ours), Wanted(theirs), agreement) as opened:
        opened.clear(agreement).write_listing(File.named(tmp_path / "differences"), told)
    parts = sorted((tmp_path / "differences").iterdir())
    assert [part.name for part in parts] == [f"part-{at:05d}.csv" for at in range(4)]
    header, *whole = (tmp_path / "whole.csv").read_text().splitlines()
    heads, rows = zip(*(part.read_text().split("\n", 1) for part in parts), strict=True)
    assert set(heads) == {header}
    assert sorted("".join(rows).splitlines()) == sorted(whole)
    assert len(whole) > 100


def test_neighbouring_books(inside: InProcess, tmp_path: Path) -> None:
    ours, theirs, agreement = _written(10_000, 8, tmp_path)
    (tmp_path / "near").mkdir()
    late = pq.read_table(ours).sort_by("started_at").slice(9_700)
    pq.write_table(late, tmp_path / "near" / "next.parquet")
    near = [tmp_path / "near"]
    engine = SparkClearing({}, str(tmp_path), 6_000)
    spread = spread_document(engine, ours, theirs, agreement, their_neighbours=near)
    assert spread == local_document(ours, theirs, agreement, their_neighbours=near)
    assert spread != local_document(ours, theirs, agreement)


def test_a_book_without_records_is_refused(inside: InProcess, tmp_path: Path) -> None:
    ours, theirs, agreement = _written(2_000, 9, tmp_path)
    for file in theirs.iterdir():
        pq.write_table(pq.read_table(file).slice(0, 0), file)
    with pytest.raises(InputError, match="no records to compare"):
        spread_document(SparkClearing({}, str(tmp_path)), ours, theirs, agreement)
    assert not list(tmp_path.glob(".spark-*"))


def test_an_error_of_a_task_names_the_book(inside: InProcess, tmp_path: Path) -> None:
    ours, theirs, agreement = _written(2_000, 9, tmp_path)
    for file in theirs.iterdir():
        pq.write_table(pq.read_table(file).drop_columns(["usage"]), file)
    with pytest.raises(InputError, match="has no column 'usage'") as error:
        spread_document(SparkClearing({}, str(tmp_path)), ours, theirs, agreement)
    assert str(theirs) in str(error.value)


def _clear(books: tuple[Path, Path, Path], *more: str) -> Any:
    ours, theirs, agreement = map(str, books)
    known = [ours, theirs, "--agreement", agreement, "--as", "1", "--json"]
    return CliRunner().invoke(clear_command, [*known, *more], standalone_mode=False, catch_exceptions=False)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("service", pa.array([1, 257], pa.int64())),
        ("amount", pa.array([1, (1 << 64) - 100], pa.uint64())),
        ("amount", pa.array([1, 1 << 62], pa.int64())),
        ("usage", pa.array([60, -1], pa.int64())),
        ("billed_usage", pa.array([60, 1 << 53], pa.int64())),
        ("started_at", pa.array([1_790_812_800, -1], pa.int64())),
        ("currency", pa.array(["EUR", None], pa.string())),
        ("number", pa.array([1, 2], pa.int64())),
    ],
)
def test_what_no_book_may_say_is_refused_as_by_one_machine(
    name: str, column: pa.Array, inside: InProcess, tmp_path: Path
) -> None:
    partners = partner_books(1_000, 3)
    ours, theirs, file = partners.write(tmp_path / "books")
    agreement = load_agreement(file)
    last = sorted(theirs.iterdir())[-1]
    table = pq.read_table(last).slice(0, 2)
    pq.write_table(table.set_column(table.column_names.index(name), name, column), last)
    with pytest.raises(InputError) as alone:
        load_book(theirs, agreement, Codes())
    engine = SparkClearing({}, str(tmp_path), 1_000)
    with pytest.raises(InputError) as spread, engine.open(Wanted(ours), Wanted(theirs), agreement):
        pass
    assert str(spread.value) == str(alone.value)
    assert f":{name}: " in str(alone.value)


def test_numbers_without_their_country_are_counted_as_by_one_machine(
    inside: InProcess, tmp_path: Path
) -> None:
    books = _written(4_000, 11, tmp_path)
    for file in books[1].iterdir():
        table = pq.read_table(file)
        at = table.column_names.index("number")
        numbers = [text and text.replace("+", "0", 1) for text in table["number"].to_pylist()]
        pq.write_table(table.set_column(at, "number", pa.array(numbers, pa.string())), file)
    told = [_clear(books, *more).stderr for more in ([], ["--engine", "spark", "--scratch", str(tmp_path)])]
    assert inside.jobs
    assert "numbers of Skylark's book are in national form" in told[0]
    assert told[1] == told[0]


def test_the_command_prints_and_writes_what_one_machine_does(inside: InProcess, tmp_path: Path) -> None:
    books = _written(4_000, 10, tmp_path)
    spark = ["--engine", "spark", "--scratch", str(tmp_path)]
    files = {}
    for engine, words in (("local", []), ("spark", spark)):
        out, report = tmp_path / f"{engine}.json", tmp_path / f"{engine}.html"
        done = _clear(books, *words, "--out", str(out), "--report", str(report))
        assert done.return_value == 1
        files[engine] = done.stdout, out.read_bytes(), report.read_bytes()
    assert inside.jobs
    assert files["spark"] == files["local"]


def test_options_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    books = _written(600, 11, tmp_path)
    with pytest.raises(InputError, match="is for --engine spark"):
        _clear(books, "--scratch", str(tmp_path))
    with pytest.raises(InputError, match="is for --engine spark"):
        _clear(books, "--spark", "spark.master=local[1]")
    with pytest.raises(InputError, match="'oops' is no KEY=VALUE"):
        _clear(books, "--engine", "spark", "--spark", "oops")
    with pytest.raises(InputError, match="is for one machine") as error:
        _clear(books, "--engine", "spark", "--proofs", str(tmp_path / "proofs.jsonl"))
    assert error.value.field == "--proofs"
    assert not list(tmp_path.glob(".spark-*"))


def test_a_listing_does_not_go_over_another(inside: InProcess, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(InputError, match="is there already"):
        File.named(tmp_path / "there").make_directory()


@pytest.mark.parametrize("payer", PARTNERS, ids=["meridian", "skylark"])
def test_batches_in_stores(payer: Partner, inside: InProcess, tmp_path: Path) -> None:
    files = write_partner_files(tmp_path / "files", records=2_000, period=202610, seed=4)
    stores = [store_of(files, partner, tmp_path) for partner in PARTNERS]
    words = [*map(str, stores), "--agreement", str(files.agreement), "--json"]
    words += [
        "--our-account",
        account_of(PARTNERS[0], payer),
        "--their-account",
        account_of(PARTNERS[1], payer),
    ]
    words += ["--payer", "ours" if payer is PARTNERS[0] else "theirs"]

    def told(*more: str) -> str:
        done = CliRunner().invoke(
            clear_command, [*words, *more], standalone_mode=False, catch_exceptions=False
        )
        return str(done.stdout)

    spread = told("--engine", "spark", "--scratch", str(tmp_path))
    assert len(inside.jobs) > 20
    assert spread == told()
