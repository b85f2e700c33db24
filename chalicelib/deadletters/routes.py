"""`/v1/dead-letters`."""

from chalicelib.deadletters import service
from chalicelib.deadletters.schema import DeadLetterQueueView, RedrivenView, ShownQuery
from chalicelib.deadletters.service import ParkedQueue, Redriven
from chalicelib.parties.authorizer import authorizer
from chalicelib.platform.endpoints import Request
from chalicelib.platform.http_in import Routes
from chalicelib.platform.pages import Page

routes = Routes(__name__, tag="Dead letters", authorizer=authorizer)


@routes.endpoint(
    "GET",
    "/v1/dead-letters",
    summary="List the queues with what their workers gave up, and why",
    notes="In the order of an order's way, with up to ten messages of each queue.",
    roles=("operator",),
    answer=DeadLetterQueueView,
    is_list=True,
)
def list_dead_letters(request: Request) -> Page[ParkedQueue]:
    return service.all_queues(request.page)


@routes.endpoint(
    "GET",
    "/v1/dead-letters/{queue}",
    summary="Read what one queue's worker gave up",
    roles=("operator",),
    query=ShownQuery,
    answer=DeadLetterQueueView,
)
def read_dead_letters(request: Request, queue: str) -> ParkedQueue:
    return service.read(queue, request.query.limit)


@routes.endpoint(
    "POST",
    "/v1/dead-letters/{queue}/redrive",
    summary="Send a queue's dead letters back to its worker",
    notes="A message may come twice, as any message may: every worker takes it without harm.",
    roles=("operator",),
    answer=RedrivenView,
    key="optional",
    errors={"nothing_to_redrive": 409},
)
def redrive_dead_letters(request: Request, queue: str) -> Redriven:
    return service.redrive(queue)
