"""A process that dies while money goes back or is put right; and every way that money is posted is
among those it dies in.

Whoever adds a way to post money adds a scenario that posts it to one of the tables in `FLOWS`.
"""

import re
from functools import partial

import pytest

from chalicelib.kernel import clock
from chalicelib.ledger.store import EntryRow
from chalicelib.payments.providers import RefundOutcome
from chalicelib.payments.rules import chargeback_id
from chalicelib.suppliers.rules import KINDS
from infra.paths import ROOT
from tests.race import test_bank_crashes as banks
from tests.race import test_clock_crashes as clocks
from tests.race import test_crashes as crashes
from tests.race import test_payout_crashes as payouts
from tests.race import test_supplier_crashes as suppliers
from tests.race.conftest import SETTINGS
from tests.race.test_crashes import (
    COLLECTED,
    DELIVERED,
    NO_ORDER,
    ONE_BACK,
    PAID,
    Made,
    Recorder,
    Scenario,
    a_sale,
    assert_it_ends_right,
    collected,
    comes_to,
    deliver,
    delivered,
    is_caught_piece_by_piece,
    paid,
    pay,
    placed,
    post,
    refund_one,
    remit,
    result,
)
from tests.support.clouds import IN_MEMORY
from tests.support.crashing import come_to_rest
from tests.support.gateway import Gateway
from tests.support.memory_cloud import memory_cloud
from tests.support.provider import provider_that_answers
from tests.support.statements import csv_file, reconcile
from tests.support.world import Issuer, Json, World, created

PLANS = "/v1/commission-plans"
ONE_REFUNDED = comes_to("delivered", 7, refunded=1000, dispatches=["delivered"], balances=ONE_BACK)
ALL_REFUNDED = comes_to("refunded", 7, refunded=6000, dispatches=["delivered"])

pytestmark = pytest.mark.usefixtures("days_to_come")


def remitted(world: World) -> Made:
    made = collected(world)
    remit(world, made)
    leader = f"/v1/leaders/{made.sale.leader_id}/remittances"
    (remittance,) = world.operator.get(leader).json["items"]
    return Made(made.sale, {**made.order, "remittance": f"{leader}/{remittance['id']}"})


def reverse(world: World, made: Made) -> None:
    post(world, f"{made.order['remittance']}/reverse", {"reason": "booked twice"})


def refund_an_amount(world: World, made: Made) -> None:
    body = {"amount": 1000, "reason": "a pity"}
    post(world, f"/v1/orders/{made.order['id']}/refunds", body)


def borne_by_supplier(world: World) -> Made:
    """A supplier pays the commission of what it has damaged."""
    assert world.operator.put("/v1/refund-bearers", {"damaged": "supplier"}).status == 200
    return delivered(world)


def refund_damaged(world: World, made: Made) -> None:
    lines = [{"sku_id": made.sale.sku_ids[0], "quantity": 1}]
    body = {"lines": lines, "reason": "broken", "cause": "damaged"}
    post(world, f"/v1/orders/{made.order['id']}/refunds", body)


def give_bonus(world: World, made: Made) -> None:
    body = {"task": "training", "amount": 2000, "reference": "march"}
    post(world, f"/v1/leaders/{made.sale.leader_id}/bonuses", body)


def promised(world: World) -> Made:
    """A first order, and one that brings its campaign to 60.00, once it is delivered."""
    leader_id, currency = world.add_leader(), {"name": "Shops", "currency": "EUR"}
    plan = f"/v1/commission-plans/{created(world.operator.post(PLANS, currency))['id']}"
    version = {
        "effective_from": clock.now().date().isoformat(),
        "rules": [{"match": {}, "basis": "sales", "rate_bps": 1000}],
        "bonuses": [
            {"kind": "first_order", "amount": 500},
            {"kind": "campaign_total", "amount": 200, "threshold": 6000},
        ],
    }
    created(world.operator.post(f"{plan}/versions", version))
    body = {"plan_id": plan.rpartition("/")[2]}
    assert world.operator.put(f"/v1/leaders/{leader_id}/commission-plan", body).status == 200
    sale = world.sale(leader_id=leader_id, skus=2, stock=10, limit=5, commission=None)
    return Made(sale, world.paid_order(sale, quantity=3))


def earned(world: World) -> Made:
    made = promised(world)
    deliver(world, made)
    return made


def refund_all(world: World, made: Made) -> None:
    body = {"amount": 6000, "reason": "spoilt"}
    post(world, f"/v1/orders/{made.order['id']}/refunds", body)


def charged_back(world: World) -> Made:
    """All of it, with a fee that the leader pays."""
    assert world.operator.put("/v1/refund-bearers", {"chargeback_fee": "leader"}).status == 200
    made = earned(world)
    taken = {"order_id": made.order["id"], "amount": 6000, "fee": 150, "reference": "dp_1"}
    post(world, "/v1/chargebacks", taken)
    return made


def win(world: World, made: Made) -> None:
    post(world, f"/v1/chargebacks/{chargeback_id('local', 'dp_1')}/close", {"outcome": "won"})


def adjust(world: World, made: Made) -> None:
    body = {"amount": -2000, "reason": "given by mistake", "reference": "march"}
    post(world, f"/v1/leaders/{made.sale.leader_id}/adjustments", body)


def asked_for(world: World) -> Made:
    """The customer wants its money back for one unit."""
    made = delivered(world)
    lines = [{"sku_id": made.sale.sku_ids[0], "quantity": 1}]
    path = f"/v1/orders/{made.order['id']}/after-sales"
    request = created(world.customer().post(path, {"lines": lines, "reason": "broken"}))
    return Made(made.sale, {**made.order, "request": f"/v1/after-sales/{request['id']}"})


def grant(world: World, made: Made) -> None:
    post(world, f"{made.order['request']}/decide", {"refund": True, "note": "Sorry."})


def charge_back(world: World, made: Made) -> None:
    taken = {"order_id": made.order["id"], "amount": 6000, "fee": 0, "reference": "dp_1"}
    post(world, "/v1/chargebacks", taken)


def beside_a_chargeback(world: World) -> Made:
    """The refund of one unit is on its way, and the bank has taken back all of the order."""
    made = refused_by_provider(world, "pending")
    charge_back(world, made)
    return made


def hear_that_it_failed(world: World, made: Made) -> None:
    told = {"refund_id": made.order["refund"]}
    assert world.provider_event("refund.failed", told).status == 200


def refused_by_provider(world: World, answer: RefundOutcome = "failed") -> Made:
    """The refund of one unit has failed."""
    made = delivered(world)
    with provider_that_answers(answer):
        refund_one(world, made)
    (refund,) = world.operator.get(f"/v1/leaders/{made.sale.leader_id}/refunds").json["items"]
    return Made(made.sale, {**made.order, "refund": refund["id"]})


def retry(world: World, made: Made) -> None:
    post(world, f"/v1/refunds/{made.order['refund']}/retry", {})


def of_nobody(world: World) -> Made:
    """Money for a payment that no order has, which was paid back before anybody said so."""
    made = a_sale(world)
    pay(world, made)
    paid_back = csv_file((clock.now().date().isoformat(), "-60.00", "EUR", "back"))
    banks.resolve(world, reconcile(world, paid_back), "post_to_suspense")
    return made


def clear(world: World, _: Made, **body: str) -> None:
    post(world, f"/v1/open-items/{_entry_in(world, 'unmatched_receipts')}/clear", body)


def clear_against(world: World, made: Made) -> None:
    suspended = _entry_in(world, "platform:suspense")
    clear(world, made, goes="item", reference="back", entry_id=suspended)


def _entry_in(world: World, account: str) -> str:
    today = clock.now().date().isoformat()
    path = f"/v1/ledger/journal?from={today}&to={today}&account={account}"
    # The first one, since clearing posts to it as well.
    return str(world.operator.get(path).json["items"][0]["id"])


def cancel_campaign(world: World, made: Made) -> None:
    post(world, f"/v1/campaigns/{made.sale.campaign_id}/cancel", {})


# Of 60.00 the leader has 6.00, for a first order 5.00, and for the campaign's total 2.00.
WITH_BONUSES: Json = {
    **DELIVERED,
    "leader:pending": -600 - 500 - 200,
    "platform:revenue": -1200 + 500 + 200,
}
OF_NOBODY: Json = {
    **NO_ORDER,
    "cases": ["reconciliation_difference", "unmatched_receipt"],
}
SCENARIOS = {
    "reverse": Scenario(remitted, reverse, result, {**PAID, "balances": COLLECTED}),
    "refund an amount": Scenario(delivered, refund_an_amount, result, ONE_REFUNDED),
    # The supplier pays the 100 of commission that the leader keeps.
    "refund what is borne": Scenario(
        borne_by_supplier,
        refund_damaged,
        result,
        {
            **ONE_REFUNDED,
            "balances": {**ONE_BACK, "supplier:payable": -3400, "leader:pending": -600},
        },
    ),
    "give a bonus": Scenario(
        a_sale,
        give_bonus,
        result,
        {**NO_ORDER, "balances": {"platform:revenue": 2000, "leader:pending": -2000}},
    ),
    "bring bonuses": Scenario(
        promised,
        deliver,
        result,
        comes_to("delivered", 7, dispatches=["delivered"], balances=WITH_BONUSES),
    ),
    "take bonuses back": Scenario(
        earned, refund_all, result, comes_to("refunded", 7, refunded=6000, dispatches=["delivered"])
    ),
    # Bonuses and commission mature anew; the fee is back at once.
    "win bonuses and a fee back": Scenario(
        charged_back,
        win,
        result,
        comes_to(
            "delivered",
            7,
            dispatches=["delivered"],
            cases=["payment_disputed"],
            balances={
                **WITH_BONUSES,
                "cash:local": 5850,
                "leader:pending": -1300,
                "platform:revenue": -350,
            },
        ),
    ),
    "adjust": Scenario(
        a_sale,
        adjust,
        result,
        {**NO_ORDER, "balances": {"platform:revenue": -2000, "leader:available": 2000}},
    ),
    "grant": Scenario(asked_for, grant, result, ONE_REFUNDED),
    "retry": Scenario(
        refused_by_provider, retry, result, {**ONE_REFUNDED, "cases": ["refund_failed"]}
    ),
    "charge back what was refused": Scenario(
        refused_by_provider,
        charge_back,
        result,
        {**ALL_REFUNDED, "cases": ["payment_disputed", "refund_failed"]},
    ),
    "fail beside a chargeback": Scenario(
        beside_a_chargeback,
        hear_that_it_failed,
        result,
        {**ALL_REFUNDED, "cases": ["chargeback_unmatched", "payment_disputed"]},
    ),
    "pay another amount": Scenario(
        placed,
        partial(pay, amount=5999),
        result,
        comes_to("pending_payment", 10, 3, cases=["wrong_amount"]),
    ),
    "clear": Scenario(
        of_nobody,
        partial(clear, goes="payer", reference="again"),
        result,
        {
            **OF_NOBODY,
            "balances": {"cash:local": 6000, "cash:bank": -12000, "platform:suspense": 6000},
        },
    ),
    "clear against another item": Scenario(
        of_nobody,
        clear_against,
        result,
        {**OF_NOBODY, "balances": {"cash:local": 6000, "cash:bank": -6000}},
    ),
    "cancel a campaign": Scenario(
        paid,
        cancel_campaign,
        result,
        comes_to("refunded", 10, refunded=6000, dispatches=["cancelled"]),
    ),
}
FLOWS = [
    flow
    for flows in (crashes, clocks, payouts, suppliers, banks)
    for flow in flows.SCENARIOS.values()
] + list(SCENARIOS.values())
# What an entry's id begins with is written like this, and so are these, which are no entries.
KIND = re.compile(r'(?:f"([a-z_-]+):\{|_entry\(\s*"([a-z_-]+)")')
CAUGHT = [
    *("reverse", "grant", "refund what is borne", "give a bonus", "adjust"),
    *("bring bonuses", "take bonuses back", "win bonuses and a fee back"),
    *("clear", "clear against another item"),
    *("charge back what was refused", "fail beside a chargeback"),
]
NO_ENTRIES = {"cap", "cash", "leader", "supplier"}


@IN_MEMORY
@pytest.mark.parametrize("name", SCENARIOS)
def test_whatever_dies_wherever_money_goes_where_it_should(
    name: str, world: World, record_property: Recorder
) -> None:
    assert_it_ends_right(world, SCENARIOS[name], record_property)


@IN_MEMORY
@pytest.mark.parametrize("name", CAUGHT)
def test_control_the_rig_catches_money_that_is_written_piece_by_piece(
    name: str, world: World
) -> None:
    assert is_caught_piece_by_piece(world, SCENARIOS[name])


def test_every_kind_of_entry_is_posted_in_some_flow_that_dies(issuer: Issuer) -> None:
    written = {
        found.group(1) or found.group(2)
        for path in (ROOT / "chalicelib").rglob("*.py")
        for found in KIND.finditer(path.read_text())
    }
    # A deposit's entry says what became of it, and its kind is spelt in no f-string.
    due = (written | KINDS.keys()) - NO_ENTRIES
    assert {kind for flow in FLOWS for kind in _posted_kinds(issuer, flow)} == due


def _posted_kinds(issuer: Issuer, flow: Scenario) -> set[str]:
    """The kinds of entries that what dies in the flow has posted once it has come to rest."""
    from app import app

    with memory_cloud(**issuer.settings, **SETTINGS) as environment:
        world = World(Gateway(app), issuer, environment)
        made = flow.prepare(world)
        before = _entry_ids()
        flow.act(world, made)
        come_to_rest(world)
        return {entry_id.partition(":")[0] for entry_id in _entry_ids() - before}


def _entry_ids() -> set[str]:
    return {row.pk for row in EntryRow.scan() if row.sk == "entry"}
