"""What the books, payouts and other statements say of a statement's account and lines."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from chalicelib.kernel import clock
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Entry, party_of
from chalicelib.payments import chargeback_store, refund_store
from chalicelib.payments.rules import Chargeback, chargeback_id
from chalicelib.payouts import batch_store
from chalicelib.payouts import store as payouts
from chalicelib.payouts.rules import Payout
from chalicelib.platform.settings import settings
from chalicelib.reconciliation import claim_store
from chalicelib.reconciliation.lines import Booked, Line, Sent, Standing, payout_id
from chalicelib.suppliers import store as suppliers
from chalicelib.suppliers.remittances import SupplierRemittance
from chalicelib.suppliers.rules import Deposit

CASH, BANK = "cash:", "cash:bank"
# The entries that move a provider's cash by one.
OF_CHARGEBACKS = ("chargeback", "chargeback-fee", "chargeback-won")
# What the ids of suppliers' transfers begin with.
DEPOSIT, REMITTANCE = "dpo_", "rem_"
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
    """The lines, where a provider names a dispute by its own id with what the books call it, and a
    fee that comes back as one. No bank knows of disputes."""
    if account == BANK:
        return list(lines)
    provider = account.removeprefix(CASH)
    ids = {line.n: chargeback_id(provider, line.reference) for line in lines if line.reference}
    known = {each.id: each for each in chargeback_store.get_chargebacks(ids.values())}
    return [_of(line, known[ids[line.n]]) if ids.get(line.n) in known else line for line in lines]


def _of(line: Line, chargeback: Chargeback) -> Line:
    meant = " ".join(filter(None, (chargeback.id, chargeback.refund_id)))
    gives_fee_back = 0 < line.amount == chargeback.fee != chargeback.amount
    return replace(line, means=meant, kind="fee" if gives_fee_back else line.kind)


def sent(lines: Iterable[Line], account: str) -> dict[str, Sent]:
    """Payouts from the account that lines name, by key: what was sent, or told not to be."""
    keys = {key: payout_id(key) for line in lines for key in line.own_ids}
    found = payouts.get_payouts(each for each in keys.values() if each)
    here = {each.id: each for each in found if each.cash_account == account}
    batches = batch_store.get_batches({each.batch_id for each in here.values()})
    known = {
        each.id: _sent(each)
        for each in here.values()
        if each.is_over or batches[each.batch_id].is_sent
    }
    return {key: known[each] for key, each in keys.items() if each in known}


def _sent(payout: Payout) -> Sent:
    told = payout.outcome if payout.is_over else None
    return Sent(payout.id, payout.amount, payout.currency, told or "")


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
    references = _references_of_suppliers(entries) | _references_of_refunds(entries)
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


def _references_of_suppliers(entries: Sequence[Entry]) -> dict[str, str]:
    """By deposit and by remittance; their entries have the id alone."""
    found: list[Deposit | SupplierRemittance] = [
        *suppliers.get_deposits(_of_suppliers(entries, DEPOSIT)),
        *suppliers.get_remittances(_of_suppliers(entries, REMITTANCE)),
    ]
    return {each.id: each.reference or "" for each in found}


def _of_suppliers(entries: Iterable[Entry], prefix: str) -> list[tuple[str, str]]:
    """Whose they are, with the ids of what entries tell of. Leaders have remittances too."""
    return [
        (party[0].removeprefix("supplier:"), entry.subject)
        for entry in entries
        if entry.subject.startswith(prefix)
        for posting in entry.postings
        if (party := party_of(posting.account)) and party[0].startswith("supplier:")
    ]


def _references_of_refunds(entries: Iterable[Entry]) -> dict[str, str]:
    """By the entries of those that were handed back from the bank."""
    by_hand = {
        entry.id.removeprefix(REFUND_DONE): entry.id
        for entry in entries
        if entry.id.startswith(REFUND_DONE)
        and any(posting.account == BANK for posting in entry.postings)
    }
    return {by_hand[each.id]: each.reference or "" for each in refund_store.get_refunds(by_hand)}


def _with_claims(found: Sequence[Booked]) -> list[Booked]:
    claims = claim_store.claimed_entries(each.name for each in found)
    return [replace(each, is_claimed=each.name in claims) for each in found]
