"""What a statement says is shown line by line, with what has become of each."""

import io

import pytest

from tests.functional.conftest import Clock
from tests.functional.test_logs import logged as logged
from tests.functional.test_reconciliations import day_of, paid_out
from tests.support.statements import camt, csv_file, differences, entry, reconcile
from tests.support.world import Json, World

COLUMNS = "date,amount,currency,reference,text,counterparty,bank_ref"


def listed(world: World, made: Json, what: str) -> list[Json]:
    found: list[Json] = []
    path = f"/v1/reconciliations/{made['id']}/{what}?limit=1"
    cursor = ""
    while True:
        page = world.operator.get(f"{path}{cursor}").json
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def test_each_line_says_what_it_is_of(world: World, time: Clock) -> None:
    (payout,) = paid_out(world, time, 3)
    day = day_of(time)
    paid = (day, "-3.00", "EUR", payout["id"], "", "", "B1")
    strange = (day, "5.00", "EUR", "R-7", "Oma Erna Eier", "Erna Huhn", "B2")
    first = reconcile(world, csv_file(paid, columns=COLUMNS))
    made = reconcile(world, csv_file(paid, strange, columns=COLUMNS))
    entry_id = f"payout-paid:{payout['id']}"
    said = [(each["status"], each["by"]) for each in listed(world, first, "lines")]
    assert said == [("matched", entry_id)]
    repeated, other = listed(world, made, "lines")
    assert (repeated["status"], repeated["by"]) == ("repeated", first["id"])
    assert other == {
        "n": 2,
        "date": day,
        "amount": 500,
        "currency": "EUR",
        "kind": "payment",
        "reference": "R-7",
        "text": "Oma Erna Eier",
        "counterparty": "Erna Huhn",
        "bank_ref": "B2",
        "status": "difference",
        "by": "extra",
    }
    (difference,) = differences(world, made)
    assert difference["statement_lines"] == [other]


@pytest.mark.parametrize(
    "party", ["<Dbtr><Nm>Erna</Nm></Dbtr>", "<Dbtr><Pty><Nm>Erna</Nm></Pty></Dbtr>"]
)
def test_camt_names_who_has_paid(world: World, time: Clock, party: str) -> None:
    named = f"<RltdPties>{party}<Cdtr><Nm>Tuan</Nm></Cdtr></RltdPties><RmtInf>"
    raw = entry("5.00", day=day_of(time)).replace("<RmtInf>", named)
    made = reconcile(world, camt(raw), format="camt.053")
    (line,) = listed(world, made, "lines")
    assert line["counterparty"] == "Erna"


def test_what_is_in_transit_is_listed_until_a_statement_has_it(world: World, time: Clock) -> None:
    payouts = paid_out(world, time, 3, 2)
    period = (day_of(time, -10), day_of(time))
    made = reconcile(world, camt(period=period), format="camt.053")
    waiting = listed(world, made, "in-transit")
    assert {(each["entry_id"], each["amount"], each["date"]) for each in waiting} == {
        (f"payout-paid:{each['id']}", -each["amount"], day_of(time)) for each in payouts
    }
    assert [each["found_in"] for each in waiting] == [None, None]
    later = reconcile(world, csv_file((day_of(time, 1), "-3.00", "EUR", payouts[0]["id"])))
    found = {each["entry_id"]: each["found_in"] for each in listed(world, made, "in-transit")}
    assert found[f"payout-paid:{payouts[0]['id']}"] == later["id"]


def test_what_lines_say_is_in_no_log(logged: io.StringIO, world: World, time: Clock) -> None:
    row = (day_of(time), "5.00", "EUR", "R-7", "Oma Erna Eier", "Erna Huhn", "B2")
    made = reconcile(world, csv_file(row, columns=COLUMNS))
    listed(world, made, "lines")
    differences(world, made)
    assert made["id"] in logged.getvalue()
    assert "Erna" not in logged.getvalue()
