"""XML as a stream of start and end tags, by expat, for files nobody vouches for.

No document type, so no entities and nothing fetched; nesting, the size of one tag and the encodings are
bounded. What SMS Backup & Restore writes for emoji, the two halves of a surrogate pair as two character
references, is no XML at all; it is put together before the parser sees it.
"""

import codecs
import re
from collections.abc import Callable, Iterator, Mapping
from xml.parsers import expat

from billproof.handset.problems import PhoneLogError
from billproof.handset.source import Source

MAX_DEPTH = 32
MAX_TAG = 64 << 20
"""Bytes between the end of what was parsed and the end of what was read: one tag with a picture in it, at
most.
"""
_TAIL = 32
_HIGH = rb"55(?:29[6-9]|[3-9][0-9]{2})|56(?:[0-2][0-9]{2}|3[01][0-9])|[xX][dD][89abAB][0-9a-fA-F]{2}"
_LOW = (
    rb"56(?:3[2-9][0-9]|[4-9][0-9]{2})|57(?:[0-2][0-9]{2}|3[0-3][0-9]|34[0-3])|[xX][dD][c-fC-F][0-9a-fA-F]{2}"
)
_ANY = rb"[0-9]{1,7}|[xX][0-9a-fA-F]{1,6}"
_MARK = re.compile(rb"&#")
_REFERENCE = re.compile(rb"&#(?:(%s);&#(%s)|(%s));" % (_HIGH, _LOW, _ANY))
_UNFINISHED = re.compile(rb"(?:&#(?:%s);)?(?:&(?:#[0-9a-zA-Z]{0,7})?)?\Z" % _HIGH)
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_KNOWN = re.compile(r"&(?:#(?:[0-9]{1,7}|[xX][0-9a-fA-F]{1,6})|amp|lt|gt|quot|apos);")
_WORD = re.compile(r"&(?:#([0-9]{1,7})|([a-z]+));")
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
ENCODINGS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "iso-8859-1": "latin-1",
}
_ADVICE = (
    "Export it again; a file that was sent or edited with another program may have been damaged on the way."
)

Start = Callable[[str, list[str], int], None]
"""Gets the element's name, its attributes as name, value, name, value …, and its line."""


def parse(source: Source, start: Start, ends: Mapping[str, Callable[[], None]]) -> None:
    """Calls ``start`` for every tag, and what ``ends`` has for it at its end.

    Raises :class:`PhoneLogError` for what is no good XML.
    """
    parser = expat.ParserCreate(encoding="utf-8")
    parser.ordered_attributes = True
    parser.buffer_text = True
    depth = 0

    def opened(name: str, attributes: list[str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise _problem("nested", f"tags are nested more than {MAX_DEPTH} deep")
        start(name, attributes, parser.CurrentLineNumber)

    def closed(name: str) -> None:
        nonlocal depth
        depth -= 1
        if name in ends:
            ends[name]()

    def refuse(*_: object) -> None:
        raise _problem("entities", "has a document type, which no export of this app has")

    def _problem(code: str, message: str) -> PhoneLogError:
        return PhoneLogError(code, message, file=source.name, line=parser.CurrentLineNumber, advice=_ADVICE)

    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    fed = 0
    try:
        for piece in _repaired(_utf8(source)):
            parser.Parse(piece, False)
            fed += len(piece)
            if fed - parser.CurrentByteIndex > MAX_TAG:
                raise _problem("too-large", f"one tag is longer than {MAX_TAG >> 20} MiB")
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise _malformed(source, error) from error
    except UnicodeDecodeError as error:
        raise PhoneLogError(
            "encoding", f"its text is not {error.encoding}", file=source.name, advice=_ADVICE
        ) from error


def _malformed(source: Source, error: expat.ExpatError) -> PhoneLogError:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in _utf8(source):
            decoder.decode(piece)
        decoder.decode(b"", True)
    except UnicodeDecodeError as wrong:
        return _no_text(source, wrong)
    reason = expat.ErrorString(error.code)
    cut = error.code in (3, 5, 6) or "unclosed" in reason
    message = "ends in the middle: the file is cut off" if cut else f"is not well-formed XML ({reason})"
    return PhoneLogError("malformed", message, file=source.name, line=error.lineno, advice=_ADVICE)


def _no_text(source: Source, error: UnicodeDecodeError) -> PhoneLogError:
    return PhoneLogError("encoding", f"its text is not {error.encoding}", file=source.name, advice=_ADVICE)


def _utf8(source: Source) -> Iterator[bytes]:
    """The file in UTF-8, without a byte order mark."""
    head = source.head(512)
    chunks = source.chunks()
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        decoder = codecs.getincrementaldecoder("utf-16")()
        for piece in chunks:
            yield decoder.decode(piece).encode()
        yield decoder.decode(b"", True).encode()
        return
    declared = _DECLARED.match(head.removeprefix(codecs.BOM_UTF8))
    name = declared.group(1).decode().lower() if declared else "utf-8"
    encoding = ENCODINGS.get(name)
    if encoding is None:
        raise PhoneLogError("encoding", f"is written in {name}", file=source.name, advice="Save it as UTF-8.")
    if encoding == "latin-1":
        for piece in chunks:
            yield piece.decode("latin-1").encode()
        return
    first = next(chunks, b"")
    yield first.removeprefix(codecs.BOM_UTF8)
    yield from chunks


def _repaired(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """References to surrogates and to characters that XML forbids become characters."""
    rest = b""
    for piece in pieces:
        piece = rest + piece
        tail = _UNFINISHED.search(piece, max(0, len(piece) - _TAIL))
        cut = tail.start() if tail else len(piece)
        rest, piece = piece[cut:], piece[:cut]
        yield _REFERENCE.sub(_character, piece) if _MARK.search(piece) else piece
    yield _REFERENCE.sub(_character, rest)


def all_known(text: str) -> bool:
    """Whether every ``&`` begins a reference that :func:`parse` knows."""
    return "&" not in text or text.count("&") == len(_KNOWN.findall(text))


def characters(text: str) -> str:
    """What :func:`parse` makes of references in a value, all of which it knows."""
    repaired = _REFERENCE.sub(_character, text.encode()).decode()
    return _WORD.sub(lambda match: chr(int(match[1])) if match[1] else _NAMED[match[2]], repaired)


def _character(match: re.Match[bytes]) -> bytes:
    high, low, other = match.groups()
    if other is None:
        return chr(0x10000 + ((_code(high) - 0xD800) << 10) + (_code(low) - 0xDC00)).encode()
    code = _code(other)
    good = code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000
    return b"&#%d;" % (code if good else 0xFFFD)


def _code(text: bytes) -> int:
    return int(text[1:], 16) if text[:1] in b"xX" else int(text)
