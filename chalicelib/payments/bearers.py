"""Who pays the commission of what is refunded, as operators have set it by cause."""

from collections.abc import Mapping

from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.payments import store as payments
from chalicelib.payments.rules import Bearer, Bears, RefundBearers, RefundCause
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import write


@retry_stale
def set_bearers(wanted: Mapping[RefundCause, Bearer], caller: Caller) -> RefundBearers:
    """Let refunds that are decided from now on follow these; those decided before keep theirs."""
    before = payments.refund_bearers()
    rules = tuple(Bears(cause, bearer) for cause, bearer in wanted.items())
    if rules == before.rules:
        return before
    after = RefundBearers(before.version + 1, rules, clock.now(), caller.id)
    write(payments.set_refund_bearers(after))
    return after
