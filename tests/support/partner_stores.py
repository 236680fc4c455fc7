"""Stores of the simulated partners of a month, for the tests that clear it."""

from __future__ import annotations

from pathlib import Path

from billproof.billing_run import Input, batch
from billproof.simulate.partner_files import PartnerFiles
from billproof.simulate.partner_month import Partner

LEDGER = "0x" + "11" * 20


def store_of(files: PartnerFiles, partner: Partner, home: Path) -> Path:
    """An operator's batches of its regions."""
    store = home / f"store-{partner.operator}"
    for region in partner.regions:
        batch(
            [Input("csv", [files.file(partner, region)], files.mapping(partner))],
            operator=partner.operator, period=files.period, region=region.number, chain_id=1, ledger=LEDGER,
            store=store, secrets=home / f"secrets-{partner.operator}",
        )  # fmt: skip
    return store
