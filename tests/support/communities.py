"""Several leaders who sell the same things, each with what was delivered to their community."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3

from tests.support.world import Sale, World


@dataclass(frozen=True)
class Stored:
    """What a world's tables held once its leaders had delivered."""

    sales: tuple[Sale, ...]
    items: dict[str, list[Any]]


_stored: dict[tuple[int, ...], Stored] = {}


def communities(world: World, leaders: int, basis: str = "sales") -> list[Sale]:
    """One supplier's SKU at 10.00 with 10 % commission, in as many communities."""
    sku_id = world.add_product(world.add_supplier())["skus"][0]["id"]
    world.set_stock(sku_id, 10_000)
    leader_ids = [world.add_leader() for _ in range(leaders)]
    month = timedelta(days=30)
    campaign = world.add_campaign([sku_id], price=1000, basis=basis, rate_bps=1000, open_for=month)
    return [Sale("", leader_id, campaign["id"], "", [sku_id]) for leader_id in leader_ids]


def deliver(world: World, sales: Sequence[Sale], units: Sequence[int]) -> list[Any]:
    """Each leader's order of so many units, delivered now; none where it is 0."""
    orders = [world.place(sale, quantity=n) for sale, n in zip(sales, units, strict=True) if n]
    for order in orders:
        assert world.pay(order).status == 200
    world.work()
    for order in orders:
        for dispatch in world.order(order["id"])["dispatches"]:
            world.move(dispatch["id"], "accept", "ship", "deliver")
    return [world.order(order["id"]) for order in orders]


def delivered(world: World, units: tuple[int, ...]) -> list[Sale]:
    """Leaders of communities to which so many units each have been delivered.

    Made once through the API; later worlds, where it must be as early as then, begin with a copy.
    """
    if units not in _stored:
        sales = communities(world, len(units))
        deliver(world, sales, units)
        _stored[units] = Stored(tuple(sales), _items(world))
    else:
        _put_back(_stored[units].items)
    return list(_stored[units].sales)


def _items(world: World) -> dict[str, list[Any]]:
    scan = boto3.client("dynamodb").get_paginator("scan")
    tables = [name for key, name in world.environment.items() if key.endswith("_TABLE")]
    return {name: scan.paginate(TableName=name).build_full_result()["Items"] for name in tables}


def _put_back(items: dict[str, list[Any]]) -> None:
    put = boto3.client("dynamodb").put_item
    for table, of_table in items.items():
        for item in of_table:
            put(TableName=table, Item=item)


def balance(world: World, sale: Sale) -> Any:
    return world.operator.get(f"/v1/leaders/{sale.leader_id}/balance").json


def statement(world: World, sale: Sale, day: str) -> Any:
    answer = world.operator.get(f"/v1/leaders/{sale.leader_id}/statements/run_{day}")
    assert answer.status == 200, answer.text
    return answer.json


def statements(world: World, sale: Sale) -> list[Any]:
    """All of a leader's, the oldest first."""
    found = world.operator.get(f"/v1/leaders/{sale.leader_id}/statements").json["items"]
    return list(reversed(found))


def start_run(world: World, day: str) -> Any:
    answer = world.operator.post("/v1/settlement-runs", {"business_date": day})
    assert answer.status in (200, 202), answer.text
    return answer.json


def read_run(world: World, day: str) -> Any:
    return world.operator.get(f"/v1/settlement-runs/run_{day}").json


def settle(world: World, day: str) -> Any:
    """Start the run of a day and let it come to its end."""
    start_run(world, day)
    world.work()
    run = read_run(world, day)
    assert run["status"] == "completed", run
    return run
