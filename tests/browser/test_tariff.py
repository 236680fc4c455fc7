"""What a reader is told of a bill beside the tariff that it names, with labelled errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chains import Chain
from page_reader import VALID, Reader
from playwright.sync_api import Locator, expect
from portals import Served, served
from tariff_month import TariffMonth, make_tariff_month

from billproof.ledger.deploy import deploy_book
from billproof.ledger.tariff_book import TariffBook
from billproof.publishing import publish
from billproof.tariff import load_tariff

Visit = Callable[..., Reader]
Picture = Callable[..., None]


@pytest.fixture(scope="module")
def priced(anvil: Chain, tmp_path_factory: pytest.TempPathFactory) -> TariffMonth:
    deploy_book(anvil.endpoint, anvil.signer(), anvil.deployment)
    return make_tariff_month(tmp_path_factory.mktemp("tariffs"), anvil)


@pytest.fixture(scope="module")
def priced_portal(priced: TariffMonth, page_file: Path) -> Iterator[Served]:
    with served(priced.home, priced.node, "--page", str(page_file), "--burst", "1000") as running:
        yield running


@pytest.fixture
def reader(visit: Visit, priced_portal: Served, priced: TariffMonth) -> Reader:
    """At the page of the portal, with the bill chosen and everything confirmed."""
    found = visit(priced_portal.url)
    found.use_node(priced.node)
    found.choose(priced.bundle)
    found.pin("Meridian")
    found.expect_verdict(VALID)
    return found


def section_of(reader: Reader) -> Locator:
    return reader.page.get_by_role("region", name="Are the prices those of your contract?")


def choose_tariff(reader: Reader, *files: Path) -> None:
    with reader.page.expect_file_chooser() as chooser:
        section_of(reader).get_by_role("button", name="Choose the tariff").click()
    chooser.value.set_files([str(file) for file in files])


def dear_lines(reader: Reader) -> dict[int, str]:
    """Lines that the page shows as too dear, from 0, with what it says is at stake."""
    rows = section_of(reader).locator("tr.line").all()
    cells = [row.locator("td").all_inner_texts() for row in rows]
    return {int(texts[0]) - 1: texts[-1] for texts in cells}


def expect_labelled(reader: Reader, month: TariffMonth) -> None:
    """Every labelled line, with its very amount, the dearest first, and no other."""
    count = len(month.labelled)
    words = "1 line costs more" if count == 1 else f"{count} lines cost more"
    expect(section_of(reader).get_by_role("heading", level=3)).to_have_text(re.compile(words))
    shown = dear_lines(reader)
    amounts = {line: round(float(re.sub("[^0-9.]", "", text)) * 1e9) for line, text in shown.items()}
    assert amounts == month.labelled
    assert list(amounts.values()) == sorted(amounts.values(), reverse=True)


def test_labelled_overcharges_are_shown_and_no_other(
    reader: Reader, priced: TariffMonth, picture: Picture
) -> None:
    assert len(priced.labelled) >= 2
    before = len(reader.asked)
    choose_tariff(reader, priced.tariff)
    expect_labelled(reader, priced)
    letter = reader.page.locator("textarea").input_value()
    for line in priced.labelled:
        assert priced.document.records[line].hash in letter
    picture(reader, "tariff", ".tariff")
    assert len(reader.asked) == before, "nothing is asked for a price"
    reader.expect_private(*priced.secrets)
    reader.expect_no_errors()


def test_bill_and_tariff_dropped_together(visit: Visit, priced_portal: Served, priced: TariffMonth) -> None:
    reader = visit(priced_portal.url)
    reader.choose(priced.bundle, priced.tariff)
    expect_labelled(reader, priced)


def test_another_tariff_is_refused(reader: Reader, priced: TariffMonth) -> None:
    wrong = priced.another("almost.toml")
    choose_tariff(reader, wrong, *priced.others)
    section = section_of(reader)
    expect(section.get_by_text("almost.toml is not the tariff that your bill names")).to_be_visible()
    assert section.locator("tr.line").count() == 0
    assert section.locator(".verdict").count() == 0
    expect(reader.card.get_by_role("heading", level=2)).to_have_text(VALID)


def test_the_portal_hands_it_out_when_it_is_asked(
    reader: Reader, priced_portal: Served, priced: TariffMonth
) -> None:
    own = priced_portal.url.removeprefix("http://")
    before = reader.hosts()[own]
    section_of(reader).get_by_role("button", name="Fetch it from this server").click()
    expect_labelled(reader, priced)
    assert reader.hosts()[own] == before + 1
    assert reader.asked[-1].url == f"{priced_portal.url}/tariffs/{priced.document.statement.tariff}"
    reader.expect_private(*priced.secrets)
    reader.expect_no_errors()


def test_its_publication_is_told_and_asked_for_with_one_call(
    visit: Visit, priced_portal: Served, priced: TariffMonth, anvil: Chain
) -> None:
    book = TariffBook(anvil.client())

    def told() -> str:
        reader = visit(priced_portal.url)
        reader.use_node(priced.node)
        reader.choose(priced.bundle)
        to_book = [
            call for call in reader.calls() if call["params"][:1] and _to(call) == book.address.lower()
        ]
        assert len(to_book) == 1
        reader.expect_private(*priced.secrets)
        reader.pin("Meridian")
        reader.expect_verdict(VALID)
        return reader.card.locator("ul.notes").inner_text()

    assert "names a tariff that was never published" in told()
    publish(book, priced.operator, load_tariff(priced.tariff))
    words = told()
    assert "Priced by the tariff published on" in words
    assert "It was published after the period or a line that it prices began." in words


def _to(call: dict[str, object]) -> str:
    params = call["params"]
    assert isinstance(params, list)
    first = params[0]
    return str(first.get("to", "")).lower() if isinstance(first, dict) else ""
