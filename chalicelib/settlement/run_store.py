"""Runs with their pages, their markers, and leaders they go on without: in the settlement table."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from chalicelib.kernel import clock
from chalicelib.kernel.errors import Stale
from chalicelib.platform import store
from chalicelib.platform.indexes import KeysListing
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.retries import retrying
from chalicelib.platform.store import Key
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    RecordsAttribute,
    Row,
    TextsAttribute,
    absent,
)
from chalicelib.platform.transaction import Delete, Put, Update, Write, create
from chalicelib.settlement.rules import LeaderOfRun, Run, Total
from chalicelib.settlement.store import SettlementMeta, change_behind

RUN, RUNS, DRY_RUNS, PAGE, CURRENT = "run", "runs", "dry_runs", "page#", "current"
TROUBLE = "trouble#"


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


def run_key(run_id: str) -> Key:
    return Key(RunRow, run_id, RUN)


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


def _listing(dry: bool) -> str:
    return DRY_RUNS if dry else RUNS


def _aside(run_id: str) -> str:
    return f"{run_id}#aside"


def _page(number: int) -> str:
    return f"{PAGE}{number:06d}"


def _markers(run_id: str, page_number: int) -> str:
    return f"{run_id}#{page_number:06d}"
