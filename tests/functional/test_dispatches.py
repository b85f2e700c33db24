"""What becomes of dispatches, what each move brings, and the feed that shows them."""

from datetime import timedelta

import pytest

from chalicelib.kernel import clock
from tests.functional.conftest import Clock
from tests.support.dispatching import call, dispatch_in, read
from tests.support.world import Json, Sale, World, created


def test_a_paid_order_becomes_a_dispatch_with_what_its_supplier_must_know(world: World) -> None:
    sale = world.sale(skus=2)
    order = world.paid_order(sale, quantity=3)
    (shown,) = order["dispatches"]
    assert shown == {
        "id": shown["id"],
        "supplier_id": sale.supplier_id,
        "status": "created",
        "carrier": None,
        "tracking_number": None,
        "parcels": [],
    }
    dispatch = world.supplier(sale.supplier_id).get(f"/v1/dispatches/{shown['id']}").json
    assert dispatch["id"].startswith("dsp_")
    assert (dispatch["order_id"], dispatch["version"]) == (order["id"], 1)
    assert dispatch["ship_to"] == order["ship_to"]
    assert dispatch["lines"] == [
        {
            "sku_id": sku_id,
            "supplier_sku": f"BX-{n}",
            "title": f"Eggs, Box {n}",
            "quantity": 3,
            "unit_cost": 700,
        }
        for n, sku_id in enumerate(sale.sku_ids)
    ]


def test_the_order_shows_what_becomes_of_its_dispatch(world: World) -> None:
    order = world.paid_order(world.sale())
    dispatch_id = order["dispatches"][0]["id"]
    seen = []
    for verb in ("accept", "ship", "deliver"):
        call(world.operator, dispatch_id, verb)
        shown = world.order(order["id"])
        seen.append((shown["status"], shown["dispatches"][0]["status"]))
    assert seen == [("paid", "accepted"), ("shipped", "shipped"), ("delivered", "delivered")]
    assert shown["dispatches"][0]["carrier"] == "DHL"
    assert shown["dispatches"][0]["tracking_number"] == "T1"


def two_parcels(world: World) -> tuple[Json, list[str]]:
    """A paid order of one unit from each of two suppliers, and its dispatches."""
    sale, other = world.sale(), world.sale()
    sku_ids = [*sale.sku_ids, *other.sku_ids]
    campaign = world.add_campaign(sku_ids, [sale.leader_id])
    both = Sale(sale.supplier_id, sale.leader_id, campaign["id"], "", sku_ids)
    order = world.paid_order(both)
    return order, [each["id"] for each in order["dispatches"]]


@pytest.mark.parametrize(
    ("moves", "status"),
    [
        ("a0 s0", "shipped"),
        ("a0 s0 d0", "shipped"),
        ("a0 s0 d0 a1 s1", "shipped"),
        ("a0 s0 d0 a1 s1 d1", "delivered"),
        ("r0", "paid"),
        ("r0 a1 s1", "shipped"),
        ("r0 a1 s1 d1", "delivered"),
        ("a1 s1 d1 r0", "delivered"),
        ("r0 r1", "refunded"),
    ],
)
def test_an_order_follows_all_its_dispatches(world: World, moves: str, status: str) -> None:
    order, dispatch_ids = two_parcels(world)
    verbs = {"a": "accept", "s": "ship", "d": "deliver", "r": "reject"}
    for move in moves.split():
        assert call(world.operator, dispatch_ids[int(move[1])], verbs[move[0]]).status == 200
    world.work()
    assert world.order(order["id"])["status"] == status


def test_each_supplier_moves_only_its_own(world: World) -> None:
    order, dispatch_ids = two_parcels(world)
    suppliers = {each["id"]: each["supplier_id"] for each in order["dispatches"]}
    caller = world.supplier(suppliers[dispatch_ids[0]])
    assert call(caller, dispatch_ids[0], "accept").status == 200
    assert call(caller, dispatch_ids[1], "accept").code == "not_found"
    listed = caller.get("/v1/dispatches").json["items"]
    assert [each["id"] for each in listed] == [dispatch_ids[0]]


def test_a_rejected_dispatch_is_refunded_and_puts_nothing_back_on_sale(world: World) -> None:
    sale = world.sale(stock=5)
    order = world.paid_order(sale, quantity=2)
    answer = call(world.operator, order["dispatches"][0]["id"], "reject")
    assert (answer.json["status"], answer.json["reason"]) == ("rejected", "sold out")
    assert world.trial_balance() == {"cash:local": 2000, "refunds_in_flight": -2000}
    refunded = world.order(order["id"])
    assert (refunded["status"], refunded["refunded_amount"]) == ("refunded", 2000)
    world.work()
    assert world.trial_balance() == {}
    stock = world.stock(sale.sku_ids[0])
    assert (stock["on_hand"], stock["reserved"], stock["committed"]) == (3, 0, 0)
    balance = world.operator.get(f"/v1/leaders/{sale.leader_id}/balance").json
    assert (balance["estimated"], balance["pending"]) == (0, 0)


def test_a_rejected_parcel_of_two_is_refunded_alone(world: World) -> None:
    order, dispatch_ids = two_parcels(world)
    call(world.operator, dispatch_ids[1], "reject")
    world.work()
    after = world.order(order["id"])
    assert (after["status"], after["refunded_amount"]) == ("paid", 1000)
    assert sorted(line["refunded_quantity"] for line in after["lines"]) == [0, 1]
    assert world.trial_balance() == {"cash:local": 1000, "customer_prepayments": -1000}
    balance = world.operator.get(f"/v1/leaders/{order['leader_id']}/balance").json
    assert balance["estimated"] == 100


def test_where_a_leader_collected_a_rejection_waits_for_the_cash_to_be_handed_back(
    world: World,
) -> None:
    sale = world.sale()
    order = world.place(sale, quantity=2, payment_method="leader_collect")
    leader = world.leader(sale.leader_id)
    body = {"amount": 2000, "reference": "cash 1"}
    created(leader.post(f"/v1/orders/{order['id']}/payments", body))
    world.work()
    dispatch_id = world.order(order["id"])["dispatches"][0]["id"]
    call(world.operator, dispatch_id, "reject")
    (refund_id,) = leader.get(f"/v1/orders/{order['id']}").json["refunds"]
    path = f"/v1/refunds/{refund_id}"
    waiting = leader.get(path).json
    assert (waiting["status"], waiting["method"]) == ("pending", "leader_collect")
    collected = f"leader:{sale.leader_id}:collected"
    assert world.trial_balance() == {collected: 2000, "refunds_in_flight": -2000}
    done = leader.post(f"{path}/confirm")
    assert (done.status, done.json["status"]) == (200, "succeeded")
    assert world.trial_balance() == {}
    assert leader.post(f"{path}/confirm").json == done.json
    assert world.trial_balance() == {}


def test_a_leader_does_not_see_what_a_supplier_is_paid(world: World) -> None:
    order = world.paid_order(world.sale())
    (dispatch,) = order["dispatches"]
    world.move(dispatch["id"], "accept", "ship")
    leader = world.leader(order["leader_id"])
    path = f"/v1/dispatches/{dispatch['id']}/deliver"
    answers = [leader.post(path, {}, key="once") for _ in range(2)]
    for answer in answers:
        assert answer.status == 200
        assert [line["unit_cost"] for line in answer.json["lines"]] == [None]
    assert world.operator.post(path, {}).json["lines"][0]["unit_cost"] == 700


def test_a_card_refund_is_not_confirmed_by_hand(world: World) -> None:
    order = world.paid_order(world.sale())
    call(world.operator, order["dispatches"][0]["id"], "reject")
    (message,) = world.messages("REFUND_EXECUTE")
    answer = world.operator.post(f"/v1/refunds/{message['subject']}/confirm")
    assert (answer.status, answer.code) == (409, "not_leader_collect")
    assert world.trial_balance() == {"cash:local": 1000, "refunds_in_flight": -1000}


def test_a_delivery_gives_each_side_its_share(world: World) -> None:
    sale = world.sale(price=1000, rate_bps=1250)
    world.delivered_order(sale, quantity=3)
    # 3000 paid: 2100 cost, 12.5 % = 375 commission, 525 left.
    assert world.trial_balance() == {
        "cash:local": 3000,
        f"supplier:{sale.supplier_id}:payable": -2100,
        f"leader:{sale.leader_id}:pending": -375,
        "platform:revenue": -525,
    }
    balance = world.leader(sale.leader_id).get(f"/v1/leaders/{sale.leader_id}/balance").json
    assert (balance["estimated"], balance["pending"], balance["available"]) == (0, 375, 0)


def test_commission_on_gross_profit_and_a_loss(world: World) -> None:
    gaining = world.sale(price=1000, basis="gross_profit", rate_bps=2500)
    world.delivered_order(gaining, quantity=2)
    # 25 % of 2000 - 1400.
    assert world.trial_balance()[f"leader:{gaining.leader_id}:pending"] == -150
    losing = world.sale(price=500, basis="gross_profit", rate_bps=2500)
    world.delivered_order(losing, quantity=1)
    books = world.trial_balance()
    assert f"leader:{losing.leader_id}:pending" not in books
    assert books[f"supplier:{losing.supplier_id}:payable"] == -700
    # 450 gained before, 200 lost now.
    assert books["platform:revenue"] == -250


def test_commission_is_rounded_half_up_by_line(world: World) -> None:
    sale = world.sale(skus=2, price=105, rate_bps=1000)
    lines = [{"sku_id": sku_id, "quantity": 1} for sku_id in sale.sku_ids]
    order = world.paid_order(sale, lines=lines)
    world.move(order["dispatches"][0]["id"], "accept", "ship", "deliver")
    # 10.5 each, so 11 and 11; not 21 of the whole.
    assert world.trial_balance()[f"leader:{sale.leader_id}:pending"] == -22


def test_the_orders_leader_may_say_that_it_has_arrived(world: World) -> None:
    dispatch = dispatch_in(world, "shipped")
    order = world.order(dispatch["order_id"])
    leader = world.leader(order["leader_id"])
    assert call(leader, dispatch["id"], "deliver").json["status"] == "delivered"


@pytest.fixture
def parcel(world: World, time: Clock) -> Json:
    """A parcel that was shipped three days ago."""
    found = dispatch_in(world, "shipped")
    time.move_on(days=3)
    return found


def ago(**span: float) -> Json:
    return {"delivered_at": clock.to_text(clock.now() - timedelta(**span))}


@pytest.mark.parametrize(
    ("role", "span", "status"),
    [
        ("supplier", {"hours": 23}, 200),
        ("supplier", {"hours": 25}, 422),
        ("supplier", {"seconds": 0}, 200),
        ("supplier", {"minutes": -1}, 422),
        ("leader", {"hours": 23}, 200),
        ("leader", {"hours": 25}, 422),
        ("operator", {"hours": 25}, 200),
        ("operator", {"hours": 71}, 200),
        ("operator", {"hours": 73}, 422),
        ("operator", {"minutes": -1}, 422),
    ],
)
def test_a_delivery_lies_between_shipping_and_now_and_is_told_within_a_day(
    world: World, parcel: Json, role: str, span: dict[str, float], status: int
) -> None:
    callers = {
        "supplier": world.supplier(parcel["supplier_id"]),
        "leader": world.leader(world.order(parcel["order_id"])["leader_id"]),
        "operator": world.operator,
    }
    body = ago(**span)
    answer = call(callers[role], parcel["id"], "deliver", body)
    assert answer.status == status, answer.text
    if status == 200:
        assert answer.json["delivered_at"] == body["delivered_at"]
    else:
        assert answer.json["errors"][0]["field"] == "delivered_at"
        assert read(world, parcel["id"]) == parcel


def test_an_instant_of_another_zone_is_the_same_instant(world: World, parcel: Json) -> None:
    told = clock.now() - timedelta(hours=2)
    abroad = told.isoformat().replace("+00:00", "-00:00")
    first = call(world.operator, parcel["id"], "deliver", {"delivered_at": abroad})
    assert first.json["delivered_at"] == clock.to_text(told)
    again = call(world.operator, parcel["id"], "deliver", {"delivered_at": clock.to_text(told)})
    assert (again.status, again.json) == (200, first.json)


class Feed:
    """A supplier with three parcels, changed a minute apart."""

    def __init__(self, world: World, time: Clock) -> None:
        self.world, self.sale = world, world.sale()
        self.ids = []
        for _ in range(3):
            order = world.paid_order(self.sale)
            self.ids.append(order["dispatches"][0]["id"])
            time.move_on(minutes=1)
        self.supplier = world.supplier(self.sale.supplier_id)

    def read(self, query: str = "") -> Json:
        answer = self.supplier.get(f"/v1/dispatches{query}")
        assert answer.status == 200, answer.text
        return answer.json

    def ids_of(self, query: str = "") -> list[str]:
        return [each["id"] for each in self.read(query)["items"]]


def test_the_feed_shows_the_oldest_change_first(world: World, time: Clock) -> None:
    feed = Feed(world, time)
    assert feed.ids_of() == feed.ids
    world.move(feed.ids[0], "accept")
    assert feed.ids_of() == [feed.ids[1], feed.ids[2], feed.ids[0]]
    operators = world.operator.get("/v1/dispatches").json["items"]
    assert [each["id"] for each in operators] == [feed.ids[1], feed.ids[2], feed.ids[0]]


def test_an_operator_reads_the_feed_of_one_supplier(world: World, time: Clock) -> None:
    feed, other = Feed(world, time), world.paid_order(world.sale())
    supplier_id = other["dispatches"][0]["supplier_id"]
    of_one = f"/v1/dispatches?supplier_id={supplier_id}"
    found = world.operator.get(of_one).json["items"]
    assert [each["id"] for each in found] == [other["dispatches"][0]["id"]]
    assert len(world.operator.get("/v1/dispatches").json["items"]) == len(feed.ids) + 1
    assert world.supplier(supplier_id).get(of_one).json["items"] == found
    refused = feed.supplier.get(of_one)
    assert refused.status == 422
    assert refused.json["errors"] == [{"field": "supplier_id", "message": "is not your own"}]


def test_the_feed_goes_on_from_an_instant_inclusive(world: World, time: Clock) -> None:
    feed = Feed(world, time)
    second = read(world, feed.ids[1])["updated_at"]
    page = feed.read(f"?updated_since={second}")
    assert [each["id"] for each in page["items"]] == feed.ids[1:]
    newest = clock.from_text(page["items"][-1]["updated_at"])
    assert clock.from_text(page["next_updated_since"]) == newest - timedelta(seconds=60)


def test_whoever_begins_where_the_feed_says_misses_nothing(world: World, time: Clock) -> None:
    feed = Feed(world, time)
    since = feed.read()["next_updated_since"]
    world.move(feed.ids[0], "accept")
    assert feed.ids[0] in feed.ids_of(f"?updated_since={since}")


def test_the_feed_comes_to_its_end_by_instants_alone(world: World, time: Clock) -> None:
    """However many changes a minute has."""
    feed, seen, query = Feed(world, time), [], "?limit=2"
    for _ in feed.ids:
        page = feed.read(query)
        seen += [each["id"] for each in page["items"]]
        query = f"?limit=2&updated_since={page['next_updated_since']}"
    assert set(seen) == set(feed.ids)


def test_an_empty_feed_keeps_the_callers_place(world: World) -> None:
    supplier = world.supplier(world.add_supplier())
    empty: Json = {"items": [], "next_cursor": None, "next_updated_since": None}
    assert supplier.get("/v1/dispatches").json == empty
    since = "2026-01-01T00:00:00.000Z"
    asked = supplier.get(f"/v1/dispatches?updated_since={since}").json
    assert asked["next_updated_since"] == since


def test_the_feed_can_be_narrowed_to_a_status(world: World, time: Clock) -> None:
    feed = Feed(world, time)
    world.move(feed.ids[1], "accept")
    assert feed.ids_of("?status=accepted") == [feed.ids[1]]
    assert feed.ids_of("?status=created") == [feed.ids[0], feed.ids[2]]
    assert feed.ids_of("?status=shipped") == []
    assert feed.supplier.get("/v1/dispatches?status=eaten").status == 422
    assert feed.supplier.get("/v1/dispatches?updated_since=yesterday").status == 422


def test_a_narrowed_feed_is_read_to_its_end_page_by_page(world: World, time: Clock) -> None:
    feed = Feed(world, time)
    world.move(feed.ids[1], "accept")
    page = feed.read("?status=created&limit=1")
    found = [each["id"] for each in page["items"]]
    while page["next_cursor"]:
        page = feed.read(f"?status=created&limit=1&cursor={page['next_cursor']}")
        found += [each["id"] for each in page["items"]]
    assert found == [feed.ids[0], feed.ids[2]]
