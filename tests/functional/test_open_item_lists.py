"""The list of money that waits for a person: what is left of each item, and since when."""

from datetime import timedelta

import pytest

from chalicelib.kernel import clock
from chalicelib.platform import pages
from tests.functional.conftest import Clock
from tests.functional.test_open_items import PAYER, clear, in_suspense, item, unmatched
from tests.functional.test_reconciliations import day_of
from tests.support.invariants import findings
from tests.support.statements import csv_file, differences, reconcile, resolve
from tests.support.world import Json, World, created

ITEMS = "/v1/open-items"


def listed(world: World, query: str = "") -> list[Json]:
    answer = world.operator.get(ITEMS + query)
    assert answer.status == 200, answer.text
    return list(answer.json["items"])


def ids(items: list[Json]) -> list[str]:
    return [each["entry_id"] for each in items]


def test_items_of_every_origin_are_listed_newest_first_with_what_is_left(
    world: World, time: Clock
) -> None:
    assert listed(world) == []
    receipt = unmatched(world)
    time.move_on(days=1)
    suspense = in_suspense(world, time, "20.00")
    assert ids(listed(world)) == [suspense, receipt]
    created(clear(world, receipt, **PAYER, amount=300))
    (newer, older) = listed(world)
    assert (older["account"], older["amount"], older["left"]) == ("unmatched_receipts", -700, -400)
    waited = [time.now() - clock.from_text(each["posted_at"]) for each in (newer, older)]
    assert waited[0] < timedelta(minutes=1) < timedelta(days=1) <= waited[1]
    assert (newer["account"], newer["left"]) == ("platform:suspense", -2000)
    for each in (newer, older):
        assert {name: item(world, each["entry_id"])[name] for name in each} == each
    assert findings() == []


def test_open_tells_what_still_waits_from_what_has_gone(world: World, time: Clock) -> None:
    receipt, suspense = unmatched(world), in_suspense(world, time, "20.00")
    created(clear(world, receipt, **PAYER, amount=300))
    assert set(ids(listed(world, "?open=true"))) == {receipt, suspense}
    assert listed(world, "?open=false") == []
    created(clear(world, receipt, goes="income", reference="the rest"))
    assert ids(listed(world, "?open=true")) == [suspense]
    assert ids(listed(world, "?open=false")) == [receipt]
    assert len(listed(world)) == 2
    assert world.operator.get(f"{ITEMS}?open=perhaps").status == 422


def test_a_reversed_remittance_waits_again_where_it_stood(world: World, time: Clock) -> None:
    order = world.place(world.sale(), payment_method="leader_collect")
    leader_id = order["leader_id"]
    body = {"amount": order["total"], "reference": "cash"}
    created(world.leader(leader_id).post(f"/v1/orders/{order['id']}/payments", body))
    entry_id = in_suspense(world, time, "10.00")
    created(clear(world, entry_id, goes="remittance", leader_id=leader_id, reference="R1"))
    assert listed(world, "?open=true") == []
    path = f"/v1/leaders/{leader_id}/remittances"
    (remitted,) = world.operator.get(path).json["items"]
    reverse = f"{path}/{remitted['id']}/reverse"
    assert world.operator.post(reverse, {"reason": "another's"}).status == 200
    assert ids(listed(world, "?open=true")) == [f"remittance-reversed:{leader_id}:R1"]


def test_what_is_undone_waits_on_neither_side(world: World, time: Clock) -> None:
    made = reconcile(world, csv_file((day_of(time), "3.00", "EUR", "who is it?")))
    assert resolve(world, made, 1, "post_to_suspense").status == 200
    undo = f"/v1/reconciliations/{made['id']}/differences/1/undo"
    assert world.operator.post(undo, {"note": "known by now"}).status == 200
    (difference,) = differences(world, made)
    assert difference["resolution"] is None
    assert listed(world, "?open=true") == []
    assert [each["left"] for each in listed(world)] == [0, 0]


@pytest.mark.parametrize("reads", [1, 10])
def test_a_page_goes_on_through_what_has_gone(
    world: World, time: Clock, monkeypatch: pytest.MonkeyPatch, reads: int
) -> None:
    monkeypatch.setattr(pages, "READ_AT_ONCE", 2)
    monkeypatch.setattr(pages, "READS_A_PAGE", reads)
    items = []
    for n in range(6):
        items.append(in_suspense(world, time, f"{n + 1}.00"))
        time.move_on(days=1)
    for each in items[1:5]:
        created(clear(world, each, goes="income", reference="known"))
    found, cursor, times = [], "", 0
    while cursor is not None:
        query = f"?open=true&limit=1{cursor and f'&cursor={cursor}'}"
        page = world.operator.get(ITEMS + query).json
        found += ids(page["items"])
        cursor, times = page["next_cursor"], times + 1
    assert found == [items[5], items[0]]
    assert times <= 6
    assert timedelta(days=6) <= time.now() - clock.from_text(listed(world)[-1]["posted_at"])
