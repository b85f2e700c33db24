"""The webhooks store: endpoints by owner, deliveries, and which of them are due."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kernel import clock
from chalicelib.kernel.errors import Stale
from chalicelib.platform.pages import PageRequest
from chalicelib.platform.transaction import write, write_alone
from chalicelib.webhooks import endpoint_store, replay_store
from chalicelib.webhooks import store as webhooks
from chalicelib.webhooks.replays import Replay
from chalicelib.webhooks.rules import Attempt, Delivery, Endpoint, Health
from tests.support.made import NOW

LOST_AFTER = timedelta(seconds=60)


class Full(Exception):
    """The owner has three endpoints."""


def endpoint(endpoint_id: str, owner: str = "sup_1", **changes: Any) -> Endpoint:
    usual: dict[str, Any] = {
        "id": endpoint_id,
        "owner": owner,
        "url": "https://shop.example/hook",
        "event_types": ("dispatch.created",),
        "status": "active",
        "generation": 1,
        "old_secret_until": None,
        "failing_since": None,
        "last_failed_at": None,
        "disabled_reason": None,
        "version": 1,
        "created_at": NOW,
    }
    made = Endpoint(**{**usual, **changes})
    write(*endpoint_store.add_endpoint(made, 3, Full()))
    return made


def delivery(delivery_id: str, owner: str = "sup_1", minute: int = 0, **changes: Any) -> Delivery:
    usual: dict[str, Any] = {
        "id": delivery_id,
        "owner": owner,
        "endpoint_id": "whe_1",
        "event_type": "dispatch.created",
        "subject": "dsp_1",
        "body": '{"type":"dispatch.created","title":"Brötchen 🥐"}',
        "status": "pending",
        "attempts": (),
        "round_attempts": 0,
        "next_attempt_at": NOW,
        "version": 1,
        "created_at": NOW + timedelta(minutes=minute),
    }
    made = Delivery(**{**usual, **changes})
    write(webhooks.add_delivery(made))
    return made


def ids(page: Any) -> list[str]:
    return [each.id for each in page]


def test_an_endpoint_and_a_delivery_come_back_as_they_were_written() -> None:
    made = endpoint("whe_1", old_secret_until=NOW, failing_since=NOW)
    assert endpoint_store.get_endpoint("whe_1") == made
    attempts = (Attempt("2026-03-10T09:30:00.000Z", 503, 12, "answered 503"),)
    sent = delivery("whd_1", attempts=attempts, round_attempts=1)
    assert webhooks.get_delivery("whd_1") == sent
    assert (endpoint_store.get_endpoint("whe_2"), webhooks.get_delivery("whd_2")) == (None, None)


def test_how_an_endpoint_fares_and_what_a_delivery_waits_for_come_back() -> None:
    health = Health(True, 5, "whd_1", True, "open", 3, "2026-03-10T09:30:00.000Z#whd_1")
    made = endpoint("whe_1", health=health, look_at=NOW)
    assert endpoint_store.get_endpoint("whe_1") == made
    answered = Attempt("2026-03-10T09:30:00.000Z", 503, 12, "answered 503", "Bad Gateway 🥐")
    waits = delivery("whd_1", waits=True, attempts=(answered,))
    assert webhooks.get_delivery("whd_1") == waits
    assert endpoint_store.get_endpoints(["whe_2", "whe_1"]) == {"whe_1": made}
    assert webhooks.get_deliveries(["whd_1", "whd_2"]) == {"whd_1": waits}


def test_an_item_that_is_written_alone_keeps_to_its_condition() -> None:
    made = delivery("whd_1")
    with pytest.raises(Stale):
        write_alone(webhooks.add_delivery(made))
    held = made.held(NOW)
    write_alone(webhooks.replace_delivery(held))
    with pytest.raises(Stale):
        write_alone(webhooks.replace_delivery(made.replayed(NOW)))
    assert webhooks.get_delivery("whd_1") == held


def test_what_an_endpoint_holds_back_is_found_by_age_and_nothing_else() -> None:
    for minute in (3, 1, 2):
        delivery(f"whd_{minute}", minute=minute, waits=True)
    delivery("whd_4")
    delivery("whd_5", waits=True, endpoint_id="whe_2")
    delivery("whd_6", waits=True, status="exhausted", next_attempt_at=None)
    held = webhooks.held("whe_1", 10)
    assert ids(held) == ["whd_1", "whd_2", "whd_3"]
    assert ids(webhooks.held("whe_1", 2)) == ["whd_1", "whd_2"]
    assert ids(webhooks.held("whe_1", 1, after=webhooks.age(held[1]))) == ["whd_3"]
    assert ids(webhooks.held("whe_1", 1, after=webhooks.age(held[2]))) == []
    write_alone(webhooks.replace_delivery(held[0].replayed(NOW)))
    assert ids(webhooks.held("whe_1", 10)) == ["whd_2", "whd_3"]


def test_what_waits_and_what_was_missed_are_counted_up_to_a_bound() -> None:
    for minute in range(3):
        delivery(f"whd_{minute}", waits=True)
        delivery(f"whd_m{minute}", waits=True, status="exhausted", next_attempt_at=None)
    delivery("whd_9")
    assert webhooks.count_waiting("whe_1", 100) == 6
    assert webhooks.count_waiting("whe_1", 4) == 4
    assert webhooks.count_waiting("whe_2", 100) == 0


def test_an_endpoint_is_looked_after_once_its_time_has_come() -> None:
    for n, minutes in enumerate((2, 1, 30)):
        endpoint(f"whe_{n}", look_at=NOW + timedelta(minutes=minutes))
    endpoint("whe_9", owner="sup_2")
    later = NOW + timedelta(minutes=2)
    assert endpoint_store.endpoints_to_look_after(later, 10) == ["whe_1", "whe_0"]
    assert endpoint_store.endpoints_to_look_after(later, 1) == ["whe_1"]
    assert endpoint_store.endpoints_to_look_after(NOW, 10) == []


def test_an_owner_has_no_more_endpoints_than_it_may() -> None:
    kept = [endpoint(f"whe_{n}") for n in range(3)]
    with pytest.raises(Full):
        endpoint("whe_3")
    endpoint("whe_4", owner="sup_2")
    write(*endpoint_store.remove_endpoint(kept[0]))
    endpoint("whe_3")
    assert endpoint_store.get_endpoint("whe_0") is None


def test_a_delivery_is_made_once_and_changes_by_version() -> None:
    made = delivery("whd_1")
    with pytest.raises(Stale):
        delivery("whd_1")
    after = made.succeeded(Attempt("2026-03-10T09:30:00.000Z", 200, 5, None))
    write(webhooks.replace_delivery(after))
    with pytest.raises(Stale):
        write(webhooks.replace_delivery(made.failed(after.attempts[0], NOW, None)))
    found = webhooks.get_delivery("whd_1")
    assert found is not None
    assert found.status == "succeeded"


def test_an_endpoint_changes_by_version() -> None:
    made = endpoint("whe_1")
    write(endpoint_store.replace_endpoint(replace(made, status="disabled", version=2)))
    moved = replace(made, url="https://other.example", version=2)
    with pytest.raises(Stale):
        write(endpoint_store.replace_endpoint(moved))


def test_owners_have_their_own_endpoints_and_deliveries() -> None:
    endpoint("whe_1")
    endpoint("whe_2", owner="platform")
    delivery("whd_1")
    delivery("whd_2", owner="platform")
    assert ids(endpoint_store.endpoints_of("sup_1")) == ["whe_1"]
    page = PageRequest("all")
    assert ids(webhooks.deliveries("platform", page).items) == ["whd_2"]
    assert ids(endpoint_store.endpoints(None, page).items) == ["whe_2", "whe_1"]
    assert sorted(ids(webhooks.deliveries(None, page).items)) == ["whd_1", "whd_2"]


@pytest.mark.parametrize("owner", [None, "sup_1"])
def test_deliveries_are_newest_first_over_all_pages(owner: str | None) -> None:
    for minute in (4, 2, 5, 1, 3):
        delivery(f"whd_{minute}", minute=minute)
    first = webhooks.deliveries(owner, PageRequest("all", 3))
    second = webhooks.deliveries(owner, PageRequest("all", 3, first.next_after))
    assert ids(first.items) == ["whd_5", "whd_4", "whd_3"]
    assert ids(second.items) == ["whd_2", "whd_1"]
    assert second.next_after is None


def test_a_delivery_is_due_once_its_message_counts_as_lost() -> None:
    delivery("whd_1", next_attempt_at=NOW)
    assert webhooks.waiting_before(NOW + LOST_AFTER - timedelta(milliseconds=1), 10) == []
    assert webhooks.waiting_before(NOW + LOST_AFTER, 10) == ["whd_1"]


def test_what_waits_longest_is_due_first_and_what_has_ended_never() -> None:
    hours = {"whd_1": 3, "whd_2": 1, "whd_3": 2, "whd_4": 30}
    for name, hour in hours.items():
        delivery(name, next_attempt_at=NOW + timedelta(hours=hour))
    ended = delivery("whd_5")
    done = ended.succeeded(Attempt("2026-03-10T09:30:00.000Z", 200, 5, None))
    write(webhooks.replace_delivery(done))
    later = NOW + timedelta(hours=4)
    assert webhooks.waiting_before(later, 10) == ["whd_2", "whd_3", "whd_1"]
    assert webhooks.waiting_before(later, 1) == ["whd_2"]


def replay(**changes: Any) -> Replay:
    usual: dict[str, Any] = {
        "id": "rpl_1",
        "owner": "sup_1",
        "endpoint_id": "whe_1",
        "since": NOW - timedelta(days=1),
        "until": NOW,
        "wanted": "exhausted",
        "status": "running",
        "is_listed": False,
        "listed_to": "",
        "pages": 0,
        "page": 0,
        "total": 0,
        "done": 0,
        "calls": 0,
        "failure": None,
        "version": 1,
        "created_at": NOW,
        "moved_at": NOW,
        "completed_at": None,
    }
    made = Replay(**{**usual, **changes})
    write(replay_store.add_replay(made))
    return made


def test_a_replay_is_kept_and_replaced_on_condition_of_its_version() -> None:
    made = replay()
    assert replay_store.get_replay(made.id) == made
    moved = made.listed(2, "age", is_last=True, now=NOW)
    write(replay_store.replace_replay(moved))
    assert replay_store.get_replay(made.id) == moved
    with pytest.raises(Stale):
        write(replay_store.replace_replay(moved))
    with pytest.raises(Stale):
        write(replay_store.add_replay(made))


def test_a_replay_that_runs_and_stands_still_is_found() -> None:
    made = replay()
    replay(id="rpl_2", status="completed")
    still = NOW + timedelta(minutes=2)
    assert replay_store.replays_standing_still(still - timedelta(seconds=1), 10) == []
    assert replay_store.replays_standing_still(still, 10) == [made.id]


def test_pages_of_a_replay_are_read_in_their_order() -> None:
    made = replay()
    write(replay_store.add_replay_page(made, ["whd_1", "whd_2"]))
    second = made.listed(2, "", is_last=False, now=NOW)
    write(replay_store.add_replay_page(second, ["whd_3"]))
    assert replay_store.replay_page(made) == ("whd_1", "whd_2")
    assert replay_store.replay_page(made.sent(2, NOW)) == ("whd_3",)
    with pytest.raises(Stale):
        write(replay_store.add_replay_page(made, ["whd_4"]))


def test_a_delivery_is_marked_once_a_page() -> None:
    made = replay()
    write(replay_store.mark_replayed(made, "whd_1"), replay_store.mark_replayed(made, "whd_2"))
    assert replay_store.replayed_of_page(made) == {"whd_1", "whd_2"}
    with pytest.raises(replay_store.SentBefore):
        write(replay_store.mark_replayed(made, "whd_1"))
    assert replay_store.replayed_of_page(made.sent(2, NOW)) == set()


def test_deliveries_are_walked_from_an_age_on() -> None:
    made = [delivery(f"whd_{n}", minute=n) for n in range(5)]
    delivery("whd_x", owner="sup_2", minute=2)
    until = NOW + timedelta(minutes=3)
    first, behind = webhooks.deliveries_from("sup_1", clock.to_text(NOW), until, 3)
    assert first == made[:3]
    rest, end = webhooks.deliveries_from("sup_1", behind, until, 3)
    assert (rest, end) == ([made[3]], "")
    assert webhooks.deliveries_from("sup_1", clock.to_text(until), until, 3)[0] == [made[3]]
