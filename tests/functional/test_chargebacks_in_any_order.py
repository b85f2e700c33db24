"""Several chargebacks of one order come to the same, in whichever order banks decide on them."""

from itertools import permutations, product

import pytest

from tests.functional.test_chargebacks import ask, booked, close, whole
from tests.functional.test_won_chargebacks import DELIVERED, left
from tests.support.world import Json, World, created

End = tuple[tuple[str, int, list[int]], dict[str, int]]


def ended(world: World, amounts: tuple[int, ...], outcomes: list[tuple[int, str]]) -> End:
    """What an order of 30.00 and the books come to, told how each chargeback ends, one by one."""
    sale = world.sale()
    before = world.trial_balance()
    order: Json = world.delivered_order(sale, 3)
    made = [
        created(ask(world, order, amount=amount, fee=0, reference=f"dp_{order['id']}_{n}"))
        for n, amount in enumerate(amounts)
    ]
    for n, outcome in outcomes:
        assert close(world, made[n], outcome).status == 200
        whole(world)
    world.work()
    found = booked(world, sale)
    of_others = {account: -amount for account, amount in before.items()}
    own = {name: n - of_others.get(name, 0) for name, n in found.items() if "ldr_" not in name}
    return left(world, order), {name: n for name, n in own.items() if n and "sup_" not in name}


@pytest.mark.parametrize("amounts", [(1000, 2000), (500, 1000, 1500)])
def test_all_of_them_won_leave_the_order_whole(world: World, amounts: tuple[int, ...]) -> None:
    for order in permutations(range(len(amounts))):
        state, accounts = ended(world, amounts, [(n, "won") for n in order])
        assert state == ("delivered", 0, [0])
        assert {name.split(":pending")[0]: n for name, n in accounts.items()} == DELIVERED


@pytest.mark.parametrize("amounts", [(1000, 2000), (1100, 1900)])
def test_whatever_each_comes_to_their_order_changes_nothing(
    world: World, amounts: tuple[int, ...]
) -> None:
    for outcomes in product(("won", "lost"), repeat=len(amounts)):
        told = list(enumerate(outcomes))
        first, *others = [ended(world, amounts, list(each)) for each in permutations(told)]
        assert others == [first] * len(others)
