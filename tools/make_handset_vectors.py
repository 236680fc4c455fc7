# ruff: noqa: E501 (the samples' own long lines)
"""Write the sample phone logs in ``tests/vectors/handset/`` and what reading them must give.

Everything in them is invented; the numbers are from ranges kept free for fiction. What is expected comes from
the Python package, is read by eye when it changes, and binds every other implementation.

    .venv/bin/python tools/make_handset_vectors.py [--check]
"""

import io
import json
import sqlite3
import sys
import zipfile
from pathlib import Path

from billproof.handset import PhoneLog, PhoneLogError, read_phone_log

HERE = Path(__file__).resolve().parent.parent / "tests" / "vectors" / "handset"
SOME_DAY = 1_790_845_200_000  # 2026-10-01 09:00 UTC, in milliseconds


def calls_xml() -> str:
    rows = [
        ("+353201234567", 65, 0, "2", "1", "8935301", "com.android.phone/com.android.services.telephony.T"),
        ("0201234567", 0, 3600, "2", "1", "8935301", "com.android.phone/com.android.services.telephony.T"),
        ("+353 20 123 4568", 12, 7200, "1", "1", "8935302", ""),
        ("+353201234569", 0, 9000, "3", "1", "null", "null"),
        ("+353201234569", 25, 9100, "4", "1", "", ""),
        ("-2", 0, 9200, "5", "2", "", ""),
        ("+353201234570", 0, 9300, "6", "1", "", ""),
        ("+353201234570", 0, 9400, "7", "1", "", ""),
        ("+353201234571", 61, 9500, "1", "2", "", ""),
        ("+353201234572", 300, 9600, "2", "1", "", "com.example.talk/com.example.talk.CallService"),
        ("Unknown", 7, 9700, "1", "1", "", ""),
    ]
    body = "".join(
        f'  <call number="{number}" duration="{duration}" date="{SOME_DAY + seconds * 1000 + 999}" type="{kind}" '
        f'presentation="{presentation}" subscription_id="{sim}" post_dial_digits="" '
        f'subscription_component_name="{component}" readable_date="1 Oct 2026" contact_name="(Unknown)" />\n'
        for number, duration, seconds, kind, presentation, sim, component in rows
    )
    return (
        "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n"
        "<!--File Created By SMS Backup & Restore on 02/10/2026-->\n"
        f'<calls count="{len(rows)}" backup_set="x" backup_date="{SOME_DAY + 86_400_000}" type="full">\n{body}</calls>\n'
    )


def odd_calls_xml() -> str:
    """Good rows among bad ones, attributes in another order and absent ones."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<calls count="9">\n'
        f'<call type="2" date="{SOME_DAY}" duration="3" number="+353201234567"/>\n'
        f'<call type="2" date="{SOME_DAY}" duration="x" number="+353201234567"/>\n'
        '<call type="2" date="soon" duration="3" number="+353201234567"/>\n'
        f'<call type="99" date="{SOME_DAY}" duration="3" number="+353201234567"/>\n'
        f'<call type="2"\n   duration="3" number="+353201234567"/>\n'
        f'<call type="2" date="{SOME_DAY}" duration="" number="+353201234567"/>\n'
        f'<call type="1" date="999{SOME_DAY}" duration="3" number="1"/>\n'
        f'<call type="1" date="{SOME_DAY}" duration="3" number="{"1" * 101}"/>\n'
        f'<call type="3" date="{SOME_DAY + 1000}"/>\n'
        "</calls>\n"
    )


def sms_xml() -> str:
    def sms(number: str, seconds: int, kind: str, body: str, sim: str = "1") -> str:
        return (
            f'  <sms protocol="0" address="{number}" date="{SOME_DAY + seconds * 1000}" type="{kind}" subject="null" '
            f'body="{body}" toa="null" sc_toa="null" read="1" status="-1" locked="0" sub_id="{sim}" />\n'
        )

    texts = [
        sms("+353201234567", 0, "2", "a" * 160),
        sms("+353201234567", 60, "2", "a" * 161),
        sms("+353201234567", 120, "2", "[" * 80),
        sms("+353201234567", 180, "2", "[" * 81),
        sms("+353201234567", 240, "2", "&#1078;" * 70),
        sms("+353201234567", 300, "2", "&#1078;" * 71),
        sms("+353201234567", 360, "1", "&#55357;&#56832;" * 35),
        sms("+353201234567", 420, "1", "&#55357;&#56832;" * 36 + "&#xd83d;&#0;&#128512;"),
        sms("50123", 480, "1", "line&#10;two &amp; &lt;three&gt; &quot;\u20ac&apos;", "-1"),
        sms("Post", 540, "1", ""),
        sms("+353201234567", 600, "3", "a draft"),
        sms("+353201234567", 660, "5", "failed"),
        sms("+353201234567", 720, "6", "waiting"),
        sms("+353201234567", 780, "8", "no such type"),
    ]
    parts = '<parts><part seq="0" ct="text/plain" text="look" /><part seq="1" ct="image/png" data="iVBORw0KGgo=" /></parts>'
    return (
        "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n"
        f'<smses count="17" backup_set="x" backup_date="{SOME_DAY + 86_400_000}" type="full">\n'
        + "".join(texts)
        + f'  <mms date="{SOME_DAY + 840_000}" msg_box="2" address="+353201234568~+353201234569" m_type="128" sub_id="1">\n'
        + f'    {parts}<addrs><addr address="insert-address-token" type="137" charset="106" />'
        + '<addr address="+353201234568" type="151" charset="106" /></addrs>\n  </mms>\n'
        + f'  <mms date="{SOME_DAY + 900_000}" msg_box="1" address="+353201234569~+353201234570" m_type="132" sub_id="1">'
        + f'{parts}<addrs><addr address="+353201234570" type="137" charset="106" /></addrs></mms>\n'
        + f'  <mms date="{SOME_DAY + 960_000}" msg_box="2" address="+353201234568" tr_id="proto:Ck" sub_id="1"></mms>\n'
        + f'  <mms date="{SOME_DAY + 960_000}" msg_box="3" address="+353201234568" sub_id="1" />\n'
        + "</smses>\n"
    )


def call_log_csv() -> str:
    return (
        "_id,type,number,name,duration,date,presentation,subscription_id,new\r\n"
        f'1,2,+353201234567,"O""Neill, Ann",65,{SOME_DAY},1,8935301,0\r\n'
        f'2,1,-1,"two\r\nlines",12,{SOME_DAY + 60_000},2,8935301,0\r\n'
        f"3,3,+353201234568,,0,{SOME_DAY + 120_000},1,,1\r\n"
        f"4,2,+353201234568,,zero,{SOME_DAY + 180_000},1,,1\r\n"
        "5,2\r\n\r\n"
        f"6,2,+353201234568,,0,{SOME_DAY + 240_999},1,,1\r\n"
    )


def iphone_database(*, wal: bool = True, page_size: int = 1024, many: int = 0) -> bytes:
    database = sqlite3.connect(":memory:")
    database.execute(f"PRAGMA page_size = {page_size}")
    database.execute("CREATE TABLE ZHANDLE ( Z_PK INTEGER PRIMARY KEY, ZVALUE VARCHAR )")
    database.execute(
        "CREATE TABLE ZCALLRECORD ( Z_PK INTEGER PRIMARY KEY, Z_ENT INTEGER, Z_OPT INTEGER, ZANSWERED INTEGER, "
        "ZCALLTYPE INTEGER, ZORIGINATED INTEGER, ZDATE TIMESTAMP, ZDURATION FLOAT, ZADDRESS VARCHAR, "
        "ZISO_COUNTRY_CODE VARCHAR, ZSERVICE_PROVIDER VARCHAR, ZUNIQUE_ID VARCHAR )"
    )
    at = SOME_DAY / 1000 - 978_307_200
    phone, other = "com.apple.Telephony", "com.apple.FaceTime"
    rows = [
        (0, 1, 1, at + 0.75, 64.9, "+353201234567", phone),
        (0, 1, 1, at + 60, 0.0, b"0201234567", phone),
        (1, 1, 0, at + 120, 12.2, b"+353201234568", None),
        (0, 1, 0, at + 180, 0, None, phone),
        (1, 8, 0, at + 240, 30, "ann@example.org", other),
        (1, 16, 1, at + 300, 30, "+353201234568", other),
        (1, 0, 1, at + 360, 30.5, "+353201234568", "com.example.talk"),
        (0, 1, 1, None, 3, "+353201234567", phone),
        (0, 77, 1, at + 420, 3, "+353201234567", phone),
        (0, 1, 1, at + 480, 3, b"\xff\xfe", phone),
        (0, 1, 1, at + 540, -3, "+353201234567", phone),
        (0, 1, 1, at + 600, None, "+353201234567", phone),
    ]
    rows += [(0, 1, 1, at + 1000 + 7 * n, n % 90, f"+3532012345{n % 100:02d}", phone) for n in range(many)]
    for n, (answered, kind, out, date, duration, address, provider) in enumerate(rows, 1):
        long = "x" * 3000 if n == 2 else f"id-{n}"  # A row that overflows its page.
        database.execute(
            "INSERT INTO ZCALLRECORD VALUES (?, 2, 1, ?, ?, ?, ?, ?, ?, 'ie', ?, ?)",
            (n, answered, kind, out, date, duration, address, provider, long),
        )
    database.commit()
    data = bytearray(database.serialize())
    if wal:
        data[18:20] = b"\2\2"
    return bytes(data)


def another_database() -> bytes:
    database = sqlite3.connect(":memory:")
    database.execute("PRAGMA page_size = 512")
    database.execute("CREATE TABLE message (id INTEGER PRIMARY KEY, body TEXT)")
    database.commit()
    return database.serialize()


def spreadsheet(language: str) -> str:
    if language == "de":
        return (
            "\ufeffAnruftyp;Datum;Dauer;Nummer;Kontakt;Dienst\n"
            "Ausgehend;01.10.2026 10:00:00;00:01:05;+353 20 123 4567;Ann;Telefon\n"
            "Eingehend;01.10.2026 10:01:00;1 Std. 2 Min. 3 Sek.;020 1234568;;Telefon\n"
            "Verpasst;01.10.2026 10:02:00;;Unbekannt;;Telefon\n"
            "Ausgehend;01.10.2026 10:03:00;00:00;+353201234567;;Telefon\n"
            "Ausgehend;01.10.2026 10:04:00;00:10;+353201234567;;FaceTime Audio\n"
            "Ausgehend;31.11.2026 10:05:00;00:10;+353201234567;;Telefon\n"
            "Verschoben;01.10.2026 10:05:00;00:10;+353201234567;;Telefon\n"
        )
    if language == "fr":
        return (
            "Type d'appel,Date,Durée,Numéro,Contact,Service\n"
            "Sortant,01/10/2026 10:00:00,00:01:05,+353201234567,Ann,Téléphone\n"
            "Entrant,02/10/2026 à 10h01,12 s,+353201234568,,Téléphone\n"
            "Manqué,03/10/2026 10:02:00,,Masqué,,Téléphone\n"
        )
    return (
        "Call type,Date,Duration,Number,Contact,Service\n"
        'Outgoing,"10/13/2026, 1:00 PM",1:05,(020) 123 4567,Ann,Phone\n'
        'Incoming,"10/1/2026, 12:01 AM",0:12,+353201234568,,Phone\n'
        'Cancelled,"10/1/2026, 12:02 PM",,+353201234568,,Phone\n'
        'Missed,"10/1/2026, 13:02 PM",,No Caller ID,,Phone\n'
    )


def fritzbox() -> str:
    return (
        "\ufeffsep=;\r\nTyp;Datum;Name;Rufnummer;Landes-/Ortsnetzbereich;Nebenstelle;Eigene Rufnummer;Dauer\r\n"
        "4;01.10.26 10:00;Ann;0201234567;;Telefon (DECT);5550100;0:02\r\n"
        "1;01.10.26 10:05;;0201234568;;Anrufbeantworter;5550100;1:01\r\n"
        "2;01.10.26 10:06;;;;;5550101;0:00\r\n"
        "3;01.10.26 10:07;;0201234569;;;5550101;0:00\r\n"
        "4;01.10.26 10:08;;0201234569;;;5550101;0:00\r\n"
        "11;01.10.26 10:09;;0201234569;;;5550101;0:00\r\n"
        "4;heute;;0201234569;;;5550101;0:01\r\n"
    )


VOICE_CALL = """<?xml version="1.0" ?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>{title}</title><style type="text/css">a > b {{ color: red }}</style>
</head><body><div class="haudio"><span class="album">Call Log for
</span><span class="fn">{title}</span>
<div class="contributor vcard">{title}
<a class="tel" href="tel:{number}"><span class="fn">Ann</span></a></div>
<abbr class="published" title="{moment}">Oct 1, 2026</abbr>
<br /><abbr class="duration" title="{duration}">(00:01:05)</abbr>
<div class="tags">Labels: <a rel="tag" href="http://www.google.com/voice#{label}">{label}</a></div></div></body></html>
"""
VOICE_TEXTS = """<html><head><title>Ann</title></head><body><div class="hChatLog hfeed">
<div class="message"><abbr class="dt" title="2026-10-01T10:00:00.000+01:00">Oct 1</abbr>:
<cite class="sender vcard"><a class="tel" href="tel:+353201234567"><span class="fn">Ann</span></a></cite>: <q>Hi &amp; bye</q></div>
<div class="message"><abbr class="dt" title="2026-10-01T10:01:00.000+01:00">Oct 1</abbr>:
<cite class="sender vcard"><a class="tel" href="tel:+353201234599"><abbr class="fn" title="">Me</abbr></a></cite>:
<q>{long}</q></div>
<div class="message"><abbr class="dt" title="2026-10-01T10:02:00.000+01:00">Oct 1</abbr>:
<cite class="sender vcard"><a class="tel" href="tel:+353201234599"><abbr class="fn" title="">Me</abbr></a></cite>:
<q></q><div><img src="a.jpg" alt="Image MMS Attachment" /></div></div>
<div class="message"><abbr class="dt" title="yesterday">Oct 1</abbr>:
<cite class="sender vcard"><a class="tel" href="tel:+353201234567"><span class="fn">Ann</span></a></cite>: <q>When?</q></div>
</div></body></html>
"""


def voice_pages() -> dict[str, bytes]:
    def call(number: str, moment: str, duration: str, label: str) -> bytes:
        title = f"{label.title()} call"
        return VOICE_CALL.format(
            title=title, number=number, moment=moment, duration=duration, label=label
        ).encode()

    folder = "Takeout/Voice/Calls/"
    return {
        "Takeout/archive_browser.html": b"<!DOCTYPE html><html><body>Archive</body></html>",
        folder + "Ann - Placed - 2026-10-01T09_00_00Z.html": call(
            "+353201234567", "2026-10-01T10:00:00.000+01:00", "PT1M5S", "placed"
        ),
        folder + "Ann - Received - 2026-10-01T09_05_00Z.html": call(
            "+353201234567", "2026-10-01T09:05:00Z", "PT1H", "received"
        ),
        folder + " - Missed - 2026-10-01T09_06_00Z.html": call(
            "", "2026-10-01T10:06:00.000+01:00", "", "missed"
        ),
        folder + "Ann - Bad - 2026-10-01T09_07_00Z.html": call("+353201234567", "soon", "PT3S", "placed"),
        folder + "Ann - Text - 2026-10-01T09_08_00Z.html": VOICE_TEXTS.format(long="x" * 161).encode(),
        folder + "+353201234571 - Text - 2026-10-01T09_09_00Z.html": (
            b'<html><body><div class="hChatLog hfeed"><div class="message">'
            b'<abbr class="dt" title="2026-10-01T10:09:00.000+01:00">Oct 1</abbr>: <cite class="sender vcard">'
            b'<a class="tel" href="tel:+353201234599"><abbr class="fn" title="">Me</abbr></a></cite>: <q>Hello</q></div>'
            b"</div></body></html>"
        ),
        "Takeout/Voice/Bills.html": b"<html><body>No calls</body></html>",
    }


def packed(files: dict[str, bytes], level: int = 6) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 10, 2, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def samples() -> dict[str, bytes]:
    calls = calls_xml()
    bomb = '<?xml version="1.0"?>\n<!DOCTYPE calls [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>\n<calls>&b;</calls>'
    return {
        "calls.xml": calls.encode(),
        "calls-odd.xml": odd_calls_xml().encode(),
        "calls-utf16.xml": calls.replace("UTF-8", "UTF-16").encode("utf-16"),
        "calls-latin1.xml": calls.replace("UTF-8", "ISO-8859-1")
        .replace("(Unknown)", "Zoë")
        .encode("latin-1"),
        "calls-none.xml": b"<?xml version='1.0' encoding='UTF-8' ?>\n<calls count=\"0\">\n</calls>\n",
        "sms.xml": sms_xml().encode(),
        "call-log.csv": call_log_csv().encode(),
        "CallHistory.storedata": iphone_database(),
        "CallHistory-deep.storedata": iphone_database(wal=False, page_size=512, many=300),
        "spreadsheet-de.csv": spreadsheet("de").encode(),
        "spreadsheet-fr.csv": spreadsheet("fr").encode("latin-1"),
        "spreadsheet-en.csv": spreadsheet("en").encode(),
        "spreadsheet-utf16.csv": spreadsheet("en").encode("utf-16"),
        "fritzbox.csv": fritzbox().encode(),
        "voice-call.html": voice_pages()["Takeout/Voice/Calls/Ann - Placed - 2026-10-01T09_00_00Z.html"],
        "takeout.zip": packed(voice_pages()),
        "calls.zip": packed({"calls.xml": calls.encode()}),
        "bad-empty.xml": b"",
        "bad-blank.csv": b"\r\n\r\n",
        "bad-cut.xml": calls.encode()[:1500],
        "bad-entities.xml": bomb.encode(),
        "bad-nested.xml": b"<calls>" + b"<call>" * 100,
        "bad-root.xml": b'<?xml version="1.0"?><invoice/>',
        "bad-encoding.xml": b'<?xml version="1.0" encoding="ebcdic-cp-be"?><calls/>',
        "bad-utf8.xml": b'<?xml version="1.0" encoding="UTF-8"?><calls><call number="\xff"/></calls>',
        "bad-database.storedata": another_database(),
        "bad-cut.storedata": iphone_database()[:2000],
        "bad-bundle.json": b'{"schema": "billproof/bundle/1", "period": 202610}\n',
        "bad-json.json": b'{"calls": []}\n',
        "bad-pdf.csv": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        "bad-columns.csv": b"who,when,long\nAnn,2026-10-01,5\n",
        "bad-ambiguous.csv": b"Call type,Date,Duration,Number\nOutgoing,10/11/2026 10:00,0:05,+353201234567\n",
        "bad-noise.bin": bytes(range(256)) * 4,
        "bad-archive.zip": packed({"readme.txt": b"nothing"}),
        "bad-cut.zip": packed({"calls.xml": calls.encode()})[:300],
        "bad-page.html": b"<!DOCTYPE html><html><body>Hello</body></html>",
    }


def expected(name: str, data: bytes) -> dict[str, object]:
    try:
        (log,) = read_phone_log((name, data))
    except PhoneLogError as error:
        return {"error": error.code}
    return as_json(log)


def as_json(log: PhoneLog) -> dict[str, object]:
    return {
        "name": log.name,
        "format": log.format,
        "clock": log.clock,
        "step": log.step,
        "durationStep": log.duration_step,
        "exportedAt": log.exported_at,
        "entries": log.entries.to_pylist(),
        "rejects": [{"line": r.line, "field": r.field, "reason": r.reason} for r in log.rejects],
    }


def main() -> int:
    check = "--check" in sys.argv
    stale = []
    for name, data in samples().items():
        text = json.dumps(expected(name, data), ensure_ascii=False, indent=1)
        for path, content in ((HERE / name, data), (HERE / f"{name}.expected.json", f"{text}\n".encode())):
            if not path.exists() or path.read_bytes() != content:
                stale.append(path.name)
                if not check:
                    path.write_bytes(content)
    print("\n".join(stale) or "nothing to change")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
