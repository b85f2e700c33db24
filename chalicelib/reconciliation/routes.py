"""`/v1/reconciliations`, and the open items that they and others leave."""

from chalicelib.parties.authorizer import authorizer
from chalicelib.platform.endpoints import Also, Reply, Request, number_in_path
from chalicelib.platform.http_in import Routes
from chalicelib.platform.pages import Page
from chalicelib.reconciliation import (
    balancing,
    clearing,
    listing_items,
    resolving,
    showing,
    taking,
    undoing,
)
from chalicelib.reconciliation.balancing import BalancesShown
from chalicelib.reconciliation.clearing import Cleared, ItemWithClearings, Wanted
from chalicelib.reconciliation.deciding import Candidate
from chalicelib.reconciliation.open_items import Item
from chalicelib.reconciliation.resolving import Said
from chalicelib.reconciliation.rules import NumberedDifference, Reconciliation
from chalicelib.reconciliation.schema import (
    Assign,
    BalancesView,
    ClearingView,
    ClearItem,
    DifferenceShownView,
    DifferenceView,
    InTransitView,
    LineView,
    ListedItemView,
    OpenItemsQuery,
    OpenItemView,
    ReconciliationView,
    Resolve,
    TakeStatement,
    Undo,
)
from chalicelib.reconciliation.showing import DifferenceShown, InTransitShown, LineShown
from chalicelib.reconciliation.taking import Asked

routes = Routes(__name__, tag="Reconciliation", authorizer=authorizer)

MAX_FILE = 4 * 1024 * 1024


@routes.endpoint(
    "POST",
    "/v1/reconciliations",
    summary="Hold a bank's or provider's statement against the books",
    notes="The body is the file itself. It is read whole or refused; its lines are matched with "
    "the account's entries by id, then by amount and date, within minutes. Every difference "
    "becomes a case.",
    roles=("operator",),
    takes="application/octet-stream",
    max_bytes=MAX_FILE,
    query=TakeStatement,
    answer=ReconciliationView,
    status=202,
    key="optional",
    errors={"statement_taken_before": 409},
)
def take_statement(request: Request) -> Reconciliation:
    sent: TakeStatement = request.query
    asked = Asked(sent.account, sent.format, sent.first, sent.last)
    return taking.take(asked, request.raw_body, request.caller, request.idempotency)


@routes.endpoint(
    "GET",
    "/v1/reconciliations",
    summary="List reconciliations",
    roles=("operator",),
    answer=ReconciliationView,
    is_list=True,
)
def list_reconciliations(request: Request) -> Page[Reconciliation]:
    return taking.all_reconciliations(request.page)


@routes.endpoint(
    "GET",
    "/v1/reconciliations/{id}",
    summary="Read a reconciliation: how far it is, and what differs by kind",
    roles=("operator",),
    answer=ReconciliationView,
)
def read_reconciliation(request: Request, id: str) -> Reconciliation:
    return taking.reconciliation_of(id)


@routes.endpoint(
    "GET",
    "/v1/reconciliations/{id}/differences",
    summary="List what differs between a statement and the books",
    roles=("operator",),
    answer=DifferenceShownView,
    is_list=True,
)
def list_differences(request: Request, id: str) -> Page[DifferenceShown]:
    return showing.differences(id, request.page)


@routes.endpoint(
    "GET",
    "/v1/reconciliations/{id}/lines",
    summary="List the lines of a statement and what has become of each",
    roles=("operator",),
    answer=LineView,
    is_list=True,
)
def list_lines(request: Request, id: str) -> Page[LineShown]:
    return showing.lines(id, request.page)


@routes.endpoint(
    "GET",
    "/v1/reconciliations/{id}/in-transit",
    summary="List what the books have and a statement need not have had yet",
    roles=("operator",),
    answer=InTransitView,
    is_list=True,
)
def list_in_transit(request: Request, id: str) -> Page[InTransitShown]:
    return showing.in_transit(id, request.page)


@routes.endpoint(
    "GET",
    "/v1/reconciliations/{id}/balances",
    summary="Show what the statement closes with, what the books say, and what stands between",
    roles=("operator",),
    answer=BalancesView,
    errors={"reconciliation_under_way": 409},
)
def read_balances(request: Request, id: str) -> BalancesShown:
    return balancing.balances(id)


@routes.endpoint(
    "POST",
    "/v1/reconciliations/{id}/differences/{n}/resolve",
    summary="Resolve a difference, which posts an entry and closes its case",
    notes="`post_fee` and `post_to_suspense` take the account to what the statement says, against "
    "the platform's revenue or `platform:suspense`; `post_to_other_account` moves it from or to "
    "another cash account; `paid` and `returned` tell it of the payout; `match` says which entry a "
    "line is of, such as one that was posted since; `accept` posts nothing.",
    roles=("operator",),
    body=Resolve,
    answer=DifferenceView,
    key="optional",
    errors={
        "already_resolved": 409,
        "resolution_not_possible": 409,
        "reconciliation_under_way": 409,
        "found_meanwhile": 409,
        "batch_not_sent": 409,
        "payout_not_paid": 409,
        "result_conflict": 409,
        "transfer_found": 409,
        "transfer_asked_for": 409,
    },
)
def resolve_difference(request: Request, id: str, n: str) -> NumberedDifference:
    sent: Resolve = request.body
    candidate = Candidate(sent.entry_id, sent.payout_id, sent.line)
    said = Said(sent.resolution, sent.note, sent.account, candidate, sent.new_account)
    return resolving.resolve(
        id, number_in_path(n, "difference"), said, request.caller, request.idempotency
    )


@routes.endpoint(
    "POST",
    "/v1/reconciliations/{id}/differences/{n}/undo",
    summary="Take a wrong resolution back and open the difference again",
    notes="What `post_fee`, `post_to_suspense` or `post_to_other_account` has posted is posted the "
    "other way round, and nothing is taken away. Of `accept` nothing was posted.",
    roles=("operator",),
    body=Undo,
    answer=DifferenceView,
    key="optional",
    errors={"not_resolved": 409, "undo_not_possible": 409},
)
def undo_resolution(request: Request, id: str, n: str) -> NumberedDifference:
    sent: Undo = request.body
    return undoing.undo(
        id, number_in_path(n, "difference"), sent.note, request.caller, request.idempotency
    )


@routes.endpoint(
    "POST",
    "/v1/reconciliations/{id}/differences/{n}/assign",
    summary="Say which operator looks into a difference",
    roles=("operator",),
    body=Assign,
    answer=DifferenceView,
    key="optional",
    errors={"already_resolved": 409},
)
def assign_difference(request: Request, id: str, n: str) -> NumberedDifference:
    sent: Assign = request.body
    return resolving.assign(id, number_in_path(n, "difference"), sent.owner, request.idempotency)


@routes.endpoint(
    "GET",
    "/v1/open-items",
    summary="List money that waits for a person to say whose it is",
    notes="What is left of each says whether it still waits, and `posted_at` since when. A page of "
    "`open` that looks through many others may go on though it is not full.",
    roles=("operator",),
    query=OpenItemsQuery,
    answer=ListedItemView,
    is_list=True,
)
def list_open_items(request: Request) -> Page[ListedItemView]:
    return listing_items.open_items(request.query.open, request.page).map(_listed)


@routes.endpoint(
    "GET",
    "/v1/open-items/{entry_id}",
    summary="Read money that waits for a person to say whose it is",
    notes="An item is what an entry has left in `unmatched_receipts` or `platform:suspense`.",
    roles=("operator",),
    answer=OpenItemView,
)
def read_open_item(request: Request, entry_id: str) -> OpenItemView:
    return _shown(clearing.open_item(entry_id))


@routes.endpoint(
    "POST",
    "/v1/open-items/{entry_id}/clear",
    summary="Have such money go where it belongs",
    notes="`payer`: it is paid back by bank, or has come back from there; `income`: it is the "
    "platform's, or its loss; `capital`: its owners have put it in, or taken it out; `remittance` "
    "and `deposit`: it is what a leader or supplier has handed over; `item`: another item of the "
    "other side makes it up. The same reference with the same words answers 200 with the same "
    "clearing. Once nothing is left, its case is closed.",
    roles=("operator",),
    body=ClearItem,
    answer=ClearingView,
    status=201,
    key="required",
    errors={
        "currency_mismatch": 422,
        "more_than_collected": 409,
        "more_than_left": 409,
        "reference_reused": 409,
    },
    also=Also(statuses={200: "The clearing of that reference, which was made before."}),
)
def clear_open_item(request: Request, entry_id: str) -> Reply:
    sent: ClearItem = request.body
    wanted = Wanted(sent.goes, sent.about, sent.reference, sent.amount)
    recorder = request.recorder(_reply)
    return _reply(clearing.clear(entry_id, wanted, request.caller, recorder))


def _reply(cleared: Cleared) -> Reply:
    return Reply(cleared.clearing, status=201 if cleared.is_new else 200)


def _listed(item: Item) -> ListedItemView:
    return ListedItemView(
        entry_id=item.entry.id,
        account=item.account,
        currency=item.entry.currency,
        amount=item.amount,
        left=item.left,
        posted_at=item.entry.posted_at,
    )


def _shown(found: ItemWithClearings) -> OpenItemView:
    clearings = [ClearingView.model_validate(each) for each in found.clearings]
    return OpenItemView(**dict(_listed(found.item)), clearings=clearings)
