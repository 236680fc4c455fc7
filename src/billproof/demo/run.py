"""The demo's month, step by step, with the functions that the commands call."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from billproof.anchoring import anchor_period, seal_period
from billproof.batch_id import period_before
from billproof.billing_run import BatchResult, Input, batch
from billproof.bundle import cut
from billproof.bundle.names import file_name
from billproof.demo import cases, clearing, partners, phone, tariffs, telling
from billproof.demo.stage import Stage
from billproof.demo.telling import ERRORS, MARKER
from billproof.errors import InputError
from billproof.files import json_bytes, write_file
from billproof.ledger import deployments
from billproof.ledger.client import LedgerClient
from billproof.ledger.deploy import deploy, deploy_book, deploy_house
from billproof.ledger.deployments import Deployment
from billproof.ledger.embedded import EmbeddedChain
from billproof.ledger.reads import chain_id
from billproof.ledger.signers import development_signer
from billproof.publication import PUBLISHED
from billproof.report import Verdict
from billproof.rerating import Pricing
from billproof.secret_store import SecretStore
from billproof.simulate import OperatorMonth, Simulation, simulate
from billproof.store import TARIFFS, find_batches
from billproof.trust import Pins
from billproof.verification import Verifier

SCHEMA = "billproof/demo/1"
FORMATS = ("csv", "asterisk", "freeswitch")
RECORDS = 56  # a subscriber
RECEIPTS = 20
SEED = 2026

#: Development accounts: who deploys, the operators' admins, their anchorers, and an impostor.
DEPLOYER, ADMINS, ANCHORERS, IMPOSTOR = 0, (1, 2), (3, 4), 5


@dataclass
class Demo:
    """Where the demo's files lie, and the chain it runs on."""

    out: Path
    stage: Stage
    period: int
    chain: EmbeddedChain
    deployment: Deployment
    books: Path | None = None  # where the operators' batches and secrets are, if not in ``out``

    def apart(self) -> Demo:
        """The same with books of their own, for cheats: the operators' keep what operators keep."""
        return replace(self, books=self.out / "cases")

    @property
    def rpc(self) -> str:
        return f"embedded:{self.out / 'chain.jsonl'}"

    @property
    def store(self) -> Path:
        return (self.books or self.out) / "store"

    @property
    def secrets(self) -> Path:
        return (self.books or self.out) / "secrets"

    def pinned(self, operator_id: int) -> str:
        """What the demo's subscriber calls an operator."""
        pins = Pins.load(self.out / "trust.json")
        pin = pins.find(self.deployment.chain_id, self.deployment.ledger, operator_id)
        return pin.name if pin else ""

    def client(self, account: int) -> LedgerClient:
        """A client that signs with a development account."""
        return LedgerClient(
            self.chain, self.deployment, development_signer(account, self.deployment.chain_id)
        )

    def batch(
        self,
        operator_id: int,
        inputs: Sequence[Input],
        period: int,
        region: int = 0,
        pricing: Pricing | None = None,
    ) -> BatchResult:
        """A billing run into the demo's store."""
        return batch(
            inputs,
            operator=operator_id,
            period=period,
            region=region,
            chain_id=self.deployment.chain_id,
            ledger=self.deployment.ledger,
            store=self.store,
            secrets=self.secrets,
            pricing=pricing,
        )

    def anchor(self, operator_id: int, account: int, period: int) -> int:
        """Anchors an operator's period; the gas that it took."""
        results = anchor_period(self.store, self.client(account), operator_id, period, secrets=self.secrets)
        return sum(result.anchored.gas_used or 0 for result in results)


def run(
    out: Path,
    subscribers: int,
    console: Console,
    *,
    serve: bool = False,
    host: str = "127.0.0.1",
    port: int = 8000,
) -> bool:
    """Runs the demo into ``out``; True when every verdict was the expected one.

    ``serve`` leaves the portal running with the demo's month, until it is stopped.
    """
    _clear(out)
    started = time.perf_counter()
    stage = Stage(console)
    period = period_before(int(datetime.now(UTC).strftime("%Y%m")))
    console.print(f"\n[bold]Billproof demo[/bold]: two operators bill {period}\n")
    demo = _deploy(out, stage, period)
    simulation = _simulate(demo, subscribers)
    traffic = partners.simulate(demo)
    months = simulation.operators
    _register(demo, months)
    pricings = [tariffs.pricing_of(demo.out / "month", month) for month in months]
    published = tariffs.publish_all(demo, pricings, ANCHORERS)
    demo.chain.set_time(None)  # the month is over: from here on it is now
    batches = _batch(demo, months, pricings)
    partners.batch(demo, traffic)
    _anchor(demo, months)
    bundles = _cut_bundles(demo, months)
    valid, priced = _verify_bundles(demo, bundles)
    agreed = _verify_receipts(demo, bundles)
    compared = phone.compare(demo, simulation.phone_logs)
    outcomes = cases.run(demo, bundles[0], IMPOSTOR)
    cleared = clearing.run(demo, traffic, ADMINS, ANCHORERS)
    seconds = time.perf_counter() - started
    summary = {
        "schema": SCHEMA,
        "period": period,
        "chainId": str(demo.deployment.chain_id),
        "ledger": demo.deployment.ledger,
        "records": sum(result.committed for result in batches),
        "accounts": sum(result.accounts for result in batches),
        "batches": len(batches),
        "tariffs": published,
        "bundles": {"total": len(bundles), "valid": valid, "pricedByPublishedTariff": priced},
        "receipts": {"total": RECEIPTS, "valid": agreed},
        "match": compared.document(),
        "cases": {outcome.name: outcome.document() for outcome in outcomes},
        "clearing": cleared.document(),
        "gas": {step.name: step.gas for step in stage.steps if step.gas},
        "seconds": {step.name: round(step.seconds, 3) for step in stage.steps} | {"total": round(seconds, 3)},
    }
    write_file(out / "summary.json", json_bytes(summary))
    telling.describe(demo, simulation, compared)
    demo.chain.close()
    telling.show(demo, summary, outcomes, bundles[0], compared, cleared)
    good = (
        valid == priced == len(bundles)
        and agreed == RECEIPTS
        and all(outcome.expected for outcome in outcomes)
        and cleared.good
    )
    if serve and good:
        from billproof.demo.portal import serve as serve_month

        serve_month(demo, compared, host, port)
    return good


def _clear(out: Path) -> None:
    """Removes an earlier demo, by the names that a demo writes; refuses anything else."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise InputError("is no directory", file=out, advice="Choose another --out.")
    found = {path.name for path in out.iterdir()} if out.exists() else set()
    if not found:
        return
    ours = {
        "chain.jsonl",
        "month",
        "partners",
        "clearing",
        "store",
        "secrets",
        "cases",
        "phone",
        "receipts",
        "trust.json",
        "summary.json",
    }
    if not (out / MARKER).exists() or found - ours - {MARKER, "operator-1", "operator-2"}:
        raise InputError("holds something other than a demo", file=out, advice="Choose another --out.")
    shutil.rmtree(out)


def _deploy(out: Path, stage: Stage, period: int) -> Demo:
    with stage.step("deploy the contracts") as (step, _):
        out.mkdir(parents=True, exist_ok=True)
        (out / MARKER).write_text(
            "Made by `billproof demo`, which replaces this directory when it runs again.\n"
        )
        began = tariffs.time_of_publication(period)
        chain = EmbeddedChain.open(out / "chain.jsonl", writable=True, start_time=began)
        chain.set_time(began)
        signer = development_signer(DEPLOYER, chain_id(chain))
        result = deploy(chain, signer)
        book = deploy_book(chain, signer, result.deployment)
        house = deploy_house(chain, signer, result.deployment)
        step.gas = sum(receipt.gas_used for receipt in (result.receipt, book, house) if receipt)
        where = f"{result.deployment.ledger} on {result.deployment.name}"
        step.detail = f"ledger {where}, tariff book and clearing house beside it"
    return Demo(out, stage, period, chain, deployments.load(chain_id(chain)))


def _simulate(demo: Demo, subscribers: int) -> Simulation:
    with demo.stage.step("simulate the month", 2 * subscribers) as (step, advance):
        done = 0

        def told(now: int, total: int) -> None:
            nonlocal done
            advance(now - done)
            done = now

        simulation = simulate(
            demo.out / "month",
            operators=2,
            subscribers=subscribers,
            period=demo.period,
            seed=SEED,
            formats=FORMATS,
            records_per_subscriber=RECORDS,
            phone_logs=True,
            errors=ERRORS,
            progress=told,
        )
        step.detail = f"{simulation.records:,} records in {', '.join(FORMATS)}"
    return simulation


def _register(demo: Demo, months: Sequence[OperatorMonth]) -> None:
    with demo.stage.step("register operators", len(months)) as (step, advance):
        pins = Pins.load(demo.out / "trust.json")
        for month, admin, anchorer in zip(months, ADMINS, ANCHORERS, strict=True):
            client = demo.client(admin)
            number, receipt = client.register_operator(month.carrier.name, month.carrier.domain)
            granted = client.grant(number, demo.client(anchorer).signer.address)
            step.gas += receipt.gas_used + granted.gas_used
            pins.add(demo.deployment.chain_id, demo.deployment.ledger, number, month.carrier.name)
            advance(1)
        step.detail = " and ".join(month.carrier.name for month in months) + ", each with an anchorer's key"


def inputs_of(out: Path, month: OperatorMonth) -> list[Input]:
    """An operator's simulated files as inputs of its billing run."""
    return [
        Input(name, [out / file.path for file in files], out / files[0].mapping)
        for name in FORMATS
        if (files := month.in_format(name))
    ]


def _batch(demo: Demo, months: Sequence[OperatorMonth], pricings: Sequence[Pricing]) -> list[BatchResult]:
    with demo.stage.step("batch the CDR files", len(months)) as (step, advance):
        results = []
        for number, (month, pricing) in enumerate(zip(months, pricings, strict=True), start=1):
            inputs = inputs_of(demo.out / "month", month)
            results.append(demo.batch(number, inputs, demo.period, pricing=pricing))
            advance(1)
        records, accounts = (sum(getattr(r, name) for r in results) for name in ("committed", "accounts"))
        step.detail = f"{records:,} records of {accounts:,} accounts under {len(results)} roots"
    return results


def _anchor(demo: Demo, months: Sequence[OperatorMonth]) -> None:
    with demo.stage.step("anchor the roots", len(months)) as (step, advance):
        for number, anchorer in enumerate(ANCHORERS, start=1):
            step.gas += demo.anchor(number, anchorer, demo.period)
            advance(1)
        step.detail = "one transaction a batch, written down before it is sent"
    with demo.stage.step("seal the period", len(months)) as (step, advance):
        for number, admin in enumerate(ADMINS, start=1):
            step.gas += seal_period(demo.store, demo.client(admin), number, demo.period).gas_used
            advance(1)
        step.detail = "from now on only amendments"


def _cut_bundles(demo: Demo, months: Sequence[OperatorMonth]) -> list[Path]:
    with demo.stage.step("hand out bundles", sum(month.accounts for month in months)) as (step, advance):
        written = []
        for number in range(1, len(months) + 1):
            vault = SecretStore(demo.secrets, number)
            home = demo.out / f"operator-{number}"
            for stored in find_batches(demo.store, number, demo.period):
                if stored.id.region != partners.SUBSCRIBERS:
                    continue
                placed = (
                    (home / "bundles" / f"{file_name(account)}.json", bundle)
                    for account, bundle in cut.bundles(stored, vault)
                )
                for path in cut.write_documents(placed):
                    written.append(path)
                    advance(1)
                for file in sorted((stored.path / TARIFFS).glob("*")):
                    write_file(home / "bundles" / TARIFFS / file.name, file.read_bytes())
                keys = (
                    (home / "account-keys" / f"{file_name(account)}.key.json", key_file)
                    for account, key_file in cut.account_keys(stored, vault)
                )
                for _ in cut.write_documents(keys):
                    pass
        step.detail = (
            f"{len(written):,} proof files, {sum(path.stat().st_size for path in written) >> 20} MiB;"
            f" the price plans beside them in {TARIFFS}/"
        )
    return written


def _verify_bundles(demo: Demo, bundles: list[Path]) -> tuple[int, int]:
    """How many bundles are valid, and how many of all were priced by a tariff published in time."""
    with demo.stage.step("verify every bundle", len(bundles)) as (step, advance):
        verifier = Verifier(pins=Pins.load(demo.out / "trust.json"), rpc=[demo.rpc])
        valid = priced = 0
        for path in bundles:
            report = verifier.verify(path)
            valid += report.verdict is Verdict.VALID
            priced += report.facts.get("tariff", {}).get("status") == PUBLISHED
            advance(1)
        step.detail = (
            f"{valid:,} of {len(bundles):,} valid, {priced:,} by a tariff published in time;"
            f" the chain was asked for {_roots(bundles)} roots"
        )
    return valid, priced


def _roots(bundles: list[Path]) -> int:
    """How many batches the bundles belong to: one look-up each."""
    return len({path.parent for path in bundles})


def _verify_receipts(demo: Demo, bundles: list[Path]) -> int:
    with demo.stage.step("ask the contract", RECEIPTS) as (step, advance):
        pins = Pins.load(demo.out / "trust.json")
        verifier = Verifier(pins=pins, rpc=[demo.rpc], on_chain="node")
        agreed = 0
        for number in range(RECEIPTS):
            source = bundles[number * len(bundles) // RECEIPTS]
            bundle = cases.read_bundle(source)
            line = (7 * number) % len(bundle.records)
            path = demo.out / "receipts" / f"{source.parent.parent.name}-{source.stem}-{line}.json"
            cut.write_document(path, cut.receipt(bundle, line, show_number=number % 2 == 0))
            agreed += verifier.verify(path).verdict is Verdict.VALID
            advance(1)
        step.detail = (
            f"verifyRecord agrees with {agreed} of {RECEIPTS} receipts, half of them without the number"
        )
    return agreed
