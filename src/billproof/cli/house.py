"""``billproof house``: two operators clear a period on the chain (docs/clearing.md, sections 8 and 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from billproof.cli import house_books, house_net, house_options, house_parts, options
from billproof.cli.output import emit, facts, say, table
from billproof.errors import LedgerError
from billproof.printable import printable

if TYPE_CHECKING:
    from billproof.clearing.house.status import Found


@click.group(short_help="Clear a period with another operator on the chain: books, parts, payment.")
def house() -> None:
    """Clear a period with another operator through the clearing house (docs/clearing.md, 8 and 9).

    Both commit to their books before either opens its own, sign net amounts part by part, and settle them.
    `status` says at any time what is to be done next, by whom, and until when.
    """


@house.command(short_help="Say where a clearing, or a netting, is, and what is to be done next.")
@house_options.clearing_argument
@house_options.looking
def status(clearing: bytes, as_json: bool, **where: Any) -> None:
    """Say where a clearing is: state, deadlines, books, parts, and what is to be done next, by whom.

    ID may be that of a netting: then its parts are told.
    """
    from billproof.clearing.house.access import now
    from billproof.clearing.house.status import look, owed_steps, part_documents
    from billproof.errors import NotAnchoredError
    from billproof.ledger.house_reads import clearing_state, parts_of

    client = house_options.looking_house(**where).client
    node, deployment = client.endpoint, client.deployment
    try:
        state = clearing_state(node, deployment, clearing)
    except NotAnchoredError:
        parts = parts_of(node, deployment, clearing)
        if not parts:
            raise
        steps = owed_steps(parts, None)
        if as_json:
            document = {"netting": "0x" + clearing.hex(), "parts": part_documents(parts)}
            emit("house-status", {**document, "next": [step.document() for step in steps]})
            return
        _print_parts(part_documents(parts))
        _print_steps([step.sentence for step in steps])
        return
    found = look(node, deployment, state, now(node))
    if as_json:
        emit("house-status", found.document())
        return
    _print(found)


def _print(found: Found) -> None:
    from billproof.publication import utc

    state, limits = found.state, found.state.deadlines
    one, other = state.operators
    facts(
        f"Clearing of {one} and {other}, period {state.period}, round {state.round}: {found.words}",
        [
            ("id", "0x" + state.id.hex()),
            *((f"book of {side.operator_id}", _book_words(found, side.operator_id)) for side in state.sides),
            ("commit by", utc(limits.commit_by)),
            ("open by", utc(limits.reveal_by)),
            ("agree by", utc(limits.agree_by)),
            ("settle by", utc(limits.settle_by)),
        ],
    )
    _print_parts(found.document()["parts"])
    _print_steps([step.sentence for step in found.steps])


def _book_words(found: Found, operator_id: int) -> str:
    from billproof.publication import utc

    side = found.state.side(operator_id)
    if not side.committed_at:
        return "not committed"
    if not side.revealed_at:
        return f"committed {utc(side.committed_at)}, not open"
    named = ", ".join(
        f"{each} (repudiated)" if (operator_id, each) in found.repudiated else str(each)
        for each in found.books[operator_id]
    )
    return f"batches {named}; committed {utc(side.committed_at)}, opened {utc(side.revealed_at)}"


def _print_parts(parts: list[dict[str, Any]]) -> None:
    from billproof.publication import utc

    if parts:
        rows = [
            [
                part["number"],
                part["debtor"],
                part["creditor"],
                part["status"].lower(),
                utc(part["endedAt"] or part["agreedAt"]),
                part["documentHash"],
            ]
            for part in parts
        ]
        table(["part", "owes", "is owed", "is", "since", "document"], rows)


def _print_steps(sentences: list[str]) -> None:
    click.echo("Next:" if sentences else "Nothing is to be done.")
    for sentence in sentences:
        click.echo(f"  {sentence}")


@house.command("list", short_help="List an operator's clearings.")
@options.operator_option
@house_options.looking
def list_(operator_id: int, as_json: bool, **where: Any) -> None:
    """List the clearings of an operator in the order in which they were opened, with what is next."""
    from billproof.clearing.house.access import now
    from billproof.clearing.house.status import look
    from billproof.ledger.house_reads import clearing_state, opened_clearings

    client = house_options.looking_house(**where).client
    node, deployment = client.endpoint, client.deployment
    time = now(node)
    found = [
        look(node, deployment, clearing_state(node, deployment, each.id), time)
        for each in opened_clearings(node, deployment, operator_id)
    ]
    if as_json:
        emit("house-clearings", {"operatorId": operator_id, "clearings": [each.document() for each in found]})
    for each in [] if as_json else found:
        state = each.state
        with_ = f"with {state.partner(operator_id)}, period {state.period}, round {state.round}"
        click.echo(f"0x{state.id.hex()}  {with_}: {each.words}")
        for step in each.steps:
            click.echo(f"  next: {step.sentence}")
    if not found and not as_json:
        say(f"Operator {operator_id} has no clearing on {printable(deployment.name)}.")


@house.command(short_help="End a clearing before its last part is agreed.")
@house_options.clearing_argument
@house_options.side_option
@house_options.sending
def refuse(clearing: bytes, operator_id: int | None, as_json: bool, **signing: Any) -> None:
    """End a clearing before its last part is agreed; the admin of a side signs. It is recorded who refused.

    What was agreed before stays owed.
    """
    from billproof.clearing.house.access import acting_side
    from billproof.ledger.house_reads import clearing_state

    client = house_options.house_of(signing)
    state = clearing_state(client.client.endpoint, client.client.deployment, clearing)
    side = acting_side(client.client, state, operator_id)
    receipt = client.refuse(clearing, side)
    house_options.done([receipt], f"Operator {side} has refused; the clearing is closed.", as_json)


@house.command(short_help="End a clearing that is overdue, or of which a batch was repudiated.")
@house_options.clearing_argument
@house_options.side_option
@house_options.sending
def close(clearing: bytes, operator_id: int | None, as_json: bool, **signing: Any) -> None:
    """End a clearing whose deadline has passed, or of whose opened books a batch was repudiated.

    An anchorer or the admin of either side signs. It is recorded why, and by whose fault.
    """
    from billproof.clearing.house.access import acting_side, now
    from billproof.clearing.house.status import look
    from billproof.ledger.house_reads import clearing_state
    from billproof.publication import utc

    client = house_options.house_of(signing)
    node, deployment = client.client.endpoint, client.client.deployment
    state = clearing_state(node, deployment, clearing)
    side = acting_side(client.client, state, operator_id)
    found = look(node, deployment, state, now(node))
    if found.may_be_closed == "repudiated":
        receipt = client.close_repudiated(clearing, side)
    elif state.deadline is None:
        raise LedgerError(f"the clearing has ended: {found.words}", advice="nothing to do")
    elif found.may_be_closed or _passed(state.deadline):
        receipt = client.close_overdue(clearing, side)
    else:
        raise LedgerError(
            f"its deadline, {utc(state.deadline)}, has not passed, and every batch stands",
            advice="wait for it; or the admin refuses: billproof house refuse",
        )
    state = clearing_state(node, deployment, clearing)
    words = look(node, deployment, state, receipt.block_time).words
    house_options.done(
        [receipt],
        f"The clearing is {words}.",
        as_json,
        reason=state.ending.word,
        atFault=list(state.at_fault),
    )


def _passed(deadline: int) -> bool:
    """Whether a block made now would be later: a quiet chain's newest block may be old."""
    import time

    return time.time() > deadline


@house.command(short_help="Void every signature of ours that nobody has submitted yet.")
@options.operator_option
@house_options.sending
def withdraw(operator_id: int, as_json: bool, **signing: Any) -> None:
    """Void what the operator has signed, parts and nettings, and nobody has submitted; the admin signs."""
    receipt = house_options.house_of(signing).withdraw_signatures(operator_id)
    words = f"What operator {operator_id} has signed and nobody has submitted is void."
    house_options.done([receipt], words, as_json)


for _command in (
    house_books.open_,
    house_books.commit,
    house_books.reveal,
    house_books.check,
    house_parts.propose,
    house_parts.sign,
    house_parts.agree,
    house_parts.confirm,
    house_parts.pay,
    house_net.net,
):
    house.add_command(_command)
