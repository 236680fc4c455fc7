"""One subscriber lays the bill beside the phone: what the operator charged and the phone never saw."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from billproof.bundle.lines import amount
from billproof.bundle.names import file_name
from billproof.demo.cases import read_bundle
from billproof.files import json_bytes, write_file
from billproof.handset import read_phone_log
from billproof.matching import Invoice, match
from billproof.matching.prices import PriceFinding, disputed_lines, price_findings, with_prices
from billproof.matching.report import html_report, letter
from billproof.matching.result import MatchResult
from billproof.statement_check import Tariffs, check_file
from billproof.store import TARIFFS

if TYPE_CHECKING:
    from billproof.demo.run import Demo
    from billproof.simulate import PhoneLog

#: How many subscribers are looked at for one with something to dispute, and how many lines that is at best.
_LOOKED_AT, _WANTED = 100, 5


@dataclass(frozen=True)
class Compared:
    """One subscriber's bill beside one phone log, and what lies in ``home`` of it."""

    operator: int
    account: str
    bundle: Path
    home: Path
    logs: tuple[Path, ...]
    tariff: Path
    result: MatchResult
    prices: tuple[PriceFinding, ...]

    @property
    def words(self) -> str:
        lines = disputed_lines(self.result.findings, self.prices)
        found = f"{lines} of {len(self.result.lines)} lines to dispute"
        stake = amount(self.result.stake + sum(each.stake for each in self.prices), self.result.currency)
        return f"{found}, {stake} at stake, before tax"

    @property
    def command(self) -> str:
        """What does the same on the command line."""
        logs = " ".join(str(log) for log in self.logs)
        return f"./run billproof match {self.bundle} {logs} --tariff {self.tariff}"

    def document(self) -> dict[str, Any]:
        summary: dict[str, Any] = with_prices(self.result.document(), self.prices)["summary"]
        logs = [str(log) for log in self.logs]
        return {"bundle": str(self.bundle), "logs": logs, "tariff": str(self.tariff), **summary}


def compare(demo: Demo, logs: tuple[PhoneLog, ...]) -> Compared:
    """Looks for a subscriber of operator 1 whose phone contradicts the bill; writes report and letter."""
    with demo.stage.step("lay bills beside phones", _LOOKED_AT) as (step, advance):
        best: tuple[PhoneLog, Path, MatchResult] | None = None
        for log in [log for log in logs if log.operator == 1][:_LOOKED_AT]:
            bundle = demo.out / "operator-1" / "bundles" / f"{file_name(log.account)}.json"
            found = _match(demo, log, bundle)
            if best is None or _rank(found) > _rank(best[2]):
                best = (log, bundle, found)
            advance(1)
        if best is None:
            raise RuntimeError("the simulator wrote no phone logs")
        found = best[2]
        stake = amount(found.stake, found.currency)
        step.detail = f"{len(found.findings)} of {len(found.lines)} lines do not agree, {stake} at stake"
    log, path, result = best
    with demo.stage.step("price its bill again") as (step, _):
        part = check_file(path, Tariffs(()))
        prices = price_findings(part.checked.differences, result.findings)
        compared = _written(demo, log, path, result, prices)
        above = amount(sum(found.charged - found.due for found in prices), result.currency)
        step.detail = f"{len(prices)} lines above {part.tariff.words}, {above}; every line named in a letter"
    return compared


def _rank(result: MatchResult) -> tuple[int, int]:
    return min(_WANTED, len(result.findings)), result.stake


def _match(demo: Demo, log: PhoneLog, bundle: Path) -> MatchResult:
    phone = [read for name in log.files for read in read_phone_log(demo.out / "month" / name)]
    return match(Invoice.of(read_bundle(bundle)), phone)


def _written(
    demo: Demo, log: PhoneLog, path: Path, result: MatchResult, prices: tuple[PriceFinding, ...]
) -> Compared:
    home, document, bundle = demo.out / "phone", with_prices(result.document(), prices), read_bundle(path)
    tariff = next((path.parent / TARIFFS).glob(f"{bundle.statement.tariff}*"))
    home.mkdir(exist_ok=True)
    copies = []
    for name in log.files:
        source = demo.out / "month" / name
        copies.append(home / source.name)
        if source.is_dir():
            shutil.copytree(source, copies[-1])
        else:
            shutil.copy(source, copies[-1])
    phone = [read for copy in copies for read in read_phone_log(copy)]
    write_file(home / "match.json", json_bytes(document))
    name = demo.pinned(log.operator)
    report = html_report(document, bundle, phone, operator=name)
    write_file(home / "report.html", report.encode(), mode=0o600)
    write_file(home / "letter.txt", letter(document, bundle, operator=name).encode(), mode=0o600)
    return Compared(log.operator, log.account, path, home, tuple(copies), tariff, result, prices)
