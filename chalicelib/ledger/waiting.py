"""Money that stands in an account until a person knows whose it is. Pure."""

from collections.abc import Iterable

from chalicelib.ledger.rules import PLATFORM_SUSPENSE, UNMATCHED_RECEIPTS, Entry, Posting

ACCOUNTS = (UNMATCHED_RECEIPTS, PLATFORM_SUSPENSE)
# What leaves money there, by the beginning of its id; whatever else posts there moves it on.
ORIGINS = ("receipt", "reconciled", "reconciled-undone", "remittance-reversed")


def left_by(entry: Entry) -> Posting | None:
    """What the entry has left there; None where it leaves nothing that waits."""
    if entry.id.partition(":")[0] not in ORIGINS:
        return None
    return next((each for each in entry.postings if each.account in ACCOUNTS), None)


def leaving(entries: Iterable[Entry]) -> list[Entry]:
    """Those that leave something."""
    return [each for each in entries if left_by(each)]
