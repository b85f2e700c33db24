"""`/v1/ledger`."""

from chalicelib.ledger import service
from chalicelib.ledger.schema import TrialBalanceQuery, TrialBalanceView
from chalicelib.ledger.service import TrialBalance
from chalicelib.parties.authorizer import authorizer
from chalicelib.platform.endpoints import Request
from chalicelib.platform.http_in import Routes

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
