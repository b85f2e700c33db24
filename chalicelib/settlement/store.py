"""What leaders have earned, by leader and day, and their statements: in the settlement table."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition

from chalicelib.platform import store
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.store import Key
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    RecordsAttribute,
    Row,
    table,
)
from chalicelib.platform.transaction import Put, Update, create
from chalicelib.settlement.caps import CappedDay
from chalicelib.settlement.rules import (
    EarnedLine,
    Earnings,
    LineKind,
    OfKind,
    Statement,
    WaitingLines,
    Withheld,
    run_id,
)

EARNINGS, MATURING, EARNED, STATEMENT = "earnings", "maturing#", "earned#", "statement#"
CAPPED, CAP_SUM, KIND_SUM, TAKEN = "capped#", "cap ", "kind ", "taken#"


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
    held = IntegerAttribute(default=0)


class MaturingRow(Row):
    """What a leader's commission of one day comes to, so that a run need not read its lines.

    `matured` waits in the leader's pending balance; `adjusted` has been posted to the available
    one already, such as a clawback. `caps` are sums of what is capped, and `kinds` those of all
    lines by their kinds, each an attribute that bears what it is of.
    """

    Meta = SettlementMeta

    currency = UnicodeAttribute()
    matured = IntegerAttribute(default=0)
    adjusted = IntegerAttribute(default=0)
    caps: Mapping[str, int]
    kinds: Mapping[LineKind, int]

    @classmethod
    def from_raw_data(cls, data: dict[str, Any]) -> Self:
        row = super().from_raw_data(data)
        row.caps, row.kinds = _sums(data, CAP_SUM), _sums(data, KIND_SUM)
        return row

    @property
    def is_told_by_kind(self) -> bool:
        """Whether its kinds are all of it: a day that was begun without them has not all."""
        return sum(self.kinds.values()) == self.matured + self.adjusted


def _sums(data: dict[str, Any], prefix: str) -> dict[Any, int]:
    of = {name: each for name, each in data.items() if name.startswith(prefix)}
    return {name.removeprefix(prefix): int(each["N"]) for name, each in of.items()}


class CappedRow(Row):
    """What runs have taken of delivery days whose lines are capped: of up to ten days of a month,
    so that a run which takes very many has few rows to write."""

    Meta = SettlementMeta

    days = RecordsAttribute(CappedDay)


class EarnedRow(Row):
    """The statement lines that one delivery, or one refund, brings. So many of the first have been
    posted to the leader's available balance already; the others mature."""

    Meta = SettlementMeta

    lines = RecordsAttribute(EarnedLine)
    adjusted = IntegerAttribute(default=0)


class TakenRow(Row):
    """The lines that would undo what others bear of a chargeback for a leader."""

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
    previous_run_id = UnicodeAttribute(default="")
    caps = RecordsAttribute(EarnedLine, default=())
    withheld = RecordsAttribute(Withheld, default=())
    by_kind = RecordsAttribute(OfKind, null=True)

    @classmethod
    def keys(cls, entity: Statement) -> dict[str, Any]:
        return {"pk": entity.leader_id, "sk": STATEMENT + entity.run_id}


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
    held: int = 0,
    when: Condition | None = None,
    raises_version: bool = False,
) -> Update:
    row = EarningsRow
    actions = [row.leader_id.set(leader_id), row.estimated.add(estimated)]
    if held:
        actions.append(row.held.add(held))
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
    caps: Mapping[str, int] | None = None,
    kinds: Mapping[LineKind, int] | None = None,
) -> Update:
    row = MaturingRow
    actions = [row.currency.set(currency), row.matured.add(matured), row.adjusted.add(adjusted)]
    for prefix, sums in ((CAP_SUM, caps), (KIND_SUM, kinds)):
        actions += [
            IntegerAttribute(attr_name=prefix + of).add(amount)
            for of, amount in (sums or {}).items()
        ]
    return Update(row.at(leader_id, MATURING + bucket), actions)


def write_earned(
    leader_id: str,
    bucket: str,
    source: str,
    lines: Sequence[EarnedLine],
    adjusted: Sequence[EarnedLine] = (),
) -> Put:
    """The lines that `source`, a dispatch or a refund, brings to the day; written whole.

    `adjusted` are those that were posted to the available balance already.
    """
    at, told = f"{EARNED}{bucket}#{source}", (*adjusted, *lines)
    return Put(EarnedRow(leader_id, at, lines=told, adjusted=len(adjusted)), when=None)


def maturing_between(leader_id: str, after_day: str, through_day: str) -> list[MaturingRow]:
    """The days in (after_day, through_day] that hold something."""
    if through_day <= after_day:
        return []  # a later run has come before; DynamoDB refuses bounds that are not in order
    rows = store.query(
        MaturingRow, leader_id, where=_days(MaturingRow, MATURING, after_day, through_day)
    )
    return [row for row in rows if row.sk > MATURING + after_day]


def day_of(row: MaturingRow) -> str:
    return str(row.sk.removeprefix(MATURING))


def earned_between(leader_id: str, after_day: str, through_day: str) -> list[EarnedLine]:
    """Statement lines of the days in (after_day, through_day], in order of day and source."""
    by_day = earned_by_day(leader_id, after_day, through_day)
    return [line for lines in by_day.values() for line in lines]


def earned_by_day(leader_id: str, after_day: str, through_day: str) -> dict[str, list[EarnedLine]]:
    """The same, by day."""
    found: dict[str, list[EarnedLine]] = defaultdict(list)
    if through_day <= after_day:
        return found
    rows = store.query(EarnedRow, leader_id, where=_days(EarnedRow, EARNED, after_day, through_day))
    taken_before = f"{EARNED}{after_day}~" if after_day else EARNED
    for row in rows:
        if row.sk > taken_before:
            found[row.sk.split("#")[1]] += row.lines
    return found


def waiting_after(leader_id: str, after_day: str) -> list[WaitingLines]:
    """The lines of all days behind one, by day and source."""
    behind = f"{EARNED}{after_day}~" if after_day else EARNED
    rows = store.query(EarnedRow, leader_id, where=EarnedRow.sk.between(behind, f"{EARNED}~"))
    return [
        WaitingLines(row.sk.split("#")[1], row.lines[: row.adjusted], row.lines[row.adjusted :])
        for row in rows
    ]


def capped_days(leader_id: str, days: Iterable[str]) -> list[CappedDay]:
    """What runs have taken of these delivery days, and of those they share a row with, under each
    cap."""
    keys = dict.fromkeys((leader_id, _capped(day)) for day in days)
    return [each for row in store.get_many(CappedRow, keys) for each in row.days]


def keep_capped(leader_id: str, days: Iterable[CappedDay]) -> list[Put]:
    """Goes with `take`, whose condition holds for what was read here too."""
    by_row: dict[str, list[CappedDay]] = defaultdict(list)
    for each in days:
        by_row[_capped(each.delivered_on)].append(each)
    return [Put(CappedRow(leader_id, sk, days=tuple(of)), when=None) for sk, of in by_row.items()]


def keep_taken(leader_id: str, source_id: str, lines: Sequence[EarnedLine]) -> Put:
    return create(TakenRow(leader_id, TAKEN + source_id, lines=tuple(lines)))


def taken(leader_ids: Sequence[str], source_id: str) -> dict[str, Sequence[EarnedLine]]:
    """The lines by leader that would undo what others bear of the refund `source_id`."""
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


def statement_key(leader_id: str, run_id: str) -> Key:
    return Key(StatementRow, leader_id, STATEMENT + run_id)


def get_statement(leader_id: str, run_id: str) -> Statement | None:
    row = store.get(StatementRow, leader_id, STATEMENT + run_id)
    return row.to_entity() if row else None


def get_statements(run_id: str, leader_ids: Iterable[str]) -> dict[str, Statement]:
    """Those that a run has made for these leaders, by their ids."""
    keys = [(each, STATEMENT + run_id) for each in leader_ids]
    return {row.pk: row.to_entity() for row in store.get_many(StatementRow, keys)}


def statements_from(leader_id: str, day: str) -> list[Statement]:
    """Those of business dates from one on, by their dates."""
    first = StatementRow.sk.between(STATEMENT + run_id(day), STATEMENT + "~")
    rows = store.query(StatementRow, leader_id, where=first)
    return [row.to_entity() for row in rows]


def statements_of_year(leader_id: str, year: int) -> list[Statement]:
    """Those of a year's business dates, by their dates."""
    first, last = f"{STATEMENT}{run_id(f'{year}-01-01')}", f"{STATEMENT}{run_id(f'{year}-12-31')}"
    rows = store.query(StatementRow, leader_id, where=StatementRow.sk.between(first, last))
    return [row.to_entity() for row in rows]


def keep_by_kind(made: Statement, by_kind: Sequence[OfKind]) -> Update:
    """What the statement's lines come to, which no run has kept with it."""
    row = StatementRow
    at = row.at(made.leader_id, STATEMENT + made.run_id)
    return Update(at, [row.by_kind.set(tuple(by_kind))], row.pk.exists())


def statements(leader_id: str, page: PageRequest) -> Page[Statement]:
    return store.newest_within(StatementRow, leader_id, STATEMENT, page).map(StatementRow.to_entity)


def _days(row: type[Row], prefix: str, after_day: str, through_day: str) -> Condition:
    # "~" sorts behind every source of the last day.
    return row.sk.between(f"{prefix}{after_day}", f"{prefix}{through_day}~")


def _capped(delivered_on: str) -> str:
    """`2026-03-1` for the 10th to the 19th of March."""
    return CAPPED + delivered_on[:-1]
