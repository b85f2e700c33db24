"""`/v1/suppliers/{id}`: settlement terms, deposits, balance and statements."""

from types import SimpleNamespace
from typing import Any

from chalicelib.parties.authorizer import authorizer
from chalicelib.parties.remittances import Remitted
from chalicelib.parties.settlement_terms import SettlementTerms
from chalicelib.platform import pages, sheets
from chalicelib.platform.endpoints import Also, Reply, Request
from chalicelib.platform.http_in import Routes
from chalicelib.platform.pages import Page
from chalicelib.suppliers import agreeing, deposits, remitting, statements
from chalicelib.suppliers.deposits import Asked, Booked
from chalicelib.suppliers.remittances import SupplierRemittance
from chalicelib.suppliers.rules import Deposit, DepositKind
from chalicelib.suppliers.schema import (
    BookDeposit,
    BookSupplierRemittance,
    DepositView,
    DrawDeposit,
    ReverseSupplierRemittance,
    SetSettlementTerms,
    SettlementTermsView,
    StatementQuery,
    SupplierBalanceView,
    SupplierRemittanceView,
    SupplierStatementView,
)
from chalicelib.suppliers.statements import Balance, Period

routes = Routes(__name__, tag="Suppliers", authorizer=authorizer)

CSV = sheets.MEDIA_TYPES["csv"]
BOOKED_BEFORE = {200: "The same movement, which was booked before."}


@routes.endpoint(
    "PUT",
    "/v1/suppliers/{id}/settlement-terms",
    summary="Set by what a supplier is paid, and what it pays",
    notes="The whole of them: what is left out is none. Order lines keep the terms that they were "
    "placed under. The same again changes nothing.",
    roles=("operator",),
    body=SetSettlementTerms,
    answer=SettlementTermsView,
)
def set_settlement_terms(request: Request, id: str) -> SettlementTerms:
    return agreeing.agree(request.body.terms_of(id), request.caller)


@routes.endpoint(
    "GET",
    "/v1/suppliers/{id}/settlement-terms",
    summary="Read by what a supplier is paid, and what it pays",
    roles=("operator", "supplier"),
    answer=SettlementTermsView,
)
def read_settlement_terms(request: Request, id: str) -> SettlementTerms:
    return agreeing.terms_for(id, request.caller)


@routes.endpoint(
    "GET",
    "/v1/suppliers/{id}/settlement-terms/versions",
    summary="List a supplier's settlement terms as they were, and who set them when",
    roles=("operator", "supplier"),
    answer=SettlementTermsView,
    is_list=True,
)
def list_settlement_terms(request: Request, id: str) -> Page[SettlementTerms]:
    return agreeing.versions_for(id, request.caller, request.page)


@routes.endpoint(
    "POST",
    "/v1/suppliers/{id}/deposits",
    summary="Book a deposit that has arrived",
    notes="`reference` is what tells one transfer from the next: the same again with the same "
    "amount answers 200 with the same movement.",
    roles=("operator",),
    body=BookDeposit,
    answer=DepositView,
    status=201,
    key="required",
    errors={"reference_reused": 409},
    also=Also(statuses=BOOKED_BEFORE),
)
def book_deposit(request: Request, id: str) -> Reply:
    return _transferred(request, id, "received")


@routes.endpoint(
    "POST",
    "/v1/suppliers/{id}/deposits/return",
    summary="Book that some of a deposit was sent back",
    notes="It cannot be more than is held, which is `deposit` in the supplier's balance.",
    roles=("operator",),
    body=BookDeposit,
    answer=DepositView,
    status=201,
    key="required",
    errors={"more_than_deposited": 409, "reference_reused": 409},
    also=Also(statuses=BOOKED_BEFORE),
)
def return_deposit(request: Request, id: str) -> Reply:
    return _transferred(request, id, "returned")


@routes.endpoint(
    "POST",
    "/v1/suppliers/{id}/deposits/draw",
    summary="Take some of a deposit for what the supplier owes, or for a damage",
    notes="For a debt it cannot be more than is owed: `owed` in the supplier's balance for fees, "
    "and `payable` where that is below zero.",
    roles=("operator",),
    body=DrawDeposit,
    answer=DepositView,
    status=201,
    key="required",
    errors={"more_than_deposited": 409, "more_than_owed": 409, "reference_reused": 409},
    also=Also(statuses=BOOKED_BEFORE),
)
def draw_deposit(request: Request, id: str) -> Reply:
    sent: DrawDeposit = request.body
    told = request.required_idempotency.key.pk
    asked = Asked("drawn", id, sent.amount, told, reason=sent.reason, pays=sent.pays)
    return _reply(deposits.book(asked, request.caller, request.recorder(_reply)))


def _transferred(request: Request, supplier_id: str, kind: DepositKind) -> Reply:
    sent: BookDeposit = request.body
    asked = Asked(kind, supplier_id, sent.amount, sent.reference, reference=sent.reference)
    return _reply(deposits.book(asked, request.caller, request.recorder(_reply)))


def _reply(booked: Booked) -> Reply:
    return Reply(booked.deposit, status=201 if booked.is_new else 200)


@routes.endpoint(
    "GET",
    "/v1/suppliers/{id}/deposits",
    summary="List what happened to a supplier's deposit",
    roles=("operator", "supplier"),
    answer=DepositView,
    is_list=True,
)
def list_deposits(request: Request, id: str) -> Page[Deposit]:
    return deposits.deposits_for(id, request.caller, request.page)


@routes.endpoint(
    "POST",
    "/v1/suppliers/{id}/remittances",
    summary="Book what a supplier has transferred for what it owes",
    notes="`reference` is what tells one transfer of a supplier from the next: the same again with "
    "the same amount answers 200 with the same remittance. It pays fees first, then what is owed "
    "as `payable` is below zero, and cannot be more than both.",
    roles=("operator",),
    body=BookSupplierRemittance,
    answer=SupplierRemittanceView,
    status=201,
    key="required",
    errors={"more_than_owed": 409, "reference_reused": 409, "remittance_reversed": 409},
    also=Also(statuses={200: "The remittance of that reference, which was booked before."}),
)
def book_supplier_remittance(request: Request, id: str) -> Reply:
    sent: BookSupplierRemittance = request.body
    recorder = request.recorder(_remitted)
    return _remitted(remitting.remit(id, sent.amount, sent.reference, request.caller, recorder))


def _remitted(remitted: Remitted[SupplierRemittance]) -> Reply:
    return Reply(remitted.remittance, status=201 if remitted.is_new else 200)


@routes.endpoint(
    "GET",
    "/v1/suppliers/{id}/remittances",
    summary="List what a supplier has remitted",
    roles=("operator", "supplier"),
    answer=SupplierRemittanceView,
    is_list=True,
)
def list_supplier_remittances(request: Request, id: str) -> Page[SupplierRemittance]:
    return remitting.remittances_of(id, request.caller, request.page)


@routes.endpoint(
    "POST",
    "/v1/suppliers/{id}/remittances/{remittance_id}/reverse",
    summary="Reverse a supplier's remittance that was booked by mistake",
    notes="The supplier owes its amount again. The same again with the same reason changes "
    "nothing; its reference is not booked again.",
    roles=("operator",),
    body=ReverseSupplierRemittance,
    answer=SupplierRemittanceView,
    key="required",
    errors={"already_reversed": 409},
)
def reverse_supplier_remittance(
    request: Request, id: str, remittance_id: str
) -> SupplierRemittance:
    sent: ReverseSupplierRemittance = request.body
    return remitting.reverse(id, remittance_id, sent.reason, request.caller, request.idempotency)


@routes.endpoint(
    "GET",
    "/v1/suppliers/{id}/balance",
    summary="Read what a supplier has coming and what it owes",
    roles=("operator", "supplier"),
    answer=SupplierBalanceView,
)
def read_supplier_balance(request: Request, id: str) -> Balance:
    return statements.balance(id, request.caller)


@routes.endpoint(
    "GET",
    "/v1/suppliers/{id}/statements",
    summary="A supplier's statement of some days, with the origin of every line",
    notes="As text/csv it is the lines, those of up to 10,000 journal entries in one file, "
    "whatever `limit` says, between what each account opens and closes with. A day that is not "
    "over yet goes on.",
    roles=("operator", "supplier"),
    query=StatementQuery,
    answer=SupplierStatementView,
    also=Also(media_types=(CSV,), takes={"Accept": "`text/csv` for the lines as a table."}),
)
def read_supplier_statement(request: Request, id: str) -> Any:
    sent: StatementQuery = request.query
    page, period = request.page, Period.of(sent.first, sent.last)
    if "text/csv" in request.headers.get("accept", ""):
        text = statements.as_csv(id, period, request.caller)
        return Reply(None, headers={"Content-Type": CSV}, text=text)
    found = statements.statement(id, period, request.caller, page.after, page.limit)
    return SimpleNamespace(
        supplier_id=found.supplier_id,
        currency=found.currency,
        period=found.period,
        opening_balance=found.opening_balance,
        total=found.total,
        closing_balance=found.closing_balance,
        opening=found.opening,
        change=found.change,
        closing=found.closing,
        items=found.lines,
        next_cursor=pages.cursor(request.scope, found.next_after),
    )
