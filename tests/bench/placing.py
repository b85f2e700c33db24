"""Placing an order: its calls to DynamoDB, its write units, and its CPU beside bare boto3's.

The order has one supplier and two SKUs, and its row is near the upper end of 1 to 2 kB. MiniStack
answers over HTTP on loopback, so both sides pay for the same requests, signed, sent, received and
parsed; MiniStack's own work is another process's. Bare boto3 is a client as `boto3.client` makes
it, which sends copies of the handler's own requests under keys that are new each time.
"""

import os
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
from botocore import xform_name

from tests.bench.caller import CONTEXT, Handler, body_of, event
from tests.bench.figures import Figure, explained, ratio
from tests.bench.process import Say, tell
from tests.bench.watched import Call, renamed, size_of, watched, write_units

GROUP = "Placing an order"
MOST_CALLS, MOST_UNITS, MOST_CPU = 2, 16, 1.6
# Of an order whose first line is hot, limited, capped, and priced by hour and quantity.
MOST_HOT_UNITS, MOST_HOT_CPU = 22, 1.8
OF_HOT = ", hot, with every term"
TERMS = {
    "quantity_cap": 10**9,
    "price_schedule": [{"at": "00:00", "percent": 90}],
    "quantity_breaks": [{"units": 2, "amount": 1900}],
}
ROW_BYTES = range(1024, 2049)
ROUNDS, CHUNKS, ORDERS_A_CHUNK = 5, 10, 10

TITLES = ("Tray of 10 brown eggs, size L", "Box of 6 duck eggs, size M")
NOTE = (
    "Please ring twice and leave the basket with Mrs Nguyễn on the ground floor if nobody opens; "
    "the lift is out of order until Thursday. If the gate to the second courtyard is locked, call "
    "me and I will come down; my phone rings long because I am often in the kitchen. The dog is "
    "friendly but wants to come along, so close the blue door behind you, please. The guard lets "
    "you park for ten minutes. Xin cảm ơn!"
)
SHIP_TO = {
    "name": "Trần Thị Minh Khai",
    "phone": "+84 28 3822 0000",
    "line1": "Flat 12B, 214 Lê Lợi Street",
    "line2": "Second courtyard, blue door",
    "city": "Hồ Chí Minh City",
    "region": "District 1",
    "postal_code": "700000",
    "country": "VN",
}


@dataclass(frozen=True)
class Shop:
    """The API in this process, and the order that is placed again and again."""

    api: Handler
    order: Mapping[str, Any]

    def order_event(self, customer: str = "cus_minh_khai") -> Any:
        return event("POST", "/v1/orders", self.order, role="customer", sub=customer)

    def place(self) -> Any:
        return body_of(self.api(self.order_event(), CONTEXT))


@dataclass(frozen=True)
class Placed:
    """One order as DynamoDB saw it."""

    order_id: str
    calls: list[Call]

    def item(self, table: str) -> Mapping[str, Any]:
        """What was put into the table that an environment variable names."""
        puts = [
            action["Put"]
            for call in self.calls
            if call.operation == "TransactWriteItems"
            for action in call.parameters["TransactItems"]
            if "Put" in action
        ]
        return next(dict(put["Item"]) for put in puts if put["TableName"] == os.environ[table])


def measure(say: Say) -> list[Figure]:
    from app import app

    say("placing an order: opening a shop")
    shop, hot = open_shop(app, limit=None), open_shop(app, limit=9_999, terms=TERMS)
    warm_up(app, hot)
    return [
        *count(shop, "", MOST_UNITS),
        cpu(shop, "", MOST_CPU, say),
        *count(hot, OF_HOT, MOST_HOT_UNITS),
        cpu(hot, OF_HOT, MOST_HOT_CPU, say),
    ]


def warm_up(api: Handler, shop: Shop) -> None:
    """Spread the first line's stock over shards."""
    sku_id = shop.order["lines"][0]["sku_id"]
    spread = event(
        "PATCH", "/v1/skus/{id}", {"stock_shards": 16}, role="operator", sub="op", id=sku_id
    )
    body_of(api(spread, CONTEXT))


def open_shop(
    api: Handler,
    limit: int | None,
    titles: Sequence[str] = TITLES,
    units: int = 10**9,
    terms: Mapping[str, Any] | None = None,
    max_orders: int | None = None,
) -> Shop:
    """One supplier's SKUs, offered to one leader's community, by default in ample stock."""
    from chalicelib.kernel import clock

    def create(resource: str, body: Any) -> Any:
        return body_of(api(event("POST", resource, body, role="operator", sub="op"), CONTEXT))

    supplier = {"name": "Green Farm", "email": "orders@green.example", "currency": "EUR"}
    leader = {
        "name": "Lena",
        "community": "North",
        "pickup_point": {
            "line1": "1 Main St",
            "city": "Berlin",
            "postal_code": "10115",
            "country": "DE",
        },
        "currency": "EUR",
    }
    leader_id = create("/v1/leaders", leader)["id"]
    product = {
        "supplier_id": create("/v1/suppliers", supplier)["id"],
        "title": "Eggs of hens and ducks on the meadow",
        "currency": "EUR",
        "skus": [
            {"title": title, "supplier_sku": f"EGG-{n}", "list_price": 1200, "cost": 700}
            for n, title in enumerate(titles)
        ],
    }
    sku_ids = [sku["id"] for sku in create("/v1/products", product)["skus"]]
    for sku_id in sku_ids:
        stocked = event(
            "PUT", "/v1/skus/{id}/stock", {"on_hand": units}, role="operator", sub="op", id=sku_id
        )
        body_of(api(stocked, CONTEXT))
    commission = {"basis": "sales", "rate_bps": 1000}
    campaign = {
        "title": "This week",
        "opens_at": clock.to_text(clock.now() - timedelta(minutes=1)),
        "closes_at": clock.to_text(clock.now() + timedelta(days=2)),
        "currency": "EUR",
        "offers": [
            {
                "sku_id": each,
                "price": 999,
                "commission": commission,
                "limit_per_customer": limit,
                **(terms if terms and each == sku_ids[0] else {}),
            }
            for each in sku_ids
        ],
        "leader_ids": [leader_id],
        "max_orders": max_orders,
    }
    order = {
        "campaign_id": create("/v1/campaigns", campaign)["id"],
        "leader_id": leader_id,
        "lines": [{"sku_id": sku_id, "quantity": 2} for sku_id in sku_ids],
        "ship_to": SHIP_TO,
        "payment_method": "card",
        "note": NOTE,
    }
    return Shop(api, order)


def count(shop: Shop, kind: str, most: int) -> list[Figure]:
    """Calls and write units, warm."""
    shop.place()
    placed = watch(shop)
    size = size_of(placed.item("ORDERING_TABLE"))
    if size not in ROW_BYTES:
        raise RuntimeError(f"an order's row of {size} bytes is not what is to be measured")
    units = named(write_units(placed.calls))
    return [
        Figure(GROUP, f"calls to DynamoDB{kind}", len(placed.calls), MOST_CALLS),
        Figure(GROUP, f"write units{kind}", sum(units.values()), most),
        *explained(GROUP, units),
        Figure(GROUP, "  bytes of the order's row", size),
        Figure(GROUP, "  bytes of the recorded answer", size_of(placed.item("IDEMPOTENCY_TABLE"))),
    ]


def watch(shop: Shop) -> Placed:
    with watched() as calls:
        return Placed(shop.place()["id"], calls)


def cpu(shop: Shop, kind: str, most: float, say: Say) -> Figure:
    """The whole handler's CPU time over that of boto3 sending what the handler sent."""
    shop.place()  # as most orders it then finds its campaign known
    template = watch(shop)
    key = template.item("IDEMPOTENCY_TABLE")["pk"]["S"]
    client = boto3.client("dynamodb")

    def serve() -> float:
        events = [shop.order_event() for _ in range(ORDERS_A_CHUNK)]
        answers: list[Any] = []
        spent = cpu_of(lambda: answers.extend(shop.api(each, CONTEXT) for each in events))
        for answer in answers:
            body_of(answer)
        return spent

    def replay() -> float:
        ready = [
            (getattr(client, xform_name(call.operation)), renamed(call.parameters, names))
            for names in (fresh(template.order_id, key) for _ in range(ORDERS_A_CHUNK))
            for call in template.calls
        ]
        return cpu_of(lambda: [send(**parameters) for send, parameters in ready])

    handler, bare = [], []
    for n in range(ROUNDS + 1):
        say(
            f"placing an order: CPU, round {n} of {ROUNDS}" if n else "placing an order: warming up"
        )
        pairs = [(serve(), replay()) for _ in range(CHUNKS)]
        handler.append(sum(pair[0] for pair in pairs))
        bare.append(sum(pair[1] for pair in pairs))
    what = f"CPU of the handler{kind}, over bare boto3's"
    return Figure(GROUP, what, ratio(handler[1:], bare[1:]), most, "x")


def fresh(*texts: str) -> dict[str, str]:
    """New names, as long as the old ones, so that a repeated request is another order."""
    return {text: f"{text[:4]}{(uuid.uuid4().hex * 3)[: len(text) - 4]}" for text in texts}


def cpu_of(work: Callable[[], Any]) -> float:
    """Seconds of CPU that this process spends on it."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def named(units: Mapping[str, float]) -> dict[str, float]:
    """Tables by the name that their environment variable gives them, not by the deployed one."""
    names = {
        os.environ[n]: n.removesuffix("_TABLE").lower() for n in os.environ if n.endswith("_TABLE")
    }
    return {renamed(name, names): n for name, n in units.items()}


if __name__ == "__main__":
    tell(measure)
