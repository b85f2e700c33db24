"""The payouts table: batches with their pages and tallies, payouts, and where money is sent."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, cast

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.kernel import clock, ids
from chalicelib.payouts.rules import (
    Batch,
    LeftOut,
    Outcome,
    Party,
    Payer,
    Payout,
    Result,
    SealedAccount,
    Tally,
    WhyLeftOut,
)
from chalicelib.platform import store
from chalicelib.platform.indexes import Due, KeysListing
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.retries import retrying
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    RecordAttribute,
    RecordsAttribute,
    Row,
    TextsAttribute,
    absent,
    table,
)
from chalicelib.platform.transaction import Check, Delete, Put, Update, create

LEFT_OUT = "left#"
BATCH, BATCHES, PAGE, TALLY = "batch", "batches", "page#", "tally#"
PAYOUT, OPEN, ACCOUNT = "payout", "open", "account"
# Payouts of one batch are counted side by side.
TALLY_SHARDS = 8
DUE_SHARDS = 4


PayoutsMeta = table("PAYOUTS_TABLE")


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


class ByBatch(GlobalSecondaryIndex[Any]):
    """The payouts of a batch, by id."""

    class Meta:
        index_name = "by_batch"
        projection = KeysOnlyProjection()

    batch_id = UnicodeAttribute(hash_key=True)
    pk = UnicodeAttribute(range_key=True)


class ByParty(GlobalSecondaryIndex[Any]):
    """What a party was sent, by age."""

    class Meta:
        index_name = "by_party"
        projection = KeysOnlyProjection()

    party = UnicodeAttribute(hash_key=True)
    age = UnicodeAttribute(range_key=True)


class PayoutRow(EntityRow[Payout]):
    Meta = PayoutsMeta
    entity = Payout

    in_batch = ByBatch()
    age = UnicodeAttribute()
    of_party = ByParty()
    due = UnicodeAttribute(null=True)
    due_at = InstantAttribute(null=True)
    unknown = Due()
    id = UnicodeAttribute()
    batch_id = UnicodeAttribute()
    page = IntegerAttribute()
    party = UnicodeAttribute()
    currency = UnicodeAttribute()
    method = UnicodeAttribute()
    amount = IntegerAttribute()
    netted = IntegerAttribute()
    made_at = InstantAttribute()
    version = IntegerAttribute()
    account_kind = UnicodeAttribute(null=True)
    sealed = UnicodeAttribute(null=True)
    last_four = UnicodeAttribute(null=True)
    outcome = UnicodeAttribute(null=True)
    reference = UnicodeAttribute(null=True)
    told_at = InstantAttribute(null=True)
    asked_at = InstantAttribute(null=True)
    results = RecordsAttribute(Result, default=())

    @classmethod
    def keys(cls, entity: Payout) -> dict[str, Any]:
        age = f"{clock.to_text(entity.made_at)}#{entity.id}"
        return {"pk": entity.id, "sk": PAYOUT, "age": age}


class AnyRow(Row):
    """A payout or a batch, as a look at the whole table finds it."""

    Meta = PayoutsMeta


class OpenRow(Row):
    """The one payout of a party that has no result yet."""

    Meta = PayoutsMeta

    payout_id = UnicodeAttribute()


class AccountRow(EntityRow[SealedAccount]):
    """A party's account as it is now, and beside it each version that there was."""

    Meta = PayoutsMeta
    entity = SealedAccount

    party = UnicodeAttribute()
    kind = UnicodeAttribute()
    sealed = UnicodeAttribute()
    last_four = UnicodeAttribute()
    version = IntegerAttribute()
    changed_at = InstantAttribute()
    changed_by = UnicodeAttribute()

    @classmethod
    def keys(cls, entity: SealedAccount) -> dict[str, Any]:
        return {"pk": entity.party, "sk": ACCOUNT}

    @classmethod
    def kept(cls, account: SealedAccount) -> "AccountRow":
        """The row of just this version."""
        row = cls.of(account)
        row.sk = f"{ACCOUNT}#{account.version:08d}"
        return row


def get_account(party: Party) -> SealedAccount | None:
    row = store.get(AccountRow, party.key, ACCOUNT)
    return row.to_entity() if row else None


def set_account(account: SealedAccount) -> tuple[Put, Put]:
    """Set the next version; Stale where another came first."""
    first = account.version == 1
    before = absent() if first else AccountRow.version == account.version - 1
    return Put(AccountRow.of(account), before), create(AccountRow.kept(account))


def account_changes(party: Party, page: PageRequest) -> Page[SealedAccount]:
    """Every account that the party has had, the last one first."""
    row, kept = AccountRow, f"{ACCOUNT}#"
    older = row.sk.between(kept, page.after) if page.after else row.sk.startswith(kept)
    rows = store.query(row, party.key, where=older, newest_first=True, limit=page.limit + 2)
    rows = [each for each in rows if each.sk != page.after]
    shown = rows[: page.limit]
    more = len(rows) > page.limit
    return Page(tuple(each.to_entity() for each in shown), shown[-1].sk if more else None)


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


def get_payout(payout_id: str) -> Payout | None:
    row = store.get(PayoutRow, payout_id, PAYOUT)
    return row.to_entity() if row else None


def get_payouts(payout_ids: Iterable[str]) -> list[Payout]:
    """Those that there are, in the order of their ids."""
    rows = store.get_many(PayoutRow, [(each, PAYOUT) for each in payout_ids])
    return [row.to_entity() for row in rows]


def add_payout(payout: Payout) -> tuple[Put, ...]:
    """The write of a payout, and its party's only open one; Stale where it has one."""
    if payout.is_over:
        return (create(PayoutRow.of(payout)),)
    opened = OpenRow(payout.party, OPEN, payout_id=payout.id)
    return create(PayoutRow.of(payout)), create(opened)


def replace_payout(changed: Payout, look_at: datetime | None = None) -> Put:
    """The write of the next version, to be looked at again at an instant; Stale where another
    came first."""
    row = PayoutRow.of(changed)
    if look_at:
        row.due, row.due_at = _due(ids.shard(changed.id, DUE_SHARDS)), look_at
    return Put(row, PayoutRow.version == changed.version - 1)


def unchanged(payout: Payout) -> Check:
    """Holds while the payout is as it was read."""
    return Check(PayoutRow.at(payout.id, PAYOUT), PayoutRow.version == payout.version)


def end(payout: Payout) -> Delete:
    """Its party may be paid in another batch."""
    return Delete(OpenRow.at(payout.party, OPEN), OpenRow.payout_id == payout.id)


def has_open(party: Party) -> bool:
    return store.get(OpenRow, party.key, OPEN) is not None


def open_ids(parties: Iterable[str]) -> dict[str, str]:
    """The open payouts of those of these parties that have one."""
    rows = store.get_many(OpenRow, [(each, OPEN) for each in parties])
    return {row.pk: row.payout_id for row in rows}


def scanned(after: Any, size: int) -> tuple[list[Payout], list[Batch], Any]:
    """Payouts and batches among the next `size` items of the table, and where to go on."""
    rows, behind = store.scan_page(AnyRow, (PAYOUT, BATCH), size, after)
    of = {kind: [row.pk for row in rows if row.sk == kind] for kind in (PAYOUT, BATCH)}
    return get_payouts(of[PAYOUT]), list(get_batches(of[BATCH]).values()), behind


def payouts_in(batch_id: str, page: PageRequest) -> Page[Payout]:
    found = store.newest(PayoutRow.in_batch, [batch_id], PayoutRow.pk, page)
    return store.whole(PayoutRow, PAYOUT, found)


def payouts_to(party: Party, page: PageRequest) -> Page[Payout]:
    found = store.newest(PayoutRow.of_party, [party.key], PayoutRow.age, page)
    return store.whole(PayoutRow, PAYOUT, found)


def to_look_at(now: datetime, limit: int) -> list[Payout]:
    """Payouts in doubt whose next look has come."""
    shards = [_due(n) for n in range(DUE_SHARDS)]
    found = store.oldest(
        PayoutRow.unknown, shards, PayoutRow.due_at <= now, PayoutRow.due_at, limit
    )
    return get_payouts(row.pk for row in found)


def look_again(payout_id: str, at: datetime) -> Update:
    row = PayoutRow
    return Update(row.at(payout_id, PAYOUT), [row.due_at.set(at)], row.due.exists())


def stop_looking(payout_id: str) -> Update:
    """Leave it to a person; Stale where that was done before."""
    row = PayoutRow
    actions = [row.due.remove(), row.due_at.remove()]
    return Update(row.at(payout_id, PAYOUT), actions, row.due.exists())


def counted(outcome: Outcome, payout: Payout, sign: int = 1) -> dict[str, int]:
    """How a payout with that outcome counts in its batch's tally."""
    return {outcome: sign, f"{outcome}_amount": sign * payout.amount}


def _page(number: int) -> str:
    return f"{PAGE}{number:06d}"


def _due(n: int) -> str:
    return f"payout#{n}"
