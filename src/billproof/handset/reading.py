"""A file, folder or archive → phone logs; which format it is, its content says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from billproof.handset import (
    android_xml,
    archive,
    calllog_csv,
    fritzbox,
    iphone,
    sheets,
    spreadsheet,
    voice,
)
from billproof.handset.entries import PhoneLog
from billproof.handset.problems import PhoneLogError
from billproof.handset.rows import Draft, finish
from billproof.handset.sheets import Sheet
from billproof.handset.source import MAX_WHOLE, Source

if TYPE_CHECKING:
    from billproof.handset.mapped import Mapping

_PAGES = (".html", ".htm")
_FILES = (".xml", ".csv", ".storedata")
_KINDS = "docs/handset.md says what each kind of phone can export, and how."
_FORMATS: tuple[tuple[Callable[[Sheet], bool], Callable[[Sheet], Draft]], ...] = tuple(
    (format.looks_like, format.read) for format in (calllog_csv, fritzbox, spreadsheet)
)


def read_phone_log(
    source: str | Path | tuple[str, bytes], *, mapping: str | Path | Mapping | None = None
) -> list[PhoneLog]:
    """The phone logs in a file, a folder, an archive, or ``(name, content)``.

    ``mapping``: how to read a CSV of no known format, as a file or as :func:`mapped.parse` gives it. A file
    is one log; so is a Google Takeout, however many pages it has. Raises :class:`PhoneLogError`, an
    InputError, for what cannot be used at all; single rows that cannot be are in the log's ``rejects``.
    """
    rules = _load(Path(mapping)) if isinstance(mapping, str | Path) else mapping
    if isinstance(source, tuple):
        return finish(_read(Source(*source), rules))
    return finish(read_drafts(Path(source), rules))


def read_drafts(path: Path, rules: Mapping | None = None) -> list[Draft]:
    """The logs at a path, to be finished together with others."""
    if path.is_dir():
        return _members(path.name, path, rules)
    return _read(Source(path.name, path), rules)


def _load(path: Path) -> Mapping:
    from billproof.handset import mapped

    return mapped.load(path)


def _read(source: Source, rules: Mapping | None) -> list[Draft]:
    head = source.head()
    if archive.is_zip(head):
        return _members(source.name, source, rules)
    return [_file(source, head, rules)]


def _members(name: str, place: Source | Path, rules: Mapping | None) -> list[Draft]:
    members = archive.Members(name, place)
    logs = [
        _file(Source(f"{name}/{member}", data), data[:65_536], rules)
        for member, data in members.read(members.ending(_FILES), MAX_WHOLE)
    ]
    pages = members.ending(_PAGES)
    if pages:
        log = voice.read(name, members.read(pages, voice.MAX_PAGE))
        if len(log) or log.rejects or not logs:
            logs.append(log)
    if not logs:
        raise PhoneLogError("archive", "holds no phone log", file=name, advice=_KINDS)
    return logs


def _file(source: Source, head: bytes, rules: Mapping | None) -> Draft:
    if not head.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise PhoneLogError("empty", "is empty", file=source.name, advice="Export it again.")
    if head.startswith(b"%PDF"):
        raise PhoneLogError(
            "pdf",
            "is a PDF, in which no program can tell columns for certain",
            file=source.name,
            advice=f"Give a call log that the phone itself exported; {_KINDS}",
        )
    if head.startswith(iphone.MAGIC):
        return iphone.read(source)
    start = _start(head)
    if start.startswith("{"):
        code = "bundle" if '"billproof/' in start else "unknown"
        message = (
            "is a proof file of Billproof, not a phone log"
            if code == "bundle"
            else "is JSON, not a phone log"
        )
        raise PhoneLogError(code, message, file=source.name, advice=_KINDS)
    if start.startswith("<"):
        return _markup(source, head, start)
    text = sheets.decode(source)
    sheet = sheets.open_sheet(source.name, text)
    if sheet is not None and rules is not None:
        from billproof.handset import mapped  # and with it much of intake, which few logs need

        return mapped.read(sheet, rules)
    if sheet is not None:
        for looks_like, read in _FORMATS:
            if looks_like(sheet):
                return read(sheet)
    if sheet is not None and sheet.header:
        raise PhoneLogError(
            "unknown",
            f"has columns of no known format: {', '.join(sheet.header[:20])[:200]}",
            file=source.name,
            advice="Say what they mean in a mapping file (docs/handset.md), or export it in another way.",
        )
    raise PhoneLogError("unknown", "is of no known format", file=source.name, advice=_KINDS)


def _start(head: bytes) -> str:
    """The first characters, whatever their encoding, without mark or blanks."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = head[: len(head) // 2 * 2].decode("utf-16", "replace")
    else:
        text = head.decode("utf-8", "replace")
    return text.lstrip("\ufeff \t\r\n")[:8192]


def _markup(source: Source, head: bytes, start: str) -> Draft:
    if voice.is_page(head):
        data = source.whole()
        if len(data) > voice.MAX_PAGE:
            raise PhoneLogError("too-large", "is too long for one page", file=source.name, advice=_KINDS)
        return voice.read(source.name, [(source.name, data)])
    if start[:14].lower().startswith(("<!doctype html", "<html")):
        raise PhoneLogError(
            "unknown", "is a web page, but none of Google Voice's", file=source.name, advice=_KINDS
        )
    return android_xml.read(source)
