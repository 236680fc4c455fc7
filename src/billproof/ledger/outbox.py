"""Anchors batches so that a crash at any point neither loses one nor anchors one twice.

Each batch is a transaction of its own, not a share of ``anchorMany``: its ``anchor.json`` then tells its
whole story, one refused batch holds up no other, and a replacement concerns one batch only. It costs some
20,000 gas more per batch, of which an operator has a few a month.

Order of things for a batch: look whether the chain has it; sign; write ``anchor.json``; send; wait. Whoever
runs this again begins at the top, and finds the batch in the chain, or sends the same signed bytes again.
A second nonce is signed only when another transaction has used up the first one, finally. The contract
itself refuses a sequence that is taken.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from billproof.errors import InputError
from billproof.ledger.client import LedgerClient
from billproof.ledger.outbox_job import AnchorJob
from billproof.ledger.outbox_state import (
    Anchored,
    AnchorRequest,
    AnchorResult,
    AnchorState,
    Patience,
    Progress,
    load_state,
)
from billproof.ledger.rpc import printable

__all__ = [
    "AnchorRequest",
    "AnchorResult",
    "AnchorState",
    "Anchored",
    "Patience",
    "Progress",
    "anchor",
    "load_state",
]

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def anchor(
    requests: Sequence[AnchorRequest],
    client: LedgerClient,
    *,
    patience: Patience | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> list[AnchorResult]:
    """Anchors the batches in the given order (sequences ascending), then waits for confirmations.

    Raises:
        LedgerError: the contract refuses, or another root is anchored under a batch's key.
        PendingError: it takes longer than the patience lasts; run again to go on.
        InputError: a state file is damaged or another's, or another process works on the same batch.
        What was anchored before the error stays and is recognised by the next run.
    """
    patience = patience or Patience()
    told = _silence if progress is None else progress
    jobs = [AnchorJob(request, client, patience, told) for request in requests]
    results = []
    for job in jobs:
        with _alone(job.request.state_path.parent):
            results.append(job.run())
    for number, job in enumerate(jobs):
        with _alone(job.request.state_path.parent):
            results[number] = replace(results[number], anchored=job.confirm(results[number].anchored))
    return results


def _silence(_: Progress) -> None:
    pass


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Holds the batch's folder against a second process that anchors it."""
    if fcntl is None:
        yield
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise InputError(f"cannot be opened: {error.strerror}", file=printable(str(folder), 4096)) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(
                "another process is anchoring this batch",
                file=printable(str(folder), 4096),
                advice="wait until it has finished",
            ) from None
        yield
    finally:
        os.close(handle)
