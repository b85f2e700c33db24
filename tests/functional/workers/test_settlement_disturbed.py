"""However a night is disturbed, its statements and the books are those of an undisturbed one."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest import mock

import boto3
import pytest

from chalicelib.kernel import clock
from chalicelib.platform import outbox
from chalicelib.settlement import listing, setting_aside, settling, watching
from tests.functional.conftest import new_world
from tests.functional.workers.conftest import StillClock
from tests.support.communities import delivered, read_run, settle
from tests.support.events import sqs_event
from tests.support.invariants import findings
from tests.support.lambdas import handle, invoke, invoke_killed
from tests.support.unguarded import piecemeal
from tests.support.world import Issuer, Sale, World

DAY = "2026-03-17"
UNITS = (1, 2, 3, 4, 5)
QUEUES = {"SETTLEMENT_LIST": "settlement_list", "SETTLEMENT_SETTLE": "settlement_settle"}
LONG = timedelta(minutes=6)
# What tells how a run went, not what it came to.
OF_THE_WAY = ("page#", "trouble#")
STEPS = 400
NOTHING = "nothing"
ALL_KINDS = ("start", "lose", "kill", "twice", *[NOTHING] * 8)


@pytest.fixture(autouse=True)
def pages_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "LEADERS_A_PAGE", 2)


@pytest.mark.parametrize("seed", range(5))
def test_a_disturbed_night_ends_as_an_undisturbed_one_byte_for_byte(
    issuer: Issuer, time: StillClock, seed: int
) -> None:
    assert night(issuer, time, seed) == undisturbed(issuer, time)


def test_control_the_rig_catches_a_transaction_written_piece_by_piece(
    issuer: Issuer, time: StillClock
) -> None:
    with piecemeal():
        end = as_far_as_it_goes(issuer, time, 1, ("kill", NOTHING))
    assert end != undisturbed(issuer, time)


_kept: list[Any] = []


def undisturbed(issuer: Issuer, time: StillClock) -> Any:
    if not _kept:
        _kept.append(night(issuer, time, None))
    return _kept[0]


def night(
    issuer: Issuer, time: StillClock, seed: int | None, kinds: Sequence[str] = ALL_KINDS
) -> Any:
    """What is stored behind the night: undisturbed, or as the seed disturbs it."""
    time.move_to("2026-03-10T12:00:00.000Z")
    with new_world(issuer) as world:
        sales = delivered(world, UNITS)
        time.move_to("2026-03-18T00:15:00.000Z")
        if seed is None:
            settle(world, DAY)
        else:
            disturb(world, sales, random.Random(seed), kinds)
        assert findings() == []
        return kept(world)


def as_far_as_it_goes(issuer: Issuer, time: StillClock, seed: int, kinds: Sequence[str]) -> Any:
    try:
        return night(issuer, time, seed, kinds)
    except AssertionError as error:
        return str(error)


def disturb(world: World, sales: list[Sale], chance: random.Random, kinds: Sequence[str]) -> None:
    """Start it again and again; lose messages, give them twice, and kill who works on them."""
    with failing(chance.choice(sales), times=chance.randint(1, 2 * setting_aside.FAILURES_AT_MOST)):
        start(world, chance)
        waiting: list[tuple[str, Any]] = []
        for _ in range(STEPS):
            waiting += [(QUEUES[queue], each) for queue in QUEUES for each in world.messages(queue)]
            if not waiting:
                if read_run(world, DAY)["status"] == "completed":
                    break
                come_back_later()
            elif not disturbed(world, waiting, chance, kinds):
                work_on_one(waiting, chance)
        else:
            raise AssertionError("the night never ends")
    for row in world.operator.get(f"/v1/settlement-runs/run_{DAY}/leaders?status=set_aside").json[
        "items"
    ]:
        path = f"/v1/settlement-runs/run_{DAY}/leaders/{row['leader_id']}/retry"
        assert world.operator.post(path).status == 202
    world.work()


def start(world: World, chance: random.Random) -> None:
    if chance.random() < 0.5:
        invoke("settlement_start")
    else:
        answer = world.operator.post("/v1/settlement-runs", {"business_date": DAY})
        assert answer.status in (200, 202)


def disturbed(
    world: World,
    waiting: list[tuple[str, Any]],
    chance: random.Random,
    kinds: Sequence[str],
) -> bool:
    """Do something of these kinds, or nothing."""
    number = chance.randrange(len(waiting))
    worker, message = waiting[number]
    what = chance.choice(kinds)
    if what == "start":
        start(world, chance)
    elif what == "lose":
        del waiting[number]
    elif what == "kill":
        invoke_killed(worker, sqs_event(message), chance.randint(1, 8))
    elif what == "twice":
        handle(worker, message)
    return what != NOTHING


def work_on_one(waiting: list[tuple[str, Any]], chance: random.Random) -> None:
    """A message that fails waits again, as in its queue."""
    worker, message = waiting.pop(chance.randrange(len(waiting)))
    waiting += [(worker, each) for each in handle(worker, message)]


def come_back_later() -> None:
    """What the schedules do in the minutes that follow, while all else stands still: so every
    instant that is kept is the same."""
    outbox.sweep(clock.now() + LONG)
    watching.watch(clock.now() + LONG)


@contextmanager
def failing(poison: Sale, times: int) -> Iterator[None]:
    """The leader's settling fails so many times at first."""
    settle_one, left = settling._settle, times

    def settle_or_fail(run: Any, page: int, earnings: Any, *rest: Any) -> None:
        nonlocal left
        if earnings.leader_id == poison.leader_id and left:
            left -= 1
            raise RuntimeError("poison")
        settle_one(run, page, earnings, *rest)

    with mock.patch.object(settling, "_settle", settle_or_fail):
        yield


def kept(world: World) -> list[str]:
    """All of the ledger, the leaders' days and statements, and what the run came to."""
    rows = []
    for name in ("LEDGER_TABLE", "SETTLEMENT_TABLE"):
        scan = boto3.client("dynamodb").get_paginator("scan")
        for page in scan.paginate(TableName=world.environment[name]):
            rows += [_row(item) for item in page["Items"] if not _is_of_the_way(item)]
    return sorted(rows)


def _is_of_the_way(item: Any) -> bool:
    pk, sk = item["pk"]["S"], item["sk"]["S"]
    # Markers and who is set aside lie in partitions of the run's.
    return sk.startswith(OF_THE_WAY) or (pk.startswith("run_") and "#" in pk)


def _row(item: Any) -> str:
    """Without what counts how often something was tried."""
    counts = ("version",) if item["sk"]["S"] == "run" else ("behind",)
    return str(sorted((name, value) for name, value in item.items() if name not in counts))
