"""What a simulation adds up: caps and campaigns' totals come out the same in whatever steps, and
the sums of a step fit into a transaction."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.plans.rules import PlanBonus
from chalicelib.settlement.campaign_totals import CampaignTotal, moved
from chalicelib.settlement.rules import EarnedLine
from chalicelib.simulation.counting import MOST_SUMS, CappedDays, DaysOf, Found, TotalOf, Tried
from chalicelib.simulation.rules import Compared, Pair

SELLERS, CAMPAIGNS = ("ldr_1", "ldr_2"), ("cmp_1", "cmp_2")
DAYS = [date(2026, 3, 3) + timedelta(days=n) for n in range(10)]
BONUSES = [PlanBonus("campaign_total", amount, at) for at, amount in ((30, 7), (31, 11), (90, 13))]


def line(amount: int, day_cap: int | None, day: date, role: str, rule: str) -> EarnedLine:
    return EarnedLine(
        "ord_1",
        "sku_1",
        "commission",
        "sales",
        amount * 10,
        1000,
        amount,
        "",
        role=role,
        plan_id="cpl_1",
        rule=rule,
        day_cap=day_cap,
        delivered_on="" if day_cap is None else day.isoformat(),
    )


LINES = st.lists(
    st.tuples(
        st.sampled_from(("ldr_1", "ldr_2", "ldr_hub")),
        st.builds(
            line,
            st.integers(0, 60),
            st.sampled_from((None, 0, 25, 40)),
            st.sampled_from((DAYS[0], DAYS[1], DAYS[8])),
            st.sampled_from(("promoter", "hub")),
            st.sampled_from(("default", "sku:sku_1")),
        ),
    ),
    max_size=6,
)


def a_try(
    earned: Sequence[tuple[str, EarnedLine]] = (),
    would_earn: Sequence[tuple[str, EarnedLine]] = (),
    leader_id: str = SELLERS[0],
    net: int | None = None,
    **more: Any,
) -> Tried:
    usual: dict[str, Any] = {
        "order_id": "ord_1",
        "campaign_id": CAMPAIGNS[0],
        "currency": "EUR",
        "lines_without_rule": 0,
        "bonuses": Pair(),
    }
    said = {"leader_id": leader_id, "earned": earned, "would_earn": would_earn, "net": net}
    return Tried(**{**usual, **said, **more})


TRIED = st.builds(
    a_try,
    LINES,
    LINES,
    st.sampled_from(SELLERS),
    st.one_of(st.none(), st.integers(0, 40)),
    campaign_id=st.sampled_from(CAMPAIGNS),
    currency=st.sampled_from(("EUR", "PLN")),
    lines_without_rule=st.integers(0, 2),
    bonuses=st.builds(Pair, st.integers(0, 50), st.integers(0, 50)),
)


class Kept:
    """What lies beside the job between its steps."""

    def __init__(self) -> None:
        self.by_leader: dict[Any, Compared] = {}
        self.days: dict[DaysOf, CappedDays] = {}
        self.totals: dict[TotalOf, int] = {}

    def take_step(self, orders: Iterable[Tried]) -> None:
        found = Found()
        for each in orders:
            days = {of: self.days[of] for of in each.days & self.days.keys()}
            totals = {of: self.totals[of] for of in each.totals & self.totals.keys()}
            found.go_on_from(days, totals)
            found.add(each, BONUSES)
        for earner, compared in found.by_leader.items():
            self.by_leader[earner] = self.by_leader.get(earner, Compared()).plus(compared)
        self.days |= found.days
        self.totals |= found.totals


def withheld(orders: Iterable[Tried], side: str) -> Counter[Any]:
    """What caps withhold, by leader and currency: of each day, role and rule what is beyond."""
    brought, caps, found = Counter[Any](), Counter[Any](), Counter[Any]()
    for order in orders:
        for leader_id, each in getattr(order, side):
            if each.day_cap is not None:
                of = (leader_id, order.currency, each.delivered_on, each.role, each.rule)
                brought[of] += each.amount
                caps[of] = max(caps[of], each.day_cap if each.amount else 0)
    for (leader_id, currency, *of), amount in brought.items():
        cap = caps[(leader_id, currency, *of)]
        found[leader_id, currency] -= max(0, amount - cap)
    return found


def reached(orders: Iterable[Tried]) -> Counter[Any]:
    """What campaigns' totals bring their leaders, as deliveries one after another would."""
    totals: dict[Any, CampaignTotal] = {}
    amounts, found = {each.threshold or 0: each.amount for each in BONUSES}, Counter[Any]()
    for order in orders:
        of = (order.leader_id, order.campaign_id)
        if order.net:
            move = moved(totals.get(of, CampaignTotal(*of)), order.net, amounts)
            totals[of] = move.after
            gained = sum(amounts[each] for each in move.gained)
            found[order.leader_id, order.currency] += gained
    return found


@given(st.lists(TRIED, max_size=8), st.randoms(use_true_random=False))
def test_whatever_the_steps_figures_are_those_of_all_orders(
    orders: list[Tried], chance: Any
) -> None:
    kept, rest = Kept(), list(orders)
    while rest:
        n = chance.randint(1, len(rest))
        kept.take_step(rest[:n])
        rest = rest[n:]
    earned, would_earn = withheld(orders, "earned"), withheld(orders, "would_earn")
    totals = reached(orders)
    bonuses = Counter[Any]()
    for order in orders:
        bonuses[order.leader_id, order.currency] += order.bonuses.would_earn
    for earner, compared in kept.by_leader.items():
        assert compared.by_kind.cap == (earned[earner], would_earn[earner])
        assert compared.by_kind.bonus.would_earn == bonuses[earner] + totals[earner]
        for name, whole in (("earned", compared.earned), ("would_earn", compared.would_earn)):
            assert sum(getattr(each, name) for each in compared.by_kind) == whole
            lines = [
                each.amount
                for order in orders
                for leader_id, each in getattr(order, name)
                if (leader_id, order.currency) == earner
            ]
            assert getattr(compared.by_kind.commission, name) == sum(lines)
    earners = {each for order in orders for each in order.earners}
    assert set(kept.by_leader) == earners


@given(st.lists(TRIED, max_size=60))
def test_the_sums_of_a_step_fit_into_a_transaction(orders: list[Tried]) -> None:
    found, rest = Found(), list(orders)
    while rest:
        fitting = found.fitting(rest)
        if not fitting:
            found = Found()
            continue
        assert fitting == rest[: len(fitting)]
        for each in fitting:
            found.add(each, BONUSES)
        sums = len(found.by_leader) + len(found.days) + len(found.totals)
        assert sums <= MOST_SUMS
        rest = rest[len(fitting) :]


def test_an_order_fits_on_however_many_days_it_arrives() -> None:
    """It has five leaders as it was placed, and its seller has four others by now."""
    before, now = (["ldr_1", *(f"ldr_{side}{n}" for n in range(4))] for side in ("a", "b"))
    days = [date(2026, 3, 3) + timedelta(days=n) for n in range(200)]
    earned, would_earn = (
        [(leader_id, line(5, 3, day, "hub", "default")) for leader_id in leaders for day in days]
        for leaders in (before, now)
    )
    widest = a_try(earned, would_earn, net=5)
    found = Found()
    assert found.fitting([widest, widest]) == [widest, widest]
    found.add(widest, BONUSES)
    assert {len(each.earned) for each in found.days.values()} >= {25}
    assert found.by_currency["EUR"] == Compared(5 * 600, 5 * 600, -5 * 400, -5 * 400)
    other = a_try([("ldr_9", line(5, 3, day, "hub", "default")) for day in days], leader_id="ldr_9")
    assert found.fitting([other]) == []
    assert Found().fitting([other, widest]) == [other]
