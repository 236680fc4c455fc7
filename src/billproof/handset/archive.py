"""ZIP archives and folders: Google Takeout, or backups packed together. Bounded, whatever an archive claims
of itself.
"""

import io
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from billproof.handset.problems import PhoneLogError
from billproof.handset.source import MAX_WHOLE, Source, read_file, too_large, unreadable

MAX_FILES = 500_000
MAX_TOTAL = 2 << 30
MAX_RATIO = 100
"""Of bytes unpacked to bytes packed, from FREE bytes on."""
FREE = 10 << 20
_ENCRYPTED = 1
_ADVICE = "Unpack it yourself and give the file or folder in it."


def is_zip(head: bytes) -> bool:
    return head[:4] in (b"PK\3\4", b"PK\5\6")


class Members:
    """The files in an archive or folder."""

    def __init__(self, name: str, place: Source | Path) -> None:
        self.name = name
        self._place = place
        if isinstance(place, Source):
            content = place.content
            try:
                self._archive = zipfile.ZipFile(
                    io.BytesIO(content) if isinstance(content, bytes) else content
                )
                names = [info.filename for info in self._archive.infolist() if not info.is_dir()]
            except OSError as error:
                raise unreadable(name, error) from error
            except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
                raise PhoneLogError(
                    "archive", f"is a damaged ZIP archive ({error})", file=name, advice=_ADVICE
                ) from error
        else:
            names = list(islice(_files(os.fspath(place)), MAX_FILES + 1))
        if len(names) > MAX_FILES:
            raise PhoneLogError("too-large", f"more than {MAX_FILES:,} files", file=name, advice=_ADVICE)
        self._names = names

    def ending(self, endings: tuple[str, ...]) -> list[str]:
        """Those whose names end in one of ``endings``, in order of their names."""
        return sorted({name for name in self._names if name.lower().endswith(endings)}, key=_order)

    def read(self, names: list[str], limit: int) -> Iterator[tuple[str, bytes]]:
        """Name and content of each. Raises when one is larger than ``limit``, or all than MAX_TOTAL."""
        total = 0
        for member in names:
            data = self._content(member, min(limit, MAX_WHOLE))
            total += len(data)
            if total > MAX_TOTAL:
                raise too_large(self.name, MAX_TOTAL)
            yield member, data

    def _content(self, member: str, limit: int) -> bytes:
        try:
            if isinstance(self._place, Path):
                data = read_file(os.path.join(self._place, member), limit)
            else:
                data = self._unpacked(self._archive, member, limit)
        except OSError as error:
            raise unreadable(f"{self.name}/{member}", error) from error
        if len(data) > limit:
            raise too_large(f"{self.name}/{member}", limit)
        return data

    def _unpacked(self, archive: zipfile.ZipFile, member: str, limit: int) -> bytes:
        info = archive.getinfo(member)
        name = f"{self.name}/{member}"
        if info.flag_bits & _ENCRYPTED:
            raise PhoneLogError("archive", "is protected by a password", file=name, advice=_ADVICE)
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise PhoneLogError("archive", "is packed in an unusual way", file=name, advice=_ADVICE)
        try:
            with archive.open(info) as file:
                data = file.read(min(limit + 1, MAX_RATIO * info.compress_size + FREE))
                if len(data) <= limit and file.read(1):
                    raise PhoneLogError(
                        "too-large", "unpacks to far more than a phone log does", file=name, advice=_ADVICE
                    )
                return data
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            ValueError,
            NotImplementedError,
            RuntimeError,
        ) as error:
            raise PhoneLogError(
                "archive", f"cannot be unpacked ({error})", file=name, advice=_ADVICE
            ) from error


def _files(place: str) -> Iterator[str]:
    """The files in a folder and in those it has, named from there with ``/``; links lead to no folder."""
    folders = [("", place)]
    while folders:
        inside, folder = folders.pop()
        entries: list[os.DirEntry[str]] = []
        with suppress(OSError), os.scandir(folder) as found:
            entries += found
        for entry in entries:
            with suppress(OSError):  # a link that leads to itself
                if entry.is_file():
                    yield inside + entry.name
                elif entry.is_dir(follow_symlinks=False):
                    folders.append((f"{inside}{entry.name}/", entry.path))


def _order(name: str) -> bytes:
    """Code points, not a language's order: the same everywhere."""
    return name.encode("utf-8", "surrogatepass")
