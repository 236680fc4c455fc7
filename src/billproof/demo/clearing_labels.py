"""What the demo's clearing has found, beside the truth of the simulated month, which it has never seen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from billproof.clearing.document.form import File, tree_of
from billproof.clearing.house.model import Part
from billproof.clearing.settlement.settlement import Settlement
from billproof.ledger.house_hashes import amount_commitment
from billproof.ledger.house_reads import part_state
from billproof.ledger.house_states import NO_ADDRESS, Opening
from billproof.simulate.partner_files import PartnerFiles

if TYPE_CHECKING:
    from billproof.demo.run import Demo

_CAUSE = ("kind", "dimension", "value", "count", "money")
_FINDING = ("kind", "holder", "count", "money")
_TRAFFIC = ("service", "route", "records", "volume", "amount")
_HOLDER = {"ours": 1, "theirs": 2, "both": None}


def compare(files: PartnerFiles, found: Iterable[File], settlement: Settlement) -> list[str]:
    """What is not as it is labelled, in words: causes, single findings, sums and the net amount.

    ``found``: both directions as operator 1 cleared them.
    """
    truth = json.loads(files.expected.read_bytes())
    problems = []
    wanted = {each["from"]: each for each in truth["directions"]}
    for file in found:
        tree, labelled = tree_of(file), wanted[file.payer]
        singles = [{**each, "holder": _HOLDER[each["side"]]} for each in tree["findings"]]
        for name, told, expected, keys in (
            ("causes", tree["causes"], labelled["causes"], _CAUSE),
            ("single findings", singles, labelled["findings"], _FINDING),
            ("undisputed traffic", tree["traffic"], labelled["undisputed"], _TRAFFIC),
        ):
            odd = _rows(told, keys) ^ _rows(expected, keys)
            problems += [f"{name} of operator {file.payer}'s traffic: {row}" for row in sorted(odd)]
    net = settlement.net
    said = {"payer": net.payer.operator, "payee": net.payee.operator, "amount": str(net.amount)}
    if said != truth["net"]:
        problems.append(f"net amount: {said}, labelled {truth['net']}")
    return problems


def compare_amount(files: PartnerFiles, demo: Demo, part: Part) -> list[str]:
    """Whether the chain holds the labelled net amount, which opens its commitment, and says who owes it."""
    net = json.loads(files.expected.read_bytes())["net"]
    source, opening = part.place.clearing, part.amount.opening
    labelled = Opening(b"EUR", int(net["amount"]), NO_ADDRESS, NO_ADDRESS, opening.salt)
    stored = part_state(demo.chain, demo.deployment, source, part.number)
    if stored.amount_commitment != amount_commitment(source, part.number, labelled):
        return ["the amount on the chain is not the labelled one"]
    if (stored.debtor, stored.creditor) != (net["payer"], net["payee"]):
        return ["on the chain another one owes"]
    return []


def _rows(entries: Iterable[Mapping[str, Any]], keys: tuple[str, ...]) -> set[str]:
    """What is compared of some entries, a line each."""
    return {", ".join(f"{key} {entry[key]}" for key in keys) for entry in entries}
