"""The batch as one would write it in an afternoon: csv, dicts, lists, and one library call for each hash.

It follows docs/protocol.md, knows the simulator's CSV format alone, and shares no line with the package. With
the same secrets it gives the same root, which makes it worth comparing with.

    python benchmarks/naive.py --files DIR --secrets DIR --store DIR
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from sha3 import keccak_256

SERVICES = {
    "MOC": 1,
    "MTC": 2,
    "CFW": 3,
    "SMS-MO": 4,
    "SMS-MT": 5,
    "GPRS": 6,
    "MMS": 7,
    "VAS": 8,
    "FEE": 32,
    "ONCE": 33,
    "DISC": 34,
    "TAX": 35,
    "CRED": 36,
    "ROUND": 37,
}
ZONE = ZoneInfo("Europe/Dublin")

Record = dict[str, Any]


def keccak(message: bytes) -> bytes:
    digest: bytes = keccak_256(message).digest()
    return digest


def word(value: int | bytes | str) -> bytes:
    """One field of a struct, as EIP-712 encodes it; byte strings are padded right."""
    if isinstance(value, int):
        return value.to_bytes(32, "big", signed=value < 0)
    return keccak(value.encode()) if isinstance(value, str) else value.ljust(32, b"\0")


BATCH_ID = keccak(
    b"BatchId(uint256 chainId,address ledger,uint64 operatorId,uint32 period,uint32 region,uint32 sequence)"
)
PEER = keccak(b"Peer(string number,bytes32 salt)")
CALL_RECORD = keccak(
    b"CallRecord(uint32 index,uint8 service,uint64 startedAt,int16 utcOffset,uint64 usage,"
    b"uint64 billedUsage,bytes32 peer,bytes8 network,int128 amount,bytes32 rate,bytes32 corrects)"
)
TOTALS = keccak(b"Totals(int128 total,bytes32 salt)")
STATEMENT = keccak(
    b"Statement(bytes32 batchId,bytes32 account,bytes32 recordsRoot,uint32 recordCount,bytes3 currency,"
    b"bytes32 tariff,Totals totals)Totals(int128 total,bytes32 salt)"
)
ACCOUNT_ENTRY = keccak(b"AccountEntry(bytes32 account,bytes32 nextAccount,bytes32 statement)")
ACCOUNT_KEY = keccak(b"AccountKey(bytes32 subject,address holder)")
SUBJECT = keccak(b"Subject(string accountId,bytes32 keySecret)")
KEY_SECRET = keccak(b"KeySecret(bytes32 accountSeed,bytes32 batchId)")


def hash_struct(type_hash: bytes, *values: int | bytes | str) -> bytes:
    return keccak(type_hash + b"".join(word(value) for value in values))


def prf(key: bytes, label: bytes, data: int | bytes) -> bytes:
    return keccak(key + word(label) + word(data))


def build_tree(leaves: list[bytes]) -> list[bytes]:
    """All nodes in OpenZeppelin's array layout, the root first."""
    nodes = [b""] * (len(leaves) - 1) + leaves[::-1]
    for at in range(len(leaves) - 2, -1, -1):
        left, right = nodes[2 * at + 1], nodes[2 * at + 2]
        nodes[at] = keccak(left + right if left < right else right + left)
    return nodes


def prove(nodes: list[bytes], leaf: int) -> list[bytes]:
    """The siblings of leaf number ``leaf``, from the bottom."""
    at, siblings = len(nodes) - 1 - leaf, []
    while at:
        siblings.append(nodes[at + 1 if at % 2 else at - 1])
        at = (at - 1) // 2
    return siblings


@dataclass(frozen=True)
class Secrets:
    """What a batch of the package was made with: seeds by account, and the batch secret."""

    seeds: dict[str, bytes]
    batch: bytes

    @classmethod
    def read(cls, home: Path, operator: int, period: int) -> Secrets:
        """From the directory that a billing run keeps its secrets in, before the batch is anchored."""
        with pa.OSFile(str(home / str(operator) / "accounts.arrow")) as file:
            table = pa.ipc.open_file(file).read_all().to_pydict()
        seeds = dict(zip(table["account"], table["seed"], strict=True))
        return cls(seeds, (home / str(operator) / str(period) / "0-1.secret").read_bytes())


def read_records(files: Iterable[Path], period: int) -> tuple[dict[str, list[Record]], list[list[str]]]:
    """Records by account, and the rows that cannot be used."""
    accounts: dict[str, list[Record]] = defaultdict(list)
    rejects = []
    for file in files:
        with file.open(newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                try:
                    record = read_record(row)
                except (ValueError, KeyError, InvalidOperation) as error:
                    rejects.append([file.name, repr(error), *row.values()])
                    continue
                if record.pop("month") == period:
                    accounts[row["account"]].append(record)
    return accounts, rejects


def read_record(row: dict[str, str]) -> Record:
    start = datetime.fromisoformat(row["start"])
    local = start.astimezone(ZONE)
    offset = start.utcoffset()
    if offset is None or start.astimezone(UTC).year < 1970:
        raise ValueError("no usable time")
    if not row["account"]:
        raise ValueError("no account")
    amount = Decimal(row["amount"]) * 10**9
    if amount != int(amount):
        raise ValueError("the amount has more than nine decimals")
    usage, billed = int(row["usage"]), int(row["billed"])
    if usage < 0 or billed < 0 or len(row["currency"]) != 3 or len(row["network"]) > 8:
        raise ValueError("a field is outside its range")
    return {
        "month": local.year * 100 + local.month,
        "service": SERVICES[row["kind"]],
        "startedAt": int(start.timestamp()),
        "utcOffset": int(offset.total_seconds()) // 60,
        "usage": usage,
        "billedUsage": billed,
        "number": row["other_party"],
        "network": row["network"],
        "amount": int(amount),
        "currency": row["currency"],
        "rate": row["rate"],
    }


def hash_record(index: int, record: Record, opening_key: bytes) -> bytes:
    peer = hash_struct(PEER, record["number"], prf(opening_key, b"billproof/peer-salt", index))
    return hash_struct(
        CALL_RECORD,
        index,
        record["service"],
        record["startedAt"],
        record["utcOffset"],
        record["usage"],
        record["billedUsage"],
        peer,
        record["network"].encode(),
        record["amount"],
        record["rate"],
        bytes(32),
    )


def batch(
    files: Iterable[Path],
    secrets: Secrets,
    store: Path,
    *,
    period: int,
    chain_id: int,
    ledger: str,
    operator: int,
) -> bytes:
    """Batches CSV files into a directory that survives a power cut; returns the root of its tree."""
    address = int(ledger, 16)
    batch_id = hash_struct(BATCH_ID, chain_id, address, operator, period, 0, 1)
    accounts, rejects = read_records(files, period)
    statements = []
    for account, records in accounts.items():
        currency = records[0]["currency"]
        rejects += [[account, "another currency", repr(r)] for r in records if r["currency"] != currency]
        records[:] = [record for record in records if record["currency"] == currency]
        records.sort(key=lambda record: record["startedAt"])
        opening_key = prf(secrets.batch, b"billproof/opening-key", keccak(account.encode()))
        leaves = [hash_record(index, record, opening_key) for index, record in enumerate(records)]
        key_secret = hash_struct(KEY_SECRET, secrets.seeds[account], batch_id)
        key = hash_struct(ACCOUNT_KEY, hash_struct(SUBJECT, account, key_secret), 0)
        total = sum(record["amount"] for record in records)
        totals = hash_struct(TOTALS, total, prf(opening_key, b"billproof/totals-salt", 0))
        statement = hash_struct(
            STATEMENT,
            batch_id,
            key,
            build_tree(leaves)[0],
            len(records),
            currency.encode(),
            bytes(32),
            totals,
        )
        statements.append((key, statement, account))
    statements.sort()
    entries = []
    for at, (key, statement, _) in enumerate(statements):
        following = statements[(at + 1) % len(statements)][0]
        entries.append(hash_struct(ACCOUNT_ENTRY, key, following, statement))
    nodes = build_tree(entries)
    write_store(store, accounts, statements, nodes, rejects)
    return nodes[0]


def write_store(
    store: Path,
    accounts: dict[str, list[Record]],
    statements: list[tuple[bytes, bytes, str]],
    nodes: list[bytes],
    rejects: list[list[str]],
) -> None:
    """Records, entries, tree and rejects, each file synced to disk."""
    store.mkdir(parents=True)
    with (store / "records.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        for account, records in accounts.items():
            writer.writerows([account, *record.values()] for record in records)
        _sync(stream)
    with (store / "rejects.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rejects)
        _sync(stream)
    with (store / "entries.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(
            [key.hex(), sealed.hex(), account] for key, sealed, account in statements
        )
        _sync(stream)
    with (store / "tree.bin").open("wb") as stream:
        stream.write(b"".join(nodes))
        _sync(stream)


def _sync(stream: Any) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def main() -> None:
    from batching import BATCH
    from processes import peak_memory

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--files", type=Path, required=True)
    parser.add_argument("--secrets", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True)
    given = parser.parse_args()
    start = time.perf_counter()
    files = sorted((given.files / "cdr/operator-1").glob("*.csv"))
    secrets = Secrets.read(given.secrets, BATCH["operator"], BATCH["period"])
    root = batch(files, secrets, given.store / "naive", **BATCH)
    seconds = time.perf_counter() - start
    shutil.rmtree(given.store / "naive")
    print(json.dumps({"seconds": seconds, "peak MB": peak_memory(), "root": root.hex()}))


if __name__ == "__main__":
    main()
