"""What must hold of chargebacks, of what their refunds have taken, and of the entries that tell of
them. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from chalicelib.audit.due_postings import Due, differing
from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import UNMATCHED_CHARGEBACKS, Entry, party_of
from chalicelib.payments.rules import Chargeback, Refund
from chalicelib.settlement.rules import EarnedLine

# The entries of its refund by which leaders have lost something.
TAKING = ("refund", "borne")
ENTRIES = ("chargeback", "chargeback-fee", "chargeback-won", "chargeback-lost")


@dataclass(frozen=True)
class Named:
    """What a chargeback names: its refund, the entries of both, and by leader the lines that would
    give back what the refund has taken."""

    refund: Refund | None
    entries: Mapping[str, Entry]
    taken: Mapping[str, Sequence[EarnedLine]] = field(default_factory=dict)


def entry_ids(of: Chargeback) -> list[str]:
    own = [f"{kind}:{of.id}" for kind in ENTRIES]
    return own + ([f"{kind}:{of.refund_id}" for kind in TAKING] if of.refund_id else [])


def chargebacks(of: Chargeback, named: Named) -> Iterator[Finding]:
    """What fits no order is of nobody until the chargeback is closed; won, all of it is back."""
    won, lost = of.status == "won", of.status == "lost"
    due = [
        Due(f"chargeback:{of.id}", UNMATCHED_CHARGEBACKS, of.unmatched),
        Due(f"chargeback-fee:{of.id}", of.cash_account, -of.fee),
        Due(f"chargeback-won:{of.id}", of.cash_account, of.amount if won else 0),
        Due(f"chargeback-won:{of.id}", UNMATCHED_CHARGEBACKS, -of.unmatched if won else 0),
        Due(f"chargeback-lost:{of.id}", UNMATCHED_CHARGEBACKS, -of.unmatched if lost else 0),
    ]
    what = f"Chargeback {of.id}, which is {of.status},"
    yield from differing("chargebacks", of.id, what, due, named.entries)
    refunded = named.refund.amount if named.refund else 0
    if out := of.refunded - refunded:
        detail = f"{of.refunded} of chargeback {of.id} is refunded, and its refund is {refunded}."
        yield Finding("chargebacks", of.id, detail, out)
    if of.unmatched < 0:
        detail = f"More of chargeback {of.id} is refunded than its {of.amount}."
        yield Finding("chargebacks", of.id, detail, -of.unmatched)
    if named.refund and (named.refund.status, named.refund.cause) != ("succeeded", "chargeback"):
        detail = f"Refund {named.refund.id} of chargeback {of.id} is {named.refund.status}."
        yield Finding("chargebacks", of.id, detail)


def chargeback_lines(of: Chargeback, named: Named) -> Iterator[Finding]:
    """The lines that a chargeback gives back once it is won are what its refund has taken."""
    due = taken_of(of, named.entries)
    for leader_id in sorted({*due, *named.taken}):
        kept = sum(line.amount for line in named.taken.get(leader_id, ()))
        if out := kept - due[leader_id]:
            detail = (
                f"Won, chargeback {of.id} would give {leader_id} {kept} back, and has taken "
                f"{due[leader_id]}."
            )
            yield Finding("chargeback_lines", of.id, detail, out)


def taken_of(of: Chargeback, entries: Mapping[str, Entry]) -> Counter[str]:
    """What its refund has taken from each leader, less what others have paid for it."""
    found = Counter[str]()
    for kind in TAKING:
        entry = entries.get(f"{kind}:{of.refund_id}")
        for posting in entry.postings if entry else ():
            party = party_of(posting.account)
            if party and party[0].startswith("leader:"):
                found[party[0].removeprefix("leader:")] += posting.amount
    return found
