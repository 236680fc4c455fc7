"""Backups of the Android app "SMS Backup & Restore": ``calls-*.xml`` and ``sms-*.xml``.

Source: the app's own description of its fields (synctech.com.au/sms-backup-restore/
fields-in-xml-backup-files). Times are epoch milliseconds.
"""

from billproof.handset import android_batches, android_quick, android_rows, values, xml_stream
from billproof.handset.problems import PhoneLogError, RowError
from billproof.handset.rows import Draft, Entries
from billproof.handset.source import Source

FORMAT = "sms-backup-restore"
_ROOTS = ("calls", "smses")


def read(source: Source) -> Draft:
    """The log in a backup."""
    quick = android_quick.read(source.content) if isinstance(source.content, bytes) else None
    if quick is not None:
        root, rows = quick
        entries = Entries(source.name)
        entries.extend(rows)
        return entries.log(FORMAT, exported_at=_exported_at(root))
    reader = _Reader(source.name)
    xml_stream.parse(source, reader.start, {"mms": reader.end_mms})
    return reader.finish()


def _exported_at(root: dict[str, str]) -> int | None:
    try:
        return values.milliseconds("backup_date", root.get("backup_date"))
    except RowError:
        return None


def _row(attributes: list[str]) -> dict[str, str]:
    return dict(zip(attributes[::2], attributes[1::2], strict=True))


class _Reader:
    def __init__(self, name: str) -> None:
        self.entries = Entries(name)
        self.calls = android_batches.Batch(self.entries, android_batches.calls, android_rows.call)
        self.messages = android_batches.Batch(self.entries, android_batches.messages, android_rows.message)
        self.batch = self.calls
        self.root = ""
        self.exported_at: int | None = None
        self.mms: dict[str, str] | None = None
        self.mms_line = 0
        self.senders: list[str] = []

    def start(self, name: str, attributes: list[str], line: int) -> None:
        if name == "call":
            if self.batch is not self.calls:
                self._turn(self.calls)
            self.calls.add(attributes, line)
        elif name == "sms":
            if self.batch is not self.messages:
                self._turn(self.messages)
            self.messages.add(attributes, line)
        elif name == "mms":
            self.mms = _row(attributes)
            self.mms_line = line
            self.senders = []
        elif name == "addr" and self.mms is not None and len(self.senders) < android_rows.MAX_RECIPIENTS:
            self.senders += android_rows.senders([_row(attributes)])
        elif not self.root:
            self._begin(name, attributes)

    def _begin(self, name: str, attributes: list[str]) -> None:
        if name not in _ROOTS:
            raise PhoneLogError(
                "unknown",
                f"begins with <{name[:40]}>, not with <calls> or <smses>",
                file=self.entries.name,
                advice="Give the calls-….xml or sms-….xml that SMS Backup & Restore made.",
            )
        self.root = name
        self.exported_at = _exported_at(_row(attributes))

    def _turn(self, batch: android_batches.Batch) -> None:
        """Entries keep the file's order, should it hold both kinds."""
        self.batch.flush()
        self.batch = batch

    def end_mms(self) -> None:
        if self.mms is not None:
            self.batch.flush()
            try:
                for row in android_rows.mms(self.mms, self.senders):
                    self.entries.add(row)
            except RowError as problem:
                self.entries.reject(self.mms_line, problem)
            self.mms = None

    def finish(self) -> Draft:
        self.batch.flush()
        return self.entries.log(FORMAT, exported_at=self.exported_at)
