"""The supplier's page of its account and terms."""

import re
from html import unescape

import pytest

from tests.functional.test_supplier_line_origins import agree
from tests.functional.test_supplier_page import Browser, told
from tests.support.payouts import IBAN, OTHER_IBAN, PAYER, payout_to, sent, set_iban, tell
from tests.support.world import Json, Sale, World, created

PLACE = "supplier/account"
FORM = {"holder": "Green Farm", "iban": "DE89 3704 0044 0532 0130 00", "bic": ""}


@pytest.fixture
def deployed_with() -> dict[str, str]:
    return PAYER


@pytest.fixture
def sale(world: World) -> Sale:
    return world.sale()


@pytest.fixture
def browser(world: World, sale: Sale) -> Browser:
    return signed_in(world, sale.supplier_id)


def signed_in(world: World, supplier_id: str) -> Browser:
    key = created(world.operator.post(f"/v1/suppliers/{supplier_id}/api-keys"))["key"]
    opened = Browser(world)
    assert opened.send("supplier/sign-in", {"api_key": key}).status == 303
    return opened


def shown(text: str) -> str:
    """What a page says, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def account(world: World, sale: Sale) -> Json:
    return world.operator.get(f"/v1/suppliers/{sale.supplier_id}/payout-account").json


def test_a_supplier_says_where_it_is_paid(world: World, browser: Browser, sale: Sale) -> None:
    assert "No account is set" in browser.get(PLACE).text
    answer = browser.send(PLACE, FORM)
    assert (answer.status, answer.headers["location"]) == (303, "../supplier/account?done=set")
    page = browser.get(f"{PLACE}?done=set").text
    assert "You are paid there from now on" in page
    assert "Green Farm, the account ending 3000" in shown(page)
    assert IBAN not in page.replace(" ", "")
    now = account(world, sale)
    assert (now["holder"], now["last_four"]) == ("Green Farm", "3000")
    assert now["changed_by"] == f"supplier:{sale.supplier_id}"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"iban": "DE88 3704 0044 0532 0130 00"}, "IBAN has check digits that do not fit"),
        ({"iban": "  "}, "IBAN is of no country that has IBANs."),
        ({"iban": PAYER["PAYER_IBAN"]}, "IBAN is the account that the platform pays from."),
        ({"holder": " "}, "Account holder must have"),
        ({"bic": "COBA"}, "BIC is not a BIC of 8 or 11 characters"),
    ],
    ids=["check digits", "empty", "the platform's own", "nobody's", "BIC"],
)
def test_an_account_that_cannot_be_says_why(
    world: World, browser: Browser, sale: Sale, changes: Json, problem: str
) -> None:
    assert set_iban(world, "supplier", sale.supplier_id, OTHER_IBAN).status == 200
    refused = browser.send(PLACE, {**FORM, **changes})
    assert refused.status == 422
    assert told(refused).startswith(problem)
    assert account(world, sale)["last_four"] == OTHER_IBAN[-4:]


def test_a_form_of_another_site_sets_no_account(world: World, browser: Browser, sale: Sale) -> None:
    assert browser.send(PLACE, FORM, Sec_Fetch_Site="cross-site").status == 403
    assert browser.send(PLACE, {**FORM, "token": "of another session"}).status == 403
    path = f"/v1/suppliers/{sale.supplier_id}/payout-account"
    assert world.operator.get(path).status == 404


def test_a_payout_that_came_back_is_told_until_there_is_another_account(
    world: World, browser: Browser, sale: Sale
) -> None:
    browser.send(PLACE, FORM)
    world.delivered_order(sale)
    batch = sent(world, kind="suppliers", method="bank_file")
    came_back = "A payout came back from there"
    assert came_back not in browser.get(PLACE).text
    assert tell(world, payout_to(world, batch, sale.supplier_id), "returned", "R-1").status == 200
    assert came_back in browser.get(PLACE).text
    browser.send(PLACE, {**FORM, "iban": OTHER_IBAN})
    assert came_back not in browser.get(PLACE).text


def test_every_version_of_the_terms_is_told(world: World, browser: Browser, sale: Sale) -> None:
    window = {"from": "2026-01-01", "to": "2026-01-31"}
    agree(world, sale.supplier_id, basis="revenue_share", fee_bps=1250, waivers=[window])
    agree(world, sale.supplier_id, annual_fee=9900, deposit=5000, fine_cap=0)
    page = browser.get(PLACE).text
    assert re.findall(r'id="(terms-\d)"', page) == ["terms-2", "terms-1", "terms-0"]
    second, first = (shown(page.split(f'id="terms-{n}"')[1].split("<h3")[0]) for n in (2, 1))
    assert "You are paid your cost Annual fee 99.00 EUR" in second
    assert "Deposit to leave 50.00 EUR Most that you are fined in a month 0.00 EUR" in second
    assert "what your goods bring, less 12.5 % Annual fee none" in first
    assert "No fee falls due from 2026-01-01 to 2026-01-31." in first


def test_clocks_and_hours_are_told(world: World, browser: Browser, sale: Sale) -> None:
    assert "standard 12 h 24 h 72 h is told to the operator" in shown(browser.get(PLACE).text)
    terms = {
        "accept_by_hours": 4,
        "ship_by_hours": 8,
        "deliver_by_hours": 24,
        "on_missed": "fine",
        "fine_amount": 500,
        "timezone": "Europe/Berlin",
        "weekly_hours": {
            "mon": [["09:00", "12:00"], ["13:00", "17:00"]],
            "tue": [["09:00", "12:00"]],
        },
        "closed_days": ["2026-12-25"],
    }
    assert world.operator.put(f"/v1/suppliers/{sale.supplier_id}/terms", terms).status == 200
    page = shown(browser.get(PLACE).text)
    assert "standard 4 h 8 h 24 h costs you 5.00 EUR" in page
    assert "Mon 09:00-12:00, 13:00-17:00; Tue 09:00-12:00, Europe/Berlin." in page
    assert "Closed on 2026-12-25." in page
