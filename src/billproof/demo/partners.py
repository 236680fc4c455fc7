"""What the two operators of the demo hand to each other: batched by each, handed over as proof files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from billproof.billing_run import Input
from billproof.bundle import cut
from billproof.bundle.names import file_name
from billproof.secret_store import SecretStore
from billproof.simulate.partner_files import PartnerFiles, account_of, write_partner_files
from billproof.simulate.partner_month import PARTNERS
from billproof.store import StoredBatch, find_batches

if TYPE_CHECKING:
    from billproof.demo.run import Demo

RECORDS = 4_000  # that the first operator hands over
SEED = 2026

#: The region of subscribers' batches; a partner's traffic is in the others.
SUBSCRIBERS = 0


def simulate(demo: Demo) -> PartnerFiles:
    """The month between the two, as both have booked it."""
    with demo.stage.step("simulate the partners") as (step, _):
        files = write_partner_files(demo.out / "partners", records=RECORDS, period=demo.period, seed=SEED)
        regions = [region for partner in PARTNERS for region in partner.regions]
        currencies = ", ".join(dict.fromkeys(region.currency for region in regions))
        step.detail = f"{files.records:,} records both ways, in {len(regions)} time zones and {currencies}"
    return files


def batch(demo: Demo, files: PartnerFiles) -> None:
    """Each operator commits its own record of the month, a batch a region."""
    regions = [(partner, region) for partner in PARTNERS for region in partner.regions]
    with demo.stage.step("batch what partners carry", len(regions)) as (step, advance):
        records = 0
        for partner, region in regions:
            inputs = [Input("csv", [files.file(partner, region)], files.mapping(partner))]
            records += demo.batch(partner.operator, inputs, demo.period, region=region.number).committed
            advance(1)
        step.detail = f"{records:,} records as one or the other has them, under {len(regions)} roots"


def batches_of(demo: Demo, operator: int) -> list[StoredBatch]:
    """An operator's batches that hold a partner's traffic."""
    found = find_batches(demo.store, operator, demo.period)
    return [stored for stored in found if stored.id.region != SUBSCRIBERS]


def hand_over(demo: Demo, operator: int, home: Path) -> list[Path]:
    """Cuts the partner's statements out of an operator's batches, into ``home``: what the partner gets."""
    vault = SecretStore(demo.secrets, operator)
    placed = (
        (home / f"{stored.id.region}-{stored.id.sequence}-{file_name(account)}.json", bundle)
        for stored in batches_of(demo, operator)
        for account, bundle in cut.bundles(stored, vault)
    )
    return list(cut.write_documents(placed))


def accounts(operator: int, payer: int) -> str:
    """The account at ``operator`` of the traffic that ``payer`` hands over."""
    by_number = {partner.operator: partner for partner in PARTNERS}
    return account_of(by_number[operator], by_number[payer])
