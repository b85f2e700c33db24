"""The journal folded by hand as it is written, and what is let go of once nobody needs it.

A year of orders is more than a store in memory holds. What has rested for some weeks is looked at
once more, and then forgotten; balances, earnings and statements stay.
"""

import json
from collections import Counter, defaultdict
from datetime import date, timedelta

from tests.support.memory.dynamodb import DynamoDB, Key

# The latest that a refund comes is twelve days after a delivery, and nothing moves after it.
RESTED = timedelta(days=21)
PASSING = {"Ordering", "Dispatch", "Payments", "Idempotency", "Outbox"}
# Of other tables, by how a sort key begins.
PASSING_KEYS = {"Ledger": ("entry", "history#"), "Settlement": ("earned#",)}


class Journal:
    """`balances` are of all entries there ever were, by account, in minor units."""

    def __init__(self, store: DynamoDB) -> None:
        self._store = store
        self._today = date.min
        self._written: dict[tuple[str, Key], date] = {}
        self._on_day: defaultdict[date, list[tuple[str, Key]]] = defaultdict(list)
        self.balances = Counter[str]()
        self.entries = self.writes = 0
        self.findings: list[str] = []
        store.on_write = self._note

    def begin(self, day: date) -> None:
        """Another day begins; what has rested for weeks is forgotten."""
        self._today = day
        for rested in [each for each in self._on_day if each <= day - RESTED]:
            for table, key in self._on_day.pop(rested):
                if self._written.get((table, key)) == rested:
                    del self._written[table, key]
                    self._forget(table, key)

    def _note(self, table: str, key: Key) -> None:
        self.writes += 1
        if table == "Ledger" and key[1] == "entry":
            self._post(key)
        passes = table in PASSING or key[1].startswith(PASSING_KEYS.get(table, ()))
        if passes and self._written.get((table, key)) != self._today:
            self._written[table, key] = self._today
            self._on_day[self._today].append((table, key))

    def _post(self, key: Key) -> None:
        item = self._store.table("Ledger").get(key)
        if item is None or ("Ledger", key) in self._written:
            self.findings.append(f"entry {key[0]} was written and changed")
            return
        postings = json.loads(item["postings"]["S"])
        if out := sum(each["amount"] for each in postings):
            self.findings.append(f"entry {key[0]} is out by {out}")
        self.entries += 1
        for each in postings:
            self.balances[each["account"]] += each["amount"]

    def _forget(self, table: str, key: Key) -> None:
        rows = self._store.table(table)
        item = rows.get(key)
        if item is not None:
            rows.delete(key, item)
