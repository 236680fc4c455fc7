"""IPDR documents in XML: good ones, broken ones, hostile ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from billproof.errors import InputError

Run = Callable[..., Any]

START = """<?xml version="1.0" encoding="UTF-8"?>
<ipdr:IPDRDoc xmlns:ipdr="http://www.ipdr.org/namespaces/ipdr" docId="d1" version="3.0">
"""
RECORD = """<ipdr:IPDR>
  <ipdr:subscriberID>A1</ipdr:subscriberID>
  <ipdr:startTime>2026-11-05T10:00:00.500Z</ipdr:startTime>
  <ipdr:endTime>2026-11-05T10:01:05Z</ipdr:endTime>
  <ipdr:timeZoneOffset>-4</ipdr:timeZoneOffset>
  <ipdr:originalDestinationId>a&amp;b</ipdr:originalDestinationId>
  <ipdr:callDuration>64100</ipdr:callDuration>
</ipdr:IPDR>
"""
END = '<ipdr:IPDRDoc.End count="{}"/></ipdr:IPDRDoc>'


def document(*records: str, count: int | None = None) -> str:
    return START + "".join(records) + END.format(len(records) if count is None else count)


def test_records(run: Run) -> None:
    later = RECORD.replace("<ipdr:callDuration>64100</ipdr:callDuration>", "").replace("A1", "<![CDATA[A2]]>")
    result = run(document(RECORD, later), None, "ipdr-xml")
    first, second = result.records
    assert (first["started_at"], first["utc_offset"], first["usage"]) == (1793872800, -240, 65)
    assert (first["number"], first["line"], second["line"]) == ("a&b", 3, 11)
    assert (second["account"], second["usage"]) == ("A2", 65)


def test_rejects_carry_their_line_and_text(run: Run) -> None:
    result = run(document(RECORD, RECORD.replace("A1", ""), RECORD), None, "ipdr-xml")
    assert len(result.records) == 2
    assert result.reasons == [(11, "account", "is empty (column 'subscriberID')")]
    assert result.rejects[0]["raw"] == RECORD.replace("A1", "").strip()


def test_nested_repeated_and_prefixless_elements(run: Run) -> None:
    record = RECORD.replace("ipdr:", "").replace(
        "<subscriberID>A1</subscriberID>", "<who><id>A</id></who><feature>x</feature><feature>y</feature>"
    )
    text = document(record).replace("ipdr:", "")
    mapping = '[account]\ncolumn = "who.id"\n[rate]\ncolumn = "feature"\n'
    (out,) = run(text, mapping, "ipdr-xml").records
    assert (out["account"], out["rate"]) == ("A", "x;y")


def test_other_encodings(run: Run) -> None:
    text = document(RECORD.replace("A1", "Zoë")).replace("UTF-8", "ISO-8859-1")
    assert run(text.encode("latin-1"), None, "ipdr-xml").column("account") == ["Zoë"]
    utf16 = document(RECORD.replace("A1", "Zoë")).replace("UTF-8", "UTF-16")
    assert run(utf16.encode("utf-16"), None, "ipdr-xml").column("account") == ["Zoë"]


BILLION = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol">'
    + "".join(
        f'<!ENTITY {name} "{("&" + before + ";") * 10}">'
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]><IPDRDoc><IPDR><subscriberID>&i;</subscriberID></IPDR></IPDRDoc>"
)


@pytest.mark.parametrize(
    "text",
    [
        BILLION,
        '<!DOCTYPE IPDRDoc SYSTEM "http://127.0.0.1:9/x.dtd"><IPDRDoc/>',
        '<!DOCTYPE IPDRDoc [<!ENTITY x SYSTEM "file:///etc/passwd">]><IPDRDoc><IPDR>&x;</IPDR></IPDRDoc>',
        '<!DOCTYPE IPDRDoc [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><IPDRDoc/>',
        "<!DOCTYPE IPDRDoc><IPDRDoc/>",
    ],
)
def test_document_types_and_entities_are_refused(run: Run, text: str) -> None:
    with pytest.raises(InputError, match="document type declaration or an entity") as caught:
        run(text, None, "ipdr-xml")
    assert caught.value.line == 1


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        (START + RECORD, "not well-formed XML: no element found", 11),
        (START + RECORD + "</wrong>", "not well-formed XML: mismatched tag", 11),
        (START + "<a>&undefined;</a>", "not well-formed XML: undefined entity", 3),
        (START + RECORD.replace("A1", "\x01"), "not well-formed XML: not well-formed (invalid token)", 4),
        ("calling,called\n1,2\n", "not well-formed XML", 1),
        ("<html></html>", "is a 'html' document, not an IPDRDoc", 1),
        (document(RECORD, count=2), "IPDRDoc.End states 2 records, and there are 1", 11),
        (START + "<a>" * 40, "nested deeper than 32", 3),
        (START + RECORD.replace("A1", "x" * (1 << 20)), "record of more than 1048576 characters", None),
        (START + "<!--" + "x" * (20 << 20), "comment of more than", None),
        (START + RECORD.replace("A1", "<!-- x -->" * (1 << 20)), "record or comment of more than", None),
        ('<?xml version="1.0" encoding="nonsense"?><IPDRDoc/>', "unknown encoding", None),
        ('<?xml version="1.0" encoding="shift_jis"?><IPDRDoc/>', "encoding", None),
    ],
)
def test_unusable_documents(run: Run, text: str, reason: str, line: int | None) -> None:
    with pytest.raises(InputError) as caught:
        run(text, None, "ipdr-xml")
    assert reason in str(caught.value)
    assert caught.value.advice
    if line is not None:
        assert caught.value.line == line


def test_invalid_utf8_is_named(run: Run) -> None:
    with pytest.raises(InputError, match="invalid token"):
        run(document(RECORD).encode().replace(b"A1", b"\xff"), None, "ipdr-xml")


def test_small_pieces_change_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billproof.intake.ipdrdoc._BATCH", 1)
    monkeypatch.setattr("billproof.intake.ipdrdoc._BLOCK", 700)
    result = run(document(*[RECORD] * 50), None, "ipdr-xml")
    assert len(result.records) == 50
    assert result.column("line") == [3 + 8 * row for row in range(50)]
