"""Statements held against the books, from the file to what is posted of it."""

import contextlib
import json
from collections import Counter
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest

from chalicelib.platform.settings import settings
from chalicelib.reconciliation import going_on, resolving
from chalicelib.reconciliation import store as reconciliations
from tests.functional.conftest import Clock
from tests.support.invariants import findings
from tests.support.payouts import (
    COMMISSION,
    IBAN,
    OTHER_IBAN,
    earned,
    payout_to,
    payouts_of,
    sent,
    tell,
)
from tests.support.snapshot import snapshot
from tests.support.statements import (
    balance,
    batch_entry,
    camt,
    camt_statement,
    csv_file,
    differences,
    entry,
    iban,
    reconcile,
    resolve,
    send,
)
from tests.support.world import World

EACH = COMMISSION


def day_of(time: Clock, plus: int = 0) -> str:
    return (time.now() + timedelta(days=plus)).date().isoformat()


def paid_out(world: World, time: Clock, *units: int) -> list[Any]:
    """Payouts to leaders that are paid, one for each number of units."""
    sales = earned(world, time, *units)
    batch = sent(world)
    found = [payout_to(world, batch, sale.leader_id) for sale in sales]
    for payout in found:
        assert tell(world, payout, "paid", f"B-{payout['id']}").status == 200
    return found


def major(amount: int) -> str:
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100}.{abs(amount) % 100:02}"


def open_cases(world: World) -> list[Any]:
    items = world.operator.get("/v1/cases?status=open&limit=100").json["items"]
    return [each for each in items if each["kind"] == "reconciliation_difference"]


def rows_of(time: Clock, *payouts: Any) -> list[tuple[str, str, str, str]]:
    return [(day_of(time), major(-each["amount"]), "EUR", each["id"]) for each in payouts]


def test_a_line_that_names_something_else_is_of_no_payout_however_well_its_amount_fits(
    world: World, time: Clock
) -> None:
    (payout,) = paid_out(world, time, 3)
    rent = entry("-3.00", day=day_of(time), reference="RENT-MARCH-2026", text="Landlord Ltd")
    made = reconcile(world, camt(rent), format="camt.053")
    assert [each["kind"] for each in differences(world, made)] == ["extra"]
    true = entry("-3.00", day=day_of(time, 1), reference=payout["id"])
    made = reconcile(world, camt(true, own_id="2"), format="camt.053")
    assert (made["matched"], made["differences"]) == (1, 0)


def test_what_was_paid_out_matches_by_its_id(world: World, time: Clock) -> None:
    first, second = paid_out(world, time, 3, 2)
    made = reconcile(world, csv_file(*rows_of(time, first, second)))
    assert {name: made[name] for name in ("lines", "matched", "differences", "kinds")} == {
        "lines": 2,
        "matched": 2,
        "differences": 0,
        "kinds": [],
    }
    assert open_cases(world) == []
    assert findings() == []


def test_a_bank_prints_ids_in_its_own_way(world: World, time: Clock) -> None:
    (payout,) = paid_out(world, time, 3)
    printed = payout["id"].upper().replace("_", "")
    raw = camt(
        entry("-3.00", day=day_of(time, 1), text=f"PAYOUT {printed[:20]} {printed[20:]}", ref="R1"),
        balance("OPBD", "10.00"),
        balance("CLBD", "7.00"),
    )
    made = reconcile(world, raw, format="camt.053")
    assert (made["matched"], made["differences"], made["statement_id"]) == (1, 0, "STMT-1")


def test_by_amount_and_day_where_there_is_one_alone(world: World, time: Clock) -> None:
    paid_out(world, time, 3, 2)
    rows = [(day_of(time), major(-units * EACH), "EUR", "") for units in (3, 2)]
    assert reconcile(world, csv_file(*rows))["matched"] == 2


def test_two_of_one_amount_are_left_to_a_person(world: World, time: Clock) -> None:
    paid_out(world, time, 3, 3)
    made = reconcile(world, csv_file((day_of(time), "-3.00", "EUR", "")))
    (doubt,) = differences(world, made)
    assert (doubt["kind"], doubt["lines"], len(doubt["entries"])) == ("ambiguous", [1], 2)
    assert doubt["changes"] == [{"currency": "EUR", "amount": 300}]


def test_the_same_statement_is_taken_once(world: World, time: Clock) -> None:
    (payout,) = paid_out(world, time, 3)
    raw = csv_file(*rows_of(time, payout))
    made = reconcile(world, raw)
    before = snapshot(world.environment)
    again = send(world.operator, raw)
    assert (again.status, again.json["code"]) == (409, "statement_taken_before")
    assert made["id"] in again.json["detail"]
    assert snapshot(world.environment) == before
    # Of another account it is another statement.
    assert send(world.operator, raw, account="cash:stripe").status == 202


def test_a_banks_own_id_tells_a_statement_whatever_else_is_in_the_file(world: World) -> None:
    raw = camt(entry("1.00", ref="A"), own_id="2026-7")
    assert send(world.operator, raw, format="camt.053").status == 202
    again = send(world.operator, raw + b"\n", format="camt.053")
    assert (again.status, again.json["code"]) == (409, "statement_taken_before")


def test_a_key_is_answered_again(world: World) -> None:
    raw = csv_file(("2026-03-20", "1.00", "EUR", "x"))
    path = "/v1/reconciliations?account=cash:bank&format=csv"
    headers = {"Content-Type": "application/octet-stream", "Idempotency-Key": "one"}
    first, second = (world.operator.send("POST", path, raw, headers) for _ in range(2))
    assert (first.status, second.status) == (202, 202)
    assert first.json == second.json


@pytest.mark.parametrize("changed", ["account=cash:stripe&format=csv", "account=cash:bank"])
def test_a_key_of_another_statement_is_no_answer_to_this_one(world: World, changed: str) -> None:
    raw = csv_file(("2026-03-20", "1.00", "EUR", "x"))
    headers = {"Content-Type": "application/octet-stream", "Idempotency-Key": "one"}
    path = "/v1/reconciliations?{}"
    asked = [path.format(each) for each in ("account=cash:bank&format=csv", changed)]
    taken, other = (world.operator.send("POST", each, raw, headers) for each in asked)
    assert (taken.status, other.status) == (202, 422)
    assert other.json["code"] == "idempotency_key_reused"
    turned_round = path.format("format=csv&account=cash:bank")
    assert world.operator.send("POST", turned_round, raw, headers).json == taken.json


def test_nothing_is_matched_twice_over_statements(world: World, time: Clock) -> None:
    (payout,) = paid_out(world, time, 3)
    row = rows_of(time, payout)
    assert reconcile(world, csv_file(*row))["matched"] == 1
    again = reconcile(world, csv_file(*row, (day_of(time), "1.00", "EUR", "y")))
    assert Counter(each["kind"] for each in differences(world, again)) == {
        "matched_before": 1,
        "extra": 1,
    }


def test_lines_that_another_statement_had_are_passed_over(world: World, time: Clock) -> None:
    (payout,) = paid_out(world, time, 3)
    columns = "date,amount,currency,reference,bank_ref"
    row = (*rows_of(time, payout)[0], "R-1")
    assert reconcile(world, csv_file(row, columns=columns))["matched"] == 1
    more = (day_of(time), "5.00", "EUR", "z", "R-2")
    overlapping = reconcile(world, csv_file(row, more, columns=columns))
    assert (overlapping["repeated"], overlapping["matched"]) == (1, 0)
    assert [each["kind"] for each in differences(world, overlapping)] == ["extra"]


@pytest.mark.usefixtures("days_to_come")
def test_what_is_missing_at_the_end_may_be_in_the_next_statement(world: World, time: Clock) -> None:
    (payout,) = paid_out(world, time, 3)
    raw = camt(period=(day_of(time, -10), day_of(time)), own_id="1")
    first = reconcile(world, raw, format="camt.053")
    assert (first["in_transit"], first["differences"]) == (1, 0)
    after = camt(
        entry("-3.00", day=day_of(time, 2), reference=payout["id"]),
        period=(day_of(time, 1), day_of(time, 10)),
        own_id="2",
    )
    assert reconcile(world, after, format="camt.053")["matched"] == 1


@pytest.mark.usefixtures("days_to_come")
def test_what_no_statement_has_is_missing(world: World, time: Clock) -> None:
    paid_out(world, time, 3)
    for n, days in enumerate(((-10, 0), (1, 10))):
        period = (day_of(time, days[0]), day_of(time, days[1]))
        made = reconcile(world, camt(period=period, own_id=str(n)), format="camt.053")
    (missing,) = differences(world, made)
    assert (missing["kind"], missing["changes"]) == (
        "missing",
        [{"currency": "EUR", "amount": 300}],
    )
    assert resolve(world, made, missing["n"], "post_to_suspense").status == 200
    books = world.trial_balance()
    assert (books.get("cash:bank", 0), books["platform:suspense"]) == (0, -300)
    assert findings() == []


def test_a_fee_is_posted_once_and_its_case_closed(world: World, time: Clock) -> None:
    columns = "date,amount,currency,type"
    made = reconcile(world, csv_file((day_of(time), "-1.50", "EUR", "fee"), columns=columns))
    (fee,) = differences(world, made)
    assert (fee["kind"], fee["owner"]) == ("fee", made["made_by"])
    (case,) = open_cases(world)
    assert (case["id"], case["subject"]) == (fee["case_id"], made["id"])
    done = resolve(world, made, fee["n"], "post_fee")
    assert (done.status, done.json["resolution"]) == (200, "post_fee")
    assert done.json["posted"] == [f"reconciled:{made['id']}:1:EUR"]
    assert resolve(world, made, fee["n"], "post_fee").json == done.json
    assert open_cases(world) == []
    books = world.trial_balance()
    assert (books["cash:bank"], books["platform:revenue"]) == (-150, 150)
    other = resolve(world, made, fee["n"], "accept")
    assert (other.status, other.json["code"]) == (409, "already_resolved")
    read = world.operator.get(f"/v1/reconciliations/{made['id']}").json
    assert (read["differences"], read["unresolved"]) == (1, 0)
    assert findings() == []


@pytest.mark.usefixtures("days_to_come")
def test_a_payout_that_came_back_is_returned_to_its_payee(world: World, time: Clock) -> None:
    (payout,) = paid_out(world, time, 3)
    rows = [*rows_of(time, payout), (day_of(time, 1), "3.00", "EUR", payout["id"])]
    made = reconcile(world, csv_file(*rows))
    (back,) = differences(world, made)
    assert (back["kind"], back["payout_id"]) == ("returned", payout["id"])
    assert resolve(world, made, back["n"], "returned").status == 200
    assert world.operator.get(f"/v1/payouts/{payout['id']}").json["status"] == "returned"
    assert world.trial_balance().get("cash:bank", 0) == 0
    # What it has posted has its line: it is not missed later.
    later = camt(period=(day_of(time, -1), day_of(time, 20)))
    assert reconcile(world, later, format="camt.053")["differences"] == 0
    assert findings() == []


@pytest.mark.usefixtures("days_to_come")
def test_a_payout_that_came_back_less_the_banks_charge_posts_both(
    world: World, time: Clock
) -> None:
    (payout,) = paid_out(world, time, 3)
    rows = [*rows_of(time, payout), (day_of(time, 1), "2.50", "EUR", payout["id"])]
    made = reconcile(world, csv_file(*rows))
    (back,) = differences(world, made)
    assert (back["kind"], back["payout_id"]) == ("returned", payout["id"])
    assert "less 0.50 EUR" in back["detail"]
    done = resolve(world, made, 1, "returned")
    assert done.json["posted"] == [
        f"payout-returned:{payout['id']}",
        f"reconciled:{made['id']}:1:EUR",
    ]
    assert resolve(world, made, 1, "returned").json == done.json
    # Paid 3.00 and had 2.50 of it again.
    assert world.trial_balance()["cash:bank"] == -50
    assert world.operator.get(f"/v1/payouts/{payout['id']}").json["status"] == "returned"
    later = camt(period=(day_of(time, -1), day_of(time, 20)))
    assert reconcile(world, later, format="camt.053")["differences"] == 0
    assert findings() == []


def test_a_return_that_names_no_payout_is_of_none_however_well_its_amount_fits(
    world: World, time: Clock
) -> None:
    sale = world.sale()
    order = world.place(sale, payment_method="leader_collect")
    paid = {"amount": order["total"], "reference": "cash"}
    assert world.operator.post(f"/v1/orders/{order['id']}/payments", paid).status == 201
    handed = {"amount": order["total"], "reference": "handed over"}
    remitted = f"/v1/leaders/{sale.leader_id}/remittances"
    assert world.operator.post(remitted, handed).status == 201
    back = (day_of(time), major(order["total"]), "EUR", "return")
    made = reconcile(world, csv_file(back, columns="date,amount,currency,type"))
    assert (made["matched"], made["in_transit"]) == (0, 1)
    (returned,) = differences(world, made)
    assert (returned["kind"], returned["payout_id"]) == ("returned", None)
    refused = resolve(world, made, 1, "returned")
    assert (refused.status, refused.json["code"]) == (409, "resolution_not_possible")
    assert resolve(world, made, 1, "post_to_suspense").status == 200
    assert findings() == []


def test_a_return_that_was_told_by_hand_matches_by_amount_as_well(
    world: World, time: Clock
) -> None:
    (payout,) = paid_out(world, time, 3)
    assert tell(world, payout, "returned", "BY-HAND").status == 200
    rows = [(*rows_of(time, payout)[0], ""), (day_of(time), "3.00", "EUR", "", "return")]
    made = reconcile(world, csv_file(*rows, columns="date,amount,currency,reference,type"))
    assert (made["matched"], made["differences"]) == (2, 0)


def test_a_payout_that_the_bank_has_paid_before_anybody_said_so(world: World, time: Clock) -> None:
    earned(world, time, 3)
    (payout,) = payouts_of(world, sent(world))
    made = reconcile(world, csv_file(*rows_of(time, payout)))
    (told,) = differences(world, made)
    assert (told["kind"], told["payout_id"]) == ("not_told", payout["id"])
    assert resolve(world, made, told["n"], "paid").status == 200
    assert world.operator.get(f"/v1/payouts/{payout['id']}").json["status"] == "paid"
    assert world.trial_balance()["cash:bank"] == -300
    assert findings() == []


def test_what_another_account_says_of_a_payout_is_not_its_result(world: World, time: Clock) -> None:
    """Whether it was paid or came back: its result would be posted to its own account."""
    earned(world, time, 3)
    batch = sent(world)
    (payout,) = payouts_of(world, batch)
    elsewhere = reconcile(world, csv_file(*rows_of(time, payout)), account="cash:stripe")
    (told,) = differences(world, elsewhere)
    assert (told["kind"], told["payout_id"]) == ("unknown_reference", None)
    assert resolve(world, elsewhere, told["n"], "post_to_suspense").status == 200
    tell(world, payout, "paid", "BY-HAND")
    reconcile(world, csv_file(*rows_of(time, payout)))
    back = (day_of(time, 1), "3.00", "EUR", payout["id"])
    again = reconcile(world, csv_file(back), account="cash:stripe")
    (told,) = differences(world, again)
    assert (told["kind"], told["payout_id"]) == ("matched_before", None)
    assert resolve(world, again, told["n"], "post_to_suspense").status == 200
    books = world.trial_balance()
    assert (books.get("cash:stripe", 0), books["cash:bank"]) == (0, -300)
    assert findings() == []


def test_a_result_that_cannot_be_leaves_the_difference_open(world: World, time: Clock) -> None:
    (payout,) = paid_out(world, time, 3)
    rows = [*rows_of(time, payout), (day_of(time, 1), "3.00", "EUR", payout["id"])]
    made = reconcile(world, csv_file(*rows))
    assert tell(world, payout, "returned", "BY-HAND").status == 200
    refused = resolve(world, made, 1, "returned")
    assert (refused.status, refused.json["code"]) == (409, "result_conflict")
    (back,) = differences(world, made)
    assert back["resolution"] is None
    assert resolve(world, made, 1, "accept").status == 200
    assert findings() == []


def test_whoever_dies_behind_a_result_is_finished_and_nobody_resolves_it_otherwise(
    world: World, time: Clock
) -> None:
    (payout,) = paid_out(world, time, 3)
    rows = [*rows_of(time, payout), (day_of(time, 1), "3.00", "EUR", payout["id"])]
    made = reconcile(world, csv_file(*rows))
    with mock.patch.object(resolving, "_resolve", side_effect=RuntimeError("killed")):
        assert resolve(world, made, 1, "returned").status == 500
    assert world.operator.get(f"/v1/payouts/{payout['id']}").json["status"] == "returned"
    other = resolve(world, made, 1, "post_to_suspense")
    assert (other.status, other.json["code"]) == (409, "already_resolved")
    assert resolve(world, made, 1, "returned").status == 200
    assert world.trial_balance().get("cash:bank", 0) == 0


def test_money_that_is_in_another_account_is_moved_there(world: World, time: Clock) -> None:
    made = reconcile(world, csv_file((day_of(time), "50.00", "EUR", "from stripe")))
    refused = resolve(world, made, 1, "post_to_other_account")
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "account")
    stripe = {"account": "cash:stripe", "new_account": True}
    done = resolve(world, made, 1, "post_to_other_account", **stripe)
    assert done.status == 200
    books = world.trial_balance()
    assert (books["cash:bank"], books["cash:stripe"]) == (5000, -5000)


def test_each_kind_allows_its_own_resolutions(world: World, time: Clock) -> None:
    made = reconcile(world, csv_file((day_of(time), "50.00", "EUR", "x")))
    refused = resolve(world, made, 1, "returned")
    assert (refused.status, refused.json["code"]) == (409, "resolution_not_possible")
    assert resolve(world, made, 2, "accept").status == 404
    assert resolve(world, made, "x", "accept").status == 404  # type: ignore[arg-type]


def test_a_difference_is_somebodys(world: World, time: Clock) -> None:
    made = reconcile(world, csv_file((day_of(time), "50.00", "EUR", "x")))
    path = f"/v1/reconciliations/{made['id']}/differences/1/assign"
    assert world.operator.post(path, {"owner": "op_other"}).json["owner"] == "op_other"
    assert resolve(world, made, 1, "accept").json["owner"] == "op_other"
    late = world.operator.post(path, {"owner": "op_third"})
    assert (late.status, late.json["code"]) == (409, "already_resolved")


def test_nothing_is_resolved_while_it_is_under_way(world: World) -> None:
    answer = send(world.operator, csv_file(("2026-03-20", "1.00", "EUR", "x")))
    assert answer.json["status"] == "gathering"
    assert resolve(world, answer.json, 1, "accept").status == 404


def test_balances_that_do_not_fit_the_lines_are_a_difference(world: World, time: Clock) -> None:
    raw = camt(entry("1.00"), balance("OPBD", "10.00"), balance("CLBD", "12.00"))
    made = reconcile(world, raw, format="camt.053")
    kinds = [each["kind"] for each in differences(world, made)]
    assert sorted(kinds) == ["balance", "extra"]


def test_a_message_that_comes_twice_or_a_worker_that_dies_changes_nothing(
    world: World, time: Clock
) -> None:
    first, _ = paid_out(world, time, 3, 2)
    rows = [*rows_of(time, first), (day_of(time), "9.00", "EUR", "q")]
    made = send(world.operator, csv_file(*rows)).json
    step = reconciliations.replace_reconciliation

    def dies(changed: Any) -> Any:
        if changed.version % 2:
            raise RuntimeError("killed")
        return step(changed)

    for _ in range(20):
        dying = mock.patch.object(reconciliations, "replace_reconciliation", dies)
        with dying, contextlib.suppress(RuntimeError):
            going_on.go_on(made["id"])
        with mock.patch.object(going_on, "STEPS_A_MESSAGE", 1):
            going_on.go_on(made["id"])
    world.work()
    done = world.operator.get(f"/v1/reconciliations/{made['id']}").json
    assert (done["status"], done["matched"], done["differences"]) == ("done", 1, 1)
    assert len(differences(world, done)) == len(open_cases(world)) == 1
    assert findings() == []


def test_stripes_balance_transactions(world: World, time: Clock) -> None:
    created = int(time.now().timestamp())
    data = [
        {
            "id": "txn_1",
            "amount": 1000,
            "fee": 30,
            "currency": "eur",
            "created": created,
            "type": "charge",
            "source": "ch_1",
        },
        {
            "id": "txn_2",
            "amount": -970,
            "fee": 0,
            "currency": "eur",
            "created": created,
            "type": "payout",
            "source": "po_1",
        },
    ]
    raw = json.dumps({"object": "list", "has_more": False, "data": data}).encode()
    made = reconcile(world, raw, account="cash:stripe", format="stripe")
    found = {each["kind"]: each["changes"][0]["amount"] for each in differences(world, made)}
    assert found == {"extra": 1000, "transfer": -970, "fee": -30}
    numbers = {each["kind"]: each["n"] for each in differences(world, made)}
    assert resolve(world, made, numbers["transfer"], "post_to_other_account").status == 200
    assert world.trial_balance()["cash:bank"] == 970
    # What overlaps has had its fees, whatever else was asked for or is said of it by now.
    whole = {**data[0], "source": {"id": "ch_1", "payment_intent": "pi_1"}, "description": "Eggs"}
    longer = [whole, data[1], {**data[0], "id": "txn_3", "fee": 7}]
    raw = json.dumps({"object": "list", "has_more": False, "data": longer}).encode()
    again = reconcile(world, raw, account="cash:stripe", format="stripe")
    found = {each["kind"]: each["changes"][0]["amount"] for each in differences(world, again)}
    assert (again["repeated"], found) == (2, {"extra": 1000, "fee": -7})
    # The bank's statement has its side of it, by amount and day.
    bank = reconcile(world, csv_file((day_of(time, 1), "9.70", "EUR", "STRIPE")))
    assert bank["matched"] == 1


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">'
    b"]><Document><BkToCstmrStmt><Stmt><Id>&b;</Id></Stmt></BkToCstmrStmt></Document>"
)
OUTSIDE = (
    b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    b"<Document><BkToCstmrStmt><Stmt><Id>&x;</Id></Stmt></BkToCstmrStmt></Document>"
)
DEEP = b"<Document>" + b"<a>" * 5_000 + b"</a>" * 5_000 + b"</Document>"
ROW = ("2026-03-20", "1.00", "EUR", "x")


@pytest.mark.parametrize(
    ("form", "raw", "said"),
    [
        ("camt.053", b"", "is empty"),
        ("camt.053", b"<Document><Stmt>", "not XML at line 1; it is read as camt.053 unless"),
        ("camt.053", b"\xff\xfe\x00", "is not XML"),
        ("camt.053", b"<Document/>", "no BkToCstmrStmt"),
        ("camt.053", BOMB, "document type or entities"),
        ("camt.053", OUTSIDE, "document type or entities"),
        ("camt.053", DEEP, "nested deeper"),
        ("camt.053", camt(), "no lines and no period"),
        ("camt.053", camt(entry("1.001")), "not a decimal number of EUR"),
        ("camt.053", camt(entry("1.5", currency="JPY")), "not a decimal number of JPY"),
        ("camt.053", camt(entry("1", currency="XXX")), "no code of ISO 4217"),
        ("camt.053", camt(entry("1.00", day="2026-02-30")), "has a date at entry 1"),
        ("camt.053", camt(entry("NaN")), "not a decimal number"),
        ("camt.053", camt(entry("1e3")), "not a decimal number"),
        ("camt.053", camt(entry("1.00").replace("CRDT", "BOTH")), "CRDT or DBIT"),
        ("camt.053", camt(entry("1.00").replace(">1.00<", ">-1.00<")), "below zero"),
        ("camt.053", camt(balance("OPBD", "1.00").replace(">1.00<", ">-1.00<")), "below zero"),
        ("camt.053", camt(entry("1.00", status="")), "does not say at entry 1 whether"),
        ("camt.053", camt(iban(IBAN), more=camt_statement(iban(OTHER_IBAN))), "several accounts"),
        ("csv", csv_file(), "no lines and no period"),
        ("csv", csv_file(ROW, columns="date,amount,currency,colour"), "not one of date"),
        ("csv", csv_file(("2026-03-20", "1.00")), "currency"),
        ("csv", csv_file(("20.03.2026", "1.00", "EUR", "x")), "has a date at line 2"),
        ("csv", csv_file(("2026-03-20", "1.0001", "KWD", "x")), "decimal number of KWD"),
        ("csv", csv_file(("2026-03-20", '"1,00"', "EUR", "x")), "decimal number of EUR"),
        ("csv", csv_file(ROW, ("2025-12-01", "1.00", "EUR", "x")), "more than 100 days"),
        ("csv", b"date,amount\xff", "UTF-8"),
        ("stripe", b"{", "is not JSON"),
        ("stripe", b"[" * 100_000, "is not JSON"),
        ("stripe", b'{"data": 5}', "not a list of balance transactions"),
        ("stripe", b'{"data": [], "has_more": true}', "has_more"),
        ("stripe", b'[{"id": "txn"}]', "no whole number as amount"),
        ("stripe", b'[{"amount": 1.5, "fee": 0, "created": 1}]', "no whole number as amount"),
        ("stripe", b'[{"amount": 1, "fee": 0, "created": 1, "currency": "zzz"}]', "ISO 4217"),
    ],
)
def test_a_file_that_cannot_be_read_whole_is_refused_and_nothing_is_kept(
    world: World, form: str, raw: bytes, said: str
) -> None:
    before = snapshot(world.environment)
    answer = send(world.operator, raw, format=form)
    assert (answer.status, answer.json["code"]) == (422, "invalid_request")
    assert said in answer.json["detail"]
    assert snapshot(world.environment) == before


@pytest.mark.parametrize("status", ["PDNG", "INFO", "FUTR"])
def test_what_is_not_booked_is_no_line(world: World, time: Clock, status: str) -> None:
    (payout,) = paid_out(world, time, 3)
    announced = entry("-3.00", day=day_of(time), reference=payout["id"], status=status)
    period = (day_of(time), day_of(time))
    made = reconcile(world, camt(announced, period=period), format="camt.053")
    assert (made["lines"], made["matched"], made["in_transit"]) == (0, 0, 1)


@pytest.mark.parametrize("refs", [("A1/1", "A1/2"), ("A1", "A1"), ("", ""), ("B1", "")])
def test_a_batch_is_a_line_for_each_part_whatever_the_bank_calls_them(
    world: World, time: Clock, refs: tuple[str, str]
) -> None:
    payouts = paid_out(world, time, 3, 2)
    parts = [
        (major(each["amount"]), each["id"], ref) for each, ref in zip(payouts, refs, strict=True)
    ]
    raw = camt(batch_entry("-5.00", *parts, day=day_of(time), ref="A1"))
    made = reconcile(world, raw, format="camt.053")
    assert (made["lines"], made["matched"], made["differences"]) == (2, 2, 0)
    again = reconcile(world, raw.replace(b"STMT-1", b"STMT-2"), format="camt.053")
    assert (again["repeated"], again["differences"]) == (2, 0)


def test_a_statement_of_another_iban_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_ours, of_others = (camt(iban(each), entry("1.00", ref="A")) for each in (IBAN, OTHER_IBAN))
    monkeypatch.setenv("PAYER_IBAN", IBAN)
    settings.cache_clear()
    before = snapshot(world.environment)
    for raw, account in ((of_others, "cash:bank"), (of_ours, "cash:stripe")):
        answer = send(world.operator, raw, account=account, format="camt.053")
        assert (answer.status, answer.json["errors"][0]["field"]) == (422, "account")
    assert snapshot(world.environment) == before
    assert send(world.operator, of_ours, format="camt.053").status == 202


def test_an_account_is_one_that_the_platform_has(world: World) -> None:
    for account in ("cash:bank", "cash:stripe", "cash:local"):
        assert send(world.operator, csv_file(ROW), account=account).status == 202
    refused = send(world.operator, csv_file(ROW), account="cash:bnak")
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "account")
    # One more is opened by moving money there.
    world.work()
    made = world.operator.get("/v1/reconciliations").json["items"][0]
    savings = {"account": "cash:savings", "new_account": True}
    assert resolve(world, made, 1, "post_to_other_account", **savings).status == 200
    assert send(world.operator, csv_file(ROW), account="cash:savings").status == 202


def test_a_file_of_lines_may_be_of_more_days_than_they_are(world: World) -> None:
    made = send(world.operator, csv_file(ROW), first="2026-03-01", last="2026-03-31").json
    assert (made["first"], made["last"]) == ("2026-03-01", "2026-03-31")
    fewer = send(world.operator, csv_file(ROW, ROW), first="2026-03-02", last="2026-03-02").json
    assert (fewer["first"], fewer["last"]) == ("2026-03-02", "2026-03-20")
    for field, day in (("first", "2026-02-30"), ("last", "1.3.2026")):
        refused = send(world.operator, csv_file(ROW, ROW, ROW), **{field: day})
        assert (refused.status, refused.json["errors"][0]["field"]) == (422, field)
    long = send(world.operator, csv_file(ROW, ROW, ROW), first="2025-12-01")
    assert "more than 100 days" in long.json["detail"]


@pytest.mark.parametrize("account", ["platform:revenue", "cash:", "cash:Bank", "leader:x"])
def test_a_statement_is_of_a_cash_account(world: World, account: str) -> None:
    answer = send(world.operator, csv_file(ROW), account=account)
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "account")


def test_a_file_may_be_larger_than_other_bodies_but_not_beyond_its_own_limit(
    world: World,
) -> None:
    rows = [("2026-03-20", "1.00", "EUR", "x" * 100_000)] * 5
    assert send(world.operator, csv_file(*rows, columns="date,amount,currency,text")).status == 202
    answer = send(world.operator, b" " * (4 * 1024 * 1024 + 1))
    assert (answer.status, answer.json["code"]) == (413, "body_too_large")
