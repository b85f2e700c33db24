"""A process that dies at any of its calls to AWS: nothing is lost and nothing done twice."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from chalicelib.dispatch import going_on
from chalicelib.kernel import clock
from chalicelib.ordering import ending
from chalicelib.settlement import listing, run_store
from chalicelib.settlement.setting_aside import set_aside
from tests.support.clouds import IN_MEMORY
from tests.support.crashing import (
    Killed,
    Snapshot,
    come_to_rest,
    kill,
    lose_messages,
    points_of,
    work_off,
)
from tests.support.invariants import findings
from tests.support.unguarded import piecemeal
from tests.support.world import Json, Sale, World, created

AFTER_EXPIRY = timedelta(minutes=16)
PARCEL = {"carrier": "DHL", "tracking_number": "T1"}


@dataclass(frozen=True)
class Made:
    """Three units each of two SKUs, of ten that there are: 6000 in all."""

    sale: Sale
    order: Json

    @property
    def dispatch(self) -> str:
        return f"/v1/dispatches/{self.order['dispatches'][0]['id']}"


@dataclass(frozen=True)
class Scenario:
    """What is set up; what is done, and done again after the crash; what it comes to."""

    prepare: Callable[[World], Any]
    act: Callable[[World, Any], None]
    result: Callable[[World, Any], Json]
    expected: Json


# What is found wrong in the end, and the result.
End = tuple[list[str], Json]
Recorder = Callable[[str, object], None]


def a_sale(world: World) -> Made:
    """Nothing is ordered yet; what is paid then is for no order."""
    none = {"id": "ord_none", "payment": {"id": "pay_none"}, "total": 6000, "currency": "EUR"}
    return Made(world.sale(skus=2, stock=10, limit=5), none)


def placed(world: World, **terms: Any) -> Made:
    sale = a_sale(world).sale
    return Made(sale, world.place(sale, quantity=3, **terms))


def paid(world: World) -> Made:
    sale = a_sale(world).sale
    return Made(sale, world.paid_order(sale, quantity=3))


def delivered(world: World) -> Made:
    sale = a_sale(world).sale
    return Made(sale, world.delivered_order(sale, quantity=3))


def expired(world: World) -> Made:
    made = placed(world)
    ending.sweep(clock.now() + AFTER_EXPIRY)
    return made


def to_hand_back(world: World) -> Made:
    """Cash that a leader has collected for an order that was cancelled then."""
    made = collected(world)
    cancelled = world.operator.post(f"/v1/orders/{made.order['id']}/cancel", {})
    assert cancelled.status == 200
    (refund,) = world.messages("REFUND_EXECUTE")
    return Made(made.sale, {**cancelled.json, "refund": refund["subject"]})


def post(world: World, path: str, body: Json) -> None:
    """With the same key each time, as a client that had no answer does."""
    answer = world.operator.post(path, body, key=path)
    assert answer.status < 300, answer.text
    work_off(world)


def place(world: World, made: Made) -> None:
    body = world.order_body(made.sale, quantity=3)
    assert world.customer().post("/v1/orders", body, key="order").status == 201


def place_hot(world: World, made: Made) -> None:
    random.seed(1)  # each time the same shards are tried
    place(world, made)


def pay(world: World, made: Made, **changes: Any) -> None:
    assert world.pay(made.order, **changes).status == 200
    work_off(world)


def collect(world: World, made: Made) -> None:
    post(world, f"/v1/orders/{made.order['id']}/payments", {"amount": 6000, "reference": "R1"})


def collected(world: World) -> Made:
    made = placed(world, payment_method="leader_collect")
    collect(world, made)
    return made


def remit(world: World, made: Made) -> None:
    cash = {"amount": 4000, "reference": "R1"}
    post(world, f"/v1/leaders/{made.sale.leader_id}/remittances", cash)


def cancel(world: World, made: Made) -> None:
    post(world, f"/v1/orders/{made.order['id']}/cancel", {})


def reject(world: World, made: Made) -> None:
    post(world, f"{made.dispatch}/reject", {"reason": "sold out"})


def deliver(world: World, made: Made) -> None:
    """Through all states without keys; the state reached before the crash is told again."""
    steps: list[tuple[str, Json]] = [("accept", {}), ("ship", PARCEL), ("deliver", {})]
    states = ["created", "accepted", "shipped", "delivered"]
    reached = states.index(world.operator.get(made.dispatch).json["status"])
    for verb, body in steps[max(reached - 1, 0) :]:
        assert world.operator.post(f"{made.dispatch}/{verb}", body).status == 200


def accept_some(world: World, made: Made) -> None:
    """Of three of each SKU two of the first, and all of the second."""
    units = zip(made.sale.sku_ids, (2, 3), strict=True)
    lines = [{"sku_id": sku_id, "quantity": quantity} for sku_id, quantity in units]
    post(world, f"{made.dispatch}/accept", {"lines": lines})


def accepted(world: World) -> Made:
    made = paid(world)
    assert world.operator.post(f"{made.dispatch}/accept", {}).status == 200
    return made


def send_in_parcels(world: World, made: Made) -> None:
    """Each call without a key: what was done before the crash is told again."""
    one = {"lines": [{"sku_id": made.sale.sku_ids[0], "quantity": 1}]}
    for body in ({**PARCEL, **one}, {**PARCEL, "tracking_number": "T2"}):
        sent = world.operator.send("POST", f"{made.dispatch}/ship", body, {})
        if sent.code != "invalid_transition":  # once it is delivered there is nothing to ship
            assert sent.status == 200, sent.text
    for parcel in world.operator.get(made.dispatch).json["parcels"]:
        path = f"{made.dispatch}/parcels/{parcel['id']}/deliver"
        assert world.operator.send("POST", path, {}, {}).status == 200


def with_alternates(world: World) -> Made:
    """Each of the order's SKUs has one, with as many units as there are of it."""
    made, supplier_id = paid(world), world.add_supplier()
    skus = world.add_product(supplier_id, skus=2, cost=700)["skus"]
    for sku, ordered in zip(skus, made.sale.sku_ids, strict=True):
        world.set_stock(sku["id"], 3)
        patch = {"alternate_of": ordered}
        assert world.operator.patch(f"/v1/skus/{sku['id']}", patch).status == 200
    return made


def dispute(world: World, made: Made) -> None:
    body = {"reason": "Nothing came."}
    sent = world.customer().send("POST", f"{made.dispatch}/disputes", body, {})
    assert sent.status == 201, sent.text
    work_off(world)


def disputed(world: World) -> Made:
    made = delivered(world)
    body = {"reason": "Nothing came."}
    opened = created(world.customer().post(f"{made.dispatch}/disputes", body))
    return Made(made.sale, {**made.order, "dispute": opened["id"]})


def resolve(world: World, made: Made, outcome: str) -> None:
    path = f"{made.dispatch}/disputes/{made.order['dispute']}/resolve"
    post(world, path, {"outcome": outcome, "note": "seen"})


def refund_one(world: World, made: Made) -> None:
    lines = [{"sku_id": made.sale.sku_ids[0], "quantity": 1}]
    post(world, f"/v1/orders/{made.order['id']}/refunds", {"lines": lines, "reason": "broken"})


def confirm(world: World, made: Made) -> None:
    post(world, f"/v1/refunds/{made.order['refund']}/confirm", {})


def expire(world: World, made: Made) -> None:
    ending.sweep(clock.now() + AFTER_EXPIRY)


def give_up(world: World, made: Made) -> None:
    going_on.undo(made.order["id"])


def hot(world: World) -> Made:
    """The first SKU lies in four shards."""
    made = a_sale(world)
    reshard(world, made, 4)
    return made


def reshard(world: World, made: Made, shards: int) -> None:
    sku = f"/v1/skus/{made.sale.sku_ids[0]}"
    assert world.operator.patch(sku, {"stock_shards": shards}).status == 200


def put(world: World, made: Made, on_hand: int) -> None:
    path = f"/v1/skus/{made.sale.sku_ids[0]}/stock"
    assert world.operator.put(path, {"on_hand": on_hand}).status == 200


def adjust(world: World, made: Made, delta: int) -> None:
    path = f"/v1/skus/{made.sale.sku_ids[0]}/stock/adjustments"
    post(world, path, {"delta": delta, "reason": "counted"})


def two_leaders(world: World) -> list[Sale]:
    """One leader has earned 300, the other twice as much."""
    sales = [world.sale(skus=1), world.sale(skus=2)]
    for sale in sales:
        world.delivered_order(sale, quantity=3)
    return sales


def settle(world: World, sales: list[Sale]) -> None:
    today = clock.now().date().isoformat()
    answer = world.operator.post("/v1/settlement-runs", {"business_date": today})
    assert answer.status in (200, 202)
    work_off(world)


def settle_but_lose_messages(world: World, sales: list[Sale]) -> None:
    try:
        settle(world, sales)
    except Killed:
        lose_messages(world)
        raise


def with_one_set_aside(world: World) -> list[Sale]:
    """Of two leaders a run is done with one, and has gone on without the other."""
    sales = two_leaders(world)
    today = clock.now().date().isoformat()
    started = world.operator.post("/v1/settlement-runs", {"business_date": today})
    assert started.status == 202
    running = run_store.get_running(started.json["id"])
    assert running is not None
    listing.list_page(running.id, 0)
    assert set_aside(running, 0, sales[0].leader_id)
    work_off(world)
    return sales


def retry_leader(world: World, sales: list[Sale]) -> None:
    run = world.operator.get("/v1/settlement-runs").json["items"][0]
    post(world, f"/v1/settlement-runs/{run['id']}/leaders/{sales[0].leader_id}/retry", {})


def result(world: World, made: Made) -> Json:
    orders = world.operator.get("/v1/orders").json["items"]
    stocks = [world.stock(sku_id) for sku_id in made.sale.sku_ids]
    return {
        "status": [order["status"] for order in orders],
        "refunded": sum(order["refunded_amount"] for order in orders),
        "dispatches": [each["status"] for order in orders for each in order["dispatches"]],
        "on_hand": [stock["on_hand"] for stock in stocks],
        "waiting": [stock["reserved"] + stock["committed"] for stock in stocks],
        "balances": balances(world),
        "cases": sorted(case["kind"] for case in world.operator.get("/v1/cases").json["items"]),
    }


def settled(world: World, sales: list[Sale]) -> Json:
    run = world.operator.get("/v1/settlement-runs").json["items"][0]
    statements = [
        world.operator.get(f"/v1/leaders/{sale.leader_id}/statements/{run['id']}").json
        for sale in sales
    ]
    return {
        "run": [run["status"], run["leaders_total"], run["leaders_settled"], run["totals"]],
        "statements": [[each["total"], len(each["lines"])] for each in statements],
        "balances": balances(world),
    }


def balances(world: World) -> dict[str, int]:
    """The books, with all leaders as one and all suppliers as one."""
    sums = Counter[str]()
    for account, balance in world.trial_balance().items():
        kind, _, rest = account.partition(":")
        is_party = kind in ("leader", "supplier")
        sums[f"{kind}:{rest.rpartition(':')[2]}" if is_party else account] += balance
    return {account: balance for account, balance in sums.items() if balance}


def comes_to(status: str, on_hand: int, waiting: int = 0, **more: Any) -> Json:
    usual: Json = {"refunded": 0, "dispatches": [], "balances": {}, "cases": []}
    return {**usual, "status": [status], "on_hand": [on_hand] * 2, "waiting": [waiting] * 2, **more}


PAID = comes_to(
    "paid",
    7,
    3,
    dispatches=["created"],
    balances={"cash:local": 6000, "customer_prepayments": -6000},
)
# Of 6000 the supplier is owed 6 units at 700, the leader 10 %.
DELIVERED = {
    "cash:local": 6000,
    "supplier:payable": -4200,
    "leader:pending": -600,
    "platform:revenue": -1200,
}
# One unit of 1000 less: its cost of 700, its commission of 100, what it left of 200.
ONE_BACK = {
    "cash:local": 5000,
    "supplier:payable": -3500,
    "leader:pending": -500,
    "platform:revenue": -1000,
}
DISPUTED = "delivery_disputed"
HELD = {
    "cash:local": 6000,
    "supplier:held": -4200,
    "leader:pending": -600,
    "platform:revenue": -1200,
}
COLLECTED = {"leader:collected": 6000, "customer_prepayments": -6000}
REMITTED = {**COLLECTED, "leader:collected": 2000, "cash:bank": 4000}
SETTLED = {
    "run": ["completed", 2, 2, [{"currency": "EUR", "amount": 900}]],
    "statements": [[300, 1], [600, 2]],
    # 9 units at 1000, of which 700 is the supplier's.
    "balances": {
        "cash:local": 9000,
        "supplier:payable": -6300,
        "leader:available": -900,
        "platform:revenue": -1800,
    },
}
NO_ORDER = {**comes_to("", 10), "status": []}
SCENARIOS = {
    "reshard": Scenario(hot, partial(reshard, shards=2), result, NO_ORDER),
    "put, more": Scenario(hot, partial(put, on_hand=23), result, {**NO_ORDER, "on_hand": [23, 10]}),
    "put, fewer": Scenario(hot, partial(put, on_hand=3), result, {**NO_ORDER, "on_hand": [3, 10]}),
    "adjust, more": Scenario(
        hot, partial(adjust, delta=7), result, {**NO_ORDER, "on_hand": [17, 10]}
    ),
    "adjust, fewer": Scenario(
        hot, partial(adjust, delta=-7), result, {**NO_ORDER, "on_hand": [3, 10]}
    ),
    "place, hot": Scenario(hot, place_hot, result, comes_to("pending_payment", 10, 3)),
    "place": Scenario(a_sale, place, result, comes_to("pending_payment", 10, 3)),
    "pay": Scenario(placed, pay, result, PAID),
    "pay late": Scenario(expired, pay, result, PAID),
    "pay twice": Scenario(
        paid, partial(pay, reference="again"), result, {**PAID, "cases": ["second_payment"]}
    ),
    "pay for nothing": Scenario(
        a_sale,
        pay,
        result,
        {
            **comes_to("", 10),
            "status": [],
            "balances": {"cash:local": 6000, "unmatched_receipts": -6000},
            "cases": ["unmatched_receipt"],
        },
    ),
    "collect": Scenario(
        partial(placed, payment_method="leader_collect"),
        collect,
        result,
        {**PAID, "balances": COLLECTED},
    ),
    "remit": Scenario(collected, remit, result, {**PAID, "balances": REMITTED}),
    "expire": Scenario(placed, expire, result, comes_to("expired", 10)),
    "cancel": Scenario(
        paid, cancel, result, comes_to("refunded", 10, refunded=6000, dispatches=["cancelled"])
    ),
    "reject": Scenario(
        paid, reject, result, comes_to("refunded", 7, refunded=6000, dispatches=["rejected"])
    ),
    "deliver": Scenario(
        paid,
        deliver,
        result,
        comes_to("delivered", 7, dispatches=["delivered"], balances=DELIVERED),
    ),
    "refund": Scenario(
        delivered,
        refund_one,
        result,
        comes_to("delivered", 7, refunded=1000, dispatches=["delivered"], balances=ONE_BACK),
    ),
    "give up": Scenario(
        delivered,
        give_up,
        result,
        comes_to(
            "refunded",
            7,
            refunded=6000,
            dispatches=["delivered"],
            cases=["shipped_of_given_up"],
        ),
    ),
    "confirm": Scenario(
        to_hand_back,
        confirm,
        result,
        comes_to("refunded", 10, refunded=6000, dispatches=["cancelled"]),
    ),
    "accept some": Scenario(
        paid,
        accept_some,
        result,
        {
            **PAID,
            "refunded": 1000,
            "dispatches": ["accepted"],
            "waiting": [2, 3],
            "balances": {"cash:local": 5000, "customer_prepayments": -5000},
        },
    ),
    "send in parcels": Scenario(
        accepted,
        send_in_parcels,
        result,
        comes_to("delivered", 7, dispatches=["delivered"], balances=DELIVERED),
    ),
    "reject, replaced": Scenario(
        with_alternates,
        reject,
        result,
        {**PAID, "dispatches": ["rejected", "created", "created"], "waiting": [0, 0]},
    ),
    "dispute": Scenario(
        delivered,
        dispute,
        result,
        comes_to("delivered", 7, dispatches=["delivered"], balances=HELD, cases=[DISPUTED]),
    ),
    "uphold": Scenario(
        disputed,
        partial(resolve, outcome="upheld"),
        result,
        comes_to("refunded", 7, refunded=6000, dispatches=["delivered"], cases=[DISPUTED]),
    ),
    "dismiss": Scenario(
        disputed,
        partial(resolve, outcome="dismissed"),
        result,
        comes_to("delivered", 7, dispatches=["delivered"], balances=DELIVERED, cases=[DISPUTED]),
    ),
    "settle": Scenario(two_leaders, settle, settled, SETTLED),
    "settle, set aside": Scenario(with_one_set_aside, retry_leader, settled, SETTLED),
    "settle, messages lost": Scenario(two_leaders, settle_but_lose_messages, settled, SETTLED),
}


def crash_everywhere(world: World, scenario: Scenario) -> Iterator[tuple[str, End]]:
    """Each point of a crash, with the findings and the result in the end."""
    made = scenario.prepare(world)
    before = Snapshot(world)
    act = partial(scenario.act, world, made)
    for point in points_of(act):
        before.restore()
        kill(act, point)
        try:
            act()
        except AssertionError as error:
            yield str(point), ([f"it could not be done again: {error}"], None)
            continue
        come_to_rest(world)
        yield str(point), (findings(), scenario.result(world, made))


def assert_it_ends_right(world: World, scenario: Scenario, record_property: Recorder) -> None:
    ends = dict(crash_everywhere(world, scenario))
    record_property("crash_points", len(ends))
    right: End = ([], scenario.expected)
    assert {point: end for point, end in ends.items() if end != right} == {}
    assert len(ends) > 1


def is_caught_piece_by_piece(world: World, scenario: Scenario) -> bool:
    """Whether it is found somewhere that transactions were written one item after another."""
    with piecemeal():
        return any(found for _, (found, _) in crash_everywhere(world, scenario))


@IN_MEMORY
@pytest.mark.parametrize("name", SCENARIOS)
def test_whatever_dies_wherever_the_end_is_the_same(
    name: str, world: World, record_property: Recorder
) -> None:
    assert_it_ends_right(world, SCENARIOS[name], record_property)


@IN_MEMORY
@pytest.mark.parametrize("name", ["place", "expire", "remit"])
def test_control_the_rig_catches_a_transaction_written_piece_by_piece(
    name: str, world: World
) -> None:
    assert is_caught_piece_by_piece(world, SCENARIOS[name])


@IN_MEMORY
def test_a_supplier_hears_of_its_dispatch_wherever_the_telling_dies(
    world: World, server: HTTPServer
) -> None:
    heard: list[tuple[str, bytes]] = []

    def hear(request: Request) -> Response:
        heard.append((request.headers["webhook-id"], request.data))
        return Response(status=204)

    server.expect_request("/hook").respond_with_handler(hear)
    made = placed(world)
    created(
        world.supplier(made.sale.supplier_id).post(
            "/v1/webhook-endpoints", {"url": server.url_for("/hook")}
        )
    )
    before = Snapshot(world)
    act = partial(pay, world, made)
    for point in points_of(act):
        before.restore()
        heard.clear()
        kill(act, point)
        act()
        come_to_rest(world)
        deliveries = world.operator.get("/v1/webhook-deliveries").json["items"]
        assert [each["status"] for each in deliveries] == ["succeeded"], f"killed {point}"
        assert set(heard) == {(deliveries[0]["id"], heard[0][1])}, f"killed {point}"
