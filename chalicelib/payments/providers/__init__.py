"""The port to payment providers, and which of them this stack has."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from chalicelib.kernel.errors import Malformed, NotFound


@dataclass(frozen=True)
class PaymentSucceeded:
    """A provider took a customer's money. `reference` is its own id of the charge."""

    reference: str
    payment_id: str
    amount: int
    currency: str


@dataclass(frozen=True)
class RefundSettled:
    """A provider is done with a refund of ours."""

    refund_id: str
    succeeded: bool


ProviderEvent = PaymentSucceeded | RefundSettled
RefundOutcome = Literal["succeeded", "pending", "failed"]


class InvalidSignature(Malformed):
    """An event that its provider has not signed, or not just now."""

    default_code = "invalid_signature"


class OutcomeUnknown(Exception):
    """The provider gave no clear answer: it may or may not have done what was asked."""


class PaymentProvider(Protocol):
    """What Tuan needs of a provider. Calls carry our ids as idempotency keys: twice is once."""

    name: str

    def read_event(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent | None:
        """The event in a callback; None where its kind does not matter. Raises InvalidSignature."""

    def refund(self, refund_id: str, reference: str, amount: int, currency: str) -> RefundOutcome:
        """Send money back from the charge `reference`, once a refund id. Raises OutcomeUnknown."""


def takes_cards() -> bool:
    """Whether this stack has a provider that takes cards."""
    return "LOCAL_PROVIDER_SECRET" in os.environ


def provider(name: str) -> PaymentProvider:
    """The provider of that name. Raises NotFound where this stack has none."""
    if name == "local" and takes_cards():
        from chalicelib.payments.providers.local import LocalProvider

        return LocalProvider()
    raise NotFound("There is no such payment provider.")
