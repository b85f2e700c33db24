"""The ordering store: orders and their lists, and customers' limits."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kernel.errors import Conflict, Stale
from chalicelib.ordering import store as ordering
from chalicelib.ordering.held_units import Cap
from chalicelib.ordering.rules import Order
from chalicelib.platform import store as platform_store
from chalicelib.platform.pages import PageRequest
from chalicelib.platform.transaction import Update, write
from chalicelib.stock.rules import Part, ShardShort
from tests.support.made import HOME, NOW, an_order

NO_MORE = Conflict("no more", code="customer_limit_reached")


def add(order_id: str, **changes: Any) -> Order:
    order = an_order(id=order_id, **changes)
    write(ordering.add_order(order))
    return order


def test_an_order_comes_back_as_it_was_written() -> None:
    ship_to = replace(HOME, name="Zoë 🥚 O'Hara", line2="c/o \u2028 Böhm")
    order = add("ord_1", ship_to=ship_to, note=None, restock_at=NOW)
    assert ordering.get_order("ord_1") == order
    assert ordering.get_order("ord_2") is None


def test_an_order_is_added_once() -> None:
    add("ord_1")
    with pytest.raises(Stale):
        add("ord_1", note="another")
    found = ordering.get_order("ord_1")
    assert found is not None
    assert found.note is None


def test_an_order_changes_only_from_the_version_that_was_read() -> None:
    order = add("ord_1", version=2)
    write(ordering.replace_order(order.changed("shipped")))
    with pytest.raises(Stale):
        write(ordering.replace_order(order.changed("refunded")))
    found = ordering.get_order("ord_1")
    assert found is not None
    assert (found.status, found.version) == ("shipped", 3)


def test_an_order_that_does_not_exist_cannot_change() -> None:
    with pytest.raises(Stale):
        write(ordering.replace_order(an_order()))
    assert ordering.get_order("ord_1") is None


def test_lists_are_newest_first_over_all_shards_and_pages() -> None:
    made = [add(f"ord_{n:03}", customer_id=f"cus_{n % 2}") for n in range(25)]
    seen: list[str] = []
    page = ordering.all_orders(PageRequest("orders", 10))
    while True:
        seen += [order.id for order in page.items]
        if page.next_after is None:
            break
        page = ordering.all_orders(PageRequest("orders", 10, page.next_after))
    assert seen == [order.id for order in reversed(made)]


def test_a_customer_and_a_leader_see_their_own_orders_only() -> None:
    add("ord_1", customer_id="cus_1", leader_id="ldr_1")
    add("ord_2", customer_id="cus_2", leader_id="ldr_1")
    add("ord_3", customer_id="cus_2", leader_id="ldr_2")
    page = PageRequest("orders")
    assert ids(ordering.orders_of_customer("cus_2", page)) == ["ord_3", "ord_2"]
    assert ids(ordering.orders_of_leader("ldr_1", page)) == ["ord_2", "ord_1"]
    assert ids(ordering.orders_of_customer("cus_3", page)) == []


def ids(page: Any) -> list[str]:
    return [order.id for order in page.items]


def test_a_sweep_sees_what_is_due_the_longest_due_first() -> None:
    unpaid: dict[str, Any] = {"status": "pending_payment", "paid_at": None}
    add("ord_late", expires_at=NOW + timedelta(minutes=3), **unpaid)
    add("ord_due", expires_at=NOW - timedelta(minutes=1), **unpaid)
    add("ord_long_due", expires_at=NOW - timedelta(hours=1), **unpaid)
    add("ord_at_once", expires_at=NOW, **unpaid)
    add("ord_paid", expires_at=NOW - timedelta(hours=2))
    add("ord_to_restock", status="refunded", restock_at=NOW - timedelta(hours=3))
    due = ["ord_to_restock", "ord_long_due", "ord_due", "ord_at_once"]
    assert [order.id for order in ordering.due_before(NOW, 10)] == due
    assert [order.id for order in ordering.due_before(NOW, 2)] == due[:2]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_every_order_of_a_campaign_is_read_once_whatever_the_pages(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(platform_store, "GET_LIMIT", size)
    made = [add(f"ord_{n:03}", campaign_id="cmp_1") for n in range(9)]
    add("ord_other", campaign_id="cmp_2")
    found = sorted(ordering.all_in_campaign("cmp_1"), key=lambda order: order.id)
    assert found == made


def test_orders_that_hold_stock_are_told_from_those_that_are_only_due() -> None:
    unpaid: dict[str, Any] = {"status": "pending_payment", "paid_at": None, "expires_at": NOW}
    add("ord_unpaid", **unpaid)
    add("ord_paid")
    add("ord_delivered", status="delivered", completes_at=NOW)
    add("ord_completed", status="completed", completes_at=NOW)
    assert {order.id for order in ordering.live_orders()} == {"ord_unpaid", "ord_paid"}
    assert {order.id for order in ordering.due_before(NOW, 10)} == {"ord_unpaid", "ord_delivered"}


def test_an_order_that_was_paid_is_no_longer_due() -> None:
    order = add("ord_1", status="pending_payment", paid_at=None)
    write(ordering.replace_order(replace(order.changed("paid"), paid_at=NOW)))
    assert ordering.due_before(NOW + timedelta(days=1), 10) == []


def test_an_order_at_which_to_look_later_is_due_then_and_otherwise_as_it_was() -> None:
    order = add("ord_1", status="pending_payment", paid_at=None, expires_at=NOW, provider="stripe")
    later = NOW + timedelta(minutes=1)
    write(ordering.look_again(order, later))
    assert ordering.due_before(NOW, 10) == []
    assert ordering.due_before(later, 10) == [order]
    write(ordering.replace_order(order.changed("expired")))
    with pytest.raises(Stale):
        write(ordering.look_again(order, later))
    assert ordering.due_before(later, 10) == []


def count(**units: tuple[int, int]) -> Update:
    update = ordering.count_limits("cmp_1", "cus_1", units, NO_MORE)
    assert update is not None
    return update


def test_a_limit_counts_over_orders_up_to_its_last_unit() -> None:
    write(count(sku_1=(2, 5)))
    write(count(sku_1=(3, 5)))
    with pytest.raises(Conflict) as refused:
        write(count(sku_1=(1, 5)))
    assert refused.value.code == "customer_limit_reached"


def test_an_order_that_passes_one_limit_counts_against_none() -> None:
    write(count(sku_1=(1, 2), sku_2=(2, 2)))
    with pytest.raises(Conflict):
        write(count(sku_1=(1, 2), sku_2=(1, 2)))
    write(count(sku_1=(1, 2)))


def test_units_given_back_can_be_ordered_again() -> None:
    write(count(sku_1=(2, 2), sku_2=(1, 1)))
    given_back = ordering.give_limits_back("cmp_1", "cus_1", {"sku_1": 2})
    assert given_back is not None
    write(given_back)
    write(count(sku_1=(2, 2)))
    with pytest.raises(Conflict):
        write(count(sku_2=(1, 1)))


def test_limits_are_kept_by_customer_and_by_campaign() -> None:
    write(count(sku_1=(1, 1)))
    for campaign_id, customer_id in (("cmp_1", "cus_2"), ("cmp_2", "cus_1")):
        other = ordering.count_limits(campaign_id, customer_id, {"sku_1": (1, 1)}, NO_MORE)
        assert other is not None
        write(other)


def test_an_order_without_limits_writes_no_counter() -> None:
    assert ordering.count_limits("cmp_1", "cus_1", {}, NO_MORE) is None
    assert ordering.give_limits_back("cmp_1", "cus_1", {}) is None


def test_what_a_customer_holds_is_read_by_sku() -> None:
    assert ordering.counted("cmp_1", "cus_1") == {}
    write(count(sku_1=(2, 5), sku_2=(1, 1)))
    write(count(sku_1=(1, 5)))
    assert ordering.counted("cmp_1", "cus_1") == {"sku_1": 3, "sku_2": 1}
    assert ordering.counted("cmp_1", "cus_2") == {}


def test_a_raised_cap_is_taken_from_beside_what_was_taken_of_it() -> None:
    before = Cap("cmp_1", "sku_1", 150, shards=2)
    after = Cap("cmp_1", "sku_1", 350, (200,), shards=2)
    write(*ordering.take_of_cap(before, (Part(0, 50),)))
    assert ordering.left_of_caps([after]) == {"sku_1": {0: 25, 1: 75, 2: 100, 3: 100}}
    write(*ordering.take_of_cap(after, (Part(3, 60),)))
    write(*ordering.take_of_cap(before, (Part(0, 25),)))
    for cap in (before, after):
        with pytest.raises(ShardShort):
            write(*ordering.take_of_cap(cap, (Part(0, 1),)))
    assert ordering.left_of_caps([after]) == {"sku_1": {0: 0, 1: 75, 2: 100, 3: 40}}
