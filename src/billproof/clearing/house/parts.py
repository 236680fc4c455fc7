"""A part of a clearing: proposed from a settlement, compared with all that is known, signed, submitted."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from billproof.clearing.house.access import admin_of, now, require_signature
from billproof.clearing.house.books import place_of
from billproof.clearing.house.model import Amount, Part, in_currency
from billproof.clearing.settlement.settlement import Settlement
from billproof.errors import DifferenceError, InputError, LedgerError
from billproof.ledger import token as tokens
from billproof.ledger.clearing_house import ClearingHouse
from billproof.ledger.client import LedgerClient
from billproof.ledger.house_reads import book_of, clearing_state, nonce_of, part_count, part_state, parts_of
from billproof.ledger.house_states import (
    NO_ADDRESS,
    NO_AMENDMENT,
    ClearingState,
    Opening,
    PartStatus,
    State,
)
from billproof.ledger.reads import batch_state
from billproof.ledger.states import BatchKey
from billproof.ledger.transactions import Receipt
from billproof.records import NANO


@dataclass(frozen=True)
class Terms:
    """What a part says beside its settlement. ``deadline``: UTC seconds, None: the last for parts."""

    last: bool = False
    token: str | None = None
    payee: str | None = None
    amendment: BatchKey = NO_AMENDMENT
    deadline: int | None = None


def propose(
    client: LedgerClient, state: ClearingState, settlement: Settlement, document: bytes, terms: Terms
) -> Part:
    """The next part of a clearing, as the settlement has it, with a new salt; ``document`` is its hash.

    Raises what :func:`require_part` does.
    """
    endpoint, deployment = client.endpoint, client.deployment
    net = settlement.net
    amount = in_currency(settlement.currency, net.amount, secrets.token_bytes(32))
    if terms.token is not None:
        if terms.payee is None:
            raise InputError("nobody is paid", field="--payee", advice="Give the creditor's address.")
        decimals = tokens.decimals(endpoint, terms.token)
        units = token_units(net.amount, decimals)
        opening = Opening(amount.opening.currency, units, terms.token, terms.payee, amount.opening.salt)
        amount = Amount(opening, decimals)
    one, other = state.operators
    part = Part(
        place_of(deployment, state),
        part_count(endpoint, deployment, state.id) + 1,
        terms.last,
        net.payee.operator,
        amount,
        document,
        terms.amendment,
        (nonce_of(endpoint, deployment, one), nonce_of(endpoint, deployment, other)),
        state.deadlines.agree_by if terms.deadline is None else terms.deadline,
    )
    require_part(client, part, settlement, document)
    return part


def token_units(billionths: int, decimals: int) -> int:
    """An amount in the token's smallest unit.

    Raises:
        InputError: it is nothing, or cannot be said in whole units.
    """
    scaled, rest = divmod(billionths * int(10**decimals), NANO)
    if rest:
        raise InputError(
            f"the amount cannot be said in {decimals} decimals, as the token counts",
            field="--token",
            advice="Round the settlement as the agreement's `rounding` says, or take another token.",
        )
    if not scaled:
        raise InputError(
            "nothing is to be paid", field="--token", advice="Leave the token out; the creditor confirms."
        )
    return scaled


def require_part(client: LedgerClient, part: Part, settlement: Settlement, document: bytes) -> None:
    """Compares a part with its settlement and with the chain, so that whoever signs it knows what it says.

    Raises:
        DifferenceError: they do not agree; the message says where.
        LedgerError: the house would not take it: not now, or not any more.
    """
    deployment = client.deployment
    _require(
        (part.place.chain_id, part.place.ledger) == (deployment.chain_id, deployment.ledger),
        f"the part is for the ledger {part.place.ledger} on chain {part.place.chain_id},"
        f" not for {deployment.ledger} on chain {deployment.chain_id}",
    )
    state = clearing_state(client.endpoint, deployment, part.place.clearing)
    _require_timely(client, state, part)
    _require_settlement(part, settlement, document)
    _require_books(client, state, settlement)
    _require_new_document(client, part)
    _require_earlier(client, part, settlement)
    _require_amount(client, part, settlement)
    _require_amendment(client, part)
    nonces = tuple(nonce_of(client.endpoint, deployment, each) for each in part.operators)
    if nonces != part.nonces:
        raise LedgerError(
            "an operator has withdrawn its signatures since the part was proposed",
            advice="propose it again: billproof house propose",
        )
    for operator_id, signature in part.signatures.items():
        require_signature(client, operator_id, part.digest, signature)


def _require(holds: bool, message: str, advice: str = "do not sign; ask who proposed it") -> None:
    if not holds:
        raise DifferenceError(message, advice=advice)


def _require_timely(client: LedgerClient, state: ClearingState, part: Part) -> None:
    if state.state is not State.AGREEING:
        raise LedgerError(
            f"the clearing is in the state {state.state.word}: no part can be agreed",
            advice="look at it: billproof house status",
        )
    moment = now(client.endpoint)
    if moment > min(state.deadlines.agree_by, part.deadline):
        raise LedgerError(
            "the time to agree on it has passed", advice="propose it again, or close: billproof house close"
        )
    expected = part_count(client.endpoint, client.deployment, state.id) + 1
    if part.number != expected:
        raise LedgerError(
            f"the next part is number {expected}, not {part.number}",
            advice="propose it again: billproof house propose",
        )


def _require_settlement(part: Part, settlement: Settlement, document: bytes) -> None:
    _require(part.document_hash == document, "the part names another document than this settlement")
    place = part.place
    pairs: list[tuple[str, Any, Any]] = [
        ("operators", place.operators, tuple(each.operator for each in settlement.parties)),
        ("period", place.period, settlement.period),
        ("chain", place.chain_id, settlement.chain_id),
        ("ledger", place.ledger, settlement.ledger),
        ("creditor", part.creditor, settlement.net.payee.operator),
        ("debtor", part.debtor, settlement.net.payer.operator),
        ("currency", part.amount.currency, settlement.currency),
    ]
    _require(
        place.round == settlement.round,
        f"round: the clearing is in round {place.round}, the settlement is of round {settlement.round}",
        advice=f"do not sign; make a settlement of this round: billproof settle --round {place.round}",
    )
    for name, ours, theirs in pairs:
        _require(ours == theirs, f"{name}: the part says {ours}, the settlement {theirs}")


def _require_books(client: LedgerClient, state: ClearingState, settlement: Settlement) -> None:
    """Both opened books stand, and are what the settlement was made from."""
    for operator_id in state.operators:
        said = {
            (each.period, each.region, each.sequence): each.root
            for each in settlement.batches
            if each.operator == operator_id
        }
        opened = {
            (state.period, each.region, each.sequence)
            for each in book_of(client.endpoint, client.deployment, state.id, operator_id)
        }
        _require(
            set(said) == opened,
            f"the settlement is of the batches {_listed(set(said))} of operator {operator_id},"
            f" its opened book of {_listed(opened)}",
        )
        for key in sorted(opened):
            stored = batch_state(client.endpoint, client.deployment, BatchKey(operator_id, *key))
            name = f"batch {key[1]}-{key[2]} of operator {operator_id}"
            _require(said[key] == stored.root, f"the settlement has another root of {name} than the ledger")
            if stored.repudiated:
                raise LedgerError(
                    f"{name} was repudiated: nothing more is agreed on it",
                    advice="either side closes the clearing: billproof house close",
                )


def _listed(keys: set[tuple[int, int, int]]) -> str:
    return ", ".join(f"{period}/{region}-{sequence}" for period, region, sequence in sorted(keys)) or "none"


def _require_new_document(client: LedgerClient, part: Part) -> None:
    for number, earlier in enumerate(parts_of(client.endpoint, client.deployment, part.place.clearing), 1):
        _require(
            earlier.document_hash != part.document_hash,
            f"this settlement was agreed already, as part {number}",
            advice="do not sign; a further part needs a document of its own",
        )


def _require_earlier(client: LedgerClient, part: Part, settlement: Settlement) -> None:
    """The first part settles the books; others continue it, or settle the credit of an amendment."""
    if settlement.continues is None:
        _require(
            part.number == 1 or part.amendment != NO_AMENDMENT,
            "part 1 has settled what is undisputed already: this would settle the books again",
            advice="do not sign; a further part continues it, or names an amendment: billproof resolve",
        )
        return
    _require(
        settlement.continues in documents_of(client, part),
        f"no part has the document 0x{settlement.continues.hex()}, which the settlement continues",
        advice="do not sign; the part that it continues is agreed first: billproof house status",
    )


def documents_of(client: LedgerClient, part: Part) -> list[bytes]:
    """The hashes of the documents that the parts of the clearing have, the first part's first."""
    parts = parts_of(client.endpoint, client.deployment, part.place.clearing)
    return [each.document_hash for each in parts]


def _require_amount(client: LedgerClient, part: Part, settlement: Settlement) -> None:
    opening, due = part.amount.opening, settlement.net.amount
    if part.amount.decimals is not None:
        decimals = tokens.decimals(client.endpoint, opening.token)
        _require(decimals == part.amount.decimals, f"the token has {decimals} decimals, the part says others")
        due = token_units(due, decimals)
    _require(opening.amount == due, f"amount: the part says {opening.amount}, the settlement {due}")
    _require(opening.payee != part.place.house, "the payee is the house itself")
    _require((opening.token == NO_ADDRESS) == (opening.payee == NO_ADDRESS), "a payee without a token")


def _require_amendment(client: LedgerClient, part: Part) -> None:
    if part.amendment == NO_AMENDMENT:
        return
    stored = batch_state(client.endpoint, client.deployment, part.amendment)
    _require(
        part.amendment.operator_id in part.operators and stored.amends != 0 and not stored.repudiated,
        f"the batch of {part.amendment} is no amendment that stands",
    )


def require_payee(part: Part, sides: Iterable[int], payee: str | None) -> None:
    """The creditor says itself where it is paid: whoever proposed the part wrote its file.

    Raises:
        InputError: it has to be said, or there is nothing to say.
        DifferenceError: the part says otherwise.
    """
    paid = part.amount.decimals is not None
    if payee is None:
        if paid and part.creditor in sides:
            raise InputError(
                "where is the creditor paid?",
                field="--payee",
                advice="Give the address at which the token should arrive; it is compared with the part's.",
            )
        return
    if not paid:
        raise InputError("the part is not paid in a token", field="--payee", advice="Leave it out.")
    _require(payee == part.amount.opening.payee, f"the part pays {part.amount.opening.payee}, not {payee}")


def sign(house: ClearingHouse, part: Part, operator_id: int | None = None, payee: str | None = None) -> Part:
    """The part with the signature of each side whose admin the signer is, or of ``operator_id`` alone.

    Compare it first: :func:`require_part`. ``payee``: see :func:`require_payee`.

    Raises:
        LedgerError: the signer is the admin of neither.
    """
    sides = admin_sides(house.client, part.operators, operator_id)
    require_payee(part, sides, payee)
    signature = house.sign_net_amount(part.net, part.nonces)
    signed = replace(part, signatures={**part.signatures, **dict.fromkeys(sides, signature)})
    for side in sides:
        require_signature(house.client, side, signed.digest, signature)
    return signed


def admin_sides(client: LedgerClient, operators: tuple[int, ...], only: int | None) -> list[int]:
    """The operators whose admin the signer is.

    Raises:
        LedgerError: none, or not of ``only``.
    """
    if only is not None and only not in operators:
        raise InputError(f"operator {only} does not sign this", field="--operator")
    address = client.signer.address
    wanted = operators if only is None else (only,)
    found = [each for each in wanted if admin_of(client, each) == address]
    if not found:
        named = " or ".join(str(each) for each in wanted)
        raise LedgerError(
            f"{address} is not the admin of operator {named}: its signature binds nobody",
            advice="use the admin's keystore",
        )
    return found


def agree(house: ClearingHouse, part: Part) -> Receipt | None:
    """Submits a part that both have signed; None when that was done before.

    Raises:
        LedgerError: a signature is missing or does not bind, or the house refuses.
    """
    client = house.client
    house.check()
    stored = part_state(client.endpoint, client.deployment, part.place.clearing, part.number)
    if stored.status is not PartStatus.NONE:
        agreed = stored.creditor, stored.debtor, stored.document_hash, stored.amount_commitment
        if agreed == (part.creditor, part.debtor, part.document_hash, part.owed.commitment):
            return None
        raise LedgerError(
            f"part {part.number} was agreed with other terms", advice="look at it: billproof house status"
        )
    require_signatures(client, part.operators, part.signatures, part.digest)
    one, other = part.operators
    return house.agree(part.net, part.signatures[one], part.signatures[other])


def require_signatures(
    client: LedgerClient, operators: tuple[int, ...], signatures: Mapping[int, bytes], digest: bytes
) -> None:
    """Raises LedgerError unless the admin of each operator has signed."""
    for each in operators:
        if each not in signatures:
            raise LedgerError(
                f"operator {each} has not signed it yet", advice="its admin signs: billproof house sign"
            )
        require_signature(client, each, digest, signatures[each])
