"""Where a supplier is paid, and by which terms."""

from chalicelib.kernel.errors import Invalid, NotFound
from chalicelib.parties import service as parties
from chalicelib.parties.settlement_terms import SettlementTerms
from chalicelib.payouts import accounts, holds
from chalicelib.payouts.accounts import AccountShown, Details
from chalicelib.payouts.rules import Hold, Party
from chalicelib.payouts.schema import SetPayoutAccount
from chalicelib.platform import problems
from chalicelib.platform.pages import PageRequest
from chalicelib.portal import words
from chalicelib.portal.web import Answer, GoTo, Pages, Shown, Visit
from chalicelib.suppliers import agreeing

routes = Pages(__name__)

VERSIONS_AT_MOST = 100


@routes.page("GET", "/supplier/account")
def supplier_account(visit: Visit) -> Answer:
    return _page(visit)


@routes.page("POST", "/supplier/account")
def supplier_set_account(visit: Visit) -> Answer:
    try:
        # Not every bank wants a BIC: a field that was left empty names none.
        bic = ["bic"] if visit.form.get("bic", "").strip() else []
        sent: SetPayoutAccount = visit.read(SetPayoutAccount, "holder", "iban", *bic)
        accounts.set_account(_party(visit), Details(**sent.model_dump()), visit.caller)
    except Invalid as refused:
        status = problems.problem(refused).status
        return _page(visit, problem=words.told(refused), status=status)
    return GoTo("supplier/account?done=set")


def _page(visit: Visit, *, problem: str | None = None, status: int = 200) -> Answer:
    supplier_id, account = visit.caller.id, _account(visit)
    done = account and visit.query.get("done") == "set"
    whole = PageRequest(f"supplier terms {supplier_id}", VERSIONS_AT_MOST, None)
    versions = agreeing.versions_for(supplier_id, visit.caller, whole).items
    values = {
        "account": account,
        "hold": _hold(visit),
        "notice": words.ACCOUNT_SET if done else None,
        "problem": problem,
        "sent": visit.form,
        "currency": parties.supplier(supplier_id).currency,
        "terms": parties.terms_of(supplier_id),
        "versions": [*versions, SettlementTerms(supplier_id)],
    }
    return Shown("account", values, status)


def _party(visit: Visit) -> Party:
    return Party("supplier", visit.caller.id)


def _account(visit: Visit) -> AccountShown | None:
    try:
        return accounts.account_of(_party(visit), visit.caller)
    except NotFound:
        return None


def _hold(visit: Visit) -> Hold | None:
    """Why nothing is sent to the account, if so."""
    try:
        hold = holds.hold_of(_party(visit), visit.caller)
    except NotFound:
        return None
    return None if hold.lifted_at else hold
