"""The dispatch store: changes by version, and the feed that misses none."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.dispatch import store as dispatches
from chalicelib.dispatch.answers import Acceptance, Rejection
from chalicelib.dispatch.disputes import Dispute
from chalicelib.dispatch.rules import Dispatch
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Stale
from chalicelib.platform.transaction import write
from tests.support.made import NOW, a_clock, a_dispatch, a_parcel


def add(dispatch_id: str, minute: int = 0, **changes: Any) -> Dispatch:
    at = NOW + timedelta(minutes=minute)
    made = a_dispatch(id=dispatch_id, updated_at=at, **changes)
    write(dispatches.add_dispatch(made))
    return made


def feed(**asked: Any) -> list[str]:
    usual: dict[str, Any] = {"supplier_id": None, "since": None, "after": None, "limit": 100}
    return [each.dispatch.id for each in dispatches.changed_since(**{**usual, **asked})]


def test_a_dispatch_comes_back_as_it_was_written() -> None:
    made = add("dsp_1", shipped_at=NOW, carrier="DHL", tracking_number="T-1")
    assert dispatches.get_dispatch("dsp_1") == made
    assert dispatches.get_dispatch("dsp_2") is None


def test_a_dispatch_comes_back_with_its_parcels_and_answers() -> None:
    parcel = a_parcel(delivered_at=clock.to_text(NOW), earned_on="2026-03-17", is_held=True)
    made = add(
        "dsp_1",
        parcels=(parcel, a_parcel("prc_2", units={"sku_1": 1, "sku_2": 3})),
        rejections=(Rejection("other", "no van", clock.to_text(NOW), {"sku_1": 1}),),
        acceptance=Acceptance({"sku_1": 2}, "damaged"),
    )
    assert dispatches.get_dispatch("dsp_1") == made


def a_dispute(name: str = "dpt_1", dispatch_id: str = "dsp_1") -> Dispute:
    return Dispute(
        id=name,
        dispatch_id=dispatch_id,
        order_id="ord_1",
        parcel_id=None,
        parcel_ids=("prc_1", "prc_2"),
        by="customer",
        party_id="cus_1",
        reason="Nothing came.",
        status="open",
        version=1,
        opened_at=NOW,
    )


def test_a_dispute_is_added_once_and_changes_by_version() -> None:
    add("dsp_1")
    write(dispatches.add_dispute(a_dispute()))
    with pytest.raises(Stale):
        write(dispatches.add_dispute(a_dispute()))
    resolved = a_dispute().resolved("upheld", "seen", NOW, "rfd_1")
    write(dispatches.replace_dispute(resolved))
    with pytest.raises(Stale):
        write(dispatches.replace_dispute(a_dispute().resolved("dismissed", "seen", NOW)))
    assert dispatches.get_dispute("dsp_1", "dpt_1") == resolved
    assert dispatches.get_dispute("dsp_1", "dpt_2") is None


def test_a_dispatch_has_its_own_disputes() -> None:
    for name, dispatch_id in (("dpt_1", "dsp_1"), ("dpt_2", "dsp_1"), ("dpt_3", "dsp_2")):
        write(dispatches.add_dispute(a_dispute(name, dispatch_id)))
    assert [each.id for each in dispatches.disputes_of("dsp_1")] == ["dpt_1", "dpt_2"]
    assert dispatches.disputes_of("dsp_3") == []


def test_a_dispatch_is_added_once_and_changes_by_version() -> None:
    made = add("dsp_1")
    with pytest.raises(Stale):
        add("dsp_1")
    write(dispatches.replace_dispatch(made.moved("accepted", NOW)))
    with pytest.raises(Stale):
        write(dispatches.replace_dispatch(made.moved("rejected", NOW)))
    found = dispatches.get_dispatch("dsp_1")
    assert found is not None
    assert (found.status, found.version) == ("accepted", 2)


def test_dispatches_come_in_the_order_asked_for_without_those_that_do_not_exist() -> None:
    add("dsp_1")
    add("dsp_2")
    found = dispatches.get_dispatches(["dsp_2", "dsp_none", "dsp_1"])
    assert [each.id for each in found] == ["dsp_2", "dsp_1"]
    assert dispatches.get_dispatches([]) == []


def test_the_feed_is_oldest_change_first_over_all_shards() -> None:
    for minute in (5, 1, 9, 3, 7):
        add(f"dsp_{minute}", minute)
    assert feed() == ["dsp_1", "dsp_3", "dsp_5", "dsp_7", "dsp_9"]
    assert feed(limit=2) == ["dsp_1", "dsp_3"]


def test_a_supplier_sees_its_own() -> None:
    add("dsp_1", supplier_id="sup_1")
    add("dsp_2", 1, supplier_id="sup_2")
    assert feed(supplier_id="sup_2") == ["dsp_2"]
    assert feed(supplier_id="sup_3") == []


def test_the_feed_begins_at_an_instant_inclusive() -> None:
    for minute in (1, 2, 3):
        add(f"dsp_{minute}", minute)
    assert feed(since=NOW + timedelta(minutes=2)) == ["dsp_2", "dsp_3"]
    assert feed(since=NOW + timedelta(minutes=2, milliseconds=1)) == ["dsp_3"]


def test_the_feed_goes_on_behind_a_position_though_changes_share_an_instant() -> None:
    for name in ("a", "b", "c"):
        add(f"dsp_{name}", supplier_id="sup_1")
    seen: list[str] = []
    after: str | None = None
    while batch := dispatches.changed_since("sup_1", NOW, after, 1):
        seen += [each.dispatch.id for each in batch]
        after = batch[-1].position
    assert seen == ["dsp_a", "dsp_b", "dsp_c"]


def test_a_change_moves_a_dispatch_to_the_end_of_the_feed() -> None:
    first = add("dsp_1", 1)
    add("dsp_2", 2)
    write(dispatches.replace_dispatch(first.moved("accepted", NOW + timedelta(minutes=3))))
    assert feed() == ["dsp_2", "dsp_1"]


def test_what_clocks_have_to_do_is_found_by_its_instant_and_no_longer_once_it_is_done() -> None:
    late, soon = a_clock(half_time_at=at(9)), a_clock("ship", half_time_at=at(3), due_at=at(7))
    first = add("dsp_1", clocks=(late, soon))
    add("dsp_2", clocks=(a_clock(half_time_at=at(2)),))
    add("dsp_3")
    add("dsp_4", status="delivered", clocks=(soon,))
    assert dispatches.due_before(NOW + timedelta(minutes=1), 10) == []
    assert dispatches.due_before(NOW + timedelta(minutes=3), 10) == ["dsp_2", "dsp_1"]
    assert dispatches.due_before(NOW + timedelta(minutes=3), 1) == ["dsp_2"]
    reminded = first.with_clock(soon.reminded(NOW)).moved("created", NOW)
    write(dispatches.replace_dispatch(reminded))
    assert dispatches.due_before(NOW + timedelta(minutes=3), 10) == ["dsp_2"]
    assert dispatches.due_before(NOW + timedelta(minutes=7), 10) == ["dsp_2", "dsp_1"]
    write(dispatches.replace_dispatch(reminded.moved("rejected", NOW)))
    assert dispatches.due_before(NOW + timedelta(days=9), 10) == ["dsp_2"]


def test_clocks_come_back_as_they_were_written() -> None:
    done = a_clock(on_missed="fine", fine_amount=5).reminded(NOW).fired(NOW, 5).waived(NOW, "flood")
    made = add("dsp_1", clocks=(done, a_clock("deliver", half_time_at=None)), terms_version=3)
    assert dispatches.get_dispatch("dsp_1") == made


def at(minute: int) -> str:
    return clock.to_text(NOW + timedelta(minutes=minute))
