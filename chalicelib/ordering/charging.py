"""What an order's payment provider is asked: to let its customer pay, and no longer to."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from chalicelib.cases import service as cases
from chalicelib.kernel.currencies import written
from chalicelib.kernel.errors import Busy, NotFound
from chalicelib.ordering.rules import Order
from chalicelib.payments.providers import (
    OutcomeUnknown,
    PaymentProvider,
    PaymentRequest,
    PaymentSucceeded,
    Refused,
    provider,
)
from chalicelib.platform.log import logger, metric
from chalicelib.platform.transaction import Transaction

STOPS_AT_ONCE = 8
NOT_SAID = (
    "The payment provider has not said yet whether the order can still be paid. "
    "Nothing has changed; send the same request again shortly."
)


@dataclass(frozen=True)
class Stopped:
    """An order can be paid no longer; `paid` is what its provider took before.

    Whoever ends an order unpaid must have this.
    """

    paid: PaymentSucceeded | None


class NotStopped(Busy):
    """The provider has not said that the order can be paid no longer, so the order has to wait."""

    default_code = "payment_not_stopped"


def client_secret(order: Order) -> str | None:
    """With which the customer's device pays a pending order; None where there is none.

    None as well where the provider gives none now: whoever reads the order later asks again.
    """
    by = _provider(order.provider)
    if by is None or order.status != "pending_payment":
        return None
    try:
        return by.start(_request(order))
    except OutcomeUnknown as unknown:
        logger.warning("payment not started", order_id=order.id, reason=str(unknown))
    except Refused as refusal:
        _open_refused(order, str(refusal))
    metric("PaymentsNotStarted")
    return None


def stop(order: Order) -> Stopped:
    """See to it that an order can be paid no longer. Raises NotStopped where that is not sure."""
    return _stop(order, _provider(order.provider))


def stop_all(orders: Sequence[Order], *, seconds: float) -> Mapping[str, Callable[[], Stopped]]:
    """`stop` for many orders, some at a time: by order, a call that returns or raises the same.

    Once the seconds are over nobody is asked any more, and the orders that are left may be paid.
    """
    until = time.monotonic() + seconds
    # Made here, since they read secrets: boto3 makes its clients in one thread at a time.
    providers = {name: _provider(name) for name in {order.provider for order in orders}}

    def in_time(order: Order) -> Stopped:
        if order.provider and time.monotonic() > until:
            raise NotStopped(NOT_SAID)
        return _stop(order, providers[order.provider])

    with ThreadPoolExecutor(STOPS_AT_ONCE) as pool:
        return {order.id: pool.submit(in_time, order).result for order in orders}


def _stop(order: Order, by: PaymentProvider | None) -> Stopped:
    if order.provider is None:
        return Stopped(None)
    if by is None:
        raise NotStopped(NOT_SAID)
    try:
        return Stopped(by.stop(_request(order)))
    except OutcomeUnknown as unknown:
        raise NotStopped(NOT_SAID) from unknown


def _provider(name: str | None) -> PaymentProvider | None:
    """None where the order has none, or one that the stack has no longer."""
    try:
        return provider(name) if name else None
    except NotFound:
        return None


def _request(order: Order) -> PaymentRequest:
    return PaymentRequest(
        order.payment.id, order.id, order.total, order.currency, asked_at=order.created_at
    )


def _open_refused(order: Order, reason: str) -> None:
    transaction = Transaction()
    detail = (
        f"The provider {order.provider} refuses to take {written(order.total, order.currency)} for "
        f"order {order.id} ({reason}). Its customer cannot pay; it expires by itself."
    )
    cases.open_in(transaction, "payment_refused", order.id, detail)
    transaction.commit()
