"""Endpoints: where owners want to hear of events."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from chalicelib.kernel import clock, ids
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, Invalid, NotFound
from chalicelib.parties import store as parties
from chalicelib.platform import http_out
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Recorder, Transaction, write
from chalicelib.webhooks import endpoint_store, rules
from chalicelib.webhooks import store as webhooks
from chalicelib.webhooks.rules import PLATFORM, Endpoint, Health
from chalicelib.webhooks.secrets import endpoint_secret

ENDPOINTS_AN_OWNER = 20
COUNTED_AT_MOST = 10_000


@dataclass(frozen=True, kw_only=True)
class WithSecret(Endpoint):
    """An endpoint with the secret that its owner verifies signatures with."""

    secret: str

    @classmethod
    def of(cls, endpoint: Endpoint) -> "WithSecret":
        return cls(**vars(endpoint), secret=endpoint_secret(endpoint.id, endpoint.generation))


@dataclass(frozen=True, kw_only=True)
class WithWaiting(Endpoint):
    """An endpoint with how many deliveries wait there, or wait to be replayed."""

    waiting: int

    @classmethod
    def of(cls, endpoint: Endpoint) -> "WithWaiting":
        waiting = webhooks.count_waiting(endpoint.id, COUNTED_AT_MOST)
        return cls(**vars(endpoint), waiting=waiting)


@dataclass(frozen=True)
class Changes:
    """What an owner may change; None leaves it."""

    url: str | None
    event_types: Sequence[str] | None
    status: Literal["active", "disabled"] | None


def add(
    url: str,
    event_types: Sequence[str],
    supplier_id: str | None,
    caller: Caller,
    recorder: Recorder | None,
) -> WithSecret:
    """Raises Invalid for an address that may not be called, Conflict where there are too many."""
    owner = _owner(supplier_id, caller)
    _check_url(url)
    _check_event_types(event_types, owner)
    endpoint = Endpoint(
        id=ids.new("whe"),
        owner=owner,
        url=url,
        event_types=tuple(event_types),
        status="active",
        generation=1,
        old_secret_until=None,
        failing_since=None,
        last_failed_at=None,
        disabled_reason=None,
        version=1,
        created_at=clock.now(),
    )
    transaction = Transaction(recorder)
    too_many = Conflict(
        f"There are {ENDPOINTS_AN_OWNER} endpoints already.", code="too_many_endpoints"
    )
    transaction.add(*endpoint_store.add_endpoint(endpoint, ENDPOINTS_AN_OWNER, too_many))
    transaction.commit(WithSecret.of(endpoint))
    return WithSecret.of(endpoint)


def endpoint_for(endpoint_id: str, caller: Caller) -> Endpoint:
    endpoint = endpoint_store.get_endpoint(endpoint_id)
    if endpoint is None:
        raise NotFound("There is no such webhook endpoint.")
    caller.must_be("supplier", endpoint.owner, "webhook endpoint")
    return endpoint


@retry_stale
def change(endpoint_id: str, changes: Changes, caller: Caller) -> WithWaiting:
    """Change the address, the events or the status; a new address or enabling it forgets the
    failures, and what waits is delivered, or is given up where it is disabled."""
    endpoint = endpoint_for(endpoint_id, caller)
    if changes.url is not None:
        _check_url(changes.url)
    _check_event_types(changes.event_types or (), endpoint.owner)
    status = changes.status or endpoint.status
    starts_anew = changes.url not in (None, endpoint.url) or (
        endpoint.status == "disabled" and status == "active"
    )
    changed = replace(
        endpoint,
        url=changes.url or endpoint.url,
        event_types=endpoint.event_types
        if changes.event_types is None
        else tuple(changes.event_types),
        status=status,
        failing_since=None if starts_anew else endpoint.failing_since,
        last_failed_at=None if starts_anew else endpoint.last_failed_at,
        disabled_reason=_reason(endpoint, status),
        health=Health() if starts_anew else endpoint.health,
        look_at=clock.now() if starts_anew or status != endpoint.status else endpoint.look_at,
        epoch=endpoint.epoch + starts_anew,
        version=endpoint.version + 1,
    )
    write(endpoint_store.replace_endpoint(changed))
    return WithWaiting.of(changed)


@retry_stale
def rotate_secret(endpoint_id: str, caller: Caller, recorder: Recorder | None) -> WithSecret:
    """A new secret; the one before signs beside it for 24 hours."""
    endpoint = endpoint_for(endpoint_id, caller)
    rotated = replace(
        endpoint,
        generation=endpoint.generation + 1,
        old_secret_until=clock.now() + rules.OLD_SECRET_LIVES,
        version=endpoint.version + 1,
    )
    transaction = Transaction(recorder)
    transaction.add(endpoint_store.replace_endpoint(rotated))
    transaction.commit(WithSecret.of(rotated))
    return WithSecret.of(rotated)


@retry_stale
def remove(endpoint_id: str, caller: Caller) -> None:
    endpoint = endpoint_for(endpoint_id, caller)
    write(*endpoint_store.remove_endpoint(endpoint))


def _owner(supplier_id: str | None, caller: Caller) -> str:
    if caller.role == "supplier":
        if supplier_id not in (None, caller.id):
            raise Invalid.field("supplier_id", "is not your own")
        return caller.id
    if supplier_id is None:
        return PLATFORM
    if parties.get_supplier(supplier_id) is None:
        raise Invalid.field("supplier_id", "is not a supplier")
    return supplier_id


def _reason(endpoint: Endpoint, status: str) -> str | None:
    if status == "active":
        return None
    return endpoint.disabled_reason or "It was disabled by hand."


def _check_event_types(event_types: Sequence[str], owner: str) -> None:
    if owner == PLATFORM:
        return
    for event_type in event_types:
        if event_type not in rules.SUPPLIERS_EVENTS:
            allowed = ", ".join(sorted(rules.SUPPLIERS_EVENTS))
            raise Invalid.field(
                "event_types", f"{event_type} is told to the platform alone; choose of {allowed}"
            )


def _check_url(url: str) -> None:
    try:
        http_out.check_url(url, allow_loopback=settings().allow_loopback_webhooks)
    except http_out.AddressRefused as refused:
        raise Invalid.field("url", refused.reason, code="address_refused") from None
