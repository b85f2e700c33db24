"""What must hold of refunds, and of the entries that tell of them. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from chalicelib.audit.checks.due_postings import Due, differing
from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import REFUNDS_IN_FLIGHT, Entry
from chalicelib.payments.rules import Refund

# A sweep that opens a case comes each minute; an hour later it has missed one.
GRACE = timedelta(hours=1)


def entries_of(refund: Refund) -> list[str]:
    """The journal entries that may tell of a refund."""
    return [f"{kind}:{refund.id}" for kind in ("refund", "refund-done", "borne")]


def refunds_posted(refund: Refund, entries: Mapping[str, Entry]) -> Iterator[Finding]:
    """A refund lies in flight from its decision until it is done, and then has left its account,
    but for what chargebacks have paid of it."""
    decided, done = f"refund:{refund.id}", f"refund-done:{refund.id}"
    left = refund.left if refund.is_done else 0
    due = [
        Due(decided, REFUNDS_IN_FLIGHT, -refund.amount),
        Due(done, REFUNDS_IN_FLIGHT, left),
        Due(done, refund.cash_account, -left),
    ]
    what = f"Refund {refund.id}, which is {refund.status},"
    yield from differing("refunds_posted", refund.id, what, due, entries)


def refund_kept(refund: Refund, entries: Mapping[str, Entry]) -> Iterator[Finding]:
    """What a refund says that leaders keep of it somebody else has paid them."""
    borne = entries.get(f"borne:{refund.id}")
    to_leaders = (
        (n.amount for n in borne.postings if n.account.startswith("leader:")) if borne else ()
    )
    paid = -sum(to_leaders)
    if paid != refund.kept:
        detail = f"Of refund {refund.id} leaders keep {refund.kept}, and {paid} is posted."
        yield Finding("refund_kept", refund.id, detail, paid - refund.kept)
    elif refund.kept and refund.bearer == "leader":
        detail = f"Of refund {refund.id} leaders keep {refund.kept}, which nobody bears."
        yield Finding("refund_kept", refund.id, detail, refund.kept)


def refunds_overdue(refund: Refund, now: datetime, *, has_case: bool) -> Iterator[Finding]:
    """What has not arrived for 48 hours, or has failed, is a person's to look at."""
    late = refund.status == "failed" or now > refund.confirm_by + GRACE
    if late and not refund.is_done and not has_case:
        since = refund.asked_at.date()
        detail = f"Refund {refund.id} is {refund.status} since {since}, and has no case."
        yield Finding("refunds_overdue", refund.id, detail, refund.amount)
