"""Bad input gets a clear answer and changes nothing: one market, which no case may alter."""

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kernel import clock
from chalicelib.platform.endpoints import ENDPOINTS, Endpoint
from chalicelib.reference.examples import EXAMPLES
from tests.functional.conftest import new_world
from tests.support.gateway import Answer
from tests.support.roles import QUERIES
from tests.support.snapshot import snapshot
from tests.support.world import Api, Issuer, Json, Sale, World, created

KIBIBYTE = 1024


@dataclass
class Market:
    """Things to be wrong about, and all that is stored of them."""

    world: World
    sale: Sale
    order: Json
    paid: Json
    collected: Json
    refund_id: str
    closed_id: str
    scheduled_id: str
    elsewhere: Sale
    everywhere_id: str
    plan_id: str
    plain_plan_id: str
    dollar_leader_id: str
    before: Json = field(default_factory=dict)

    @property
    def alice(self) -> Api:
        return self.world.customer()

    def caller_of(self, endpoint: Endpoint) -> Api:
        """Somebody who may call it: an operator wherever one may."""
        roles = endpoint.roles or ("operator",)
        if "operator" in roles:
            return self.world.operator
        return self.alice if "customer" in roles else self.world.leader(self.sale.leader_id)

    def order_with(self, **changes: Any) -> Answer:
        return self.alice.post("/v1/orders", self.world.order_body(self.sale, **changes))

    def lines(self, *lines: Json) -> Answer:
        return self.order_with(lines=list(lines))

    def address(self, **changes: Any) -> Answer:
        body = self.world.order_body(self.sale)
        return self.order_with(ship_to={**body["ship_to"], **changes})

    def product(self, **sku: Any) -> Answer:
        usual = {"title": "Box", "list_price": 1200, "cost": 700}
        return self.product_with(skus=[{**usual, **sku}])

    def product_with(self, **changes: Any) -> Answer:
        usual = {
            "supplier_id": self.sale.supplier_id,
            "title": "Eggs",
            "currency": "EUR",
            "skus": [{"title": "Box", "list_price": 1200, "cost": 700}],
        }
        return self.world.operator.post("/v1/products", {**usual, **changes})

    def offer(self, **changes: Any) -> Answer:
        usual = {
            "sku_id": self.sale.sku_ids[0],
            "price": 1000,
            "commission": {"basis": "sales", "rate_bps": 1000},
        }
        return self.campaign(offers=[{**usual, **changes}])

    def campaign(self, **changes: Any) -> Answer:
        now = clock.now()
        usual = {
            "title": "Today",
            "opens_at": clock.to_text(now),
            "closes_at": clock.to_text(now + timedelta(days=1)),
            "currency": "EUR",
            "offers": [
                {
                    "sku_id": self.sale.sku_ids[0],
                    "price": 1000,
                    "commission": {"basis": "sales", "rate_bps": 1000},
                }
            ],
        }
        return self.world.operator.post("/v1/campaigns", {**usual, **changes})

    def stock(self, **body: Any) -> Answer:
        return self.world.operator.put(f"/v1/skus/{self.sale.sku_ids[0]}/stock", body)

    def collect(self, amount: Any) -> Answer:
        path = f"/v1/orders/{self.collected['id']}/payments"
        return self.world.operator.post(path, {"amount": amount, "reference": "cash 1"})

    def remit(self, amount: Any = 500, reference: Any = "R1") -> Answer:
        path = f"/v1/leaders/{self.sale.leader_id}/remittances"
        return self.world.operator.post(path, {"amount": amount, "reference": reference})

    def reverse(self, **body: Any) -> Answer:
        path = f"/v1/leaders/{self.sale.leader_id}/remittances/rem_0/reverse"
        return self.world.operator.post(path, body)

    def credit_limit(self, **body: Any) -> Answer:
        return self.world.operator.put(f"/v1/leaders/{self.sale.leader_id}/credit-limit", body)

    def payout_batch(self, **changes: Any) -> Answer:
        usual = {"currency": "EUR", "kind": "leaders", "method": "manual"}
        return self.world.operator.post("/v1/payout-batches", {**usual, **changes})

    def statement(self, query: str, raw: bytes) -> Answer:
        headers = {"Content-Type": "application/octet-stream"}
        return self.world.operator.send("POST", f"/v1/reconciliations?{query}", raw, headers)

    def payout_account(self, **body: Any) -> Answer:
        path = f"/v1/leaders/{self.sale.leader_id}/payout-account"
        return self.world.operator.put(path, {"holder": "Lena Wolf", **body})

    def version(self, *rules: Json, of: str | None = None, **changes: Any) -> Answer:
        usual = {"effective_from": "2030-01-01", "rules": list(rules) or [RULE]}
        path = f"/v1/commission-plans/{of or self.plan_id}/versions"
        return self.world.operator.post(path, {**usual, **changes})

    def rule(self, **changes: Any) -> Answer:
        return self.version({**RULE, **changes})

    def plan_of_leader(self, plan_id: Any, leader_id: str | None = None) -> Answer:
        path = f"/v1/leaders/{leader_id or self.sale.leader_id}/commission-plan"
        return self.world.operator.put(path, {"plan_id": plan_id})

    def edit_leader(self, **changes: Any) -> Answer:
        return self.world.operator.patch(f"/v1/leaders/{self.sale.leader_id}", changes)

    def leader_price(self, **changes: Any) -> Answer:
        leader_id = changes.pop("leader_id", self.sale.leader_id)
        usual = {
            "campaign_id": self.sale.campaign_id,
            "sku_id": self.sale.sku_ids[0],
            "price": 1100,
        }
        path = f"/v1/leaders/{leader_id}/prices"
        return self.world.operator.put(path, {**usual, **changes})

    def refund(self, *lines: Json, reason: Any = "broken") -> Answer:
        path = f"/v1/orders/{self.paid['id']}/refunds"
        return self.world.operator.post(path, {"lines": list(lines), "reason": reason})

    def leader(self, latitude: float) -> Answer:
        body = EXAMPLES["RegisterLeader"]
        point = {**body["pickup_point"], "latitude": latitude}
        return self.world.operator.post("/v1/leaders", {**body, "pickup_point": point})

    def endpoint(self, url: Any) -> Answer:
        return self.world.operator.post("/v1/webhook-endpoints", {"url": url})

    def raw(self, body: bytes) -> Answer:
        return self.alice.post("/v1/orders", body)

    def event(self, headers: dict[str, str], body: bytes) -> Answer:
        return self.world.anyone.send("POST", "/v1/payment-events/local", body, headers)


def closed(world: World, sku_ids: list[str]) -> str:
    """A campaign that was made an hour ago and closed since."""
    now = clock.now
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: now() - timedelta(hours=1))
        return str(world.add_campaign(sku_ids, open_for=timedelta(minutes=30))["id"])


RULE: Json = {"match": {}, "basis": "sales", "rate_bps": 1000}


def a_plan(world: World, **said: Any) -> str:
    """A plan with a version that is in force."""
    plan_id = created(world.operator.post("/v1/commission-plans", {"name": "Shops", **said}))["id"]
    body = {"effective_from": clock.now().date().isoformat(), "rules": [RULE]}
    created(world.operator.post(f"/v1/commission-plans/{plan_id}/versions", body))
    return str(plan_id)


@pytest.fixture(scope="module")
def market(issuer: Issuer) -> Iterator[Market]:
    with new_world(issuer) as world:
        sale = world.sale(skus=2, limit=90)
        first = sale.sku_ids[:1]
        scheduled = {
            "title": "Tomorrow",
            "opens_at": clock.to_text(clock.now() + timedelta(days=1)),
            "closes_at": clock.to_text(clock.now() + timedelta(days=2)),
            "currency": "EUR",
            "offers": [
                {
                    "sku_id": first[0],
                    "price": 1000,
                    "commission": {"basis": "sales", "rate_bps": 1000},
                }
            ],
        }
        paid = world.paid_order(sale, quantity=2)
        collected = world.place(sale, payment_method="leader_collect")
        refund = created(
            world.operator.post(
                f"/v1/orders/{paid['id']}/refunds",
                {"lines": [{"sku_id": first[0], "quantity": 1}], "reason": "broken"},
            )
        )
        world.work()
        made = Market(
            world=world,
            sale=sale,
            order=world.place(sale),
            paid=paid,
            collected=collected,
            refund_id=refund["id"],
            closed_id=closed(world, first),
            scheduled_id=created(world.operator.post("/v1/campaigns", scheduled))["id"],
            elsewhere=world.sale(),
            everywhere_id=world.add_campaign(first)["id"],
            plan_id=a_plan(world, currency="EUR"),
            plain_plan_id=a_plan(world),
            dollar_leader_id=world.add_leader("USD"),
        )
        made.before = snapshot(world.environment)
        yield made


Call = Callable[[Market], Answer]


@dataclass(frozen=True)
class Bad:
    """A call that must be answered so, and, on a 422, with this field named."""

    call: Call
    status: int
    code: str
    field: str | None = None


def invalid(call: Call, field: str, code: str = "invalid_request") -> Bad:
    return Bad(call, 422, code, field)


def line(market: Market, quantity: Any = 1, sku_id: Any = None) -> Json:
    return {"sku_id": sku_id or market.sale.sku_ids[0], "quantity": quantity}


NOT_JSON: dict[str, bytes] = {
    "an open brace": b"{",
    "cut short": b'{"campaign_id": "cmp_',
    "something behind": b'{"a": 1} x',
    "single quotes": b"{'a': 1}",
    "bytes that are not UTF-8": b'{"a": "\xff\xfe"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "half a surrogate pair": b'{"note": "\\ud800"}',
    "nested without end": b"[" * 100_000,
}

NOT_AN_OBJECT = {
    "a list": b"[]",
    "a text": b'"order"',
    "a number": b"1",
    "null": b"null",
    "nothing": b"",
}

# What is no amount of money anywhere.
NOT_MONEY: dict[str, Any] = {
    "a float": 10.5,
    "a whole float": 10.0,
    "negative": -1,
    "a text": "10",
    "true": True,
    "null": None,
    "a list": [10],
    "more than there is": 10**13,
    "beyond 64 bits": 10**30,
}

NOT_A_QUANTITY: dict[str, Any] = {
    "zero": 0,
    "negative": -1,
    "a thousand million": 10**9,
    "beyond 64 bits": 10**30,
    "a fraction": 1.5,
    "a whole float": 2.0,
    "a text": "2",
    "true": True,
    "null": None,
}

NOT_A_LATITUDE = {"beyond the pole": 90.1, "no number": math.nan, "infinite": math.inf}

NOT_A_NAME: dict[str, str] = {
    "empty": "",
    "only spaces": "   ",
    "too long": "n" * 101,
    "with NUL": "Al\x00ice",
    "with a bell": "Al\x07ice",
    "with a line break": "Alice\nDoe",
    "with a carriage return": "Alice\rDoe",
    "with an escape": "\x1b[31mAlice",
    "with DEL": "Alice\x7f",
    "with a C1 control": "Alice\x9b",
    "that runs backwards": "Alice\u202eeoD",
    "with a line separator": "Alice\u2028Doe",
}

ADDRESS_REFUSED = {
    "http": "http://supplier.example/hook",
    "ftp": "ftp://supplier.example/hook",
    "short": "ftp://x",
    "no scheme": "supplier.example/hook",
    "a file": "file:///etc/passwd",
    "javascript": "javascript:alert(1)",
    "private 10/8": "https://10.0.0.1/hook",
    "private 172.16/12": "https://172.16.0.1/hook",
    "private 192.168/16": "https://192.168.1.1/hook",
    "shared 100.64/10": "https://100.64.0.1/hook",
    "link-local": "https://169.254.1.1/hook",
    "metadata": "https://169.254.169.254/latest/meta-data/",
    "metadata by http": "http://169.254.169.254/latest/meta-data/",
    "metadata as one number": "https://2852039166/hook",
    "metadata in hex": "https://0xa9fea9fe/hook",
    "metadata in octal": "https://0251.0376.0251.0376/hook",
    "metadata of IPv6": "https://[fd00:ec2::254]/hook",
    "NAT64": "https://[64:ff9b::a9fe:a9fe]/hook",
    "local NAT64": "https://[64:ff9b:1::a9fe:a9fe]/hook",
    "6to4": "https://[2002:a9fe:a9fe::]/hook",
    "Teredo": "https://[2001:0:a9fe:a9fe::1]/hook",
    "mapped IPv4": "https://[::ffff:169.254.169.254]/hook",
    "unique local": "https://[fd12:3456:789a::1]/hook",
    "link-local IPv6": "https://[fe80::1]/hook",
    "loopback by https": "https://127.0.0.1/hook",
    "loopback by name": "http://localhost:8080/hook",
    "another loopback": "http://127.0.0.2:8080/hook",
    "loopback without a port": "http://127.0.0.1/hook",
    "loopback of IPv6": "http://[::1]:8080/hook",
    "short loopback": "http://127.1:8080/hook",
    "nowhere": "https://0.0.0.0/hook",
    "multicast": "https://224.0.0.1/hook",
    "broadcast": "https://255.255.255.255/hook",
    "with a password": "https://user:secret@1.1.1.1/hook",
    "another port trick": "http://127.0.0.1:8080@169.254.169.254/hook",
    "with a line break": "https://1.1.1.1/\r\nHost: x",
}

NOT_A_URL: dict[str, Any] = {
    "empty": "",
    "too long": "https://1.1.1.1/" + "a" * 2000,
    "a number": 7,
    "null": None,
}


def each(what: str, wrong: Mapping[str, Any], bad: Callable[[Any], Bad]) -> dict[str, Bad]:
    """A case for each wrong value."""
    return {f"{what}: {name}": bad(value) for name, value in wrong.items()}


BAD: dict[str, Bad] = {
    **each("JSON", NOT_JSON, lambda b: Bad(lambda m: m.raw(b), 400, "malformed_json")),
    **each("body", NOT_AN_OBJECT, lambda b: Bad(lambda m: m.raw(b), 422, "invalid_request")),
    **each(
        "list price",
        NOT_MONEY,
        lambda v: invalid(lambda m: m.product(list_price=v), "skus.0.list_price"),
    ),
    **each("cost", NOT_MONEY, lambda v: invalid(lambda m: m.product(cost=v), "skus.0.cost")),
    **each(
        "fulfilment mode",
        {"empty": "", "in capitals": "Fresh", "of two words": "very fresh", "a number": 7},
        lambda v: invalid(lambda m: m.product(fulfilment_mode=v), "skus.0.fulfilment_mode"),
    ),
    **each("price", NOT_MONEY, lambda v: invalid(lambda m: m.offer(price=v), "offers.0.price")),
    **each("collected", NOT_MONEY, lambda v: invalid(lambda m: m.collect(v), "amount")),
    "price: nothing": invalid(lambda m: m.offer(price=0), "offers.0.price"),
    "collected: nothing": invalid(lambda m: m.collect(0), "amount"),
    "collected: a cent less": invalid(lambda m: m.collect(1999), "amount", "amount_mismatch"),
    "collected: a cent more": invalid(lambda m: m.collect(2001), "amount", "amount_mismatch"),
    **each("remitted", NOT_MONEY, lambda v: invalid(lambda m: m.remit(v), "amount")),
    **each(
        "payout minimum",
        # Null is as if it were not sent.
        {name: value for name, value in NOT_MONEY.items() if value is not None},
        lambda v: invalid(lambda m: m.payout_batch(minimum=v), "minimum"),
    ),
    "payouts in no currency": invalid(lambda m: m.payout_batch(currency="XXX"), "currency"),
    "payouts to nobody": invalid(lambda m: m.payout_batch(kind="customers"), "kind"),
    "payouts by no method": invalid(lambda m: m.payout_batch(method="cheque"), "method"),
    "payouts by a Stripe there is not": invalid(
        lambda m: m.payout_batch(method="stripe"), "method"
    ),
    "payouts with a field too many": invalid(lambda m: m.payout_batch(send=True), "send"),
    "an IBAN with a wrong check digit": invalid(
        lambda m: m.payout_account(iban="DE88370400440532013000"), "iban"
    ),
    "no account at all": invalid(lambda m: m.payout_account(), "stripe_account"),
    **each(
        "a payout batch there is not",
        {verb: verb for verb in ("approve", "send", "cancel")},
        lambda v: Bad(
            lambda m: m.world.operator.post(f"/v1/payout-batches/pob_0/{v}"), 404, "not_found"
        ),
    ),
    "a result of a payout there is not": Bad(
        lambda m: m.world.operator.post(
            "/v1/payouts/pyt_0/result", {"status": "paid", "reference": "B1"}
        ),
        404,
        "not_found",
    ),
    "a result that is none": invalid(
        lambda m: m.world.operator.post(
            "/v1/payouts/pyt_0/result", {"status": "unknown", "reference": "B1"}
        ),
        "status",
    ),
    "a result without a reference": invalid(
        lambda m: m.world.operator.post("/v1/payouts/pyt_0/result", {"status": "paid"}),
        "reference",
    ),
    "a statement of no account": invalid(
        lambda m: m.statement("format=csv", b"date,amount,currency\n"), "account"
    ),
    "a statement in another format": invalid(
        lambda m: m.statement("account=cash:bank&format=mt940", b":20:X"), "format"
    ),
    "a statement that is broken XML": invalid(
        lambda m: m.statement("account=cash:bank", b"<Document><"), "body"
    ),
    "a reconciliation there is not": Bad(
        lambda m: m.world.operator.get("/v1/reconciliations/rec_0"), 404, "not_found"
    ),
    "a difference there is not": Bad(
        lambda m: m.world.operator.post(
            "/v1/reconciliations/rec_0/differences/1/resolve",
            {"resolution": "accept", "note": "as it should be"},
        ),
        404,
        "not_found",
    ),
    "a resolution that is none": invalid(
        lambda m: m.world.operator.post(
            "/v1/reconciliations/rec_0/differences/1/resolve",
            {"resolution": "forget", "note": "never mind"},
        ),
        "resolution",
    ),
    "a difference of nobody": invalid(
        lambda m: m.world.operator.post(
            "/v1/reconciliations/rec_0/differences/1/assign", {"owner": ""}
        ),
        "owner",
    ),
    "remitted: nothing": invalid(lambda m: m.remit(0), "amount"),
    "remitted: more than is held": Bad(lambda m: m.remit(1), 409, "more_than_collected"),
    **each(
        "remitted by",
        {name: text for name, text in NOT_A_NAME.items() if name != "too long"},
        lambda v: invalid(lambda m: m.remit(reference=v), "reference"),
    ),
    "remitted by: too long": invalid(lambda m: m.remit(reference="r" * 129), "reference"),
    **each(
        "reversed because",
        {name: text for name, text in NOT_A_NAME.items() if name != "too long"},
        lambda v: invalid(lambda m: m.reverse(reason=v), "reason"),
    ),
    "reversed because: too long": invalid(lambda m: m.reverse(reason="r" * 301), "reason"),
    "reversed: no reason": invalid(lambda m: m.reverse(), "reason"),
    "reversed in part": invalid(lambda m: m.reverse(reason="typed wrong", amount=1), "amount"),
    "reversed: none there": Bad(lambda m: m.reverse(reason="typed wrong"), 404, "not_found"),
    **each(
        "credit limit",
        {name: wrong for name, wrong in NOT_MONEY.items() if name != "null"},
        lambda v: invalid(lambda m: m.credit_limit(amount=v), "amount"),
    ),
    **each(
        "rate of a plan",
        {"above": 10_001, "below": -1, "fraction": 0.5, "text": "1000", "null": None},
        lambda v: invalid(lambda m: m.rule(rate_bps=v), "rules.0.rate_bps"),
    ),
    **each(
        "cap of a plan",
        {name: wrong for name, wrong in NOT_MONEY.items() if name != "null"} | {"nothing": 0},
        lambda v: invalid(lambda m: m.rule(cap={"day": v}), "rules.0.cap.day"),
    ),
    "plan: without a name": invalid(
        lambda m: m.world.operator.post("/v1/commission-plans", {}), "name"
    ),
    "plan: in no currency": invalid(
        lambda m: m.world.operator.post("/v1/commission-plans", {"name": "x", "currency": "ZZZ"}),
        "currency",
    ),
    "plan: that joining pays": invalid(
        lambda m: m.world.operator.post(
            "/v1/commission-plans", {"name": "x", "membership_fee": 500}
        ),
        "body",
    ),
    "version: of no plan": Bad(lambda m: m.version(of="cpl_none"), 404, "not_found"),
    "version: without rules": invalid(lambda m: m.version(rules=[]), "rules"),
    "version: too many rules": invalid(lambda m: m.version(*[RULE] * 101), "rules"),
    "version: two defaults": invalid(lambda m: m.version(RULE, RULE), "rules.1.match"),
    "version: on no day": invalid(
        lambda m: m.version(effective_from="2026-02-30"), "effective_from"
    ),
    "version: on the day of another": Bad(
        lambda m: m.version(effective_from=clock.now().date().isoformat()), 409, "versions_overlap"
    ),
    "version: before the one in force": Bad(
        lambda m: m.version(effective_from="2020-01-01"), 409, "versions_overlap"
    ),
    "version: a match of something else": invalid(
        lambda m: m.rule(match={"colour": "red"}), "rules.0.match.colour"
    ),
    "version: without a match": invalid(
        lambda m: m.version({"basis": "sales", "rate_bps": 1}), "rules.0.match"
    ),
    "version: of another basis": invalid(lambda m: m.rule(basis="turnover"), "rules.0.basis"),
    "version: a split short of all": invalid(
        lambda m: m.rule(split=[{"role": "promoter", "bps": 9999}]), "rules.0.split"
    ),
    "version: a split of more than all": invalid(
        lambda m: m.rule(split=[{"role": "promoter", "bps": 10000}, {"role": "hub", "bps": 1}]),
        "rules.0.split",
    ),
    "version: a split with one role twice": invalid(
        lambda m: m.rule(split=[{"role": "hub", "bps": 5000}] * 2), "rules.0.split"
    ),
    "version: a split with a role of its own": invalid(
        lambda m: m.rule(split=[{"role": "driver", "bps": 10000}]), "rules.0.split.0.role"
    ),
    "version: a cap below its floor": invalid(
        lambda m: m.rule(cap={"order": 9}, floor={"line": 10}), "rules.0"
    ),
    "version: a floor of no rate": invalid(
        lambda m: m.rule(rate_bps=0, floor={"line": 10}), "rules.0"
    ),
    "version: amounts without a currency": invalid(
        lambda m: m.version({**RULE, "cap": {"line": 5}}, of=m.plain_plan_id), "rules.0"
    ),
    "version: uplines where no law allows them": invalid(
        lambda m: m.version(upline=[{"level": 1, "bps": 1}]), "upline", "upline_not_allowed"
    ),
    "version: a third level": invalid(
        lambda m: m.version(upline=[{"level": 3, "bps": 1}]), "upline.0.level"
    ),
    "version: a level left out": invalid(
        lambda m: m.version(upline=[{"level": 2, "bps": 1}]), "upline"
    ),
    "version: a level of nothing": invalid(
        lambda m: m.version(upline=[{"level": 1, "bps": 0}]), "upline.0.bps"
    ),
    "version: that joining pays": invalid(lambda m: m.rule(joining_fee=100), "rules.0"),
    "default: neither yes nor no": invalid(
        lambda m: m.world.operator.put(f"/v1/commission-plans/{m.plan_id}/default", {}),
        "is_default",
    ),
    "leader's plan: none there": invalid(lambda m: m.plan_of_leader("cpl_none"), "plan_id"),
    "leader's plan: in another currency": invalid(
        lambda m: m.plan_of_leader(m.plan_id, m.dollar_leader_id), "plan_id", "currency_mismatch"
    ),
    "leader's plan: of no leader": Bad(
        lambda m: m.plan_of_leader(m.plan_id, "ldr_none"), 404, "not_found"
    ),
    "leader: nothing to change": invalid(lambda m: m.edit_leader(), "body"),
    "leader: something else": invalid(lambda m: m.edit_leader(name="Lou"), "name"),
    "leader: a hub that is none": invalid(lambda m: m.edit_leader(hub_id="ldr_none"), "hub_id"),
    "leader: its own hub": invalid(lambda m: m.edit_leader(hub_id=m.sale.leader_id), "hub_id"),
    "leader: invited by itself": invalid(
        lambda m: m.edit_leader(invited_by=m.sale.leader_id), "invited_by"
    ),
    "leader: a shop of another currency": invalid(
        lambda m: m.edit_leader(pickup_leader_id=m.dollar_leader_id),
        "pickup_leader_id",
        "currency_mismatch",
    ),
    "offer: without a commission where no plan has one": invalid(
        lambda m: m.campaign(offers=[{"sku_id": m.sale.sku_ids[0], "price": 1000}]),
        "offers.0.commission",
        "no_commission_rule",
    ),
    "credit limit: none given": invalid(lambda m: m.credit_limit(), "amount"),
    "credit limit: with a currency": invalid(
        lambda m: m.credit_limit(amount=1, currency="EUR"), "currency"
    ),
    **each(
        "quantity",
        NOT_A_QUANTITY,
        lambda v: invalid(lambda m: m.lines(line(m, v)), "lines.0.quantity"),
    ),
    **each(
        "refund",
        NOT_A_QUANTITY,
        lambda v: invalid(lambda m: m.refund(line(m, v)), "lines.0.quantity"),
    ),
    "refund: more than is left": invalid(
        lambda m: m.refund(line(m, 2)), "lines.0.quantity", "more_than_is_left"
    ),
    "refund: a SKU that was not ordered": invalid(
        lambda m: m.refund(line(m), line(m, 1, m.elsewhere.sku_ids[0])), "lines.1.sku_id"
    ),
    "refund: one SKU twice": invalid(lambda m: m.refund(line(m), line(m)), "lines"),
    "refund: no lines": invalid(lambda m: m.refund(), "lines"),
    "refund: no reason": invalid(lambda m: m.refund(line(m), reason=""), "reason"),
    "refund: an unpaid order": Bad(
        lambda m: m.world.operator.post(
            f"/v1/orders/{m.order['id']}/refunds", {"lines": [line(m)], "reason": "x"}
        ),
        409,
        "order_not_refundable",
    ),
    "rate: a fraction": invalid(
        lambda m: m.offer(commission={"basis": "sales", "rate_bps": 0.1}),
        "offers.0.commission.rate_bps",
    ),
    "rate: over 100 %": invalid(
        lambda m: m.offer(commission={"basis": "sales", "rate_bps": 10001}),
        "offers.0.commission.rate_bps",
    ),
    "rate: negative": invalid(
        lambda m: m.offer(commission={"basis": "sales", "rate_bps": -1}),
        "offers.0.commission.rate_bps",
    ),
    "basis: unknown": invalid(
        lambda m: m.offer(commission={"basis": "weight", "rate_bps": 1}),
        "offers.0.commission.basis",
    ),
    "floor: above the price": invalid(lambda m: m.offer(floor_price=1001), "offers.0.floor_price"),
    "leader's price: not for its community": Bad(
        lambda m: m.leader_price(leader_id=m.elsewhere.leader_id), 409, "campaign_not_open"
    ),
    "leader's price: of no campaign": invalid(
        lambda m: m.leader_price(campaign_id="cmp_unknown"), "campaign_id"
    ),
    "leader's price: of what is not offered": invalid(
        lambda m: m.leader_price(sku_id=m.elsewhere.sku_ids[0]), "sku_id"
    ),
    "leader's price: below the floor": invalid(
        lambda m: m.leader_price(price=999), "price", "below_floor"
    ),
    "leader's price: more than ten times the offer's": invalid(
        lambda m: m.leader_price(price=10_001), "price", "above_ceiling"
    ),
    **each(
        "leader's price",
        {name: wrong for name, wrong in NOT_MONEY.items() if name != "null"},
        lambda v: invalid(lambda m: m.leader_price(price=v), "price"),
    ),
    "limit: zero": invalid(lambda m: m.offer(limit_per_customer=0), "offers.0.limit_per_customer"),
    "stock: a fraction": invalid(lambda m: m.stock(on_hand=1.5), "on_hand"),
    "stock: negative": invalid(lambda m: m.stock(on_hand=-1), "on_hand"),
    "stock: beyond 64 bits": invalid(lambda m: m.stock(physical=10**30), "physical"),
    "stock: both ways": invalid(lambda m: m.stock(on_hand=1, physical=1), "physical"),
    "stock: neither way": invalid(lambda m: m.stock(), "physical"),
    "stock: below what is reserved": Bad(lambda m: m.stock(on_hand=1), 409, "below_reserved"),
    "SKU: unknown": invalid(
        lambda m: m.lines(line(m), line(m, 1, "sku_unknown")), "lines.1.sku_id"
    ),
    "SKU: not in the campaign": invalid(
        lambda m: m.lines(line(m, 1, m.elsewhere.sku_ids[0])), "lines.0.sku_id"
    ),
    "SKU: no text": invalid(lambda m: m.lines(line(m, 1, 7)), "lines.0.sku_id"),
    "SKU: no identifier": invalid(lambda m: m.lines(line(m, 1, "sku 1/../")), "lines.0.sku_id"),
    "SKU: offered, but unknown": invalid(
        lambda m: m.offer(sku_id="sku_unknown"), "offers.0.sku_id"
    ),
    "campaign: unknown": invalid(lambda m: m.order_with(campaign_id="cmp_unknown"), "campaign_id"),
    "campaign: closed": Bad(
        lambda m: m.order_with(campaign_id=m.closed_id, lines=[line(m)]), 409, "campaign_not_open"
    ),
    "campaign: not open yet": Bad(
        lambda m: m.order_with(campaign_id=m.scheduled_id, lines=[line(m)]),
        409,
        "campaign_not_open",
    ),
    "campaign: not for this leader": Bad(
        lambda m: m.order_with(leader_id=m.elsewhere.leader_id), 409, "campaign_not_open"
    ),
    "leader: unknown": invalid(lambda m: m.order_with(leader_id="ldr_unknown"), "leader_id"),
    "leader: a customer's id": invalid(lambda m: m.order_with(leader_id="cus_alice"), "leader_id"),
    "currency: of the leader": invalid(
        lambda m: m.order_with(
            campaign_id=m.everywhere_id, leader_id=m.dollar_leader_id, lines=[line(m)]
        ),
        "leader_id",
        "currency_mismatch",
    ),
    "currency: of the supplier": invalid(
        lambda m: m.product_with(currency="USD"), "currency", "currency_mismatch"
    ),
    "currency: of the product": invalid(
        lambda m: m.campaign(currency="USD"), "offers.0.sku_id", "currency_mismatch"
    ),
    "currency: of the campaign's leader": invalid(
        lambda m: m.campaign(leader_ids=[m.dollar_leader_id]), "leader_ids.0", "currency_mismatch"
    ),
    "currency: unknown": invalid(lambda m: m.product_with(currency="XYZ"), "currency"),
    "currency: in small letters": invalid(lambda m: m.product_with(currency="eur"), "currency"),
    "out of stock": Bad(
        lambda m: m.order_with(campaign_id=m.everywhere_id, lines=[line(m, 9999)]),
        409,
        "out_of_stock",
    ),
    "over the customer's limit": Bad(lambda m: m.lines(line(m, 91)), 409, "customer_limit_reached"),
    "over the limit with other orders": Bad(
        lambda m: m.lines(line(m, 89)), 409, "customer_limit_reached"
    ),
    "body: over 256 KiB": Bad(
        lambda m: m.order_with(note="n" * 256 * KIBIBYTE), 413, "body_too_large"
    ),
    "body: over 256 KiB of anything": Bad(
        lambda m: m.raw(b" " * (256 * KIBIBYTE + 1)), 413, "body_too_large"
    ),
    "body: over 256 KiB, from a provider": Bad(
        lambda m: m.event({}, b" " * (256 * KIBIBYTE + 1)), 413, "body_too_large"
    ),
    "body: 256 KiB of white space": Bad(
        lambda m: m.raw(b" " * 256 * KIBIBYTE), 400, "malformed_json"
    ),
    "lines: none": invalid(lambda m: m.lines(), "lines"),
    "lines: 51": invalid(lambda m: m.lines(*(line(m, 1, f"sku_{n}") for n in range(51))), "lines"),
    "lines: one SKU twice": invalid(lambda m: m.lines(line(m), line(m)), "lines"),
    **each("name", NOT_A_NAME, lambda v: invalid(lambda m: m.address(name=v), "ship_to.name")),
    **each("title", NOT_A_NAME, lambda v: invalid(lambda m: m.product_with(title=v), "title")),
    "note: too long": invalid(lambda m: m.order_with(note="n" * 2001), "note"),
    "note: with NUL": invalid(lambda m: m.order_with(note="a\x00b"), "note"),
    "phone: words": invalid(lambda m: m.address(phone="call me"), "ship_to.phone"),
    "country: a word": invalid(lambda m: m.address(country="Germany"), "ship_to.country"),
    "city: missing": invalid(lambda m: m.order_with(ship_to={}), "ship_to.city"),
    "payment method: unknown": invalid(
        lambda m: m.order_with(payment_method="cash"), "payment_method"
    ),
    "a field that nobody knows": invalid(lambda m: m.order_with(discount=100), "discount"),
    "a field that nobody knows, further in": invalid(
        lambda m: m.address(planet="Earth"), "ship_to.planet"
    ),
    "leader: unknown to a campaign": invalid(
        lambda m: m.campaign(leader_ids=["ldr_unknown"]), "leader_ids.0"
    ),
    "leaders: none": invalid(lambda m: m.campaign(leader_ids=[]), "leader_ids"),
    "leaders: one twice": invalid(
        lambda m: m.campaign(leader_ids=[m.sale.leader_id] * 2), "leader_ids"
    ),
    "offers: one SKU twice": invalid(
        lambda m: m.campaign(offers=EXAMPLES["CreateCampaign"]["offers"][:1] * 2), "offers"
    ),
    "offers: none": invalid(lambda m: m.campaign(offers=[]), "offers"),
    "closes in the past": invalid(
        lambda m: m.campaign(opens_at="2020-01-01T00:00:00Z", closes_at=clock.to_text(clock.now())),
        "closes_at",
    ),
    "closes before it opens": invalid(
        lambda m: m.campaign(closes_at="2020-01-01T00:00:00Z"), "closes_at"
    ),
    "an instant without a zone": invalid(
        lambda m: m.campaign(opens_at="2026-03-01T00:00:00"), "opens_at"
    ),
    "an instant that is a number": invalid(lambda m: m.campaign(opens_at=1772357400), "opens_at"),
    "a date that is none": invalid(
        lambda m: m.world.operator.post("/v1/settlement-runs", {"business_date": "2026-02-30"}),
        "business_date",
    ),
    "a date in other words": invalid(
        lambda m: m.world.operator.post("/v1/settlement-runs", {"business_date": "1 March 2026"}),
        "business_date",
    ),
    "dry_run: a word": invalid(
        lambda m: m.world.operator.post(
            "/v1/settlement-runs", {"business_date": "2026-01-01", "dry_run": "yes"}
        ),
        "dry_run",
    ),
    "a dry run for the future": invalid(
        lambda m: m.world.operator.post(
            "/v1/settlement-runs", {"business_date": "2999-01-01", "dry_run": True}
        ),
        "business_date",
    ),
    "a retry of a leader in a run that is none": Bad(
        lambda m: m.world.operator.post(
            f"/v1/settlement-runs/run_2026-01-01/leaders/{m.sale.leader_id}/retry"
        ),
        404,
        "not_found",
    ),
    "supplier: unknown": invalid(
        lambda m: m.product_with(supplier_id="sup_unknown"), "supplier_id"
    ),
    **each(
        "latitude",
        NOT_A_LATITUDE,
        lambda v: invalid(lambda m: m.leader(v), "pickup_point.latitude"),
    ),
    "email: none": invalid(
        lambda m: m.world.operator.post(
            "/v1/suppliers", {"name": "A", "email": "a", "currency": "EUR"}
        ),
        "email",
    ),
    **each(
        "webhook",
        ADDRESS_REFUSED,
        lambda u: invalid(lambda m: m.endpoint(u), "url", "address_refused"),
    ),
    **each("webhook", NOT_A_URL, lambda u: invalid(lambda m: m.endpoint(u), "url")),
    "webhook for an event that nobody tells": invalid(
        lambda m: m.world.operator.post(
            "/v1/webhook-endpoints", {"url": "http://127.0.0.1:9/h", "event_types": ["order.eaten"]}
        ),
        "event_types.0",
    ),
    "webhook for a supplier that is none": invalid(
        lambda m: m.world.operator.post(
            "/v1/webhook-endpoints", {"url": "http://127.0.0.1:9/h", "supplier_id": "sup_unknown"}
        ),
        "supplier_id",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_answered_clearly_and_changes_nothing(market: Market, name: str) -> None:
    bad = BAD[name]
    answer = bad.call(market)
    assert (answer.status, answer.code) == (bad.status, bad.code), answer.text
    if bad.field:
        assert bad.field in [each["field"] for each in answer.json["errors"]], answer.text
    assert snapshot(market.world.environment) == market.before


# Where each stops being JSON, with and without a key, since another reader comes first then.
STOPS: dict[str, tuple[bytes, str]] = {
    "a comma is missing": (b'{"a":\n "secret" x}', "line 2, column 11"),
    "something behind": (b'{"a": 1} secret', "line 1, column 10"),
    "not UTF-8": (b'{"a": 1,\n\n  "\xffsecret"}', "line 3, column 4"),
}


@pytest.mark.parametrize("name", STOPS)
@pytest.mark.parametrize("keyed", [True, False])
def test_broken_json_is_told_with_its_place(market: Market, name: str, keyed: bool) -> None:
    body, place = STOPS[name]
    headers = {"Idempotency-Key": "k"} if keyed else {}
    answer = market.world.operator.send("POST", "/v1/suppliers", body, headers)
    assert (answer.status, answer.code) == (400, "malformed_json")
    line_told = place.partition(",")[0]
    assert answer.json["detail"].startswith(f"The body is not JSON in UTF-8 at {line_told}, column")
    # The two readers count a column apart at most places.
    if keyed:
        assert answer.json["detail"] == f"The body is not JSON in UTF-8 at {place}."
    assert "secret" not in answer.text


def test_json_without_end_is_told_without_a_place(market: Market) -> None:
    answer = market.raw(b"[" * 100_000)
    assert answer.json["detail"].startswith("The body is not JSON in UTF-8")


def test_an_address_that_is_not_https_is_told_to_be(market: Market) -> None:
    for url in ("ftp://x", "http://supplier.example/hook", "x"):
        assert "https://" in market.endpoint(url).json["errors"][0]["message"]


def test_two_lines_with_one_sku_are_told_to_be_added_up(market: Market) -> None:
    answer = market.lines(line(market), line(market))
    assert "add the quantities up" in answer.json["detail"]


def test_every_body_refuses_a_field_that_it_does_not_know(market: Market) -> None:
    for endpoint in ENDPOINTS:
        if endpoint.body:
            path = endpoint.path.replace("{id}", "x_1")
            caller = market.caller_of(endpoint)
            body = {**EXAMPLES[endpoint.body.__name__], "surprise": 1}
            answer = caller.send(endpoint.method, path, body, {"Idempotency-Key": "k"})
            fields = [each["field"] for each in answer.json.get("errors", [])]
            assert (answer.status, fields) == (422, ["surprise"]), endpoint.name
    assert snapshot(market.world.environment) == market.before


def lists() -> list[str]:
    found = [e for e in ENDPOINTS if e.query and "cursor" in e.query.model_fields]
    assert len(found) == 46
    return [f"{each.path.replace('{id}', 'x_1')}?{QUERIES.get(each.name, '')}" for each in found]


FORGED = ["x", "AAAA", "a" * 400, "eyJhIjoxfQ", "%00", "....", "caf%C3%A9", "null", "=", "A" * 22]


@pytest.mark.parametrize("cursor", FORGED)
def test_a_forged_cursor_is_refused_by_every_list(market: Market, cursor: str) -> None:
    for path in lists():
        answer = market.world.operator.get(f"{path}cursor={cursor}")
        assert (answer.status, answer.code) == (400, "invalid_cursor"), path


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1.5", "many", "", "1e1"])
def test_a_limit_outside_1_to_100_is_refused_by_every_list(market: Market, limit: str) -> None:
    for path in lists():
        answer = market.world.operator.get(f"{path}limit={limit}")
        assert (answer.status, answer.code) == (422, "invalid_request"), path
        assert answer.json["errors"][0]["field"] == "limit"


STRANGE_IDS = [
    "nothing",
    "ord_" + "0" * 28,
    "x" * 3000,
    "%00",
    "%F0%9F%A5%9A",
    "..",
    "a%2Fb",
    "%20",
]


@pytest.mark.parametrize("strange", STRANGE_IDS)
def test_an_id_that_nothing_has_is_not_found_whatever_it_looks_like(
    market: Market, strange: str
) -> None:
    reads = [e.path for e in ENDPOINTS if e.method == "GET" and "{id}" in e.path and not e.is_list]
    for path in reads:
        answer = market.world.operator.get(
            path.replace("{id}", strange).replace("{run_id}", strange)
        )
        assert (answer.status, answer.code) == (404, "not_found"), path


@dataclass(frozen=True)
class Strangers:
    """Parties of every role that have nothing to do with the market."""

    bob: Api
    leader: Api
    supplier: Api


@pytest.fixture(scope="module")
def strangers(market: Market) -> Strangers:
    world = market.world
    found = Strangers(
        world.customer("cus_bob"),
        world.leader(world.add_leader()),
        world.supplier(world.add_supplier()),
    )
    market.before = snapshot(world.environment)
    return found


def test_what_is_anothers_is_not_there(market: Market, strangers: Strangers) -> None:
    order_id, paid_id = market.order["id"], market.paid["id"]
    dispatch = f"/v1/dispatches/{market.paid['dispatches'][0]['id']}"
    leader = f"/v1/leaders/{market.sale.leader_id}"
    supplier = f"/v1/suppliers/{market.sale.supplier_id}"
    sku = f"/v1/skus/{market.sale.sku_ids[0]}/stock"
    ship = {"carrier": "DHL", "tracking_number": "T1"}
    money = {"amount": 2000, "reference": "r"}
    answers = {
        "order": strangers.bob.get(f"/v1/orders/{order_id}"),
        "cancel": strangers.bob.post(f"/v1/orders/{order_id}/cancel", {}),
        "order, leader": strangers.leader.get(f"/v1/orders/{order_id}"),
        "collect": strangers.leader.post(f"/v1/orders/{market.collected['id']}/payments", money),
        "paid order, leader": strangers.leader.get(f"/v1/orders/{paid_id}"),
        "refund": strangers.leader.get(f"/v1/refunds/{market.refund_id}"),
        "refund, customer": strangers.bob.get(f"/v1/refunds/{market.refund_id}"),
        "confirm": strangers.leader.post(f"/v1/refunds/{market.refund_id}/confirm"),
        "leader": strangers.leader.get(leader),
        "balance": strangers.leader.get(f"{leader}/balance"),
        "refunds": strangers.leader.get(f"{leader}/refunds"),
        "remittances": strangers.leader.get(f"{leader}/remittances"),
        "statements": strangers.leader.get(f"{leader}/statements"),
        "statement": strangers.leader.get(f"{leader}/statements/run_2026-01-01"),
        "deliver, leader": strangers.leader.post(f"{dispatch}/deliver", {}),
        "dispatch": strangers.supplier.get(dispatch),
        "accept": strangers.supplier.post(f"{dispatch}/accept", {}),
        "reject": strangers.supplier.post(f"{dispatch}/reject", {"reason": "no"}),
        "ship": strangers.supplier.post(f"{dispatch}/ship", ship),
        "resend": strangers.supplier.post(f"{dispatch}/resend"),
        "deliver": strangers.supplier.post(f"{dispatch}/deliver", {}),
        "supplier": strangers.supplier.get(supplier),
        "keys": strangers.supplier.get(f"{supplier}/api-keys"),
        "terms": strangers.supplier.get(f"{supplier}/terms"),
        "settlement terms": strangers.supplier.get(f"{supplier}/settlement-terms"),
        "their versions": strangers.supplier.get(f"{supplier}/settlement-terms/versions"),
        "deposits": strangers.supplier.get(f"{supplier}/deposits"),
        "supplier's balance": strangers.supplier.get(f"{supplier}/balance"),
        "supplier's statement": strangers.supplier.get(f"{supplier}/statements"),
        "new key": strangers.supplier.post(f"{supplier}/api-keys"),
        "product": strangers.supplier.get(f"/v1/products/{market.sale.product_id}"),
        "stock": strangers.supplier.get(sku),
        "count": strangers.supplier.put(sku, {"on_hand": 5}),
    }
    wrong = {
        name: a.status for name, a in answers.items() if (a.status, a.code) != (404, "not_found")
    }
    assert wrong == {}
    assert snapshot(market.world.environment) == market.before


def test_nobody_acts_in_anothers_name(market: Market, strangers: Strangers) -> None:
    product = {
        "supplier_id": market.sale.supplier_id,
        "title": "Eggs",
        "currency": "EUR",
        "skus": [{"title": "Box", "list_price": 1, "cost": 1}],
    }
    hook = {"url": "http://127.0.0.1:9/h", "supplier_id": market.sale.supplier_id}
    for path, body in (("/v1/products", product), ("/v1/webhook-endpoints", hook)):
        answer = strangers.supplier.post(path, body)
        assert (answer.status, answer.code) == (422, "invalid_request"), path
        assert answer.json["errors"][0]["field"] == "supplier_id"
    assert snapshot(market.world.environment) == market.before


def test_bad_credentials_order_nothing(market: Market) -> None:
    issuer, body = market.world.issuer, market.world.order_body(market.sale)
    expired = issuer.token("customer", "cus_alice", exp=int(time.time()) - 3600)
    for token in ("", "x.y.z", expired):
        answer = Api(market.world.gateway, token).post("/v1/orders", body)
        assert (answer.status, answer.code) == (401, "unauthenticated")
    assert snapshot(market.world.environment) == market.before


def paid_event(market: Market) -> bytes:
    data = {
        "payment_id": market.order["payment"]["id"],
        "amount": market.order["total"],
        "currency": "EUR",
        "reference": "ch_forged",
    }
    return json.dumps({"id": "evt_1", "type": "payment.succeeded", "data": data}).encode()


def forged_headers(market: Market, body: bytes) -> dict[str, dict[str, str]]:
    now = time.time()
    good = market.world.signed("evt_1", body.decode(), now)
    long_ago = market.world.signed("evt_1", body.decode(), now - 3600)
    ahead = market.world.signed("evt_1", body.decode(), now + 3600)
    return {
        "unsigned": {},
        "without signature": {**good, "webhook-signature": ""},
        "without timestamp": {k: v for k, v in good.items() if k != "webhook-timestamp"},
        "without id": {k: v for k, v in good.items() if k != "webhook-id"},
        "of another event": {**good, "webhook-id": "evt_2"},
        "of another second": {**good, "webhook-timestamp": str(int(now) - 1)},
        "stale": long_ago,
        "of the future": ahead,
        "of another secret": {**good, "webhook-signature": "v1," + "A" * 43 + "="},
        "of another version": {
            **good,
            "webhook-signature": good["webhook-signature"].replace("v1,", "v9,"),
        },
        "not base64": {**good, "webhook-signature": "v1,%%%"},
        "without a version": {**good, "webhook-signature": "nonsense"},
        "not ASCII": {**good, "webhook-signature": "v1,caf\u00e9"},
        "with a timestamp of words": {**good, "webhook-timestamp": "now"},
        "with a timestamp without end": {**good, "webhook-timestamp": "9" * 400},
        "with a timestamp of infinity": {**good, "webhook-timestamp": "inf"},
    }


def test_a_payment_event_that_is_not_signed_just_now_books_nothing(market: Market) -> None:
    body = paid_event(market)
    for name, headers in forged_headers(market, body).items():
        answer = market.event(headers, body)
        assert (answer.status, answer.code) == (400, "invalid_signature"), name
    changed = market.event(market.world.signed("evt_1", body.decode(), time.time()), body + b" ")
    assert (changed.status, changed.code) == (400, "invalid_signature")
    assert snapshot(market.world.environment) == market.before


UNREADABLE: dict[str, Any] = {
    "no object": [],
    "without a type": {"data": {}},
    "without data": {"type": "payment.succeeded"},
    "without an amount": {"payment_id": "pay_1", "currency": "EUR", "reference": "r"},
    "a fraction": {"payment_id": "pay_1", "amount": 1.5, "currency": "EUR", "reference": "r"},
    "negative": {"payment_id": "pay_1", "amount": -5, "currency": "EUR", "reference": "r"},
    "true": {"payment_id": "pay_1", "amount": True, "currency": "EUR", "reference": "r"},
    "an id that is no text": {"payment_id": 7, "amount": 5, "currency": "EUR", "reference": "r"},
    "an empty reference": {"payment_id": "pay_1", "amount": 5, "currency": "EUR", "reference": ""},
    "half a surrogate pair": {
        "payment_id": "pay_1",
        "amount": 5,
        "currency": "EUR",
        "reference": "\ud800",
    },
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_signed_event_that_cannot_be_read_is_malformed(market: Market, name: str) -> None:
    said = UNREADABLE[name]
    if isinstance(said, dict) and "type" not in said and "data" not in said:
        said = {"type": "payment.succeeded", "data": said}
    body = json.dumps(said)
    answer = market.event(market.world.signed("evt_1", body, time.time()), body.encode())
    assert (answer.status, answer.code) == (400, "malformed_request")
    assert snapshot(market.world.environment) == market.before


def test_an_event_of_a_provider_that_is_not_here_is_not_found(market: Market) -> None:
    body = paid_event(market)
    headers = market.world.signed("evt_1", body.decode(), time.time())
    answer = market.world.anyone.send("POST", "/v1/payment-events/elsewhere", body, headers)
    assert (answer.status, answer.code) == (404, "not_found")


def test_an_event_that_does_not_matter_is_taken_and_changes_nothing(market: Market) -> None:
    answer = market.world.provider_event("customer.created", {"id": "cus_1"})
    assert (answer.status, answer.json) == (200, {"received": True})
    assert snapshot(market.world.environment) == market.before
