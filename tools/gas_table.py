#!/usr/bin/env python3
"""Measure what ledger, tariff book and clearing house cost and write docs/gas.md; run with .venv-contracts.

Every figure is the receipt of a transaction on a fresh anvil that runs the shipped artifact. Inputs are
fixed, so the table is the same on every machine. `--check` fails when the committed table differs or a
limit is exceeded.
"""

import argparse
import json
import random
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from web3 import HTTPProvider, Web3

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/contracts"))

import clearings  # noqa: E402
import trees  # noqa: E402
from bills import make_record  # noqa: E402
from build_artifact import compile_contract  # noqa: E402
from typed import named, signable, struct_hash  # noqa: E402

TABLE = ROOT / "docs/gas.md"
ARTIFACTS = ROOT / "src/billproof/ledger/artifacts"
NOVEMBER_2025 = 1_761_955_200
PERIOD = 202_510
SIGNER_KEY = "0x" + "42" * 32
RECORDS, BATCH_DEPTH = 2**10, 20


@dataclass
class Row:
    operation: str
    gas: int
    limit: int | None = None


class Bench:
    """A ledger and its tariff book on a chain of their own, and the cost of each call."""

    def __init__(self, client: Web3) -> None:
        self.client = client
        self.sender = client.eth.accounts[0]
        self.artifact = json.loads((ARTIFACTS / "BillingLedger.json").read_text())
        self.deployment = self.deploy(self.artifact)
        self.address = self.artifact["create2"]["address"]
        self.ledger = client.eth.contract(address=self.address, abi=self.artifact["abi"]).functions

    def deploy(self, artifact: dict, arguments: str = "") -> int:
        """Gas of putting a shipped contract at its address; `arguments` are its constructor's, in hex."""
        place = artifact["create2"]
        data = place["salt"] + artifact["bytecode"][2:] + arguments
        receipt = self.send({"to": place["deployer"], "data": data})
        if not self.client.eth.get_code(place["address"]):
            sys.exit(f"{artifact['contractName']} is not at the address that its file says")
        return receipt["gasUsed"]

    def send(self, fields: dict) -> dict:
        transaction = {"from": self.sender, "gas": 8_000_000, **fields}
        receipt = self.client.eth.wait_for_transaction_receipt(
            self.client.eth.send_transaction(transaction), poll_latency=0.02
        )
        if receipt["status"] != 1:
            sys.exit(f"a measured transaction failed: {fields}")
        return receipt

    def cost(self, call) -> int:
        """Gas of the call as a transaction."""
        return self.send({"to": call.address, "data": call._encode_transaction_data()})["gasUsed"]

    def execution(self, call) -> int:
        """Gas of the ledger's code alone: without the transaction's own 21,000 and its input bytes."""
        if call.call() != 0:
            sys.exit(f"a measured proof does not verify: {call.fn_name}, reason {call.call()}")
        data = bytes.fromhex(call._encode_transaction_data()[2:])
        return self.cost(call) - 21_000 - sum(16 if byte else 4 for byte in data)


def path_to_root(rng: random.Random, leaf: bytes, depth: int = BATCH_DEPTH) -> tuple[list[bytes], bytes]:
    """A proof of `depth` made-up siblings and the root that it leads to."""
    path, at = [rng.randbytes(32) for _ in range(depth)], leaf
    for sibling in path:
        at = trees.node(at, sibling)
    return path, at


def anchoring(bench: Bench) -> list[Row]:
    ledger, rng = bench.ledger, random.Random(1)  # noqa: S311 - made-up roots

    def anchor(region: int, sequence: int, amends: int = 0):
        return ledger.anchor(1, PERIOD, region, sequence, rng.randbytes(32), rng.randbytes(32), amends)

    def batch(sequence: int) -> tuple:
        return (PERIOD, 1, sequence, rng.randbytes(32), rng.randbytes(32), 0)

    rows = [
        Row("`registerOperator`", bench.cost(ledger.registerOperator("Carrier", "carrier.example", ""))),
        Row("`grantAnchorer`", bench.cost(ledger.grantAnchorer(1, bench.sender))),
        Row("`anchor`, first batch of a period", bench.cost(anchor(1, 1))),
        Row("`anchor`, next batch", bench.cost(anchor(1, 2)), 90_000),
        Row("`anchor`, first batch of another region", bench.cost(anchor(2, 1)), 90_000),
        Row("`anchor`, next batch, another region's in between", bench.cost(anchor(1, 3)), 90_000),
        Row("`anchor`, amendment of the batch before", bench.cost(anchor(1, 4, amends=3)), 90_000),
        Row("`anchor`, amendment of an older batch", bench.cost(anchor(1, 5, amends=1)), 90_000),
    ]
    many = bench.cost(ledger.anchorMany(1, [batch(sequence) for sequence in range(6, 16)]))
    rows += [
        Row("`anchorMany`, ten batches", many),
        Row("`anchorMany`, a batch of ten", -(-many // 10), 65_000),
    ]

    signer = bench.client.eth.account.from_key(SIGNER_KEY)
    bench.cost(ledger.grantAnchorer(1, signer.address))
    signed, deadline = batch(16), 2**40
    values = (1, *signed, signer.address, ledger.nonceOf(1, signer.address).call(), deadline)
    message = signable("Anchor", named("Anchor", values), bench.client.eth.chain_id, bench.address)
    signature = signer.sign_message(message).signature
    by_sig = bench.cost(ledger.anchorBySig(1, signed, signer.address, deadline, signature))
    return [
        *rows,
        Row("`anchorBySig`, next batch", by_sig),
        Row("`revokeAnchorer`", bench.cost(ledger.revokeAnchorer(1, signer.address))),
        Row("`seal`", bench.cost(ledger.seal(1, PERIOD, ledger.headOf(1).call(), 17))),
        Row("`repudiate`", bench.cost(ledger.repudiate((1, PERIOD, 1, 1)))),
    ]


def tariffs(bench: Bench) -> list[Row]:
    """The book, after `anchoring`: operator 1 is there, its admin holds the anchorer's right too."""
    artifact, rng = json.loads((ARTIFACTS / "TariffBook.json").read_text()), random.Random(3)  # noqa: S311
    deployment = bench.deploy(artifact, bench.address[2:].rjust(64, "0"))
    address = artifact["create2"]["address"]
    book = bench.client.eth.contract(address=address, abi=artifact["abi"]).functions
    first, last = 1_761_955_200, 1_793_491_200  # 2025-11-01 and 2026-11-01
    hashes = [rng.randbytes(32) for _ in range(5)]
    signer = bench.client.eth.account.from_key(SIGNER_KEY)
    bench.cost(bench.ledger.grantAnchorer(1, signer.address))
    deadline, nonce = 2**40, bench.ledger.nonceOf(1, signer.address).call()
    values = (1, hashes[4], first, last, signer.address, nonce, deadline)
    message = signable(
        "Publish", named("Publish", values), bench.client.eth.chain_id, address, "Billproof TariffBook"
    )
    signature = signer.sign_message(message).signature
    rows = [
        Row("deployment", deployment),
        Row("`publish`, an operator's first version", bench.cost(book.publish(1, hashes[0], first, last))),
        Row("`publish`, next version", bench.cost(book.publish(1, hashes[1], first, last)), 90_000),
        Row("`publish`, without an end", bench.cost(book.publish(1, hashes[2], first, 0)), 90_000),
    ]
    bench.cost(bench.ledger.revokeAnchorer(1, bench.sender))
    return [
        *rows,
        Row("`publish`, by the admin without the right", bench.cost(book.publish(1, hashes[3], first, last))),
        Row(
            "`publishBySig`",
            bench.cost(book.publishBySig(1, hashes[4], first, last, signer.address, deadline, signature)),
        ),
        Row("`withdraw`", bench.cost(book.withdraw(1, hashes[0], last))),
    ]


class House:
    """The house, after `anchoring`; operators 2 and 3 beside the first, each with an admin of its own."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.client = bench, bench.client
        artifact = json.loads((ARTIFACTS / "ClearingHouse.json").read_text())
        self.deployment = bench.deploy(artifact, bench.address[2:].rjust(64, "0"))
        self.address = artifact["create2"]["address"]
        self.size = (len(artifact["deployedBytecode"]) - 2) // 2
        self.house = self.client.eth.contract(address=self.address, abi=artifact["abi"]).functions
        self.keys = {number: "0x" + f"{number:02x}" * 32 for number in (1, 2, 3)}
        self.region, self.last = 9, 0
        sender = bench.sender
        for number, key in self.keys.items():
            admin = self.client.eth.account.from_key(key).address
            self.client.provider.make_request("anvil_setBalance", [admin, hex(10**19)])
            self.client.provider.make_request("anvil_impersonateAccount", [admin])
            if number == 1:
                bench.cost(bench.ledger.transferAdmin(1, admin))
                self.as_admin(1, bench.ledger.acceptAdmin(1))
                self.as_admin(1, bench.ledger.grantAnchorer(1, sender))
            else:
                self.as_admin(number, bench.ledger.registerOperator("Carrier", "carrier.example", ""))
                self.as_admin(number, bench.ledger.grantAnchorer(number, sender))
            root = bytes([number]) * 32
            bench.cost(bench.ledger.anchor(number, PERIOD + 1, self.region, 1, root, root, 0))
            bench.cost(bench.ledger.anchor(number, PERIOD + 1, self.region, 2, root, root, 1))
        self.pass_time()

    def pass_time(self) -> None:
        self.client.provider.make_request("evm_increaseTime", [60])
        self.client.provider.make_request("evm_mine", [])

    def as_admin(self, number: int, call) -> int:
        admin = self.client.eth.account.from_key(self.keys[number]).address
        fields = {"from": admin, "to": call.address, "data": call._encode_transaction_data()}
        return self.bench.send(fields)["gasUsed"]

    def sign(self, number: int, struct: str, values: tuple) -> bytes:
        message = clearings.signable(struct, values, self.client.eth.chain_id, self.address)
        return self.client.eth.account.sign_message(message, self.keys[number]).signature

    def agreed(self, one: int, two: int, openings: list) -> tuple[bytes, dict[str, list[int]]]:
        """A clearing of two operators with a part for each opening; its id, and what each step cost."""
        now = self.client.eth.get_block("latest")["timestamp"]
        deadlines = tuple(now + day * clearings.DAY for day in (10, 20, 30, 40))
        costs = {"open": [self.as_admin(one, self.house.open(one, two, PERIOD + 1, deadlines))]}
        clearing = self.house.clearingIdOf(one, two, PERIOD + 1, 1).call()
        book = [(self.region, 1)]
        salts = {number: bytes([0x50 + number]) * 32 for number in (one, two)}

        def commitment(number: int) -> bytes:
            members = (clearing, number, book, clearings.STATEMENTS, salts[number])
            return clearings.struct_hash("Book", *members)

        costs["commit"] = [
            self.bench.cost(self.house.commit(clearing, number, commitment(number))) for number in (one, two)
        ]
        self.pass_time()
        costs["reveal"] = [
            self.bench.cost(self.house.reveal(clearing, number, book, clearings.STATEMENTS, salts[number]))
            for number in (one, two)
        ]
        costs["agree"] = []
        for part, opening in enumerate(openings, 1):
            amendment = (one, PERIOD + 1, self.region, 2) if part == 3 else clearings.NO_AMENDMENT
            terms = (clearing, part, part == len(openings), one, opening.commitment(clearing, part))
            net = (*terms, clearings.DOCUMENT, amendment, 2**40)
            signed = [self.sign(number, "NetAmount", (*net[:-1], 0, 0, 2**40)) for number in (one, two)]
            costs["agree"].append(self.bench.cost(self.house.agree(net, *signed)))
        return clearing, costs


def cleared(bench: Bench) -> tuple[list[Row], int]:
    at = House(bench)
    compiled = compile_contract("TrickToken", "test/ClearingDoubles")
    token = bench.send({"data": "0x" + compiled["evm"]["bytecode"]["object"]})["contractAddress"]
    approve = at.client.codec.encode(["address", "uint256"], [at.address, 2**255])
    bench.send({"to": token, "data": "0x095ea7b3" + approve.hex()})
    payee = "0x" + "fe" * 20
    paid = clearings.Opening(amount=10**9, token=token, payee=Web3.to_checksum_address(payee))
    clearing, costs = at.agreed(1, 2, [clearings.Opening(), paid, clearings.Opening()])
    rows = [
        Row("deployment", at.deployment),
        Row("`open`", costs["open"][0]),
        Row("`commit`, the first side", costs["commit"][0]),
        Row("`commit`, the second side", costs["commit"][1]),
        Row("`reveal`, one batch, the first side", costs["reveal"][0]),
        Row("`reveal`, one batch, the second side", costs["reveal"][1]),
        Row("`agree`, the first part", costs["agree"][0], 250_000),
        Row("`agree`, the next part", costs["agree"][1], 250_000),
        Row("`agree`, the last part, with an amendment", costs["agree"][2]),
        Row("`confirm`", at.as_admin(1, at.house.confirm(clearing, 1, b"\x07" * 32))),
        Row("`pay`, to a payee who had none of the token", bench.cost(at.house.pay(clearing, 2, paid.call))),
    ]
    others = [at.agreed(one, two, [clearings.Opening()])[0] for one, two in ((2, 3), (1, 3))]
    replaced = [(clearing, 3), (others[0], 1), (others[1], 1)]
    source = at.house.nettingIdOf(replaced).call()
    parts = [(1, 3, clearings.Opening().commitment(source, 1))]
    netting = ([1, 2, 3], replaced, parts, clearings.DOCUMENT, 2**40)
    values = (netting[0], [0, 0, 0], *netting[1:])
    signed = [at.sign(number, "Netting", values) for number in (1, 2, 3)]
    rows += [
        Row("`net`, three parts of three operators by one", bench.cost(at.house.net(netting, signed))),
        Row("`withdrawSignatures`, the first time", at.as_admin(1, at.house.withdrawSignatures(1))),
    ]
    return rows, at.size


def proofs(bench: Bench) -> list[Row]:
    ledger, rng = bench.ledger, random.Random(2)  # noqa: S311 - made-up statements
    key = (1, PERIOD - 1, 1, 1)
    records = [make_record(rng, index) for index in range(RECORDS)]
    leaves = [struct_hash("CallRecord", *record) for record in records]
    account, following, tariff, salt = (rng.randbytes(32) for _ in range(4))
    total = 123_456_789
    records_root = trees.root(leaves)
    totals = {"total": total, "salt": salt}
    batch_id = ledger.batchIdOf(key).call()
    statement = struct_hash("Statement", batch_id, account, records_root, RECORDS, b"EUR", tariff, totals)
    entry = (account, following, statement)
    path, root = path_to_root(rng, struct_hash("AccountEntry", *entry))
    bench.cost(ledger.anchor(*key[:4], root, bytes(32), 0))
    terms = (account, RECORDS, b"EUR", tariff, struct_hash("Totals", total, salt))
    opening = (account, records_root, RECORDS, b"EUR", tariff, total, salt)
    chosen = sorted(rng.sample(range(RECORDS), 10))
    nodes, flags = trees.multiproof(leaves, chosen)
    some = [records[index] for index in chosen]
    one = ledger.verifyRecord(key, terms, following, records[777], trees.proof(leaves, 777), path)
    ten = ledger.verifyRecords(key, terms, following, some, nodes, flags, path)
    inside = min(account, following)[:31] + b"\xff" if account < following else b"\xff" * 32
    rows = [
        Row("`verifyRecord`", bench.execution(one), 18_000),
        Row("`verifyRecords`, ten records", bench.execution(ten)),
        Row("`verifyStatement`", bench.execution(ledger.verifyStatement(key, opening, following, path))),
        Row("`verifyAbsence`", bench.execution(ledger.verifyAbsence(key, inside, entry, path))),
    ]

    # Two statements under one key, in a tree whose two halves are 2^19 accounts each.
    pair = [(account, following, rng.randbytes(32)) for _ in range(2)]
    halves = [path_to_root(rng, struct_hash("AccountEntry", *one), BATCH_DEPTH - 1) for one in pair]
    bench.cost(ledger.anchor(1, PERIOD - 1, 2, 1, trees.node(halves[0][1], halves[1][1]), bytes(32), 0))
    ways = [[*halves[side][0], halves[1 - side][1]] for side in (0, 1)]
    fault = ledger.proveRingFault((1, PERIOD - 1, 2, 1), pair[0], ways[0], pair[1], ways[1])
    return [*rows, Row("`proveRingFault`, as a transaction", bench.cost(fault))]


def render(
    bench: Bench,
    transactions: list[Row],
    views: list[Row],
    published: list[Row],
    clearing: list[Row],
    house_size: int,
) -> str:
    def lines(rows: list[Row]) -> str:
        return "\n".join(
            f"| {row.operation} | {row.gas:,} | {f'{row.limit:,}' if row.limit else ''} |" for row in rows
        )

    evm = bench.artifact["evmVersion"]
    size = (len(bench.artifact["deployedBytecode"]) - 2) // 2
    return f"""# What the ledger's operations cost

Made by `tools/gas_table.py` from receipts of the shipped artifact on anvil (EVM {evm}); CI measures again
and fails on any difference, or when a limit is exceeded. The code has {size:,} of at most 24,576 bytes.

## Transactions

All of the gas, the transaction's own 21,000 and its input bytes included. Roots and manifest hashes have next
to no zero bytes. A period costs a new slot once, with its first batch.

| operation | gas | limit |
|---|---:|---:|
{lines(transactions)}

## Proofs

Execution only, of a statement of 2^10 records in a batch of 2^20 accounts. Views cost nothing where nobody
sends them; these figures are for contracts that call them, and for the limit that a node sets on `eth_call`.

| operation | gas | limit |
|---|---:|---:|
{lines(views)}

## Tariffs

Transactions of the tariff book beside the ledger, whole ([tariff.md](tariff.md#10-on-chain)). A version is a
slot and a line of the operator's list. The ledger has an anchorer in one slot; the admin is read with all
else that it holds of the operator.

| operation | gas | limit |
|---|---:|---:|
{lines(published)}

## Clearing

Transactions of the clearing house beside the ledger, whole ([clearing.md](clearing.md#8-on-chain)). Its code
has {house_size:,} bytes. Books are of one batch a side here; `agree` asks the ledger for every batch of both.
Admins are keys; a contract's signature costs what the contract takes.

| operation | gas | limit |
|---|---:|---:|
{lines(clearing)}
"""


def measure(client: Web3) -> tuple[str, list[Row]]:
    bench = Bench(client)
    transactions = [Row("deployment", bench.deployment), *anchoring(bench)]
    views = proofs(bench)
    published = tariffs(bench)
    clearing, house_size = cleared(bench)
    text = render(bench, transactions, views, published, clearing, house_size)
    return text, [*transactions, *views, *published, *clearing]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def on_fresh_chain() -> tuple[str, list[Row]]:
    port = free_port()
    command = [
        str(ROOT / "node_modules/.bin/anvil"),
        "--silent",
        "--port",
        str(port),
        "--hardfork",
        "shanghai",
    ]
    command += ["--timestamp", str(NOVEMBER_2025), "--mnemonic", "test " * 11 + "junk"]
    chain = subprocess.Popen(command)  # noqa: S603 - the project's own anvil
    try:
        client = Web3(HTTPProvider(f"http://127.0.0.1:{port}"))
        deadline = time.monotonic() + 20
        while not client.is_connected():
            if chain.poll() is not None or time.monotonic() > deadline:
                sys.exit("anvil does not start: is node_modules there? npm install")
            time.sleep(0.05)
        return measure(client)
    finally:
        chain.terminate()
        chain.wait()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--check", action="store_true", help="compare with the committed table, write nothing"
    )
    check = parser.parse_args().check
    table, rows = on_fresh_chain()
    over = [row for row in rows if row.limit and row.gas > row.limit]
    for row in over:
        print(f"{row.operation}: {row.gas:,} gas, limit {row.limit:,}", file=sys.stderr)
    if check and (not TABLE.exists() or TABLE.read_text() != table):
        print("docs/gas.md is not what was measured: run tools/gas_table.py", file=sys.stderr)
        return 1
    if not check:
        TABLE.write_text(table)
    if over:
        return 1
    print(f"docs/gas.md: {'up to date' if check else 'written'}, {len(rows)} figures, no limit exceeded")
    return 0


if __name__ == "__main__":
    sys.exit(main())
