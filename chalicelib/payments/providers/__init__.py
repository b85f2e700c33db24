"""The port to payment providers, and which of them this stack has."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from chalicelib.kernel.errors import Malformed, NotFound


@dataclass(frozen=True)
class PaymentRequest:
    """What a provider is to take from a customer, once; in the currency's minor unit.

    `asked_at` is when the order was placed: nobody has asked for the payment before.
    """

    payment_id: str
    order_id: str
    amount: int
    currency: str
    asked_at: datetime


@dataclass(frozen=True)
class RefundRequest:
    """What a provider is to send back from the charge `reference`, once an attempt.

    A new attempt is made only where all before it have failed. Where it is not `to_be_made`, what
    was not made before has failed.
    """

    refund_id: str
    attempt: int
    reference: str
    amount: int
    currency: str
    to_be_made: bool = True

    @property
    def key(self) -> str:
        """The attempt's identity."""
        return self.refund_id if self.attempt == 1 else f"{self.refund_id}-{self.attempt}"


@dataclass(frozen=True)
class PaymentSucceeded:
    """A provider took a customer's money. `reference` is its own id of the charge."""

    reference: str
    payment_id: str
    amount: int
    currency: str


@dataclass(frozen=True)
class RefundSettled:
    """A provider is done with an attempt of a refund of ours."""

    refund_id: str
    attempt: int
    succeeded: bool


@dataclass(frozen=True)
class NeedsPerson:
    """Money moved, or may, in a way that Tuan neither asked for nor has a rule for.

    `subject` is the provider's id of it, `reference` of the charge it is about.
    """

    kind: Literal["payment_disputed", "foreign_refund"]
    subject: str
    reference: str
    amount: int
    currency: str


DisputeOutcome = Literal["won", "lost"]


@dataclass(frozen=True)
class PaymentDisputed:
    """A customer's bank has taken a payment back, `outcome` None, or is done with that.

    `dispute` is the provider's id of it, `reference` of the charge; the provider keeps `fee` of
    its own beside the amount.
    """

    dispute: str
    reference: str
    amount: int
    fee: int
    currency: str
    outcome: DisputeOutcome | None = None


ProviderEvent = PaymentSucceeded | RefundSettled | PaymentDisputed | NeedsPerson
RefundOutcome = Literal["succeeded", "pending", "failed"]


@dataclass(frozen=True)
class RefundAnswer:
    """What has become of a refund, by which of its attempts: a former one where it turns out that
    it had not failed, and no other is made then."""

    outcome: RefundOutcome
    attempt: int


class InvalidSignature(Malformed):
    """An event that its provider has not signed, or not just now."""

    default_code = "invalid_signature"


class OutcomeUnknown(Exception):
    """The provider gave no clear answer: it may or may not have done what was asked."""


class Refused(Exception):
    """The provider has not done what was asked, and never will; in its own code of the reason."""


class PaymentProvider(Protocol):
    """What Tuan needs of a provider. Calls carry our ids as idempotency keys: twice is once."""

    name: str

    def takes(self, currency: str) -> bool:
        """Whether every amount of the currency can be paid and refunded to the minor unit."""

    def start(self, asked: PaymentRequest) -> str | None:
        """The secret with which the customer's device pays; None where it needs none.

        Raises Refused, OutcomeUnknown.
        """

    def stop(self, asked: PaymentRequest) -> PaymentSucceeded | None:
        """See to it that the payment can no longer be made, whether it was started or not.

        Returns the payment where it was made before. Raises OutcomeUnknown while it still may be.
        """

    def read_event(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent | None:
        """The event in a callback; None where its kind does not matter.

        Raises InvalidSignature, and OutcomeUnknown where the provider must send it again.
        """

    def refund(self, asked: RefundRequest) -> RefundAnswer:
        """Send money back, however often an attempt is asked for. Raises OutcomeUnknown."""


def card_provider() -> str | None:
    """The provider by which new card orders are paid; None where this stack takes no cards."""
    return next((name for name, secret in _SECRETS.items() if secret in os.environ), None)


def provider(name: str) -> PaymentProvider:
    """The provider of that name. Raises NotFound where this stack has none."""
    if _SECRETS.get(name, "") not in os.environ:
        raise NotFound("There is no such payment provider.")
    if name == "stripe":
        from chalicelib.payments.providers.stripe import StripeProvider

        return StripeProvider()
    from chalicelib.payments.providers.local import LocalProvider

    return LocalProvider()


# The variable that names each one's secret; the first that a stack has takes its cards.
_SECRETS = {"stripe": "STRIPE_SECRET", "local": "LOCAL_PROVIDER_SECRET"}
