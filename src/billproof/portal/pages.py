"""The pages: the verifier, as it was built; what the ledger has; why something is not there."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path

from billproof.portal.public import Batch, Operator, Period

_INLINE = re.compile(r"<(script|style)\b([^>]*)>(.*?)</\1\s*>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True)
class Page:
    """A page and the policy that it is served with."""

    html: str
    policy: str


def verifier(page: Path | None = None) -> Page | None:
    """The verifier page of the package, or another; None when this package was built without it.

    Its policy lets it ask nodes that the user names, wherever they are, and run no script but its own.
    """
    file = page or resources.files("billproof.portal") / "verifier.html"
    if not file.is_file():
        return None
    html = file.read_text(encoding="utf-8")
    scripts, styles = inline_hashes(html)
    policy = (
        f"default-src 'none'; script-src {' '.join(scripts)} 'wasm-unsafe-eval';"
        f" style-src {' '.join(styles)}; img-src data: blob:; font-src data:; media-src blob:;"
        " connect-src 'self' https: http:; worker-src blob:;"
        " form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    return Page(html, policy)


def inline_hashes(html: str) -> tuple[list[str], list[str]]:
    """CSP hashes of the inline scripts and styles of a page."""
    found: dict[str, list[str]] = {"script": [], "style": []}
    for kind, _, text in _INLINE.findall(html):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        found[kind.lower()].append(f"'sha256-{digest}'")
    return found["script"], found["style"]


def ledger_page(shown: Sequence[tuple[Operator, Sequence[tuple[Period, Sequence[Batch]]]]]) -> Page:
    """Operators, their periods and batches, for people."""
    body = "\n".join(_operator(operator, periods) for operator, periods in shown)
    return _plain(
        "What the ledger has",
        "<p>Roots and counts only; nothing personal is on the ledger. The same as data:"
        ' <a href="/api/v1/operators">JSON</a>, <a href="/openapi.json">OpenAPI</a>.'
        ' <a href="/">Check a bill</a>.</p>\n'
        f"{body or '<p>No operator has batched anything yet.</p>'}",
    )


def notice(title: str, *paragraphs: str) -> Page:
    """A few words for a person, and the way to the verifier page."""
    body = "".join(f"<p>{escape(text)}</p>\n" for text in paragraphs)
    return _plain(title, f'{body}<p>Have you a bill at hand? <a href="/">Check it here</a>.</p>')


def _plain(title: str, body: str) -> Page:
    """A page without scripts; its texts are escaped already."""
    style = (resources.files("billproof.portal") / "plain.css").read_text(encoding="utf-8")
    html = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{style}</style></head>\n"
        f"<body><h1>{title}</h1>\n{body}\n</body></html>\n"
    )
    _, styles = inline_hashes(html)
    return Page(
        html,
        f"default-src 'none'; style-src {' '.join(styles)}; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'",
    )


def _operator(operator: Operator, periods: Sequence[tuple[Period, Sequence[Batch]]]) -> str:
    rows = "".join(_batch(period, batch) for period, batches in periods for batch in batches)
    head = "".join(
        f'<th scope="col">{name}</th>'
        for name in ("Period", "Batch", "Lines", "Bills", "Root", "Anchored", "Sealed", "Manifest")
    )
    domain = f" · {escape(operator.domain)}" if operator.domain else ""
    return (
        f"<h2>{escape(operator.name) or 'Operator'}</h2><p>operator {operator.operatorId}{domain} · chain"
        f" {operator.chainId} · ledger <code>{escape(operator.ledger)}</code></p>"
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _batch(period: Period, batch: Batch) -> str:
    anchored = (
        "not yet" if batch.block is None else f"block {batch.block}<br><small>{batch.anchoredAt}</small>"
    )
    if batch.repudiated:
        anchored += "<br><b>repudiated</b>"
    cells = (
        *(period.period, f"{batch.region}-{batch.sequence}", f"{int(batch.records):,}"),
        *(f"{int(batch.statements):,}", f"<code>{batch.root}</code>", anchored, period.sealedAt or "no"),
        f'<a href="{escape(batch.manifest)}">JSON</a>',
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
