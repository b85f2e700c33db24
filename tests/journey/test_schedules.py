"""The schedules are there, and do their work without anybody's asking."""

from datetime import date, timedelta

from pytest_httpserver import HTTPServer

from chalicelib.kernel import clock
from infra.local.stack import LocalStack
from tests.support.accidents import ago, lost_messages, paid_but_nobody_was_told, unsettled_run
from tests.support.deployed import DeployedWorld, until
from tests.support.listener import Listener
from tests.support.world import Json, Sale

EVERY_MINUTE = "rate(1 minute)"
EXPECTED = {
    "RefundSweep": EVERY_MINUTE,
    "OrderExpire": EVERY_MINUTE,
    "AfterSalesSweep": EVERY_MINUTE,
    "DispatchClocks": EVERY_MINUTE,
    "CampaignClose": EVERY_MINUTE,
    "OutboxSweep": EVERY_MINUTE,
    "WebhookSweep": EVERY_MINUTE,
    "WebhookReplaySweep": EVERY_MINUTE,
    "SettlementWatch": EVERY_MINUTE,
    "PayoutWatch": EVERY_MINUTE,
    "LedgerAudit": EVERY_MINUTE,
    "StockTend": EVERY_MINUTE,
    "StockCheck": "cron(30 3 * * ? *)",
    "SettlementStart": "cron(15 * * * ? *)",
    "SupplierFees": "cron(35 * * * ? *)",
    "LedgerFold": "rate(1 hour)",
    "LeavingSweep": "rate(1 hour)",
}
# A minute, and what the functions take to start on a busy machine.
ONE_ROUND = 90.0


def test_every_schedule_is_on_and_runs_its_function(stack: LocalStack) -> None:
    events = stack.client("events")
    found = {}
    for rule in events.list_rules()["Rules"]:
        assert rule["State"] == "ENABLED"
        (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        found[target["Arn"].rpartition(":")[2]] = rule["ScheduleExpression"]
    assert found == {stack.resource(name): when for name, when in EXPECTED.items()}


def test_within_a_minute_all_that_was_left_behind_is_done(
    world: DeployedWorld, server: HTTPServer
) -> None:
    sale = world.sale(stock=10)
    platform = Listener(server, world.operator)
    unheard_ping(world, platform)
    closing = world.add_campaign(sale.sku_ids, open_for=timedelta(seconds=5))
    refund = unexecuted_refund(world, sale)
    world.delivered_order(sale)
    run = unsettled_run(world, 1)
    unpaid = overdue_order(world, sale)
    untold = paid_but_nobody_was_told(world, sale)

    def closed() -> list[str]:
        return [each["campaign_id"] for each in platform.of_type("campaign.closed")]

    def read(path: str) -> Json:
        return world.operator.get(path).json

    done = {
        "refund_sweep": lambda: read(f"/v1/refunds/{refund}")["status"] == "succeeded",
        "order_expire": lambda: world.order(unpaid["id"])["status"] == "expired",
        "campaign_close": lambda: closed() == [closing["id"]],
        "outbox_sweep": lambda: len(world.order(untold["id"])["dispatches"]) == 1,
        "webhook_sweep": lambda: [each.type for each in platform.heard].count("ping") >= 2,
        "settlement_watch": lambda: (
            read(f"/v1/settlement-runs/{run['id']}")["totals"]
            == [{"currency": "EUR", "amount": 100}]
        ),
    }
    for name, is_done in done.items():
        until(is_done, f"{name} has run", ONE_ROUND)
    # Ten units: one was rejected, one delivered, one is paid; the overdue one is back.
    world.work()
    stock = world.stock(sale.sku_ids[0])
    assert (stock["on_hand"], stock["reserved"], stock["committed"]) == (7, 0, 1)
    assert platform.refused == []


def overdue_order(world: DeployedWorld, sale: Sale) -> Json:
    order = world.place(sale)
    world.change("ORDERING", order["id"], "order", due_at=ago(), expires_at=ago())
    return order


def unexecuted_refund(world: DeployedWorld, sale: Sale) -> str:
    """A rejected dispatch's refund, whose message was lost."""
    order = world.paid_order(sale)
    path = f"/v1/dispatches/{order['dispatches'][0]['id']}/reject"
    with world.without("RefundExecute"):
        assert world.operator.post(path, {"reason": "sold out"}).status == 200
        (message,) = lost_messages(world, "REFUND_EXECUTE", 1)
    refund_id = str(message["subject"])
    assert world.operator.get(f"/v1/refunds/{refund_id}").json["status"] == "pending"
    world.change("PAYMENTS", refund_id, "refund", due_at=ago())
    return refund_id


def unheard_ping(world: DeployedWorld, listener: Listener) -> None:
    """A delivery that is sent again, whose message was lost."""
    heard = listener.caller.post(f"{listener.path}/test").json
    with world.without("WebhookAttempt"):
        again = listener.caller.post(f"/v1/webhook-deliveries/{heard['id']}/replay")
        assert again.status == 202
        (message,) = lost_messages(world, "WEBHOOK_ATTEMPT", 1)
    world.change("WEBHOOKS", message["subject"], "delivery", due_at=ago())


def test_the_hourly_schedules_do_their_work_when_they_are_due(world: DeployedWorld) -> None:
    world.delivered_order(world.sale())
    before = world.trial_balance()
    world.invoke("LedgerFold")
    world.invoke("SettlementStart")
    world.work()
    yesterday: date = clock.now().date() - timedelta(days=1)
    (run,) = world.operator.get("/v1/settlement-runs").json["items"]
    assert (run["business_date"], run["status"]) == (yesterday.isoformat(), "completed")
    assert world.trial_balance() == before
