"""A campaign's closing is told once."""

from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import pytest

from chalicelib.catalogue import store as catalogue
from chalicelib.catalogue.rules import Campaign
from chalicelib.ordering import campaigns
from tests.functional.workers.conftest import StillClock
from tests.support.lambdas import handle, invoke
from tests.support.snapshot import snapshot
from tests.support.world import World


def test_a_closing_is_told_when_it_comes(world: World, time: StillClock) -> None:
    campaign = a_campaign(world, hours=1)
    time.move_on(minutes=59, seconds=59)
    invoke("campaign_close")
    assert told(world) == []
    time.move_on(seconds=1)
    invoke("campaign_close")
    assert told(world) == [campaign["id"]]
    assert world.operator.get(f"/v1/campaigns/{campaign['id']}").json["status"] == "closed"


def test_a_closing_is_told_once(world: World, time: StillClock) -> None:
    a_campaign(world, hours=1)
    time.move_on(hours=1)
    invoke("campaign_close")
    world.messages("WEBHOOK_FAN_OUT")
    before = snapshot(world.environment)
    time.move_on(minutes=1)
    invoke("campaign_close")
    assert snapshot(world.environment) == before


def test_every_campaign_that_closed_is_told(world: World, time: StillClock) -> None:
    campaigns = [a_campaign(world, hours=n) for n in range(1, 6)]
    time.move_on(hours=4)
    invoke("campaign_close")
    assert sorted(told(world)) == sorted(each["id"] for each in campaigns[:4])


def test_sweeps_that_overlap_tell_it_once(world: World, time: StillClock) -> None:
    campaign = a_campaign(world, hours=1)
    time.move_on(hours=1)
    find = catalogue.campaigns_due

    def overtaken(*args: Any) -> Any:
        found = find(*args)
        with mock.patch.object(catalogue, "campaigns_due", find):
            invoke("campaign_close")
        return found

    with mock.patch.object(catalogue, "campaigns_due", overtaken):
        invoke("campaign_close")
    assert told(world) == [campaign["id"]]


def test_the_platforms_endpoint_hears_it_once_though_the_event_comes_twice(
    world: World, time: StillClock
) -> None:
    body = {"url": "http://127.0.0.1:9/hook", "event_types": ["campaign.closed"]}
    assert world.operator.post("/v1/webhook-endpoints", body).status == 201
    campaign = a_campaign(world, hours=1)
    time.move_on(hours=1)
    invoke("campaign_close")
    (event,) = world.messages("WEBHOOK_FAN_OUT")
    assert handle("webhook_fan_out", event, event) == []
    (delivery,) = world.operator.get("/v1/webhook-deliveries").json["items"]
    assert (delivery["event_type"], delivery["subject"]) == ("campaign.closed", campaign["id"])


def test_one_campaign_that_fails_does_not_hold_back_the_others(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = a_campaign(world, hours=1), a_campaign(world, hours=2)
    time.move_on(hours=2)
    tell = campaigns._tell_closed

    def tell_or_fail(campaign: Campaign, now: datetime) -> None:
        if campaign.id == first["id"]:
            raise RuntimeError("poison")
        tell(campaign, now)

    with monkeypatch.context() as patch:
        patch.setattr(campaigns, "_tell_closed", tell_or_fail)
        with pytest.raises(RuntimeError, match="poison"):
            invoke("campaign_close")
    assert told(world) == [second["id"]]
    invoke("campaign_close")
    assert told(world) == [first["id"]]


def a_campaign(world: World, hours: int) -> Any:
    sku_id = world.add_product(world.add_supplier())["skus"][0]["id"]
    return world.add_campaign([sku_id], open_for=timedelta(hours=hours))


def told(world: World) -> list[str]:
    events = world.messages("WEBHOOK_FAN_OUT")
    return [event["subject"] for event in events if event["type"] == "campaign.closed"]
