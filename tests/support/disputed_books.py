"""Two partners whose books are committed, anchored on an embedded chain, and differ in every way."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from billproof.batch_id import BatchId
from billproof.batch_writer import write_batch
from billproof.bundle.cut import Cutter
from billproof.commit import commit
from billproof.ledger import deployments
from billproof.ledger.client import BatchAnchor, LedgerClient
from billproof.ledger.deploy import deploy
from billproof.ledger.embedded import EmbeddedChain
from billproof.ledger.reads import chain_id
from billproof.ledger.signers import development_signer
from billproof.records import SCHEMA, ZERO32
from billproof.secret_store import SecretStore
from billproof.simulate.partners import AGREEMENT, SINGLE, SYSTEMATIC, partner_books
from billproof.statements import arrange
from billproof.store import StoredBatch

PERIOD = 202610
ACCOUNTS = ("skylark", "meridian")


@dataclass
class Partners:
    """Where everything lies: our store, their store, the proof files that they handed over, the agreement."""

    home: Path
    chain: EmbeddedChain
    clients: tuple[LedgerClient, LedgerClient]
    agreement: Path

    @property
    def rpc(self) -> str:
        return f"embedded:{self.home / 'chain.jsonl'}"

    @property
    def ours(self) -> Path:
        return self.home / "store" / "1"

    @property
    def their_store(self) -> Path:
        return self.home / "store" / "2"

    @property
    def theirs(self) -> Path:
        return self.home / "theirs"

    def anchor(self, side: int, stored: StoredBatch) -> None:
        """Anchors a batch of one side."""
        batch = stored.id
        self.clients[side].anchor(
            batch.operator_id,
            BatchAnchor(batch.period, batch.region, batch.sequence, stored.root, stored.manifest_hash),
        )


def make_partners(
    home: Path,
    records: int = 900,
    seed: int = 3,
    errors: Collection[str] = (*SINGLE, *SYSTEMATIC),
    *,
    anchored: bool = True,
) -> Partners:
    """A month of both partners: a batch a region, each with another customer in it."""
    chain = EmbeddedChain.open(home / "chain.jsonl", writable=True)
    number = chain_id(chain)
    signers = [development_signer(side, number) for side in (0, 1)]
    deploy(chain, signers[0])
    deployment = deployments.load(number)
    clients = [LedgerClient(chain, deployment, signer) for signer in signers]
    for side, client in enumerate(clients):
        operator, _ = client.register_operator(("Meridian", "Skylark")[side], "", "")
        client.grant(operator, client.signer.address)
        assert operator == side + 1
    agreement = home / "agreement.toml"
    agreement.write_text(AGREEMENT)
    partners = Partners(home, chain, (clients[0], clients[1]), agreement)
    books = partner_books(records, seed, errors)
    partners.theirs.mkdir()
    for side, tables in enumerate(books.tables):
        vault = SecretStore(home / "secrets", side + 1)
        for region, table in enumerate(tables):
            batch = BatchId(number, deployment.ledger, side + 1, PERIOD, region, 1)
            stored = commit_table(home / "store", vault, batch, ACCOUNTS[side], table)
            if anchored:
                partners.anchor(side, stored)
            if side == 1:
                content = Cutter(stored, vault, [ACCOUNTS[1]]).bundle(ACCOUNTS[1])
                (partners.theirs / f"region-{region}.json").write_bytes(content)
    return partners


def commit_table(
    store: Path, vault: SecretStore, batch: BatchId, account: str, table: pa.Table
) -> StoredBatch:
    """A batch of an account's records, and of one record of somebody else."""
    count = table.num_rows
    more = {
        "account": pa.array([account] * count).dictionary_encode(),
        "corrects": pa.array([ZERO32] * count, pa.binary(32)),
        "source": pa.array(["cdr.csv"] * count).dictionary_encode(),
        "line": np.arange(1, count + 1),
    }
    columns = [table[name] if name in table.column_names else more[name] for name in SCHEMA.names]
    records = pa.table(columns, names=SCHEMA.names).cast(SCHEMA)
    customer = pa.array(["a customer"]).dictionary_encode().cast(SCHEMA.field("account").type)
    other = records.slice(0, 1).set_column(0, SCHEMA.field("account"), customer)
    statements, _ = arrange(pa.concat_tables([records, other]).unify_dictionaries())
    enrolment = vault.enrol(statements.accounts)
    commitment = commit(statements, batch, enrolment, vault.opening_keys(batch, statements.accounts), ZERO32)
    rejects = pa.table({"line": pa.array([], pa.int64())})
    return write_batch(
        store, batch, commitment, statements.records, rejects, {"sources": []}, amends=0, replace=False
    )
