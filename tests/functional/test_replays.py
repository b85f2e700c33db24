"""Replays: many deliveries sent again, each once a job, whatever happens on the way."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from chalicelib.kernel import clock
from chalicelib.platform import queues
from chalicelib.platform.transaction import Put, write
from chalicelib.webhooks import replay_store, replaying
from chalicelib.webhooks import store as webhooks
from chalicelib.webhooks.replays import Replay
from chalicelib.webhooks.rules import Attempt, Delivery
from tests.functional.conftest import Clock
from tests.support.events import sqs_event
from tests.support.granted import running_as
from tests.support.lambdas import handle, invoke, invoke_killed, sample_about, work_badly
from tests.support.world import Api, Json, World, created

ENDPOINTS = "/v1/webhook-endpoints"
DELIVERIES = "/v1/webhook-deliveries"
REPLAYS = f"{DELIVERIES}/replays"


class Supplier:
    """A supplier whose server keeps which messages it hears, and deliveries made for it."""

    def __init__(self, world: World, server: HTTPServer, path: str = "/hook") -> None:
        self.world = world
        self.id = world.add_supplier()
        self.api = world.supplier(self.id)
        self.heard = Counter[tuple[str, bytes]]()
        server.expect_request(path).respond_with_handler(self._hear)
        self.endpoint = created(self.api.post(ENDPOINTS, {"url": server.url_for(path)}))
        self.made = 0

    def _hear(self, request: Request) -> Response:
        self.heard[request.headers["webhook-id"], request.get_data()] += 1
        return Response(status=204)

    def deliveries(self, count: int, status: Any = "exhausted", **ago: float) -> list[str]:
        """Deliveries that have come to this some time ago."""
        with running_as(None):
            return [self._delivery(status, clock.now() - timedelta(**ago)) for _ in range(count)]

    def _delivery(self, status: Any, at: datetime) -> str:
        self.made += 1
        made = Delivery(
            id=f"whd_{self.id[4:]}{self.made:06}",
            owner=self.id,
            endpoint_id=self.endpoint["id"],
            event_type="dispatch.created",
            subject=f"dsp_{self.made:010}",
            body=f'{{"type":"dispatch.created","n":{self.made}}}',
            status=status,
            attempts=(Attempt(clock.to_text(at), 500, 12, "answered 500"),),
            round_attempts=1,
            next_attempt_at=clock.now() + timedelta(hours=5) if status == "pending" else None,
            version=1,
            created_at=at,
        )
        write(webhooks.add_delivery(made))
        return made.id

    def body(self, **asked: Any) -> Json:
        """Where nothing else is said, all of 30 days."""
        return {"endpoint_id": self.endpoint["id"], **(asked or {"to": "2100-01-01T00:00:00Z"})}

    def replay(self, **asked: Any) -> Json:
        answer = self.api.post(REPLAYS, self.body(**asked))
        assert answer.status == 202, answer.text
        return answer.json

    def after(self, replay: Json) -> Json:
        return self.api.get(f"{REPLAYS}/{replay['id']}").json

    @property
    def times_heard(self) -> dict[str, int]:
        times = Counter[str]()
        for (delivery_id, _), n in self.heard.items():
            times[delivery_id] += n
        return dict(times)

    def disable(self) -> None:
        path = f"{ENDPOINTS}/{self.endpoint['id']}"
        assert self.api.patch(path, {"status": "disabled"}).status == 200


@pytest.fixture
def supplier(world: World, server: HTTPServer) -> Supplier:
    return Supplier(world, server)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "DELIVERIES_A_PAGE", 4)


def once(delivery_ids: Sequence[str]) -> dict[str, int]:
    return dict.fromkeys(delivery_ids, 1)


def test_all_that_failed_is_sent_again_with_its_own_body_and_id(supplier: Supplier) -> None:
    failed = supplier.deliveries(10, hours=30)
    supplier.deliveries(3, "succeeded", hours=20)
    replay = supplier.replay(status="exhausted")
    assert replay["id"].startswith("rpl_")
    assert (replay["status"], replay["total"], replay["done"]) == ("running", 0, 0)
    supplier.world.work()
    assert supplier.times_heard == once(failed)
    bodies = {body for _, body in supplier.heard}
    assert bodies == {f'{{"type":"dispatch.created","n":{n}}}'.encode() for n in range(1, 11)}
    after = supplier.after(replay)
    assert (after["status"], after["total"], after["done"]) == ("completed", 10, 10)
    assert after["completed_at"] >= after["created_at"]
    for delivery_id in failed:
        delivery = supplier.api.get(f"{DELIVERIES}/{delivery_id}").json
        assert [each["status_code"] for each in delivery["attempts"]] == [500, 204]


def test_a_range_of_time_holds_both_its_ends(supplier: Supplier, time: Clock) -> None:
    now = clock.now()
    with mock.patch.object(clock, "now", return_value=now):
        before, first = supplier.deliveries(1, hours=3, seconds=1), supplier.deliveries(1, hours=3)
        last, behind = supplier.deliveries(1, hours=1), supplier.deliveries(1, minutes=59)
        since, until = now - timedelta(hours=3), now - timedelta(hours=1)
        supplier.replay(**{"from": clock.to_text(since), "to": clock.to_text(until)})
    supplier.world.work()
    assert supplier.times_heard == once([*first, *last])
    assert not {*before, *behind} & set(supplier.times_heard)


def test_every_status_is_sent_again_unless_one_is_told(supplier: Supplier) -> None:
    by_status = {
        status: supplier.deliveries(2, status, hours=1)
        for status in ("exhausted", "succeeded", "pending")
    }
    supplier.replay(status="succeeded")
    supplier.world.work()
    assert supplier.times_heard == once(by_status["succeeded"])
    supplier.replay()
    supplier.world.work()
    assert supplier.times_heard == {
        **once(by_status["exhausted"] + by_status["pending"]),
        **dict.fromkeys(by_status["succeeded"], 2),
    }


def test_what_is_named_is_sent_again_each_once(supplier: Supplier) -> None:
    made = supplier.deliveries(9, hours=1)
    named = [*made[:6], made[0]]
    replay = supplier.replay(delivery_ids=named)
    assert (replay["from"], replay["to"]) == (None, None)
    assert (replay["total"], replay["done"]) == (6, 0)
    supplier.world.work()
    assert supplier.times_heard == once(made[:6])
    assert supplier.after(replay)["status"] == "completed"


def test_deliveries_of_another_endpoint_stay(supplier: Supplier, server: HTTPServer) -> None:
    supplier.deliveries(5, hours=2)
    first = supplier.endpoint
    other = created(supplier.api.post(ENDPOINTS, {"url": server.url_for("/hook")}))
    supplier.endpoint = other
    mine = supplier.deliveries(5, hours=1)
    supplier.replay()
    supplier.world.work()
    assert supplier.times_heard == once(mine)
    assert first["id"] != other["id"]


def test_a_replay_that_finds_nothing_is_over(supplier: Supplier) -> None:
    supplier.deliveries(5, "succeeded", hours=1)
    replay = supplier.replay(status="exhausted")
    supplier.world.work()
    after = supplier.after(replay)
    assert (after["status"], after["total"], after["done"]) == ("completed", 0, 0)


def test_progress_shows_page_by_page(supplier: Supplier) -> None:
    supplier.deliveries(10, hours=1)
    replay = supplier.replay()
    seen = []
    while (after := supplier.after(replay))["status"] == "running":
        seen.append((after["total"], after["done"]))
        handle("webhook_replay", *supplier.world.messages("WEBHOOK_REPLAY"))
    assert seen == [(0, 0), (4, 0), (8, 0), (10, 0), (10, 4), (10, 8)]
    assert (after["total"], after["done"]) == (10, 10)


def test_a_delivery_that_is_on_its_way_is_left_alone(supplier: Supplier) -> None:
    (delivery_id,) = supplier.deliveries(1, hours=1)
    assert supplier.api.post(f"{DELIVERIES}/{delivery_id}/replay").status == 202
    before = supplier.api.get(f"{DELIVERIES}/{delivery_id}").json
    replay = supplier.replay()
    handle("webhook_replay", *supplier.world.messages("WEBHOOK_REPLAY"))
    handle("webhook_replay", *supplier.world.messages("WEBHOOK_REPLAY"))
    assert supplier.api.get(f"{DELIVERIES}/{delivery_id}").json == before
    assert supplier.after(replay)["done"] == 1
    supplier.world.work()
    assert supplier.times_heard == once([delivery_id])


def test_two_replays_send_each_delivery_once_each(supplier: Supplier) -> None:
    made = supplier.deliveries(5, hours=1)
    for _ in range(2):
        supplier.replay()
        supplier.world.work()
    assert supplier.times_heard == dict.fromkeys(made, 2)


def test_the_same_key_starts_one_replay(supplier: Supplier) -> None:
    made = supplier.deliveries(5, hours=1)
    first = supplier.api.post(REPLAYS, supplier.body(), key="one")
    supplier.world.work()
    again = supplier.api.post(REPLAYS, supplier.body(), key="one")
    assert (again.status, again.json) == (202, first.json)
    assert again.headers["idempotent-replayed"] == "true"
    supplier.world.work()
    assert supplier.times_heard == once(made)


def test_a_named_delivery_that_is_gone_since_counts_as_done(supplier: Supplier) -> None:
    first, second = supplier.deliveries(2, hours=1)
    replay = supplier.replay(delivery_ids=[first, second])
    with running_as(None):
        webhooks.DeliveryRow.at(first, webhooks.DELIVERY).delete()
    supplier.world.work()
    assert supplier.times_heard == once([second])
    assert supplier.after(replay)["status"] == "completed"


# --- whose it is ---


def test_what_is_another_suppliers_is_not_there(world: World, server: HTTPServer) -> None:
    mine, other = Supplier(world, server), Supplier(world, server, "/other")
    theirs = other.deliveries(1, hours=1)
    replay = other.replay()
    answers = [
        mine.api.post(REPLAYS, other.body()),
        mine.api.get(f"{REPLAYS}/{replay['id']}"),
        mine.api.get(f"{REPLAYS}/rpl_unknown"),
        mine.api.post(REPLAYS, {"endpoint_id": "whe_unknown", "status": "exhausted"}),
    ]
    assert [(each.status, each.code) for each in answers] == [(404, "not_found")] * 4
    refused = mine.api.post(REPLAYS, mine.body(delivery_ids=theirs))
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "delivery_ids.0")


def test_an_operator_replays_for_every_owner(supplier: Supplier) -> None:
    made = supplier.deliveries(3, hours=1)
    operator: Api = supplier.world.operator
    answer = operator.post(REPLAYS, supplier.body())
    assert answer.status == 202
    supplier.world.work()
    assert supplier.times_heard == once(made)
    assert operator.get(f"{REPLAYS}/{answer.json['id']}").json["status"] == "completed"
    assert supplier.after(answer.json)["status"] == "completed"


# --- bad input ---


def ago(**time: float) -> str:
    return clock.to_text(clock.now() - timedelta(**time))


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("from", {"from": ago(days=30, seconds=1), "to": ago()}),
        ("from", {"from": ago(days=31)}),
        ("from", {"from": ago(hours=1), "to": ago(hours=2)}),
        ("from", {"from": ago(hours=-1)}),
        ("from", {"from": ago(hours=-1), "to": ago(hours=-2)}),
        ("from", {"from": "yesterday"}),
        ("to", {"to": "2026-11-25T00:00:00"}),
        ("status", {"status": "failed"}),
        ("status", {"delivery_ids": None}),
        ("delivery_ids", {"delivery_ids": []}),
        ("delivery_ids", {"delivery_ids": [f"whd_{n}" for n in range(101)]}),
        ("delivery_ids", {"delivery_ids": ["whd_1"], "status": "exhausted"}),
        ("delivery_ids", {"delivery_ids": ["whd_1"], "from": ago(hours=1)}),
        ("delivery_ids.0", {"delivery_ids": ["whd_unknown"]}),
        ("delivery_ids.0", {"delivery_ids": ["a b"]}),
        ("endpoint_id", {"endpoint_id": ""}),
        ("since", {"since": ago(hours=1)}),
    ],
)
def test_what_cannot_be_replayed_is_refused_by_its_field(
    supplier: Supplier, field: str, asked: Json
) -> None:
    answer = supplier.api.post(REPLAYS, supplier.body(**asked))
    assert answer.status == 422, answer.text
    assert field in [each["field"] for each in answer.json["errors"]]
    assert supplier.world.messages("WEBHOOK_REPLAY") == []


def test_thirty_days_are_not_too_long(supplier: Supplier) -> None:
    until = clock.now() - timedelta(days=1)
    since = until - timedelta(days=30)
    replay = supplier.replay(**{"from": clock.to_text(since), "to": clock.to_text(until)})
    assert replay["status"] == "running"


def test_what_comes_after_the_asking_is_not_part_of_it(supplier: Supplier, time: Clock) -> None:
    replay = supplier.replay(**{"from": ago(days=1), "to": ago(days=-3)})
    assert replay["to"] == replay["created_at"]
    time.move_on(minutes=1)
    supplier.deliveries(1)
    supplier.world.work()
    assert supplier.heard == Counter()


def test_a_disabled_endpoint_is_not_replayed_to(supplier: Supplier) -> None:
    made = supplier.deliveries(1, hours=1)
    supplier.disable()
    for asked in ({}, {"delivery_ids": made}):
        answer = supplier.api.post(REPLAYS, supplier.body(**asked))
        assert (answer.status, answer.code) == (409, "endpoint_not_active")


def test_a_replay_stops_where_its_endpoint_is_disabled(supplier: Supplier) -> None:
    supplier.deliveries(6, hours=1)
    replay = supplier.replay()
    for _ in range(3):
        handle("webhook_replay", *supplier.world.messages("WEBHOOK_REPLAY"))
    supplier.disable()
    supplier.world.work()
    after = supplier.after(replay)
    assert (after["status"], after["total"], after["done"]) == ("failed", 6, 4)
    assert "disabled" in after["failure"]


def test_the_routes_of_replays_and_of_one_replay_do_not_collide(supplier: Supplier) -> None:
    (delivery_id,) = supplier.deliveries(1, hours=1)
    assert supplier.api.post(f"{DELIVERIES}/{delivery_id}/replay").json["id"] == delivery_id
    assert supplier.api.post(f"{DELIVERIES}/replays/replay").status == 404
    assert supplier.api.get(f"{DELIVERIES}/replays").status == 404
    supplier.world.messages("WEBHOOK_ATTEMPT")


# --- messages lost, doubled and late; workers that die ---


def test_messages_that_come_often_and_in_no_order_send_each_once(supplier: Supplier) -> None:
    made = supplier.deliveries(10, hours=1)
    replay = supplier.replay()
    work_badly(supplier.world, seed=4, times=3)
    assert supplier.times_heard == once(made)
    after = supplier.after(replay)
    assert (after["status"], after["done"]) == ("completed", 10)


@pytest.mark.parametrize("steps", range(6))
def test_a_message_that_is_lost_is_made_up_for(supplier: Supplier, time: Clock, steps: int) -> None:
    made = supplier.deliveries(10, hours=1)
    replay = supplier.replay()
    for _ in range(steps):
        handle("webhook_replay", *supplier.world.messages("WEBHOOK_REPLAY"))
    assert len(supplier.world.messages("WEBHOOK_REPLAY")) == 1
    invoke("webhook_replay_sweep")
    assert supplier.world.messages("WEBHOOK_REPLAY") == []
    time.move_on(minutes=3)
    invoke("webhook_replay_sweep")
    supplier.world.work()
    assert supplier.times_heard == once(made)
    assert supplier.after(replay)["status"] == "completed"


def test_a_worker_that_is_killed_anywhere_leaves_a_whole_replay(
    supplier: Supplier, time: Clock
) -> None:
    """At each of its calls to AWS in turn; the message comes again, as from a queue."""
    made = supplier.deliveries(6, hours=1)
    replay = supplier.replay()
    kills = 0
    while waiting := supplier.world.messages("WEBHOOK_REPLAY"):
        for call in range(1, 60):
            if not invoke_killed("webhook_replay", sqs_event(*waiting), call):
                break
            kills += 1
        time.move_on(minutes=3)
        invoke("webhook_replay_sweep")
    assert kills > 10
    time.move_on(minutes=3)
    invoke("webhook_sweep")
    supplier.world.work()
    assert supplier.times_heard == once(made)
    after = supplier.after(replay)
    assert (after["status"], after["done"]) == ("completed", 6)


def test_without_its_markers_the_same_rig_sends_twice(supplier: Supplier, time: Clock) -> None:
    """The control: a worker that goes by its page alone, killed before the page is sent."""
    made = supplier.deliveries(2, hours=1)
    supplier.replay(delivery_ids=made)
    (message,) = supplier.world.messages("WEBHOOK_REPLAY")
    mark = replay_store.mark_replayed

    def without_a_condition(job: Replay, delivery_id: str) -> Put:
        return replace(mark(job, delivery_id), when=None)

    with (
        mock.patch.object(replay_store, "replayed_of_page", return_value=set()),
        mock.patch.object(replay_store, "mark_replayed", without_a_condition),
    ):
        with mock.patch.object(queues, "send", side_effect=RuntimeError("killed")):
            handle("webhook_replay", message)
        handle("webhook_attempt", *({"subject": each} for each in made))
        handle("webhook_replay", message)
        supplier.world.work()
    assert supplier.times_heard == dict.fromkeys(made, 2)


def test_with_its_markers_a_page_that_is_taken_again_sends_nothing_twice(
    supplier: Supplier,
) -> None:
    made = supplier.deliveries(2, hours=1)
    supplier.replay(delivery_ids=made)
    (message,) = supplier.world.messages("WEBHOOK_REPLAY")
    with mock.patch.object(queues, "send", side_effect=RuntimeError("killed")):
        assert handle("webhook_replay", message) == [message]
    handle("webhook_attempt", *({"subject": each} for each in made))
    handle("webhook_replay", message)
    supplier.world.work()
    assert supplier.times_heard == once(made)


def test_workers_at_once_send_each_delivery_once(
    supplier: Supplier, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = supplier.deliveries(4, hours=1)
    replay = supplier.replay(delivery_ids=made)
    (message,) = supplier.world.messages("WEBHOOK_REPLAY")
    send = replaying._replay

    def overtaken(*arguments: Any) -> None:
        monkeypatch.setattr(replaying, "_replay", send)
        assert handle("webhook_replay", message) == []
        supplier.world.work()
        send(*arguments)

    monkeypatch.setattr(replaying, "_replay", overtaken)
    assert handle("webhook_replay", message) == []
    supplier.world.work()
    assert supplier.times_heard == once(made)
    assert supplier.after(replay)["done"] == 4


def test_a_replay_that_never_moves_on_fails_in_the_end(supplier: Supplier, time: Clock) -> None:
    supplier.deliveries(2, hours=1)
    replay = supplier.replay()
    for _ in range(6):
        assert len(supplier.world.messages("WEBHOOK_REPLAY")) == 1
        time.move_on(minutes=3)
        invoke("webhook_replay_sweep")
        assert supplier.after(replay)["status"] == "running"
    supplier.world.messages("WEBHOOK_REPLAY")
    time.move_on(minutes=3)
    invoke("webhook_replay_sweep")
    assert supplier.world.messages("WEBHOOK_REPLAY") == []
    after = supplier.after(replay)
    assert (after["status"], after["done"]) == ("failed", 0)
    assert "stands still" in after["failure"]


def test_the_sample_takes_a_step(supplier: Supplier) -> None:
    supplier.deliveries(3, hours=1)
    replay = supplier.replay()
    supplier.world.messages("WEBHOOK_REPLAY")
    assert invoke("webhook_replay", sample_about("webhook_replay", replay["id"])) == {
        "batchItemFailures": []
    }
    assert supplier.after(replay)["total"] == 3
