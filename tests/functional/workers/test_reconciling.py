"""Kinds of discrepancy planted in a statement, all found end to end; and statements that overlap,
side by side."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest

from chalicelib.kernel import clock
from chalicelib.kernel.currencies import in_minor
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.platform.transaction import write
from chalicelib.reconciliation import claim_store, going_on
from tests.functional.conftest import Clock, new_world
from tests.support.statements import csv_file, differences, reconcile, resolve, send
from tests.support.world import Issuer, World

pytestmark = pytest.mark.usefixtures("days_to_come")

BANK, STRIPE = "cash:bank", "cash:stripe"
COLUMNS = "date,amount,currency,reference,bank_ref,type"
SOUND = 200


@pytest.fixture
def seeded(issuer: Issuer) -> Iterator[World]:
    """A world whose books are written into it, so that they are of nothing else."""
    with new_world(issuer) as made:
        yield made


def name_of(n: int) -> str:
    return f"rfd_{n:028x}"


def book(n: int, amount: int, account: str = BANK) -> None:
    """A refund that has left the account."""
    amounts = {account: -amount, books.REFUNDS_IN_FLIGHT: amount}
    name = name_of(n)
    write(*ledger.post(books.entry(f"refund-done:{name}", "EUR", name, clock.now(), amounts)))


def row(
    n: int,
    cents: int,
    *,
    day: int = 0,
    of: int | None = None,
    currency: str = "EUR",
    kind: str = "",
) -> tuple[Any, ...]:
    on = (clock.now() + timedelta(days=day)).date().isoformat()
    sign = "-" if cents < 0 else ""
    amount = f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02}"
    return on, amount, currency, name_of(of) if of is not None else "", f"R{n}", kind


def planted() -> dict[str, tuple[list[Any], list[Any]]]:
    """Rows of the statement, and entries, by the kind of what differs between them."""
    return {
        "extra": ([row(1000, -7001)], []),
        "amount": ([row(1001, -7010, of=1001)], [(1001, 7011, BANK)]),
        "currency": ([row(1002, -7020, of=1002, currency="USD")], [(1002, 7020, BANK)]),
        "duplicate": (
            [row(1003, -7030, of=1003), row(1103, -7030, of=1003)],
            [(1003, 7030, BANK)],
        ),
        "late": ([row(1004, -7040, of=1004, day=9)], [(1004, 7040, BANK)]),
        "fee": ([row(1005, -150, kind="fee")], []),
        "unknown_reference": ([row(1006, -7060, of=1006)], []),
        "wrong_direction": ([row(1007, 7070, of=1007)], [(1007, 7070, BANK)]),
        "wrong_account": ([row(1008, -7080, of=1008)], [(1008, 7080, STRIPE)]),
        "split": (
            [row(1009, -7000, of=1009), row(1109, -90, of=1009)],
            [(1009, 7090, BANK)],
        ),
        "ambiguous": ([row(1010, -7100)], [(1010, 7100, BANK), (1110, 7100, BANK)]),
        "missing": ([], [(1011, 7110, BANK)]),
        "transfer": ([row(1012, 7120, kind="transfer")], []),
    }


# What each is resolved by, for the books to say in the end what the statement says.
BY = {
    "fee": "post_fee",
    "amount": "post_fee",
    "late": "accept",
    "split": "accept",
}


def test_each_planted_kind_is_found_once_and_resolved_the_books_are_the_statement(
    seeded: World,
) -> None:
    plan = planted()
    rows = [row(n, -100 - n % 7, of=n) for n in range(SOUND)]
    for n in range(SOUND):
        book(n, 100 + n % 7)
    for lines, entries in plan.values():
        rows += lines
        for entry in entries:
            book(*entry)
    made = reconcile(seeded, csv_file(*rows, columns=COLUMNS))
    found = differences(seeded, made)
    assert Counter(each["kind"] for each in found) == dict.fromkeys(plan, 1)
    # The duplicate stands beside a line that matches.
    assert (made["matched"], made["lines"]) == (SOUND + 1, len(rows))
    for each in found:
        more = {"account": STRIPE} if each["kind"] == "transfer" else {}
        way = BY.get(each["kind"], "post_to_other_account" if more else "post_to_suspense")
        assert resolve(seeded, made, each["n"], way, **more).status == 200
    due = Counter[str]()
    for each in rows:
        due[each[2]] += in_minor(each[1], each[2])
    books_now = seeded.operator.get(f"/v1/ledger/trial-balance?prefix={BANK}").json
    in_bank = {each["currency"]: each["accounts"][0]["balance"] for each in books_now["currencies"]}
    assert in_bank == due


def test_what_is_dropped_because_another_account_took_a_part_of_it_is_missed_later(
    seeded: World, time: Clock
) -> None:
    """One line and two entries of its amount, of which another account's statement has one."""
    book(1, 300)
    book(2, 300)
    time.move_on(days=9)
    rows = row(1, -300, day=-9), row(2, 1)
    made = send(seeded.operator, csv_file(*rows, columns=COLUMNS)).json
    with mock.patch.object(going_on, "STEPS_A_MESSAGE", 1):
        while read(seeded, made)["status"] != "writing":
            going_on.go_on(made["id"])
    taken, left = (f"refund-done:{name_of(n)}" for n in (1, 2))
    write(claim_store.claim_entry(BANK, taken, "rec_other", "wrong_account"))
    seeded.work()
    assert what_differs(seeded, [made]) == {"extra", "matched_before"}
    time.move_on(days=9)
    later = reconcile(seeded, csv_file(row(3, 1, day=-8), row(4, 1), columns=COLUMNS))
    missed = [each["entries"] for each in differences(seeded, later) if each["kind"] == "missing"]
    assert missed == [[left]]


def overlap(world: World, time: Clock) -> list[Any]:
    """Two statements that both have the same lines, each matched before the other has written."""
    for n in range(30):
        book(n, 100 + n)
    files = [
        csv_file(*(row(n, -100 - n, of=n) for n in range(30)), row(first, 1), columns=COLUMNS)
        for first in (501, 502)
    ]
    made = [send(world.operator, raw).json for raw in files]
    world.messages("RECONCILE")
    with mock.patch.object(going_on, "STEPS_A_MESSAGE", 1):
        while {read(world, each)["status"] for each in made} != {"done"}:
            for each in made:
                going_on.go_on(each["id"])
    return [read(world, each) for each in made]


def read(world: World, made: Any) -> Any:
    return world.operator.get(f"/v1/reconciliations/{made['id']}").json


def test_two_statements_at_once_match_nothing_twice(seeded: World, time: Clock) -> None:
    first, second = overlap(seeded, time)
    assert first["matched"] + second["matched"] == 30
    assert first["repeated"] + second["repeated"] == 30


def in_a_row(world: World) -> list[Any]:
    """Two statements behind a first one, taken at once; the former has a refund's line, and the
    latter is worked at before it."""
    book(1, 300)
    reconcile(world, csv_file(row(1, 1, day=-9), row(2, 1, day=-5), columns=COLUMNS))
    files = (row(3, 1, day=-4), row(4, -300, of=1)), (row(5, 1, day=1), row(6, 1, day=10))
    made = [send(world.operator, csv_file(*each, columns=COLUMNS)).json for each in files]
    world.messages("RECONCILE")
    for each in reversed(made):
        for _ in range(3):
            going_on.go_on(each["id"])
    world.work()
    return [read(world, each) for each in made]


def what_differs(world: World, made: list[Any]) -> set[str]:
    return {found["kind"] for each in made for found in differences(world, each)}


def test_statements_of_an_account_are_gone_through_as_they_were_taken(
    seeded: World, time: Clock
) -> None:
    made = in_a_row(seeded)
    assert [each["status"] for each in made] == ["done"] * 2
    assert [each["matched"] for each in made] == [1, 0]
    # Lines that are there for their days alone.
    assert what_differs(seeded, made) == {"extra"}


def test_control_one_that_overtakes_another_misses_what_that_has(
    seeded: World, time: Clock
) -> None:
    with mock.patch.object(going_on, "_must_wait", return_value=False):
        made = in_a_row(seeded)
    assert what_differs(seeded, made) == {"extra", "missing", "gap"}


def test_control_without_claims_both_match_everything(seeded: World, time: Clock) -> None:
    def unclaimed(*_: Any, **__: Any) -> None:
        return None

    with (
        mock.patch.object(claim_store, "claim_entry", unclaimed),
        mock.patch.object(claim_store, "claim_line", unclaimed),
    ):
        first, second = overlap(seeded, time)
    assert first["matched"] + second["matched"] == 60
