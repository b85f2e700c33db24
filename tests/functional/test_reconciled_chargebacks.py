"""What a provider's statement says of chargebacks: money and fees, taken and given back."""

import json
from typing import Any

import pytest

from tests.functional.conftest import Clock
from tests.functional.test_reconciliations import day_of, open_cases
from tests.functional.test_refund_bearers import bear
from tests.support.statements import csv_file, differences, reconcile, resolve
from tests.support.world import World, created


def won_dispute(world: World, time: Clock) -> None:
    """One of 10.00, whose leader has paid a fee of 1.50, is won on the next day."""
    bear(world, chargeback="leader", chargeback_fee="leader")
    order = world.delivered_order(world.sale(), 3)
    body = {"order_id": order["id"], "amount": 1000, "fee": 150, "reference": "dp_1"}
    made = created(world.operator.post("/v1/chargebacks", body))
    time.move_on(days=1)
    close = f"/v1/chargebacks/{made['id']}/close"
    assert world.operator.post(close, {"outcome": "won"}).status == 200


def balance_transactions(time: Clock, *of: dict[str, Any], source: Any = "dp_1") -> bytes:
    usual = {"currency": "eur", "type": "adjustment", "source": source, "fee": 0}
    at = int(time.now().timestamp())
    data = [
        {**usual, "id": f"txn_{n}", "created": at, **each}
        for n, each in enumerate(({"amount": -1000, "fee": 150, "created": at - 86_400}, *of), 1)
    ]
    return json.dumps(data).encode()


@pytest.mark.parametrize(
    "source", ["dp_1", {"object": "dispute", "id": "dp_1", "payment_intent": "pi_1"}], ids=str
)
def test_a_dispute_is_known_by_the_providers_own_id(world: World, time: Clock, source: Any) -> None:
    won_dispute(world, time)
    raw = balance_transactions(time, {"amount": 1000}, source=source)
    done = reconcile(world, raw, account="cash:local", format="stripe")
    assert (done["lines"], done["matched"]) == (3, 3)
    # The order's own payment, which the file leaves out, may be in the next one.
    assert (differences(world, done), done["in_transit"]) == ([], 1)


@pytest.mark.parametrize(
    "back",
    [[{"amount": 1000, "fee": -150}], [{"amount": 1000}, {"amount": 150}]],
    ids=["with the money", "apart"],
)
def test_a_fee_that_stripe_gives_back_is_a_case_that_posts_it(
    world: World, time: Clock, back: list[dict[str, Any]]
) -> None:
    won_dispute(world, time)
    before = world.trial_balance()
    raw = balance_transactions(time, *back)
    done = reconcile(world, raw, account="cash:local", format="stripe")
    (fee,) = differences(world, done)
    assert (done["lines"], done["matched"], fee["kind"]) == (4, 3, "fee")
    assert fee["changes"] == [{"currency": "EUR", "amount": 150}]
    assert resolve(world, done, fee["n"], "post_fee").status == 200
    assert open_cases(world) == []
    after = world.trial_balance()
    assert after["cash:local"] - before["cash:local"] == 150
    # The platform had given it to the leader before, and earns and pays nothing by it.
    assert after["platform:revenue"] - before["platform:revenue"] == -150
    again = reconcile(world, raw + b" ", account="cash:local", format="stripe")
    assert (again["repeated"], again["differences"]) == (4, 0)


@pytest.mark.parametrize("kind", ["payment", "fee"])
@pytest.mark.parametrize("days", [1, 40])
def test_a_fee_that_a_providers_csv_gives_back_is_a_case_too(
    world: World, time: Clock, kind: str, days: int
) -> None:
    won_dispute(world, time)
    columns = "date,amount,currency,reference,type"
    rows = [(day_of(time, -1), "-1.50", "EUR", "dp_1", kind)]
    first = reconcile(world, csv_file(*rows, columns=columns), account="cash:local")
    assert (first["matched"], first["differences"]) == (1, 0)
    time.move_on(days=days)
    rows = [(day_of(time), "1.50", "EUR", "dp_1", kind)]
    second = reconcile(world, csv_file(*rows, columns=columns), account="cash:local")
    told = [each for each in differences(world, second) if each["lines"]]
    assert [(each["kind"], each["changes"][0]["amount"]) for each in told] == [("fee", 150)]


@pytest.mark.parametrize("fee", [0, 150])
@pytest.mark.parametrize("outcome", ["lost", "won"])
@pytest.mark.parametrize("amount", [1000, 4000])
def test_a_chargeback_names_each_entry_that_a_statement_may_have_of_it(
    world: World, time: Clock, amount: int, outcome: str, fee: int
) -> None:
    """The order has 30.00 left, so that of 40.00 a part is in no refund."""
    order = world.delivered_order(world.sale(), 3)
    body = {"order_id": order["id"], "amount": amount, "fee": fee, "reference": "dp_1"}
    made = created(world.operator.post("/v1/chargebacks", body))
    close = f"/v1/chargebacks/{made['id']}/close"
    done = world.operator.post(close, {"outcome": outcome}).json
    today = f"from={day_of(time)}&to={day_of(time)}"
    journal = world.operator.get(f"/v1/ledger/journal?account=cash:local&{today}").json["items"]
    of_it = {each["id"] for each in journal} - {f"receipt:local:ch_{order['id']}"}
    assert sorted(done["entries"]) == sorted(of_it)
    assert set(made["entries"]) == {each for each in of_it if "won" not in each}
