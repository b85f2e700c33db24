"""Calls a person where a supplier owes of what it was paid: each debt once, however long it stands.

Refunds, chargebacks and fines that come after a payout leave `payable` below zero. New deliveries
pay it, and so may a deposit or a transfer of the supplier's.
"""

from collections.abc import Sequence

from chalicelib.cases import service as cases
from chalicelib.kernel.currencies import written
from chalicelib.ledger import store as ledger
from chalicelib.ledger.store import AccountsRow
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Transaction
from chalicelib.suppliers import store as suppliers


def look(supplier_ids: Sequence[str], currency: str, batch_id: str) -> None:
    """Open a case of each of them that a batch of payouts finds in debt, and close that of each
    which owes no more."""
    told = suppliers.told_to_owe(supplier_ids)
    balances = ledger.accounts_of_each(f"supplier:{each}" for each in supplier_ids)
    for supplier_id in supplier_ids:
        accounts = balances.get(f"supplier:{supplier_id}")
        if accounts is None or accounts.currency != currency:
            continue
        if (accounts.payable > 0) != (supplier_id in told):
            _tell(supplier_id, batch_id)


@retry_stale
def _tell(supplier_id: str, batch_id: str) -> None:
    accounts = ledger.accounts_of(f"supplier:{supplier_id}")
    by = suppliers.told_to_owe([supplier_id]).get(supplier_id)
    transaction = Transaction()
    if accounts.payable > 0 and by is None:
        transaction.add(suppliers.tell_to_owe(supplier_id, batch_id))
        detail = _detail(supplier_id, accounts)
        cases.open_in(transaction, "supplier_owes", supplier_id, detail, occurrence=batch_id)
    elif accounts.payable <= 0 and by is not None:
        transaction.add(suppliers.owes_no_more(supplier_id, by))
        note = f"It owes nothing any more, as batch {batch_id} has found."
        cases.close_in(transaction, "supplier_owes", supplier_id, note, occurrence=by)
    else:
        return
    transaction.commit()


def _detail(supplier_id: str, accounts: AccountsRow) -> str:
    currency = accounts.currency or ""
    return (
        f"Supplier {supplier_id} owes {written(accounts.payable, currency)}: more was taken back "
        f"than it had coming. {written(-accounts.deposit, currency)} of deposit is held. What it "
        "delivers next pays it; or draw on the deposit for `payable`, or claim it and book its "
        "transfer as a remittance."
    )
