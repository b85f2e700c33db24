"""What is known of a store by watching each write to it: the journal folded by hand, the newest
state of every row, and what does not fit together.

It reads the rows' own attributes and no code of the ledger's, so that a mistake there is no excuse.
"""

import json
from collections import Counter
from collections.abc import Iterator

from chalicelib.ordering.store import OrderRow
from chalicelib.payments.chargeback_store import ChargebackRow
from tests.soak.rows import Seen
from tests.soak.statements import Statements
from tests.support.invariants import findings
from tests.support.memory.dynamodb import DynamoDB, Key
from tests.support.memory.values import Item

Rows = dict[tuple[str, Key], Item | None]

LEDGER, ORDERING, PAYMENTS = "Ledger", "Ordering", "Payments"
PARTIES = ("leader:", "supplier:")
# What is held back or under way for somebody is owed to it, and what it owes it has.
NEVER_DEBIT, NEVER_CREDIT = ("held", "in_payout", "deposit"), ("owed",)


class Books:
    """Every entry there has been, and the balances that they come to.

    `turnover` is what customers' money came to the platform or its leaders, by currency.
    """

    def __init__(self, store: DynamoDB, seen: Seen, statements: Statements) -> None:
        self._store, self._seen, self._statements = store, seen, statements
        self._written: dict[tuple[str, Key], None] = {}
        self._posted_to = set[str]()
        self.turnover = Counter[str]()
        self._postings: dict[str, str] = {}
        self.balances = Counter[str]()
        self.prepaid = Counter[str]()
        self._charged_back: dict[str, int] = {}
        self._closed = set[str]()
        store.on_write = lambda table, key: self._written.setdefault((table, key))

    def check_step(self) -> list[str]:
        """What has been wrong with any account or order since this was last asked."""
        written, self._written = self._written, {}
        rows = {(table, key): self._store.table(table).get(key) for table, key in written}
        for (table, key), item in rows.items():
            self._seen.note(table, key, item)
        return [
            *self._entries(rows),
            *self._accounts(rows),
            *self._orders(rows),
            *self._chargebacks(rows),
            *self._statements.findings(self.balances),
        ]

    def check_all(self, supplied: dict[str, int]) -> list[str]:
        """What is wrong with the whole store, which is at rest."""
        found = [*self.check_step(), *findings(supplied)]
        stored = {
            item["pk"]["S"]: item["postings"]["S"]
            for item in self._store.table(LEDGER).items()
            if item["sk"]["S"] == "entry"
        }
        found += [
            f"entry {entry} was {self._postings.get(entry)} and is {stored.get(entry)}"
            for entry in stored.keys() | self._postings.keys()
            if stored.get(entry) != self._postings.get(entry)
        ]
        return found

    @property
    def entries(self) -> int:
        return len(self._postings)

    def out_by(self) -> int:
        """Cents that are on one side of the books alone."""
        by_currency = Counter[str]()
        for account, amount in self.balances.items():
            by_currency[account.partition(" ")[0]] += amount
        return sum(map(abs, by_currency.values()))

    def _entries(self, rows: Rows) -> Iterator[str]:
        for (table, (entry, sk)), item in rows.items():
            if table != LEDGER or sk != "entry":
                continue
            if item is None or entry in self._postings:
                yield f"entry {entry} was written and changed"
                continue
            self._postings[entry] = item["postings"]["S"]
            if item["posted_at"]["S"][:7] in self._closed:
                yield f"entry {entry} is of a month that is closed"
            postings = json.loads(item["postings"]["S"])
            if out := sum(each["amount"] for each in postings):
                yield f"entry {entry} is out by {out}"
            for each in postings:
                self._post(item, each["account"], each["amount"])

    def _post(self, entry: Item, account: str, amount: int) -> None:
        self.balances[f"{entry['currency']['S']} {account}"] += amount
        if account == "customer_prepayments":
            self.turnover[entry["currency"]["S"]] += max(0, -amount)
            self.prepaid[entry["subject"]["S"]] += amount
        if account.startswith("cash:"):
            day = entry["posted_at"]["S"][:10]
            self._statements.note(entry["pk"]["S"], account, day, amount)
        if account.startswith(PARTIES):
            self._posted_to.add(account.rpartition(":")[0])

    def _accounts(self, rows: Rows) -> Iterator[str]:
        """Those whose rows were written, and those that entries were posted to."""
        written = {pk for table, (pk, sk) in rows if (table, sk) == (LEDGER, "accounts")}
        for party in written | self._posted_to:
            row = self._store.table(LEDGER).get((party, "accounts")) or {}
            currency = row.get("currency", {}).get("S")
            for purpose in [name for name, value in row.items() if "N" in value]:
                kept = int(row[purpose]["N"])
                due = self.balances[f"{currency} {party}:{purpose}"]
                if kept != due:
                    yield f"balance {party}:{purpose} is {kept}, not {due}"
                if (kept > 0 and purpose in NEVER_DEBIT) or (kept < 0 and purpose in NEVER_CREDIT):
                    yield f"balance {party}:{purpose} is {kept}"
        yield from (f"{party} has no balances" for party in self._posted_to - written)
        self._posted_to.clear()

    def _chargebacks(self, rows: Rows) -> Iterator[str]:
        """While one is open, what fitted no order lies where a person finds it."""
        for (table, (chargeback_id, sk)), item in rows.items():
            if item is not None and (table, sk) == (PAYMENTS, "chargeback"):
                left = ChargebackRow.from_raw_data(dict(item)).to_entity().unmatched
                self._charged_back[chargeback_id] = left if item["status"]["S"] == "open" else 0
                due = sum(self._charged_back.values())
                kept = self.balances[f"{item['currency']['S']} unmatched_chargebacks"]
                if kept != due:
                    yield f"of chargebacks {kept} is unmatched, not {due}"
            if (table, chargeback_id) == (LEDGER, "periods"):
                self._closed.add(sk)

    def _orders(self, rows: Rows) -> Iterator[str]:
        """What an order's customer paid is held, released or refunded, to the cent."""
        for (table, (order_id, sk)), item in rows.items():
            if (table, sk) != (ORDERING, "order") or item is None:
                continue
            order = OrderRow.from_raw_data(item).to_entity()
            for line in order.lines:
                known = sum((line.held, *line.posted.values()), line.refunded)
                if known != line.whole:
                    yield f"of {line.sku_id} in {order_id} {known} is known, not {line.whole}"
            held = sum(line.held.net + line.held.shipping for line in order.lines)
            due = -held if order.paid_at else 0
            if self.prepaid[order_id] != due:
                yield f"of {order_id} {self.prepaid[order_id]} is prepaid, not {due}"
