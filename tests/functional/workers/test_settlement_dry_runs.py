"""A dry run gives the whole result and posts nothing; and a run under way says how far it is."""

from typing import Any

import pytest

from chalicelib.kernel import clock
from chalicelib.settlement import closing, dry_store, listing, runs, settling
from chalicelib.settlement import store as settlement
from tests.functional.test_refund_bearers import refund
from tests.functional.workers.conftest import StillClock
from tests.support.communities import (
    balance,
    deliver,
    delivered,
    read_run,
    settle,
    start_run,
    statement,
)
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.lambdas import handle, invoke
from tests.support.snapshot import snapshot
from tests.support.world import Json, Sale, World

DAY = "2026-03-17"
# What a dry run may write, and what keeps the answer to its key.
OF_A_DRY_RUN = {"SETTLEMENT_TABLE", "IDEMPOTENCY_TABLE"}


@pytest.fixture(autouse=True)
def pages_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "LEADERS_A_PAGE", 3)


def test_a_dry_run_says_what_the_run_then_comes_to(world: World, time: StillClock) -> None:
    sales = matured(world, time, (1, 0, 3, 4))
    dry = dry_run(world)
    assert (dry["status"], dry["dry_run"], dry["business_date"]) == ("completed", True, DAY)
    told = leaders(world, dry["id"])
    run = settle(world, DAY)
    assert run["id"] == f"run_{DAY}"
    same = ("leaders_total", "leaders_settled", "leaders_set_aside", "totals", "percent")
    assert [dry[name] for name in same] == [run[name] for name in same]
    assert told == leaders(world, run["id"])
    assert [(each["currency"], each["total"]) for each in told] == [
        ("EUR", 100),
        (None, 0),
        ("EUR", 300),
        ("EUR", 400),
    ]
    made = statement(world, sales[3], DAY)
    assert {name: told[3][name] for name in ("opening_balance", "total", "closing_balance")} == {
        name: made[name] for name in ("opening_balance", "total", "closing_balance")
    }
    assert findings() == []


def test_a_dry_run_changes_nothing_but_its_own_rows(world: World, time: StillClock) -> None:
    sales = matured(world, time, (1, 2, 3, 4))
    before = snapshot(world.environment)
    dry_run(world)
    after = snapshot(world.environment)
    assert {name for name in after if after[name] != before[name]} <= OF_A_DRY_RUN
    assert set(before["SETTLEMENT_TABLE"]) <= set(after["SETTLEMENT_TABLE"])
    assert [balance(world, sale)["pending"] for sale in sales] == [100, 200, 300, 400]


def statement_of(world: World, sale: Sale, run: Json) -> Answer:
    path = f"/v1/leaders/{sale.leader_id}/statements/{run['id']}"
    return world.operator.get(path)


def test_a_dry_run_shows_each_leaders_statement_and_why(world: World, time: StillClock) -> None:
    (sale, idle) = matured(world, time, (3, 0))
    dry = dry_run(world)
    told = statement_of(world, sale, dry).json
    assert statement_of(world, idle, dry).status == 404
    settle(world, DAY)
    real = statement(world, sale, DAY)
    assert told == {**real, "run_id": dry["id"]}
    path = f"/v1/leaders/{sale.leader_id}/statements/{dry['id']}/lines/1"
    line = world.operator.get(path).json
    assert (line["amount"], line["settled_by"]) == (300, None)
    assert line["entry"]["id"] == real["lines"][0]["entry_id"]


def test_what_comes_after_a_dry_run_changes_nothing_of_it(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dry_store, "LINES_A_ROW", 1)
    (sale,) = matured(world, time, (3,))
    deliver(world, [sale], [1])
    time.move_on(days=9)
    day = clock.day_before(clock.now().date()).isoformat()
    dry = dry_run(world, day)
    before = statement_of(world, sale, dry).json
    assert [line["amount"] for line in before["lines"]] == [300, 100]
    order = world.operator.get("/v1/orders").json["items"][0]
    refund(world, order, amount=order["total"])
    assert statement_of(world, sale, dry).json == before


def test_a_dry_statement_is_let_go_after_90_days_and_its_run_stays(
    world: World, time: StillClock
) -> None:
    (sale,) = matured(world, time, (3,))
    dry = dry_run(world)
    told = leaders(world, dry["id"])
    time.move_on(days=90, seconds=-1)
    assert statement_of(world, sale, dry).json["total"] == 300
    time.move_on(seconds=1)
    assert statement_of(world, sale, dry).status == 404
    assert world.operator.get(f"/v1/settlement-runs/{dry['id']}").json == dry
    assert leaders(world, dry["id"]) == told


def test_a_leader_sees_nothing_of_dry_runs(world: World, time: StillClock) -> None:
    (sale,) = matured(world, time, (3,))
    dry = dry_run(world)
    leader, path = world.leader(sale.leader_id), f"/v1/leaders/{sale.leader_id}/statements"
    refused = leader.get(f"{path}/{dry['id']}")
    assert (refused.status, "a dry run none that a leader reads" in refused.text) == (404, True)
    assert leader.get(f"{path}/{dry['id']}/lines/1").status == 404
    assert world.operator.get(path).json["items"] == []


def test_what_changes_while_a_dry_statement_is_drawn_up_is_in_all_of_it(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refund between the sums and their lines would leave a total that is not theirs."""
    (sale,) = matured(world, time, (3,))
    (order,) = world.operator.get("/v1/orders").json["items"]
    reading = settlement.earned_between
    disturbed: list[Any] = []

    def disturb(*of: Any) -> Any:
        if not disturbed:
            disturbed.append(refund(world, order, amount=1000))
        return reading(*of)

    monkeypatch.setattr(settlement, "earned_between", disturb)
    made = statement_of(world, sale, dry_run(world)).json
    assert made["total"] == sum(line["amount"] for line in made["lines"]) == 200


def test_each_dry_run_is_one_of_its_own_and_is_listed_apart(world: World, time: StillClock) -> None:
    matured(world, time, (1,))
    first, second = dry_run(world), dry_run(world)
    settle(world, DAY)
    third = dry_run(world)
    assert (first["totals"], second["totals"], third["totals"]) == (
        [{"currency": "EUR", "amount": 100}],
        [{"currency": "EUR", "amount": 100}],
        [],
    )
    listed = world.operator.get("/v1/settlement-runs?dry_run=true").json["items"]
    assert {run["id"] for run in listed} == {first["id"], second["id"], third["id"]}
    real = world.operator.get("/v1/settlement-runs").json["items"]
    assert [run["id"] for run in real] == [f"run_{DAY}"]


def test_a_dry_run_goes_beside_a_run_but_not_beside_another(world: World, time: StillClock) -> None:
    matured(world, time, (1, 2))
    start_run(world, DAY)
    assert start_dry(world).status == 202
    refused = start_dry(world)
    assert (refused.status, refused.code) == (409, "settlement_run_in_progress")
    world.work()
    assert read_run(world, DAY)["status"] == "completed"
    assert start_dry(world).status == 202


def test_the_same_key_starts_one_dry_run(world: World, time: StillClock) -> None:
    matured(world, time, (1,))
    body = {"business_date": DAY, "dry_run": True}
    answers = [world.operator.post("/v1/settlement-runs", body, key="k") for _ in range(2)]
    assert answers[0].json == answers[1].json


def test_a_dry_run_of_a_day_that_is_not_over_is_refused(world: World, time: StillClock) -> None:
    body = {"business_date": "2026-03-10", "dry_run": True}
    refused = world.operator.post("/v1/settlement-runs", body)
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "business_date")


def test_a_dry_run_sets_aside_without_a_case_and_leaves_nobody_behind(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sales = matured(world, time, (1, 2))
    dry_id = start_dry(world).json["id"]
    with monkeypatch.context() as patch:
        fail_for(patch, sales[0])
        for _ in range(12):
            while messages := world.messages("SETTLEMENT_LIST"):
                handle("settlement_list", *messages)
            handle("settlement_settle", *world.messages("SETTLEMENT_SETTLE"))
            time.move_on(minutes=5)
            invoke("settlement_watch")
    dry = world.operator.get(f"/v1/settlement-runs/{dry_id}").json
    assert (dry["status"], dry["leaders_set_aside"]) == ("completed", 1)
    (row,) = leaders(world, dry_id, "?status=set_aside")
    assert row["cause"].startswith("RuntimeError at ")
    assert world.operator.get("/v1/cases").json["items"] == []
    path = f"/v1/settlement-runs/{dry_id}/leaders/{sales[0].leader_id}/retry"
    assert world.operator.post(path).status == 404
    assert settle(world, DAY)["leaders_settled"] == 2
    assert findings() == []


def test_a_lost_message_of_a_dry_run_is_sent_again(world: World, time: StillClock) -> None:
    matured(world, time, (1, 2))
    dry_id = start_dry(world).json["id"]
    world.messages("SETTLEMENT_LIST")
    time.move_on(minutes=5)
    invoke("settlement_watch")
    world.work()
    assert world.operator.get(f"/v1/settlement-runs/{dry_id}").json["status"] == "completed"


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 100])
def test_a_runs_leaders_come_in_pages_each_once(world: World, time: StillClock, limit: int) -> None:
    sales = matured(world, time, (1, 2, 3, 4, 5, 6, 7))
    dry = dry_run(world)
    found: list[str] = []
    path = f"/v1/settlement-runs/{dry['id']}/leaders?limit={limit}"
    answer = world.operator.get(path).json
    found += [each["leader_id"] for each in answer["items"]]
    while answer["next_cursor"]:
        answer = world.operator.get(f"{path}&cursor={answer['next_cursor']}").json
        found += [each["leader_id"] for each in answer["items"]]
    assert found == [sale.leader_id for sale in sales]


def test_a_run_under_way_says_how_far_it_is(world: World, time: StillClock) -> None:
    matured(world, time, (1, 2, 3, 4, 5, 6, 7))
    start_run(world, DAY)
    handle("settlement_list", *world.messages("SETTLEMENT_LIST"))
    listing_on = read_run(world, DAY)
    assert (listing_on["leaders_total"], listing_on["percent"]) == (3, None)
    while messages := world.messages("SETTLEMENT_LIST"):
        handle("settlement_list", *messages)
    time.move_on(seconds=10)
    waiting = world.messages("SETTLEMENT_SETTLE")
    # The first page stays open: what is done behind it counts all the same.
    handle("settlement_settle", *waiting[2:])
    run = read_run(world, DAY)
    assert (run["leaders_total"], run["leaders_settled"], run["leaders_left"]) == (7, 5, 2)
    assert (run["percent"], run["leaders_per_second"]) == (71, 0.5)
    assert run["estimated_completion"] == "2026-03-18T00:15:14.000Z"
    handle("settlement_settle", *waiting[:2])
    done = read_run(world, DAY)
    assert (done["status"], done["percent"], done["leaders_left"]) == ("completed", 100, 0)
    assert (done["leaders_per_second"], done["estimated_completion"]) == (0.7, None)


def test_pages_that_waited_for_one_are_closed_by_several_workers(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "LEADERS_A_PAGE", 1)
    monkeypatch.setattr(closing, "PAGES_AT_ONCE", 2)
    matured(world, time, (1, 2, 3, 4, 5, 6, 7))
    start_run(world, DAY)
    while messages := world.messages("SETTLEMENT_LIST"):
        handle("settlement_list", *messages)
    first, *others = world.messages("SETTLEMENT_SETTLE")
    handle("settlement_settle", *others)
    handle("settlement_settle", first)
    (going_on,) = world.messages("SETTLEMENT_SETTLE")
    assert going_on["data"] == {"page": 2}
    handle("settlement_settle", going_on)
    world.work()
    assert read_run(world, DAY)["status"] == "completed"
    assert findings() == []


def test_counting_reads_few_pages_however_many_there_are(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "LEADERS_A_PAGE", 1)
    monkeypatch.setattr(runs, "PAGES_COUNTED", 2)
    matured(world, time, (1, 2, 3, 4, 5, 6, 7))
    start_run(world, DAY)
    while messages := world.messages("SETTLEMENT_LIST"):
        handle("settlement_list", *messages)
    handle("settlement_settle", *world.messages("SETTLEMENT_SETTLE")[1:])
    assert read_run(world, DAY)["leaders_settled"] == 1


def matured(world: World, time: StillClock, units: tuple[int, ...]) -> list[Sale]:
    sales = delivered(world, units)
    time.move_to("2026-03-18T00:15:00.000Z")
    return sales


def start_dry(world: World, day: str = DAY) -> Any:
    body = {"business_date": day, "dry_run": True}
    return world.operator.post("/v1/settlement-runs", body)


def dry_run(world: World, day: str = DAY) -> Any:
    started = start_dry(world, day)
    assert started.status == 202, started.text
    world.work()
    return world.operator.get(f"/v1/settlement-runs/{started.json['id']}").json


def leaders(world: World, run_id: str, query: str = "") -> list[Any]:
    found: list[Any] = world.operator.get(f"/v1/settlement-runs/{run_id}/leaders{query}").json[
        "items"
    ]
    return found


def fail_for(patch: pytest.MonkeyPatch, sale: Sale) -> None:
    settle_one = settling._settle

    def settle_or_fail(run: Any, page: int, earnings: Any, *rest: Any) -> None:
        if earnings.leader_id == sale.leader_id:
            raise RuntimeError("poison")
        settle_one(run, page, earnings, *rest)

    patch.setattr(settling, "_settle", settle_or_fail)
