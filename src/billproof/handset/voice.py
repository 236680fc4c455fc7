"""Google Voice, as Google Takeout gives it: a page of HTML for each call and each stretch of conversation.

Source: exports themselves, and the public tools that read them; Google describes no format. Pages use
microformat classes that do not depend on the language: ``haudio`` a call, ``hChatLog`` a conversation,
``tel`` a number, ``published`` and ``dt`` a time, ``duration`` ISO 8601; the owner's own name is an ``abbr``
where others' are a ``span``.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from billproof.handset import html_tags, values
from billproof.handset.problems import RowError
from billproof.handset.rows import CALL, IN, MESSAGE, MMS, NO, OUT, YES, Draft, Entries, Row

FORMAT = "google-voice"
MAX_PAGE = 16 << 20
"""Bytes of one page; a year of one busy conversation has about two million."""
_MAX_PEOPLE = 100
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_DURATION = re.compile(r"PT(?:([0-9]{1,4})H)?(?:([0-9]{1,5})M)?(?:([0-9]{1,7})S)?", re.ASCII)
_NAMED = re.compile(r"(\+?[0-9]{3,20}) - ", re.ASCII)
_LABELS = {
    "placed": (OUT, None),
    "received": (IN, YES),
    "recorded": (IN, YES),
    "missed": (IN, NO),
    "voicemail": (IN, NO),
}
_PICTURES = ("img", "video", "audio")


def is_page(data: bytes) -> bool:
    """Whether the page is one of Google Voice's."""
    return b"haudio" in data or b"hChatLog" in data


def read(name: str, pages: Iterable[tuple[str, bytes]]) -> Draft:
    """``pages``: names and contents, in the order in which their entries shall stand. A page that is none of
    Google Voice's is passed over. Rejects give the page's place, from 1.
    """
    entries = Entries(name)
    for place, (page_name, data) in enumerate(pages, 1):
        if not is_page(data):
            continue
        page = _Page()
        html_tags.scan(data.decode("utf-8", "replace"), page)
        page.finish()
        if page.call:
            _add(entries, place, page.call_row)
        others = page.others or _named(page_name)
        for message in page.messages:
            for other in others if message.mine and others else [""]:
                _add(entries, place, partial(message.row, other, len(others)))
    return entries.log(FORMAT)


def _add(entries: Entries, place: int, convert: Callable[[], Row]) -> None:
    try:
        entries.add(convert())
    except RowError as problem:
        entries.reject(place, problem)


def _named(page_name: str) -> list[str]:
    """The number in a page's file name, which has it when the address book has no name."""
    match = _NAMED.match(page_name.rpartition("/")[2])
    return [match[1]] if match else []


def _moment(field: str, text: str) -> int:
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise RowError(field, "is not a time with its offset" if text else "is missing")
    try:
        moment = datetime.fromisoformat(match[1] + ("+00:00" if match[2] == "Z" else match[2]))
        return values.second(field, int(moment.timestamp()))
    except (ValueError, OverflowError) as error:
        raise RowError(field, "is no time that exists") from error


class _Message:
    def __init__(self) -> None:
        self.moment = ""
        self.sender = ""
        self.mine = False
        self.picture = False
        self.text: list[str] = []

    def row(self, other: str, others: int) -> Row:
        at = _moment("dt", self.moment)
        number = values.clean_number(other if self.mine else self.sender)
        direction = OUT if self.mine else IN
        if self.picture or others > 1:
            return MMS, direction, YES, number, at, 0, 0, ""
        return MESSAGE, direction, YES, number, at, 0, values.segments("".join(self.text)), ""


class _Page:
    tags = frozenset(("div", "a", "abbr", "cite", "q", "br", *_PICTURES))

    def __init__(self) -> None:
        self.call = False
        self.number = ""
        self.published = ""
        self.duration = ""
        self.labels: list[str] = []
        self.messages: list[_Message] = []
        self.others: list[str] = []
        self._message: _Message | None = None
        self._cite = False
        self._quote = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        classes = attributes.get("class", "").split()
        if tag == "div" and "haudio" in classes:
            self.call = True
        elif tag == "div" and "message" in classes:
            self.finish()
            self._message = _Message()
        elif tag == "a" and "tel" in classes:
            self._tel(attributes.get("href", "").removeprefix("tel:"))
        elif tag == "a" and attributes.get("rel") == "tag":
            self.labels.append(attributes.get("href", "").rpartition("#")[2])
        elif tag == "abbr":
            self._abbr(classes, attributes.get("title", ""))
        elif tag == "cite":
            self._cite = True
        elif tag == "q":
            self._quote = True
        elif tag == "br" and self._quote and self._message:
            self._message.text.append("\n")
        elif tag in _PICTURES and self._message:
            self._message.picture = True

    def end(self, tag: str) -> None:
        if tag == "cite":
            self._cite = False
        elif tag == "q":
            self._quote = False

    def text(self, text: str) -> None:
        if self._quote and self._message:
            self._message.text.append(text)

    def _tel(self, number: str) -> None:
        if self._message is None:
            if self.call:
                self.number = self.number or number
            else:
                self._meet(number)
        elif self._cite:
            self._message.sender = number

    def _abbr(self, classes: list[str], title: str) -> None:
        if "published" in classes:
            self.published = self.published or title
        elif "duration" in classes:
            self.duration = self.duration or title
        elif "dt" in classes and self._message:
            self._message.moment = title
        elif "fn" in classes and self._message and self._cite:
            self._message.mine = True

    def _meet(self, number: str) -> None:
        if number and number not in self.others and len(self.others) < _MAX_PEOPLE:
            self.others.append(number)

    def finish(self) -> None:
        """The message that was being read is complete."""
        if self._message is not None:
            if not self._message.mine:
                self._meet(self._message.sender)
            self.messages.append(self._message)
        self._message = None
        self._cite = self._quote = False

    def call_row(self) -> Row:
        label = next((label for label in self.labels if label in _LABELS), None)
        if label is None:
            raise RowError("tags", "have no label that says whether it was placed, received or missed")
        direction, answered = _LABELS[label]
        at = _moment("published", self.published)
        seconds = -1
        if self.duration:
            match = _DURATION.fullmatch(self.duration)
            if match is None or not any(match.groups()):
                raise RowError("duration", "is not an ISO 8601 duration")
            hours, minutes, rest = (int(part or 0) for part in match.groups())
            seconds = values.duration("duration", hours * 3600 + minutes * 60 + rest)
        elif answered == NO:
            seconds = 0
        if answered is None:
            answered = values.answered(seconds)
        return CALL, direction, answered, values.clean_number(self.number), at, seconds, 0, ""
