"""What people give by mistake for a bill is named, with what to do instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from billproof.bundle.reading import read_document
from billproof.errors import InputError

XML = "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n<!--File Created By Backup v10-->\n"


@pytest.mark.parametrize(
    "content",
    [
        (XML + '<calls count="0"></calls>').encode(),
        (XML + '<smses count="0"></smses>').encode(),
        ("\ufeff" + XML + '<calls count="0"/>').encode(),
        b"<calls>",
        b"SQLite format 3\0" + bytes(100),
        b"sep=;\nTyp;Datum;Name;Rufnummer\n",
        b"\xef\xbb\xbfsep=;\nTyp;Datum\n",
        "\ufeffsep=;\r\nTyp;Datum\r\n".encode("utf-16-le"),
    ],
)
def test_a_phone_log_is_no_bill(tmp_path: Path, content: bytes) -> None:
    log = tmp_path / "log"
    log.write_bytes(content)
    with pytest.raises(InputError, match="log: this looks like a phone log, not a bill") as caught:
        read_document(log)
    assert "billproof match BILL LOG" in caught.value.advice


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b"<?xml version='1.0'?>\n<svg >",
    ],
)
def test_a_picture_is_no_bill(tmp_path: Path, content: bytes) -> None:
    picture = tmp_path / "code.png"
    picture.write_bytes(content)
    with pytest.raises(InputError, match="this is a picture") as caught:
        read_document(picture)
    for wanted in ("text of its code", "PDF", "web page"):
        assert wanted in caught.value.advice


@pytest.mark.parametrize("content", [b"<html>", b"<!doctype html><html><svg>", b"calls", b"{}", b""])
def test_what_is_neither_is_named_as_before(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_document(file)
    assert "phone log" not in str(caught.value)
