"""What is not there is said in plain words to whoever reads it in a browser, and as data to programs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from portals import Client, World

from billproof.ledger.rpc import HttpEndpoint
from billproof.portal.pages import inline_hashes

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
DEAD = ("/invoices/" + "A" * 43, "/invoices/A-17", "/invoices/", "/invoice/" + "A" * 43)
DEAD += ("/invoices/" + "A" * 42, "/invoices/%3Cscript%3Ealert(1)%3C%2Fscript%3E")


@pytest.mark.parametrize("path", DEAD)
def test_a_dead_link_says_so_in_words(client: Client, path: str) -> None:
    answer = client.get(path, headers=BROWSER)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "This link opens no bill" in answer.text
    assert "Ask the company that sent it for a new link" in answer.text
    for wrong in ("<script", "detail", "{", path.rpartition("/")[2] or "{"):
        assert wrong not in answer.text.partition("</style>")[2]
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src " + " ".join(inline_hashes(answer.text)[1]))
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert "noindex" in answer.headers["X-Robots-Tag"]


@pytest.mark.parametrize("path", DEAD)
@pytest.mark.parametrize("accept", ["*/*", "application/json"])
def test_programs_get_data(client: Client, path: str, accept: str) -> None:
    answer = client.get(path, headers={"Accept": accept})
    assert answer.status_code == 404
    assert isinstance(answer.json()["detail"], str)
    assert answer.headers["Vary"] == "Accept"


def test_other_refusals_are_pages_too(world: World) -> None:
    few = world.client(limits=replace(world.settings.limits, rate=0.01, burst=1))
    few.get(DEAD[0], headers=BROWSER)
    busy = few.get(DEAD[0], headers=BROWSER)
    assert (busy.status_code, busy.headers["Retry-After"]) == (429, "100")
    assert "again in 100 seconds" in busy.text
    down = world.client(endpoint=HttpEndpoint("http://127.0.0.1:9")).get("/ledger", headers=BROWSER)
    assert down.status_code == 502
    assert "Not available just now" in down.text
    assert "127.0.0.1" not in down.text
    nowhere = world.client().get("/nowhere", headers=BROWSER)
    assert nowhere.status_code == 404
    assert "There is nothing here" in nowhere.text


def test_an_invoice_that_is_there_is_sent_to_browsers(client: Client, world: World) -> None:
    answer = client.get(f"/invoices/{world.token()}", headers=BROWSER)
    assert answer.headers["Content-Type"] == "application/pdf"
