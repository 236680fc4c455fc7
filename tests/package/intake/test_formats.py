"""Each format with its preset: published samples, and rows as the switches write them."""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from billproof.intake import FORMATS, load_mapping

Run = Callable[..., Any]

#: The 100 rows that cdr-stats publishes: no header, blanks after commas, 100 callers as 100 accounts,
#: no prices. One row has -6 billed seconds.
CDR_STATS = """
[file]
header = false
strip = true
columns = [
  "caller_id", "caller_name", "destination", "duration", "billsec", "hangup_cause", "uuid", "start",
]
[account]
column = "caller_id"
[service]
value = "voice_originated"
[time]
column = "start"
format = "epoch_s"
[usage]
column = "duration"
[billed_usage]
column = "billsec"
[number]
column = "destination"
[amount]
value = "0"
[currency]
value = "XXX"
"""

ASTERISK = (
    '"acme","5551","0861234567","internal","""Bob, at """"The Fox"""""" <5551>","SIP/5551-1","SIP/trunk-2",'
    '"Dial",'
    '"SIP/trunk/0861234567,30","2026-11-05 10:00:00","2026-11-05 10:00:07","2026-11-05 10:01:07",67,60,'
    '"ANSWERED","DOCUMENTATION"'
)


def test_an_itemised_bill_over_five_months(
    sample: Callable[[str], Path], read_all: Callable[..., Any]
) -> None:
    path = sample("itemised-bill/phone_data.csv")
    months = {201411: 230, 201412: 157, 201501: 205, 201502: 137, 201503: 101}
    services: Counter[int] = Counter()
    total = 0
    for period, count in months.items():
        result = read_all(path, "itemised-bill", period, None)
        assert (len(result.records), result.rejects) == (count, [])
        assert result.other_periods == 830 - count
        services.update(result.column("service"))
        total += sum(result.column("amount"))
        if period == 201411:
            first = result.records[0]
            assert (first["started_at"], first["utc_offset"]) == (1413352680, 60)
            assert (first["usage"], first["amount"], first["line"]) == (34_429_000, 2_090_000_000, 2)
    assert services == {1: 388, 4: 292, 6: 150}
    assert total == 3_395_280_000_000


def test_ipdr_voip_in_csv(sample: Callable[[str], Path], read_all: Callable[..., Any]) -> None:
    path = sample("ipdr/testVOIP.csv")
    result = read_all(path, "ipdr-csv", 200106, None)
    assert (len(result.records), result.rejects, result.other_periods) == (30, [], 0)
    assert result.column("line") == list(range(4, 34))
    assert set(result.column("utc_offset")) == {-240}
    with path.open(newline="", encoding="utf-8") as lines:
        wanted = list(csv.DictReader(itertools.islice(lines, 2, None)))
    assert result.column("usage") == [int(row["endTime"]) - int(row["startTime"]) for row in wanted]
    assert result.column("account") == [row["subscriberID"] for row in wanted]


def test_ipdr_duration_is_end_minus_start(
    sample: Callable[[str], Path], read_all: Callable[..., Any], tmp_path: Path
) -> None:
    mapping = tmp_path / "end.toml"
    mapping.write_text('[usage]\nend = "endTime"\n')
    path = sample("ipdr/testVOIP.csv")
    usage = read_all(path, "ipdr-csv", 200106, mapping).column("usage")
    assert usage == read_all(path, "ipdr-csv", 200106, None).column("usage")


def test_ipdr_streaming_with_prices(
    sample: Callable[[str], Path], read_all: Callable[..., Any], tmp_path: Path
) -> None:
    mapping = tmp_path / "media.toml"
    mapping.write_text(
        """
        [file]
        skip_lines = 2
        [account]
        column = "subscriberID"
        [service]
        value = "content"
        [time]
        column = "startTime"
        format = "epoch_s"
        [usage]
        column = "totalVolume"
        empty = "0"
        [number]
        column = "sourceAddress"
        ipv4 = true
        [amount]
        column = "charge"
        [currency]
        column = "chargeCurrency"
        values = { USD = "USD", pound = "GBP" }
        """
    )
    result = read_all(sample("ipdr/testSM.csv"), "csv", 200006, mapping)
    assert result.rejects == []
    prices = dict(zip(result.column("currency"), result.column("amount"), strict=True))
    assert prices == {"USD": 5_500_000_000, "GBP": 4_796_780_000_000}
    assert result.records[0]["number"] == "192.1.1.13"


def test_voip_switch_without_prices(
    sample: Callable[[str], Path], read_all: Callable[..., Any], tmp_path: Path
) -> None:
    mapping = tmp_path / "cdr-stats.toml"
    mapping.write_text(CDR_STATS)
    result = read_all(sample("voip/cdr-stats_import_cdr_100.txt"), "csv", 201205, mapping)
    assert result.reasons == [(37, "billed_usage", "is negative")]
    assert (len(result.records), result.rows, result.other_periods) == (99, 100, 0)
    assert len(set(result.column("account"))) == 99
    assert result.records[0]["number"] == "650200000"
    assert (result.records[0]["usage"], result.records[0]["billed_usage"]) == (88, 78)
    assert set(result.column("amount")) == {0}


@pytest.mark.parametrize("more", ["", ',"1762336800.1"', ',"1762336800.1",""', ',"u","x","peer","u",7'])
def test_asterisk(run: Run, more: str) -> None:
    zone = '[time]\nzone = "Europe/Warsaw"\n'
    (record,) = run(ASTERISK + more + "\n", zone, "asterisk").records
    assert (record["account"], record["number"], record["usage"]) == ("acme", "0861234567", 60)
    assert (record["started_at"], record["utc_offset"]) == (1793869200, 60)
    assert (record["amount"], record["currency"]) == (0, "XXX")


def test_asterisk_bad_rows(run: Run) -> None:
    unanswered = ASTERISK.replace("ANSWERED", "NO ANSWER").replace('"2026-11-05 10:00:07"', "")
    content = "\n".join((unanswered, ASTERISK.replace('"acme"', '""'), ASTERISK.rpartition(",")[0], ASTERISK))
    result = run(content, None, "asterisk")
    assert result.reasons == [
        (1, "row", "skipped by the mapping: not answered"),
        (2, "account", "is empty (column 'accountcode')"),
        (3, "row", "15 columns instead of 16 to 21"),
    ]
    assert result.column("line") == [4]


def test_asterisk_with_prices(run: Run) -> None:
    mapping = '[amount]\ncolumn = "userfield"\n[currency]\nvalue = "PLN"\n[number]\nregion = "IE"\n'
    (record,) = run(ASTERISK + ',"u","0.1234"\n', mapping, "asterisk").records
    assert (record["amount"], record["currency"], record["number"]) == (123_400_000, "PLN", "+353861234567")


def test_freeswitch(run: Run) -> None:
    row = (
        '"Bob","5551","0861234567","default","2026-11-05 10:00:00","2026-11-05 10:00:05",'
        '"2026-11-05 10:00:26","26","21","NORMAL_CLEARING","u-1","u-2","acme","PCMU","PCMU"\n'
    )
    unanswered = row.replace('"2026-11-05 10:00:05"', '""').replace('"21"', '"0"')
    result = run(row + unanswered, None, "freeswitch")
    (record,) = result.records
    assert (record["account"], record["usage"], record["started_at"]) == ("acme", 21, 1793872800)
    assert result.reasons == [(2, "row", "skipped by the mapping: not answered")]


def test_every_format_is_described() -> None:
    assert list(FORMATS) == [
        *("csv", "asterisk", "freeswitch", "parquet", "ipdr-csv", "ipdr-xml", "itemised-bill")
    ]
    for name, form in FORMATS.items():
        assert form.name == name
        assert form.description
        assert (form.preset is None) == (name in ("csv", "parquet"))
        if form.preset:
            load_mapping(None, preset=form.preset)
    documented = (Path(__file__).parents[3] / "docs" / "formats.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in documented for name in FORMATS)
