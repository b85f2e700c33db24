"""A headless Chromium looking at the app in this process, wherever one is installed."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, sync_playwright

from tests.functional.conftest import new_world
from tests.support.invariants import findings
from tests.support.served import served
from tests.support.world import Issuer, Sale, World, created

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PHONE: ViewportSize = {"width": 360, "height": 740}


@pytest.fixture(scope="session")
def chromium() -> str:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and os.environ.get("CI"):
        pytest.fail("no Chromium is installed, and here the pages must be seen in one")
    if found is None:
        pytest.skip("no Chromium is installed: apt install chromium")
    return found


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # As root, as in most containers, Chromium refuses to begin with its own sandbox.
        started = playwright.chromium.launch(executable_path=chromium, chromium_sandbox=False)
        yield started
        started.close()


@dataclass
class Desk:
    """A supplier at its page, with three orders of two SKUs waiting."""

    world: World
    sale: Sale
    key: str
    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def sign_in(self) -> None:
        self.page.goto(self.address)
        self.page.get_by_label("API key").fill(self.key)
        self.page.keyboard.press("Enter")
        self.page.get_by_role("heading", name="Waiting to be shipped").wait_for()


def complain(said: ConsoleMessage, desk: Desk) -> None:
    """Keep what is more than information, such as that the focus is elsewhere already."""
    if said.type in ("error", "warning"):
        desk.complaints.append(said.text)


@pytest.fixture
def desk(issuer: Issuer, browser: Browser) -> Iterator[Desk]:
    with new_world(issuer) as world:
        sale = world.sale(skus=2)
        key = created(world.operator.post(f"/v1/suppliers/{sale.supplier_id}/api-keys"))["key"]
        for customer in ("cus_a", "cus_b", "cus_c"):
            world.paid_order(sale, world.customer(customer))
        with served(world.gateway) as base, browser.new_context() as context:
            page = context.new_page()
            page.set_default_timeout(15_000)
            found = Desk(world, sale, key, page, f"{base}/supplier")
            # A script that fails, or whatever the Content-Security-Policy refuses, is told there.
            page.on("console", lambda said: complain(said, found))
            page.on("pageerror", lambda error: found.complaints.append(str(error)))
            yield found
        world.work()
        assert findings() == []
