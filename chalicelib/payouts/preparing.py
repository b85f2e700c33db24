"""Gathers what parties have coming: page by page, one transaction and one payout a party."""

from collections.abc import Callable, Mapping, Set
from dataclasses import replace
from typing import Literal

from chalicelib.cases import service as cases
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Stale
from chalicelib.leaving.service import may_be_paid
from chalicelib.ledger import store as ledger
from chalicelib.ledger.store import AccountsRow, OutOfBounds
from chalicelib.parties import store as parties
from chalicelib.payouts import account_store, accounts, batch_store, hold_store, postings, rules
from chalicelib.payouts import store as payouts
from chalicelib.payouts.asking import ask_for_page
from chalicelib.payouts.batch_store import PageRow
from chalicelib.payouts.rules import (
    NEEDS,
    Batch,
    LeftOut,
    Party,
    PartyRole,
    Payout,
    SealedAccount,
    Standing,
    WhyLeftOut,
)
from chalicelib.platform.log import logger
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Transaction, write
from chalicelib.suppliers import owing

PARTIES_A_PAGE = 100
NEXT_PARTIES: Mapping[PartyRole, Callable[[str | None, int], list[str]]] = {
    "leader": parties.leader_ids_after,
    "supplier": parties.supplier_ids_after,
}
# What became of a party that was looked at.
Looked = Literal["taken", "nothing", "left out"]


def prepare_page(batch: Batch, number: int, after: str | None, *, give_up: bool) -> None:
    """List a page of parties, ask for the next one, and take what those of this one have coming.

    A party that fails holds back its page, and none of the other parties; `give_up` leaves such
    parties out, each with a case.
    """
    page = batch_store.get_page(batch.id, number) or _new_page(batch, number, after)
    if not page.is_last and batch_store.get_page(batch.id, number + 1) is None:
        ask_for_page(batch.id, number + 1, after=page.party_ids[-1])
    if page.is_open:
        _close(batch, page, _take_each(batch, page, give_up=give_up))
    # Behind the page, which no case holds up; what is missed here the next batch finds.
    if batch.role == "supplier":
        owing.look(page.party_ids, batch.currency, batch.id)


def _new_page(batch: Batch, number: int, after: str | None) -> PageRow:
    listed = NEXT_PARTIES[batch.role](after, PARTIES_A_PAGE + 1)
    of_page, more = listed[:PARTIES_A_PAGE], len(listed) > PARTIES_A_PAGE
    try:
        write(batch_store.add_page(batch.id, number, of_page, is_last=not more))
    except Stale:
        logger.info("page was listed meanwhile", payout_batch_id=batch.id)
    page = batch_store.get_page(batch.id, number)
    if page is None:
        raise LookupError(f"page {number} of {batch.id} is gone")
    return page


def _close(batch: Batch, page: PageRow, left_out: int) -> None:
    """From now on no payout is added to the page. Whoever comes second changes nothing."""
    pages = page.number + 1 if page.is_last else 0
    tally = batch_store.count(
        batch.id, page.number, pages=pages, pages_prepared=1, left_out=left_out
    )
    try:
        write(batch_store.close_page(page), tally)
    except Stale:
        logger.info("page was closed meanwhile", payout_batch_id=batch.id)


def _take_each(batch: Batch, page: PageRow, *, give_up: bool) -> int:
    """Returns how many were left out. Raises, once all have had their turn, the first failure."""
    looked: list[Looked] = []
    failures: list[Exception] = []
    leaving = _leaving(batch, page)
    for party in _with_something(batch, page, leaving):
        try:
            looked.append(_take(batch, page, party))
        except Exception as error:
            logger.exception("party was not prepared", payout_batch_id=batch.id, party_id=party.id)
            failures.append(error)
            if give_up:
                batch_store.note_left_out(batch.id, LeftOut(party.key, 0, "failed"))
                _call_person(batch, party)
                looked.append("left out")
    if failures and not give_up:
        raise failures[0]
    return looked.count("left out")


def _leaving(batch: Batch, page: PageRow) -> set[str]:
    return parties.leaving_of(page.party_ids) if batch.role == "leader" else set()


def _with_something(batch: Batch, page: PageRow, leaving: Set[str]) -> list[Party]:
    """Those that may have enough coming in the batch's currency, by one read."""
    of_page = {party.key: party for party in (Party(batch.role, each) for each in page.party_ids)}
    balances = ledger.accounts_of_each(of_page)
    found = []
    for key, row in balances.items():
        party = of_page[key]
        standing = _standing(party, row, leaves=party.id in leaving)
        if row.currency != batch.currency:
            continue
        if batch.wants(standing):
            found.append(party)
        elif standing.left:
            below = LeftOut(key, standing.left, "below_minimum")
            batch_store.note_left_out(batch.id, below)
    return found


@retry_stale
def _take(batch: Batch, page: PageRow, party: Party) -> Looked:
    payout_id = rules.payout_id(batch.id, party)
    if payouts.get_payout(payout_id):
        return "taken"
    leaves = party.role == "leader" and parties.is_leaving(party.id)
    standing = _standing(party, ledger.accounts_of(party.key), leaves=leaves)
    if not batch.wants(standing):
        return "nothing"
    # In this order, so that whoever is not held for another account is paid to that one.
    held = hold_store.is_held(party)
    account = account_store.get_account(party)
    reason = _why_not(batch, party, account, held=held, leaves=leaves) if standing.left else None
    if reason:
        batch_store.note_left_out(batch.id, LeftOut(party.key, standing.left, reason))
        return "left out"
    payout = _payout(batch, page, party, standing, account)
    try:
        _commit(payout, page, leaves=leaves)
    except OutOfBounds:
        raise Stale from None
    return "taken"


def _why_not(
    batch: Batch, party: Party, account: SealedAccount | None, *, held: bool, leaves: bool
) -> WhyLeftOut | None:
    """Why a party that has enough coming cannot be sent it."""
    needed = NEEDS[batch.method]
    unfit = _why_unfit(batch, party, account) if needed else None
    if unfit:
        return unfit
    if payouts.has_open(party):
        return "open_payout"
    if held:
        return "returned"
    return "leaving" if leaves and not may_be_paid(party.id) else None


def _why_unfit(batch: Batch, party: Party, account: SealedAccount | None) -> WhyLeftOut | None:
    """Why a batch that pays into accounts cannot pay into this one."""
    if account is None:
        return "no_account"
    if account.kind != NEEDS[batch.method]:
        return "account_of_another_kind"
    return accounts.details_of(account.sealed, party).not_by_sepa if batch.by_sepa else None


def _commit(payout: Payout, page: PageRow, *, leaves: bool) -> None:
    transaction = Transaction()
    if payout.payee.role == "leader":
        transaction.add(parties.still_leaving(payout.payee.id, leaving=leaves))
    if payout.amount:
        transaction.add(hold_store.not_held(payout.payee))
    transaction.add(
        batch_store.still_open(page),
        *payouts.add_payout(payout),
        batch_store.count(
            payout.batch_id,
            page.number,
            payouts=1,
            amount=payout.amount,
            netted=payout.netted,
            offset=int(payout.outcome == "offset"),
        ),
        *postings.prepared(payout),
    )
    transaction.commit()


def _payout(
    batch: Batch, page: PageRow, party: Party, standing: Standing, account: SealedAccount | None
) -> Payout:
    now = clock.now()
    payout = Payout(
        id=rules.payout_id(batch.id, party),
        batch_id=batch.id,
        page=page.number,
        party=party.key,
        currency=batch.currency,
        method=batch.method,
        amount=standing.left,
        netted=standing.netted,
        made_at=now,
        version=1,
        account_kind=account.kind if account else None,
        sealed=account.sealed if account else None,
        last_four=account.last_four if account else None,
    )
    return payout if standing.left else replace(payout, outcome="offset", told_at=now)


def _standing(party: Party, row: AccountsRow, *, leaves: bool) -> Standing:
    return Standing(-getattr(row, party.coming), getattr(row, party.owed), leaves)


def _call_person(batch: Batch, party: Party) -> None:
    transaction = Transaction()
    detail = f"{party.id} could not be taken into payout batch {batch.id}, and was left out of it."
    cases.open_in(transaction, "payout_not_prepared", party.id, detail, occurrence=batch.id)
    transaction.commit()
