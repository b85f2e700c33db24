"""What leaders are given beside their commission: bonuses with what they are for, and adjustments.
They lie in the settlement table."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.kernel import clock
from chalicelib.platform import store
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.store import Key
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    IntegersAttribute,
    Row,
    absent,
)
from chalicelib.platform.transaction import Put, Update, Write, create
from chalicelib.settlement.campaign_totals import CampaignTotal, Move
from chalicelib.settlement.rules import Adjustment, Bonus, FirstOrder
from chalicelib.settlement.store import SettlementMeta

BONUS, GIVEN = "bonus#", "given#"
FIRST_ORDER, CAMPAIGN_TOTAL = "first_order", "campaign_total#"
ADJUSTMENT, ADJUSTED = "adjustment#", "adjusted#"


class BonusRow(EntityRow[Bonus]):
    Meta = SettlementMeta
    entity = Bonus

    id = UnicodeAttribute()
    leader_id = UnicodeAttribute()
    kind = UnicodeAttribute()
    task = UnicodeAttribute()
    reference = UnicodeAttribute()
    amount = IntegerAttribute()
    currency = UnicodeAttribute()
    matures_on = UnicodeAttribute()
    given_at = InstantAttribute()
    given_by = UnicodeAttribute()
    order_id = UnicodeAttribute(default="")
    threshold = IntegerAttribute(null=True)
    plan_id = UnicodeAttribute(default="")
    plan_version = IntegerAttribute(default=0)
    waits_on = UnicodeAttribute(default="")
    times = IntegerAttribute(default=1)
    taken_back_at = InstantAttribute(null=True)
    taken_back_by = UnicodeAttribute(null=True)

    @classmethod
    def keys(cls, entity: Bonus) -> dict[str, Any]:
        return {"pk": entity.leader_id, "sk": BONUS + entity.id}


class GivenRow(Row):
    """Names a bonus by when it was first given, so that a leader's can be listed by age."""

    Meta = SettlementMeta

    bonus_id = UnicodeAttribute()


class FirstOrderRow(EntityRow[FirstOrder]):
    """Lies in a partition of its customer's own."""

    Meta = SettlementMeta
    entity = FirstOrder

    customer_id = UnicodeAttribute()
    order_id = UnicodeAttribute()
    is_rewarded = BooleanAttribute()

    @classmethod
    def keys(cls, entity: FirstOrder) -> dict[str, Any]:
        return {"pk": _customer(entity.customer_id), "sk": FIRST_ORDER}


class CampaignTotalRow(Row):
    """What a leader's orders of one campaign come to, and which thresholds' bonuses stand."""

    Meta = SettlementMeta

    total = IntegerAttribute(default=0)
    reached = IntegersAttribute(default=())


class AdjustmentRow(EntityRow[Adjustment]):
    """Under the instant at which it was made, so that they are listed by age."""

    Meta = SettlementMeta
    entity = Adjustment

    id = UnicodeAttribute()
    leader_id = UnicodeAttribute()
    amount = IntegerAttribute()
    currency = UnicodeAttribute()
    reason = UnicodeAttribute()
    reference = UnicodeAttribute()
    business_date = UnicodeAttribute()
    made_at = InstantAttribute()
    made_by = UnicodeAttribute()

    @classmethod
    def keys(cls, entity: Adjustment) -> dict[str, Any]:
        return {"pk": entity.leader_id, "sk": _adjustment(entity.id, entity.made_at)}


class AdjustedRow(Row):
    """Says that the reference an adjustment's id is made of stands for one, and where it lies."""

    Meta = SettlementMeta

    lies_at = UnicodeAttribute()


def bonus_key(leader_id: str, bonus_id: str) -> Key:
    return Key(BonusRow, leader_id, BONUS + bonus_id)


def get_bonus(leader_id: str, bonus_id: str) -> Bonus | None:
    row = store.get(BonusRow, leader_id, BONUS + bonus_id)
    return row.to_entity() if row else None


def get_bonuses(of: Iterable[tuple[str, str]]) -> list[Bonus]:
    """Those that were given of these, each known by its leader and its id."""
    found = store.get_many(BonusRow, [(leader_id, BONUS + each) for leader_id, each in of])
    return [row.to_entity() for row in found]


def add_bonus(bonus: Bonus) -> list[Put]:
    given = f"{GIVEN}{clock.to_text(bonus.given_at)}#{bonus.id}"
    return [
        create(BonusRow.of(bonus)),
        create(GivenRow(bonus.leader_id, given, bonus_id=bonus.id)),
    ]


def replace_bonus(before: Bonus, after: Bonus) -> Put:
    """Take a bonus back, or give it again; Stale where that was done meanwhile."""
    row = BonusRow
    stands = row.taken_back_at.does_not_exist() if before.stands else row.taken_back_at.exists()
    return Put(row.of(after), (row.times == before.times) & stands)


def bonuses(leader_id: str, page: PageRequest) -> Page[Bonus]:
    """A leader's bonuses, the last given first."""
    given = store.newest_within(GivenRow, leader_id, GIVEN, page)
    found = store.get_many(BonusRow, [(leader_id, BONUS + row.bonus_id) for row in given.items])
    return Page(tuple(row.to_entity() for row in found), given.next_after)


def all_bonuses(leader_id: str) -> list[Bonus]:
    rows = store.query(BonusRow, leader_id, where=BonusRow.sk.startswith(BONUS))
    return [row.to_entity() for row in rows]


def first_order_of(customer_id: str) -> FirstOrder | None:
    row = store.get(FirstOrderRow, _customer(customer_id), FIRST_ORDER)
    return row.to_entity() if row else None


def keep_first_order(first: FirstOrder) -> Put:
    """Stale where another order has come first meanwhile."""
    return create(FirstOrderRow.of(first))


def campaign_total(leader_id: str, campaign_id: str) -> CampaignTotal:
    row = store.get(CampaignTotalRow, leader_id, CAMPAIGN_TOTAL + campaign_id)
    if row is None:
        return CampaignTotal(leader_id, campaign_id)
    return CampaignTotal(leader_id, campaign_id, row.total, row.reached, is_kept=True)


def move_campaign_total(move: Move) -> Update:
    """Stale where others have moved it so far that other bonuses would come of it."""
    row, before = CampaignTotalRow, move.before
    at = row.at(before.leader_id, CAMPAIGN_TOTAL + before.campaign_id)
    actions: list[Action] = [row.total.add(move.net), row.reached.set(move.after.reached)]
    return Update(at, actions, _comes_to_the_same(move) if before.is_kept else absent())


def _comes_to_the_same(move: Move) -> Condition:
    row = CampaignTotalRow
    same: Condition = row.reached == move.before.reached
    if move.at_least is not None:
        same = same & (row.total >= move.at_least)
    if move.below is not None:
        same = same & (row.total < move.below)
    return same


def adjustment_key(leader_id: str, adjustment_id: str, made_at: datetime) -> Key:
    return Key(AdjustmentRow, leader_id, _adjustment(adjustment_id, made_at))


def get_adjustment(leader_id: str, adjustment_id: str) -> Adjustment | None:
    known = store.get(AdjustedRow, leader_id, ADJUSTED + adjustment_id)
    row = store.get(AdjustmentRow, leader_id, known.lies_at) if known else None
    return row.to_entity() if row else None


def add_adjustment(made: Adjustment) -> list[Write]:
    row = AdjustmentRow.of(made)
    return [create(row), create(AdjustedRow(row.pk, ADJUSTED + made.id, lies_at=row.sk))]


def adjustments(leader_id: str, page: PageRequest) -> Page[Adjustment]:
    return store.newest_within(AdjustmentRow, leader_id, ADJUSTMENT, page).map(
        AdjustmentRow.to_entity
    )


def all_adjustments(leader_id: str) -> list[Adjustment]:
    row = AdjustmentRow
    rows = store.query(row, leader_id, where=row.sk.startswith(ADJUSTMENT))
    return [row.to_entity() for row in rows]


def _adjustment(adjustment_id: str, made_at: datetime) -> str:
    return f"{ADJUSTMENT}{clock.to_text(made_at)}#{adjustment_id}"


def _customer(customer_id: str) -> str:
    return f"customer#{customer_id}"
