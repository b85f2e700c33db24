"""Leaders that leave are paid once nothing may take from it any more, and not before."""

from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

from chalicelib.payouts import preparing
from tests.functional.conftest import new_world
from tests.functional.test_payout_previews import left_out
from tests.functional.test_plans import a_plan, edit_leader, planned_sale, rule
from tests.functional.test_refunds import refund
from tests.functional.workers.conftest import StillClock
from tests.functional.workers.test_leaving import SHOP, leave, night, paid_out, waits_for
from tests.support import payouts
from tests.support.communities import balance, communities, deliver
from tests.support.invariants import findings
from tests.support.world import Issuer, Sale, World

PROMOTER = {"role": "promoter", "bps": 9000}


@pytest.fixture
def world(issuer: Issuer, time: StillClock) -> Iterator[World]:
    """A world in which commission matures days before what was bought can be returned no more."""
    with new_world(issuer, COMMISSION_HOLD_DAYS="1") as made:
        yield made
        made.work()
        assert findings() == []


@pytest.fixture
def sale(world: World) -> Sale:
    (made,) = communities(world, 1)
    return made


def test_one_is_not_paid_what_may_still_be_returned(
    world: World, time: StillClock, sale: Sale
) -> None:
    (order,) = deliver(world, [sale], [3])
    leave(world, sale)
    night(world, time, days=2)
    assert waits_for(world, sale) == ["returns", "payout"]
    batch = payouts.make(world)
    assert (batch["status"], batch["payouts"], batch["left_out"]) == ("closed", 0, 1)
    assert left_out(world, batch) == {sale.leader_id: ("leaving", 300)}
    refund(world, order, (sale.sku_ids[0], 2))
    assert balance(world, sale)["available"] == 100
    night(world, time, days=6)
    assert waits_for(world, sale) == ["payout"]
    assert paid_out(world)["amount"] == 100


def test_one_is_not_paid_its_part_in_what_others_may_have_to_take_back(
    world: World, time: StillClock
) -> None:
    shop = world.add_leader()
    sale = planned_sale(world, a_plan(world, rule(1000, split=[PROMOTER, SHOP])))
    edit_leader(world, sale.leader_id, pickup_leader_id=shop)
    order = world.delivered_order(sale, 5)
    part = Sale(sale.supplier_id, shop, "", "", [])
    leave(world, part)
    night(world, time, days=2)
    assert waits_for(world, part) == ["returns", "payout"]
    earned = order["total"] // 100
    assert left_out(world, payouts.make(world, minimum=1000))[shop] == ("leaving", earned)
    night(world, time, days=6)
    assert waits_for(world, part) == ["payout"]
    assert paid_out(world)["amount"] == earned


def test_one_is_not_paid_while_an_order_of_it_is_open(
    world: World, time: StillClock, sale: Sale
) -> None:
    deliver(world, [sale], [3])
    world.paid_order(sale)
    leave(world, sale)
    night(world, time, days=8)
    assert waits_for(world, sale) == ["orders", "payout"]
    batch = payouts.make(world)
    assert left_out(world, batch) == {sale.leader_id: ("leaving", 300)}
    assert balance(world, sale)["available"] == 300


def test_one_pays_meanwhile_what_it_owes_where_nothing_is_left_to_send(
    world: World, time: StillClock, sale: Sale
) -> None:
    (order,) = deliver(world, [sale], [3])
    payouts.collect(world, sale, 1)
    leave(world, sale)
    night(world, time, days=2)
    batch = payouts.make(world)
    assert (batch["results"]["offset"], batch["amount"], batch["netted"]) == (1, 0, 300)
    refund(world, order, (sale.sku_ids[0], 3))
    after = balance(world, sale)
    # What it owes in all is what it would owe without the batch: 10.00 in cash.
    assert (after["available"], after["collected"]) == (-300, 700)


def test_one_that_leaves_while_a_batch_looks_at_it_is_left_out(
    world: World, time: StillClock, sale: Sale
) -> None:
    deliver(world, [sale], [3])
    night(world, time, days=2)
    commit, leaves = preparing._commit, iter([True])

    def late(*args: Any, **options: Any) -> None:
        if next(leaves, False):
            leave(world, sale)
        commit(*args, **options)

    with mock.patch.object(preparing, "_commit", late):
        batch = payouts.make(world)
    assert left_out(world, batch) == {sale.leader_id: ("leaving", 300)}
    assert balance(world, sale)["available"] == 300


def test_one_that_stays_while_a_batch_looks_at_it_is_paid_as_any_other(
    world: World, time: StillClock, sale: Sale
) -> None:
    deliver(world, [sale], [3])
    leave(world, sale)
    night(world, time, days=8)
    commit, stays = preparing._commit, iter([True])

    def late(*args: Any, **options: Any) -> None:
        if next(stays, False):
            path = f"/v1/leaders/{sale.leader_id}/leave/cancel"
            assert world.operator.post(path).status == 200
        commit(*args, **options)

    with mock.patch.object(preparing, "_commit", late):
        batch = payouts.make(world, minimum=301)
    assert (batch["payouts"], batch["left_out"]) == (0, 0)
    assert balance(world, sale)["available"] == 300
