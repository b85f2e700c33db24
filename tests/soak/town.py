"""A town: leaders, suppliers and what they sell, on a store in memory, with a clock of its own."""

import itertools
import json
import logging
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
from pytest_httpserver import HTTPServer

from chalicelib.kernel import clock, ids
from chalicelib.kernel.callers import Caller
from chalicelib.platform import log
from chalicelib.platform.idempotency import Answer, IdempotentRequest
from chalicelib.platform.log import SafeLogger
from tests.soak.books import Books
from tests.soak.rows import Seen
from tests.support.gateway import Gateway
from tests.support.memory_cloud import memory_cloud, the_cloud
from tests.support.world import Issuer, World, workers

MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LEADERS, CUSTOMERS = 4, 12
# Prices, costs and rates of which hardly any share is a whole number of cents; one campaign each.
PRICES, COSTS, RATES_BPS = (1099, 333, 2501), (701, 199, 1667), (875, 1250, 333)
STOCK = 500
YEAR = timedelta(days=365)
OPERATOR = Caller("operator", "op_soak")
# A queue gives a message out more than once now and then.
TWICE = 0.1


class Town:
    """What operations act upon, and what chance has in store for them."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self.chance, self.at = chance, MONDAY
        self._naming = random.Random(chance.random())
        self.seen = Seen(chance)
        self.books = Books(the_cloud().dynamodb, self.seen)
        self.supplied = Counter[str]()
        self._world = world
        self._numbers = itertools.count(1)

    def now(self) -> datetime:
        return self.at

    def replace_campaign(self, campaign_id: str) -> None:
        place = self.campaign_ids.index(campaign_id)
        self.campaign_ids[place] = self._campaign(PRICES[place], RATES_BPS[place])

    def new_id(self, prefix: str) -> str:
        """An id as any other, the same each time that the same chance rules."""
        milliseconds = int(self.at.timestamp() * 1000)
        return f"{prefix}_{milliseconds:012x}{self._naming.getrandbits(64):016x}"

    def settle_down(self) -> None:
        """Everybody moves in, and has something to sell."""
        self.leader_ids = [self._world.add_leader() for _ in range(LEADERS)]
        self.sku_ids = [sku_id for cost in COSTS for sku_id in self._supply(cost)]
        self.campaign_ids = [
            self._campaign(price, rate) for price, rate in zip(PRICES, RATES_BPS, strict=True)
        ]

    def _supply(self, cost: int) -> list[str]:
        """A supplier's products; it is fined for what it does not answer in time."""
        supplier_id = self._world.add_supplier()
        terms = {"on_missed": "fine", "fine_amount": 137}
        path = f"/v1/suppliers/{supplier_id}/terms"
        assert self._world.operator.put(path, terms).status == 200
        skus = self._world.add_product(supplier_id, skus=2, cost=cost)["skus"]
        for sku in skus:
            self._world.set_stock(sku["id"], STOCK)
            self.supplied[sku["id"]] = STOCK
        return [sku["id"] for sku in skus]

    def _campaign(self, price: int, rate_bps: int) -> str:
        basis = self.chance.choice(["sales", "gross_profit"])
        made = self._world.add_campaign(
            self.sku_ids, price=price, basis=basis, rate_bps=rate_bps, open_for=YEAR
        )
        return str(made["id"])

    def pass_time(self, at_most: int) -> None:
        """Some seconds go by."""
        self.at += timedelta(seconds=self.chance.randint(1, at_most))

    def number(self) -> int:
        """Another one each time."""
        return next(self._numbers)

    def customer(self) -> Caller:
        return Caller("customer", f"cus_{self.chance.randrange(CUSTOMERS)}")

    def request(self, caller: Caller = OPERATOR) -> IdempotentRequest:
        """A request under a key of its own."""
        key = f"key-{self.number()}"
        return IdempotentRequest(caller, key, key, lambda _: Answer(200, "{}"))

    def work(self) -> None:
        """Let the workers take what waits, in any order, some of it twice, until nothing does."""
        while waiting := list(_taken()):
            waiting += [each for each in waiting if self.chance.random() < TWICE]
            self.chance.shuffle(waiting)
            for queue, message in waiting:
                handlers()[queue](message)


def _taken() -> Iterator[tuple[str, Any]]:
    client = boto3.client("sqs")
    for queue in handlers():
        url = os.environ[f"{queue}_QUEUE"]
        while found := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for each in found:
                client.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
                yield queue, json.loads(each["Body"])


@cache
def handlers() -> dict[str, Callable[[Any], None]]:
    """What each queue's worker does with a message. Nobody listens to webhooks here: those that
    tell suppliers are not asked."""
    return {
        queue: worker.__wrapped__.func.__wrapped__
        for queue, worker in workers().items()
        if not queue.startswith("WEBHOOK")
    }


@contextmanager
def town(seed: str) -> Iterator[Town]:
    """A new town on a cloud of its own, in a time of its own. One at a time."""
    with ExitStack() as stack:
        issuer = Issuer(stack.enter_context(HTTPServer(host="127.0.0.1")))
        environment = stack.enter_context(memory_cloud(**issuer.settings))
        stack.enter_context(quiet())
        from app import app

        random.seed(seed)  # what the application leaves to chance is the same each time as well
        made = Town(World(Gateway(app), issuer, environment), random.Random(seed))
        stack.enter_context(mock.patch.object(clock, "now", made.now))
        stack.enter_context(mock.patch.object(ids, "new", made.new_id))
        made.settle_down()
        yield made


@contextmanager
def quiet() -> Iterator[None]:
    """What people would read a million times is not written."""

    def nothing(*_: Any, **__: Any) -> None:
        pass

    with ExitStack() as stack:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        stack.enter_context(redirect_stdout(stack.enter_context(Path(os.devnull).open("w"))))
        stack.enter_context(mock.patch.object(log._metrics, "add_metric", nothing))
        for method in ("bind", "clear", "info", "warning"):
            stack.enter_context(mock.patch.object(SafeLogger, method, nothing))
        yield
