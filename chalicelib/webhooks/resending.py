"""Telling a supplier of a dispatch once more, as if it had not heard."""

from dataclasses import dataclass

from chalicelib.dispatch import service as dispatching
from chalicelib.dispatch.rules import OPEN, Dispatch
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Put, Recorder, Transaction
from chalicelib.webhooks import bodies, endpoint_store
from chalicelib.webhooks import store as webhooks
from chalicelib.webhooks.delivering import ask_once_written, from_the_beginning, new_delivery
from chalicelib.webhooks.rules import Delivery


@dataclass(frozen=True)
class Resent:
    """The deliveries of one `dispatch.created` that are about to be attempted."""

    dispatch_id: str
    deliveries: tuple[Delivery, ...]


def resend(dispatch_id: str, caller: Caller, recorder: Recorder | None) -> Resent:
    """Send a dispatch's `dispatch.created` again: where it was sent before the same body under the
    same id, and for the first time to endpoints made since.

    Raises NotFound, and Conflict where there is nothing to do any more or nobody to hear of it.
    """
    resent = _resend(dispatch_id, caller, recorder)
    ask_once_written(*(each.id for each in resent.deliveries))
    return resent


@retry_stale
def _resend(dispatch_id: str, caller: Caller, recorder: Recorder | None) -> Resent:
    dispatch = dispatching.dispatch_for(dispatch_id, caller)
    if dispatch.status not in OPEN:
        raise Conflict(
            f"The dispatch is {dispatch.status}: there is nothing to ship of it.",
            code="dispatch_not_open",
        )
    again = [_again(each) for each in _deliveries(dispatch)]
    resent = Resent(dispatch.id, tuple(delivery for delivery, _ in again))
    transaction = Transaction(recorder)
    transaction.add(*(put for _, put in again))
    transaction.commit(resent)
    return resent


def _deliveries(dispatch: Dispatch) -> list[Delivery]:
    """Of each endpoint that would hear of it now."""
    told = bodies.dispatch_created(dispatch)
    found = [
        new_delivery(told, endpoint)
        for endpoint in endpoint_store.endpoints_of(told.owner)
        if endpoint.is_active and endpoint.wants(told.event_type)
    ]
    if not found:
        raise Conflict(
            "The supplier has no active endpoint that wants dispatch.created.",
            code="endpoint_not_active",
        )
    return found


def _again(new: Delivery) -> tuple[Delivery, Put | None]:
    """The delivery at the beginning of its schedule, and how that is written."""
    made = webhooks.get_delivery(new.id)
    return from_the_beginning(made) if made else (new, webhooks.add_delivery(new))
