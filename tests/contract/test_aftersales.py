"""The after-sales store: changes by version, lists by party, and what a sweep must look at."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.aftersales import store as aftersales
from chalicelib.aftersales.rules import AfterSales, AfterSalesLine, OpenRequests
from chalicelib.kernel.errors import Stale
from chalicelib.platform.pages import PageRequest
from chalicelib.platform.transaction import write
from tests.support.made import NOW, an_after_sales

PAGE = PageRequest("after-sales", 2)


def add(request_id: str, **changes: Any) -> AfterSales:
    made = an_after_sales(id=request_id, **changes)
    write(*aftersales.add_request(made))
    return made


def test_a_request_comes_back_as_it_was_written() -> None:
    made = add("aft_1", photos=("https://p.example/1", "https://p.example/2"))
    assert aftersales.get_request("aft_1") == made
    assert aftersales.get_request("aft_2") is None
    decided = made.refunded("rfd_1", "Grüße, 再见", NOW)
    write(aftersales.replace_request(decided))
    assert aftersales.get_request("aft_1") == decided


def test_a_request_is_added_once_and_changes_by_version() -> None:
    made = add("aft_1")
    with pytest.raises(Stale):
        add("aft_1")
    write(aftersales.replace_request(made.escalated(NOW)))
    with pytest.raises(Stale):
        write(aftersales.replace_request(made.declined("no", NOW)))


def test_an_orders_open_requests_change_by_version() -> None:
    none = aftersales.open_of("ord_1")
    assert none == OpenRequests("ord_1")
    one = none.plus("aft_1")
    write(aftersales.replace_open(one))
    with pytest.raises(Stale):
        write(aftersales.replace_open(none.plus("aft_2")))
    both = one.plus("aft_2")
    write(aftersales.replace_open(both))
    with pytest.raises(Stale):
        write(aftersales.replace_open(one.without("aft_1")))
    write(aftersales.replace_open(both.without("aft_1")))
    assert aftersales.open_of("ord_1") == OpenRequests("ord_1", ("aft_2",), 3)
    assert aftersales.open_of("ord_2") == OpenRequests("ord_2")


def test_requests_are_listed_newest_first_by_each_party() -> None:
    for n in range(1, 6):
        of = "sup_1" if n % 2 else "sup_2"
        lines = (AfterSalesLine("sku_1", of, "Eggs", 1), AfterSalesLine("sku_2", of, "Milk", 1))
        add(f"aft_{n}", lines=lines, customer_id=f"cus_{n % 2}", leader_id="ldr_1")
    first = aftersales.all_requests(PAGE)
    assert [each.id for each in first.items] == ["aft_5", "aft_4"]
    rest = aftersales.all_requests(replace(PAGE, limit=9, after=first.next_after))
    assert [each.id for each in rest.items] == ["aft_3", "aft_2", "aft_1"]
    assert rest.next_after is None
    page = replace(PAGE, limit=9)
    odd, even = ["aft_5", "aft_3", "aft_1"], ["aft_4", "aft_2"]
    assert [each.id for each in aftersales.of_customer("cus_1", page).items] == odd
    assert [each.id for each in aftersales.of_supplier("sup_2", page).items] == even
    assert len(aftersales.of_leader("ldr_1", page).items) == 5
    assert aftersales.of_leader("ldr_2", page).items == ()


def test_only_open_requests_that_were_not_escalated_are_due() -> None:
    for n in (3, 1, 2):
        add(f"aft_{n}", due_at=NOW + timedelta(minutes=n))
    assert aftersales.due_before(NOW, 10) == []
    assert aftersales.due_before(NOW + timedelta(minutes=2), 10) == ["aft_1", "aft_2"]
    assert aftersales.due_before(NOW + timedelta(hours=1), 1) == ["aft_1"]
    (first,) = aftersales.get_requests(["aft_1"])
    write(aftersales.replace_request(first.escalated(NOW)))
    (second,) = aftersales.get_requests(["aft_2"])
    write(aftersales.replace_request(second.declined("no", NOW)))
    assert aftersales.due_before(NOW + timedelta(hours=1), 10) == ["aft_3"]
