"""The report of a clearing in a real browser: on a desk, on a phone, in the dark and on paper."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clear_documents import CHARGES, document, settlement, some_rows
from page_reader import Reader

from billproof.clearing.report.page import html_report

Visit = Callable[..., Reader]

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
LONG = "Transalpine Telekommunikation und Vermittlungsgesellschaft & Co"
_FOUND = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations.map(one => `${one.id}: ${one.nodes.map(node => node.html).join(" | ")}`);
}"""
_OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
_WIDTHS = """title => [...document.querySelectorAll("svg[role=img]")]
  .filter(one => one.querySelector("title").textContent === title)
  .flatMap(one => [...one.querySelectorAll("rect")].map(rect => rect.getBoundingClientRect().width))"""
_UNREADABLE = """() => [...document.querySelectorAll("svg[role=img]")].flatMap(svg => {
  const texts = [...svg.querySelectorAll("text")].map(one => [one.textContent, one.getBoundingClientRect()]);
  return texts.flatMap(([words, a], at) => texts.slice(at + 1)
    .filter(([, b]) => a.left < b.right && b.left < a.right && a.top + 3 < b.bottom && b.top + 3 < a.bottom)
    .map(([other]) => `${words} / ${other}`));
})"""


@pytest.fixture(scope="module")
def found() -> list[dict[str, Any]]:
    """A month both ways."""
    return [document(some_rows()), document(some_rows(14), payer=1)]


@pytest.fixture(scope="module")
def report(found: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the report of a settlement."""
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(html_report(found, settlement(found, CHARGES)), encoding="utf-8")
    return file.as_uri()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1100, 390])
def test_it_asks_for_nothing_and_everybody_can_read_it(
    visit: Visit, report: str, width: int, dark: bool
) -> None:
    reader = visit(report, width=width, dark=dark)
    said: list[str] = []
    reader.page.on("console", lambda message: said.append(message.text))
    reader.page.reload()
    assert reader.page.evaluate("getComputedStyle(document.body).fontVariantCaps"), "the style is in force"
    background = reader.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") is not dark
    for summary in reader.page.locator("summary").all():
        summary.click()
    if not AXE.is_file():
        pytest.fail(f"there is no {AXE}: ./run test web")
    reader.page.evaluate(AXE.read_text(encoding="utf-8"))
    assert reader.page.evaluate(_FOUND) == []
    assert said == []
    assert {request.url for request in reader.asked} == {report}
    reader.expect_no_errors()


@pytest.mark.parametrize("width", [320, 390, 768])
def test_it_is_never_wider_than_the_window(visit: Visit, report: str, width: int) -> None:
    reader = visit(report, width=width)
    assert reader.page.evaluate(_OVERFLOW) == 0
    for summary in reader.page.locator("summary").all():
        summary.click()
    assert reader.page.evaluate(_OVERFLOW) == 0


def test_long_names_and_large_amounts_fit_a_phone(visit: Visit, tmp_path: Path) -> None:
    names = ((1, LONG), (2, LONG[::-1]))
    documents = [document(some_rows(routes=[LONG, LONG.upper()]), parties=names)]
    text = json.dumps(documents).replace('0000000"', '0000000000000"')
    file = tmp_path / "report.html"
    file.write_text(html_report(json.loads(text)), encoding="utf-8")
    reader = visit(file.as_uri(), width=390)
    assert reader.page.evaluate(_OVERFLOW) == 0
    assert reader.page.evaluate(_UNREADABLE) == []


@pytest.mark.parametrize("width", [1100, 390])
def test_no_words_in_a_chart_lie_over_others(visit: Visit, report: str, width: int) -> None:
    assert visit(report, width=width).page.evaluate(_UNREADABLE) == []


def test_bars_are_drawn_as_long_as_the_money(visit: Visit, report: str, found: list[dict[str, Any]]) -> None:
    routes = sorted(
        abs(int(one["ours"]["total"]) - int(one["theirs"]["total"])) for one in found[0]["routes"]
    )
    drawn = sorted(visit(report).page.evaluate(_WIDTHS, "The difference by route, Skylark's traffic, EUR"))
    assert len(drawn) == len(routes)
    for width, money in zip(drawn, routes, strict=True):
        assert width == pytest.approx(money * drawn[-1] / routes[-1], abs=1.0)


def test_paper_is_light_and_has_what_a_screen_folds(visit: Visit, report: str) -> None:
    reader = visit(report, dark=True)
    folded = "() => [...document.querySelectorAll('details table')].map(one => one.checkVisibility())"
    assert not any(reader.page.evaluate(folded.replace("()]", "({ contentVisibilityAuto: true })]")))
    hidden = reader.page.evaluate("document.body.scrollHeight")
    reader.page.emulate_media(media="print", color_scheme="dark")
    assert reader.page.evaluate("getComputedStyle(document.body).color") == "rgb(26, 31, 38)"
    assert all(reader.page.evaluate(folded))
    assert reader.page.evaluate("document.body.scrollHeight") != hidden
    heads = "getComputedStyle(document.querySelector('thead')).display"
    assert reader.page.evaluate(heads) == "table-header-group"
    pages = reader.page.pdf(prefer_css_page_size=True)
    assert len(pages) < 2_000_000


def test_its_picture(visit: Visit, report: str, picture: Callable[..., None]) -> None:
    reader = visit(report, height=1150)
    picture(reader, "clearing", "main")
    picture(reader, "clearing-why", "section.why >> nth=1")
    assert reader.page.get_by_role("heading", name="Who owes whom").is_visible()
