"""The nine struct hashes against eth-account, and trees against the public JavaScript library."""

import json
import random
import subprocess
from pathlib import Path

import pytest
import trees
from brownie import web3
from typed import FIELDS, named, signable, struct_hash

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = 25
TEXTS = ["", "+4915112345678", "Ünïcode ✓", "a" * 31, "a" * 32, "a" * 33, "\0"]


def make_value(rng, kind):
    """A value of the Solidity type: now and then an edge of its range."""
    if kind == "string":
        return rng.choice(TEXTS) + rng.choice(["", rng.randbytes(rng.randrange(40)).hex()])
    if kind == "address":
        return web3.to_checksum_address(rng.randbytes(20))
    if kind.startswith("bytes"):
        size = int(kind[5:])
        return rng.choice([bytes(size), b"\xff" * size, *(rng.randbytes(size) for _ in range(6))])
    if kind == "Totals":
        return named("Totals", [make_value(rng, "int128"), make_value(rng, "bytes32")])
    bits = int(kind.lstrip("uint"))
    low, high = (0, 2**bits - 1) if kind.startswith("uint") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return rng.choice([low, high, 0, 1, max(low, -1), *(rng.randint(low, high) for _ in range(8))])


def terms_of(account, count, currency, tariff, totals):
    return account, count, currency, tariff, struct_hash("Totals", *totals.values())


# How the harness takes what the typed struct lists.
CALLS = {
    "BatchId": lambda h, chain_id, ledger, *key: h.batchId(chain_id, ledger, key),
    "Peer": lambda h, *values: h.peer(*values),
    "CallRecord": lambda h, *values: h.callRecord(values),
    "Totals": lambda h, *values: h.totals(*values),
    "Statement": lambda h, batch, account, root, *rest: h.statement(batch, terms_of(account, *rest), root),
    "AccountEntry": lambda h, *values: h.accountEntry(values),
    "AccountKey": lambda h, *values: h.accountKey(*values),
    "Subject": lambda h, *values: h.subject(*values),
    "KeySecret": lambda h, *values: h.keySecret(*values),
}


@pytest.mark.parametrize("struct", CALLS)
def test_struct_hash_is_eth_accounts(harness, struct):
    rng = random.Random(struct)
    for _ in range(EXAMPLES):
        values = [make_value(rng, kind) for kind, _ in FIELDS[struct]]
        assert bytes(CALLS[struct](harness, *values)) == struct_hash(struct, *values), values


def test_domain_and_batch_id_are_the_ledgers_own(ledger, period, operator_id):
    chain_id = web3.eth.chain_id
    message = signable("Totals", named("Totals", [0, bytes(32)]), chain_id, ledger.address)
    assert bytes(ledger.domainSeparator()) == message.header
    expected = struct_hash("BatchId", chain_id, ledger.address, operator_id, period, 7, 9)
    assert bytes(ledger.batchIdOf((operator_id, period, 7, 9))) == expected


@pytest.mark.parametrize("size", [1, 2, 3, 8, 21, 40])
def test_trees_are_those_of_the_public_library(size):
    rng = random.Random(size)
    leaves = [rng.randbytes(32) for _ in range(size)]
    chosen = sorted(rng.sample(range(size), rng.randint(1, size)))
    script = """
        const { SimpleMerkleTree } = require('@openzeppelin/merkle-tree');
        const { leaves, chosen } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
        const tree = SimpleMerkleTree.of(leaves, { sortLeaves: false });
        const { leaves: proved, proof, proofFlags } = tree.getMultiProof(chosen);
        const proofs = leaves.map((_, i) => tree.getProof(i));
        console.log(JSON.stringify({ root: tree.root, proofs, proved, proof, proofFlags }));
    """
    given_ = json.dumps({"leaves": ["0x" + leaf.hex() for leaf in leaves], "chosen": chosen})
    run = subprocess.run(
        ["node", "-e", script], cwd=ROOT, input=given_, capture_output=True, text=True, check=True
    )
    public = json.loads(run.stdout)
    assert public["root"] == "0x" + trees.root(leaves).hex()
    assert public["proofs"] == [["0x" + n.hex() for n in trees.proof(leaves, i)] for i in range(size)]
    nodes, flags = trees.multiproof(leaves, chosen)
    assert public["proof"] == ["0x" + n.hex() for n in nodes]
    assert public["proofFlags"] == flags
    assert public["proved"] == ["0x" + leaves[i].hex() for i in chosen]
