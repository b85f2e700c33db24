"""The supplier's page over HTTP: who gets in, what a form does, what is said when it fails."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
from openpyxl import load_workbook
from pytest_httpserver import HTTPServer

from chalicelib.dispatch import store as dispatch_store
from chalicelib.kernel.currencies import written
from chalicelib.platform.transaction import write
from chalicelib.portal import dispatch_pages as portal
from chalicelib.webhooks import store as webhook_store
from tests.functional.conftest import Clock, new_world
from tests.functional.test_plans import a_plan, planned_sale, rule
from tests.functional.test_refund_bearers import bear, refund
from tests.functional.test_refunds import settle
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.world import Api, Issuer, Json, Sale, World, created


class Browser:
    """As much of a browser as a page without scripts needs: a cookie, and forms."""

    def __init__(self, world: World) -> None:
        self._gateway, self.cookie = world.gateway, ""

    def get(self, place: str) -> Answer:
        return self._gateway.request(
            "GET", f"/{place}", {"Cookie": self.cookie, "Accept": "*/*"}, b""
        )

    def send(self, place: str, fields: dict[str, str] | None = None, **headers: str) -> Answer:
        """Send a form with the token of the page, unless `fields` names another."""
        form = {"token": self.token(), **(fields or {})}
        sent = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": self.cookie,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        answer = self._gateway.request("POST", f"/{place}", sent, urlencode(form).encode())
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return answer

    def upload(self, place: str, content: bytes) -> Answer:
        """Send the form with a file, as a browser writes it."""
        boundary = "----WebKitFormBoundaryu1Q3"
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="token"\r\n\r\n{self.token()}'
            f'\r\n--{boundary}\r\nContent-Disposition: form-data; name="file"; '
            'filename="numbers.xlsx"\r\nContent-Type: application/octet-stream\r\n\r\n'
        )
        sent = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Cookie": self.cookie,
        }
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        return self._gateway.request("POST", f"/{place}", sent, body)

    def token(self) -> str:
        found = re.search(r'name="token" value="([^"]+)"', self.get("supplier").text)
        return found.group(1) if found else ""


@pytest.fixture
def sale(world: World) -> Sale:
    return world.sale(skus=2)


@pytest.fixture
def key(world: World, sale: Sale) -> Json:
    return created(world.operator.post(f"/v1/suppliers/{sale.supplier_id}/api-keys"))


@pytest.fixture
def browser(world: World, key: Json) -> Browser:
    opened = Browser(world)
    assert opened.send("supplier/sign-in", {"api_key": key["key"]}).status == 303
    return opened


@pytest.fixture
def dispatch_id(world: World, sale: Sale) -> str:
    return str(world.paid_order(sale)["dispatches"][0]["id"])


def told(answer: Answer) -> str:
    """What the page says of a problem."""
    found = re.search(r'role="alert"[^>]*>([^<]+)<', answer.text)
    return unescape(found.group(1)) if found else ""


def test_whoever_is_not_signed_in_is_shown_the_way_in_and_nothing_else(
    world: World, dispatch_id: str
) -> None:
    stranger = Browser(world)
    for place in ("", "/deliveries", "/packing-list", f"/dispatches/{dispatch_id}"):
        answer = stranger.get(f"supplier{place}")
        assert 'name="api_key"' in answer.text
        assert "Alice" not in answer.text
    refused = stranger.send(f"supplier/dispatches/{dispatch_id}/accept")
    assert refused.status == 401
    assert world.operator.get(f"/v1/dispatches/{dispatch_id}").json["status"] == "created"


@pytest.mark.parametrize("key", ["", "tsk_wrong", "no key at all", "ü"])
def test_a_key_that_is_none_opens_nothing_and_is_not_shown_again(world: World, key: str) -> None:
    answer = Browser(world).send("supplier/sign-in", {"api_key": key})
    assert answer.status == 401
    assert "API key" in told(answer)
    assert "set-cookie" not in answer.headers
    assert not key or key not in answer.text


def test_the_cookie_is_for_this_page_alone(world: World, key: Json) -> None:
    answer = Browser(world).send("supplier/sign-in", {"api_key": key["key"]})
    cookie = answer.headers["set-cookie"]
    assert key["key"] not in cookie
    assert {"HttpOnly", "Secure", "SameSite=Strict", "Max-Age=7200"} <= set(cookie.split("; "))
    assert answer.headers["location"] == "../supplier"


def test_a_session_ends_with_its_time(browser: Browser, time: Clock) -> None:
    time.move_on(minutes=119)
    assert "Sign out" in browser.get("supplier").text
    time.move_on(minutes=2)
    assert "Sign out" not in browser.get("supplier").text


def test_a_session_ends_with_its_key(world: World, browser: Browser, sale: Sale, key: Json) -> None:
    path = f"/v1/suppliers/{sale.supplier_id}/api-keys/{key['id']}"
    assert world.operator.delete(path).status == 204
    assert "Sign out" not in browser.get("supplier").text


def test_signing_out_ends_it(browser: Browser) -> None:
    assert browser.send("supplier/sign-out").status == 303
    assert "Sign out" not in browser.get("supplier").text


@pytest.mark.parametrize("cookie", ["tsk", "tuan_supplier=", "tuan_supplier=a.b.c", "=;=", "ü=1"])
def test_a_cookie_that_was_not_made_here_is_nobody(world: World, cookie: str) -> None:
    stranger = Browser(world)
    stranger.cookie = cookie
    assert 'name="api_key"' in stranger.get("supplier").text


def test_a_person_s_token_of_another_issuer_is_no_session(world: World) -> None:
    stranger = Browser(world)
    stranger.cookie = f"tuan_supplier={world.issuer.token('operator', 'op_test')}"
    assert 'name="api_key"' in stranger.get("supplier").text


def test_a_dispatch_is_accepted_and_shipped_without_a_script(
    world: World, browser: Browser, dispatch_id: str
) -> None:
    answer = browser.send(f"supplier/dispatches/{dispatch_id}/accept")
    assert (answer.status, answer.headers["location"]) == (
        303,
        f"../../../supplier/dispatches/{dispatch_id}?done=accepted",
    )
    sent = {"carrier": "DHL", "tracking_number": " T-1 "}
    assert browser.send(f"supplier/dispatches/{dispatch_id}/ship", sent).status == 303
    shown = world.operator.get(f"/v1/dispatches/{dispatch_id}").json
    assert (shown["status"], shown["tracking_number"]) == ("shipped", "T-1")
    assert dispatch_id not in browser.get("supplier").text
    assert "T-1" in browser.get(f"supplier/dispatches/{dispatch_id}").text


def test_a_part_is_answered_where_a_script_asks_for_one(browser: Browser, dispatch_id: str) -> None:
    answer = browser.send(
        f"supplier/dispatches/{dispatch_id}/accept",
        HX_Request="true",
        HX_Current_URL="https://api.test/prod/supplier",
    )
    assert answer.status == 200
    assert answer.text.lstrip().startswith("<article")
    assert f'action="supplier/dispatches/{dispatch_id}/ship#{dispatch_id}"' in answer.text


def test_a_rejection_gives_the_money_back(world: World, browser: Browser, dispatch_id: str) -> None:
    sent = {"reason": "other", "words": "The hens are on strike"}
    assert browser.send(f"supplier/dispatches/{dispatch_id}/reject", sent).status == 303
    shown = world.operator.get(f"/v1/dispatches/{dispatch_id}").json
    assert (shown["reason"], shown["reason_code"]) == ("The hens are on strike", "other")
    assert world.order(shown["order_id"])["status"] == "refunded"


def test_a_part_is_shipped_and_the_rest_rejected(
    world: World, browser: Browser, sale: Sale
) -> None:
    dispatch_id = world.paid_order(sale, quantity=3)["dispatches"][0]["id"]
    browser.send(f"supplier/dispatches/{dispatch_id}/accept")
    eggs, milk = sale.sku_ids
    parcel = {"carrier": "DHL", "tracking_number": "T-1", f"units.{eggs}": "2", f"units.{milk}": ""}
    assert browser.send(f"supplier/dispatches/{dispatch_id}/ship", parcel).status == 303
    shown = world.operator.get(f"/v1/dispatches/{dispatch_id}").json
    assert shown["parcels"][0]["lines"] == [{"sku_id": eggs, "quantity": 2}]
    # What is left to pack is what has not gone.
    left = browser.get("supplier/packing-list").text
    assert re.findall(r"<td>BX-(\d)</td><td class=\"number\">(\d+)</td>", left) == (
        [("0", "1"), ("1", "3")] * 2
    )
    rest = {"reason": "out_of_stock", f"units.{milk}": "3", f"units.{eggs}": "0"}
    assert browser.send(f"supplier/dispatches/{dispatch_id}/reject", rest).status == 303
    shown = world.operator.get(f"/v1/dispatches/{dispatch_id}").json
    assert shown["rejections"][0]["lines"] == [{"sku_id": milk, "quantity": 3}]
    assert [(line["sku_id"], line["quantity"]) for line in shown["lines"]] == [(eggs, 3)]


def test_a_form_that_is_sent_twice_rejects_once_and_a_new_one_again(
    world: World, browser: Browser, sale: Sale
) -> None:
    dispatch_id = world.paid_order(sale, quantity=3)["dispatches"][0]["id"]
    place = f"supplier/dispatches/{dispatch_id}"
    for left in (2, 1):
        (version,) = re.findall(r'name="version" value="(\d+)"', browser.get(place).text)
        form = {"reason": "damaged", f"units.{sale.sku_ids[0]}": "1", "version": version}
        for _ in range(2):
            assert browser.send(f"{place}/reject", form).status == 303
            shown = world.operator.get(f"/v1/dispatches/{dispatch_id}").json
            assert [line["quantity"] for line in shown["lines"]] == [left, 3]


@pytest.mark.parametrize("units", ["0", "4", "-1", "two", "1.5"])
def test_a_number_of_units_that_cannot_be_moves_nothing(
    world: World, browser: Browser, sale: Sale, units: str
) -> None:
    dispatch_id = world.paid_order(sale, quantity=3)["dispatches"][0]["id"]
    browser.send(f"supplier/dispatches/{dispatch_id}/accept")
    sent = {"carrier": "DHL", "tracking_number": "T-1", f"units.{sale.sku_ids[0]}": units}
    answer = browser.send(f"supplier/dispatches/{dispatch_id}/ship", sent)
    assert answer.status == 422
    assert told(answer)
    assert world.operator.get(f"/v1/dispatches/{dispatch_id}").json["status"] == "accepted"


def test_times_are_shown_where_the_supplier_works(
    world: World, browser: Browser, sale: Sale, dispatch_id: str
) -> None:
    place = f"supplier/dispatches/{dispatch_id}"
    assert "UTC</time>" in browser.get(place).text
    terms = {
        "accept_by_hours": 12,
        "ship_by_hours": 24,
        "deliver_by_hours": 72,
        "on_missed": "escalate",
        "timezone": "Asia/Shanghai",
        "weekly_hours": None,
        "closed_days": [],
    }
    answer = world.operator.put(f"/v1/suppliers/{sale.supplier_id}/terms", terms)
    assert answer.status == 200, answer.text
    assert "CST</time>" in browser.get(place).text


def test_a_form_that_lacks_something_says_what(browser: Browser, dispatch_id: str) -> None:
    browser.send(f"supplier/dispatches/{dispatch_id}/accept")
    answer = browser.send(f"supplier/dispatches/{dispatch_id}/ship", {"carrier": "DHL"})
    assert answer.status == 422
    assert told(answer) == "Tracking number is required."
    assert 'value="DHL"' in answer.text


def test_a_move_that_is_not_possible_says_why(browser: Browser, dispatch_id: str) -> None:
    sent = {"carrier": "DHL", "tracking_number": "T-1"}
    answer = browser.send(f"supplier/dispatches/{dispatch_id}/ship", sent)
    assert answer.status == 409
    assert "created" in told(answer)


def test_another_supplier_s_dispatch_does_not_exist(world: World, dispatch_id: str) -> None:
    other = Browser(world)
    other_id = world.add_supplier()
    made = created(world.operator.post(f"/v1/suppliers/{other_id}/api-keys"))
    other.send("supplier/sign-in", {"api_key": made["key"]})
    answers = [
        other.get(f"supplier/dispatches/{dispatch_id}"),
        other.get(f"supplier/packing-list?dispatch={dispatch_id}"),
        other.send(f"supplier/dispatches/{dispatch_id}/accept"),
        other.get(f"supplier/dispatches/{'x' * 3000}"),
    ]
    assert {answer.status for answer in answers} == {404}
    assert not any("Alice" in answer.text for answer in answers)


@pytest.mark.parametrize(
    ("token", "headers"),
    [("", {}), ("forged", {}), (None, {"Sec_Fetch_Site": "cross-site"})],
    ids=["without its token", "with another token", "sent by another site"],
)
def test_a_form_of_another_site_does_nothing(
    world: World, browser: Browser, dispatch_id: str, token: str | None, headers: dict[str, str]
) -> None:
    fields = {} if token is None else {"token": token}
    answer = browser.send(f"supplier/dispatches/{dispatch_id}/accept", fields, **headers)
    assert answer.status == 403
    assert world.operator.get(f"/v1/dispatches/{dispatch_id}").json["status"] == "created"


def test_what_people_wrote_is_text_and_never_markup(
    world: World, browser: Browser, sale: Sale
) -> None:
    to = {**world.order_body(sale)["ship_to"], "name": "<script>alert(1)</script>"}
    order = world.paid_order(sale, ship_to=to)
    place = f"supplier/dispatches/{order['dispatches'][0]['id']}"
    for answer in (browser.get("supplier"), browser.get(place)):
        assert "<script>alert" not in answer.text
        assert "&lt;script&gt;alert" in answer.text


def test_no_page_may_load_or_run_anything_from_elsewhere(browser: Browser) -> None:
    answer = browser.get("supplier")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r'(src|href|action)="https?:', answer.text)
    assert not re.search(r"<style|\son\w+=|\sstyle=|<script>", answer.text)


def test_the_assets_are_for_anybody_and_nothing_else_is(world: World) -> None:
    stranger = Browser(world)
    for name in ("htmx.min.js", "page.css", "icon.svg"):
        assert stranger.get(f"supplier/assets/{name}").status == 200
    assert stranger.get("supplier/assets/routes.py").status == 404


def test_the_packing_list_is_filled_whatever_else_waits_and_says_if_there_is_more(
    world: World, browser: Browser, sale: Sale, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = [world.paid_order(sale, world.customer(f"cus_{n}")) for n in range(4)]
    monkeypatch.setattr(portal, "PRINTED_AT_MOST", 1)
    monkeypatch.setattr(dispatch_store, "READ_AT_ONCE", 2)
    last, before = (order["dispatches"][0]["id"] for order in reversed(orders[2:]))
    browser.send(f"supplier/dispatches/{last}/accept")
    text = browser.get("supplier/packing-list").text
    assert last in text
    assert "There are more" not in text
    browser.send(f"supplier/dispatches/{before}/accept")
    assert "There are more" in browser.get("supplier/packing-list").text


def test_the_packing_list_adds_up_what_was_accepted(
    world: World, browser: Browser, sale: Sale
) -> None:
    for customer in ("cus_a", "cus_b", "cus_c"):
        order = world.paid_order(sale, world.customer(customer), quantity=2)
        if customer != "cus_c":
            world.move(order["dispatches"][0]["id"], "accept")
    text = browser.get("supplier/packing-list").text
    units = re.findall(r"<td>Eggs, Box 0</td><td>BX-0</td><td class=\"number\">(\d+)</td>", text)
    assert units == ["4", "2", "2"]


@pytest.fixture
def shipped(world: World, browser: Browser, dispatch_id: str) -> Json:
    browser.send(f"supplier/dispatches/{dispatch_id}/accept")
    parcel = {"carrier": "DHL", "tracking_number": "T-1"}
    browser.send(f"supplier/dispatches/{dispatch_id}/ship", parcel)
    found: Json = world.operator.get(f"/v1/dispatches/{dispatch_id}").json
    return found


def test_what_is_on_its_way_stands_there_until_it_is_delivered(
    world: World, browser: Browser, shipped: Json
) -> None:
    page = browser.get("supplier/shipped").text
    assert shipped["id"] in page
    assert "Deliver by" in page
    assert "late, the operator is told" in page
    place = f"supplier/dispatches/{shipped['id']}/parcels/{shipped['parcels'][0]['id']}/deliver"
    for _ in range(2):
        answer = browser.send(place)
        assert answer.status == 303
        assert answer.headers["location"].endswith(f"{shipped['id']}?done=delivered")
    assert world.operator.get(f"/v1/dispatches/{shipped['id']}").json["status"] == "delivered"
    assert shipped["id"] not in browser.get("supplier/shipped").text
    told_there = browser.get(f"supplier/dispatches/{shipped['id']}?done=delivered").text
    assert "The parcel is delivered." in told_there


def test_what_is_partly_on_its_way_stands_in_both_lists(
    world: World, browser: Browser, sale: Sale
) -> None:
    dispatch_id = world.paid_order(sale, quantity=3)["dispatches"][0]["id"]
    assert dispatch_id not in browser.get("supplier/shipped").text
    browser.send(f"supplier/dispatches/{dispatch_id}/accept")
    parcel = {"carrier": "DHL", "tracking_number": "T-1", f"units.{sale.sku_ids[0]}": "2"}
    browser.send(f"supplier/dispatches/{dispatch_id}/ship", parcel)
    for place in ("supplier", "supplier/shipped"):
        page = unescape(browser.get(place).text)
        assert "partly shipped" in page
        assert "2 \N{MULTIPLICATION SIGN} Eggs, Box 0" in page


def test_a_missed_delivery_says_what_it_costs(world: World, browser: Browser, sale: Sale) -> None:
    terms = {
        "accept_by_hours": 12,
        "ship_by_hours": 24,
        "deliver_by_hours": 72,
        "on_missed": "fine",
        "fine_amount": 500,
        "timezone": "UTC",
        "weekly_hours": None,
        "closed_days": [],
    }
    answer = world.operator.put(f"/v1/suppliers/{sale.supplier_id}/terms", terms)
    assert answer.status == 200, answer.text
    dispatch_id = world.paid_order(sale)["dispatches"][0]["id"]
    assert "late, it costs you 5.00 EUR" in browser.get(f"supplier/dispatches/{dispatch_id}").text


def test_a_supplier_that_is_closed_is_told_until_when(
    world: World, browser: Browser, sale: Sale, time: Clock
) -> None:
    assert "You are closed" not in browser.get("supplier").text
    tomorrow = (time.now() + timedelta(days=1)).strftime("%a").lower()
    terms = {
        "accept_by_hours": 4,
        "ship_by_hours": 8,
        "deliver_by_hours": 24,
        "on_missed": "escalate",
        "timezone": "UTC",
        "weekly_hours": {tomorrow: [["09:00", "17:00"]]},
        "closed_days": [],
    }
    answer = world.operator.put(f"/v1/suppliers/{sale.supplier_id}/terms", terms)
    assert answer.status == 200, answer.text
    dispatch_id = world.paid_order(sale)["dispatches"][0]["id"]
    opens = (time.now() + timedelta(days=1)).strftime("%a %d %b, 09:00 UTC")
    assert f"You are closed until {opens}" in browser.get("supplier").text
    assert (
        "your closed hours do not count" in browser.get(f"supplier/dispatches/{dispatch_id}").text
    )


def test_a_tracking_number_is_corrected(world: World, browser: Browser, shipped: Json) -> None:
    parcel_id = shipped["parcels"][0]["id"]
    place = f"supplier/dispatches/{shipped['id']}/parcels/{parcel_id}/correct"
    sent = {"parcel": parcel_id, "carrier": "UPS", "tracking_number": "T-2"}
    assert browser.send(place, sent).status == 303
    parcel = world.operator.get(f"/v1/dispatches/{shipped['id']}").json["parcels"][0]
    assert (parcel["carrier"], parcel["tracking_number"]) == ("UPS", "T-2")
    refused = browser.send(place, {**sent, "tracking_number": "  "})
    assert refused.status == 422
    assert told(refused).startswith("Tracking number must have")


def test_some_units_are_accepted_and_the_rest_given_back(
    world: World, browser: Browser, sale: Sale
) -> None:
    dispatch_id = world.paid_order(sale, quantity=3)["dispatches"][0]["id"]
    place = f"supplier/dispatches/{dispatch_id}/accept"
    eggs, milk = sale.sku_ids
    some = {f"units.{eggs}": "2", f"units.{milk}": "3"}
    refused = browser.send(place, some)
    assert refused.status == 422
    assert told(refused) == "Choose why, or say it in words of your own."
    answer = browser.send(place, {**some, "reason": "damaged"})
    assert answer.headers["location"].endswith("?done=accepted-part")
    shown = world.operator.get(f"/v1/dispatches/{dispatch_id}").json
    assert [line["quantity"] for line in shown["lines"]] == [2, 3]
    assert shown["rejections"][0]["reason_code"] == "damaged"
    assert "Damaged" in browser.get(f"supplier/dispatches/{dispatch_id}").text


def test_lines_are_downloaded_filled_in_and_sent_back(
    world: World, browser: Browser, dispatch_id: str
) -> None:
    lines = browser.get("supplier/files/lines.csv")
    assert lines.headers["content-disposition"] == 'attachment; filename="lines.csv"'
    assert dispatch_id in lines.text
    assert "Eggs" in browser.get("supplier/files/purchase-list.csv").text
    rows = f"dispatch_id,carrier,tracking_number\r\n{dispatch_id},DHL,T-1\r\nnone,DHL,T-2\r\n"
    answer = browser.upload("supplier/files", rows.encode())
    assert answer.status == 200
    assert told(answer).startswith("2 rows: 1 parcel shipped")
    assert '<td data-name="Row">3</td>' in answer.text
    shown = world.operator.get(f"/v1/dispatches/{dispatch_id}").json
    assert shown["tracking_number"] == "T-1"


def test_a_workbook_is_sent_back_as_it_was_saved(
    world: World, browser: Browser, dispatch_id: str
) -> None:
    book = load_workbook(io.BytesIO(browser.get("supplier/files/lines.xlsx").content))
    sheet = book.worksheets[0]
    columns = {cell.value: n for n, cell in enumerate(sheet[1], 1)}
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, columns["carrier"], "DHL")
        sheet.cell(row, columns["tracking_number"], "00340434161094042557")
    saved = io.BytesIO()
    book.save(saved)
    assert "1 parcel shipped" in browser.upload("supplier/files", saved.getvalue()).text
    shown = world.operator.get(f"/v1/dispatches/{dispatch_id}").json
    assert shown["tracking_number"] == "00340434161094042557"


@pytest.mark.parametrize(
    ("content", "status"), [(b"", 422), (b"a,b\r\n1,2\r\n", 422), (b"x" * 300_000, 413)]
)
def test_a_file_that_cannot_be_taken_says_why(
    browser: Browser, content: bytes, status: int
) -> None:
    answer = browser.upload("supplier/files", content)
    assert answer.status == status
    assert told(answer)


@pytest.mark.parametrize("name", ["lines.exe", "secrets.csv", "lines.csv?part=x", "lines"])
def test_there_is_no_other_file(browser: Browser, name: str) -> None:
    assert browser.get(f"supplier/files/{name}").status == 404


def test_money_shows_what_is_to_come_and_of_what(
    world: World, browser: Browser, shipped: Json
) -> None:
    assert "Nothing was booked in these days." in browser.get("supplier/money").text
    world.move(shipped["id"], "deliver")
    balance = world.operator.get(f"/v1/suppliers/{shipped['supplier_id']}/balance").json
    page = browser.get("supplier/money").text
    assert written(balance["payable"], "EUR") in page
    assert f"dispatches/{shipped['id']}" in page
    statement = browser.get("supplier/money/statement.csv")
    assert statement.headers["content-type"].startswith("text/csv")
    assert shipped["id"] in statement.text


def test_each_amount_of_the_money_leads_to_why_it_is_so(
    world: World, browser: Browser, shipped: Json
) -> None:
    world.move(shipped["id"], "deliver")
    (line,) = re.findall(r"supplier/money/lines/([^\"]+)", browser.get("supplier/money").text)
    page = browser.get(f"supplier/money/lines/{line}").text
    balance = world.operator.get(f"/v1/suppliers/{shipped['supplier_id']}/balance").json
    assert written(balance["payable"], "EUR") in page
    assert "your cost of 7.00 EUR" in page
    assert line in page
    assert browser.get("supplier/money/lines/delivered:prc_none").status == 404


def test_commission_that_is_borne_says_by_which_rate_and_what_a_cap_gives_back(
    world: World, time: Clock
) -> None:
    bear(world, damaged="supplier")
    sale = planned_sale(world, a_plan(world, rule(cap={"day": 70})))
    opened = Browser(world)
    key = created(world.operator.post(f"/v1/suppliers/{sale.supplier_id}/api-keys"))["key"]
    assert opened.send("supplier/sign-in", {"api_key": key}).status == 303
    refund(world, world.delivered_order(sale, 1), amount=1000)
    first = str(time.now().date())
    settle(world, time, days=8)
    assert opened.send("supplier/sign-in", {"api_key": key}).status == 303
    money = opened.get(f"supplier/money?from={first}").text
    borne, back = (
        next(each for each in re.findall(r"supplier/money/lines/([^\"]+)", money) if kind in each)
        for kind in ("borne:", "matured:")
    )
    page = opened.get(f"supplier/money/lines/{borne}").text
    assert "a rate of 10 %" in page
    assert "-1.00 EUR" in page
    page = opened.get(f"supplier/money/lines/{back}").text
    for said in ("0.70 EUR", "0.30 EUR", "1.00 EUR", borne):
        assert said in page


def test_a_deposit_stands_apart_from_what_is_to_come(
    world: World, browser: Browser, shipped: Json
) -> None:
    deposits = f"/v1/suppliers/{shipped['supplier_id']}/deposits"
    created(world.operator.post(deposits, {"amount": 1000, "reference": "T1"}))
    page = browser.get("supplier/money").text
    (in_all,) = re.findall(r"You have coming in all.*", page)
    assert in_all.count("0.00 EUR") == 3
    assert "10.00 EUR" not in in_all
    (apart,) = re.findall(r"Deposit, which is apart.*", page)
    assert apart.count("10.00 EUR") == 2


def test_days_that_cannot_be_say_so(browser: Browser) -> None:
    answer = browser.get("supplier/money?from=2026-02-02&to=2026-02-01")
    assert answer.status == 422
    assert told(answer) == "Last day must not lie before the first day."
    answer = browser.get("supplier/money?from=2024-02-02&to=2026-02-01")
    assert told(answer) == "Last day lies more than 366 days behind the first day."
    assert browser.get("supplier/money?from=yesterday").status == 422


def test_a_page_that_does_not_exist_keeps_the_way_to_the_others(browser: Browser) -> None:
    answer = browser.get("supplier/dispatches/dsp_none")
    assert answer.status == 404
    assert "Packing list" in answer.text


def test_whoever_s_session_has_ended_is_told_so(browser: Browser, time: Clock) -> None:
    time.move_on(hours=3)
    assert "Your session has ended." in browser.get("supplier").text
    browser.send("supplier/sign-out")


def test_signing_in_from_an_old_tab_begins_a_new_session(browser: Browser, key: Json) -> None:
    sent = {"api_key": key["key"], "token": "of a page before"}
    assert browser.send("supplier/sign-in", sent).status == 303


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://evil.test", 403), ("null", 403), ("https://api.test", 303)],
)
def test_an_older_browser_tells_a_form_of_another_site_by_its_origin(
    world: World, key: Json, origin: str, status: int
) -> None:
    stranger = Browser(world)
    sent = {"api_key": key["key"]}
    answer = stranger.send("supplier/sign-in", sent, Origin=origin, Host="api.test")
    assert answer.status == status


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1") as listening:
        listening.expect_request("/hook").respond_with_data("ok")
        yield listening


@pytest.fixture
def hearing(issuer: Issuer, time: Clock) -> Iterator[World]:
    """A world whose webhooks may go to this machine."""
    with new_world(issuer, ALLOW_LOOPBACK_WEBHOOKS="1") as made:
        yield made
        made.work()
        assert findings() == []


def test_deliveries_are_seen_tried_and_sent_again(hearing: World, server: HTTPServer) -> None:
    sale = hearing.sale()
    key = created(hearing.operator.post(f"/v1/suppliers/{sale.supplier_id}/api-keys"))["key"]
    endpoint = created(
        Api(hearing.gateway, key).post("/v1/webhook-endpoints", {"url": server.url_for("/hook")})
    )
    hearing.paid_order(sale)
    browser = Browser(hearing)
    browser.send("supplier/sign-in", {"api_key": key})
    page = browser.get("supplier/deliveries").text
    assert "dispatch.created" in page
    delivery_id = re.search(r"deliveries/(whd_[^/]+)/replay", page)
    assert delivery_id
    assert browser.send(f"supplier/deliveries/{delivery_id.group(1)}/replay").status == 200
    assert browser.send(f"supplier/endpoints/{endpoint['id']}/test").status == 200
    hearing.work()
    heard = [request.headers["webhook-id"] for request, _ in server.log]
    assert heard.count(delivery_id.group(1)) == 2
    assert len(heard) == 3


def test_a_delivery_to_a_disabled_endpoint_says_what_to_do(
    hearing: World, server: HTTPServer
) -> None:
    sale = hearing.sale()
    key = created(hearing.operator.post(f"/v1/suppliers/{sale.supplier_id}/api-keys"))["key"]
    api = Api(hearing.gateway, key)
    endpoint = created(api.post("/v1/webhook-endpoints", {"url": server.url_for("/hook")}))
    hearing.paid_order(sale)
    api.patch(f"/v1/webhook-endpoints/{endpoint['id']}", {"status": "disabled"})
    browser = Browser(hearing)
    browser.send("supplier/sign-in", {"api_key": key})
    delivery_id = api.get("/v1/webhook-deliveries").json["items"][0]["id"]
    answer = browser.send(f"supplier/deliveries/{delivery_id}/replay")
    assert answer.status == 409
    assert "enable it" in told(answer)


def test_a_disabled_endpoint_is_tried_enabled_and_sent_what_it_missed(
    hearing: World, server: HTTPServer
) -> None:
    sale = hearing.sale()
    key = created(hearing.operator.post(f"/v1/suppliers/{sale.supplier_id}/api-keys"))["key"]
    api = Api(hearing.gateway, key)
    endpoint = created(api.post("/v1/webhook-endpoints", {"url": server.url_for("/hook")}))
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    hearing.paid_order(sale)
    failed = failing_delivery(api.get("/v1/webhook-deliveries").json["items"][0]["id"])
    api.patch(path, {"status": "disabled"})
    browser = Browser(hearing)
    browser.send("supplier/sign-in", {"api_key": key})
    assert "It answered 200" in browser.send(f"supplier/endpoints/{endpoint['id']}/test").text
    assert browser.send(f"supplier/endpoints/{endpoint['id']}/replays").status == 409
    assert "It is enabled." in browser.send(f"supplier/endpoints/{endpoint['id']}/enable").text
    assert api.get(path).json["status"] == "active"
    started = browser.send(f"supplier/endpoints/{endpoint['id']}/replays")
    place = started.headers["location"].removeprefix("../../../")
    assert "0 of 0" in browser.get(place).text
    hearing.work()
    assert "All 1 that failed are on their way again." in browser.get(place).text
    heard = [request.headers["webhook-id"] for request, _ in server.log]
    assert heard.count(failed) == 2


def failing_delivery(delivery_id: str) -> str:
    """The delivery, as if every attempt had failed."""
    found = webhook_store.get_deliveries([delivery_id])[delivery_id]
    failed = replace(found, status="exhausted", version=found.version + 1)
    write(webhook_store.replace_delivery(failed))
    return delivery_id


def test_an_endpoint_s_open_circuit_is_shown(hearing: World, server: HTTPServer) -> None:
    sale = hearing.sale()
    key = created(hearing.operator.post(f"/v1/suppliers/{sale.supplier_id}/api-keys"))["key"]
    server.expect_request("/bad").respond_with_data("no", status=500)
    created(
        Api(hearing.gateway, key).post("/v1/webhook-endpoints", {"url": server.url_for("/bad")})
    )
    for n in range(6):
        hearing.paid_order(sale, hearing.customer(f"cus_{n}"))
    browser = Browser(hearing)
    browser.send("supplier/sign-in", {"api_key": key})
    page = browser.get("supplier/deliveries").text
    assert "not answering" in page
    assert "The next one is tried" in page
    assert "0.0 %" in page
