"""What the books, payouts and other statements say of a statement's account and lines."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from chalicelib.kernel import clock
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Entry, party_of
from chalicelib.payments import store as payments
from chalicelib.payments.rules import Chargeback, chargeback_id
from chalicelib.payouts import batch_store
from chalicelib.payouts import store as payouts
from chalicelib.platform.settings import settings
from chalicelib.reconciliation import claim_store
from chalicelib.reconciliation.lines import Booked, Line, Sent, Standing, deposit_id, payout_id
from chalicelib.suppliers import store as suppliers

CASH, BANK = "cash:", "cash:bank"
# The entries that move a provider's cash by one.
OF_CHARGEBACKS = ("chargeback", "chargeback-fee", "chargeback-won")
REFUND_DONE = "refund-done:"


def of_day(day: date) -> list[Booked]:
    """What entries of a business date have posted to cash, of any bank and provider."""
    zone = settings().zone
    after = clock.begin_of(day, zone) - timedelta(milliseconds=1)
    through = clock.begin_of(day + timedelta(days=1), zone) - timedelta(milliseconds=1)
    return _booked(ledger.entries_between(after, through))


def carried(account: str) -> list[Booked]:
    """What earlier statements have left, of whatever time."""
    standing: dict[str, Standing] = {
        each.entry_id: "missing" if each.missing else "in_transit"
        for each in claim_store.left(account)
    }
    found = _booked(ledger.get_entries(standing).values())
    return [
        replace(each, standing=standing[each.entry_id]) for each in found if each.account == account
    ]


def named(lines: Collection[Line], known: Sequence[Booked]) -> list[Booked]:
    """Entries of any time that lines name by id, beside those that are known."""
    keys = {key for each in known for key in each.keys}
    unknown = [line for line in lines if not keys.intersection(line.keys)]
    wanted = {entry_id for line in unknown for entry_id in _entry_ids(line)}
    return _booked(ledger.get_entries(wanted).values())


def with_chargebacks(lines: Sequence[Line], account: str) -> list[Line]:
    """The lines, where a provider names a dispute by its own id with what the books call it. No
    bank knows of disputes."""
    if account == BANK:
        return list(lines)
    provider = account.removeprefix(CASH)
    ids = {line.n: chargeback_id(provider, line.reference) for line in lines if line.reference}
    known = {each.id: each for each in payments.get_chargebacks(ids.values())}
    return [
        replace(line, means=_meant(known[ids[line.n]])) if ids.get(line.n) in known else line
        for line in lines
    ]


def _meant(chargeback: Chargeback) -> str:
    return " ".join(filter(None, (chargeback.id, chargeback.refund_id)))


def sent(lines: Iterable[Line], account: str) -> dict[str, Sent]:
    """Payouts from the account that lines name and that wait for their result, by key."""
    keys = {key: payout_id(key) for line in lines for key in line.own_ids}
    found = payouts.get_payouts(each for each in keys.values() if each)
    waiting = {each.id: each for each in found if not each.is_over}
    batches = batch_store.get_batches({each.batch_id for each in waiting.values()})
    return {
        key: Sent(payout.id, payout.amount, payout.currency)
        for key, payout in ((key, waiting.get(each or "")) for key, each in keys.items())
        if payout and batches[payout.batch_id].is_sent and payout.cash_account == account
    }


def _entry_ids(line: Line) -> list[str]:
    """The entries that it may name, whenever they were posted."""
    payout_ids = [payout_id(key) for key in line.own_ids if payout_id(key)]
    refunds = [f"rfd_{key[3:]}" for key in line.own_ids if key.startswith("rfd")]
    chargebacks = [f"cbk_{key[3:]}" for key in line.own_ids if key.startswith("cbk")]
    return [
        *(f"payout-{kind}:{each}" for each in payout_ids for kind in ("paid", "returned")),
        *(f"refund-done:{each}" for each in refunds),
        *(f"{kind}:{each}" for each in chargebacks for kind in OF_CHARGEBACKS),
        *((f"receipt:stripe:{line.reference}",) if line.reference.startswith("pi_") else ()),
    ]


def _booked(of: Iterable[Entry]) -> list[Booked]:
    zone, entries = settings().zone, list(of)
    references = _references_of_deposits(entries) | _references_of_refunds(entries)
    found = [
        Booked(
            entry.id,
            posting.account,
            posting.amount,
            entry.currency,
            clock.business_date(entry.posted_at, zone).isoformat(),
            entry.subject,
            told=references.get(entry.subject) or references.get(entry.id, ""),
        )
        for entry in entries
        for posting in entry.postings
        if posting.account.startswith(CASH)
    ]
    return _with_claims(found)


def _references_of_deposits(entries: Iterable[Entry]) -> dict[str, str]:
    """By deposit; its entry has the id alone."""
    wanted = [
        (party[0].removeprefix("supplier:"), entry.subject)
        for entry in entries
        if deposit_id(entry.subject)
        for posting in entry.postings
        if (party := party_of(posting.account))
    ]
    return {each.id: each.reference or "" for each in suppliers.get_deposits(wanted)}


def _references_of_refunds(entries: Iterable[Entry]) -> dict[str, str]:
    """By the entries of those that were handed back from the bank."""
    by_hand = {
        entry.id.removeprefix(REFUND_DONE): entry.id
        for entry in entries
        if entry.id.startswith(REFUND_DONE)
        and any(posting.account == BANK for posting in entry.postings)
    }
    return {by_hand[each.id]: each.reference or "" for each in payments.get_refunds(by_hand)}


def _with_claims(found: Sequence[Booked]) -> list[Booked]:
    claims = claim_store.claimed_entries(each.name for each in found)
    return [replace(each, is_claimed=each.name in claims) for each in found]
