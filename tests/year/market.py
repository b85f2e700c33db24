"""Everybody who takes part, what they sell, and the campaigns in which they sell it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from chalicelib.catalogue import campaigns, products
from chalicelib.catalogue.campaigns import NewCampaign, NewOffer
from chalicelib.catalogue.pricing import Terms
from chalicelib.catalogue.products import NewProduct, NewSku
from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.parties import service as parties
from chalicelib.parties.rules import PickupPoint
from chalicelib.parties.settlement_terms import SettlementTerms
from chalicelib.parties.terms import STANDARD
from chalicelib.plans import leaders as leader_terms
from chalicelib.plans import service as plans
from chalicelib.plans.rules import Rule
from chalicelib.plans.service import NewVersion
from chalicelib.stock import service as stock
from chalicelib.suppliers import agreeing
from infra.demo.baskets import Line, Order, split
from tests.year import told
from tests.year.reading import Period, Sold

CURRENCY = "USD"
OPERATOR, OTHER_OPERATOR = Caller("operator", "op_year"), Caller("operator", "op_other")
SOMEWHERE = PickupPoint("Front desk", "Cincinnati", "45202", "US")
MOST_OFFERS, MOST_SKUS = 90, 50
OPENS, CLOSES = time(6, 0, tzinfo=UTC), time(23, 0, tzinfo=UTC)


@dataclass
class Campaign:
    """What is bought of a leader in some days of one price week, in so many orders."""

    leader: str
    first: str
    last: str
    lines: dict[str, Line] = field(default_factory=dict)

    def takes(self, order: Order) -> bool:
        """Whether it has room for the order, at the order's prices."""
        added = {line.sku: line for line in order.lines}
        same = all(
            line.unit_price == self.lines[sku].unit_price
            for sku, line in added.items()
            if sku in self.lines
        )
        return same and len(self.lines.keys() | added.keys()) <= MOST_OFFERS


class Market:
    """The ids of leaders, suppliers and SKUs by the data's own numbers."""

    def __init__(self, sold: Sold) -> None:
        self._sold = sold
        self.leaders: dict[int, str] = {}
        self.suppliers: dict[int, str] = {}
        self.skus: dict[str, str] = {}
        self.campaigns = _campaigns(sold.orders)
        self._opened: dict[int, str] = {}

    def found(
        self, period: Period, more_leaders: Sequence[int], more_suppliers: Sequence[int]
    ) -> None:
        """Everybody registers and agrees on terms; those too who will sell nothing."""
        _make_plan(period.plan_change)
        makers = {product.manufacturer for product in self._sold.products.values()}
        for store in sorted({*self._sold.stores, *more_leaders}):
            made = parties.register_leader(
                f"Store {store}", "Neighbours", SOMEWHERE, CURRENCY, None
            )
            self.leaders[store] = made.id
        for store, hub in told.hubs(self._sold.stores).items():
            leader_terms.set_terms(self.leaders[store], {"hub_id": self.leaders[hub]}, OPERATOR)
        for maker in sorted({*makers, *more_suppliers}):
            self.suppliers[maker] = _register_supplier(maker)

    def stock_shelves(self) -> Iterator[None]:
        """Products are listed, with as many units as will be sold; a step for each product."""
        first: dict[str, Line] = {}
        units = Counter[str]()
        for order in self._sold.orders:
            for line in order.lines:
                first.setdefault(line.sku, line)
                units[line.sku] += line.quantity
        shelves: defaultdict[tuple[str, str], list[Line]] = defaultdict(list)
        for sku, line in first.items():
            shelves[line.supplier, self._sold.products[sku].department].append(line)
        for (supplier, department), lines in shelves.items():
            for some in split(lines, MOST_SKUS):
                self._list(int(supplier), department, some)
        for sku, sku_id in self.skus.items():
            stock.set_units(sku_id, "on_hand", units[sku])
            yield

    def campaign_id(self, order: Order) -> str:
        """The campaign that the order is placed in; it opens with the first of its orders."""
        campaign = self.campaigns[order.basket]
        if id(campaign) not in self._opened:
            self._opened[id(campaign)] = self._open(campaign)
        return self._opened[id(campaign)]

    def _list(self, supplier: int, department: str, lines: Sequence[Line]) -> None:
        skus = [
            NewSku(line.title, line.sku, line.unit_price, _cost(line), STANDARD) for line in lines
        ]
        new = NewProduct(self.suppliers[supplier], lines[0].title, None, department, CURRENCY, skus)
        made = products.create_product(new, OPERATOR, None)
        for line, sku in zip(lines, made.skus, strict=True):
            self.skus[line.sku] = sku.id

    def _open(self, campaign: Campaign) -> str:
        offers = [
            NewOffer(self.skus[sku], Terms(line.unit_price), None, None, None, None)
            for sku, line in campaign.lines.items()
        ]
        opens = datetime.combine(date.fromisoformat(campaign.first), OPENS)
        closes = datetime.combine(date.fromisoformat(campaign.last), CLOSES)
        new = NewCampaign(
            f"Store {campaign.leader}",
            opens,
            closes,
            CURRENCY,
            offers,
            [self.leaders[int(campaign.leader)]],
            None,
            None,
        )
        return campaigns.create_campaign(new, None).id


def _cost(line: Line) -> int:
    """What its supplier asks for a unit: a part of the first price, half a cent rounded up."""
    return (line.unit_price * told.COST_PERCENT + 50) // 100


def _register_supplier(maker: int) -> str:
    made = parties.register_supplier(f"Manufacturer {maker}", "m@example.com", CURRENCY, None)
    if told.shares_revenue(maker):
        agreeing.agree(
            SettlementTerms(made.id, basis="revenue_share", fee_bps=told.FEE_BPS), OPERATOR
        )
    return made.id


def _make_plan(change: date) -> None:
    """The platform's default for all leaders, and its second version."""
    plan = plans.create_plan("Stores", CURRENCY, None, OPERATOR, None)
    produce = Rule("sales", told.PRODUCE_BPS, category=told.PRODUCE)
    before = [Rule("sales", told.RATE_BEFORE), produce]
    split = (("promoter", 10_000 - told.HUB_BPS), ("hub", told.HUB_BPS))
    after = [
        Rule("sales", told.RATE_AFTER, split=split),
        replace(produce, line_floor=told.PRODUCE_FLOOR),
        Rule("gross_profit", told.DRUGS_BPS, category=told.DRUGS, line_cap=told.DRUGS_CAP),
    ]
    for day, rules in ((clock.now().date(), before), (change, after)):
        plans.add_version(plan.id, NewVersion(day.isoformat(), rules, ()), OPERATOR, None)
    plans.set_default(plan.id, OPERATOR, is_default=True)


def _campaigns(orders: Sequence[Order]) -> dict[str, Campaign]:
    """The campaign of each order by its basket: each leader has one after another, of up to a week
    and as many offers as a campaign may have."""
    of_leader: dict[str, Campaign] = {}
    found = {}
    for order in orders:
        current = of_leader.get(order.leader)
        if current is None or _is_over(current, order.day) or not current.takes(order):
            current = of_leader[order.leader] = Campaign(order.leader, order.day, order.day)
        current.last = order.day
        current.lines |= {line.sku: line for line in order.lines}
        found[order.basket] = current
    return found


def _is_over(campaign: Campaign, day: str) -> bool:
    return date.fromisoformat(day) - date.fromisoformat(campaign.first) >= timedelta(days=7)
