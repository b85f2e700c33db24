"""The settlement store: earnings by day, what runs have taken, statements, pages and markers."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kernel import clock
from chalicelib.kernel.errors import Conflict, Stale
from chalicelib.platform import store
from chalicelib.platform.pages import PageRequest
from chalicelib.platform.transaction import create, write
from chalicelib.settlement import bonus_store, dry_store, earning, run_store
from chalicelib.settlement import store as settlement
from chalicelib.settlement.campaign_totals import CampaignTotal, moved
from chalicelib.settlement.cap_sums import summed_lines
from chalicelib.settlement.caps import CappedDay
from chalicelib.settlement.dry_store import DryLinesRow
from chalicelib.settlement.earning import RefundOfDelivery, RefundOfEarnings
from chalicelib.settlement.rules import (
    Adjustment,
    Bonus,
    EarnedLine,
    Earnings,
    FirstOrder,
    LeaderOfRun,
    OfKind,
    Run,
    Statement,
    Total,
    WaitingLines,
)
from chalicelib.settlement.run_store import AlreadySettled, RunRow
from chalicelib.settlement.store import StatementRow
from tests.support.made import NOW

OTHER_RUNS = Conflict("another run", code="settlement_run_in_progress")


def line(amount: int, order_id: str = "ord_1", kind: Any = "commission") -> EarnedLine:
    return EarnedLine(order_id, "sku_1", kind, "sales", amount * 10, 1000, amount, "2026-03-10")


def earn(day: str, source: str, lines: Sequence[EarnedLine], leader_id: str = "ldr_1") -> None:
    write(*earning.earn(leader_id, "EUR", day, {source: lines}))


def take(day: str, closing: int = 0) -> None:
    read = settlement.get_earnings("ldr_1")
    write(settlement.take(statement(day, total=closing), read))


def matured(after: str, through: str) -> list[tuple[str, int, int]]:
    rows = settlement.maturing_between("ldr_1", after, through)
    return [(row.sk.removeprefix("maturing#"), row.matured, row.adjusted) for row in rows]


def amounts(after: str, through: str) -> list[int]:
    return [each.amount for each in settlement.earned_between("ldr_1", after, through)]


def test_a_delivery_turns_what_was_estimated_into_what_matures() -> None:
    write(*earning.estimate({"ldr_1": 500}))
    earn("2026-03-10", "dsp_1", [line(100), line(200)])
    earnings = settlement.get_earnings("ldr_1")
    assert (earnings.estimated, earnings.version) == (200, 1)
    assert matured("", "2026-03-10") == [("2026-03-10", 300, 0)]
    assert amounts("", "2026-03-10") == [100, 200]


def test_deliveries_of_a_day_add_up_and_leaders_stay_apart() -> None:
    earn("2026-03-10", "dsp_1", [line(100)])
    earn("2026-03-10", "dsp_2", [line(50)])
    earn("2026-03-10", "dsp_3", [line(7)], leader_id="ldr_2")
    assert matured("", "2026-03-10") == [("2026-03-10", 150, 0)]
    assert amounts("", "2026-03-10") == [100, 50]


def test_days_after_one_and_up_to_another_are_taken() -> None:
    for day in ("2026-03-08", "2026-03-09", "2026-03-10", "2026-03-11"):
        earn(day, "dsp_1", [line(int(day[-2:]))])
    assert [day for day, *_ in matured("2026-03-08", "2026-03-10")] == ["2026-03-09", "2026-03-10"]
    assert amounts("2026-03-08", "2026-03-10") == [9, 10]
    assert amounts("", "2026-03-08") == [8]
    assert matured("2026-03-11", "2026-03-20") == []


@pytest.mark.parametrize("through", ["2026-03-10", "2026-03-09", "2026-02-28"])
def test_a_run_of_an_earlier_date_than_the_last_one_takes_nothing(through: str) -> None:
    earn("2026-03-10", "dsp_1", [line(100)])
    assert matured("2026-03-10", through) == []


def test_what_has_been_taken_takes_no_more() -> None:
    earn("2026-03-10", "dsp_1", [line(100)])
    take("2026-03-10", closing=100)
    with pytest.raises(Stale):
        earn("2026-03-10", "dsp_2", [line(50)])
    assert matured("", "2026-03-10") == [("2026-03-10", 100, 0)]
    earn("2026-03-11", "dsp_2", [line(50)])
    earnings = settlement.get_earnings("ldr_1")
    assert (earnings.settled_through, earnings.closing_balance) == ("2026-03-10", 100)


def kinds(day: str) -> dict[Any, int]:
    (row,) = settlement.maturing_between("ldr_1", "", day)
    assert row.is_told_by_kind
    return dict(row.kinds)


def test_a_day_keeps_what_its_lines_come_to_by_kind() -> None:
    day, spread = "2026-03-10", replace(line(20, kind="spread"), basis="spread")
    earn(day, "prc_1", [line(100), spread])
    read = settlement.get_earnings("ldr_1")
    less = [line(-40, kind="clawback"), replace(spread, kind="clawback", amount=-5)]
    part = RefundOfDelivery("prc_1", day, [line(60), replace(spread, amount=15)], less)
    beside = [(day, line(40, kind="kept"))]
    write(*earning.take_back(read, "EUR", RefundOfEarnings("rfd_1", 0, [part], beside)))
    assert kinds(day) == {"commission": 60, "spread": 15, "kept": 40}
    take(day, closing=115)
    read = settlement.get_earnings("ldr_1")
    write(*earning.take_back(read, "EUR", RefundOfEarnings("rfd_2", 0, [part])))
    (late,) = settlement.maturing_between("ldr_1", day, "9999-12-31")
    assert (late.kinds, late.is_told_by_kind) == ({"clawback": -45}, True)


def test_a_day_that_was_begun_without_kinds_is_not_told_by_them() -> None:
    write(settlement.change_maturing("ldr_1", "2026-03-10", "EUR", matured=100))
    earn("2026-03-10", "prc_1", [line(7)])
    (row,) = settlement.maturing_between("ldr_1", "", "2026-03-10")
    assert (row.kinds, row.is_told_by_kind) == ({"commission": 7}, False)


def test_a_statement_is_kept_with_what_its_lines_come_to() -> None:
    made, sums = statement("2026-03-10", total=95), (OfKind("cap", -5), OfKind("commission", 100))
    with pytest.raises(Stale):
        write(settlement.keep_by_kind(made, sums))
    write(create(StatementRow.of(made)))
    assert settlement.get_statement("ldr_1", made.run_id) == made
    write(settlement.keep_by_kind(made, sums))
    assert settlement.get_statement("ldr_1", made.run_id) == replace(made, by_kind=sums)


def test_a_run_cannot_take_days_that_have_changed_since_it_read_them() -> None:
    earn("2026-03-10", "dsp_1", [line(100)])
    read = settlement.get_earnings("ldr_1")
    earn("2026-03-10", "dsp_2", [line(50)])
    with pytest.raises(Stale):
        write(settlement.take(statement("2026-03-10", total=100), read))
    assert settlement.get_earnings("ldr_1").settled_through == ""


def test_days_are_taken_once() -> None:
    earn("2026-03-10", "dsp_1", [line(100)])
    read = settlement.get_earnings("ldr_1")
    write(settlement.take(statement("2026-03-10", total=100), read))
    with pytest.raises(Stale):
        write(settlement.take(statement("2026-03-10", total=100), read))


def test_an_estimate_does_not_hold_up_a_run() -> None:
    earn("2026-03-10", "dsp_1", [line(100)])
    read = settlement.get_earnings("ldr_1")
    write(*earning.estimate({"ldr_1": 70}))
    write(settlement.take(statement("2026-03-10", total=100), read))
    assert settlement.get_earnings("ldr_1").estimated == -30


def refund_of(bucket: str, left: int, back: int) -> RefundOfEarnings:
    part = RefundOfDelivery(
        "dsp_1", bucket, remaining=[line(left)], reversed=[line(-back, kind="clawback")]
    )
    return RefundOfEarnings("rfd_1", 0, [part])


def test_a_refund_before_a_run_voids_its_share() -> None:
    earn("2026-03-10", "dsp_1", [line(100)])
    read = settlement.get_earnings("ldr_1")
    write(*earning.take_back(read, "EUR", refund_of("2026-03-10", left=60, back=40)))
    assert matured("", "2026-03-31") == [("2026-03-10", 60, 0)]
    assert amounts("", "2026-03-31") == [60]


def test_a_refund_after_a_run_is_clawed_back_in_the_next() -> None:
    earn("2026-03-10", "dsp_1", [line(100)])
    take("2026-03-10", closing=100)
    read = settlement.get_earnings("ldr_1")
    write(*earning.take_back(read, "EUR", refund_of("2026-03-10", left=60, back=40)))
    assert matured("", "2026-03-10") == [("2026-03-10", 100, 0)]
    assert matured("2026-03-10", "2026-03-31") == [("2026-03-11", 0, -40)]
    assert amounts("2026-03-10", "2026-03-31") == [-40]


def test_a_refund_judged_before_a_run_came_in_is_judged_again() -> None:
    earn("2026-03-10", "dsp_1", [line(100)])
    read = settlement.get_earnings("ldr_1")
    take("2026-03-10", closing=100)
    with pytest.raises(Stale):
        write(*earning.take_back(read, "EUR", refund_of("2026-03-10", left=60, back=40)))
    assert amounts("", "2026-03-31") == [100]


def test_what_was_taken_is_kept_and_matures_again_on_its_day_or_the_first_open_one() -> None:
    lines = [
        line(40, kind="adjustment"),
        replace(line(5, kind="adjustment"), matured_on="2026-04-01"),
    ]
    write(*earning.keep_taken("rfd_1", {"ldr_1": lines, "ldr_2": lines[:1]}))
    with pytest.raises(Stale):
        write(*earning.keep_taken("rfd_1", {"ldr_2": lines}))
    kept = settlement.taken(["ldr_1", "ldr_2", "ldr_3"], "rfd_1")
    assert {each: list(of_leader) for each, of_leader in kept.items()} == {
        "ldr_1": lines,
        "ldr_2": lines[:1],
    }
    take("2026-03-10")
    read = settlement.get_earnings("ldr_1")
    write(*earning.give_back(read, "EUR", "cbk_1", kept["ldr_1"]))
    assert matured("", "2026-04-30") == [("2026-03-11", 40, 0), ("2026-04-01", 5, 0)]
    assert amounts("", "2026-04-30") == [40, 5]


def test_what_is_given_back_is_judged_again_where_a_run_came_in() -> None:
    read = settlement.get_earnings("ldr_1")
    take("2026-03-10")
    with pytest.raises(Stale):
        write(*earning.give_back(read, "EUR", "cbk_1", [line(40, kind="adjustment")]))


def adjustment(n: int) -> Adjustment:
    at = NOW + timedelta(seconds=n)
    return Adjustment(
        f"adj_{9 - n}", "ldr_1", -n, "EUR", "a “reason”", f"no. {n}", "2026-03-10", at, "op_1"
    )


def test_adjustments_are_made_once_and_listed_by_age() -> None:
    made = [adjustment(n) for n in range(1, 4)]
    for each in made:
        write(*bonus_store.add_adjustment(each))
    with pytest.raises(Stale):
        write(*bonus_store.add_adjustment(replace(made[0], made_at=NOW)))
    assert bonus_store.get_adjustment("ldr_1", "adj_7") == made[1]
    assert bonus_store.get_adjustment("ldr_1", "adj_1") is None
    assert bonus_store.all_adjustments("ldr_1") == made
    assert bonus_store.all_adjustments("ldr_2") == []
    first = bonus_store.adjustments("ldr_1", PageRequest("list", 2))
    assert first.items == (made[2], made[1])
    then = bonus_store.adjustments("ldr_1", PageRequest("list", 2, first.next_after))
    assert (then.items, then.next_after) == ((made[0],), None)
    assert bonus_store.adjustments("ldr_2", PageRequest("list", 2)).items == ()


def test_what_is_posted_to_the_available_balance_is_in_the_next_run() -> None:
    take("2026-03-10", closing=100)
    read = settlement.get_earnings("ldr_1")
    write(*earning.adjust(read, "EUR", "pyt_1", [line(-70, kind="payout")]))
    assert matured("2026-03-10", "2026-03-31") == [("2026-03-11", 0, -70)]
    assert amounts("2026-03-10", "2026-03-31") == [-70]


def test_what_is_posted_before_any_run_is_in_the_first() -> None:
    read = settlement.get_earnings("ldr_1")
    write(*earning.adjust(read, "EUR", "bonus_1", [line(30, kind="bonus"), line(5, kind="bonus")]))
    assert [row[1:] for row in matured("", "2026-03-10")] == [(0, 35)]
    assert amounts("", "2026-03-10") == [30, 5]


def test_what_is_posted_is_judged_again_where_a_run_came_in() -> None:
    read = settlement.get_earnings("ldr_1")
    take("2026-03-10")
    with pytest.raises(Stale):
        write(*earning.adjust(read, "EUR", "pyt_1", [line(-70, kind="payout")]))


def test_a_run_that_read_before_something_was_posted_reads_again() -> None:
    earn("2026-03-10", "dsp_1", [line(100)])
    read = settlement.get_earnings("ldr_1")
    write(*earning.adjust(read, "EUR", "pyt_1", [line(-70, kind="payout")]))
    with pytest.raises(Stale):
        write(settlement.take(statement("2026-03-10", total=100), read))


def statement(run_date: str, opening: int = 0, total: int = 0) -> Statement:
    return Statement(
        leader_id="ldr_1",
        run_id=f"run_{run_date}",
        business_date=run_date,
        currency="EUR",
        after_day="",
        opening_balance=opening,
        total=total,
        closing_balance=opening + total,
        made_at=NOW,
    )


def test_statements_are_listed_newest_first_in_pages() -> None:
    made = [statement(f"2026-03-{day:02}", opening=day) for day in range(1, 8)]
    for each in made:
        write(create(StatementRow.of(each)))
    assert settlement.get_statement("ldr_1", "run_2026-03-03") == made[2]
    assert settlement.get_statement("ldr_2", "run_2026-03-03") is None
    assert settlement.get_statements("run_2026-03-03", ["ldr_1", "ldr_2"]) == {"ldr_1": made[2]}
    first = settlement.statements("ldr_1", PageRequest("statements", 3))
    second = settlement.statements("ldr_1", PageRequest("statements", 3, first.next_after))
    third = settlement.statements("ldr_1", PageRequest("statements", 3, second.next_after))
    pages = [[each.opening_balance for each in page.items] for page in (first, second, third)]
    assert pages == [[7, 6, 5], [4, 3, 2], [1]]
    assert third.next_after is None


def run(business_date: str, **changes: Any) -> Run:
    usual: dict[str, Any] = {
        "id": f"run_{business_date}",
        "business_date": business_date,
        "status": "running",
        "leaders_total": 0,
        "leaders_settled": 0,
        "totals": (Total("EUR", 900), Total("USD", 5)),
        "started_at": NOW,
        "completed_at": None,
        "listed": False,
        "version": 1,
    }
    return Run(**{**usual, **changes})


def test_a_run_comes_back_as_it_was_written_and_changes_by_version() -> None:
    made = run("2026-03-10")
    write(create(RunRow.of(made)))
    assert run_store.get_run(made.id) == made
    write(run_store.replace_run(run("2026-03-10", listed=True, version=2), 1))
    with pytest.raises(Stale):
        write(run_store.replace_run(run("2026-03-10", version=2), 1))
    found = run_store.get_run(made.id)
    assert found is not None
    assert found.listed


def test_runs_are_listed_latest_date_first() -> None:
    for day in ("2026-03-09", "2026-03-11", "2026-03-10"):
        write(create(RunRow.of(run(day))))
    listed = run_store.runs(PageRequest("runs", 2))
    assert [each.business_date for each in listed.items] == ["2026-03-11", "2026-03-10"]
    rest = run_store.runs(PageRequest("runs", 2, listed.next_after))
    assert [each.business_date for each in rest.items] == ["2026-03-09"]


def test_one_run_is_under_way_at_a_time() -> None:
    first, second = run("2026-03-09"), run("2026-03-10")
    assert run_store.current_run_id() is None
    write(run_store.begin(first, OTHER_RUNS))
    write(run_store.begin(first, OTHER_RUNS))
    with pytest.raises(Conflict):
        write(run_store.begin(second, OTHER_RUNS))
    with pytest.raises(Stale):
        write(run_store.end(second))
    assert run_store.current_run_id() == first.id
    write(run_store.end(first))
    assert run_store.current_run_id() is None


def test_a_page_is_listed_once_and_closed_with_what_it_comes_to() -> None:
    write(run_store.add_page("run_1", 0, ["ldr_1", "ldr_2"], listed=2, is_last=False))
    with pytest.raises(Stale):
        write(run_store.add_page("run_1", 0, ["ldr_3"], listed=1, is_last=True))
    page = run_store.get_page("run_1", 0)
    assert page is not None
    assert (page.leader_ids, page.is_last, page.is_closed) == (("ldr_1", "ldr_2"), False, False)
    run_store.close_page(page, 2, 0, [Total("EUR", 900)])
    closed = run_store.get_page("run_1", 0)
    assert closed is not None
    assert (closed.is_closed, closed.settled, closed.totals) == (True, 2, (Total("EUR", 900),))


def list_pages(pages: int, closed: int = 0) -> None:
    """So many pages of one leader each, of which the first ones are closed."""
    for number in range(pages):
        row = run_store.add_page(
            "run_1", number, [f"ldr_{number}"], listed=number + 1, is_last=False
        )
        write(row)
    for number in range(closed):
        page = run_store.get_page("run_1", number)
        assert page is not None
        run_store.close_page(page, number + 1, 0, [])


def number_of(page: Any) -> int | None:
    return page.number if page else None


def test_the_last_page_is_found_beyond_the_ninth() -> None:
    assert run_store.last_page("run_1") is None
    list_pages(12)
    assert number_of(run_store.last_page("run_1")) == 11


@pytest.mark.parametrize(
    ("pages", "closed", "first"),
    [(0, 0, None), (1, 0, 0), (1, 1, 0), (2, 1, 1), (7, 0, 0), (7, 3, 3), (7, 6, 6), (7, 7, 6)],
)
def test_the_first_open_page_is_found_by_halving(
    pages: int, closed: int, first: int | None
) -> None:
    list_pages(pages, closed)
    assert number_of(run_store.first_open_page("run_1")) == first
    still_open = [page.number for page in run_store.open_pages("run_1", 2)]
    assert still_open == list(range(pages))[closed : closed + 2]


def leader(amount: int = 0, leader_id: str = "ldr_1", status: Any = "settled") -> LeaderOfRun:
    return LeaderOfRun(leader_id, status, "EUR" if amount else None, amount, 0, amount, amount)


def test_a_leader_is_marked_once_a_run() -> None:
    write(run_store.marker("run_1", 0, leader(300)))
    with pytest.raises(AlreadySettled):
        write(run_store.marker("run_1", 0, leader(300)))
    write(run_store.marker("run_2", 0, leader()))
    (found,) = run_store.markers("run_1", 0)
    assert (found.of_leader, found.page_number) == (leader(300), 0)
    assert run_store.get_marker("run_1", 0, "ldr_2") is None
    assert run_store.get_marker("run_1", 1, "ldr_1") is None


def test_a_marker_is_replaced_once_and_only_where_the_leader_was_set_aside() -> None:
    write(run_store.marker("run_1", 0, leader(status="set_aside")))
    write(run_store.marker("run_1", 0, leader(300), late=True))
    with pytest.raises(AlreadySettled):
        write(run_store.marker("run_1", 0, leader(300), late=True))
    (found,) = run_store.markers("run_1", 0)
    assert found.of_leader == leader(300)


def test_markers_go_on_behind_a_leader() -> None:
    for n in range(4):
        write(run_store.marker("run_1", 0, leader(leader_id=f"ldr_{n}")))
    assert [row.sk for row in run_store.markers("run_1", 0, "ldr_1", 2)] == ["ldr_2", "ldr_3"]


def test_who_is_set_aside_is_behind_until_it_is_settled() -> None:
    aside = run("2026-03-10")
    write(run_store.note_failure(aside.id, 3, "ldr_1", "poison"))
    write(run_store.note_failure(aside.id, 3, "ldr_1", "poison again"))
    assert run_store.behind("ldr_1") == []
    write(*run_store.set_aside(aside, 3, "ldr_1", NOW))
    (trouble,) = run_store.behind("ldr_1")
    assert (trouble.run_id, trouble.page, trouble.failures) == (aside.id, 3, 2)
    assert trouble.cause == "poison again"
    assert settlement.get_earnings("ldr_1") == Earnings("ldr_1", behind=1)
    assert [(row.sk, row.page) for row in run_store.asides(aside.id)] == [("ldr_1", 3)]
    write(*run_store.caught_up(aside.id, "ldr_1", NOW), settlement.change_behind("ldr_1", -1))
    assert (run_store.behind("ldr_1"), run_store.asides(aside.id)) == ([], [])


def test_a_dry_run_leaves_nobody_behind() -> None:
    write(*run_store.set_aside(run("2026-03-10", dry_run=True), 0, "ldr_1", NOW))
    assert run_store.behind("ldr_1") == []
    assert settlement.get_earnings("ldr_1").behind == 0


def test_lines_are_told_by_day_and_statements_from_a_date_on() -> None:
    for day, amount in (("2026-03-10", 100), ("2026-03-11", 200), ("2026-03-12", 300)):
        earn(day, "dsp_1", [line(amount), line(1)])
    by_day = settlement.earned_by_day("ldr_1", "2026-03-10", "2026-03-31")
    assert {day: [each.amount for each in of] for day, of in by_day.items()} == {
        "2026-03-11": [200, 1],
        "2026-03-12": [300, 1],
    }
    assert settlement.earned_by_day("ldr_1", "2026-03-12", "2026-03-12") == {}
    for day in ("2026-03-09", "2026-03-10", "2026-03-11"):
        write(create(StatementRow.of(statement(day))))
    made = settlement.statements_from("ldr_1", "2026-03-10")
    assert [each.business_date for each in made] == ["2026-03-10", "2026-03-11"]


def test_what_a_capped_day_comes_to_is_kept() -> None:
    borne = (("supplier:sup_1:payable", 200),)
    days = [
        CappedDay(f"2026-{on}", "promoter", "pln_1", "offer", 500, 700, borne)
        for on in ("03-09", "03-10", "03-19", "04-10")
    ]
    puts = settlement.keep_capped("ldr_1", days)
    assert len(puts) == 3
    write(*puts)
    assert settlement.capped_days("ldr_1", ["2026-03-02"]) == days[:1]
    assert settlement.capped_days("ldr_1", ["2026-03-10", "2026-03-11"]) == days[1:3]
    assert settlement.capped_days("ldr_1", ["2026-03-20"]) == []


def test_what_is_capped_adds_up_beside_its_day() -> None:
    for parcel, amount in (("prc_1", 100), ("prc_2", 50)):
        capped = replace(line(amount), day_cap=500, delivered_on="2026-03-03")
        earn("2026-03-10", parcel, [capped, line(7)])
    borne = replace(capped, amount=3, borne_by="supplier:sup_1:payable")
    earn("2026-03-10", "prc_3", [borne])
    (day,) = settlement.maturing_between("ldr_1", "", "2026-03-10")
    own, of_supplier = summed_lines(day.caps)
    assert (day.matured, own.amount, own.day_cap) == (167, 150, 500)
    assert (of_supplier.amount, of_supplier.borne_by) == (3, "supplier:sup_1:payable")
    assert own.delivered_on == of_supplier.delivered_on == "2026-03-03"


def test_lines_that_wait_say_which_were_posted_already() -> None:
    own, taken, kept = line(100), line(-30), line(30)
    write(
        settlement.write_earned("ldr_1", "2026-03-10", "prc_1", [own]),
        settlement.write_earned("ldr_1", "2026-03-11", "rfd_1", [kept], [taken]),
    )
    both = [
        WaitingLines("2026-03-10", (), (own,)),
        WaitingLines("2026-03-11", (taken,), (kept,)),
    ]
    assert settlement.waiting_after("ldr_1", "") == both
    assert settlement.waiting_after("ldr_1", "2026-03-09") == both
    assert settlement.waiting_after("ldr_1", "2026-03-10") == both[1:]
    assert settlement.waiting_after("ldr_1", "2026-03-11") == []
    assert settlement.earned_between("ldr_1", "", "2026-03-11") == [own, taken, kept]


def test_a_dry_statement_has_the_lines_of_the_worker_that_kept_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dry_store, "LINES_A_ROW", 2)
    real = statement("2026-03-10")
    write(create(StatementRow.of(real)))
    cap = replace(line(-10), kind="cap")
    made = replace(real, run_id="run_2026-03-10-0a", caps=(cap,))
    lines = [line(n) for n in range(1, 6)]
    until = clock.now() + timedelta(hours=1)
    dry_store.keep_lines(made, 10, [line(7)], until)
    dry_store.keep_lines(made, 1, lines, until)
    assert dry_store.get_statement("ldr_1", made.run_id) is None
    write(dry_store.keep(made, 1, until))
    with pytest.raises(Stale):
        write(dry_store.keep(made, 10, until))
    found = dry_store.get_statement("ldr_1", made.run_id)
    assert found is not None
    assert list(found.lines) == [*lines, cap]
    assert settlement.statements_from("ldr_1", "2026-01-01") == [real]


def test_all_of_a_dry_statement_is_let_go_at_one_instant() -> None:
    dry = run("2026-03-10", id="run_2026-03-10-0a", dry_run=True)
    until, made = dry_store.let_go_at(dry), replace(statement("2026-03-10"), run_id=dry.id)
    assert until - dry.started_at == timedelta(days=90)
    dry_store.keep_lines(made, 1, [line(5)], until)
    write(dry_store.keep(made, 1, until))
    rows = store.query(DryLinesRow, "ldr_1", where=DryLinesRow.sk.startswith("dry"))
    assert [row.ttl for row in rows] == [until.replace(microsecond=0)] * 2


def test_a_dry_run_is_listed_apart_and_goes_beside_a_run() -> None:
    dry = run("2026-03-10", id="run_2026-03-10-0a", dry_run=True)
    for each in (run("2026-03-10"), dry):
        write(create(RunRow.of(each)), run_store.begin(each, OTHER_RUNS))
    assert [each.id for each in run_store.runs(PageRequest("runs")).items] == ["run_2026-03-10"]
    assert run_store.runs(PageRequest("runs"), dry=True).items == (dry,)
    assert run_store.current_run_id(dry=True) == dry.id


def test_a_statement_follows_only_on_the_last_one() -> None:
    earn("2026-03-10", "dsp_1", [line(100)])
    read = settlement.get_earnings("ldr_1")
    take("2026-03-10")
    forged = replace(settlement.get_earnings("ldr_1"), last_run_id=read.last_run_id)
    with pytest.raises(Stale):
        write(settlement.take(statement("2026-03-11"), forged))


def a_bonus(name: str, minute: int = 0) -> Bonus:
    return Bonus(
        id=f"bns_{name}",
        leader_id="ldr_1",
        kind="campaign_total",
        task="",
        reference="cmp_1",
        amount=200,
        currency="EUR",
        matures_on="2026-03-10",
        given_at=NOW + timedelta(minutes=minute),
        given_by="cpl_1",
        order_id="ord_1",
        threshold=3000,
        plan_id="cpl_1",
        plan_version=2,
        waits_on="2026-03-10",
    )


def test_a_bonus_is_given_taken_back_and_given_again_once_each() -> None:
    given = a_bonus("a")
    back = replace(given, taken_back_at=NOW, taken_back_by="rfd_1")
    again = replace(given, times=2)
    write(*bonus_store.add_bonus(given))
    with pytest.raises(Stale):
        write(*bonus_store.add_bonus(given))
    with pytest.raises(Stale):
        write(bonus_store.replace_bonus(back, again))
    for before, after in ((given, back), (back, again)):
        write(bonus_store.replace_bonus(before, after))
        assert bonus_store.get_bonus("ldr_1", "bns_a") == after
        with pytest.raises(Stale):
            write(bonus_store.replace_bonus(before, after))
    assert bonus_store.get_bonus("ldr_2", "bns_a") is None


def test_a_leaders_bonuses_are_listed_the_last_given_first() -> None:
    made = [a_bonus(name, minute) for name, minute in (("b", 2), ("c", 1), ("a", 2))]
    for each in made:
        write(*bonus_store.add_bonus(each))
    first = bonus_store.bonuses("ldr_1", PageRequest("", 2))
    assert first.items == (made[0], made[2])
    second = bonus_store.bonuses("ldr_1", PageRequest("", 2, first.next_after))
    assert (second.items, second.next_after) == ((made[1],), None)
    assert bonus_store.bonuses("ldr_2", PageRequest("", 2)).items == ()


def test_a_customers_first_order_is_one() -> None:
    first = FirstOrder("cus_1", "ord_1", is_rewarded=True)
    assert bonus_store.first_order_of("cus_1") is None
    write(bonus_store.keep_first_order(first))
    with pytest.raises(Stale):
        write(bonus_store.keep_first_order(replace(first, order_id="ord_2")))
    assert bonus_store.first_order_of("cus_1") == first


def test_a_campaigns_total_is_begun_once_and_moved_within_bounds() -> None:
    nothing = bonus_store.campaign_total("ldr_1", "cmp_1")
    assert nothing == CampaignTotal("ldr_1", "cmp_1")
    first = moved(nothing, 1000, [3000])
    write(bonus_store.move_campaign_total(first))
    with pytest.raises(Stale):
        write(bonus_store.move_campaign_total(first))
    read = bonus_store.campaign_total("ldr_1", "cmp_1")
    assert read == first.after
    # Two who have read 10.00 add 5.00 each, and a third one 15.00, which is too late then.
    write(bonus_store.move_campaign_total(moved(read, 500, [3000])))
    write(bonus_store.move_campaign_total(moved(read, 500, [3000])))
    with pytest.raises(Stale):
        write(bonus_store.move_campaign_total(moved(read, 1500, [3000])))
    read = bonus_store.campaign_total("ldr_1", "cmp_1")
    write(bonus_store.move_campaign_total(moved(read, 1500, [3000])))
    assert bonus_store.campaign_total("ldr_1", "cmp_1").reached == (3000,)
    with pytest.raises(Stale):
        write(bonus_store.move_campaign_total(moved(read, 1, [])))
    assert bonus_store.campaign_total("ldr_1", "cmp_1").total == 3500
    assert bonus_store.campaign_total("ldr_1", "cmp_2").total == 0
