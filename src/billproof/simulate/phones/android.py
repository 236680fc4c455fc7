"""Android: backups in XML of the app "SMS Backup & Restore", and a dump of the call log as CSV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from billproof.simulate import text
from billproof.simulate.phones.entries import Entries, What
from billproof.simulate.phones.logs import Log, Logs, piece

#: Android's numbers for kinds of calls, by ``What``; attempts are outgoing calls that lasted nothing.
_TYPES = np.array([2, 1, 3, 5, 6, 2])

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_COMPONENTS = (
    "com.android.phone/com.android.services.telephony.TelephonyConnectionService",
    "com.google.android.apps.tachyon/com.google.android.apps.tachyon.telecom.TachyonTelecomConnectionService",
    "com.whatsapp/com.whatsapp.calling.telecom.SelfManagedConnectionService",
    "org.telegram.messenger/org.telegram.messenger.voip.TelegramConnectionService",
)

#: Characters that one message, and each part of a longer one, can hold.
_SINGLE, _PART = 160, 153

_FILLER = (
    "lorem ipsum dolor sit amet consetetur sadipscing elitr sed diam nonumy eirmod tempor invidunt ut "
    "labore et dolore magna aliquyam erat sed diam voluptua at vero eos et accusam et justo duo dolores "
)


def write_xml(logs: Logs) -> list[Path]:
    """``calls-*.xml`` and ``sms-*.xml`` in each log's folder; messages only where there are some."""
    entries = logs.entries
    calls, messages = entries.calls, ~entries.calls
    call_rows, message_rows = _call_rows(logs, calls), _message_rows(logs, messages)
    calls_before = np.concatenate(([0], np.cumsum(calls)))
    messages_before = np.concatenate(([0], np.cumsum(messages)))
    written = []
    for log in logs:
        stamp = logs.stamp(log)
        for kind, root, rows, before in (
            ("calls", "calls", call_rows, calls_before),
            ("sms", "smses", message_rows, messages_before),
        ):
            first, last = int(before[log.first]), int(before[log.last])
            if kind == "sms" and first == last:
                continue
            path = log.folder / f"{kind}-{stamp}.xml"
            head = _head(logs, log, kind, root, last - first)
            path.write_bytes(b"".join((head.encode(), piece(rows, first, last), f"</{root}>".encode())))
            written.append(path)
    return written


def write_csv(logs: Logs) -> list[Path]:
    """``calllog.csv`` in each log's folder: the provider's columns."""
    entries = logs.entries
    n = len(entries)
    names = pa.array(_COMPONENTS, pa.string())
    kinds = pa.array([str(kind) for kind in _TYPES], pa.string())
    rows = text.joined(
        text.integers(np.arange(n) + 1000), ",", logs.numbers, ",", logs.millis, ",",
        text.integers(entries.duration), ",", kinds.take(pa.array(entries.what)), ",",
        _presentation(entries), ",", text.integers(entries.sim + 1), ",",
        names.take(pa.array(entries.app)), ",", logs.names, ",0,1\n", rows=n,
    )  # fmt: skip
    header = (
        b"_id,number,date,duration,type,presentation,subscription_id,subscription_component_name,name,"
        b"features,is_read\n"
    )
    written = []
    for log in logs:
        path = log.folder / f"calllog-{logs.stamp(log)}.csv"
        path.write_bytes(header + piece(rows, log.first, log.last))
        written.append(path)
    return written


def _call_rows(logs: Logs, calls: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> pa.StringArray:
    mask = pa.array(calls)
    entries = logs.entries.take(calls)
    kinds = pa.array([str(kind) for kind in _TYPES], pa.string())
    names = pa.array(_COMPONENTS, pa.string())
    return text.joined(
        '  <call number="', logs.numbers.filter(mask), '" duration="', text.integers(entries.duration),
        '" date="', logs.millis.filter(mask), '" type="', kinds.take(pa.array(entries.what)),
        '" presentation="', _presentation(entries), '" subscription_id="', text.integers(entries.sim + 1),
        '" post_dial_digits="" subscription_component_name="', names.take(pa.array(entries.app)),
        '" readable_date="', _readable(logs.local[calls]),
        '" contact_name="', _known(logs.names.filter(mask)), '" />\n', rows=len(entries),
    )  # fmt: skip


def _message_rows(logs: Logs, messages: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> pa.StringArray:
    mask = pa.array(messages)
    entries = logs.entries.take(messages)
    n = len(entries)
    numbers, millis = logs.numbers.filter(mask), logs.millis.filter(mask)
    sent = entries.what != What.RECEIVED
    readable, names = _readable(logs.local[messages]), _known(logs.names.filter(mask))
    plain = text.joined(
        '  <sms protocol="0" address="', numbers, '" date="', millis, '" type="',
        pa.array(["1", "2"], pa.string()).take(pa.array(sent.astype(np.int64))), '" subject="null" body="',
        _bodies(entries), '" toa="null" sc_toa="null" service_center="null" read="1" status="-1" locked="0" ',
        'date_sent="0" sub_id="', text.integers(entries.sim + 1), '" readable_date="', readable,
        '" contact_name="', names, '" />\n', rows=n,
    )  # fmt: skip
    picture = text.joined(
        '  <mms date="', millis, '" rr="129" ct_t="application/vnd.wap.multipart.related" msg_box="2" ',
        'address="', numbers, '" sub_id="', text.integers(entries.sim + 1), '" m_type="128" read="1" ',
        'readable_date="', readable, '" contact_name="', names, '">\n    <parts>\n      <part seq="0" ',
        'ct="image/jpeg" name="null" chset="null" cl="photo.jpg" text="null" />\n    </parts>\n',
        '    <addrs>\n      <addr address="', numbers, '" type="151" charset="106" />\n    </addrs>\n',
        "  </mms>\n", rows=n,
    )  # fmt: skip
    pictures = entries.what == What.PICTURE
    return pa.concat_arrays([plain, picture]).take(pa.array(np.arange(n) + pictures * n))


def _head(logs: Logs, log: Log, kind: str, root: str, count: int) -> str:
    # One file in five has the line that lets a browser show it.
    style = f'<?xml-stylesheet type="text/xsl" href="{kind}.xsl"?>\n' if log.subscriber % 5 == 0 else ""
    mark = f"{log.subscriber:08x}-5b5b-4c1e-9d0a-{log.saved:012x}"
    return (
        "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n"
        f"<!--File Created By SMS Backup & Restore v10.20.002 on "
        f"{logs.stamp(log, '%d/%m/%Y %H:%M:%S')}-->\n{style}"
        f'<{root} count="{count}" backup_set="{mark}" backup_date="{log.saved * 1000}" type="full">\n'
    )


def _presentation(entries: Entries) -> pa.StringArray:
    withheld = (entries.number == 0).astype(np.int64)
    return pa.array(["1", "2"], pa.string()).take(pa.array(withheld))


def _known(names: pa.StringArray) -> pa.StringArray:
    """Names as the app writes them: those without one are ``(Unknown)``."""
    distinct = names.dictionary_encode()
    texts = pa.array([name or "(Unknown)" for name in distinct.dictionary.to_pylist()], pa.string())
    return texts.take(distinct.indices)


def _readable(local: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> pa.StringArray:
    """``03 Oct 2026 12:00:00``."""
    year, month, day = text.dates(local)
    names = np.array([list(name.encode()) for name in _MONTHS], dtype=np.uint8)
    place = (month[:, 0].astype(np.int64) - 48) * 10 + month[:, 1] - 49
    return text.fixed(day, " ", names[place], " ", year, " ", *_colons(local))


def _colons(
    local: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
) -> tuple[text.Octets | str, ...]:
    hour, minute, second = text.clock(local)
    return hour, ":", minute, ":", second


def _bodies(entries: Entries) -> pa.StringArray:
    """Filler as long as the segments say."""
    least = np.where(entries.segments == 1, 1, _PART * (entries.segments - 1) + 1)
    least = np.where(entries.segments == 2, _SINGLE + 1, least)
    most = np.where(entries.segments == 1, _SINGLE, _PART * entries.segments)
    spread = (entries.when * 7 + entries.number) % (most - least + 1)
    length = least + spread
    top = int(length.max(initial=1))
    filler = _FILLER * (top // len(_FILLER) + 1)
    texts = [filler[: size - 1].rstrip().ljust(size - 1, "x") + "x" for size in range(1, top + 1)]
    return pa.array(texts, pa.string()).take(pa.array(length - 1))
