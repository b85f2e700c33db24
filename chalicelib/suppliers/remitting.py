"""What suppliers transfer pays what they owe, once by its reference; what was booked by mistake is
reversed."""

from chalicelib.kernel import clock, ids
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.currencies import written
from chalicelib.kernel.errors import Conflict, NotFound, Stale
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Bound
from chalicelib.ledger.store import OutOfBounds
from chalicelib.parties import service as parties
from chalicelib.parties.remittances import Remitted, reversed_again, told_again
from chalicelib.platform.pages import Page, PageRequest, paged
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction
from chalicelib.suppliers import store as suppliers
from chalicelib.suppliers.remittances import Debt, SupplierRemittance


@retry_stale
def remit(
    supplier_id: str, amount: int, reference: str, caller: Caller, recorder: Recorder | None
) -> Remitted[SupplierRemittance]:
    """Book what a supplier has transferred: it pays fees first, then what else is owed.

    Raises NotFound, and Conflict where the reference stands for another amount or was reversed, or
    where the supplier does not owe as much: nothing is booked then.
    """
    supplier = parties.supplier(supplier_id)
    remittance_id = ids.derived("rem", supplier_id, reference)
    before = suppliers.get_remittance(supplier_id, remittance_id)
    if before:
        return Remitted(told_again(before, amount), is_new=False)
    debt = _debt(supplier_id)
    if debt.whole < amount:
        raise _too_much(debt, amount, supplier.currency)
    fees, payable = debt.paid_by(amount)
    remittance = SupplierRemittance(
        id=remittance_id,
        supplier_id=supplier_id,
        amount=amount,
        fees=fees,
        payable=payable,
        currency=supplier.currency,
        reference=reference,
        received_at=clock.now(),
        booked_by=caller.id,
    )
    remitted = Remitted(remittance, is_new=True)
    transaction = Transaction(recorder)
    transaction.add(
        suppliers.add_remittance(remittance),
        *ledger.post(_entry(remittance), within=_no_further(remittance)),
    )
    try:
        transaction.commit(remitted)
    except OutOfBounds:
        raise Stale from None
    return remitted


@retry_stale
def reverse(
    supplier_id: str, remittance_id: str, reason: str, caller: Caller, recorder: Recorder | None
) -> SupplierRemittance:
    """Take back what was booked by mistake: the supplier owes it again.

    Raises NotFound, or Conflict where it was reversed for another reason.
    """
    remittance = suppliers.get_remittance(supplier_id, remittance_id)
    if remittance is None:
        raise NotFound("There is no such remittance of this supplier.")
    if remittance.reversed_at:
        return reversed_again(remittance, reason)
    now = clock.now()
    after = remittance.reversed(reason, caller.id, now)
    note = f"{remittance.reference}: {reason}"
    taking_back = books.reversal(_entry(remittance), remittance.reversal_id, now, note=note)
    transaction = Transaction(recorder)
    transaction.add(suppliers.reverse_remittance(after), *ledger.post(taking_back))
    transaction.commit(after)
    return after


def remittances_of(supplier_id: str, caller: Caller, page: PageRequest) -> Page[SupplierRemittance]:
    """A supplier's remittances, newest first."""
    caller.must_be("supplier", supplier_id, "supplier")
    parties.supplier(supplier_id)
    return paged(suppliers.remittances_of(supplier_id), page)


def _debt(supplier_id: str) -> Debt:
    accounts = ledger.accounts_of(f"supplier:{supplier_id}")
    return Debt.of(accounts.owed, accounts.payable)


def _too_much(debt: Debt, amount: int, currency: str) -> Conflict:
    return Conflict(
        f"The supplier owes {written(debt.fees, currency)} in fees and "
        f"{written(debt.payable, currency)} that it was paid and has to give back, less than "
        f"{written(amount, currency)}.",
        code="more_than_owed",
    )


def _no_further(remittance: SupplierRemittance) -> list[Bound]:
    """Each debt is paid down to nothing, and not beyond."""
    party = f"supplier:{remittance.supplier_id}"
    paid = {"owed": remittance.fees, "payable": remittance.payable}
    return [Bound(party, purpose, at_least=0) for purpose, amount in paid.items() if amount]


def _entry(remittance: SupplierRemittance) -> books.Entry:
    return books.entry(
        remittance.entry_id,
        remittance.currency,
        remittance.id,
        remittance.received_at,
        {
            books.cash("bank"): remittance.amount,
            books.supplier_owed(remittance.supplier_id): -remittance.fees,
            books.supplier_payable(remittance.supplier_id): -remittance.payable,
        },
        note=remittance.reference,
    )
