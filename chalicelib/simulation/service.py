"""Simulations: begun with their first step, and where that is not all, gone on with as a job.

Each step is written on condition of the job's version together with what it has added up, so one
that is taken twice counts once. A worker that dies leaves its message, which comes again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.kernel import clock, events, ids
from chalicelib.kernel.errors import Invalid, NotFound, Stale
from chalicelib.kernel.events import Event
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order
from chalicelib.parties import store as parties
from chalicelib.plans import service as plans
from chalicelib.plans.rules import Plan, PlanBonus, Rule
from chalicelib.platform import queues
from chalicelib.platform.log import logger
from chalicelib.platform.pages import PageRequest
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Recorder, Transaction
from chalicelib.simulation import rules, trying
from chalicelib.simulation import store as simulations
from chalicelib.simulation.counting import Found, Tried
from chalicelib.simulation.rules import LEADERS_SHOWN, Simulation, SimulationWhole

# One step goes through so many pages, or a little more than so many orders that count, or as many
# as their sums fit into a transaction: what it reads of each bounds the time that it takes.
PAGES_A_STEP, ORDERS_A_PAGE, ORDERS_A_STEP = 60, 20, 100
STEPS_A_MESSAGE = 5
# An order's id is made a moment after the instant that it says it was placed at.
MADE_WITHIN = timedelta(minutes=1)


@dataclass(frozen=True)
class Draft:
    rules: Sequence[Rule]
    upline: Sequence[int]
    bonuses: Sequence[PlanBonus]
    month: str | None
    leader_ids: Sequence[str]


def start(plan_id: str, draft: Draft, recorder: Recorder | None) -> SimulationWhole:
    """Simulate a month under a draft; last month where none is named. Done at once where its orders
    are few. Raises NotFound, and Invalid for what a version could not say, leaders who could not be
    under the plan, or a month to come."""
    plan, now = plans.plan_of(plan_id), clock.now()
    plans.check_draft(plan, draft.rules, draft.upline, draft.bonuses)
    _check_currency(plan, draft.leader_ids)
    begins, ends = _month(draft.month, now)
    made = Simulation(
        id=ids.new("sim"),
        plan_id=plan_id,
        month=f"{clock.business_date(begins, settings().zone):%Y-%m}",
        leader_ids=tuple(draft.leader_ids),
        rules=tuple(draft.rules),
        upline=tuple(draft.upline),
        status="running",
        begins=begins,
        ends=ends,
        listing=0,
        after=ids.first_at("ord", begins),
        listings=ordering.LISTING_SHARDS,
        orders=0,
        lines_without_rule=0,
        totals=(),
        version=0,
        created_at=now,
        bonuses=tuple(draft.bonuses),
    )
    found, after = _step(made, plan)
    whole = SimulationWhole.of(after, found.leaders)
    transaction = Transaction(recorder)
    transaction.add(simulations.add_simulation(after), *simulations.add_found(made.id, found))
    if after.is_running:
        transaction.publish(Event(events.SIMULATION_ASKED, made.id))
    transaction.commit(whole)
    return whole


def whole(simulation: Simulation) -> SimulationWhole:
    first = PageRequest(simulation.id, LEADERS_SHOWN)
    return SimulationWhole.of(simulation, simulations.leaders(simulation.id, first).items)


def simulation_of(plan_id: str, simulation_id: str) -> Simulation:
    found = simulations.get_simulation(simulation_id)
    if found is None or found.plan_id != plan_id:
        raise NotFound("There is no such simulation.")
    return found


def go_on(simulation_id: str) -> None:
    """Take the next steps, and ask for those after them."""
    for _ in range(STEPS_A_MESSAGE):
        simulation = simulations.get_simulation(simulation_id)
        if simulation is None or not simulation.is_running:
            return
        _take_step(simulation)
    queues.send(queues.PLAN_SIMULATE, [{"subject": simulation_id}])


def _take_step(simulation: Simulation) -> None:
    found, after = _step(simulation, plans.plan_of(simulation.plan_id))
    transaction = Transaction()
    transaction.add(
        simulations.replace_simulation(after), *simulations.add_found(simulation.id, found)
    )
    try:
        transaction.commit()
    except Stale:
        logger.info("the step was taken meanwhile")


def _check_currency(plan: Plan, leader_ids: Sequence[str]) -> None:
    """Caps and bonuses are amounts, which no leader of another currency could be promised."""
    for leader in parties.get_leaders(leader_ids):
        if plan.currency not in (None, leader.currency):
            raise Invalid.field(
                f"leader_ids.{leader_ids.index(leader.id)}",
                f"has the currency {leader.currency}, not {plan.currency}",
                code="currency_mismatch",
            )


def _month(named: str | None, now: datetime) -> tuple[datetime, datetime]:
    """The first instant of a month where the platform is at home, and that of the next."""
    zone = settings().zone
    this = now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if named is None:
        first = (this - timedelta(days=1)).replace(day=1)
    else:
        first = datetime.strptime(named, "%Y-%m").replace(tzinfo=zone)
    if first > this:
        raise Invalid.field("month", "must not lie in the future")
    after = (first + timedelta(days=32)).replace(day=1)
    return clock.in_utc(first), clock.in_utc(after)


def _step(simulation: Simulation, plan: Plan) -> tuple[Found, Simulation]:
    """What the next orders come to, and the simulation behind them."""
    found = Found()
    for _ in range(PAGES_A_STEP):
        if simulation.is_at_its_end or found.orders >= ORDERS_A_STEP:
            break
        before, simulation = simulation, _take_page(found, simulation, plan)
        if simulation == before:
            break
    after = simulation.with_found(
        found.orders, found.lines_without_rule, found.by_currency, clock.now()
    )
    return found, after


def _take_page(found: Found, simulation: Simulation, plan: Plan) -> Simulation:
    """Add the next page of a listing, as far as there is room; the simulation behind that."""
    orders = ordering.placed_between(
        simulation.listing, simulation.after, _behind(simulation), ORDERS_A_PAGE
    )
    counted = [each for each in orders if rules.counts(each, simulation)]
    tried = trying.try_draft(counted, simulation, plan)
    fitting = found.fitting(tried)
    _add(found, fitting, simulation)
    if len(fitting) == len(tried):
        return _come_past(simulation, orders)
    last = fitting[-1].order_id if fitting else simulation.after
    return simulation.come_to(simulation.listing, last)


def _add(found: Found, tried: Sequence[Tried], simulation: Simulation) -> None:
    days = {each for order in tried for each in order.days} - found.days.keys()
    totals = {each for order in tried for each in order.totals} - found.totals.keys()
    found.go_on_from(
        simulations.kept_days(simulation.id, days), simulations.kept_totals(simulation.id, totals)
    )
    for order in tried:
        found.add(order, simulation.bonuses)


def _behind(simulation: Simulation) -> str:
    return ids.first_at("ord", simulation.ends + MADE_WITHIN)


def _come_past(simulation: Simulation, orders: Sequence[Order]) -> Simulation:
    """Behind these orders of its listing, or at the beginning of the next one."""
    if len(orders) == ORDERS_A_PAGE:
        return simulation.come_to(simulation.listing, orders[-1].id)
    return simulation.come_to(simulation.listing + 1, ids.first_at("ord", simulation.begins))
