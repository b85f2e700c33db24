"""`/v1/ledger`."""

from typing import Any

from chalicelib.ledger import journal, service
from chalicelib.ledger import store as ledger
from chalicelib.ledger.journal import Days
from chalicelib.ledger.periods import Period
from chalicelib.ledger.schema import (
    BookedView,
    ClosedPeriodView,
    JournalQuery,
    TrialBalanceQuery,
    TrialBalanceView,
)
from chalicelib.ledger.service import TrialBalance
from chalicelib.parties.authorizer import authorizer
from chalicelib.platform.endpoints import Also, Reply, Request
from chalicelib.platform.http_in import Routes
from chalicelib.platform.pages import Page, paged

routes = Routes(__name__, tag="Ledger", authorizer=authorizer)


@routes.endpoint(
    "GET",
    "/v1/ledger/trial-balance",
    summary="All balances, and whether the books balance",
    roles=("operator",),
    query=TrialBalanceQuery,
    answer=TrialBalanceView,
)
def read_trial_balance(request: Request) -> TrialBalance:
    return service.trial_balance(request.query.prefix)


CSV, BEANCOUNT = "text/csv; charset=utf-8", "text/plain; charset=utf-8"


@routes.endpoint(
    "GET",
    "/v1/ledger/journal",
    summary="The journal of some business dates: as a list, CSV or a Beancount file",
    notes="The oldest entry comes first. A file holds up to 5,000 entries; of more, ask for fewer "
    "days, or for pages as JSON.",
    roles=("operator",),
    query=JournalQuery,
    answer=BookedView,
    is_list=True,
    also=Also(media_types=(CSV, BEANCOUNT)),
)
def read_journal(request: Request) -> Any:
    sent: JournalQuery = request.query
    days = Days.of(sent.first, sent.last)
    if sent.format == "csv":
        return Reply(None, headers={"Content-Type": CSV}, text=journal.as_csv(days))
    if sent.format == "beancount":
        return Reply(None, headers={"Content-Type": BEANCOUNT}, text=journal.as_beancount(days))
    return journal.page_of(days, request.page)


@routes.endpoint(
    "GET",
    "/v1/ledger/periods",
    summary="List the months that are closed",
    roles=("operator",),
    answer=ClosedPeriodView,
    is_list=True,
)
def list_periods(request: Request) -> Page[Period]:
    return paged(ledger.periods(), request.page)
