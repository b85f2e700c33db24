"""`/v1/refunds`, and what leaders remit."""

from functools import partial

from chalicelib.parties.authorizer import authorizer
from chalicelib.parties.remittances import Remitted
from chalicelib.payments import bearers, refunds, remitting
from chalicelib.payments import store as payments
from chalicelib.payments.rules import Handed, Refund, Remittance
from chalicelib.payments.schema import (
    BookRemittance,
    ConfirmRefund,
    RefundBearersView,
    RefundsQuery,
    RefundView,
    RemittanceView,
    ReverseRemittance,
    SetRefundBearers,
    bearers_of,
    refund_shown_to,
    shown_bearers,
)
from chalicelib.platform.endpoints import Also, Reply, Request
from chalicelib.platform.http_in import Routes
from chalicelib.platform.pages import Page

routes = Routes(__name__, tag="Payments", authorizer=authorizer)


@routes.endpoint(
    "GET",
    "/v1/refunds/{id}",
    summary="Read a refund",
    roles=("operator", "leader", "customer"),
    answer=RefundView,
)
def read_refund(request: Request, id: str) -> RefundView:
    return refund_shown_to(request.caller, refunds.refund_for(id, request.caller))


@routes.endpoint(
    "POST",
    "/v1/refunds/{id}/confirm",
    summary="Say that the money has been handed back by hand",
    notes="`paid_from` says whose money it was: `leader`, which is also meant where it is left "
    "out, is cash that the leader had, `bank` the platform's own. A leader confirms refunds of "
    "what it has collected. An operator may confirm each from either, and also refunds by card "
    "that have failed at their provider. `reference` is what the bank's statement calls a transfer "
    "`bank`; its reconciliation finds the line by it.",
    roles=("operator", "leader"),
    body=ConfirmRefund,
    answer=RefundView,
    key="optional",
    errors={"not_leader_collect": 409, "already_confirmed": 409},
)
def confirm_refund(request: Request, id: str) -> RefundView:
    sent: ConfirmRefund = request.body
    handed, show = Handed(sent.paid_from, sent.reference), partial(refund_shown_to, request.caller)
    return show(refunds.confirm(id, handed, request.caller, request.recorder(show)))


@routes.endpoint(
    "POST",
    "/v1/refunds/{id}/retry",
    summary="Have a failed refund sent once more",
    notes="It is `pending` again, and `attempt` is one more. Its provider is asked under a new "
    "identity, unless a former attempt turns out not to have failed.",
    roles=("operator",),
    answer=RefundView,
    key="required",
    errors={"refund_not_failed": 409},
)
def retry_refund(request: Request, id: str) -> Refund:
    return refunds.retry(id, request.idempotency)


@routes.endpoint(
    "PUT",
    "/v1/refund-bearers",
    summary="Say who pays the commission of what is refunded, by cause",
    notes="`leader`: it is taken back as it was credited. `supplier` or `platform`: leaders keep "
    "it, and that side pays it. It counts for refunds that are decided from now on. All of it is "
    "replaced: a cause that is left out is `leader`. `chargeback_fee` is what a provider keeps for "
    "a chargeback; left out, it is `platform`.",
    roles=("operator",),
    body=SetRefundBearers,
    answer=RefundBearersView,
)
def set_refund_bearers(request: Request) -> RefundBearersView:
    sent: SetRefundBearers = request.body
    now = bearers.set_bearers(bearers_of(sent), sent.chargeback_fee, request.caller)
    return shown_bearers(now)


@routes.endpoint(
    "GET",
    "/v1/refund-bearers",
    summary="Read who pays the commission of what is refunded, by cause",
    roles=("operator",),
    answer=RefundBearersView,
)
def read_refund_bearers(request: Request) -> RefundBearersView:
    return shown_bearers(payments.refund_bearers())


@routes.endpoint(
    "GET",
    "/v1/leaders/{id}/refunds",
    summary="List the refunds of a leader's community",
    notes="`?method=leader_collect&status=pending` is the cash that the leader has to hand back.",
    roles=("operator", "leader"),
    query=RefundsQuery,
    answer=RefundView,
    is_list=True,
)
def list_refunds(request: Request, id: str) -> Page[RefundView]:
    sent: RefundsQuery = request.query
    found = refunds.refunds_of(id, sent.status, sent.method, request.caller, request.page)
    return found.map(partial(refund_shown_to, request.caller))


@routes.endpoint(
    "POST",
    "/v1/leaders/{id}/remittances",
    summary="Book what a leader has handed over",
    notes="`reference` is what tells one remittance of a leader from the next, such as the number "
    "of a transfer: the same again with the same amount answers 200 with the same remittance. It "
    "cannot be more than the leader holds and owes: `collected` in its balance, and `available` "
    "where that is below zero.",
    roles=("operator",),
    body=BookRemittance,
    answer=RemittanceView,
    status=201,
    key="required",
    errors={"more_than_collected": 409, "reference_reused": 409, "remittance_reversed": 409},
    also=Also(statuses={200: "The remittance of that reference, which was booked before."}),
)
def book_remittance(request: Request, id: str) -> Reply:
    sent: BookRemittance = request.body
    recorder = request.recorder(_reply)
    return _reply(remitting.remit(id, sent.amount, sent.reference, request.caller, recorder))


def _reply(remitted: Remitted[Remittance]) -> Reply:
    return Reply(remitted.remittance, status=201 if remitted.is_new else 200)


@routes.endpoint(
    "GET",
    "/v1/leaders/{id}/remittances",
    summary="List what a leader has remitted",
    roles=("operator", "leader"),
    answer=RemittanceView,
    is_list=True,
)
def list_remittances(request: Request, id: str) -> Page[Remittance]:
    return remitting.remittances_of(id, request.caller, request.page)


@routes.endpoint(
    "POST",
    "/v1/leaders/{id}/remittances/{remittance_id}/reverse",
    summary="Reverse a remittance that was booked by mistake",
    notes="The leader holds its amount again. The same again with the same reason changes nothing; "
    "its reference is not booked again.",
    roles=("operator",),
    body=ReverseRemittance,
    answer=RemittanceView,
    key="required",
    errors={"already_reversed": 409},
)
def reverse_remittance(request: Request, id: str, remittance_id: str) -> Remittance:
    sent: ReverseRemittance = request.body
    return remitting.reverse(id, remittance_id, sent.reason, request.caller, request.idempotency)
