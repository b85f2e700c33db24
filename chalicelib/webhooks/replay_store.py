"""Replays of deliveries, with the pages that they are sent by and what of them was sent. They lie
in the webhooks table."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import BooleanAttribute, TTLAttribute, UnicodeAttribute

from chalicelib.kernel.errors import Overtaken
from chalicelib.platform import store
from chalicelib.platform.indexes import Due
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    Row,
    TextsAttribute,
)
from chalicelib.platform.transaction import Put, create
from chalicelib.webhooks.replays import Replay
from chalicelib.webhooks.store import DELIVERIES_KEPT, WebhooksMeta

REPLAY, REPLAYS = "replay", "replays"
# A step of a replay takes less than its worker's 60 seconds; one that stands still is called again.
STANDS_STILL_AFTER = timedelta(minutes=2)


class ReplayRow(EntityRow[Replay]):
    Meta = WebhooksMeta
    entity = Replay

    due = UnicodeAttribute(null=True)
    due_at = InstantAttribute(null=True)
    standing = Due()
    id = UnicodeAttribute()
    owner = UnicodeAttribute()
    endpoint_id = UnicodeAttribute()
    since = InstantAttribute(null=True)
    until = InstantAttribute(null=True)
    wanted = UnicodeAttribute(null=True)
    status = UnicodeAttribute()
    is_listed = BooleanAttribute()
    listed_to = UnicodeAttribute()
    pages = IntegerAttribute()
    page = IntegerAttribute()
    total = IntegerAttribute()
    done = IntegerAttribute()
    calls = IntegerAttribute()
    failure = UnicodeAttribute(null=True)
    version = IntegerAttribute()
    created_at = InstantAttribute()
    moved_at = InstantAttribute()
    completed_at = InstantAttribute(null=True)
    ttl = TTLAttribute()

    @classmethod
    def keys(cls, entity: Replay) -> dict[str, Any]:
        keys: dict[str, Any] = {"pk": entity.id, "sk": REPLAY, "ttl": _forgotten(entity)}
        if entity.is_running:
            keys |= {"due": REPLAYS, "due_at": stands_still_at(entity)}
        return keys


class ReplayPageRow(Row):
    """The deliveries of one page of a replay, as they were listed."""

    Meta = WebhooksMeta

    delivery_ids = TextsAttribute()
    ttl = TTLAttribute()


class ReplayedRow(Row):
    """The marker of a delivery that a replay has sent: it lies under its page."""

    Meta = WebhooksMeta

    delivery_id = UnicodeAttribute()
    ttl = TTLAttribute()


class SentBefore(Overtaken):
    """The replay has sent this delivery already."""


def get_replay(replay_id: str) -> Replay | None:
    row = store.get(ReplayRow, replay_id, REPLAY)
    return row.to_entity() if row else None


def add_replay(replay: Replay) -> Put:
    return create(ReplayRow.of(replay))


def replace_replay(changed: Replay) -> Put:
    return Put(ReplayRow.of(changed), ReplayRow.version == changed.version - 1)


def stands_still_at(replay: Replay) -> datetime:
    """When a job that has not moved on since then is taken for standing still."""
    return replay.moved_at + STANDS_STILL_AFTER


def replays_standing_still(now: datetime, limit: int) -> list[str]:
    rows = store.oldest(
        ReplayRow.standing, [REPLAYS], ReplayRow.due_at <= now, ReplayRow.due_at, limit
    )
    return [row.pk for row in rows]


def add_replay_page(replay: Replay, delivery_ids: Sequence[str]) -> Put:
    """The page that comes next in the list."""
    row = ReplayPageRow(replay.id, _page(replay.pages), delivery_ids=tuple(delivery_ids))
    row.ttl = _forgotten(replay)
    return create(row)


def replay_page(replay: Replay) -> tuple[str, ...]:
    """The deliveries of the page that is to be sent next."""
    row = store.get(ReplayPageRow, replay.id, _page(replay.page))
    if row is None:
        raise LookupError(f"page {replay.page} of {replay.id} is gone")
    return row.delivery_ids


def mark_replayed(replay: Replay, delivery_id: str) -> Put:
    """Written with the sending: raises SentBefore where that has been done."""
    row = ReplayedRow(replay.id, f"{_replayed(replay)}{delivery_id}", delivery_id=delivery_id)
    row.ttl = _forgotten(replay)
    return create(row, SentBefore)


def replayed_of_page(replay: Replay) -> set[str]:
    of_page = ReplayedRow.sk.startswith(_replayed(replay))
    return {row.delivery_id for row in store.query(ReplayedRow, replay.id, where=of_page)}


def _page(number: int) -> str:
    return f"page#{number:06}"


def _replayed(replay: Replay) -> str:
    return f"replayed#{replay.page:06}#"


def _forgotten(replay: Replay) -> datetime:
    return replay.created_at + DELIVERIES_KEPT
