"""Replays: many deliveries of an endpoint sent again, as one job with its progress.

A job is listed page by page, then sent page by page. Each step is written on condition of the
job's version, and each delivery that is sent leaves its marker in the same transaction: a message
that is lost is made up for by the sweep, and one that comes twice sends nothing twice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.kernel import clock, events, ids
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, Invalid, NotFound, Stale
from chalicelib.kernel.events import Event
from chalicelib.platform import queues
from chalicelib.platform.log import logger
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.sweeping import sweep_each
from chalicelib.platform.transaction import Recorder, Transaction, write
from chalicelib.webhooks import endpoint_store, replay_store, replays
from chalicelib.webhooks import store as webhooks
from chalicelib.webhooks.delivering import from_the_beginning
from chalicelib.webhooks.endpoints import endpoint_for
from chalicelib.webhooks.replay_store import SentBefore
from chalicelib.webhooks.replays import Replay
from chalicelib.webhooks.rules import DeliveryStatus, Endpoint

DELIVERIES_A_PAGE = 100
REPLAYS_A_SWEEP = 100


@dataclass(frozen=True)
class Asked:
    """Which deliveries of an endpoint: those that are named, or those of a time and a status."""

    endpoint_id: str
    since: datetime | None
    until: datetime | None
    status: DeliveryStatus | None
    delivery_ids: Sequence[str] | None


def start(asked: Asked, caller: Caller, recorder: Recorder | None) -> Replay:
    """Start a job. Raises Invalid, NotFound; Conflict where the endpoint is disabled."""
    now = clock.now()
    within = _range(asked, now)
    endpoint = endpoint_for(asked.endpoint_id, caller)
    named = _named(asked.delivery_ids, endpoint)
    if not endpoint.is_active:
        raise Conflict("The endpoint is disabled; enable it first.", code="endpoint_not_active")
    replay = _new(endpoint, within, asked.status, now)
    transaction = Transaction(recorder)
    if named:
        transaction.add(replay_store.add_replay_page(replay, named))
        replay = replay.listed(len(named), "", is_last=True, now=now)
    transaction.add(replay_store.add_replay(replay))
    transaction.publish(Event(events.REPLAY_ASKED, replay.id))
    transaction.commit(replay)
    return replay


def replay_for(replay_id: str, caller: Caller) -> Replay:
    replay = replay_store.get_replay(replay_id)
    if replay is None:
        raise NotFound("There is no such replay.")
    caller.must_be("supplier", replay.owner, "replay")
    return replay


def go_on(replay_id: str) -> None:
    """Take the next step of a job that is under way, and ask for the one after it."""
    replay = replay_store.get_replay(replay_id)
    if replay is None or not replay.is_running:
        return
    try:
        after = _send_page(replay) if replay.is_listed else _list_page(replay)
    except Stale:
        logger.info("the step was taken meanwhile")
        return
    if after.is_running:
        _call(replay_id)


def sweep(now: datetime) -> int:
    """Call the jobs that stand still: their message was lost, or their worker fails."""
    return sweep_each(
        replay_store.replays_standing_still(now, REPLAYS_A_SWEEP),
        lambda replay_id: _call_again(replay_id, now),
    )


def _range(asked: Asked, now: datetime) -> tuple[datetime, datetime] | None:
    """From when to when; None where deliveries are named. Raises Invalid."""
    by_what = asked.since or asked.until or asked.status
    if asked.delivery_ids and by_what:
        raise Invalid.field("delivery_ids", "stand alone: leave out from, to and status")
    if asked.delivery_ids:
        return None
    if not by_what:
        raise Invalid.field("status", "is left out, as are from, to and delivery_ids: say which")
    return replays.replayed_range(asked.since, asked.until, now)


def _named(delivery_ids: Sequence[str] | None, endpoint: Endpoint) -> list[str]:
    """The named deliveries, each once. Raises Invalid where one is not the endpoint's."""
    named = list(dict.fromkeys(delivery_ids or ()))
    found = webhooks.get_deliveries(named)
    for n, delivery_id in enumerate(delivery_ids or ()):
        if delivery_id not in found or found[delivery_id].endpoint_id != endpoint.id:
            raise Invalid.field(f"delivery_ids.{n}", "is not a delivery of this endpoint")
    return named


def _new(
    endpoint: Endpoint,
    within: tuple[datetime, datetime] | None,
    wanted: DeliveryStatus | None,
    now: datetime,
) -> Replay:
    since, until = within or (None, None)
    return Replay(
        id=ids.new("rpl"),
        owner=endpoint.owner,
        endpoint_id=endpoint.id,
        since=since,
        until=until,
        wanted=wanted,
        status="running",
        is_listed=False,
        listed_to=clock.to_text(since) if since else "",
        pages=0,
        page=0,
        total=0,
        done=0,
        calls=0,
        failure=None,
        version=1,
        created_at=now,
        moved_at=now,
        completed_at=None,
    )


def _list_page(replay: Replay) -> Replay:
    until = replay.until or replay.created_at
    found, behind = webhooks.deliveries_from(
        replay.owner, replay.listed_to, until, DELIVERIES_A_PAGE
    )
    wanted = [each.id for each in found if replay.covers(each)]
    listed = replay.listed(
        len(wanted), behind or replay.listed_to, is_last=not behind, now=clock.now()
    )
    transaction = Transaction()
    if wanted:
        transaction.add(replay_store.add_replay_page(replay, wanted))
    transaction.add(replay_store.replace_replay(listed))
    transaction.commit()
    return listed


def _send_page(replay: Replay) -> Replay:
    endpoint = endpoint_store.get_endpoint(replay.endpoint_id)
    if endpoint is None or not endpoint.is_active:
        return _write(replay.failed("The endpoint was deleted or disabled.", clock.now()))
    delivery_ids = replay_store.replay_page(replay)
    _send_once(replay, delivery_ids)
    # Of those sent before, too: their messages may have died with the worker that sent them.
    queues.send(queues.WEBHOOK_ATTEMPT, [{"subject": each} for each in delivery_ids])
    return _write(replay.sent(len(delivery_ids), clock.now()))


def _send_once(replay: Replay, delivery_ids: Iterable[str]) -> None:
    sent = replay_store.replayed_of_page(replay)
    for delivery_id in delivery_ids:
        if delivery_id not in sent:
            try:
                _replay(replay, delivery_id)
            except SentBefore:
                logger.info("delivery was replayed meanwhile", delivery_id=delivery_id)


@retry_stale
def _replay(replay: Replay, delivery_id: str) -> None:
    """Set one delivery to its beginning, with the marker that it has been."""
    delivery = webhooks.get_delivery(delivery_id)
    transaction = Transaction()
    transaction.add(replay_store.mark_replayed(replay, delivery_id))
    if delivery:
        _, written = from_the_beginning(delivery)
        transaction.add(written)
    transaction.commit()


def _write(after: Replay) -> Replay:
    write(replay_store.replace_replay(after))
    return after


def _call_again(replay_id: str, now: datetime) -> None:
    replay = replay_store.get_replay(replay_id)
    # An index may know one late that has moved on.
    if replay is None or not replay.is_running or now < replay_store.stands_still_at(replay):
        return
    called = _write(replay.called(now))
    if called.is_running:
        _call(replay_id)


def _call(replay_id: str) -> None:
    queues.send(queues.WEBHOOK_REPLAY, [{"subject": replay_id}])
