"""The payments table: receipts, and who bears refunds."""

from typing import Any

from pynamodb.attributes import UnicodeAttribute

from chalicelib.payments.rules import Bears, Receipt, RefundBearers, receipt_id
from chalicelib.platform import store
from chalicelib.platform.store import Key
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    RecordsAttribute,
    absent,
    table,
)
from chalicelib.platform.transaction import Put, create

RECEIPT, BEARERS = "receipt", "refund_bearers"

PaymentsMeta = table("PAYMENTS_TABLE")


class ReceiptRow(EntityRow[Receipt]):
    Meta = PaymentsMeta
    entity = Receipt

    provider = UnicodeAttribute()
    reference = UnicodeAttribute()
    payment_id = UnicodeAttribute()
    order_id = UnicodeAttribute(null=True)
    amount = IntegerAttribute()
    currency = UnicodeAttribute()
    received_at = InstantAttribute()

    @classmethod
    def keys(cls, entity: Receipt) -> dict[str, Any]:
        return {"pk": _receipt_pk(entity.id), "sk": RECEIPT}


class BearersRow(EntityRow[RefundBearers]):
    """Who pays for refunds now."""

    Meta = PaymentsMeta
    entity = RefundBearers

    version = IntegerAttribute()
    rules = RecordsAttribute(Bears)
    set_at = InstantAttribute()
    set_by = UnicodeAttribute()
    chargeback_fee = UnicodeAttribute(default="platform")

    @classmethod
    def keys(cls, entity: RefundBearers) -> dict[str, Any]:
        return {"pk": BEARERS, "sk": BEARERS}


def receipt_key(receipt_id: str) -> Key:
    return Key(ReceiptRow, _receipt_pk(receipt_id), RECEIPT)


def is_taken(receipt: Receipt) -> bool:
    return get_receipt(receipt.provider, receipt.reference) is not None


def get_receipt(provider: str, reference: str) -> Receipt | None:
    row = store.get(ReceiptRow, _receipt_pk(receipt_id(provider, reference)), RECEIPT)
    return row.to_entity() if row else None


def take(receipt: Receipt) -> Put:
    """The write that books a receipt once; Stale where it was booked meanwhile."""
    return create(ReceiptRow.of(receipt))


def refund_bearers() -> RefundBearers:
    row = store.get(BearersRow, BEARERS, BEARERS)
    return row.to_entity() if row else RefundBearers()


def set_refund_bearers(bearers: RefundBearers) -> Put:
    """Set the next version; Stale where another came first."""
    first = bearers.version == 1
    before = absent() if first else BearersRow.version == bearers.version - 1
    return Put(BearersRow.of(bearers), before)


def _receipt_pk(receipt_id: str) -> str:
    return f"{RECEIPT}#{receipt_id}"
