"""The plans store: plans with their versions, the defaults, and changes, newest first."""

from dataclasses import replace

import pytest

from chalicelib.kernel.errors import Stale
from chalicelib.plans import store as plans
from chalicelib.plans.changes import Change, Difference
from chalicelib.plans.rules import Plan, Rule, Version
from chalicelib.plans.store import PlanRow
from chalicelib.platform import store
from chalicelib.platform.pages import PageRequest
from chalicelib.platform.transaction import create, write
from tests.support.made import NOW

RULES = (
    Rule("sales", 1000, split=(("promoter", 9000), ("hub", 1000)), day_cap=50_000),
    Rule("gross_profit", 0, category="Käse „Bio“ 🧀", level="gold", line_floor=None),
)
VERSION = Version("cpl_1", 1, "2026-03-10", RULES, (200, 100), "op_1", NOW)
PLAN = Plan("cpl_1", "Läden", "EUR", "MY", False, (VERSION,), 1, 2, NOW)


def test_a_plan_comes_back_as_it_was_written() -> None:
    write(create(PlanRow.of(PLAN)), plans.add_version(VERSION))
    bare = replace(PLAN, id="cpl_2", currency=None, country=None, versions=())
    write(create(PlanRow.of(bare)))
    assert plans.get_plan("cpl_1") == PLAN
    assert plans.get_plans(["cpl_2", "cpl_none", "cpl_1"]) == {"cpl_1": PLAN, "cpl_2": bare}
    assert plans.versions("cpl_1", PageRequest("test")).items == (VERSION,)
    named = (VERSION.plan_id, VERSION.number)
    assert plans.get_versions([named, ("cpl_1", 99)]) == {named: VERSION}
    (row,) = store.get_together([plans.plan_key("cpl_1")])
    assert row.to_entity() == PLAN


def test_a_plan_is_replaced_by_whoever_read_it_last() -> None:
    write(create(PlanRow.of(PLAN)))
    write(plans.replace_plan(PLAN.changed(is_default=True)))
    with pytest.raises(Stale):
        write(plans.replace_plan(PLAN.changed(name="Kioske")))
    with pytest.raises(Stale):
        write(create(PlanRow.of(PLAN)))


def test_a_version_is_written_once() -> None:
    write(plans.add_version(VERSION))
    with pytest.raises(Stale):
        write(plans.add_version(replace(VERSION, upline=())))
    assert plans.versions("cpl_1", PageRequest("test")).items == (VERSION,)
    named = (VERSION.plan_id, VERSION.number)
    assert plans.get_versions([named, ("cpl_1", 99)]) == {named: VERSION}


def test_defaults_are_by_currency_and_one_for_all_others() -> None:
    none = plans.get_defaults()
    assert none.plan_of("EUR") is None
    write(plans.set_defaults(none, {"EUR": "cpl_1"}))
    with pytest.raises(Stale):
        write(plans.set_defaults(none, {"EUR": "cpl_2"}))
    some = plans.get_defaults()
    write(plans.set_defaults(some, {"EUR": "cpl_1", "": "cpl_3"}))
    found = plans.get_defaults()
    assert (found.plan_of("EUR"), found.plan_of("USD")) == ("cpl_1", "cpl_3")
    with pytest.raises(Stale):
        write(plans.set_defaults(some, {}))


def test_changes_are_listed_newest_first_by_each_that_they_concern() -> None:
    made = [
        Change(f"chg_{n}", "cpl_1", None, "created", "op_1", NOW, (Difference("x", None, "ü"),))
        for n in range(5)
    ]
    for change in made:
        write(*plans.add_changes(change, ["cpl_1", "ldr_1"]))
    first = plans.changes("cpl_1", PageRequest("test", limit=3))
    rest = plans.changes("cpl_1", PageRequest("test", limit=3, after=first.next_after))
    assert [*first.items, *rest.items] == made[::-1]
    assert rest.next_after is None
    assert plans.changes("ldr_1", PageRequest("test")).items == tuple(made[::-1])
    assert plans.changes("ldr_2", PageRequest("test")).items == ()
