"""`/v1/commission-plans/{id}/simulate`, and what simulations come to."""

from chalicelib.parties.authorizer import authorizer
from chalicelib.plans import schema as plan_schema
from chalicelib.platform.endpoints import Also, Reply, Request
from chalicelib.platform.http_in import Routes
from chalicelib.platform.pages import Page
from chalicelib.simulation import service
from chalicelib.simulation import store as simulations
from chalicelib.simulation.rules import OfLeader, SimulationWhole
from chalicelib.simulation.schema import LeaderComparedView, SimulatePlan, SimulationView
from chalicelib.simulation.service import Draft

routes = Routes(__name__, tag="Commission plans", authorizer=authorizer)


def _reply(simulation: SimulationWhole) -> Reply:
    return Reply(simulation, status=202 if simulation.is_running else 200)


@routes.endpoint(
    "POST",
    "/v1/commission-plans/{id}/simulate",
    summary="Ask what a month's orders would have earned under a draft",
    notes="Nothing is saved of the draft, and nothing is paid. Each order's leader has the level, "
    "hub and uplines that it has now. What was refunded counts on neither side, and an offer's own "
    "commission stays as it is. Daily caps and bonuses count once goods are delivered.",
    roles=("operator",),
    body=SimulatePlan,
    answer=SimulationView,
    status=202,
    key="optional",
    errors={"currency_mismatch": 422, "upline_not_allowed": 422},
    also=Also(statuses={200: "Of few orders: it is completed."}),
)
def simulate(request: Request, id: str) -> Reply:
    sent: SimulatePlan = request.body
    draft = Draft(
        plan_schema.rules_of(sent),
        plan_schema.upline_of(sent),
        plan_schema.bonuses_of(sent),
        sent.month,
        sent.leader_ids,
    )
    return _reply(service.start(id, draft, request.recorder(_reply)))


@routes.endpoint(
    "GET",
    "/v1/commission-plans/{id}/simulations/{simulation_id}",
    summary="Read how far a simulation is, and what it has come to",
    roles=("operator",),
    answer=SimulationView,
)
def read_simulation(request: Request, id: str, simulation_id: str) -> SimulationWhole:
    return service.whole(service.simulation_of(id, simulation_id))


@routes.endpoint(
    "GET",
    "/v1/commission-plans/{id}/simulations/{simulation_id}/leaders",
    summary="List what each leader earned and would have",
    roles=("operator",),
    answer=LeaderComparedView,
    is_list=True,
)
def list_simulated(request: Request, id: str, simulation_id: str) -> Page[OfLeader]:
    page = request.page
    found = service.simulation_of(id, simulation_id)
    return simulations.leaders(found.id, page)
