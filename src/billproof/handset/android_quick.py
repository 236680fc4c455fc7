"""Backups of SMS Backup & Restore exactly as the app writes them, by regular expressions: some five times as
fast as a parser that calls back for every tag, which is what a folder of thousands of small files waits for.

It takes a file only where it is certain to read what the parser would: a prolog and tags of one known shape,
nothing between them but blanks, no name twice in a tag, no reference but those every parser knows, no row
that would be rejected. Of anything else it says nothing, and the parser reads the file, or says what is
wrong with it. `tests/package/handset/test_quick.py` holds the two against each other.
"""

import re
from functools import lru_cache

from billproof.handset import android_rows, xml_stream
from billproof.handset.problems import RowError
from billproof.handset.rows import Row

MAX_SIZE = 4 << 20
"""Bytes; a larger file is read as a stream."""
_MAX_ATTRIBUTES = 60

_BLANKS = r"[ \t\r\n]*+"
_NAME = "[a-z_]++"
_VALUE = r'[^"<\x00-\x1f]*+'  # a tab or an end of line in a value would become a blank
_ATTRIBUTES = f'(?: {_NAME}="{_VALUE}")*+'
_ATTRIBUTE = re.compile(f' ({_NAME})="({_VALUE})"')
_HEAD = re.compile(
    r"""<\?xml version=(["'])1\.0\1 encoding=(["'])(?:UTF|utf)-8\2(?: standalone=(["'])(?:yes|no)\3)? ?\?>"""
    + _BLANKS
    + rf"(?:<!--(?:[^-\x00-\x1f]|-(?!-))*+-->{_BLANKS})*+"
    + rf'(?:<\?xml-stylesheet type="text/xsl" href="[a-z.]*+"\?>{_BLANKS})?+'
    + f"<(calls|smses)({_ATTRIBUTES}) ?>"
)
_FIRST = {tag: re.compile(f"<{tag}({_ATTRIBUTES}) ?/>") for tag in ("call", "sms")}
_TAG = re.compile(f"<(mms|part|addr)({_ATTRIBUTES})")
_INSIDE = "".join(
    f"(?:<{tag}s>{_BLANKS}(?:<{tag}{_ATTRIBUTES} ?/>{_BLANKS})*+</{tag}s>{_BLANKS})?+"
    for tag in ("part", "addr")
)
_PICTURE = f"(<mms{_ATTRIBUTES} ?>{_BLANKS}{_INSIDE}</mms>)"

# What is wanted of a row, by the names of its attributes: the shapes of their values, in the order in which
# android_rows takes them. Numbers are short enough to be in range.
_CALL = {
    "type": "[1-7]",
    "date": "[0-9]{1,14}",
    "duration": "[0-9]{1,7}",
    "number": _VALUE,
    "presentation": _VALUE,
    "subscription_component_name": _VALUE,
    "subscription_id": _VALUE,
}
_MESSAGE = {"type": "[1-6]", "date": "[0-9]{1,14}", "address": _VALUE, "body": _VALUE, "sub_id": _VALUE}
_OPTIONAL = ("presentation", "subscription_component_name", "subscription_id", "sub_id")


def read(data: bytes) -> tuple[dict[str, str], list[Row]] | None:
    """The attributes of the root and the rows, or None where the parser must look."""
    if len(data) > MAX_SIZE:
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if "\ufffe" in text or "\uffff" in text:
        return None
    head = _HEAD.match(text)
    if head is None:
        return None
    end = f"</{head[4]}>"
    text = text[head.end() :].rstrip(" \t\r\n")
    if not text.endswith(end):
        return None
    root = _attributes(head[5])
    body = text[: -len(end)]
    if root is None or "&" in head[5] or not xml_stream.all_known(body):
        return None
    try:
        rows = _calls(body) if head[4] == "calls" else _messages(body)
    except RowError:
        return None
    return None if rows is None else (root, rows)


def _calls(body: str) -> list[Row] | None:
    columns = _columns("call", _CALL, body, pictures=False)
    if columns is None:
        return None
    return [
        android_rows.call_row(code, int(date) // 1000, int(duration), *texts)
        for _, code, date, duration, *texts in zip(*columns, strict=True)
    ]


def _messages(body: str) -> list[Row] | None:
    columns = _columns("sms", _MESSAGE, body, pictures="<mms" in body)
    if columns is None:
        return None
    rows: list[Row] = []
    for picture, code, date, *texts in zip(*columns, strict=True):
        if picture:
            made = _picture(picture)
            if made is None:
                return None
            rows += made
        elif code != android_rows.DRAFT:
            rows.append(android_rows.message_row(code, int(date) // 1000, *texts))
    return rows


def _picture(text: str) -> list[Row] | None:
    tags = [(tag, _attributes(inside)) for tag, inside in _TAG.findall(text)]
    if any(attributes is None for _, attributes in tags):
        return None
    plain = [{name: _plain(value) for name, value in (attributes or {}).items()} for _, attributes in tags]
    addresses = (inside for (tag, _), inside in zip(tags, plain, strict=True) if tag == "addr")
    return android_rows.mms(plain[0], android_rows.senders(addresses))


def _columns(tag: str, wanted: dict[str, str], body: str, *, pictures: bool) -> list[list[str]] | None:
    """Messages with pictures, each as its text (else empty), then the values of ``wanted``; a row has either.
    None where anything but such rows is in ``body``.
    """
    first = _FIRST[tag].search(body)
    names = _attributes(first[1]) if first else dict.fromkeys(wanted, "")
    layout = _layout(tag, tuple(names), pictures) if names is not None else None
    if layout is None:
        return None
    pattern, groups = layout
    parts = pattern.split(body)  # what is between rows, and after each its groups
    width = 1 + len(groups)
    if "".join(parts[::width]).strip(" \t\r\n"):
        return None
    blank = [""] * (len(parts) // width)
    found = dict(zip(groups, (parts[place::width] for place in range(1, width)), strict=True))
    columns = [found.get(name, blank) for name in ("", *wanted)]
    if "&" in body:
        columns[1:] = [[_plain(value) for value in column] for column in columns[1:]]
    return columns


@lru_cache(maxsize=64)
def _layout(tag: str, names: tuple[str, ...], pictures: bool) -> tuple[re.Pattern[str], list[str]] | None:
    """What a row is whose tag has these attributes in this order, and the names of its groups; that of a
    message with pictures is empty."""
    wanted = _CALL if tag == "call" else _MESSAGE
    if len(names) > _MAX_ATTRIBUTES or not all(name in names for name in wanted if name not in _OPTIONAL):
        return None
    inside = "".join(
        f' {name}="({wanted[name]})"' if name in wanted else f' {name}="{_VALUE}"' for name in names
    )
    row = f"<{tag}{inside} ?/>"
    groups = [name for name in names if name in wanted]
    if pictures:
        return re.compile(f"{row}|{_PICTURE}"), [*groups, ""]
    return re.compile(row), groups


def _attributes(text: str) -> dict[str, str] | None:
    """Of a tag; None where a name stands twice."""
    pairs = _ATTRIBUTE.findall(text)
    found = dict(pairs)
    return found if len(found) == len(pairs) else None


def _plain(value: str) -> str:
    return xml_stream.characters(value) if value and "&" in value else value
