"""The demo's arithmetic, against figures worked out by hand."""

from dataclasses import replace

import pytest

from infra.demo import figures
from infra.demo.baskets import Line, Order

MILK = Line("milk", "Dairy", "Milk", 199, 1)
BREAD = Line("bread", "Bakery", "Bread", 105, 3)
CAKE = Line("cake", "Bakery", "Cake", 45, 1)


def order(*lines: Line, leader: str = "Ann", cash: bool = False) -> Order:
    return Order("1", leader, "c", "2017-01-03", lines, leader_collects=cash)


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [(1, 2, 1), (49, 100, 0), (5, 2, 3), (7, 3, 2), (8, 3, 3), (0, 7, 0), (6, 3, 2)],
)
def test_half_goes_up(numerator: int, denominator: int, rounded: int) -> None:
    assert figures.half_up(numerator, denominator) == rounded


@pytest.mark.parametrize(
    ("dollars", "cents"), [(0.29, 29), (1.15, 115), (4.35, 435), (0.0, 0), (1234.56, 123456)]
)
def test_dollars_in_binary_become_the_cents_that_were_written(dollars: float, cents: int) -> None:
    assert figures.cents(dollars) == cents


@pytest.mark.parametrize(
    ("sales", "price"),
    [
        ([(199, 1)], 199),
        ([(300, 2), (100, 1), (500, 1)], 150),
        ([(100, 1), (101, 1)], 101),
        # 1/3 + 398 2/3 = 399: the mean is 199 1/2 exactly, which floats put just below.
        ([(1, 3), (1196, 3)], 200),
        ([(1, 3)], 0),
    ],
)
def test_median_unit_price(sales: list[tuple[int, int]], price: int) -> None:
    assert figures.median_price(sales) == price


def test_no_sales_have_no_median() -> None:
    with pytest.raises(ValueError, match="at least one line"):
        figures.median_price([])


def test_share_of_a_line() -> None:
    # Cost 73.5 a unit, so 74; commission 31.5 on the line, so 32.
    part = figures.share(BREAD)
    assert (part.net, part.cost, part.commission, part.revenue) == (315, 222, 32, 61)


def test_a_rejected_dispatch_takes_all_its_supplier_s_lines() -> None:
    basket = order(MILK, BREAD, CAKE)
    assert figures.rejected(basket, "cake") == (BREAD, CAKE)
    assert figures.delivered(basket, "cake") == (MILK,)
    assert figures.delivered(basket, None) == (MILK, BREAD, CAKE)


def test_sold_out_is_a_sku_of_one_card_order_with_two_suppliers() -> None:
    cash = order(MILK, CAKE, cash=True)
    alone = order(replace(BREAD, sku="roll"))
    both = order(MILK, BREAD)
    assert figures.choose_sold_out([cash, alone, both]) == "bread"


def test_no_order_to_reject_is_an_error() -> None:
    with pytest.raises(ValueError, match="no order"):
        figures.choose_sold_out([order(MILK)])


def test_dispatches_are_one_for_each_supplier_of_each_order() -> None:
    assert figures.dispatch_count([order(MILK, BREAD, CAKE), order(MILK)]) == 3


def test_trial_balance_of_a_card_order_a_cash_order_and_a_rejection() -> None:
    card, cash = order(MILK, CAKE), order(BREAD, leader="Bo", cash=True)
    expected = figures.trial_balance(
        [card, cash], "cake", {"Ann": "ldr_a", "Bo": "ldr_b"}, {"Dairy": "sup_d", "Bakery": "sup_b"}
    )
    assert expected == {
        "cash:local": 199,
        "leader:ldr_a:available": -20,
        "supplier:sup_d:payable": -139,
        "leader:ldr_b:collected": 315,
        "leader:ldr_b:available": -32,
        "supplier:sup_b:payable": -222,
        "platform:revenue": -(40 + 61),
    }
    assert sum(expected.values()) == 0


def test_differences_name_what_is_wrong_and_what_is_missing() -> None:
    found = figures.differences({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 5, "d": 4})
    assert [str(each) for each in found] == [
        "b: expected 2, found 5",
        "c: expected 3, found nothing",
        "d: expected nothing, found 4",
    ]


@pytest.mark.parametrize(
    ("amount", "shown"), [(0, "$0.00"), (5, "$0.05"), (-123456, "-$1,234.56"), (100, "$1.00")]
)
def test_money_is_shown_from_integer_cents(amount: int, shown: str) -> None:
    assert figures.money(amount) == shown
