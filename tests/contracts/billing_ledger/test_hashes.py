"""The nine struct hashes of the library against eth-account, and trees against the public JavaScript library."""

import json
import random
import subprocess
from pathlib import Path

import pytest
import trees
from brownie import web3
from brownie.test import given, strategy
from hypothesis import settings
from typed import named, signable, struct_hash

ROOT = Path(__file__).resolve().parents[3]

u8, u32, u64 = strategy("uint8"), strategy("uint32"), strategy("uint64")
word, text, address = strategy("bytes32"), strategy("string"), strategy("address")


@given(chain_id=strategy("uint256"), ledger=address, operator=u64, period=u32, region=u32, sequence=u32)
def test_batch_id(harness, chain_id, ledger, operator, period, region, sequence):
    expected = struct_hash("BatchId", chain_id, str(ledger), operator, period, region, sequence)
    assert bytes(harness.batchId(chain_id, ledger, (operator, period, region, sequence))) == expected


@given(number=text, salt=word)
def test_peer(harness, number, salt):
    assert bytes(harness.peer(number, salt)) == struct_hash("Peer", number, salt)


@given(
    index=u32,
    service=u8,
    started_at=u64,
    utc_offset=strategy("int16"),
    usage=u64,
    billed_usage=u64,
    peer=word,
    network=strategy("bytes8"),
    amount=strategy("int128"),
    rate=word,
    corrects=word,
)
def test_call_record(harness, **fields):
    record = tuple(fields.values())
    assert bytes(harness.callRecord(record)) == struct_hash("CallRecord", *record)


@given(total=strategy("int128"), salt=word)
def test_totals(harness, total, salt):
    assert bytes(harness.totals(total, salt)) == struct_hash("Totals", total, salt)


@given(
    batch=word,
    account=word,
    records_root=word,
    count=u32,
    currency=strategy("bytes3"),
    tariff=word,
    total=strategy("int128"),
    salt=word,
)
def test_statement(harness, batch, account, records_root, count, currency, tariff, total, salt):
    totals = {"total": total, "salt": salt}
    expected = struct_hash("Statement", batch, account, records_root, count, currency, tariff, totals)
    terms = (account, count, currency, tariff, struct_hash("Totals", total, salt))
    assert bytes(harness.statement(batch, terms, records_root)) == expected


@given(account=word, next_account=word, statement=word)
def test_account_entry(harness, account, next_account, statement):
    entry = (account, next_account, statement)
    assert bytes(harness.accountEntry(entry)) == struct_hash("AccountEntry", *entry)


@given(subject=word, holder=address)
def test_account_key(harness, subject, holder):
    assert bytes(harness.accountKey(subject, holder)) == struct_hash("AccountKey", subject, str(holder))


@given(account_id=text, secret=word)
def test_subject(harness, account_id, secret):
    assert bytes(harness.subject(account_id, secret)) == struct_hash("Subject", account_id, secret)


@given(seed=word, batch=word)
def test_key_secret(harness, seed, batch):
    assert bytes(harness.keySecret(seed, batch)) == struct_hash("KeySecret", seed, batch)


@pytest.mark.parametrize("amount", [-(2**127), -1, 0, 1, 2**127 - 1])
def test_amounts_are_hashed_with_their_sign(harness, amount):
    assert bytes(harness.totals(amount, bytes(32))) == struct_hash("Totals", amount, bytes(32))


def test_domain_and_batch_id_are_the_ledgers_own(ledger, period, operator_id):
    chain_id = web3.eth.chain_id
    message = signable("Totals", named("Totals", [0, bytes(32)]), chain_id, ledger.address)
    assert bytes(ledger.domainSeparator()) == message.header
    expected = struct_hash("BatchId", chain_id, ledger.address, operator_id, period, 7, 9)
    assert bytes(ledger.batchIdOf((operator_id, period, 7, 9))) == expected


@settings(max_examples=10)
@given(size=strategy("uint8", min_value=1, max_value=40), seed=strategy("uint32"))
def test_trees_are_those_of_the_public_library(size, seed):
    rng = random.Random(seed)
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
