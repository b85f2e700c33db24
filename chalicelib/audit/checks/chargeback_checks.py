"""What must hold of chargebacks, of what others bear of their refunds, and of the entries that tell
of them. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from chalicelib.audit.checks.due_postings import posted
from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import REFUNDS_IN_FLIGHT, UNMATCHED_CHARGEBACKS, Entry, party_of
from chalicelib.payments.rules import Chargeback, Refund
from chalicelib.settlement.rules import EarnedLine

ENTRIES = ("chargeback", "chargeback-fee", "chargeback-won", "chargeback-lost")


@dataclass(frozen=True)
class Named:
    """What a chargeback names: its refund, the entries of both, by leader the lines that would undo
    what others bear of the refund, and the refunds of its charge that it may have to pay."""

    refund: Refund | None
    entries: Mapping[str, Entry]
    taken: Mapping[str, Sequence[EarnedLine]] = field(default_factory=dict)
    of_charge: Sequence[Refund] = ()


def entry_ids(of: Chargeback) -> list[str]:
    return [*_own_entries(of), *([f"borne:{of.refund_id}"] if of.refund_id else [])]


def _own_entries(of: Chargeback) -> list[str]:
    """Refunds that it has paid after they failed have an entry each."""
    later = (f"refund-charged-back:{each.refund_id}:{of.id}" for each in of.paid)
    return [*(f"{kind}:{of.id}" for kind in ENTRIES), *later]


def chargebacks(of: Chargeback, named: Named) -> Iterator[Finding]:
    """It has paid refunds that had not arrived; what fits nothing is of nobody until it is closed;
    won, all of it is back."""
    back = of.amount if of.status == "won" else 0
    due = {
        of.cash_account: of.refunded - of.amount - of.fee + back,
        REFUNDS_IN_FLIGHT: of.paid_amount,
        UNMATCHED_CHARGEBACKS: of.unmatched if of.status == "open" else 0,
    }
    own = [named.entries.get(each) for each in _own_entries(of)]
    for account, amount in due.items():
        found = sum(posted(each, account) for each in own)
        if out := found - amount:
            detail = (
                f"Chargeback {of.id}, which is {of.status}, has posted {found} to {account}, not "
                f"{amount}."
            )
            yield Finding("chargebacks", of.id, detail, out)
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


def has_more_to_pay(of: Chargeback) -> bool:
    """Whether some of it fits nothing, and may still be what a refund that fails comes to."""
    return of.status != "won" and of.unmatched > 0


def chargebacks_twice(of: Chargeback, named: Named) -> Iterator[Finding]:
    """What fits nothing has paid each refund of before that has failed, and none is sent anew
    beside it: the customer would have more than it has paid."""
    if not has_more_to_pay(of):
        return
    for each in named.of_charge:
        is_of_before = each.decided_at <= of.opened_at
        is_anew = each.status == "failed" or each.asked_at > of.opened_at
        if twice := is_of_before and is_anew and min(each.left, of.unmatched):
            detail = (
                f"{of.unmatched} of chargeback {of.id} fit nothing, and have not paid {twice} of "
                f"refund {each.id}, which is {each.status}."
            )
            yield Finding("chargebacks_twice", of.id, detail, twice)


def chargeback_lines(of: Chargeback, named: Named) -> Iterator[Finding]:
    """The lines that a chargeback takes back once it is won are what others have paid leaders for
    its refund."""
    due = borne_by_leader(of, named.entries)
    for leader_id in sorted({*due, *named.taken}):
        kept = sum(line.amount for line in named.taken.get(leader_id, ()))
        if out := kept - due[leader_id]:
            detail = (
                f"Won, chargeback {of.id} would give {leader_id} {kept}, and others bear "
                f"{due[leader_id]}."
            )
            yield Finding("chargeback_lines", of.id, detail, out)


def borne_by_leader(of: Chargeback, entries: Mapping[str, Entry]) -> Counter[str]:
    """What others have paid each leader for its refund, below zero."""
    found, entry = Counter[str](), entries.get(f"borne:{of.refund_id}")
    for posting in entry.postings if entry else ():
        party = party_of(posting.account)
        if party and party[0].startswith("leader:"):
            found[party[0].removeprefix("leader:")] += posting.amount
    return found
