"""What the local engine refuses, a cluster's refuses in the same words and leaves as little behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from engines import MAPPING, InProcess, Runs, rows_of, text_of

from billproof.billing_run import Control, Input
from billproof.errors import BillproofError, DifferenceError, InputError
from billproof.grouping import part_of
from billproof.spark import engine as module
from billproof.spark.engine import SparkEngine
from billproof.spark.files import File
from billproof.spark.pieces import read_part, write_piece
from billproof.spark.tasks import Reading

ENGINE = SparkEngine(slice_bytes=700, part_bytes=2000)


@pytest.fixture
def month(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_text(text_of(rows_of(100, 1)))
    return tmp_path


def refusal(call: Callable[[], Any]) -> BillproofError:
    with pytest.raises(BillproofError) as caught:
        call()
    return caught.value


def missing(home: Path) -> dict[str, Any]:
    return {"files": [home / "a.csv", home / "none.csv"]}


def empty(home: Path) -> dict[str, Any]:
    (home / "b.csv").write_text("")
    return {"files": [home / "a.csv", home / "b.csv"]}


def column(home: Path) -> dict[str, Any]:
    (home / "own.toml").write_text(MAPPING.replace('"amount"', '"price"'))
    return {"files": [home / "a.csv"], "mapping": home / "own.toml"}


def mapping(home: Path) -> dict[str, Any]:
    (home / "own.toml").write_text("[acount]")
    return {"files": [home / "a.csv"], "mapping": home / "own.toml"}


def same_name(home: Path) -> dict[str, Any]:
    (home / "other").mkdir()
    (home / "other/a.csv").write_text(text_of(rows_of(9, 2)))
    return {"files": [home / "a.csv", home / "other/a.csv"]}


def same_content(home: Path) -> dict[str, Any]:
    (home / "b.csv").write_bytes((home / "a.csv").read_bytes())
    return {"files": [home / "a.csv", home / "b.csv"]}


def damaged(home: Path) -> dict[str, Any]:
    (home / "b.csv.gz").write_bytes(b"\x1f\x8b\x08" + bytes(50))
    return {"files": [home / "a.csv", home / "b.csv.gz"]}


def not_parquet(home: Path) -> dict[str, Any]:
    return {"files": [home / "a.csv"], "form": "parquet"}


def overflow(home: Path) -> dict[str, Any]:
    rows = rows_of(100, 1)
    for row in rows:
        row[0], row[5] = "A1", "9000000000"
    (home / "a.csv").write_text(text_of(rows))
    return {"files": [home / "a.csv"]}


def count(home: Path) -> dict[str, Any]:
    return {"files": [home / "a.csv"], "control": Control(count=99)}


def total(home: Path) -> dict[str, Any]:
    return {"files": [home / "a.csv"], "control": Control(totals={"EUR": Decimal(1)})}


def period(home: Path) -> dict[str, Any]:
    return {"files": [home / "a.csv"], "period": 202601}


def amendment(home: Path) -> dict[str, Any]:
    return {"files": [home / "a.csv"], "amends": 1, "sequence": 2, "store": home / "amended"}


def nothing(home: Path) -> dict[str, Any]:
    return {"files": []}


@pytest.mark.parametrize(
    "case",
    [
        *(missing, empty, column, mapping, same_name, same_content, damaged, not_parquet, overflow),
        *(count, total, period, amendment, nothing),
    ],
)
def test_the_words_are_the_same(
    case: Callable[[Path], dict[str, Any]], month: Path, run: Runs, inside: InProcess
) -> None:
    given = case(month)
    if case is amendment:
        run([month / "a.csv"], store=month / "amended")
    local = refusal(lambda: run(**given))
    spread = refusal(lambda: run(**given, engine=ENGINE))
    assert type(spread) is type(local)
    assert str(spread) == str(local)
    assert vars(spread).keys() == vars(local).keys()
    assert case in (amendment, overflow) or not (month / "secrets").exists()
    assert not list(month.glob("store-*")), "nothing is left"


def test_a_file_that_changes_meanwhile(month: Path, run: Runs, inside: InProcess) -> None:
    calls = inside.run

    def late(work: Any, items: Any) -> Any:
        found = calls(work, items)
        if isinstance(work, Reading):
            with (month / "a.csv").open("a") as stream:
                stream.write("late\n")
        return found

    inside.run = late  # type: ignore[method-assign]
    with pytest.raises(InputError, match=r"a\.csv: was changed while it was read"):
        run([month / "a.csv"], ENGINE)
    assert not (month / "store").exists()


def test_files_that_another_batch_has(month: Path, run: Runs, inside: InProcess) -> None:
    run([month / "a.csv"], ENGINE, store=month / "store")
    with pytest.raises(InputError, match="its records are in the batch"):
        run([month / "a.csv"], ENGINE, store=month / "store")


def test_a_dry_run_writes_nothing(month: Path, run: Runs, inside: InProcess) -> None:
    result = run([month / "a.csv"], ENGINE, dry_run=True)
    assert (result.committed, result.root) == (100, None)
    assert not list(month.glob("store-*"))
    assert not (month / "secrets").exists()


def test_control_totals_that_are_met(month: Path, run: Runs, inside: InProcess) -> None:
    local = run([month / "a.csv"])
    control = Control(100, {name: Decimal(total) / 10**9 for name, total in local.totals.items()})
    assert run([month / "a.csv"], ENGINE, control=control).root == local.root


def test_scratch_files_are_gone_and_held_no_secret(
    month: Path, run: Runs, inside: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []
    table = module._table

    def look(*given: Any) -> Any:
        scratch = next((month / "scratch").iterdir())
        assert scratch.stat().st_mode & 0o077 == 0
        seen.extend(path.read_bytes() for path in scratch.iterdir())
        return table(*given)

    monkeypatch.setattr(module, "_table", look)
    (month / "scratch").mkdir()
    result = run([month / "a.csv"], SparkEngine(scratch=str(month / "scratch")))
    secret = next((month / "secrets").rglob("*.secret")).read_bytes()
    assert seen
    assert not any(secret in content for content in seen)
    assert not list((month / "scratch").iterdir())
    assert result.root == run([month / "a.csv"]).root


def test_a_batch_whose_secret_is_gone_says_so(month: Path, run: Runs, inside: InProcess) -> None:
    from billproof.secret_store import SecretStore

    result = run([month / "a.csv"])
    vault = SecretStore(month / "secrets", 1)
    vault.keep_opening_keys(result.id, result.stored.entries["account"].combine_chunks())
    with pytest.raises(InputError, match="its secret is gone"):
        run([month / "a.csv"], ENGINE)
    assert run([month / "a.csv"]).root == result.root


def test_files_by_uri_and_whole_directories(month: Path, run: Runs, inside: InProcess) -> None:
    days = month / "days"
    days.mkdir()
    for at in range(3):
        (days / f"{at}.csv").write_text(text_of(rows_of(30, at)))
    (days / "_SUCCESS").write_text("")
    (days / ".1.csv.crc").write_text("")
    local = run(sorted(days.glob("?.csv")))
    spread = run([], ENGINE, inputs=[Input("csv", [], month / "map.toml", [days.as_uri()])])
    assert spread.root == local.root
    with pytest.raises(InputError, match="is on another file system"):
        run([], inputs=[Input("csv", [], month / "map.toml", ["s3://bucket/a.csv"])])


def test_a_uri_of_no_file_system(run: Runs, inside: InProcess, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gopher://a/b\.csv: cannot be reached"):
        run([], ENGINE, inputs=[Input("csv", [], tmp_path / "map.toml", ["gopher://a/b.csv"])])


def test_pieces_keep_order_and_part(tmp_path: Path, make_records: Any) -> None:
    rows = make_records([{"account": f"A{at % 7}", "amount": at} for at in range(100)])
    batches = rows.to_batches(max_chunksize=30)
    piece = write_piece(File.named(tmp_path / "piece"), "cdr.csv", batches, 4)
    found = [read_part([piece, piece], part, 4).to_pylist() for part in range(4)]
    for part, records in enumerate(found):
        places = part_of(rows["account"].combine_chunks(), 4)
        expected = [row for row, place in zip(rows.to_pylist(), places, strict=True) if place == part]
        assert records == expected * 2
    assert os.path.getsize(tmp_path / "piece") == piece.size


def test_difference_errors_stay_what_they_are(month: Path, run: Runs, inside: InProcess) -> None:
    with pytest.raises(DifferenceError, match="control count is 1"):
        run([month / "a.csv"], ENGINE, control=Control(count=1))
