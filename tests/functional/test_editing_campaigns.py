"""Changing a campaign: all of it while it is scheduled, then what hurts no buyer."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kernel import clock
from tests.functional.conftest import Clock
from tests.support.gateway import Answer
from tests.support.lambdas import invoke
from tests.support.world import Json, Sale, World, created

TARGET = {"kind": "buyers", "count": 5}


def edit(world: World, campaign_id: str, **changes: Any) -> Answer:
    return world.operator.patch(f"/v1/campaigns/{campaign_id}", changes)


def later(hours: float) -> str:
    return clock.to_text(clock.now() + timedelta(hours=hours))


def scheduled(world: World) -> Json:
    sale = world.sale()
    window = {"opens_at": later(24), "closes_at": later(48)}
    return created(world.operator.post(f"/v1/campaigns/{sale.campaign_id}/clone", window))


def test_all_may_change_while_it_is_scheduled(world: World) -> None:
    campaign = scheduled(world)
    changes = {"title": "Next", "opens_at": later(1), "closes_at": later(2), "target": TARGET}
    answer = edit(world, campaign["id"], **changes)
    assert answer.status == 200
    assert {name: answer.json[name] for name in changes} == changes
    assert world.operator.get(f"/v1/campaigns/{campaign['id']}").json == answer.json


def test_what_is_left_out_stays(world: World) -> None:
    campaign = scheduled(world)
    answer = edit(world, campaign["id"], title="Next")
    assert answer.json == {**campaign, "title": "Next"}


def test_a_window_does_not_close_before_it_opens(world: World) -> None:
    campaign = scheduled(world)
    answer = edit(world, campaign["id"], closes_at=later(23))
    assert answer.status == 422
    assert [each["field"] for each in answer.json["errors"]] == ["closes_at"]


def test_an_open_campaign_may_close_later_and_is_listed_so(world: World, time: Clock) -> None:
    sale = world.sale(open_for=timedelta(hours=1))
    assert edit(world, sale.campaign_id, closes_at=later(3)).status == 200
    time.move_on(hours=2)
    invoke("campaign_close")
    assert world.messages("WEBHOOK_FAN_OUT") == []
    path = f"/v1/leaders/{sale.leader_id}/campaigns"
    assert [each["id"] for each in world.customer().get(path).json["items"]] == [sale.campaign_id]
    assert world.place(sale)["status"] == "pending_payment"
    time.move_on(hours=1)
    assert world.customer().get(path).json["items"] == []


@pytest.mark.parametrize(
    ("target", "changes", "field"),
    [
        (None, {"opens_at": 1}, "opens_at"),
        (None, {"closes_at": 1}, "closes_at"),
        (TARGET, {"closes_at": 99}, "closes_at"),
        (None, {"target": TARGET}, "target"),
        (TARGET, {"target": {"kind": "buyers", "count": 6}}, "target"),
        (TARGET, {"target": {"kind": "units", "count": 1}}, "target"),
    ],
)
def test_what_would_hurt_a_buyer_is_refused(
    world: World, target: Json, changes: dict[str, Any], field: str
) -> None:
    sale = world.sale(target=target)
    before = world.operator.get(f"/v1/campaigns/{sale.campaign_id}").json
    sent = {
        name: later(value) if isinstance(value, int) else value for name, value in changes.items()
    }
    answer = edit(world, sale.campaign_id, **sent)
    assert (answer.status, answer.code) == (409, "campaign_not_editable")
    assert answer.json["detail"].startswith(f"The campaign is open: {field} ")
    assert world.operator.get(f"/v1/campaigns/{sale.campaign_id}").json == before


def test_an_open_campaigns_target_may_fall(world: World) -> None:
    sale = world.sale(target=TARGET)
    easier = {"kind": "buyers", "count": 2}
    assert (
        edit(world, sale.campaign_id, target=easier, title="Nearly there").json["target"] == easier
    )


def test_what_is_over_stays_as_it_was(world: World, time: Clock) -> None:
    sale = world.sale()
    time.move_on(days=3)
    assert edit(world, sale.campaign_id, title="Too late").code == "campaign_not_editable"
    assert edit(world, "cmp_nope", title="Nothing").status == 404


def test_an_order_keeps_the_campaigns_version_it_was_placed_under(world: World) -> None:
    sale: Sale = world.sale()
    edit(world, sale.campaign_id, title="Second")
    order_id = world.place(sale)["id"]
    from chalicelib.ordering import store as ordering

    order = ordering.get_order(order_id)
    assert order
    assert [line.plan_version for line in order.lines] == [2]
