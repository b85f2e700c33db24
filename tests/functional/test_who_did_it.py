"""What an operator has done says which of them it was; what nobody did says so too."""

import pytest

from tests.functional.conftest import Clock
from tests.functional.test_cases import open_case
from tests.functional.test_chargebacks import CHARGEBACKS, ask, close, tell
from tests.functional.test_collected_cash import holding, remit
from tests.functional.test_supplier_line_origins import fined
from tests.support.payouts import IBAN, approve, cancel, earned, make, other_operator, sent
from tests.support.world import World, created


def test_a_case_says_who_has_resolved_it(world: World) -> None:
    case = open_case(world)
    assert case["resolved_by"] is None
    path = f"/v1/cases/{case['id']}/resolve"
    done = other_operator(world).post(path, {"note": "done"}).json
    assert done["resolved_by"] == "op_other"
    assert world.operator.post(path, {"note": "done"}).json == done


def test_a_case_that_was_settled_names_nobody(world: World) -> None:
    order = world.delivered_order(world.sale())
    path = f"/v1/dispatches/{order['dispatches'][0]['id']}/disputes"
    opened = created(world.customer().post(path, {"reason": "not_received"}))
    decided = {"outcome": "dismissed", "note": "it did"}
    assert world.operator.post(f"{path}/{opened['id']}/resolve", decided).status == 200
    (case,) = world.operator.get("/v1/cases").json["items"]
    assert (case["status"], case["resolved_by"]) == ("resolved", None)


def test_a_batch_says_who_has_sent_it(world: World, time: Clock) -> None:
    earned(world, time, 1)
    batch = sent(world, minimum=1)
    assert (batch["approved_by"], batch["sent_by"]) == ("op_other", "op_test")
    assert batch["cancelled_by"] is None


def test_a_batch_says_who_has_cancelled_it(world: World, time: Clock) -> None:
    earned(world, time, 1)
    batch = make(world, minimum=1)
    assert approve(world, batch).status == 200
    assert cancel(world, batch).json["cancelled_by"] == "op_test"
    world.work()
    done = world.operator.get(f"/v1/payout-batches/{batch['id']}").json
    assert (done["status"], done["cancelled_by"], done["sent_by"]) == ("cancelled", "op_test", None)


def test_a_leaders_remittance_says_who_has_booked_and_reversed_it(world: World) -> None:
    sale = holding(world, 3)
    made = created(remit(world, sale.leader_id, 2000, "T1"))
    assert (made["booked_by"], made["reversed_by"]) == ("op_test", None)
    path = f"/v1/leaders/{sale.leader_id}/remittances/{made['id']}/reverse"
    undone = other_operator(world).post(path, {"reason": "typed wrong"}).json
    assert (undone["booked_by"], undone["reversed_by"]) == ("op_test", "op_other")
    again = world.operator.post(path, {"reason": "typed wrong"}).json
    assert again["reversed_by"] == "op_other"


def test_a_suppliers_remittance_says_who_has_reversed_it(world: World, time: Clock) -> None:
    supplier_id, _ = fined(world, time)
    base = f"/v1/suppliers/{supplier_id}"
    made = created(world.operator.post(f"{base}/remittances", {"amount": 1, "reference": "T1"}))
    path = f"{base}/remittances/{made['id']}/reverse"
    undone = other_operator(world).post(path, {"reason": "typed wrong"}).json
    assert (undone["booked_by"], undone["reversed_by"]) == ("op_test", "op_other")


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_a_chargeback_says_who_has_booked_and_closed_it(world: World, outcome: str) -> None:
    made = created(ask(world, world.delivered_order(world.sale())))
    assert (made["booked_by"], made["closed_by"]) == ("op_test", None)
    path = f"{CHARGEBACKS}/{made['id']}/close"
    done = other_operator(world).post(path, {"outcome": outcome}).json
    assert (done["booked_by"], done["closed_by"]) == ("op_test", "op_other")
    assert close(world, made, outcome).json["closed_by"] == "op_other"


def test_what_a_provider_tells_names_nobody(world: World) -> None:
    order = world.delivered_order(world.sale())
    for kind, said in (("created", {}), ("closed", {"outcome": "lost"})):
        assert tell(world, order, kind, **said).status == 200
    (told,) = world.operator.get(CHARGEBACKS).json["items"]
    assert (told["status"], told["booked_by"], told["closed_by"]) == ("lost", None, None)


def test_another_holder_of_the_same_account_is_seen(world: World) -> None:
    path = f"/v1/leaders/{world.add_leader()}/payout-account"
    for holder in ("Lena Wolf", "Some Body"):
        assert world.operator.put(path, {"holder": holder, "iban": IBAN}).status == 200
    listed = world.operator.get(f"{path}/changes").json["items"]
    assert [(each["holder"], each["last_four"]) for each in listed] == [
        ("Some Body", IBAN[-4:]),
        ("Lena Wolf", IBAN[-4:]),
    ]
