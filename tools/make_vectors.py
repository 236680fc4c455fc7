#!/usr/bin/env python3
"""Write the protocol's test vectors, `tests/vectors/*.json`, and the worked example of `docs/protocol.md`.

Everything is derived from constants: the same files come out each time. `--check` writes nothing and fails
when a file differs. The tests compare the vectors with eth-account, viem and OpenZeppelin's merkle-tree.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from vector_batch import ACCOUNTS, Example, tampered

from billproof.batch_id import BatchId
from billproof.commitment import salts, tree
from billproof.commitment.keccak import keccak, rows_of
from billproof.commitment.structs import (
    ACCOUNT_KEY,
    ALL,
    KEY_SECRET,
    PEER,
    SUBJECT,
    Struct,
    hash_one,
)

ROOT = Path(__file__).resolve().parent.parent
VECTORS = ROOT / "tests/vectors"
SPECIFICATION = ROOT / "docs/protocol.md"
_TEXTS = ("", "+4915112345678", "Köln–Zürich ☎", "短信", "\U0001f4de", "a" * 200)


def hexed(data: bytes) -> str:
    return "0x" + bytes(data).hex()


def constant(name: str, width: int = 32) -> bytes:
    """Bytes that look random and are the same each time."""
    return keccak(f"billproof test vectors: {name}".encode())[:width]


def structs() -> dict[str, Any]:
    """Every type with zero, extreme and random values."""
    numbers = random.Random(712)  # noqa: S311
    cases = []
    for struct in ALL:
        for low in (True, False):
            cases.append(_case(struct, {name: _extreme(kind, low) for kind, name in struct.fields}))
        for at in range(6):
            values = {name: _random(kind, numbers, _TEXTS[at]) for kind, name in struct.fields}
            cases.append(_case(struct, values))
    cases.append(_case(PEER, {"number": "", "salt": bytes(32)}))
    return {
        "types": {
            struct.name: {"typeString": struct.type_string, "typeHash": hexed(struct.type_hash)}
            for struct in ALL
        },
        "cases": cases,
    }


def _extreme(kind: str, low: bool) -> int | bytes | str:
    if kind == "string":
        return "" if low else _TEXTS[2]
    if kind.startswith("uint"):
        return 0 if low else (1 << int(kind[4:])) - 1
    if kind.startswith("int"):
        return -(1 << int(kind[3:]) - 1) if low else (1 << int(kind[3:]) - 1) - 1
    return (b"\x00" if low else b"\xff") * _width(kind)


def _random(kind: str, numbers: random.Random, text: str) -> int | bytes | str:
    if kind == "string":
        return text
    if kind.startswith("uint"):
        return numbers.getrandbits(int(kind[4:]))
    if kind.startswith("int"):
        return numbers.getrandbits(int(kind[3:])) - (1 << int(kind[3:]) - 1)
    return numbers.randbytes(_width(kind))


def _width(kind: str) -> int:
    return 20 if kind == "address" else int(kind.removeprefix("bytes")) if kind.startswith("bytes") else 32


def _case(struct: Struct, values: dict[str, Any]) -> dict[str, Any]:
    """One struct and its hash. `Statement.totals` comes opened, as other libraries take it."""
    message: dict[str, Any] = {
        name: hexed(v) if isinstance(v, bytes) else str(v) for name, v in values.items()
    }
    if struct.name == "Statement":
        opened: dict[str, Any] = {
            "total": int.from_bytes(values["totals"][:16], signed=True),
            "salt": values["totals"],
        }
        message["totals"] = {"total": str(opened["total"]), "salt": hexed(opened["salt"])}
        values = {**values, "totals": hash_one(struct.nested[0], opened)}
    return {"type": struct.name, "message": message, "hash": hexed(hash_one(struct, values))}


def trees() -> dict[str, Any]:
    """Roots for 1 to 70 leaves, and some proofs. Leaf i is keccak256 of i as a 32-byte big-endian word."""
    leaves = np.vstack([rows_of(keccak(at.to_bytes(32)), 32) for at in range(70)])
    proofs = []
    for count in (1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 33, 64, 70):
        nodes = tree.build_tree(leaves[:count])
        for leaf in sorted({0, count // 2, count - 1}):
            proofs.append(
                {"leaves": count, "leaf": leaf, "proof": [hexed(n) for n in tree.proof_of(nodes, leaf)]}
            )
    return {"roots": [hexed(tree.build_tree(leaves[:count])[0]) for count in range(1, 71)], "proofs": proofs}


def derivations() -> dict[str, Any]:
    """Salts and keys out of secrets: PRF(key, label ‖ word) = keccak256(key ‖ label, padded ‖ word)."""
    cases = []
    for label in (salts.OPENING_KEY, salts.PEER_SALT, salts.TOTALS_SALT):
        for at, word in enumerate((bytes(32), (1).to_bytes(32), (1000).to_bytes(32), constant("word"))):
            key = constant(f"key {at}")
            value = salts.prf(rows_of(key, 32), label, rows_of(word, 32)).tobytes()
            cases.append({"key": hexed(key), "label": label, "word": hexed(word), "value": hexed(value)})
    return {"prf": cases}


def account_keys() -> dict[str, Any]:
    cases = []
    for at, account in enumerate((*ACCOUNTS, "Ünïcode 7", "x")):
        for sequence in (1, 2):
            batch = BatchId(1, hexed(constant("ledger", 20)), 1, 202610, 0, sequence)
            seed, holder = constant(f"seed {at}"), constant(f"holder {at}", 20) if at % 2 else bytes(20)
            secret = hash_one(KEY_SECRET, {"accountSeed": seed, "batchId": batch.hash})
            subject = hash_one(SUBJECT, {"accountId": account, "keySecret": secret})
            cases.append(
                {
                    "batch": batch.fields,
                    "accountId": account,
                    "accountSeed": hexed(seed),
                    "holder": hexed(holder),
                    "batchId": hexed(batch.hash),
                    "keySecret": hexed(secret),
                    "subject": hexed(subject),
                    "account": hexed(hash_one(ACCOUNT_KEY, {"subject": subject, "holder": holder})),
                }
            )
    return {"cases": cases}


def absences() -> dict[str, Any]:
    """Whether an entry shows that a key is absent; keys are small numbers here."""
    cases = [
        (10, 20, key, absent)
        for key, absent in ((9, False), (10, False), (11, True), (19, True), (20, False), (21, False))
    ]
    cases += [(90, 10, key, absent) for key, absent in ((0, True), (9, True), (10, False), (50, False))]
    cases += [(90, 10, key, absent) for key, absent in ((90, False), (91, True), ((1 << 256) - 1, True))]
    cases += [(50, 50, key, absent) for key, absent in ((49, True), (50, False), (51, True))]
    return {
        "cases": [
            {
                **{
                    name: hexed(word.to_bytes(32))
                    for name, word in zip(("account", "next", "key"), case, strict=False)
                },
                "absent": case[3],
            }
            for case in cases
        ]
    }


def contents() -> Iterator[tuple[Path, str]]:
    """Every file and what belongs in it."""
    example = Example.build(constant)
    files = {
        "structs": structs(),
        "trees": trees(),
        "derivations": derivations(),
        "account-keys": account_keys(),
        "absences": absences(),
        "batch": example.document(),
        "tampered": {"cases": tampered(example)},
    }
    for name, document in files.items():
        yield VECTORS / f"{name}.json", json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    yield SPECIFICATION, _specification(example)


def _specification(example: Example) -> str:
    """The specification with its generated parts brought up to date."""
    text = SPECIFICATION.read_text()
    types = "\n".join(f"| `{struct.name}` | `{hexed(struct.type_hash)}` |" for struct in ALL)
    for name, part in (("types", "| type | type hash |\n|---|---|\n" + types), ("example", example.prose())):
        begin, end = f"<!-- generated: {name} -->\n", f"<!-- end: {name} -->"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise SystemExit(f"{SPECIFICATION.name} has no part {name!r} to fill in")
        text = f"{before}{begin}{part}\n{end}{after}"
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="fail when a file differs instead of writing it")
    check = parser.parse_args().check
    differing = []
    for path, text in contents():
        if path.exists() and path.read_text() == text:
            continue
        differing.append(path.relative_to(ROOT))
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    for path in differing:
        print(f"{path}: {'differs, run tools/make_vectors.py' if check else 'written'}", file=sys.stderr)
    return 1 if check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
