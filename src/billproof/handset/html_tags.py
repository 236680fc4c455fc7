"""The tags and text of a page of HTML, in order, in one pass whatever the page is like.

(The standard library's parser takes a time that grows with the square of a page of broken tags.)
"""

import html
import re
from typing import Protocol

MAX_TAG = 65_536
_TAG = re.compile(r"""<(/?)([A-Za-z][^\s/>]*)((?:[^>"']|"[^"]*"|'[^']*')*+)>""", re.ASCII)
_ATTRIBUTE = re.compile(r"""([^\s=/"'>]+)(?:\s*+=\s*+(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""", re.ASCII)
_OPAQUE = ("style", "script")


class Handler(Protocol):
    """What is told of a page."""

    def start(self, tag: str, attributes: dict[str, str]) -> None: ...
    def end(self, tag: str) -> None: ...
    def text(self, text: str) -> None: ...


def scan(page: str, handler: Handler) -> None:
    """Tells of every tag and text. A tag that is broken, or longer than MAX_TAG, is passed over."""
    at = 0
    while at < len(page):
        opened = page.find("<", at)
        stop = len(page) if opened < 0 else opened
        if stop > at:
            handler.text(html.unescape(page[at:stop]))
        if opened < 0:
            return
        if page.startswith("<!--", opened):
            at = _past(page, "-->", opened + 4)
        elif page[opened + 1 : opened + 2] in ("!", "?"):
            at = _past(page, ">", opened + 2)
        else:
            at = _tag(page, opened, handler)


def _tag(page: str, opened: int, handler: Handler) -> int:
    """Where the tag ends."""
    close = page.find(">", opened)
    if close < 0:
        return len(page)
    letter = page[opened + 1]
    if not (letter == "/" or (letter.isascii() and letter.isalpha())):
        handler.text("<")
        return opened + 1
    match = _TAG.match(page, opened, opened + MAX_TAG) if close - opened <= MAX_TAG else None
    if match is None:
        return close + 1
    tag = match[2].lower()
    if match[1]:
        handler.end(tag)
        return match.end()
    attributes = {
        found[1].lower(): html.unescape(found[2] or found[3] or found[4] or "")
        for found in _ATTRIBUTE.finditer(match[3])
    }
    handler.start(tag, attributes)
    if match[3].endswith("/"):
        handler.end(tag)
    elif tag in _OPAQUE:
        finish = page.find(f"</{tag}", match.end())
        return len(page) if finish < 0 else finish
    return match.end()


def _past(page: str, mark: str, start: int) -> int:
    found = page.find(mark, start)
    return len(page) if found < 0 else found + len(mark)
