"""Who pays the commission of what is refunded, by cause, and the fees of chargebacks, as operators
have set it."""

from collections.abc import Mapping

from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.payments import store as payments
from chalicelib.payments.rules import Bearer, Bears, RefundBearers, RefundCause
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import write


@retry_stale
def set_bearers(
    wanted: Mapping[RefundCause, Bearer], chargeback_fee: Bearer, caller: Caller
) -> RefundBearers:
    """Let what is decided from now on follow these; what was decided before keeps its own."""
    before = payments.refund_bearers()
    rules = tuple(Bears(cause, bearer) for cause, bearer in wanted.items())
    if (rules, chargeback_fee) == (before.rules, before.chargeback_fee):
        return before
    after = RefundBearers(before.version + 1, rules, clock.now(), caller.id, chargeback_fee)
    write(payments.set_refund_bearers(after))
    return after
