"""What a settlement's document has to be beside its sums: its kind, its claims, and the year it is of."""

from __future__ import annotations

from typing import Any

from billproof.clearing.settlement import form
from billproof.clearing.settlement.settlement import ACCEPTED
from billproof.documents.positions import Path
from billproof.documents.source import Source

_AGAIN = "have the document made again"


def check_kind(source: Source[form.File], file: form.File) -> None:
    """Raises where an undisputed settlement has keys of a disputed one, or the other way round."""
    disputed = file.kind == "disputed"
    wanted = [
        ("continues", file.continues is not None, disputed),
        ("resolved", bool(file.resolved), disputed),
        ("volumes", file.volumes is not None, disputed),
        ("year", file.year is not None, bool(file.charges)),
        ("amounts", bool(file.amounts), bool(file.amounts) and not disputed),
        ("charges", bool(file.charges), bool(file.charges) and not disputed),
    ]
    for key, there, needed in wanted:
        if there != needed:
            said = "is missing" if needed else "should not be there"
            raise source.error((key,) if there else (), f"{key} {said}", _AGAIN)


def check_claims(source: Source[form.File], file: form.File) -> None:
    """Raises for a claim that is there twice, open or resolved, and for what was accepted beyond a claim."""
    seen: set[Any] = set()
    payers: dict[int, int] = {}
    claims: list[tuple[Path, form.DisputeForm | form.ResolvedForm, str]] = []
    claims += [(("disputes", at), each, each.amount) for at, each in enumerate(file.disputes)]
    claims += [(("resolved", at), each, each.claimed) for at, each in enumerate(file.resolved)]
    for path, each, amount in claims:
        key = each.number, each.claimant, amount.startswith("-")
        if key in seen:
            raise source.error(path, "is there twice", "keep one of them")
        seen.add(key)
        if payers.setdefault(each.number, each.payer) != each.payer:
            raise source.error((*path, "payer"), f"number {each.number} is of other traffic", _AGAIN)
    for at, one in enumerate(file.resolved):
        claimed, accepted = int(one.claimed), int(one.accepted)
        if accepted * claimed < 0 or abs(accepted) > abs(claimed):
            raise source.error(
                ("resolved", at, "accepted"), f"is more than what was claimed, {claimed}", _AGAIN
            )
        if (one.outcome == ACCEPTED) != bool(accepted):
            raise source.error(("resolved", at, "outcome"), "is not what was accepted", _AGAIN)


def check_year(source: Source[form.File], file: form.File) -> None:
    """Raises unless the months follow on each other up to the settled one, each there once."""
    if file.year is None:
        return
    year = file.year
    for key, months in (("covered", year.covered), ("missing", year.missing)):
        if months != sorted(months):
            raise source.error(("year", key), "is not in order", _AGAIN)
    numbers = [int(each[:4]) * 12 + int(each[4:]) for each in sorted((*year.covered, *year.missing))]
    if year.covered[-1] != file.period or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        raise source.error(("year",), f"is not of the months up to {file.period}, each once", _AGAIN)
