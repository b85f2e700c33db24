"""What came back from where a party is paid is not sent there again by itself."""

from typing import Any
from unittest import mock

import pytest

from chalicelib.payouts import holds, preparing
from tests.functional.conftest import Clock
from tests.functional.test_payout_previews import left_out
from tests.support.payouts import (
    IBAN,
    OTHER_IBAN,
    PAYER,
    collect,
    earn,
    earned,
    make,
    payout_to,
    payouts_of,
    sent,
    set_iban,
    tell,
)
from tests.support.world import Json, Sale, World


@pytest.fixture
def deployed_with() -> dict[str, str]:
    """The world pays from an account."""
    return PAYER


@pytest.fixture
def sale(world: World, time: Clock) -> Sale:
    """A leader with 3.00 available, to be paid to its bank."""
    (made,) = earned(world, time, 3)
    assert set_iban(world, "leader", made.leader_id).status == 200
    return made


def came_back(world: World, sale: Sale, **changes: Any) -> Json:
    """The leader's payout of a batch, which was returned."""
    payout = payout_to(world, sent(world, **{"method": "bank_file", **changes}), sale.leader_id)
    assert tell(world, payout, "returned", "R-1").status == 200
    return payout


def hold(sale: Sale) -> str:
    return f"/v1/leaders/{sale.leader_id}/payout-hold"


def is_left_out(world: World, sale: Sale, amount: int = 300, **changes: Any) -> bool:
    batch = make(world, **{"method": "bank_file", **changes})
    found = left_out(world, batch)
    assert batch["left_out"] == len(found)
    return found == {sale.leader_id: ("returned", amount)}


def test_the_next_batch_leaves_out_what_came_back(world: World, time: Clock, sale: Sale) -> None:
    assert world.operator.get(hold(sale)).status == 404
    payout = came_back(world, sale)
    held = world.leader(sale.leader_id).get(hold(sale)).json
    assert (held["payout_id"], held["lifted_at"]) == (payout["id"], None)
    assert is_left_out(world, sale)
    earn(world, time, [sale], 2)
    assert is_left_out(world, sale, 500)


def test_another_account_is_paid(world: World, sale: Sale) -> None:
    came_back(world, sale)
    assert set_iban(world, "leader", sale.leader_id, IBAN).status == 200
    assert is_left_out(world, sale)
    assert set_iban(world, "leader", sale.leader_id, OTHER_IBAN).status == 200
    assert world.operator.get(hold(sale)).status == 404
    (payout,) = payouts_of(world, make(world, method="bank_file"))
    assert (payout["amount"], payout["last_four"]) == (300, OTHER_IBAN[-4:])


@pytest.mark.parametrize("changes", [{"holder": "Lena  Wolf"}, {"bic": "COBADEFFXXX"}])
def test_another_name_for_the_same_account_is_held(world: World, sale: Sale, changes: Json) -> None:
    came_back(world, sale)
    assert set_iban(world, "leader", sale.leader_id, IBAN, **changes).status == 200
    assert world.operator.get(hold(sale)).status == 200
    assert is_left_out(world, sale)


def test_the_same_account_with_another_holder_is_held_when_it_comes_back(
    world: World, sale: Sale
) -> None:
    payout = payout_to(world, sent(world, method="bank_file"), sale.leader_id)
    assert set_iban(world, "leader", sale.leader_id, IBAN, holder="Lena Wolff").status == 200
    tell(world, payout, "returned", "R-1")
    assert world.operator.get(hold(sale)).json["payout_id"] == payout["id"]
    assert is_left_out(world, sale)


def test_an_operator_lets_the_same_account_be_paid_until_it_comes_back_again(
    world: World, sale: Sale
) -> None:
    came_back(world, sale)
    assert world.leader(sale.leader_id).post(f"{hold(sale)}/lift").status == 403
    lifted = world.operator.post(f"{hold(sale)}/lift")
    assert (lifted.status, lifted.json["lifted_by"]) == (200, "op_test")
    assert world.operator.post(f"{hold(sale)}/lift").json == lifted.json
    payout = came_back(world, sale)
    assert world.operator.get(hold(sale)).json["payout_id"] == payout["id"]
    assert is_left_out(world, sale)


def test_what_was_paid_and_comes_back_weeks_later_holds_as_well(world: World, sale: Sale) -> None:
    payout = payout_to(world, sent(world, method="bank_file"), sale.leader_id)
    tell(world, payout, "paid", "OUT-1")
    tell(world, payout, "returned", "IN-1")
    assert is_left_out(world, sale)


def test_what_comes_back_from_the_account_of_before_holds_nothing(world: World, sale: Sale) -> None:
    payout = payout_to(world, sent(world, method="bank_file"), sale.leader_id)
    set_iban(world, "leader", sale.leader_id, OTHER_IBAN)
    tell(world, payout, "returned", "R-1")
    assert world.operator.get(hold(sale)).status == 404
    assert make(world, method="bank_file")["payouts"] == 1


def test_what_failed_holds_nothing(world: World, sale: Sale) -> None:
    payout = payout_to(world, sent(world, method="bank_file"), sale.leader_id)
    tell(world, payout, "failed", "no cover")
    assert make(world, method="bank_file")["payouts"] == 1


def test_by_hand_it_holds_whom_has_no_account_as_well(world: World, time: Clock) -> None:
    (sale,) = earned(world, time, 3)
    came_back(world, sale, method="manual")
    assert is_left_out(world, sale, method="manual")
    set_iban(world, "leader", sale.leader_id)
    assert make(world, method="manual")["payouts"] == 1


def test_one_that_is_held_pays_what_it_owes(world: World, sale: Sale) -> None:
    came_back(world, sale)
    collect(world, sale, 1)
    batch = make(world, method="bank_file")
    assert (batch["results"]["offset"], batch["netted"], batch["left_out"]) == (1, 300, 0)


def test_a_supplier_is_held_and_let_go_like_a_leader(world: World, sale: Sale) -> None:
    (payout,) = payouts_of(world, sent(world, kind="suppliers"))
    path = f"/v1/suppliers/{payout['payee']['id']}/payout-hold"
    tell(world, payout, "returned", "R-1")
    supplier = world.supplier(payout["payee"]["id"])
    assert supplier.get(path).json["payout_id"] == payout["id"]
    assert world.leader(sale.leader_id).get(path).status == 403
    assert supplier.post(f"{path}/lift").status == 403
    assert make(world, kind="suppliers")["left_out"] == 1
    assert world.operator.post(f"{path}/lift").status == 200
    assert make(world, kind="suppliers")["payouts"] == 1


def test_what_comes_back_while_a_batch_looks_is_not_sent_again(
    world: World, time: Clock, sale: Sale
) -> None:
    payout = payout_to(world, sent(world, method="bank_file"), sale.leader_id)
    tell(world, payout, "paid", "OUT-1")
    earn(world, time, [sale], 2)
    commit, returns = preparing._commit, iter([True])

    def late(*args: Any, **options: Any) -> None:
        if next(returns, False):
            assert tell(world, payout, "returned", "IN-1").status == 200
        commit(*args, **options)

    with mock.patch.object(preparing, "_commit", late):
        assert is_left_out(world, sale, 500)


def test_an_account_that_is_set_while_the_old_one_comes_back_is_not_held(
    world: World, sale: Sale
) -> None:
    payout = payout_to(world, sent(world, method="bank_file"), sale.leader_id)
    real, sets = holds.after_return, iter([True])

    def late(returned: Any) -> Any:
        writes = real(returned)
        if next(sets, False):
            assert set_iban(world, "leader", sale.leader_id, OTHER_IBAN).status == 200
        return writes

    with mock.patch.object(holds, "after_return", late):
        assert tell(world, payout, "returned", "R-1").status == 200
    assert world.operator.get(hold(sale)).status == 404
    assert make(world, method="bank_file")["payouts"] == 1
