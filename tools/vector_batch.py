"""The small batch of the test vectors: three accounts with six records; and ways to falsify it."""

import copy
import json
import tempfile
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pyarrow as pa

from billproof import secret_store
from billproof.batch_id import BatchId
from billproof.batch_writer import write_batch
from billproof.bundle import cut
from billproof.bundle import documents as doc
from billproof.commit import Commitment, commit
from billproof.commitment import salts
from billproof.commitment.keccak import keccak
from billproof.commitment.structs import Struct, hash_one
from billproof.records import SCHEMA, ZERO32, Service
from billproof.secret_store import SecretStore
from billproof.statements import Statements, arrange
from billproof.store import StoredBatch

ACCOUNTS = ("1001", "1002", "1003")
_TARIFF = b'name = "Example 10"\n'
_DOMAIN = Struct(
    "EIP712Domain",
    (("string", "name"), ("string", "version"), ("uint256", "chainId"), ("address", "verifyingContract")),
)
_RECORDS: tuple[tuple[Any, ...], ...] = (
    # account, service, start, UTC offset, usage, billed usage, number, network, amount, rate
    (
        "1001",
        Service.VOICE_ORIGINATED,
        1790933700,
        120,
        125,
        180,
        "+4930123456",
        "262-01",
        270000000,
        "0.09 EUR/min, 60/60",
    ),
    ("1001", Service.DATA, 1791540000, 120, 1572864, 2097152, "", "262-01", 20000000, "0.01 EUR/MiB"),
    ("1001", Service.RECURRING, 1793487600, 60, 0, 0, "", "", 9990000000, "Example 10, October 2026"),
    (
        "1002",
        Service.VOICE_TERMINATED,
        1791000000,
        -240,
        61,
        61,
        "+33612345678",
        "310-410",
        1830000000,
        "0.03 USD/s",
    ),
    ("1002", Service.CREDIT, 1791000061, -240, 0, 0, "", "", -1830000001, "goodwill"),
    ("1003", Service.CONTENT, 1792000000, 345, 1, 1, "Zürich Tøxi ☎ 7000", "429-01", 1, "1 billionth"),
)


def _hex(data: bytes) -> str:
    return "0x" + bytes(data).hex()


@dataclass(frozen=True)
class Example:
    """The batch, built by the package's own code from constant secrets."""

    batch: BatchId
    statements: Statements
    commitment: Commitment
    manifest: bytes
    listing: bytes
    seeds: dict[str, str]
    secret: bytes
    bundles: dict[str, dict[str, Any]]
    receipts: dict[str, dict[str, Any]]

    @classmethod
    def build(cls, constant: Callable[..., bytes]) -> "Example":
        batch = BatchId(31337, _hex(constant("example ledger", 20)), 1, 202610, 0, 1)
        draws = iter(range(1 << 30))
        entropy = SimpleNamespace(
            token_bytes=lambda size: b"".join(constant(f"secret {next(draws)}") for _ in range(size // 32))
        )
        statements, _ = arrange(_table())
        holders = {ACCOUNTS[0]: constant("example holder", 20)}
        with tempfile.TemporaryDirectory() as home, mock.patch.object(secret_store, "entropy", entropy):
            vault = SecretStore(Path(home, "secrets"), batch.operator_id)
            enrolment = vault.enrol(statements.accounts, holders)
            keys = vault.opening_keys(batch, statements.accounts)
            commitment = commit(statements, batch, enrolment, keys, keccak(_TARIFF))
            stored = write_batch(
                Path(home, "store"),
                batch,
                commitment,
                statements.records,
                pa.table({"line": pa.array([], pa.int64())}),
                {},
                amends=0,
                replace=False,
            )
            documents = dict(cut.bundles(stored, vault))
            return cls(
                batch=batch,
                statements=statements,
                commitment=commitment,
                manifest=(stored.path / "manifest.json").read_bytes(),
                listing=(stored.path / "manifest.bin").read_bytes(),
                seeds={account: file.accountSeed for account, file in cut.account_keys(stored, vault)},
                secret=_secret(vault, stored),
                bundles={account: _plain(documents[account]) for account in ACCOUNTS},
                receipts={
                    name: _plain(cut.receipt(documents[ACCOUNTS[0]], 1 - shown, show_number=bool(shown)))
                    for name, shown in (("number hidden", 0), ("number shown", 1))
                },
            )

    def document(self) -> dict[str, Any]:
        """Everything that other implementations need to rebuild the batch."""
        return {
            "secrets": {"accountSeeds": self.seeds, "batchSecret": _hex(self.secret)},
            "tariffFile": _TARIFF.decode(),
            "batch": self.batch.fields,
            "batchId": _hex(self.batch.hash),
            "root": _hex(self.commitment.root),
            "nodes": [_hex(node) for node in self.commitment.nodes],
            "manifest": self.manifest.decode(),
            "manifestList": _hex(self.listing),
            "manifestHash": _hex(keccak(self.manifest)),
            "head": self.head(),
            "bundles": self.bundles,
            "receipts": self.receipts,
        }

    def head(self) -> dict[str, str]:
        """The ledger's running hash for this operator, before and after the batch is anchored."""
        separator = hash_one(
            _DOMAIN,
            {
                "name": "Billproof",
                "version": "1",
                "chainId": self.batch.chain_id,
                "verifyingContract": bytes.fromhex(self.batch.ledger[2:]),
            },
        )
        before = keccak(separator + self.batch.operator_id.to_bytes(32))
        link = before + self.batch.hash + self.commitment.root + keccak(self.manifest) + bytes(32)
        return {"domainSeparator": _hex(separator), "before": _hex(before), "after": _hex(keccak(link))}

    def prose(self) -> str:
        """The worked example of the specification."""
        account = ACCOUNTS[0]
        bundle, receipt = self.bundles[account], self.receipts["number shown"]
        statement, record = bundle["statement"], bundle["records"][0]
        holder = bundle["account"]["holder"]
        opening = keccak(self.secret + _padded(salts.OPENING_KEY) + keccak(account.encode()))
        rows = [
            (
                "`BatchId(31337, ledger, 1, 202610, 0, 1)`, ledger " + f"`{self.batch.ledger}`",
                self.batch.hash,
            ),
            (f"seed of account `{account}`, from its account key file", self.seeds[account]),
            ("`KeySecret(seed, batchId)`", bundle["account"]["keySecret"]),
            (
                f'`AccountKey(Subject("{account}", keySecret), holder)`, holder `{holder}`',
                statement["account"],
            ),
            ("batch secret", self.secret),
            (f'opening key: PRF(batch secret, "{salts.OPENING_KEY}" ‖ keccak256("{account}"))', opening),
            (f'salt of record 0: PRF(opening key, "{salts.PEER_SALT}" ‖ 0)', record["salt"]),
            (f'`Peer("{record["number"]}", salt)`', receipt["record"]["peer"]),
            (f"rate: keccak256 of `{record['rate']}`", keccak(record["rate"].encode())),
            (_call(record), record["hash"]),
            ("the other two record hashes", bundle["records"][1]["hash"]),
            ("", bundle["records"][2]["hash"]),
            ("records root, of a tree of three leaves", statement["recordsRoot"]),
            (f'salt of the total: PRF(opening key, "{salts.TOTALS_SALT}" ‖ 0)', statement["totalSalt"]),
            (f"`Totals({statement['total']}, salt)`", receipt["statement"]["totals"]),
            (
                f'`Statement(batchId, account, recordsRoot, 3, "{statement["currency"]}", tariff, totals)`',
                self._statement(account),
            ),
            ("tariff: keccak256 of the tariff file", statement["tariff"]),
            ("next account on the ring", bundle["entry"]["nextAccount"]),
            ("`AccountEntry(account, nextAccount, statement)`", self._leaf(account)),
            *[("its proof" if at == 0 else "", node) for at, node in enumerate(bundle["entry"]["proof"])],
            ("**root** of the batch tree, which is anchored", self.commitment.root),
            ("manifest hash: keccak256 of `manifest.json`", keccak(self.manifest)),
            ("domain separator of the ledger", self.head()["domainSeparator"]),
            ("operator 1's head before, and after anchoring with `amends` 0", self.head()["before"]),
            ("", self.head()["after"]),
        ]
        lines = [f"| {what} | `{value if isinstance(value, str) else _hex(value)}` |" for what, value in rows]
        return "| what | value |\n|---|---|\n" + "\n".join(lines)

    def _row(self, account: str) -> int:
        return int(self.commitment.entries["account"].to_pylist().index(account))

    def _statement(self, account: str) -> bytes:
        return bytes(self.commitment.entries["statement"][self._row(account)].as_py())

    def _leaf(self, account: str) -> bytes:
        return bytes(self.commitment.nodes[len(self.commitment.nodes) - 1 - self._row(account)])


def _call(record: dict[str, Any]) -> str:
    names = ("index", "service", "startedAt", "utcOffset", "usage", "billedUsage")
    network = f'"{record["network"]}"'
    start = ", ".join(record[name] for name in names)
    return f"`CallRecord({start}, peer, {network}, {record['amount']}, rate, 0)`"


def _table() -> pa.Table:
    names = [name for name in SCHEMA.names if name not in ("currency", "corrects", "source", "line")]
    columns = dict(zip(names, zip(*_RECORDS, strict=True), strict=True))
    numbers = [unicodedata.normalize("NFC", number) for number in columns["number"]]
    extra = {
        "number": numbers,
        "currency": ["USD" if row[0] == "1002" else "EUR" for row in _RECORDS],
        "corrects": [ZERO32] * len(_RECORDS),
        "line": list(range(1, len(_RECORDS) + 1)),
    }
    columns = {**columns, **extra}
    source = pa.array(["example.csv"] * len(_RECORDS)).dictionary_encode()
    arrays = [source if f.name == "source" else pa.array(columns[f.name], f.type) for f in SCHEMA]
    return pa.table(arrays, schema=SCHEMA)


def _secret(vault: SecretStore, stored: StoredBatch) -> bytes:
    path = vault.root / stored.id.path
    return path.with_name(path.name + ".secret").read_bytes()


def _padded(label: str) -> bytes:
    return label.encode().ljust(32, b"\0")


def _plain(document: Any) -> dict[str, Any]:
    return dict(json.loads(doc.encode(document)))


def tampered(example: Example) -> list[dict[str, Any]]:
    """One change each, and what a verifier must say.

    `outcome`: `schema` (refused on reading), `problem` (with its check and line), `root` (not the
    anchored root) or `batch` (another batch: a question for the chain).
    """
    account = ACCOUNTS[0]
    sources = {
        "bundle": example.bundles[account],
        **{f"receipt, {k}": v for k, v in example.receipts.items()},
    }
    cases = []
    for of, path, value, outcome, check, line in _TAMPERED:
        target: Any = copy.deepcopy(sources[of])
        for step in path[:-1]:
            target = target[step]
        new = _other_digit(target[path[-1]]) if value == "other digit" else value
        cases.append(
            {"of": of, "path": list(path), "value": new, "outcome": outcome, "check": check, "line": line}
        )
    return cases


def _other_digit(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def _all(of: str, outcome: str, *paths: str) -> list[tuple[Any, ...]]:
    steps = [tuple(int(s) if s.isdigit() else s for s in path.split("/")) for path in paths]
    return [(of, path, "other digit", outcome, None, None) for path in steps]


_HIDDEN, _SHOWN = "receipt, number hidden", "receipt, number shown"
_TAMPERED: list[tuple[Any, ...]] = [
    ("bundle", ("records", 0, "amount"), "269999999", "problem", "line", 0),
    ("bundle", ("records", 1, "number"), "+4930123456", "problem", "line", 1),
    ("bundle", ("records", 2, "salt"), "other digit", "problem", "line", 2),
    ("bundle", ("records", 0, "hash"), "other digit", "problem", "line", 0),
    ("bundle", ("records", 0, "rate"), "0.09 EUR/min, 60/1", "problem", "line", 0),
    ("bundle", ("records", 1, "index"), "2", "problem", "line order", 1),
    ("bundle", ("statement", "total"), "10280000001", "problem", "total", None),
    ("bundle", ("statement", "recordCount"), "4", "problem", "line count", None),
    ("bundle", ("statement", "recordsRoot"), "other digit", "problem", "lines root", None),
    ("bundle", ("statement", "account"), "other digit", "problem", "account key", None),
    ("bundle", ("account", "accountId"), "1002", "problem", "account key", None),
    ("bundle", ("account", "keySecret"), "other digit", "problem", "account key", None),
    ("bundle", ("account", "holder"), "0x" + "00" * 20, "problem", "account key", None),
    ("bundle", ("statement", "currency"), "USD", "root", None, None),
    *_all("bundle", "root", "statement/totalSalt", "statement/tariff", "entry/nextAccount", "entry/proof/0"),
    *_all(
        "bundle",
        "batch",
        "batch/chainId",
        "batch/ledger",
        "batch/operatorId",
        "batch/region",
        "batch/sequence",
    ),
    ("bundle", ("batch", "period"), "202611", "batch", None, None),
    *[
        ("bundle", ("records", 0, "amount"), value, "schema", None, None)
        for value in ("+1", "01", "-0", " 1", "1.0", "1e3", "", "0x1", 1, None, "9" * 20)
    ],
    ("bundle", ("batch", "ledger"), "0x" + "AB" * 20, "schema", None, None),
    ("bundle", ("statement", "currency"), "EURO", "schema", None, None),
    ("bundle", ("records",), [], "schema", None, None),
    (_SHOWN, ("record", "number"), "+4930123457", "problem", "number", 0),
    (_SHOWN, ("record", "salt"), "other digit", "problem", "number", 0),
    (_SHOWN, ("record", "peer"), "other digit", "problem", "number", 0),
    (_SHOWN, ("record", "salt"), None, "schema", None, None),
    (_HIDDEN, ("record", "number"), "", "schema", None, None),
    (_HIDDEN, ("record", "index"), "3", "problem", "line count", 3),
    (_HIDDEN, ("record", "index"), "2", "problem", "proof length", 2),
    (_HIDDEN, ("record", "index"), "0", "root", None, None),
    (_HIDDEN, ("statement", "recordCount"), "1", "problem", "line count", 1),
    (_HIDDEN, ("statement", "recordCount"), "2", "problem", "proof length", 1),
    (_HIDDEN, ("recordProof",), [], "problem", "proof length", 1),
    *_all(
        _HIDDEN,
        "root",
        "record/peer",
        "record/amount",
        "record/corrects",
        "record/startedAt",
        "recordProof/0",
    ),
    *_all(_HIDDEN, "root", "statement/account", "statement/totals", "statement/tariff", "entry/proof/0"),
    *_all(_HIDDEN, "batch", "batch/sequence", "batch/operatorId"),
]
