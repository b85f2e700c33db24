"""Cases: what a person must look at."""

from tests.functional.conftest import Clock
from tests.support.snapshot import snapshot
from tests.support.statements import csv_file, differences, reconcile, resolve
from tests.support.world import Json, World


def open_case(world: World, reference: str = "ch_1") -> Json:
    """The case of money that no order fits."""
    event = {
        "payment_id": "pay_0000",
        "amount": 700,
        "currency": "EUR",
        "reference": reference,
    }
    assert world.provider_event("payment.succeeded", event).status == 200
    return world.operator.get("/v1/cases").json["items"][0]


def test_a_case_says_what_it_is_about(world: World) -> None:
    case = open_case(world)
    assert case["id"].startswith("cas_")
    assert (case["kind"], case["status"]) == ("unmatched_receipt", "open")
    assert "ch_1" in case["subject"]
    assert "7.00 EUR" in case["detail"]
    assert (case["note"], case["resolved_at"]) == (None, None)
    assert world.operator.get(f"/v1/cases/{case['id']}").json == case


def test_a_case_is_resolved_once_with_a_note(world: World, time: Clock) -> None:
    case = open_case(world)
    path = f"/v1/cases/{case['id']}/resolve"
    time.move_on(hours=1)
    done = world.operator.post(path, {"note": "It was Bob's.\nSent back by hand."})
    assert done.status == 200
    assert done.json == {
        **case,
        "status": "resolved",
        "note": "It was Bob's.\nSent back by hand.",
        "resolved_at": done.json["resolved_at"],
        "resolved_by": "op_test",
    }
    assert done.json["resolved_at"] > case["opened_at"]
    again = world.operator.send("POST", path, {"note": "It was Bob's.\nSent back by hand."}, {})
    assert (again.status, again.json) == (200, done.json)
    other = world.operator.send("POST", path, {"note": "another"}, {})
    assert (other.status, other.code) == (409, "already_resolved")
    assert world.operator.get(f"/v1/cases/{case['id']}").json == done.json


def test_a_resolved_case_does_not_open_again_when_its_event_comes_again(world: World) -> None:
    case = open_case(world)
    world.operator.post(f"/v1/cases/{case['id']}/resolve", {"note": "done"})
    before = snapshot(world.environment)
    assert open_case(world)["status"] == "resolved"
    assert snapshot(world.environment) == before


def test_a_case_needs_a_note_and_must_be_there(world: World) -> None:
    case = open_case(world)
    for body in ({}, {"note": ""}, {"note": "n" * 2001}):
        answer = world.operator.post(f"/v1/cases/{case['id']}/resolve", body)
        assert (answer.status, answer.json["errors"][0]["field"]) == (422, "note")
    assert world.operator.post("/v1/cases/cas_0/resolve", {"note": "x"}).code == "not_found"
    assert world.operator.get("/v1/cases/cas_0").code == "not_found"
    assert world.operator.get(f"/v1/cases/{case['id']}").json["status"] == "open"


def test_cases_are_listed_by_their_status(world: World) -> None:
    resolved, waiting = open_case(world, "ch_1"), open_case(world, "ch_2")
    world.operator.post(f"/v1/cases/{resolved['id']}/resolve", {"note": "done"})

    def listed(query: str) -> list[str]:
        return [each["id"] for each in world.operator.get(f"/v1/cases{query}").json["items"]]

    assert listed("?status=open") == [waiting["id"]]
    assert listed("?status=resolved") == [resolved["id"]]
    assert listed("") == [waiting["id"], resolved["id"]]
    first = world.operator.get("/v1/cases?limit=1").json
    assert [each["id"] for each in first["items"]] == [waiting["id"]]
    assert listed(f"?limit=1&cursor={first['next_cursor']}") == [resolved["id"]]
    answer = world.operator.get("/v1/cases?status=closed")
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "status")


def test_a_case_of_a_difference_ends_with_it_and_not_alone(world: World, time: Clock) -> None:
    """Closed alone it would leave the difference open, with nobody who looks at it."""
    columns = "date,amount,currency,type"
    row = (str(time.now().date()), "-1.50", "EUR", "fee")
    made = reconcile(world, csv_file(row, columns=columns))
    (case,) = world.operator.get("/v1/cases?status=open").json["items"]
    path, by_hand = f"/v1/cases/{case['id']}/resolve", {"note": "a fee, as ever"}
    refused = world.operator.post(path, by_hand)
    assert (refused.status, refused.code) == (409, "case_ends_with_its_subject")
    assert f"POST /v1/reconciliations/{made['id']}/differences/{{n}}/resolve" in refused.text
    assert world.operator.get(f"/v1/cases/{case['id']}").json == case
    (fee,) = differences(world, made)
    done = resolve(world, made, fee["n"], "post_fee")
    assert done.status == 200
    assert world.operator.get(f"/v1/cases/{case['id']}").json["status"] == "resolved"
    again = world.operator.post(path, by_hand)
    assert (again.status, again.code) == (409, "already_resolved")
