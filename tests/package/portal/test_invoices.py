"""Invoices: by a link of their own, which nobody can guess, list or find in a log or a figure."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from portals import PERIOD, Client, World, served

from billproof.bundle import documents as doc
from billproof.bundle.page import shown_texts
from billproof.bundle.pdfread import PdfFile
from billproof.cli import cli
from billproof.errors import InputError
from billproof.inclusion import include_bundle
from billproof.portal.links import Links
from billproof.trust import Pins


def test_a_link_gives_one_invoice_as_pdf_and_as_bundle(client: Client, world: World) -> None:
    token = world.token("A-17")
    pdf = client.get(f"/invoices/{token}")
    assert pdf.content.startswith(b"%PDF")
    assert pdf.headers["Content-Type"] == "application/pdf"
    bundle = client.get(f"/invoices/{token}?form=json")
    document = doc.parse(bundle.content)
    assert isinstance(document, doc.Bundle)
    assert document.account.accountId == "A-17"
    assert include_bundle(document).root == world.batch.root
    for answer in (pdf, bundle):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in answer.headers["X-Robots-Tag"]
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="bill-202610-0-1.')


def head_of(client: Client, world: World) -> str:
    """The first text of an invoice's pages."""
    return next(shown_texts(PdfFile(client.get(f"/invoices/{world.token('A-17')}").content)))


def test_an_invoice_is_headed_by_the_operators_name_as_pinned(world: World) -> None:
    deployment = world.settings.deployment
    pins = Pins(world.home / "trust.json")
    pins.add(deployment.chain_id, deployment.ledger, world.batch.id.operator_id, "Meridian Mobil")
    pins.add(deployment.chain_id + 1, deployment.ledger, world.batch.id.operator_id, "Somebody else")
    assert head_of(world.client(), world) == f"{deployment.chain_id}:{world.batch.id.operator_id}"
    with served(world.home, world.rpc, "--invoices", "--trust", str(pins.path)) as portal:
        content = httpx.get(f"{portal.url}/invoices/{world.token('A-17')}").content
    assert next(shown_texts(PdfFile(content))) == "Meridian Mobil"


def test_tokens_are_random_and_kept_only_as_hashes(world: World) -> None:
    tokens = [world.token() for _ in range(50)]
    assert len(set(tokens)) == 50
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)
    file = world.settings.secrets / "invoice-links.json"
    kept = file.read_text()
    assert not any(token in kept for token in tokens)
    assert file.stat().st_mode & 0o077 == 0
    assert world.settings.store not in file.parents


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/invoices",
            "/invoices/",
            "/invoices/A-17",
            "/invoices/*",
            "/invoices/" + "A" * 43,
            "/invoices/" + "A" * 44,
        ),
        *("/invoices/../../secrets/invoice-links.json", "/invoices/..%2f..%2fsecrets%2finvoice-links.json"),
        *("/invoices/%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd",),
        "/invoices/" + "%00" * 43,
    ],
)
def test_nothing_is_listed_or_guessed(client: Client, world: World, path: str) -> None:
    world.token()
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_stored_hash_is_no_token(client: Client, world: World) -> None:
    world.token()
    kept = json.loads((world.settings.secrets / "invoice-links.json").read_text())["links"]
    for digest in list(kept)[:3]:
        assert client.get(f"/invoices/{digest[:43]}").status_code == 404
        assert client.get(f"/invoices/{digest}").status_code == 404


def test_a_link_ends(world: World) -> None:
    now = time.time()
    links = Links(world.settings.secrets, clock=lambda: now)
    ((_, token),) = links.make(world.batch.id, ["B-18"], 1)
    assert links.find(token)
    now += 86_401
    assert links.find(token) is None


def test_revoked_links_open_nothing(client: Client, world: World) -> None:
    one, other = world.token("A-17"), world.token("B-18")
    assert Links(world.settings.secrets).revoke(lambda link: link.account != "A-17") >= 1
    assert client.get(f"/invoices/{one}").status_code == 404
    assert client.get(f"/invoices/{other}").status_code == 200


def test_without_the_option_there_are_no_invoices(world: World) -> None:
    assert world.client(invoices=False).get(f"/invoices/{world.token()}").status_code == 404


def test_an_operator_that_the_portal_does_not_speak_for_has_no_invoices_here(world: World) -> None:
    assert world.client(operators=(2,)).get(f"/invoices/{world.token()}").status_code == 404


def test_guessing_is_slowed(world: World) -> None:
    client = world.client(limits=replace(world.settings.limits, rate=0.01, burst=30))
    codes = [client.get(f"/invoices/{at:043d}").status_code for at in range(10)]
    assert codes == [404] * 5 + [429] * 5


def test_a_small_burst_still_lets_an_invoice_through(world: World) -> None:
    client = world.client(limits=replace(world.settings.limits, rate=0.01, burst=2))
    assert client.get(f"/invoices/{world.token()}").status_code == 200


def test_a_file_of_links_that_others_can_read_is_refused(tmp_path: Path, world: World) -> None:
    links = Links(tmp_path)
    links.make(world.batch.id, ["A-17"], 1)
    (tmp_path / "invoice-links.json").chmod(0o644)
    with pytest.raises(InputError, match="others can read"):
        Links(tmp_path).find("A" * 43)


def test_links_that_cannot_be_written_are_said(tmp_path: Path, world: World) -> None:
    (tmp_path / ".links.lock").mkdir()
    with pytest.raises(InputError, match="links cannot be written here") as raised:
        Links(tmp_path).make(world.batch.id, ["A-17"], 1)
    assert raised.value.file == tmp_path


def test_the_command_prints_links_that_work(world: World, client: Client) -> None:
    folders = ["--store", str(world.settings.store), "--secrets", str(world.settings.secrets)]
    common = ["serve", "links", "--operator", "1", "--period", str(PERIOD), *folders]
    runner = CliRunner()
    made = runner.invoke(cli, [*common, "--url", "https://bills.example/"], standalone_mode=False)
    rows = [line.split("\t") for line in made.stdout.splitlines()]
    assert [account for account, _ in rows] == world.batch.entries["account"].to_pylist()
    for _, link in rows:
        assert link.startswith("https://bills.example/invoices/")
        assert client.get(link.removeprefix("https://bills.example")).status_code == 200
    revoked = runner.invoke(cli, [*common, "--revoke", "--account", rows[0][0]], standalone_mode=False)
    assert revoked.exit_code == 0
    assert client.get(rows[0][1].removeprefix("https://bills.example")).status_code == 404
    assert client.get(rows[1][1].removeprefix("https://bills.example")).status_code == 200
    with pytest.raises(InputError, match="no bill"):
        runner.invoke(cli, [*common, "--account", "Z"], standalone_mode=False, catch_exceptions=False)


def test_no_token_is_logged_or_counted(world: World) -> None:
    token = world.token()
    with served(world.home, world.rpc, "--invoices") as portal:
        url = portal.url
        assert httpx.get(f"{url}/invoices/{token}").status_code == 200
        figures = httpx.get(f"{url}/metrics").text
    for text in (figures, portal.said):
        assert token not in text
        assert "A-17" not in text
        assert "127.0.0.1" not in text
    assert 'route="/invoices/{token}"' in figures
