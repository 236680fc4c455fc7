"""What a reader is told, in a real browser, of honest bills and of all that may be wrong with them."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import segno
from chains import _free_port, _node, _tool
from page_reader import CANNOT_CHECK, INVALID, NOT_ANCHORED, UNUSABLE, VALID, Reader
from phone_month import Month
from playwright.sync_api import expect
from portals import PERIOD, Served, World

from billproof.bundle import cut
from billproof.secret_store import SecretStore

Visit = Callable[..., Reader]
Picture = Callable[..., None]


def test_an_honest_bill_is_valid_for_a_reader_with_a_node_and_a_confirmed_company(
    visit: Visit, portal: Served, month: Month, picture: Picture
) -> None:
    reader = visit(portal.url)
    picture(reader, "start", "main")
    reader.use_node(month.node)
    reader.choose(month.bundle)
    reader.expect_verdict(CANNOT_CHECK)
    assert reader.check("identity") == "open"
    picture(reader, "operator-unverified")
    reader.pin("Meridian")
    reader.expect_verdict(VALID)
    assert [reader.check(name) for name in ("file", "inclusion", "anchoring", "identity")] == ["passed"] * 4
    picture(reader, "valid")
    reader.expect_no_errors()


def test_nothing_leaves_the_machine_but_look_ups(visit: Visit, portal: Served, month: Month) -> None:
    reader = visit(portal.url)
    before = len(reader.asked)
    assert before <= 2, "the page is one file"
    reader.use_node(month.node)
    assert len(reader.asked) == before, "nothing is asked before a file is chosen"
    reader.choose(month.bundle)
    reader.pin("Meridian")
    reader.expect_verdict(VALID)
    reader.choose_log(month.log)
    node, own = month.node.removeprefix("http://"), portal.url.removeprefix("http://")
    assert set(reader.hosts()) <= {node, own}
    assert reader.hosts()[own] == before
    assert 4 <= len(reader.calls()) <= 30
    reader.expect_private(*month.secrets)


def test_a_changed_line_is_named(visit: Visit, portal: Served, month: Month, picture: Picture) -> None:
    def cheaper(tree: dict[str, Any]) -> None:
        line = next(record for record in tree["records"] if int(record["amount"]) > 0)
        line["amount"] = str(int(line["amount"]) // 2)

    reader = visit(portal.url)
    reader.use_node(month.node)
    before = len(reader.asked)
    reader.choose(month.edited("tampered", cheaper))
    reader.expect_verdict(INVALID)
    assert reader.check("inclusion") == "failed"
    assert "was changed" in reader.text
    assert len(reader.asked) == before, "a bill that fails its own hashes is nobody else's business"
    picture(reader, "tampered")


def test_a_bill_moved_to_another_month_has_no_seal_there(visit: Visit, portal: Served, month: Month) -> None:
    reader = visit(portal.url)
    reader.use_node(month.node)
    reader.choose(month.edited("moved", lambda tree: tree["batch"].update(period="202001")))
    reader.expect_verdict(NOT_ANCHORED)


def test_a_bill_that_is_not_anchored(visit: Visit, portal: Served, month: Month, picture: Picture) -> None:
    reader = visit(portal.url)
    reader.use_node(month.node)
    reader.choose(month.unanchored)
    reader.expect_verdict(NOT_ANCHORED)
    assert reader.check("inclusion") != "failed"
    assert reader.check("anchoring") == "not yet"
    picture(reader, "not-anchored")


@pytest.mark.parametrize("content", [b"", b"{}", b"\x00\xff" * 50, b"<html>", b"[" * 100_000])
def test_other_files_are_unusable(visit: Visit, portal: Served, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "<img src=x onerror=alert(1)>.json"
    file.write_bytes(content)
    reader = visit(portal.url)
    reader.choose(file)
    reader.expect_verdict(UNUSABLE)
    assert reader.page.locator("img").count() == 0


def test_a_dead_node_is_named_and_another_can_be_tried(
    visit: Visit, portal: Served, month: Month, picture: Picture
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{taken.getsockname()[1]}"
        reader = visit(portal.url)
        reader.use_node(dead)
        reader.choose(month.bundle)
    reader.expect_verdict(CANNOT_CHECK)
    assert reader.check("anchoring") == "open"
    assert dead.removeprefix("http://") in reader.text
    picture(reader, "dead-endpoint")
    field = reader.card.get_by_label("Address of an Ethereum server")
    field.fill(month.node)
    reader.card.get_by_role("button", name="Use it").click()
    reader._settled()
    reader.pin("Meridian")
    reader.expect_verdict(VALID)


def test_a_node_of_another_chain_is_named(visit: Visit, portal: Served, month: Month) -> None:
    port = _free_port()
    for url in _node([_tool("anvil"), "--port", str(port), "--chain-id", "5", "--silent"], port):
        reader = visit(portal.url)
        reader.use_node(url)
        reader.choose(month.bundle)
        reader.expect_verdict(CANNOT_CHECK)
        assert "another chain" in reader.text


def test_the_operators_own_word_is_never_enough(
    visit: Visit, small_portal: Served, small: World, tmp_path: Path, picture: Picture
) -> None:
    vault = SecretStore(small.settings.secrets, 1)
    bundle = next(found for _, found in cut.bundles(small.batch, vault, ["A-17"]))
    file = tmp_path / "bill.json"
    cut.write_document(file, bundle)
    reader = visit(small_portal.url)
    reader.choose(file)
    reader.expect_verdict(CANNOT_CHECK)
    reader.pin("Meridian")
    reader.expect_verdict(CANNOT_CHECK)
    assert reader.check("identity") == "passed"
    assert reader.check("anchoring") == "open"
    assert "only the phone company's own server" in reader.text
    assert "<script" not in reader.page.locator("main").inner_html()
    assert bundle.batch.period == str(PERIOD)
    picture(reader, "operator-only")
    reader.expect_no_errors()


@pytest.mark.parametrize("from_disk", [False, True])
def test_the_companys_own_server_named_by_the_reader_counts_on_a_test_chain_only(
    visit: Visit, portal: Served, month: Month, page_file: Path, tmp_path: Path, from_disk: bool
) -> None:
    shutil.copy(page_file, tmp_path / "verifier.html")
    reader = visit((tmp_path / "verifier.html").as_uri() if from_disk else portal.url)
    reader.use_node(f"{portal.url}/rpc")
    reader.choose(month.bundle)
    reader.pin("Meridian")
    reader.expect_verdict(VALID)
    assert "says the phone company's own server" in reader.text
    assert "accepted on a test chain only" in reader.text
    reader.expect_no_errors()


def test_the_page_works_when_opened_from_disk(
    visit: Visit, page_file: Path, month: Month, tmp_path: Path
) -> None:
    shutil.copy(page_file, tmp_path / "verifier.html")
    reader = visit((tmp_path / "verifier.html").as_uri())
    reader.use_node(month.node)
    reader.choose(month.bundle)
    reader.pin("Meridian")
    reader.expect_verdict(VALID)
    reader.choose_log(month.log)
    assert set(reader.hosts()) <= {"", month.node.removeprefix("http://")}
    reader.expect_private(*month.secrets)
    reader.expect_no_errors()


def test_a_phone_log_is_laid_beside_the_bill(
    visit: Visit, portal: Served, month: Month, picture: Picture
) -> None:
    reader = visit(portal.url)
    reader.use_node(month.node)
    reader.choose(month.bundle)
    reader.pin("Meridian")
    reader.choose_log(month.log)
    section = reader.page.get_by_role("region", name="Does your phone agree?")
    noun = "line" if month.findings == 1 else "lines"
    assert section.get_by_role("heading", name=f"{month.findings} {noun} to ask about").is_visible()
    assert "at stake" in section.inner_text()
    assert section.get_by_role("row").count() >= month.findings + 1
    reader.page.get_by_text("Letter to your phone company").click()
    letter = reader.page.get_by_role("textbox", name="Letter to your phone company").input_value()
    assert month.document.statement.account in letter
    assert letter.count("0x") >= month.findings
    picture(reader, "phone-log", ".matched")
    reader.expect_no_errors()


def test_lines_to_a_number_that_the_phone_has_forgotten_are_asked_about(
    visit: Visit, portal: Served, month: Month, picture: Picture
) -> None:
    """What the reader answers moves money and letter, and leaves nothing behind."""
    log, expected = month.deleted_from()
    asked = len(expected.questions)
    assert asked > 0
    reader = visit(portal.url)
    reader.choose(month.bundle)
    before = len(reader.asked)
    reader.choose_log(log)
    section = reader.page.get_by_role("region", name="Does your phone agree?")
    questions = section.get_by_role("region", name="1 question only you can answer")
    expect(questions.get_by_role("listitem").first).to_be_visible()
    expect(
        section.get_by_role("heading", name=f"{len(expected.findings)} lines to ask about")
    ).to_be_visible()
    expect(section.get_by_role("heading", name="could not be compared")).to_have_text(
        re.compile(rf"^{len(expected.uncompared)} lines?, ")
    )
    picture(reader, "questions", ".matched")
    for group in questions.get_by_role("group").all():
        group.get_by_role("radio", name=re.compile("never|nothing")).check()
    denied = len(expected.findings) + asked
    expect(section.get_by_role("heading", name=f"{denied} lines to ask about")).to_be_visible()
    letter = reader.page.locator("textarea").input_value()
    for line in expected.questions:
        assert month.document.records[line.index].hash in letter
    for group in questions.get_by_role("group").all():
        group.get_by_role("radio", name="I know this number").check()
    expect(
        section.get_by_role("heading", name=f"{len(expected.findings)} lines to ask about")
    ).to_be_visible()
    assert len(reader.asked) == before, "answers are nobody else's business"
    reader.expect_no_errors()


def test_a_file_that_is_no_phone_log_is_refused(
    visit: Visit, portal: Served, month: Month, tmp_path: Path
) -> None:
    file = tmp_path / "calls.xml"
    file.write_text("<a><b></a>")
    reader = visit(portal.url)
    reader.choose(month.bundle)
    section = reader.page.get_by_role("region", name="Does your phone agree?")
    with reader.page.expect_file_chooser() as chooser:
        section.get_by_role("button", name="Choose call lists").click()
    chooser.value.set_files(str(file))
    section.get_by_text("cannot be read as a call list").wait_for()


def test_the_invoice_of_a_link_is_a_bill_that_the_page_accepts(
    visit: Visit, portal: Served, month: Month, tmp_path: Path
) -> None:
    reader = visit(portal.url)
    file = month.pdf(f"{portal.url}/")
    reader.use_node(month.node)
    reader.choose(file)
    reader.pin("Meridian")
    reader.expect_verdict(VALID)
    reader.expect_no_errors()


@pytest.mark.parametrize("kind", ["longer", "cut", "foreign code", "picture", "phone log"])
def test_nothing_of_a_green_verdict_stays_beside_a_refused_file(
    visit: Visit, portal: Served, month: Month, tmp_path: Path, kind: str
) -> None:
    reader = visit(portal.url)
    file = month.pdf(f"{portal.url}/")
    reader.use_node(month.node)
    reader.choose(file)
    reader.pin("Meridian")
    reader.expect_verdict(VALID)
    content = file.read_bytes()
    if kind in ("longer", "cut"):
        bad = tmp_path / "bad.pdf"
        bad.write_bytes(content + b"more" if kind == "longer" else content[: len(content) // 2])
        said = "This PDF holds"
    elif kind == "foreign code":
        bad = tmp_path / "menu.png"
        segno.make_qr("https://restaurant.example/menu").save(str(bad), scale=6)
        said = "not from a Billproof bill. It says: https://restaurant.example/menu"
    elif kind == "picture":
        bad = Path(__file__).parents[2] / "docs" / "screenshots" / "phone-log.png"
        said = "No QR code was found"
    else:
        bad = tmp_path / "calls.xml"
        bad.write_bytes(month.log.read_bytes()[:500])
        said = "it is damaged or cut off"
    reader.choose(bad)
    reader.expect_verdict(UNUSABLE)
    assert said in reader.text
    assert reader.page.get_by_role("article").count() == 1
    assert VALID not in reader.page.locator("main").inner_text()
    reader.expect_no_errors()


def test_choices_are_kept_for_the_next_visit(visit: Visit, portal: Served, month: Month) -> None:
    reader = visit(portal.url)
    reader.use_node(month.node)
    reader.choose(month.bundle)
    reader.pin("Meridian")
    reader.open(portal.url)
    reader.choose(month.bundle)
    reader.expect_verdict(VALID)


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_sized_screen_shows_everything_without_scrolling_sideways(
    visit: Visit, portal: Served, month: Month, picture: Picture, width: int
) -> None:
    reader = visit(portal.url, width=width, height=780)
    reader.use_node(month.node)
    reader.choose(month.bundle)
    reader.pin("Meridian")
    reader.expect_verdict(VALID)
    reader.choose_log(month.log)
    wide = reader.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    picture(reader, f"phone-{width}", ".matched")


def test_dark_mode(visit: Visit, portal: Served, month: Month, picture: Picture) -> None:
    reader = visit(portal.url, dark=True)
    reader.use_node(month.node)
    reader.choose(month.bundle)
    colour = reader.page.evaluate("getComputedStyle(document.body).backgroundColor")
    red, green, blue = (int(part) for part in colour.strip("rgba()").split(",")[:3])
    assert red + green + blue < 200
    picture(reader, "dark")
