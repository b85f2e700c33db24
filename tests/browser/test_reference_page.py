"""The reference of the API as people look something up in it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PHONE
from tests.functional.conftest import new_world
from tests.support.served import served
from tests.support.world import Issuer


@pytest.fixture
def docs(issuer: Issuer, browser: Browser) -> Iterator[Page]:
    with (
        new_world(issuer) as world,
        served(world.gateway) as base,
        browser.new_context() as context,
    ):
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{base}/docs")
        yield page
        assert complaints == []


def test_a_route_is_found_by_what_it_is_called_and_by_what_it_does(docs: Page) -> None:
    found = docs.get_by_role("navigation").get_by_role("link")
    docs.get_by_label("Search").fill("payout-account put lead")
    expect(found).to_have_text(["PUT /v1/leaders/{id}/payout-account"])
    docs.get_by_label("Search").fill("where a supplier is paid")
    found.filter(has_text="PUT").click()
    expect(
        docs.get_by_role("heading", name="PUT /v1/suppliers/{id}/payout-account")
    ).to_be_in_viewport()


def test_what_is_called_so_by_nothing_is_told(docs: Page) -> None:
    docs.get_by_label("Search").fill("no such thing")
    expect(docs.get_by_role("status")).to_have_text("Nothing here has all these words.")
    docs.get_by_label("Search").fill("")
    expect(docs.get_by_role("status")).to_be_hidden()
    expect(docs.get_by_role("navigation").get_by_text("Payouts", exact=True)).to_be_visible()


def test_on_a_phone_the_way_back_to_all_routes_covers_nothing(docs: Page) -> None:
    docs.set_viewport_size(PHONE)
    docs.goto(f"{docs.url}#set_supplier_account")
    back = docs.get_by_role("link", name="All routes").bounding_box()
    title = docs.locator("#set_supplier_account").bounding_box()
    assert back
    assert title
    assert back["y"] == 0
    assert back["x"] + back["width"] <= PHONE["width"]
    assert title["y"] >= back["height"]
    docs.get_by_role("link", name="All routes").click()
    expect(docs.get_by_label("Search")).to_be_in_viewport()
