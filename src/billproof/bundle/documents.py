"""The files of the protocol, strictly typed: bundle, receipt, account key.

Integers are canonical decimal strings, byte strings lower-case hex with 0x; unknown, missing and repeated
keys are refused. :func:`parse` is the only way in, for files from anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from billproof.errors import BillproofError, InputError
from billproof.files import nested_deeper
from billproof.printable import printable

#: Larger files are neither written nor read; a bundle of a million lines stays below.
MAX_BYTES = 1 << 30

#: Ours have four levels.
_MAX_DEPTH = 16

#: What people give instead of a bundle, by its first bytes.
_OTHER_FILES = {
    b"%PDF": "a PDF",
    b"\x1f\x8b": "compressed",
    b"PK\x03\x04": "a ZIP archive",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\xef\xbb\xbf": "a text file with a byte order mark",
}
_UNPACK = "Unpack it first; then give your .json file, or the directory to check every file in it."
_GIVE_JSON = "Give the .json file as the operator sent it, unpacked and not saved again by an editor."
_DAMAGED = "If it is a bundle, it was cut off or damaged on the way: fetch it again."

BUNDLE = "billproof/bundle/1"
RECEIPT = "billproof/receipt/1"
ACCOUNT_KEY = "billproof/account-key/1"


def _pattern(pattern: str, description: str) -> Meta:
    return Meta(pattern=rf"^{pattern}\Z", description=description)


Hash = Annotated[str, _pattern("0x[0-9a-f]{64}", "32 bytes")]
Address = Annotated[str, _pattern("0x[0-9a-f]{40}", "20 bytes")]
Unsigned = Annotated[str, _pattern("(0|[1-9][0-9]{0,18})", "an integer below 2^63, canonical decimal")]
Signed = Annotated[str, _pattern("(0|-?[1-9][0-9]{0,18})", "an integer within 64 bits, canonical decimal")]
ChainId = Annotated[str, _pattern("[1-9][0-9]{0,77}", "an EIP-155 chain id, canonical decimal")]
Period = Annotated[str, _pattern("[2-9][0-9]{3}(0[1-9]|1[0-2])", "the billing period, YYYYMM")]
Currency = Annotated[str, _pattern("[A-Z]{3}", "an ISO 4217 code")]
Network = Annotated[str, _pattern("([0-9]{3}-[0-9]{2,3})?", "the serving network, MCC-MNC")]
Proof = Annotated[list[Hash], Meta(max_length=40)]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """A JSON object with exactly the declared keys."""


class BatchFields(_Strict, frozen=True):
    """Which batch: the fields of the typed struct ``BatchId``."""

    chainId: ChainId
    ledger: Address
    operatorId: Unsigned
    period: Period
    region: Unsigned
    sequence: Unsigned


class AccountOpening(_Strict, frozen=True):
    """What opens the account key: nobody else can link it to the account."""

    accountId: Annotated[str, Meta(min_length=1, max_length=256)]
    keySecret: Hash
    holder: Address


class StatementFields(_Strict, frozen=True):
    """The statement; ``account`` and ``recordsRoot`` are recomputed and must agree."""

    account: Hash
    recordsRoot: Hash
    recordCount: Unsigned
    currency: Currency
    tariff: Hash
    total: Signed
    totalSalt: Hash


class Record(_Strict, frozen=True):
    """One line. ``hash`` is recomputed and must agree; it lets a verifier name the line that was changed."""

    index: Unsigned
    service: Unsigned
    startedAt: Unsigned
    utcOffset: Signed
    usage: Unsigned
    billedUsage: Unsigned
    number: Annotated[str, Meta(max_length=128)]
    salt: Hash
    network: Network
    amount: Signed
    rate: Annotated[str, Meta(max_length=512)]
    corrects: Hash
    hash: Hash


class Entry(_Strict, frozen=True):
    """The account's leaf in the batch tree: its neighbour on the ring, and the way to the root."""

    nextAccount: Hash
    proof: Proof


class Bundle(_Strict, frozen=True):
    """Everything a subscriber needs to check a statement. See ``docs/protocol.md``, "Files"."""

    schema: str
    batch: BatchFields
    account: AccountOpening
    statement: StatementFields
    records: Annotated[list[Record], Meta(min_length=1)]
    entry: Entry


class ReceiptStatement(_Strict, frozen=True):
    """The statement around a receipt's record; its total stays hidden behind ``totals``."""

    account: Hash
    recordCount: Unsigned
    currency: Currency
    tariff: Hash
    totals: Hash


class ReceiptRecord(_Strict, frozen=True):
    """One line for somebody else's eyes: ``number`` and ``salt`` are both there or both left out."""

    index: Unsigned
    service: Unsigned
    startedAt: Unsigned
    utcOffset: Signed
    usage: Unsigned
    billedUsage: Unsigned
    peer: Hash
    network: Network
    amount: Signed
    rate: Annotated[str, Meta(max_length=512)]
    corrects: Hash
    number: Annotated[str, Meta(max_length=128)] | None = None
    salt: Hash | None = None


class Receipt(_Strict, frozen=True):
    """One record of a statement, provable on its own."""

    schema: str
    batch: BatchFields
    statement: ReceiptStatement
    record: ReceiptRecord
    recordProof: Proof
    entry: Entry


class AccountKeyFile(_Strict, frozen=True):
    """The account's seed, handed over once and kept by the subscriber; never part of a bundle."""

    schema: str
    chainId: ChainId
    ledger: Address
    operatorId: Unsigned
    accountId: Annotated[str, Meta(min_length=1, max_length=256)]
    accountSeed: Hash
    holder: Address


KINDS: dict[str, type[Bundle] | type[Receipt] | type[AccountKeyFile]] = {
    BUNDLE: Bundle,
    RECEIPT: Receipt,
    ACCOUNT_KEY: AccountKeyFile,
}


class SchemaError(BillproofError):
    """A file that claims one of our formats and breaks it: invalid, not merely unusable."""

    exit_code = 1


def parse(content: bytes, name: str = "") -> Bundle | Receipt | AccountKeyFile:
    """The document in a file's bytes.

    Raises :class:`InputError` when it is none of ours or no JSON at all, :class:`SchemaError` when it
    claims to be and is not.
    """
    file = name or None
    for start, words in _OTHER_FILES.items():
        if content.startswith(start):
            raise InputError(f"this is {words}", file=file, advice=_UNPACK if b"PK" in start else _GIVE_JSON)
    if len(content) > MAX_BYTES:
        raise InputError(
            f"larger than {MAX_BYTES >> 20} MiB", file=file, advice="This is no bundle or receipt."
        )
    if nested_deeper(content, _MAX_DEPTH):
        raise InputError("nested too deeply", file=file, advice="This is no bundle or receipt.")
    kind = _claimed_kind(content, file)
    faults: list[str] = []

    def to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                faults.append(f"the key {printable(repr(key))} is there twice")
            if value is None:
                faults.append(f"{printable(repr(key))} is null: leave the key out")
            found[key] = value
        return found

    try:
        json.loads(content.decode(), object_pairs_hook=to_object)
    except ValueError as error:
        raise InputError(f"not JSON: {error}", file=file, advice=_DAMAGED) from error
    if faults:
        raise SchemaError(faults[0])
    try:
        return msgspec.json.decode(content, type=KINDS[kind])
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SchemaError(printable(str(error))) from error


class _Claim(msgspec.Struct):
    """What a file says that it is."""

    schema: str = ""


def _claimed_kind(content: bytes, file: str | None) -> str:
    """The kind of one of our files; finding it out holds nothing else of the file."""
    try:
        kind = msgspec.json.decode(content, type=_Claim).schema
    except msgspec.ValidationError:
        kind = ""
    except (msgspec.DecodeError, UnicodeDecodeError):  # stricter than Python's reader, which says it is JSON
        kind = _lenient_kind(content, file)
    if not kind.startswith("billproof/"):
        raise InputError(
            "not a Billproof file", file=file, advice="Give a bundle or receipt from the operator."
        )
    if kind not in KINDS:
        known = ", ".join(KINDS)
        raise InputError(f"a file of the kind {printable(repr(kind))}, which is none of {known}", file=file)
    return kind


def _lenient_kind(content: bytes, file: str | None) -> str:
    try:
        claim = json.loads(content.decode())
    except ValueError as error:
        raise InputError(f"not JSON: {printable(str(error))}", file=file, advice=_DAMAGED) from error
    kind = claim.get("schema") if isinstance(claim, dict) else None
    return kind if isinstance(kind, str) else ""


def encode(document: Bundle | Receipt | AccountKeyFile | Mapping[str, Any]) -> bytes:
    """The document (or one as plain objects) as JSON, one line a field, ready for :func:`parse`."""
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def json_schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema (2020-12) of each kind of file, by its name."""
    schemas = {}
    for name, kind in KINDS.items():
        schema: dict[str, Any] = json.loads(json.dumps(msgspec.json.schema(kind)).replace("\\\\Z", "$"))
        for body in schema["$defs"].values():
            body["properties"] = {key: _without_null(field) for key, field in body["properties"].items()}
        schema["$defs"][kind.__name__]["properties"]["schema"] = {"const": name}
        schemas[name] = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name, **schema}
    return schemas


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    """A field that may be left out is never null in a file."""
    choices = [choice for choice in field.get("anyOf", []) if choice != {"type": "null"}]
    return choices[0] if len(choices) == 1 else field
