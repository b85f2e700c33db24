"""The newest rows of each kind and status, for operations to choose from."""

import random
from collections import defaultdict
from itertools import islice

from tests.support.memory.dynamodb import Key
from tests.support.memory.values import Item

SOLD = {"order", "dispatch", "dispute", "refund", "chargeback", "remittance", "request"}
KINDS = {*SOLD, "batch", "payout", "trouble"}
# Of each kind and status only the newest are chosen from: so each goes its way in some steps.
NEWEST = 40


class NothingToDo(Exception):
    """There is nothing at this moment that an operation could be done to."""


class Seen:
    """Rows by kind, which is how their sort key begins, and by their status."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._of: dict[tuple[str, str], dict[Key, Item]] = defaultdict(dict)
        self._where: dict[Key, tuple[str, str]] = {}

    def note(self, table: str, key: Key, item: Item | None) -> None:
        """That a row is like this now, or gone."""
        kind = key[1].partition("#")[0]
        if where := self._where.pop(key, None):
            self._of[where].pop(key, None)
        if item is None or kind not in KINDS:
            return
        status = item.get("status") or item.get("outcome") or {"S": ""}
        where = (kind, status["S"])
        rows = self._of[where]
        rows[key] = item
        self._where[key] = where
        if len(rows) > 2 * NEWEST:
            oldest = next(iter(rows))
            del rows[oldest], self._where[oldest]

    def one(self, kind: str, *statuses: str) -> Item:
        """One of the newest rows of a kind that have one of the statuses. Raises NothingToDo."""
        rows = [
            row
            for status in statuses or ("",)
            for row in islice(reversed(self._of[kind, status].values()), NEWEST)
        ]
        if not rows:
            raise NothingToDo(f"no {kind} is {' or '.join(statuses)}")
        return self._chance.choice(rows)
