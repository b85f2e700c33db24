"""Journal entries in words, for people who do not know how ids are made. Pure."""

from chalicelib.ledger.kinds import income_of, kind_of
from chalicelib.ledger.rules import PLATFORM_REVENUE, Entry, party_of

_NOUNS = {
    "dsp": "dispatch",
    "ldr": "leader",
    "ord": "order",
    "prc": "parcel",
    "rec": "reconciliation",
    "run": "settlement run",
    "sup": "supplier",
}


def narration(entry: Entry) -> str:
    """Such as: Delivery of dispatch dsp_1 of order ord_1. What it was posted with stands behind."""
    rest = entry.id.partition(":")[2]
    first, _, behind = rest.partition(":")
    words = kind_of(entry.id).words.format(
        rest=rest,
        first=first,
        second=_named(behind.partition(":")[0]),
        behind=_named(behind),
        goods=_named(_dispatch_of(entry) or first),
        subject=_named(entry.subject),
        party=party_in(entry) or "several",
    )
    return f"{words} ({entry.note})" if entry.note else words


def party_in(entry: Entry) -> str:
    """The one party whose balances it moves, such as `leader ldr_1`; empty where it is not one."""
    parties = parties_in(entry)
    return _named(parties.pop()) if len(parties) == 1 else ""


def parties_in(entry: Entry) -> set[str]:
    """The ids of leaders and suppliers whose balances it moves."""
    found = (party_of(posting.account) for posting in entry.postings)
    return {party[0].partition(":")[2] for party in found if party}


def subjects_in(entry: Entry) -> set[str]:
    """The ids of all that it tells of: its subject, parties, parcels, what its own id names."""
    came_of = (each for posting in entry.postings for each in posting.of)
    return {entry.subject, *parties_in(entry), *came_of, *entry.id.split(":")[1:]}


def income_in(entry: Entry) -> str | None:
    """In which part of the platform's income it counts; None where it is no income."""
    is_income = any(each.account == PLATFORM_REVENUE for each in entry.postings)
    return income_of(entry.id) if is_income else None


def _named(subject: str) -> str:
    noun = _NOUNS.get(subject.partition("_")[0])
    return f"{noun} {subject}" if noun and "_" in subject else subject


def _dispatch_of(entry: Entry) -> str | None:
    came_of = (each for posting in entry.postings for each in posting.of)
    return next((each for each in came_of if each.startswith("dsp_")), None)
