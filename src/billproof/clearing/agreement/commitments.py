"""The commitments over several models of an agreement's file, checked: each is of one operator's models."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from billproof.clearing.agreement import form
from billproof.clearing.agreement.models import check_party, quantity
from billproof.clearing.discounts import models
from billproof.intake.keys import nearest

if TYPE_CHECKING:
    from billproof.documents.positions import Path
    from billproof.tariff.building import Fail

_OWN = "no model may be in two commitments"


def build_commitments(
    given: Sequence[form.CommonCommitment],
    of: Sequence[models.Model],
    operators: Collection[int],
    fail: Fail,
) -> tuple[models.CommonCommitment, ...]:
    """The commitments of a file over its models, ``of``."""
    by_name = {model.name: model for model in of}
    taken: dict[str, str] = {}  # model → its commitment
    found = []
    for at, each in enumerate(given):
        path: Path = ("commitments", at)
        if each.name in by_name:
            raise fail((*path, "name"), f"{each.name!r} is a model too", "choose another name")
        check_party(each.from_, operators, (*path, "from"), fail)
        for place, name in enumerate(each.models):
            where: Path = (*path, "models", place)
            if name in taken:
                raise fail(where, f"{name!r} is in {taken[name]!r} already", _OWN)
            taken[name] = each.name
            _check_model(name, by_name, each.from_, where, fail)
        worth = _worth(each, [by_name[name] for name in each.models], path, fail)
        found.append(
            models.CommonCommitment(each.name, each.from_, frozenset(each.models), worth, each.accrues)
        )
    return tuple(found)


def _check_model(
    name: str, by_name: Mapping[str, models.Model], operator: int, path: Path, fail: Fail
) -> None:
    """Raises where a model cannot be in a commitment of an operator."""
    if name not in by_name:
        raise fail(path, f"{name!r} is no model", nearest(name, tuple(by_name)))
    model = by_name[name]
    if model.operator is None:
        raise fail(path, f"{name!r} is of both directions", "name models that are flat, or of tiers")
    if model.operator != operator:
        raise fail(
            path, f"{name!r} is from {model.operator}, the commitment from {operator}", "write one for each"
        )
    if model.commitment is not None:
        raise fail(path, f"{name!r} has a commitment of its own", _OWN)


def _worth(given: form.CommonCommitment, of: Sequence[models.Model], path: Path, fail: Fail) -> Fraction:
    """What is committed, in the settlement currency."""
    if (given.money is None) == (given.volume is None):
        raise fail(path, "is of money or of a volume", 'write one of them: money = "50000", or volume = …')
    if given.money is not None:
        if given.price is not None:
            raise fail((*path, "price"), "has no meaning with money", "leave it out")
        return Fraction(given.money)
    kinds = sorted({model.kind for model in of})
    if len(kinds) > 1:
        raise fail(
            (*path, "volume"), f"of models that count {' and '.join(kinds)}", 'write money = "…" instead'
        )
    if len({model.unit for model in of}) > 1:
        raise fail((*path, "volume"), "of models with prices for different units", "write one unit in each")
    if given.price is None:
        raise fail(path, "price is missing", "write price = …: what one unit of the volume is worth")
    volume = quantity(given.volume or "", of[0].kind, (*path, "volume"), fail)
    return volume * Fraction(given.price) / of[0].unit
