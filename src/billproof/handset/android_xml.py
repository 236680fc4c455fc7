"""Backups of the Android app "SMS Backup & Restore": ``calls-*.xml`` and ``sms-*.xml``.

Source: the app's own description of its fields (synctech.com.au/sms-backup-restore/
fields-in-xml-backup-files), and Android's ``CallLog.Calls``, ``Telephony.Sms`` and ``Telephony.Mms`` for
what the codes mean. Times are epoch milliseconds.

Calls come by the hundred thousand and all alike: they are gathered as they are and converted a batch at a
time; a batch with anything odd in it is gone through row by row.
"""

import numpy as np
import pyarrow as pa

from billproof.handset import values, xml_stream
from billproof.handset.entries import PhoneLog
from billproof.handset.problems import PhoneLogError, RowError
from billproof.handset.rows import APP, CALL, IN, MESSAGE, MMS, NO, OUT, UNKNOWN, YES, Entries, Row
from billproof.handset.source import Source

FORMAT = "sms-backup-restore"
_BATCH = 8192
_ROOTS = ("calls", "smses")
# Telephony.Sms.TYPE and Telephony.Mms.MESSAGE_BOX → direction, answered; None: a draft, which went nowhere.
_BOXES: dict[str, tuple[int, int] | None] = {
    "1": (IN, YES),
    "2": (OUT, YES),
    "3": None,
    "4": (OUT, UNKNOWN),
    "5": (OUT, NO),
    "6": (OUT, UNKNOWN),
}
_NOBODY = "insert-address-token"
_FROM = "137"
_MAX_RECIPIENTS = 100


def looks_like(head: str) -> bool:
    return "<calls" in head or "<smses" in head


def read(source: Source) -> PhoneLog:
    reader = _Reader(source.name)
    xml_stream.parse(source, reader.start, reader.end)
    return reader.finish()


class _Reader:
    def __init__(self, name: str) -> None:
        self.entries = Entries(name)
        self.calls = CallBatch(self.entries)
        self.root = ""
        self.exported_at: int | None = None
        self.mms: dict[str, str] | None = None
        self.mms_line = 0
        self.senders: list[str] = []

    def start(self, name: str, attributes: list[str], line: int) -> None:
        if name == "call":
            self.calls.add(attributes, line)
        elif name == "sms":
            self.calls.flush()
            self._message(dict(zip(attributes[::2], attributes[1::2], strict=True)), line)
        elif name == "mms":
            self.calls.flush()
            self.mms = dict(zip(attributes[::2], attributes[1::2], strict=True))
            self.mms_line = line
            self.senders = []
        elif name == "addr" and self.mms is not None and len(self.senders) < _MAX_RECIPIENTS:
            address = dict(zip(attributes[::2], attributes[1::2], strict=True))
            if address.get("type") == _FROM and address.get("address", _NOBODY) != _NOBODY:
                self.senders.append(address["address"])
        elif not self.root:
            if name not in _ROOTS:
                raise PhoneLogError(
                    "unknown",
                    f"begins with <{name[:40]}>, not with <calls> or <smses>",
                    file=self.entries.name,
                    advice="Give the calls-….xml or sms-….xml that SMS Backup & Restore made.",
                )
            self.root = name
            date = dict(zip(attributes[::2], attributes[1::2], strict=True)).get("backup_date", "")
            try:
                self.exported_at = values.milliseconds("backup_date", date)
            except RowError:
                self.exported_at = None

    def end(self, name: str) -> None:
        if name == "mms" and self.mms is not None:
            try:
                for row in _mms(self.mms, self.senders):
                    self.entries.add(row)
            except RowError as problem:
                self.entries.reject(self.mms_line, problem)
            self.mms = None

    def _message(self, attributes: dict[str, str], line: int) -> None:
        try:
            row = _message(attributes)
        except RowError as problem:
            self.entries.reject(line, problem)
        else:
            if row is not None:
                self.entries.add(row)

    def finish(self) -> PhoneLog:
        self.calls.flush()
        return self.entries.log(FORMAT, exported_at=self.exported_at)


def call(attributes: dict[str, str]) -> Row:
    """One row of Android's call log, by the names that SMS Backup & Restore gives its columns."""
    code = attributes.get("type", "")
    if code not in values.CALL_TYPES:
        raise RowError("type", "is not a type of call from 1 to 7")
    direction, answered = values.CALL_TYPES[code]
    at = values.milliseconds("date", attributes.get("date"))
    text = attributes.get("duration", "")
    seconds = values.duration("duration", values.whole("duration", text)) if text else -1
    if answered is None:
        answered = values.answered(seconds)
    if code == values.ELSEWHERE and seconds == 0:
        seconds = -1
    number = values.clean_number(attributes.get("number", ""))
    if attributes.get("presentation") in ("2", "3", "4"):
        number = ""
    kind = APP if _through_app(attributes.get("subscription_component_name", "")) else CALL
    return kind, direction, answered, number, at, seconds, 0, _sim(attributes.get("subscription_id", ""))


def _through_app(component: str) -> bool:
    """Whether an app's connection service made the call, not the phone's."""
    return "/" in component and "telephony" not in component.lower()


def _sim(text: str) -> str:
    return "" if text in ("null", "-1") else text[: values.MAX_NUMBER]


def _box(field: str, attributes: dict[str, str]) -> tuple[int, int] | None:
    code = attributes.get(field, "")
    if code not in _BOXES:
        raise RowError(field, "is not a type of message from 1 to 6")
    return _BOXES[code]


def _message(attributes: dict[str, str]) -> Row | None:
    box = _box("type", attributes)
    if box is None:
        return None
    at = values.milliseconds("date", attributes.get("date"))
    number = values.clean_number(attributes.get("address", ""))
    parts = values.segments(attributes.get("body", ""))
    return MESSAGE, *box, number, at, 0, parts, _sim(attributes.get("sub_id", ""))


def _mms(attributes: dict[str, str], senders: list[str]) -> list[Row]:
    """One entry, or one for each recipient of what went out to several: operators bill each."""
    box = _box("msg_box", attributes)
    if box is None:
        return []
    at = values.milliseconds("date", attributes.get("date"))
    kind = (
        APP if attributes.get("tr_id", "").startswith("proto:") else MMS
    )  # RCS, which the app keeps among MMS
    numbers = attributes.get("address", "").split("~")
    if len(numbers) > _MAX_RECIPIENTS:
        raise RowError("address", f"more than {_MAX_RECIPIENTS} recipients")
    if box[0] == IN:
        numbers = (senders or numbers)[:1]
    sim = _sim(attributes.get("sub_id", ""))
    return [(kind, *box, values.clean_number(number), at, 0, 0, sim) for number in numbers]


class CallBatch:
    """Calls whose tags have the same attributes in the same order, converted together."""

    def __init__(self, entries: Entries) -> None:
        self.entries = entries
        self.flat: list[str] = []
        self.lines: list[int] = []
        self.width = 0

    def add(self, attributes: list[str], line: int) -> None:
        if len(attributes) != self.width or len(self.lines) >= _BATCH:
            self.flush()
            self.width = len(attributes)
        self.flat += attributes
        self.lines.append(line)

    def flush(self) -> None:
        if self.lines:
            try:
                self._together()
            except (ValueError, KeyError, pa.ArrowInvalid):
                self._one_by_one()
            self.flat.clear()
            self.lines.clear()

    def _together(self) -> None:
        """Raises when anything is odd, before anything was added."""
        count, width, flat = len(self.lines), self.width, self.flat
        names = flat[0:width:2]
        for place, name in enumerate(names):
            if flat[2 * place :: width].count(name) != count:
                raise ValueError("tags differ")
        column = {name: flat[2 * place + 1 :: width] for place, name in enumerate(names)}
        at = _integers(column["date"]) // 1000
        seconds = _integers(column["duration"])
        if at.max() > values.LAST_SECOND or seconds.max() > values.MAX_DURATION:
            raise ValueError("out of range")
        code = np.array([ord(text) if len(text) == 1 else 0 for text in column["type"]], np.int64) - ord("0")
        if code.min() < 1 or code.max() > 7:
            raise ValueError("type")
        out = code == 2
        answered = np.where(out, np.where(seconds > 0, YES, NO), np.where((code == 1) | (code == 7), YES, NO))
        seconds = np.where((code == 7) & (seconds == 0), -1, seconds)
        try:
            clean = {text: values.clean_number(text) for text in set(column.get("number", ()))}
        except RowError as problem:
            raise ValueError("number") from problem
        number = [clean[text] for text in column["number"]]
        if (presentation := column.get("presentation")) and presentation.count("1") != count:
            number = ["" if p in ("2", "3", "4") else n for n, p in zip(number, presentation, strict=True)]
        app = np.zeros(count, np.bool_)
        if components := column.get("subscription_component_name"):
            through = {text: _through_app(text) for text in set(components)}
            if any(through.values()):
                app = np.array([through[text] for text in components], np.bool_)
        sims = column.get("subscription_id", [""] * count)
        sim_of = {text: _sim(text) for text in set(sims)}
        self.entries.add_columns(
            (np.where(app, APP, CALL), np.where(out, OUT, IN), answered),
            pa.array(number, pa.string()),
            at,
            seconds,
            np.zeros(count, np.int64),
            pa.array([sim_of[text] for text in sims], pa.string()),
        )

    def _one_by_one(self) -> None:
        for place, line in enumerate(self.lines):
            row = self.flat[place * self.width : (place + 1) * self.width]
            try:
                self.entries.add(call(dict(zip(row[::2], row[1::2], strict=True))))
            except RowError as problem:
                self.entries.reject(line, problem)


def _integers(column: list[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Digits only; anything else raises ValueError or ArrowInvalid."""
    together = "".join(column)
    if not (together.isascii() and together.isdigit()):
        raise ValueError("not whole numbers")
    if max(map(len, column)) > 18:
        raise ValueError("too many digits")
    return pa.array(column, pa.string()).cast(pa.int64()).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]
