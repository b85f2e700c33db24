"""`/v1/payout-batches`, `/v1/payouts`, and where parties are paid."""

from chalicelib.parties.authorizer import authorizer
from chalicelib.payouts import accounts, batches, files, looking, results
from chalicelib.payouts.accounts import AccountChange, AccountShown, Details
from chalicelib.payouts.batches import BatchWhole
from chalicelib.payouts.looking import LeftOutNamed, PayoutNamed
from chalicelib.payouts.rules import Party, PayoutShown
from chalicelib.payouts.schema import (
    AccountChangeView,
    BatchSummaryView,
    BatchView,
    FileQuery,
    LeftOutView,
    MakeBatch,
    PayoutAccountView,
    PayoutNamedView,
    PayoutView,
    PreviewQuery,
    SetPayoutAccount,
    TellResult,
)
from chalicelib.platform.endpoints import Also, Reply, Request
from chalicelib.platform.http_in import Routes
from chalicelib.platform.pages import Page

routes = Routes(__name__, tag="Payouts", authorizer=authorizer)


@routes.endpoint(
    "POST",
    "/v1/payout-batches",
    summary="Gather what leaders or suppliers have coming, to be paid out together",
    notes="Whoever has the minimum coming after it has paid what it owes is taken in with all of "
    "it, and is in one open payout at a time. Whoever owes as much as it has coming is sent "
    "nothing and has paid with it: its payout is `offset`. The batch is `prepared` minutes later. "
    "By `bank_file` those with an IBAN are paid, by `stripe` those with a Stripe account, and by "
    "`manual` everybody. Nothing is paid out by itself. By `bank_file` in EUR the account to pay "
    "from, `PayerName` and `PayerIban`, is checked and kept with the batch.",
    roles=("operator",),
    body=MakeBatch,
    answer=BatchView,
    status=202,
    key="required",
    errors={"payer_not_set": 409, "payer_not_valid": 409},
)
def make_batch(request: Request) -> BatchWhole:
    sent: MakeBatch = request.body
    return batches.make(
        sent.currency,
        sent.kind,
        sent.method,
        sent.minimum,
        request.caller,
        request.required_idempotency,
    )


@routes.endpoint(
    "GET",
    "/v1/payout-batches",
    summary="List payout batches",
    roles=("operator",),
    answer=BatchSummaryView,
    is_list=True,
)
def list_batches(request: Request) -> Page[BatchWhole]:
    return batches.batches(request.page)


@routes.endpoint(
    "GET",
    "/v1/payout-batches/{id}",
    summary="Read a payout batch and what has become of its payouts",
    roles=("operator",),
    answer=BatchView,
)
def read_batch(request: Request, id: str) -> BatchWhole:
    return batches.batch_of(id)


@routes.endpoint(
    "GET",
    "/v1/payout-batches/{id}/payouts",
    summary="List the payouts of a batch",
    roles=("operator",),
    answer=PayoutNamedView,
    is_list=True,
)
def list_payouts(request: Request, id: str) -> Page[PayoutNamed]:
    return looking.payouts_in(id, request.page)


@routes.endpoint(
    "GET",
    "/v1/payout-batches/{id}/left-out",
    summary="List who has something coming and is not paid by a batch, with why",
    notes="`left_out` of the batch counts who has enough and could not be taken in; whoever has "
    "less than the minimum is listed as well, and is not counted.",
    roles=("operator",),
    answer=LeftOutView,
    is_list=True,
)
def list_left_out(request: Request, id: str) -> Page[LeftOutNamed]:
    return looking.left_out(id, request.page)


@routes.endpoint(
    "GET",
    "/v1/payout-batches/{id}/preview",
    summary="Look at the payouts of a batch before it is approved, as CSV",
    notes="With names and holders, and no account that anything could be sent to: it is no file "
    "for a bank. Amounts are as people write them, such as 114.84.",
    roles=("operator",),
    query=PreviewQuery,
    media_type=files.MEDIA_TYPES["csv"],
)
def read_preview(request: Request, id: str) -> Reply:
    part: int = request.query.part
    headers = {
        "Content-Type": files.MEDIA_TYPES["csv"],
        "Content-Disposition": f'attachment; filename="preview-of-{id}-{part}.csv"',
    }
    return Reply(None, headers=headers, text=looking.preview(id, part))


@routes.endpoint(
    "POST",
    "/v1/payout-batches/{id}/approve",
    summary="Approve a batch that is prepared",
    notes="Above `PayoutFourEyesAbove` by another operator than the one who made it.",
    roles=("operator",),
    answer=BatchView,
    key="required",
    errors={"invalid_transition": 409, "second_operator_required": 403},
)
def approve_batch(request: Request, id: str) -> BatchWhole:
    return batches.approve(id, request.caller, request.required_idempotency)


@routes.endpoint(
    "POST",
    "/v1/payout-batches/{id}/send",
    summary="Send a batch that is approved",
    notes="By `stripe` its transfers are made at once. By `bank_file` and `manual` this says that "
    "the money is on its way; what has become of each payout is told by its result.",
    roles=("operator",),
    answer=BatchView,
    key="required",
    errors={"invalid_transition": 409},
)
def send_batch(request: Request, id: str) -> BatchWhole:
    return batches.send(id, request.caller, request.required_idempotency)


@routes.endpoint(
    "POST",
    "/v1/payout-batches/{id}/cancel",
    summary="Give back all that a batch has taken, before it is sent",
    notes="What was netted is owed again as well.",
    roles=("operator",),
    answer=BatchView,
    key="required",
    errors={"invalid_transition": 409},
)
def cancel_batch(request: Request, id: str) -> BatchWhole:
    return batches.cancel(id, request.caller, request.required_idempotency)


@routes.endpoint(
    "GET",
    "/v1/payout-batches/{id}/file",
    summary="The payouts of a batch that was sent as a file for a bank",
    notes="`pain.001` is the customer credit transfer of ISO 20022, as SEPA takes it, for a batch "
    "in EUR by `bank_file`; `csv` has any batch, and whole account numbers where it is by "
    "`bank_file`. A payout whose result was told is in no file that is made afterwards; until then "
    "the same part is the same bytes each time.",
    roles=("operator",),
    query=FileQuery,
    media_type=files.MEDIA_TYPES["pain.001"],
    errors={
        "batch_not_sent": 409,
        "not_by_bank_file": 409,
        "currency_not_sepa": 409,
        "payer_not_set": 409,
        "part_is_empty": 409,
        "file_not_valid": 409,
    },
    also=Also(media_types=(files.MEDIA_TYPES["csv"],)),
)
def read_file(request: Request, id: str) -> Reply:
    sent: FileQuery = request.query
    headers = {
        "Content-Type": files.MEDIA_TYPES[sent.format],
        "Content-Disposition": f'attachment; filename="{files.name(id, sent.format, sent.part)}"',
    }
    return Reply(None, headers=headers, text=files.file_of(id, sent.format, sent.part))


@routes.endpoint(
    "GET",
    "/v1/payouts/{id}",
    summary="Read a payout",
    roles=("operator", "leader", "supplier"),
    answer=PayoutView,
)
def read_payout(request: Request, id: str) -> PayoutShown:
    return batches.payout_for(id, request.caller)


@routes.endpoint(
    "POST",
    "/v1/payouts/{id}/result",
    summary="Say what has become of a payout that was sent",
    notes="`paid`: it has arrived. `failed` and `returned` give it back to its payee; what was "
    "netted stays paid. Whose payout failed is in the next batch again. Whose was returned is left "
    "out of every batch until it has another account or an operator lifts the hold. A payout that "
    "was paid may still be returned; any other second result is refused.",
    roles=("operator",),
    body=TellResult,
    answer=PayoutView,
    key="required",
    errors={
        "batch_not_sent": 409,
        "result_conflict": 409,
        "transfer_found": 409,
        "transfer_asked_for": 409,
    },
)
def tell_result(request: Request, id: str) -> PayoutShown:
    sent: TellResult = request.body
    recorder = request.required_idempotency
    return results.tell(id, sent.status, sent.reference, recorder, by=request.caller.id)


@routes.endpoint(
    "GET",
    "/v1/leaders/{id}/payouts",
    summary="List what a leader was paid out",
    roles=("operator", "leader"),
    answer=PayoutView,
    is_list=True,
)
def list_leader_payouts(request: Request, id: str) -> Page[PayoutShown]:
    return batches.payouts_to(Party("leader", id), request.caller, request.page)


@routes.endpoint(
    "GET",
    "/v1/suppliers/{id}/payouts",
    summary="List what a supplier was paid out",
    roles=("operator", "supplier"),
    answer=PayoutView,
    is_list=True,
)
def list_supplier_payouts(request: Request, id: str) -> Page[PayoutShown]:
    return batches.payouts_to(Party("supplier", id), request.caller, request.page)


@routes.endpoint(
    "PUT",
    "/v1/leaders/{id}/payout-account",
    summary="Say where a leader is paid",
    notes="Kept encrypted, and shown by its last four characters alone. What is prepared already "
    "goes where it was to go.",
    roles=("operator", "leader"),
    body=SetPayoutAccount,
    answer=PayoutAccountView,
)
def set_leader_account(request: Request, id: str) -> AccountShown:
    return accounts.set_account(Party("leader", id), _details(request.body), request.caller)


@routes.endpoint(
    "GET",
    "/v1/leaders/{id}/payout-account",
    summary="Read where a leader is paid",
    roles=("operator", "leader"),
    answer=PayoutAccountView,
)
def read_leader_account(request: Request, id: str) -> AccountShown:
    return accounts.account_of(Party("leader", id), request.caller)


@routes.endpoint(
    "GET",
    "/v1/leaders/{id}/payout-account/changes",
    summary="List where a leader was said to be paid, and by whom",
    roles=("operator",),
    answer=AccountChangeView,
    is_list=True,
)
def list_leader_account_changes(request: Request, id: str) -> Page[AccountChange]:
    return accounts.changes_of(Party("leader", id), request.caller, request.page)


@routes.endpoint(
    "PUT",
    "/v1/suppliers/{id}/payout-account",
    summary="Say where a supplier is paid",
    notes="Kept encrypted, and shown by its last four characters alone. What is prepared already "
    "goes where it was to go.",
    roles=("operator", "supplier"),
    body=SetPayoutAccount,
    answer=PayoutAccountView,
)
def set_supplier_account(request: Request, id: str) -> AccountShown:
    return accounts.set_account(Party("supplier", id), _details(request.body), request.caller)


@routes.endpoint(
    "GET",
    "/v1/suppliers/{id}/payout-account",
    summary="Read where a supplier is paid",
    roles=("operator", "supplier"),
    answer=PayoutAccountView,
)
def read_supplier_account(request: Request, id: str) -> AccountShown:
    return accounts.account_of(Party("supplier", id), request.caller)


@routes.endpoint(
    "GET",
    "/v1/suppliers/{id}/payout-account/changes",
    summary="List where a supplier was said to be paid, and by whom",
    roles=("operator",),
    answer=AccountChangeView,
    is_list=True,
)
def list_supplier_account_changes(request: Request, id: str) -> Page[AccountChange]:
    return accounts.changes_of(Party("supplier", id), request.caller, request.page)


def _details(sent: SetPayoutAccount) -> Details:
    return Details(**sent.model_dump())
