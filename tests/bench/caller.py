"""The API as Lambda calls it: a gateway event in, an answer out, in this process."""

import base64
import copy
import json
import uuid
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from tests.support.events import Event, sample

CONTEXT = SimpleNamespace(aws_request_id="request-of-bench", function_name="bench")
Handler = Callable[[Event, Any], Any]


def event(method: str, resource: str, body: Any, *, role: str, sub: str, **path: str) -> Event:
    """What the gateway sends once its authorizer has judged the caller, under a new key."""
    made = copy.deepcopy(sample("api"))
    key = uuid.uuid4().hex
    made["headers"]["Idempotency-Key"] = key
    made["multiValueHeaders"]["Idempotency-Key"] = [key]
    made |= {
        "httpMethod": method,
        "resource": resource,
        "path": resource.format(**path),
        "pathParameters": path or None,
        "body": base64.b64encode(json.dumps(body).encode()).decode(),
    }
    made["requestContext"] |= {
        "httpMethod": method,
        "resourcePath": resource,
        "authorizer": {"role": role, "sub": sub, "principalId": sub},
    }
    return made


def body_of(answer: Mapping[str, Any]) -> Any:
    """The JSON of an answer that must be a success."""
    if answer["statusCode"] not in (200, 201):
        raise RuntimeError(f"the API answered {answer['statusCode']}: {answer['body']}")
    return json.loads(answer["body"])
