"""What every store is built on: all or nothing, and each write's own reason to refuse."""

from datetime import timedelta
from unittest import mock

import pytest

from chalicelib.kernel import clock
from chalicelib.kernel.errors import Conflict, Stale
from chalicelib.kernel.events import ORDER_PAID, Event
from chalicelib.ordering.store import LimitsRow
from chalicelib.platform import outbox, queues, store
from chalicelib.platform.outbox import OutboxRow
from chalicelib.platform.store import Key
from chalicelib.platform.transaction import (
    WRITE_LIMIT,
    Check,
    Delete,
    Put,
    Transaction,
    create,
    write,
)
from chalicelib.stock import store as stock
from chalicelib.stock.rules import from_first
from chalicelib.stock.store import StockRow
from tests.support.queues import waiting


def stock_of(sku_id: str) -> StockRow:
    return StockRow(sku_id, "stock", available=5)


def test_what_exists_cannot_be_created_and_stays_as_it_is() -> None:
    write(create(stock_of("sku_1")))
    with pytest.raises(Stale):
        write(create(StockRow("sku_1", "stock", available=9)))
    assert stock.get_stock("sku_1").available == 5


def test_one_write_that_cannot_be_undoes_all_others() -> None:
    write(create(stock_of("sku_1")))
    with pytest.raises(Stale):
        write(create(stock_of("sku_2")), create(stock_of("sku_1")))
    assert store.get(StockRow, "sku_2", "stock") is None


def test_the_first_refusal_in_the_order_of_writing_is_told_whatever_kinds_of_writes_fail() -> None:
    first, second = Conflict("first"), Conflict("second")
    missing = StockRow.at("sku_1", "stock")
    refused = StockRow.available.exists()
    with pytest.raises(Conflict, match="first"):
        write(Put(missing, refused, first), Check(missing_other(), refused, second))
    with pytest.raises(Conflict, match="second"):
        write(Delete(missing, refused, second), Put(missing_other(), refused, first))


def missing_other() -> StockRow:
    return StockRow.at("sku_2", "stock")


def test_another_writer_that_came_first_explains_every_other_refusal() -> None:
    write(create(stock_of("sku_1")))
    with pytest.raises(Stale):
        write(*stock.reserve({"sku_2": from_first(1)}), create(stock_of("sku_1")))


def test_a_check_holds_without_writing() -> None:
    write(create(stock_of("sku_1")))
    enough = StockRow.available >= 5
    write(Check(StockRow.at("sku_1", "stock"), enough), create(stock_of("sku_2")))
    with pytest.raises(Stale):
        write(
            Check(StockRow.at("sku_1", "stock"), StockRow.available >= 6), create(stock_of("sku_3"))
        )
    assert stock.get_stock("sku_1").levels[0].version == 0
    assert store.get(StockRow, "sku_3", "stock") is None


def test_a_hundred_items_are_written_at_once() -> None:
    write(*(create(stock_of(f"sku_{n}")) for n in range(WRITE_LIMIT)))
    assert len(stock.get_stocks([f"sku_{n}" for n in range(WRITE_LIMIT)])) == WRITE_LIMIT


def test_a_snapshot_is_in_the_order_asked_for_with_none_for_what_is_absent() -> None:
    write(create(stock_of("sku_1")), create(LimitsRow("limits#a", "limits")))
    found = store.get_together(
        [
            Key(LimitsRow, "limits#a", "limits"),
            Key(StockRow, "sku_none", "stock"),
            Key(StockRow, "sku_1", "stock"),
        ]
    )
    assert [row and row.pk for row in found] == ["limits#a", None, "sku_1"]


def test_whole_numbers_beyond_a_floats_precision_come_back_exactly() -> None:
    huge = 9_007_199_254_740_993
    write(create(StockRow("sku_1", "stock", available=huge)))
    assert stock.get_stock("sku_1").available == huge
    write(*stock.reserve({"sku_1": from_first(1)}))
    assert stock.get_stock("sku_1").available == huge - 1


def test_an_event_is_sent_to_each_of_its_queues_and_its_record_is_gone() -> None:
    publish(Event(ORDER_PAID, "ord_1", {"n": 1}))
    sent = {"type": "order.paid", "subject": "ord_1", "data": {"n": 1}}
    assert waiting("DISPATCH_CREATE") == [sent]
    assert waiting("WEBHOOK_FAN_OUT") == [sent]
    assert store.scan(OutboxRow, limit=10) == []


def test_an_event_of_a_transaction_that_failed_is_never_sent() -> None:
    write(create(stock_of("sku_1")))
    transaction = Transaction()
    transaction.add(create(stock_of("sku_1")))
    transaction.publish(Event(ORDER_PAID, "ord_1"))
    with pytest.raises(Stale):
        transaction.commit()
    outbox.sweep(clock.now() + timedelta(hours=1))
    assert waiting("DISPATCH_CREATE") == []


def test_what_sqs_refuses_stays_and_a_sweep_after_the_grace_sends_it() -> None:
    with mock.patch.object(queues, "send_event", side_effect=ConnectionError):
        publish(Event(ORDER_PAID, "ord_1"))
    assert outbox.sweep(clock.now() + timedelta(seconds=19)) == 0
    assert waiting("DISPATCH_CREATE") == []
    assert outbox.sweep(clock.now() + timedelta(seconds=21)) == 1
    assert [message["subject"] for message in waiting("DISPATCH_CREATE")] == ["ord_1"]
    assert outbox.sweep(clock.now() + timedelta(hours=1)) == 0


def test_who_sends_an_older_event_does_not_take_a_newer_one_of_the_same_name_away() -> None:
    (older,) = outbox.records([Event(ORDER_PAID, "ord_1")])
    with mock.patch.object(queues, "send_event", side_effect=ConnectionError):
        publish(Event(ORDER_PAID, "ord_1"))
        newer = store.scan(OutboxRow, limit=10)[0]
        newer.published_at = older.published_at + timedelta(milliseconds=1)
        newer.save()
    outbox.send([older])
    assert [row.published_at for row in store.scan(OutboxRow, limit=10)] == [newer.published_at]


def publish(event: Event) -> None:
    transaction = Transaction()
    transaction.publish(event)
    transaction.commit()
