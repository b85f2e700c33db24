"""The local provider: signs its events as Standard Webhooks 1.0.0 says, and moves no real money.

`make pay` plays it. It pays refunds back at once, as card networks mostly do.
"""

import binascii
import json
from collections.abc import Mapping
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from chalicelib.kernel.errors import Malformed
from chalicelib.payments.providers import (
    DisputeOutcome,
    InvalidSignature,
    PaymentDisputed,
    PaymentRequest,
    PaymentSucceeded,
    ProviderEvent,
    RefundAnswer,
    RefundRequest,
    RefundSettled,
)
from chalicelib.payments.providers.reading import currency, not_negative, positive, text
from chalicelib.platform.secrets import secret

SIGNED_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


class LocalProvider:
    """See `PaymentProvider`."""

    name = "local"

    def takes(self, currency: str) -> bool:
        return True

    def start(self, asked: PaymentRequest) -> str | None:
        return None

    def stop(self, asked: PaymentRequest) -> PaymentSucceeded | None:
        """Nothing to stop: whoever plays it may pay at any time, and late money goes its way."""
        return None

    def read_event(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent | None:
        self._verify(headers, body)
        try:
            document = json.loads(body)
            return _event(document["type"], document["data"])
        except (ValueError, KeyError, TypeError):
            raise Malformed("The event is signed but cannot be read.") from None

    def refund(self, asked: RefundRequest) -> RefundAnswer:
        return RefundAnswer("succeeded", asked.attempt)

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
                text(data["reference"]),
                text(data["payment_id"]),
                positive(data["amount"]),
                currency(data["currency"]),
            )
        case "refund.succeeded" | "refund.failed":
            return RefundSettled(
                text(data["refund_id"]),
                positive(data.get("attempt", 1)),
                succeeded=kind == "refund.succeeded",
            )
        case "dispute.created" | "dispute.closed":
            return PaymentDisputed(
                text(data["dispute_id"]),
                text(data["reference"]),
                positive(data["amount"]),
                not_negative(data.get("fee", 0)),
                currency(data["currency"]),
                _outcome(data["outcome"]) if kind == "dispute.closed" else None,
            )
        case _:
            return None


def _outcome(told: Any) -> DisputeOutcome:
    outcomes: Mapping[Any, DisputeOutcome] = {"won": "won", "lost": "lost"}
    return outcomes[told]
