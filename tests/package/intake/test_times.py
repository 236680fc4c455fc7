"""Local times, offsets and zones, against ``datetime`` and ``zoneinfo``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billproof.intake.clock import parse_clock, read_moments
from billproof.intake.keys import Place

ZONES = [
    "Europe/Dublin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo",
    "Africa/Casablanca", "Pacific/Apia", "Asia/Kolkata", "America/St_Johns", "UTC",
]  # fmt: skip

Result = tuple[int, int] | str


def moments(texts: list[str], offsets: list[str] | None = None, **table: object) -> list[Result]:
    """Each text as (UTC seconds, minutes), or the reason for refusing it."""
    columns = {"t": pa.array(texts, pa.string()), "o": pa.array(offsets or [], pa.string())}
    faults: dict[int, str] = {}

    def report(mask: np.ndarray, reason: str) -> None:
        for row in np.flatnonzero(mask).tolist():
            faults.setdefault(row, reason)

    clock = parse_clock({"column": "t", **table}, Place("test.toml"))
    seconds, minutes = read_moments(columns.__getitem__, clock, clock.columns, report, lambda mask: None)
    return [faults.get(row, (int(seconds[row]), int(minutes[row]))) for row in range(len(texts))]


instants = st.datetimes(datetime(1973, 1, 1), datetime(2037, 12, 30))


@settings(deadline=None)
@given(
    st.lists(instants, min_size=1, max_size=20), st.sampled_from(ZONES), st.sampled_from(["first", "second"])
)
def test_local_times_agree_with_zoneinfo(times: list[datetime], zone: str, ambiguous: str) -> None:
    info = ZoneInfo(zone)
    times = [time.replace(microsecond=0) for time in times]
    got = moments([f"{time:%Y-%m-%d %H:%M:%S}" for time in times], zone=zone, ambiguous=ambiguous)
    for time, result in zip(times, got, strict=True):
        aware = time.replace(tzinfo=info, fold=int(ambiguous == "second"))
        back = aware.astimezone(UTC).astimezone(info).replace(tzinfo=None)
        if back != time:
            assert "never happened" in str(result)
        else:
            offset = aware.utcoffset()
            assert offset is not None
            assert result == (int(aware.timestamp()), offset // timedelta(minutes=1))


@settings(deadline=None)
@given(st.lists(st.integers(10**8, 2 * 10**9), min_size=1, max_size=20), st.sampled_from(ZONES))
def test_epochs_take_the_zones_offset(seconds: list[int], zone: str) -> None:
    got = moments([str(value) for value in seconds], format="epoch_s", zone=zone)
    in_ms = moments([f"{value}999" for value in seconds], format="epoch_ms", zone=zone)
    for value, result in zip(seconds, got, strict=True):
        offset = datetime.fromtimestamp(value, ZoneInfo(zone)).utcoffset()
        assert offset is not None
        assert result == (value, offset // timedelta(minutes=1))
    assert in_ms == got


def test_the_hour_that_happens_twice_and_the_one_that_never_does() -> None:
    twice = "2026-10-25 01:30:00"
    zone = "Europe/Dublin"
    assert moments([twice], zone=zone) == [(1792888200, 60)]
    assert moments([twice], zone=zone, ambiguous="second") == [(1792891800, 0)]
    assert moments([twice], zone=zone, ambiguous="reject") == [
        "happened twice in Europe/Dublin: clocks went back over it"
    ]
    edges = ["2026-03-29 00:59:59", "2026-03-29 01:00:00", "2026-03-29 01:59:59", "2026-03-29 02:00:00"]
    before, gap, still_gap, after = moments(edges, zone=zone)
    assert (before, after) == ((1774745999, 0), (1774746000, 60))
    assert "never happened" in str(gap)
    assert "never happened" in str(still_gap)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("2026-11-22T20:49:00", (1795380540, 0)),
        ("2026-11-22 20:49", (1795380540, 0)),
        ("2026-11-22", (1795305600, 0)),
        ("2026-11-22T20:49:00.987Z", (1795380540, 0)),
        ("2026-11-22T20:49:00,5+01:00", (1795376940, 60)),
        ("2026-11-22 20:49:00 -0330", (1795393140, -210)),
        ("2026-11-22T20:49:00+02", (1795373340, 120)),
    ],
)
def test_iso(text: str, result: tuple[int, int]) -> None:
    assert moments([text]) == [result]


@pytest.mark.parametrize(
    "text",
    ["", "2026-02-29T00:00:00", "2026-13-01T00:00:00", "2026-00-10", "2026-11-31", "2026-11-22T24:00:00",
     "2026-11-22T20:60:00", "2026-11-22T20:49:60", "2026-11-22X20:49:00", "2026-11-22T20:49:00Zjunk",
     "0000-00-00 00:00:00", "22.11.2026", "2026-11-2٢T20:49:00", "١٢٣٤", "1795380540"],
)  # fmt: skip
def test_no_time(text: str) -> None:
    assert moments([text]) == ["is not a time in the format of the mapping"]


@pytest.mark.parametrize("text", ["1969-12-31T23:59:59Z", "0999-01-01", "9999-12-31T23:59:59-01:00"])
def test_out_of_range(text: str) -> None:
    assert moments([text]) == ["is outside the years 1970 to 9999"]


@pytest.mark.parametrize(
    ("pattern", "text", "iso"),
    [
        ("%d-%m-%Y %H:%M", "15-10-2014 6:58", "2014-10-15T06:58"),
        ("%d.%m.%y %H:%M:%S", "01.02.69 03:04:05", "1969-02-01T03:04:05"),
        ("%d.%m.%y %H:%M:%S", "1.2.68 3:4:5", "2068-02-01T03:04:05"),
        ("%b %d %Y %I:%M:%S %p", "Nov 3 2026 12:00:01 am", "2026-11-03T00:00:01"),
        ("%b %d %Y %I:%M:%S %p", "NOV 03 2026 12:00:01 P.M.", "2026-11-03T12:00:01"),
        ("%Y%j%H%M%S", "2024366235959", "2024-12-31T23:59:59"),
        ("%Y%m%d%H%M%S", "20240229000000", "2024-02-29T00:00:00"),
        ("%Y-%m-%d %H:%M:%S.%f", "2026-11-03 01:02:03.999999", "2026-11-03T01:02:03"),
        ("%d/%m/%Y %H.%M %% Uhr", "03/11/2026 01.02 % Uhr", "2026-11-03T01:02"),
        ("%Y年%m月%d日", "2026年11月03日", "2026-11-03T00:00"),
    ],
)
def test_patterns(pattern: str, text: str, iso: str) -> None:
    wanted = int(datetime.fromisoformat(iso).replace(tzinfo=UTC).timestamp())
    (got,) = moments([text], format=pattern)
    assert got == ((wanted, 0) if wanted >= 0 else "is outside the years 1970 to 9999")


@settings(deadline=None)
@given(instants, st.integers(-1080, 1080))
def test_own_offsets(time: datetime, minutes: int) -> None:
    aware = time.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    assert moments([aware.isoformat()]) == [(int(aware.timestamp()), minutes)]
    assert moments([f"{aware:%d.%m.%Y %H:%M:%S %z}"], format="%d.%m.%Y %H:%M:%S %z") == [
        (int(aware.timestamp()), minutes)
    ]


def test_a_stated_zone_says_where_it_was_charged() -> None:
    assert moments(["2026-07-01T12:00:00Z"], zone="Europe/Dublin") == [(1782907200, 60)]
    assert moments(["2026-07-01T12:00:00"], zone="Europe/Dublin", clock="utc") == [(1782907200, 60)]
    assert moments(["2026-07-01T12:00:00"], zone="-04:30") == [(1782923400, -270)]


@pytest.mark.parametrize(
    ("unit", "text", "minutes"),
    [("hours", "-4", -240), ("hours", "5.75", 345), ("minutes", "+330", 330), ("hh:mm", "-0430", -270),
     ("hh:mm", "+05:30", 330), ("hours", "", None), ("hours", "19", None), ("minutes", "0.5", None),
     ("hh:mm", "5:30", None), ("hh:mm", "+05:99", None), ("hours", "x", None)],
)  # fmt: skip
def test_offset_columns(unit: str, text: str, minutes: int | None) -> None:
    utc = moments(["1000000000"], [text], format="epoch_s", offset_column="o", offset_unit=unit)
    local = moments(["2001-09-09T01:46:40"], [text], offset_column="o", offset_unit=unit)
    if minutes is None:
        assert all(isinstance(result, str) for result in utc + local)
    else:
        assert utc == [(1_000_000_000, minutes)]
        assert local == [(1_000_000_000 - minutes * 60, minutes)]


@pytest.mark.parametrize("text", ["", "-5", "1e9", "99999999999999999999", "253402300800", "12:00"])
def test_no_epoch(text: str) -> None:
    (result,) = moments([text], format="epoch_s")
    assert isinstance(result, str)
