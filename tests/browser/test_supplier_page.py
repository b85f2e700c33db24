"""The supplier's page as people use it: by keyboard, on a phone, with and without scripts."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PHONE, Desk


def test_a_dispatch_is_accepted_and_shipped_in_place(desk: Desk, tmp_path: Path) -> None:
    desk.sign_in()
    page, first = desk.page, desk.page.locator("article").first
    dispatch_id = first.get_attribute("id")
    first.get_by_role("button", name="Accept").click()
    expect(first.get_by_role("status")).to_have_text("It is accepted.")
    # What comes next has the focus.
    expect(first.get_by_label("Carrier")).to_be_focused()
    first.get_by_label("Carrier").fill("DHL")
    first.get_by_label("Tracking number").fill("T-100")
    first.get_by_role("button", name="Ship").click()
    expect(first.get_by_role("status")).to_have_text("It is shipped.")
    # It was done in place: the page was not left.
    assert page.url == desk.address
    expect(page.locator("article")).to_have_count(3)
    page.reload()
    expect(page.locator("article")).to_have_count(2)
    shown = desk.world.operator.get(f"/v1/dispatches/{dispatch_id}").json
    assert (shown["status"], shown["tracking_number"]) == ("shipped", "T-100")
    assert desk.complaints == []
    page.screenshot(path=tmp_path / "waiting.png", full_page=True)


def test_what_has_arrived_is_said_in_place(desk: Desk) -> None:
    first = str(desk.world.operator.get("/v1/dispatches").json["items"][0]["id"])
    desk.world.move(first, "accept", "ship")
    desk.sign_in()
    page = desk.page
    page.get_by_role("link", name="Shipped").click()
    page.get_by_role("button", name="delivered").click()
    expect(page.get_by_role("status")).to_have_text("The parcel is delivered.")
    # What is said is where the focus is, so that it is read out and in sight.
    expect(page.get_by_role("status")).to_be_focused()
    expect(page.get_by_role("status")).to_be_in_viewport()
    assert page.url == f"{desk.address}/shipped"
    assert desk.world.operator.get(f"/v1/dispatches/{first}").json["status"] == "delivered"
    assert desk.complaints == []


def test_a_file_of_tracking_numbers_is_sent_from_the_page(desk: Desk) -> None:
    desk.sign_in()
    page = desk.page
    dispatch_id = page.locator("article").first.get_attribute("id")
    page.get_by_role("link", name="Files").click()
    rows = f"dispatch_id,carrier,tracking_number\n{dispatch_id},DHL,T-1\nnone,DHL,T-2\n"
    page.get_by_label("File").set_input_files(
        {"name": "numbers.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    )
    page.get_by_role("button", name="Send it").click()
    expect(page.get_by_role("alert")).to_contain_text("1 parcel shipped")
    expect(page.get_by_role("alert")).to_be_in_viewport()
    expect(page.get_by_role("cell", name="3")).to_be_visible()
    assert desk.complaints == []


def test_the_clocks_of_what_waits_are_shown(desk: Desk) -> None:
    desk.sign_in()
    first = desk.page.locator("article").first
    expect(first).to_contain_text("Accept by")
    expect(first).to_contain_text("11 h 59 min left")
    expect(first).to_contain_text("23 h 59 min left")


def test_the_keyboard_is_enough(desk: Desk) -> None:
    page = desk.page
    page.goto(desk.address)
    # The field has the focus already.
    page.keyboard.type(desk.key)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Waiting to be shipped").wait_for()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Accept":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("It is accepted.")


def test_a_rejection_is_asked_for_twice(desk: Desk) -> None:
    desk.sign_in()
    first = desk.page.locator("article").first
    rejecting = first.locator("form", has=first.page.get_by_role("button", name="Reject"))
    expect(first.get_by_role("combobox")).to_have_count(0)
    first.get_by_text("Cannot ship it").click()
    expect(rejecting.get_by_label("In your words")).to_be_hidden()
    rejecting.get_by_label("Why").select_option("Something else")
    rejecting.get_by_label("In your words").fill("The hens are on strike")
    first.get_by_role("button", name="Reject").click()
    expect(first.get_by_role("status")).to_have_text("It is rejected.")


def test_a_session_that_ended_leads_to_the_way_in(desk: Desk) -> None:
    desk.sign_in()
    keys = f"/v1/suppliers/{desk.sale.supplier_id}/api-keys"
    for each in desk.world.operator.get(keys).json["items"]:
        desk.world.operator.delete(f"{keys}/{each['id']}")
    desk.page.locator("article").first.get_by_role("button", name="Accept").click()
    expect(desk.page.get_by_label("API key")).to_be_visible()


@pytest.mark.parametrize(
    "place", ["", "/shipped", "/packing-list", "/deliveries", "/files", "/money", "/account"]
)
def test_a_phone_shows_every_page_without_scrolling_sideways(desk: Desk, place: str) -> None:
    desk.sign_in()
    desk.page.set_viewport_size(PHONE)
    desk.page.goto(desk.address + place)
    assert width(desk.page) <= PHONE["width"]


def test_a_phone_shows_why_an_amount_is_what_it_is(desk: Desk) -> None:
    desk.world.delivered_order(desk.sale)
    desk.sign_in()
    desk.page.set_viewport_size(PHONE)
    desk.page.goto(f"{desk.address}/money")
    desk.page.get_by_role("link", name="Why ").first.click()
    expect(desk.page.get_by_role("heading", name="Why this amount")).to_be_visible()
    expect(desk.page.get_by_role("heading", name="What it adds up")).to_be_visible()
    assert width(desk.page) <= PHONE["width"]
    assert desk.complaints == []


def test_an_account_to_be_paid_to_is_set_by_keyboard(desk: Desk) -> None:
    desk.sign_in()
    page = desk.page
    page.get_by_role("link", name="Account").click()
    page.get_by_label("Account holder").fill("Green Farm")
    page.get_by_label("IBAN").fill("DE88 3704 0044 0532 0130 00")
    page.keyboard.press("Enter")
    # What is wrong is where the focus is, and what was typed is still there to be mended.
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text("check digits")
    expect(page.get_by_label("Account holder")).to_have_value("Green Farm")
    page.get_by_label("IBAN").fill("DE89 3704 0044 0532 0130 00")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_be_in_viewport()
    expect(page.get_by_text("the account ending 3000")).to_be_visible()
    expect(page.get_by_label("IBAN")).to_have_value("")
    # Chromium tells of the refusal itself.
    assert [each for each in desk.complaints if "422" not in each] == []


def width(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


def test_it_works_without_scripts(desk: Desk, browser: Browser) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(desk.address)
        page.get_by_label("API key").fill(desk.key)
        page.get_by_role("button", name="Sign in").click()
        first = page.locator("article").first
        dispatch_id = first.get_attribute("id")
        first.get_by_role("button", name="Accept").click()
        assert page.url.partition("?")[0] == f"{desk.address}/dispatches/{dispatch_id}"
        expect(page.get_by_role("status")).to_have_text("It is accepted.")
        page.get_by_label("Carrier").fill("DHL")
        page.get_by_label("Tracking number").fill("T-1")
        page.get_by_role("button", name="Ship").click()
        expect(page.get_by_role("status")).to_have_text("It is shipped.")
        page.get_by_role("button", name="delivered").click()
        expect(page.get_by_role("status")).to_have_text("The parcel is delivered.")


def test_the_packing_list_prints_without_what_is_for_the_screen(desk: Desk) -> None:
    desk.sign_in()
    desk.page.locator("article").first.get_by_role("link", name="Packing list").click()
    expect(desk.page.get_by_role("navigation")).to_be_visible()
    desk.page.emulate_media(media="print")
    expect(desk.page.get_by_role("navigation")).to_be_hidden()
    expect(desk.page.get_by_role("heading", name="Alice Doe, Berlin")).to_be_visible()
    expect(desk.page.get_by_text("2 Side St")).to_be_visible()
