"""What a leader's balance has moved by since its last statement, and what is pending beside it."""

from typing import Any

import pytest

from chalicelib.kernel.callers import Caller
from chalicelib.settlement import open_statements
from chalicelib.settlement import store as settlement
from tests.functional.test_plans import a_plan, planned_sale, settle
from tests.functional.test_refund_bearers import bear, refund
from tests.functional.workers.conftest import StillClock
from tests.support.gateway import Answer
from tests.support.payouts import earned, payout_to, sent, tell
from tests.support.world import Json, Sale, World, created


def opened(world: World, leader_id: str, day: str | None = None) -> Json:
    """As the leader reads it, beside its balance, which it has to explain."""
    path = f"/v1/leaders/{leader_id}/statements/open"
    leader = world.leader(leader_id)
    made = leader.get(f"{path}?matures_on={day}" if day else path).json
    balance = leader.get(f"/v1/leaders/{leader_id}/balance").json
    lines = sum(line["amount"] for line in made["lines"])
    assert (made["total"], made["balance"]) == (lines, made["opening_balance"] + lines)
    assert made["balance"] == balance["available"]
    pending = sum(each["amount"] for each in made["pending"])
    assert pending + made["held"] == balance["pending"]
    return made


def told(lines: Json) -> list[tuple[str, int]]:
    return [(line["kind"], line["amount"]) for line in lines]


def adjust(world: World, sale: Sale, amount: int) -> Json:
    path = f"/v1/leaders/{sale.leader_id}/adjustments"
    return created(
        world.operator.post(
            path, {"amount": amount, "reason": "corrected", "reference": f"of {amount}"}
        )
    )


def test_before_anything_happened_nothing_is_open(world: World) -> None:
    leader_id = world.add_leader()
    made = opened(world, leader_id)
    assert made.pop("as_of")
    assert made == {
        "currency": "EUR",
        "previous_run_id": None,
        "opening_balance": 0,
        "total": 0,
        "balance": 0,
        "lines": [],
        "pending": [],
        "held": 0,
        "pending_lines": None,
    }


def test_it_opens_where_the_last_one_closes_and_names_what_came_since(
    world: World, time: StillClock
) -> None:
    sale = planned_sale(world, a_plan(world))
    order = world.delivered_order(sale, 4)
    day = settle(world, time)
    made = refund(world, order, lines=[{"sku_id": sale.sku_ids[0], "quantity": 1}])
    corrected = adjust(world, sale, -328)
    shown = opened(world, sale.leader_id)
    assert (shown["previous_run_id"], shown["opening_balance"]) == (f"run_{day}", 400)
    assert told(shown["lines"]) == [("clawback", -100), ("adjustment", -328)]
    assert [line["entry_id"] for line in shown["lines"]] == [
        f"refund:{made['id']}",
        corrected["entry_id"],
    ]
    assert shown["balance"] == -28


def test_the_next_statement_has_its_lines_and_what_has_matured(
    world: World, time: StillClock
) -> None:
    sale = planned_sale(world, a_plan(world))
    order = world.delivered_order(sale, 4)
    settle(world, time)
    refund(world, order, amount=1000)
    world.delivered_order(sale, 2)
    before = opened(world, sale.leader_id)
    (pending,) = before["pending"]
    maturing = opened(world, sale.leader_id, pending["matures_on"])["pending_lines"]
    assert (pending["amount"], told(maturing)) == (200, [("commission", 200)])
    day = settle(world, time)
    path = f"/v1/leaders/{sale.leader_id}/statements/run_{day}"
    made = world.operator.get(path).json
    assert sorted(told(made["lines"])) == sorted(told([*before["lines"], *maturing]))
    after = opened(world, sale.leader_id)
    assert (after["opening_balance"], after["lines"]) == (made["closing_balance"], [])


def test_what_is_kept_of_a_refund_stands_beside_what_it_takes(
    world: World, time: StillClock
) -> None:
    bear(world, damaged="platform")
    sale = planned_sale(world, a_plan(world))
    order = world.delivered_order(sale, 3)
    settle(world, time)
    refund(world, order, amount=1000)
    shown = opened(world, sale.leader_id)
    assert told(shown["lines"]) == [("clawback", -100), ("kept", 100)]
    assert shown["pending"] == []


def test_what_was_kept_before_a_run_is_pending(world: World) -> None:
    bear(world, damaged="platform")
    sale = planned_sale(world, a_plan(world))
    refund(world, world.delivered_order(sale, 3), amount=1000)
    shown = opened(world, sale.leader_id)
    day = shown["pending"][0]["matures_on"]
    lines = opened(world, sale.leader_id, day)["pending_lines"]
    assert sorted(told(lines)) == [("commission", 200), ("kept", 100)]
    assert shown["lines"] == []


def test_a_payout_and_what_is_disputed_are_told(world: World, time: StillClock) -> None:
    (sale,) = earned(world, time, 3)
    order = world.delivered_order(sale, 2)
    path = f"/v1/dispatches/{order['dispatches'][0]['id']}/disputes"
    created(world.customer().post(path, {"reason": "it never came"}))
    assert opened(world, sale.leader_id)["held"] == 200
    sent(world)
    shown = opened(world, sale.leader_id)
    assert (shown["opening_balance"], told(shown["lines"])) == (300, [("payout", -300)])


def test_a_line_is_explained_as_one_of_a_statement_is(world: World, time: StillClock) -> None:
    sale = planned_sale(world, a_plan(world))
    order = world.delivered_order(sale, 3)
    settle(world, time)
    made = refund(world, order, amount=1000)
    path = f"/v1/leaders/{sale.leader_id}/statements/open/lines"
    line = world.leader(sale.leader_id).get(f"{path}/1").json
    assert (line["number"], line["run_id"], line["amount"]) == (1, None, -100)
    assert line["entry"]["id"] == f"refund:{made['id']}"
    assert line["settled_by"] is None
    for missing in ("0", "2", "x"):
        assert world.operator.get(f"{path}/{missing}").status == 404


def test_lines_stand_in_the_order_of_posting_and_keep_their_numbers(
    world: World, time: StillClock
) -> None:
    """A refund's line lies under its order and an adjustment under itself, in whatever order."""
    sale = planned_sale(world, a_plan(world))
    order = world.delivered_order(sale, 9)
    settle(world, time)
    posted = []
    for n in range(1, 7):
        time.move_on(minutes=1)
        if n % 2:
            posted.append(f"refund:{refund(world, order, amount=100 * n)['id']}")
        else:
            posted.append(f"adjustment:{adjust(world, sale, n)['id']}")
        shown = opened(world, sale.leader_id)["lines"]
        assert [each["entry_id"] for each in shown] == posted
    instants = [each["posted_at"] for each in shown]
    assert instants == sorted(set(instants))
    path = f"/v1/leaders/{sale.leader_id}/statements/open/lines"
    numbered = [world.operator.get(f"{path}/{n}").json["entry_id"] for n in range(1, 7)]
    assert numbered == posted


def test_what_is_pending_stands_in_the_order_of_posting(world: World, time: StillClock) -> None:
    sale = planned_sale(world, a_plan(world))
    posted = []
    for _ in range(6):
        time.move_on(minutes=1)
        (dispatch,) = world.delivered_order(sale, 1)["dispatches"]
        (parcel,) = world.operator.get(f"/v1/dispatches/{dispatch['id']}").json["parcels"]
        posted.append(f"delivered:{parcel['id']}")
    (day,) = (each["matures_on"] for each in opened(world, sale.leader_id)["pending"])
    lines = opened(world, sale.leader_id, day)["pending_lines"]
    assert [each["entry_id"] for each in lines] == posted
    assert [each["posted_at"] for each in lines] == sorted({each["posted_at"] for each in lines})


def entry(world: World, leader_id: str, entry_id: str) -> Answer:
    path = f"/v1/leaders/{leader_id}/statements/open/entries/{entry_id}"
    return world.leader(leader_id).get(path)


def test_an_entrys_lines_are_found_whatever_their_numbers(world: World, time: StillClock) -> None:
    sale = planned_sale(world, a_plan(world), skus=2)
    order = world.delivered_order(sale, 3)
    (day,) = (each["matures_on"] for each in opened(world, sale.leader_id)["pending"])
    pending = opened(world, sale.leader_id, day)["pending_lines"]
    (delivered,) = {each["entry_id"] for each in pending}
    found = entry(world, sale.leader_id, delivered).json
    assert [(each["number"], each["matures_on"]) for each in found["lines"]] == [(1, day), (2, day)]
    path = f"/v1/leaders/{sale.leader_id}/statements/open/lines"
    for each in found["lines"]:
        one = world.leader(sale.leader_id).get(f"{path}/{each['number']}?matures_on={day}").json
        assert one == each
    settle(world, time)
    assert entry(world, sale.leader_id, delivered).status == 404
    made = refund(world, order, amount=1000)
    back = entry(world, sale.leader_id, f"refund:{made['id']}").json["lines"]
    assert [(each["number"], each["matures_on"]) for each in back] == [(1, None), (2, None)]
    for each in back:
        one = world.leader(sale.leader_id).get(f"{path}/{each['number']}").json
        assert (one, one["kind"]) == (each, "clawback")


def test_a_payouts_lines_name_it_and_what_it_has_netted(world: World, time: StillClock) -> None:
    (sale,) = earned(world, time, 15)
    order = world.place(sale, payment_method="leader_collect")
    body = {"amount": order["total"], "reference": "cash"}
    created(world.leader(sale.leader_id).post(f"/v1/orders/{order['id']}/payments", body))
    batch = sent(world)
    lines = opened(world, sale.leader_id)["lines"]
    assert told(lines) == [("payout", -500), ("netting", -1000)]
    (entry_id,) = {each["entry_id"] for each in lines}
    payout = payout_to(world, batch, sale.leader_id)
    said = {name: payout[name] for name in ("id", "batch_id", "amount", "netted", "reference")}
    for each in entry(world, sale.leader_id, entry_id).json["lines"]:
        assert each["payout"] == {**said, "outcome": None}
    assert (payout["batch_id"], payout["amount"], payout["netted"]) == (batch["id"], 500, 1000)
    assert tell(world, payout, "paid", "BANK-7").status == 200
    of = [each["payout"] for each in entry(world, sale.leader_id, entry_id).json["lines"]]
    assert [(each["outcome"], each["reference"]) for each in of] == [("paid", "BANK-7")] * 2


@pytest.mark.parametrize("path", ["open", "open/lines/1", "open/entries/payout:pyt_1"])
def test_another_leader_sees_none_of_it(world: World, path: str) -> None:
    leader_id, other = world.add_leader(), world.add_leader()
    answer = world.leader(other).get(f"/v1/leaders/{leader_id}/statements/{path}")
    assert answer.status == 404


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", ""])
def test_a_day_that_is_none_is_refused(world: World, day: str) -> None:
    leader_id = world.add_leader()
    path = f"/v1/leaders/{leader_id}/statements/open?matures_on={day}"
    answer = world.operator.get(path)
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "matures_on")


def test_what_comes_between_two_reads_is_in_both_or_in_neither(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that comes between them would take lines away that the opening does not have yet."""
    sale = planned_sale(world, a_plan(world))
    world.delivered_order(sale, 4)
    settle(world, time)
    adjust(world, sale, 50)
    reading = settlement.waiting_after
    disturbed: list[str] = []

    def disturb(*of: Any) -> Any:
        if not disturbed:
            disturbed.append(settle(world, time))
        return reading(*of)

    monkeypatch.setattr(settlement, "waiting_after", disturb)
    made = open_statements.open_statement(sale.leader_id, Caller("operator", "op_ines"))
    assert (made.opening_balance, made.lines, made.balance) == (450, [], 450)
