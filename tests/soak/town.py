"""A town: leaders, suppliers and what they sell, on a store in memory, with a clock of its own."""

import itertools
import json
import logging
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
from pytest_httpserver import HTTPServer

from chalicelib.kernel import clock, ids
from chalicelib.kernel.callers import Caller
from chalicelib.payouts.transfers import NotAsked
from chalicelib.plans import leaders
from chalicelib.plans import service as plans
from chalicelib.plans.rules import PlanBonus, Rule
from chalicelib.plans.service import NewVersion
from chalicelib.platform import log
from chalicelib.platform.idempotency import Answer, IdempotentRequest
from chalicelib.platform.log import SafeLogger
from chalicelib.settlement import settling
from tests.soak.books import Books
from tests.soak.in_order import in_order
from tests.soak.rows import Seen
from tests.soak.statements import Statements
from tests.soak.transfers import Transfers
from tests.support.gateway import Gateway
from tests.support.memory.reading import texts_read_once
from tests.support.memory_cloud import memory_cloud, the_cloud
from tests.support.payouts import PAYER
from tests.support.world import Issuer, World, workers

MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LEADERS, CUSTOMERS = 4, 12
# Those of most of the world's, without minor units, and with a thousand of them.
CURRENCIES = ("EUR", "JPY", "KWD")
# Prices, costs and rates of which hardly any share is a whole number of cents; one campaign each.
PRICES, COSTS, RATES_BPS = (1099, 333, 2501), (701, 199, 1667), (875, 1250, 333)
STOCK = 500
YEAR = timedelta(days=365)
OPERATOR = Caller("operator", "op_soak")
LEVELS = (None, "gold")
# Law under which those who invited a seller may have a part.
COUNTRY, UPLINE_LIMITS = "DE", "DE:2:5000"
SPLITS: Sequence[Sequence[tuple[str, int]]] = (
    (),
    (("promoter", 7000), ("pickup_point", 3000)),
    (("promoter", 5555), ("pickup_point", 2222), ("hub", 2223)),
)
# A queue gives a message out more than once now and then, and what fails for so many times.
TWICE, TIMES = 0.1, 6


class Unfit(Exception):
    """A leader whom a run cannot settle for the moment."""


class Town:
    """What operations act upon, and what chance has in store for them."""

    def __init__(self, world: World, chance: random.Random, currency: str) -> None:
        self.chance, self.at, self.currency = chance, MONDAY, currency
        self.unfit = set[str]()
        self._naming = random.Random(chance.random())
        self.seen = Seen(chance)
        self.statements = Statements(chance, currency)
        self.books = Books(the_cloud().dynamodb, self.seen, self.statements)
        self.leaving, self.closed = set[str](), set[str]()
        self.supplied = Counter[str]()
        self.sku_ids: list[str] = []
        self._world = world
        self._numbers = itertools.count(1)

    def now(self) -> datetime:
        return self.at

    def replace_campaign(self, campaign_id: str) -> None:
        place = self.campaign_ids.index(campaign_id)
        self.campaign_ids[place] = self._campaign(PRICES[place], RATES_BPS[place])

    def leader(self) -> str:
        return self.chance.choice(self.leader_ids)

    def replace_leader(self, leader_id: str) -> None:
        self.leader_ids[self.leader_ids.index(leader_id)] = self._world.add_leader(self.currency)
        self.leaving.discard(leader_id)

    def new_id(self, prefix: str) -> str:
        """An id as any other, the same each time that the same chance rules."""
        milliseconds = int(self.at.timestamp() * 1000)
        return f"{prefix}_{milliseconds:012x}{self._naming.getrandbits(64):016x}"

    def settle_down(self) -> None:
        """Everybody moves in, and has something to sell."""
        self.leader_ids = [self._world.add_leader(self.currency) for _ in range(LEADERS)]
        self._plan()
        self.supplier_ids = [self._world.add_supplier(self.currency) for _ in COSTS]
        supplied = zip(self.supplier_ids, COSTS, strict=True)
        self.sku_ids = [sku_id for each in supplied for sku_id in self._supply(*each)]
        self.campaign_ids = [
            self._campaign(price, rate) for price, rate in zip(PRICES, RATES_BPS, strict=True)
        ]

    def _plan(self) -> None:
        """What leaders earn where the offer does not say; each but the first was invited."""
        plan = plans.create_plan("Ours", self.currency, COUNTRY, OPERATOR, self.request())
        self.plan_id = plan.id
        version = self.version(self.now().date().isoformat())
        plans.add_version(plan.id, version, OPERATOR, self.request())
        plans.set_default(plan.id, OPERATOR, is_default=True)
        for inviter, invited in pairwise(self.leader_ids):
            leaders.set_terms(invited, {"invited_by": inviter}, OPERATOR)

    def version(self, begins: str) -> NewVersion:
        """Of the plan: some rules, with parts for who invited the seller, or floors and bonuses."""
        sku_id = self.chance.choice(self.sku_ids) if self.sku_ids else "sku_none"
        rules = [self._rule(), self._rule(level="gold"), self._rule(sku_id=sku_id)]
        upline = self.chance.choice([(), (333,), (250, 125)])
        if upline:
            rules = [replace(rule, line_floor=None) for rule in rules]
            return NewVersion(begins, rules, upline)
        thresholds = self.chance.sample([2_000, 5_000, 20_000], self.chance.randint(0, 3))
        totals = [PlanBonus("campaign_total", each // 10, each) for each in thresholds]
        return NewVersion(begins, rules, upline, [PlanBonus("first_order", 77), *totals])

    def _rule(self, **names: str) -> Rule:
        chance = self.chance
        return Rule(
            chance.choice(["sales", "gross_profit"]),
            chance.choice(RATES_BPS),
            split=chance.choice(SPLITS),
            line_cap=chance.choice([None, None, 250]),
            order_cap=chance.choice([None, None, 299]),
            day_cap=chance.choice([None, 900]),
            line_floor=chance.choice([None, None, 17]),
            **names,
        )

    def _supply(self, supplier_id: str, cost: int) -> list[str]:
        """A supplier's products; it is fined for what it does not answer in time."""
        terms = {"on_missed": "fine", "fine_amount": 137}
        path = f"/v1/suppliers/{supplier_id}/terms"
        assert self._world.operator.put(path, terms).status == 200
        product = self._world.add_product(supplier_id, skus=2, cost=cost, currency=self.currency)
        for sku in product["skus"]:
            self._world.set_stock(sku["id"], STOCK)
            self.supplied[sku["id"]] = STOCK
        return [sku["id"] for sku in product["skus"]]

    def _campaign(self, price: int, rate_bps: int) -> str:
        """Its offers name their commission, or leave it to the plan."""
        basis = self.chance.choice(["sales", "gross_profit"])
        named = self.chance.choice([{}, {"commission": None}])
        made = self._world.add_campaign(
            self.sku_ids,
            price=price,
            basis=basis,
            rate_bps=rate_bps,
            open_for=YEAR,
            currency=self.currency,
            **named,
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
        again: list[Waiting] = []
        while waiting := [*again, *_taken()]:
            waiting += [each for each in waiting if self.chance.random() < TWICE]
            self.chance.shuffle(waiting)
            again = [each.again() for each in waiting if not self._is_done(each)]

    def _is_done(self, waiting: "Waiting") -> bool:
        """Whether a message need not come again: it was taken, or has come too often."""
        try:
            handlers()[waiting.queue](waiting.message)
        except (Unfit, NotAsked):
            return waiting.times == TIMES
        return True

    @contextmanager
    def troubled(self) -> Iterator[None]:
        """Leaders who are unfit are settled by no run."""
        settle = settling._settle

        def settle_or_fail(run: Any, page: int, earnings: Any, *rest: Any) -> None:
            if earnings.leader_id in self.unfit:
                raise Unfit
            settle(run, page, earnings, *rest)

        with mock.patch.object(settling, "_settle", settle_or_fail):
            yield


@dataclass(frozen=True)
class Waiting:
    """A message, and how many times it has come."""

    queue: str
    message: Any
    times: int = 1

    def again(self) -> "Waiting":
        return replace(self, times=self.times + 1)


def _taken() -> Iterator[Waiting]:
    client = boto3.client("sqs")
    for queue in handlers():
        url = os.environ[f"{queue}_QUEUE"]
        if the_cloud().sqs.is_empty(url):  # as most are, and asking is dear
            continue
        while found := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for each in found:
                client.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
                yield Waiting(queue, json.loads(each["Body"]))


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
def town(seed: str, currency: str) -> Iterator[Town]:
    """A new town on a cloud of its own, in a time of its own. One at a time."""
    with ExitStack() as stack:
        issuer = Issuer(stack.enter_context(HTTPServer(host="127.0.0.1")))
        environment = stack.enter_context(
            memory_cloud(_seconds, **issuer.settings, **PAYER, UPLINE_LIMITS=UPLINE_LIMITS)
        )
        stack.enter_context(quiet())
        stack.enter_context(in_order())
        stack.enter_context(texts_read_once())
        from app import app

        random.seed(seed)  # what the application leaves to chance is the same each time as well
        made = Town(World(Gateway(app), issuer, environment), random.Random(seed), currency)
        stack.enter_context(mock.patch.object(clock, "now", made.now))
        stack.enter_context(mock.patch.object(ids, "new", made.new_id))
        stack.enter_context(Transfers(made.chance).at_work())
        stack.enter_context(made.troubled())
        made.settle_down()
        yield made


def _seconds() -> float:
    """By the clock of the town, once it has one."""
    return clock.now().timestamp()


@contextmanager
def quiet() -> Iterator[None]:
    """What people would read a million times is not written."""

    def nothing(*_: Any, **__: Any) -> None:
        pass

    with ExitStack() as stack:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        stack.enter_context(redirect_stdout(stack.enter_context(Path(os.devnull).open("w"))))
        stack.enter_context(mock.patch.object(log._metrics, "add_metric", nothing))
        for method in ("bind", "clear", "info", "warning", "exception"):
            stack.enter_context(mock.patch.object(SafeLogger, method, nothing))
        yield
