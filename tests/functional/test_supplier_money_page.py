"""What the supplier's page of its money calls each line, and what that is of."""

import re
from typing import Any

import pytest

from tests.functional.test_chargebacks import ask
from tests.functional.test_supplier_account_page import shown, signed_in
from tests.functional.test_supplier_line_origins import agree
from tests.functional.test_supplier_page import Browser
from tests.support.payouts import payout_to, sent, set_iban, tell
from tests.support.world import Sale, World, created


@pytest.fixture
def sale(world: World) -> Sale:
    return world.sale()


@pytest.fixture
def browser(world: World, sale: Sale) -> Browser:
    return signed_in(world, sale.supplier_id)


def lines(browser: Browser) -> list[tuple[str, str]]:
    """What each line of the statement is, and of what."""
    page = browser.get("supplier/money").text
    rows = re.findall(r'<td class="main">([^<]+)</td><td data-name="When">.*?</tr>', page)
    subjects = re.findall(r'<td data-name="Of">(.*?)</td>', page)
    return [(shown(what), shown(of)) for what, of in zip(rows, subjects, strict=True)]


def why(browser: Browser, kind: str) -> str:
    """The page of the first line whose entry is of that kind."""
    page = browser.get("supplier/money").text
    entry_id = re.findall(rf"supplier/money/lines/({kind}:[^\"]+)", page)[0]
    return browser.get(f"supplier/money/lines/{entry_id}").text


def book(world: World, sale: Sale, what: str, **body: Any) -> None:
    created(world.operator.post(f"/v1/suppliers/{sale.supplier_id}/{what}", body))


def test_a_delivery_and_its_refund_are_of_their_goods(
    world: World, browser: Browser, sale: Sale
) -> None:
    order = world.delivered_order(sale, 3)
    refund = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}], "reason": "broken"}
    created(world.operator.post(f"/v1/orders/{order['id']}/refunds", refund))
    dispatch = world.operator.get(f"/v1/dispatches/{order['dispatches'][0]['id']}").json
    goods = f"3 \N{MULTIPLICATION SIGN} {dispatch['lines'][0]['title']}"
    assert lines(browser) == [("Delivery", goods), ("Refund to a customer", f"a parcel of {goods}")]
    assert f"Of a parcel of {goods} Order {order['id']}" in shown(why(browser, "refund"))


def test_a_chargeback_is_called_one(world: World, browser: Browser, sale: Sale) -> None:
    created(ask(world, world.delivered_order(sale, 3)))
    charged_back = "Chargeback: a customer's bank took the money back"
    assert [what for what, _ in lines(browser)] == ["Delivery", charged_back]
    page = shown(why(browser, "refund"))
    assert charged_back in page
    assert "Refund to a customer" not in page


def test_transfers_are_told_by_their_references(world: World, browser: Browser, sale: Sale) -> None:
    book(world, sale, "deposits", amount=1000, reference="DEP-7")
    book(world, sale, "deposits/draw", amount=300, reason="a broken window", pays="damages")
    agree(world, sale.supplier_id, community_fee=500)
    world.delivered_order(sale)
    book(world, sale, "remittances", amount=500, reference="TRF-9")
    community = world.operator.get(f"/v1/leaders/{sale.leader_id}").json["community"]
    told = dict(lines(browser))
    assert told["Deposit received"] == "DEP-7"
    assert told["Deposit drawn on"] == "a broken window"
    assert told["Fee for a community"] == community
    assert told["Transfer from you"] == "TRF-9"
    assert f"Community {community}" in shown(why(browser, "community_fee"))


def test_a_payout_is_of_its_account_until_a_bank_has_a_reference_for_it(
    world: World, browser: Browser, sale: Sale
) -> None:
    set_iban(world, "supplier", sale.supplier_id)
    world.delivered_order(sale)
    batch = sent(world, kind="suppliers")
    assert ("Payout begun", "account ending 3000") in lines(browser)
    tell(world, payout_to(world, batch, sale.supplier_id), "paid", "BANK-1")
    assert ("Paid out", "BANK-1") in lines(browser)


def test_terms_lead_to_what_they_say(world: World, browser: Browser, sale: Sale) -> None:
    agree(world, sale.supplier_id, basis="revenue_share", fee_bps=1250, annual_fee=9900)
    world.delivered_order(sale, 3)
    assert 'href="../../../supplier/account#terms-1">terms of version 1</a>' in why(
        browser, "delivered"
    )
    assert 'id="terms-1"' in browser.get("supplier/account").text
