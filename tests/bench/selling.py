"""One SKU, 1,000 units, 3,000 orders from 32 clients, of whose answers a fifth is lost.

With and without shards: exactly 1,000 are sold, none is left behind, and nobody has more than one.
"""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.bench.caller import CONTEXT
from tests.bench.figures import Figure
from tests.bench.placing import Shop, open_shop
from tests.bench.process import Say, tell
from tests.support.aws_calls import losing

UNITS, ORDERS, CLIENTS, CUSTOMERS, LIMIT = 1_000, 3_000, 32, 1_500, 1
LOST, SHARDS = 0.2, (1, 16)
TRY_AGAIN = 503


def measure(say: Say) -> list[Figure]:
    from app import app

    return [figure for shards in SHARDS for figure in sell(app, shards, say)]


def sell(api: Any, shards: int, say: Say) -> list[Figure]:
    from chalicelib.kernel.callers import Caller
    from chalicelib.stock import service, sharding

    # Knows the app's logger, which takes standard output as it finds it: `tell` comes first.
    from tests.support.at_once import a_process_each

    shop = open_shop(api, LIMIT, titles=("Tray of 10 brown eggs, size L",), units=UNITS)
    shop.order["lines"][0]["quantity"] = 1
    sku_id, operator = shop.order["lines"][0]["sku_id"], Caller("operator", "op")
    sharding.reshard(sku_id, shards, operator)
    sold, done, counting = Counter[str](), 0, threading.Lock()

    def order(n: int) -> None:
        nonlocal done
        customer = f"cus_{n % CUSTOMERS}"
        status = answered(shop, customer)
        with counting:
            sold[customer] += status == 201
            done += 1
            say(f"selling {UNITS} units, {shards} shards: order {done} of {ORDERS}")

    with a_process_each(), losing(LOST), ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(order, range(ORDERS)))
    left = service.read(sku_id, operator)
    group = f"{UNITS} units, {ORDERS} orders, {CLIENTS} clients, {LOST:.0%} of answers lost"
    return [
        Figure(group, f"orders that got a unit, {shards} shards", sold.total(), UNITS),
        Figure(group, f"  units left for sale, {shards} shards", left.available, 0),
        Figure(
            group, f"  units not held by these orders, {shards} shards", UNITS - left.reserved, 0
        ),
        Figure(group, f"  most that a customer got, {shards} shards", max(sold.values()), LIMIT),
    ]


def answered(shop: Shop, customer: str) -> int:
    """The status in the end: a client that is told to try again does so with its key."""
    event = shop.order_event(customer)
    while (status := shop.api(event, CONTEXT)["statusCode"]) == TRY_AGAIN:
        pass
    return int(status)


if __name__ == "__main__":
    tell(measure)
