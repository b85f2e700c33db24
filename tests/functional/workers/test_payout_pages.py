"""Pages of a batch that are lost, come twice or fail, and a party that cannot be prepared."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest

from chalicelib.payouts import batch_store, preparing
from tests.functional.workers.conftest import StillClock
from tests.support.communities import balance, delivered
from tests.support.invariants import findings
from tests.support.lambdas import handle, invoke
from tests.support.payouts import approve, cancel, make, payouts_of, read, send, try_batch
from tests.support.world import Sale, World

UNITS = (1, 2, 3, 4, 5, 6, 7)


@pytest.fixture(autouse=True)
def pages_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "PARTIES_A_PAGE", 3)


@pytest.fixture
def sales(world: World, time: StillClock) -> Iterator[list[Sale]]:
    """Seven leaders on three pages, with 1.00 to 7.00 available."""
    found = delivered(world, UNITS)
    time.move_on(days=9)
    invoke("settlement_start")
    world.work()
    yield found
    assert findings() == []


def pass_time(world: World, time: StillClock, looks: int = 1) -> None:
    for _ in range(looks):
        time.move_on(minutes=6)
        invoke("payout_watch")
        world.work()


def test_all_pages_are_gone_through(world: World, sales: list[Sale]) -> None:
    batch = make(world)
    assert (batch["status"], batch["payouts"], batch["amount"]) == ("prepared", 7, 2800)
    cancel(world, batch)
    world.work()
    assert read(world, batch)["status"] == "cancelled"
    assert [balance(world, sale)["available"] for sale in sales] == [100 * n for n in UNITS]


@pytest.mark.parametrize("delivered_before", [0, 1, 2, 3])
def test_lost_messages_are_sent_again(
    world: World, time: StillClock, sales: list[Sale], delivered_before: int
) -> None:
    batch = try_batch(world).json
    for _ in range(delivered_before):
        messages = world.messages("PAYOUT_PAGE")
        handle("payout_page", *messages)
    world.messages("PAYOUT_PAGE")
    pass_time(world, time)
    after = read(world, batch)
    assert (after["status"], after["payouts"], after["amount"]) == ("prepared", 7, 2800)


def test_pages_that_come_twice_in_any_order_take_each_leader_once(
    world: World, sales: list[Sale]
) -> None:
    batch = make(world)
    before = [balance(world, sale) for sale in sales]
    for page in (2, 0, 1, 0):
        handle("payout_page", {"subject": batch["id"], "data": {"page": page, "after": None}})
    assert [balance(world, sale) for sale in sales] == before
    assert read(world, batch)["amount"] == 2800


def test_a_cancelling_whose_messages_are_lost_goes_on(
    world: World, time: StillClock, sales: list[Sale]
) -> None:
    batch = make(world)
    cancel(world, batch)
    world.messages("PAYOUT_PAGE")
    pass_time(world, time)
    assert read(world, batch)["status"] == "cancelled"


@contextmanager
def failing_for(leader_id: str) -> Iterator[None]:
    real = preparing._take

    def take(batch: Any, page: Any, party: Any) -> Any:
        if party.id == leader_id:
            raise RuntimeError("this one cannot be read")
        return real(batch, page, party)

    with mock.patch.object(preparing, "_take", take):
        yield


def work(world: World) -> None:
    """Let messages fail as often as they do."""
    while messages := world.messages("PAYOUT_PAGE"):
        for message in messages:
            handle("payout_page", message)


def test_a_leader_that_fails_is_left_out_with_a_case_and_holds_back_no_other(
    world: World, time: StillClock, sales: list[Sale]
) -> None:
    ill = sales[3]
    with failing_for(ill.leader_id):
        batch = try_batch(world).json
        work(world)
        assert (read(world, batch)["status"], read(world, batch)["payouts"]) == ("preparing", 6)
        for _ in range(8):
            time.move_on(minutes=6)
            invoke("payout_watch")
            work(world)
    after = read(world, batch)
    assert (after["status"], after["payouts"], after["left_out"]) == ("prepared", 6, 1)
    (case,) = world.operator.get("/v1/cases").json["items"]
    assert (case["kind"], case["subject"]) == ("payout_not_prepared", ill.leader_id)
    assert balance(world, ill)["available"] == 400
    assert make(world)["amount"] == 400


def test_one_that_fails_once_is_taken_at_the_next_try(
    world: World, time: StillClock, sales: list[Sale]
) -> None:
    with failing_for(sales[3].leader_id):
        batch = try_batch(world).json
        work(world)
    pass_time(world, time)
    assert (read(world, batch)["status"], read(world, batch)["payouts"]) == ("prepared", 7)
    assert world.operator.get("/v1/cases").json["items"] == []


def test_nothing_is_added_to_a_page_that_is_closed(world: World, sales: list[Sale]) -> None:
    """A page that came twice, and whose second worker reads what has become available since."""
    batch = make(world, minimum=400)
    stored = batch_store.get_page(batch["id"], 0)
    assert stored is not None
    of_batch = batch_store.get_batch(batch["id"])
    assert of_batch is not None
    generous = type(of_batch)(**{**vars(of_batch), "minimum": 1})
    with pytest.raises(Exception, match="busy"):
        preparing._take_each(generous, stored, give_up=False)
    assert read(world, batch)["payouts"] == 4


def test_a_batch_that_is_approved_and_sent_by_hand_asks_for_nothing(
    world: World, time: StillClock, sales: list[Sale]
) -> None:
    batch = make(world)
    approve(world, batch)
    pass_time(world, time)
    assert read(world, batch)["status"] == "approved"
    assert send(world, batch).status == 200
    assert world.messages("PAYOUT_PAGE") == []
    assert len(payouts_of(world, batch)) == 7
