"""A delivery that a resident or a leader disputes: what it brought waits for an operator."""

import zlib

import boto3
import pytest

from chalicelib.kernel import clock
from chalicelib.webhooks import bodies
from tests.functional.conftest import Clock
from tests.support.dispatching import call
from tests.support.gateway import Answer
from tests.support.sending import Sending
from tests.support.snapshot import snapshot
from tests.support.world import Api, Json, World, created

REASON = "Nothing came to the shop."
NOTE = "The carrier's photo shows it in the shop."


class Disputed(Sending):
    """Three boxes at 10.00, the first in a parcel of its own, which have arrived whole or not."""

    def __init__(self, world: World, *, whole: bool = True) -> None:
        super().__init__(world)
        self.ship("T1", 1)
        if whole:
            self.ship("T2")
        call(world.operator, self.id, "deliver")

    @property
    def path(self) -> str:
        return f"/v1/dispatches/{self.id}/disputes"

    def dispute(
        self, number: str | None = "T1", caller: Api | None = None, reason: str = REASON
    ) -> Answer:
        body = {"reason": reason} | ({"parcel_id": self.parcel(number)["id"]} if number else {})
        return (caller or self.world.customer()).send("POST", self.path, body, {})

    def resolve(self, dispute_id: str, outcome: str, note: str = NOTE) -> Answer:
        body = {"outcome": outcome, "note": note}
        return self.world.operator.send("POST", f"{self.path}/{dispute_id}/resolve", body, {})

    def books(self) -> dict[str, int]:
        """What supplier and leader have, by the account's purpose."""
        return {
            account.rpartition(":")[2]: -balance
            for account, balance in self.world.trial_balance().items()
            if account.startswith(("supplier:", "leader:"))
        }

    def cases(self) -> list[Json]:
        found: list[Json] = self.world.operator.get("/v1/cases").json["items"]
        return found

    def heard(self) -> list[Json]:
        """What its supplier is told of its changes, since it was asked for the last time."""
        told = self.world.messages("WEBHOOK_FAN_OUT")
        updates = [each["subject"] for each in told if each["type"] == "dispatch.updated"]
        return [
            dict(each.data)
            for subject in updates
            for each in bodies.told_of("dispatch.updated", subject)
        ]

    def settle(self, time: Clock, **later: float) -> Json:
        """Let so much time pass and settle the day before: what the run made available."""
        time.move_on(**later)
        day = clock.day_before(clock.now().date()).isoformat()
        assert self.world.operator.post("/v1/settlement-runs", {"business_date": day}).status == 202
        self.world.work()
        run = self.world.operator.get(f"/v1/settlement-runs/run_{day}").json
        return {"id": run["id"], "amount": sum(total["amount"] for total in run["totals"])}

    def statement(self, run: Json) -> Json:
        path = f"/v1/leaders/{self.sale.leader_id}/statements/{run['id']}"
        return self.world.operator.get(path).json


@pytest.fixture
def disputed(world: World) -> Disputed:
    return Disputed(world)


def test_a_dispute_opens_a_case_and_holds_what_the_parcel_brought(disputed: Disputed) -> None:
    assert disputed.books() == {"payable": 2100, "pending": 300}
    opened = created(disputed.dispute())
    assert opened["id"].startswith("dpt_")
    assert (opened["status"], opened["by"], opened["reason"]) == ("open", "customer", REASON)
    assert opened["parcel_ids"] == [disputed.parcel("T1")["id"]]
    assert disputed.parcel("T1")["dispute_id"] == opened["id"]
    assert disputed.parcel("T2")["dispute_id"] is None
    assert disputed.books() == {"payable": 1400, "held": 700, "pending": 300}
    disputed.world.work()
    (case,) = disputed.world.operator.get("/v1/cases").json["items"]
    assert (case["kind"], case["subject"]) == ("delivery_disputed", opened["id"])
    assert REASON not in case["detail"]


@pytest.mark.parametrize("outcome", ["upheld", "dismissed"])
def test_a_resolved_dispute_closes_its_case(disputed: Disputed, outcome: str) -> None:
    opened = created(disputed.dispute())
    disputed.resolve(opened["id"], outcome)
    (case,) = disputed.cases()
    assert (case["status"], case["note"]) == ("resolved", f"The dispute was {outcome}.")
    assert case["resolved_at"] is not None


def test_a_case_resolved_by_hand_decides_no_dispute_and_stays_as_it_was_said(
    disputed: Disputed,
) -> None:
    opened = created(disputed.dispute())
    (case,) = disputed.cases()
    path, by_hand = f"/v1/cases/{case['id']}/resolve", {"note": "I have called the carrier."}
    resolved = disputed.world.operator.post(path, by_hand)
    assert resolved.status == 200
    found = disputed.world.operator.get(f"{disputed.path}/{opened['id']}").json
    assert found["status"] == "open"
    assert disputed.books() == {"payable": 1400, "held": 700, "pending": 300}
    assert disputed.resolve(opened["id"], "dismissed").status == 200
    assert disputed.cases() == [resolved.json]


@pytest.mark.parametrize("outcome", ["upheld", "dismissed"])
@pytest.mark.parametrize("units_refunded", [0, 3])
def test_its_supplier_hears_of_a_dispute_and_of_its_end(
    disputed: Disputed, outcome: str, units_refunded: int
) -> None:
    disputed.heard()
    opened = created(disputed.dispute())
    (raised,) = disputed.heard()
    said = {"dispute_id": opened["id"], "parcel_ids": opened["parcel_ids"]}
    assert raised["disputes"] == [{**said, "status": "open"}]
    if units_refunded:
        disputed.refund_units(units_refunded)
    disputed.resolve(opened["id"], outcome)
    (decided,) = disputed.heard()
    assert decided["disputes"] == [{**said, "status": outcome}]
    assert decided["version"] == disputed.now["version"] > raised["version"]
    assert REASON not in str([raised, decided])
    assert NOTE not in str([raised, decided])


def test_disputed_commission_matures_on_no_day(disputed: Disputed, time: Clock) -> None:
    disputed.dispute()
    run = disputed.settle(time, days=9)
    assert run["amount"] == 200
    balance = disputed.world.operator.get(f"/v1/leaders/{disputed.sale.leader_id}/balance").json
    assert (balance["pending"], balance["available"]) == (100, 200)


def test_without_a_parcel_all_that_have_arrived_are_meant(disputed: Disputed) -> None:
    opened = created(disputed.dispute(None))
    assert len(opened["parcel_ids"]) == 2
    assert disputed.books() == {"held": 2100, "pending": 300}


def test_a_dismissed_dispute_matures_on_its_own_day_if_that_is_later(
    disputed: Disputed, time: Clock
) -> None:
    opened = created(disputed.dispute())
    answer = disputed.resolve(opened["id"], "dismissed")
    assert (answer.status, answer.json["status"]) == (200, "dismissed")
    assert (answer.json["note"], answer.json["refund_id"]) == (NOTE, None)
    assert disputed.books() == {"payable": 2100, "pending": 300}
    assert disputed.settle(time, days=8)["amount"] == 300


def test_a_dismissed_dispute_matures_from_the_day_of_the_decision_on(
    disputed: Disputed, time: Clock
) -> None:
    opened = created(disputed.dispute())
    assert disputed.settle(time, days=9)["amount"] == 200
    disputed.resolve(opened["id"], "dismissed")
    run = disputed.settle(time, days=1)
    assert run["amount"] == 100
    (line,) = disputed.statement(run)["lines"]
    assert (line["kind"], line["amount"]) == ("commission", 100)
    assert line["matured_on"] == clock.day_before(clock.now().date()).isoformat()


def test_commission_that_a_run_has_taken_is_held_too(world: World, time: Clock) -> None:
    """The window of an order that has not arrived whole is open, however old its first parcel."""
    disputed = Disputed(world, whole=False)
    assert disputed.settle(time, days=9)["amount"] == 100
    opened = created(disputed.dispute())
    assert disputed.books() == {"held": 700, "pending": 100}
    run = disputed.settle(time, days=1)
    (line,) = disputed.statement(run)["lines"]
    assert (line["kind"], line["amount"], line["basis_amount"]) == ("held", -100, -1000)
    assert disputed.statement(run)["closing_balance"] == 0
    assert disputed.resolve(opened["id"], "dismissed").status == 200
    run = disputed.settle(time, days=2)
    (line,) = disputed.statement(run)["lines"]
    assert (line["kind"], line["amount"]) == ("commission", 100)
    assert disputed.books() == {"payable": 700, "available": 100}


def test_an_upheld_dispute_refunds_the_parcel_and_no_other(disputed: Disputed) -> None:
    opened = created(disputed.dispute())
    resolved = disputed.resolve(opened["id"], "upheld", "It was left in the rain.").json
    disputed.world.work()
    refund = disputed.world.operator.get(f"/v1/refunds/{resolved['refund_id']}").json
    assert (refund["amount"], refund["reason"]) == (1000, f"dispute {opened['id']}")
    assert disputed.books() == {"payable": 1400, "pending": 200}
    assert disputed.order["refunded_amount"] == 1000
    disputed.refund_units(2)
    disputed.world.work()
    assert disputed.world.trial_balance() == {}
    assert disputed.order["status"] == "refunded"


def test_an_upheld_dispute_leaves_what_still_waits(world: World) -> None:
    sending = Sending(world)
    sending.ship("T1", 1)
    sending.deliver("T1")
    path = f"/v1/dispatches/{sending.id}/disputes"
    opened = created(world.leader(sending.sale.leader_id).post(path, {"reason": REASON}))
    resolve = {"outcome": "upheld", "note": NOTE}
    assert world.operator.post(f"{path}/{opened['id']}/resolve", resolve).status == 200
    assert world.stock(sending.eggs)["committed"] == 2
    assert sending.ship("T2", 2).status == 200
    assert sending.deliver("T2").json["status"] == "delivered"
    world.work()
    assert sending.shares() == (1400, 200, 400)


def test_units_refunded_meanwhile_are_not_refunded_again(disputed: Disputed) -> None:
    opened = created(disputed.dispute(None))
    disputed.refund_units(2)
    assert disputed.books() == {"held": 700, "pending": 100}
    disputed.refund_units(1)
    resolved = disputed.resolve(opened["id"], "upheld").json
    assert (resolved["status"], resolved["refund_id"]) == ("upheld", None)
    disputed.world.work()
    assert disputed.world.trial_balance() == {}


def test_an_amount_is_taken_from_what_is_held_too(disputed: Disputed) -> None:
    disputed.dispute()
    disputed.refund(amount=300)
    assert disputed.books() == {"payable": 1260, "held": 630, "pending": 270}


def test_a_dispute_told_again_is_one(disputed: Disputed) -> None:
    first = disputed.dispute()
    stored = snapshot(disputed.world.environment)
    again = disputed.dispute()
    assert (again.status, again.json) == (201, first.json)
    leader = disputed.world.leader(disputed.sale.leader_id)
    for other in (disputed.dispute(reason="It was wet."), disputed.dispute(caller=leader)):
        assert (other.status, other.code) == (409, "already_disputed")
    assert snapshot(disputed.world.environment) == stored


def test_a_delivery_is_disputed_once(disputed: Disputed) -> None:
    opened = created(disputed.dispute())
    disputed.resolve(opened["id"], "dismissed")
    assert disputed.dispute(reason="It was wet.").code == "already_disputed"
    rest = created(disputed.dispute(None, reason="It was wet."))
    assert rest["parcel_ids"] == [disputed.parcel("T2")["id"]]


@pytest.mark.parametrize("number", ["T1", None])
@pytest.mark.parametrize("outcome", ["upheld", "dismissed"])
def test_a_dispute_that_is_decided_is_not_told_again(
    disputed: Disputed, number: str | None, outcome: str
) -> None:
    opened = created(disputed.dispute(number))
    disputed.resolve(opened["id"], outcome)
    again = disputed.dispute(number)
    assert (again.status, again.code) == (409, "already_disputed")


def test_the_same_words_of_another_parcel_are_another_dispute(disputed: Disputed) -> None:
    first = created(disputed.dispute("T1"))
    disputed.resolve(first["id"], "dismissed")
    assert created(disputed.dispute("T2"))["id"] != first["id"]


@pytest.mark.parametrize(
    ("number", "counted"), [("T1", "of 1 parcel of"), (None, "of 2 parcels of")]
)
def test_a_case_counts_the_parcels(disputed: Disputed, number: str | None, counted: str) -> None:
    disputed.dispute(number)
    (case,) = disputed.cases()
    assert counted in case["detail"]


@pytest.mark.parametrize("outcome", ["upheld", "dismissed"])
def test_a_resolution_told_again_is_one(disputed: Disputed, outcome: str) -> None:
    opened = created(disputed.dispute())
    first = disputed.resolve(opened["id"], outcome)
    disputed.world.work()
    stored = snapshot(disputed.world.environment)
    assert disputed.resolve(opened["id"], outcome).json == first.json
    others = {"upheld": "dismissed", "dismissed": "upheld"}
    assert disputed.resolve(opened["id"], others[outcome]).code == "already_resolved"
    assert disputed.resolve(opened["id"], outcome, "in other words").code == "already_resolved"
    assert snapshot(disputed.world.environment) == stored


def test_what_was_not_delivered_is_not_disputed(world: World) -> None:
    sending = Sending(world)
    path = f"/v1/dispatches/{sending.id}/disputes"
    assert world.customer().post(path, {"reason": REASON}).code == "dispute_not_open"
    sending.ship("T1", 1)
    assert world.customer().post(path, {"reason": REASON}).code == "not_delivered"


def test_after_the_return_window_nothing_is_disputed(disputed: Disputed, time: Clock) -> None:
    time.move_on(days=7, seconds=1)
    answer = disputed.dispute()
    assert (answer.status, answer.code) == (409, "dispute_not_open")


def test_only_the_orders_people_dispute_and_only_its_parties_read(disputed: Disputed) -> None:
    world, parcel_id = disputed.world, disputed.parcel("T1")["id"]
    body = {"reason": REASON, "parcel_id": parcel_id}
    strangers = [world.customer("cus_bob"), world.leader(world.add_leader())]
    for stranger in strangers:
        assert stranger.post(disputed.path, body).code == "not_found"
    for other in (world.operator, world.supplier(disputed.sale.supplier_id)):
        assert other.post(disputed.path, body).status == 403
    assert world.customer().post("/v1/dispatches/dsp_0/disputes", body).code == "not_found"
    nowhere = {**body, "parcel_id": "prc_0"}
    assert world.customer().post(disputed.path, nowhere).code == "not_found"
    opened = created(disputed.dispute())
    path = f"{disputed.path}/{opened['id']}"
    parties = [world.operator, world.customer(), world.leader(disputed.sale.leader_id)]
    for party in (*parties, world.supplier(disputed.sale.supplier_id)):
        assert party.get(path).json == opened
    for stranger in (*strangers, world.supplier(world.add_supplier())):
        assert stranger.get(path).code == "not_found"
    assert world.operator.get(f"{disputed.path}/dpt_0").code == "not_found"
    assert disputed.resolve("dpt_0", "upheld").code == "not_found"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "reason"),
        ({"reason": " "}, "reason"),
        ({"reason": "a\x00b"}, "reason"),
        ({"reason": "x" * 2001}, "reason"),
        ({"reason": "x", "parcel_id": "a b"}, "parcel_id"),
        ({"reason": "x", "outcome": "upheld"}, "outcome"),
    ],
)
def test_a_dispute_that_says_nothing_is_refused(world: World, body: Json, field: str) -> None:
    answer = world.customer().post("/v1/dispatches/dsp_1/disputes", body)
    assert answer.status == 422
    assert [each["field"] for each in answer.json["errors"]] == [field]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"note": "x"}, "outcome"),
        ({"outcome": "open", "note": "x"}, "outcome"),
        ({"outcome": "upheld"}, "note"),
    ],
)
def test_a_resolution_that_says_nothing_is_refused(world: World, body: Json, field: str) -> None:
    answer = world.operator.post("/v1/dispatches/dsp_1/disputes/dpt_1/resolve", body)
    assert answer.status == 422
    assert [each["field"] for each in answer.json["errors"]] == [field]


def test_the_records_of_keys_hold_nothing_of_what_people_wrote(disputed: Disputed) -> None:
    customer, body = disputed.world.customer(), {"reason": REASON}
    first = created(customer.post(disputed.path, body, key="one"))
    disputed.resolve(first["id"], "dismissed")
    again = customer.post(disputed.path, body, key="one")
    assert (again.json, again.headers["idempotent-replayed"]) == (first, "true")
    table = disputed.world.environment["IDEMPOTENCY_TABLE"]
    items = boto3.client("dynamodb").scan(TableName=table)["Items"]
    recorded = [zlib.decompress(bytes(item["body"]["B"])).decode() for item in items]
    (about,) = [body for body in recorded if first["id"] in body]
    assert REASON not in about
