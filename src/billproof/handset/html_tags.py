"""The tags and text of a page of HTML, in order, in one pass whatever the page is like.

(The standard library's parser takes a time that grows with the square of a page of broken tags.)
"""

import html
import re
from typing import Protocol

MAX_TAG = 65_536
# A name is at most 64 characters, so that a broken tag is looked at in time that grows with its length.
_TAG = re.compile(r"""<(/?)([A-Za-z][^\s/>]{0,63})((?:[^>"']|"[^"]*"|'[^']*')*+)>""", re.ASCII)
_ATTRIBUTE = re.compile(r"""([^\s=/"'>]+)(?:\s*+=\s*+(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""", re.ASCII)
# The same without any ``<`` inside: looks at each character once, and finds nothing that _TAG would not.
_PLAIN = re.compile(r"""<(/?)([A-Za-z][^\s/<>]{0,63}+)((?:[^<>"']|"[^"<]*+"|'[^'<]*+')*+)>""", re.ASCII)
_OPAQUE = frozenset(("style", "script"))


class Handler(Protocol):
    """What is told of a page: all its text, and those tags whose names are in ``tags``."""

    tags: frozenset[str]

    def start(self, tag: str, attributes: dict[str, str]) -> None: ...
    def end(self, tag: str) -> None: ...
    def text(self, text: str) -> None: ...


def scan(page: str, handler: Handler) -> None:
    """Tells of every tag and text. A tag that is broken, or longer than MAX_TAG, is passed over."""
    at, tried = 0, False
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
            if not tried and page.startswith("<body", opened):
                tried = True
                if _plain(page[at:], handler):
                    return


def _plain(rest: str, handler: Handler) -> bool:
    """Tells of a page's rest at once, if it is nothing but tags and text, as is that of nearly all pages."""
    if len(rest) > MAX_TAG:
        return False
    parts = _PLAIN.split(rest)  # a text, then of each tag its groups and the text after it
    tags = [name.lower() for name in parts[2::4]]
    if "<" in "".join(parts[::4]) or not _OPAQUE.isdisjoint(tags):
        return False
    wanted = handler.tags
    handler.text(html.unescape(parts[0]))
    for slash, tag, inside, text in zip(parts[1::4], tags, parts[3::4], parts[4::4], strict=True):
        if tag in wanted:
            _tell(slash, tag, inside, handler)
        if text:
            handler.text(html.unescape(text))
    return True


def _tell(slash: str, tag: str, inside: str, handler: Handler) -> None:
    if slash:
        handler.end(tag)
        return
    attributes = {
        found[1].lower(): html.unescape(found[2] or found[3] or found[4] or "")
        for found in _ATTRIBUTE.finditer(inside)
    }
    handler.start(tag, attributes)
    if inside.endswith("/"):
        handler.end(tag)


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
    if tag in handler.tags:
        _tell(match[1], tag, match[3], handler)
    if tag in _OPAQUE and not match[1] and not match[3].endswith("/"):
        finish = page.find(f"</{tag}", match.end())
        return len(page) if finish < 0 else finish
    return match.end()


def _past(page: str, mark: str, start: int) -> int:
    found = page.find(mark, start)
    return len(page) if found < 0 else found + len(mark)
