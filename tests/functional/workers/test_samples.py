"""Every function takes its sample event, as it is and about things that exist."""

import base64
import json
from typing import Any

import pytest

from tests.support.events import EVENTS, sample
from tests.support.lambdas import functions, invoke, sample_about
from tests.support.snapshot import snapshot
from tests.support.statements import csv_file, send
from tests.support.world import Context, World

SCHEDULES = (
    "after_sales_sweep",
    "campaign_close",
    "dispatch_clocks",
    "leaving_sweep",
    "ledger_fold",
    "order_expire",
    "outbox_sweep",
    "payout_watch",
    "refund_sweep",
    "settlement_watch",
    "webhook_replay_sweep",
    "webhook_sweep",
)
STRANGERS_FAIL = ("campaign_orders", "dispatch_create", "refund_execute", "webhook_fan_out")
STRANGERS_PASS = (
    "payout_page",
    "reconcile",
    "settlement_list",
    "settlement_settle",
    "webhook_attempt",
    "webhook_slow",
    "webhook_recover",
    "webhook_replay",
    "plan_simulate",
)


def test_every_function_has_one_sample() -> None:
    assert {path.stem for path in EVENTS.glob("*.json")} == {"api", *functions()}


@pytest.mark.parametrize("function", SCHEDULES)
def test_a_schedule_finds_nothing_to_do_in_an_empty_store(world: World, function: str) -> None:
    before = snapshot(world.environment)
    assert invoke(function) is None
    after = snapshot(world.environment)
    # The fold keeps its first step, of nothing.
    changed = {name for name in after if after[name] != before[name]}
    assert changed == ({"LEDGER_TABLE"} if function == "ledger_fold" else set())


def test_the_nightly_schedule_starts_the_run_of_the_day_before(world: World) -> None:
    invoke("settlement_start")
    run = world.operator.get("/v1/settlement-runs/run_2026-03-09").json
    assert (run["business_date"], run["status"]) == ("2026-03-09", "running")


@pytest.mark.parametrize("function", STRANGERS_FAIL)
def test_a_message_about_what_is_not_stored_goes_back(world: World, function: str) -> None:
    """It came before its subject could be read, or never will: the queue decides which."""
    event = sample(function)
    answer = invoke(function, event)
    given_back = [each["itemIdentifier"] for each in answer["batchItemFailures"]]
    assert given_back == [event["Records"][0]["messageId"]]


@pytest.mark.parametrize("function", STRANGERS_PASS)
def test_a_message_about_what_is_over_is_let_go(world: World, function: str) -> None:
    before = snapshot(world.environment)
    assert invoke(function) == {"batchItemFailures": []}
    assert snapshot(world.environment) == before


def test_the_sample_of_dispatch_create_makes_dispatches(world: World) -> None:
    order = world.place(world.sale())
    world.pay(order)
    assert invoke("dispatch_create", sample_about("dispatch_create", order["id"])) == DONE
    assert [each["status"] for each in world.order(order["id"])["dispatches"]] == ["created"]


def test_the_sample_of_webhook_fan_out_makes_a_delivery(world: World) -> None:
    endpoint_of_the_platform(world)
    order = world.place(world.sale())
    world.pay(order)
    assert invoke("webhook_fan_out", sample_about("webhook_fan_out", order["id"])) == DONE
    (delivery,) = world.operator.get("/v1/webhook-deliveries").json["items"]
    assert (delivery["event_type"], delivery["subject"]) == ("order.paid", order["id"])


def test_the_sample_of_refund_execute_sends_money_back(world: World) -> None:
    sale = world.sale()
    order = world.paid_order(sale)
    refund = refund_of(world, order)
    assert invoke("refund_execute", sample_about("refund_execute", refund["id"])) == DONE
    assert world.operator.get(f"/v1/refunds/{refund['id']}").json["status"] == "succeeded"


def test_the_samples_of_settlement_settle_a_leader(world: World) -> None:
    leader_id, run_id = world.add_leader(), "run_2026-03-09"
    world.operator.post("/v1/settlement-runs", {"business_date": "2026-03-09"})
    assert invoke("settlement_list", sample_about("settlement_list", run_id)) == DONE
    event = sample_about("settlement_settle", run_id, page=0, leader_id=leader_id)
    assert invoke("settlement_settle", event) == DONE
    assert world.operator.get(f"/v1/settlement-runs/{run_id}").json["status"] == "completed"


def test_the_sample_of_payout_page_begins_to_gather(world: World) -> None:
    body = {"currency": "EUR", "kind": "leaders", "method": "manual"}
    batch = world.operator.post("/v1/payout-batches", body).json
    assert [each["subject"] for each in world.messages("PAYOUT_PAGE")] == [batch["id"]]
    assert invoke("payout_page", sample_about("payout_page", batch["id"])) == DONE
    assert [each["data"]["page"] for each in world.messages("PAYOUT_PAGE")] == [0]


def test_the_sample_of_reconcile_takes_a_statement_through(world: World) -> None:
    made = send(world.operator, csv_file(("2026-03-09", "1.00", "EUR", "x"))).json
    assert [each["subject"] for each in world.messages("RECONCILE")] == [made["id"]]
    assert invoke("reconcile", sample_about("reconcile", made["id"])) == DONE
    done = world.operator.get(f"/v1/reconciliations/{made['id']}").json
    assert (done["status"], done["differences"]) == ("done", 1)


def test_the_sample_of_the_api_places_an_order(world: World) -> None:
    sale = world.sale(skus=2)
    event = sample("api")
    body = json.loads(base64.b64decode(event["body"]))
    assert [line["quantity"] for line in body["lines"]] == [2, 1]
    body |= {"campaign_id": sale.campaign_id, "leader_id": sale.leader_id}
    for line, sku_id in zip(body["lines"], sale.sku_ids, strict=True):
        line["sku_id"] = sku_id
    event["body"] = base64.b64encode(json.dumps(body).encode()).decode()
    answer = through_the_api(event)
    order = json.loads(answer["body"])
    assert (answer["statusCode"], order["status"]) == (201, "pending_payment")
    assert (order["customer_id"], order["total"]) == ("cus_ada", 3000)
    assert order["ship_to"]["city"] == "Hồ Chí Minh"


def test_the_sample_of_the_api_as_it_is_names_what_does_not_exist(world: World) -> None:
    answer = through_the_api(sample("api"))
    assert (answer["statusCode"], json.loads(answer["body"])["errors"][0]["field"]) == (
        422,
        "campaign_id",
    )


def test_the_sample_of_the_authorizer_is_refused(world: World) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        invoke("authorizer")


def test_the_sample_of_the_authorizer_with_a_key_that_is_known_names_its_supplier(
    world: World,
) -> None:
    supplier_id = world.add_supplier()
    key = world.supplier(supplier_id).credentials
    policy = invoke("authorizer", {**sample("authorizer"), "authorizationToken": f"Bearer {key}"})
    assert (policy["principalId"], policy["context"]["role"]) == (supplier_id, "supplier")
    assert policy["policyDocument"]["Statement"][0]["Effect"] == "Allow"


DONE: dict[str, list[str]] = {"batchItemFailures": []}


def endpoint_of_the_platform(world: World) -> None:
    body = {"url": "http://127.0.0.1:9/hook"}
    assert world.operator.post("/v1/webhook-endpoints", body).status == 201


def refund_of(world: World, order: Any) -> Any:
    lines = [{"sku_id": order["lines"][0]["sku_id"], "quantity": 1}]
    body = {"lines": lines, "reason": "broken"}
    return world.operator.post(f"/v1/orders/{order['id']}/refunds", body).json


def through_the_api(event: Any) -> Any:
    from app import app

    return app(event, Context())
