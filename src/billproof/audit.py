"""What a batch claims, derived again: by the operator from its store, by anybody from a public manifest.

Every check raises :class:`DifferenceError` at the first difference, naming the file and what differs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from billproof.anchoring import anchor_request
from billproof.audit_prices import audit_prices
from billproof.audit_records import audit_entries, audit_openings, audit_records, audit_tariffs
from billproof.batch_id import BatchId
from billproof.commit import entry_hashes
from billproof.commitment import tree
from billproof.commitment.keccak import ByteRows, keccak, rows_of
from billproof.commitment.structs import Struct, hash_one
from billproof.errors import DifferenceError, InputError
from billproof.leaves import byte_rows
from billproof.ledger.deployments import Deployment
from billproof.ledger.events import batch_events
from billproof.ledger.outbox import load_state
from billproof.ledger.outbox_state import of_receipt, state_bytes
from billproof.ledger.reads import batch_state, operator, period_state
from billproof.ledger.rpc import Endpoint
from billproof.ledger.states import AnchoredEvent, BatchKey
from billproof.ledger.transactions import receipt
from billproof.recovery import require_whole
from billproof.secret_store import SecretStore
from billproof.store import MANIFEST_SCHEMA, StoredBatch
from billproof.sums import check_sums

EIP712_DOMAIN = Struct(
    "EIP712Domain",
    (("string", "name"), ("string", "version"), ("uint256", "chainId"), ("address", "verifyingContract")),
)

#: Told the name of each check that passed.
Told = Callable[[str], None]


@dataclass(frozen=True)
class Manifest:
    """A public manifest and its list, read and compared with each other.

    ``keys`` and ``statements`` are (m, 32), in the order of the batch tree's leaves.
    """

    path: Path
    content: bytes
    fields: dict[str, Any]
    batch: BatchId
    keys: ByteRows
    statements: ByteRows

    @property
    def root(self) -> bytes:
        return bytes.fromhex(self.fields["root"][2:])

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """The manifest in a file, its list beside it."""
        try:
            content = path.read_bytes()
            fields = json.loads(content)
            if not isinstance(fields, dict) or fields.get("schema") != MANIFEST_SCHEMA:
                raise InputError(f"not a {MANIFEST_SCHEMA}", file=path)
            named = fields["batch"]
            batch = BatchId(
                int(named["chainId"]),
                str(named["ledger"]),
                *(int(named[name]) for name in ("operatorId", "period", "region", "sequence")),
            )
            listing = path.with_name("manifest.bin").read_bytes()
            digest = fields["list"]["keccak256"]
            count = int(fields["statements"])
        except OSError as error:
            raise InputError(f"cannot read: {error.strerror}", file=error.filename or path) from error
        except (ValueError, KeyError, TypeError) as error:
            raise DifferenceError(f"{path}: not a manifest as `billproof batch` writes it") from error
        if len(listing) != 64 * count or digest != "0x" + keccak(listing).hex():
            raise DifferenceError(f"{path.with_name('manifest.bin')}: not the list that the manifest names")
        entries = rows_of(listing, 64)
        return cls(path, content, fields, batch, entries[:, :32].copy(), entries[:, 32:].copy())


@dataclass(frozen=True)
class RingFault:
    """Two entries of one batch that contradict each other: what ``proveRingFault`` takes."""

    batch: BatchId
    first: int
    second: int
    entries: tuple[dict[str, str], dict[str, str]]
    proofs: tuple[list[str], list[str]]

    def document(self) -> dict[str, Any]:
        """The arguments of ``proveRingFault`` as JSON values."""
        return {
            "schema": "billproof/ring-fault/1",
            "batch": self.batch.fields,
            "entryA": self.entries[0],
            "proofA": self.proofs[0],
            "entryB": self.entries[1],
            "proofB": self.proofs[1],
        }


def audit_manifest(manifest: Manifest) -> ByteRows:
    """Derives the batch tree from the public list; returns its nodes, (2m-1, 32).

    The ring of accounts must be closed: keys strictly ascending, each followed by the next.
    """
    keys = manifest.keys
    if len(keys) == 0:
        raise DifferenceError(f"{manifest.path}: a batch has at least one statement")
    nodes = tree.build_tree(entry_hashes(keys, manifest.statements))
    if nodes[0].tobytes() != manifest.root:
        raise DifferenceError(f"{manifest.path}: its list does not give its root")
    if not _ascending(keys):
        raise DifferenceError(
            f"{manifest.path}: the ring of accounts is faulty: keys are not strictly ascending",
            advice="--ring-fault FILE writes the proof that flags the batch on the ledger.",
        )
    return nodes


def find_ring_fault(manifest: Manifest) -> RingFault | None:
    """Two contradicting entries of a list that does give its root: equal keys, or one in the other's gap."""
    keys, following = manifest.keys, tree.next_of(manifest.keys)
    pair = _conflict(keys, following)
    if pair is None:
        return None
    nodes = tree.build_tree(entry_hashes(keys, manifest.statements))
    entries = tuple(
        {
            "account": "0x" + keys[at].tobytes().hex(),
            "nextAccount": "0x" + following[at].tobytes().hex(),
            "statement": "0x" + manifest.statements[at].tobytes().hex(),
        }
        for at in pair
    )
    proofs = tuple(["0x" + node.hex() for node in tree.proof_of(nodes, at)] for at in pair)
    return RingFault(manifest.batch, *pair, entries, proofs)  # type: ignore[arg-type]


def audit_batch(stored: StoredBatch, secrets: Path | None, told: Told) -> Manifest:
    """Derives a stored batch again, as far as the secrets given allow; returns its manifest."""
    check_sums(stored.path)
    told("every file is as it was written")
    manifest = Manifest.read(stored.path / "manifest.json")
    nodes = audit_manifest(manifest)
    _same(stored.path / "batch.json", "manifestHash", stored.manifest_hash, keccak(manifest.content))
    _same(stored.path / "batch.json", "root", stored.root, manifest.root)
    if manifest.batch != stored.id or manifest.fields["amends"] != str(stored.amends):
        raise DifferenceError(f"{stored.path / 'batch.json'}: names another batch than the manifest")
    _same(stored.path / "tree.bin", "nodes", stored.nodes.tobytes(), nodes.tobytes())
    told(f"{len(manifest.keys):,} account entries give the root")
    entries, file = audit_entries(stored), stored.path / "entries.arrow"
    _same(file, "account keys", byte_rows(entries["account_key"], 32).tobytes(), manifest.keys.tobytes())
    _same(file, "statements", byte_rows(entries["statement"], 32).tobytes(), manifest.statements.tobytes())
    told(f"{audit_records(stored):,} records add up to the totals")
    if priced := audit_tariffs(stored):
        told(f"{priced:,} statements refer to {len(stored.tariffs.used)} tariffs")
    if again := audit_prices(stored):
        told(f"every line priced again: {again.differing:,} differ, as the batch says")
    elif priced:
        told("no line priced again: the batch does not say that it was compared with its tariffs")
    if secrets is not None:
        audit_openings(stored, SecretStore(secrets, stored.id.operator_id))
        told("every record, statement and account key derived again from the secrets")
    return manifest


def audit_period(manifests: list[Manifest]) -> None:
    """No statement stands in two batches of the same operator and period."""
    seen: dict[tuple[int, int, bytes], Path] = {}
    for manifest in manifests:
        for row in manifest.statements:
            key = (manifest.batch.operator_id, manifest.batch.period, row.tobytes())
            if seen.setdefault(key, manifest.path) != manifest.path:
                raise DifferenceError(f"{manifest.path}: a statement of it stands in {seen[key]} too")


def audit_chain(
    manifests: list[Manifest],
    stored: list[StoredBatch],
    endpoint: Endpoint,
    deployment: Deployment,
    told: Told,
) -> None:
    """Compares batches with the chain: roots, manifest hashes, links of the head, number of batches."""
    for operator_id in sorted({manifest.batch.operator_id for manifest in manifests}):
        events = batch_events(endpoint, deployment, operator_id)
        _audit_head(endpoint, deployment, operator_id, events)
        told(f"the head of operator {operator_id} follows from its {len(events)} batches")
        by_key = {event.key: event for event in events}
        for manifest in manifests:
            if manifest.batch.operator_id == operator_id:
                _audit_anchored(manifest, by_key, endpoint, deployment)
        for period in sorted({m.batch.period for m in manifests if m.batch.operator_id == operator_id}):
            count = period_state(endpoint, deployment, operator_id, period).batches
            if count != sum(event.key.period == period for event in events):
                raise DifferenceError(
                    f"the chain counts {count} batches in {period}, its events say otherwise"
                )
    for batch in stored:
        if batch.anchor_path.exists():
            _audit_anchor_file(batch, endpoint, deployment)
    told(f"{len(manifests)} batches are anchored as their manifests say")


def _audit_head(
    endpoint: Endpoint, deployment: Deployment, operator_id: int, events: list[AnchoredEvent]
) -> None:
    head = _head_start(deployment, operator_id)
    for event in events:
        words = (head, event.batch_id, event.root, event.manifest_hash, event.amends.to_bytes(32))
        head = keccak(b"".join(words))
    if head != operator(endpoint, deployment, operator_id).head:
        raise DifferenceError(
            f"the head of operator {operator_id} does not follow from its events",
            advice="Ask another node: this one hides batches.",
        )


def _audit_anchor_file(batch: StoredBatch, endpoint: Endpoint, deployment: Deployment) -> None:
    """``anchor.json`` against the transaction that it tells of, and its receipt."""
    file = batch.anchor_path
    request = anchor_request(batch)
    state = load_state(request, deployment)
    if state is None or file.read_bytes() != state_bytes(request, deployment, state):
        raise DifferenceError(f"{file}: not as `billproof anchor` writes it")
    for signed in state.transactions:
        _same(file, "transaction hash", bytes.fromhex(signed.hash[2:]), keccak(signed.raw))
    if state.anchored is None or state.anchored.transaction is None:
        return
    sent = endpoint.request("eth_getTransactionByHash", [state.anchored.transaction])
    landed = receipt(endpoint, state.anchored.transaction)
    if landed is None or not isinstance(sent, dict) or of_receipt(landed) != state.anchored:
        raise DifferenceError(f"{file}: the chain's receipt of {state.anchored.transaction} says otherwise")
    ours = [signed for signed in state.transactions if signed.hash == state.anchored.transaction]
    fees = {(signed.fees.maximum, signed.fees.priority) for signed in ours}
    tip = sent.get("maxPriorityFeePerGas")
    paid = (int(sent.get("maxFeePerGas") or sent["gasPrice"], 16), None if tip is None else int(tip, 16))
    said = (state.anchorer, state.nonce)
    if ours and (fees != {paid} or said != (str(sent["from"]).lower(), int(sent["nonce"], 16))):
        raise DifferenceError(f"{file}: the chain's transaction {state.anchored.transaction} says otherwise")


def _head_start(deployment: Deployment, operator_id: int) -> bytes:
    """The head before the first batch: keccak256 of the ledger's EIP-712 domain separator and the number."""
    domain: dict[str, int | bytes | str] = {
        "name": "Billproof",
        "version": "1",
        "chainId": deployment.chain_id,
        "verifyingContract": bytes.fromhex(deployment.ledger[2:]),
    }
    return keccak(hash_one(EIP712_DOMAIN, domain) + operator_id.to_bytes(32))


def _audit_anchored(
    manifest: Manifest, events: dict[BatchKey, AnchoredEvent], endpoint: Endpoint, deployment: Deployment
) -> None:
    batch = manifest.batch
    key = BatchKey(batch.operator_id, batch.period, batch.region, batch.sequence)
    if (batch.chain_id, batch.ledger) != (deployment.chain_id, deployment.ledger):
        raise DifferenceError(f"{manifest.path}: belongs to another chain or ledger than {deployment.name}")
    event = events.get(key)
    if event is None:
        raise DifferenceError(f"{manifest.path}: not anchored", advice="Run `billproof anchor`.")
    _same(manifest.path, "batch id on the chain", event.batch_id, batch.hash)
    _same(manifest.path, "root on the chain", batch_state(endpoint, deployment, key).root, manifest.root)
    _same(manifest.path, "manifest hash on the chain", event.manifest_hash, keccak(manifest.content))


def _conflict(keys: ByteRows, following: ByteRows) -> tuple[int, int] | None:
    """Two entries of which one's key equals the other's or lies inside its gap."""
    ranks = _ranks(np.concatenate([keys, following]))
    own, after = ranks[: len(keys)], ranks[len(keys) :]
    order = np.argsort(own, kind="stable")
    equal = np.flatnonzero(own[order][1:] == own[order][:-1])
    if len(equal):
        return int(order[equal[0]]), int(order[equal[0] + 1])
    ascending = own[order]
    inside = _inside(ascending, own, after)
    at = np.flatnonzero(inside >= 0)
    if len(at) == 0:
        return None
    return int(at[0]), int(order[inside[at[0]]])


def _ascending(keys: ByteRows) -> bool:
    ranks = _ranks(keys)
    return bool((np.diff(ranks) > 0).all())


def _ranks(rows: ByteRows) -> NDArray[np.int64]:
    """Each row's place among the distinct rows in ascending order: (n, 32) → (n,)."""
    order = np.lexsort(rows.T[::-1])
    ranked = rows[order]
    changes = (ranked[1:] != ranked[:-1]).any(axis=1)
    ranks = np.empty(len(rows), np.int64)
    ranks[order] = np.concatenate(([0], np.cumsum(changes)))
    return ranks


def _inside(
    ascending: NDArray[np.int64], own: NDArray[np.int64], after: NDArray[np.int64]
) -> NDArray[np.int64]:
    """For each gap (own, after), the place in ``ascending`` of a key strictly inside it, or -1."""
    following = np.searchsorted(ascending, own, side="right")
    wraps = own >= after
    inside = np.full(len(own), -1, np.int64)
    candidate = np.minimum(following, len(ascending) - 1)
    plain = ~wraps & (following < len(ascending)) & (ascending[candidate] < after)
    inside[plain] = candidate[plain]
    above = wraps & (following < len(ascending))
    inside[above] = candidate[above]
    below = wraps & ~above & (ascending[0] < after)
    inside[below] = 0
    return inside


def _same(file: Path, what: str, found: bytes, derived: bytes) -> None:
    if found != derived:
        raise DifferenceError(f"{file}: {what} is not what follows from the rest")


def public_manifest(path: Path) -> Path | None:
    """The public manifest that ``path`` is, or that lies in it alone; None for a batch, whole or not, or a
    store."""
    if path.is_file():
        return path
    found = path / "manifest.json"
    whole = any((path / name).exists() for name in ("batch.json", "records.parquet", "entries.arrow"))
    return found if found.is_file() and not whole else None


def stored_batches(path: Path) -> Iterator[StoredBatch]:
    """The batch in a directory, or all batches of a store below it."""
    if (path / "batch.json").exists():
        yield StoredBatch.open(path)
        return
    for period in path.glob("*/*"):
        require_whole(period)
    found = sorted(file.parent for file in path.glob("*/*/*/batch.json") if file.parent.name[0] != ".")
    if not found:
        raise InputError("neither a batch nor a store", file=path)
    for home in found:
        yield StoredBatch.open(home)
