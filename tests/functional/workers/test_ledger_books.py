"""The journal in its forms, closed months, and what a year came to for each leader."""

import csv
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from chalicelib.kernel import clock
from chalicelib.kernel.errors import Stale
from chalicelib.ledger import journal
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.platform.transaction import write
from tests.functional.conftest import new_world
from tests.functional.workers.conftest import StillClock
from tests.support import statements
from tests.support.gateway import Answer
from tests.support.granted import running_as
from tests.support.lambdas import invoke
from tests.support.world import Issuer, Json, Sale, World

MARCH, APRIL = "from=2026-03-01&to=2026-03-31", "from=2026-04-01&to=2026-04-30"


@pytest.fixture
def world(issuer: Issuer, time: StillClock) -> Iterator[World]:
    with new_world(issuer, COMMISSION_HOLD_DAYS="0", SETTLE_OPEN_DAY="1") as made:
        yield made


def asked(world: World, query: str) -> Answer:
    return world.operator.get(f"/v1/ledger/journal?{query}")


def post(entry_id: str, amounts: dict[str, int], currency: str = "EUR") -> None:
    with running_as(None):
        write(*ledger.post(books.entry(entry_id, currency, "ord_1", clock.now(), amounts)))


def listed(world: World, query: str) -> list[Json]:
    found: list[Json] = []
    cursor = ""
    while cursor is not None:
        answer = asked(world, f"{query}&cursor={cursor}" if cursor else query).json
        found += answer["items"]
        cursor = answer["next_cursor"]
    return found


def test_the_journal_is_paged_in_order_though_instants_are_the_same(
    world: World, time: StillClock
) -> None:
    for n in range(7):
        post(f"same:{n}", {"cash:a": 5, "cash:b": -5})
    time.move_on(days=1)
    post("later", {"cash:a": 5, "cash:b": -5})
    for limit in (1, 2, 3, 100):
        ids = [each["id"] for each in listed(world, f"{MARCH}&limit={limit}")]
        assert ids == [*(f"same:{n}" for n in range(7)), "later"]
    day = listed(world, "from=2026-03-11&to=2026-03-11")
    assert [(each["id"], each["business_date"], each["period"]) for each in day] == [
        ("later", "2026-03-11", "2026-03")
    ]


def test_the_history_of_an_account_is_what_posts_to_it(world: World) -> None:
    for n in range(6):
        post(f"e:{n}", {"cash:a" if n % 3 == 0 else "cash:b": 5, "platform:revenue": -5})
    for limit in (1, 2, 100):
        found = listed(world, f"{MARCH}&account=cash:a&limit={limit}")
        assert [each["id"] for each in found] == ["e:0", "e:3"]
    with mock.patch.object(journal, "ENTRIES_A_FILE", 2):
        assert len(listed(world, f"{MARCH}&account=cash:a")) == 2
        assert [
            text.count("e:") for text in parts(world, f"{MARCH}&account=cash:a&format=csv")
        ] == [*(2, 2, 0)]
    assert listed(world, f"{MARCH}&account=cash") == []


def test_days_begin_where_the_platform_is_at_home(issuer: Issuer, time: StillClock) -> None:
    with new_world(issuer, TIMEZONE="Asia/Shanghai") as world:
        time.move_to("2026-03-31T16:00:00.000Z")
        post("april", {"cash:a": 5, "cash:b": -5})
        time.move_to("2026-03-31T15:59:59.999Z")
        post("march", {"cash:a": 5, "cash:b": -5})
        time.move_on(days=1)
        assert [each["id"] for each in listed(world, MARCH)] == ["march"]
        (april,) = listed(world, "from=2026-04-01&to=2026-04-01")
        assert (april["id"], april["period"]) == ("april", "2026-04")


def test_the_journal_as_csv_adds_up_to_the_trial_balance(world: World) -> None:
    world.delivered_order(world.sale(), quantity=3)
    answer = asked(world, f"{MARCH}&format=csv")
    assert answer.headers["content-type"].startswith("text/csv")
    sums: dict[str, int] = {}
    for row in csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))):
        sums[row["account"]] = sums.get(row["account"], 0) + int(row["amount"])
    assert {account: amount for account, amount in sums.items() if amount} == world.trial_balance()


def bean_check(text: str, tmp_path: Path) -> str:
    """What `bean-check` complains of."""
    file = tmp_path / "journal.beancount"
    file.write_text(text)
    command = [str(Path(sys.executable).parent / "bean-check"), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr + ("" if done.returncode == 0 else "refused")


def test_bean_check_accepts_the_journal_in_all_currencies(world: World, tmp_path: Path) -> None:
    sale = world.sale()
    world.delivered_order(sale, quantity=3)
    world.operator.post("/v1/settlement-runs", {"business_date": "2026-03-10"})
    world.work()
    for currency, amount in (("JPY", 1200), ("KWD", 1234567), ("USD", 5)):
        moved = {"cash:stripe": amount, "platform:revenue": -amount}
        post(f'odd:"{currency}"\\:x', moved, currency)
    post("fees", {f"supplier:{sale.supplier_id}:owed": 700, "platform:revenue": -700})
    answer = asked(world, f"{MARCH}&format=beancount")
    assert answer.status == 200
    assert bean_check(answer.text, tmp_path) == ""
    assert "Assets:Cash:Stripe  1200 JPY" in answer.text
    assert "Assets:Cash:Stripe  1234.567 KWD" in answer.text
    assert "Assets:Cash:Stripe  0.05 USD" in answer.text


def test_bean_check_would_find_an_entry_that_is_out(world: World, tmp_path: Path) -> None:
    post("x", {"cash:a": 500, "cash:b": -500})
    text = asked(world, f"{MARCH}&format=beancount").text
    assert bean_check(text, tmp_path) == ""
    assert "does not balance" in bean_check(text.replace("-5.00", "-5.01"), tmp_path)
    opened = text.replace("open Assets:Cash:B", "open Assets:Cash:C")
    assert "unknown account" in bean_check(opened, tmp_path)


def test_beancount_loads_what_the_journal_says(world: World) -> None:
    from beancount import loader
    from beancount.core.data import Transaction

    order = world.delivered_order(world.sale(), quantity=3)
    entries, errors, _ = loader.load_string(asked(world, f"{MARCH}&format=beancount").text)
    assert errors == []
    told = [each for each in entries if isinstance(each, Transaction)]
    assert [each.meta["entry_id"] for each in told] == [each["id"] for each in listed(world, MARCH)]
    assert all(order["id"] in each.links for each in told)


def parts(world: World, query: str) -> list[str]:
    """A file, part by part."""
    found, cursor = list[str](), ""
    while True:
        answer = asked(world, f"{query}&cursor={cursor}" if cursor else query)
        assert answer.status == 200, answer.text
        found.append(answer.text)
        cursor = answer.headers.get("x-next-cursor", "")
        if not cursor:
            return found


@pytest.mark.parametrize("form", ["csv", "beancount"])
def test_a_day_of_any_number_of_entries_is_a_file_in_parts(
    world: World, tmp_path: Path, form: str
) -> None:
    for n in range(5):
        post(f"e:{n}", {f"cash:{n // 2}": 5, "platform:revenue": -5})
    query = f"{MARCH}&format={form}"
    (whole,) = parts(world, query)
    with mock.patch.object(journal, "ENTRIES_A_FILE", 2):
        some = parts(world, query)
    assert len(some) == 3
    if form == "csv":
        assert "".join(some) == whole
        return
    for each in (whole, *some, "".join(some)):
        assert bean_check(each, tmp_path) == ""
    assert loaded("".join(some)) == loaded(whole)


def test_an_export_that_came_to_its_last_entry_has_no_part_more(world: World) -> None:
    post("x", {"cash:a": 5, "cash:b": -5})
    with mock.patch.object(journal, "ENTRIES_A_FILE", 1):
        assert len(parts(world, f"{MARCH}&format=csv")) == 1
        assert asked(world, f"{MARCH}&format=csv&cursor=forged").json["code"] == "invalid_cursor"


def loaded(text: str) -> list[Any]:
    """What beancount makes of a file: its transactions, by their meta data and postings."""
    from beancount import loader
    from beancount.core.data import Transaction

    entries, errors, _ = loader.load_string(text)
    assert errors == []
    told = [each for each in entries if isinstance(each, Transaction)]
    return [
        (each.meta["entry_id"], [(one.account, one.units) for one in each.postings])
        for each in told
    ]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-03-02&to=2026-03-01", "to"),
        ("from=2026-03-01&to=2027-03-02", "to"),
        ("from=1800-03-01&to=1800-03-02", "from"),
        ("from=2026-02-30&to=2026-03-02", "from"),
        ("to=2026-03-02", "from"),
        (f"{MARCH}&format=pdf", "format"),
    ],
)
def test_days_that_cannot_be_are_refused(world: World, query: str, field: str) -> None:
    answer = asked(world, query)
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, field)


def close(world: World, month: str = "2026-03") -> Answer:
    return world.operator.post(f"/v1/ledger/periods/{month}/close")


def audited(world: World) -> None:
    world.operator.post("/v1/ledger/audit")
    invoke("ledger_audit")


def test_a_month_is_closed_once_it_is_over_and_audited(world: World, time: StillClock) -> None:
    post("x", {"cash:a": 5, "cash:b": -5})
    audited(world)
    assert close(world).json["code"] == "period_not_over"
    time.move_to("2026-04-01T00:14:59.999Z")
    assert close(world).json["code"] == "period_not_over"
    time.move_on(minutes=1)
    assert close(world).json["code"] == "audit_outdated"
    audited(world)
    closed = close(world)
    assert (closed.status, closed.json["entries"], closed.json["closed_by"]) == (201, 1, "op_test")
    time.move_on(days=1)
    again = close(world)
    assert (again.status, again.json) == (200, closed.json)
    assert world.operator.get("/v1/ledger/periods").json["items"] == [closed.json]
    audited(world)
    assert world.operator.get("/v1/ledger/audit").json["findings"] == []


def test_months_are_closed_in_their_order(world: World, time: StillClock) -> None:
    post("x", {"cash:a": 5, "cash:b": -5})
    time.move_to("2026-04-10T12:00:00.000Z")
    post("y", {"cash:a": 5, "cash:b": -5})
    time.move_to("2026-05-02T12:00:00.000Z")
    audited(world)
    refused = close(world, "2026-04")
    assert (refused.status, refused.code) == (409, "earlier_month_open")
    assert refused.json["detail"].startswith("2026-03 is open")
    # Nothing was booked before March, so that has nothing to wait for.
    assert [close(world, month).status for month in ("2026-03", "2026-04")] == [201, 201]


def test_a_month_with_findings_stays_open(world: World, time: StillClock) -> None:
    post("x", {"refunds_in_flight": -5, "cash:bank": 5})
    time.move_to("2026-04-02T12:00:00.000Z")
    audited(world)
    refused = close(world)
    assert (refused.status, refused.json["code"]) == (409, "audit_not_clean")
    assert "refunds_in_flight" in refused.json["detail"]
    assert world.operator.get("/v1/ledger/periods").json["items"] == []


@pytest.mark.parametrize("month", ["2026-13", "2026-3", "march", "0001-01", "9999-12"])
def test_a_month_that_is_none_is_refused(world: World, month: str) -> None:
    assert close(world, month).status == 422


def test_what_is_told_late_is_dated_into_the_open_month_and_names_its_own(
    world: World, time: StillClock
) -> None:
    sale = world.sale()
    order = world.paid_order(sale)
    (dispatch,) = order["dispatches"]
    world.move(dispatch["id"], "accept", "ship")
    on_time = world.paid_order(sale)["dispatches"][0]["id"]
    world.move(on_time, "accept", "ship", "deliver")
    time.move_to("2026-04-02T12:00:00.000Z")
    audited(world)
    closed = close(world).json
    delivered = {"delivered_at": "2026-03-30T10:00:00Z"}
    told = world.operator.post(f"/v1/dispatches/{dispatch['id']}/deliver", delivered)
    assert told.status == 200
    (april,) = listed(world, APRIL)
    assert (april["subject"], april["period"]) == (order["id"], "2026-04")
    assert april["belongs_to"] == "2026-03"
    march = listed(world, MARCH)
    assert len(march) == closed["entries"]
    assert {each["belongs_to"] for each in march} == {None}
    text = asked(world, f"{APRIL}&format=beancount").text
    assert 'belongs_to: "2026-03"' in text
    time.move_on(days=1)
    audited(world)
    assert world.operator.get("/v1/ledger/audit").json["findings"] == []


def test_what_a_run_takes_belongs_to_the_month_of_its_date(world: World, time: StillClock) -> None:
    time.move_to("2026-03-31T12:00:00.000Z")
    sale = world.sale()
    world.delivered_order(sale)
    time.move_to("2026-04-01T00:15:00.000Z")
    world.operator.post("/v1/settlement-runs", {"business_date": "2026-03-31"})
    world.work()
    (matured,) = listed(world, APRIL)
    assert matured["id"] == f"matured:run_2026-03-31:{sale.leader_id}"
    assert (matured["period"], matured["belongs_to"]) == ("2026-04", "2026-03")


def test_a_fee_belongs_to_the_month_in_which_it_fell_due(world: World, time: StillClock) -> None:
    time.move_to("2026-03-31T12:00:00.000Z")
    sale = world.sale()
    terms = {"basis": "cost", "annual_fee": 1000, "community_fee": 500}
    path = f"/v1/suppliers/{sale.supplier_id}/settlement-terms"
    assert world.operator.put(path, terms).status == 200
    (dispatch,) = world.paid_order(sale)["dispatches"]
    world.move(dispatch["id"], "accept", "ship")
    time.move_to("2026-04-01T02:00:00.000Z")
    delivered = {"delivered_at": "2026-03-31T18:00:00Z"}
    world.operator.post(f"/v1/dispatches/{dispatch['id']}/deliver", delivered)
    invoke("supplier_fees")
    told = {each["id"].partition(":")[0]: each["belongs_to"] for each in listed(world, APRIL)}
    assert told == dict.fromkeys(["delivered", "community_fee", "annual_fee"], "2026-03")


def test_what_a_statement_shows_belongs_to_the_month_of_its_line(
    world: World, time: StillClock
) -> None:
    time.move_to("2026-04-03T12:00:00.000Z")
    rows = [("2026-03-30", "-1.50", "EUR", "x"), ("2026-04-02", "-2.00", "EUR", "y")]
    made = statements.reconcile(world, statements.csv_file(*rows))
    for each in statements.differences(world, made):
        assert statements.resolve(world, made, each["n"], "post_fee").status == 200
    told = {each["postings"][0]["amount"]: each["belongs_to"] for each in listed(world, APRIL)}
    assert told == {-150: "2026-03", -200: None}


def test_an_entry_under_way_while_its_month_is_closed_is_not_written(
    world: World, time: StillClock
) -> None:
    time.move_to("2026-03-31T23:59:59.999Z")
    late = books.entry("late", "EUR", "ord_1", clock.now(), {"cash:a": 5, "cash:b": -5})
    post("x", {"cash:a": 5, "cash:b": -5})
    time.move_on(days=1)
    with running_as(None):
        writes = ledger.post(late)
    audited(world)
    assert close(world).status == 201
    with running_as(None):
        with pytest.raises(Stale):
            write(*writes)
        assert ledger.get_entry("late") is None
        # The control: without its month's check it would have been written.
        write(*writes[:-1])
        assert ledger.get_entry("late") == late
    audited(world)
    kinds = [each["check"] for each in world.operator.get("/v1/ledger/audit").json["findings"]]
    assert kinds == ["closed_periods_unchanged", "entries_unchanged"]


def test_an_entry_of_an_earlier_month_that_is_open_is_written(
    world: World, time: StillClock
) -> None:
    late = books.entry("late", "EUR", "ord_1", clock.now(), {"cash:a": 5, "cash:b": -5})
    time.move_to("2026-04-01T00:00:01.000Z")
    with running_as(None):
        write(*ledger.post(late))
        assert ledger.get_entry("late") == late


def test_a_year_of_a_leader_is_the_sum_of_its_statements(world: World, time: StillClock) -> None:
    sale = world.sale()
    time.move_to("2025-12-31T12:00:00.000Z")
    for day, quantity in (("2025-12-31", 1), ("2026-01-01", 2), ("2026-12-31", 3)):
        time.move_to(f"{day}T12:00:00.000Z")
        sale = world.sale(leader_id=sale.leader_id)
        order = world.delivered_order(sale, quantity)
        assert world.operator.post("/v1/settlement-runs", {"business_date": day}).status == 202
        world.work()
        if day == "2026-01-01":
            lines = [{"sku_id": sale.sku_ids[0], "quantity": 1}]
            body = {"lines": lines, "reason": "broken"}
            assert world.operator.post(f"/v1/orders/{order['id']}/refunds", body).status == 201
            world.work()
    world.add_leader()
    totals = {}
    for year in (2025, 2026, 2027):
        items = world.operator.get(f"/v1/ledger/leader-totals?year={year}").json["items"]
        assert len(items) == 2
        totals[year] = next(each for each in items if each["leader_id"] == sale.leader_id)
    assert [totals[year]["earned"] for year in totals] == [100, 400, 0]
    assert [totals[year]["by_kind"]["clawback"] for year in totals] == [0, -100, 0]
    assert totals[2026]["by_kind"]["commission"] == 500
    assert totals[2026]["total"] == 400
    assert totals[2026]["statements"] == 2
    available = world.trial_balance()[f"leader:{sale.leader_id}:available"]
    assert available == -sum(each["total"] for each in totals.values())


def sale_in(world: World, currency: str, leader_id: str) -> Sale:
    supplier_id = world.add_supplier(currency)
    product = world.add_product(supplier_id, currency=currency)
    sku_ids = [product["skus"][0]["id"]]
    world.set_stock(sku_ids[0], 10)
    campaign = world.add_campaign(sku_ids, [leader_id], currency=currency)
    return Sale(supplier_id, leader_id, campaign["id"], product["id"], sku_ids)


def test_a_year_of_a_leader_is_explained_by_its_months(world: World, time: StillClock) -> None:
    leaders = {currency: world.add_leader(currency) for currency in ("EUR", "JPY", "KWD")}
    for n, day in enumerate(("2026-03-10", "2026-03-11", "2026-05-01"), start=1):
        time.move_to(f"{day}T12:00:00.000Z")
        for currency, leader_id in leaders.items():
            world.delivered_order(sale_in(world, currency, leader_id), n)
        assert world.operator.post("/v1/settlement-runs", {"business_date": day}).status == 202
        world.work()
    for currency, leader_id in leaders.items():
        year = world.operator.get(f"/v1/ledger/leader-totals/{leader_id}?year=2026").json
        items = world.operator.get("/v1/ledger/leader-totals?year=2026").json["items"]
        (listed_year,) = (each for each in items if each["leader_id"] == leader_id)
        months = year.pop("months")
        assert year == listed_year
        assert (year["currency"], year["statements"], year["earned"]) == (currency, 3, 600)
        found = [(each["month"], len(each["statements"]), each["earned"]) for each in months]
        assert found == [("2026-03", 2, 300), ("2026-05", 1, 300)]
        for each in months:
            assert each["total"] == sum(one["total"] for one in each["statements"])
    assert world.operator.get("/v1/ledger/leader-totals/ldr_none?year=2026").status == 404
    assert world.operator.get(f"/v1/ledger/leader-totals/{leader_id}").status == 422


def test_totals_as_csv_come_page_by_page(world: World) -> None:
    leaders = {world.add_leader() for _ in range(3)}
    path = "/v1/ledger/leader-totals?year=2026&format=csv&limit=2"
    first = world.operator.get(path)
    second = world.operator.get(f"{path}&cursor={first.headers['x-next-cursor']}")
    assert "x-next-cursor" not in second.headers
    rows = [
        row["leader_id"]
        for answer in (first, second)
        for row in csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff")))
    ]
    assert (len(rows), set(rows)) == (3, leaders)
    assert world.operator.get("/v1/ledger/leader-totals").status == 422
    assert world.operator.get("/v1/ledger/leader-totals?year=soon").status == 422
