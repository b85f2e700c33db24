"""The record of an idempotency key: one caller's, for one request, for at least a day."""

from datetime import timedelta

import pytest

from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Invalid
from chalicelib.platform.idempotency import (
    AlreadyAnswered,
    Answer,
    AnsweredMeanwhile,
    IdempotentRequest,
    fingerprint,
)
from chalicelib.platform.transaction import Transaction, create
from chalicelib.stock import store as stock
from chalicelib.stock.store import StockRow

ALICE, BOB = Caller("customer", "cus_alice"), Caller("customer", "cus_bob")


def request(
    *, caller: Caller = ALICE, key: str = "key-1", body: object = "an order"
) -> IdempotentRequest:
    mark = fingerprint("POST", "/v1/orders", body)
    return IdempotentRequest(caller, key, mark, lambda result: Answer(201, result))


def commit(made: IdempotentRequest, sku_id: str, answer: str) -> None:
    transaction = Transaction(made)
    transaction.add(create(StockRow(sku_id, "stock", available=1)))
    transaction.commit(answer)


def test_the_first_answer_is_given_again() -> None:
    request().look_up()
    commit(request(), "sku_1", '{"name":"Zoë 🥚"}')
    with pytest.raises(AlreadyAnswered) as repeat:
        request().look_up()
    answer = repeat.value.answer
    assert (answer.status, answer.body) == (201, '{"name":"Zoë 🥚"}')


def test_a_key_stands_for_one_request() -> None:
    commit(request(), "sku_1", "{}")
    with pytest.raises(Invalid) as refused:
        request(body="another order").look_up()
    assert refused.value.code == "idempotency_key_reused"


def test_a_key_belongs_to_one_caller() -> None:
    commit(request(), "sku_1", "{}")
    request(caller=BOB).look_up()
    request(caller=Caller("leader", ALICE.id)).look_up()
    commit(request(caller=BOB), "sku_2", "{}")


def test_of_two_requests_with_a_key_one_takes_effect() -> None:
    commit(request(), "sku_1", "first")
    with pytest.raises(AnsweredMeanwhile):
        commit(request(), "sku_2", "second")
    assert stock.get_stocks(["sku_1", "sku_2"]).keys() == {"sku_1"}
    with pytest.raises(AlreadyAnswered) as repeat:
        request().look_up()
    assert repeat.value.answer.body == "first"


def test_a_key_lives_a_day_and_is_free_again_after_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commit(request(), "sku_1", "first")
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=24))
    with pytest.raises(AlreadyAnswered):
        request().look_up()
    # DynamoDB removes what has expired days later: until then it must count as gone.
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=30))
    request().look_up()
    commit(request(), "sku_2", "second")
    with pytest.raises(AlreadyAnswered) as repeat:
        request().look_up()
    assert repeat.value.answer.body == "second"
