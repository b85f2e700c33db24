"""Logs and metrics of a whole journey: every id to follow it by, and nobody's secrets."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from chalicelib.platform import log
from tests.functional.conftest import Clock
from tests.support.lambdas import invoke
from tests.support.payouts import approve, make, pay_from_an_account, payouts_of, send, tell
from tests.support.world import Api, Json, World, created

PERSON = {
    "name": "Wilhelmina Featherstonehaugh",
    "phone": "+49 170 5558812",
    "line1": "Quittenweg 77",
    "line2": "Hinterhaus",
    "city": "Buxtehude",
    "region": "Niedersachsen",
    "postal_code": "21614",
    "country": "DE",
}
NOTE = "leave it with grandmother"
CLAIM = "the eggs hatched on the tram"
PHOTO = "https://photos.example/wilhelmina/chicks.jpg"
RESPONSE = "she showed me the chicks"
LEADER = {
    "name": "Ottokar Lindwurm",
    "community": "Zauberwald",
    "pickup_point": {
        "line1": "Drosselgasse 3",
        "city": "Posemuckel",
        "postal_code": "99998",
        "country": "DE",
    },
    "currency": "EUR",
}
SUPPLIER = {"name": "Hexenhof GmbH", "email": "gretel@hexenhof.example", "currency": "EUR"}

ACCOUNT = {"holder": "Rumpelstilzchen", "iban": "DE89370400440532013000", "bic": "COBADEFFXXX"}
MISTYPED = "DE88370400440532013000"


class Journey:
    """One of everything that the API does, good and bad, with people of memorable names."""

    def __init__(self, world: World, server: HTTPServer) -> None:
        self.world = world
        self.secrets: list[str] = []
        self.failing = True
        server.expect_request("/hook").respond_with_handler(self._hear)
        self.leader_id = created(world.operator.post("/v1/leaders", LEADER))["id"]
        self.supplier_id = created(world.operator.post("/v1/suppliers", SUPPLIER))["id"]
        keys = f"/v1/suppliers/{self.supplier_id}/api-keys"
        api_key = created(world.operator.post(keys))["key"]
        self.supplier = Api(world.gateway, api_key)
        hook = {"url": server.url_for("/hook")}
        endpoint = created(self.supplier.post("/v1/webhook-endpoints", hook))
        rotated = self.supplier.post(f"/v1/webhook-endpoints/{endpoint['id']}/rotate-secret").json
        platform = created(world.operator.post("/v1/webhook-endpoints", hook))
        self.secrets += [api_key, endpoint["secret"], rotated["secret"], platform["secret"]]
        self.customer = world.customer("cus_wilhelmina")
        self.leader = world.leader(self.leader_id)
        people = (world.operator, self.customer, self.leader)
        self.secrets += [each.credentials or "" for each in people]

    def _hear(self, request: Request) -> Response:
        self.secrets.append(request.headers["webhook-signature"])
        self.failing = not self.failing
        return Response(status=200 if self.failing else 500)

    def run(self, time: Clock) -> None:
        world = self.world
        product = world.add_product(self.supplier_id)
        self.sku_id = product["skus"][0]["id"]
        world.set_stock(self.sku_id, 10)
        self.campaign_id = world.add_campaign([self.sku_id], [self.leader_id], limit=9)["id"]
        self.order = self.place()
        world.pay(self.order)
        world.work()
        self.dispatch_id = world.order(self.order["id"])["dispatches"][0]["id"]
        for verb, body in (
            ("accept", {}),
            ("ship", {"carrier": "DHL", "tracking_number": "JD0140"}),
            ("deliver", {}),
        ):
            assert (
                self.supplier.post(f"/v1/dispatches/{self.dispatch_id}/{verb}", body).status == 200
            )
        line = {"sku_id": self.sku_id, "quantity": 1}
        refund = {"lines": [line], "reason": "broken on the way"}
        created(world.operator.post(f"/v1/orders/{self.order['id']}/refunds", refund))
        collected = self.place(payment_method="leader_collect")
        money = {"amount": 2000, "reference": "cash from Wilhelmina"}
        created(self.leader.post(f"/v1/orders/{collected['id']}/payments", money))
        remittances = f"/v1/leaders/{self.leader_id}/remittances"
        remitted = created(world.operator.post(remittances, {**money, "amount": 500}))
        why = {"reason": "It was not from Wilhelmina"}
        world.operator.post(f"{remittances}/{remitted['id']}/reverse", why)
        world.operator.post(f"/v1/orders/{collected['id']}/cancel", {"reason": "moved house"})
        self.after_sales()
        self.misfortunes()
        world.work()
        time.move_on(days=9)
        for sweep in (
            "after_sales_sweep",
            "order_expire",
            "refund_sweep",
            "dispatch_clocks",
            "campaign_close",
            "webhook_sweep",
            "outbox_sweep",
        ):
            invoke(sweep)
        invoke("settlement_start")
        world.work()
        self.payouts()

    def payouts(self) -> None:
        """The supplier is paid to its account; the leader has mistyped its own."""
        world, of_leader = self.world, f"/v1/leaders/{self.leader_id}/payout-account"
        wrong = {**ACCOUNT, "iban": MISTYPED}
        assert self.leader.put(of_leader, wrong).status == 422
        of_supplier = f"/v1/suppliers/{self.supplier_id}/payout-account"
        assert self.supplier.put(of_supplier, ACCOUNT).status == 200
        batch = make(world, kind="suppliers", method="bank_file")
        assert approve(world, batch).status == 200
        assert send(world, batch).status == 200
        file = world.operator.get(f"/v1/payout-batches/{batch['id']}/file?format=csv")
        assert ACCOUNT["iban"] in file.text
        (payout,) = payouts_of(world, batch)
        assert tell(world, payout, "paid", "transfer to Gretel").status == 200
        self.payout_id = payout["id"]

    def after_sales(self) -> None:
        """One request of the other unit, which is left for the clock to run out on."""
        line = {"sku_id": self.sku_id, "quantity": 1}
        body = {"lines": [line], "reason": CLAIM, "photos": [PHOTO]}
        path = f"/v1/orders/{self.order['id']}/after-sales"
        request = created(self.customer.post(path, body))
        respond = f"/v1/after-sales/{request['id']}/respond"
        assert self.leader.post(respond, {"accept": True, "note": RESPONSE}).status == 200
        assert self.leader.post(respond, {"accept": False, "note": RESPONSE}).status == 409
        self.request_id = request["id"]

    def place(self, **changes: Any) -> Json:
        return created(self.customer.post("/v1/orders", self.body(**changes)))

    def body(self, **changes: Any) -> Json:
        usual = {
            "campaign_id": self.campaign_id,
            "leader_id": self.leader_id,
            "lines": [{"sku_id": self.sku_id, "quantity": 2}],
            "ship_to": PERSON,
            "payment_method": "card",
            "note": NOTE,
        }
        return {**usual, **changes}

    def misfortunes(self) -> None:
        """What is refused must not be written down either."""
        world, many = self.world, [{"sku_id": self.sku_id, "quantity": 9}]
        statuses = [
            self.customer.post("/v1/orders", self.body(lines=many)).status,
            self.customer.post("/v1/orders", self.body(ship_to={**PERSON, "phone": "x"})).status,
            self.customer.post("/v1/orders", b'{"ship_to": ').status,
            world.anyone.get("/v1/orders", Authorization=f"Bearer {self.secrets[0]}x").status,
            world.pay(self.order, amount=1, reference="ch_wrong").status,
            world.provider_event("payment.succeeded", {"payment_id": PERSON["name"]}).status,
        ]
        assert statuses == [409, 422, 400, 401, 200, 400]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("chalicelib.ordering.placing.pricing.price", self.fail)
            assert self.customer.post("/v1/orders", self.body()).status == 500

    def fail(self, *_: object, **__: object) -> None:
        raise ValueError(f"{PERSON} and {self.secrets}")


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What the application logs, as it would be on standard output."""
    text = io.StringIO()
    handlers = [h for h in log.logger._logger.handlers if isinstance(h, logging.StreamHandler)]
    assert handlers
    before = [handler.stream for handler in handlers]
    for handler in handlers:
        handler.stream = text
    yield text
    for handler, stream in zip(handlers, before, strict=True):
        handler.stream = stream


def lines_of(text: str) -> list[Json]:
    """Each line is one JSON object."""
    return [json.loads(line) for line in text.splitlines()]


def test_the_log_of_a_journey_tells_ids_and_no_secrets(
    logged: io.StringIO,
    capsys: pytest.CaptureFixture[str],
    world: World,
    server: HTTPServer,
    time: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pay_from_an_account(monkeypatch)
    journey = Journey(world, server)
    journey.run(time)
    text = logged.getvalue() + "".join(capsys.readouterr())
    lines = lines_of(text)
    check_no_secrets(text, journey)
    check_requests(lines, journey)
    check_workers(lines, journey)
    check_faults(lines)
    check_metrics(lines)


def check_no_secrets(text: str, journey: Journey) -> None:
    pickup = LEADER["pickup_point"]
    assert isinstance(pickup, dict)
    private = [
        *(value for name, value in PERSON.items() if name != "country"),
        *PERSON["name"].split(),
        NOTE,
        CLAIM,
        PHOTO,
        RESPONSE,
        "cash from Wilhelmina",
        LEADER["name"],
        *(value for name, value in pickup.items() if name != "country"),
        SUPPLIER["name"],
        SUPPLIER["email"],
        *ACCOUNT.values(),
        ACCOUNT["iban"][4:],
        MISTYPED,
        "transfer to Gretel",
        "Bearer",
        "tsk_",
        "whsec_",
        "-for-tests-only",
    ]
    assert [each for each in private if str(each) in text] == []
    parts = [part for each in journey.secrets for part in each.split(".") if part]
    assert [each for each in (*journey.secrets, *parts) if each in text] == []


def check_requests(lines: list[Json], journey: Journey) -> None:
    requests = [each for each in lines if each.get("message") == "request"]
    assert len(requests) > 20
    for each in requests:
        assert {"request_id", "route", "status", "duration_ms", "timestamp", "level"} <= set(each)
    placed = [r for r in requests if (r["route"], r["status"]) == ("POST /v1/orders", 201)]
    assert journey.order["id"] in {each["order_id"] for each in placed}
    moved = [r for r in requests if r["route"].startswith("POST /v1/dispatches/{id}/")]
    assert {each["dispatch_id"] for each in moved} == {journey.dispatch_id}
    assert {each["order_id"] for each in moved} == {journey.order["id"]}
    refunded = [r for r in requests if r["route"] == "POST /v1/orders/{id}/refunds"]
    assert {each["order_id"] for each in refunded} == {journey.order["id"]}
    asked = [r for r in requests if r["route"] == "POST /v1/after-sales/{id}/respond"]
    assert {each["after_sales_id"] for each in asked} == {journey.request_id}
    assert {each["order_id"] for each in asked} == {journey.order["id"]}
    told = [r for r in requests if r["route"] == "POST /v1/payouts/{id}/result"]
    assert {each["payout_id"] for each in told} == {journey.payout_id}
    paid = [r for r in requests if r["route"].startswith("POST /v1/payment-events")]
    assert journey.order["id"] in {each.get("order_id") for each in paid}


def check_workers(lines: list[Json], journey: Journey) -> None:
    settled = next(each for each in lines if each.get("message") == "refund settled")
    assert {"worker", "message_id", "refund_id", "order_id"} <= set(settled)
    assert settled["order_id"].startswith("ord_")
    done = [each for each in lines if each.get("message") == "message done"]
    assert journey.order["id"] in {
        each["order_id"] for each in done if each["worker"] == "dispatch_create"
    }
    attempted = [each for each in lines if each.get("message") == "webhook attempted"]
    assert all({"delivery_id", "outcome"} <= set(each) for each in attempted)
    assert journey.dispatch_id in {each.get("dispatch_id") for each in attempted}


def check_faults(lines: list[Json]) -> None:
    (fault,) = [each for each in lines if each.get("message") == "request failed"]
    assert (fault["level"], fault["failure"]) == ("ERROR", "ValueError")
    assert any("placing.py" in frame for frame in fault["trace"])
    assert fault["request_id"]


def check_metrics(lines: list[Json]) -> None:
    counted = {
        metric["Name"]
        for each in lines
        if "_aws" in each
        for directive in each["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    }
    assert {
        "OrdersPlaced",
        "OrdersPaid",
        "ReservationsLost",
        "WebhookAttempts",
        "OutboxLag",
        "SettledAmount",
    } <= counted
    outcomes = {each["outcome"] for each in lines if "WebhookAttempts" in each}
    assert {"succeeded", "failed"} <= outcomes
    assert next(each for each in lines if "SettledAmount" in each)["SettledAmount"] == [100.0]
