"""What is lost on the way, and how it is made up for by sweeps and by asking again."""

from tests.support.accidents import paid_but_nobody_was_told, start_run, unsettled_run
from tests.support.deployed import DeployedWorld, until
from tests.support.world import Json, Sale

# Of a price of 1000 the leader earns 10 %.
EARNED = 100


def test_an_event_that_was_not_sent_is_sent_by_the_outbox_sweep(world: DeployedWorld) -> None:
    order = paid_but_nobody_was_told(world, world.sale())
    world.invoke("OutboxSweep")
    world.work()
    found = world.order(order["id"])
    assert (found["status"], len(found["dispatches"])) == ("paid", 1)


def three_leaders(world: DeployedWorld) -> list[Sale]:
    """Each with a commission of 100, earned today."""
    sales = [world.sale() for _ in range(3)]
    for sale in sales:
        world.delivered_order(sale)
    return sales


def run_of(world: DeployedWorld, run: Json) -> Json:
    return world.operator.get(f"/v1/settlement-runs/{run['id']}").json


def check_settled(world: DeployedWorld, sales: list[Sale], run: Json) -> None:
    """What a run comes to that nothing has disturbed."""
    until(lambda: run_of(world, run)["status"] == "completed", "the run is completed")
    done = run_of(world, run)
    assert (done["leaders_total"], done["leaders_settled"]) == (3, 3)
    assert done["totals"] == [{"currency": "EUR", "amount": 3 * EARNED}]
    for sale in sales:
        found = world.operator.get(f"/v1/leaders/{sale.leader_id}/statements").json["items"]
        assert [each["total"] for each in found] == [EARNED]
    available = {
        account: balance
        for account, balance in world.trial_balance().items()
        if account.startswith("leader:")
    }
    assert available == {f"leader:{sale.leader_id}:available": -EARNED for sale in sales}


def test_a_run_killed_in_the_middle_is_taken_up_by_the_watch(world: DeployedWorld) -> None:
    sales = three_leaders(world)
    run = unsettled_run(world, 3, 0)
    world.invoke("SettlementWatch")
    check_settled(world, sales, run)


def test_leaders_that_a_run_was_done_without_are_settled_when_they_are_asked_for(
    world: DeployedWorld,
) -> None:
    sales = three_leaders(world)
    with world.without("SettlementSettle"):
        run = unsettled_run(world, 3, 1)
        world.change("SETTLEMENT", run["id"], "page#000000", times_sent=6)
        world.invoke("SettlementWatch")
    until(lambda: run_of(world, run)["status"] == "completed", "the run is completed")
    assert (run_of(world, run)["leaders_settled"], run_of(world, run)["leaders_set_aside"]) == (
        1,
        2,
    )
    leaders = f"/v1/settlement-runs/{run['id']}/leaders"
    aside = world.operator.get(f"{leaders}?status=set_aside").json["items"]
    cases = world.operator.get("/v1/cases").json["items"]
    assert [case["kind"] for case in cases] == ["leader_set_aside"] * 2
    for each in aside:
        assert world.operator.post(f"{leaders}/{each['leader_id']}/retry").status == 202
    until(lambda: run_of(world, run)["leaders_set_aside"] == 0, "all are settled")
    check_settled(world, sales, run)
    assert start_run(world)["status"] == "completed"
