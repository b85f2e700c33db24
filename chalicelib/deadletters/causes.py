"""Why a message lies aside, in words for an operator."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.platform.dead_letters import Cause

STOPPED = (
    "Its worker was stopped before it could say why: it ran out of time or memory, did not start, "
    "or failed with all its messages. The function's log and its errors say more."
)


@dataclass(frozen=True)
class Why:
    """`failure` names what was raised, and `trace` leads to where; `failed_at` is RFC 3339."""

    detail: str
    failure: str | None = None
    behind: str | None = None
    failed_at: str | None = None
    trace: Sequence[str] = ()


def of_message(cause: Cause | None) -> Why:
    """What the worker said that gave the message up, if it could."""
    if cause is None:
        return Why(STOPPED)
    place = cause.trace[-1] if cause.trace else cause.worker
    detail = cause.detail or f"{cause.failure} in {place}"
    return Why(detail, cause.failure, cause.behind, cause.failed_at, cause.trace)


def of_schedule(body: str) -> Why:
    """What Lambda says of a schedule's run that failed; its words may hold anything and stay out.

    What EventBridge could not even hand over lies here as the event itself.
    """
    told: dict[str, Any] = json.loads(body)
    request = told.get("requestContext")
    if request is None:
        return Why("The schedule could not start its function.")
    function = str(request["functionArn"]).split(":")[6]
    failure = told.get("responsePayload", {}).get("errorType")
    detail = f"{failure or 'A failure'} in {function}; its log says more."
    return Why(detail, failure, failed_at=told.get("timestamp"))
