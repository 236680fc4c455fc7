"""A file's bytes, as UTF-8, block by block: unpacks gzip, skips the byte order mark, translates code pages.

Memory stays flat whatever the file's size, and whatever a gzip file grows to.
"""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from billproof.errors import InputError

#: Bytes asked for at a time.
BLOCK = 8 << 20

#: A gzip file that grows more than this many times is refused: call records shrink five- to fiftyfold.
MAX_GROWTH = 400

_GZIP_MAGIC = b"\x1f\x8b"
_ENCODINGS = re.compile(
    r"utf-8|latin-1|iso-?8859-\d{1,2}|cp\d{3,5}|windows-125\d|koi8-[rtu]|mac-?roman"
    r"|gbk|gb2312|gb18030|big5|shift_jis|euc_(?:jp|kr)"
)


def encoding_name(name: str) -> str | None:
    """The codec's own name for ``name``, or None where it is unknown or does not contain ASCII."""
    plain = name.strip().lower().replace("utf8", "utf-8").replace("latin1", "latin-1")
    if not _ENCODINGS.fullmatch(plain):
        return None
    try:
        return codecs.lookup(plain).name if bytes(range(128)).decode(plain).isascii() else None
    except (LookupError, UnicodeDecodeError):
        return None


@contextmanager
def unreadable(path: Path) -> Iterator[None]:
    """Turn the ways in which a file cannot be read into an :class:`InputError` that says which."""
    try:
        yield
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise InputError(
            f"the gzip data is damaged or cut short ({error})", file=path, advice="fetch the file again"
        ) from error
    except IsADirectoryError as error:
        raise InputError("is a directory", file=path, advice="name the files in it") from error
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror or error}",
            file=path,
            advice="check the path and its permissions",
        ) from error


class Digest(Protocol):
    """What is told the bytes of a file as they are read, such as one of ``hashlib``'s."""

    def update(self, data: bytes, /) -> None:
        """The next bytes."""


class _Told:
    """A file whose bytes a digest is told on the way."""

    def __init__(self, file: BinaryIO, digest: Digest) -> None:
        self._file = file
        self._digest = digest
        self.tell = file.tell

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self._digest.update(piece)
        return piece


def raw_blocks(path: Path, *, block: int | None = None, digest: Digest | None = None) -> Iterator[bytes]:
    """The file's bytes, unpacked, in blocks of about ``block`` bytes; ``digest`` is told the packed ones.

    Raises :class:`InputError`: missing, unreadable, damaged or suspiciously growing gzip, empty.
    """
    size = block or BLOCK
    with unreadable(path), path.open("rb") as packed:
        magic = packed.read(2)
        if not magic:
            raise InputError(
                "is empty", file=path, advice="fetch it again, or leave it out if nothing was charged"
            )
        packed.seek(0)
        told = packed if digest is None else cast(BinaryIO, _Told(packed, digest))
        if magic != _GZIP_MAGIC:
            while piece := told.read(size):
                yield piece
            return
        grown = 0
        with gzip.GzipFile(fileobj=told) as plain:
            while piece := plain.read(size):
                grown += len(piece)
                if grown > MAX_GROWTH * max(packed.tell(), 1 << 16):
                    raise InputError(
                        f"grows more than {MAX_GROWTH}-fold when unpacked",
                        file=path,
                        advice="if this is meant, unpack the file and read that",
                    )
                yield piece
        if not grown:
            raise InputError("is empty", file=path, advice="fetch it again, or leave it out")


def text_blocks(
    path: Path, encoding: str, *, block: int | None = None, digest: Digest | None = None
) -> Iterator[bytes]:
    """The file as UTF-8. What ``encoding`` cannot read stays behind as bytes that are not UTF-8.

    That way one bad byte costs its row and nothing else. ``encoding`` is a name from :func:`encoding_name`.
    """
    blocks = raw_blocks(path, block=block, digest=digest)
    if encoding == "utf-8":
        first = next(blocks)
        if first[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            raise InputError("is UTF-16", file=path, advice="save it as UTF-8 (iconv -f UTF-16 -t UTF-8)")
        yield first.removeprefix(codecs.BOM_UTF8)
        yield from blocks
        return
    decoder = codecs.getincrementaldecoder(encoding)(errors="surrogateescape")
    for piece in blocks:
        yield decoder.decode(piece).encode("utf-8", "surrogateescape")
    yield decoder.decode(b"", True).encode("utf-8", "surrogateescape")
