"""`/v1/cases`."""

from chalicelib.cases import service
from chalicelib.cases import store as cases
from chalicelib.cases.rules import Case
from chalicelib.cases.schema import CasesQuery, CaseView, ResolveCase
from chalicelib.kernel.errors import NotFound
from chalicelib.parties.authorizer import authorizer
from chalicelib.platform.endpoints import Request
from chalicelib.platform.http_in import Routes
from chalicelib.platform.pages import Page

routes = Routes(__name__, tag="Cases", authorizer=authorizer)


@routes.endpoint(
    "GET",
    "/v1/cases",
    summary="List what a person must look at",
    roles=("operator",),
    query=CasesQuery,
    answer=CaseView,
    is_list=True,
)
def list_cases(request: Request) -> Page[Case]:
    return service.cases_of(request.query.status, request.page)


@routes.endpoint(
    "GET", "/v1/cases/{id}", summary="Read a case", roles=("operator",), answer=CaseView
)
def read_case(request: Request, id: str) -> Case:
    case = cases.get_case(id)
    if case is None:
        raise NotFound("There is no such case.")
    return case


@routes.endpoint(
    "POST",
    "/v1/cases/{id}/resolve",
    summary="Close a case with a note on what was done",
    roles=("operator",),
    body=ResolveCase,
    answer=CaseView,
    key="optional",
    errors={"already_resolved": 409, "case_ends_with_its_subject": 409},
)
def resolve_case(request: Request, id: str) -> Case:
    return service.resolve(id, request.body.note, request.caller, request.idempotency)
