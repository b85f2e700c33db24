"""What is agreed with leaders and suppliers: plans, settlement terms, fees and deposits."""

from datetime import timedelta

from chalicelib.parties.settlement_terms import (
    RefundBearer,
    SettlementBasis,
    SettlementTerms,
    Waiver,
)
from chalicelib.plans import leaders
from chalicelib.plans import service as plans
from chalicelib.suppliers import agreeing, deposits, remitting
from chalicelib.suppliers.deposits import Asked
from chalicelib.suppliers.rules import DepositKind, Pays
from tests.soak.happening import Operations
from tests.soak.rows import NothingToDo
from tests.soak.town import LEVELS, OPERATOR, Town

OPERATIONS = Operations()
happens = OPERATIONS.happens

BASES: tuple[SettlementBasis, ...] = ("cost", "revenue_share", "revenue_share")
BEARERS: tuple[RefundBearer, ...] = ("supplier", "platform")
PAYS: tuple[Pays, ...] = ("fees", "payable", "damages")
# A plan is given a new version some days ahead, or for today, once a day.
DAYS_AHEAD = 4
# Terms that change with every other order would tell nothing of those that stay.
RARELY = 0.5


@happens(1)
def change_a_plan(town: Town) -> None:
    begins = town.now().date() + timedelta(days=town.chance.randint(0, DAYS_AHEAD))
    version = town.version(begins.isoformat())
    plans.add_version(town.plan_id, version, OPERATOR, town.request())


@happens(1)
def change_a_leader(town: Town) -> None:
    """Its level, and whose pick-up point and hub its parcels go through."""
    leader_id = town.leader()
    others = [None, *(each for each in town.leader_ids if each != leader_id)]
    changes = {
        "level": town.chance.choice(LEVELS),
        "pickup_leader_id": town.chance.choice(others),
        "hub_id": town.chance.choice(others),
    }
    leaders.set_terms(leader_id, changes, OPERATOR)


@happens(1)
def change_settlement_terms(town: Town) -> None:
    if town.chance.random() > RARELY:
        raise NothingToDo("all is well as it is")
    today, chance = town.now().date(), town.chance
    until = today + timedelta(days=chance.randint(0, 5))
    waivers = (Waiver(today.isoformat(), until.isoformat()),)
    basis = chance.choice(BASES)
    terms = SettlementTerms(
        chance.choice(town.supplier_ids),
        basis=basis,
        fee_bps=chance.choice([0, 333, 1250, 9999]) if basis == "revenue_share" else 0,
        annual_fee=chance.choice([None, 12_345]),
        community_fee=chance.choice([None, 777]),
        waivers=chance.choice([(), waivers]),
        deposit=chance.choice([None, 5000]),
        fine_cap=chance.choice([None, 0, 200]),
        refund_bearer=chance.choice(BEARERS),
    )
    agreeing.agree(terms, OPERATOR)


@happens(2)
def receive_a_deposit(town: Town) -> None:
    _transfer(town, "received")


@happens(1)
def return_a_deposit(town: Town) -> None:
    _transfer(town, "returned")


@happens(2)
def draw_on_a_deposit(town: Town) -> None:
    pays, told = town.chance.choice(PAYS), f"T{town.number()}"
    amount = town.chance.randint(1, 900)
    asked = Asked("drawn", _supplier(town), amount, told, reason="as agreed", pays=pays)
    deposits.book(asked, OPERATOR, town.request())


@happens(2)
def be_paid_by_a_supplier(town: Town) -> None:
    amount, reference = town.chance.randint(1, 900), f"T{town.number()}"
    remitting.remit(_supplier(town), amount, reference, OPERATOR, town.request())


def _transfer(town: Town, kind: DepositKind) -> None:
    reference, amount = f"T{town.number()}", town.chance.randint(1, 3000)
    asked = Asked(kind, _supplier(town), amount, reference, reference=reference)
    deposits.book(asked, OPERATOR, town.request())


def _supplier(town: Town) -> str:
    return town.chance.choice(town.supplier_ids)
