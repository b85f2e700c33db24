"""Seals: what a day's entries came to, by which a later look sees whether any was changed.

A seal is the sum of its entries' digests, so it is the same in whatever order they are read, and
several days' add up to a month's. It shows a change, a removal and an addition; not one by
somebody who may write seals as well.
"""

import hashlib
import json
from dataclasses import dataclass

from chalicelib.kernel import clock
from chalicelib.ledger.rules import Entry

_SIZE = 2**256


@dataclass(frozen=True)
class Seal:
    """How many entries there are, and the sum of their digests, as hexadecimal."""

    entries: int = 0
    digest: str = "0"

    def __add__(self, other: "Seal") -> "Seal":
        total = (int(self.digest, 16) + int(other.digest, 16)) % _SIZE
        return Seal(self.entries + other.entries, f"{total:x}")


def seal_of(entry: Entry) -> Seal:
    """The seal of one entry, over all that is written of it."""
    postings = [
        [each.account, each.amount, list(each.of), *([each.parts] if each.parts else [])]
        for each in entry.postings
    ]
    written = [
        *(entry.id, entry.currency, clock.to_text(entry.posted_at), entry.subject),
        *(entry.belongs_to, postings),
        *([entry.note] if entry.note else []),
    ]
    digest = hashlib.sha256(json.dumps(written, ensure_ascii=False).encode())
    return Seal(1, f"{int(digest.hexdigest(), 16):x}")
