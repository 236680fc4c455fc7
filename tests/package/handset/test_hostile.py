"""Whatever bytes come, nothing but InputError goes out, and memory stays bounded."""

import io
import os
import random
import sqlite3
import time
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billproof.errors import InputError
from billproof.handset import PhoneLog, PhoneLogError, archive, read_phone_log, voice
from billproof.handset import xml_stream as stream

VECTORS = Path(__file__).parents[2] / "vectors" / "handset"
SAMPLES = sorted(path for path in VECTORS.iterdir() if not path.name.endswith(".expected.json"))
STARTS = (
    b"",
    b"<calls>",
    b"<smses><mms>",
    b"SQLite format 3\0",
    b"PK\3\4",
    b"_id,number,date,duration,type\n",
    b"sep=;\n",
)


def read(data: bytes) -> list[PhoneLog]:
    try:
        return read_phone_log(("file", data))
    except InputError:
        return []


def code(data: bytes) -> str:
    with pytest.raises(PhoneLogError) as caught:
        read_phone_log(("file", data))
    return caught.value.code


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(STARTS), st.binary(max_size=600))
def test_random_bytes(start: bytes, rest: bytes) -> None:
    read(start + rest)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(STARTS), st.text(max_size=300))
def test_random_text(start: bytes, rest: str) -> None:
    read(start + rest.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_damaged_samples(path: Path, seed: int) -> None:
    draw = random.Random(seed)
    data = bytearray(path.read_bytes())
    for _ in range(draw.randrange(1, 9)):
        at = draw.randrange(len(data) + 1)
        match draw.randrange(4):
            case 0 if at < len(data):
                data[at] = draw.randrange(256)
            case 1:
                del data[at : at + draw.randrange(40)]
            case 2:
                data[at:at] = data[: draw.randrange(40)]
            case _:
                del data[at + draw.randrange(2000) :]
    read(bytes(data))


def test_entities_are_refused_before_they_grow() -> None:
    levels = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 30))
    assert code(f'<!DOCTYPE calls [<!ENTITY a0 "ha">{levels}]><calls>&a29;</calls>'.encode()) == "entities"
    assert code(b'<!DOCTYPE calls SYSTEM "file:///etc/passwd"><calls/>') == "entities"


def test_nesting_is_bounded() -> None:
    assert code(b"<calls>" + b"<a>" * 1_000_000) == "nested"


def test_an_endless_tag_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MAX_TAG", 1 << 20)
    assert code(b'<calls><call number="' + b"1" * (3 << 20)) == "too-large"


def test_a_bomb_in_an_archive_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "MAX_PAGE", 1 << 20)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("Takeout/Voice/Calls/a.html", b"\0" * (64 << 20))
    tracemalloc.start()
    try:
        assert code(buffer.getvalue()) == "too-large"
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_a_small_archive_of_very_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_TOTAL", 1 << 20)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(20):
            packed.writestr(f"{number}.html", b" " * (1 << 17))
    assert code(buffer.getvalue()) == "too-large"


def test_an_archive_with_a_password_is_refused() -> None:
    data = bytearray((VECTORS / "calls.zip").read_bytes())
    data[6] |= 1
    data[data.rindex(b"PK\1\2") + 8] |= 1
    assert code(bytes(data)) == "archive"


LONG_NAME = pytest.param("<" + "a" * 60_000 + ' "x>', id="a long name")


@pytest.mark.parametrize(
    "piece",
    ["<a ", "<a<", "<!--", '<a "', "</", "<style>", "&#", "<![CDATA[", "\"'>", "<a =", "&amp", LONG_NAME],
)
def test_a_page_of_broken_tags_is_read_in_one_pass(piece: str) -> None:
    for end in ("", ">"):
        began = time.process_time()
        read(f"<html>haudio{piece * (1_000_000 // len(piece))}{end}".encode())
        assert time.process_time() - began < 5


def database(*statements: str) -> bytes:
    connection = sqlite3.connect(":memory:")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    return connection.serialize()


def test_a_view_in_the_table_s_place_is_not_run() -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS ZDATE FROM n"
    assert code(database(f"CREATE VIEW ZCALLRECORD AS {endless}")) == "database"


def test_a_table_without_its_columns_is_named() -> None:
    assert code(database("CREATE TABLE ZCALLRECORD (ZDATE REAL)")) == "database"


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(PhoneLogError, match="cannot be read"):
        read_phone_log(tmp_path / "none.xml")


def test_a_cut_file_says_where() -> None:
    data = (VECTORS / "calls.xml").read_bytes()[:-200]
    with pytest.raises(PhoneLogError, match=r"calls.xml:1\d: .*cut off"):
        read_phone_log(("calls.xml", data))


def test_a_pipe_is_no_phone_log(tmp_path: Path) -> None:
    pipe = tmp_path / "calls.csv"
    os.mkfifo(pipe)
    with pytest.raises(PhoneLogError) as caught:
        read_phone_log(pipe)
    assert caught.value.code == "unreadable"


def test_an_archive_that_unpacks_to_far_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "FREE", 1 << 16)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("calls.xml", b"<calls>" + b" " * (1 << 20) + b"</calls>")
    assert code(buffer.getvalue()) == "too-large"
