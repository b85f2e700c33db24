"""Webhooks: endpoints and their secrets, what is sent, and trying again until it is heard."""

import json
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook, WebhookVerificationError
from werkzeug import Request, Response

from chalicelib.kernel import clock
from chalicelib.webhooks.rules import EventType
from tests.functional.conftest import Clock, new_world
from tests.support.gateway import Answer
from tests.support.lambdas import handle, invoke
from tests.support.listener import Listener
from tests.support.payouts import payouts_of, sent, tell
from tests.support.snapshot import snapshot
from tests.support.world import Api, Issuer, Json, Sale, World, created

# How long after the attempt before it each attempt comes (contract, section 5), in seconds.
STEPS = [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
ENDPOINTS = "/v1/webhook-endpoints"
DELIVERIES = "/v1/webhook-deliveries"


class Supplier:
    """A supplier with a web server that keeps what it is sent, and answers as it is told to."""

    def __init__(self, world: World, server: HTTPServer, path: str = "/hook", **terms: Any) -> None:
        self.world, self.server = world, server
        self.sale = world.sale(**terms)
        self.api = world.supplier(self.sale.supplier_id)
        self.received: list[Request] = []
        self.answer: Callable[[], Response] = lambda: Response(status=204)
        self.url = server.url_for(path)
        server.expect_request(path).respond_with_handler(self._take)
        self.endpoint = created(self.api.post(ENDPOINTS, {"url": self.url}))

    def _take(self, request: Request) -> Response:
        request.get_data()
        self.received.append(request)
        return self.answer()

    def answers(self, status: int, **headers: str) -> None:
        self.answer = lambda: Response(status=status, headers=headers)

    @property
    def path(self) -> str:
        return f"{ENDPOINTS}/{self.endpoint['id']}"

    @property
    def bodies(self) -> list[Json]:
        return [json.loads(each.get_data()) for each in self.received]

    def state(self) -> Json:
        return self.api.get(self.path).json

    def deliveries(self) -> list[Json]:
        items: list[Json] = self.api.get(DELIVERIES).json["items"]
        return items

    def delivery(self) -> Json:
        (only,) = self.deliveries()
        return only

    def order(self, quantity: int = 1) -> Json:
        return self.world.paid_order(self.sale, quantity=quantity)

    def ping(self) -> Json:
        answer = self.api.post(f"{self.path}/test")
        assert answer.status == 202, answer.text
        self.world.work()
        return self.api.get(f"{DELIVERIES}/{answer.json['id']}").json

    def hear_again(self) -> None:
        """What its one order has told it is sent again, from the beginning."""
        for each in self.deliveries():
            if each["event_type"] != "ping":
                assert self.api.post(f"{DELIVERIES}/{each['id']}/replay").status == 202
        self.world.work()


@pytest.fixture
def supplier(world: World, server: HTTPServer) -> Supplier:
    return Supplier(world, server)


def verified(request: Request, secret: str) -> Json:
    """The body, once the library that suppliers use has found its signature good."""
    return Webhook(secret).verify(request.get_data(), dict(request.headers))


def test_a_new_endpoint_answers_with_its_secret_once(supplier: Supplier) -> None:
    made = supplier.endpoint
    secret = made.pop("secret")
    assert made["id"].startswith("whe_")
    assert (made["url"], made["status"]) == (supplier.url, "active")
    assert (made["owner"], made["event_types"]) == (supplier.sale.supplier_id, [])
    assert secret.startswith("whsec_")
    assert supplier.state() == made
    assert secret not in supplier.api.get(ENDPOINTS).text


def test_secrets_are_each_endpoints_own_and_stored_nowhere(supplier: Supplier) -> None:
    other = created(supplier.api.post(ENDPOINTS, {"url": supplier.url}))
    assert other["secret"] != supplier.endpoint["secret"]
    stored = str(snapshot(supplier.world.environment))
    for made in (supplier.endpoint, other):
        assert made["secret"] not in stored
        assert made["secret"].removeprefix("whsec_") not in stored


def test_a_repeat_with_its_key_shows_the_same_secret(supplier: Supplier) -> None:
    body = {"url": supplier.url}
    first = created(supplier.api.post(ENDPOINTS, body, key="one"))
    again = supplier.api.post(ENDPOINTS, body, key="one")
    assert (again.status, again.json) == (201, first)
    rotated = supplier.api.post(f"{supplier.path}/rotate-secret", key="two").json
    repeat = supplier.api.post(f"{supplier.path}/rotate-secret", key="two")
    assert (repeat.status, repeat.json) == (200, rotated)
    assert supplier.state()["generation"] == 2


def test_a_dispatch_is_told_signed_and_whole(supplier: Supplier) -> None:
    order = supplier.order()
    (request,) = supplier.received
    said = verified(request, supplier.endpoint["secret"])
    assert (request.method, request.content_type) == ("POST", "application/json")
    dispatch = supplier.api.get(f"/v1/dispatches/{order['dispatches'][0]['id']}").json
    assert list(said) == ["type", "timestamp", "data"]
    assert said["type"] == "dispatch.created"
    assert clock.from_text(said["timestamp"]) <= clock.now()
    assert said["data"] == {
        "dispatch_id": dispatch["id"],
        "order_id": order["id"],
        "version": 1,
        "lines": dispatch["lines"],
        "ship_to": order["ship_to"],
        "accept_by": dispatch["accept_by"],
        "ship_by": dispatch["ship_by"],
    }
    delivery = supplier.delivery()
    assert request.headers["webhook-id"] == delivery["id"]
    assert delivery["id"].startswith("whd_")
    assert (delivery["status"], delivery["next_attempt_at"]) == ("succeeded", None)
    (attempt,) = delivery["attempts"]
    assert (attempt["status_code"], attempt["error"]) == (204, None)
    assert attempt["duration_ms"] >= 0
    seconds = int(request.headers["webhook-timestamp"])
    assert seconds == int(clock.from_text(attempt["at"]).timestamp())


@pytest.mark.parametrize("outcome", ["paid", "returned", "failed"])
def test_what_becomes_of_a_suppliers_payout_is_told_once(supplier: Supplier, outcome: str) -> None:
    world = supplier.world
    world.delivered_order(supplier.sale)
    (payout,) = payouts_of(world, sent(world, kind="suppliers"))
    supplier.received.clear()
    for _ in range(2):
        assert tell(world, payout, outcome, "BANK-7").status == 200
        world.work()
    (request,) = supplier.received
    said = verified(request, supplier.endpoint["secret"])
    assert said["type"] == f"payout.{outcome}"
    assert said["data"] == {
        "payout_id": payout["id"],
        "version": 2,
        "currency": "EUR",
        "amount": 700,
        "netted": 0,
        "reference": "BANK-7",
    }


def test_a_payout_that_comes_back_before_it_was_told_is_told_as_that_alone(
    supplier: Supplier,
) -> None:
    world = supplier.world
    world.delivered_order(supplier.sale)
    (payout,) = payouts_of(world, sent(world, kind="suppliers"))
    supplier.received.clear()
    for outcome, reference in (("paid", "OUT-1"), ("returned", "IN-1")):
        assert tell(world, payout, outcome, reference).status == 200
    world.work()
    assert [request.get_json()["type"] for request in supplier.received] == ["payout.returned"]


def test_a_body_or_a_header_that_was_touched_fails_its_signature(supplier: Supplier) -> None:
    supplier.order()
    (request,) = supplier.received
    body, headers = request.get_data(), dict(request.headers)
    webhook = Webhook(supplier.endpoint["secret"])
    with pytest.raises(WebhookVerificationError):
        webhook.verify(body.replace(b"Alice", b"Mallory"), headers)
    with pytest.raises(WebhookVerificationError):
        webhook.verify(body, {**headers, "Webhook-Id": "whd_other"})
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 44).verify(body, headers)


def test_a_dispatch_that_is_cancelled_before_it_was_told_is_told_in_order(
    supplier: Supplier,
) -> None:
    """Both messages come late: a receiver must still see which of the two came first."""
    order = supplier.world.place(supplier.sale)
    supplier.world.pay(order)
    handle("dispatch_create", *supplier.world.messages("DISPATCH_CREATE"))
    supplier.world.operator.post(f"/v1/orders/{order['id']}/cancel", {})
    supplier.world.work()
    told = {each["type"]: each["data"]["version"] for each in supplier.bodies}
    assert told == {"dispatch.created": 1, "dispatch.cancelled": 2}


def test_an_event_is_delivered_once_however_often_it_comes(supplier: Supplier) -> None:
    order = supplier.order()
    message = {"type": "dispatches.created", "subject": order["id"], "data": {}}
    for _ in range(2):
        assert handle("webhook_fan_out", message, message) == []
        supplier.world.work()
    assert len(supplier.received) == 1
    assert len(supplier.deliveries()) == 1


def test_a_cancelled_dispatch_is_told_with_a_higher_version(supplier: Supplier) -> None:
    order = supplier.order()
    supplier.world.operator.post(f"/v1/orders/{order['id']}/cancel", {})
    supplier.world.work()
    told = [(each["type"], each["data"]["version"]) for each in supplier.bodies]
    assert told == [("dispatch.created", 1), ("dispatch.cancelled", 2)]
    assert {each["data"]["dispatch_id"] for each in supplier.bodies} == {
        order["dispatches"][0]["id"]
    }


def test_a_dispatch_that_shrinks_is_told_before_it_is_packed(supplier: Supplier) -> None:
    order = supplier.order(quantity=3)
    lines = [{"sku_id": supplier.sale.sku_ids[0], "quantity": 2}]
    path = f"/v1/orders/{order['id']}/refunds"
    assert supplier.world.operator.post(path, {"lines": lines, "reason": "less"}).status == 201
    supplier.world.work()
    told = [
        (each["type"], each["data"]["version"], each["data"]["lines"][0]["quantity"])
        for each in supplier.bodies
    ]
    assert told == [("dispatch.created", 1, 3), ("dispatch.updated", 2, 1)]


def test_a_dispatch_that_has_shipped_is_not_told_to_shrink(supplier: Supplier) -> None:
    order = supplier.order(quantity=3)
    supplier.world.move(order["dispatches"][0]["id"], "accept", "ship")
    lines = [{"sku_id": supplier.sale.sku_ids[0], "quantity": 2}]
    path = f"/v1/orders/{order['id']}/refunds"
    assert supplier.world.operator.post(path, {"lines": lines, "reason": "broken"}).status == 201
    supplier.world.work()
    assert [each["type"] for each in supplier.bodies] == ["dispatch.created"]


def test_an_endpoint_hears_only_the_events_it_wants_and_pings_always(supplier: Supplier) -> None:
    wanted = {"event_types": ["dispatch.cancelled"]}
    assert supplier.api.patch(supplier.path, wanted).json["event_types"] == ["dispatch.cancelled"]
    order = supplier.order()
    assert supplier.received == []
    delivery = supplier.ping()
    assert (delivery["event_type"], delivery["status"]) == ("ping", "succeeded")
    supplier.world.operator.post(f"/v1/orders/{order['id']}/cancel", {})
    supplier.world.work()
    assert [each["type"] for each in supplier.bodies] == ["ping", "dispatch.cancelled"]
    assert verified(supplier.received[0], supplier.endpoint["secret"])["type"] == "ping"


def test_no_supplier_hears_of_anothers_dispatches(world: World, server: HTTPServer) -> None:
    mine, other = Supplier(world, server), Supplier(world, server, "/other")
    mine.order()
    assert (len(mine.received), len(other.received)) == (1, 0)
    assert other.deliveries() == []


def test_what_is_another_suppliers_is_not_there(world: World, server: HTTPServer) -> None:
    mine, other = Supplier(world, server), Supplier(world, server, "/other")
    delivery_id = other.ping()["id"]
    answers = [
        mine.api.get(other.path),
        mine.api.patch(other.path, {"status": "disabled"}),
        mine.api.delete(other.path),
        mine.api.post(f"{other.path}/rotate-secret"),
        mine.api.post(f"{other.path}/test"),
        mine.api.get(f"{DELIVERIES}/{delivery_id}"),
        mine.api.post(f"{DELIVERIES}/{delivery_id}/replay"),
    ]
    assert [(each.status, each.code) for each in answers] == [(404, "not_found")] * 7
    assert [each["id"] for each in mine.api.get(ENDPOINTS).json["items"]] == [mine.endpoint["id"]]
    assert other.state()["status"] == "active"
    assert other.state()["generation"] == 1
    assert len(other.received) == 1


def test_an_operator_looks_after_all_endpoints(world: World, server: HTTPServer) -> None:
    supplier = Supplier(world, server)
    body = {"url": supplier.url, "supplier_id": supplier.sale.supplier_id}
    made = created(world.operator.post(ENDPOINTS, body))
    assert made["owner"] == supplier.sale.supplier_id
    assert supplier.api.get(f"{ENDPOINTS}/{made['id']}").status == 200
    own = created(world.operator.post(ENDPOINTS, {"url": supplier.url}))
    assert own["owner"] == "platform"
    assert supplier.api.get(f"{ENDPOINTS}/{own['id']}").status == 404
    assert len(world.operator.get(ENDPOINTS).json["items"]) == 3


def test_a_rotated_secret_signs_beside_the_old_one_for_a_day(
    supplier: Supplier, time: Clock
) -> None:
    old = supplier.endpoint["secret"]
    rotated = supplier.api.post(f"{supplier.path}/rotate-secret")
    assert rotated.status == 200
    new = rotated.json["secret"]
    assert new.startswith("whsec_")
    assert new != old
    supplier.order()
    (request,) = supplier.received
    assert len(request.headers["webhook-signature"].split(" ")) == 2
    assert verified(request, old) == verified(request, new)
    time.move_on(hours=24, minutes=1)
    supplier.ping()
    only = supplier.received[-1]
    assert only.headers["webhook-signature"] == signature(new, only)


def signature(secret: str, request: Request) -> str:
    """What one secret must have signed, whenever it was."""
    headers = request.headers
    seconds = int(headers["webhook-timestamp"])
    at = datetime.fromisoformat("1970-01-01T00:00:00+00:00") + timedelta(seconds=seconds)
    return Webhook(secret).sign(
        msg_id=headers["webhook-id"], timestamp=at, data=request.get_data().decode()
    )


def next_attempt(supplier: Supplier, time: Clock) -> None:
    """Let time pass until the delivery's next attempt is due, and the sweep ask for it."""
    due = clock.from_text(supplier.delivery()["next_attempt_at"])
    wait = due - clock.now() + timedelta(seconds=61)
    time.move_on(seconds=wait.total_seconds())
    invoke("webhook_sweep")
    supplier.world.work()


def test_attempts_follow_the_schedule_and_then_it_is_exhausted(
    supplier: Supplier, time: Clock
) -> None:
    supplier.answers(500)
    supplier.order()
    waits = []
    while (delivery := supplier.delivery())["status"] == "pending":
        last = clock.from_text(delivery["attempts"][-1]["at"])
        waits.append(clock.from_text(delivery["next_attempt_at"]) - last)
        next_attempt(supplier, time)
    assert len(supplier.received) == 10
    assert [each["status_code"] for each in delivery["attempts"]] == [500] * 10
    assert (delivery["status"], delivery["next_attempt_at"]) == ("exhausted", None)
    for wait, step in zip(waits, STEPS[1:], strict=True):
        # A second for the attempt itself.
        assert 0.8 * step <= wait.total_seconds() <= 1.2 * step + 1
    exact = [
        abs(wait.total_seconds() - step) < 1 for wait, step in zip(waits, STEPS[1:], strict=True)
    ]
    assert not all(exact[1:]), "no jitter"
    assert len({each.get_data() for each in supplier.received}) == 1
    assert len({each.headers["webhook-id"] for each in supplier.received}) == 1
    stamps = [int(each.headers["webhook-timestamp"]) for each in supplier.received]
    assert stamps == sorted(set(stamps))
    for request in supplier.received:
        assert request.headers["webhook-signature"] == signature(
            supplier.endpoint["secret"], request
        )


def test_an_attempt_is_made_once_however_often_it_is_asked_for(supplier: Supplier) -> None:
    supplier.answers(500)
    supplier.order()
    message = {"subject": supplier.delivery()["id"]}
    assert handle("webhook_attempt", message, message) == []
    assert len(supplier.received) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_only_2xx_is_success(supplier: Supplier, status: int) -> None:
    supplier.answers(status)
    supplier.order()
    assert supplier.delivery()["status"] == "succeeded"


@pytest.mark.parametrize("status", [304, 400, 401, 404, 409, 422, 429, 500, 503])
def test_any_other_answer_is_tried_again(supplier: Supplier, time: Clock, status: int) -> None:
    supplier.answers(status)
    supplier.order()
    delivery = supplier.delivery()
    assert (delivery["status"], delivery["attempts"][0]["status_code"]) == ("pending", status)
    supplier.answers(200)
    next_attempt(supplier, time)
    assert supplier.delivery()["status"] == "succeeded"
    assert len(supplier.received) == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(supplier: Supplier, status: int) -> None:
    elsewhere: list[Request] = []

    def take(request: Request) -> Response:
        elsewhere.append(request)
        return Response(status=200)

    supplier.server.expect_request("/elsewhere").respond_with_handler(take)
    supplier.answers(status, Location=supplier.server.url_for("/elsewhere"))
    supplier.order()
    assert elsewhere == []
    delivery = supplier.delivery()
    assert (delivery["status"], delivery["attempts"][0]["status_code"]) == ("pending", status)


def test_a_server_that_is_not_there_is_an_attempt_without_a_status(supplier: Supplier) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{free.getsockname()[1]}/hook"
    supplier.api.patch(supplier.path, {"url": gone})
    supplier.order()
    (attempt,) = supplier.delivery()["attempts"]
    assert attempt["status_code"] is None
    assert attempt["error"] == "connection refused"


def waits_for(supplier: Supplier) -> float:
    delivery = supplier.delivery()
    last = clock.from_text(delivery["attempts"][-1]["at"])
    return (clock.from_text(delivery["next_attempt_at"]) - last).total_seconds()


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(supplier: Supplier, status: int) -> None:
    supplier.answers(status, **{"Retry-After": "120"})
    supplier.order()
    assert 120 <= waits_for(supplier) <= 122


def test_retry_after_may_be_a_date(supplier: Supplier) -> None:
    at = clock.now() + timedelta(seconds=200)
    supplier.answers(503, **{"Retry-After": at.strftime("%a, %d %b %Y %H:%M:%S GMT")})
    supplier.order()
    assert 195 <= waits_for(supplier) <= 202


@pytest.mark.parametrize("nonsense", ["soon", "-5", "1e9", "9" * 30, ""])
def test_a_retry_after_that_cannot_be_read_is_let_be(supplier: Supplier, nonsense: str) -> None:
    supplier.answers(503, **{"Retry-After": nonsense})
    supplier.order()
    assert 4 <= waits_for(supplier) <= 7


def cases(world: World) -> list[Json]:
    items: list[Json] = world.operator.get("/v1/cases").json["items"]
    return items


def test_gone_disables_the_endpoint_and_tells_why(supplier: Supplier) -> None:
    supplier.answers(410)
    supplier.order()
    delivery, state = supplier.delivery(), supplier.state()
    assert (delivery["status"], delivery["next_attempt_at"]) == ("exhausted", None)
    assert state["status"] == "disabled"
    assert "410" in state["disabled_reason"]
    (case,) = cases(supplier.world)
    assert case["kind"] == "endpoint_disabled"
    assert supplier.endpoint["id"] in case["subject"]
    supplier.order()
    assert len(supplier.received) == 1


def test_an_endpoint_that_fails_for_five_days_is_disabled(supplier: Supplier, time: Clock) -> None:
    supplier.answers(500)
    supplier.order()
    assert supplier.state()["failing_since"] is not None
    for _ in range(4):
        time.move_on(days=1)
        supplier.hear_again()
    time.move_on(hours=23)
    supplier.hear_again()
    assert supplier.state()["status"] == "active"
    assert cases(supplier.world) == []
    time.move_on(hours=2)
    supplier.hear_again()
    state = supplier.state()
    assert state["status"] == "disabled"
    assert state["disabled_reason"]
    assert [case["kind"] for case in cases(supplier.world)] == ["endpoint_disabled"]


def test_quiet_days_between_failures_are_no_success(supplier: Supplier, time: Clock) -> None:
    """Otherwise one to which something is sent every five days alone would never be disabled."""
    supplier.answers(500)
    supplier.order()
    time.move_on(days=6)
    supplier.hear_again()
    assert supplier.state()["status"] == "disabled"


def test_a_new_address_begins_the_five_days_anew(supplier: Supplier, time: Clock) -> None:
    supplier.answers(500)
    supplier.order()
    time.move_on(days=6)
    elsewhere = supplier.endpoint["url"] + "?second"
    assert supplier.api.patch(supplier.path, {"url": elsewhere}).json["failing_since"] is None
    supplier.hear_again()
    assert supplier.state()["status"] == "active"


def test_a_failed_ping_counts_for_nothing(supplier: Supplier, time: Clock) -> None:
    supplier.answers(500)
    for _ in range(7):
        assert supplier.ping()["status"] == "exhausted"
        time.move_on(days=1)
    assert len(supplier.received) == 7
    state = supplier.state()
    assert (state["status"], state["circuit"], state["failing_since"]) == ("active", "closed", None)
    assert supplier.api.get(f"{supplier.path}/stats").json["backlog"] == 0
    replays = {"endpoint_id": supplier.endpoint["id"], "status": "exhausted"}
    assert supplier.api.post(f"{DELIVERIES}/replays", replays).status == 202
    supplier.world.work()
    assert len(supplier.received) == 7


def test_a_supplier_hears_at_its_other_endpoint_that_one_was_disabled(
    supplier: Supplier, server: HTTPServer
) -> None:
    other = Listener(server, supplier.api)
    supplier.answers(410)
    supplier.ping()
    supplier.world.work()
    (told,) = other.of_type("endpoint.disabled")
    assert (told["endpoint_id"], told["url"]) == (supplier.endpoint["id"], supplier.endpoint["url"])
    assert "410" in told["reason"]


def test_the_platform_hears_that_an_endpoint_of_a_supplier_was_disabled(
    supplier: Supplier, server: HTTPServer
) -> None:
    platform = Listener(server, supplier.world.operator)
    supplier.answers(410)
    supplier.order()
    (told,) = platform.of_type("endpoint.disabled")
    assert (told["endpoint_id"], told["owner"]) == (
        supplier.endpoint["id"],
        supplier.sale.supplier_id,
    )


def test_what_happens_while_an_endpoint_is_disabled_can_be_replayed_afterwards(
    supplier: Supplier,
) -> None:
    supplier.api.patch(supplier.path, {"status": "disabled"})
    order = supplier.order()
    assert supplier.received == []
    missed = supplier.delivery()
    assert (missed["status"], missed["next_attempt_at"]) == ("exhausted", None)
    assert [each["error"] for each in missed["attempts"]] == ["the endpoint is disabled"]
    supplier.api.patch(supplier.path, {"status": "active"})
    assert supplier.api.post(f"{DELIVERIES}/{missed['id']}/replay").status == 202
    supplier.world.work()
    (heard,) = supplier.received
    assert verified(heard, supplier.endpoint["secret"])["data"]["order_id"] == order["id"]


def test_a_supplier_cannot_ask_for_what_is_told_to_the_platform_alone(supplier: Supplier) -> None:
    for answer in (
        supplier.api.post(
            "/v1/webhook-endpoints",
            {"url": supplier.endpoint["url"], "event_types": ["order.paid"]},
        ),
        supplier.api.patch(supplier.path, {"event_types": ["ping", "case.opened"]}),
    ):
        assert (answer.status, answer.json["errors"][0]["field"]) == (422, "event_types")


def test_an_answer_in_between_begins_the_five_days_anew(supplier: Supplier, time: Clock) -> None:
    supplier.answers(500)
    supplier.order()
    time.move_on(days=4)
    supplier.answers(200)
    supplier.ping()
    assert supplier.state()["failing_since"] is None
    supplier.answers(500)
    supplier.hear_again()
    time.move_on(days=2)
    supplier.hear_again()
    assert supplier.state()["status"] == "active"


def test_a_disabled_endpoint_can_be_enabled_and_what_it_missed_replayed(
    supplier: Supplier,
) -> None:
    supplier.answers(410)
    order = supplier.order()
    missed = supplier.delivery()
    replay = f"{DELIVERIES}/{missed['id']}/replay"
    refused = supplier.api.post(replay)
    assert (refused.status, refused.code) == (409, "endpoint_not_active")
    supplier.answers(200)
    enabled = supplier.api.patch(supplier.path, {"status": "active"}).json
    assert (enabled["status"], enabled["disabled_reason"]) == ("active", None)
    assert enabled["failing_since"] is None
    again = supplier.api.post(replay)
    assert (again.status, again.json["status"]) == (202, "pending")
    supplier.world.work()
    delivery = supplier.delivery()
    assert (delivery["id"], delivery["status"]) == (missed["id"], "succeeded")
    assert [each["status_code"] for each in delivery["attempts"]] == [410, 200]
    first, second = supplier.received
    assert first.get_data() == second.get_data()
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert verified(second, supplier.endpoint["secret"])["data"]["order_id"] == order["id"]


def test_what_was_heard_can_be_replayed_by_supplier_and_operator(supplier: Supplier) -> None:
    supplier.order()
    path = f"{DELIVERIES}/{supplier.delivery()['id']}/replay"
    for caller in (supplier.api, supplier.world.operator):
        assert caller.post(path).status == 202
        supplier.world.work()
    assert len(supplier.received) == 3
    assert len({each.get_data() for each in supplier.received}) == 1
    assert len(supplier.delivery()["attempts"]) == 3


def test_a_replay_begins_the_schedule_anew(supplier: Supplier, time: Clock) -> None:
    supplier.answers(500)
    supplier.order()
    for _ in range(3):
        next_attempt(supplier, time)
    assert waits_for(supplier) > 1000
    supplier.api.post(f"{DELIVERIES}/{supplier.delivery()['id']}/replay")
    supplier.world.work()
    assert len(supplier.received) == 5
    assert 4 <= waits_for(supplier) <= 7


def test_disabling_by_hand_and_deleting_end_what_still_waits(
    supplier: Supplier, time: Clock
) -> None:
    supplier.answers(500)
    supplier.order()
    disabled = supplier.api.patch(supplier.path, {"status": "disabled"}).json
    assert disabled["status"] == "disabled"
    assert disabled["disabled_reason"]
    next_attempt(supplier, time)
    assert len(supplier.received) == 1
    assert supplier.delivery()["status"] == "exhausted"
    assert supplier.api.delete(supplier.path).status == 204
    assert supplier.api.get(supplier.path).status == 404
    assert supplier.api.delete(supplier.path).status == 404
    assert supplier.api.get(ENDPOINTS).json["items"] == []
    replay = supplier.api.post(f"{DELIVERIES}/{supplier.delivery()['id']}/replay")
    assert (replay.status, replay.code) == (409, "endpoint_not_active")


def test_a_removed_endpoint_makes_room_for_another(supplier: Supplier) -> None:
    for _ in range(19):
        created(supplier.api.post(ENDPOINTS, {"url": supplier.url}))
    assert supplier.api.delete(supplier.path).status == 204
    created(supplier.api.post(ENDPOINTS, {"url": supplier.url}))


def test_an_owner_has_at_most_twenty_endpoints(supplier: Supplier) -> None:
    for _ in range(19):
        created(supplier.api.post(ENDPOINTS, {"url": supplier.url}))
    answer = supplier.api.post(ENDPOINTS, {"url": supplier.url})
    assert (answer.status, answer.code) == (409, "too_many_endpoints")


def test_a_change_of_address_is_judged_like_a_new_one(supplier: Supplier) -> None:
    for url in ("https://169.254.169.254/", "http://supplier.example/hook", "ftp://1.1.1.1/"):
        answer = supplier.api.patch(supplier.path, {"url": url})
        assert (answer.status, answer.code) == (422, "address_refused")
    assert supplier.state()["url"] == supplier.url
    assert supplier.api.patch(supplier.path, {"status": "asleep"}).status == 422
    assert supplier.api.patch(supplier.path, {"secret": "mine"}).status == 422


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    ask = socket.getaddrinfo

    def resolve(host: Any, port: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if host != "supplier.example":
            return ask(host, port, *args, **kwargs)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def test_a_name_is_judged_by_every_address_it_has(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def add() -> Answer:
        return world.operator.post(ENDPOINTS, {"url": "https://supplier.example/hook"})

    resolve_to(monkeypatch, "93.184.215.14")
    assert add().status == 201
    resolve_to(monkeypatch, "93.184.215.14", "10.0.0.8")
    refused = add()
    assert (refused.status, refused.code) == (422, "address_refused")
    assert "10.0.0.8" not in refused.text
    resolve_to(monkeypatch, "169.254.169.254")
    assert add().code == "address_refused"


def test_a_name_that_points_elsewhere_later_is_not_called(
    supplier: Supplier, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, "93.184.215.14")
    changed = supplier.api.patch(supplier.path, {"url": "https://supplier.example/hook"})
    assert changed.status == 200
    resolve_to(monkeypatch, "127.0.0.1")
    supplier.order()
    (attempt,) = supplier.delivery()["attempts"]
    assert attempt["status_code"] is None
    assert "not public" in attempt["error"]
    assert supplier.received == []


def test_loopback_is_refused_where_the_stage_does_not_allow_it(issuer: Issuer) -> None:
    with new_world(issuer, ALLOW_LOOPBACK_WEBHOOKS="0") as world:
        answer = world.operator.post(ENDPOINTS, {"url": "http://127.0.0.1:8080/hook"})
        assert (answer.status, answer.code) == (422, "address_refused")


class Platform:
    """The platform's own endpoint."""

    def __init__(self, world: World, server: HTTPServer) -> None:
        self.received: list[Json] = []
        made = created(world.operator.post(ENDPOINTS, {"url": server.url_for("/platform")}))
        self.secret = made["secret"]
        server.expect_request("/platform").respond_with_handler(self._take)

    def _take(self, request: Request) -> Response:
        headers = request.headers
        assert headers["webhook-signature"] == signature(self.secret, request)
        self.received.append(json.loads(request.get_data()))
        return Response(status=200)

    def told(self, event_type: EventType) -> Json:
        (data,) = (each["data"] for each in self.received if each["type"] == event_type)
        return data


def test_the_platforms_own_endpoints_hear_of_everything_else(
    world: World, server: HTTPServer, time: Clock
) -> None:
    platform = Platform(world, server)
    sale = world.sale()
    delivered = world.delivered_order(sale, quantity=2)
    unpaid = world.place(sale)
    world.pay(unpaid, amount=1, reference="ch_wrong")
    refund_id = world.messages("REFUND_EXECUTE")[0]["subject"]
    world.provider_event("refund.failed", {"refund_id": refund_id})
    back = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}], "reason": "broken"}
    created(world.operator.post(f"/v1/orders/{delivered['id']}/refunds", back))
    request = created(world.customer().post(f"/v1/orders/{delivered['id']}/after-sales", back))
    decide = f"/v1/after-sales/{request['id']}/decide"
    assert world.operator.post(decide, {"refund": False, "note": "sold as seen"}).status == 200
    time.move_on(days=9)
    invoke("campaign_close")
    day = clock.day_before(clock.now().date()).isoformat()
    world.operator.post("/v1/settlement-runs", {"business_date": day})
    world.work()
    types = {each["type"] for each in platform.received}
    assert types == {
        "order.paid",
        "order.refunded",
        "refund.failed",
        "campaign.closed",
        "settlement.completed",
        "after_sales.requested",
        "after_sales.decided",
        "case.opened",
    }
    paid = platform.told("order.paid")
    assert (paid["order_id"], paid["total"], paid["currency"]) == (delivered["id"], 2000, "EUR")
    assert platform.told("order.refunded")["amount"] == 1000
    failed = platform.told("refund.failed")
    assert (failed["refund_id"], failed["order_id"]) == (refund_id, unpaid["id"])
    assert platform.told("campaign.closed")["campaign_id"] == sale.campaign_id
    completed = platform.told("settlement.completed")
    assert (completed["run_id"], completed["leaders_settled"]) == (f"run_{day}", 1)
    assert completed["totals"] == [{"currency": "EUR", "amount": 100}]
    for event_type in ("after_sales.requested", "after_sales.decided"):
        told = platform.told(event_type)
        assert (told["after_sales_id"], told["order_id"]) == (request["id"], delivered["id"])
        assert told["lines"] == back["lines"]
    opened = [each["data"] for each in platform.received if each["type"] == "case.opened"]
    assert {each["kind"] for each in opened} == {"wrong_amount", "refund_failed"}
    assert {each["case_id"] for each in opened} == {each["id"] for each in cases(world)}


def test_the_platform_hears_when_an_endpoint_is_disabled(world: World, server: HTTPServer) -> None:
    platform, supplier = Platform(world, server), Supplier(world, server)
    supplier.answers(410)
    supplier.ping()
    assert platform.told("case.opened")["kind"] == "endpoint_disabled"


def test_suppliers_hear_nothing_of_what_is_the_platforms(world: World, server: HTTPServer) -> None:
    supplier = Supplier(world, server)
    order = supplier.order()
    world.pay(order, reference="ch_again")
    world.work()
    assert [each["type"] for each in supplier.bodies] == ["dispatch.created"]


def test_deliveries_and_endpoints_that_are_not_there_are_not_found(world: World) -> None:
    operator: Api = world.operator
    assert operator.get(f"{DELIVERIES}/whd_0").code == "not_found"
    assert operator.post(f"{DELIVERIES}/whd_0/replay").code == "not_found"
    assert operator.post(f"{ENDPOINTS}/whe_0/test").code == "not_found"
    assert operator.post(f"{ENDPOINTS}/whe_0/rotate-secret").code == "not_found"
    assert operator.patch(f"{ENDPOINTS}/whe_0", {}).code == "not_found"
    assert operator.delete(f"{ENDPOINTS}/whe_0").code == "not_found"


def test_an_order_of_two_suppliers_is_told_to_each_about_its_own(
    world: World, server: HTTPServer
) -> None:
    first, second = Supplier(world, server), Supplier(world, server, "/other")
    sku_ids = [*first.sale.sku_ids, *second.sale.sku_ids]
    campaign = world.add_campaign(sku_ids, [first.sale.leader_id])
    world.paid_order(Sale("", first.sale.leader_id, campaign["id"], "", sku_ids))
    for supplier in (first, second):
        (said,) = supplier.bodies
        assert [line["sku_id"] for line in said["data"]["lines"]] == supplier.sale.sku_ids


def test_deliveries_are_listed_by_endpoint_and_status(
    supplier: Supplier, server: HTTPServer
) -> None:
    other = Listener(server, supplier.api)
    supplier.answers(503)
    supplier.order()
    failing, heard = supplier.endpoint["id"], other.path.rpartition("/")[2]

    def listed(**asked: str) -> list[tuple[str, str]]:
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        items = supplier.api.get(f"{DELIVERIES}?{query}").json["items"]
        return [(each["endpoint_id"], each["status"]) for each in items]

    assert listed(endpoint_id=failing) == [(failing, "pending")]
    assert listed(status="succeeded") == [(heard, "succeeded")]
    assert listed(endpoint_id=failing, status="succeeded") == []
    assert len(listed(limit="100")) == 2
    assert supplier.api.get(f"{DELIVERIES}?status=lost").status == 422
