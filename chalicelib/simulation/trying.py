"""Orders beside what a draft would have made of them: what both sides need to know of them is read
here, a page of orders at a time."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from chalicelib.catalogue import product_store
from chalicelib.catalogue.rules import Product
from chalicelib.dispatch import store as dispatches
from chalicelib.dispatch.earned import Days, earned_lines
from chalicelib.kernel import clock
from chalicelib.ordering import earning_by
from chalicelib.ordering.lines import OrderLine
from chalicelib.ordering.rules import Order
from chalicelib.ordering.shares import Shares
from chalicelib.parties import store as parties
from chalicelib.parties.rules import Leader
from chalicelib.plans import store as plan_store
from chalicelib.plans.rules import Plan, PlanBonus, Sold
from chalicelib.settlement import bonus_store, earning, plan_bonuses
from chalicelib.settlement.rules import EarnedLine
from chalicelib.simulation import drafting, first_orders
from chalicelib.simulation.counting import Tried
from chalicelib.simulation.drafting import UNDELIVERED, Drafted
from chalicelib.simulation.rules import Pair, Simulation


def try_draft(orders: Sequence[Order], simulation: Simulation, plan: Plan) -> list[Tried]:
    """Those of these orders whose leaders the draft is for, with what both sides bring."""
    leaders = {each.id: each for each in parties.get_leaders({o.leader_id for o in orders})}
    earning_by_plan = _by_plan(simulation, leaders.values())
    orders = [order for order in orders if order.leader_id in earning_by_plan]
    drafted = _drafted(orders, leaders, simulation, plan)
    days, given = _delivery_days(drafted), _given(orders)
    return [_tried(each, days, given[each.order.id], simulation.bonuses) for each in drafted]


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


def _drafted(
    orders: Sequence[Order], leaders: Mapping[str, Leader], simulation: Simulation, plan: Plan
) -> list[Drafted]:
    products, draft, found = _products(orders), simulation.draft(plan), []
    for order in orders:
        leader = leaders[order.leader_id]
        goods = {
            sku_id: Sold(sku_id, product.id, order.campaign_id, product.category, leader.level)
            for sku_id, product in products.items()
        }
        found.append(drafting.drafted(order, plan, draft, earning_by.seller(leader), goods))
    return found


def _products(orders: Sequence[Order]) -> dict[str, Product]:
    """The products of what was ordered by a plan's rules, by SKU."""
    skus = product_store.get_skus({line.counts_as for line in drafting.lines_of_plans(orders)})
    found = product_store.get_products({row.product_id for row in skus.values()})
    return {sku_id: found[row.product_id] for sku_id, row in skus.items()}


def _delivery_days(drafted: Sequence[Drafted]) -> dict[str, str]:
    """On which business date each parcel was delivered that has brought something under a cap."""
    capped = {parcel_id for each in drafted for parcel_id in each.capped_parcels}
    with_caps = (each.order for each in drafted if each.capped_parcels)
    ids = [summary.id for order in with_caps for summary in order.dispatches]
    return {
        parcel.id: earning.delivery_day(clock.from_text(parcel.delivered_at))
        for dispatch in dispatches.get_dispatches(ids)
        for parcel in dispatch.parcels
        if parcel.id in capped and parcel.delivered_at
    }


def _given(orders: Sequence[Order]) -> Counter[str]:
    """What the bonuses come to that the deliveries of each order have brought, and that stand."""
    ids = [
        (order.leader_id, bonus_id) for order in orders for bonus_id in plan_bonuses.ids_of(order)
    ]
    given = Counter[str]()
    for bonus in bonus_store.get_bonuses(ids):
        if bonus.stands:
            given[bonus.order_id] += bonus.amount
    return given


def _tried(
    drafted: Drafted, days: Mapping[str, str], given: int, bonuses: Sequence[PlanBonus]
) -> Tried:
    order = drafted.order
    as_placed = [(line, drafting.pieces_of(line)) for line in order.lines]
    as_drafted = [(each.drafted, each.pieces) for each in drafted.lines]
    promised = bonuses if drafted.earns_by_plan else ()
    has_totals = any(each.kind == "campaign_total" for each in promised)
    return Tried(
        order_id=order.id,
        leader_id=order.leader_id,
        campaign_id=order.campaign_id,
        currency=order.currency,
        lines_without_rule=drafted.lines_without_rule,
        earned=tuple(_lines(order, as_placed, days)),
        would_earn=tuple(_lines(order, as_drafted, days)),
        bonuses=Pair(given, _of_first_order(order, promised)),
        net=drafted.delivered_net if has_totals else None,
    )


def _lines(
    order: Order,
    lines: Iterable[tuple[OrderLine, Mapping[str, Shares]]],
    days: Mapping[str, str],
) -> Iterator[tuple[str, EarnedLine]]:
    """The statement lines of some lines' commission, as deliveries bring them; what is to come is
    under no cap before it arrives."""
    for line, pieces in lines:
        for parcel_id, shares in pieces.items():
            still = parcel_id == UNDELIVERED or line.day_cap is None
            placed = replace(line, day_cap=None) if still else line
            on = Days("", "" if still else days[parcel_id])
            for leader_id, earned in earned_lines(order, placed, shares, on):
                if earned.kind == "commission":
                    yield leader_id, earned


def _of_first_order(order: Order, bonuses: Iterable[PlanBonus]) -> int:
    """What the draft promises for it, if it is its customer's first; it is lost with all of it."""
    amount = sum(each.amount for each in bonuses if each.kind == "first_order")
    return amount if amount and order.everything_left() and first_orders.is_first(order) else 0
