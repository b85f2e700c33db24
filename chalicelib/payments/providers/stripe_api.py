"""How Stripe is asked: over its own library, once, and what its answers and silences mean.

The library is dear to import, so only a call or an event of Stripe's does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from chalicelib.payments.providers import OutcomeUnknown, Refused

if TYPE_CHECKING:
    from stripe import V1Services

T = TypeVar("T")

CONNECT_SECONDS, READ_SECONDS = 2, 8

# Stripe counts these in other units than ISO 4217 does, or not to the last digit.
NOT_TAKEN = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "MGA", "OMR", "TND", "UGX"})
# Without a minor unit of its own, yet counted in hundredths by Stripe.
IN_HUNDREDTHS = frozenset({"ISK"})


@cache
def services(api_key: str, api_base: str) -> V1Services:
    """Stripe's API. It asks once: what gets no answer is asked again by whoever looks after it."""
    import logging

    import requests
    from stripe import RequestsClient, StripeClient

    # Below this, the library logs bodies, and client secrets are in them.
    logging.getLogger("stripe").setLevel(logging.WARNING)
    session = requests.Session()
    session.trust_env = False  # no proxy that the environment names
    return StripeClient(
        api_key,
        base_addresses={"api": api_base},
        max_network_retries=0,
        http_client=RequestsClient(timeout=(CONNECT_SECONDS, READ_SECONDS), session=session),
    ).v1


def ask(call: Callable[[], T]) -> T:
    """What Stripe answers. Raises Refused where it has clearly done nothing, else OutcomeUnknown.

    Wrong credentials are no refusal: once they are mended, the same call goes through.
    """
    from stripe import CardError, InvalidRequestError, StripeError

    try:
        return call()
    except (InvalidRequestError, CardError) as error:
        raise Refused(error.code or "invalid_request") from error
    except StripeError as error:
        raise OutcomeUnknown(type(error).__name__) from error


def look_up(call: Callable[[], T]) -> T:
    """What Stripe shows. That it shows nothing does not say that there is nothing."""
    try:
        return ask(call)
    except Refused as refusal:
        raise OutcomeUnknown(str(refusal)) from refusal


def is_kept_failure(unknown: OutcomeUnknown) -> bool:
    """Whether Stripe has answered its own failure again: what has failed under a key fails under
    it for a day."""
    headers = getattr(unknown.__cause__, "headers", {})
    return bool(headers.get("Idempotent-Replayed") == "true")


def to_stripe(minor_units: int, currency: str) -> int:
    return minor_units * 100 if currency in IN_HUNDREDTHS else minor_units


def from_stripe(units: int, currency: str) -> int:
    return units // 100 if currency in IN_HUNDREDTHS else units
