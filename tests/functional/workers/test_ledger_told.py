"""The books as people read them: entries in words, income by what it is, balances of a day."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from unittest import mock

import pytest

from chalicelib.kernel import clock
from chalicelib.ledger import income, service
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ledger.kinds import is_listed
from chalicelib.platform.transaction import write
from tests.functional.conftest import new_world
from tests.functional.test_refund_bearers import bear
from tests.functional.workers.conftest import StillClock
from tests.support.granted import running_as
from tests.support.lambdas import invoke
from tests.support.world import Issuer, Json, Sale, World

YEAR = "from=2026-01-01&to=2026-12-31"
REVENUE = "platform:revenue"


@pytest.fixture
def world(issuer: Issuer, time: StillClock) -> Iterator[World]:
    with new_world(issuer, COMMISSION_HOLD_DAYS="0", SETTLE_OPEN_DAY="1") as made:
        yield made


def post(entry_id: str, amounts: dict[str, int], subject: str = "ord_1", **more: Any) -> None:
    currency = more.pop("currency", "EUR")
    made = books.entry(entry_id, currency, subject, clock.now(), amounts, **more)
    with running_as(None):
        write(*ledger.post(made))


def listed(world: World, query: str = YEAR) -> list[Json]:
    return list(world.operator.get(f"/v1/ledger/journal?{query}").json["items"])


def told(world: World, query: str = YEAR) -> dict[str, str]:
    return {each["id"].partition(":")[0]: each["narration"] for each in listed(world, query)}


def rows(world: World) -> list[dict[str, str]]:
    text = world.operator.get(f"/v1/ledger/journal?{YEAR}&format=csv").text
    return list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))


def refunded(world: World, sale: Sale) -> Json:
    """A delivered order of which one unit is refunded, and the leader keeps its commission."""
    order = world.delivered_order(sale, quantity=3)
    bear(world, damaged="platform")
    lines = [{"sku_id": sale.sku_ids[0], "quantity": 1}]
    body = {"lines": lines, "reason": "broken", "cause": "damaged"}
    assert world.operator.post(f"/v1/orders/{order['id']}/refunds", body).status == 201
    world.work()
    return order


def test_entries_are_told_in_words(world: World) -> None:
    sale = world.sale()
    order = refunded(world, sale)
    world.operator.post("/v1/settlement-runs", {"business_date": "2026-03-10"})
    world.work()
    found = told(world)
    assert found["delivered"].startswith("Delivery of dispatch dsp_")
    assert found["delivered"].endswith(f" of order {order['id']}")
    assert found["refund"].endswith(f" of order {order['id']} decided")
    assert found["borne"].startswith("What leaders keep of refund rfd_")
    assert found["matured"] == (
        f"What has matured of leader {sale.leader_id} in settlement run run_2026-03-10"
    )
    assert [row["narration"] for row in rows(world) if row["entry_id"].startswith("borne:")] == [
        found["borne"]
    ] * 2
    assert all(is_listed(each["id"]) for each in listed(world))


def test_beancount_has_payee_and_words_and_income_apart(world: World) -> None:
    from beancount import loader
    from beancount.core.data import Transaction

    sale = world.sale()
    order = refunded(world, sale)
    post("annual_fee:sup_1:2026-01-01", {"supplier:sup_1:owed": 700, REVENUE: -700}, "sup_1")
    text = world.operator.get(f"/v1/ledger/journal?{YEAR}&format=beancount").text
    entries, errors, _ = loader.load_string(text)
    assert errors == []
    named = {each.meta["entry_id"]: each for each in entries if isinstance(each, Transaction)}
    for each in listed(world):
        assert named[each["id"]].narration == each["narration"]
    fee = named["annual_fee:sup_1:2026-01-01"]
    assert (fee.payee, fee.narration) == (
        "supplier sup_1",
        "Fee of supplier sup_1 for the year from 2026-01-01",
    )
    assert (
        next(each for id, each in named.items() if id.startswith("receipt:")).payee == (order["id"])
    )
    sums = Counter[str]()
    for each in named.values():
        for posting in each.postings:
            if posting.account.startswith("Income:"):
                units: Any = posting.units
                sums[posting.account] += int(units.number * 100)
    assert {account: amount for account, amount in sums.items() if amount} == {
        f"Income:Platform:Revenue:{each['kind'].capitalize().replace('_', '-')}": each["balance"]
        for each in reported(world)
    }


def reported(world: World, query: str = YEAR) -> list[Json]:
    return list(world.operator.get(f"/v1/ledger/income?{query}").json["kinds"])


def test_cause_stands_before_effect_in_one_instant(world: World) -> None:
    effects = ("borne:rfd_1", "payout-netted:pyt_1", "unheard:1", "refund-done:rfd_1")
    for each in (*effects, "payout:pyt_1", "refund:rfd_1", "delivered:prc_1"):
        post(each, {"cash:a": 5, "cash:b": -5})
    due = [
        *("delivered:prc_1", "refund:rfd_1", "borne:rfd_1", "refund-done:rfd_1"),
        *("payout:pyt_1", "payout-netted:pyt_1", "unheard:1"),
    ]
    for limit in (1, 3, 100):
        found, cursor = list[str](), ""
        while cursor is not None:
            more = f"&cursor={cursor}" if cursor else ""
            answer = world.operator.get(f"/v1/ledger/journal?{YEAR}&limit={limit}{more}").json
            found += [each["id"] for each in answer["items"]]
            cursor = answer["next_cursor"]
        assert found == due


def test_the_journal_of_one_subject(world: World) -> None:
    first, second = world.sale(), world.sale()
    order, other = world.delivered_order(first), world.delivered_order(second)
    for subject in (order["id"], first.leader_id, first.supplier_id):
        assert {each["subject"] for each in listed(world, f"{YEAR}&subject={subject}")} == {
            order["id"]
        }
    (dispatch_id,) = (each["id"] for each in other["dispatches"])
    (delivered,) = listed(world, f"{YEAR}&subject={dispatch_id}")
    assert delivered["id"].startswith("delivered:")
    both = f"{YEAR}&subject={order['id']}&account=cash:local"
    assert [each["id"].partition(":")[0] for each in listed(world, both)] == ["receipt"]
    assert listed(world, f"{YEAR}&subject=ord_none") == []


def planted(world: World, time: StillClock) -> None:
    """Income of many kinds and three currencies on several days."""
    refunded(world, world.sale())
    for n, (beginning, amount) in enumerate(
        [
            ("annual_fee:sup_1:2026-01-01", -700),
            ("community_fee:sup_1:ldr_1:2026-01-01", -200),
            ("fine:dsp_1:accept", -50),
            ("fine_waived:dsp_1:accept", 50),
            ("chargeback-fee:cbk_1", 1500),
            ("chargeback-fee-won:cbk_1", 300),
            ("deposit_drawn:dpo_1", -900),
            ("bonus:bns_1:2", 400),
            ("reconciled:rec_1:3:JPY", 7),
            ("unheard:1", -3),
        ]
    ):
        time.move_on(hours=9)
        currency = ("EUR", "JPY", "KWD")[n % 3]
        post(beginning, {REVENUE: amount, "cash:bank": -amount}, currency=currency)


def revenue(world: World) -> dict[str, int]:
    found = world.operator.get(f"/v1/ledger/trial-balance?prefix={REVENUE}").json["currencies"]
    return {each["currency"]: sum(one["balance"] for one in each["accounts"]) for each in found}


def test_income_by_kind_adds_up_to_the_trial_balance(world: World, time: StillClock) -> None:
    planted(world, time)
    for _ in range(3):
        found = reported(world)
        sums = Counter[str]()
        for each in found:
            assert each["balance"] == each["debits"] - each["credits"]
            sums[each["currency"]] += each["balance"]
        assert dict(sums) == revenue(world)
        by_csv = Counter[str]()
        for row in rows(world):
            if row["income"]:
                by_csv[f"{row['currency']} {row['income']}"] += int(row["amount"])
        assert by_csv == {f"{each['currency']} {each['kind']}": each["balance"] for each in found}
        time.move_on(days=1)
        invoke("ledger_fold")
    kinds = {each["kind"]: each for each in found if each["currency"] == "EUR"}
    assert kinds["margin"]["entries"] == kinds["refunds_borne"]["entries"] == 1
    assert (kinds["fines"]["debits"], kinds["fines"]["credits"]) == (50, 0)


def test_a_day_that_is_over_is_added_up_once(world: World, time: StillClock) -> None:
    planted(world, time)
    time.move_on(days=2)
    first = reported(world)
    unread = mock.patch.object(ledger, "entries_between", side_effect=AssertionError)
    last = clock.day_before(clock.now().date())
    query = f"from=2026-03-10&to={last}"
    assert reported(world, query) == first
    with unread:
        assert reported(world, query) == first


def test_a_day_that_can_still_change_is_not_kept(world: World, time: StillClock) -> None:
    time.move_to("2026-03-11T00:10:00.000Z")
    income.keep(date(2026, 3, 10), clock.now())
    assert reported(world) == []
    time.move_to("2026-03-10T23:59:59.999Z")
    post("annual_fee:sup_1:2026-03-10", {REVENUE: -700, "cash:bank": 700})
    time.move_to("2026-03-11T00:14:59.998Z")
    assert [each["balance"] for each in reported(world)] == [-700]
    assert [each["balance"] for each in reported(world, "from=2026-03-11&to=2026-03-11")] == []


def test_income_of_days_that_cannot_be_is_refused(world: World) -> None:
    for query, field in (("from=2026-03-02&to=2026-03-01", "to"), ("to=2026-03-01", "from")):
        answer = world.operator.get(f"/v1/ledger/income?{query}")
        assert (answer.status, answer.json["errors"][0]["field"]) == (422, field)


def balances_of(world: World, day: date) -> Json:
    answer = world.operator.get(f"/v1/ledger/trial-balance?as_of={day}")
    assert answer.status == 200, answer.text
    return dict(answer.json)


def test_a_days_balances_are_the_fold_of_all_until_its_end(world: World, time: StillClock) -> None:
    began = clock.now().date()
    posted: list[tuple[date, str, int]] = []
    for n in range(30):
        account, amount = f"cash:{n % 4}", 10**4 + n
        post(f"e:{n}", {account: amount, REVENUE: -amount})
        posted.append((clock.now().date(), account, amount))
        if n % 7 == 0:
            invoke("ledger_fold")
        time.move_on(hours=11)
    days = [began + timedelta(days=n) for n in range(-2, (clock.now().date() - began).days)]
    for again in range(2):
        for day in days:
            due = Counter[str]()
            for on, account, amount in posted:
                if on <= day:
                    due[account] += amount
                    due[REVENUE] -= amount
            found = balances_of(world, day)
            assert found["as_of"] == clock.to_text(service.end_of(day))
            shown = {
                each["account"]: each["balance"]
                for of in found["currencies"]
                for each in of["accounts"]
            }
            assert shown == dict(due), (again, day)
        invoke("ledger_fold")


def test_a_day_that_is_long_over_is_read_as_it_was_kept(world: World, time: StillClock) -> None:
    invoke("ledger_fold")
    post("e:1", {"cash:a": 5, "cash:b": -5})
    for _ in range(40):
        time.move_on(days=1)
        invoke("ledger_fold")
    with mock.patch.object(ledger, "entries_between", side_effect=[iter(())]) as read:
        found = balances_of(world, date(2026, 3, 10))
    assert found["currencies"][0]["debits"] == 5
    ((after, through),) = (call.args for call in read.call_args_list)
    assert after == through == service.end_of(date(2026, 3, 10))
    assert balances_of(world, date(2026, 3, 9))["currencies"] == []
    assert balances_of(world, date(2006, 3, 9))["currencies"] == []


def test_the_last_day_of_a_month_ends_where_the_platform_is_at_home(
    issuer: Issuer, time: StillClock
) -> None:
    with new_world(issuer, TIMEZONE="Asia/Shanghai") as world:
        for at in ("2026-03-31T15:59:59.999Z", "2026-03-31T16:00:00.000Z"):
            time.move_to(at)
            post(f"e:{at}", {"cash:a": 5, "cash:b": -5})
        time.move_to("2026-03-31T16:00:00.001Z")
        (march,) = balances_of(world, date(2026, 3, 31))["currencies"]
        assert march["debits"] == 5


def test_a_day_that_is_not_over_has_no_balances_yet(world: World) -> None:
    today = clock.now().date()
    for day in (today, today + timedelta(days=1)):
        answer = world.operator.get(f"/v1/ledger/trial-balance?as_of={day}")
        assert (answer.status, answer.json["errors"][0]["field"]) == (422, "as_of")
    assert world.operator.get("/v1/ledger/trial-balance?as_of=2026-02-30").status == 422
