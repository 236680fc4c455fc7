"""The discount models of an agreement's file, checked: each has what its shape needs, and no two overlap."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from billproof.clearing.agreement import form
from billproof.clearing.discounts import models
from billproof.intake.keys import nearest
from billproof.tariff import values

if TYPE_CHECKING:
    from billproof.documents.positions import Path
    from billproof.tariff.building import Fail

_UNITS = {values.SECONDS: "1 min", values.MESSAGES: "1 message", values.BYTES: "1 MB"}

#: Keys that each shape needs, and those that it may have.
_NEEDS = {
    "flat": ("from", "price"),
    "balanced": ("balanced", "unbalanced"),
    "tiers": ("from", "tiers", "mode"),
}
_MAY = {"flat": ("commitment",), "balanced": (), "tiers": ("commitment",)}
_SHAPED = ("from", "price", "balanced", "unbalanced", "tiers", "mode", "commitment")


def build_models(
    given: Sequence[form.Model], operators: Collection[int], routes: Sequence[str], fail: Fail
) -> tuple[models.Model, ...]:
    """The models of a file; ``routes`` are the names that there are."""
    found = [_model(each, ("models", at), operators, routes, fail) for at, each in enumerate(given)]
    for at, model in enumerate(found):
        for earlier in found[:at]:
            if _overlap(model, earlier):
                raise fail(
                    ("models", at),
                    f"has traffic that {earlier.name!r} has too",
                    "no traffic may be in two models: name other services, routes or another direction",
                )
    return tuple(found)


def _overlap(one: models.Model, other: models.Model) -> bool:
    return (
        (one.operator is None or other.operator is None or one.operator == other.operator)
        and bool(one.services & other.services)
        and (one.routes is None or other.routes is None or bool(one.routes & other.routes))
    )


def _model(
    given: form.Model, path: Path, operators: Collection[int], routes: Sequence[str], fail: Fail
) -> models.Model:
    _check_keys(given, path, fail)
    if given.from_ is not None:
        check_party(given.from_, operators, (*path, "from"), fail)
    for at, route in enumerate(given.routes or ()):
        if route not in routes:
            raise fail((*path, "routes", at), f"{route!r} is no route", nearest(route, tuple(routes)))
    services = frozenset(map(values.service_of, given.services))
    kinds = sorted({values.KINDS[service] for service in services})
    if len(kinds) > 1:
        raise fail(
            (*path, "services"), f"are counted in {' and '.join(kinds)}", "write a model for each of them"
        )
    kind = kinds[0]
    unit = quantity(given.unit or _UNITS[kind], kind, (*path, "unit"), fail)
    if unit == 0:
        raise fail((*path, "unit"), "is 0", f'write what a price is for: "{_UNITS[kind]}"')
    return models.Model(
        name=given.name,
        shape=given.model,
        operator=given.from_,
        services=services,
        routes=None if given.routes is None else frozenset(given.routes),
        kind=kind,
        unit=unit,
        price=_price(given.balanced if given.model == "balanced" else given.price),
        unbalanced=_price(given.unbalanced),
        tiers=_tiers(given.tiers or (), kind, path, fail),
        mode=given.mode or "incremental",
        commitment=_commitment(given.commitment, kind, (*path, "commitment"), fail),
    )


def check_party(operator: int, operators: Collection[int], path: Path, fail: Fail) -> None:
    """Raises for a stranger."""
    if operator not in operators:
        raise fail(path, f"operator {operator} is no party", f"write {' or '.join(map(str, operators))}")


def _check_keys(given: form.Model, path: Path, fail: Fail) -> None:
    """Raises for a key that the model's shape lacks, or has no use for."""
    for key in _SHAPED:
        there = getattr(given, "from_" if key == "from" else key) is not None
        if not there and key in _NEEDS[given.model]:
            raise fail(path, f"{key} is missing", f"write {key} = …: a model {given.model!r} needs it")
        if there and key not in _NEEDS[given.model] + _MAY[given.model]:
            said = "is both directions'" if key == "from" else f"has no meaning in a model {given.model!r}"
            raise fail((*path, key), said, "leave it out")


def _price(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)


def quantity(text: str, kind: str, path: Path, fail: Fail) -> int:
    """A quantity of the kind that the services are counted in."""
    got, amount = values.quantity(text)
    if got != kind:
        raise fail(path, f"is in {got}, the services in {kind}", f'write as in "{_UNITS[kind]}"')
    return amount


def _tiers(given: Sequence[form.Tier], kind: str, path: Path, fail: Fail) -> tuple[models.Tier, ...]:
    found: list[models.Tier] = []
    for at, tier in enumerate(given):
        place: Path = (*path, "tiers", at, "above")
        above = quantity(tier.above, kind, place, fail)
        if not found and above:
            raise fail(
                place,
                "nothing says what is charged below",
                f'begin above "0 {_UNITS[kind][2:]}"',
            )
        if found and above <= found[-1].above:
            raise fail(place, "is not above the tier before it", "write tiers in ascending order")
        found.append(models.Tier(above, Fraction(tier.price)))
    return tuple(found)


def _commitment(given: form.Commitment | None, kind: str, path: Path, fail: Fail) -> models.Commitment | None:
    if given is None:
        return None
    if (given.money is None) == (given.volume is None):
        raise fail(path, "is of money or of a volume", 'write one of them: money = "50000", or volume = …')
    if given.price is not None and given.volume is None:
        raise fail((*path, "price"), "has no meaning with money", "leave it out")
    return models.Commitment(
        money=None if given.money is None else Fraction(given.money),
        volume=None if given.volume is None else quantity(given.volume, kind, (*path, "volume"), fail),
        price=_price(given.price),
        accrues=given.accrues,
    )
