"""Made-up batches, hashed by eth-account, for the ledger to verify."""

import random
from dataclasses import dataclass

import trees
from typed import struct_hash


@dataclass
class Bill:
    """One statement of a batch, with everything that proves it. Structs are tuples in ABI order."""

    key: tuple
    root: bytes
    entries: list
    entry_leaves: list
    target: int
    terms: tuple
    opening: tuple
    records: list
    record_leaves: list

    @property
    def next_account(self):
        return self.entries[self.target][1]

    def entry_proof(self, entry=None):
        return trees.proof(self.entry_leaves, self.target if entry is None else entry)

    def record_call(self, index):
        """Arguments of `verifyRecord`."""
        path = trees.proof(self.record_leaves, index)
        return self.key, self.terms, self.next_account, self.records[index], path, self.entry_proof()

    def records_call(self, chosen):
        """Arguments of `verifyRecords`."""
        nodes, flags = trees.multiproof(self.record_leaves, chosen)
        records = [self.records[index] for index in chosen]
        return self.key, self.terms, self.next_account, records, nodes, flags, self.entry_proof()

    def statement_call(self):
        """Arguments of `verifyStatement`."""
        return self.key, self.opening, self.next_account, self.entry_proof()


def make_record(rng, index):
    return (
        index,
        rng.choice([1, 2, 3, 4, 5, 6, 32, 34, 36, 37]),
        1_700_000_000 + rng.randrange(50_000_000),
        rng.randrange(-720, 841, 15),
        rng.randrange(2**40),
        rng.randrange(2**40),
        rng.randbytes(32),
        b"262-01\0\0",
        rng.randrange(-(2**127), 2**127),
        rng.randbytes(32),
        bytes(32),
    )


def make_ring(rng, accounts):
    keys = sorted(rng.randbytes(32) for _ in range(accounts))
    return [(keys[i], keys[(i + 1) % accounts], rng.randbytes(32)) for i in range(accounts)]


def make_bill(key, batch_id, accounts=5, records=6, seed=0):
    """A batch of `accounts` statements, one of them with `records` records."""
    rng = random.Random(seed)
    entries = make_ring(rng, accounts)
    target = rng.randrange(accounts)
    lines = [make_record(rng, index) for index in range(records)]
    leaves = [struct_hash("CallRecord", *line) for line in lines]
    total, salt, tariff = rng.randrange(-(2**60), 2**60), rng.randbytes(32), rng.randbytes(32)
    account, records_root = entries[target][0], trees.root(leaves)
    totals = {"total": total, "salt": salt}
    statement = struct_hash(
        "Statement", bytes(batch_id), account, records_root, records, b"EUR", tariff, totals
    )
    entries[target] = (account, entries[target][1], statement)
    entry_leaves = [struct_hash("AccountEntry", *entry) for entry in entries]
    return Bill(
        key=key,
        root=trees.root(entry_leaves),
        entries=entries,
        entry_leaves=entry_leaves,
        target=target,
        terms=(account, records, b"EUR", tariff, struct_hash("Totals", total, salt)),
        opening=(account, records_root, records, b"EUR", tariff, total, salt),
        records=lines,
        record_leaves=leaves,
    )
