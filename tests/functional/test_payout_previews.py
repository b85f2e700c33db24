"""Whoever approves a batch sees whom it pays, and whom it leaves out and why."""

import csv
import io
from typing import Any

import pytest

from tests.functional.conftest import Clock
from tests.support.payouts import (
    IBAN,
    PAYER,
    STRIPE_ACCOUNT,
    approve,
    collect,
    earn,
    earned,
    make,
    payout_to,
    payouts_of,
    send,
    sent,
    set_iban,
)
from tests.support.world import Json, World


@pytest.fixture
def deployed_with() -> dict[str, str]:
    """The world pays from an account."""
    return PAYER


def left_out(world: World, batch: Json) -> dict[str, tuple[str, int]]:
    path = f"/v1/payout-batches/{batch['id']}/left-out?limit=100"
    items = world.operator.get(path).json["items"]
    return {each["party"]["id"]: (each["reason"], each["amount"]) for each in items}


def preview(world: World, batch: Json) -> list[dict[str, str]]:
    answer = world.operator.get(f"/v1/payout-batches/{batch['id']}/preview")
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))


def test_each_payout_shows_its_party_and_the_holder_to_operators_alone(
    world: World, time: Clock
) -> None:
    (sale,) = earned(world, time, 3)
    set_iban(world, "leader", sale.leader_id)
    batch = make(world, method="bank_file")
    (payout,) = payouts_of(world, batch)
    leader = world.operator.get(f"/v1/leaders/{sale.leader_id}").json
    assert (payout["name"], payout["holder"]) == (leader["name"], "Lena Wolf")
    own = world.leader(sale.leader_id).get(f"/v1/payouts/{payout['id']}").json
    assert not {"name", "holder"} & set(own)
    by_hand = make(world, kind="suppliers")
    (payout,) = payouts_of(world, by_hand)
    assert payout["holder"] is None


def test_a_batch_can_be_looked_at_before_it_is_approved_and_is_no_file(
    world: World, time: Clock
) -> None:
    (sale,) = earned(world, time, 15)
    collect(world, sale, 1)
    set_iban(world, "leader", sale.leader_id)
    batch = make(world, method="bank_file")
    (row,) = preview(world, batch)
    named: dict[str, Any] = {**row, "payout_id": None, "name": None}
    assert named == {
        "preview_of": batch["id"],
        "payout_id": None,
        "payee": sale.leader_id,
        "name": None,
        "holder": "Lena Wolf",
        "account_ends_in": IBAN[-4:],
        "amount": "5.00",
        "netted": "10.00",
        "currency": "EUR",
    }
    path = f"/v1/payout-batches/{batch['id']}/preview"
    assert IBAN not in world.operator.get(path).text
    assert world.operator.get(f"{path}?part=2").status == 422
    approve(world, batch)
    send(world, batch)
    assert preview(world, batch) == [row]


def test_whoever_is_left_out_is_named_with_why(world: World, time: Clock) -> None:
    sales = earned(world, time, 3, 4, 5, 1, 6)
    none, stripe, paid, below, waiting = (sale.leader_id for sale in sales)
    body = {"holder": "Lena Wolf", "stripe_account": STRIPE_ACCOUNT}
    assert world.operator.put(f"/v1/leaders/{stripe}/payout-account", body).status == 200
    for each in (paid, below, waiting):
        set_iban(world, "leader", each)
    earlier = sent(world, method="bank_file", minimum=600)
    assert payout_to(world, earlier, waiting)["status"] == "sent"
    batch = make(world, method="bank_file", minimum=200)
    assert left_out(world, batch) == {
        none: ("no_account", 300),
        stripe: ("account_of_another_kind", 400),
        below: ("below_minimum", 100),
    }
    assert batch["left_out"] == 2
    assert [each["payee"]["id"] for each in payouts_of(world, batch)] == [paid]
    assert left_out(world, earlier)[paid] == ("below_minimum", 500)


def test_who_has_an_open_payout_is_left_out(world: World, time: Clock) -> None:
    (sale,) = earned(world, time, 3)
    sent(world, minimum=300)

    earn(world, time, [sale], 2)
    batch = make(world)
    assert left_out(world, batch) == {sale.leader_id: ("open_payout", 200)}


def test_the_list_of_who_is_left_out_has_pages(world: World, time: Clock) -> None:
    sales = earned(world, time, 3, 4, 5)
    batch = make(world, method="bank_file")
    path = f"/v1/payout-batches/{batch['id']}/left-out?limit=2"
    first = world.operator.get(path).json
    rest = world.operator.get(f"{path}&cursor={first['next_cursor']}").json
    found = [each["party"]["id"] for each in (*first["items"], *rest["items"])]
    assert found == sorted(sale.leader_id for sale in sales)
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(("currency", "minimum"), [("EUR", 100), ("JPY", 1), ("KWD", 1000)])
def test_less_than_one_of_the_currency_is_sent_only_where_that_is_said(
    world: World, currency: str, minimum: int
) -> None:
    assert make(world, currency=currency)["minimum"] == minimum
    assert make(world, currency=currency, minimum=0)["minimum"] == 0
