"""Baskets become orders; the extract that the repository keeps is fit for the demo."""

from pathlib import Path

from infra.demo.baskets import COLUMNS, Line, merged, orders_of_basket, read_orders, split
from infra.demo.figures import choose_sold_out


def line(sku: str, quantity: int = 1) -> Line:
    return Line(sku, "Grocery", sku.title(), 100, quantity)


def test_lines_of_one_product_are_merged_in_order() -> None:
    assert merged([line("a"), line("b", 2), line("a", 3)]) == (line("a", 4), line("b", 2))


def test_split_keeps_order_and_size() -> None:
    assert split([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]
    assert split([], 2) == []


def test_a_basket_over_fifty_lines_becomes_several_orders() -> None:
    lines = [line(f"sku{number}") for number in range(101)]
    orders = orders_of_basket("7", "Ann", "c", "2017-01-03", lines)
    assert [len(order.lines) for order in orders] == [50, 50, 1]
    assert [order.basket for order in orders] == ["7", "7/1", "7/2"]
    assert [each for order in orders for each in order.lines] == lines


def test_merging_comes_before_splitting() -> None:
    lines = [line(f"sku{number % 50}") for number in range(60)]
    (order,) = orders_of_basket("7", "Ann", "c", "2017-01-03", lines)
    assert sum(each.quantity for each in order.lines) == 60


def test_reading_rows_of_two_baskets(tmp_path: Path) -> None:
    file = tmp_path / "baskets.csv"
    file.write_text(
        ",".join(COLUMNS)
        + "\n2017-02-27,354,9,1,11,Grocery,Milk,2,199\n2017-02-27,354,9,1,12,Fresh,Kale,1,89"
        + "\n2017-02-27,354,9,2,11,Grocery,Milk,1,199\n"
    )
    first, second = read_orders(file)
    assert first.lines == (
        Line("11", "Grocery", "Milk", 199, 2),
        Line("12", "Fresh", "Kale", 89, 1),
    )
    assert (second.basket, second.leader, second.customer) == ("2", "Store 354", "9")
    assert first.suppliers == {"Grocery", "Fresh"}


def test_the_kept_extract_holds_what_the_demo_promises() -> None:
    orders = read_orders()
    assert len(orders) >= 60
    assert len({order.leader for order in orders}) == 3
    assert all(
        1 <= each.quantity <= 99 and each.unit_price > 0 for order in orders for each in order.lines
    )
    assert choose_sold_out(orders)
