"""A month of a few subscribers: simulated with phone logs, batched, anchored, sealed, handed out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chains import Chain

from billproof.anchoring import anchor_period, seal_period
from billproof.batch_id import period_before
from billproof.billing_run import Input, batch
from billproof.bundle import cut
from billproof.bundle import documents as doc
from billproof.bundle.pdf import Look, Printer
from billproof.handset import read_phone_log
from billproof.matching import Invoice, MatchResult, match
from billproof.secret_store import SecretStore
from billproof.simulate import Simulation, simulate
from billproof.store import StoredBatch

SUBSCRIBERS = 40
NAME = "Meridian"


@dataclass
class Month:
    """Where the month lies, its node, and one subscriber whose phone contradicts the bill."""

    home: Path
    node: str
    operator: int
    account: str
    bundle: Path
    unanchored: Path
    log: Path
    findings: int

    @property
    def document(self) -> doc.Bundle:
        found = doc.parse(self.bundle.read_bytes())
        assert isinstance(found, doc.Bundle)
        return found

    def deleted_from(self) -> tuple[Path, MatchResult]:
        """The subscriber's log without the contact that most lines are of, and what matching says then."""
        invoice, content = Invoice.of(self.document), self.log.read_text()
        path = self.home / f"without-{self.log.name}"

        def match_without(number: str) -> MatchResult:
            kept = [line for line in content.splitlines() if number[-8:] not in line]
            path.write_text("\n".join(kept))
            return match(invoice, read_phone_log(path))

        numbers = sorted({record.number for record in self.document.records if len(record.number) > 8})
        number = max(numbers, key=lambda each: len(match_without(each).questions))
        return path, match_without(number)

    @property
    def secrets(self) -> list[str]:
        """What must not leave the reader's machine: account, numbers, salts, keys."""
        bundle = self.document
        numbers = {record.number for record in bundle.records if len(record.number) > 6}
        salts = {record.salt[2:] for record in bundle.records}
        keys = {bundle.account.keySecret[2:], bundle.statement.account[2:], bundle.statement.recordsRoot[2:]}
        return [bundle.account.accountId, *numbers, *salts, *keys]

    def edited(self, name: str, change: Callable[[dict[str, Any]], None]) -> Path:
        """The subscriber's bundle with a change, as a file."""
        tree = json.loads(self.bundle.read_bytes())
        change(tree)
        path = self.home / f"{name}.json"
        path.write_text(json.dumps(tree))
        return path

    def pdf(self, link: str) -> Path:
        """The subscriber's invoice as a PDF with the bundle in it."""
        path = self.home / "invoice.pdf"
        path.write_bytes(Printer(Look(link=link)).invoice(self.bundle.read_bytes()))
        return path


def make_month(home: Path, chain: Chain, domain: str = "") -> Month:
    """The whole way, with the functions that the commands call; ``domain`` is what the ledger names."""
    period = period_before(int(datetime.now(UTC).strftime("%Y%m")))
    simulation = simulate(
        home / "month",
        operators=1,
        subscribers=SUBSCRIBERS,
        period=period,
        seed=7,
        formats=("csv",),
        phone_logs=True,
        phone_format="android-xml",
        errors=0.03,
    )
    client = chain.client()
    operator, _ = client.register_operator(NAME, domain)
    client.grant(operator, client.signer.address)
    other = simulate(home / "other", operators=1, subscribers=2, period=period, seed=8, formats=("csv",))

    def run(made: Simulation, region: int) -> StoredBatch:
        files = made.operators[0].in_format("csv")
        result = batch(
            [Input("csv", [made.out / file.path for file in files], made.out / files[0].mapping)],
            operator=operator,
            period=period,
            region=region,
            chain_id=chain.deployment.chain_id,
            ledger=chain.deployment.ledger,
            store=home / "store",
            secrets=home / "secrets",
        )
        assert result.stored is not None
        return result.stored

    sealed = run(simulation, 0)
    anchor_period(home / "store", client, operator, period, secrets=home / "secrets")
    seal_period(home / "store", client, operator, period)
    open_batch = run(other, 9)
    vault = SecretStore(home / "secrets", operator)
    account, log, findings = "", Path(), 0
    for phone in simulation.phone_logs:
        bundle = next(found for _, found in cut.bundles(sealed, vault, [phone.account]))
        file = home / "month" / phone.files[0]
        found = len(match(Invoice.of(bundle), read_phone_log(file)).findings)
        if found > findings:
            account, log, findings = phone.account, file, found
    paths = []
    for name, stored in (("bill", sealed), ("unanchored", open_batch)):
        paths.append(home / f"{name}.json")
        chosen = [account] if stored is sealed else None
        cut.write_document(paths[-1], next(found for _, found in cut.bundles(stored, vault, chosen)))
    return Month(home, chain.url, operator, account, *paths, log, findings)
