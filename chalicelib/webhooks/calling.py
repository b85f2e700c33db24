"""One attempt: an endpoint is called with a signed body, and what came of it is told."""

from datetime import datetime, timedelta

from chalicelib.kernel import clock
from chalicelib.platform import http_out
from chalicelib.platform.settings import settings
from chalicelib.webhooks import rules, schedule
from chalicelib.webhooks.rules import Attempt, Delivery, Endpoint
from chalicelib.webhooks.secrets import signed_headers


def call(endpoint: Endpoint, delivery: Delivery, now: datetime) -> tuple[Attempt, timedelta | None]:
    """The attempt, and what its answer's `Retry-After` asked for."""
    headers = signed_headers(endpoint, delivery.id, delivery.body, now)
    at = clock.to_text(now)
    try:
        answer = http_out.post(
            endpoint.url,
            delivery.body.encode(),
            headers,
            allow_loopback=settings().allow_loopback_webhooks,
        )
    except http_out.AddressRefused as refused:
        return Attempt(at, None, 0, refused.reason), None
    except http_out.CallFailed as failed:
        return Attempt(at, None, failed.duration_ms, failed.reason), None
    error = None if 200 <= answer.status < 300 else f"answered {answer.status}"
    made = Attempt(at, answer.status, answer.duration_ms, error, rules.excerpt(answer.body))
    return made, schedule.read_retry_after(answer.headers.get("retry-after"), now)
