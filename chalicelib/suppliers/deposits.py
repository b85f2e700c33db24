"""What is held of a supplier as a security: received, returned, and drawn on."""

from dataclasses import dataclass, replace

from chalicelib.kernel import clock, ids
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.currencies import written
from chalicelib.kernel.errors import Conflict, Stale
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Bound
from chalicelib.ledger.store import OutOfBounds
from chalicelib.parties import service as parties
from chalicelib.platform.pages import Page, PageRequest, paged
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction
from chalicelib.suppliers import store as suppliers
from chalicelib.suppliers.remittances import Debt
from chalicelib.suppliers.rules import Deposit, DepositKind, Pays


@dataclass(frozen=True)
class Booked:
    """A movement of a deposit, and whether it was booked just now."""

    deposit: Deposit
    is_new: bool


@dataclass(frozen=True)
class Asked:
    """A movement that is asked for; `told` is what tells it from the next of its kind."""

    kind: DepositKind
    supplier_id: str
    amount: int
    told: str
    reference: str | None = None
    reason: str | None = None
    pays: Pays | None = None


@retry_stale
def book(asked: Asked, caller: Caller, recorder: Recorder | None) -> Booked:
    """Book a movement of a supplier's deposit, once.

    Raises NotFound, and Conflict where it was booked before otherwise, where less is held than is
    returned or drawn, or less is owed than is drawn for it: nothing is booked then.
    """
    wanted = _wanted(asked, parties.supplier(asked.supplier_id).currency, caller)
    before = suppliers.get_deposit(wanted.supplier_id, wanted.id)
    if before:
        return Booked(_the_same(before, wanted), is_new=False)
    booked = Booked(wanted, is_new=True)
    bounds = _bounds(wanted)
    transaction = Transaction(recorder)
    transaction.add(suppliers.add_deposit(wanted), *ledger.post(_entry(wanted), within=bounds))
    try:
        transaction.commit(booked)
    except OutOfBounds:
        raise _too_much(wanted) from None
    return booked


def add_in(transaction: Transaction, asked: Asked, caller: Caller, cash_account: str) -> str:
    """Add a deposit that was received before it was known to be one; its entry. Raises NotFound,
    and Conflict where its reference was booked before."""
    currency = parties.supplier(asked.supplier_id).currency
    wanted = replace(_wanted(asked, currency, caller), cash_account=cash_account)
    if suppliers.get_deposit(wanted.supplier_id, wanted.id):
        raise Conflict(
            f"The reference {wanted.reference} stands for a deposit already.",
            code="reference_reused",
        )
    transaction.add(suppliers.add_deposit(wanted), *ledger.post(_entry(wanted)))
    return wanted.entry_id


def deposits_for(supplier_id: str, caller: Caller, page: PageRequest) -> Page[Deposit]:
    """All movements of a supplier's deposit, newest first."""
    caller.must_be("supplier", supplier_id, "supplier")
    parties.supplier(supplier_id)
    return paged(suppliers.deposits_of(supplier_id), page)


def _wanted(asked: Asked, currency: str, caller: Caller) -> Deposit:
    return Deposit(
        id=ids.derived("dpo", asked.supplier_id, asked.kind, asked.told),
        supplier_id=asked.supplier_id,
        kind=asked.kind,
        amount=asked.amount,
        currency=currency,
        booked_at=clock.now(),
        booked_by=caller.id,
        reference=asked.reference,
        reason=asked.reason,
        pays=asked.pays,
    )


def _the_same(before: Deposit, wanted: Deposit) -> Deposit:
    if not wanted.says_the_same(before):
        raise Conflict(
            f"{_told(before)} was booked before: {before.kind} "
            f"{written(before.amount, before.currency)}{_for(before)}, at "
            f"{clock.to_text(before.booked_at)} by {before.booked_by}. Book what is not the same "
            f"under {_another(wanted)}.",
            code="reference_reused",
        )
    return before


def _told(deposit: Deposit) -> str:
    """By what a caller tells it from the next."""
    return f"The reference {deposit.reference}" if deposit.reference else "This Idempotency-Key"


def _another(deposit: Deposit) -> str:
    return "another reference" if deposit.reference else "another Idempotency-Key"


def _for(deposit: Deposit) -> str:
    return f" for {deposit.pays}, {deposit.reason}" if deposit.pays else ""


def _entry(deposit: Deposit) -> books.Entry:
    held = books.supplier_deposit(deposit.supplier_id)
    against = _paid(deposit) if deposit.pays else deposit.cash_account
    return books.entry(
        deposit.entry_id,
        deposit.currency,
        deposit.id,
        deposit.booked_at,
        {against: deposit.held, held: -deposit.held},
        note=deposit.reference or deposit.reason,
    )


def _paid(deposit: Deposit) -> str:
    """The account that is paid with what is drawn."""
    if deposit.pays == "fees":
        return books.supplier_owed(deposit.supplier_id)
    if deposit.pays == "payable":
        return books.supplier_payable(deposit.supplier_id)
    return books.PLATFORM_REVENUE


def _bounds(deposit: Deposit) -> list[Bound]:
    """No more is returned or drawn than is held, and no more drawn for a debt than is owed."""
    party = f"supplier:{deposit.supplier_id}"
    bounds = [Bound(party, "deposit", at_most=0)] if deposit.held < 0 else []
    debt = {"fees": "owed", "payable": "payable"}.get(deposit.pays or "")
    return [*bounds, Bound(party, debt, at_least=0)] if debt else bounds


def _too_much(deposit: Deposit) -> Exception:
    """Why it is refused; Stale where so much has come in meanwhile that it fits."""
    accounts = ledger.accounts_of(f"supplier:{deposit.supplier_id}")
    asked = written(deposit.amount, deposit.currency)
    if -accounts.deposit < deposit.amount:
        held = written(-accounts.deposit, deposit.currency)
        return Conflict(
            f"Of the supplier {held} is held, less than {asked}.", code="more_than_deposited"
        )
    debt = Debt.of(accounts.owed, accounts.payable)
    owes = {"fees": debt.fees, "payable": debt.payable}.get(deposit.pays or "", deposit.amount)
    if owes < deposit.amount:
        in_fees, otherwise = (written(each, deposit.currency) for each in (debt.fees, debt.payable))
        return Conflict(
            f"The supplier owes {in_fees} in fees (`fees`) and {otherwise} that it was paid and "
            f"has to give back (`payable`); {asked} are more than it owes of `{deposit.pays}`.",
            code="more_than_owed",
        )
    return Stale()
