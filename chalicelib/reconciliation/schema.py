"""Requests and answers about reconciliations."""

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from chalicelib.platform.schema import (
    ONE_LINE,
    BusinessDate,
    CashAccount,
    Identifier,
    Instant,
    LongText,
    PageQuery,
    PositiveAmount,
    Reference,
    RequestModel,
    View,
)
from chalicelib.reconciliation.lines import Format, LineKind
from chalicelib.reconciliation.open_items import Goes
from chalicelib.reconciliation.rules import DifferenceKind, Resolution, Resolved, Status
from chalicelib.reconciliation.showing import LineStatus

EntryId = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=ONE_LINE)]


class TakeStatement(RequestModel):
    account: CashAccount = Field(description="The ledger account that the statement is of.")
    format: Format = Field(
        default="camt.053",
        description="`camt.053` of ISO 20022, `csv`, or Stripe's list of balance transactions.",
    )
    first: BusinessDate | None = Field(
        default=None,
        description="The first day of a file that does not say its own: else that of its lines.",
    )
    last: BusinessDate | None = Field(default=None, description="The last day, likewise.")


class DecidedView(View):
    line: int
    entry_id: str
    by: str = Field(description="The operator who has said so.")


class ChangeView(View):
    currency: str
    amount: int = Field(description="What the statement has more than the books.")


class KindCountView(View):
    kind: DifferenceKind
    differences: int
    currency: str | None = Field(description="Null where they move nothing.")
    amount: int = Field(description="What they come to, `incoming` and `outgoing` together.")
    incoming: int = Field(description="Where the statement has more than the books.")
    outgoing: int = Field(description="Where it has less: zero, or below it.")


class ReconciliationView(View):
    id: str
    account: str
    format: Format
    statement_id: str = Field(description="The bank's own; empty where it gives none.")
    first: str = Field(description="The first day of the statement.")
    last: str = Field(description="The last day of the statement.")
    lines: int = Field(description="How many the statement has.")
    status: Status
    progress: int = Field(description="In percent.")
    matched: int = Field(description="Lines that have their entry in the books.")
    differences: int = Field(description="How many it has told of.")
    unresolved: int = Field(description="Differences that nobody has resolved yet.")
    in_transit: int = Field(
        description="Entries so near the statement's end that the next one will have them."
    )
    repeated: int = Field(description="Lines that another statement had before.")
    kinds: list[KindCountView]
    made_by: str
    made_at: Instant
    done_at: Instant | None


class UndoneView(View):
    resolution: str
    note: str
    resolved_by: str
    resolved_at: str
    posted: list[str] = Field(description="Entries that it had posted.")
    undone_by: str
    undone_at: str
    why: str


class DifferenceView(View):
    n: int
    kind: DifferenceKind
    detail: str = Field(description="What differs, in words.")
    lines: list[int] = Field(
        description="Lines of the statement, counted from 1.",
    )
    entries: list[str] = Field(description="Entries of the journal.")
    changes: list[ChangeView] = Field(
        description="What the statement has more than the books; below zero, less."
    )
    payout_id: str | None = Field(description="The payout that the line is of.")
    case_id: str
    owner: str
    resolution: Resolved | None = Field(description="`found` where nobody had to say so.")
    note: str | None
    resolved_by: str | None
    resolved_at: Instant | None
    posted: list[str] = Field(
        description="Entries that its resolution has posted, and those that have taken them back."
    )
    decided: list[DecidedView] = Field(
        description="Which line is of which entry, as was said by `match`."
    )
    found_in: str | None = Field(
        description="The reconciliation that has the line of what was missing."
    )
    undone: list[UndoneView] = Field(
        description="Resolutions that were wrong and stand no more, the oldest first."
    )


class LineView(View):
    n: int = Field(description="Counted from 1.")
    date: str
    amount: int = Field(description="What came in is positive.")
    currency: str
    kind: LineKind
    reference: str
    text: str
    counterparty: str = Field(description="Who has paid it, or was paid.")
    bank_ref: str
    status: LineStatus
    by: str | None = Field(
        description="The entry that it is matched with (`decided` where a person has said which), "
        "the kind of its difference, or the reconciliation that had it before."
    )


class DifferenceShownView(DifferenceView):
    statement_lines: list[LineView]


class InTransitView(View):
    entry_id: str
    date: str
    currency: str
    amount: int
    found_in: str | None = Field(description="The reconciliation that has its line by now.")


class BalanceView(View):
    currency: str
    opening: int | None = Field(description="Of the statement; null where it says none.")
    closing: int | None = Field(description="Likewise.")
    books: int = Field(description="The account's balance in the books.")
    in_transit: int = Field(
        description="What the books have and the statement will have later: below zero where money "
        "is to come in."
    )
    dated_later: int = Field(
        description="Lines whose entries were posted after the statement's last day."
    )
    unresolved: int = Field(
        description="`changes` of differences that nobody has resolved, of this statement and of "
        "up to 40 before it."
    )
    resolved_since: int = Field(
        description="Of differences that are resolved, what was posted after the last day or, "
        "accepted, is not posted at all."
    )
    expected: int = Field(description="The books, and all of these: what it should close with.")
    unexplained: int | None = Field(
        description="What it closes with beyond that; null where it says no closing balance."
    )


class BalancesView(View):
    account: str
    as_of: Instant = Field(description="The end of the last day, or now where it is not over.")
    balances: list[BalanceView]


class Resolve(RequestModel):
    resolution: Resolution
    note: LongText
    account: CashAccount | None = Field(
        default=None, description="With `post_to_other_account`: where the money is."
    )
    new_account: bool = Field(
        default=False,
        description="That `account` is meant, though the books have never had anything in it.",
    )
    entry_id: EntryId | None = Field(
        default=None,
        description="With `match`: the entry that the line is of; one of `entries`, where any are.",
    )
    payout_id: Identifier | None = Field(
        default=None, description="In place of `entry_id`: the payout whose entry it is."
    )
    line: int | None = Field(
        default=None, ge=1, description="With `match`: which line, where there are several."
    )


class Undo(RequestModel):
    note: LongText = Field(description="Why the resolution was wrong.")


class ClearItem(RequestModel):
    """What of an item belongs where; the field that says whose it is goes with `goes`."""

    goes: Goes
    reference: Reference = Field(
        description="What tells one clearing of the item from the next: of what goes by bank that "
        "of the transfer, by which its statement names it."
    )
    amount: PositiveAmount | None = Field(
        default=None, description="All that is left, where none is said."
    )
    account: CashAccount | None = Field(
        default=None,
        description="With `payer`: the cash account that it leaves or comes back to, `cash:bank` "
        "unless said, or the one that it came in by.",
    )
    leader_id: Identifier | None = Field(
        default=None, description="With `remittance`: who has handed it over."
    )
    supplier_id: Identifier | None = Field(
        default=None, description="With `deposit`: whose security it is."
    )
    entry_id: EntryId | None = Field(
        default=None, description="With `item`: the item of the other side that makes it up."
    )

    @property
    def about(self) -> str:
        if self.goes == "payer":
            return self.account or "cash:bank"
        return self.leader_id or self.supplier_id or self.entry_id or ""

    @model_validator(mode="after")
    def _says_whose_it_is(self) -> "ClearItem":
        fields = {"remittance": "leader_id", "deposit": "supplier_id", "item": "entry_id"}
        needed = fields.get(self.goes)
        if needed and getattr(self, needed) is None:
            raise ValueError(f"must have {needed} with {self.goes}")
        of = {"payer": "account", **fields}
        for goes, name in of.items():
            if goes != self.goes and getattr(self, name) is not None:
                raise ValueError(f"has {name} with {goes} alone")
        return self


class ClearingView(View):
    id: str
    entry_id: str = Field(description="The item's.")
    amount: int
    goes: Goes
    about: str = Field(description="The account, leader, supplier or other item; or nothing.")
    reference: str
    posted: str = Field(description="The entry that moved it; empty where none had to.")
    cleared_at: Instant
    cleared_by: str = Field(description="`found` where its line has turned up after all.")


class OpenItemsQuery(PageQuery):
    open: bool | None = Field(
        default=None,
        description="Only those of which something is left; with `false` the others.",
    )


class ListedItemView(View):
    entry_id: str
    account: str
    currency: str
    amount: int = Field(description="As the books have it: what is somebody's lies below zero.")
    left: int = Field(description="What of it is not cleared, likewise.")
    posted_at: Instant = Field(description="Since when it waits.")


class OpenItemView(ListedItemView):
    clearings: list[ClearingView] = Field(description="The first one first.")


class Assign(RequestModel):
    owner: Identifier = Field(description="The operator who looks into it.")
