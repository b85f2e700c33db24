"""Holds every answer against the OpenAPI document: what is not documented is not answered."""

import json
from functools import cache
from urllib.parse import quote

from jsonschema_rs import Draft202012, Draft202012Validator, Registry

from chalicelib.reference.openapi import document
from tests.support.gateway import Answer
from tests.support.roles import PAGES

DOCUMENT = "urn:tuan:openapi"
PROBLEM_FIELDS = {"type", "title", "status", "detail", "code"}


def check(method: str, route: str, answer: Answer) -> None:
    """Raise AssertionError where an answer is not as its route's operation says."""
    where = f"{method} {route} answered {answer.status} {answer.text[:300]}"
    assert answer.headers.get("x-request-id"), where
    if (method, route) in PAGES:
        return
    responses = document()["paths"][route][method.lower()]["responses"]
    assert str(answer.status) in responses, where
    content = responses[str(answer.status)].get("content", {})
    kind = answer.headers.get("content-type", "")
    if not content:
        assert answer.text == "", where
        return
    assert kind in content, f"{where} as {kind}"
    if kind.endswith("json"):
        _validator(method, route, answer.status, kind).validate(answer.json)
    if answer.status >= 400:
        _check_problem(answer, where)


def _check_problem(answer: Answer, where: str) -> None:
    """RFC 9457, and the contract's own fields."""
    assert answer.headers["content-type"] == "application/problem+json", where
    said = answer.json
    may = {"errors"} if answer.status in (409, 422) else set()
    must = {"errors"} if answer.status == 422 else set()
    assert PROBLEM_FIELDS | must <= set(said) <= PROBLEM_FIELDS | may, where
    assert answer.status == 422 or said.get("errors") != [], where
    assert said["status"] == answer.status, where
    assert said["detail"], where
    assert "Traceback" not in answer.text, where
    assert ".py" not in answer.text, where
    assert ("retry-after" in answer.headers) == (answer.status in (429, 503)), where


@cache
def _validator(method: str, route: str, status: int, kind: str) -> Draft202012Validator:
    at = ("paths", route, method.lower(), "responses", str(status), "content", kind, "schema")
    pointer = "/".join(each.replace("~", "~0").replace("/", "~1") for each in at)
    return Draft202012Validator({"$ref": f"{DOCUMENT}#/{quote(pointer)}"}, registry=_registry())


@cache
def _registry() -> Registry:
    """The document, once for all validators: a copy, so that all inside it is plain JSON."""
    plain = json.loads(json.dumps(document()))
    return Registry([(DOCUMENT, plain)], draft=Draft202012)
