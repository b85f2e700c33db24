"""Commission plans: versions that are never edited, the most specific rule, and who has a part."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.catalogue import on_sale
from chalicelib.kernel import clock
from tests.functional.conftest import new_world
from tests.functional.workers.conftest import NOON, StillClock
from tests.support.gateway import Answer
from tests.support.world import Issuer, Json, Sale, World, created

TODAY, TOMORROW = "2026-03-10", "2026-03-11"
PLANS = "/v1/commission-plans"


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> StillClock:
    still = StillClock(NOON)
    monkeypatch.setattr(clock, "now", still.now)
    return still


@pytest.fixture
def malaysia(issuer: Issuer, time: StillClock) -> Iterator[World]:
    """A world in whose Malaysia two levels may earn, and half of all together."""
    with new_world(issuer, UPLINE_LIMITS="MY:2:5000,VN:1:1200") as world:
        yield world


def rule(rate_bps: int = 1000, basis: str = "sales", **said: Any) -> Json:
    return {"match": {}, "basis": basis, "rate_bps": rate_bps, **said}


def try_version(world: World, plan_id: str, *rules: Json, day: str = TODAY, **said: Any) -> Answer:
    body = {"effective_from": day, "rules": list(rules), **said}
    return world.operator.post(f"{PLANS}/{plan_id}/versions", body)


def a_plan(world: World, *rules: Json, country: str | None = None, **said: Any) -> str:
    """A plan in euros with a version from today on."""
    body = {"name": "Shop owners", "currency": "EUR", "country": country}
    plan_id = str(created(world.operator.post(PLANS, body))["id"])
    created(try_version(world, plan_id, *(rules or (rule(),)), **said))
    return plan_id


def put_on(world: World, leader_id: str, plan_id: str | None, **said: Any) -> Answer:
    body = {"plan_id": plan_id, **said}
    return world.operator.put(f"/v1/leaders/{leader_id}/commission-plan", body)


def edit_leader(world: World, leader_id: str, **changes: Any) -> Json:
    answer = world.operator.patch(f"/v1/leaders/{leader_id}", changes)
    assert answer.status == 200, answer.text
    return answer.json


def planned_sale(world: World, plan_id: str, skus: int = 1, **terms: Any) -> Sale:
    """A sale whose offers name no commission, by a leader under the plan."""
    leader_id = world.add_leader()
    assert put_on(world, leader_id, plan_id).status == 200
    month: dict[str, Any] = {"open_for": timedelta(days=30), "stock": 1_000}
    return world.sale(leader_id=leader_id, skus=skus, commission=None, **month, **terms)


def settle(world: World, time: StillClock) -> Json:
    """Let the run take all that was delivered until now."""
    time.move_on(days=8)
    day = clock.day_before(clock.now().date()).isoformat()
    assert world.operator.post("/v1/settlement-runs", {"business_date": day}).status == 202
    world.work()
    return day


def lines_of(world: World, leader_id: str, day: str) -> list[Json]:
    answer = world.operator.get(f"/v1/leaders/{leader_id}/statements/run_{day}")
    assert answer.status == 200, answer.text
    return list(answer.json["lines"])


def balance(world: World, leader_id: str) -> Json:
    return world.operator.get(f"/v1/leaders/{leader_id}/balance").json


def earned(world: World, leader_id: str) -> tuple[int, int, int]:
    now = balance(world, leader_id)
    return now["estimated"], now["pending"], now["available"]


def refused(answer: Answer, status: int, code: str, *said: str) -> bool:
    assert (answer.status, answer.code) == (status, code), answer.text
    for each in said:
        assert each in answer.text
    return True


def test_a_plan_says_nothing_before_it_has_a_version(world: World, time: StillClock) -> None:
    plan = created(world.operator.post(PLANS, {"name": "Shop owners"}))
    assert plan == {
        "id": plan["id"],
        "name": "Shop owners",
        "currency": None,
        "country": None,
        "is_default": False,
        "versions": [],
        "created_at": clock.to_text(NOON),
    }
    assert world.operator.get(f"{PLANS}/{plan['id']}").json == plan
    assert world.operator.get(PLANS).json["items"] == [plan]
    assert world.operator.get(f"{PLANS}/cpl_none").status == 404


def test_an_order_keeps_the_version_that_it_was_placed_under(
    world: World, time: StillClock
) -> None:
    plan_id = a_plan(world)
    sale = planned_sale(world, plan_id)
    created(try_version(world, plan_id, rule(2000), day=TOMORROW))
    before = world.paid_order(sale)
    time.move_on(days=1)
    after = world.paid_order(sale, world.customer("cus_bob"))
    for order in (before, after):
        world.move(order["dispatches"][0]["id"], "accept", "ship", "deliver")
    day = settle(world, time)
    found = {line["order_id"]: line for line in lines_of(world, sale.leader_id, day)}
    for order, number, amount in ((before, 1, 100), (after, 2, 200)):
        line = found[order["id"]]
        assert (line["plan_id"], line["plan_version"]) == (plan_id, number)
        assert (line["rule"], line["rate_bps"], line["amount"]) == ("default", amount * 10, amount)
    assert [
        each["version"] for each in world.operator.get(f"{PLANS}/{plan_id}").json["versions"]
    ] == [2]
    all_versions = world.operator.get(f"{PLANS}/{plan_id}/versions").json["items"]
    assert [each["version"] for each in all_versions] == [2, 1]


def test_a_version_begins_with_the_platforms_own_day(issuer: Issuer, time: StillClock) -> None:
    with new_world(issuer, TIMEZONE="Pacific/Kiritimati") as world:
        # Noon of the 10th in UTC is two in the morning of the 11th there.
        plan_id = a_plan(world, day="2026-03-11")
        created(try_version(world, plan_id, rule(2000), day="2026-03-12"))
        sale = planned_sale(world, plan_id)
        assert lead_rate(world, sale) == 1000
        time.at = clock.from_text("2026-03-11T09:59:59.999Z")
        assert lead_rate(world, sale) == 1000
        time.at = clock.from_text("2026-03-11T10:00:00.000Z")
        on_sale.forget_all()
        assert lead_rate(world, sale) == 2000


def lead_rate(world: World, sale: Sale) -> int:
    """The rate of an order that is placed now, as its leader's estimate shows it."""
    before = balance(world, sale.leader_id)["estimated"]
    world.paid_order(sale)
    return int(balance(world, sale.leader_id)["estimated"] - before) * 10


def test_the_most_specific_rule_wins(world: World, time: StillClock) -> None:
    plan_id = a_plan(world)
    sale = planned_sale(world, plan_id, skus=2)
    named = {
        "level": {"level": "gold"},
        "campaign": {"campaign_id": sale.campaign_id},
        "product": {"product_id": sale.product_id},
        "sku": {"sku_id": sale.sku_ids[0]},
        "both": {"sku_id": sale.sku_ids[0], "level": "gold"},
    }
    rates = {"level": 1100, "campaign": 1200, "product": 1300, "sku": 1400, "both": 1500}
    rules = [rule(), *(rule(rates[name], match=match) for name, match in named.items())]
    edit_leader(world, sale.leader_id, level="gold")
    for n, (last, of_first, of_second) in enumerate(
        (
            (1, 1000, 1000),
            (2, 1100, 1100),
            (3, 1200, 1200),
            (4, 1300, 1300),
            (5, 1400, 1300),
            (6, 1500, 1300),
        )
    ):
        day = (clock.now() + timedelta(days=1)).date().isoformat()
        created(try_version(world, plan_id, *rules[:last], day=day))
        time.move_on(days=1)
        assert lead_rate(world, sale) == of_first + of_second, n


def test_an_offers_own_commission_wins_over_any_plan(world: World, time: StillClock) -> None:
    sale = world.sale(rate_bps=700, open_for=timedelta(days=30))
    put_on(world, sale.leader_id, a_plan(world, rule(match={"sku_id": sale.sku_ids[0]})))
    world.delivered_order(sale)
    (line,) = lines_of(world, sale.leader_id, settle(world, time))
    assert (line["rule"], line["rate_bps"], line["amount"]) == ("offer", 700, 70)
    assert (line["plan_id"], line["plan_version"]) == (None, None)


def test_leaders_without_a_plan_earn_by_the_default_one(world: World, time: StillClock) -> None:
    first, second = a_plan(world), a_plan(world, rule(3000))
    for plan_id in (first, second):
        answer = world.operator.put(f"{PLANS}/{plan_id}/default", {"is_default": True})
        assert answer.json["is_default"]
    assert not world.operator.get(f"{PLANS}/{first}").json["is_default"]
    sale = world.sale(commission=None)
    assert lead_rate(world, sale) == 3000
    assert put_on(world, sale.leader_id, first).json["plan_id"] == first
    time.move_on(seconds=1)
    assert lead_rate(world, sale) == 1000
    assert put_on(world, sale.leader_id, None).json["plan_id"] is None
    time.move_on(seconds=1)
    assert lead_rate(world, sale) == 3000
    changes = world.operator.get(f"{PLANS}/{first}/changes").json["items"]
    moved = {each["what"]: each["differences"] for each in changes}
    default = "default.EUR"
    assert moved["made_default"] == [{"field": default, "before": None, "after": first}]
    assert moved["no_longer_default"] == [{"field": default, "before": first, "after": second}]
    (last, *_) = world.operator.get(f"{PLANS}/{second}/changes").json["items"]
    assert last["differences"] == moved["no_longer_default"]
    assert [each["what"] for each in changes] == [
        "leader_changed",
        "leader_changed",
        "no_longer_default",
        "made_default",
        "version_added",
        "created",
    ]


def test_a_level_that_the_plan_does_not_have_is_refused(world: World) -> None:
    plan_id = a_plan(world, rule(), rule(2000, match={"level": "gold"}))
    leader_id = world.add_leader()
    path = f"/v1/leaders/{leader_id}"
    # A plan that has them may come later.
    assert world.operator.patch(path, {"level": "glod"}).json["level"] == "glod"
    assert put_on(world, leader_id, plan_id, level=None).json["level"] is None
    answer = world.operator.patch(path, {"level": "silver"})
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "level")
    assert answer.json["errors"][0]["message"] == "is none of the leader's plan, which has gold"
    for level in ("gold", None):
        assert world.operator.patch(path, {"level": level}).json["level"] == level


def test_a_leader_takes_its_level_only_to_a_plan_that_has_it(
    world: World, time: StillClock
) -> None:
    """At another it would earn as if it had none, and nobody would hear of it."""
    golden = a_plan(world, rule(), rule(3000, match={"level": "gold"}))
    silver = a_plan(world, rule(), rule(3000, match={"level": "silver"}))
    leader_id = world.add_leader()
    assert put_on(world, leader_id, golden, level="gold").json["level"] == "gold"
    answer = put_on(world, leader_id, silver)
    assert refused(
        answer, 422, "invalid_request", "plan_id", "has silver, and not the leader's level, gold"
    )
    answer = put_on(world, leader_id, silver, level="glod")
    assert refused(answer, 422, "invalid_request", "is none of the leader's plan, which has silver")
    by_default = put_on(world, leader_id, None)
    assert (by_default.status, by_default.json["level"]) == (200, "gold")
    default = f"{PLANS}/{silver}/default"
    assert world.operator.put(default, {"is_default": True}).status == 200
    assert put_on(world, leader_id, golden).status == 200
    assert refused(put_on(world, leader_id, None), 422, "invalid_request", "has silver")
    moved = put_on(world, leader_id, silver, level="silver").json
    assert moved["level"] == "silver"
    assert put_on(world, leader_id, None).json["level"] == "silver"


def test_a_version_drops_a_level_only_where_it_says_so(world: World, time: StillClock) -> None:
    plan_id = a_plan(world, rule(), *(rule(match={"level": each}) for each in ("gold", "silver")))
    mistyped = rule(), rule(2000, match={"level": "glod"}), rule(match={"level": "silver"})
    answer = try_version(world, plan_id, *mistyped, day=TOMORROW)
    assert refused(answer, 422, "levels_dropped", "have none for gold, which the version before")
    answer = try_version(world, plan_id, rule(), day=TOMORROW, drops_levels=["gold"])
    assert refused(answer, 422, "levels_dropped", "have none for silver,")
    created(try_version(world, plan_id, rule(), day=TOMORROW, drops_levels=["gold", "silver"]))
    created(try_version(world, plan_id, rule(), day="2026-03-12"))


def test_a_level_of_a_version_to_come_is_one_of_the_plan(world: World, time: StillClock) -> None:
    plan_id = a_plan(world, rule(), rule(2000, match={"level": "gold"}))
    added = rule(), rule(2000, match={"level": "platinum"})
    created(try_version(world, plan_id, *added, day=TOMORROW, drops_levels=["gold"]))
    leader_id = world.add_leader()
    assert put_on(world, leader_id, plan_id).status == 200
    edit_leader(world, leader_id, level="platinum")


def test_an_offer_that_no_rule_is_for_cannot_be_made(world: World, time: StillClock) -> None:
    supplier_id, leader_id = world.add_supplier(), world.add_leader()
    sku_id = world.add_product(supplier_id)["skus"][0]["id"]

    def make(leaders: list[str] | None = None) -> Answer:
        return world.try_campaign([sku_id], leaders, commission=None)

    assert refused(make(), 422, "no_commission_rule", "offers.0.commission")
    plan_id = a_plan(world, rule(match={"level": "gold"}), day=TODAY)
    world.operator.put(f"{PLANS}/{plan_id}/default", {"is_default": True})
    assert refused(make(), 422, "no_commission_rule")
    assert refused(make([leader_id]), 422, "no_commission_rule")
    edit_leader(world, leader_id, level="gold")
    assert make([leader_id]).status == 201
    assert put_on(world, leader_id, a_plan(world, day=TOMORROW)).status == 200
    assert refused(make([leader_id]), 422, "no_commission_rule")


def test_an_order_under_no_rule_is_refused_and_nothing_is_taken(
    world: World, time: StillClock
) -> None:
    plan_id = a_plan(world, rule(match={"level": "gold"}))
    leader_id = world.add_leader()
    put_on(world, leader_id, plan_id)
    edit_leader(world, leader_id, level="gold")
    sale = world.sale(leader_id=leader_id, commission=None)
    edit_leader(world, leader_id, level=None)
    answer = world.customer().post("/v1/orders", world.order_body(sale))
    assert refused(answer, 409, "no_commission_rule", "lines.0.sku_id")
    assert world.stock(sale.sku_ids[0])["reserved"] == 0


def test_caps_and_floors_bound_a_line_and_an_order(world: World, time: StillClock) -> None:
    capped = a_plan(world, rule(5000, cap={"line": 700, "order": 1000}))
    sale = planned_sale(world, capped, skus=2)
    # 500 each; 1000 each, of which a line has 700 and both together 1000.
    assert lead_rate(world, sale) == 10_000
    world.paid_order(sale, quantity=2)
    assert balance(world, sale.leader_id)["estimated"] == 1000 + 1000
    floored = a_plan(world, rule(1, floor={"line": 30}))
    low = planned_sale(world, floored)
    assert lead_rate(world, low) == 300


def test_a_split_pays_each_its_part_through_delivery_run_and_refund(
    world: World, time: StillClock
) -> None:
    split = [
        {"role": role, "bps": bps}
        for role, bps in (("promoter", 8000), ("pickup_point", 1500), ("hub", 500))
    ]
    plan_id = a_plan(world, rule(1111, split=split))
    sale = planned_sale(world, plan_id)
    shop, hub = world.add_leader(), world.add_leader()
    edit_leader(world, sale.leader_id, pickup_leader_id=shop, hub_id=hub)
    order = world.paid_order(sale, quantity=3)
    everybody = (sale.leader_id, shop, hub)
    # 333.3 of 30.00: 333, in parts of 266.4, 49.95 and 16.65.
    assert [earned(world, each) for each in everybody] == [(266, 0, 0), (50, 0, 0), (17, 0, 0)]
    world.move(order["dispatches"][0]["id"], "accept", "ship", "deliver")
    assert [earned(world, each) for each in everybody] == [(0, 266, 0), (0, 50, 0), (0, 17, 0)]
    refund(world, order, 1)
    assert [earned(world, each)[1] for each in everybody] == [177, 33, 11]
    day = settle(world, time)
    assert [earned(world, each) for each in everybody] == [(0, 0, 177), (0, 0, 33), (0, 0, 11)]
    for leader_id, role, bps, amount in zip(
        everybody,
        ("promoter", "pickup_point", "hub"),
        (8000, 1500, 500),
        (177, 33, 11),
        strict=True,
    ):
        (line,) = lines_of(world, leader_id, day)
        assert (line["role"], line["share_bps"], line["amount"]) == (role, bps, amount)
        assert (line["rate_bps"], line["basis_amount"], line["rule"]) == (1111, 2000, "default")
    refund(world, order, 2)
    assert [earned(world, each) for each in everybody] == [(0, 0, 0)] * 3
    day = settle(world, time)
    for leader_id, amount in zip(everybody, (-177, -33, -11), strict=True):
        (line,) = lines_of(world, leader_id, day)
        assert (line["kind"], line["amount"]) == ("clawback", amount)


def refund(world: World, order: Json, units: int) -> None:
    body = {
        "lines": [{"sku_id": order["lines"][0]["sku_id"], "quantity": units}],
        "reason": "broken",
    }
    assert world.operator.post(f"/v1/orders/{order['id']}/refunds", body).status == 201
    world.work()


def test_what_a_role_would_have_that_nobody_fills_is_the_promoters(
    world: World, time: StillClock
) -> None:
    split = [{"role": "promoter", "bps": 9000}, {"role": "pickup_point", "bps": 1000}]
    sale = planned_sale(world, a_plan(world, rule(split=split)))
    world.delivered_order(sale)
    (line,) = lines_of(world, sale.leader_id, settle(world, time))
    assert (line["role"], line["share_bps"], line["amount"]) == ("promoter", 10_000, 100)


def test_many_parcels_arrive_at_once_for_many_leaders(malaysia: World, time: StillClock) -> None:
    """More than one transaction holds: they arrive in some, and nothing of any is lost."""
    world = malaysia
    split = [
        {"role": role, "bps": bps}
        for role, bps in (("promoter", 8000), ("pickup_point", 1500), ("hub", 500))
    ]
    levels = [{"level": 1, "bps": 200}, {"level": 2, "bps": 100}]
    plan_id = a_plan(world, rule(split=split), country="MY", upline=levels)
    seller, shop, hub, above, top = (abroad(world, "MY") for _ in range(5))
    edit_leader(world, above, invited_by=top)
    edit_leader(world, seller, pickup_leader_id=shop, hub_id=hub, invited_by=above)
    put_on(world, seller, plan_id)
    sale = world.sale(leader_id=seller, commission=None)
    order = world.paid_order(sale, quantity=20)
    path = f"/v1/dispatches/{order['dispatches'][0]['id']}"
    assert world.operator.post(f"{path}/accept", {}).status == 200
    for n in range(20):
        body = {
            "carrier": "DHL",
            "tracking_number": f"T{n}",
            "lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}],
        }
        assert world.operator.post(f"{path}/ship", body).status == 200
    answer = world.operator.post(f"{path}/deliver", {})
    assert (answer.status, answer.json["status"]) == (200, "delivered")
    again = world.operator.post(f"{path}/deliver", {})
    assert (again.status, again.json["version"]) == (200, answer.json["version"])
    everybody = (seller, shop, hub, above, top)
    assert [earned(world, each)[1] for each in everybody] == [1600, 300, 100, 400, 200]
    disputed = world.customer().post(f"{path}/disputes", {"reason": "All of it is broken."})
    assert refused(disputed, 422, "dispute_too_large", "parcel_id")
    parcel_id = answer.json["parcels"][0]["id"]
    body = {"reason": "It is broken.", "parcel_id": parcel_id}
    assert world.customer().post(f"{path}/disputes", body).status == 201


def test_a_leader_sees_what_it_earns_by_its_plan(world: World, time: StillClock) -> None:
    plan_id = a_plan(world, rule(), rule(2500, "gross_profit", match={"level": "gold"}))
    sale = planned_sale(world, plan_id)
    path = f"/v1/leaders/{sale.leader_id}/campaigns"

    def shown() -> Json:
        (campaign,) = world.leader(sale.leader_id).get(path).json["items"]
        return campaign["offers"][0]["terms"]["commission"]

    assert shown() == {"basis": "sales", "rate_bps": 1000}
    edit_leader(world, sale.leader_id, level="gold")
    assert shown() == {"basis": "gross_profit", "rate_bps": 2500}
    put_on(world, sale.leader_id, None)
    assert shown() is None
    (campaign,) = world.customer().get(path).json["items"]
    assert campaign["offers"][0]["terms"] is None


def test_a_dispute_holds_what_everybody_earned(world: World, time: StillClock) -> None:
    split = [{"role": "promoter", "bps": 9000}, {"role": "pickup_point", "bps": 1000}]
    sale = planned_sale(world, a_plan(world, rule(split=split)))
    shop = world.add_leader()
    edit_leader(world, sale.leader_id, pickup_leader_id=shop)
    order = world.delivered_order(sale)
    dispatch_id = order["dispatches"][0]["id"]
    settle(world, time)
    assert [earned(world, each)[2] for each in (sale.leader_id, shop)] == [90, 10]
    time.move_on(days=-2)
    opened = world.customer().post(
        f"/v1/dispatches/{dispatch_id}/disputes", {"reason": "It never came."}
    )
    dispute = created(opened)
    assert [earned(world, each) for each in (sale.leader_id, shop)] == [(0, 90, 0), (0, 10, 0)]
    answer = world.operator.post(
        f"/v1/dispatches/{dispatch_id}/disputes/{dispute['id']}/resolve",
        {"outcome": "dismissed", "note": "The shop has it."},
    )
    assert answer.status == 200, answer.text
    settle(world, time)
    assert [earned(world, each) for each in (sale.leader_id, shop)] == [(0, 0, 90), (0, 0, 10)]


def test_uplines_earn_on_top_where_the_law_allows_it(malaysia: World, time: StillClock) -> None:
    world = malaysia
    plan_id = a_plan(
        world,
        country="MY",
        upline=[{"level": 1, "bps": 200}, {"level": 2, "bps": 100}],
    )
    top, middle, seller = (abroad(world, "MY") for _ in range(3))
    edit_leader(world, middle, invited_by=top)
    edit_leader(world, seller, invited_by=middle)
    put_on(world, seller, plan_id)
    sale = world.sale(leader_id=seller, commission=None, open_for=timedelta(days=30))
    order = world.delivered_order(sale)
    assert [earned(world, each)[1] for each in (seller, middle, top)] == [100, 20, 10]
    revenue = world.trial_balance()["platform:revenue"]
    assert revenue == -(order["total"] - 700 - 130)
    day = settle(world, time)
    (line,) = lines_of(world, top, day)
    assert (line["role"], line["rate_bps"], line["amount"]) == ("upline_2", 100, 10)


def test_uplines_are_of_the_plans_own_country(malaysia: World, time: StillClock) -> None:
    world = malaysia
    plan_id = a_plan(world, country="MY", upline=[{"level": 1, "bps": 200}])
    world.operator.put(f"{PLANS}/{plan_id}/default", {"is_default": True})
    inviter, seller = world.add_leader(), world.add_leader()
    edit_leader(world, seller, invited_by=inviter)
    world.delivered_order(world.sale(leader_id=seller, commission=None))
    assert (earned(world, seller)[1], earned(world, inviter)[1]) == (100, 0)
    assert refused(put_on(world, seller, plan_id), 422, "invalid_request", "is for MY")


def abroad(world: World, country: str) -> str:
    point = {"line1": "1 Jalan", "city": "Ipoh", "postal_code": "30000", "country": country}
    body = {"name": "Mei", "community": "South", "pickup_point": point, "currency": "EUR"}
    return str(created(world.operator.post("/v1/leaders", body))["id"])


@pytest.mark.parametrize(
    ("country", "upline", "rate", "said"),
    [
        (None, 1, 1000, "the plan names none"),
        ("DE", 1, 1000, "max_upline_levels of DE is 0 by the setting UplineLimits"),
        ("VN", 2, 1000, "max_upline_levels of VN is 1"),
        ("VN", 1, 1101, "max_total_bps of VN is 1200"),
        ("MY", 2, 4801, "max_total_bps of MY is 5000"),
    ],
)
def test_a_plan_beyond_the_law_is_refused_with_the_rule_it_breaks(
    malaysia: World, country: str | None, upline: int, rate: int, said: str
) -> None:
    body = {"name": "Levels", "country": country}
    plan_id = created(malaysia.operator.post(PLANS, body))["id"]
    levels = [{"level": n + 1, "bps": 100} for n in range(upline)]
    answer = try_version(malaysia, plan_id, rule(rate), upline=levels)
    assert refused(answer, 422, "upline_not_allowed", said)
    allowed = try_version(malaysia, plan_id, rule(rate))
    assert allowed.status == 201


def test_a_floor_is_no_way_round_the_law(malaysia: World) -> None:
    body = {"name": "Levels", "country": "MY", "currency": "EUR"}
    plan_id = created(malaysia.operator.post(PLANS, body))["id"]
    levels = [{"level": 1, "bps": 2000}, {"level": 2, "bps": 2000}]
    floored = rule(1000, floor={"line": 900})
    answer = try_version(malaysia, plan_id, floored, upline=levels)
    assert refused(answer, 422, "upline_not_allowed", "rules.0.floor", "max_total_bps of MY")
    draft = {"rules": [floored], "upline": levels}
    answer = malaysia.operator.post(f"{PLANS}/{plan_id}/simulate", draft)
    assert refused(answer, 422, "upline_not_allowed")
    created(try_version(malaysia, plan_id, rule(1000, cap={"line": 900}), upline=levels))


def test_a_bonus_is_no_way_round_the_law(malaysia: World) -> None:
    body = {"name": "Levels", "country": "MY", "currency": "EUR"}
    plan_id = created(malaysia.operator.post(PLANS, body))["id"]
    levels = [{"level": 1, "bps": 200}]
    for bonus in ({"kind": "campaign_total", "threshold": 1}, {"kind": "first_order"}):
        promised = [{**bonus, "amount": 1_000_000}]
        answer = try_version(malaysia, plan_id, rule(4800), upline=levels, bonuses=promised)
        assert refused(answer, 422, "upline_not_allowed", "bonuses", "max_total_bps of MY")
        draft = {"rules": [rule(4800)], "upline": levels, "bonuses": promised}
        answer = malaysia.operator.post(f"{PLANS}/{plan_id}/simulate", draft)
        assert refused(answer, 422, "upline_not_allowed")
    created(try_version(malaysia, plan_id, rule(4800), upline=levels))
    created(try_version(malaysia, plan_id, rule(4800), day=TOMORROW, bonuses=promised))


def test_versions_do_not_overlap(world: World, time: StillClock) -> None:
    plan_id = a_plan(world)
    said = ("Version 1", TODAY)
    assert refused(try_version(world, plan_id, rule()), 409, "versions_overlap", *said)
    earlier = try_version(world, plan_id, rule(), day="2026-03-09")
    assert refused(earlier, 409, "versions_overlap", *said)
    created(try_version(world, plan_id, rule(), day="2026-04-01"))
    again = try_version(world, plan_id, rule(), day="2026-04-01")
    assert refused(
        again, 409, "versions_overlap", "Version 2", "day of its own, such as 2026-03-11"
    )
    created(try_version(world, plan_id, rule(1500), day="2026-03-20"))
    time.move_on(days=2)
    past = try_version(world, plan_id, rule(), day="2026-03-11")
    assert refused(past, 422, "invalid_request", "must not lie in the past")
    days = [v["effective_from"] for v in world.operator.get(f"{PLANS}/{plan_id}").json["versions"]]
    assert days == [TODAY, "2026-03-20", "2026-04-01"]


def withdraw(world: World, plan_id: str, version: object, **said: Any) -> Answer:
    return world.operator.post(f"{PLANS}/{plan_id}/versions/{version}/withdraw", said)


def versions_of(world: World, plan_id: str) -> list[tuple[int, str]]:
    found = world.operator.get(f"{PLANS}/{plan_id}").json["versions"]
    return [(each["version"], each["effective_from"]) for each in found]


def test_a_version_that_has_not_begun_is_withdrawn(world: World, time: StillClock) -> None:
    plan_id = a_plan(world, rule(1000))
    sale = planned_sale(world, plan_id)
    wrong = created(try_version(world, plan_id, rule(9000), day=TOMORROW))
    answer = withdraw(world, plan_id, 2)
    taken_back = {**wrong, "withdrawn_by": "op_test", "withdrawn_at": clock.to_text(clock.now())}
    assert (answer.status, answer.json) == (200, taken_back)
    # Once, however often it is asked: the change is in the trail once.
    assert withdraw(world, plan_id, 2).json == taken_back
    trail = world.operator.get(f"{PLANS}/{plan_id}/changes").json["items"]
    kinds = [each["what"] for each in trail]
    assert (kinds[0], kinds.count("version_withdrawn")) == ("version_withdrawn", 1)
    assert trail[0]["differences"] == [
        {"field": "version", "before": "2", "after": "1"},
        {"field": "effective_from", "before": TOMORROW, "after": TODAY},
        {"field": "rules.default", "before": "9000 bps of sales", "after": "1000 bps of sales"},
    ]
    assert versions_of(world, plan_id) == [(1, TODAY)]
    assert world.operator.get(f"{PLANS}/{plan_id}/versions").json["items"][0] == taken_back
    # Its day is free, and until another begins there what was in force before stays so.
    created(try_version(world, plan_id, rule(2000), day="2026-03-12"))
    time.move_on(days=1)
    world.delivered_order(sale)
    assert earned(world, sale.leader_id)[1] == 100
    time.move_on(days=1)
    world.delivered_order(sale)
    assert earned(world, sale.leader_id)[1] == 100 + 200


def test_who_asks_for_the_day_of_a_wrong_version_hears_of_its_withdrawal(
    world: World, time: StillClock
) -> None:
    plan_id = a_plan(world, rule(1000))
    created(try_version(world, plan_id, rule(8000), day=TOMORROW))
    said = f"withdraw it first (POST {PLANS}/{plan_id}/versions/2/withdraw)"
    answer = try_version(world, plan_id, rule(800), day=TOMORROW)
    assert refused(answer, 409, "versions_overlap", said, "such as 2026-03-12")
    answer = try_version(world, plan_id, rule(800), day=TODAY)
    assert refused(answer, 409, "versions_overlap")
    assert "withdraw" not in answer.json["detail"]


def test_a_version_that_has_begun_stays(world: World, time: StillClock) -> None:
    plan_id = a_plan(world)
    said = ("Version 1 is of 2026-03-10, which has begun", "from now on")
    assert refused(withdraw(world, plan_id, 1), 409, "version_begun", *said)
    created(try_version(world, plan_id, rule(2000), day=TOMORROW))
    time.move_on(days=1)
    assert refused(withdraw(world, plan_id, 2), 409, "version_begun", "Version 2 is of")
    assert versions_of(world, plan_id) == [(2, TOMORROW)]
    for other in (3, 0, "two", "-1", "9" * 30):
        assert refused(withdraw(world, plan_id, other), 404, "not_found")
    assert refused(withdraw(world, "cpl_none", 1), 404, "not_found")


def test_a_version_is_withdrawn_a_minute_before_it_begins_or_not_at_all(
    world: World, time: StillClock
) -> None:
    """A function that knows the plan for a second more, or whose clock is ahead, or a withdrawal
    that is written late, would else leave an order under what was withdrawn."""
    plan_id = a_plan(world, rule(1000))
    sale = planned_sale(world, plan_id)
    for day in (TOMORROW, "2026-03-12"):
        created(try_version(world, plan_id, rule(9000), day=day))
    time.move_to("2026-03-10T23:59:00.001Z")
    assert refused(withdraw(world, plan_id, 2), 409, "version_begun", "is about to")
    assert withdraw(world, plan_id, 3).status == 200
    time.move_to("2026-03-11T23:58:59.999Z")
    created(try_version(world, plan_id, rule(8000), day="2026-03-12"))
    assert withdraw(world, plan_id, 4).status == 200
    time.move_on(minutes=1, seconds=1)
    world.delivered_order(sale)
    assert earned(world, sale.leader_id)[1] == 900


def test_what_a_withdrawn_version_had_dropped_the_one_after_it_drops_by_its_name(
    world: World, time: StillClock
) -> None:
    gold, silver = (rule(3000, match={"level": each}) for each in ("gold", "silver"))
    plan_id = a_plan(world, rule(), gold)
    second = rule(), silver
    created(try_version(world, plan_id, *second, day="2026-03-12", drops_levels=["gold"]))
    created(try_version(world, plan_id, *second, day="2026-03-14"))
    said = "must name gold: version 3 has no rules for them, so from 2026-03-14 on"
    assert refused(withdraw(world, plan_id, 2), 422, "levels_dropped", said)
    assert withdraw(world, plan_id, 2, drops_levels=["gold"]).status == 200
    # What the third one had dropped itself it has said.
    created(try_version(world, plan_id, rule(), gold, silver, day="2026-03-13"))
    assert withdraw(world, plan_id, 4).status == 200


def test_a_level_of_a_version_before_another_is_dropped_then_by_its_name(
    world: World, time: StillClock
) -> None:
    plan_id = a_plan(world, rule())
    gold = rule(), rule(3000, match={"level": "gold"})
    created(try_version(world, plan_id, rule(), day="2026-03-14"))
    answer = try_version(world, plan_id, *gold, day="2026-03-12")
    said = "must name gold: version 2 has no rules for them, so from 2026-03-14 on"
    assert refused(answer, 422, "levels_dropped", "drops_levels", said)
    created(try_version(world, plan_id, *gold, day="2026-03-12", drops_levels=["gold"]))
    # What is behind it has said so already.
    created(try_version(world, plan_id, *gold, day="2026-03-13"))


def test_a_level_of_a_withdrawn_version_alone_is_dropped_by_its_name(
    world: World, time: StillClock
) -> None:
    plan_id = a_plan(world, rule(), rule(2000, match={"level": "gold"}))
    added = (rule(), *(rule(3000, match={"level": each}) for each in ("gold", "platinum")))
    created(try_version(world, plan_id, *added, day=TOMORROW))
    answer = withdraw(world, plan_id, 2)
    said = "drops_levels: must name platinum: version 2 alone has rules for them"
    assert refused(answer, 422, "levels_dropped", said)
    assert len(versions_of(world, plan_id)) == 2
    assert withdraw(world, plan_id, 2, drops_levels=["platinum"]).status == 200


def test_who_invited_a_leader_stands_once_it_has_invited_others(
    world: World, time: StillClock
) -> None:
    top, middle, low = (world.add_leader() for _ in range(3))
    assert edit_leader(world, middle, invited_by=top)["invited_by"] == top
    assert edit_leader(world, middle, invited_by=None)["invited_by"] is None
    edit_leader(world, middle, invited_by=top)
    edit_leader(world, low, invited_by=middle)
    assert edit_leader(world, middle, invited_by=top)["invited_by"] == top
    for leader_id, inviter in ((middle, None), (middle, low), (top, low)):
        answer = world.operator.patch(f"/v1/leaders/{leader_id}", {"invited_by": inviter})
        assert refused(answer, 409, "has_invited_others")


def test_changes_say_who_when_and_what(world: World, time: StillClock) -> None:
    plan_id = a_plan(world)
    created(try_version(world, plan_id, rule(1500, cap={"line": 500}), day=TOMORROW))
    leader_id = world.add_leader()
    put_on(world, leader_id, plan_id)
    edit_leader(world, leader_id, level="gold")
    assert edit_leader(world, leader_id, level="gold")["level"] == "gold"
    level, assigned, second, first, made = world.operator.get(f"{PLANS}/{plan_id}/changes").json[
        "items"
    ]
    assert {each["by"] for each in (level, assigned, second, first, made)} == {"op_test"}
    assert made["differences"][0] == {"field": "name", "before": None, "after": "Shop owners"}
    assert second["differences"] == [
        {"field": "version", "before": "1", "after": "2"},
        {"field": "effective_from", "before": TODAY, "after": TOMORROW},
        {
            "field": "rules.default",
            "before": "1000 bps of sales",
            "after": "1500 bps of sales, at most 500 a line",
        },
    ]
    assert assigned["differences"] == [{"field": "plan_id", "before": None, "after": plan_id}]
    assert level["differences"] == [{"field": "level", "before": None, "after": "gold"}]
    of_leader = world.operator.get(f"/v1/leaders/{leader_id}/commission-changes").json["items"]
    assert of_leader == [level, assigned]


@pytest.mark.parametrize(
    ("key", "where"),
    [("joining_fee", ()), ("entry_fee_bps", ("rules", 0)), ("recruit_bonus", ("upline", 0))],
)
def test_commission_is_never_tied_to_paying_to_join(
    world: World, key: str, where: tuple[Any, ...]
) -> None:
    plan_id = created(world.operator.post(PLANS, {"name": "Levels"}))["id"]
    body: Json = {
        "effective_from": "2030-01-01",
        "rules": [rule()],
        "upline": [{"level": 1, "bps": 1}],
    }
    at = body
    for step in where:
        at = at[step]
    at[key] = 100
    answer = world.operator.post(f"{PLANS}/{plan_id}/versions", body)
    assert refused(answer, 422, "invalid_request", key, "what anybody pays for joining")
