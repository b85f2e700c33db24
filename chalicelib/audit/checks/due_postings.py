"""What the entries that a row names have to have posted, held against what they have. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from chalicelib.ledger.checks import CheckName, Finding
from chalicelib.ledger.rules import Entry


class Due(NamedTuple):
    """What an entry has to have posted to an account, debit positive; 0 where it has to be none."""

    entry_id: str
    account: str
    amount: int


def posted(entry: Entry | None, account: str) -> int:
    postings = entry.postings if entry else ()
    return sum(each.amount for each in postings if each.account == account)


def differing(
    check: CheckName,
    subject: str,
    what: str,
    due: Iterable[Due],
    entries: Mapping[str, Entry],
) -> Iterator[Finding]:
    for each in due:
        found = posted(entries.get(each.entry_id), each.account)
        if out := found - each.amount:
            detail = f"{what} has posted {found} to {each.account}, not {each.amount}."
            yield Finding(check, subject, detail, out)
