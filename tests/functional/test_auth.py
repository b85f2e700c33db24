"""Credentials and roles: whatever is not allowed by name is refused."""

import base64
import hmac
import json
import time
from typing import Any

import boto3
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.functional.conftest import new_world
from tests.support.gateway import Answer, Match, event_of
from tests.support.roles import ROLES
from tests.support.world import AUDIENCE, ISSUER, KEY_ID, Api, Issuer, World, created

REFUSED = {401, 403}


def call(api: Api, method: str, route: str) -> Answer:
    """The route with ids that nothing has, and a body that nothing takes."""
    path = route.replace("{provider}", "nobody").replace("{id}", "x_1")
    path = path.replace("{key_id}", "key_1").replace("{run_id}", "run_1")
    headers = {"Idempotency-Key": "k"} if method == "POST" else {}
    body = {"nothing": True} if method in ("POST", "PUT", "PATCH") else None
    return api.send(method, path, body, headers)


def test_the_table_of_roles_names_every_route(world: World) -> None:
    from app import app

    assert set(ROLES) == {(method, path) for path in app.routes for method in app.routes[path]}


def test_each_role_may_do_exactly_what_the_table_says(world: World) -> None:
    callers = {
        "operator": world.operator,
        "leader": world.leader(world.add_leader()),
        "customer": world.customer(),
        "supplier": world.supplier(world.add_supplier()),
    }
    for (method, route), allowed in ROLES.items():
        may = {role for role, api in callers.items() if call(api, method, route).status != 403}
        assert may == (set(callers) if allowed is None else allowed), (method, route)


def test_without_credentials_only_the_open_routes_answer(world: World) -> None:
    for (method, route), allowed in ROLES.items():
        answer = call(world.anyone, method, route)
        assert (answer.status == 401) == (allowed is not None), (method, route)


def test_a_refusal_of_the_role_says_which_roles_may(world: World) -> None:
    answer = world.customer().get("/v1/suppliers")
    assert (answer.status, answer.code) == (403, "forbidden")
    assert "operator" in answer.json["detail"]


def test_a_request_that_no_authorizer_has_seen_is_refused_by_the_route_itself(
    world: World,
) -> None:
    from app import app

    for (method, route), allowed in ROLES.items():
        if allowed is not None:
            match = Match(route, dict.fromkeys(("id", "key_id", "queue", "run_id"), "x_1"))
            event = event_of(method, match, route, "", {"Authorization": "Bearer x"}, b"")
            answer = app(event, None)
            assert answer["statusCode"] == 401, (method, route)
            assert json.loads(answer["body"])["code"] == "unauthenticated"


@pytest.mark.parametrize("context", [{}, {"role": "operator"}, {"role": "god", "sub": "x"}])
def test_an_authorizer_context_that_says_too_little_is_no_credential(
    world: World, context: dict[str, str]
) -> None:
    from app import app

    event = event_of("GET", Match("/v1/suppliers", {}), "/v1/suppliers", "", {}, b"")
    event["requestContext"]["authorizer"] = context
    assert app(event, None)["statusCode"] == 401


def token_of(issuer: Issuer, *, without: str = "", **claims: Any) -> str:
    said = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "op_test",
        "role": "operator",
        "exp": int(time.time()) + 3600,
        **claims,
    }
    said.pop(without, None)
    return jwt.encode(said, issuer.key, algorithm="ES256", headers={"kid": KEY_ID})


def unsigned(algorithm: str) -> str:
    """A token whose header names an algorithm and whose signature is empty."""
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "op", "role": "operator", "exp": 4102444800}
    parts = [{"alg": algorithm, "typ": "JWT", "kid": KEY_ID}, claims]
    return ".".join([*(coded(json.dumps(part).encode()) for part in parts), ""])


def coded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed_with_the_public_key(issuer: Issuer) -> str:
    """HS256 with the issuer's public key as the shared secret: the classic confusion."""
    public = issuer.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    # By hand: the library does not sign so.
    said = unsigned("HS256").removesuffix(".")
    return f"{said}.{coded(hmac.digest(public, said.encode(), 'sha256'))}"


def of_another_key(issuer: Issuer, algorithm: str) -> str:
    claims = jwt.decode(issuer.token("operator", "op"), options={"verify_signature": False})
    elliptic = algorithm == "ES256"
    key: Any = (
        ec.generate_private_key(ec.SECP256R1())
        if elliptic
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": KEY_ID})


def bad_credentials(issuer: Issuer) -> dict[str, str]:
    """`Authorization` headers that must open nothing, by what is wrong with them."""
    good, past = issuer.token("operator", "op_test"), int(time.time()) - 3600
    head, claims, signature = good.split(".")
    tokens = {
        "expired": token_of(issuer, exp=past),
        "not valid yet": token_of(issuer, nbf=int(time.time()) + 3600),
        "of another issuer": token_of(issuer, iss="https://elsewhere.test"),
        "for another audience": token_of(issuer, aud="another-api"),
        "without expiry": token_of(issuer, without="exp"),
        "without issuer": token_of(issuer, without="iss"),
        "without audience": token_of(issuer, without="aud"),
        "without subject": token_of(issuer, without="sub"),
        "with an empty subject": token_of(issuer, sub=""),
        "with a subject that is too long": token_of(issuer, sub="s" * 129),
        "without role": token_of(issuer, without="role"),
        "with an unknown role": token_of(issuer, role="god"),
        "with two roles": token_of(issuer, role=["operator", "customer"]),
        "of a supplier, who has no tokens": token_of(issuer, role="supplier"),
        "unsigned": unsigned("ES256"),
        "alg=none": unsigned("none"),
        "alg=None": unsigned("None"),
        "signed with the public key": signed_with_the_public_key(issuer),
        "signed by a foreign key": of_another_key(issuer, "ES256"),
        "signed by a foreign RSA key": of_another_key(issuer, "RS256"),
        "with an unknown key id": jwt.encode(
            jwt.decode(good, options={"verify_signature": False}),
            issuer.key,
            algorithm="ES256",
            headers={"kid": "unknown"},
        ),
        "with changed claims": f"{head}.{claims[:-4]}AAAA.{signature}",
        "cut short": good[:-5],
        "no token at all": "hello",
        "an API key that nobody has": "tsk_" + "A" * 43,
        "the beginning of an API key": "tsk_",
    }
    headers = {name: f"Bearer {token}" for name, token in tokens.items()}
    basic = base64.b64encode(b"admin:admin").decode()
    return {**headers, "of another scheme": f"Basic {basic}", "nothing but a token": good}


def test_bad_credentials_open_nothing_and_learn_nothing(world: World) -> None:
    for name, header in bad_credentials(world.issuer).items():
        answer = world.anyone.get("/v1/suppliers", Authorization=header)
        assert (answer.status, answer.code) == (401, "unauthenticated"), name
        assert header.split()[-1] not in answer.text, name


def test_a_good_token_opens_what_it_should_whatever_the_case_of_its_scheme(world: World) -> None:
    token = world.issuer.token("operator", "op_test")
    for scheme in ("Bearer", "bearer", "BEARER"):
        answer = world.anyone.get("/v1/suppliers", Authorization=f"{scheme} {token}")
        assert answer.status == 200, scheme


def test_the_name_of_the_role_claim_is_a_setting(issuer: Issuer) -> None:
    claim = "https://tuan.test/role"
    with new_world(issuer, JWT_ROLE_CLAIM=claim) as world:
        named = Api(world.gateway, issuer.token("customer", "op", **{claim: "operator"}))
        assert named.get("/v1/suppliers").status == 200
        assert world.operator.get("/v1/suppliers").status == 401


def test_an_api_key_is_shown_once_and_stored_only_as_a_hash(world: World) -> None:
    supplier_id = world.add_supplier()
    path = f"/v1/suppliers/{supplier_id}/api-keys"
    issued = created(world.operator.post(path, key="make-a-key"))
    assert issued["key"].startswith("tsk_")
    assert issued["id"].startswith("key_")
    listed = world.operator.get(path)
    assert [each["id"] for each in listed.json["items"]] == [issued["id"]]
    assert issued["key"] not in listed.text
    tables = boto3.client("dynamodb")
    for name in tables.list_tables()["TableNames"]:
        assert issued["key"] not in str(tables.scan(TableName=name)["Items"]), name


def test_a_repeat_with_its_key_shows_the_same_api_key_again(world: World) -> None:
    path = f"/v1/suppliers/{world.add_supplier()}/api-keys"
    first = world.operator.post(path, key="make-a-key")
    again = world.operator.post(path, key="make-a-key")
    assert (again.status, again.json) == (201, first.json)
    assert again.headers["idempotent-replayed"] == "true"
    assert len(world.operator.get(path).json["items"]) == 1


def test_two_api_keys_live_at_a_time_and_a_revoked_one_is_refused_at_once(world: World) -> None:
    supplier_id = world.add_supplier()
    path = f"/v1/suppliers/{supplier_id}/api-keys"
    first = created(world.operator.post(path))
    api = Api(world.gateway, first["key"])
    second = created(api.post(path))
    third = api.post(path)
    assert (third.status, third.code) == (409, "too_many_api_keys")
    assert api.get(f"/v1/suppliers/{supplier_id}").json["id"] == supplier_id
    newer = Api(world.gateway, second["key"])
    assert newer.delete(f"{path}/{first['id']}").status == 204
    assert api.get(f"/v1/suppliers/{supplier_id}").status == 401
    assert newer.get(f"/v1/suppliers/{supplier_id}").status == 200
    assert newer.delete(f"{path}/{first['id']}").status == 404
    assert created(newer.post(path))["id"] not in (first["id"], second["id"])


def test_a_supplier_reaches_no_other_suppliers_keys(world: World) -> None:
    mine, other = world.add_supplier(), world.add_supplier()
    path = f"/v1/suppliers/{other}/api-keys"
    theirs = created(world.operator.post(path))
    api = world.supplier(mine)
    assert api.get(path).status == 404
    assert api.post(path).status == 404
    assert api.delete(f"{path}/{theirs['id']}").status == 404
    assert api.delete(f"/v1/suppliers/{mine}/api-keys/{theirs['id']}").status == 404
    assert Api(world.gateway, theirs["key"]).get(path).status == 200
