"""Alternates in place of units that their supplier will not ship."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from chalicelib.catalogue import product_store
from chalicelib.catalogue.rules import Product, Sku, offer_title
from chalicelib.dispatch import rules
from chalicelib.kernel import clock
from chalicelib.ordering.lines import Substitute
from chalicelib.ordering.rules import Order
from chalicelib.parties import store as parties
from chalicelib.parties.settlement_terms import PaidBy
from chalicelib.platform.settings import settings
from chalicelib.stock import store as stock
from chalicelib.stock.levels import Stock
from chalicelib.stock.rules import Parts
from chalicelib.stock.taking import StockPool, at_random


class NoneLeft(Exception):
    """An alternate's units were sold meanwhile."""

    def __init__(self, sku_id: str) -> None:
        super().__init__(f"{sku_id} has not enough units")
        self.sku_id = sku_id


@dataclass(frozen=True)
class Alternate:
    """The SKU to put in place of `units` of one that was ordered."""

    ordered: str
    units: int
    sku: Sku
    product: Product
    shards: int
    paid_by: PaidBy

    @property
    def pool(self) -> StockPool:
        """Its stock, all units of which must be there: a line is replaced whole or refunded."""
        first = at_random(self.units, self.shards)
        return StockPool(self.sku.id, self.units, first, lambda left: NoneLeft(self.sku.id))

    def in_place(self, order: Order, parts: Parts) -> Order:
        made = rules.dispatch_id(order.id, self.product.supplier_id, self.sku.id)
        by = Substitute(
            self.sku.id,
            self.product.supplier_id,
            self.sku.supplier_sku,
            offer_title(self.product, self.sku),
            self.sku.cost,
            parts,
            made,
            self.sku.fulfilment_mode,
            self.paid_by,
        )
        return order.with_substitute(self.ordered, self.units, by)


def find(order: Order, units: Mapping[str, int], without: frozenset[str]) -> list[Alternate]:
    """For each SKU the first alternate, by priority, that is on sale with enough units.

    Not those of `without`, nor what the order has already.
    """
    candidates = _candidates(order, units)
    wanted = {each for of_sku in candidates.values() for each in of_sku} - without
    if not wanted:
        return []
    offered = _on_sale(wanted, order.currency)
    stocks = stock.get_stocks(sorted(offered))
    found: list[Alternate] = []
    for sku_id, of_sku in candidates.items():
        used = {each.sku.id for each in found}
        for each in (name for name in of_sku if name in offered and name not in used):
            if stocks.get(each, Stock(each, ())).available >= units[sku_id]:
                found.append(Alternate(sku_id, units[sku_id], *offered[each]))
                break
    return found


def _candidates(order: Order, units: Mapping[str, int]) -> dict[str, list[str]]:
    """The alternates of each SKU's ordered one, by priority."""
    ordered = {line.sku_id: line.counts_as for line in order.lines if line.sku_id in units}
    known = product_store.get_skus(ordered.values())
    of_order = {line.sku_id for line in order.lines}
    return {
        sku_id: [each.sku_id for each in known[root].by_priority if each.sku_id not in of_order]
        for sku_id, root in ordered.items()
        if root in known
    }


def _on_sale(sku_ids: set[str], currency: str) -> dict[str, tuple[Sku, Product, int, PaidBy]]:
    found = list(_read(sku_ids, currency))
    terms = parties.settlement_terms_of({product.supplier_id for _, product, _ in found})
    today = clock.business_date(clock.now(), settings().zone)
    return {
        sku.id: (sku, product, shards, terms[product.supplier_id].paid_by(today))
        for sku, product, shards in found
    }


def _read(sku_ids: set[str], currency: str) -> Iterator[tuple[Sku, Product, int]]:
    rows = product_store.get_skus(sorted(sku_ids))
    products = product_store.get_products({row.product_id for row in rows.values()})
    for sku_id, row in rows.items():
        product = products[row.product_id]
        if product.status == "active" and product.currency == currency:
            yield product.sku(sku_id), product, row.stock_shards
