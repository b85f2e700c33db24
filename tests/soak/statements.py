"""What banks and providers say of cash accounts: what the books say, with mistakes here and there.

Whatever a statement says, once all its differences are resolved the books say the same.
"""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from chalicelib.kernel.currencies import in_major
from chalicelib.reconciliation.lines import WINDOW, Format
from tests.support.statements import camt, csv_file, entry

COLUMNS = "date,amount,currency,reference,bank_ref,type"
CAMT_CODES = {"": "ESCT", "fee": "CHRG", "return": "RRTN"}
STRIPE_TYPES = {
    "": "charge",
    "fee": "stripe_fee",
    "return": "transfer_refund",
    "transfer": "payout",
}
# One line in so many is wrong, and some statements begin with the last lines of the one before.
WRONG, AGAIN, OVERLAP = 0.04, 0.3, 5
LATE = WINDOW + timedelta(days=1)


@dataclass(frozen=True)
class Line:
    """`fee` is what a provider has kept, beside the amount."""

    ref: str
    day: str
    amount: int
    reference: str = ""
    kind: str = ""
    fee: int = 0


class Statements:
    """By cash account what no statement has told yet, by entry, and what all of them have told;
    which differences are open, and which entries were posted to suspense."""

    def __init__(self, chance: random.Random, currency: str) -> None:
        self._chance, self._currency = chance, currency
        self._untold: dict[str, dict[str, Line]] = defaultdict(dict)
        self._to_tell, self._told = Counter[str](), Counter[str]()
        self._sound: dict[str, Sequence[Line]] = {}
        self._account_of: dict[str, str] = {}
        self._told_before = set[tuple[str, str]]()
        self._number = 0
        self.open: list[tuple[str, int]] = []
        self.suspended: list[str] = []

    def note(self, entry_id: str, account: str, day: str, amount: int) -> None:
        """An entry that moves the account, unless it was posted since a statement told it."""
        if (account, entry_id) not in self._told_before:
            reference = entry_id.rpartition(":")[2]
            self._untold[account][entry_id] = self._line(day, amount, reference)
            self._to_tell[account] += amount

    def taken(self, reconciliation_id: str, account: str) -> None:
        self._account_of[reconciliation_id] = account

    def resolved(self, reconciliation_id: str, n: int, posted: Sequence[str]) -> None:
        """What was posted so is what the statement has told."""
        self.open.remove((reconciliation_id, n))
        self.tells_no_more(self._account_of[reconciliation_id], posted)

    def ready(self, today: date, lines: int) -> list[str]:
        """The accounts that have so many lines to tell, some of them since a while."""
        before = (today - LATE).isoformat()
        return [
            account
            for account, of in self._untold.items()
            if len(of) >= lines and min(each.day for each in of.values()) < before
        ]

    def begins(self, account: str) -> str | None:
        """The day from which the first statement of an account is, whose line may be left out."""
        if account in self._told:
            return None
        return min(each.day for each in self._untold[account].values())

    def tells_no_more(self, account: str, entry_ids: Iterable[str]) -> None:
        """Entries that no statement of the account has to tell from now on."""
        for entry_id in entry_ids:
            if line := self._untold[account].pop(entry_id, None):
                self._to_tell[account] -= line.amount
            self._told_before.add((account, entry_id))

    def draw_up(self, account: str, today: date, sent: Mapping[str, int]) -> list[Line]:
        """The account's next statement; `sent` are payouts without a result, by id."""
        again = self._sound.get(account, ()) if self._chance.random() < AGAIN else ()
        sound, others = list[Line](), list(self._strange(account, today.isoformat(), sent))
        self._to_tell[account] = 0
        for line in self._untold.pop(account).values():
            if self._chance.random() < WRONG:
                others += self._wrong(line, today)
            else:
                sound.append(line)
        self._sound[account] = sound[-OVERLAP:]
        self._told[account] += sum(each.amount - each.fee for each in (*sound, *others))
        return [*again, *sound, *others]

    def findings(self, balances: Mapping[str, int]) -> Iterator[str]:
        """Accounts of which the books do not say what their statements do."""
        waits = {self._account_of[reconciliation_id] for reconciliation_id, _ in self.open}
        for account in self._told.keys() - waits:
            kept = balances[f"{self._currency} {account}"]
            due = self._told[account] + self._to_tell[account]
            if kept != due:
                yield f"{account} is {kept}, and by its statements {due}"

    def _line(self, day: str, amount: int, reference: str = "", kind: str = "") -> Line:
        self._number += 1
        return Line(f"B{self._number}", day, amount, reference, kind)

    def _strange(self, account: str, today: str, sent: Mapping[str, int]) -> Iterator[Line]:
        """What the books do not have."""
        yield self._line(today, -self._chance.randint(1, 99), kind="fee")
        yield self._line(today, self._chance.choice([-1, 1]) * self._chance.randint(1, 9999))
        if account != "cash:bank":
            yield self._line(today, -self._chance.randint(1, 9999), kind="transfer")
            yield replace(self._line(today, self._chance.randint(100, 999)), fee=29)
        for payout_id, amount in sent.items():
            yield self._line(today, -amount, payout_id)

    def _wrong(self, line: Line, today: date) -> list[Line]:
        day = date.fromisoformat(line.day)
        other = self._line(line.day, line.amount, line.reference)
        ways = [[line, line], [line, other], [line, replace(other, amount=-line.amount)]]
        # What is newer and not to be recognised may stand in the next statement as well.
        if day + LATE < today:
            ways += [
                [replace(line, amount=line.amount + (1 if line.amount > 0 else -1))],
                [replace(line, amount=-line.amount)],
                [replace(line, reference="")],
                [replace(line, reference=f"rfd_{self._number:028x}")],
                [replace(line, day=(day + LATE).isoformat())],
                [],
            ]
        return self._chance.choice(ways)


def file_of(form: Format, lines: Sequence[Line], currency: str, own_id: str) -> bytes:
    if form == "stripe":
        return json.dumps([_transaction(each, currency) for each in lines]).encode()
    if form == "camt.053":
        entries = [
            entry(
                in_major(each.amount, currency),
                day=each.day,
                currency=currency,
                reference=each.reference or "NOTPROVIDED",
                ref=each.ref,
                code=CAMT_CODES[each.kind],
            )
            for each in lines
        ]
        return camt(*entries, own_id=own_id)
    rows = (
        (each.day, in_major(each.amount, currency), currency, each.reference, each.ref, each.kind)
        for each in lines
    )
    return csv_file(*rows, columns=COLUMNS)


def _transaction(line: Line, currency: str) -> dict[str, object]:
    noon = datetime.combine(date.fromisoformat(line.day), datetime.min.time(), UTC)
    return {
        "id": line.ref,
        "amount": line.amount,
        "fee": line.fee,
        "currency": currency.lower(),
        "created": int((noon + timedelta(hours=12)).timestamp()),
        "type": STRIPE_TYPES[line.kind],
        "source": line.reference,
    }
