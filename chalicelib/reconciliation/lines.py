"""Lines of statements, and what the books say of the same account.

Amounts are integers in the currency's minor unit; what comes in is positive, as in the books.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Literal

Format = Literal["camt.053", "csv", "stripe"]
LineKind = Literal["payment", "fee", "return", "transfer"]
# What earlier statements have made of an entry: nothing yet, or they should have had it.
Standing = Literal["new", "in_transit", "missing"]
# Kinds of entries whose ids end in the reference of who has sent the money.
WITH_REFERENCE = ("receipt", "remittance", "remittance-reversed", "cleared")
# Banks book a day or two after it was ordered, and not on holidays.
WINDOW = timedelta(days=5)
MAX_DAYS = 100
# An id of the platform's own, which banks print in capitals, without its underscore or over two
# lines.
OWN_ID = re.compile(r"(?:pyt|pay|ord|rfd|rem|dpo|cbk)[0-9a-f]{28}")
NOT_A_KEY = re.compile(r"[^0-9a-z]")
# What stands between words; `BK-R1/2` is one.
BETWEEN_WORDS = re.compile(r"[\s,;:()]+")


def as_key(text: str) -> str:
    """A reference as it is compared: banks change its case and leave out what is no letter."""
    return NOT_A_KEY.sub("", text.lower())


def words_of(text: str) -> list[str]:
    """The keys of its words."""
    return list(filter(None, map(as_key, BETWEEN_WORDS.split(text))))


def own_ids(*texts: str) -> tuple[str, ...]:
    """The keys of the platform's own ids that texts name, each once."""
    found = [key for text in texts for key in OWN_ID.findall(as_key(text))]
    return tuple(dict.fromkeys(found))


def payout_id(key: str) -> str | None:
    return f"pyt_{key[3:]}" if key.startswith("pyt") else None


@dataclass(frozen=True)
class Line:
    """One line of a statement. `bank_ref` is the bank's own id of it; `reference` is what whoever
    ordered it gave it; `text` may name anything; `means` has ids of the platform's own that are
    known to be meant; `counterparty` is who has paid it, or was paid. `fee` was taken of it, and is
    not in its amount but in that of the line which `is_sum` of them. `batch` is the number of the
    first part of the batch that it is a part of, or 0, and `batch_ref` the bank's id of the whole.
    """

    n: int
    amount: int
    currency: str
    day: str
    kind: LineKind = "payment"
    bank_ref: str = ""
    reference: str = ""
    text: str = ""
    means: str = ""
    fee: int = 0
    is_sum: bool = False
    counterparty: str = ""
    batch: int = 0
    batch_ref: str = ""

    @property
    def is_return(self) -> bool:
        return self.kind == "return"

    @property
    def own_ids(self) -> tuple[str, ...]:
        return own_ids(self.means, self.reference, self.text)

    @property
    def keys(self) -> tuple[str, ...]:
        """What it may be known by, the surest first."""
        return tuple(filter(None, (*self.own_ids, as_key(self.reference))))

    def phrases(self, longest: int) -> set[str]:
        """The keys of what its text says in up to so many words next to each other."""
        words = words_of(self.text)
        return {
            "".join(words[n : n + length])
            for length in range(1, longest + 1)
            for n in range(len(words) - length + 1)
        }


@dataclass(frozen=True)
class Booked:
    """What an entry has posted to a cash account on a business date; `is_claimed` where another
    statement has its line, `standing` what became of it where none has. `told` is the reference of
    who has sent or ordered the money, where the entry's own id does not have it."""

    entry_id: str
    account: str
    amount: int
    currency: str
    day: str
    subject: str = ""
    is_claimed: bool = False
    standing: Standing = "new"
    told: str = ""

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
        told = filter(None, (as_key(self.reference),))
        return tuple(dict.fromkeys((*named, *of_subject, *payments, *told)))

    @property
    def reference(self) -> str:
        """What who has sent or ordered the money calls it; empty where the books know none."""
        kind, _, about = self.entry_id.partition(":")
        return about.partition(":")[2] if kind in WITH_REFERENCE else self.told

    def is_paid_apart(self, reference: str) -> bool:
        """Whether that is a provider's id of another payment, such as of the same order: ids of one
        kind begin alike, and are one word."""
        kind, mark, _ = self.reference.partition("_")
        is_id = self.is_receipt and bool(mark) and not BETWEEN_WORDS.search(reference.strip())
        is_alike = is_id and as_key(reference).startswith(as_key(kind))
        return is_alike and as_key(reference) != as_key(self.reference)

    @property
    def is_receipt(self) -> bool:
        """Whether it says that a provider has been paid."""
        return self.entry_id.startswith("receipt:")

    @property
    def paid(self) -> str | None:
        """The payout that it says is paid."""
        kind, _, of = self.entry_id.partition(":")
        return of if kind == "payout-paid" else None

    @property
    def is_fee(self) -> bool:
        """Whether it says what a provider keeps for a chargeback."""
        return self.entry_id.startswith("chargeback-fee:")

    @property
    def is_return(self) -> bool:
        """Whether it says that a payout has come back."""
        return self.entry_id.startswith("payout-returned:")


@dataclass(frozen=True)
class Statement:
    """A file, read. `own_id` is what its bank calls it, `iban` of which account it is; `totals` are
    what its balances say that its lines come to, by currency, and `opening` and `closing` those
    balances. What it does not say is empty."""

    format: Format
    own_id: str
    first: str
    last: str
    lines: tuple[Line, ...]
    totals: Mapping[str, int] = field(default_factory=dict)
    iban: str = ""
    opening: Mapping[str, int] = field(default_factory=dict)
    closing: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Sent:
    """A payout that has been sent; `told` is what became of it, where anybody has said so."""

    payout_id: str
    amount: int
    currency: str
    told: str = ""


def sums(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for currency, amount in pairs:
        found[currency] = found.get(currency, 0) + amount
    return found


def days_between(one: str, other: str) -> int:
    return abs((date.fromisoformat(one) - date.fromisoformat(other)).days)


def with_own_fees(lines: Sequence[Line]) -> list[Line]:
    """The lines, where one sums up fees with those of these lines alone: of some that an earlier
    statement had, it had the fees as well. One of nothing is left out."""
    fees = sums((line.currency, -line.fee) for line in lines)
    return [
        replace(line, amount=fees[line.currency]) if line.is_sum else line
        for line in lines
        if not line.is_sum or fees[line.currency]
    ]
