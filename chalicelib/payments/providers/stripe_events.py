"""What Stripe tells: events under its signature, read into the port's own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from chalicelib.kernel.errors import Malformed
from chalicelib.payments.providers import (
    DisputeOutcome,
    InvalidSignature,
    NeedsPerson,
    PaymentDisputed,
    PaymentSucceeded,
)
from chalicelib.payments.providers.reading import positive, text
from chalicelib.payments.providers.stripe_api import from_stripe

SIGNED_WITHIN_SECONDS = 300


@dataclass(frozen=True)
class RefundMoved:
    """Something has become of an attempt of a refund of ours; `id` is Stripe's own."""

    id: str
    refund_id: str
    attempt: int


StripeEvent = PaymentSucceeded | RefundMoved | PaymentDisputed | NeedsPerson
OUTCOMES: Mapping[str, DisputeOutcome] = {"won": "won", "lost": "lost"}


def read(signature: str | None, body: bytes, secret: str) -> StripeEvent | None:
    """Raises InvalidSignature, or Malformed for a signed event that cannot be read."""
    _verify(signature, body, secret)
    try:
        said = json.loads(body)
        return _event(said["type"], said["data"]["object"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Malformed("The event is signed but cannot be read.") from None


def payment(intent: Mapping[str, Any]) -> PaymentSucceeded:
    """What an intent has brought in. One that bears no payment of ours is named by its own id."""
    currency = _currency(intent)
    return PaymentSucceeded(
        reference=text(intent["id"]),
        payment_id=text(intent["metadata"].get("payment_id") or intent["id"]),
        amount=from_stripe(positive(intent["amount_received"]), currency),
        currency=currency,
    )


def _verify(signature: str | None, body: bytes, secret: str) -> None:
    from stripe import SignatureVerificationError, WebhookSignature

    try:
        WebhookSignature.verify_header(body, signature, secret, SIGNED_WITHIN_SECONDS)
    # The library lets the others through for bodies and headers that are not even plain text.
    except (SignatureVerificationError, UnicodeDecodeError, TypeError):
        raise InvalidSignature("The event is not signed by Stripe, or too long ago.") from None


def _event(kind: str, about: Mapping[str, Any]) -> StripeEvent | None:
    match kind:
        case "payment_intent.succeeded":
            return payment(about)
        case "refund.created" | "refund.updated" | "refund.failed":
            return _refund(about)
        case "charge.dispute.created" | "charge.dispute.funds_withdrawn" | "charge.dispute.closed":
            return _disputed(about)
        case _:
            return None


def _refund(told: Mapping[str, Any]) -> RefundMoved | NeedsPerson:
    metadata = told["metadata"] or {}
    if "refund_id" not in metadata:
        return _for_a_person("foreign_refund", told)
    attempt = positive(int(metadata.get("attempt", 1)))
    return RefundMoved(text(told["id"]), text(metadata["refund_id"]), attempt)


def _disputed(about: Mapping[str, Any]) -> PaymentDisputed | NeedsPerson | None:
    """An inquiry, whose status is a warning, takes no money: a person answers it."""
    status = about.get("status", "")
    if status == "warning_closed":
        return None
    if status.startswith("warning"):
        return _for_a_person("payment_disputed", about)
    currency = _currency(about)
    # A fee is booked in the currency that Stripe keeps it in, which may be another.
    moved = (each for each in about.get("balance_transactions") or ())
    fees = (positive(n["fee"]) for n in moved if n["fee"] > 0 and _currency(n) == currency)
    return PaymentDisputed(
        dispute=text(about["id"]),
        reference=text(about.get("payment_intent") or about["charge"]),
        amount=from_stripe(positive(about["amount"]), currency),
        fee=from_stripe(sum(fees), currency),
        currency=currency,
        outcome=OUTCOMES.get(status),
    )


def _for_a_person(
    kind: Literal["payment_disputed", "foreign_refund"], about: Mapping[str, Any]
) -> NeedsPerson:
    currency = _currency(about)
    return NeedsPerson(
        kind,
        subject=text(about["id"]),
        reference=text(about.get("payment_intent") or about["charge"]),
        amount=from_stripe(positive(about["amount"]), currency),
        currency=currency,
    )


def _currency(about: Mapping[str, Any]) -> str:
    return text(about["currency"]).upper()
