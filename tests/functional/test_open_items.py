"""Money that nobody could name at first: it goes to whose it is, once and no more than there is."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kernel import clock
from tests.functional.conftest import Clock
from tests.functional.test_chargebacks import ask, close
from tests.functional.test_missing_entries import missing, turn_up
from tests.functional.test_reconciliations import day_of
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.statements import csv_file, differences, reconcile, resolve
from tests.support.world import Json, World, created

PAYER: Json = {"goes": "payer", "reference": "BACK-1"}


def clear(world: World, entry_id: str, /, **body: Any) -> Answer:
    return world.operator.post(f"/v1/open-items/{entry_id}/clear", body)


def item(world: World, entry_id: str) -> Json:
    answer = world.operator.get(f"/v1/open-items/{entry_id}")
    assert answer.status == 200, answer.text
    return answer.json


def books(world: World) -> Json:
    return {name: amount for name, amount in world.trial_balance().items() if amount}


def case_of(world: World, kind: str) -> Json:
    cases = world.operator.get("/v1/cases").json["items"]
    (case,) = (each for each in cases if each["kind"] == kind)
    return dict(case)


def unmatched(world: World, amount: int = 700, currency: str = "EUR") -> str:
    """Money for a payment that no order has; its entry."""
    event = {"payment_id": "pay_0", "amount": amount, "currency": currency, "reference": "ch_1"}
    assert world.provider_event("payment.succeeded", event).status == 200
    return "receipt:local:ch_1"


def in_suspense(world: World, time: Clock, amount: str, day: int = 0) -> str:
    """A line of a bank that nothing explains; the entry that its resolution has posted."""
    made = reconcile(world, csv_file((day_of(time, day), amount, "EUR", "who is it?")))
    assert resolve(world, made, 1, "post_to_suspense").status == 200
    (difference,) = differences(world, made)
    (entry_id,) = difference["posted"]
    return str(entry_id)


def test_an_unmatched_receipt_goes_back_to_its_payer(world: World) -> None:
    entry_id = unmatched(world)
    found = item(world, entry_id)
    assert (found["account"], found["amount"], found["left"]) == ("unmatched_receipts", -700, -700)
    made = created(clear(world, entry_id, **PAYER))
    assert (made["amount"], made["about"], made["cleared_by"]) == (700, "cash:bank", "op_test")
    assert books(world) == {"cash:local": 700, "cash:bank": -700}
    case = case_of(world, "unmatched_receipt")
    assert (case["status"], case["note"]) == ("resolved", "payer: BACK-1")
    again = clear(world, entry_id, **PAYER)
    assert (again.status, again.json) == (200, made)
    found = item(world, entry_id)
    assert (found["left"], found["clearings"]) == (0, [made])
    refused = clear(world, entry_id, goes="payer", reference="BACK-2")
    assert (refused.status, refused.code) == (409, "more_than_left")
    (entry,) = world.operator.get(f"/v1/ledger/journal?{lately()}&account=cash:bank").json["items"]
    assert entry["narration"] == "What was not known of pay_0, cleared by BACK-1"


def lately() -> str:
    today = clock.now().date()
    return f"from={today - timedelta(days=60)}&to={today}"


def test_it_goes_back_by_the_provider_that_it_came_by(world: World) -> None:
    entry_id = unmatched(world)
    refused = clear(world, entry_id, **PAYER, account="cash:stripe")
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "account")
    created(clear(world, entry_id, **PAYER, account="cash:local"))
    assert books(world) == {}


def test_an_item_goes_in_parts_and_never_more_than_is_left(world: World) -> None:
    entry_id = unmatched(world)
    created(clear(world, entry_id, **PAYER, amount=300))
    assert case_of(world, "unmatched_receipt")["status"] == "open"
    assert item(world, entry_id)["left"] == -400
    for amount, reference in ((401, "more"), (1000, "BACK-1")):
        refused = clear(world, entry_id, goes="payer", reference=reference, amount=amount)
        assert refused.code == ("reference_reused" if reference == "BACK-1" else "more_than_left")
    assert clear(world, entry_id, goes="income", reference="BACK-1").code == "reference_reused"
    created(clear(world, entry_id, goes="income", reference="nobody has asked"))
    assert case_of(world, "unmatched_receipt")["status"] == "resolved"
    assert books(world) == {"cash:local": 700, "cash:bank": -300, "platform:revenue": -400}


def test_what_was_won_for_goods_that_never_came_is_paid_to_the_customer(
    world: World, time: Clock
) -> None:
    order = world.paid_order(world.sale())
    made = created(ask(world, order))
    assert close(world, made, "won").status == 200
    created(clear(world, f"chargeback-won:{made['id']}", **PAYER))
    assert case_of(world, "chargeback_won")["status"] == "resolved"
    assert "unmatched_receipts" not in books(world)
    told = reconcile(world, csv_file((day_of(time), "-10.00", "EUR", "BACK-1")))
    assert (told["matched"], told["differences"]) == (1, 0)


def test_what_a_bank_has_paid_before_anybody_said_so_makes_up_the_item(
    world: World, time: Clock
) -> None:
    entry_id, paid = unmatched(world), in_suspense(world, time, "-7.00")
    assert books(world)["platform:suspense"] == 700
    made = created(clear(world, paid, goes="item", reference="same", entry_id=entry_id))
    assert (made["amount"], made["about"]) == (700, entry_id)
    assert books(world) == {"cash:local": 700, "cash:bank": -700}
    assert case_of(world, "unmatched_receipt")["status"] == "resolved"
    (mirrored,) = item(world, entry_id)["clearings"]
    assert (mirrored["id"], mirrored["about"]) == (made["id"], paid)


def test_two_items_of_one_account_make_each_other_up_without_an_entry(
    world: World, time: Clock
) -> None:
    came, went = in_suspense(world, time, "7.00"), in_suspense(world, time, "-3.00", day=1)
    made = created(clear(world, came, goes="item", reference="both", entry_id=went))
    assert (made["amount"], made["posted"]) == (300, "")
    assert (item(world, came)["left"], item(world, went)["left"]) == (-400, 0)
    refused = clear(world, came, goes="item", reference="again", entry_id=went)
    assert refused.code == "more_than_left"


def test_what_a_leader_has_handed_over_is_its_remittance(world: World, time: Clock) -> None:
    order = world.place(world.sale(), payment_method="leader_collect")
    leader_id = order["leader_id"]
    body = {"amount": order["total"], "reference": "cash"}
    created(world.leader(leader_id).post(f"/v1/orders/{order['id']}/payments", body))
    entry_id = in_suspense(world, time, "20.00")
    of_leader: Json = {"goes": "remittance", "leader_id": leader_id}
    refused = clear(world, entry_id, **of_leader, reference="R1")
    assert (refused.status, refused.code) == (409, "more_than_collected")
    created(clear(world, entry_id, **of_leader, reference="R1", amount=1000))
    path = f"/v1/leaders/{leader_id}/remittances"
    (remitted,) = world.operator.get(path).json["items"]
    assert (remitted["amount"], remitted["reference"]) == (1000, "R1")
    assert books(world) == {
        "cash:bank": 2000,
        "platform:suspense": -1000,
        "customer_prepayments": -1000,
    }
    assert clear(world, entry_id, goes="income", reference="R1").code == "reference_reused"
    # A mistake: the money is nobody's again.
    reverse = world.operator.post(f"{path}/{remitted['id']}/reverse", {"reason": "not hers"})
    assert reverse.status == 200
    assert books(world)[f"leader:{leader_id}:collected"] == 1000
    again = f"remittance-reversed:{leader_id}:R1"
    assert item(world, again)["left"] == -1000
    assert clear(world, again, **of_leader, reference="R1").code == "reference_reused"
    created(clear(world, again, goes="payer", reference="R1"))
    assert books(world)["platform:suspense"] == -1000


def test_what_a_supplier_has_handed_over_is_its_deposit(world: World, time: Clock) -> None:
    entry_id, supplier_id = in_suspense(world, time, "5.00"), world.add_supplier()
    of_supplier: Json = {"goes": "deposit", "supplier_id": supplier_id, "reference": "D1"}
    created(clear(world, entry_id, **of_supplier))
    assert books(world) == {"cash:bank": 500, f"supplier:{supplier_id}:deposit": -500}
    again = world.operator.post(
        f"/v1/suppliers/{supplier_id}/deposits", {"amount": 500, "reference": "D1"}
    )
    assert (again.status, again.code) == (409, "reference_reused")
    later = in_suspense(world, time, "5.00", day=1)
    assert clear(world, later, **of_supplier).code == "reference_reused"


def test_money_that_is_missing_comes_back_or_is_the_platforms_loss(
    world: World, time: Clock
) -> None:
    entry_id, leader_id = in_suspense(world, time, "-9.00"), world.add_leader()
    assert item(world, entry_id)["left"] == 900
    refused = clear(world, entry_id, goes="remittance", leader_id=leader_id, reference="R")
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "goes")
    created(clear(world, entry_id, **PAYER, amount=400))
    created(clear(world, entry_id, goes="income", reference="gone"))
    assert books(world) == {"cash:bank": -500, "platform:revenue": 500}
    (part,) = world.operator.get(f"/v1/ledger/income?{lately()}").json["kinds"]
    assert (part["kind"], part["balance"]) == ("cleared", 500)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"goes": "remittance"}, "body"),
        ({"goes": "deposit", "leader_id": "ldr_1"}, "body"),
        ({"goes": "income", "account": "cash:bank"}, "body"),
        ({"goes": "item"}, "body"),
        ({"goes": "nowhere"}, "goes"),
        ({"goes": "payer", "amount": 0}, "amount"),
        ({"goes": "payer", "account": "platform:revenue"}, "account"),
        ({"goes": "remittance", "leader_id": "ldr_1"}, "leader_id"),
        ({"goes": "deposit", "supplier_id": "sup_1"}, "supplier_id"),
        ({"goes": "item", "entry_id": "receipt:local:ch_2"}, "entry_id"),
        ({"goes": "item", "entry_id": "receipt:local:ch_1"}, "entry_id"),
    ],
)
def test_a_clearing_that_cannot_be_is_refused(world: World, body: Json, field: str) -> None:
    answer = clear(world, unmatched(world), reference="R", **body)
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, field)


def test_whose_currency_is_another_has_none_of_it(world: World) -> None:
    entry_id = unmatched(world, currency="JPY")
    of_leader: Json = {"goes": "remittance", "leader_id": world.add_leader()}
    refused = clear(world, entry_id, reference="R", **of_leader)
    assert (refused.status, refused.code) == (422, "currency_mismatch")


def test_what_waits_for_nobody_is_no_open_item(world: World) -> None:
    order = world.delivered_order(world.sale())
    created(clear(world, unmatched(world), **PAYER))
    journal = world.operator.get(f"/v1/ledger/journal?{lately()}").json["items"]
    ids = [each["id"] for each in journal if each["id"] != "receipt:local:ch_1"]
    assert any(each["subject"] == order["id"] for each in journal)
    for entry_id in (*ids, "receipt:local:none"):
        assert world.operator.get(f"/v1/open-items/{entry_id}").status == 404
        assert clear(world, entry_id, **PAYER).status == 404


def test_what_turns_up_waits_for_nobody_any_more(world: World, time: Clock) -> None:
    made, payout, _ = missing(world, time)
    assert resolve(world, made, 1, "post_to_suspense").status == 200
    posted = f"reconciled:{made['id']}:1:EUR"
    assert item(world, posted)["left"] == -300
    found = turn_up(world, time, payout)
    back = f"reconciled-undone:{made['id']}:1:EUR"
    assert (item(world, posted)["left"], item(world, back)["left"]) == (0, 0)
    (clearing,) = item(world, posted)["clearings"]
    assert (clearing["cleared_by"], clearing["reference"]) == ("found", found["id"])
    assert clear(world, posted, **PAYER).code == "more_than_left"
    assert findings() == []


def test_what_turns_up_after_it_was_cleared_calls_a_person(world: World, time: Clock) -> None:
    made, payout, _ = missing(world, time)
    assert resolve(world, made, 1, "post_to_suspense").status == 200
    posted, back = (f"{kind}:{made['id']}:1:EUR" for kind in ("reconciled", "reconciled-undone"))
    created(clear(world, posted, goes="income", reference="never came", amount=100))
    turn_up(world, time, payout)
    assert (item(world, posted)["left"], item(world, back)["left"]) == (0, 100)
    case = case_of(world, "found_after_clearing")
    assert (case["status"], case["subject"]) == ("open", back)
    assert "1.00 EUR of it were cleared before" in case["detail"]
    assert findings() == []
    created(clear(world, back, goes="income", reference="came"))
    assert case_of(world, "found_after_clearing")["status"] == "resolved"
    assert "platform:suspense" not in books(world)
