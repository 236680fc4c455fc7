"""A reader at the page: does what people do, by roles and labels, and notes whatever the browser asks for."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, Request, expect

VALID = "Genuine and unchanged"
INVALID = "Something is wrong with this bill"
UNUSABLE = "This is not a bill we can read"
NOT_ANCHORED = "Not sealed yet"
CANNOT_CHECK = "Could not be fully checked"

_CHECKS = {
    "file": "The file is complete",
    "inclusion": "Every line is as it was sealed",
    "anchoring": "The seal is public",
    "identity": "The company is who it says",
}


class Reader:
    """One visit. ``asked`` are the requests so far, ``errors`` what the console complained of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[Request] = []
        self.errors: list[str] = []
        page.set_default_timeout(15_000)
        page.on("request", self._note)
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _note(self, request: Request) -> None:
        if urlsplit(request.url).scheme in ("http", "https", "file"):
            self.asked.append(request)

    def open(self, address: str) -> None:
        self.page.goto(address)
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()

    def choose(self, *files: Path) -> None:
        """Chooses bills, and waits for the verdict."""
        with self.page.expect_file_chooser() as chooser:
            self.page.get_by_role("button", name="Choose your bill").click()
        chooser.value.set_files([str(file) for file in files])
        self._settled()

    def choose_log(self, *files: Path) -> None:
        """Chooses phone logs, and waits for the comparison."""
        section = self.page.get_by_role("region", name="Does your phone agree?")
        with self.page.expect_file_chooser() as chooser:
            section.get_by_role("button", name="Choose call lists").click()
        chooser.value.set_files([str(file) for file in files])
        expect(section.get_by_role("heading", level=3).first).to_be_visible()

    def use_node(self, url: str) -> None:
        """Names a node in the settings, as somebody does who runs one."""
        box = self.page.get_by_role("contentinfo")
        summary = box.get_by_text("Settings", exact=True)
        field = box.get_by_label("Address of an Ethereum server")
        if not field.is_visible():
            summary.click()
        field.fill(url)
        box.get_by_role("button", name="Use it").click()
        self._settled()

    def pin(self, name: str) -> None:
        """Confirms the company, as somebody does who has compared the numbers."""
        self.page.get_by_label("Company's name").fill(name)
        self.page.get_by_role("button", name="They are the same").click()
        self._settled()

    def _settled(self) -> None:
        expect(self.page.get_by_role("status").first).not_to_have_text("Checking …")

    # --- what the page says ---------------------------------------------------------------------------

    @property
    def card(self) -> Locator:
        return self.page.get_by_role("article").first

    def expect_verdict(self, words: str) -> None:
        expect(self.card.get_by_role("heading", level=2)).to_have_text(words)
        expect(self.page.get_by_role("status").first).to_contain_text(words)

    def check(self, name: str) -> str:
        """How one of the checks ended: passed, failed, open, not yet, not checked."""
        heading = self.card.get_by_role("heading", level=3).filter(has_text=_CHECKS[name])
        return heading.inner_text().partition(": ")[2].partition(",")[0]

    @property
    def text(self) -> str:
        return self.card.inner_text()

    # --- what left the machine ------------------------------------------------------------------------

    def hosts(self) -> Counter[str]:
        """How many requests went to each host (empty for files)."""
        return Counter(urlsplit(request.url).netloc for request in self.asked)

    def calls(self) -> list[dict[str, Any]]:
        """Every JSON-RPC call that was made."""
        found: list[dict[str, Any]] = []
        for request in self.asked:
            if request.method == "POST":
                body = json.loads(request.post_data or "null")
                found += body if isinstance(body, list) else [body]
        return found

    def expect_private(self, *secrets: str) -> None:
        """Nothing that was sent holds any of these, and all that was sent are look-ups of the ledger."""
        for request in self.asked:
            sent = f"{request.url} {request.post_data or ''}".lower()
            for secret in secrets:
                assert secret.lower() not in sent, f"{request.url} was told {secret}"
        assert {call["method"] for call in self.calls()} <= {
            *("eth_chainId", "eth_call", "eth_getCode", "eth_getBlockByNumber"),
        }

    def expect_no_errors(self) -> None:
        """Nothing was refused by the content security policy, and no script failed."""
        grave = [text for text in self.errors if not re.search("Failed to load resource|net::ERR", text)]
        assert grave == [], grave
