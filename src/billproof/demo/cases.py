"""What somebody might try: each case is a file and a choice of nodes, with the verdict it must get."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from billproof.batch_id import period_before
from billproof.bundle import cut
from billproof.bundle import documents as doc
from billproof.files import write_file
from billproof.report import Report, Verdict
from billproof.secret_store import SecretStore
from billproof.simulate import simulate
from billproof.trust import Pins
from billproof.verification import Verifier

if TYPE_CHECKING:
    from billproof.demo.run import Demo

#: A port of this machine that nobody listens on.
DEAD_ENDPOINT = "http://127.0.0.1:9"
_SMALL = 5


@dataclass(frozen=True)
class Outcome:
    """One case: what was tried (``words``), and what the verifier said of it."""

    name: str
    words: str
    file: Path
    wanted: Verdict
    report: Report

    @property
    def expected(self) -> bool:
        return self.report.verdict is self.wanted

    @property
    def because(self) -> str:
        """The first step that did not pass, or the last one."""
        failed = (step for step in self.report.steps if step.verdict)
        return next(failed, self.report.steps[-1]).message

    def document(self) -> dict[str, Any]:
        return {
            "file": str(self.file),
            "verdict": self.report.verdict.words,
            "exitCode": int(self.report.verdict),
            "expected": self.expected,
            "message": self.because,
        }


def run(demo: Demo, path: Path, impostor: int) -> list[Outcome]:
    """All cases, made from the bundle at ``path`` and from three small batches of their own."""
    with demo.stage.step("try to cheat", 6) as (step, advance):
        home = demo.out / "cases"
        honest = read_bundle(path)
        earlier_period = period_before(demo.period)
        unanchored, unknown = _side_batches(demo, earlier_period, impostor)
        made = [
            _Case("tampered-line", "a line made cheaper", Verdict.INVALID, _edited(honest, _cheaper)),
            _Case("tampered-total", "a total made higher", Verdict.INVALID, _edited(honest, _dearer)),
            _Case(
                "another-period",
                f"last month's bill, shown as one of {earlier_period}",
                Verdict.INVALID,
                _edited(honest, lambda tree: tree["batch"].update(period=str(earlier_period))),
            ),
            _Case("unanchored", "a bill that was never anchored", Verdict.NOT_ANCHORED, unanchored),
            _Case("unknown-operator", "an impostor with an operator's name", Verdict.CANNOT_CHECK, unknown),
            _Case(
                "dead-endpoint",
                "a node that does not answer",
                Verdict.CANNOT_CHECK,
                doc.encode(honest),
                DEAD_ENDPOINT,
            ),
        ]
        outcomes = []
        for case in made:
            file = home / f"{case.name}.json"
            write_file(file, case.content, mode=0o600)
            verifier = Verifier(pins=Pins.load(demo.out / "trust.json"), rpc=[case.rpc or demo.rpc])
            outcomes.append(Outcome(case.name, case.words, file, case.wanted, verifier.verify(file)))
            advance(1)
        caught = sum(outcome.expected for outcome in outcomes)
        step.detail = f"{caught} of {len(outcomes)} told apart as they must be"
    return outcomes


def read_bundle(path: Path) -> doc.Bundle:
    """The bundle in a file."""
    document = doc.parse(path.read_bytes(), str(path))
    if not isinstance(document, doc.Bundle):
        raise TypeError(f"{path} holds no bundle")
    return document


@dataclass(frozen=True)
class _Case:
    name: str
    words: str
    wanted: Verdict
    content: bytes
    rpc: str = ""


def _edited(bundle: doc.Bundle, change: Callable[[dict[str, Any]], None]) -> bytes:
    tree = json.loads(doc.encode(bundle))
    change(tree)
    return json.dumps(tree, indent=1, ensure_ascii=False).encode()


def _cheaper(tree: dict[str, Any]) -> None:
    record = next(record for record in tree["records"] if int(record["amount"]) > 0)
    record["amount"] = str(int(record["amount"]) // 2)


def _dearer(tree: dict[str, Any]) -> None:
    tree["statement"]["total"] = str(int(tree["statement"]["total"]) + 10**9)


def _side_batches(demo: Demo, earlier_period: int, impostor: int) -> tuple[bytes, bytes]:
    """Anchors an earlier month of operator 1; a bundle never anchored, and one of an impostor."""
    from billproof.demo.run import inputs_of

    names = ("earlier", "extra")
    months = {
        name: simulate(
            demo.out / "cases" / name,
            operators=1,
            subscribers=_SMALL,
            period=earlier_period if name == "earlier" else demo.period,
            seed=seed,
            formats=("csv",),
        ).operators[0]
        for seed, name in enumerate(names)
    }
    inputs = {name: inputs_of(demo.out / "cases" / name, months[name]) for name in names}

    demo = demo.apart()
    demo.batch(1, inputs["earlier"], earlier_period)
    demo.anchor(1, 3, earlier_period)

    extra = demo.batch(1, inputs["extra"], demo.period, region=9)
    client = demo.client(impostor)
    number, _ = client.register_operator(months["extra"].carrier.name)
    client.grant(number, client.signer.address)
    fake = demo.batch(number, inputs["extra"], demo.period)
    demo.anchor(number, impostor, demo.period)
    return tuple(  # type: ignore[return-value]
        doc.encode(
            next(bundle for _, bundle in cut.bundles(result.stored, SecretStore(demo.secrets, operator)))
        )
        for operator, result in ((1, extra), (number, fake))
        if result.stored
    )
