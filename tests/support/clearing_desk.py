"""Three operators on an embedded chain, each with a folder, keys and a store of its own, who clear on it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from commands import Run

from billproof.batch_id import BatchId
from billproof.bundle import documents as doc
from billproof.clearing.agreement.agreement import Party, Rounding
from billproof.clearing.settlement.form import document
from billproof.clearing.settlement.settlement import Amount, BatchReference, Settlement
from billproof.ledger import deployments
from billproof.ledger.client import BatchAnchor, LedgerClient
from billproof.ledger.deploy import deploy, deploy_house
from billproof.ledger.embedded import EmbeddedChain
from billproof.ledger.reads import chain_id
from billproof.ledger.rpc import Endpoint
from billproof.ledger.signers import development_signer
from billproof.ledger.states import BatchKey
from billproof.records import Service

PERIOD = 202603
DAY = 86_400
OPERATORS = (1, 2, 3)
REGION = {1: 0, 2: 5, 3: 0}

#: Each operator's admin and anchorer, by the number of the development account.
ADMINS = {1: 1, 2: 2, 3: 3}
ANCHORERS = {1: 4, 2: 5, 3: 6}


def partner_account(of: int) -> str:
    """The account that other operators keep of an operator."""
    return f"operator {of}"


@dataclass
class Desk:
    """The folder of all; ``roots`` are those of each operator's batch."""

    home: Path
    run: Run
    roots: dict[int, bytes]
    endpoint: Endpoint

    def folder(self, operator: int) -> Path:
        return self.home / f"operator-{operator}"

    def call(self, operator: int, *words: object, admin: bool = False, code: int = 0) -> Any:
        """`billproof house …`, signed by the operator's anchorer or admin; its JSON."""
        account = (ADMINS if admin else ANCHORERS)[operator]
        result = self.run("house", *words, "--dev-account", account, "--json")
        assert result.code == code, result.err
        return result.json

    def look(self, *words: object, code: int = 0) -> Any:
        """`billproof house …` of a command that only looks; its JSON."""
        result = self.run("house", *words, "--json")
        assert result.code == code, result.err
        return result.json

    def status(self, clearing: str) -> Any:
        return self.look("status", clearing)

    def open(self, one: int = 1, other: int = 2) -> str:
        words = ("--operator", one, "--partner", other, "--period", PERIOD)
        return self.call(one, "open", *words)["clearing"]

    def commit(self, clearing: str, operator: int, partner: int, code: int = 0, **more: Any) -> Any:
        home = self.folder(operator)
        book = more.pop("book", home / f"book-{partner}.json")
        accounts = more.pop("accounts", [partner_account(partner)])
        given = [word for account in accounts for word in ("--account", account)]
        words = ("commit", clearing, "--store", home / "store", *given, "--book", book)
        return self.call(operator, *words, code=code, **more)

    def reveal(self, clearing: str, operator: int, partner: int, code: int = 0) -> Any:
        book = self.folder(operator) / f"book-{partner}.json"
        return self.call(operator, "reveal", clearing, "--book", book, code=code)

    def agreeing(self, one: int = 1, other: int = 2) -> str:
        """A clearing whose books are open."""
        clearing = self.open(one, other)
        self.commit(clearing, one, other)
        self.commit(clearing, other, one)
        self.reveal(clearing, one, other)
        self.reveal(clearing, other, one)
        return clearing

    def settlement(
        self,
        one: int = 1,
        other: int = 2,
        amount: int = 12_340_000_000,
        payer: int | None = None,
        **more: Any,
    ) -> Path:
        """A settlement of both batches, by default to be paid by the second; in the first one's folder."""
        payer = other if payer is None else payer
        found = Settlement(
            agreement="Two",
            agreement_hash=bytes(32),
            parties=(Party(one, f"Operator {one}", "EUR"), Party(other, f"Operator {other}", "EUR")),
            currency="EUR",
            exchange={},
            rounding=Rounding(),
            period=PERIOD,
            issued="2026-04-10",
            due="2026-05-10",
            amounts=(Amount(payer, Service.DATA, 1, 1, amount),) if amount else (),
            batches=tuple(
                BatchReference(each, PERIOD, REGION[each], 1, self.roots[each]) for each in (one, other)
            ),
            chain_id=self.client().deployment.chain_id,
            ledger=self.client().deployment.ledger,
        )
        name = more.pop("name", "settlement.json")
        changed = Settlement(**{**vars(found), **more})
        path = self.folder(one) / name
        path.write_bytes(document(changed))
        return path

    def agreed(self, one: int, other: int, amount: int, payer: int, *words: object) -> tuple[str, Path]:
        """A clearing with one part, the last, that is owed; its id and the part's file."""
        clearing = self.agreeing(one, other)
        settlement = self.settlement(one, other, amount, payer, name=f"settlement-{other}.json")
        part = self.folder(one) / f"part-{other}.json"
        self.look("propose", clearing, settlement, "--part", part, "--last", *words)
        payee = words[words.index("--payee") :][:2] if "--payee" in words else ()
        for side in (one, other):
            self.call(side, "sign", part, "--settlement", settlement, *payee, admin=True)
        self.call(one, "agree", part)
        return clearing, part

    def client(self, account: int = 0) -> LedgerClient:
        number = chain_id(self.endpoint)
        return LedgerClient(self.endpoint, deployments.load(number), development_signer(account, number))

    def pass_by(self, moment: int) -> None:
        """Blocks are later than ``moment`` (UTC seconds) from now on."""
        assert isinstance(self.endpoint, EmbeddedChain)
        self.endpoint.set_time(moment + 1)
        client = self.client()
        client.send(client.signer.address, b"")
        self.endpoint.set_time(None)

    def repudiate(self, operator: int) -> None:
        self.client(ADMINS[operator]).repudiate(BatchKey(operator, PERIOD, REGION[operator], 1))

    def bundles(self, operator: int, partner: int) -> list[Path]:
        """The proof files that an operator hands to its partner."""
        return sorted((self.folder(operator) / "bundles").glob(f"{partner}-*.json"))


def change(path: Path, change: Callable[[Any], None]) -> None:
    """Changes a JSON file."""
    tree = json.loads(path.read_bytes())
    change(tree)
    path.write_text(json.dumps(tree))


def furnish(home: Path, endpoint: Endpoint, build: Callable[..., Any]) -> dict[int, bytes]:
    """Registers the operators and anchors a batch of each on a new chain; gives the batches' roots."""
    number = chain_id(endpoint)
    signer = development_signer(0, number)
    deploy(endpoint, signer)
    deployment = deployments.load(number)
    deploy_house(endpoint, signer, deployment)
    roots = {}
    for operator in OPERATORS:
        admin = LedgerClient(endpoint, deployment, development_signer(ADMINS[operator], number))
        anchorer = LedgerClient(endpoint, deployment, development_signer(ANCHORERS[operator], number))
        assert admin.register_operator(f"Operator {operator}")[0] == operator
        admin.grant(operator, anchorer.signer.address)
        batch = BatchId(number, deployment.ledger, operator, PERIOD, REGION[operator], 1)
        partners = [partner_account(each) for each in OPERATORS if each != operator]
        rows = [
            {"account": account, "started_at": 1_772_500_000 + at, "usage": 60 + at}
            for at, account in enumerate([*partners, "a customer", f"{partners[0]} again"] * 2)
        ]
        built = build(home / f"operator-{operator}", rows, batch)
        roots[operator] = built.stored.root
        anchor = BatchAnchor(PERIOD, REGION[operator], 1, built.stored.root, built.stored.manifest_hash)
        anchorer.anchor(operator, anchor)
        folder = home / f"operator-{operator}" / "bundles"
        folder.mkdir()
        for account, bundle in built.bundles().items():
            if account.startswith("operator"):
                partner, again = account.split()[1], account.endswith("again")
                name = f"{partner}-again.json" if again else f"{partner}-first.json"
                (folder / name).write_bytes(doc.encode(bundle))
    return roots


@pytest.fixture(scope="session")
def desk_template(
    tmp_path_factory: pytest.TempPathFactory, build: Callable[..., Any]
) -> tuple[Path, dict[int, bytes]]:
    """A chain with everything but clearings; each test works on a copy."""
    home = tmp_path_factory.mktemp("desk")
    with EmbeddedChain.open(home / "chain.jsonl", writable=True) as chain:
        return home, furnish(home, chain, build)


@pytest.fixture
def fresh_desk(
    desk_template: tuple[Path, dict[int, bytes]], tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    """A copy of the template, whose chain every command opens anew."""
    template, roots = desk_template
    home = tmp_path / "desk"
    shutil.copytree(template, home)
    monkeypatch.setenv("BILLPROOF_RPC", f"embedded:{home / 'chain.jsonl'}")
    monkeypatch.delenv("BILLPROOF_PASSWORD_FILE", raising=False)
    with EmbeddedChain.open(home / "chain.jsonl", writable=True) as chain:
        yield Desk(home, run, roots, chain)


@pytest.fixture
def desk(fresh_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The same, but commands share the open chain: each would replay it otherwise."""
    monkeypatch.setattr("billproof.cli.choices.connect", lambda spec, **_: fresh_desk.endpoint)
    return fresh_desk
