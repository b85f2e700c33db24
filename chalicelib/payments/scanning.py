"""The payments table read item by item, whatever each is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.payments.chargeback_store import CHARGEBACK, ChargebackRow
from chalicelib.payments.refund_store import REFUND, RefundRow
from chalicelib.payments.remittance_store import REMITTANCE, RemittanceRow
from chalicelib.payments.rules import Chargeback, Receipt, Refund, Remittance
from chalicelib.payments.store import RECEIPT, PaymentsMeta, ReceiptRow
from chalicelib.platform import store
from chalicelib.platform.table import Row


class AnyRow(Row):
    """A refund, a receipt, a chargeback or a remittance, by its key."""

    Meta = PaymentsMeta


@dataclass(frozen=True)
class Scanned:
    """What was found among some items of the table, and where to go on."""

    refunds: Sequence[Refund]
    receipts: Sequence[Receipt]
    chargebacks: Sequence[Chargeback]
    remittances: Sequence[Remittance]
    next_after: Any


def scanned(after: Any, size: int) -> Scanned:
    """The next `size` items of the table."""
    kinds = (REFUND, RECEIPT, CHARGEBACK, REMITTANCE)
    rows, behind = store.scan_page(AnyRow, kinds, size, after)
    keys = {kind: [(each.pk, kind) for each in rows if each.sk == kind] for kind in kinds}
    return Scanned(
        [row.to_entity() for row in store.get_many(RefundRow, keys[REFUND])],
        [row.to_entity() for row in store.get_many(ReceiptRow, keys[RECEIPT])],
        [row.to_entity() for row in store.get_many(ChargebackRow, keys[CHARGEBACK])],
        [row.to_entity() for row in store.get_many(RemittanceRow, keys[REMITTANCE])],
        behind,
    )
