"""A real browser, a real portal, a real node, and a month of a few subscribers on it.

``BILLPROOF_SCREENSHOTS=1`` writes pictures to docs/screenshots/. ``BILLPROOF_PAGE`` names a page to test in
place of the package's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from chains import anvil
from page_reader import Reader
from phone_month import Month, make_month
from playwright.sync_api import Browser, sync_playwright
from portals import Served, World, make_world, served
from public_chain import DOMAIN, TwoNodes, tls, two_nodes

__all__ = ["anvil"]

ROOT = Path(__file__).parents[2]
PACKAGED = ROOT / "src" / "billproof" / "portal" / "verifier.html"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
FLAGS += ["--disable-sync", "--no-first-run", "--disable-dev-shm-usage"]


@pytest.fixture(scope="session")
def page_file() -> Path:
    """The verifier page as one file."""
    file = Path(os.environ.get("BILLPROOF_PAGE") or PACKAGED)
    if not file.is_file():
        pytest.fail(f"there is no {file}: ./run web builds it")
    return file


@pytest.fixture(scope="session")
def launch() -> Iterator[Callable[..., Browser]]:
    """Starts chromium, with more flags if need be: ``launch(flag, ...)``."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        pytest.fail("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright, ExitStack() as stack:

        def start(*more: str) -> Browser:
            found = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, *more], headless=True)
            stack.callback(found.close)
            return found

        yield start


@pytest.fixture(scope="session")
def browser(launch: Callable[..., Browser]) -> Browser:
    return launch()


@pytest.fixture(scope="session")
def month(anvil: object, tmp_path_factory: pytest.TempPathFactory) -> Month:
    return make_month(tmp_path_factory.mktemp("month"), anvil)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def portal(month: Month, page_file: Path) -> Iterator[Served]:
    """The operator's portal over the month, at its node."""
    options = ["--invoices", "--page", str(page_file), "--burst", "1000"]
    with served(month.home, month.node, *options) as running:
        yield running


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A month on an embedded chain, which no node but the operator's relay serves."""
    return make_world(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def small_portal(small: World, page_file: Path) -> Iterator[Served]:
    with served(small.home, small.rpc, "--page", str(page_file)) as running:
        yield running


@pytest.fixture(scope="session")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    with two_nodes(tmp_path_factory.mktemp("nodes")) as running:
        yield running


@pytest.fixture(scope="session")
def public_month(nodes: TwoNodes, tmp_path_factory: pytest.TempPathFactory) -> Month:
    """A month on a public chain, of an operator with a domain, which both nodes hold final."""
    month = make_month(tmp_path_factory.mktemp("public"), nodes.chain, DOMAIN)
    nodes.follow()
    return month


@pytest.fixture(scope="session")
def public_page(nodes: TwoNodes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as ``web/`` builds it, knowing one more ledger: the package lists no public one yet."""
    vite = ROOT / "web" / "node_modules" / ".bin" / "vite"
    if not vite.exists():
        pytest.fail("vite is not installed: ./run test web")
    out = tmp_path_factory.mktemp("page")
    command = [str(vite), "build", "--logLevel", "warn", "--outDir", str(out), "--emptyOutDir"]
    listed = {**os.environ, "BILLPROOF_DEPLOYMENTS": str(nodes.file.parent)}
    subprocess.run(command, cwd=ROOT / "web", env=listed, check=True, capture_output=True, timeout=120)
    return out / "index.html"


@pytest.fixture(scope="session")
def domain(
    public_month: Month, nodes: TwoNodes, page_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """The operator's portal behind its domain's TLS, which serves /.well-known/billproof.json; the port."""
    options = [
        "--deployment",
        str(nodes.file),
        "--operator",
        str(public_month.operator),
        "--page",
        str(page_file),
    ]
    with (
        served(public_month.home, nodes.first, *options) as portal,
        tls(tmp_path_factory.mktemp("tls"), portal.url) as port,
    ):
        yield port


@pytest.fixture(scope="session")
def secluded(launch: Callable[..., Browser], domain: int) -> Browser:
    """A browser that finds the operator's domain on this machine, and nothing elsewhere."""
    rules = f"MAP {DOMAIN}:443 127.0.0.1:{domain}, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
    return launch(f"--host-resolver-rules={rules}")


@pytest.fixture
def visit_public(secluded: Browser, public_page: Path) -> Iterator[Callable[[], Reader]]:
    """Opens the page that knows the public chain, from disk, for a new reader."""
    with ExitStack() as stack:

        def open_page() -> Reader:
            context = secluded.new_context(
                locale="en-GB", timezone_id="Europe/Dublin", ignore_https_errors=True, reduced_motion="reduce"
            )
            stack.callback(context.close)
            reader = Reader(context.new_page())
            reader.open(public_page.as_uri())
            return reader

        yield open_page


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Reader]]:
    """Opens the page for a new reader, who has never been here: ``visit(address)``."""
    with ExitStack() as stack:

        def open_page(address: str, *, width: int = 1100, height: int = 900, dark: bool = False) -> Reader:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if dark else "light",
                locale="en-GB",
                timezone_id="Europe/Dublin",
                reduced_motion="reduce",
            )
            stack.callback(context.close)
            reader = Reader(context.new_page())
            reader.open(address)
            return reader

        yield open_page


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Writes a screenshot when pictures are asked for."""
    wanted = bool(os.environ.get("BILLPROOF_SCREENSHOTS"))

    def take(reader: Reader, name: str, place: str = "article") -> None:
        if not wanted:
            return
        home = ROOT / "docs" / "screenshots"
        home.mkdir(parents=True, exist_ok=True)
        reader.page.locator(place).first.evaluate("it => it.scrollIntoView({ behavior: 'instant' })")
        reader.page.wait_for_timeout(300)
        reader.page.screenshot(path=home / f"{name}.png")

    return take
