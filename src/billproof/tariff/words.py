"""What a check finds, in words for the people at both ends of a bill."""

from __future__ import annotations

from billproof.records import money
from billproof.tariff import model
from billproof.tariff.values import PRICE_DECIMALS, decimal_of, quantity_words

_TIMES = {0: "not charged", 1: "charged once", 2: "charged twice"}


def zone_words(name: str) -> str:
    """``home``, ``roaming in eu``."""
    return {model.HOME: "home", model.ELSEWHERE: "roaming elsewhere"}.get(name, f"roaming in {name}")


def destination_words(name: str) -> str:
    """``near``, ``any other number``."""
    return "any other number" if name == model.ELSEWHERE else name


def price_words(price: int, unit: int, kind: str, currency: str) -> str:
    """``0.10 EUR for 1 min``."""
    return f"{decimal_of(price, PRICE_DECIMALS, 2)} {currency} for {quantity_words(kind, unit)}"


def billed(kind: str, was: int, due: int) -> str:
    """Of ``billed-usage``."""
    return f"{quantity_words(kind, was)} billed, the contract says {quantity_words(kind, due)}"


def allowance(kind: str, free: int) -> str:
    """Of ``allowance``."""
    return f"{quantity_words(kind, free)} of it {'is' if free == 1 else 'are'} free by the contract"


def zone(charged: str, due: str) -> str:
    """Of ``zone``."""
    return f"charged as {zone_words(charged)}, the network was {zone_words(due).removeprefix('roaming ')}"


def band(tariff: model.Tariff, charged: int, due: int) -> str:
    """Of ``band``."""
    return f"charged at the price of {_bands(tariff.rates[charged])}, it was {_bands(tariff.rates[due])}"


def _bands(rate: model.Rate) -> str:
    bands = rate.applies.bands
    return " or ".join(sorted(bands)) if bands else rate.name


def destination(charged: str, due: str) -> str:
    """Of ``destination``."""
    return f"charged as {destination_words(charged)}, the number is {destination_words(due)}"


def tier(tariff: model.Tariff, rate: model.Rate, charged: int, due: int) -> str:
    """Of ``tier``; tiers count from 1, 0 is the rate's own price."""
    prices = [rate.intervals[0].price, *(each.price for each in rate.tiers)]
    currency = tariff.exchange_currency or tariff.currency
    was, right = (decimal_of(prices[number], PRICE_DECIMALS, 2) for number in (charged, due))
    unit = quantity_words(rate.kind, rate.intervals[0].unit)
    since = f"from {quantity_words(rate.kind, rate.tiers[due - 1].above)} on" if due else "so far"
    return f"charged at {was} {currency} for {unit}, {since} it is {right}"


def rounding(charged: str, due: model.Rounding) -> str:
    """Of ``rounding``."""
    return f"rounded {charged}, the contract says {due.mode}"


def connection(charged: int, due: int) -> str:
    """Of ``connection``."""
    return f"the connection fee is {_TIMES[charged]}, the contract says {_TIMES[due]}"


def price(charged: int, due: int, currency: str) -> str:
    """Of ``price`` and of lines that are no usage."""
    return f"charged {money(charged)} {currency}, the contract says {money(due)} {currency}"


def missing(name: str, due: int, currency: str) -> str:
    """Of ``missing``."""
    return f"the line {name} of {money(due)} {currency} is not there"


def repeated(name: str) -> str:
    """Of ``repeated``."""
    return f"{name} is charged once more, the contract has it once"


def no_rate() -> str:
    """Of ``no-rate``."""
    return "the contract has no price for it"
