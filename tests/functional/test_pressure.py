"""A store that is pressed: tried again with jitter, then 503 with Retry-After, never a trace."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from chalicelib.parties import authorizer
from chalicelib.platform.endpoints import ENDPOINTS
from chalicelib.platform.settings import settings
from chalicelib.reference.examples import EXAMPLES, TEXTS
from tests.support.aws_calls import Send, around_each_call
from tests.support.gateway import Answer
from tests.support.roles import QUERIES, ROLES
from tests.support.snapshot import snapshot
from tests.support.world import World, created

READS = {"GetItem", "BatchGetItem", "TransactGetItems", "Query", "Scan"}
WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}

THROTTLED = [
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "InternalServerError",
    "TransactionInProgressException",
]
COLLISIONS = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]


def refused(code: str) -> Callable[[str], Exception]:
    return lambda operation: ClientError({"Error": {"Code": code, "Message": "x"}}, operation)


def collided(*reasons: str) -> Callable[[str], Exception]:
    """A transaction that DynamoDB has cancelled for these reasons, by item."""
    said = {
        "Error": {
            "Code": "TransactionCanceledException",
            "Message": f"Transaction cancelled, for specific reasons [{', '.join(reasons)}]",
        },
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    return lambda operation: ClientError(said, operation)


@dataclass
class Pressed:
    """Refuses the first so many calls of some operations, and counts them."""

    operations: set[str]
    error: Callable[[str], Exception]
    times: int = 10**9
    seen: int = 0

    def __call__(self, operation: str, send: Send) -> Any:
        if operation not in self.operations or self.seen >= self.times:
            return send()
        self.seen += 1
        raise self.error(operation)


@dataclass
class Naps:
    """How long the code would have slept."""

    taken: list[float] = field(default_factory=list)


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> Naps:
    found = Naps()
    monkeypatch.setattr(time, "sleep", found.taken.append)
    return found


def busy(answer: Answer) -> None:
    assert (answer.status, answer.code) == (503, "busy"), answer.text
    assert int(answer.headers["retry-after"]) >= 1
    assert "Exception" not in answer.text


@pytest.mark.parametrize("code", THROTTLED)
@pytest.mark.parametrize("operations", [READS, WRITES])
def test_a_throttled_call_is_made_again(
    world: World, naps: Naps, code: str, operations: set[str]
) -> None:
    sale, pressed = world.sale(stock=5), Pressed(operations, refused(code), times=3)
    with around_each_call(pressed):
        world.place(sale, quantity=2)
    assert pressed.seen == 3
    assert world.stock(sale.sku_ids[0])["reserved"] == 2


@pytest.mark.parametrize("code", COLLISIONS)
@pytest.mark.parametrize("operation", ["TransactGetItems", "TransactWriteItems"])
def test_a_transaction_that_collides_is_made_again(
    world: World, naps: Naps, code: str, operation: str
) -> None:
    sale, pressed = world.sale(stock=5), Pressed({operation}, collided("None", code), times=3)
    with around_each_call(pressed):
        world.place(sale, quantity=2)
    assert pressed.seen == 3
    assert world.stock(sale.sku_ids[0])["reserved"] == 2


def test_waits_between_attempts_grow_and_jitter(world: World, naps: Naps) -> None:
    sale = world.sale()
    for _ in range(5):
        with around_each_call(Pressed(WRITES, refused(THROTTLED[0]))):
            busy(world.customer().post("/v1/orders", world.order_body(sale)))
    attempts = len(naps.taken) // 5
    assert attempts >= 3
    assert len(set(naps.taken)) > attempts, "the same waits each time"
    assert all(0 <= nap < 2 for nap in naps.taken)
    assert sum(naps.taken) / 5 < 10, "longer than the gateway waits"


@pytest.mark.parametrize("operations", [READS, WRITES])
@pytest.mark.parametrize("error", [refused(THROTTLED[0]), collided("TransactionConflict", "None")])
def test_a_store_that_stays_pressed_is_a_503_that_changed_nothing_and_may_be_tried_again(
    world: World, naps: Naps, operations: set[str], error: Callable[[str], Exception]
) -> None:
    sale, alice = world.sale(stock=5), world.customer()
    body, before = world.order_body(sale, 2), snapshot(world.environment)
    with around_each_call(Pressed(operations & {"TransactGetItems", "TransactWriteItems"}, error)):
        busy(alice.post("/v1/orders", body, key="basket-1"))
    assert snapshot(world.environment) == before
    order = created(alice.post("/v1/orders", body, key="basket-1"))
    assert order["status"] == "pending_payment"
    assert world.stock(sale.sku_ids[0])["reserved"] == 2


@pytest.mark.parametrize(
    "error",
    [
        lambda _: ReadTimeoutError(endpoint_url="https://dynamodb"),
        lambda _: ConnectTimeoutError(endpoint_url="https://dynamodb"),
    ],
)
def test_a_store_that_does_not_answer_is_a_503_too(
    world: World, naps: Naps, error: Callable[[str], Exception]
) -> None:
    sale, alice = world.sale(stock=5), world.customer()
    with around_each_call(Pressed({"TransactWriteItems"}, error)):
        busy(alice.post("/v1/orders", world.order_body(sale), key="basket-1"))
    created(alice.post("/v1/orders", world.order_body(sale), key="basket-1"))
    assert world.stock(sale.sku_ids[0])["reserved"] == 1


def test_an_answer_that_was_lost_is_found_again_by_its_key(world: World, naps: Naps) -> None:
    """The transaction commits, but its answer never arrives."""
    sale, alice = world.sale(stock=5), world.customer()
    body = world.order_body(sale, 2)

    def lose(operation: str, send: Send) -> Any:
        answer = send()
        if operation == "TransactWriteItems":
            raise ReadTimeoutError(endpoint_url="https://dynamodb")
        return answer

    with around_each_call(lose):
        busy(alice.post("/v1/orders", body, key="basket-1"))
    again = alice.post("/v1/orders", body, key="basket-1")
    assert (again.status, again.headers["idempotent-replayed"]) == (201, "true")
    assert world.stock(sale.sku_ids[0])["reserved"] == 2
    assert len(alice.get("/v1/orders").json["items"]) == 1


def test_a_final_answer_of_the_store_is_not_asked_for_again(world: World, naps: Naps) -> None:
    sale = world.sale(stock=1)
    answer = world.customer().post("/v1/orders", world.order_body(sale, 2))
    assert (answer.status, answer.code) == (409, "out_of_stock")
    assert naps.taken == []


# They read nothing, or are refused before they read.
UNTOUCHED = {
    ("GET", "/docs"),
    ("GET", "/health"),
    ("GET", "/openapi.json"),
    ("POST", "/v1/payment-events/{provider}"),
    ("GET", "/v1/dead-letters"),
    ("GET", "/v1/dead-letters/{queue}"),
}


def test_no_route_answers_a_pressed_store_with_anything_but_503(world: World, naps: Naps) -> None:
    leader_id = world.add_leader()
    callers = {"operator": world.operator, "leader": world.leader(leader_id)}
    asked = 0
    for endpoint in ENDPOINTS:
        route = (endpoint.method, endpoint.path)
        if route in UNTOUCHED:
            continue
        roles = ROLES[route]
        assert roles is not None
        role = "operator" if "operator" in roles else min(roles)
        caller = callers.get(role) or world.caller(role, "somebody")
        path = endpoint.path.replace("{id}", "x_1").replace("{key_id}", "k_1")
        body = EXAMPLES[endpoint.body.__name__] if endpoint.body else TEXTS.get(endpoint.name)
        if isinstance(body, str):
            body = body.encode()
        if endpoint.path == "/v1/webhook-endpoints" and body:
            body = {"url": "http://127.0.0.1:9/hook"}
        path += f"?{QUERIES.get(endpoint.name, '')}"
        headers = {"Idempotency-Key": "k"} if endpoint.key != "none" else {}
        with around_each_call(Pressed(READS | WRITES, refused(THROTTLED[0]))):
            busy(caller.send(endpoint.method, path.replace("{run_id}", "r_1"), body, headers))
        asked += 1
    assert asked == len(ROLES) - len(UNTOUCHED)


def test_an_api_key_that_cannot_be_looked_up_is_not_called_wrong(world: World, naps: Naps) -> None:
    supplier = world.supplier(world.add_supplier())
    with around_each_call(Pressed(READS, refused(THROTTLED[0]))):
        busy(supplier.get("/v1/products"))
    assert supplier.get("/v1/products").status == 200


def test_a_token_whose_issuer_does_not_answer_is_not_called_wrong(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    authorizer._keys.cache_clear()
    with monkeypatch.context() as silent:
        silent.setenv("JWT_JWKS_URL", "http://127.0.0.1:9/jwks.json")
        settings.cache_clear()
        busy(world.operator.get("/v1/suppliers"))
    settings.cache_clear()
    authorizer._keys.cache_clear()
    assert world.operator.get("/v1/suppliers").status == 200
