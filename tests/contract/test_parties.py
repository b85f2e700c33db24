"""The parties store: suppliers with their keys, and leaders in the order of a run."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.kernel.errors import Stale
from chalicelib.parties import store as parties
from chalicelib.parties.rules import ApiKey, Leader, PickupPoint, Supplier
from chalicelib.parties.store import ApiKeyRow, LeaderRow, SupplierRow
from chalicelib.parties.terms import Mode, OpenHours, Terms
from chalicelib.platform.pages import PageRequest
from chalicelib.platform.transaction import Delete, create, write
from tests.support.made import NOW

POINT = PickupPoint("Kiosk „Nord“ 🏪", "Köln", "50667", "DE", latitude=50.94, longitude=None)
KEY = ApiKey("key_1", "abc", "2026-03-10T09:30:00.000Z")


def add_leader(leader_id: str) -> Leader:
    made = Leader(leader_id, "Lena", "Nord", POINT, "EUR", NOW)
    write(create(LeaderRow.of(made)))
    return made


def add_supplier(supplier_id: str) -> Supplier:
    made = Supplier(supplier_id, "Green Farm", "orders@green.example", "EUR", (KEY,), 1, NOW)
    write(create(SupplierRow.of(made)))
    return made


def test_parties_come_back_as_they_were_written() -> None:
    leader, supplier = add_leader("ldr_1"), add_supplier("sup_1")
    assert parties.get_leader("ldr_1") == leader
    assert parties.get_supplier("sup_1") == supplier
    assert (parties.get_leader("sup_1"), parties.get_supplier("ldr_1")) == (None, None)


def test_a_leaders_limit_changes_and_nothing_else_of_it() -> None:
    leader = add_leader("ldr_1")
    for amount in (500, 0, 10**12, None, None):
        write(parties.set_credit_limit("ldr_1", amount))
        assert parties.get_leader("ldr_1") == replace(leader, credit_limit=amount)


def test_a_leader_that_is_not_there_gets_no_limit() -> None:
    for amount in (500, None):
        with pytest.raises(Stale):
            write(parties.set_credit_limit("ldr_none", amount))
    assert parties.get_leader("ldr_none") is None


def test_what_plans_look_at_changes_on_condition_of_what_was_read() -> None:
    leader = add_leader("ldr_1")
    changes: dict[str, Any] = {"plan_id": "cpl_1", "level": "gold", "upline": ("ldr_2", "ldr_3")}
    write(parties.change_leader(leader, **changes, has_invited=True))
    after = replace(leader, **changes, has_invited=True)
    assert parties.get_leader("ldr_1") == after
    stale_changes: list[dict[str, Any]] = [{"level": "x"}, {"upline": ()}, {"has_invited": False}]
    for stale in stale_changes:
        with pytest.raises(Stale):
            write(parties.change_leader(leader, **stale))
    write(parties.change_leader(leader, hub_id="ldr_4"))
    write(parties.change_leader(after, plan_id=None, upline=(), has_invited=False))
    found = replace(leader, level="gold", hub_id="ldr_4")
    assert parties.get_leader("ldr_1") == found
    write(parties.change_leader(found, has_invited=True, upline=()))
    with pytest.raises(Stale):
        write(parties.change_leader(replace(leader, id="ldr_none"), level="gold"))


def test_a_keys_hash_finds_its_supplier_until_it_is_revoked() -> None:
    write(create(ApiKeyRow.of("abc", "sup_1")))
    assert parties.supplier_of_key("abc") == "sup_1"
    assert parties.supplier_of_key("abcd") is None
    write(Delete(ApiKeyRow.of("abc", "sup_1")))
    assert parties.supplier_of_key("abc") is None


def test_parties_are_listed_newest_first_each_kind_apart() -> None:
    for n in range(5):
        add_leader(f"ldr_{n}")
        add_supplier(f"sup_{n}")
    first = parties.leaders(PageRequest("leaders", 3))
    second = parties.leaders(PageRequest("leaders", 3, first.next_after))
    assert [each.id for each in first.items] == ["ldr_4", "ldr_3", "ldr_2"]
    assert [each.id for each in second.items] == ["ldr_1", "ldr_0"]
    suppliers = parties.suppliers(PageRequest("suppliers", 5))
    assert [each.id for each in suppliers.items] == [f"sup_{n}" for n in (4, 3, 2, 1, 0)]
    assert suppliers.next_after is None


def test_a_run_goes_through_every_leader_once() -> None:
    made = [add_leader(f"ldr_{n}").id for n in range(7)]
    add_supplier("sup_1")
    seen: list[str] = []
    while batch := parties.leader_ids_after(seen[-1] if seen else None, 3):
        seen += batch
    assert seen == made


def test_many_leaders_are_found_in_the_order_asked_for() -> None:
    made = {n: add_leader(f"ldr_{n}") for n in range(3)}
    found = parties.get_leaders(["ldr_2", "ldr_none", "ldr_0", "ldr_2"])
    assert found == [made[2], made[0]]


def some_terms(version: int, hours: int = 4) -> Terms:
    """Not the usual ones, in any part."""
    return Terms(
        "sup_1",
        version,
        (Mode("standard", hours, 24, 72, "cancel"), Mode("fresh", 1, 2, 3, "fine", 500)),
        "Asia/Shanghai",
        (OpenHours("mon", "09:00", "12:00"), OpenHours("mon", "13:00", "24:00")),
        ("2026-12-25",),
        NOW,
    )


def test_terms_are_the_newest_and_each_version_stays_as_it_was() -> None:
    first, second = some_terms(1), some_terms(2, hours=9)
    write(*parties.set_terms(first))
    write(*parties.set_terms(second))
    assert parties.terms_of(["sup_1"]) == {"sup_1": second}
    assert parties.terms_at("sup_1", 1) == first
    assert parties.terms_at("sup_1", 2) == second


def test_a_version_of_terms_is_set_once() -> None:
    write(*parties.set_terms(some_terms(1)))
    for again in (some_terms(1, hours=9), some_terms(3)):
        with pytest.raises(Stale):
            write(*parties.set_terms(again))
    assert parties.terms_of(["sup_1"]) == {"sup_1": some_terms(1)}


def test_suppliers_without_terms_have_the_usual_ones() -> None:
    write(*parties.set_terms(some_terms(1)))
    assert parties.terms_of(["sup_2", "sup_1"]) == {"sup_2": Terms("sup_2"), "sup_1": some_terms(1)}
    assert parties.terms_at("sup_2", 0) == Terms("sup_2")
    with pytest.raises(LookupError, match="version 2"):
        parties.terms_at("sup_1", 2)


def test_a_leader_leaves_once_and_is_listed_until_it_has_left() -> None:
    leader = add_leader("ldr_1")
    add_leader("ldr_2")
    assert (list(parties.all_leaving()), parties.leaving_of(["ldr_1", "ldr_2"])) == ([], set())
    begun = parties.change_leader(leader, leaving_at=NOW, leaving_reason="closes")
    write(begun, parties.begin_leaving("ldr_1"))
    with pytest.raises(Stale):
        write(parties.begin_leaving("ldr_1"))
    assert list(parties.all_leaving()) == ["ldr_1"]
    assert parties.leaving_of(["ldr_1", "ldr_2"]) == {"ldr_1"}
    leaving = replace(leader, leaving_at=NOW, leaving_reason="closes")
    assert parties.get_leader("ldr_1") == leaving
    write(
        parties.change_leader(leaving, left_at=NOW, leaving_at=NOW), parties.has_left("ldr_1", 70)
    )
    with pytest.raises(Stale):
        write(parties.change_leader(leaving, left_at=NOW), parties.has_left("ldr_1", 70))
    assert list(parties.all_leaving()) == []
    assert parties.get_leader("ldr_1") == replace(leaving, left_at=NOW)
    with pytest.raises(Stale):
        write(parties.end_leaving("ldr_1"))
    assert parties.leaving_of(["ldr_1", "ldr_2"]) == {"ldr_1"}


def test_one_that_has_left_is_listed_with_what_it_was_told_to_owe() -> None:
    assert list(parties.all_that_left()) in ([], [[]])
    for leader_id, owed in (("ldr_1", 0), ("ldr_2", 70)):
        write(parties.begin_leaving(leader_id))
        write(parties.has_left(leader_id, owed))
    ((first, second),) = parties.all_that_left()
    assert [(each.pk, each.owed) for each in (first, second)] == [("ldr_1", 0), ("ldr_2", 70)]
    write(parties.told_to_owe(first, 30))
    with pytest.raises(Stale):
        write(parties.told_to_owe(first, 40))
    ((first, _),) = parties.all_that_left()
    assert first.owed == 30


def test_one_that_stays_is_listed_nowhere() -> None:
    write(parties.begin_leaving("ldr_1"))
    write(parties.end_leaving("ldr_1"))
    with pytest.raises(Stale):
        write(parties.has_left("ldr_1", 0))
    assert (list(parties.all_leaving()), parties.leaving_of(["ldr_1"])) == ([], set())
