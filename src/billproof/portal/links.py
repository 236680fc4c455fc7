"""Links to invoices: whoever has one gets that invoice, so each is a secret of 32 random bytes.

``SECRETS/invoice-links.json`` keeps the SHA-256 of each, never the link: a copy of the file opens nothing.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import re
import secrets as entropy
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from billproof.batch_id import BatchId
from billproof.errors import InputError
from billproof.files import json_bytes, write_file

SCHEMA = "billproof/invoice-links/1"
FILE = "invoice-links.json"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Link:
    """What a link opens, and until when (UTC seconds)."""

    operator: int
    period: int
    region: int
    sequence: int
    account: str
    expires: int

    @property
    def place(self) -> Path:
        """Where the batch lies in a store."""
        return Path(str(self.operator), str(self.period), f"{self.region}-{self.sequence}")


class Links:
    """The links of a portal, read again whenever the file changes."""

    def __init__(self, secrets: Path, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = secrets / FILE, clock
        self._read: tuple[tuple[int, int, int], dict[str, Link]] = ((0, 0, 0), {})

    def make(self, batch: BatchId, accounts: Iterable[str], days: int) -> list[tuple[str, str]]:
        """A new token for each account's invoice of a batch: (account, token). Expired ones are forgotten."""
        expires = int(self._clock()) + 86_400 * days
        made = []
        with self._alone():
            kept = {digest: link for digest, link in self._load().items() if link.expires > self._clock()}
            for account in accounts:
                token = base64.urlsafe_b64encode(entropy.token_bytes(32)).decode().rstrip("=")
                where = (batch.operator_id, batch.period, batch.region, batch.sequence)
                kept[_digest(token)] = Link(*where, account, expires)
                made.append((account, token))
            self._save(kept)
        return made

    def revoke(self, keep: Callable[[Link], bool]) -> int:
        """Forgets every link that ``keep`` is false for; how many there were."""
        with self._alone():
            links = self._load()
            kept = {digest: link for digest, link in links.items() if keep(link)}
            self._save(kept)
        return len(links) - len(kept)

    def find(self, token: str) -> Link | None:
        """What a token opens. Looked up by its hash, so the time taken says nothing about other tokens."""
        if not _TOKEN.fullmatch(token):
            return None
        found = self._current().get(_digest(token))
        return found if found and found.expires > self._clock() else None

    def _current(self) -> dict[str, Link]:
        try:
            there = self._path.stat()
        except OSError:
            return {}
        stamp = (there.st_mtime_ns, there.st_ino, there.st_size)
        if self._read[0] != stamp:
            self._read = (stamp, self._load())
        return self._read[1]

    def _load(self) -> dict[str, Link]:
        try:
            if self._path.stat().st_mode & 0o077:
                raise InputError("others can read this file", file=self._path, advice="Run chmod 600 on it.")
            tree: dict[str, Any] = json.loads(self._path.read_bytes())
            links = tree["links"] if tree["schema"] == SCHEMA else None
            return {digest: Link(**fields) for digest, fields in links.items()}  # type: ignore[union-attr]
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError("not a file of links", file=self._path, advice="Make new links.") from error

    def _save(self, links: dict[str, Link]) -> None:
        tree = {digest: asdict(link) for digest, link in links.items()}
        write_file(self._path, json_bytes({"schema": SCHEMA, "links": tree}), mode=0o600)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        home = self._path.parent
        if not home.is_dir():
            raise InputError("there are no secrets here", file=home, advice="Give the directory of `batch`.")
        try:
            handle = os.open(home / ".links.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise InputError(
                f"links cannot be written here: {error.strerror}",
                file=home,
                advice="Make them as the owner of the secrets, where they can be written.",
            ) from error
        with os.fdopen(handle, "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
