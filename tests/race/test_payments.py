"""Money that arrives more than once, too late, or while the order ends."""

from collections import Counter
from datetime import timedelta

from chalicelib.kernel import clock
from chalicelib.ordering import ending
from tests.support.at_once import THREADS, at_once, each, outcomes
from tests.support.clouds import ALSO_IN_MEMORY, IN_MEMORY
from tests.support.invariants import findings
from tests.support.unguarded import unguarded
from tests.support.world import Json, World

AFTER_EXPIRY = timedelta(minutes=16)


def pay_with_one_event(world: World) -> tuple[Json, list[str]]:
    """The provider sends one event of one payment sixteen times at once."""
    sale = world.sale(stock=10)
    order = world.place(sale, quantity=3)
    answers = at_once([lambda: world.pay(order)] * THREADS)
    assert outcomes(answers) == {"200": THREADS}
    world.work()
    return world.order(order["id"]), findings({sale.sku_ids[0]: 10})


@ALSO_IN_MEMORY
def test_an_event_that_comes_sixteen_times_is_booked_once(world: World) -> None:
    order, found = pay_with_one_event(world)
    assert (order["status"], len(order["dispatches"])) == ("paid", 1)
    assert world.trial_balance() == {"cash:local": 3000, "customer_prepayments": -3000}
    assert found == []


@IN_MEMORY
def test_control_the_rig_catches_a_payment_taken_twice(world: World) -> None:
    with unguarded():
        _, found = pay_with_one_event(world)
    assert any(finding.startswith("reserved ") for finding in found)


def test_of_sixteen_payments_of_an_order_one_is_kept_and_the_others_go_back(world: World) -> None:
    sale = world.sale()
    order = world.place(sale)
    answers = at_once(each(range(THREADS), lambda n: world.pay(order, reference=f"ch_{n}")))
    assert outcomes(answers) == {"200": THREADS}
    world.work()
    assert world.trial_balance() == {"cash:local": 1000, "customer_prepayments": -1000}
    cases = world.operator.get("/v1/cases").json["items"]
    assert [case["kind"] for case in cases] == ["second_payment"] * 15
    assert world.order(order["id"])["refunded_amount"] == 0
    assert findings({sale.sku_ids[0]: 100}) == []


def pay_while_expiring(world: World, buyers: int) -> tuple[list[Json], list[str]]:
    """Eight orders hold all units; they are paid and expire at once, and others want the units."""
    sale = world.sale(stock=8, limit=1)
    orders = [world.place(sale, world.customer(f"cus_{n}")) for n in range(8)]
    later = clock.now() + AFTER_EXPIRY
    others = [world.customer(f"cus_late_{n}") for n in range(buyers)]
    pays = each(orders, lambda order: world.pay(order).status)
    buys = each(others, lambda c: c.post("/v1/orders", world.order_body(sale)).status)
    statuses = at_once([*pays, *[lambda: ending.sweep(later)] * 8, *buys])
    assert statuses[:8] == [200] * 8
    assert set(statuses[16:]) <= {201, 409}
    world.work()
    paid = [world.order(order["id"]) for order in orders]
    return paid, findings({sale.sku_ids[0]: 8})


@ALSO_IN_MEMORY
def test_an_order_paid_while_it_expires_is_paid_in_the_end(world: World) -> None:
    orders, found = pay_while_expiring(world, buyers=0)
    assert [order["status"] for order in orders] == ["paid"] * 8
    assert found == []


def test_an_order_whose_units_others_took_meanwhile_is_refunded(world: World) -> None:
    orders, found = pay_while_expiring(world, buyers=16)
    assert {order["status"] for order in orders} <= {"paid", "refunded"}
    paid = 1000 * sum(order["status"] == "paid" for order in orders)
    assert world.trial_balance().get("cash:local", 0) == paid
    assert found == []


@IN_MEMORY
def test_control_the_rig_catches_an_order_paid_and_expired(world: World) -> None:
    with unguarded():
        _, found = pay_while_expiring(world, buyers=0)
    assert any(finding.startswith("reserved ") for finding in found)


def test_a_customer_cancels_while_paying(world: World) -> None:
    sale = world.sale(stock=8)
    orders = [world.place(sale) for _ in range(8)]
    alice = world.customer()
    cancels = each(orders, lambda order: alice.post(f"/v1/orders/{order['id']}/cancel", {}))
    answers = at_once([*each(orders, world.pay), *cancels])
    assert outcomes(answers[:8]) == {"200": 8}
    world.work()
    cancelled = [answer.status == 200 for answer in answers[8:]]
    assert {answer.code for answer in answers[8:]} <= {None, "order_not_cancellable"}
    ended = [world.order(order["id"])["status"] for order in orders]
    assert ended == ["refunded" if so else "paid" for so in cancelled]
    assert findings({sale.sku_ids[0]: 8}) == []


def collect_at_once(world: World, references: list[str]) -> tuple[Counter[str], list[str]]:
    """The cash of one order of 10.00 is told of under each reference."""
    sale = world.sale()
    order = world.place(sale, payment_method="leader_collect")
    leader, path = world.leader(sale.leader_id), f"/v1/orders/{order['id']}/payments"
    cash = [{"amount": 1000, "reference": reference} for reference in references]
    answers = at_once(each(cash, lambda body: leader.post(path, body)))
    world.work()
    return outcomes(answers), findings({sale.sku_ids[0]: 100})


def test_collected_cash_is_booked_once_whatever_its_reference(world: World) -> None:
    answered, found = collect_at_once(world, [f"R{n}" for n in range(THREADS)])
    assert (answered, found) == ({"201": 1, "409 order_not_payable": 15}, [])


def test_cash_that_is_told_of_sixteen_times_at_once_is_one_receipt(world: World) -> None:
    answered, found = collect_at_once(world, ["R1"] * THREADS)
    assert (answered, found) == ({"201": 1, "200": 15}, [])


@IN_MEMORY
def test_control_the_rig_catches_cash_that_is_booked_twice(world: World) -> None:
    with unguarded():
        answered, found = collect_at_once(world, ["R1"] * THREADS)
    assert answered["201"] > 1
    assert found != []
