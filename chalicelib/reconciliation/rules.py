"""Statements, what the books say of the same account, and what of the one fits the other.

Amounts are integers in the currency's minor unit; what comes in is positive, as in the books. A
difference is what the statement says more than the books do.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

Format = Literal["camt.053", "csv", "stripe"]
Status = Literal["gathering", "matching", "writing", "done"]
LineKind = Literal["payment", "fee", "return", "transfer"]
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
]
Resolution = Literal[
    "accept", "post_fee", "post_to_suspense", "post_to_other_account", "paid", "returned"
]
# What may be posted for each kind; that it is as it should be may be said of those that move
# nothing, and of any that a person has dealt with elsewhere.
RESOLUTIONS: Mapping[DifferenceKind, tuple[Resolution, ...]] = {
    "missing": ("post_to_suspense", "accept"),
    "extra": ("post_to_suspense", "post_fee", "post_to_other_account", "accept"),
    "amount": ("post_fee", "post_to_suspense", "accept"),
    "currency": ("post_to_suspense", "accept"),
    "duplicate": ("post_to_suspense", "accept"),
    "late": ("accept",),
    "returned": ("returned", "post_to_suspense", "accept"),
    "fee": ("post_fee", "post_to_suspense", "accept"),
    "unknown_reference": ("post_to_suspense", "post_fee", "accept"),
    "wrong_direction": ("post_to_suspense", "accept"),
    "wrong_account": ("post_to_other_account", "post_to_suspense", "accept"),
    "split": ("accept",),
    "ambiguous": ("post_to_suspense", "post_fee", "accept"),
    "not_told": ("paid", "post_to_suspense", "accept"),
    "balance": ("accept",),
    "matched_before": ("post_to_suspense", "accept"),
    "transfer": ("post_to_other_account", "post_to_suspense", "accept"),
}
# Kinds of entries whose ids end in the reference of who has sent the money.
WITH_REFERENCE = ("receipt", "remittance", "remittance-reversed")
SUSPENSE = "platform:suspense"
# Banks book a day or two after it was ordered, and not on holidays.
WINDOW = timedelta(days=5)
MAX_DAYS = 100
# Lines or entries in one difference, and what a page of outcomes may write in one transaction.
TOGETHER, WRITES_A_PAGE = 40, 94
# An id of the platform's own, which banks print in capitals, without its underscore or over two
# lines.
OWN_ID = re.compile(r"(?:pyt|pay|ord|rfd|rem|dpo)[0-9a-f]{28}")
NOT_A_KEY = re.compile(r"[^0-9a-z]")


def as_key(text: str) -> str:
    """A reference as it is compared: banks change its case and leave out what is no letter."""
    return NOT_A_KEY.sub("", text.lower())


def own_ids(*texts: str) -> tuple[str, ...]:
    """The keys of the platform's own ids that texts name, each once."""
    found = [key for text in texts for key in OWN_ID.findall(as_key(text))]
    return tuple(dict.fromkeys(found))


def payout_id(key: str) -> str | None:
    return f"pyt_{key[3:]}" if key.startswith("pyt") else None


@dataclass(frozen=True)
class Line:
    """One line of a statement. `bank_ref` is the bank's own id of it; `reference` is what whoever
    ordered it gave it; `text` may name anything. `fee` was taken of it, and is not in its amount
    but in that of the line which `is_sum` of them."""

    n: int
    amount: int
    currency: str
    day: str
    kind: LineKind = "payment"
    bank_ref: str = ""
    reference: str = ""
    text: str = ""
    fee: int = 0
    is_sum: bool = False

    @property
    def own_ids(self) -> tuple[str, ...]:
        return own_ids(self.reference, self.text)

    @property
    def keys(self) -> tuple[str, ...]:
        """What it may be known by, the surest first."""
        return tuple(filter(None, (*self.own_ids, as_key(self.reference))))


@dataclass(frozen=True)
class Booked:
    """What an entry has posted to a cash account on a business date; `is_claimed` where another
    statement has its line."""

    entry_id: str
    account: str
    amount: int
    currency: str
    day: str
    subject: str = ""
    is_claimed: bool = False

    @property
    def name(self) -> tuple[str, str]:
        """Of all postings to cash this one."""
        return self.account, self.entry_id

    @property
    def keys(self) -> tuple[str, ...]:
        """By what a line may name it: ids of its entry, its subject, and the reference in it."""
        named = own_ids(self.entry_id)
        of_subject = own_ids(self.subject)
        payments = tuple(f"pay{key[3:]}" for key in of_subject if key.startswith("ord"))
        kind, _, about = self.entry_id.partition(":")
        told = (as_key(about.partition(":")[2]),) if kind in WITH_REFERENCE else ()
        return tuple(dict.fromkeys((*named, *of_subject, *payments, *told)))

    @property
    def paid(self) -> str | None:
        """The payout that it says is paid."""
        kind, _, of = self.entry_id.partition(":")
        return of if kind == "payout-paid" else None


@dataclass(frozen=True)
class Statement:
    """A file, read. `own_id` is what its bank calls it; `total` what its balances say that its
    lines come to, by currency, where it has balances."""

    format: Format
    own_id: str
    first: str
    last: str
    lines: tuple[Line, ...]
    totals: Mapping[str, int]


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
class Sent:
    """A payout that has been sent and has no result yet."""

    payout_id: str
    amount: int
    currency: str


@dataclass(frozen=True)
class KindCount:
    """How many differences of a kind there are, and what they come to in a currency; none where
    they move nothing."""

    kind: DifferenceKind
    differences: int
    currency: str | None = None
    amount: int = 0


@dataclass(frozen=True)
class NumberedDifference:
    """A difference, whoever is to look into it, and what was done about it; a resolution with no
    instant yet is under way."""

    n: int
    reconciliation_id: str
    difference: Difference
    case_id: str
    owner: str
    version: int
    resolution: Resolution | None = None
    note: str | None = None
    resolved_by: str | None = None
    resolved_at: datetime | None = None
    posted: tuple[str, ...] = ()

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
    def payout_id(self) -> str | None:
        return self.difference.payout_id or None

    @property
    def is_resolved(self) -> bool:
        return self.resolved_at is not None

    def allows(self, resolution: Resolution) -> bool:
        return resolution in RESOLUTIONS[self.difference.kind]


@dataclass(frozen=True)
class Reconciliation:
    """A statement on its way through: `step` is how far its present state has come, and `pages`
    how many there are to be written."""

    id: str
    account: str
    format: Format
    digest: str
    own_id: str
    first: str
    last: str
    lines: int
    status: Status
    step: int
    pages: int
    matched: int
    differences: int
    in_transit: int
    repeated: int
    unresolved: int
    made_by: str
    made_at: datetime
    version: int
    kinds: tuple[KindCount, ...] = ()
    totals: tuple[Change, ...] = ()
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
        begin = date.fromisoformat(self.first) - WINDOW
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
                return 50 + 50 * self.step // max(self.pages, 1)
            case _:
                return 100

    def after(self, **changes: object) -> "Reconciliation":
        return replace(self, version=self.version + 1, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Found:
    """`in_transit` are entries so near the statement's end that the next one will have them."""

    outcomes: tuple[Outcome, ...]
    in_transit: tuple[str, ...]

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


def days_between(one: str, other: str) -> int:
    return abs((date.fromisoformat(one) - date.fromisoformat(other)).days)


def in_time(line: Line, booked: Booked) -> bool:
    return days_between(line.day, booked.day) <= WINDOW.days


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


def sums(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for currency, amount in pairs:
        found[currency] = found.get(currency, 0) + amount
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
            )
    return tuple(counts[key] for key in sorted(counts, key=str))


def with_own_fees(lines: Sequence[Line]) -> list[Line]:
    """The lines, where one sums up fees with those of these lines alone: of some that an earlier
    statement had, it had the fees as well. One of nothing is left out."""
    fees = sums((line.currency, -line.fee) for line in lines)
    return [
        replace(line, amount=fees[line.currency]) if line.is_sum else line
        for line in lines
        if not line.is_sum or fees[line.currency]
    ]


def line_claims(lines: Iterable[Line]) -> dict[int, str]:
    """By which name each line is taken: the bank's own id, under which another statement has it
    again, or none."""
    seen: set[str] = set()
    claims = {}
    for line in lines:
        claims[line.n] = "" if line.bank_ref in seen else line.bank_ref
        seen.add(line.bank_ref)
    return claims


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
