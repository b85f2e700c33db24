"""Tests of an endpoint: a `ping` is sent while its owner waits, and shown with its answer.

The `ping` is stored before it is sent, with the request's key. So a repeat finds it and sends
nothing, and where the caller dies the sweep makes the attempt.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.platform.transaction import Recorder
from chalicelib.webhooks import delivering, endpoint_store
from chalicelib.webhooks import store as webhooks
from chalicelib.webhooks.endpoints import endpoint_for
from chalicelib.webhooks.rules import Attempt, Delivery, Endpoint
from chalicelib.webhooks.secrets import signed_headers

# What the answer says beyond the `ping` as it was made.
TOLD_AFTERWARDS = ("status", "attempts", "waits", "next_attempt_at", "request", "answer")


@dataclass(frozen=True)
class RequestSent:
    """What was sent: the signature is the one that the endpoint was shown."""

    url: str
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class AnswerHeard:
    """How the endpoint answered; `status_code` is None where it did not."""

    status_code: int | None
    body: str
    duration_ms: int
    error: str | None


@dataclass(frozen=True, kw_only=True)
class Tested(Delivery):
    """The `ping` with its first attempt; None while that is under way. What was sent cannot be told
    any more once the endpoint has another address or secret."""

    request: RequestSent | None
    answer: AnswerHeard | None


def test(endpoint_id: str, caller: Caller, recorder: Recorder | None) -> Tested:
    """Send a `ping` now; `recorder` remembers it as it is made."""
    endpoint = endpoint_for(endpoint_id, caller)
    delivery = delivering.ping(endpoint, recorder)
    delivering.deliver(delivery, endpoint)
    return _tested(webhooks.get_delivery(delivery.id) or delivery, endpoint)


def as_made(delivery: Delivery) -> Tested:
    """The `ping` before anything came of it."""
    return Tested(**vars(delivery), request=None, answer=None)


def told_again(shown: Mapping[str, Any]) -> dict[str, Any]:
    """What came of a `ping` that was made by the same request before."""
    delivery = webhooks.get_delivery(shown["id"])
    if delivery is None:
        raise LookupError(f"{shown['id']} is not stored")
    tested = _tested(delivery, endpoint_store.get_endpoint(delivery.endpoint_id))
    return {name: getattr(tested, name) for name in TOLD_AFTERWARDS}


def _tested(delivery: Delivery, endpoint: Endpoint | None) -> Tested:
    if endpoint is None or not delivery.attempts:
        return as_made(delivery)
    made = delivery.attempts[0]
    return Tested(
        **vars(delivery),
        request=_request(delivery, endpoint, made)
        if delivery.called_as == endpoint.as_called
        else None,
        answer=AnswerHeard(made.status_code, made.answer, made.duration_ms, made.error),
    )


def _request(delivery: Delivery, endpoint: Endpoint, made: Attempt) -> RequestSent:
    headers = signed_headers(endpoint, delivery.id, delivery.body, clock.from_text(made.at))
    return RequestSent(endpoint.url, headers, delivery.body)
