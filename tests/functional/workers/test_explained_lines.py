"""Every line of a statement names its entries, the run that made it available, and its rounding."""

from typing import Any

import pytest

from tests.functional.test_plans import a_plan, edit_leader, lines_of, planned_sale, rule, settle
from tests.functional.test_refund_bearers import bear, refund
from tests.functional.workers.conftest import StillClock
from tests.support.invariants import findings
from tests.support.sending import Sending
from tests.support.world import Json, Sale, World, created


def explained(world: World, leader_id: str, day: str) -> list[Json]:
    path = f"/v1/leaders/{leader_id}/statements/run_{day}/lines"
    count = len(lines_of(world, leader_id, day))
    return [world.operator.get(f"{path}/{n}").json for n in range(1, count + 1)]


def methods(world: World, leader_id: str, day: str) -> list[tuple[int, str]]:
    return [
        (each["amount"], each["rounding"]["method"]) for each in explained(world, leader_id, day)
    ]


def posted(entry: Json) -> list[tuple[str, int]]:
    return [(each["account"].rpartition(":")[2], each["amount"]) for each in entry["postings"]]


@pytest.mark.parametrize(
    ("said", "price", "expected"),
    [
        ({}, 999, [(100, "half_up")]),
        ({}, 990, [(99, "none")]),
        ({"cap": {"line": 99}}, 999, [(99, "limited")]),
        ({"cap": {"order": 99}}, 999, [(99, "limited")]),
        ({"floor": {"line": 101}}, 999, [(101, "limited")]),
        ({"cap": {"line": 100}}, 999, [(100, "half_up")]),
    ],
)
def test_how_an_amount_was_made_is_kept_and_not_guessed(
    world: World, time: StillClock, said: Any, price: int, expected: list[tuple[int, str]]
) -> None:
    sale = planned_sale(world, a_plan(world, rule(**said)), price=price)
    world.delivered_order(sale, 1)
    assert methods(world, sale.leader_id, settle(world, time)) == expected


def test_a_role_and_a_part_say_so(world: World, time: StillClock) -> None:
    split = [{"role": "promoter", "bps": 9000}, {"role": "pickup_point", "bps": 1000}]
    sale = planned_sale(world, a_plan(world, rule(split=split)), price=999)
    shop = world.add_leader()
    edit_leader(world, sale.leader_id, pickup_leader_id=shop)
    world.delivered_order(sale, 1)
    refunded = world.delivered_order(sale, 2)
    refund(world, refunded, amount=100)
    day = settle(world, time)
    assert sorted(methods(world, shop, day)) == [(10, "largest_remainder"), (19, "by_difference")]


def given_a_bonus(world: World, sale: Sale) -> None:
    body = {"task": "training", "amount": 500, "reference": "march"}
    created(world.operator.post(f"/v1/leaders/{sale.leader_id}/bonuses", body))


def test_what_was_pending_was_made_available_by_the_run(world: World, time: StillClock) -> None:
    bear(world, damaged="platform")
    sale = planned_sale(world, a_plan(world))
    given_a_bonus(world, sale)
    refund(world, world.delivered_order(sale, 3), amount=1000)
    day = settle(world, time)
    found = explained(world, sale.leader_id, day)
    assert {each["kind"]: each["amount"] for each in found} == {
        "bonus": 500,
        "commission": 200,
        "kept": 100,
    }
    assert {(each["settled_by"] or {}).get("id") for each in found} == {
        f"matured:run_{day}:{sale.leader_id}"
    }


def test_what_was_available_before_names_no_run(world: World, time: StillClock) -> None:
    bear(world, damaged="platform")
    sale = planned_sale(world, a_plan(world))
    order = world.delivered_order(sale, 3)
    settle(world, time)
    refund(world, order, amount=1000)
    found = explained(world, sale.leader_id, settle(world, time))
    assert {each["kind"]: each["settled_by"] for each in found} == {"kept": None, "clawback": None}


def test_of_parcels_that_were_settled_and_not_each_says_its_own(
    world: World, time: StillClock
) -> None:
    """One refund takes from both, so that its entries post to both of the leader's accounts."""
    bear(world, damaged="platform")
    sending = Sending(world)
    for number, units in (("T1", 1), ("T2", 2)):
        sending.ship(number, units)
        assert sending.deliver(number).status == 200
        if number == "T1":
            first = settle(world, time)
    refund(world, sending.order, amount=3000)
    leader_id = sending.sale.leader_id
    assert [each["amount"] for each in explained(world, leader_id, first)] == [100]
    found = [
        (each["kind"], each["amount"], each["settled_by"] is None)
        for each in explained(world, leader_id, settle(world, time))
    ]
    assert sorted(found) == [
        ("clawback", -100, True),
        ("kept", 100, True),
        ("kept", 200, False),
    ]


def test_a_line_names_what_has_voided_a_part_of_it(world: World, time: StillClock) -> None:
    sale = planned_sale(world, a_plan(world), skus=2)
    order = world.delivered_order(sale, 3)
    one, other = sale.sku_ids
    made = refund(world, order, lines=[{"sku_id": one, "quantity": 1}])
    found = {each["sku_id"]: each for each in explained(world, sale.leader_id, settle(world, time))}
    assert (found[one]["amount"], found[other]["amount"]) == (200, 300)
    assert posted(found[one]["entry"]) == [("pending", -600)]
    assert found[one]["voided_by"] == [f"refund:{made['id']}"]
    assert [posted(each) for each in found[one]["voiding"]] == [[("pending", 100)]]
    assert (found[other]["voided_by"], found[other]["voiding"]) == ([], [])
    assert findings() == []


def test_what_one_refund_took_of_two_parcels_is_one_entry(world: World, time: StillClock) -> None:
    sending = Sending(world)
    for number, units in (("T1", 1), ("T2", 2)):
        sending.ship(number, units)
        assert sending.deliver(number).status == 200
    refund(world, sending.order, amount=1500)
    found = explained(world, sending.sale.leader_id, settle(world, time))
    delivered = [posted(each["entry"]) for each in found]
    assert sorted(delivered) == [[("pending", -200)], [("pending", -100)]]
    assert [[posted(of) for of in each["voiding"]] for each in found] == [[[("pending", 150)]]] * 2
    assert sum(each["amount"] for each in found) == 300 - 150


def test_what_has_voided_a_part_is_known_after_a_dispute(world: World, time: StillClock) -> None:
    sale = planned_sale(world, a_plan(world))
    order = world.delivered_order(sale, 3)
    sku = {"sku_id": sale.sku_ids[0], "quantity": 1}
    made = [refund(world, order, lines=[sku])["id"] for _ in range(2)]
    path = f"/v1/dispatches/{order['dispatches'][0]['id']}/disputes"
    opened = created(world.customer().post(path, {"reason": "it never came"}))
    decided = {"outcome": "dismissed", "note": "it did"}
    assert world.operator.post(f"{path}/{opened['id']}/resolve", decided).status == 200
    (line,) = explained(world, sale.leader_id, settle(world, time))
    assert (line["amount"], line["voided_by"]) == (100, [f"refund:{each}" for each in made])


def test_a_refund_after_a_run_voids_nothing(world: World, time: StillClock) -> None:
    sale = planned_sale(world, a_plan(world))
    order = world.delivered_order(sale, 3)
    day = settle(world, time)
    refund(world, order, lines=[{"sku_id": sale.sku_ids[0], "quantity": 1}])
    (line,) = explained(world, sale.leader_id, day)
    assert (line["amount"], line["voided_by"]) == (300, [])
    (back,) = explained(world, sale.leader_id, settle(world, time))
    assert (back["kind"], back["rounding"]["method"], back["voided_by"]) == ("clawback", "none", [])


SPLIT = [{"role": "promoter", "bps": 9000}, {"role": "pickup_point", "bps": 1000}]


def steps(line: Json) -> list[Any]:
    """Each with what it leaves; of what is divided, every portion."""
    return [
        (
            *(step["name"], step["exact"], step["amount"]),
            *((each["of"], each["exact"], each["amount"]) for each in step["portions"]),
        )
        for step in line["rounding"]["steps"]
    ]


def test_the_steps_of_a_divided_line_begin_with_the_whole(world: World, time: StillClock) -> None:
    """31.41 is not rounded to 32: 34.9 is to 35, and that is divided."""
    sale = planned_sale(world, a_plan(world, rule(split=SPLIT)), price=349)
    shop = world.add_leader()
    edit_leader(world, sale.leader_id, pickup_leader_id=shop)
    world.delivered_order(sale, 1)
    day = settle(world, time)
    divided = (("promoter", "63/2", 32), ("pickup_point", "7/2", 3))
    (own,), (others,) = (explained(world, each, day) for each in (sale.leader_id, shop))
    assert (own["amount"], own["rounding"]["exact"]) == (32, "3141/100")
    assert steps(own) == [("rate", "349/10", 35), ("division", "63/2", 32, *divided)]
    assert steps(others) == [("rate", "349/10", 35), ("division", "7/2", 3, *divided)]


@pytest.mark.parametrize(
    ("said", "step"),
    [
        ({"cap": {"line": 20}}, ("cap", 20, 20)),
        ({"floor": {"line": 50}}, ("floor", 50, 50)),
        ({"cap": {"line": 40, "order": 30}}, ("order_cap", 30, 30)),
    ],
)
def test_a_bound_is_a_step_where_it_says_something(
    world: World, time: StillClock, said: Any, step: tuple[str, int, int]
) -> None:
    sale = planned_sale(world, a_plan(world, rule(**said)), price=349)
    world.delivered_order(sale, 1)
    (line,) = explained(world, sale.leader_id, settle(world, time))
    first, second = line["rounding"]["steps"]
    assert (first["name"], first["amount"], first["bound"]) == ("rate", 35, None)
    assert (second["name"], second["bound"], second["amount"]) == step
    assert line["amount"] == second["amount"]


def test_an_orders_cap_shows_what_each_of_its_lines_gives_up(
    world: World, time: StillClock
) -> None:
    sale = planned_sale(world, a_plan(world, rule(cap={"order": 100})), skus=2, price=349)
    one, other = sale.sku_ids
    lines = [{"sku_id": one, "quantity": 2}, {"sku_id": other, "quantity": 3}]
    order = world.paid_order(sale, lines=lines)
    world.move(order["dispatches"][0]["id"], "accept", "ship", "deliver")
    found = {each["sku_id"]: each for each in explained(world, sale.leader_id, settle(world, time))}
    # 70 and 105 of 175 in proportion.
    divided = ((one, "40", 40), (other, "60", 60))
    assert steps(found[one])[-1] == ("order_cap", "40", 40, *divided)
    assert steps(found[other])[-1] == ("order_cap", "60", 60, *divided)


def test_a_parcel_shows_what_was_left_before_and_after_it(world: World, time: StillClock) -> None:
    """A line of 3 at 3.33, of which 99.9 are 1.00: in parcels of one unit and of two."""
    sending = Sending(world, price=333)
    for number, units in (("T1", 1), ("T2", 2)):
        sending.ship(number, units)
        assert sending.deliver(number).status == 200
    found = explained(world, sending.sale.leader_id, settle(world, time))
    assert {each["amount"]: steps(each)[-1] for each in found} == {
        33: ("units", None, 33, ("3 of 3 units", "100", 100), ("2 of 3 units", "200/3", 67)),
        67: ("units", None, 67, ("2 of 3 units", "200/3", 67), ("0 of 3 units", "0", 0)),
    }


def test_what_was_not_sold_has_no_steps(world: World, time: StillClock) -> None:
    sale = planned_sale(world, a_plan(world))
    given_a_bonus(world, sale)
    (line,) = explained(world, sale.leader_id, settle(world, time))
    assert line["rounding"] == {"exact": "500", "method": "none", "steps": []}
