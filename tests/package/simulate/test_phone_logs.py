"""Phone logs: readable by anybody, and different from the bill as honest logs are."""

from __future__ import annotations

import csv
import sqlite3
import statistics
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from billproof.errors import InputError
from billproof.simulate import PHONE_FORMATS, Simulation, simulate

ZONE = ZoneInfo("Europe/Dublin")


@dataclass(frozen=True)
class Noted:
    """An entry: UTC seconds, seconds, number as spelt, "out", "in" or "none" for what was not answered."""

    at: float
    duration: int
    number: str
    way: str
    app: bool = False
    sim: str = "1"


def android_xml(path: Path) -> list[Noted]:
    root = ET.parse(path).getroot()  # noqa: S314 - our own files
    assert root.tag == "calls"
    assert int(root.attrib["count"]) == len(root)
    entries = []
    for call in root:
        kind = call.attrib["type"]
        duration = int(call.attrib["duration"])
        way = {"1": "in", "2": "out" if duration else "none"}.get(kind, "none")
        assert kind in "12356"
        app = "com.android.phone" not in call.attrib["subscription_component_name"]
        at = int(call.attrib["date"]) / 1000
        assert (call.attrib["number"] == "") == (call.attrib["presentation"] == "2")
        entries.append(Noted(at, duration, call.attrib["number"], way, app, call.attrib["subscription_id"]))
    return entries


def messages(path: Path) -> list[tuple[float, str, str, int]]:
    """UTC seconds, number, "in" or "out", length."""
    root = ET.parse(path).getroot()  # noqa: S314 - our own files
    assert root.tag == "smses"
    assert int(root.attrib["count"]) == len(root)
    found = []
    for entry in root:
        if entry.tag == "sms":
            way = {"1": "in", "2": "out"}[entry.attrib["type"]]
            size = len(entry.attrib["body"])
        else:
            assert entry.tag == "mms"
            way, size = "mms", 1
        found.append((int(entry.attrib["date"]) / 1000, entry.attrib["address"], way, size))
    return found


def android_csv(path: Path) -> list[Noted]:
    with path.open(encoding="utf-8", newline="") as stream:
        return [
            Noted(
                int(row["date"]) / 1000,
                int(row["duration"]),
                row["number"],
                {"1": "in", "2": "out" if row["duration"] != "0" else "none"}.get(row["type"], "none"),
                "com.android.phone" not in row["subscription_component_name"],
                row["subscription_id"],
            )
            for row in csv.DictReader(stream)
        ]


def iphone(path: Path) -> list[Noted]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert {"ZCALLRECORD", "ZCALLDBPROPERTIES", "Z_METADATA", "Z_PRIMARYKEY"} <= tables
        rows = database.execute(
            "SELECT ZDATE, ZDURATION, ZADDRESS, ZORIGINATED, ZANSWERED, ZCALLTYPE FROM ZCALLRECORD"
        ).fetchall()
    entries = []
    for at, duration, address, originated, answered, kind in rows:
        number = address.decode() if isinstance(address, bytes) else address or ""
        way = "none" if not answered else "out" if originated else "in"
        entries.append(Noted(at + 978307200, round(duration), number, way, kind != 1))
    return entries


_WAYS = {"Outgoing": "out", "Ausgehend": "out", "Sortant": "out", "Incoming": "in", "Eingehend": "in"}
_WAYS["Entrant"] = "in"


def imazing(path: Path) -> list[Noted]:
    head = path.read_text(encoding="utf-8-sig").partition("\n")[0]
    comma = ";" if ";" in head else ","
    pattern = {"Call": "%Y-%m-%d %H:%M:%S", "Anru": "%d.%m.%Y %H:%M:%S", "Type": "%d/%m/%Y %H:%M:%S"}
    entries = []
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.reader(stream, delimiter=comma)
        next(rows)
        for kind, date, length, number, _, _, service in rows:
            at = datetime.strptime(date, pattern[head[:4]]).replace(tzinfo=ZONE).timestamp()
            hours, minutes, seconds = (int(part) for part in length.split(":"))
            duration = hours * 3600 + minutes * 60 + seconds
            entries.append(Noted(at, duration, number, _WAYS.get(kind, "none"), bool(service)))
    return entries


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.title: dict[str, str] = {}
        self.tel = ""
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "abbr":
            self.title[given["class"]] = given["title"]
        if given.get("class") == "tel":
            self.tel = given["href"].removeprefix("tel:")
        if given.get("rel") == "tag":
            self.tags.append(given["href"].rpartition("#")[2])


def google_voice(folder: Path) -> list[Noted]:
    entries = []
    for path in sorted(folder.glob("*.html")):
        page = _Page()
        page.feed(path.read_text(encoding="utf-8"))
        at = datetime.fromisoformat(page.title["published"])
        _, word, name = path.stem.split(" - ")
        assert page.tags == [word.lower()]
        stated = datetime.strptime(name.partition("Z")[0] + "+0000", "%Y-%m-%dT%H_%M_%S%z")
        assert stated.timestamp() == at.timestamp()
        duration = 0
        rest = page.title.get("duration", "PT0S").removeprefix("PT")
        for unit, size in (("H", 3600), ("M", 60), ("S", 1)):
            if unit in rest:
                value, _, rest = rest.partition(unit)
                duration += int(value) * size
        way = "none" if not duration else {"placed": "out", "received": "in"}[page.tags[0]]
        entries.append(Noted(at.timestamp(), duration, page.tel, way))
    return entries


def fritzbox(path: Path) -> list[Noted]:
    with path.open(encoding="utf-8", newline="") as stream:
        assert stream.readline() == "sep=;\n"
        rows = list(csv.DictReader(stream, delimiter=";"))
    entries = []
    for row in rows:
        at = datetime.strptime(row["Datum"], "%d.%m.%y %H:%M").replace(tzinfo=ZONE).timestamp()
        hours, minutes = (int(part) for part in row["Dauer"].split(":"))
        duration = hours * 3600 + minutes * 60
        way = "none" if not duration else {"4": "out", "1": "in"}[row["Typ"]]
        entries.append(Noted(at, duration, row["Rufnummer"], way))
    return entries


READERS = {
    "android-xml": android_xml,
    "android-csv": android_csv,
    "iphone": iphone,
    "imazing": imazing,
    "google-voice": google_voice,
    "fritzbox": fritzbox,
}


def plain(number: str) -> str:
    """E.164 of a number as phones in Ireland spell it."""
    number = number.removeprefix("#31#")
    if number.startswith("00"):
        return "+" + number[2:]
    if number.startswith("0"):
        return "+353" + number[1:]
    return number


GOOD: dict[str, Any] = {"operators": 1, "subscribers": 300, "period": 202610, "seed": 3, "formats": ["csv"]}


def logs_of(simulation: Simulation) -> dict[str, list[Noted]]:
    """Entries of calls by account, of all its logs."""
    found: dict[str, list[Noted]] = defaultdict(list)
    for log in simulation.phone_logs:
        for file in log.files:
            if Path(file).name.startswith("sms-"):
                continue
            found[log.account] += READERS[log.format](simulation.out / file)
    return found


def bill_of(simulation: Simulation) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for file in simulation.operators[0].files:
        with (simulation.out / file.path).open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                found[row["account"]].append(row)
    return found


@pytest.fixture(scope="module", params=PHONE_FORMATS)
def each(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    out = tmp_path_factory.mktemp("each")
    return simulate(out, **GOOD, phone_logs=True, phone_format=request.param)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    """A thousand Android phones."""
    options = {**GOOD, "subscribers": 1000}
    return simulate(tmp_path_factory.mktemp("many"), **options, phone_logs=True, phone_format="android-xml")


def pairs_of(simulation: Simulation) -> list[tuple[str, float, int, int]]:
    """Billed calls that a log has within 100 seconds: account, seconds off, billed and noted seconds."""
    logs, pairs = logs_of(simulation), []
    for account, rows in bill_of(simulation).items():
        out: dict[str, list[Noted]] = defaultdict(list)
        for entry in logs.get(account, []):
            if entry.way == "out" and not entry.app:
                out[plain(entry.number)].append(entry)
        for row in rows:
            if row["kind"] != "MOC":
                continue
            at = datetime.fromisoformat(row["start"]).timestamp()
            near = min(out[row["other_party"]], key=lambda entry: abs(entry.at - at), default=None)
            if near is not None and abs(near.at - at) <= 170:
                pairs.append((account, near.at - at, int(row["usage"]), near.duration))
    return pairs


def test_every_format_is_read_by_an_independent_reader(each: Simulation) -> None:
    pairs = pairs_of(each)
    calls = sum(row["kind"] == "MOC" for rows in bill_of(each).values() for row in rows)
    assert {log.format for log in each.phone_logs} <= set(PHONE_FORMATS)
    assert len({log.account for log in each.phone_logs}) > 280
    assert 0.8 * calls < len(pairs) <= calls
    close = sum(abs(noted - usage) <= 60 for _, _, usage, noted in pairs)
    assert close > 0.97 * len(pairs)


def test_all_formats_occur_in_a_mixture(tmp_path: Path) -> None:
    simulation = simulate(tmp_path, **GOOD, phone_logs=True)
    counts = Counter(log.format for log in simulation.phone_logs)
    assert set(counts) == set(PHONE_FORMATS)
    assert counts.most_common(2)[0][0] == "android-xml"
    for log in simulation.phone_logs:
        assert all((simulation.out / file).exists() for file in log.files)
    listed = {file for log in simulation.phone_logs for file in log.files}
    written = {path for path in (tmp_path / "phones").rglob("*") if path.is_file()}
    assert all(
        any(path == tmp_path / file or tmp_path / file in path.parents for file in listed) for path in written
    )


def test_clocks_are_seconds_off_and_a_few_hours(many: Simulation) -> None:
    off: dict[str, list[float]] = defaultdict(list)
    for account, seconds, _, _ in pairs_of(many):
        off[account].append(seconds)
    middle = [statistics.median(values) for values in off.values() if len(values) >= 5]
    assert sum(abs(value) <= 25 for value in middle) > 0.85 * len(middle)
    billed = {a for a, rows in bill_of(many).items() if sum(row["kind"] == "MOC" for row in rows) >= 5}
    lost = billed - {account for account, values in off.items() if len(values) >= 3}
    # Logs off by hours show none of their calls near the bill's time; so do cleared ones.
    assert 0.01 * len(billed) < len(lost) < 0.15 * len(billed)


def test_durations_differ_by_seconds_or_by_ringing(many: Simulation) -> None:
    differences: dict[str, list[int]] = defaultdict(list)
    for account, _, usage, noted in pairs_of(many):
        differences[account].append(noted - usage)
    every = [value for values in differences.values() for value in values]
    assert 0.85 < sum(abs(value) <= 2 for value in every) / len(every) < 0.98
    late = [a for a, values in differences.items() if len(values) >= 5 and statistics.median(values) > 3]
    assert 0.03 < len(late) / len(differences) < 0.14


def test_what_only_a_phone_sees_and_what_it_never_sees(many: Simulation) -> None:
    logs = logs_of(many)
    entries = [entry for log in logs.values() for entry in log]
    calls = sum(row["kind"] == "MOC" for rows in bill_of(many).values() for row in rows)
    assert len(entries) > 1.8 * calls
    assert sum(entry.way == "none" for entry in entries) > 0.25 * calls
    assert 0.05 * calls < sum(entry.app for entry in entries) < 0.15 * calls
    assert any(entry.number.startswith("1800") for entry in entries)
    assert any(entry.number == "" and entry.way == "in" for entry in entries)
    assert any(entry.sim == "2" for entry in entries)
    spelt = Counter(entry.number[:1] if entry.number[:2] != "00" else "00" for entry in entries)
    assert min(spelt["0"], spelt["00"], spelt["+"]) > 0.05 * len(entries)
    mixed = [log for log in logs.values() if {e.number[:1] for e in log} >= {"0", "+"}]
    assert len(mixed) > 0.7 * len(logs)


def test_messages_are_one_entry_as_long_as_their_segments(many: Simulation) -> None:
    bills, segments = bill_of(many), Counter[int]()
    for log in many.phone_logs:
        noted = [entry for f in log.files if "/sms-" in f for entry in messages(many.out / f)]
        for row in bills[log.account]:
            at = datetime.fromisoformat(row["start"]).timestamp()
            if row["kind"] != "SMS-MO":
                continue
            near = [
                size
                for when, number, way, size in noted
                if way == "out" and plain(number) == row["other_party"] and abs(when - at) < 100
            ]
            if len(near) == 1:
                size = near[0]
                assert int(row["usage"]) == (1 if size <= 160 else -(-size // 153))
                segments[int(row["usage"])] += 1
    assert set(segments) == {1, 2, 3}
    assert sum(segments.values()) > 3000


def test_a_new_phone_means_two_logs(many: Simulation) -> None:
    files = [sum("/calls-" in file for file in log.files) for log in many.phone_logs]
    assert set(files) == {1, 2}
    assert 5 <= files.count(2) <= 45


def test_some_files_have_a_stylesheet_line(many: Simulation) -> None:
    heads = [(many.out / log.files[0]).read_text(encoding="utf-8")[:400] for log in many.phone_logs]
    assert 0 < sum("<?xml-stylesheet" in head for head in heads) < len(heads) / 2


def test_a_visible_wrong_line_can_be_seen(tmp_path: Path) -> None:
    simulation = simulate(tmp_path, **GOOD, phone_logs=True, phone_format="android-xml", errors=0.05)
    logs = logs_of(simulation)
    with (tmp_path / "labels.csv").open(encoding="utf-8", newline="") as stream:
        labels = list(csv.DictReader(stream))
    shown = Counter((label["kind"], label["visible"]) for label in labels)
    assert not shown["overcharge", "yes"] + shown["tariff", "yes"]
    assert min(shown[kind, "yes"] for kind in ("phantom", "duplicate", "duration", "hung")) >= 5
    assert shown["duration", "no"]
    assert shown["phantom", "ask"] >= 5
    assert {kind for kind, visible in shown if visible == "ask"} == {"phantom"}
    for label in labels:
        if label["visible"] == "no" or label["service"] != "voice_originated":
            continue
        entries = logs[label["account"]]
        if label["kind"] == "phantom":
            assert any(plain(e.number) == label["number"] for e in entries) == (label["visible"] == "yes")
        at = datetime.fromisoformat(label["started_at"]).timestamp()
        assert min(e.at for e in entries) - 9 * 3600 <= at <= max(e.at for e in entries) + 9 * 3600
        if label["kind"] in ("duration", "hung"):
            same = [e for e in entries if e.way == "out" and plain(e.number) == label["number"]]
            assert any(abs(e.duration - int(label["truth"])) <= 62 for e in same)


def test_the_same_seed_gives_the_same_logs(tmp_path: Path) -> None:
    digests = []
    for name in "ab":
        options = {**GOOD, "subscribers": 60}
        simulate(tmp_path / name, **options, phone_logs=True, errors=0.02)
        digests.append(
            {
                p.relative_to(tmp_path / name): p.read_bytes()
                for p in (tmp_path / name).rglob("*")
                if p.is_file()
            }
        )
    assert digests[0] == digests[1]


def test_a_month_written_again_leaves_no_logs_behind(tmp_path: Path) -> None:
    simulate(tmp_path, **GOOD, phone_logs=True, errors=0.01)
    simulate(tmp_path, **GOOD, overwrite=True)
    assert not (tmp_path / "phones").exists()
    assert not (tmp_path / "labels.csv").exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"errors": -0.1}, "errors"),
        ({"errors": 0.9}, "errors"),
        ({"errors": float("nan")}, "errors"),
        ({"phone_format": "android-xml"}, "phone_format"),
        ({"phone_format": "pager", "phone_logs": True}, "phone_format"),
    ],
)
def test_refused(tmp_path: Path, change: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        simulate(tmp_path / "out", **{**GOOD, **change})
    assert caught.value.field == field
    assert caught.value.advice
    assert not (tmp_path / "out").exists()
