"""A process that dies while a bank's word is taken: what it took back, and what its statement
says."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from chalicelib.kernel import clock
from chalicelib.payments.rules import chargeback_id
from tests.race.test_crashes import (
    DELIVERED,
    ONE_BACK,
    Made,
    Recorder,
    Scenario,
    assert_it_ends_right,
    balances,
    comes_to,
    delivered,
    is_caught_piece_by_piece,
    post,
    result,
)
from tests.race.test_payout_crashes import settle
from tests.support.clouds import IN_MEMORY
from tests.support.crashing import work_off
from tests.support.payouts import payouts_of, sent, tell
from tests.support.statements import camt, csv_file, reconcile
from tests.support.world import Json, World

CHARGEBACKS, DISPUTE = "/v1/chargebacks", "dp_1"
RETURNED_AFTER = timedelta(days=2)

pytestmark = pytest.mark.usefixtures("days_to_come")


def charge_back(world: World, made: Made) -> None:
    """The price of one unit, for which the bank takes 1.50 beside it."""
    taken = {"order_id": made.order["id"], "amount": 1000, "fee": 150, "reference": DISPUTE}
    post(world, CHARGEBACKS, taken)


def hear_of_too_much(world: World, made: Made) -> None:
    """The provider says that 10.00 more than the order's 60.00 were taken back."""
    hear(world, made, "created", amount=7000)


def hear_of_its_end(world: World, made: Made) -> None:
    """The provider says that a chargeback is won of which it had said nothing before."""
    hear(world, made, "closed", amount=1000, outcome="won")


def hear(world: World, made: Made, what: str, **said: Any) -> None:
    charge = f"ch_{made.order['id']}"
    told = {"dispute_id": DISPUTE, "reference": charge, "fee": 150, "currency": "EUR", **said}
    assert world.provider_event(f"dispute.{what}", told).status == 200
    work_off(world)


def after(take_back: Callable[[World, Made], None], world: World) -> Made:
    made = delivered(world)
    take_back(world, made)
    return made


def close(world: World, made: Made, outcome: str) -> None:
    path = f"{CHARGEBACKS}/{chargeback_id('local', DISPUTE)}/close"
    post(world, path, {"outcome": outcome})


def with_a_fee(world: World) -> Json:
    """A statement in which the bank takes a fee of 1.50."""
    row = (a_day(), "-1.50", "EUR", "fee")
    return reconcile(world, csv_file(row, columns="date,amount,currency,type"))


def with_a_payout_returned(world: World) -> Json:
    """A statement in which a leader's 3.00 go and come back."""
    world.delivered_order(world.sale(), quantity=3)
    settle(world)
    (payout,) = payouts_of(world, sent(world))
    assert tell(world, payout, "paid").status == 200
    gone = (a_day(), "-3.00", "EUR", payout["id"])
    back = (a_day(RETURNED_AFTER), "3.00", "EUR", payout["id"])
    return reconcile(world, csv_file(gone, back))


def with_a_payout_missing(world: World) -> Json:
    """A leader's 3.00 that two statements have not had, and that were posted against."""
    world.delivered_order(world.sale(), quantity=3)
    settle(world)
    (payout,) = payouts_of(world, sent(world))
    assert tell(world, payout, "paid").status == 200
    for n, days in enumerate(((-5, 0), (1, 10))):
        first, last = (a_day(timedelta(days=day)) for day in days)
        made = reconcile(world, camt(period=(first, last), own_id=str(n)), format="camt.053")
    resolve(world, made, "post_to_suspense")
    return {**made, "payout": payout["id"]}


def turn_up(world: World, missed: Json) -> None:
    """The third statement has it, and a fee beside it."""
    day = a_day(timedelta(days=11))
    rows = (day, "-3.00", "EUR", missed["payout"], ""), (day, "-1.50", "EUR", "", "fee")
    raw = csv_file(*rows, columns="date,amount,currency,reference,type")
    headers = {"Content-Type": "application/octet-stream", "Idempotency-Key": "turn-up"}
    path = "/v1/reconciliations?account=cash:bank&format=csv"
    assert world.operator.send("POST", path, raw, headers).status == 202
    work_off(world)


def turned_up(world: World, missed: Json) -> Json:
    found, *_ = world.operator.get("/v1/reconciliations").json["items"]
    seen = resolved(world, missed)
    return {**seen, "found": [found["status"], found["matched"], found["differences"]]}


def a_day(from_now: timedelta = timedelta()) -> str:
    return (clock.now() + from_now).date().isoformat()


def resolve(world: World, reconciliation: Json, resolution: str) -> None:
    path = f"/v1/reconciliations/{reconciliation['id']}/differences/1/resolve"
    post(world, path, {"resolution": resolution, "note": "looked into"})


def with_a_resolution(world: World) -> Json:
    """A fee that was resolved as whose nobody knows."""
    made = with_a_fee(world)
    resolve(world, made, "post_to_suspense")
    return made


def undo(world: World, reconciliation: Json) -> None:
    path = f"/v1/reconciliations/{reconciliation['id']}/differences/1/undo"
    post(world, path, {"note": "it is a fee"})


def resolved(world: World, reconciliation: Json) -> Json:
    made = world.operator.get(f"/v1/reconciliations/{reconciliation['id']}").json
    cases = world.operator.get("/v1/cases").json["items"]
    return {
        "differences": [made["differences"], made["unresolved"]],
        "cases": [[each["kind"], each["status"]] for each in cases],
        "balances": balances(world),
    }


def resolved_to(**balances: int) -> Json:
    return {
        "differences": [1, 0],
        "cases": [[CASE, "resolved"]],
        "balances": {name.replace("__", ":"): amount for name, amount in balances.items()},
    }


DISPUTED, CASE = "payment_disputed", "reconciliation_difference"
ONE_UNIT = comes_to("delivered", 7, refunded=1000, dispatches=["delivered"], cases=[DISPUTED])
ALL_UNITS = comes_to(
    "refunded",
    7,
    refunded=6000,
    dispatches=["delivered"],
    cases=["chargeback_unmatched", DISPUTED],
)
# All but the fee is back; what a leader is given back waits for its day as before.
WON: Json = {
    **ONE_UNIT,
    "refunded": 0,
    "balances": {
        **DELIVERED,
        "cash:local": 5850,
        "leader:pending": -600,
        "platform:revenue": -1050,
    },
}
SCENARIOS = {
    # The fee is the platform's.
    "charge back": Scenario(
        delivered,
        charge_back,
        result,
        {**ONE_UNIT, "balances": {**ONE_BACK, "cash:local": 4850, "platform:revenue": -850}},
    ),
    "hear of too much": Scenario(
        delivered,
        hear_of_too_much,
        result,
        {
            **ALL_UNITS,
            "balances": {
                "cash:local": -1150,
                "unmatched_chargebacks": 1000,
                "platform:revenue": 150,
            },
        },
    ),
    "lose": Scenario(
        partial(after, hear_of_too_much),
        partial(close, outcome="lost"),
        result,
        {**ALL_UNITS, "balances": {"cash:local": -1150, "platform:revenue": 1150}},
    ),
    "win": Scenario(partial(after, charge_back), partial(close, outcome="won"), result, WON),
    "hear of its end": Scenario(delivered, hear_of_its_end, result, WON),
    "post a fee": Scenario(
        with_a_fee,
        partial(resolve, resolution="post_fee"),
        resolved,
        resolved_to(cash__bank=-150, platform__revenue=150),
    ),
    "undo a resolution": Scenario(
        with_a_resolution,
        undo,
        resolved,
        {
            "differences": [1, 1],
            "cases": [[CASE, "open"], [CASE, "resolved"]],
            "balances": {},
        },
    ),
    # The payout stands as it was, and what was posted against it stands no more.
    "turn up": Scenario(
        with_a_payout_missing,
        turn_up,
        turned_up,
        {
            **resolved_to(
                cash__local=3000,
                cash__bank=-300,
                supplier__payable=-2100,
                platform__revenue=-600,
            ),
            "cases": [[CASE, "open"], [CASE, "resolved"]],
            "found": ["done", 1, 1],
        },
    ),
    # Of 3000 the supplier is owed 3 units at 700, the leader 10 % again.
    "return a payout": Scenario(
        with_a_payout_returned,
        partial(resolve, resolution="returned"),
        resolved,
        resolved_to(
            cash__local=3000,
            supplier__payable=-2100,
            leader__available=-300,
            platform__revenue=-600,
        ),
    ),
}


@IN_MEMORY
@pytest.mark.parametrize("name", SCENARIOS)
def test_whatever_dies_wherever_the_bank_is_taken_at_its_word_once(
    name: str, world: World, record_property: Recorder
) -> None:
    assert_it_ends_right(world, SCENARIOS[name], record_property)


@IN_MEMORY
@pytest.mark.parametrize("name", SCENARIOS)
def test_control_the_rig_catches_a_word_that_is_taken_piece_by_piece(
    name: str, world: World
) -> None:
    assert is_caught_piece_by_piece(world, SCENARIOS[name])
