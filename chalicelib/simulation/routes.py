"""`/v1/commission-plans/{id}/simulate`, and what simulations come to."""

from chalicelib.parties.authorizer import authorizer
from chalicelib.plans import schema as plan_schema
from chalicelib.platform.endpoints import Also, Reply, Request
from chalicelib.platform.http_in import Routes
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.simulation import service
from chalicelib.simulation import store as simulations
from chalicelib.simulation.rules import Simulation
from chalicelib.simulation.schema import (
    MAX_LEADERS,
    LeaderComparedView,
    SimulatePlan,
    SimulationView,
)
from chalicelib.simulation.service import Draft
from chalicelib.simulation.store import SimulatedRow

routes = Routes(__name__, tag="Commission plans", authorizer=authorizer)


def _shown(simulation: Simulation) -> SimulationView:
    leaders = simulations.leaders(simulation.id, PageRequest(simulation.id, MAX_LEADERS)).items
    of_job = {n: getattr(simulation, n) for n in SimulationView.model_fields if n != "leaders"}
    return SimulationView.model_validate({**of_job, "leaders": leaders}, from_attributes=True)


@routes.endpoint(
    "POST",
    "/v1/commission-plans/{id}/simulate",
    summary="Ask what a month's orders would have earned under a draft",
    notes="Nothing is saved of the draft, and nothing is paid. Each order's leader has the level, "
    "hub and uplines that it has now. What was refunded counts on neither side, and an offer's own "
    "commission stays as it is.",
    roles=("operator",),
    body=SimulatePlan,
    answer=SimulationView,
    status=202,
    errors={"upline_not_allowed": 422},
    also=Also(statuses={200: "Of few orders: it is completed."}),
)
def simulate(request: Request, id: str) -> Reply:
    sent: SimulatePlan = request.body
    draft = Draft(
        plan_schema.rules_of(sent), plan_schema.upline_of(sent), sent.month, sent.leader_ids
    )
    made = service.start(id, draft)
    return Reply(_shown(made), status=202 if made.is_running else 200)


@routes.endpoint(
    "GET",
    "/v1/commission-plans/{id}/simulations/{simulation_id}",
    summary="Read how far a simulation is, and what it has come to",
    roles=("operator",),
    answer=SimulationView,
)
def read_simulation(request: Request, id: str, simulation_id: str) -> SimulationView:
    return _shown(service.simulation_of(id, simulation_id))


@routes.endpoint(
    "GET",
    "/v1/commission-plans/{id}/simulations/{simulation_id}/leaders",
    summary="List what each leader earned and would have",
    roles=("operator",),
    answer=LeaderComparedView,
    is_list=True,
)
def list_simulated(request: Request, id: str, simulation_id: str) -> Page[SimulatedRow]:
    found = service.simulation_of(id, simulation_id)
    return simulations.leaders(found.id, request.page)
