"""Tuan as a test sees it: callers of each role, its workers, and things to sell."""

import base64
import itertools
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook

from chalicelib.kernel import clock
from tests.support.events import sqs_event
from tests.support.gateway import Answer, Gateway
from tests.support.granted import as_function, running_as

ISSUER, AUDIENCE, KEY_ID = "https://issuer.test", "tuan-test", "test-1"
Json = Any


class Issuer:
    """An OpenID Connect issuer of test tokens, with its JWKS on loopback."""

    def __init__(self, server: HTTPServer) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        jwks = {"keys": [{**public, "kid": KEY_ID, "use": "sig", "alg": "ES256"}]}
        server.expect_request("/jwks.json").respond_with_json(jwks)
        self.settings = {
            "JWT_ISSUER": ISSUER,
            "JWT_AUDIENCE": AUDIENCE,
            "JWT_JWKS_URL": server.url_for("/jwks.json"),
        }

    def token(self, role: str, sub: str, **claims: Any) -> str:
        said = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": sub,
            "role": role,
            "exp": int(time.time()) + 3600,
        }
        return jwt.encode({**said, **claims}, self.key, algorithm="ES256", headers={"kid": KEY_ID})


@dataclass
class Api:
    """One caller of the API. `post` sends a new Idempotency-Key unless one is given."""

    gateway: Gateway
    credentials: str | None = None

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, None, headers)

    def post(
        self, path: str, body: Json = None, *, key: str | None = None, **headers: str
    ) -> Answer:
        chosen = key or uuid.uuid4().hex
        return self.send("POST", path, body, {"Idempotency-Key": chosen, **headers})

    def put(self, path: str, body: Json, **headers: str) -> Answer:
        return self.send("PUT", path, body, headers)

    def patch(self, path: str, body: Json, **headers: str) -> Answer:
        return self.send("PATCH", path, body, headers)

    def delete(self, path: str) -> Answer:
        return self.send("DELETE", path, None, {})

    def send(self, method: str, path: str, body: Json, headers: Mapping[str, str]) -> Answer:
        raw = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        sent = {"Content-Type": "application/json", **headers}
        if self.credentials:
            sent["Authorization"] = f"Bearer {self.credentials}"
        return self.gateway.request(method, path, sent, raw)


@dataclass
class Sale:
    """A supplier's SKUs on offer in a leader's community."""

    supplier_id: str
    leader_id: str
    campaign_id: str
    product_id: str
    sku_ids: list[str]


class World:
    """A cloud, the app on it, and short words for what most tests begin with."""

    def __init__(self, gateway: Gateway, issuer: Issuer, environment: Mapping[str, str]) -> None:
        self.gateway, self.issuer, self.environment = gateway, issuer, environment
        self.operator = self.caller("operator", "op_test")
        self.anyone = Api(gateway)

    def caller(self, role: str, sub: str) -> Api:
        return Api(self.gateway, self.issuer.token(role, sub))

    def customer(self, sub: str = "cus_alice") -> Api:
        return self.caller("customer", sub)

    def leader(self, leader_id: str) -> Api:
        return self.caller("leader", leader_id)

    def supplier(self, supplier_id: str) -> Api:
        key = created(self.operator.post(f"/v1/suppliers/{supplier_id}/api-keys"))["key"]
        return Api(self.gateway, key)

    def add_supplier(self, currency: str = "EUR") -> str:
        body = {"name": "Green Farm", "email": "orders@green.example", "currency": currency}
        return str(created(self.operator.post("/v1/suppliers", body))["id"])

    def add_leader(self, currency: str = "EUR") -> str:
        point = {"line1": "1 Main St", "city": "Berlin", "postal_code": "10115", "country": "DE"}
        body = {
            "name": "Lena",
            "community": "North",
            "pickup_point": point,
            "currency": currency,
        }
        return str(created(self.operator.post("/v1/leaders", body))["id"])

    def add_product(
        self, supplier_id: str, skus: int = 1, cost: int = 700, currency: str = "EUR"
    ) -> Json:
        listed = [
            {"title": f"Box {n}", "supplier_sku": f"BX-{n}", "list_price": 1200, "cost": cost}
            for n in range(skus)
        ]
        body = {
            "supplier_id": supplier_id,
            "title": "Eggs",
            "currency": currency,
            "skus": listed,
        }
        return created(self.operator.post("/v1/products", body))

    def set_stock(self, sku_id: str, on_hand: int) -> None:
        assert self.operator.put(f"/v1/skus/{sku_id}/stock", {"on_hand": on_hand}).status == 200

    def stock(self, sku_id: str) -> Json:
        return self.operator.get(f"/v1/skus/{sku_id}/stock").json

    def add_campaign(
        self, sku_ids: list[str], leader_ids: list[str] | None = None, **terms: Any
    ) -> Json:
        return created(self.try_campaign(sku_ids, leader_ids, **terms))

    def try_campaign(
        self,
        sku_ids: list[str],
        leader_ids: list[str] | None = None,
        *,
        price: int = 1000,
        basis: str = "sales",
        rate_bps: int = 1000,
        limit: int | None = None,
        open_for: timedelta = timedelta(days=2),
        target: Json = None,
        max_orders: int | None = None,
        currency: str = "EUR",
        **terms: Any,
    ) -> Answer:
        """`terms` are further fields of every offer."""
        offers = [
            {
                "sku_id": sku_id,
                "price": price,
                "commission": {"basis": basis, "rate_bps": rate_bps},
                "limit_per_customer": limit,
                **terms,
            }
            for sku_id in sku_ids
        ]
        now = clock.now()
        body = {
            "title": "Today",
            "opens_at": clock.to_text(now - timedelta(minutes=1)),
            "closes_at": clock.to_text(now + open_for),
            "currency": currency,
            "offers": offers,
            "leader_ids": leader_ids,
            "target": target,
            "max_orders": max_orders,
        }
        return self.operator.post("/v1/campaigns", body)

    def sale(
        self, *, skus: int = 1, stock: int = 100, leader_id: str | None = None, **terms: Any
    ) -> Sale:
        """One supplier's SKUs, in stock, offered to one leader's community."""
        supplier_id = self.add_supplier()
        leader = leader_id or self.add_leader()
        product = self.add_product(supplier_id, skus)
        sku_ids = [sku["id"] for sku in product["skus"]]
        for sku_id in sku_ids:
            self.set_stock(sku_id, stock)
        campaign = self.add_campaign(sku_ids, [leader], **terms)
        return Sale(supplier_id, leader, campaign["id"], product["id"], sku_ids)

    def order_body(self, sale: Sale, quantity: int = 1, **changes: Any) -> Json:
        body = {
            "campaign_id": sale.campaign_id,
            "leader_id": sale.leader_id,
            "lines": [{"sku_id": sku_id, "quantity": quantity} for sku_id in sale.sku_ids],
            "ship_to": {
                "name": "Alice Doe",
                "phone": "+49 30 1234567",
                "line1": "2 Side St",
                "city": "Berlin",
                "postal_code": "10117",
                "country": "DE",
            },
            "payment_method": "card",
        }
        return {**body, **changes}

    def place(
        self, sale: Sale, customer: Api | None = None, quantity: int = 1, **changes: Any
    ) -> Json:
        """An order as it is answered when it is placed."""
        caller = customer or self.customer()
        return created(caller.post("/v1/orders", self.order_body(sale, quantity, **changes)))

    def pay(self, order: Json, **changes: Any) -> Answer:
        """The provider's signed event that an order's payment has succeeded."""
        data = {
            "payment_id": order["payment"]["id"],
            "amount": order["total"],
            "currency": order["currency"],
            "reference": f"ch_{order['id']}",
        }
        return self.provider_event("payment.succeeded", {**data, **changes})

    def provider_event(self, kind: str, data: Json, *, sent_at: float | None = None) -> Answer:
        event_id = f"evt_{base64.b32encode(json.dumps(data).encode()).decode()[:20]}"
        body = json.dumps({"id": event_id, "type": kind, "data": data})
        return self.anyone.send(
            "POST",
            "/v1/payment-events/local",
            body.encode(),
            self.signed(event_id, body, sent_at or time.time()),
        )

    def signed(self, event_id: str, body: str, at: float) -> dict[str, str]:
        instant = clock.from_text("1970-01-01T00:00:00.000Z") + timedelta(seconds=int(at))
        with running_as(None):
            secret = boto3.client("secretsmanager").get_secret_value(
                SecretId=self.environment["LOCAL_PROVIDER_SECRET"]
            )["SecretString"]
        signature = Webhook(secret.encode()).sign(msg_id=event_id, timestamp=instant, data=body)
        return {
            "webhook-id": event_id,
            "webhook-timestamp": str(int(at)),
            "webhook-signature": signature,
        }

    def paid_order(
        self, sale: Sale, customer: Api | None = None, quantity: int = 1, **changes: Any
    ) -> Json:
        """An order that is paid and whose dispatches are made, as it is then."""
        order = self.place(sale, customer, quantity, **changes)
        assert self.pay(order).status == 200
        self.work()
        return self.order(order["id"])

    def order(self, order_id: str) -> Json:
        return self.operator.get(f"/v1/orders/{order_id}").json

    def move(self, dispatch_id: str, *verbs: str) -> Json:
        """Let an operator take a dispatch through some of accept, ship and deliver."""
        bodies = {"ship": {"carrier": "DHL", "tracking_number": "T1"}}
        answer = Answer(0, {}, "{}")
        for verb in verbs:
            answer = self.operator.post(
                f"/v1/dispatches/{dispatch_id}/{verb}", bodies.get(verb, {})
            )
            assert answer.status == 200, answer.text
        return answer.json

    def delivered_order(self, sale: Sale, quantity: int = 1) -> Json:
        order = self.paid_order(sale, quantity=quantity)
        for dispatch in order["dispatches"]:
            self.move(dispatch["id"], "accept", "ship", "deliver")
        return self.order(order["id"])

    def trial_balance(self) -> dict[str, int]:
        """Balances that are not zero, by account; the books must balance."""
        found = self.operator.get("/v1/ledger/trial-balance").json
        assert all(each["balanced"] for each in found["currencies"])
        return {
            account["account"]: account["balance"]
            for each in found["currencies"]
            for account in each["accounts"]
            if account["balance"]
        }

    def messages(self, queue: str) -> list[Json]:
        """Take all messages that wait in a queue, such as `DISPATCH_CREATE`."""
        with running_as(None):
            return list(self._taken(queue))

    def _taken(self, queue: str) -> Iterator[Json]:
        client, url = boto3.client("sqs"), self.environment[f"{queue}_QUEUE"]
        while found := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            entries = [{"Id": m["MessageId"], "ReceiptHandle": m["ReceiptHandle"]} for m in found]
            client.delete_message_batch(QueueUrl=url, Entries=entries)
            yield from (json.loads(message["Body"]) for message in found)

    def work(self) -> None:
        """Let every queue's worker do what waits, until nothing does; none of it may fail."""
        empty_in_a_row, all_workers = 0, workers()
        for queue, worker in itertools.cycle(all_workers.items()):
            empty_in_a_row = 0 if self._work_off(queue, worker) else empty_in_a_row + 1
            if empty_in_a_row == len(all_workers):
                return

    def _work_off(self, queue: str, worker: Any) -> bool:
        waiting = self.messages(queue)
        if waiting:
            answer = worker(sqs_event(*waiting), Context())
            assert answer["batchItemFailures"] == [], (queue, waiting, answer)
        return bool(waiting)


class Context:
    """Lambda's context, as far as the logger asks."""

    function_name = "test"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:test"
    aws_request_id = "request-of-test"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def workers() -> dict[str, Any]:
    """Each queue's worker, as Lambda calls it and held to its role."""
    from chalicelib.dispatch.workers import dispatch_create
    from chalicelib.ordering.workers import campaign_orders
    from chalicelib.payments.workers import refund_execute
    from chalicelib.payouts.workers import payout_page
    from chalicelib.reconciliation.workers import reconcile
    from chalicelib.settlement.workers import settlement_list, settlement_settle
    from chalicelib.simulation.workers import plan_simulate
    from chalicelib.webhooks.workers import (
        webhook_attempt,
        webhook_fan_out,
        webhook_recover,
        webhook_replay,
        webhook_slow,
    )

    found = {
        "DISPATCH_CREATE": dispatch_create,
        "CAMPAIGN_ORDERS": campaign_orders,
        "REFUND_EXECUTE": refund_execute,
        "WEBHOOK_FAN_OUT": webhook_fan_out,
        "WEBHOOK_ATTEMPT": webhook_attempt,
        "WEBHOOK_SLOW": webhook_slow,
        "WEBHOOK_RECOVER": webhook_recover,
        "WEBHOOK_REPLAY": webhook_replay,
        "PLAN_SIMULATE": plan_simulate,
        "SETTLEMENT_LIST": settlement_list,
        "SETTLEMENT_SETTLE": settlement_settle,
        "PAYOUT_PAGE": payout_page,
        "RECONCILE": reconcile,
    }
    return {queue: as_function(queue, worker) for queue, worker in found.items()}


def created(answer: Answer) -> Json:
    assert answer.status == 201, answer.text
    return answer.json
