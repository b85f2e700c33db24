"""Suppliers' terms: whole, kept by version, and refused where they cannot be kept."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kernel import clock
from tests.functional.conftest import new_world
from tests.support.gateway import Answer
from tests.support.snapshot import snapshot
from tests.support.world import Issuer, Json, World

OFFICE = {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
USUAL: Json = {
    "accept_by_hours": 12,
    "ship_by_hours": 24,
    "deliver_by_hours": 72,
    "on_missed": "escalate",
    "fine_amount": None,
    "timezone": "UTC",
    "weekly_hours": None,
    "closed_days": [],
    "modes": [],
}
FRESH: Json = {
    "mode": "fresh",
    "accept_by_hours": 1,
    "ship_by_hours": 2,
    "deliver_by_hours": 3,
    "on_missed": "fine",
    "fine_amount": 250,
}


def path(supplier_id: str) -> str:
    return f"/v1/suppliers/{supplier_id}/terms"


def put(world: World, supplier_id: str, **terms: Any) -> Answer:
    return world.operator.put(path(supplier_id), terms)


def test_a_supplier_has_the_usual_terms_until_others_are_set(world: World) -> None:
    supplier_id = world.add_supplier()
    found = world.operator.get(path(supplier_id))
    assert found.json == {**USUAL, "supplier_id": supplier_id, "version": 0, "set_at": None}
    assert world.supplier(supplier_id).get(path(supplier_id)).json == found.json


def test_terms_are_set_whole_and_read_as_they_were_set(world: World) -> None:
    supplier_id = world.add_supplier()
    terms = {
        "accept_by_hours": 4,
        "ship_by_hours": 4,
        "deliver_by_hours": 48,
        "on_missed": "cancel",
        "fine_amount": None,
        "timezone": "Asia/Shanghai",
        "weekly_hours": {**OFFICE, "sat": [["08:00", "12:00"], ["12:00", "24:00"]], "sun": []},
        "closed_days": ["2027-01-01", "2026-12-25"],
        "modes": [FRESH, {**USUAL_CLOCKS, "mode": "slow"}],
    }
    answer = put(world, supplier_id, **terms)
    assert answer.status == 200, answer.text
    assert {name: answer.json[name] for name in terms} == terms
    assert (answer.json["supplier_id"], answer.json["version"]) == (supplier_id, 1)
    assert world.operator.get(path(supplier_id)).json == answer.json
    again = put(world, supplier_id).json
    assert {name: again[name] for name in USUAL} == USUAL
    assert again["version"] == 2


USUAL_CLOCKS = {name: value for name, value in USUAL.items() if name in FRESH}


def test_the_same_terms_again_are_no_new_version(world: World) -> None:
    supplier_id = world.add_supplier()
    first = put(world, supplier_id, weekly_hours=OFFICE).json
    assert put(world, supplier_id, weekly_hours=OFFICE).json == first
    assert (
        put(world, supplier_id, weekly_hours=OFFICE, timezone="Europe/Paris").json["version"] == 2
    )


def test_terms_of_one_supplier_are_nothing_for_another(world: World) -> None:
    mine, other = world.add_supplier(), world.add_supplier()
    assert world.supplier(other).get(path(mine)).code == "not_found"
    assert world.operator.get(path("sup_none")).code == "not_found"
    assert put(world, "sup_none").code == "not_found"
    assert world.supplier(mine).put(path(mine), {}).code == "forbidden"


def far_ahead() -> str:
    return (clock.now() + timedelta(days=732)).date().isoformat()


WRONG: dict[str, tuple[Json, str]] = {
    "no hour": ({"accept_by_hours": 0}, "accept_by_hours"),
    "half an hour": ({"accept_by_hours": 0.5}, "accept_by_hours"),
    "more than a month": ({"deliver_by_hours": 721}, "deliver_by_hours"),
    "ships before it accepts": ({"accept_by_hours": 5, "ship_by_hours": 4}, "ship_by_hours"),
    "ships by default before it accepts": ({"accept_by_hours": 25}, "ship_by_hours"),
    "another consequence": ({"on_missed": "shout"}, "on_missed"),
    "a fine of nothing": ({"on_missed": "fine", "fine_amount": 0}, "fine_amount"),
    "a fine of some fraction": ({"on_missed": "fine", "fine_amount": 1.5}, "fine_amount"),
    "a fine without an amount": ({"on_missed": "fine"}, "fine_amount"),
    "an amount without a fine": ({"fine_amount": 5}, "fine_amount"),
    "a zone of nowhere": ({"timezone": "Europe/Atlantis"}, "timezone"),
    "a zone of the machine": ({"timezone": "localtime"}, "timezone"),
    "a zone with leap seconds": ({"timezone": "right/Europe/Berlin"}, "timezone"),
    "a file": ({"timezone": "../../etc/passwd"}, "timezone"),
    "an unknown day": ({"weekly_hours": {"day": [["09:00", "18:00"]]}}, "weekly_hours.day"),
    "never open": ({"weekly_hours": {}}, "weekly_hours"),
    "open on no day": ({"weekly_hours": {"mon": [], "tue": []}}, "weekly_hours"),
    "closes before it opens": ({"weekly_hours": {"mon": [["18:00", "09:00"]]}}, "weekly_hours.mon"),
    "closes as it opens": ({"weekly_hours": {"mon": [["09:00", "09:00"]]}}, "weekly_hours.mon"),
    "opens at the day's end": ({"weekly_hours": {"mon": [["24:00", "24:00"]]}}, "weekly_hours.mon"),
    "over midnight": ({"weekly_hours": {"fri": [["22:00", "02:00"]]}}, "weekly_hours.fri"),
    "hours that overlap": (
        {"weekly_hours": {"mon": [["09:00", "13:00"], ["12:59", "18:00"]]}},
        "weekly_hours.mon",
    ),
    "hours out of order": (
        {"weekly_hours": {"mon": [["13:00", "18:00"], ["09:00", "12:00"]]}},
        "weekly_hours.mon",
    ),
    "no time of day": ({"weekly_hours": {"mon": [["9", "18:00"]]}}, "weekly_hours.mon.0.0"),
    "after midnight": ({"weekly_hours": {"mon": [["09:00", "24:30"]]}}, "weekly_hours.mon.0.1"),
    "one time alone": ({"weekly_hours": {"mon": [["09:00"]]}}, "weekly_hours.mon.0"),
    "seven spans": (
        {"weekly_hours": {"mon": [[f"0{n}:00", f"0{n}:30"] for n in range(7)]}},
        "weekly_hours.mon",
    ),
    "12 hours at an hour a month": (
        {"weekly_hours": {"mon": [["09:00", "09:15"]]}, "deliver_by_hours": 1},
        "accept_by_hours",
    ),
    "a day that is none": ({"closed_days": ["2026-02-30"]}, "closed_days.0"),
    "a day twice": ({"closed_days": ["2026-12-25", "2026-12-25"]}, "closed_days"),
    "a hundred days and one": (
        {"closed_days": [f"2026-{m:02d}-{d:02d}" for m in range(1, 5) for d in range(1, 29)][:101]},
        "closed_days",
    ),
    "the standard mode among others": ({"modes": [{"mode": "standard"}]}, "modes.0.mode"),
    "a mode without a name": ({"modes": [{}]}, "modes.0.mode"),
    "a mode of capitals": ({"modes": [{"mode": "Fresh"}]}, "modes.0.mode"),
    "a mode twice": ({"modes": [FRESH, FRESH]}, "modes"),
    "a mode that ships before it accepts": (
        {"modes": [{**FRESH, "accept_by_hours": 3}]},
        "modes.0.ship_by_hours",
    ),
    "a mode with a fine of nothing": (
        {"modes": [{**FRESH, "fine_amount": 0}]},
        "modes.0.fine_amount",
    ),
    "a mode that takes too long": (
        {
            "weekly_hours": {"mon": [["00:00", "24:00"]]},
            "modes": [FRESH, {"mode": "slow", "deliver_by_hours": 700}],
        },
        "modes.1.deliver_by_hours",
    ),
    "something else": ({"carrier": "DHL"}, "carrier"),
}


@pytest.fixture(scope="module")
def office(issuer: Issuer) -> Iterator[World]:
    """One world for all that is refused."""
    with new_world(issuer) as world:
        yield world


@pytest.mark.parametrize("name", WRONG)
def test_terms_that_cannot_be_kept_are_refused_and_name_the_field(office: World, name: str) -> None:
    world, supplier_id = office, office.add_supplier()
    before = snapshot(world.environment)
    body, field = WRONG[name]
    answer = put(world, supplier_id, **body)
    assert (answer.status, answer.code) == (422, "invalid_request"), answer.text
    assert field in {each["field"] for each in answer.json["errors"]}
    assert snapshot(world.environment) == before


def test_a_closed_day_lies_within_two_years(office: World) -> None:
    supplier_id = office.add_supplier()
    answer = put(office, supplier_id, closed_days=["2026-01-01", far_ahead()])
    assert [each["field"] for each in answer.json["errors"]] == ["closed_days.1"]
    near = (clock.now() + timedelta(days=730)).date().isoformat()
    assert put(office, supplier_id, closed_days=["2026-01-01", near]).status == 200


def test_only_the_clocks_that_last_too_long_are_named(office: World) -> None:
    """At 9 hours a week 115 take 90 days; with a mode, where it stands."""
    supplier_id, week = office.add_supplier(), {"wed": [["09:00", "18:00"]]}
    long = {"mode": "slow", "accept_by_hours": 1, "ship_by_hours": 115, "deliver_by_hours": 116}
    answer = put(office, supplier_id, weekly_hours=week, modes=[FRESH, long])
    assert [each["field"] for each in answer.json["errors"]] == ["modes.1.deliver_by_hours"]
