"""What an account had before its first statement is posted, and goes to whose it is."""

import pytest

from tests.functional.conftest import Clock
from tests.functional.test_open_item_lists import listed
from tests.functional.test_open_items import books, clear, in_suspense
from tests.functional.test_reconciled_balances import between, statement
from tests.functional.test_reconciliations import day_of
from tests.support.invariants import findings
from tests.support.statements import csv_file, differences, entry, reconcile, resolve
from tests.support.world import World, created


def brought_forward(world: World, time: Clock, amount: str, day: int) -> str:
    made = reconcile(world, csv_file((day_of(time, day), amount, "EUR", "OPENING")))
    assert resolve(world, made, 1, "post_to_suspense").status == 200
    (difference,) = differences(world, made)
    (entry_id,) = difference["posted"]
    return str(entry_id)


def test_the_first_statement_opens_with_what_the_books_have(world: World, time: Clock) -> None:
    opening = brought_forward(world, time, "1000.00", day=-2)
    supplier_id = world.add_supplier()
    of_supplier = {"goes": "deposit", "supplier_id": supplier_id, "reference": "DEP-0"}
    created(clear(world, opening, **of_supplier, amount=30000))
    created(clear(world, opening, goes="capital", reference="own money"))
    assert books(world) == {
        "cash:bank": 100000,
        f"supplier:{supplier_id}:deposit": -30000,
        "platform:capital": -70000,
    }
    assert listed(world, "?open=true") == []
    line = entry("7.00", day=day_of(time), reference="x", ref="B1")
    made = statement(world, time, "1000.00", "1007.00", line, days=1)
    assert [each["kind"] for each in differences(world, made)] == ["extra"]
    found = between(world, made)
    assert (found["opening"], found["unexplained"]) == (100000, 0)
    assert findings() == []


@pytest.mark.parametrize("day", [0, -3], ids=["a day of a statement", "a day before any"])
def test_until_it_is_posted_it_is_unexplained(world: World, time: Clock, day: int) -> None:
    """And from then on no more, whenever the line comes."""
    before = statement(world, time, "1000.00", "1000.00")
    assert between(world, before)["unexplained"] == 100000
    brought_forward(world, time, "1000.00", day)
    time.move_on(days=1)
    after = statement(world, time, "1000.00", "1000.00", own_id="2")
    assert (between(world, after)["unexplained"], differences(world, after)) == (0, [])


@pytest.mark.parametrize(("amount", "capital"), [("20.00", -2000), ("-20.00", 2000)])
def test_owners_put_money_in_and_take_it_out_which_is_no_income(
    world: World, time: Clock, amount: str, capital: int
) -> None:
    entry_id = in_suspense(world, time, amount)
    refused = clear(world, entry_id, goes="capital", reference="x", account="cash:bank")
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "body")
    created(clear(world, entry_id, goes="capital", reference="the owners"))
    assert books(world) == {"cash:bank": -capital, "platform:capital": capital}
    today = day_of(time)
    income = world.operator.get(f"/v1/ledger/income?from={today}&to={today}").json
    assert "platform:capital" not in str(income)
    path = f"/v1/ledger/journal?from={today}&to={today}&format=beancount"
    assert "Equity:Platform:Capital" in world.operator.get(path).text
    prefixed = world.operator.get("/v1/ledger/trial-balance?prefix=platform:capital").json
    ((account,),) = (each["accounts"] for each in prefixed["currencies"])
    assert account == {"account": "platform:capital", "balance": capital}
