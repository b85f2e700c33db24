"""The settlement table: earnings by leader and day, statements, runs with pages and markers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.kernel import clock
from chalicelib.kernel.errors import Stale
from chalicelib.platform import store
from chalicelib.platform.indexes import KeysListing
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.retries import retrying
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    IntegersAttribute,
    RecordsAttribute,
    Row,
    TextsAttribute,
    absent,
    table,
)
from chalicelib.platform.transaction import Delete, Put, Update, Write, create
from chalicelib.settlement.campaign_totals import CampaignTotal, Move
from chalicelib.settlement.caps import CappedDay
from chalicelib.settlement.rules import (
    Adjustment,
    Bonus,
    EarnedLine,
    Earnings,
    FirstOrder,
    LeaderOfRun,
    Run,
    Statement,
    Total,
    run_id,
)

EARNINGS, MATURING, EARNED, STATEMENT = "earnings", "maturing#", "earned#", "statement#"
CAPPED, TAKEN, TROUBLE, BONUS, GIVEN = "capped#", "taken#", "trouble#", "bonus#", "given#"
FIRST_ORDER, CAMPAIGN_TOTAL = "first_order", "campaign_total#"
ADJUSTMENT, ADJUSTED = "adjustment#", "adjusted#"
RUN, RUNS, DRY_RUNS, PAGE, CURRENT = "run", "runs", "dry_runs", "page#", "current"


SettlementMeta = table("SETTLEMENT_TABLE")


class EarningsRow(EntityRow[Earnings]):
    Meta = SettlementMeta
    entity = Earnings

    leader_id = UnicodeAttribute()
    estimated = IntegerAttribute(default=0)
    settled_through = UnicodeAttribute(default="")
    closing_balance = IntegerAttribute(default=0)
    version = IntegerAttribute(default=0)
    last_run_id = UnicodeAttribute(default="")
    behind = IntegerAttribute(default=0)


class MaturingRow(Row):
    """What a leader's commission of one day comes to, so that a run need not read its lines.

    `matured` waits in the leader's pending balance; `adjusted` has been posted to the available
    one already, such as a clawback. Only where lines are `capped` by the day does a run read them.
    """

    Meta = SettlementMeta

    currency = UnicodeAttribute()
    matured = IntegerAttribute(default=0)
    adjusted = IntegerAttribute(default=0)
    capped = BooleanAttribute(default=False)


class CappedRow(Row):
    """What runs have taken of a delivery day whose lines are capped."""

    Meta = SettlementMeta

    days = RecordsAttribute(CappedDay)


class EarnedRow(Row):
    """The statement lines that one delivery, or one refund, brings."""

    Meta = SettlementMeta

    lines = RecordsAttribute(EarnedLine)


class TakenRow(Row):
    """The lines that would give back what a chargeback has taken from a leader."""

    Meta = SettlementMeta

    lines = RecordsAttribute(EarnedLine)


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
        return {"pk": entity.leader_id, "sk": _adjustment(entity)}


class AdjustedRow(Row):
    """Says that the reference an adjustment's id is made of stands for one, and where it lies."""

    Meta = SettlementMeta

    lies_at = UnicodeAttribute()


class StatementRow(EntityRow[Statement]):
    Meta = SettlementMeta
    entity = Statement

    leader_id = UnicodeAttribute()
    run_id = UnicodeAttribute()
    business_date = UnicodeAttribute()
    currency = UnicodeAttribute()
    after_day = UnicodeAttribute()
    opening_balance = IntegerAttribute()
    total = IntegerAttribute()
    closing_balance = IntegerAttribute()
    made_at = InstantAttribute()
    previous_run_id = UnicodeAttribute(default="")
    caps = RecordsAttribute(EarnedLine, default=())

    @classmethod
    def keys(cls, entity: Statement) -> dict[str, Any]:
        return {"pk": entity.leader_id, "sk": STATEMENT + entity.run_id}


class RunRow(EntityRow[Run]):
    Meta = SettlementMeta
    entity = Run

    listing = UnicodeAttribute()
    runs = KeysListing()
    id = UnicodeAttribute()
    business_date = UnicodeAttribute()
    status = UnicodeAttribute()
    leaders_total = IntegerAttribute()
    leaders_settled = IntegerAttribute()
    totals = RecordsAttribute(Total)
    started_at = InstantAttribute()
    completed_at = InstantAttribute(null=True)
    listed = BooleanAttribute()
    version = IntegerAttribute()
    resumed_at = InstantAttribute(null=True)
    leaders_set_aside = IntegerAttribute(default=0)
    dry_run = BooleanAttribute(default=False)

    @classmethod
    def keys(cls, entity: Run) -> dict[str, Any]:
        return {"pk": entity.id, "sk": RUN, "listing": _listing(entity.dry_run)}


class CurrentRunRow(Row):
    """The one run that may be under way, and the one dry run beside it."""

    Meta = SettlementMeta

    run_id = UnicodeAttribute()


class PageRow(Row):
    """A page of a run's listing: which leaders, and when their messages were sent, how often.

    `listed` counts the leaders up to and including this page. So do `settled`, `set_aside` and
    `totals`, which come once the run is done with all leaders of it and of all pages before it.
    """

    Meta = SettlementMeta

    leader_ids = TextsAttribute()
    listed = IntegerAttribute()
    is_last = BooleanAttribute()
    sent_at = InstantAttribute()
    times_sent = IntegerAttribute(default=1)
    settled = IntegerAttribute(null=True)
    set_aside = IntegerAttribute(default=0)
    totals = RecordsAttribute(Total, null=True)

    @property
    def run_id(self) -> str:
        return str(self.pk)

    @property
    def number(self) -> int:
        return int(self.sk.removeprefix(PAGE))

    @property
    def is_closed(self) -> bool:
        return self.settled is not None


class MarkerRow(Row):
    """Says that a run is done with one leader, and what it came to."""

    Meta = SettlementMeta

    currency = UnicodeAttribute(null=True)
    amount = IntegerAttribute(default=0)
    opening_balance = IntegerAttribute(default=0)
    total = IntegerAttribute(default=0)
    set_aside = BooleanAttribute(default=False)

    @property
    def page_number(self) -> int:
        return int(self.pk.rpartition("#")[2])

    @property
    def of_leader(self) -> LeaderOfRun:
        return LeaderOfRun(
            leader_id=self.sk,
            status="set_aside" if self.set_aside else "settled",
            currency=self.currency,
            amount=self.amount,
            opening_balance=self.opening_balance,
            total=self.total,
            closing_balance=self.opening_balance + self.total,
        )


class TroubleRow(Row):
    """How often a run has failed to settle a leader, and why it did last.

    `set_aside_at` says since when the run goes on without the leader, until `settled_at`.
    """

    Meta = SettlementMeta

    page = IntegerAttribute()
    failures = IntegerAttribute(default=0)
    cause = UnicodeAttribute(null=True)
    set_aside_at = InstantAttribute(null=True)
    settled_at = InstantAttribute(null=True)

    @property
    def run_id(self) -> str:
        return str(self.sk.removeprefix(TROUBLE))

    @property
    def is_set_aside(self) -> bool:
        return self.set_aside_at is not None and self.settled_at is None


class AsideRow(Row):
    """Names a leader whom a run has set aside, and the page it stands on."""

    Meta = SettlementMeta

    page = IntegerAttribute()
    set_aside_at = InstantAttribute()


def get_earnings(leader_id: str) -> Earnings:
    row = store.get(EarningsRow, leader_id, EARNINGS)
    return row.to_entity() if row else Earnings(leader_id)


def get_many_earnings(leader_ids: Sequence[str]) -> list[Earnings]:
    rows = store.get_many(EarningsRow, [(each, EARNINGS) for each in leader_ids])
    found = {row.pk: row.to_entity() for row in rows}
    return [found.get(each) or Earnings(each) for each in leader_ids]


def change_earnings(
    leader_id: str,
    *,
    estimated: int = 0,
    when: Condition | None = None,
    raises_version: bool = False,
) -> Update:
    row = EarningsRow
    actions = [row.leader_id.set(leader_id), row.estimated.add(estimated)]
    if raises_version:
        actions.append(row.version.add(1))
    return Update(row.at(leader_id, EARNINGS), actions, when)


def not_taken(bucket: str) -> Condition:
    """Holds while no run has taken that day of the leader."""
    through = EarningsRow.settled_through
    open_day: Condition = through.does_not_exist() | (through < bucket)
    return open_day


def unchanged(earnings: Earnings) -> Condition:
    """Holds while nothing that a run would take has changed since `earnings` was read."""
    same: Condition = EarningsRow.version == earnings.version
    if earnings.version == 0:
        same = same | EarningsRow.version.does_not_exist()
    return same


def settled_as_in(earnings: Earnings) -> Condition:
    """Holds while runs have come no further with this leader than when `earnings` was read."""
    if not earnings.settled_through:
        return EarningsRow.settled_through.does_not_exist()
    same: Condition = EarningsRow.settled_through == earnings.settled_through
    return same


def change_maturing(
    leader_id: str,
    bucket: str,
    currency: str,
    *,
    matured: int = 0,
    adjusted: int = 0,
    capped: bool = False,
) -> Update:
    row = MaturingRow
    actions = [row.currency.set(currency), row.matured.add(matured), row.adjusted.add(adjusted)]
    if capped:
        actions.append(row.capped.set(True))
    return Update(row.at(leader_id, MATURING + bucket), actions)


def write_earned(leader_id: str, bucket: str, source: str, lines: Sequence[EarnedLine]) -> Put:
    """The lines that `source`, a dispatch or a refund, brings to the day; written whole."""
    return Put(EarnedRow(leader_id, f"{EARNED}{bucket}#{source}", lines=tuple(lines)), when=None)


def maturing_between(leader_id: str, after_day: str, through_day: str) -> list[MaturingRow]:
    """The days in (after_day, through_day] that hold something."""
    if through_day <= after_day:
        return []  # a later run has come before; DynamoDB refuses bounds that are not in order
    rows = store.query(
        MaturingRow, leader_id, where=_days(MaturingRow, MATURING, after_day, through_day)
    )
    return [row for row in rows if row.sk > MATURING + after_day]


def earned_between(leader_id: str, after_day: str, through_day: str) -> list[EarnedLine]:
    """Statement lines of the days in (after_day, through_day], in order of day and source."""
    rows = store.query(EarnedRow, leader_id, where=_days(EarnedRow, EARNED, after_day, through_day))
    taken_before = f"{EARNED}{after_day}~" if after_day else EARNED
    return [line for row in rows if row.sk > taken_before for line in row.lines]


def capped_days(leader_id: str, days: Sequence[str]) -> list[CappedDay]:
    """What runs have taken of these delivery days under each cap."""
    rows = store.get_many(CappedRow, [(leader_id, CAPPED + day) for day in days])
    return [each for row in rows for each in row.days]


def keep_capped(leader_id: str, day: str, of_day: Sequence[CappedDay]) -> Put:
    """Goes with `take`, whose condition holds for what was read here too."""
    return Put(CappedRow(leader_id, CAPPED + day, days=tuple(of_day)), when=None)


def keep_taken(leader_id: str, source_id: str, lines: Sequence[EarnedLine]) -> Put:
    return create(TakenRow(leader_id, TAKEN + source_id, lines=tuple(lines)))


def taken(leader_ids: Sequence[str], source_id: str) -> dict[str, Sequence[EarnedLine]]:
    """The lines by leader that would give back what the refund `source_id` has taken."""
    rows = store.get_many(TakenRow, [(each, TAKEN + source_id) for each in leader_ids])
    return {row.pk: row.lines for row in rows}


def take(made: Statement, earnings: Earnings, *, caught_up: bool = False) -> Update:
    """Close all days of a leader up to a statement's, behind the leader's last one; Stale where
    any of them has changed since, or another statement has come. `caught_up`: by a run that had
    set the leader aside."""
    row = EarningsRow
    return Update(
        row.at(earnings.leader_id, EARNINGS),
        [
            row.leader_id.set(earnings.leader_id),
            row.settled_through.set(made.business_date),
            row.closing_balance.set(made.closing_balance),
            row.last_run_id.set(made.run_id),
            row.version.add(1),
            *([row.behind.add(-1)] if caught_up else []),
        ],
        unchanged(earnings) & _last_statement(earnings),
    )


def change_behind(leader_id: str, runs: int) -> Update:
    """So many runs more have set the leader aside, or, negative, have caught up."""
    row = EarningsRow
    actions = [row.leader_id.set(leader_id), row.behind.add(runs)]
    return Update(row.at(leader_id, EARNINGS), actions)


def _last_statement(earnings: Earnings) -> Condition:
    last = EarningsRow.last_run_id
    if not earnings.last_run_id:
        none: Condition = last.does_not_exist()
        return none
    same: Condition = last == earnings.last_run_id
    return same


def get_bonus(leader_id: str, bonus_id: str) -> Bonus | None:
    row = store.get(BonusRow, leader_id, BONUS + bonus_id)
    return row.to_entity() if row else None


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
    older = GivenRow.sk.between(GIVEN, page.after) if page.after else GivenRow.sk.startswith(GIVEN)
    rows = store.query(GivenRow, leader_id, where=older, newest_first=True, limit=page.limit + 2)
    rows = [row for row in rows if row.sk != page.after]
    shown = rows[: page.limit]
    found = store.get_many(BonusRow, [(leader_id, BONUS + row.bonus_id) for row in shown])
    more = len(rows) > page.limit
    return Page(tuple(row.to_entity() for row in found), shown[-1].sk if more else None)


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


def get_adjustment(leader_id: str, adjustment_id: str) -> Adjustment | None:
    known = store.get(AdjustedRow, leader_id, ADJUSTED + adjustment_id)
    row = store.get(AdjustmentRow, leader_id, known.lies_at) if known else None
    return row.to_entity() if row else None


def add_adjustment(made: Adjustment) -> list[Write]:
    lies_at = AdjustedRow(made.leader_id, ADJUSTED + made.id, lies_at=_adjustment(made))
    return [create(AdjustmentRow.of(made)), create(lies_at)]


def adjustments(leader_id: str, page: PageRequest) -> Page[Adjustment]:
    first = AdjustmentRow.sk.startswith(ADJUSTMENT)
    older = AdjustmentRow.sk.between(ADJUSTMENT, page.after) if page.after else first
    rows = store.query(
        AdjustmentRow, leader_id, where=older, newest_first=True, limit=page.limit + 2
    )
    rows = [row for row in rows if row.sk != page.after]
    shown = tuple(row.to_entity() for row in rows[: page.limit])
    return Page(shown, _adjustment(shown[-1]) if len(rows) > page.limit else None)


def get_statement(leader_id: str, run_id: str) -> Statement | None:
    row = store.get(StatementRow, leader_id, STATEMENT + run_id)
    return row.to_entity() if row else None


def all_statements(leader_id: str) -> list[Statement]:
    """A leader's statements, by their dates."""
    rows = store.query(StatementRow, leader_id, where=StatementRow.sk.startswith(STATEMENT))
    return [row.to_entity() for row in rows]


def statements_of_year(leader_id: str, year: int) -> list[Statement]:
    """Those of a year's business dates, by their dates."""
    first, last = f"{STATEMENT}{run_id(f'{year}-01-01')}", f"{STATEMENT}{run_id(f'{year}-12-31')}"
    rows = store.query(StatementRow, leader_id, where=StatementRow.sk.between(first, last))
    return [row.to_entity() for row in rows]


def statements(leader_id: str, page: PageRequest) -> Page[Statement]:
    first = StatementRow.sk.startswith(STATEMENT)
    older = StatementRow.sk.between(STATEMENT, page.after) if page.after else first
    rows = store.query(
        StatementRow, leader_id, where=older, newest_first=True, limit=page.limit + 2
    )
    rows = [row for row in rows if row.sk != page.after]
    shown = tuple(row.to_entity() for row in rows[: page.limit])
    more = len(rows) > page.limit
    return Page(shown, STATEMENT + shown[-1].run_id if more else None)


def get_run(run_id: str) -> Run | None:
    row = store.get(RunRow, run_id, RUN)
    return row.to_entity() if row else None


def get_running(run_id: str) -> Run | None:
    """The run, if it is under way."""
    run = get_run(run_id)
    return run if run and run.status == "running" else None


def runs(page: PageRequest, *, dry: bool = False) -> Page[Run]:
    listed = store.newest(RunRow.runs, [_listing(dry)], RunRow.pk, page)
    return store.whole(RunRow, RUN, listed)


def replace_run(changed: Run, version: int) -> Put:
    return Put(RunRow.of(changed), RunRow.version == version)


def current_run_id(*, dry: bool = False) -> str | None:
    row = store.get(CurrentRunRow, _listing(dry), CURRENT)
    return row.run_id if row else None


def begin(run: Run, otherwise: Exception) -> Put:
    """Make a run the one under way; `otherwise` where another is."""
    free = absent() | (CurrentRunRow.run_id == run.id)
    return Put(CurrentRunRow(_listing(run.dry_run), CURRENT, run_id=run.id), free, otherwise)


def end(run: Run) -> Delete:
    current = CurrentRunRow.at(_listing(run.dry_run), CURRENT)
    return Delete(current, CurrentRunRow.run_id == run.id)


def get_page(run_id: str, number: int) -> PageRow | None:
    return store.get(PageRow, run_id, _page(number))


def last_page(run_id: str) -> PageRow | None:
    """The last page that is listed so far."""
    found = store.query(
        PageRow, run_id, where=PageRow.sk.startswith(PAGE), newest_first=True, limit=1
    )
    return found[0] if found else None


def first_open_page(run_id: str) -> PageRow | None:
    """The first page that is not closed, or the last where all listed ones are.

    Pages close in their order, so it is found by halving: of 10,000 pages a dozen are read.
    """
    page = last_page(run_id)
    if page is None or page.is_closed:
        return page
    low, high = 0, page.number
    while low < high:
        middle = (low + high) // 2
        found = get_page(run_id, middle)
        if found and found.is_closed:
            low = middle + 1
        else:
            high, page = middle, found or page
    return page


def open_pages(run_id: str, at_most: int) -> list[PageRow]:
    """The first pages that are not closed."""
    first = first_open_page(run_id)
    if first is None or first.is_closed:
        return []
    # "$" sorts behind the "#" of every page.
    where = PageRow.sk.between(_page(first.number), PAGE.replace("#", "$"))
    found = store.query(PageRow, run_id, where=where, limit=at_most)
    return [page for page in found if not page.is_closed]


def add_page(
    run_id: str, number: int, leader_ids: Sequence[str], *, listed: int, is_last: bool
) -> Put:
    row = PageRow(
        run_id,
        _page(number),
        leader_ids=tuple(leader_ids),
        listed=listed,
        is_last=is_last,
        sent_at=clock.now(),
    )
    return create(row)


def close_page(page: PageRow, settled: int, set_aside: int, totals: Sequence[Total]) -> None:
    """Keep what the run comes to up to this page. Whoever comes second writes the same."""
    actions: list[Action] = [
        PageRow.settled.set(settled),
        PageRow.set_aside.set(set_aside),
        PageRow.totals.set(tuple(totals)),
    ]
    retrying(lambda: page.update(actions=actions))


def note_sent_again(page: PageRow, *, times: int) -> None:
    retrying(
        lambda: page.update(
            actions=[PageRow.sent_at.set(clock.now()), PageRow.times_sent.set(times)]
        )
    )


class AlreadySettled(Stale):
    """The run is done with this leader: the message came twice."""


def marker(run_id: str, page_number: int, leader: LeaderOfRun, *, late: bool = False) -> Put:
    """Say that the run is done with a leader, once; `late` where it had set the leader aside."""
    row = MarkerRow(
        _markers(run_id, page_number),
        leader.leader_id,
        currency=leader.currency,
        amount=leader.amount,
        opening_balance=leader.opening_balance,
        total=leader.total,
        set_aside=leader.status == "set_aside",
    )
    if late:
        return Put(row, MarkerRow.set_aside.is_in(True), AlreadySettled)
    return create(row, AlreadySettled)


def get_marker(run_id: str, page_number: int, leader_id: str) -> MarkerRow | None:
    return store.get(MarkerRow, _markers(run_id, page_number), leader_id)


def markers(
    run_id: str, page_number: int, after: str | None = None, limit: int | None = None
) -> list[MarkerRow]:
    where = MarkerRow.sk > after if after else None
    return store.query(MarkerRow, _markers(run_id, page_number), where=where, limit=limit)


def note_failure(run_id: str, page_number: int, leader_id: str, cause: str) -> Update:
    row = TroubleRow
    return Update(
        row.at(leader_id, TROUBLE + run_id),
        [row.page.set(page_number), row.cause.set(cause), row.failures.add(1)],
    )


def get_trouble(run_id: str, leader_id: str) -> TroubleRow | None:
    return store.get(TroubleRow, leader_id, TROUBLE + run_id)


def troubles(run_id: str, leader_ids: Sequence[str]) -> dict[str, TroubleRow]:
    """What a run has met with these leaders, by their ids."""
    found = store.get_many(TroubleRow, [(each, TROUBLE + run_id) for each in leader_ids])
    return {row.pk: row for row in found}


def behind(leader_id: str) -> list[TroubleRow]:
    """The runs that have set a leader aside and not settled since, by their dates."""
    rows = store.query(TroubleRow, leader_id, where=TroubleRow.sk.startswith(TROUBLE))
    return [row for row in rows if row.is_set_aside]


def set_aside(run: Run, page_number: int, leader_id: str, now: datetime) -> list[Write]:
    """Go on without a leader; of a dry run nobody is behind afterwards."""
    pointer = AsideRow(_aside(run.id), leader_id, page=page_number, set_aside_at=now)
    writes: list[Write] = [create(pointer, AlreadySettled)]
    if not run.dry_run:
        row = TroubleRow
        actions = [row.page.set(page_number), row.set_aside_at.set(now)]
        writes.append(Update(row.at(leader_id, TROUBLE + run.id), actions))
        writes.append(change_behind(leader_id, 1))
    return writes


def caught_up(run_id: str, leader_id: str, now: datetime) -> list[Write]:
    """A leader whom a run had set aside is settled."""
    row = TroubleRow
    settled = Update(row.at(leader_id, TROUBLE + run_id), [row.settled_at.set(now)])
    return [settled, Delete(AsideRow.at(_aside(run_id), leader_id))]


def asides(run_id: str, after: str | None = None, limit: int | None = None) -> list[AsideRow]:
    """The leaders whom a run has set aside, by their ids."""
    where = AsideRow.sk > after if after else None
    return store.query(AsideRow, _aside(run_id), where=where, limit=limit)


def _days(row: type[Row], prefix: str, after_day: str, through_day: str) -> Condition:
    # "~" sorts behind every source of the last day.
    return row.sk.between(f"{prefix}{after_day}", f"{prefix}{through_day}~")


def _adjustment(made: Adjustment) -> str:
    return f"{ADJUSTMENT}{clock.to_text(made.made_at)}#{made.id}"


def _listing(dry: bool) -> str:
    return DRY_RUNS if dry else RUNS


def _aside(run_id: str) -> str:
    return f"{run_id}#aside"


def _page(number: int) -> str:
    return f"{PAGE}{number:06d}"


def _customer(customer_id: str) -> str:
    return f"customer#{customer_id}"


def _markers(run_id: str, page_number: int) -> str:
    return f"{run_id}#{page_number:06d}"
