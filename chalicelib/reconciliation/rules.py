"""What of a statement fits the books, what does not, and what may be done about it.

A difference is what the statement says more than the books do, in the currency's minor unit.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

from chalicelib.ledger.rules import PLATFORM_SUSPENSE
from chalicelib.reconciliation.lines import WINDOW, Format, Line

Status = Literal["gathering", "matching", "writing", "done"]
DifferenceKind = Literal[
    "missing",
    "extra",
    "amount",
    "currency",
    "duplicate",
    "late",
    "returned",
    "fee",
    "unknown_reference",
    "wrong_direction",
    "wrong_account",
    "split",
    "ambiguous",
    "not_told",
    "balance",
    "matched_before",
    "transfer",
    "gap",
    "reused_reference",
    "told_otherwise",
    "sent_back",
]
Resolution = Literal[
    "accept", "match", "post_fee", "post_to_suspense", "post_to_other_account", "paid", "returned"
]
# What was missing may turn up, and nobody needs to say so.
Resolved = Resolution | Literal["found"]
# What may be posted for each kind; that it is as it should be may be said of those that move
# nothing, and of any that a person has dealt with elsewhere.
RESOLUTIONS: Mapping[DifferenceKind, tuple[Resolution, ...]] = {
    "missing": ("post_to_suspense", "accept"),
    "extra": ("match", "post_to_suspense", "post_fee", "post_to_other_account", "accept"),
    "amount": ("post_fee", "post_to_suspense", "accept"),
    "currency": ("post_to_suspense", "accept"),
    "duplicate": ("match", "post_to_suspense", "post_fee", "post_to_other_account", "accept"),
    "late": ("accept",),
    "returned": ("returned", "match", "post_to_suspense", "accept"),
    "fee": ("post_fee", "match", "post_to_suspense", "accept"),
    "unknown_reference": ("match", "post_to_suspense", "post_fee", "accept"),
    "wrong_direction": ("post_to_suspense", "accept"),
    "wrong_account": ("post_to_other_account", "post_to_suspense", "accept"),
    "split": ("accept",),
    "ambiguous": ("match", "post_to_suspense", "post_fee", "accept"),
    "not_told": ("paid", "match", "post_to_suspense", "accept"),
    "balance": ("accept",),
    "matched_before": ("post_to_suspense", "accept"),
    "transfer": ("post_to_other_account", "post_to_suspense", "accept"),
    "gap": ("accept",),
    "reused_reference": (
        *("match", "post_to_suspense", "post_fee", "post_to_other_account", "accept"),
    ),
    "told_otherwise": ("post_to_suspense", "accept"),
    "sent_back": ("post_fee", "post_to_suspense", "accept"),
}
SUSPENSE = PLATFORM_SUSPENSE
CASE: Literal["reconciliation_difference"] = "reconciliation_difference"
# Lines or entries in one difference, and what a page of outcomes may write in one transaction.
TOGETHER, WRITES_A_PAGE = 40, 94


@dataclass(frozen=True)
class Match:
    line: int
    entry_id: str


@dataclass(frozen=True)
class Change:
    """What the statement has more than the books, in one currency."""

    currency: str
    amount: int


@dataclass(frozen=True)
class Difference:
    """`entries` are what it settles of the books, `of` what it is beside; `changes` what would have
    to be posted to the account for the books to say what the statement says."""

    kind: DifferenceKind
    detail: str
    lines: tuple[int, ...] = ()
    entries: tuple[str, ...] = ()
    of: str = ""
    changes: tuple[Change, ...] = ()
    account: str = ""
    payout_id: str = ""


Outcome = Match | Difference


@dataclass(frozen=True)
class KindCount:
    """How many differences of a kind there are, and what they come to in a currency, `incoming` and
    `outgoing` apart; none where they move nothing."""

    kind: DifferenceKind
    differences: int
    currency: str | None = None
    amount: int = 0
    incoming: int = 0
    outgoing: int = 0


@dataclass(frozen=True)
class InTransit:
    """An entry so near a statement's end that the next one will have it."""

    entry_id: str
    day: str
    currency: str
    amount: int


@dataclass(frozen=True)
class Decided:
    """Which entry a line is of, as an operator has said where several might be."""

    line: int
    entry_id: str
    by: str


@dataclass(frozen=True)
class Undone:
    """A resolution that was wrong: what it said and posted, and who has taken it back, and why."""

    resolution: str
    note: str
    resolved_by: str
    resolved_at: str
    posted: tuple[str, ...]
    undone_by: str
    undone_at: str
    why: str


@dataclass(frozen=True)
class NumberedDifference:
    """A difference, whoever is to look into it, and what was done about it; a resolution with no
    instant yet is under way. `found_in` is the reconciliation that has what was missing; `undone`
    are resolutions that stand no more, and what they posted is not in `posted`."""

    n: int
    reconciliation_id: str
    difference: Difference
    case_id: str
    owner: str
    version: int
    resolution: Resolved | None = None
    note: str | None = None
    resolved_by: str | None = None
    resolved_at: datetime | None = None
    posted: tuple[str, ...] = ()
    found_in: str | None = None
    decided: tuple[Decided, ...] = ()
    undone: tuple[Undone, ...] = ()

    @property
    def occurrence(self) -> str:
        """Of its case: it has another each time it is opened again."""
        return "#".join([str(self.n), *([str(len(self.undone))] if self.undone else [])])

    def named(self, currency: str) -> str:
        """What the ids of entries call it that its resolution posts, or that take them back: else
        each time it is resolved again."""
        again = [str(len(self.undone) + 1)] if self.undone else []
        return ":".join([self.reconciliation_id, str(self.n), currency, *again])

    @property
    def ever_posted(self) -> tuple[str, ...]:
        """By all that it was ever resolved by."""
        return (*(entry_id for each in self.undone for entry_id in each.posted), *self.posted)

    @property
    def ever_undone(self) -> tuple[str, ...]:
        """By which what stood before was taken back."""
        return tuple(
            entry_id.replace("reconciled:", "reconciled-undone:", 1)
            for each in self.undone
            for entry_id in each.posted
        )

    @property
    def kind(self) -> DifferenceKind:
        return self.difference.kind

    @property
    def detail(self) -> str:
        return self.difference.detail

    @property
    def lines(self) -> tuple[int, ...]:
        return self.difference.lines

    @property
    def entries(self) -> tuple[str, ...]:
        return self.difference.entries

    @property
    def changes(self) -> tuple[Change, ...]:
        return self.difference.changes

    @property
    def open_lines(self) -> tuple[int, ...]:
        """Those of which nobody has said yet which entry they are of."""
        decided = {each.line for each in self.decided}
        return tuple(each for each in self.lines if each not in decided)

    @property
    def open_entries(self) -> tuple[str, ...]:
        decided = {each.entry_id for each in self.decided}
        return tuple(each for each in self.entries if each not in decided)

    @property
    def payout_id(self) -> str | None:
        return self.difference.payout_id or None

    @property
    def is_resolved(self) -> bool:
        return self.resolved_at is not None

    @property
    def resolutions(self) -> tuple[Resolution, ...]:
        """What may be said of it; of a payout only where it is known which."""
        of_payout = ("paid", "returned")
        possible = RESOLUTIONS[self.difference.kind]
        return tuple(each for each in possible if self.payout_id or each not in of_payout)


@dataclass(frozen=True)
class Reconciliation:
    """A statement on its way through: `step` is how far its present state has come, and `pages`
    how many there are to be written. The books are looked at from the day `since` on, once the
    reconciliation that it is `behind` is done."""

    id: str
    account: str
    format: Format
    digest: str
    own_id: str
    first: str
    last: str
    lines: int
    made_by: str
    made_at: datetime
    since: str
    behind: str | None = None
    status: Status = "gathering"
    step: int = 0
    pages: int = 0
    matched: int = 0
    differences: int = 0
    in_transit: int = 0
    repeated: int = 0
    unresolved: int = 0
    version: int = 1
    kinds: tuple[KindCount, ...] = ()
    totals: tuple[Change, ...] = ()
    opening: tuple[Change, ...] = ()
    closing: tuple[Change, ...] = ()
    done_at: datetime | None = None

    @property
    def statement_id(self) -> str:
        return self.own_id

    @property
    def is_done(self) -> bool:
        return self.status == "done"

    @property
    def transit_from(self) -> str:
        """From this day on what is not in the statement may be in the next one."""
        return (date.fromisoformat(self.last) - WINDOW + timedelta(days=1)).isoformat()

    @property
    def days(self) -> list[date]:
        """Those whose entries may be what its lines are of."""
        begin = date.fromisoformat(self.since)
        count = (date.fromisoformat(self.last) + WINDOW - begin).days + 1
        return [begin + timedelta(days=n) for n in range(count)]

    @property
    def progress(self) -> int:
        """In percent. Gathering and writing take about as long."""
        match self.status:
            case "gathering":
                return 50 * self.step // len(self.days)
            case "matching":
                return 50
            case "writing":
                return 50 + 49 * self.step // max(self.pages, 1)
            case _:
                return 100

    def after(self, **changes: object) -> "Reconciliation":
        return replace(self, version=self.version + 1, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Found:
    """`in_transit` are entries so near the statement's end that the next one will have them;
    `repeated` counts lines that another statement has taken meanwhile."""

    outcomes: tuple[Outcome, ...]
    in_transit: tuple[str, ...] = ()
    repeated: int = 0

    @property
    def matches(self) -> list[Match]:
        return [each for each in self.outcomes if isinstance(each, Match)]

    @property
    def differences(self) -> list[Difference]:
        return [each for each in self.outcomes if isinstance(each, Difference)]


def change(*pairs: tuple[str, int]) -> tuple[Change, ...]:
    """Sums by currency, without those that come to nothing."""
    sums: dict[str, int] = {}
    for currency, amount in pairs:
        sums[currency] = sums.get(currency, 0) + amount
    return tuple(Change(currency, amount) for currency, amount in sorted(sums.items()) if amount)


def weight(outcome: Outcome) -> int:
    """How many items it writes: what it claims, and for a difference itself and its case."""
    if isinstance(outcome, Match):
        return 5  # it may turn out to be a difference
    return len(outcome.lines) + len(outcome.entries) + 3


def pages(outcomes: Sequence[Outcome]) -> list[list[Outcome]]:
    """So few at once that what they write fits into a transaction."""
    found: list[list[Outcome]] = []
    room = 0
    for each in outcomes:
        if weight(each) > room:
            found.append([])
            room = WRITES_A_PAGE
        found[-1].append(each)
        room -= weight(each)
    return found


def counted(
    before: Sequence[KindCount], differences: Iterable[Difference]
) -> tuple[KindCount, ...]:
    """What has been counted, and these; each once in every currency that it moves."""
    counts = {(each.kind, each.currency): each for each in before}
    for difference in differences:
        moved = difference.changes or (Change("", 0),)
        for each in moved:
            key = (difference.kind, each.currency or None)
            so_far = counts.get(key, KindCount(difference.kind, 0, each.currency or None))
            counts[key] = replace(
                so_far,
                differences=so_far.differences + 1,
                amount=so_far.amount + each.amount,
                incoming=so_far.incoming + max(each.amount, 0),
                outgoing=so_far.outgoing + min(each.amount, 0),
            )
    return tuple(counts[key] for key in sorted(counts, key=str))


def still_true(
    outcome: Outcome, gone: Collection[str], repeated: Collection[int], lines: Mapping[int, Line]
) -> Outcome | None:
    """What becomes of an outcome where another statement has taken entries or lines of it since it
    was found; None where nothing is left of it."""
    entries = (outcome.entry_id,) if isinstance(outcome, Match) else outcome.entries
    of = (outcome.line,) if isinstance(outcome, Match) else outcome.lines
    left = [n for n in of if n not in repeated]
    if of and not left:
        return None
    if len(left) == len(of) and not any(each in gone for each in entries):
        return outcome
    if not of:
        return None
    pairs = ((lines[n].currency, lines[n].amount) for n in left)
    said = f"{entries[0]} has its line in another statement." if entries else "It is taken."
    return Difference("matched_before", said, tuple(left), of=entries[0], changes=change(*pairs))
