"""The demo's price plans: published before the month begins, and named by its bills."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from billproof.account_tariffs import AccountTariffs
from billproof.ledger.tariff_book import TariffBook
from billproof.publishing import publish
from billproof.rerating import REPORT, Pricing
from billproof.simulate import OperatorMonth
from billproof.tariff import load_tariff

if TYPE_CHECKING:
    from billproof.demo.run import Demo

_DAYS_BEFORE = 30


def time_of_publication(period: int) -> int:
    """When the demo's chain begins, UTC seconds: days before the period does."""
    return calendar.timegm((period // 100, period % 100, 1, 0, 0, 0)) - _DAYS_BEFORE * 86_400


def pricing_of(out: Path, month: OperatorMonth) -> Pricing:
    """Each account's tariff in an operator's simulated month. Some lines are billed wrongly on purpose, so
    differences are reported and refuse nothing."""
    return Pricing(AccountTariffs.read(out / month.tariffs), REPORT)


def publish_all(demo: Demo, pricings: Sequence[Pricing], accounts: Sequence[int]) -> int:
    """Publishes every operator's tariffs on the demo's chain, signed by its anchorer; how many there are.

    ``accounts``: the development account of each operator's anchorer, operators numbered from 1.
    """
    with demo.stage.step("publish the tariffs", sum(len(p.tariffs.files) for p in pricings)) as (step, told):
        count = 0
        for number, (pricing, account) in enumerate(zip(pricings, accounts, strict=True), start=1):
            book = TariffBook(demo.client(account))
            for file in pricing.tariffs.files:
                done = publish(book, number, load_tariff(file.content, name=str(file.path)))
                step.gas += done.receipt.gas_used if done.receipt else 0
                count += 1
                told(1)
        step.detail = f"{count} price plans by hash and days, {_DAYS_BEFORE} days before the month begins"
    return count
