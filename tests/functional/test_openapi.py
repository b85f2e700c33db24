"""The API's own description: whole, valid, and true of the code."""

import ast
import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema_rs import Draft202012Validator, ValidationError
from openapi_spec_validator import validate
from pydantic import BaseModel

from chalicelib.dispatch import clocks
from chalicelib.kernel import clock, errors, events
from chalicelib.ordering.schema import OrderView
from chalicelib.platform.endpoints import ENDPOINTS
from chalicelib.platform.schema import PATTERNS
from chalicelib.reference.examples import EXAMPLES
from chalicelib.reference.told import TOLD
from chalicelib.webhooks import bodies
from chalicelib.webhooks import store as webhooks
from chalicelib.webhooks.rules import EventType
from infra.template.compose import load
from tests.support.documented import check
from tests.support.payouts import payouts_of, sent, tell
from tests.support.roles import PAGES, ROLES
from tests.support.world import Sale, World, created

SOURCES = Path(errors.__file__).resolve().parents[1]
# What `already_{...}` in the code can become.
ALREADY = {
    "already_accepted",
    "already_active",
    "already_cancelled",
    "already_delivered",
    "already_rejected",
    "already_shipped",
}
Json = Any


@pytest.fixture
def spec(world: World) -> Json:
    answer = world.anyone.get("/openapi.json")
    assert answer.status == 200
    return answer.json


def operations(spec: Json) -> Iterator[tuple[tuple[str, str], Json]]:
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            yield (method.upper(), path), operation


def test_the_document_is_valid_openapi_3_1(spec: Json) -> None:
    validate(spec)
    assert spec["openapi"].startswith("3.1.")


def test_every_registered_route_but_pages_is_documented_and_no_other(spec: Json) -> None:
    from app import app

    registered = {(method, path) for path, methods in app.routes.items() for method in methods}
    assert {route for route, _ in operations(spec)} == registered - PAGES


@pytest.mark.parametrize("change", [{"items": {}}, {"items": [{"id": 1}]}, {"next_cursor": 1}])
def test_control_an_answer_that_is_not_as_documented_is_noticed(
    world: World, change: dict[str, Any]
) -> None:
    world.add_supplier()
    answer = world.operator.get("/v1/suppliers")
    text = json.dumps(answer.json | change)
    with pytest.raises(ValidationError):
        check("GET", "/v1/suppliers", replace(answer, text=text))


def test_every_operation_says_who_may_call_it(spec: Json) -> None:
    for route, operation in operations(spec):
        roles = ROLES[route]
        if roles is None:
            assert operation["security"] == [], route
            assert "x-roles" not in operation, route
        else:
            assert operation["security"] == [{"bearer": []}], route
            assert set(operation["x-roles"]) == roles, route
            assert all(role in operation["description"] for role in roles), route


def test_operations_have_names_of_their_own_and_words(spec: Json) -> None:
    names = [operation["operationId"] for _, operation in operations(spec)]
    assert len(set(names)) == len(names)
    described = {tag["name"] for tag in spec["tags"]}
    assert all(operation["summary"] for _, operation in operations(spec))
    assert all(set(operation["tags"]) <= described for _, operation in operations(spec))


def test_the_error_codes_that_are_documented_are_those_that_the_code_raises(spec: Json) -> None:
    raised = raised_codes() | {code for _, code, *_ in load("gateway").values()}
    assert documented_codes(spec) == raised


def test_every_code_is_listed_once_for_clients_to_generate_from(spec: Json) -> None:
    listed = spec["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]
    assert set(listed) == documented_codes(spec)


def test_every_route_documents_what_any_route_can_answer(spec: Json) -> None:
    for route, operation in operations(spec):
        assert {"429", "500", "503"} <= set(operation["responses"]), route
        assert "Retry-After" in operation["responses"]["503"]["headers"], route
        assert "Retry-After" in operation["responses"]["429"]["headers"], route
        assert ("401" in operation["responses"]) == (ROLES[route] is not None), route
        assert ("403" in operation["responses"]) == (ROLES[route] is not None), route


def test_every_answer_is_said_to_carry_a_request_id(spec: Json) -> None:
    for route, operation in operations(spec):
        for status, response in operation["responses"].items():
            assert "X-Request-Id" in response["headers"], (route, status)


def test_posts_say_whether_they_need_an_idempotency_key(spec: Json) -> None:
    required = {
        "/v1/orders",
        "/v1/orders/{id}/refunds",
        "/v1/chargebacks",
        "/v1/chargebacks/{id}/close",
        "/v1/leaders/{id}/adjustments",
        "/v1/leaders/{id}/bonuses",
        "/v1/refunds/{id}/retry",
        "/v1/leaders/{id}/remittances",
        "/v1/leaders/{id}/remittances/{remittance_id}/reverse",
        "/v1/open-items/{entry_id}/clear",
        "/v1/suppliers/{id}/deposits",
        "/v1/suppliers/{id}/deposits/draw",
        "/v1/suppliers/{id}/deposits/return",
        "/v1/suppliers/{id}/remittances",
        "/v1/suppliers/{id}/remittances/{remittance_id}/reverse",
        "/v1/payout-batches",
        "/v1/payout-batches/{id}/approve",
        "/v1/payout-batches/{id}/cancel",
        "/v1/payout-batches/{id}/send",
        "/v1/payouts/{id}/result",
    }
    for (method, path), operation in operations(spec):
        keys = [p for p in operation["parameters"] if p["name"] == "Idempotency-Key"]
        if method != "POST" or path.startswith("/v1/payment-events"):
            assert keys == [], path
        else:
            assert [key["required"] for key in keys] == [path in required], path
            success = next(r for s, r in operation["responses"].items() if s.startswith("2"))
            assert "Idempotent-Replayed" in success["headers"], path


def answered(spec: Json, route: str) -> Json:
    method, path = route.split()
    responses = spec["paths"][path][method.lower()]["responses"]
    success = next(each for status, each in responses.items() if status.startswith("2"))
    return success["content"]["application/json"]["example"]


def test_examples_show_what_a_call_has_made_of_things(spec: Json) -> None:
    campaign = answered(spec, "GET /v1/campaigns/{id}")
    assert answered(spec, "POST /v1/campaigns/{id}/cancel")["status"] == "cancelled"
    assert answered(spec, "POST /v1/orders/{id}/cancel")["status"] == "cancelled"
    clone = answered(spec, "POST /v1/campaigns/{id}/clone")
    assert clone["id"] != campaign["id"]
    assert clone.items() >= EXAMPLES["CloneCampaign"].items()
    edited, sent = answered(spec, "PATCH /v1/campaigns/{id}"), EXAMPLES["EditCampaign"]
    assert edited["id"] == campaign["id"]
    assert {name: edited[name] for name in ("title", "max_orders")} == {
        name: sent[name] for name in ("title", "max_orders")
    }
    caps = [[each["quantity_cap"] for each in said["offers"]] for said in (edited, sent)]
    assert caps[0] == caps[1]


def test_headers_and_forms_of_single_routes_are_documented(spec: Json) -> None:
    stock = spec["paths"]["/v1/skus/{id}/stock"]
    assert "If-Match" in {parameter["name"] for parameter in stock["put"]["parameters"]}
    assert "ETag" in stock["put"]["responses"]["200"]["headers"]
    assert "ETag" in stock["get"]["responses"]["200"]["headers"]
    statement = spec["paths"]["/v1/leaders/{id}/statements/{run_id}"]["get"]
    assert set(statement["responses"]["200"]["content"]) == {
        "application/json",
        "text/csv; charset=utf-8",
    }
    tracking = spec["paths"]["/v1/dispatches/import"]["post"]
    assert set(tracking["requestBody"]["content"]) == {
        "text/csv",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
    start = spec["paths"]["/v1/settlement-runs"]["post"]
    assert {"200", "202"} <= set(start["responses"])
    event = spec["paths"]["/v1/payment-events/{provider}"]["post"]
    assert event["requestBody"]["required"]
    assert {"webhook-id", "webhook-timestamp", "webhook-signature"} <= {
        parameter["name"] for parameter in event["parameters"]
    }


def test_every_body_and_every_json_answer_has_an_example(spec: Json) -> None:
    missing = [
        (route, "body")
        for route, operation in operations(spec)
        for kind, media in operation.get("requestBody", {}).get("content", {}).items()
        # Nobody reads a workbook in a document.
        if "example" not in media and not kind.endswith(".sheet")
    ]
    missing += [
        (route, status)
        for route, operation in operations(spec)
        for status, response in operation["responses"].items()
        for kind, media in response.get("content", {}).items()
        if kind == "application/json" and "example" not in media
    ]
    # An example of the document would be the document.
    assert [each for each in missing if each[0] != ("GET", "/openapi.json")] == []


def test_examples_are_what_the_models_take_and_give() -> None:
    bodies = {model for e in ENDPOINTS if (model := e.body or e.also.body)}
    answers = {e.answer for e in ENDPOINTS if e.answer}
    assert set(EXAMPLES) == {model.__name__ for model in bodies | answers}
    for model in bodies:
        model.model_validate_json(json.dumps(EXAMPLES[model.__name__]))
    for model in answers:
        assert given_back(model, EXAMPLES[model.__name__]) == EXAMPLES[model.__name__]


def test_examples_add_up() -> None:
    order, statement = EXAMPLES["OrderView"], EXAMPLES["StatementView"]
    assert sum(line["net"] for line in order["lines"]) + order["shipping"] == order["total"]
    assert sum(line["amount"] for line in statement["lines"]) == statement["total"]
    assert statement["opening_balance"] + statement["total"] == statement["closing_balance"]
    books = EXAMPLES["TrialBalanceView"]["currencies"][0]
    assert sum(account["balance"] for account in books["accounts"]) == 0
    (tried,) = EXAMPLES["SimulationView"]["totals"]
    for side in ("earned", "would_earn", "difference"):
        assert sum(of_kind[side] for of_kind in tried["by_kind"].values()) == tried[side]
    stock = EXAMPLES["StockView"]
    assert stock["available"] == stock["on_hand"] - stock["reserved"]


def test_an_order_is_shown_as_placed_where_it_is_placed(world: World, spec: Json) -> None:
    placed = spec["paths"]["/v1/orders"]["post"]["responses"]["201"]
    shown = placed["content"]["application/json"]["example"]
    assert given_back(OrderView, shown) == shown
    answered = world.place(world.sale())
    for field in ("status", "version", "dispatches", "refunds", "refunded_amount"):
        assert shown[field] == answered[field], field
    assert shown["payment"]["status"] == answered["payment"]["status"]
    read = spec["paths"]["/v1/orders/{id}"]["get"]["responses"]["200"]
    assert read["content"]["application/json"]["example"]["status"] == "shipped"


def test_every_422_is_documented_with_its_fields(spec: Json) -> None:
    for route, operation in operations(spec):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                schema = response["content"]["application/problem+json"]["schema"]
                required = schema["allOf"][1].get("required", [])
                assert required == (["errors"] if status == "422" else []), (route, status)


def test_the_usual_parameters_are_described(spec: Json) -> None:
    usual = {"Idempotency-Key", "Accept", "If-Match", "cursor", "limit"}
    found = set()
    for route, operation in operations(spec):
        for parameter in operation["parameters"]:
            if parameter["name"] in usual:
                found.add(parameter["name"])
                assert parameter["description"], (route, parameter["name"])
    assert found == usual


def test_the_document_begins_with_what_holds_everywhere(spec: Json) -> None:
    said = spec["info"]["description"]
    for word in ("Authorization: Bearer", "`sub`", "tsk_", "`Idempotency-Key`", "`limit`"):
        assert word in said
    for word in ("`cursor`", "minor unit", "RFC 3339", "RFC 9457", "409", "422", "429", "503"):
        assert word in said


def test_every_webhook_is_documented(spec: Json) -> None:
    assert set(spec["webhooks"]) == set(get_args(EventType))
    for event_type in spec["webhooks"]:
        body = webhook_body(spec, event_type)
        body_validator(spec, event_type).validate(body["example"])
        assert body["example"]["type"] == event_type
        shown = body["example"]["data"]
        assert given_back(TOLD[event_type][0], shown) == shown


def test_webhooks_tell_what_is_documented_and_nothing_else(world: World, spec: Json) -> None:
    told = everything_told(world)
    assert {each["type"] for each in told} == set(get_args(EventType))
    for each in told:
        body_validator(spec, each["type"]).validate(each)
        assert set(each) == {"type", "timestamp", "data"}
        model = TOLD[each["type"]][0]
        assert given_back(model, each["data"]) == each["data"], each["type"]


def test_money_is_never_a_number_with_a_fraction(spec: Json) -> None:
    fractions = {
        (name, field)
        for name, schema in spec["components"]["schemas"].items()
        for field, shape in schema.get("properties", {}).items()
        if '"number"' in json.dumps(shape)
    }
    assert {field for _, field in fractions} == {"latitude", "longitude", "leaders_per_second"}


def test_the_page_shows_every_route_and_needs_nothing_from_elsewhere(
    world: World, spec: Json
) -> None:
    answer = world.anyone.get("/docs")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    page = Page()
    page.feed(answer.text)
    (script,) = page.scripts
    assert hash_of(script) in answer.headers["content-security-policy"]
    assert [link for link in page.links if not re.match(r"#|openapi\.json$", link)] == []
    assert not re.search(r"url\(|@import", answer.text)
    for route, operation in operations(spec):
        assert operation["operationId"] in page.ids, route
        assert route[1] in answer.text, route


@pytest.fixture
def page(world: World) -> str:
    return world.anyone.get("/docs").text


def test_the_page_begins_with_its_title_and_folds_its_routes(page: str) -> None:
    places = [page.index(mark) for mark in ("<h1>", "<nav", "<details>", "</nav>", "<main>")]
    assert places == sorted(places)
    assert places[-1] < page.index("<h2>Credentials</h2>") < page.index('id="place_order"')


def test_the_page_shows_no_backticks_but_code(page: str) -> None:
    words = re.sub(r"<pre>.*?</pre>", "", page, flags=re.DOTALL)
    assert "`" not in words
    assert "<code>Authorization: Bearer ...</code>" in words


def test_the_page_tells_limits_and_descriptions(page: str) -> None:
    cells = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "How many items a page has at most. 1 to 100; 20 unless sent." in cells
    assert "The ETag that was read" in cells
    assert "text/csv for the lines as a table." in cells
    assert "Visible ASCII, new for each thing to be done." in cells
    assert "1 to 255 characters." in cells
    assert "1 to 50 items." in cells
    assert "a two-letter country code such as DE." in cells
    assert "card | leader_collect" in cells


def test_there_are_words_for_every_pattern(spec: Json) -> None:
    found = set(patterns(spec))
    assert len(found) >= 7
    assert found <= set(PATTERNS)


def test_no_table_of_the_page_is_outside_a_box_that_scrolls(page: str) -> None:
    assert page.count("<table") == len(re.findall(r'<div class="box">\s*<table', page)) > 50
    assert re.search(r"td {[^}]*overflow-wrap: anywhere", page)


def test_the_page_shows_every_webhook(page: str, spec: Json) -> None:
    for event_type, methods in spec["webhooks"].items():
        assert f'id="{methods["post"]["operationId"]}"' in page
        assert f"<code>{event_type}</code>" in page


def test_health_needs_no_credentials(world: World) -> None:
    answer = world.anyone.get("/health")
    assert (answer.status, answer.json) == (200, {"status": "ok"})


def hash_of(script: str) -> str:
    """As a content security policy names a script that it lets run."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


class Page(HTMLParser):
    """Ids, references and scripts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.scripts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.scripts.append("")
        for name, value in attrs:
            if name == "id":
                self.ids.add(value or "")
            if name in ("href", "src", "srcset", "data", "action"):
                self.links.append(value or "")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.scripts[-1] += data


def patterns(node: Json) -> Iterator[str]:
    """Every pattern of a schema anywhere in the document."""
    if isinstance(node, dict):
        if isinstance(node.get("pattern"), str):
            yield node["pattern"]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from patterns(each)


def given_back(model: type[BaseModel], example: Json) -> Json:
    return json.loads(model.model_validate(example).model_dump_json())


def webhook_body(spec: Json, event_type: str) -> Json:
    return spec["webhooks"][event_type]["post"]["requestBody"]["content"]["application/json"]


def body_validator(spec: Json, event_type: str) -> Draft202012Validator:
    schema = webhook_body(spec, event_type)["schema"]
    return Draft202012Validator({"allOf": [schema], "components": spec["components"]})


def everything_told(world: World) -> list[Json]:
    """A body of every type, as it would be sent of what has just happened."""
    sale = world.sale()
    order = world.paid_order(sale)
    world.operator.post(f"/v1/orders/{order['id']}/cancel", {})
    world.work()
    (refund_id,) = world.order(order["id"])["refunds"]
    world.pay(world.place(sale), currency="USD")
    smaller = world.paid_order(sale, quantity=2)
    lines = [{"sku_id": sale.sku_ids[0], "quantity": 1}]
    less = {"lines": lines, "reason": "less"}
    failed = created(world.operator.post(f"/v1/orders/{smaller['id']}/refunds", less))
    (case,) = world.operator.get("/v1/cases").json["items"]
    world.provider_event("refund.failed", {"refund_id": failed["id"]})
    day = (clock.now() - timedelta(days=3)).date().isoformat()
    run = world.operator.post("/v1/settlement-runs", {"business_date": day}).json
    request = asked_of_a_delivery(world, sale)
    path, ping = pinged(world)
    world.operator.patch(path, {"status": "disabled"})
    subjects = {
        events.ORDER_PAID: order["id"],
        events.DISPATCHES_CREATED: order["id"],
        events.DISPATCH_CANCELLED: order["id"],
        events.DISPATCH_UPDATED: smaller["dispatches"][0]["id"],
        events.DISPATCH_REMINDER: reminded(world, sale),
        events.ORDER_REFUNDED: refund_id,
        events.REFUND_FAILED: failed["id"],
        events.CAMPAIGN_CLOSED: sale.campaign_id,
        events.CAMPAIGN_MET: sale.campaign_id,
        events.CAMPAIGN_MISSED: sale.campaign_id,
        events.CAMPAIGN_CANCELLED: sale.campaign_id,
        events.SETTLEMENT_COMPLETED: run["id"],
        **told_payouts(world),
        events.ENDPOINT_DISABLED: path.rpartition("/")[2],
        events.AFTER_SALES_REQUESTED: request["id"],
        events.AFTER_SALES_DECIDED: request["id"],
        events.CASE_OPENED: case["id"],
    }
    found = [each for event in subjects.items() for each in bodies.told_of(*event)]
    sent = [bodies.body(each.event_type, clock.now(), each.data) for each in found]
    return [json.loads(each) for each in [*sent, ping]]


def told_payouts(world: World) -> dict[str, str]:
    """By each event about payouts a supplier's payout that has come to it."""
    for _ in range(3):
        world.delivered_order(world.sale())
    found = payouts_of(world, sent(world, kind="suppliers"))
    outcomes = {
        events.PAYOUT_PAID: "paid",
        events.PAYOUT_RETURNED: "returned",
        events.PAYOUT_FAILED: "failed",
    }
    for payout, outcome in zip(found, outcomes.values(), strict=False):
        assert tell(world, payout, outcome).status == 200
    return {event: payout["id"] for event, payout in zip(outcomes, found, strict=False)}


def asked_of_a_delivery(world: World, sale: Sale) -> Json:
    """An after-sales request of a customer."""
    order = world.delivered_order(sale)
    body = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}], "reason": "broken"}
    return created(world.customer().post(f"/v1/orders/{order['id']}/after-sales", body))


def reminded(world: World, sale: Sale) -> str:
    """A dispatch that half of the time to accept has gone by of."""
    dispatch_id: str = world.paid_order(sale)["dispatches"][0]["id"]
    clocks.look_at(dispatch_id, clock.now() + timedelta(hours=7))
    return dispatch_id


def pinged(world: World) -> tuple[str, str]:
    """The path of a new endpoint, and the body of a ping to it."""
    endpoints = "/v1/webhook-endpoints"
    endpoint = created(world.operator.post(endpoints, {"url": "http://127.0.0.1:9/hook"}))
    path = f"{endpoints}/{endpoint['id']}"
    asked = world.operator.post(f"{path}/test").json
    delivery = webhooks.get_delivery(asked["id"])
    assert delivery
    return path, delivery.body


def documented_codes(spec: Json) -> set[str]:
    found: set[str] = set()
    for _, operation in operations(spec):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                schema = response["content"]["application/problem+json"]["schema"]
                found |= set(schema["allOf"][1]["properties"]["code"]["enum"])
    return found


def raised_codes() -> set[str]:
    """The code of every error made anywhere in the sources, given or by its kind's default."""
    trees = [ast.parse(path.read_text()) for path in SOURCES.rglob("*.py")]
    defaults = default_codes(trees)
    # Made by hand in the one place that also catches what is no error of ours.
    found = {"internal_error"}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (kind := error_kind(node.func, defaults)):
                found |= code_of(node, defaults[kind])
    return found


def default_codes(trees: list[ast.Module]) -> dict[str, str]:
    """The default code by class."""
    return {
        node.name: str(statement.value.value)
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for statement in node.body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.targets[0], ast.Name)
        and statement.targets[0].id == "default_code"
    }


def error_kind(called: ast.expr, known: dict[str, str]) -> str | None:
    """The error's class in `Conflict(...)` or `Invalid.field(...)`."""
    if isinstance(called, ast.Attribute) and called.attr == "field":
        called = called.value
    name = called.id if isinstance(called, ast.Name) else None
    return name if name in known else None


def code_of(call: ast.Call, default: str) -> set[str]:
    given = next((k.value for k in call.keywords if k.arg == "code"), None)
    if given is None:
        return {default}
    if isinstance(given, ast.Constant):
        return {str(given.value)}
    assert isinstance(given, ast.JoinedStr), ast.dump(given)
    assert isinstance(given.values[0], ast.Constant)
    assert given.values[0].value == "already_", "say here what else it can become"
    return ALREADY
