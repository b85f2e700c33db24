"""The local provider: signs its events as Standard Webhooks 1.0.0 says, and moves no real money.

`make pay` plays it. It pays refunds back at once, as card networks mostly do.
"""

import binascii
import json
from collections.abc import Mapping
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from chalicelib.kernel.currencies import is_currency
from chalicelib.kernel.errors import Malformed
from chalicelib.payments.providers import (
    InvalidSignature,
    PaymentSucceeded,
    ProviderEvent,
    RefundOutcome,
    RefundSettled,
)
from chalicelib.platform.secrets import secret

# Far above any order, and far below what a number in DynamoDB holds.
MAX_AMOUNT = 10**15
SIGNED_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


class LocalProvider:
    """See `PaymentProvider`."""

    name = "local"

    def read_event(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent | None:
        self._verify(headers, body)
        try:
            document = json.loads(body)
            return _event(document["type"], document["data"])
        except (ValueError, KeyError, TypeError):
            raise Malformed("The event is signed but cannot be read.") from None

    def refund(self, refund_id: str, reference: str, amount: int, currency: str) -> RefundOutcome:
        return "succeeded"

    def _verify(self, headers: Mapping[str, str], body: bytes) -> None:
        signed = {name: headers.get(name, "") for name in SIGNED_HEADERS}
        try:
            Webhook(secret("LOCAL_PROVIDER_SECRET").encode()).verify(body, signed)
        # The library lets these through for headers that are not even well formed.
        except (WebhookVerificationError, ValueError, binascii.Error, OverflowError):
            raise InvalidSignature(
                "The event is not signed by the provider, or too long ago."
            ) from None


def _event(kind: str, data: Mapping[str, Any]) -> ProviderEvent | None:
    match kind:
        case "payment.succeeded":
            return PaymentSucceeded(
                _text(data["reference"]),
                _text(data["payment_id"]),
                _amount(data["amount"]),
                _currency(data["currency"]),
            )
        case "refund.succeeded" | "refund.failed":
            return RefundSettled(_text(data["refund_id"]), succeeded=kind == "refund.succeeded")
        case _:
            return None


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 255 or not value.isprintable():
        raise ValueError("expected a short text")
    return value


def _amount(value: Any) -> int:
    if type(value) is not int or not 0 < value <= MAX_AMOUNT:
        raise ValueError("expected a positive whole amount")
    return value


def _currency(value: Any) -> str:
    if not isinstance(value, str) or not is_currency(value):
        raise ValueError("expected an ISO 4217 currency")
    return value
