"""A netting: what a ring of operators owe each other, replaced at once by the few payments that are left."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace

from billproof.clearing.house.access import now, require_signature
from billproof.clearing.house.files import document_hash_of
from billproof.clearing.house.model import Amount, Owed, RingNetting, balances, source_of
from billproof.clearing.house.parts import admin_sides, require_signatures
from billproof.errors import DifferenceError, InputError, LedgerError
from billproof.ledger import token as tokens
from billproof.ledger.clearing_house import ClearingHouse
from billproof.ledger.client import LedgerClient
from billproof.ledger.house_reads import nonce_of, part_count, part_state
from billproof.ledger.house_states import NO_ADDRESS, Opening, PartStatus
from billproof.ledger.transactions import Receipt


def propose(client: LedgerClient, owed: Sequence[Owed], deadline: int) -> RingNetting:
    """The netting that replaces these parts by as few as the largest claims and debts allow, with new salts.

    Whoever is paid in a token is paid where its own part said.

    Raises:
        InputError: parts in several currencies or tokens, or one creditor with two payees.
        LedgerError: a part is not owed (any more), or its file is not what was agreed.
    """
    deployment = client.deployment
    replaced = tuple(dict.fromkeys(owed))
    units = {each.amount.unit for each in replaced}
    if len(units) != 1:
        raise InputError(
            "the parts are in several currencies or tokens", advice="Net those of each by themselves."
        )
    new = source_of(deployment.chain_id, deployment.ledger, replaced)
    payees = _payees(replaced)
    template = replaced[0].amount
    parts = tuple(
        Owed(new, number, creditor, debtor, _amount(template, amount, payees.get(creditor, NO_ADDRESS)))
        for number, (creditor, debtor, amount) in enumerate(settled(balances(replaced)), 1)
    )
    operators = tuple(sorted({each for part in replaced for each in (part.creditor, part.debtor)}))
    netting = RingNetting(
        deployment.chain_id,
        deployment.ledger,
        operators,
        replaced,
        parts,
        bytes(32),
        tuple(nonce_of(client.endpoint, deployment, each) for each in operators),
        deadline,
    )
    netting = replace(netting, document_hash=document_hash_of(netting))
    require_netting(client, netting)
    return netting


def settled(left: dict[int, int]) -> list[tuple[int, int, int]]:
    """Payments (creditor, debtor, amount) after which nobody gets or owes anything: at most one fewer than
    there are operators. ``left`` adds up to nothing."""
    claims = sorted(((amount, each) for each, amount in left.items() if amount > 0), reverse=True)
    debts = sorted(((-amount, each) for each, amount in left.items() if amount < 0), reverse=True)
    found = []
    while claims and debts:
        (claim, creditor), (debt, debtor) = claims.pop(0), debts.pop(0)
        paid = min(claim, debt)
        found.append((creditor, debtor, paid))
        if claim > paid:
            claims.insert(0, (claim - paid, creditor))
        if debt > paid:
            debts.insert(0, (debt - paid, debtor))
    return found


def _payees(parts: Iterable[Owed]) -> dict[int, str]:
    found: dict[int, str] = {}
    for part in parts:
        payee = part.amount.opening.payee
        if found.setdefault(part.creditor, payee) != payee:
            raise InputError(
                f"operator {part.creditor} is paid at two addresses", advice="Net the parts of each apart."
            )
    return found


def _amount(template: Amount, amount: int, payee: str) -> Amount:
    opening = template.opening
    salt = secrets.token_bytes(32)
    return Amount(Opening(opening.currency, amount, opening.token, payee, salt), template.decimals)


def require_netting(client: LedgerClient, netting: RingNetting) -> None:
    """Compares a netting with the chain; that its sums are the same, its file was read for.

    Raises:
        DifferenceError: a part is not what was agreed.
        LedgerError: the house would not take it: not now, or not any more.
    """
    endpoint, deployment = client.endpoint, client.deployment
    if (netting.chain_id, netting.ledger) != (deployment.chain_id, deployment.ledger):
        raise DifferenceError(
            f"the netting is for the ledger {netting.ledger} on chain {netting.chain_id}",
            advice="do not sign; ask who proposed it",
        )
    if part_count(endpoint, deployment, netting.id):
        raise LedgerError("the netting was agreed already", advice="look at it: billproof house status")
    if now(endpoint) > netting.deadline:
        raise LedgerError("the time to sign it has passed", advice="propose it again")
    for part in netting.replaced:
        require_owed(client, part)
    payees = _payees(netting.replaced)
    for part in netting.parts:
        if part.amount.opening.payee != payees.get(part.creditor, NO_ADDRESS):
            raise DifferenceError(
                f"part {part.number} would pay operator {part.creditor} elsewhere than its parts before",
                advice="do not sign; ask who proposed it",
            )
    decimals = netting.replaced[0].amount.decimals
    token = netting.replaced[0].amount.opening.token
    if decimals is not None and tokens.decimals(endpoint, token) != decimals:
        raise DifferenceError(
            f"the token {token} has other decimals than the netting says", advice="do not sign"
        )
    nonces = tuple(nonce_of(endpoint, deployment, each) for each in netting.operators)
    if nonces != netting.nonces:
        raise LedgerError(
            "an operator has withdrawn its signatures since the netting was proposed",
            advice="propose it again: billproof house net propose",
        )
    for operator_id, signature in netting.signatures.items():
        require_signature(client, operator_id, netting.digest, signature)


def require_owed(client: LedgerClient, part: Owed) -> None:
    """Raises unless a part is owed on the chain, by whom and to whom and as much as the file says."""
    state = part_state(client.endpoint, client.deployment, part.source, part.number)
    name = f"part {part.number} of 0x{part.source.hex()}"
    if state.status is PartStatus.NONE:
        raise LedgerError(f"{name} was never agreed", advice="agree on it first: billproof house agree")
    said = part.creditor, part.debtor, part.commitment
    if said != (state.creditor, state.debtor, state.amount_commitment):
        raise DifferenceError(
            f"{name} was agreed with another amount, creditor or debtor than the file says",
            advice="use the file that was signed",
        )
    if state.status is not PartStatus.AGREED:
        raise LedgerError(
            f"{name} has ended: {state.status.word.lower()}", advice="look at it: billproof house status"
        )


def sign(house: ClearingHouse, netting: RingNetting, operator_id: int | None = None) -> RingNetting:
    """The netting with the signature of each operator whose admin the signer is; see ``house_parts.sign``."""
    operators = admin_sides(house.client, netting.operators, operator_id)
    signature = house.sign_netting(netting.netting, netting.nonces)
    signed = replace(netting, signatures={**netting.signatures, **dict.fromkeys(operators, signature)})
    for each in operators:
        require_signature(house.client, each, signed.digest, signature)
    return signed


def submit(house: ClearingHouse, netting: RingNetting) -> Receipt | None:
    """Submits a netting that all have signed; None when that was done before."""
    client = house.client
    house.check()
    if part_count(client.endpoint, client.deployment, netting.id) or _all_netted(client, netting):
        return None
    require_signatures(client, netting.operators, netting.signatures, netting.digest)
    return house.net(netting.netting, [netting.signatures[each] for each in netting.operators])


def _all_netted(client: LedgerClient, netting: RingNetting) -> bool:
    """Whether a netting without new parts has been submitted: its parts have ended so."""
    states = [
        part_state(client.endpoint, client.deployment, each.source, each.number) for each in netting.replaced
    ]
    return not netting.parts and all(state.status is PartStatus.NETTED for state in states)
