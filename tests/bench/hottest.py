"""Units a second on the hottest key of every table and index, at 10,000 orders a second.

One order of one hot SKU is placed, paid and handed to its supplier; the units are those that
DynamoDB says its calls consumed. Each key is then spread as the code spreads it: over the shards
of its index, or over as many parties as there are. Where a table's items have keys of several
kinds, all its units are charged to the kind with the fewest keys, so no figure is too low.

Assumed: every order is of the one SKU, one supplier and one campaign, is paid by card at the same
rate as orders are placed, and comes from one of 1,000 communities and of 100,000 customers. The
campaign sells 1,000 units and takes 1,000 orders: few enough for its caps to need many shards.

Read units are those of one item. What a function keeps for a second is read by each of 1,000 warm
ones in that second, or by as many as have an order of it; a transaction's read takes two units.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.template.compose import load
from tests.bench.figures import Figure
from tests.bench.placing import Placed, named, open_shop, watch
from tests.bench.process import Say, tell
from tests.bench.watched import Call, watched, write_units

ORDERS_A_SECOND, COMMUNITIES, CUSTOMERS = 10_000, 1_000, 100_000
CAP = 1_000
# What a transaction's write of an item of up to 1 KB consumes, as one shard of a cap is.
UNITS_OF_SMALL = 2
# An account may run so many functions at once by default.
FUNCTIONS, UNITS_OF_A_READ, MOST_READ_OF_A_KEY = 1_000, 2, 3_000
MOST_ON_A_KEY, SHARDS, SHARDS_THAT_SUFFICE = 1_000, (1, 10, 50), 50
NUMBERED = re.compile(r"(.+)#[0-9]+")


@dataclass(frozen=True)
class Spread:
    """Over how many keys the same key of all orders is spread, by what is in it."""

    parties: Mapping[str, int]
    sharded: Mapping[str, int]
    of_one_order: frozenset[str]

    def over(self, key: str) -> int:
        """Raises LookupError for a key of which nobody has said how it is spread."""
        if any(text in key for text in self.of_one_order):
            return ORDERS_A_SECOND
        numbered = NUMBERED.fullmatch(key)
        if numbered and numbered[1] in self.sharded:
            return self.sharded[numbered[1]]
        found = [keys for party, keys in self.parties.items() if party in key]
        if not found:
            raise LookupError(f"nothing is known of the key {key}")
        return max(found)


def measure(say: Say) -> list[Figure]:
    from app import app

    say("the hottest keys: one order, placed and paid")
    titles = ("Tray of 10 brown eggs, size L",)
    shop = open_shop(app, 9_999, titles, terms={"quantity_cap": CAP}, max_orders=CAP)
    placed = watch(shop)
    calls = [*placed.calls, *paid(placed.order_id)]
    written = [
        figure
        for shards in SHARDS
        for figure in figures(calls, spread(placed, shop.order, shards), shards)
    ]
    return [*written, *reads(placed.calls, spread(placed, shop.order, 1))]


def paid(order_id: str) -> list[Call]:
    """What its payment writes, and the making of its dispatch."""
    from chalicelib.dispatch import service
    from chalicelib.ordering import paying
    from chalicelib.ordering import store as ordering
    from chalicelib.payments.providers import PaymentSucceeded

    order = ordering.get_order(order_id)
    if order is None:
        raise LookupError(f"order {order_id} is not stored")
    event = PaymentSucceeded(f"ch_{order.id}", order.payment.id, order.total, order.currency)
    with watched() as calls:
        paying.receive("local", event)
        service.create_for(order.id)
    return calls


def spread(placed: Placed, body: Mapping[str, Any], shards: int) -> Spread:
    from chalicelib.catalogue.rules import shards_of_cap
    from chalicelib.dispatch import store as dispatch
    from chalicelib.dispatch.rules import dispatch_id
    from chalicelib.kernel import clock
    from chalicelib.ledger import store as ledger
    from chalicelib.ordering import held_units
    from chalicelib.ordering import store as ordering

    order = ordering.get_order(placed.order_id)
    if order is None:
        raise LookupError(f"order {placed.order_id} is not stored")
    supplier_id = order.lines[0].supplier_id
    today = clock.now().date().isoformat()
    return Spread(
        parties={
            body["lines"][0]["sku_id"]: shards,
            order.leader_id: COMMUNITIES,
            order.customer_id: CUSTOMERS,
        },
        sharded={
            "orders": ordering.LISTING_SHARDS,
            order.campaign_id: ordering.LISTING_SHARDS,
            "due": ordering.DUE_SHARDS,
            "open": ordering.DUE_SHARDS,
            today: ledger.BOOK_SHARDS,
            "dispatches": dispatch.SHARDS,
            supplier_id: dispatch.SHARDS,
            **{
                f"cap#{order.campaign_id}#{of}": shards_of_cap(CAP, shards)
                for of in held_units.cap_parts(order)
            },
        },
        of_one_order=frozenset(
            {
                order.id.partition("_")[2],
                dispatch_id(order.id, supplier_id),
                placed.item("IDEMPOTENCY_TABLE")["pk"]["S"],
            }
        ),
    )


def figures(calls: list[Call], spread: Spread, shards: int) -> list[Figure]:
    group = f"Write units a second on the hottest key, a hot SKU in {shards} shards"
    units = defaultdict(float, named(write_units(calls)))
    for table, item in _items(calls):
        if (where := _where(table, item)) != table:
            units[table] -= UNITS_OF_SMALL
            units[where] += UNITS_OF_SMALL
    fewest: dict[str, int] = {}
    for where, keys in _keys(calls).items():
        fewest[where] = min(spread.over(key) for key in keys)
    most = MOST_ON_A_KEY if shards == SHARDS_THAT_SUFFICE else None
    return [
        Figure(group, where, round(n * ORDERS_A_SECOND / fewest[where], 1), most)
        for where, n in sorted(units.items())
    ]


def reads(calls: list[Call], spread: Spread) -> list[Figure]:
    """Of a function's first order in a second, which reads all that it is judged by."""
    group = "Read units a second of the hottest item"
    units = {
        f"{table}, {key['sk']['S'].partition('#')[0]}": readers(key, spread) * UNITS_OF_A_READ
        for table, key in _read(calls)
    }
    return [Figure(group, what, n, MOST_READ_OF_A_KEY) for what, n in sorted(units.items())]


def readers(key: Mapping[str, Any], spread: Spread) -> float:
    """How many functions read the item in one second."""
    named = f"{key['pk']['S']} {key['sk']['S']}"
    if any(text in named for text in spread.of_one_order):
        return 1
    communities = [party for party, n in spread.parties.items() if n == COMMUNITIES]
    if any(leader_id in named for leader_id in communities):
        return min(FUNCTIONS, ORDERS_A_SECOND / COMMUNITIES)
    return FUNCTIONS


def _read(calls: list[Call]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for call in calls:
        for action in call.parameters.get("TransactItems", ()):
            if "Get" in action:
                (table,) = named({action["Get"]["TableName"]: 0})
                yield table, action["Get"]["Key"]


def _keys(calls: list[Call]) -> dict[str, set[str]]:
    """The hash keys that were written, by table and by index."""
    keys: dict[str, set[str]] = defaultdict(set)
    tables = load("tables")
    for table, item in _items(calls):
        keys[_where(table, item)].add(item["pk"]["S"])
        indexes = tables[table.title()].get("indexes", {})
        for index, (hash_key, *_) in indexes.items():
            if hash_key in item:
                keys[f"{table}/{index}"].add(item[hash_key]["S"])
    return keys


def _where(table: str, item: Mapping[str, Any]) -> str:
    """The table, or in it the caps of one kind: they have shards of their own."""
    if item["sk"]["S"] != "cap":
        return table
    _, _, of, _ = item["pk"]["S"].split("#")
    return f"{table}, cap on {'orders' if of == 'places' else 'units'}"


def _items(calls: list[Call]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each item written, or its key, with its table."""
    for call in calls:
        for action in call.parameters.get("TransactItems", ()):
            for written in action.values():
                if "Get" not in action:
                    (table,) = named({written["TableName"]: 0})
                    yield table, written.get("Item") or written["Key"]
        if call.operation == "DeleteItem":
            (table,) = named({call.parameters["TableName"]: 0})
            yield table, call.parameters["Key"]


if __name__ == "__main__":
    tell(measure)
