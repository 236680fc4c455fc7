"""A month whose bills name their tariffs, some lines of which are dearer than these say."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from chains import Chain

from billproof.account_tariffs import AccountTariffs
from billproof.anchoring import anchor_period, seal_period
from billproof.batch_id import period_before
from billproof.billing_run import Input, batch
from billproof.bundle import cut
from billproof.bundle import documents as doc
from billproof.rerating import REPORT, Pricing
from billproof.secret_store import SecretStore
from billproof.simulate import simulate

NAME = "Meridian"
#: Errors that a tariff shows, and one that it does not.
SHOWN, HIDDEN = ("overcharge", "tariff"), "duration"


@dataclass
class TariffMonth:
    """Where the month lies, its node, and the subscriber with the most lines that are too dear.

    ``labelled`` says what is charged too much, in billionths, by line from 0; ``others`` are tariffs of the
    same operator that the bill does not name.
    """

    home: Path
    node: str
    operator: int
    bundle: Path
    tariff: Path
    others: list[Path]
    labelled: dict[int, int]

    @property
    def document(self) -> doc.Bundle:
        found = doc.parse(self.bundle.read_bytes())
        assert isinstance(found, doc.Bundle)
        return found

    @property
    def secrets(self) -> list[str]:
        """What must not leave the reader's machine: account, numbers, salts, keys."""
        bundle = self.document
        numbers = {record.number for record in bundle.records if len(record.number) > 6}
        salts = {record.salt[2:] for record in bundle.records}
        return [bundle.account.accountId, bundle.account.keySecret[2:], *numbers, *salts]

    def another(self, name: str) -> Path:
        """The bill's own tariff with one byte more, which makes it another."""
        path = self.home / name
        path.write_bytes(self.tariff.read_bytes() + b"\n")
        return path


def make_tariff_month(home: Path, chain: Chain) -> TariffMonth:
    """Simulated, batched with its tariffs, anchored, sealed; the tariffs are not published."""
    period = period_before(int(datetime.now(UTC).strftime("%Y%m")))
    made = simulate(
        home / "month",
        operators=1,
        subscribers=30,
        period=period,
        seed=11,
        formats=("csv",),
        phone_logs=True,
        errors=0.04,
        error_kinds=(*SHOWN, HIDDEN),
    )
    client = chain.client()
    operator, _ = client.register_operator(NAME, "")
    client.grant(operator, client.signer.address)
    issuer = made.operators[0]
    files = issuer.in_format("csv")
    assert issuer.tariffs is not None
    result = batch(
        [Input("csv", [made.out / file.path for file in files], made.out / files[0].mapping)],
        operator=operator,
        period=period,
        chain_id=chain.deployment.chain_id,
        ledger=chain.deployment.ledger,
        store=home / "store",
        secrets=home / "secrets",
        pricing=Pricing(AccountTariffs.read(made.out / issuer.tariffs), REPORT),
    )
    assert result.stored is not None
    anchor_period(home / "store", client, operator, period, secrets=home / "secrets")
    seal_period(home / "store", client, operator, period)
    labels = _labels(made.out / "labels.csv")
    account = max(labels, key=lambda each: len(labels[each]))
    found = next(
        bundle for _, bundle in cut.bundles(result.stored, SecretStore(home / "secrets", operator), [account])
    )
    path = home / "bill.json"
    cut.write_document(path, found)
    tariff = result.stored.tariff_file(bytes.fromhex(found.statement.tariff[2:]))
    assert tariff is not None
    others = [file for file in tariff.parent.iterdir() if file != tariff]
    return TariffMonth(home, chain.url, operator, path, tariff, others, labels[account])


def _labels(path: Path) -> dict[str, dict[int, int]]:
    """By account and line what the tariff must show."""
    found: dict[str, dict[int, int]] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for label in csv.DictReader(stream):
            if label["kind"] in SHOWN:
                whole, _, part = label["amount"].partition(".")
                found.setdefault(label["account"], {})[int(label["record"])] = int(whole + part.ljust(9, "0"))
    return found
