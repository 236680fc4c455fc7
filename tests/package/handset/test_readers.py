"""What the samples do not show: fast and slow agree, folders, mappings, lengths of messages."""

import random
import tomllib
import zipfile
from pathlib import Path

import pytest

from billproof.handset import PhoneLogError, android_batches, mapped, read_phone_log, values
from billproof.handset.problems import RowError
from billproof.handset.rows import Entries

VECTORS = Path(__file__).parents[2] / "vectors" / "handset"
MAPPING = """
[columns]
number = "B-Nummer"
time = "Beginn"
direction = "Richtung"
duration = "Sek"
sim = "Karte"
[time]
format = "%d.%m.%Y %H:%M:%S"
zone = "Europe/Berlin"
[duration]
unit = "seconds"
[direction]
out = ["ab"]
in = ["an"]
missed = "verpasst"
"""
COMPONENT = "subscription_component_name"
LIST = (
    "Beginn;Richtung;B-Nummer;Sek;Karte\n"
    "01.10.2026 12:00:00;ab;0201234567;65;1\n"
    "25.10.2026 02:30:00;an;+353201234567;1;2\n"
    "29.03.2026 02:30:00;ab;0201234567;65;1\n"
    "01.10.2026 12:00:00;quer;0201234567;65;1\n"
    "gestern;ab;0201234567;65;1\n"
    "01.12.2026 12:00:00;verpasst;unbekannt;;\n"
)


def one(name: str, text: str, **options: object):  # type: ignore[no-untyped-def]
    (log,) = read_phone_log((name, text.encode()), **options)
    return log


def refuse(_: android_batches.Batch) -> android_batches.Columns:
    raise ValueError


@pytest.mark.parametrize("seed", range(20))
def test_batches_and_rows_agree(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(seed)
    names = [
        "number",
        "duration",
        "date",
        "type",
        "presentation",
        "subscription_id",
        "subscription_component_name",
    ]
    rows = []
    for _ in range(500):
        row = {
            "number": draw.choice(["+353201234567", "0201234567", "-1", "", "Private", "118"]),
            "duration": str(draw.choice([0, 1, 59, 3600])),
            "date": str(draw.randrange(1, 2 * 10**12)),
            "type": str(draw.randrange(1, 8)),
            "presentation": draw.choice("1112"),
            "subscription_id": draw.choice(["", "null", "1", "8935301"]),
            COMPONENT: draw.choice(["null", "com.android.phone/x.telephony.T", "a.b/c.D"]),
        }
        if draw.random() < 0.01:
            row[draw.choice(names[1:4])] = draw.choice(["", "x", "-1", "1_0", "٣", "9" * 18, "9" * 30])
        if draw.random() < 0.01:
            del row[draw.choice(names)]
        rows.append("<call " + " ".join(f'{name}="{text}"' for name, text in row.items()) + "/>\n")
    monkeypatch.setattr(android_batches, "BATCH", 16)
    text = f"<calls>\n{''.join(rows)}</calls>"
    fast = one("calls.xml", text)
    monkeypatch.setattr(android_batches.Batch, "_columns", refuse)
    slow = one("calls.xml", text)
    assert fast.entries.to_pylist() == slow.entries.to_pylist()
    assert fast.rejects == slow.rejects
    assert len(fast.entries) + len(fast.rejects) == 500


@pytest.mark.parametrize("seed", range(10))
def test_batches_and_rows_of_messages_agree(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(seed)
    rows = []
    for _ in range(500):
        row = {
            "address": draw.choice(["+353201234567", "50123", "-1", "Post"]),
            "date": str(draw.randrange(1, 2 * 10**12)),
            "type": draw.choice("1122456"),
            "body": draw.choice(["a", "é", "`", "ж", "^", "😀"]) * draw.randrange(200),
            "sub_id": draw.choice(["1", "-1"]),
        }
        if draw.random() < 0.01:
            row[draw.choice(["date", "type"])] = draw.choice(["", "3", "x", "9" * 20])
        rows.append("<sms " + " ".join(f'{name}="{text}"' for name, text in row.items()) + "/>\n")
        if draw.random() < 0.01:
            rows.append('<mms date="1000" msg_box="1" address="1"/>\n')
    monkeypatch.setattr(android_batches, "BATCH", 16)
    text = f"<smses>\n{''.join(rows)}</smses>"
    fast = one("sms.xml", text)
    monkeypatch.setattr(android_batches.Batch, "_columns", refuse)
    slow = one("sms.xml", text)
    assert fast.entries.to_pylist() == slow.entries.to_pylist()
    assert fast.rejects == slow.rejects


def test_any_size_of_piece_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    data = (VECTORS / "sms.xml").read_bytes()
    whole = read_phone_log(("sms.xml", data))[0]
    for size in (1, 2, 3, 7, 31, 64):
        monkeypatch.setattr("billproof.handset.source.CHUNK", size)
        assert read_phone_log(("sms.xml", data))[0].entries.equals(whole.entries)


def test_a_folder_reads_as_its_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(VECTORS / "takeout.zip") as archive:
        archive.extractall(tmp_path)
    (folder,) = read_phone_log(tmp_path)
    (packed,) = read_phone_log(VECTORS / "takeout.zip")
    assert folder.entries.equals(packed.entries)
    assert folder.rejects == packed.rejects


def test_a_folder_of_backups_gives_a_log_each(tmp_path: Path) -> None:
    for name in ("sms.xml", "calls.xml"):
        (tmp_path / name).write_bytes((VECTORS / name).read_bytes())
    logs = read_phone_log(tmp_path)
    assert [log.name.rpartition("/")[2] for log in logs] == ["calls.xml", "sms.xml"]


def test_a_mapped_list() -> None:
    mapping = mapped.parse("m.toml", tomllib.loads(MAPPING))
    log = one("list.csv", LIST, mapping=mapping)
    rows = [
        (row["direction"], row["answered"], row["number"], row["at"], row["sim"])
        for row in log.entries.to_pylist()
    ]
    assert rows == [
        ("out", "yes", "0201234567", 1_790_848_800, "1"),
        ("in", "yes", "+353201234567", 1_792_888_200, "2"),
        ("in", "no", "", 1_796_122_800, ""),
    ]
    rejects = [(reject.line, reject.field) for reject in log.rejects]
    assert rejects == [
        (4, "time"),
        (5, "direction"),
        (6, "time"),
    ]
    assert (log.format, log.clock) == ("mapped-csv", "utc")


def test_a_mapping_file(tmp_path: Path) -> None:
    file = tmp_path / "m.toml"
    file.write_text(MAPPING.replace("Europe/Berlin", "local"), "utf-8")
    log = one("list.csv", LIST, mapping=file)
    assert log.clock == "local"
    assert log.entries["at"][0].as_py() == 1_790_856_000


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (("[columns]", "[colums]"), "colums"),
        (('number = "B-Nummer"', ""), "columns.number"),
        (('number = "B-Nummer"', "number = 3"), "columns.number"),
        (('number = "B-Nummer"', 'number = "A-Nummer"'), "columns.number"),
        (("Europe/Berlin", "Europe/Atlantis"), "time.zone"),
        (("Europe/Berlin", "../../etc/passwd"), "time.zone"),
        (("%d.%m", "%Q.%m"), "time.format"),
        (('"seconds"', '"fortnights"'), "duration.unit"),
        (("missed", "lost"), "direction.lost"),
        (("[time]", "[time"), None),
    ],
)
def test_a_wrong_mapping_names_its_field(change: tuple[str, str], field: str | None, tmp_path: Path) -> None:
    file = tmp_path / "m.toml"
    file.write_text(MAPPING.replace(*change), "utf-8")
    with pytest.raises(PhoneLogError) as caught:
        read_phone_log(("list.csv", LIST.encode()), mapping=file)
    assert caught.value.code == "mapping"
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ç" * 70, 1),
        ("ç" * 134, 2),
        ("ç" * 135, 3),
        ("😀" * 36, 2),
    ],
)
def test_segments(text: str, parts: int) -> None:
    assert values.segments(text) == parts


def test_rejects_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billproof.handset.rows.MAX_REJECTS", 3)
    entries = Entries("x")
    for line in range(10):
        entries.reject(line, RowError("a", "b"))
    assert len(entries.rejects) == 3


def test_no_text_of_a_message_is_kept() -> None:
    assert "failed" not in repr(read_phone_log(VECTORS / "sms.xml")[0].entries.to_pydict())
