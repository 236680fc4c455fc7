"""The keys that only some sections of a mapping have: units, rounding, numbering."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import phonenumbers

from billproof.intake.keys import Place, nearest
from billproof.records import NANO

#: Units of a quantity as a fraction ``(numerator, denominator)`` of a second, byte or message.
QUANTITY_UNITS: Mapping[str, tuple[int, int]] = {
    "1": (1, 1),
    "s": (1, 1),
    "ms": (1, 1000),
    "us": (1, 1_000_000),
    "min": (60, 1),
    "h": (3600, 1),
    "B": (1, 1),
    "kB": (10**3, 1),
    "MB": (10**6, 1),
    "GB": (10**9, 1),
    "KiB": (2**10, 1),
    "MiB": (2**20, 1),
    "GiB": (2**30, 1),
}
CLOCKED = "h:m:s"

#: Units of money in billionths of the currency unit.
MONEY_UNITS: Mapping[str, int] = {
    "unit": NANO,
    "cent": 10**7,
    "milli": 10**6,
    "micro": 10**3,
    "nano": 1,
}
ROUNDINGS = ("exact", "up", "down", "half-up", "half-even")

#: The largest integer ``unit``: keeps products of a nine-digit fraction and the unit within 63 bits.
_MAX_UNIT = 4 * 10**9


def options_for(section: str, given: Mapping[str, Any], where: str, place: Place) -> dict[str, Any]:
    """The section's own options, checked and with defaults filled in."""
    if section in ("usage", "billed_usage"):
        return {
            "unit": _quantity_unit(given.get("unit", "1"), f"{where}.unit", place),
            "round": place.choice(f"{where}.round", given.get("round", "exact"), ROUNDINGS),
        }
    if section == "amount":
        unit = place.choice(f"{where}.unit", given.get("unit", "unit"), tuple(MONEY_UNITS))
        return {"unit": MONEY_UNITS[unit], "negate": given.get("negate", False)}
    if section == "number":
        return _number(given, where, place)
    return {}


def _quantity_unit(unit: str | int, key: str, place: Place) -> tuple[int, int] | str:
    if unit == CLOCKED:
        return CLOCKED
    if isinstance(unit, int):
        if not 1 <= unit <= _MAX_UNIT:
            raise place.error(key, f"must lie between 1 and {_MAX_UNIT}")
        return unit, 1
    if unit not in QUANTITY_UNITS:
        known = (*QUANTITY_UNITS, CLOCKED)
        raise place.error(key, f"{unit!r} is not a unit", nearest(unit, known))
    return QUANTITY_UNITS[unit]


def _number(given: Mapping[str, Any], where: str, place: Place) -> dict[str, Any]:
    region = given.get("region")
    if region is not None and region not in phonenumbers.SUPPORTED_REGIONS:
        raise place.error(
            f"{where}.region", f"{region!r} is not an ISO 3166 country code", "for example IE, DE, US"
        )
    readings = [key for key in ("region", "international", "ipv4") if given.get(key)]
    if len(readings) > 1:
        raise place.error(where, f"has both {readings[0]} and {readings[1]}", "state one of them")
    return {
        "region": region,
        "international": given.get("international", False),
        "ipv4": given.get("ipv4", False),
    }
