"""``billproof house propose``, ``sign``, ``agree``, ``confirm`` and ``pay``: a part from document to end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billproof.cli import house_options, options
from billproof.cli.output import check_free, emit, facts, say
from billproof.errors import InputError, LedgerError
from billproof.printable import printable

if TYPE_CHECKING:
    from billproof.clearing.house.model import Amount, Owed, Part, RingNetting
    from billproof.clearing.settlement.settlement import Settlement
    from billproof.ledger.clearing_house import ClearingHouse
    from billproof.ledger.states import BatchKey

settlement_option = click.option(
    "--settlement", type=options.FILE, required=True, help="The settlement.json that the part stands for."
)
number_option = click.option(
    "--part", "number", type=click.IntRange(1), help="Which part, of a netting's file."
)


def _amendment(context: click.Context, parameter: click.Parameter, value: str | None) -> BatchKey | None:
    """Callback: OPERATOR/PERIOD/REGION-SEQUENCE, as a store has it."""
    import re

    from billproof.ledger.states import BatchKey

    if value is None:
        return None
    found = re.fullmatch(r"([0-9]+)/([0-9]{6})/([0-9]+)-([0-9]+)", value)
    if not found:
        raise click.BadParameter(f"{printable(value, 60)!r} is not OPERATOR/YYYYMM/REGION-SEQUENCE")
    return BatchKey(*(int(each) for each in found.groups()))


@click.command(short_help="Make the next part of a clearing from a settlement, to be signed.")
@house_options.clearing_argument
@click.argument("settlement", type=options.FILE, metavar="SETTLEMENT.json")
@click.option("--part", "file", type=options.FILE, required=True, help="Write the part there; a new file.")
@click.option("--last", is_flag=True, help="No part follows: the clearing goes on to be settled.")
@click.option("--token", callback=house_options.address_of, help="To be paid in this ERC-20 token.")
@click.option(
    "--payee", callback=house_options.address_of, help="Whom the token pays: the creditor's address."
)
@click.option(
    "--amendment",
    metavar="OPERATOR/YYYYMM/REGION-SEQUENCE",
    callback=_amendment,
    help="The batch that holds the credit which the part settles.",
)
@click.option("--valid", help="Until when signatures count: 7d, a day, a time. [default: the last for parts]")
@house_options.looking
def propose(
    clearing: bytes,
    settlement: Path,
    file: Path,
    last: bool,
    token: str | None,
    payee: str | None,
    amendment: BatchKey | None,
    valid: str | None,
    as_json: bool,
    **where: Any,
) -> None:
    """Make the next part of a clearing, as SETTLEMENT.json has its net amount, for both admins to sign.

    The part's file (0600) holds the amount and the salt that hides it on the chain: hand it to the partner
    with the settlement. With --token, one unit of the token stands for one of the currency, and its decimals
    are read from it. A net amount of nothing is agreed too, and confirmed by the creditor.
    """
    from billproof.clearing.house import parts as logic
    from billproof.clearing.house.files import write_part
    from billproof.clearing.settlement.reading import load_document
    from billproof.ledger.house_reads import clearing_state
    from billproof.ledger.house_states import NO_AMENDMENT

    check_free([file], force=False)
    if payee is not None and token is None:
        raise InputError("is for a token", field="--payee", advice="Give --token, or leave it out.")
    found, document = load_document(settlement)
    house = house_options.looking_house(**where)
    state = clearing_state(house.client.endpoint, house.client.deployment, clearing)
    deadline = None if valid is None else house_options.moment(valid, house_options.begin(house), "--valid")
    terms = logic.Terms(last, token, payee, amendment or NO_AMENDMENT, deadline)
    part = logic.propose(house.client, state, found, document, terms)
    write_part(part, file)
    _tell(part, file, as_json, "Proposed")
    if last and found.disputes:
        say(f"Claims that stay open: {len(found.disputes):,}; after its last part the clearing settles none.")
    elif not last and not found.disputes:
        say("Nothing stays open: with --last the clearing ends with this part.")


@click.command(short_help="Compare a part with everything that is known, and sign it.")
@house_options.part_file
@settlement_option
@click.option(
    "--payee",
    callback=house_options.address_of,
    help="Where we are paid in a token, as the creditor: compared with the part.",
)
@click.option(
    "--document",
    "documents",
    type=options.FILE,
    multiple=True,
    help="What we cleared (clear --out), one of each direction: the settlement has to be what they come to.",
)
@click.option("--agreement", "agreement_file", type=options.FILE, help="The agreement, with --document.")
@click.option(
    "--before",
    type=options.FILE,
    metavar="VOLUMES.csv|none",
    help="The year's volumes before, with --document.",
)
@click.option(
    "--continues",
    type=options.FILE,
    multiple=True,
    help="With a settlement of kind disputed, always: the one that it continues, and those agreed since.",
)
@house_options.side_option
@house_options.signature_option
@house_options.digest_option
@house_options.sending
def sign(
    file: Path,
    settlement: Path,
    payee: str | None,
    documents: tuple[Path, ...],
    agreement_file: Path | None,
    before: Path | None,
    continues: tuple[Path, ...],
    operator_id: int | None,
    signature: str | None,
    digest: bool,
    as_json: bool,
    **signing: Any,
) -> None:
    """Compare PART.json with its settlement and with the chain, and add the admin's signature to the file.

    Compared are the document's hash, net amount, creditor, period, round, currency, token and decimals, the
    batches of the settlement with both opened books and their roots in the ledger, state and deadlines, and
    the signatures that are there. Whatever differs is refused with the reason. The creditor of a part that
    is paid in a token says with --payee where.

    A settlement of kind "disputed" is compared with the one that it --continues: no claim is lost, new, or
    resolved twice. Where other parts were agreed since, their settlements are given, too.

    That the settlement is right, only our own clearing can say: give what `billproof clear --out` wrote with
    --document and --agreement, or run `billproof settle … --check` before. Its days nobody can compare: read
    them.
    """
    from dataclasses import replace

    from billproof.clearing.house import parts as logic
    from billproof.clearing.house.access import require_signature
    from billproof.clearing.house.continuing import require_continued
    from billproof.clearing.house.files import read_part, write_part
    from billproof.clearing.settlement.reading import load_document

    part = read_part(file)
    found, document = load_document(settlement)
    _require_own(found, documents, agreement_file, before)
    house = signing_house(signing, signature, digest)
    logic.require_part(house.client, part, found, document)
    continued = {its_hash: each for each, its_hash in map(load_document, continues)}
    require_continued(house.client, part, found, continued)
    if digest:
        _tell(part, file, as_json, "To be signed")
        return
    if signature is not None:
        side = signing_side(operator_id, part.operators)
        given = house_options.signature_bytes(signature)
        logic.require_payee(part, [side], payee)
        require_signature(house.client, side, part.digest, given)
        part = replace(part, signatures={**part.signatures, side: given})
    else:
        part = logic.sign(house, part, operator_id, payee)
    write_part(part, file)
    _tell(part, file, as_json, "Signed")


def _require_own(
    settlement: Settlement, documents: tuple[Path, ...], agreement_file: Path | None, before: Path | None
) -> None:
    """Compares a settlement with what one's own documents come to, where they are given."""
    from billproof.clearing.agreement.agreement import load_agreement, month_of
    from billproof.clearing.discounts.volumes import volumes_before
    from billproof.clearing.document.reading import load_clear
    from billproof.clearing.settlement.comparing import own_settlement, require_same

    if bool(documents) != (agreement_file is not None) or (before and not documents):
        raise click.UsageError("--document and --agreement are given together, --before with them")
    if agreement_file is None:
        return
    if settlement.continues is not None:
        raise InputError(
            "documents come to the undisputed part, and the settlement is a disputed one",
            field="--document",
            advice="Leave it out, and give what it continues with --continues.",
        )
    agreement = load_agreement(agreement_file)
    volumes = volumes_before(before, agreement, month_of(settlement.period))
    files = [load_clear(path) for path in documents]
    require_same(settlement, own_settlement(settlement, files, agreement, volumes))


@click.command(short_help="Submit a part that both have signed.")
@house_options.part_file
@house_options.sending
def agree(file: Path, as_json: bool, **signing: Any) -> None:
    """Submit a part that both admins have signed; anybody may. From then on it is owed."""
    from billproof.clearing.house import parts as logic
    from billproof.clearing.house.files import read_part

    part = read_part(file)
    receipt = logic.agree(house_options.house_of(signing), part)
    words = f"Part {part.number} is agreed: operator {part.debtor} owes operator {part.creditor}."
    house_options.done([receipt], words, as_json, "house-agreed", part=part.number)


@click.command(short_help="Say that a part was paid elsewhere; the creditor's admin signs.")
@house_options.part_file
@number_option
@click.option(
    "--payment", help="What names the payment: its hash, salted with the part's, goes to the chain."
)
@house_options.sending
def confirm(file: Path, number: int | None, payment: str | None, as_json: bool, **signing: Any) -> None:
    """Say that a part was paid elsewhere; the creditor's admin signs.

    FILE is a part's, or with --part a netting's. Of --payment, a bank's reference perhaps, only the
    keccak256 of the part's salt and the text is sent, which whoever has the file can check.
    """
    from billproof.clearing.house.rings import require_owed
    from billproof.commitment.keccak import keccak

    owed = house_options.one_owed(file, number)
    house = house_options.house_of(signing)
    require_owed(house.client, owed)
    hashed = bytes(32) if payment is None else keccak(owed.amount.opening.salt + payment.encode())
    receipt = house.confirm(owed.source, owed.number, hashed)
    words = f"Operator {owed.creditor} has confirmed part {owed.number}."
    house_options.done([receipt], words, as_json, "house-confirmed", paymentHash="0x" + hashed.hex())


@click.command(short_help="Pay a part in the token that it names.")
@house_options.part_file
@number_option
@house_options.sending
def pay(file: Path, number: int | None, as_json: bool, **signing: Any) -> None:
    """Pay a part in its token, from the signer's account; anybody who holds the file may.

    Lets the house move exactly the amount, if it may not yet, and then pays. From then on amount, token and
    payee are public: who wants none of it pays elsewhere, and the creditor confirms.
    """
    owed = house_options.one_owed(file, number)
    house = house_options.house_of(signing)
    already = _is_paid(house, owed)
    if owed.amount.decimals is None:
        raise LedgerError(
            "the part names no token to pay in",
            advice="pay it elsewhere; the creditor confirms: billproof house confirm",
        )
    receipts = [] if already else house.pay(owed.source, owed.number, owed.amount.opening)
    words = f"Part {owed.number} is paid: {owed.amount.words}."
    house_options.done(receipts, words, as_json, "house-paid", amount=str(owed.amount.opening.amount))


def _is_paid(house: ClearingHouse, owed: Owed) -> bool:
    """Whether this very part was paid; raises where it is not owed."""
    from billproof.clearing.house.rings import require_owed
    from billproof.ledger.house_reads import part_state
    from billproof.ledger.house_states import PartStatus

    state = part_state(house.client.endpoint, house.client.deployment, owed.source, owed.number)
    stored = state.creditor, state.debtor, state.amount_commitment
    if state.status is PartStatus.PAID and stored == (owed.creditor, owed.debtor, owed.commitment):
        return True
    require_owed(house.client, owed)
    return False


def signing_house(signing: dict[str, Any], signature: str | None, digest: bool) -> ClearingHouse:
    """The house; who adds a wallet's signature, or only looks, needs no key."""
    if signature is None and not digest:
        return house_options.house_of(signing)
    return house_options.looking_house(signing["rpc"], signing["deployment"])


def signing_side(operator_id: int | None, operators: tuple[int, ...]) -> int:
    if operator_id not in operators or operator_id is None:
        named = ", ".join(str(each) for each in operators)
        raise InputError("whose signature is it?", field="--operator", advice=f"Give one of {named}.")
    return operator_id


def _tell(part: Part, file: Path, as_json: bool, what: str) -> None:
    from billproof.publication import utc

    amendment = part.amendment
    if as_json:
        emit(
            "house-part",
            {
                "clearing": "0x" + part.place.clearing.hex(),
                "part": part.number,
                "last": part.last,
                "creditor": part.creditor,
                "debtor": part.debtor,
                **amount_document(part.amount),
                "documentHash": "0x" + part.document_hash.hex(),
                "deadline": part.deadline,
                "digest": "0x" + part.digest.hex(),
                "signed": sorted(part.signatures),
                "file": str(file),
            },
        )
        return
    facts(
        f"{what}: operator {part.debtor} owes operator {part.creditor} {part.amount.words}",
        [
            ("part", f"{part.number}, {'the last' if part.last else 'others may follow'}"),
            ("document", "0x" + part.document_hash.hex()),
            *((("amendment", str(amendment)),) if amendment.operator_id else ()),
            ("signatures count until", utc(part.deadline)),
            ("digest", "0x" + part.digest.hex()),
        ],
    )
    tell_signatures(part, file)


def amount_document(amount: Amount) -> dict[str, Any]:
    """An amount as JSON values; token, decimals and payee are null without a token."""
    opening, paid = amount.opening, amount.decimals is not None
    return {
        "currency": amount.currency,
        "amount": str(opening.amount),
        "token": opening.token if paid else None,
        "decimals": amount.decimals,
        "payee": opening.payee if paid else None,
    }


def tell_signatures(signed: Part | RingNetting, file: Path) -> None:
    """Who has signed, and what follows."""
    missing = [str(each) for each in signed.operators if each not in signed.signatures]
    if missing:
        say(f"Still to sign: operator {' and '.join(missing)}. Hand on {printable(str(file), 500)}.")
    else:
        say("Everybody has signed; anybody may submit it.")
