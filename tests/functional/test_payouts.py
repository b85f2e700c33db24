"""Batches of payouts, from what is available to what has arrived, and back."""

from collections.abc import Iterator

import pytest

from tests.functional.conftest import Clock, new_world
from tests.support.communities import balance, communities, statement, statements
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.lambdas import invoke
from tests.support.payouts import (
    COMMISSION,
    COST,
    approve,
    cancel,
    collect,
    earn,
    earned,
    gave_back,
    lift,
    make,
    other_operator,
    pay_from_an_account,
    payout_to,
    payouts_of,
    read,
    send,
    sent,
    tell,
    try_batch,
)
from tests.support.snapshot import snapshot
from tests.support.world import Issuer, Json, Sale, World


def lines_of(world: World, sale: Sale) -> list[tuple[str, int]]:
    """Kind and amount of each line of a leader's newest statement."""
    run_id = statements(world, sale)[-1]["run_id"]
    made = statement(world, sale, run_id.removeprefix("run_"))
    assert made["total"] == sum(line["amount"] for line in made["lines"])
    return [(line["kind"], line["amount"]) for line in made["lines"]]


def next_night(world: World, time: Clock) -> None:
    time.move_on(days=1)
    invoke("settlement_start")
    world.work()


def test_what_leaders_have_available_is_gathered_and_paid(world: World, time: Clock) -> None:
    first, second = earned(world, time, 3, 2)
    batch = make(world)
    assert {name: batch[name] for name in ("status", "payouts", "amount", "netted")} == {
        "status": "prepared",
        "payouts": 2,
        "amount": 5 * COMMISSION,
        "netted": 0,
    }
    assert (balance(world, first)["available"], balance(world, first)["in_payout"]) == (0, 300)
    assert approve(world, batch).json["status"] == "approved"
    assert send(world, batch).json["status"] == "sent"
    for sale in (first, second):
        payout = payout_to(world, batch, sale.leader_id)
        assert (payout["status"], payout["payee"]["role"]) == ("sent", "leader")
        assert tell(world, payout, "paid", f"T-{sale.leader_id}").json["status"] == "paid"
    done = read(world, batch)
    assert (done["status"], done["results"]["paid"], done["results"]["paid_amount"]) == (
        "closed",
        2,
        500,
    )
    assert (balance(world, first)["in_payout"], balance(world, first)["paid_out"]) == (0, 300)
    books = world.trial_balance()
    assert books["cash:bank"] == -500
    assert f"leader:{first.leader_id}:in_payout" not in books


def test_suppliers_are_paid_what_is_payable(world: World, time: Clock) -> None:
    earned(world, time, 3)
    batch = sent(world, kind="suppliers")
    (payout,) = payouts_of(world, batch)
    assert (payout["payee"]["role"], payout["amount"]) == ("supplier", 3 * COST)
    tell(world, payout, "paid")
    books = world.trial_balance()
    assert books["cash:bank"] == -2100
    assert not [account for account in books if account.startswith("supplier:")]
    supplier_id = payout["payee"]["id"]
    (own,) = world.supplier(supplier_id).get(f"/v1/suppliers/{supplier_id}/payouts").json["items"]
    assert (own["id"], own["status"]) == (payout["id"], "paid")


def test_only_whoever_has_the_minimum_is_paid_and_then_all_of_it(world: World, time: Clock) -> None:
    below, just, above = earned(world, time, 1, 2, 3)
    batch = make(world, minimum=200)
    paid = {each["payee"]["id"]: each["amount"] for each in payouts_of(world, batch)}
    assert paid == {just.leader_id: 200, above.leader_id: 300}
    assert balance(world, below)["available"] == 100
    assert batch["left_out"] == 0


def test_what_a_leader_has_collected_is_netted(world: World, time: Clock) -> None:
    (sale,) = earned(world, time, 15)
    collect(world, sale, 1)
    batch = sent(world)
    (payout,) = payouts_of(world, batch)
    assert (payout["amount"], payout["netted"]) == (500, 1000)
    assert (batch["amount"], batch["netted"]) == (500, 1000)
    after = balance(world, sale)
    assert (after["available"], after["collected"], after["in_payout"]) == (0, 0, 500)
    next_night(world, time)
    assert lines_of(world, sale) == [("payout", -500), ("netting", -1000)]


def test_a_leader_with_too_little_left_is_not_touched(world: World, time: Clock) -> None:
    (sale,) = earned(world, time, 12)
    collect(world, sale, 1)
    batch = make(world, minimum=300)
    assert (batch["status"], batch["payouts"], batch["netted"]) == ("closed", 0, 0)
    after = balance(world, sale)
    assert (after["available"], after["collected"]) == (1200, 1000)


@pytest.mark.parametrize("units", [10, 9])
@pytest.mark.parametrize("method", ["manual", "bank_file"])
def test_a_leader_of_whom_nothing_is_left_to_send_has_paid_what_it_can(
    world: World, time: Clock, monkeypatch: pytest.MonkeyPatch, units: int, method: str
) -> None:
    pay_from_an_account(monkeypatch)
    (sale,) = earned(world, time, units)
    collect(world, sale, 1)
    batch = make(world, method=method, minimum=300)
    kept = {name: batch[name] for name in ("status", "payouts", "amount", "netted", "left_out")}
    assert kept == {
        "status": "closed",
        "payouts": 1,
        "amount": 0,
        "netted": 100 * units,
        "left_out": 0,
    }
    assert batch["results"]["offset"] == 1
    (payout,) = payouts_of(world, batch)
    assert (payout["status"], payout["amount"], payout["netted"]) == ("offset", 0, 100 * units)
    assert tell(world, payout, "paid").code == "result_conflict"
    after = balance(world, sale)
    assert (after["available"], after["in_payout"]) == (0, 0)
    assert after["collected"] == 1000 - 100 * units
    assert make(world, method=method)["payouts"] == 0
    next_night(world, time)
    assert lines_of(world, sale) == [("netting", -100 * units)]


def test_a_supplier_pays_of_its_fees_what_it_has_coming(world: World) -> None:
    sale = world.sale()
    terms = {"basis": "cost", "community_fee": 1000}
    path = f"/v1/suppliers/{sale.supplier_id}"
    assert world.operator.put(f"{path}/settlement-terms", terms).status == 200
    world.delivered_order(sale, 1)
    batch = make(world, kind="suppliers")
    assert (batch["status"], batch["netted"], batch["results"]["offset"]) == ("closed", 700, 1)
    after = world.operator.get(f"{path}/balance").json
    assert (after["payable"], after["owed"], after["in_payout"]) == (0, 300, 0)
    (payout,) = world.supplier(sale.supplier_id).get(f"{path}/payouts").json["items"]
    assert (payout["status"], payout["amount"], payout["netted"]) == ("offset", 0, 700)
    refused = tell(world, payout, "paid")
    assert refused.code == "result_conflict"
    assert "no bank has a result of it" in refused.text


def test_a_batch_that_is_cancelled_owes_again_what_it_has_offset(world: World, time: Clock) -> None:
    holds, earns = earned(world, time, 9, 2)
    collect(world, holds, 1)
    batch = make(world)
    assert (batch["status"], batch["payouts"], batch["amount"]) == ("prepared", 2, 200)
    assert cancel(world, batch).status == 200
    world.work()
    assert read(world, batch)["status"] == "cancelled"
    after = balance(world, holds)
    assert (after["available"], after["collected"]) == (900, 1000)
    assert balance(world, earns)["available"] == 200


def test_a_batch_is_closed_by_the_results_of_what_it_sends(world: World, time: Clock) -> None:
    holds, earns = earned(world, time, 9, 2)
    collect(world, holds, 1)
    batch = sent(world)
    assert tell(world, payout_to(world, batch, earns.leader_id), "paid").status == 200
    results = read(world, batch)["results"]
    assert (read(world, batch)["status"], results["paid"], results["offset"]) == ("closed", 1, 1)


def test_a_leader_is_paid_what_it_has_laid_out(world: World, time: Clock) -> None:
    (sale,) = earned(world, time, 3)
    gave_back(world, sale, 1)
    assert balance(world, sale)["collected"] == -1000
    batch = sent(world)
    (payout,) = payouts_of(world, batch)
    assert (payout["amount"], payout["netted"]) == (1300, -1000)
    after = balance(world, sale)
    assert (after["available"], after["collected"], after["in_payout"]) == (0, 0, 1300)
    assert tell(world, payout, "paid").status == 200
    assert balance(world, sale)["in_payout"] == 0
    next_night(world, time)
    assert lines_of(world, sale) == [("payout", -1300), ("netting", 1000)]


def test_a_leader_that_has_earned_nothing_is_paid_what_it_has_laid_out(
    world: World, time: Clock
) -> None:
    (sale,) = communities(world, 1)
    gave_back(world, sale, 1)
    batch = sent(world)
    (payout,) = payouts_of(world, batch)
    assert (payout["amount"], payout["netted"]) == (1000, -1000)
    assert tell(world, payout, "returned", "R-1").status == 200
    after = balance(world, sale)
    assert (after["available"], after["collected"], after["in_payout"]) == (1000, 0, 0)


def test_what_a_leader_has_laid_out_is_owed_again_where_its_batch_is_cancelled(
    world: World, time: Clock
) -> None:
    (sale,) = earned(world, time, 3)
    gave_back(world, sale, 1)
    before = balance(world, sale)
    cancel(world, make(world))
    world.work()
    assert balance(world, sale) == before


def test_a_leader_that_owes_commission_is_not_paid(world: World, time: Clock) -> None:
    (sale,) = sales = earned(world, time, 2)
    (order,) = earn(world, time, sales, 1)
    first = sent(world)
    tell(world, payouts_of(world, first)[0], "paid")
    lines = [{"sku_id": sale.sku_ids[0], "quantity": 1}]
    refund = {"lines": lines, "reason": "broken"}
    assert world.operator.post(f"/v1/orders/{order['id']}/refunds", refund).status == 201
    world.work()
    assert balance(world, sale)["available"] == -100
    assert make(world)["payouts"] == 0
    assert balance(world, sale)["available"] == -100


def test_parties_of_another_currency_are_left_alone(world: World, time: Clock) -> None:
    earned(world, time, 1)
    assert make(world, currency="USD")["payouts"] == 0


def test_a_party_is_in_one_open_payout_at_a_time(world: World, time: Clock) -> None:
    sales = earned(world, time, 2)
    first = sent(world)
    earn(world, time, sales, 3)
    second = make(world)
    assert (second["payouts"], second["left_out"], second["status"]) == (0, 1, "closed")
    assert balance(world, sales[0])["available"] == 300
    tell(world, payouts_of(world, first)[0], "paid")
    assert make(world)["amount"] == 300


def test_the_maker_of_a_batch_does_not_approve_it(world: World, time: Clock) -> None:
    earned(world, time, 1)
    batch = make(world)
    path = f"/v1/payout-batches/{batch['id']}/approve"
    refused = world.operator.post(path)
    assert (refused.status, refused.code) == (403, "second_operator_required")
    assert "1.00 EUR" in refused.json["detail"]
    assert read(world, batch)["status"] == "prepared"
    approved = other_operator(world).post(path).json
    assert (approved["status"], approved["approved_by"]) == ("approved", "op_other")


@pytest.fixture
def generous(issuer: Issuer, time: Clock) -> Iterator[World]:
    """A world in which its maker may approve a batch of 3.00."""
    with new_world(issuer, PAYOUT_FOUR_EYES_ABOVE="300") as made:
        yield made
        assert findings() == []


@pytest.mark.parametrize(("units", "status"), [(3, 200), (4, 403)])
def test_up_to_the_limit_its_maker_is_enough(
    generous: World, time: Clock, units: int, status: int
) -> None:
    earned(generous, time, units)
    batch = make(generous)
    assert generous.operator.post(f"/v1/payout-batches/{batch['id']}/approve").status == status


def test_each_step_may_be_asked_for_again(world: World, time: Clock) -> None:
    earned(world, time, 1)
    batch = make(world)
    assert [approve(world, batch).status for _ in range(2)] == [200, 200]
    assert [send(world, batch).status for _ in range(2)] == [200, 200]
    assert read(world, batch)["status"] == "sent"
    payout = payouts_of(world, batch)[0]
    first, again = tell(world, payout, "paid"), tell(world, payout, "paid")
    assert (again.status, again.json) == (200, first.json)
    assert world.trial_balance()["cash:bank"] == -100


def steps(world: World, batch: Json) -> list[Answer]:
    return [step(world, batch) for step in (approve, send, cancel)]


def test_steps_are_taken_in_their_order_alone(world: World, time: Clock) -> None:
    earned(world, time, 1)
    begun = try_batch(world).json
    assert {answer.code for answer in steps(world, begun)} == {"invalid_transition"}
    assert "read it again in a minute" in approve(world, begun).text
    world.work()
    unapproved = send(world, begun)
    assert unapproved.code == "invalid_transition"
    assert f"Approve it first, by POST /v1/payout-batches/{begun['id']}/approve." in unapproved.text
    payout = payouts_of(world, begun)[0]
    assert tell(world, payout, "paid").code == "batch_not_sent"
    assert approve(world, begun).status == 200
    assert tell(world, payout, "paid").code == "batch_not_sent"
    assert send(world, begun).status == 200
    assert cancel(world, begun).code == "invalid_transition"
    assert approve(world, begun).code == "invalid_transition"


@pytest.mark.parametrize("approved", [False, True])
def test_a_batch_that_is_cancelled_gives_all_back(
    world: World, time: Clock, approved: bool
) -> None:
    first, second = earned(world, time, 15, 2)
    collect(world, first, 1)
    before = {sale.leader_id: balance(world, sale) for sale in (first, second)}
    batch = make(world)
    if approved:
        assert approve(world, batch).status == 200
    assert [cancel(world, batch).status for _ in range(2)] == [200, 200]
    world.work()
    assert read(world, batch)["status"] == "cancelled"
    assert {each["status"] for each in payouts_of(world, batch)} == {"cancelled"}
    assert {sale.leader_id: balance(world, sale) for sale in (first, second)} == before
    next_night(world, time)
    assert sorted(lines_of(world, first)) == [
        ("netting", -1000),
        ("netting", 1000),
        ("payout", -500),
        ("payout_returned", 500),
    ]
    assert make(world)["amount"] == 700


@pytest.mark.parametrize("result", ["returned", "failed"])
def test_what_did_not_arrive_is_available_again_and_what_was_netted_stays_so(
    world: World, time: Clock, result: str
) -> None:
    (sale,) = earned(world, time, 15)
    collect(world, sale, 1)
    batch = sent(world)
    payout = payouts_of(world, batch)[0]
    assert tell(world, payout, result, "R-1").json["status"] == result
    after = balance(world, sale)
    assert (after["available"], after["in_payout"], after["collected"]) == (500, 0, 0)
    assert (read(world, batch)["status"], "cash:bank" in world.trial_balance()) == ("closed", False)
    next_night(world, time)
    assert ("payout_returned", 500) in lines_of(world, sale)
    assert lift(world, "leader", sale.leader_id).status == (200 if result == "returned" else 404)
    again = sent(world)
    tell(world, payouts_of(world, again)[0], "paid")
    assert balance(world, sale)["paid_out"] == 500


def test_a_payout_that_was_paid_may_come_back(world: World, time: Clock) -> None:
    (sale,) = earned(world, time, 3)
    batch = sent(world)
    payout = payouts_of(world, batch)[0]
    tell(world, payout, "paid", "OUT-1")
    assert (balance(world, sale)["paid_out"], read(world, batch)["status"]) == (300, "closed")
    assert tell(world, payout, "returned", "IN-1").json["reference"] == "IN-1"
    after = balance(world, sale)
    assert (after["available"], after["paid_out"], after["in_payout"]) == (300, 0, 0)
    assert "cash:bank" not in world.trial_balance()
    results = read(world, batch)["results"]
    assert (results["paid"], results["returned"], results["returned_amount"]) == (0, 1, 300)


def test_what_comes_back_does_not_end_the_payout_that_is_open_now(
    world: World, time: Clock
) -> None:
    sales = earned(world, time, 3)
    first = sent(world)
    payout = payouts_of(world, first)[0]
    tell(world, payout, "paid")
    earn(world, time, sales, 1)
    second = make(world)
    tell(world, payout, "returned", "IN-1")
    assert (second["amount"], make(world)["left_out"]) == (100, 1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("paid", "failed"),
        ("returned", "paid"),
        ("returned", "failed"),
        ("failed", "paid"),
        ("failed", "returned"),
    ],
)
def test_a_result_that_contradicts_the_one_before_is_refused(
    world: World, time: Clock, first: str, second: str
) -> None:
    earned(world, time, 1)
    payout = payouts_of(world, sent(world))[0]
    assert tell(world, payout, first, "A").status == 200
    before = snapshot(world.environment)
    refused = tell(world, payout, second, "B")
    assert (refused.status, refused.code) == (409, "result_conflict")
    assert all(word in refused.json["detail"] for word in (first, second, "A", "B"))
    assert tell(world, payout, first, "C").code == "result_conflict"
    assert snapshot(world.environment) == before


def test_calls_that_move_money_ask_for_a_key(world: World, time: Clock) -> None:
    earned(world, time, 1)
    batch = make(world)
    payout = payouts_of(world, batch)[0]
    body = {"currency": "EUR", "kind": "leaders", "method": "manual"}
    calls = {
        "/v1/payout-batches": body,
        **{
            f"/v1/payout-batches/{batch['id']}/{verb}": {} for verb in ("approve", "send", "cancel")
        },
        f"/v1/payouts/{payout['id']}/result": {"status": "paid", "reference": "1"},
    }
    for path, sent_body in calls.items():
        answer = world.operator.send("POST", path, sent_body, {})
        assert (answer.status, answer.code) == (400, "idempotency_key_missing"), path


def test_a_key_stands_for_one_batch(world: World, time: Clock) -> None:
    earned(world, time, 1)
    body = {"currency": "EUR", "kind": "leaders", "method": "manual"}
    first, again = (world.operator.post("/v1/payout-batches", body, key="k1") for _ in range(2))
    assert (again.json, again.headers["idempotent-replayed"]) == (first.json, "true")
    world.work()
    assert len(world.operator.get("/v1/payout-batches").json["items"]) == 1


def test_payouts_are_listed_page_by_page_and_seen_by_their_payees_alone(
    world: World, time: Clock
) -> None:
    first, second = earned(world, time, 1, 1)
    batch = make(world)
    path = f"/v1/payout-batches/{batch['id']}/payouts?limit=1"
    page = world.operator.get(path).json
    rest = world.operator.get(f"{path}&cursor={page['next_cursor']}").json
    assert len({each["id"] for each in (*page["items"], *rest["items"])}) == 2
    assert rest["next_cursor"] is None
    shown = payout_to(world, batch, first.leader_id)
    own = {name: each for name, each in shown.items() if name not in ("name", "holder")}
    leader, other = world.leader(first.leader_id), world.leader(second.leader_id)
    assert leader.get(f"/v1/payouts/{own['id']}").json == own
    assert leader.get(f"/v1/leaders/{first.leader_id}/payouts").json["items"] == [own]
    assert other.get(f"/v1/payouts/{own['id']}").status == 404
    assert other.get(f"/v1/leaders/{first.leader_id}/payouts").status == 404


def test_a_refund_takes_back_what_is_in_a_payout_as_a_debt(world: World, time: Clock) -> None:
    (sale,) = sales = earned(world, time, 2)
    (order,) = earn(world, time, sales, 1)
    batch = make(world)
    assert batch["amount"] == 300
    lines = [{"sku_id": sale.sku_ids[0], "quantity": 1}]
    refund = {"lines": lines, "reason": "broken"}
    assert world.operator.post(f"/v1/orders/{order['id']}/refunds", refund).status == 201
    world.work()
    assert (balance(world, sale)["available"], balance(world, sale)["in_payout"]) == (-100, 300)
    cancel(world, batch)
    world.work()
    assert balance(world, sale)["available"] == 200
    assert make(world)["amount"] == 200
