"""Cash that leaders hold for the platform: up to their limit, and until they remit it."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest

from chalicelib.ledger import store as ledger
from tests.functional.conftest import Clock
from tests.support.gateway import Answer
from tests.support.snapshot import snapshot
from tests.support.world import Json, Sale, World, created


def an_order(world: World, sale: Sale, quantity: int = 1) -> Json:
    """One that its leader collects 10.00 for each unit of."""
    return world.place(sale, quantity=quantity, payment_method="leader_collect")


def collect(world: World, order: Json, **headers: Any) -> Answer:
    body = {"amount": order["total"], "reference": "cash"}
    leader = world.leader(order["leader_id"])
    return leader.post(f"/v1/orders/{order['id']}/payments", body, **headers)


def holding(world: World, units: int) -> Sale:
    """A sale whose leader has collected 10.00 for each of so many units."""
    sale = world.sale()
    assert collect(world, an_order(world, sale, units)).status == 201
    return sale


def remit(world: World, leader_id: str, amount: int, reference: str = "T1") -> Answer:
    body = {"amount": amount, "reference": reference}
    return world.operator.post(f"/v1/leaders/{leader_id}/remittances", body)


def limit(world: World, leader_id: str, amount: int | None) -> Json:
    answer = world.operator.put(f"/v1/leaders/{leader_id}/credit-limit", {"amount": amount})
    assert answer.status == 200
    return answer.json


def balance(world: World, leader_id: str) -> Json:
    return world.leader(leader_id).get(f"/v1/leaders/{leader_id}/balance").json


def refused(answer: Answer, code: str, *said: str) -> bool:
    """A 409 with that code, whose words name these."""
    words = re.findall(r"-?\w+(?:\.\d+)?", answer.json["detail"])
    return (answer.status, answer.code) == (409, code) and set(said) <= set(words)


def test_a_remittance_pays_down_what_was_collected(world: World) -> None:
    sale = holding(world, 3)
    made = created(remit(world, sale.leader_id, 2000, "T1"))
    assert made["id"].startswith("rem_")
    assert ledger.get_entry(made["entry_id"])
    assert {name: made[name] for name in ("leader_id", "amount", "currency", "reference")} == {
        "leader_id": sale.leader_id,
        "amount": 2000,
        "currency": "EUR",
        "reference": "T1",
    }
    assert world.trial_balance() == {
        "cash:bank": 2000,
        f"leader:{sale.leader_id}:collected": 1000,
        "customer_prepayments": -3000,
    }
    assert balance(world, sale.leader_id)["collected"] == 1000


def test_a_reference_is_one_remittance_however_often_it_is_told(world: World, time: Clock) -> None:
    sale = holding(world, 3)
    first = created(remit(world, sale.leader_id, 1500))
    time.move_on(hours=50)
    again = remit(world, sale.leader_id, 1500)
    assert (again.status, again.json) == (200, first)
    assert world.trial_balance()["cash:bank"] == 1500


def test_a_reference_told_again_is_answered_though_nothing_is_held_any_more(world: World) -> None:
    sale = holding(world, 1)
    first = created(remit(world, sale.leader_id, 1000))
    assert remit(world, sale.leader_id, 1000).json == first


def test_a_reference_stands_for_one_amount(world: World) -> None:
    sale = holding(world, 3)
    created(remit(world, sale.leader_id, 1500))
    before = snapshot(world.environment)
    for amount in (1499, 1501, 5000):
        answer = remit(world, sale.leader_id, amount)
        assert refused(answer, "reference_reused", "T1", "15.00", "EUR")
    assert snapshot(world.environment) == before


def test_a_reference_is_a_leaders_own(world: World) -> None:
    one, other = holding(world, 1), holding(world, 1)
    made = [created(remit(world, each.leader_id, 1000)) for each in (one, other)]
    assert made[0]["id"] != made[1]["id"]
    assert world.trial_balance()["cash:bank"] == 2000


def test_no_more_is_remitted_than_is_held(world: World) -> None:
    sale = holding(world, 2)
    created(remit(world, sale.leader_id, 500, "T1"))
    before = snapshot(world.environment)
    answer = remit(world, sale.leader_id, 1501, "T2")
    assert refused(answer, "more_than_collected", "15.00", "15.01", "EUR")
    assert snapshot(world.environment) == before
    assert remit(world, sale.leader_id, 1500, "T2").status == 201


def test_who_has_collected_nothing_remits_nothing(world: World) -> None:
    sale = world.sale()
    assert refused(remit(world, sale.leader_id, 1), "more_than_collected", "0.00")
    world.delivered_order(sale)
    assert refused(remit(world, sale.leader_id, 1), "more_than_collected", "0.00")


def hand_back(world: World, order: Json) -> None:
    """The order is cancelled, and its leader gives the customer the cash."""
    assert world.operator.post(f"/v1/orders/{order['id']}/cancel", {}).status == 200
    (refund_id,) = world.order(order["id"])["refunds"]
    leader = world.leader(order["leader_id"])
    assert leader.post(f"/v1/refunds/{refund_id}/confirm").status == 200


def test_what_was_handed_back_to_a_customer_is_not_remitted(world: World) -> None:
    sale = holding(world, 1)
    order = an_order(world, sale)
    collect(world, order)
    hand_back(world, order)
    assert refused(remit(world, sale.leader_id, 1001), "more_than_collected", "10.00")
    assert remit(world, sale.leader_id, 1000).status == 201


def test_who_hands_back_what_it_has_remitted_is_owed_it(world: World) -> None:
    sale = world.sale()
    orders = [an_order(world, sale), an_order(world, sale)]
    collect(world, orders[0])
    created(remit(world, sale.leader_id, 1000, "T1"))
    hand_back(world, orders[0])
    assert balance(world, sale.leader_id)["collected"] == -1000
    assert refused(remit(world, sale.leader_id, 1, "T2"), "more_than_collected", "-10.00")
    assert collect(world, orders[1]).status == 201
    assert world.trial_balance() == {"cash:bank": 1000, "customer_prepayments": -1000}


def test_remittances_are_listed_newest_first_to_their_leader(world: World, time: Clock) -> None:
    sale, other = holding(world, 5), holding(world, 1)
    created(remit(world, other.leader_id, 1000))
    made = []
    for n in range(5):
        made.append(created(remit(world, sale.leader_id, 100 + n, f"T{n}")))
        time.move_on(minutes=1)
    path = f"/v1/leaders/{sale.leader_id}/remittances"
    leader = world.leader(sale.leader_id)
    first = leader.get(f"{path}?limit=3").json
    second = leader.get(f"{path}?limit=3&cursor={first['next_cursor']}").json
    assert first["items"] + second["items"] == made[::-1]
    assert second["next_cursor"] is None
    assert world.operator.get(path).json["items"] == made[::-1]


def test_what_a_leader_nobody_registered_holds_is_not_found(world: World) -> None:
    path = "/v1/leaders/ldr_none"
    answers = [
        remit(world, "ldr_none", 1),
        world.operator.get(f"{path}/remittances"),
        world.leader("ldr_none").get(f"{path}/remittances"),
        world.operator.put(f"{path}/credit-limit", {"amount": 1}),
    ]
    assert [answer.status for answer in answers] == [404] * 4


def reverse(
    world: World, leader_id: str, made: Json, reason: str = "typed wrong", **headers: Any
) -> Answer:
    path = f"/v1/leaders/{leader_id}/remittances/{made['id']}/reverse"
    return world.operator.post(path, {"reason": reason}, **headers)


def test_a_remittance_booked_by_mistake_is_reversed(world: World) -> None:
    sale = holding(world, 3)
    made = created(remit(world, sale.leader_id, 2000, "T1"))
    assert (made["reversed_at"], made["reversal_reason"]) == (None, None)
    answer = reverse(world, sale.leader_id, made, "typed wrong")
    assert answer.status == 200
    assert answer.json == {
        **made,
        "reversed_at": answer.json["reversed_at"],
        "reversal_reason": "typed wrong",
        "reversed_by": "op_test",
    }
    assert answer.json["reversed_at"] >= made["received_at"]
    assert world.trial_balance() == {
        f"leader:{sale.leader_id}:collected": 3000,
        "customer_prepayments": -3000,
    }
    listed = world.operator.get(f"/v1/leaders/{sale.leader_id}/remittances").json["items"]
    assert listed == [answer.json]


def test_a_reversal_adds_an_entry_and_changes_none(world: World) -> None:
    sale = holding(world, 1)
    made = created(remit(world, sale.leader_id, 1000, "T1"))
    before = ledger.get_entry(f"remittance:{sale.leader_id}:T1")
    reverse(world, sale.leader_id, made)
    assert ledger.get_entry(f"remittance:{sale.leader_id}:T1") == before
    undone = ledger.get_entry(f"remittance-reversed:{sale.leader_id}:T1")
    assert before
    assert undone
    amounts = [{each.account: each.amount for each in one.postings} for one in (before, undone)]
    assert amounts[1] == {account: -amount for account, amount in amounts[0].items()}


def test_a_remittance_is_reversed_once(world: World) -> None:
    sale = holding(world, 1)
    made = created(remit(world, sale.leader_id, 1000, "T1"))
    first = reverse(world, sale.leader_id, made, "typed wrong")
    again = reverse(world, sale.leader_id, made, "typed wrong")
    assert (again.status, again.json) == (200, first.json)
    before = snapshot(world.environment)
    assert refused(reverse(world, sale.leader_id, made, "another leader's"), "already_reversed")
    assert snapshot(world.environment) == before
    assert balance(world, sale.leader_id)["collected"] == 1000


def test_a_reversal_asked_for_twice_with_one_key_is_answered_twice(world: World) -> None:
    sale = holding(world, 1)
    made = created(remit(world, sale.leader_id, 1000, "T1"))
    first = reverse(world, sale.leader_id, made, key="undo-1")
    again = reverse(world, sale.leader_id, made, key="undo-1")
    assert (again.json, again.headers["idempotent-replayed"]) == (first.json, "true")


@pytest.mark.parametrize("amount", [1000, 900])
def test_the_reference_of_a_reversed_remittance_is_not_booked_again(
    world: World, amount: int
) -> None:
    sale = holding(world, 1)
    made = created(remit(world, sale.leader_id, 1000, "T1"))
    reverse(world, sale.leader_id, made)
    before = snapshot(world.environment)
    assert refused(remit(world, sale.leader_id, amount, "T1"), "remittance_reversed", "T1")
    assert snapshot(world.environment) == before
    assert remit(world, sale.leader_id, amount, "T1 corrected").status == 201


def test_a_reversal_may_take_a_leader_beyond_its_limit(world: World) -> None:
    sale = world.sale()
    limit(world, sale.leader_id, 1000)
    orders = [an_order(world, sale) for _ in range(3)]
    collect(world, orders[0])
    made = created(remit(world, sale.leader_id, 1000, "T1"))
    collect(world, orders[1])
    assert reverse(world, sale.leader_id, made).status == 200
    assert balance(world, sale.leader_id)["collected"] == 2000
    assert collect(world, orders[2]).code == "credit_limit_reached"


def test_a_remittance_that_the_leader_has_not_is_not_reversed(world: World) -> None:
    sale, other = holding(world, 1), holding(world, 1)
    made = created(remit(world, sale.leader_id, 1000, "T1"))
    before = snapshot(world.environment)
    for leader_id, asked in (
        (other.leader_id, made),
        (sale.leader_id, {"id": "rem_0"}),
        ("ldr_none", made),
    ):
        answer = reverse(world, leader_id, asked)
        assert (answer.status, answer.code) == (404, "not_found")
    assert snapshot(world.environment) == before


def test_a_limit_is_set_changed_and_taken_away(world: World) -> None:
    leader_id = world.add_leader()
    path = f"/v1/leaders/{leader_id}"
    before = world.operator.get(path).json
    assert before["credit_limit"] is None
    for amount in (5000, 0, None):
        assert limit(world, leader_id, amount) == {**before, "credit_limit": amount}
        assert world.leader(leader_id).get(path).json["credit_limit"] == amount
        assert balance(world, leader_id)["credit_limit"] == amount


def test_a_leader_collects_up_to_its_limit_and_again_once_it_has_remitted(world: World) -> None:
    sale = world.sale()
    limit(world, sale.leader_id, 3000)
    orders = [an_order(world, sale, units) for units in (1, 2, 1)]
    assert [collect(world, order).status for order in orders[:2]] == [201, 201]
    before = snapshot(world.environment)
    answer = collect(world, orders[2])
    assert refused(answer, "credit_limit_reached", "30.00", "10.00", "EUR", "Remit")
    assert snapshot(world.environment) == before
    created(remit(world, sale.leader_id, 999, "T1"))
    assert collect(world, orders[2]).code == "credit_limit_reached"
    created(remit(world, sale.leader_id, 1, "T2"))
    assert collect(world, orders[2]).status == 201
    assert balance(world, sale.leader_id)["collected"] == 3000


def test_a_leader_lists_the_cash_that_it_has_to_hand_back(world: World) -> None:
    sale = world.sale()
    by_card = world.paid_order(sale)
    cash = [an_order(world, sale) for _ in range(3)]
    made = []
    for order in (by_card, *cash):
        if order is not by_card:
            assert collect(world, order).status == 201
        body = {"amount": 500, "reason": "late"}
        made.append(created(world.operator.post(f"/v1/orders/{order['id']}/refunds", body))["id"])
    world.provider_event("refund.succeeded", {"refund_id": made[0]})
    leader, path = world.leader(sale.leader_id), f"/v1/leaders/{sale.leader_id}/refunds"
    assert leader.post(f"/v1/refunds/{made[1]}/confirm").status == 200

    def listed(query: str) -> list[str]:
        return [each["id"] for each in leader.get(f"{path}{query}").json["items"]]

    assert listed("") == made[::-1]
    assert listed("?method=leader_collect&status=pending") == [made[3], made[2]]
    assert listed("?status=succeeded") == [made[1], made[0]]
    first = leader.get(f"{path}?limit=3").json
    assert listed(f"?limit=3&cursor={first['next_cursor']}") == [made[0]]
    whole = world.operator.get(path).json["items"]
    assert [{**each, "kept": None} for each in whole] == leader.get(path).json["items"]
    assert world.operator.get("/v1/leaders/ldr_none/refunds").status == 404


def test_cash_that_was_handed_back_makes_room_under_the_limit(world: World) -> None:
    sale = world.sale()
    limit(world, sale.leader_id, 1000)
    orders = [an_order(world, sale), an_order(world, sale)]
    assert [collect(world, order).status for order in orders] == [201, 409]
    hand_back(world, orders[0])
    assert collect(world, orders[1]).status == 201


@pytest.mark.parametrize(("amount", "said"), [(0, "0.00"), (999, "9.99")])
def test_the_first_money_too_is_held_to_the_limit(world: World, amount: int, said: str) -> None:
    sale = world.sale()
    limit(world, sale.leader_id, amount)
    order = an_order(world, sale)
    assert refused(collect(world, order), "credit_limit_reached", said, "0.00", "raised")
    limit(world, sale.leader_id, 1000)
    assert collect(world, order).status == 201


def test_a_limit_below_what_is_held_only_stops_further_collecting(world: World) -> None:
    sale = holding(world, 2)
    limit(world, sale.leader_id, 500)
    order = an_order(world, sale)
    assert refused(collect(world, order), "credit_limit_reached", "5.00", "20.00")
    assert remit(world, sale.leader_id, 2000).status == 201
    assert collect(world, order).code == "credit_limit_reached"
    limit(world, sale.leader_id, None)
    assert collect(world, order).status == 201


def test_a_limit_is_for_cash_alone_and_for_its_leader_alone(world: World) -> None:
    sale, other = world.sale(), world.sale()
    limit(world, sale.leader_id, 0)
    assert world.paid_order(sale)["status"] == "paid"
    assert collect(world, an_order(world, other)).status == 201


def test_money_refused_for_the_limit_may_be_sent_again_with_its_key(world: World) -> None:
    sale = world.sale()
    limit(world, sale.leader_id, 0)
    order = an_order(world, sale)
    assert collect(world, order, key="cash-1").status == 409
    limit(world, sale.leader_id, None)
    first = created(collect(world, order, key="cash-1"))
    again = collect(world, order, key="cash-1")
    assert (again.json, again.headers["idempotent-replayed"]) == (first, "true")


@contextmanager
def just_before_it_is_said_why(happens: Callable[[], Answer]) -> Iterator[list[Answer]]:
    """`happens` is answered after a request was refused, and before what is held is read."""
    read, answers = ledger.accounts_of, list[Answer]()

    def after(party: str) -> Any:
        patched.stop()
        answers.append(happens())
        return read(party)

    patched = mock.patch.object(ledger, "accounts_of", after)
    patched.start()
    yield answers


def test_money_that_fits_once_the_leader_has_remitted_meanwhile_is_taken(world: World) -> None:
    sale = holding(world, 1)
    limit(world, sale.leader_id, 1000)
    order = an_order(world, sale)
    with just_before_it_is_said_why(lambda: remit(world, sale.leader_id, 1000)) as remitted:
        answer = collect(world, order)
    assert [answer.status, *(each.status for each in remitted)] == [201, 201]


def test_a_remittance_that_fits_once_more_is_collected_meanwhile_is_taken(world: World) -> None:
    sale = holding(world, 1)
    order = an_order(world, sale)
    with just_before_it_is_said_why(lambda: collect(world, order)) as collected:
        answer = remit(world, sale.leader_id, 2000)
    assert [answer.status, *(each.status for each in collected)] == [201, 201]


def test_a_paid_order_is_not_payable_whatever_the_limit(world: World) -> None:
    sale = world.sale()
    limit(world, sale.leader_id, 1000)
    order = an_order(world, sale)
    assert collect(world, order).status == 201
    body = {"amount": order["total"], "reference": "other cash"}
    again = world.operator.post(f"/v1/orders/{order['id']}/payments", body)
    assert again.code == "order_not_payable"
