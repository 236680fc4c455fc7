"""A cluster's batch is the local engine's: same root, counts, rejects, lines and refusals."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engines import COLUMNS, MAPPING, rows_of, text_of

from billproof.account_tariffs import AccountTariffs
from billproof.errors import InputError
from billproof.rerating import Pricing
from billproof.spark.engine import SparkEngine

Same = Callable[..., Any]


def test_plain_files(same: Same, tmp_path: Path) -> None:
    for at in range(3):
        (tmp_path / f"{at}.csv").write_text(text_of(rows_of(60, at)))
    result = same([tmp_path / f"{at}.csv" for at in range(3)])
    assert result.committed == 180


def test_rejects_strays_and_other_months(same: Same, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text_of(rows_of(300, 7, faults=0.2)))
    result = same([tmp_path / "a.csv"])
    assert result.rejected > 30
    assert result.other_periods > 30
    assert any("currency" in reason for reason in result.reasons)


@pytest.mark.parametrize("seed", range(4))
def test_line_ends_within_quotes(same: Same, tmp_path: Path, seed: int) -> None:
    (tmp_path / "a.csv").write_text(text_of(rows_of(150, seed, quotes=0.5, faults=0.1)))
    same([tmp_path / "a.csv"], slice_bytes=random.Random(seed).randint(60, 400))


def test_strays_are_found_again_in_their_slices(same: Same, tmp_path: Path) -> None:
    rows = rows_of(150, 8, quotes=0.3, faults=0.1)
    for row in rows[::7]:
        row[6] = "USD"
    (tmp_path / "a.csv").write_text(text_of(rows[:90]))
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(text_of(rows[90:]).encode()))
    result = same([tmp_path / "a.csv", tmp_path / "b.csv.gz"], slice_bytes=300)
    text = (result.stored.path / "rejects.csv").read_text()
    assert (
        text.count(",USD,") >= result.reasons["currency: is not EUR, the currency of the account's statement"]
    )


def test_times_that_occur_twice(same: Same, tmp_path: Path) -> None:
    rows = rows_of(90, 2)
    for row in rows[::3]:
        row[2] = "2026-10-25 01:30:00"
    (tmp_path / "a.csv").write_text(text_of(rows))
    assert same([tmp_path / "a.csv"]).ambiguous == 30


def test_a_row_over_many_slices(same: Same, tmp_path: Path) -> None:
    rows = rows_of(40, 3)
    rows[20][-1] = "line\n" * 400
    (tmp_path / "a.csv").write_text(text_of(rows))
    same([tmp_path / "a.csv"], slice_bytes=300)


def test_quotes_that_match_nothing(same: Same, tmp_path: Path) -> None:
    lines = text_of(rows_of(200, 5, quotes=0.2)).split("\n")
    for at in (30, 31, 90, 150):
        lines[at] += random.Random(at).choice(['"', '"x', ',"', '"\n"'])
    (tmp_path / "a.csv").write_text("\n".join(lines))
    same([tmp_path / "a.csv"], slice_bytes=700)


def test_gzip_beside_plain(same: Same, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text_of(rows_of(100, 1)))
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(text_of(rows_of(100, 2)).encode()))
    same([tmp_path / "a.csv", tmp_path / "b.csv.gz"], slice_bytes=100)


@pytest.mark.parametrize(
    ("before", "after", "settings"),
    [
        ("\ufeff", "", ""),
        ("\n\n", "\n\n", ""),
        ("first\nsecond\n", "", "skip_lines = 2"),
        ('""\n', "", ""),
        ('\ufeff""\r\n\n', "", ""),
        (' \t\n""\n', "", "strip = true"),
        ("", "no line end", ""),
        ("", "\n" * 3000, ""),
    ],
)
def test_what_stands_around_the_rows(
    same: Same, tmp_path: Path, before: str, after: str, settings: str
) -> None:
    (tmp_path / "a.csv").write_text(before + text_of(rows_of(80, 4)) + after)
    (tmp_path / "own.toml").write_text(f"[file]\n{settings}\n{MAPPING}")
    same([tmp_path / "a.csv"], mapping=tmp_path / "own.toml")


def test_a_tariff_for_each_account(same: Same, run: Any, tmp_path: Path) -> None:
    rows = rows_of(200, 6)
    (tmp_path / "a.csv").write_text(text_of(rows))
    names = sorted({row[0] for row in rows})
    for plan in range(3):
        (tmp_path / f"{plan}.toml").write_text(f"plan {plan}")
    listed = "".join(f"{name},{at % 3}.toml\n" for at, name in enumerate(names))
    (tmp_path / "accounts.csv").write_text(f"account,tariff\n{listed}")
    tariffs = AccountTariffs.read(tmp_path / "accounts.csv")
    result = same([tmp_path / "a.csv"], pricing=Pricing(tariffs, "unchecked"))
    assert len(result.stored.tariffs.used) == 3
    with pytest.raises(InputError, match="does not compare lines with their tariffs"):
        run([tmp_path / "a.csv"], SparkEngine(), pricing=Pricing(tariffs))


def test_without_a_header_and_in_a_code_page(same: Same, tmp_path: Path) -> None:
    body = text_of(rows_of(120, 9, quotes=0.1)).partition("\n")[2]
    (tmp_path / "a.csv").write_bytes(body.encode("latin-1"))
    settings = f'[file]\nheader = false\nencoding = "latin-1"\ncolumns = {COLUMNS}\n'
    (tmp_path / "own.toml").write_text(settings + MAPPING)
    same([tmp_path / "a.csv"], mapping=tmp_path / "own.toml", slice_bytes=200)
