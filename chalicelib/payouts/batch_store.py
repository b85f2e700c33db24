"""Batches of payouts: their pages, what they have come to, and who was left out. They lie in the
payouts table."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, cast

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

from chalicelib.kernel import clock
from chalicelib.payouts.rules import Batch, LeftOut, Outcome, Payer, Payout, Tally, WhyLeftOut
from chalicelib.payouts.store import PAYOUT, PayoutsMeta, get_payouts
from chalicelib.platform import store
from chalicelib.platform.indexes import Due, KeysListing
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.retries import retrying
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    RecordAttribute,
    Row,
    TextsAttribute,
)
from chalicelib.platform.transaction import Check, Put, Update, create

BATCH, BATCHES, PAGE, TALLY, LEFT_OUT = "batch", "batches", "page#", "tally#", "left#"
# Payouts of one batch are counted side by side.
TALLY_SHARDS = 8


class BatchRow(EntityRow[Batch]):
    Meta = PayoutsMeta
    entity = Batch

    listing = UnicodeAttribute()
    batches = KeysListing()
    due = UnicodeAttribute(null=True)
    due_at = InstantAttribute(null=True)
    going_on = Due()
    id = UnicodeAttribute()
    currency = UnicodeAttribute()
    kind = UnicodeAttribute()
    method = UnicodeAttribute()
    minimum = IntegerAttribute()
    status = UnicodeAttribute()
    made_by = UnicodeAttribute()
    made_at = InstantAttribute()
    asked_at = InstantAttribute()
    version = IntegerAttribute()
    payer = RecordAttribute(Payer, null=True)
    pages = IntegerAttribute()
    payouts = IntegerAttribute()
    amount = IntegerAttribute()
    netted = IntegerAttribute()
    left_out = IntegerAttribute()
    approved_by = UnicodeAttribute(null=True)
    sent_by = UnicodeAttribute(null=True)
    cancelled_by = UnicodeAttribute(null=True)
    approved_at = InstantAttribute(null=True)
    sent_at = InstantAttribute(null=True)
    ended_at = InstantAttribute(null=True)

    @classmethod
    def keys(cls, entity: Batch) -> dict[str, Any]:
        keys: dict[str, Any] = {"pk": entity.id, "sk": BATCH, "listing": BATCHES}
        if entity.goes_on_by_itself:
            keys |= {"due": BATCHES, "due_at": entity.asked_at}
        return keys


class PageRow(Row):
    """A page of a batch: the parties that are looked at, how far, and when it was sent how often.

    `stage` is what was last done with it as a whole.
    """

    Meta = PayoutsMeta

    party_ids = TextsAttribute()
    is_last = BooleanAttribute()
    stage = UnicodeAttribute(default="listed")
    sent_at = InstantAttribute()
    times_sent = IntegerAttribute(default=1)

    @property
    def batch_id(self) -> str:
        return str(self.pk)

    @property
    def number(self) -> int:
        return int(self.sk.removeprefix(PAGE))

    @property
    def is_open(self) -> bool:
        """Whether payouts may still be added to it."""
        return self.stage == "listed"


class TallyRow(EntityRow[Tally]):
    """What some pages of a batch have come to."""

    Meta = PayoutsMeta
    entity = Tally

    pages = IntegerAttribute(default=0)
    pages_prepared = IntegerAttribute(default=0)
    payouts = IntegerAttribute(default=0)
    amount = IntegerAttribute(default=0)
    netted = IntegerAttribute(default=0)
    left_out = IntegerAttribute(default=0)
    paid = IntegerAttribute(default=0)
    paid_amount = IntegerAttribute(default=0)
    returned = IntegerAttribute(default=0)
    returned_amount = IntegerAttribute(default=0)
    failed = IntegerAttribute(default=0)
    failed_amount = IntegerAttribute(default=0)
    unknown = IntegerAttribute(default=0)
    unknown_amount = IntegerAttribute(default=0)
    offset = IntegerAttribute(default=0)
    cancelled = IntegerAttribute(default=0)
    cancelled_amount = IntegerAttribute(default=0)


class LeftOutRow(Row):
    """A party that was looked at last without being taken in."""

    Meta = PayoutsMeta

    party = UnicodeAttribute()
    amount = IntegerAttribute()
    reason = UnicodeAttribute()

    def to_entity(self) -> LeftOut:
        return LeftOut(self.party, self.amount, cast(WhyLeftOut, self.reason))


class AnyRow(Row):
    """A payout or a batch, as a look at the whole table finds it."""

    Meta = PayoutsMeta


def get_batch(batch_id: str) -> Batch | None:
    row = store.get(BatchRow, batch_id, BATCH)
    return row.to_entity() if row else None


def get_batches(batch_ids: Iterable[str]) -> dict[str, Batch]:
    rows = store.get_many(BatchRow, [(each, BATCH) for each in batch_ids])
    return {row.pk: row.to_entity() for row in rows}


def batches(page: PageRequest) -> Page[Batch]:
    found = store.newest(BatchRow.batches, [BATCHES], BatchRow.pk, page)
    return store.whole(BatchRow, BATCH, found)


def batches_going_on() -> list[str]:
    rows = store.oldest(BatchRow.going_on, [BATCHES], None, BatchRow.due_at)
    return [row.pk for row in rows]


def add_batch(batch: Batch) -> Put:
    return create(BatchRow.of(batch))


def replace_batch(changed: Batch) -> Put:
    """The write of the next version; Stale where another came first."""
    return Put(BatchRow.of(changed), BatchRow.version == changed.version - 1)


def get_page(batch_id: str, number: int) -> PageRow | None:
    return store.get(PageRow, batch_id, _page(number))


def pages(batch_id: str) -> list[PageRow]:
    return store.query(PageRow, batch_id, where=PageRow.sk.startswith(PAGE))


def add_page(batch_id: str, number: int, party_ids: Sequence[str], *, is_last: bool) -> Put:
    row = PageRow(
        batch_id, _page(number), party_ids=tuple(party_ids), is_last=is_last, sent_at=clock.now()
    )
    return create(row)


def still_open(page: PageRow) -> Check:
    """Holds while payouts may be added to the page."""
    return Check(PageRow.at(page.pk, page.sk), PageRow.stage == "listed")


def close_page(page: PageRow) -> Update:
    """No payout is added from now on; Stale where it was closed before."""
    row = PageRow
    return Update(row.at(page.pk, page.sk), [row.stage.set("prepared")], row.stage == "listed")


def pass_page(page: PageRow, stage: str) -> None:
    """Say that the page has been gone through. Whoever comes second writes the same."""
    retrying(lambda: page.update(actions=[PageRow.stage.set(stage)]))


def note_sent_again(page: PageRow) -> None:
    times = page.times_sent + 1
    retrying(
        lambda: page.update(
            actions=[PageRow.sent_at.set(clock.now()), PageRow.times_sent.set(times)]
        )
    )


def tally(batch_id: str) -> Tally:
    """What the batch has come to by now, over all its pages."""
    rows = store.query(TallyRow, batch_id, where=TallyRow.sk.startswith(TALLY))
    of_shards = [row.to_entity() for row in rows]
    return Tally(**{f.name: sum(getattr(t, f.name) for t in of_shards) for f in fields(Tally)})


def count(batch_id: str, page: int, **more: int) -> Update:
    """Add to what a batch has come to, beside a write that can happen once."""
    row = TallyRow
    actions = [getattr(row, name).add(number) for name, number in more.items() if number]
    return Update(row.at(batch_id, f"{TALLY}{page % TALLY_SHARDS}"), actions)


def note_left_out(batch_id: str, of: LeftOut) -> None:
    """Whoever comes second writes what is true by then."""
    row = LeftOutRow(batch_id, LEFT_OUT + of.party, **vars(of))
    retrying(row.save)


def left_out(batch_id: str, page: PageRequest) -> Page[LeftOut]:
    """By party. One that was taken in after all may be among them."""
    row = LeftOutRow
    behind = row.sk.between(page.after, f"{LEFT_OUT}~") if page.after else None
    within = behind if page.after else row.sk.startswith(LEFT_OUT)
    rows = store.query(row, batch_id, where=within, limit=page.limit + 2)
    rows = [each for each in rows if each.sk != page.after]
    shown = rows[: page.limit]
    after = shown[-1].sk if len(rows) > page.limit else None
    return Page(tuple(each.to_entity() for each in shown), after)


def scanned(after: Any, size: int) -> tuple[list[Payout], list[Batch], Any]:
    """Payouts and batches among the next `size` items of the table, and where to go on."""
    rows, behind = store.scan_page(AnyRow, (PAYOUT, BATCH), size, after)
    of = {kind: [row.pk for row in rows if row.sk == kind] for kind in (PAYOUT, BATCH)}
    return get_payouts(of[PAYOUT]), list(get_batches(of[BATCH]).values()), behind


def counted(outcome: Outcome, payout: Payout, sign: int = 1) -> dict[str, int]:
    """How a payout with that outcome counts in its batch's tally."""
    return {outcome: sign, f"{outcome}_amount": sign * payout.amount}


def _page(number: int) -> str:
    return f"{PAGE}{number:06d}"
