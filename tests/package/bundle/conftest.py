"""Bundles and receipts that every test of files on paper begins with."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from billproof.bundle import documents as doc


@pytest.fixture(scope="session")
def bundle_of(vectors: Callable[[str], Any]) -> Callable[..., bytes]:
    """A bundle's file of as many lines as asked for; some fields of line ``at`` may be given."""
    held = vectors("batch")["bundles"]["1001"]

    def make(lines: int, at: int = 0, **fields: str) -> bytes:
        bundle = copy.deepcopy(held)
        records = []
        for index in range(lines):
            record = dict(held["records"][index % len(held["records"])])
            record["index"] = str(index)
            record["startedAt"] = str(int(record["startedAt"]) + 3671 * index)
            record["hash"] = "0x" + hashlib.sha256(b"%d" % index).hexdigest()
            record["salt"] = "0x" + hashlib.sha256(b"salt %d" % index).hexdigest()
            records.append(record)
        records[at] |= fields
        bundle["records"] = records
        return doc.encode(bundle)

    return make


@pytest.fixture(scope="session")
def genuine(vectors: Callable[[str], Any]) -> bytes:
    """The bundle of the vectors, as its file."""
    return doc.encode(vectors("batch")["bundles"]["1001"])
