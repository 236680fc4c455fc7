"""A small, strict reader of the PDF files that Billproof writes, and of no others.

One cross-reference table, no update appended, no object streams, no encryption, Flate alone, one attachment;
everything is bounded by the size of the file. Whatever differs raises :class:`InputError`, which is safe: the
bundle is in the original too.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from billproof.errors import InputError

#: Larger files are not read.
MAX_PDF_BYTES = 256 << 20

_MAX_OBJECTS = 1 << 20
_HEADER = re.compile(rb"%PDF-1\.\d\n%[^\r\n]*\n")
_MAX_DEPTH = 24
_MOST_RATIO = 40  # of bytes unpacked to bytes packed; a bundle has some 4, a page 8
_MOST_UNPACKED = 1 << 30
_ORIGINAL = "Give the PDF as the operator sent it, not saved or printed again by another program."
_SPACE = b"\0\t\n\f\r "
_TOKEN = re.compile(rb"[^\0\t\n\f\r ()<>\[\]{}/%]+")
_SKIP = re.compile(rb"(?:[\0\t\n\f\r ]|%[^\r\n]*)*")
_REFERENCE = re.compile(rb"(\d{1,7})[\0\t\n\f\r ]+(\d{1,5})[\0\t\n\f\r ]+R(?![^\0\t\n\f\r ()<>\[\]{}/%])")
_ESCAPES = {0x6E: 10, 0x72: 13, 0x74: 9, 0x62: 8, 0x66: 12, 0x28: 0x28, 0x29: 0x29, 0x5C: 0x5C}


class Name(str):
    """A PDF name, without its slash."""

    __slots__ = ()


class Operator(str):
    """A keyword of a page's drawing."""

    __slots__ = ()


class Reference(NamedTuple):
    """A reference to an object."""

    number: int
    generation: int


@dataclass(frozen=True)
class Stream:
    """A stream: its dictionary, and its bytes as they are in the file."""

    facts: dict[str, Any]
    packed: bytes = field(repr=False)

    def unpacked(self) -> bytes:
        """The bytes, unpacked as far as is reasonable."""
        how = self.facts.get("Filter")
        if how is None or how == []:
            return self.packed
        if how not in ("FlateDecode", ["FlateDecode"]) or self.facts.get("DecodeParms") is not None:
            raise refused("a stream is packed in another way than Flate")
        most = min(len(self.packed) * _MOST_RATIO + (1 << 16), _MOST_UNPACKED)
        unpacker = zlib.decompressobj()
        try:
            content = unpacker.decompress(self.packed, most)
        except zlib.error as error:
            raise refused("a stream is damaged") from error
        if not unpacker.eof:
            raise refused("a stream is cut off, or unpacks to far more than a bundle does")
        return content


def refused(reason: str) -> InputError:
    """What is said of a PDF that is none of ours."""
    return InputError(f"this PDF cannot be used: {reason}", advice=_ORIGINAL)


class Scanner:
    """Reads PDF objects from bytes."""

    def __init__(self, content: bytes, at: int = 0) -> None:
        self.content, self.at = content, at

    def skip(self) -> None:
        match = _SKIP.match(self.content, self.at)
        self.at = match.end() if match else self.at

    def ended(self) -> bool:
        self.skip()
        return self.at >= len(self.content)

    def keyword(self, word: bytes) -> bool:
        """Whether this word is next; if so, it is passed."""
        self.skip()
        if not self.content.startswith(word, self.at):
            return False
        if word.isalpha() and _TOKEN.match(self.content, self.at + len(word)):
            return False
        self.at += len(word)
        return True

    def integer(self) -> int:
        value = self.value()
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise refused("a number is missing")
        return value

    def value(self, depth: int = 0) -> Any:
        """The next object; :class:`Operator` for a word that is none."""
        if depth > _MAX_DEPTH:
            raise refused("nested too deeply")
        self.skip()
        content, at = self.content, self.at
        start = content[at : at + 1]
        if start == b"/":
            self.at += 1
            return Name(self._unescaped(self._token()))
        if start == b"(":
            return self._string()
        if content.startswith(b"<<", at):
            return self._dictionary(depth)
        if start == b"<":
            return self._hexadecimal()
        if start == b"[":
            self.at += 1
            items = []
            while not self.keyword(b"]"):
                items.append(self.value(depth + 1))
            return items
        reference = _REFERENCE.match(content, at)
        if reference:
            self.at = reference.end()
            return Reference(int(reference[1]), int(reference[2]))
        return _atom(self._token())

    def _token(self) -> bytes:
        match = _TOKEN.match(self.content, self.at)
        if not match:
            raise refused("cut off or damaged")
        self.at = match.end()
        return match[0]

    def _unescaped(self, token: bytes) -> str:
        return re.sub(rb"#([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), token).decode("latin-1")

    def _dictionary(self, depth: int) -> dict[str, Any]:
        self.at += 2
        found: dict[str, Any] = {}
        while not self.keyword(b">>"):
            key = self.value(depth + 1)
            if not isinstance(key, Name) or key in found:
                raise refused("a dictionary is damaged")
            found[str(key)] = self.value(depth + 1)
        return found

    def _hexadecimal(self) -> bytes:
        end = self.content.find(b">", self.at)
        if end < 0:
            raise refused("cut off or damaged")
        digits = self.content[self.at + 1 : end].translate(None, _SPACE)
        self.at = end + 1
        try:
            return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))
        except ValueError as error:
            raise refused("a text is damaged") from error

    def _string(self) -> bytes:
        content, out, depth = self.content, bytearray(), 1
        at, end = self.at + 1, len(self.content)
        while at < end:
            byte = content[at]
            at += 1
            if byte == 0x5C:
                octal = re.compile(rb"[0-7]{1,3}").match(content, at)
                if octal:
                    out.append(int(octal[0], 8) & 255)
                    at = octal.end()
                    continue
                if at >= end:
                    break
                escaped = content[at]
                at += 1
                if escaped == 13 and content[at : at + 1] == b"\n":
                    at += 1
                if escaped not in (10, 13):
                    out.append(_ESCAPES.get(escaped, escaped))
                continue
            depth += (byte == 0x28) - (byte == 0x29)
            if not depth:
                self.at = at
                return bytes(out)
            out.append(byte)
        raise refused("cut off or damaged")


def _atom(token: bytes) -> Any:
    words = {b"true": True, b"false": False, b"null": None}
    if token in words:
        return words[token]
    if re.fullmatch(rb"[+-]?\d{1,15}", token):
        return int(token)
    if re.fullmatch(rb"[+-]?(\d{1,15}\.?\d{0,15}|\.\d{1,15})", token):
        return float(token)
    return Operator(token.decode("latin-1"))


class PdfFile:
    """All objects of a file; :attr:`root` is the catalog."""

    def __init__(self, content: bytes) -> None:
        if not content.startswith(b"%PDF-1."):
            raise refused("it does not begin like one")
        if len(content) > MAX_PDF_BYTES:
            raise refused(f"larger than {MAX_PDF_BYTES >> 20} MiB")
        end = re.search(rb"startxref\n(\d{1,10})\n%%EOF\n\Z", content[-64:])
        if not end:
            raise refused("its end is missing: it was cut off on the way, or something was appended")
        if content.count(b"\n%%EOF\n") > 1:
            raise refused("it was changed after it was made")
        self._content = content
        table = int(end[1])
        offsets, trailer = self._table(table, len(content) - len(end[0]))
        header = _HEADER.match(content)
        at = header.end() if header else 0
        self.objects: dict[int, Any] = {}
        for number, offset in enumerate(offsets, 1):  # one after the other: nothing lies between or beside
            if offset != at:
                raise refused("its objects are not where its table says")
            self.objects[number], at = self._object(number, at)
        if at != table:
            raise refused("something is hidden in it")
        if not isinstance(trailer.get("Root"), Reference):
            raise refused("its catalog is in the trailer")
        root = self.get(trailer.get("Root"))
        if not isinstance(root, dict) or root.get("Type") != "Catalog":
            raise refused("it has no catalog")
        self.root: dict[str, Any] = root

    def get(self, value: Any) -> Any:
        """What a reference leads to, or the value itself."""
        for _ in range(4):
            if not isinstance(value, Reference):
                return value
            value = self.objects.get(value.number) if value.generation == 0 else None
        raise refused("references lead nowhere")

    def dictionary(self, value: Any, what: str) -> dict[str, Any]:
        found = self.get(value)
        if not isinstance(found, dict):
            raise refused(f"{what} is missing")
        return found

    def _table(self, at: int, end: int) -> tuple[list[int], dict[str, Any]]:
        """Where objects 1, 2, … are, and the trailer; the table is at ``at``, the trailer ends at ``end``."""
        start = re.compile(rb"xref\n0 (\d{1,7})\n").match(self._content, at)
        if not start:
            raise refused("it has no plain cross-reference table")
        count = int(start[1])
        if count > _MAX_OBJECTS:
            raise refused("it has too many objects")
        after = start.end() + 20 * count
        entries = self._content[start.end() : after]
        if not re.fullmatch(rb"0000000000 65535 f \n(?:\d{10} 00000 n \n)*", entries):
            raise refused("its cross-reference table is damaged")
        scanner = Scanner(self._content, after)
        if not self._content.startswith(b"trailer", after) or not scanner.keyword(b"trailer"):
            raise refused("it has no trailer")
        trailer = scanner.value()
        if not isinstance(trailer, dict):
            raise refused("it has no trailer")
        if self._content[scanner.at : end] != b"\n":
            raise refused("something follows its trailer")
        if "Encrypt" in trailer:
            raise refused("it is encrypted")
        if "Prev" in trailer or "XRefStm" in trailer:
            raise refused("it was changed after it was made")
        if not trailer.keys() <= {"Size", "Root", "Info", "ID"} or trailer.get("Size") != count:
            raise refused("its trailer is none of ours")
        return [int(entries[place : place + 10]) for place in range(20, len(entries), 20)], trailer

    def _object(self, number: int, at: int) -> tuple[Any, int]:
        """An object, and where it ends."""
        content, start = self._content, b"%d 0 obj\n" % number
        if not content.startswith(start, at):
            raise refused("its cross-reference table is damaged")
        scanner = Scanner(content, at + len(start))
        value = scanner.value()
        at, end = scanner.at, b"\nendobj\n"
        if isinstance(value, dict) and content.startswith(b"\nstream\n", at):
            at += len(b"\nstream\n")
            length = value.get("Length")
            if type(length) is not int or not 0 <= length <= len(content) - at:
                raise refused("a stream has no length")
            value = Stream(value, content[at : at + length])
            at += length
            at += content.startswith(b"\n", at)
            end = b"endstream\nendobj\n"
        if not content.startswith(end, at):
            raise refused("cut off or damaged, or a stream has another length than it says")
        return value, at + len(end)

    def attachment(self) -> Stream:
        """The one attached file."""
        files = {
            id(facts) for value in self.objects.values() for facts in _dictionaries(value) if "EF" in facts
        }
        streams = [
            v
            for v in self.objects.values()
            if isinstance(v, Stream) and v.facts.get("Type") == "EmbeddedFile"
        ]
        if len(files) > 1 or len(streams) > 1:
            raise refused("it has several attachments")
        if not files:
            raise refused("no bundle is attached to it")
        names = self.dictionary(self.root.get("Names"), "the list of attachments")
        tree = self.dictionary(names.get("EmbeddedFiles"), "the list of attachments")
        listed = self.get(tree.get("Names"))
        if not isinstance(listed, list) or len(listed) != 2 or "Kids" in tree:
            raise refused("its list of attachments is damaged")
        held = self.dictionary(self.dictionary(listed[1], "the attachment").get("EF"), "the attachment")
        stream = self.get(held.get("F"))
        if not isinstance(stream, Stream):
            raise refused("the attachment is missing")
        return stream


def _dictionaries(value: Any) -> list[dict[str, Any]]:
    """A value's dictionaries, its own first; not beyond references."""
    if isinstance(value, Stream):
        return _dictionaries(value.facts)
    if isinstance(value, dict):
        return [value, *(found for item in value.values() for found in _dictionaries(item))]
    return [found for item in value for found in _dictionaries(item)] if type(value) is list else []


def read_attachment(source: str | Path | bytes) -> bytes:
    """The bundle attached to an invoice; :class:`InputError` where there is none, or several, or no PDF."""
    if isinstance(source, bytes):
        return PdfFile(source).attachment().unpacked()
    try:
        with open(source, "rb") as stream:
            content = stream.read(MAX_PDF_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", file=source) from error
    try:
        return PdfFile(content).attachment().unpacked()
    except InputError as error:
        raise InputError(error.message, file=source, advice=error.advice) from error
