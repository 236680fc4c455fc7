"""A clear document as the other operator has it: what is ours there is theirs here.

Words, numbers, disputes and the order of everything are the same on both sides (``docs/clearing.md``,
section 5), so that both settle the same to the byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from msgspec.structs import replace

from billproof.clearing.document.form import (
    CauseForm,
    DayForm,
    ExampleForm,
    File,
    FindingForm,
    RouteForm,
    ServiceForm,
)

_SIDES: Mapping[str, Any] = {"ours": "theirs", "theirs": "ours", "both": "both"}
_DIMENSIONS = {"our batch": "their batch", "their batch": "our batch"}

Slice = TypeVar("Slice", DayForm, RouteForm, ServiceForm)
Told = TypeVar("Told", CauseForm, FindingForm)


def turned(file: File) -> File:
    """The document with both sides exchanged; turned twice it is itself."""
    return replace(
        file,
        ours=file.theirs,
        theirs=file.ours,
        difference=_less(file.difference),
        at_stake=_stakes(file.at_stake),
        days=[_slice(each) for each in file.days],
        routes=[_slice(each) for each in file.routes],
        services=[_slice(each) for each in file.services],
        causes=[_cause(each) for each in file.causes],
        findings=[_told(each) for each in file.findings],
    )


def _less(money: str) -> str:
    """What one side has less is what the other has more."""
    return str(-int(money))


def _stakes(stakes: Mapping[str, str]) -> dict[str, str]:
    return {kind: _less(money) for kind, money in stakes.items()}


def _slice(one: Slice) -> Slice:
    return replace(one, ours=one.theirs, theirs=one.ours, at_stake=_stakes(one.at_stake))


def _cause(cause: CauseForm) -> CauseForm:
    found = _told(cause)
    dimension = _DIMENSIONS.get(cause.dimension, cause.dimension)
    return replace(found, dimension=dimension, what=dict(map(_fact, cause.what.items())))


def _told(one: Told) -> Told:
    examples = [ExampleForm(each.theirs, each.ours) for each in one.examples]
    return replace(one, side=_SIDES[one.side], money=_less(one.money), examples=examples)


def _fact(fact: tuple[str, Any]) -> tuple[str, Any]:
    """A parameter of a cause; those that name no side are the payer's beside the payee's."""
    name, value = fact
    if name == "largerUnit":
        return name, _SIDES[value]
    return _SIDES.get(name, name), -value if name == "theirsLonger" else value
