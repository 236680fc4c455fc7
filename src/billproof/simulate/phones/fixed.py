"""Logs that are no handset's: Google Voice's pages, one a call, and the call list of a FRITZ!Box."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from billproof.simulate import text
from billproof.simulate.phones.entries import What
from billproof.simulate.phones.logs import Log, Logs

#: Google Voice's word and its title for each kind, by ``What``.
_PAGES = (
    ("Placed", "Placed call to"),
    ("Received", "Received call from"),
    ("Missed", "Missed call from"),
    ("Missed", "Missed call from"),
    ("Missed", "Missed call from"),
    ("Placed", "Placed call to"),
)

#: FRITZ!Box's numbers for kinds of calls, by ``What``.
_TYPES = ("4", "1", "2", "3", "3", "4")

_HEADER = "sep=;\nTyp;Datum;Name;Rufnummer;Landes-/Ortsnetzbereich;Nebenstelle;Eigene Rufnummer;Dauer\n"


def write_pages(logs: Logs) -> list[Path]:
    """A folder ``Takeout/Voice/Calls`` in each log's folder, one page for each call; gives the folders."""
    written = []
    for log in logs:
        folder = log.folder / "Takeout" / "Voice" / "Calls"
        folder.mkdir(parents=True, exist_ok=True)
        _pages(logs, log, folder)
        if folder not in written:
            written.append(folder)
    return written


def _pages(logs: Logs, log: Log, folder: Path) -> None:
    span = np.arange(log.first, log.last)
    entries = logs.entries.take(span)
    numbers = logs.numbers.take(pa.array(span)).to_pylist()
    names = logs.names.take(pa.array(span)).to_pylist()
    utc = text.timestamp(entries.at, "T").to_pylist()
    local = text.timestamp(logs.local[span], "T").to_pylist()
    zones = text.offsets(entries.offset).to_pylist()
    taken: set[str] = set()
    kinds, lengths = entries.what.tolist(), entries.duration.tolist()
    for number, name, at, wall, zone, what, length in zip(
        numbers, names, utc, local, zones, kinds, lengths, strict=True
    ):
        word, title = _PAGES[what]
        stem = f"{name or number} - {word} - {at.replace(':', '_')}Z"
        while stem in taken:
            stem += "(1)"
        taken.add(stem)
        shown = name or number or "Anonymous"
        duration = ""
        if what <= What.INCOMING:
            duration = f'<abbr class="duration" title="{_iso(length)}">({_clock(length)})</abbr>\n'
        page = (
            '<?xml version="1.0" ?>\n<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml"><head>'
            f'<meta charset="utf-8" /><title>{title}\n{shown}</title></head><body><div class="haudio">'
            f'<span class="album">Call Log for\n</span>\n<span class="fn">{title}\n{shown}</span>\n'
            f'<div class="contributor vcard">{title}\n<a class="tel" href="tel:{number}">'
            f'<span class="fn">{name}</span></a></div>\n'
            f'<abbr class="published" title="{wall}.000{zone}">{wall.replace("T", ", ")}</abbr>\n<br />\n'
            f'{duration}<div class="tags">Labels:\n'
            f'<a rel="tag" href="http://www.google.com/voice#{word.lower()}">{word}</a></div>\n'
            "</div></body></html>\n"
        )
        (folder / f"{stem}.html").write_text(page, encoding="utf-8", newline="\n")


def _iso(seconds: int) -> str:
    """``PT1H2M3S`` without what is zero."""
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    parts = ((hours, "H"), (minutes, "M"), (rest, "S"))
    return "PT" + ("".join(f"{value}{unit}" for value, unit in parts if value) or "0S")


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def write_list(logs: Logs) -> list[Path]:
    """``FRITZ!Box_Anrufliste.csv`` in each log's folder: newest first, to the minute."""
    entries = logs.entries
    year, month, day = text.dates(logs.local)
    hour, minute, _ = text.clock(logs.local)
    date = text.fixed(day, ".", month, ".", year[:, 2:], " ", hour, ":", minute)
    minutes = -(-entries.duration // 60)
    length = text.joined(
        text.integers(minutes // 60), ":", text.fixed(text.digits(minutes % 60, 2)), rows=len(entries)
    )
    kinds = pa.array(_TYPES, pa.string()).take(pa.array(entries.what))
    rows = text.joined(
        kinds, ";", date, ";", logs.names, ";", logs.numbers, ";;Telefon;020910;", length, "\n",
        rows=len(entries),
    )  # fmt: skip
    written = []
    for log in logs:
        path = log.folder / "FRITZ!Box_Anrufliste.csv"
        newest = rows.slice(log.first, log.last - log.first).to_pylist()[::-1]
        path.write_text(_HEADER + "".join(newest), encoding="utf-8", newline="\n")
        written.append(path)
    return written
