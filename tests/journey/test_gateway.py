"""What the gateway answers by itself: the same kind of document as the application's."""

import jwt
import pytest

from tests.support.deployed import DeployedWorld
from tests.support.gateway import Answer
from tests.support.world import Api


def unsigned_token() -> str:
    claims = {"iss": "https://issuer.tuan.local", "aud": "tuan-local", "sub": "x"}
    return jwt.encode({**claims, "role": "operator", "exp": 4102444800}, "", algorithm="none")


def is_problem(answer: Answer, status: int, code: str) -> bool:
    """Whether it is a problem document of that kind, with nothing of the machinery's own."""
    document = answer.json
    return (
        (answer.status, document["status"], document["code"]) == (status, status, code)
        and answer.headers["content-type"] == "application/problem+json"
        and bool(document["title"] and document["detail"] and document["type"])
        and bool(answer.headers["x-request-id"])
        and "message" not in document
    )


@pytest.mark.parametrize(
    "credentials",
    [None, "nonsense", "tsk_unknown", unsigned_token()],
    ids=lambda each: str(each)[:9],
)
def test_without_good_credentials_the_answer_is_a_401_document(
    world: DeployedWorld, credentials: str | None
) -> None:
    answer = Api(world.gateway, credentials).get("/v1/orders")
    assert is_problem(answer, 401, "unauthenticated")


def test_what_is_not_there_is_a_404_document(world: DeployedWorld) -> None:
    assert is_problem(world.operator.get("/v1/nothing"), 404, "not_found")
    assert is_problem(world.anyone.get("/nothing"), 404, "not_found")


def test_a_role_that_may_not_is_a_403_document(world: DeployedWorld) -> None:
    answer = world.customer().get("/v1/ledger/trial-balance")
    assert is_problem(answer, 403, "forbidden")


def test_a_file_is_never_sent_in_base64(world: DeployedWorld) -> None:
    supplier = world.supplier(world.add_supplier())
    path = "/v1/dispatches/export"
    for headers in ({}, {"Accept": "*/*"}):
        text = supplier.get(path, **headers)
        assert (text.status, text.content[:14]) == (200, b"\xef\xbb\xbfdispatch_id")
    assert is_problem(supplier.get(f"{path}?format=xlsx"), 400, "no_accept")
    workbook = supplier.get(f"{path}?format=xlsx", Accept="*/*")
    assert (workbook.status, workbook.content[:4]) == (200, b"PK\x03\x04")


def test_health_and_the_reference_need_no_credentials(world: DeployedWorld) -> None:
    assert [world.anyone.get(path).status for path in ("/health", "/openapi.json", "/docs")] == [
        200,
        200,
        200,
    ]
