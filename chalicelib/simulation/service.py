"""Simulations: begun with their first step, and where that is not all, gone on with as a job.

Each step is written on condition of the job's version together with what it has added up, so one
that is taken twice counts once. A worker that dies leaves its message, which comes again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.catalogue import product_store
from chalicelib.catalogue.rules import Product
from chalicelib.kernel import clock, events, ids
from chalicelib.kernel.errors import Invalid, NotFound, Stale
from chalicelib.kernel.events import Event
from chalicelib.ordering import earning_by
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order
from chalicelib.parties import store as parties
from chalicelib.parties.rules import Leader
from chalicelib.plans import service as plans
from chalicelib.plans import store as plan_store
from chalicelib.plans.rules import Plan, PlanBonus, Rule, Sold
from chalicelib.platform import queues
from chalicelib.platform.log import logger
from chalicelib.platform.pages import PageRequest
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Recorder, Transaction
from chalicelib.simulation import rules
from chalicelib.simulation import store as simulations
from chalicelib.simulation.rules import LEADERS_SHOWN, Found, Simulation, SimulationWhole

# What is added up of so many pages of orders, or of so many leaders, is one step. Its sums fit into
# a transaction: an order has five leaders at most.
PAGES_A_STEP, LEADERS_A_STEP, LEADERS_AN_ORDER = 60, 90, 5
STEPS_A_MESSAGE = 10
# An order's id is made a moment after the instant that it says it was placed at.
MADE_WITHIN = timedelta(minutes=1)


@dataclass(frozen=True)
class Draft:
    rules: Sequence[Rule]
    upline: Sequence[int]
    # They are checked with the draft, and count on neither side.
    bonuses: Sequence[PlanBonus]
    month: str | None
    leader_ids: Sequence[str]


def start(plan_id: str, draft: Draft, recorder: Recorder | None) -> SimulationWhole:
    """Simulate a month under a draft; last month where none is named. Done at once where its orders
    are few. Raises NotFound, and Invalid for what a version could not say or a month to come."""
    plan, now = plans.plan_of(plan_id), clock.now()
    plans.check_draft(plan, draft.rules, draft.upline, draft.bonuses)
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
        room = (LEADERS_A_STEP - len(found.by_leader)) // LEADERS_AN_ORDER
        if not room or simulation.is_at_its_end:
            break
        orders = ordering.placed_between(
            simulation.listing, simulation.after, _behind(simulation), room
        )
        counted = [each for each in orders if rules.counts(each, simulation)]
        _add(found, counted, simulation, plan)
        simulation = _come_past(simulation, orders, room)
    return found, simulation.with_found(found, clock.now())


def _behind(simulation: Simulation) -> str:
    return ids.first_at("ord", simulation.ends + MADE_WITHIN)


def _come_past(simulation: Simulation, orders: Sequence[Order], asked: int) -> Simulation:
    """Behind these orders of its listing, or at the beginning of the next one."""
    if len(orders) == asked:
        return simulation.come_to(simulation.listing, orders[-1].id)
    return simulation.come_to(simulation.listing + 1, ids.first_at("ord", simulation.begins))


def _add(found: Found, orders: Sequence[Order], simulation: Simulation, plan: Plan) -> None:
    leaders = {each.id: each for each in parties.get_leaders({o.leader_id for o in orders})}
    earning = _by_plan(simulation, leaders.values())
    orders = [order for order in orders if order.leader_id in earning]
    products, draft = _products(orders), simulation.draft(plan)
    for order in orders:
        leader = leaders[order.leader_id]
        goods = {
            sku_id: Sold(sku_id, product.id, order.campaign_id, product.category, leader.level)
            for sku_id, product in products.items()
        }
        seller = earning_by.seller(leader)
        found.add(order, rules.simulate(order, plan, draft, seller, goods))


def _by_plan(simulation: Simulation, leaders: Iterable[Leader]) -> set[str]:
    """Those leaders that the draft is for: the named ones, or else those who earn by the plan."""
    if simulation.leader_ids:
        return set(simulation.leader_ids)
    defaults = plan_store.get_defaults()
    return {
        each.id
        for each in leaders
        if (each.plan_id or defaults.plan_of(each.currency)) == simulation.plan_id
    }


def _products(orders: Sequence[Order]) -> dict[str, Product]:
    """The products of what was ordered by a plan's rules, by SKU."""
    skus = product_store.get_skus({line.counts_as for line in rules.lines_of_plans(orders)})
    found = product_store.get_products({row.product_id for row in skus.values()})
    return {sku_id: found[row.product_id] for sku_id, row in skus.items()}
