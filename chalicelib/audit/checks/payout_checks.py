"""What must hold of payouts and batches, and of the entries that tell of them. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping

from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import Entry
from chalicelib.payouts.rules import CASH, Batch, Payout, Tally

ENTRIES = ("payout", "payout-netted", "payout-paid", "payout-returned", "payout-cancelled")
# What a tally counts of payouts; the rest of it counts pages and parties.
COUNTED = (
    *("payouts", "amount", "netted", "paid", "paid_amount", "returned", "returned_amount"),
    *("failed", "failed_amount", "unknown", "unknown_amount", "cancelled", "cancelled_amount"),
    "offset",
)
FIXED = ("payouts", "amount", "netted")


def entry_ids(payout: Payout) -> list[str]:
    return [f"{kind}:{payout.id}" for kind in ENTRIES]


def payouts_posted(payout: Payout, entries: Mapping[str, Entry]) -> Iterator[Finding]:
    """A payout's entries have moved what its outcome says, and nothing else."""
    posted, due = Counter[str](), _due(payout)
    for each in entry_ids(payout):
        for posting in entries[each].postings if each in entries else ():
            posted[posting.account] += posting.amount
    for account in sorted({*posted, *due}):
        if out := posted[account] - due[account]:
            detail = (
                f"Payout {payout.id}, which is {payout.outcome or 'open'}, has posted "
                f"{posted[account]} to {account}, not {due[account]}."
            )
            yield Finding("payouts_posted", payout.id, detail, out)


def _due(payout: Payout) -> Counter[str]:
    """Where what it took is by now."""
    due, payee = Counter[str](), payout.payee
    if payout.outcome == "cancelled":
        return due
    coming = payee.account(payee.coming)
    due[coming] += payout.taken
    due[payee.account(payee.owed)] -= payout.netted
    is_at = {
        "paid": f"cash:{CASH[payout.method]}",
        "returned": coming,
        "failed": coming,
    }.get(payout.outcome or "", payee.account("in_payout"))
    due[is_at] -= payout.amount
    return due


def payout_amounts(payout: Payout) -> Iterator[Finding]:
    """A payout sends something or nets something, and only what sends nothing is offset."""
    amount, what = payout.amount, f"Payout {payout.id} sends {payout.amount}"
    if amount < 0 or not (amount or payout.netted):
        detail = f"{what} and nets {payout.netted}."
        yield Finding("payout_amounts", payout.id, detail, amount)
    elif payout.outcome != "cancelled" and (amount == 0) is not (payout.outcome == "offset"):
        detail = f"{what} and is {payout.outcome or 'open'}."
        yield Finding("payout_amounts", payout.id, detail, amount)


def payouts_open(payout: Payout, open_id: str | None) -> Iterator[Finding]:
    """A payout that has no result is its party's only open one, and no other is."""
    if payout.is_over and open_id == payout.id:
        detail = f"Payout {payout.id} is {payout.outcome}, and still open to {payout.party}."
        yield Finding("payouts_open", payout.id, detail, payout.amount)
    elif not payout.is_over and open_id != payout.id:
        detail = f"Payout {payout.id} is open, and that of {payout.party} is {open_id}."
        yield Finding("payouts_open", payout.id, detail, payout.amount)


def in_payout(party: str, balance: int, open_payout: Payout | None) -> Iterator[Finding]:
    """What is in payout to a party, a credit, is its open one."""
    due = open_payout.amount if open_payout and not open_payout.is_over else 0
    if out := balance - due:
        detail = f"{balance} is in payout to {party}, and its open payout is of {due}."
        yield Finding("in_payout", party, detail, out)


def counted(payout: Payout) -> dict[str, int]:
    """What a payout adds to the tally of its batch."""
    found = {"payouts": 1, "amount": payout.amount, "netted": payout.netted}
    if payout.outcome:
        found |= {payout.outcome: 1, f"{payout.outcome}_amount": payout.amount}
    return found


def batches(batch: Batch, tally: Tally, due: Mapping[str, int]) -> Iterator[Finding]:
    """A batch says what its payouts, added up in `due`, come to, and ends with them."""
    for name in COUNTED:
        kept = getattr(tally, name)
        if out := kept - due.get(name, 0):
            detail = f"Batch {batch.id} counts {kept} as {name}, and its payouts are {kept - out}."
            yield Finding("batches", batch.id, detail, out)
    for name in FIXED if batch.status != "preparing" else ():
        said = getattr(batch, name)
        if out := said - due.get(name, 0):
            detail = f"Batch {batch.id} says {said} as {name}, and its payouts are {said - out}."
            yield Finding("batches", batch.id, detail, out)
    over = sum(due.get(each, 0) for each in ("paid", "returned", "failed", "cancelled", "offset"))
    if batch.ended_at and over != due.get("payouts", 0):
        detail = f"Batch {batch.id} is {batch.status}, and not all of its payouts are over."
        yield Finding("batches", batch.id, detail)
