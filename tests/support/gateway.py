"""API Gateway in this process, as far as the API can tell: routes, the authorizer, its own answers.

Chalice's test client lets a request pass where the authorizer raises, and knows nothing of the
answers that the template gives the gateway; a test of credentials needs both.
"""

import base64
import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from chalice.app import Chalice

from infra.template.compose import load
from infra.template.gateway import gateway_response
from tests.support.granted import running_as

ARN = "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/api"


@dataclass(frozen=True)
class Answer:
    """What a request was answered. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str
    content: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str | None:
        """A problem document's stable code."""
        return str(self.json["code"]) if self.status >= 400 else None


@dataclass(frozen=True)
class Match:
    """A declared route and what stands in its braces."""

    route: str
    path: dict[str, str]


Inspect = Callable[[str, str, Answer], None]


class Gateway:
    """Answers requests as the deployed API does; `inspect` sees each answer of a declared route."""

    def __init__(self, app: Chalice, inspect: Inspect | None = None) -> None:
        self._app, self._inspect = app, inspect
        # The more braces, the later: a fixed path goes before one with a parameter.
        self._routes = sorted(app.routes, key=lambda route: route.count("{"))

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        url = urlsplit(path)
        match = self._match(method, url.path)
        if match is None:
            return own_answer("MISSING_AUTHENTICATION_TOKEN")
        event = event_of(method, match, url.path, url.query, headers, body)
        answer = self._authorized(event) or self._invoke(event)
        if self._inspect:
            self._inspect(method, match.route, answer)
        return answer

    def _match(self, method: str, path: str) -> Match | None:
        for route in self._routes:
            pattern = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", route)
            if method in self._app.routes[route] and (found := re.fullmatch(pattern, path)):
                return Match(route, {name: unquote(at) for name, at in found.groupdict().items()})
        return None

    def _authorized(self, event: dict[str, Any]) -> Answer | None:
        """Ask the route's authorizer, if it has one; the gateway's answer where it refuses."""
        context = event["requestContext"]
        route = self._app.routes[context["resourcePath"]][context["httpMethod"]]
        authorizer: Any = route.authorizer
        if authorizer is None:
            return None
        token = next((v for k, v in event["headers"].items() if k.lower() == "authorization"), "")
        if not token:
            return own_answer("UNAUTHORIZED")
        arn = f"{ARN}/{context['httpMethod']}{context['path']}"
        asked = {"type": "TOKEN", "methodArn": arn, "authorizationToken": token}
        try:
            with running_as("Authorizer"):
                policy = authorizer(asked, None)
        except Exception as error:
            refused = str(error) == "Unauthorized"
            return own_answer("UNAUTHORIZED" if refused else "AUTHORIZER_FAILURE")
        context["authorizer"] = {**policy["context"], "principalId": policy["principalId"]}
        return None

    def _invoke(self, event: dict[str, Any]) -> Answer:
        with running_as("APIHandler"):
            answer = self._app(event, None)
        headers = {name.lower(): str(value) for name, value in answer["headers"].items()}
        text = answer["body"] or ""
        content = text.encode()
        if answer.get("isBase64Encoded") and _accepts_binary(event):
            content = base64.b64decode(text)
        return Answer(answer["statusCode"], headers, content.decode(errors="replace"), content)


def _accepts_binary(event: Mapping[str, Any]) -> bool:
    """Whether there is an `Accept`: the template has any type as binary. Without one the gateway
    passes base64 on as text."""
    return any(name.lower() == "accept" and value for name, value in event["headers"].items())


def event_of(
    method: str, match: Match, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> dict[str, Any]:
    """The event of a REST API's Lambda proxy integration; the template has bodies in base64."""
    return {
        "resource": match.route,
        "path": path,
        "httpMethod": method,
        "headers": dict(headers),
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "multiValueQueryStringParameters": parse_qs(query, keep_blank_values=True) or None,
        "pathParameters": match.path or None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": match.route,
            "httpMethod": method,
            "path": path,
            "stage": "api",
            "requestId": str(uuid.uuid4()),
            "identity": {"sourceIp": "203.0.113.7"},
        },
        "body": base64.b64encode(body).decode() if body else None,
        "isBase64Encoded": bool(body),
    }


def own_answer(kind: str) -> Answer:
    """What the gateway answers by itself, as the template makes it."""
    response = gateway_response(*load("gateway")[kind])
    headers = response["ResponseParameters"]["Headers"]
    values = {name.lower(): value.strip("'") for name, value in headers.items()}
    values["x-request-id"] = str(uuid.uuid4())
    return Answer(response["StatusCode"], values, response["ResponseTemplates"]["application/json"])
