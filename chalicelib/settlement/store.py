"""The settlement table: earnings by leader and day, statements, runs with pages and markers."""

from collections.abc import Sequence
from typing import Any

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

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
    RecordsAttribute,
    Row,
    TextsAttribute,
    absent,
    table,
)
from chalicelib.platform.transaction import Delete, Put, Update, create
from chalicelib.settlement.rules import EarnedLine, Earnings, Run, Statement, Total

EARNINGS, MATURING, EARNED, STATEMENT = "earnings", "maturing#", "earned#", "statement#"
RUN, RUNS, PAGE, CURRENT = "run", "runs", "page#", "current"


SettlementMeta = table("SETTLEMENT_TABLE")


class EarningsRow(EntityRow[Earnings]):
    Meta = SettlementMeta
    entity = Earnings

    leader_id = UnicodeAttribute()
    estimated = IntegerAttribute(default=0)
    settled_through = UnicodeAttribute(default="")
    closing_balance = IntegerAttribute(default=0)
    version = IntegerAttribute(default=0)


class MaturingRow(Row):
    """What a leader's commission of one day comes to, so that a run need not read its lines.

    `matured` waits in the leader's pending balance; `adjusted` has been posted to the available
    one already, such as a clawback.
    """

    Meta = SettlementMeta

    currency = UnicodeAttribute()
    matured = IntegerAttribute(default=0)
    adjusted = IntegerAttribute(default=0)


class EarnedRow(Row):
    """The statement lines that one delivery, or one refund, brings."""

    Meta = SettlementMeta

    lines = RecordsAttribute(EarnedLine)


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

    @classmethod
    def keys(cls, entity: Run) -> dict[str, Any]:
        return {"pk": entity.id, "sk": RUN, "listing": RUNS}


class CurrentRunRow(Row):
    """The one run that may be under way."""

    Meta = SettlementMeta

    run_id = UnicodeAttribute()


class PageRow(Row):
    """A page of a run's listing: which leaders, and when their messages were sent, how often.

    `settled` and `totals` come once all its leaders and all pages before it are settled, and
    count everything up to and including this page.
    """

    Meta = SettlementMeta

    leader_ids = TextsAttribute()
    is_last = BooleanAttribute()
    sent_at = InstantAttribute()
    times_sent = IntegerAttribute(default=1)
    settled = IntegerAttribute(null=True)
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
    """Says that a run is done with one leader."""

    Meta = SettlementMeta

    currency = UnicodeAttribute(null=True)
    amount = IntegerAttribute(default=0)


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
    leader_id: str, bucket: str, currency: str, *, matured: int = 0, adjusted: int = 0
) -> Update:
    row = MaturingRow
    return Update(
        row.at(leader_id, MATURING + bucket),
        [row.currency.set(currency), row.matured.add(matured), row.adjusted.add(adjusted)],
    )


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


def take(earnings: Earnings, through_day: str, closing_balance: int) -> Update:
    """Close all days of a leader up to one; Stale where any of them has changed since."""
    row = EarningsRow
    return Update(
        row.at(earnings.leader_id, EARNINGS),
        [
            row.leader_id.set(earnings.leader_id),
            row.settled_through.set(through_day),
            row.closing_balance.set(closing_balance),
            row.version.add(1),
        ],
        unchanged(earnings),
    )


def get_statement(leader_id: str, run_id: str) -> Statement | None:
    row = store.get(StatementRow, leader_id, STATEMENT + run_id)
    return row.to_entity() if row else None


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


def runs(page: PageRequest) -> Page[Run]:
    return store.whole(RunRow, RUN, store.newest(RunRow.runs, [RUNS], RunRow.pk, page))


def replace_run(changed: Run, version: int) -> Put:
    return Put(RunRow.of(changed), RunRow.version == version)


def current_run_id() -> str | None:
    row = store.get(CurrentRunRow, RUNS, CURRENT)
    return row.run_id if row else None


def begin(run_id: str, otherwise: Exception) -> Put:
    """Make a run the one under way; `otherwise` where another is."""
    free = absent() | (CurrentRunRow.run_id == run_id)
    return Put(CurrentRunRow(RUNS, CURRENT, run_id=run_id), free, otherwise)


def end(run_id: str) -> Delete:
    return Delete(CurrentRunRow.at(RUNS, CURRENT), CurrentRunRow.run_id == run_id)


def get_page(run_id: str, number: int) -> PageRow | None:
    return store.get(PageRow, run_id, _page(number))


def pages(run_id: str) -> list[PageRow]:
    return store.query(PageRow, run_id, where=PageRow.sk.startswith(PAGE))


def add_page(run_id: str, number: int, leader_ids: Sequence[str], *, is_last: bool) -> Put:
    row = PageRow(
        run_id, _page(number), leader_ids=tuple(leader_ids), is_last=is_last, sent_at=clock.now()
    )
    return create(row)


def close_page(page: PageRow, settled: int, totals: Sequence[Total]) -> None:
    """Keep what the run comes to up to this page. Whoever comes second writes the same."""
    retrying(
        lambda: page.update(
            actions=[PageRow.settled.set(settled), PageRow.totals.set(tuple(totals))]
        )
    )


def note_sent_again(page: PageRow, *, times: int) -> None:
    retrying(
        lambda: page.update(
            actions=[PageRow.sent_at.set(clock.now()), PageRow.times_sent.set(times)]
        )
    )


def marker(run_id: str, page_number: int, leader_id: str, currency: str | None, amount: int) -> Put:
    row = MarkerRow(_markers(run_id, page_number), leader_id, currency=currency, amount=amount)
    return create(row, AlreadySettled)


class AlreadySettled(Stale):
    """The run is done with this leader: the message came twice."""


def is_marked(run_id: str, page_number: int, leader_id: str) -> bool:
    return store.get(MarkerRow, _markers(run_id, page_number), leader_id) is not None


def markers(run_id: str, page_number: int) -> list[MarkerRow]:
    return store.query(MarkerRow, _markers(run_id, page_number))


def _days(row: type[Row], prefix: str, after_day: str, through_day: str) -> Condition:
    # "~" sorts behind every source of the last day.
    return row.sk.between(f"{prefix}{after_day}", f"{prefix}{through_day}~")


def _page(number: int) -> str:
    return f"{PAGE}{number:06d}"


def _markers(run_id: str, page_number: int) -> str:
    return f"{run_id}#{page_number:06d}"
