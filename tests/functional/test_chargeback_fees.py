"""Who pays a chargeback's fee, and has it back once that is won; and all chargebacks, listed."""

import pytest

from chalicelib.ledger.store import get_entry
from tests.functional.conftest import Clock
from tests.functional.test_chargebacks import CHARGEBACKS, ask, booked, close, tell, whole
from tests.functional.test_refund_bearers import bear
from tests.functional.test_refunds import settle, statement
from tests.functional.test_supplier_money import agree
from tests.support.world import Json, Sale, World, created

FEE = 150


def charged_back(world: World, sale: Sale) -> Json:
    """One of three delivered units, for which the provider keeps 1.50."""
    return created(ask(world, world.delivered_order(sale, 3)))


def test_the_fee_is_the_platforms_where_no_rule_names_another(world: World) -> None:
    assert world.operator.get("/v1/refund-bearers").json["chargeback_fee"] == "platform"
    assert bear(world, damaged="supplier")["chargeback_fee"] == "platform"
    sale = world.sale()
    assert charged_back(world, sale)["fee_bearer"] == "platform"
    assert booked(world, sale)["platform:revenue"] == 400 - FEE
    whole(world)


def test_a_leader_bears_the_commission_and_the_platform_the_fee(world: World) -> None:
    bear(world, chargeback="leader")
    sale = world.sale()
    assert charged_back(world, sale)["fee_bearer"] == "platform"
    accounts = booked(world, sale)
    assert (accounts["leader:pending"], accounts["platform:revenue"]) == (200, 400 - FEE)
    assert "leader:available" not in accounts
    whole(world)


def test_a_leader_pays_the_fee_that_the_rule_puts_on_it(world: World, time: Clock) -> None:
    assert bear(world, chargeback_fee="leader")["chargeback_fee"] == "leader"
    sale = world.sale()
    made = charged_back(world, sale)
    assert made["fee_bearer"] == "leader"
    assert booked(world, sale) == {
        "cash:local": -(3000 - 1000 - FEE),
        "supplier:payable": 1400,
        "leader:pending": 200,
        "leader:available": -FEE,
        "platform:revenue": 400,
    }
    run = settle(world, time, days=8)
    told = statement(world, sale, run)
    (n,) = [n for n, line in enumerate(told["lines"], 1) if line["rule"] == "chargeback_fee"]
    path = f"/v1/leaders/{sale.leader_id}/statements/{run['id']}/lines/{n}"
    line = world.leader(sale.leader_id).get(path).json
    assert (line["kind"], line["amount"], line["basis_amount"]) == ("adjustment", -FEE, FEE)
    assert line["entry"]["id"] == f"chargeback-fee:{made['id']}"
    assert line["order_id"] == made["order_id"]
    whole(world)


def test_a_supplier_pays_the_fee_that_the_rule_puts_on_it(world: World) -> None:
    bear(world, chargeback="supplier", chargeback_fee="supplier")
    sale = world.sale()
    made = charged_back(world, sale)
    # It pays the leader's 1.00 of commission as well.
    assert booked(world, sale) == {
        "cash:local": -(3000 - 1000 - FEE),
        "supplier:payable": 1400 - 100 - FEE,
        "leader:pending": 300,
        "platform:revenue": 400,
    }
    day = made["opened_at"][:10]
    path = f"/v1/suppliers/{sale.supplier_id}/statements?from={day}&to={day}"
    lines = world.operator.get(path).json["items"]
    (fee,) = [line for line in lines if line["kind"] == "chargeback_fee"]
    assert (fee["amount"], fee["order_id"]) == (-FEE, made["order_id"])
    whole(world)


def test_a_supplier_whose_terms_say_so_is_spared(world: World) -> None:
    bear(world, chargeback="supplier", chargeback_fee="supplier")
    sale = world.sale()
    agree(world, sale.supplier_id, refund_bearer="platform")
    charged_back(world, sale)
    accounts = booked(world, sale)
    assert (accounts["supplier:payable"], accounts["platform:revenue"]) == (1400, 300 - FEE)
    whole(world)


def test_suppliers_of_one_order_share_it_by_what_they_shipped(world: World) -> None:
    bear(world, chargeback="supplier", chargeback_fee="supplier")
    mine, other, idle = world.sale(), world.sale(), world.sale()
    sku_ids = [*mine.sku_ids, *other.sku_ids, *idle.sku_ids]
    campaign = world.add_campaign(sku_ids, [mine.leader_id])
    sale = Sale(mine.supplier_id, mine.leader_id, campaign["id"], mine.product_id, sku_ids)
    lines = [{"sku_id": each, "quantity": n} for each, n in zip(sku_ids, (2, 1, 3), strict=True)]
    order = world.paid_order(sale, lines=lines)
    shipping = {mine.supplier_id, other.supplier_id}
    for each in order["dispatches"]:
        if each["supplier_id"] in shipping:
            world.move(each["id"], "accept", "ship", "deliver")
    made = created(ask(world, order, amount=1, fee=100))
    entry = get_entry(f"chargeback-fee:{made['id']}")
    paid = {each.account: each.amount for each in entry.postings} if entry else {}
    assert paid == {
        "cash:local": -100,
        f"supplier:{mine.supplier_id}:payable": 67,
        f"supplier:{other.supplier_id}:payable": 33,
    }
    whole(world)


@pytest.mark.parametrize("bearer", ["leader", "supplier"])
def test_nobody_pays_for_what_was_not_delivered_but_the_platform(world: World, bearer: str) -> None:
    bear(world, chargeback=bearer, chargeback_fee=bearer)
    sale = world.sale()
    made = created(ask(world, world.paid_order(sale, quantity=1)))
    assert made["fee_bearer"] == "platform"
    assert booked(world, sale) == {"cash:local": FEE, "platform:revenue": -FEE}
    whole(world)


def test_a_charge_of_no_order_is_the_platforms(world: World) -> None:
    bear(world, chargeback="leader", chargeback_fee="leader")
    assert tell(world, {"id": "unknown"}).status == 200
    assert world.trial_balance()["platform:revenue"] == FEE
    whole(world)


@pytest.mark.parametrize("bearer", ["leader", "supplier", "platform"])
def test_a_fee_that_is_named_later_is_borne_by_the_rule_of_before(
    world: World, bearer: str
) -> None:
    bear(world, chargeback=bearer, chargeback_fee=bearer)
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    tell(world, order, fee=0)
    before = booked(world, sale)
    bear(world)
    for _ in range(2):
        tell(world, order)
    account = {
        "leader": "leader:available",
        "supplier": "supplier:payable",
        "platform": "platform:revenue",
    }[bearer]
    after = booked(world, sale)
    assert after[account] == before.get(account, 0) - FEE
    assert after["cash:local"] == before["cash:local"] + FEE
    whole(world)


@pytest.mark.parametrize("days", [0, 8])
@pytest.mark.parametrize(
    ("bearer", "account"), [("leader", "leader"), ("supplier", "supplier:payable")]
)
def test_won_gives_the_fee_back_to_whom_paid_it(
    world: World, time: Clock, bearer: str, account: str, days: int
) -> None:
    bear(world, chargeback=bearer, chargeback_fee=bearer)
    sale = world.sale()
    made = charged_back(world, sale)
    if days:
        settle(world, time, days=days)
    for _ in range(2):
        assert close(world, made, "won").json["status"] == "won"
    accounts = booked(world, sale)
    leader = accounts.get("leader:pending", 0) + accounts.get("leader:available", 0)
    assert {"leader": leader, **accounts}[account] == {"leader": 300}.get(account, 2100)
    assert accounts["platform:revenue"] == 600 - FEE
    run = settle(world, time, days=9)
    if bearer == "leader":
        lines = statement(world, sale, run)["lines"]
        entry_id = f"chargeback-fee-won:{made['id']}"
        assert [line["amount"] for line in lines if line["entry_id"] == entry_id] == [FEE]
    whole(world)


@pytest.mark.parametrize("bearer", ["leader", "supplier"])
def test_lost_leaves_the_fee_with_whom_paid_it(world: World, bearer: str) -> None:
    bear(world, chargeback=bearer, chargeback_fee=bearer)
    sale = world.sale()
    made = charged_back(world, sale)
    before = booked(world, sale)
    close(world, made, "lost")
    assert booked(world, sale) == before
    whole(world)


@pytest.mark.parametrize("bearer", ["leader", "supplier"])
def test_a_fee_that_is_named_once_it_is_won_is_the_platforms(world: World, bearer: str) -> None:
    bear(world, chargeback=bearer, chargeback_fee=bearer)
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    tell(world, order, "closed", outcome="won", fee=0)
    before = booked(world, sale)
    tell(world, order)
    after = booked(world, sale)
    assert {name for name in after if after[name] != before[name]} == {
        "cash:local",
        "platform:revenue",
    }
    whole(world)


def test_chargebacks_are_listed_the_last_first(world: World) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 5)
    made = [created(ask(world, order, amount=1, reference=f"dp_{n}")) for n in range(5)]
    found, cursor = [], ""
    for _ in range(3):
        page = world.operator.get(f"{CHARGEBACKS}?limit=2{cursor}").json
        found += page["items"]
        cursor = f"&cursor={page['next_cursor']}"
    assert (found, page["next_cursor"]) == (made[::-1], None)
    assert world.operator.get(f"{CHARGEBACKS}?cursor=forged").status == 400
    assert world.leader(sale.leader_id).get(CHARGEBACKS).status == 403
