"""What a supplier answers line by line: some units it ships, the others are refunded at once."""

from typing import Any

import pytest

from tests.support.dispatching import call, read
from tests.support.snapshot import snapshot
from tests.support.world import Json, World


class Waiting:
    """A paid order of three boxes of eggs and two of milk from one supplier, at 10.00 each."""

    def __init__(self, world: World, **terms: Any) -> None:
        self.world, self.sale = world, world.sale(skus=2, stock=10, **terms)
        self.eggs, self.milk = self.sale.sku_ids
        lines = lines_of({self.eggs: 3, self.milk: 2})
        self.order_id = world.paid_order(self.sale, lines=lines)["id"]
        self.id = self.order["dispatches"][0]["id"]

    @property
    def order(self) -> Json:
        return self.world.order(self.order_id)

    @property
    def now(self) -> Json:
        return read(self.world, self.id)

    @property
    def units(self) -> dict[str, int]:
        """What there is to ship, by SKU."""
        return {line["sku_id"]: line["quantity"] for line in self.now["lines"]}

    def committed(self) -> list[int]:
        return [self.world.stock(sku_id)["committed"] for sku_id in (self.eggs, self.milk)]


def lines_of(units: dict[str, int]) -> list[Json]:
    return [{"sku_id": sku_id, "quantity": quantity} for sku_id, quantity in units.items()]


@pytest.fixture
def waiting(world: World) -> Waiting:
    return Waiting(world)


def test_some_units_are_accepted_and_the_rest_is_refunded(waiting: Waiting) -> None:
    world, body = waiting.world, {"lines": lines_of({waiting.eggs: 2, waiting.milk: 1})}
    answer = call(world.operator, waiting.id, "accept", body)
    assert (answer.status, answer.json["status"]) == (200, "accepted")
    assert waiting.units == {waiting.eggs: 2, waiting.milk: 1}
    (rejection,) = answer.json["rejections"]
    assert (rejection["reason_code"], rejection["note"]) == ("out_of_stock", None)
    assert rejection["lines"] == lines_of({waiting.eggs: 1, waiting.milk: 1})
    assert (answer.json["reason"], answer.json["version"]) == (None, 2)
    assert (waiting.order["status"], waiting.order["refunded_amount"]) == ("paid", 2000)
    assert world.trial_balance() == {
        "cash:local": 5000,
        "customer_prepayments": -3000,
        "refunds_in_flight": -2000,
    }
    assert waiting.committed() == [2, 1]
    assert world.stock(waiting.eggs)["available"] == 7
    balance = world.operator.get(f"/v1/leaders/{waiting.sale.leader_id}/balance").json
    assert balance["estimated"] == 300


def test_a_line_that_is_not_named_is_not_shipped(waiting: Waiting) -> None:
    body = {"lines": lines_of({waiting.eggs: 3}), "reason": "discontinued"}
    answer = call(waiting.world.operator, waiting.id, "accept", body)
    assert waiting.units == {waiting.eggs: 3}
    assert answer.json["rejections"][0]["reason_code"] == "discontinued"
    assert waiting.committed() == [3, 0]


def test_an_acceptance_told_again_is_one(waiting: Waiting) -> None:
    body = {"lines": lines_of({waiting.eggs: 2})}
    first = call(waiting.world.operator, waiting.id, "accept", body)
    stored = snapshot(waiting.world.environment)
    assert call(waiting.world.operator, waiting.id, "accept", body).json == first.json
    for other in ({}, {"lines": lines_of({waiting.eggs: 1})}, {**body, "reason": "damaged"}):
        answer = call(waiting.world.operator, waiting.id, "accept", other)
        assert (answer.status, answer.code) == (409, "already_accepted"), other
    assert snapshot(waiting.world.environment) == stored


def test_all_named_is_all(waiting: Waiting) -> None:
    body = {"lines": lines_of({waiting.milk: 2, waiting.eggs: 3})}
    first = call(waiting.world.operator, waiting.id, "accept", body)
    assert first.json["rejections"] == []
    assert call(waiting.world.operator, waiting.id, "accept", {}).json == first.json


@pytest.mark.parametrize("verb", ["accept", "reject"])
def test_more_than_there_is_names_its_line(waiting: Waiting, verb: str) -> None:
    lines = lines_of({waiting.eggs: 4, waiting.milk: 3})
    stored = snapshot(waiting.world.environment)
    answer = call(waiting.world.operator, waiting.id, verb, {"lines": lines, "reason": "other"})
    assert (answer.status, answer.code) == (422, "more_than_is_left")
    fields = [each["field"] for each in answer.json["errors"]]
    assert fields == ["lines.0.quantity", "lines.1.quantity"]
    assert snapshot(waiting.world.environment) == stored


@pytest.mark.parametrize("verb", ["accept", "reject", "ship"])
def test_a_sku_of_another_dispatch_is_named_as_such(waiting: Waiting, verb: str) -> None:
    said = {"ship": {"carrier": "DHL", "tracking_number": "T1"}}.get(verb, {"reason": "other"})
    if verb == "ship":
        call(waiting.world.operator, waiting.id, "accept", {})
    lines = lines_of({waiting.eggs: 1, "sku_other": 1})
    answer = call(waiting.world.operator, waiting.id, verb, {**said, "lines": lines})
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert answer.json["errors"] == [
        {"field": "lines.1.sku_id", "message": "is not a line of this dispatch"}
    ]


@pytest.mark.parametrize("verb", ["accept", "reject"])
def test_a_line_that_was_rejected_whole_has_no_units_left(waiting: Waiting, verb: str) -> None:
    kept, gone = lines_of({waiting.eggs: 3}), lines_of({waiting.milk: 2})
    body = {"reason": "damaged", "lines": kept if verb == "accept" else gone}
    assert call(waiting.world.operator, waiting.id, verb, body).status == 200
    again = {"reason": "recalled", "lines": gone}
    answer = call(waiting.world.operator, waiting.id, "reject", again)
    assert (answer.status, answer.code) == (422, "more_than_is_left")


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        ([], "lines"),
        ([{"sku_id": "sku_1", "quantity": 0}], "lines.0.quantity"),
        ([{"sku_id": "sku_1", "quantity": 1.5}], "lines.0.quantity"),
        ([{"sku_id": "sku_1", "quantity": 1}] * 2, "lines"),
        ([{"sku_id": "sku_1", "quantity": 1, "colour": "red"}], "lines.0.colour"),
    ],
    ids=["none", "nothing of it", "a half", "twice", "an unknown field"],
)
@pytest.mark.parametrize("verb", ["accept", "reject", "ship"])
def test_lines_that_say_nothing_are_refused(
    world: World, verb: str, lines: list[Json], field: str
) -> None:
    body = {"reject": {"reason": "other"}, "ship": {"carrier": "DHL", "tracking_number": "T1"}}
    sent = {**body.get(verb, {}), "lines": lines}
    answer = call(world.operator, "dsp_1", verb, sent)
    assert answer.status == 422
    assert [each["field"] for each in answer.json["errors"]] == [field]


def test_units_are_rejected_while_they_have_not_shipped(waiting: Waiting) -> None:
    world = waiting.world
    body = {"reason": "damaged", "lines": lines_of({waiting.eggs: 1})}
    created = call(world.operator, waiting.id, "reject", body).json
    assert (created["status"], waiting.units[waiting.eggs]) == ("created", 2)
    call(world.operator, waiting.id, "accept")
    body = {"reason": "recalled", "lines": lines_of({waiting.milk: 2})}
    accepted = call(world.operator, waiting.id, "reject", body).json
    assert (accepted["status"], waiting.units) == ("accepted", {waiting.eggs: 2})
    assert [each["reason_code"] for each in accepted["rejections"]] == ["damaged", "recalled"]
    assert waiting.order["refunded_amount"] == 3000
    world.move(waiting.id, "ship", "deliver")
    world.work()
    assert waiting.order["status"] == "delivered"
    assert world.trial_balance()["cash:local"] == 2000


def test_another_key_rejects_as_many_units_once_more(waiting: Waiting) -> None:
    body = {"reason": "damaged", "lines": lines_of({waiting.eggs: 1})}
    path = f"/v1/dispatches/{waiting.id}/reject"
    for key, left in (("first", 2), ("first", 2), ("second", 1), ("second", 1)):
        answer = waiting.world.operator.send("POST", path, body, {"Idempotency-Key": key})
        assert (answer.status, waiting.units[waiting.eggs]) == (200, left)
    assert waiting.order["refunded_amount"] == 2000
    whole = {"reason": "damaged"}
    for key in ("third", "fourth"):
        answer = waiting.world.operator.send("POST", path, whole, {"Idempotency-Key": key})
        assert (answer.status, answer.json["status"]) == (200, "rejected")
    assert waiting.order["refunded_amount"] == 5000


def test_a_rejection_told_again_is_one_and_other_words_are_another(waiting: Waiting) -> None:
    body = {"reason": "damaged", "lines": lines_of({waiting.eggs: 1})}
    first = call(waiting.world.operator, waiting.id, "reject", body)
    again = call(waiting.world.operator, waiting.id, "reject", body)
    assert (again.status, again.json) == (200, first.json)
    other = {**body, "reason": "damaged too"}
    call(waiting.world.operator, waiting.id, "reject", other)
    assert waiting.units[waiting.eggs] == 1


def test_all_units_rejected_one_by_one_are_a_rejected_dispatch(waiting: Waiting) -> None:
    world = waiting.world
    body = {"reason": "damaged", "lines": lines_of({waiting.eggs: 3, waiting.milk: 1})}
    assert call(world.operator, waiting.id, "reject", body).json["status"] == "created"
    body = {"reason": "out_of_stock", "lines": lines_of({waiting.milk: 1})}
    answer = call(world.operator, waiting.id, "reject", body)
    assert (answer.json["status"], answer.json["reason_code"]) == ("rejected", "out_of_stock")
    world.work()
    assert (waiting.order["status"], waiting.committed()) == ("refunded", [0, 0])
    assert world.trial_balance() == {}
    assert call(world.operator, waiting.id, "reject", body).json == answer.json
    refused = call(world.operator, waiting.id, "reject", {"reason": "no van"})
    assert (refused.status, refused.code) == (409, "already_rejected")


def test_a_whole_rejection_after_a_part_takes_what_is_left(waiting: Waiting) -> None:
    world = waiting.world
    body = {"reason": "no van", "lines": lines_of({waiting.eggs: 1})}
    call(world.operator, waiting.id, "reject", body)
    answer = call(world.operator, waiting.id, "reject", {"reason": "no van"}).json
    assert answer["status"] == "rejected"
    assert (answer["reason"], answer["reason_code"]) == ("no van", "other")
    assert [each["note"] for each in answer["rejections"]] == ["no van", "no van"]
    world.work()
    assert world.trial_balance() == {}


def test_what_is_left_of_a_partly_shipped_dispatch_can_be_rejected(waiting: Waiting) -> None:
    world = waiting.world
    world.move(waiting.id, "accept")
    parcel = {"carrier": "DHL", "tracking_number": "T1", "lines": lines_of({waiting.eggs: 2})}
    call(world.operator, waiting.id, "ship", parcel)
    world.move(waiting.id, "deliver")
    assert waiting.now["status"] == "shipped"
    answer = call(world.operator, waiting.id, "reject", {"reason": "cannot_deliver"})
    assert (answer.json["status"], answer.json["reason"]) == ("delivered", None)
    assert waiting.units == {waiting.eggs: 2}
    world.work()
    assert (waiting.order["status"], waiting.committed()) == ("delivered", [0, 0])
    assert world.trial_balance()["cash:local"] == 2000
    refused = call(world.operator, waiting.id, "reject", {"reason": "other"})
    assert (refused.status, refused.code) == (409, "invalid_transition")


def test_the_supplier_hears_what_is_left_when_an_operator_rejects_for_it(
    waiting: Waiting,
) -> None:
    waiting.world.messages("WEBHOOK_FAN_OUT")
    body = {"reason": "damaged", "lines": lines_of({waiting.eggs: 1})}
    call(waiting.world.operator, waiting.id, "reject", body)
    told = [(each["type"], each["subject"]) for each in waiting.world.messages("WEBHOOK_FAN_OUT")]
    assert ("dispatch.updated", waiting.id) in told


def test_limits_stay_until_all_is_refunded(world: World) -> None:
    waiting = Waiting(world, limit=3)
    body = {"reason": "damaged", "lines": lines_of({waiting.eggs: 2})}
    call(world.operator, waiting.id, "reject", body)
    one = world.order_body(waiting.sale, lines=lines_of({waiting.eggs: 1}))
    assert world.customer().post("/v1/orders", one).code == "customer_limit_reached"
    call(world.operator, waiting.id, "reject", {"reason": "other"})
    assert world.customer().post("/v1/orders", one).status == 201


def test_another_supplier_answers_for_nobody_else(waiting: Waiting) -> None:
    stranger = waiting.world.supplier(waiting.world.add_supplier())
    body = {"lines": lines_of({waiting.eggs: 1}), "reason": "other"}
    assert call(stranger, waiting.id, "reject", body).code == "not_found"
    own = waiting.world.supplier(waiting.sale.supplier_id)
    assert call(own, waiting.id, "reject", body).status == 200
