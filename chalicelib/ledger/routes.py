"""`/v1/ledger`."""

from datetime import date
from typing import Any

from chalicelib.ledger import income, journal, period_store, service
from chalicelib.ledger.income import IncomeReport
from chalicelib.ledger.journal import Asked, Days, Part
from chalicelib.ledger.periods import Period
from chalicelib.ledger.schema import (
    BookedView,
    ClosedPeriodView,
    IncomeQuery,
    IncomeReportView,
    JournalQuery,
    TrialBalanceQuery,
    TrialBalanceView,
)
from chalicelib.ledger.service import TrialBalance
from chalicelib.parties.authorizer import authorizer
from chalicelib.platform.endpoints import Also, Reply, Request
from chalicelib.platform.http_in import Routes
from chalicelib.platform.pages import Page, cursor, paged

routes = Routes(__name__, tag="Ledger", authorizer=authorizer)


@routes.endpoint(
    "GET",
    "/v1/ledger/trial-balance",
    summary="All balances, now or as a day left them, and whether the books balance",
    roles=("operator",),
    query=TrialBalanceQuery,
    answer=TrialBalanceView,
)
def read_trial_balance(request: Request) -> TrialBalance:
    sent: TrialBalanceQuery = request.query
    day = date.fromisoformat(sent.as_of) if sent.as_of else None
    return service.trial_balance(sent.prefix, day)


@routes.endpoint(
    "GET",
    "/v1/ledger/income",
    summary="The platform's income of some business dates, by what it is",
    notes="All of it is in the one account `platform:revenue`; this tells its parts apart.",
    roles=("operator",),
    query=IncomeQuery,
    answer=IncomeReportView,
)
def read_income(request: Request) -> IncomeReport:
    sent: IncomeQuery = request.query
    return income.report(Days.of(sent.first, sent.last))


CSV, BEANCOUNT = "text/csv; charset=utf-8", "text/plain; charset=utf-8"
NEXT = "X-Next-Cursor"


@routes.endpoint(
    "GET",
    "/v1/ledger/journal",
    summary="The journal of some business dates: as a list, CSV or a Beancount file",
    notes="The oldest entry comes first. A page or file is of up to 5,000 entries and 15 days that "
    "have some, so it may go on though it is not full; `X-Next-Cursor` is the `cursor` of a file's "
    "next part. Parts put together in their order are one file.",
    roles=("operator",),
    query=JournalQuery,
    answer=BookedView,
    is_list=True,
    also=Also(
        media_types=(CSV, BEANCOUNT),
        gives={NEXT: "The `cursor` of a file's next part."},
    ),
)
def read_journal(request: Request) -> Any:
    sent: JournalQuery = request.query
    asked = Asked(Days.of(sent.first, sent.last), sent.account, sent.subject)
    if sent.format == "csv":
        return _file(request, CSV, journal.as_csv(asked, request.page))
    if sent.format == "beancount":
        return _file(request, BEANCOUNT, journal.as_beancount(asked, request.page))
    return journal.page_of(asked, request.page)


def _file(request: Request, media_type: str, part: Part) -> Reply:
    following = cursor(request.scope, part.next_after)
    more = {NEXT: following} if following else {}
    return Reply(None, headers={"Content-Type": media_type, **more}, text=part.text)


@routes.endpoint(
    "GET",
    "/v1/ledger/periods",
    summary="List the months that are closed",
    roles=("operator",),
    answer=ClosedPeriodView,
    is_list=True,
)
def list_periods(request: Request) -> Page[Period]:
    return paged(period_store.periods(), request.page)
