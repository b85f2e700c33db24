"""After-sales requests: who sees them, what they may take, and how their steps follow."""

from datetime import timedelta

import pytest

from chalicelib.aftersales import rules
from chalicelib.aftersales.rules import AfterSalesLine, OpenRequests
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, Invalid
from chalicelib.ordering.rules import OrderStatus
from tests.support.made import NOW, a_line, an_after_sales, an_order

EGGS = AfterSalesLine("eggs", "sup_1", "Eggs", 2)
MILK = AfterSalesLine("milk", "sup_2", "Milk", 1)
FARM, DAIRY = Caller("supplier", "sup_1"), Caller("supplier", "sup_2")
LEADER, ALICE = Caller("leader", "ldr_1"), Caller("customer", "cus_1")
OPERATOR = Caller("operator", "op_1")


@pytest.mark.parametrize("caller", [FARM, DAIRY, LEADER, ALICE, OPERATOR])
def test_its_parties_and_operators_see_a_request(caller: Caller) -> None:
    assert an_after_sales(lines=(EGGS, MILK)).is_for(caller)


@pytest.mark.parametrize(
    "caller",
    [DAIRY, Caller("leader", "ldr_2"), Caller("customer", "cus_2"), Caller("customer", "sup_1")],
)
def test_nobody_else_does(caller: Caller) -> None:
    assert not an_after_sales(lines=(EGGS,)).is_for(caller)


def test_a_supplier_is_shown_neither_lines_nor_steps_of_others() -> None:
    request = an_after_sales(lines=(EGGS, MILK))
    request = request.responded(FARM, True, "ours", NOW).responded(LEADER, True, "wet", NOW)
    shown = request.shown_to(DAIRY)
    assert shown.lines == (MILK,)
    assert [step.note for step in shown.steps] == [None, "wet"]
    assert request.shown_to(LEADER) == request
    assert [step.note for step in request.shown_to(FARM).steps] == [None, "ours", "wet"]


def test_every_step_raises_the_version_by_one() -> None:
    request = an_after_sales()
    seen = [request, request.responded(LEADER, False, "no", NOW)]
    seen.append(seen[-1].escalated(NOW))
    seen.append(seen[-1].declined("no", NOW))
    assert [each.version for each in seen] == [1, 2, 3, 4]
    assert [len(each.steps) for each in seen] == [1, 2, 3, 4]
    assert [each.status for each in seen] == ["requested", "responded", "responded", "declined"]
    assert [each.is_open for each in seen] == [True, True, True, False]


def test_the_clock_runs_until_a_person_is_called_or_it_is_decided() -> None:
    request = an_after_sales()
    assert request.escalates_at == request.due_at
    assert request.responded(LEADER, True, "yes", NOW).escalates_at == request.due_at
    assert request.escalated(NOW).escalates_at is None
    assert request.declined("no", NOW).escalates_at is None
    assert request.refunded("rfd_1", "yes", NOW).escalates_at is None


@pytest.mark.parametrize(
    ("status", "takes"),
    [
        ("pending_payment", False),
        ("paid", False),
        ("shipped", True),
        ("delivered", True),
        ("completed", False),
        ("expired", False),
        ("cancelled", False),
        ("refunded", False),
    ],
)
def test_an_order_takes_requests_from_shipping_on(status: OrderStatus, takes: bool) -> None:
    order = an_order(status=status)
    if takes:
        rules.check_takes_requests(order, NOW)
    else:
        with pytest.raises(Conflict, match=status):
            rules.check_takes_requests(order, NOW)


def test_the_window_is_open_until_its_last_millisecond() -> None:
    order = an_order(status="delivered", completes_at=NOW)
    rules.check_takes_requests(order, NOW - timedelta(milliseconds=1))
    with pytest.raises(Conflict, match="window was over"):
        rules.check_takes_requests(order, NOW)


def test_units_of_other_open_requests_are_not_left() -> None:
    ordered = an_order((a_line(3, sku_id="eggs"), a_line(1, sku_id="milk")))
    order = ordered.after_shipping("prc_1", {"eggs": 3, "milk": 1})
    others = [an_after_sales(lines=(EGGS,))]
    (line,) = rules.lines_of(order, {"eggs": 1}, others)
    assert (line.sku_id, line.supplier_id, line.quantity) == ("eggs", "sup_1", 1)
    with pytest.raises(Invalid) as refused:
        rules.lines_of(order, {"milk": 2, "eggs": 2}, others)
    assert [each.field for each in refused.value.errors] == ["lines.0.quantity", "lines.1.quantity"]


def test_what_was_not_ordered_is_named_as_such() -> None:
    order = an_order((a_line(3, sku_id="eggs"),))
    with pytest.raises(Invalid) as refused:
        rules.lines_of(order, {"eggs": 9, "beer": 1}, [])
    (error,) = refused.value.errors
    assert (error.field, error.message) == ("lines.1.sku_id", "is not in this order")


def test_what_has_not_shipped_is_not_asked_for() -> None:
    ordered = an_order((a_line(3, sku_id="eggs"), a_line(1, sku_id="milk")))
    order = ordered.after_shipping("prc_1", {"eggs": 2})
    assert rules.lines_of(order, {"eggs": 2}, [])[0].quantity == 2
    with pytest.raises(Invalid) as refused:
        rules.lines_of(order, {"milk": 1, "eggs": 3}, [])
    said = [(each.field, each.message.partition(";")[0]) for each in refused.value.errors]
    assert said == [
        ("lines.0.sku_id", "has not been shipped yet"),
        ("lines.1.sku_id", "has not been shipped yet but for 2"),
    ]


def test_units_refunded_though_they_were_asked_for_leave_nothing_and_not_less() -> None:
    shipped = an_order((a_line(3, sku_id="eggs"),)).after_shipping("prc_1", {"eggs": 3})
    order = shipped.after_refund({"eggs": 2})
    with pytest.raises(Invalid) as refused:
        rules.lines_of(order, {"eggs": 1}, [an_after_sales(lines=(EGGS,))])
    assert "0 units left" in refused.value.errors[0].message


def test_open_requests_come_and_go() -> None:
    found = OpenRequests("ord_1").plus("aft_1").plus("aft_2").without("aft_1")
    assert found == OpenRequests("ord_1", ("aft_2",), 3)
