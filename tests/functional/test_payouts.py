"""Batches of payouts from what is available to what has arrived, and back."""

import pytest

from tests.functional.conftest import Clock
from tests.support.communities import balance
from tests.support.payouts import (
    approve,
    cancel,
    earned,
    make,
    other_operator,
    payout_to,
    payouts_of,
    read,
    send,
    sent,
    tell,
    try_batch,
)
from tests.support.world import World


def test_what_leaders_have_available_is_gathered_and_paid(world: World, time: Clock) -> None:
    first, second = earned(world, time, 3, 2)
    batch = make(world)
    assert {name: batch[name] for name in ("status", "payouts", "amount", "netted")} == {
        "status": "prepared",
        "payouts": 2,
        "amount": 500,
        "netted": 0,
    }
    assert balance(world, first)["in_payout"] == 300
    assert balance(world, first)["available"] == 0
    assert approve(world, batch).json["status"] == "approved"
    assert send(world, batch).json["status"] == "sent"
    for sale in (first, second):
        payout = payout_to(world, batch, sale.leader_id)
        assert (payout["status"], payout["payee"]["role"]) == ("sent", "leader")
        assert tell(world, payout, "paid", f"T-{sale.leader_id}").status == 200
    done = read(world, batch)
    assert (done["status"], done["results"]["paid"], done["results"]["paid_amount"]) == (
        "closed",
        2,
        500,
    )
    assert balance(world, first)["paid_out"] == 300
    books = world.trial_balance()
    assert books["cash:bank"] == -500
    assert f"leader:{first.leader_id}:in_payout" not in books
