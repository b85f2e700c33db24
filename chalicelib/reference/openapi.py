"""OpenAPI 3.1, made from the declarations and models that validate requests."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from chalicelib.platform.endpoints import ENDPOINTS, JSON, Endpoint
from chalicelib.platform.schema import ListView
from chalicelib.reference import guide
from chalicelib.reference.examples import ANSWERS, EXAMPLES, TEXTS
from chalicelib.reference.examples import TOLD as TOLD_EXAMPLES
from chalicelib.reference.told import TOLD

VERSION = "1.0.0"
REF = "#/components/schemas/{model}"
# In the order in which a newcomer meets them.
TAGS = {
    "Parties": "Suppliers with their API keys, leaders with their communities.",
    "Catalogue": "Products, campaigns and their offers.",
    "Stock": "How many units of each SKU there are.",
    "Orders": "From the basket to the money.",
    "Payments": "Refunds on their way.",
    "Payouts": "What leaders and suppliers are sent: gathered, approved, sent, and seen to arrive.",
    "Reconciliation": "What banks and providers say, held against the books.",
    "Dispatches": "What a supplier must ship; cancelling and refunding.",
    "After-sales": "What customers ask for once their parcel has shipped.",
    "Webhooks": "Telling others, signed and tried again.",
    "Commission plans": "By which rules leaders earn, in versions, and who changed what.",
    "Settlement": "What leaders earn, and the nightly run.",
    "Suppliers": "What suppliers are paid by and pay, what they are owed, and their statements.",
    "Ledger": "The books.",
    "Cases": "What a person must look at.",
    "Dead letters": "What workers gave up, and why.",
    "About": "This API itself.",
}

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": (
        "RFC 9457. `code` is stable. `errors` stands on every 422 and names what to mend; it is "
        "empty where the fault is not one field's, as in `idempotency_key_reused`. On a 409 it "
        "stands where the state of things refuses some fields and not others."
    ),
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}

# What the gateway answers by itself, before any code of ours runs.
GATEWAY_CODES = {"too_many_requests": 429}
GATEWAY_BODY_CODES = {"malformed_request": 400}


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


COMMON_HEADERS = {
    "X-Request-Id": _header("The caller's, or one made here; it is on every log line.")
}
REPLAYED = {"Idempotent-Replayed": _header("`true` where it is the first answer to the key again.")}
SENT_AT = "2026-03-12T00:15:10.000Z"
# Standard Webhooks 1.0.0.
SIGNED = {
    "webhook-id": "The delivery's id, the same at every attempt: drop what was taken before.",
    "webhook-timestamp": "When this attempt was made, in Unix seconds.",
    "webhook-signature": "`v1,` and the base64 HMAC-SHA256 of id, timestamp and body; one for "
    "each secret that is live, parted by spaces.",
}
RETRY_AFTER = {"Retry-After": _header("Seconds to wait before the same request is sent again.")}


@cache
def document() -> dict[str, Any]:
    """The whole document, made once."""
    models = _models(ENDPOINTS)
    found, definitions = models_json_schema(models, ref_template=REF)
    schemas = {model: found[model, mode] for model, mode in models}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tuan",
            "version": VERSION,
            "description": guide.description(),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "."}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": _paths(schemas),
        "webhooks": _webhooks(schemas),
        "components": {
            "schemas": {**definitions.get("$defs", {}), "Problem": _problem()},
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A person's JWT, or a supplier's API key (`tsk_...`).",
                }
            },
        },
    }


def codes_of(endpoint: Endpoint) -> dict[str, int]:
    """Every error code the route can answer, with its status."""
    codes = {"internal_error": 500, "busy": 503, **GATEWAY_CODES}
    if endpoint.roles is not None:
        codes |= {"unauthenticated": 401, "forbidden": 403}
    if "{" in endpoint.path:
        codes["not_found"] = 404
    if endpoint.body_model or endpoint.query or endpoint.takes != JSON:
        codes["invalid_request"] = 422
    if endpoint.method in ("POST", "PUT", "PATCH"):
        codes |= {"body_too_large": 413, **GATEWAY_BODY_CODES}
    if endpoint.body_model:
        codes["malformed_json"] = 400
    if endpoint.query and "cursor" in endpoint.query.model_fields:
        codes["invalid_cursor"] = 400
    return codes | _codes_of_key(endpoint) | dict(endpoint.errors)


def _codes_of_key(endpoint: Endpoint) -> dict[str, int]:
    if endpoint.key == "none":
        return {}
    codes = {"idempotency_key_malformed": 400, "idempotency_key_reused": 422}
    if endpoint.takes == JSON:
        codes["malformed_json"] = 400
    if endpoint.key == "required":
        codes["idempotency_key_missing"] = 400
    return codes


def _problem() -> dict[str, Any]:
    """The shape of an error, with every code there is."""
    codes = sorted({code for endpoint in ENDPOINTS for code in codes_of(endpoint)})
    properties = {**PROBLEM["properties"], "code": {"type": "string", "enum": codes}}
    return {**PROBLEM, "properties": properties}


def _models(endpoints: Iterable[Endpoint]) -> list[tuple[type[BaseModel], JsonSchemaMode]]:
    found: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {}
    for endpoint in endpoints:
        if body := _body(endpoint):
            found[body, "validation"] = None
        if endpoint.answer:
            found[_answer_model(endpoint), "serialization"] = None
    found.update({(model, "serialization"): None for model, _ in TOLD.values()})
    return list(found)


def _body(endpoint: Endpoint) -> type[BaseModel] | None:
    return endpoint.body or endpoint.also.body


def _answer_model(endpoint: Endpoint) -> type[BaseModel]:
    if endpoint.answer is None:
        raise LookupError(f"{endpoint.name} answers nothing")
    return ListView[endpoint.answer] if endpoint.is_list else endpoint.answer  # type: ignore[name-defined]


def _paths(schemas: Mapping[type[BaseModel], Any]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for endpoint in sorted(ENDPOINTS, key=lambda each: (each.path, each.method)):
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, schemas)
    return paths


def _operation(endpoint: Endpoint, schemas: Mapping[type[BaseModel], Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "description": f"{endpoint.notes} {_who(endpoint)}".strip(),
        "parameters": [
            *_path_parameters(endpoint),
            *_query_parameters(endpoint),
            *_headers(endpoint),
        ],
        "responses": {**_success(endpoint, schemas), **_errors(endpoint)},
        "security": [] if endpoint.roles is None else [{"bearer": []}],
    }
    if body := _body(endpoint):
        operation["requestBody"] = {
            "required": any(field.is_required() for field in body.model_fields.values()),
            "content": {"application/json": _media(schemas[body], EXAMPLES.get(body.__name__))},
        }
    elif endpoint.takes != JSON:
        media = _media({"type": "string"}, TEXTS.get(endpoint.name))
        others = {kind: {"schema": {"type": "string"}} for kind in endpoint.also.uploads}
        operation["requestBody"] = {"required": True, "content": {endpoint.takes: media, **others}}
    if endpoint.roles is not None:
        operation["x-roles"] = list(endpoint.roles)
    return operation


def _who(endpoint: Endpoint) -> str:
    if endpoint.roles is None:
        return "No credentials."
    return f"Roles: {', '.join(endpoint.roles)}."


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", endpoint.path)
    ]


def _query_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    if endpoint.query is None:
        return []
    schema = endpoint.query.model_json_schema(ref_template=REF)
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            **_described(shape),
        }
        for name, shape in schema["properties"].items()
    ]


def _described(shape: Mapping[str, Any]) -> dict[str, Any]:
    """A field's schema as a parameter has it: its description is the parameter's."""
    schema = {key: value for key, value in shape.items() if key != "description"}
    return {key: shape[key] for key in ("description",) if key in shape} | {"schema": schema}


def _headers(endpoint: Endpoint) -> list[dict[str, Any]]:
    taken = _header_parameters(endpoint.also.takes, required=False)
    if endpoint.key == "none":
        return taken
    return [
        *taken,
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": endpoint.key == "required",
            "description": "Visible ASCII, new for each thing to be done. The same key and "
            "request: the first answer again, nothing done twice.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        },
    ]


def _header_parameters(headers: Mapping[str, str], *, required: bool) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "header", "required": required, **_header(description)}
        for name, description in headers.items()
    ]


def _success(endpoint: Endpoint, schemas: Mapping[type[BaseModel], Any]) -> dict[str, Any]:
    given = {name: _header(text) for name, text in endpoint.also.gives.items()}
    replayed = REPLAYED if endpoint.key != "none" else {}
    answer: dict[str, Any] = {"headers": {**COMMON_HEADERS, **given, **replayed}}
    if content := _content(endpoint, schemas):
        answer["content"] = content
    texts = {endpoint.status: HTTPStatus(endpoint.status).phrase, **endpoint.also.statuses}
    return {str(status): {"description": text, **answer} for status, text in texts.items()}


def _content(endpoint: Endpoint, schemas: Mapping[type[BaseModel], Any]) -> dict[str, Any]:
    """The answer by media type; nothing for an answer without a body."""
    if endpoint.status == 204:
        return {}
    others = {kind: {"schema": {"type": "string"}} for kind in endpoint.also.media_types}
    if endpoint.answer is None:
        kind = "object" if endpoint.media_type == "application/json" else "string"
        return {endpoint.media_type: {"schema": {"type": kind}}, **others}
    example = ANSWERS.get(endpoint.name, EXAMPLES.get(endpoint.answer.__name__))
    shown = {"items": [example], "next_cursor": None} if endpoint.is_list and example else example
    return {
        endpoint.media_type: _media(schemas[_answer_model(endpoint)], shown),
        **others,
    }


def _errors(endpoint: Endpoint) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for code, status in codes_of(endpoint).items():
        by_status.setdefault(status, []).append(code)
    return {str(status): _error(status, codes) for status, codes in sorted(by_status.items())}


def _error(status: int, codes: Sequence[str]) -> dict[str, Any]:
    own: dict[str, Any] = {"properties": {"code": {"enum": sorted(codes)}}}
    if status == 422:
        own["required"] = ["errors"]
    schema = {"allOf": [{"$ref": REF.format(model="Problem")}, own]}
    return {
        "description": " or ".join(f"`{code}`" for code in sorted(codes)),
        "headers": {**COMMON_HEADERS, **(RETRY_AFTER if status in (429, 503) else {})},
        "content": {"application/problem+json": {"schema": schema}},
    }


def _media(schema: Any, example: Any) -> dict[str, Any]:
    return {"schema": schema} if example is None else {"schema": schema, "example": example}


def _webhooks(schemas: Mapping[type[BaseModel], Any]) -> dict[str, Any]:
    """What Tuan sends, by event type."""
    return {
        event_type: {"post": _sent(event_type, summary, schemas[model])}
        for event_type, (model, summary) in TOLD.items()
    }


def _sent(event_type: str, summary: str, data: Any) -> dict[str, Any]:
    shown = {"type": event_type, "timestamp": SENT_AT, "data": TOLD_EXAMPLES[event_type]}
    answers = {"2XX": "Taken.", "410": "Send nothing more: the endpoint is disabled."}
    answers["default"] = "Not taken: the same body comes again later."
    return {
        "operationId": f"on_{event_type.replace('.', '_')}",
        "tags": ["Webhooks"],
        "summary": summary,
        "parameters": _header_parameters(SIGNED, required=True),
        "requestBody": {
            "required": True,
            "content": {"application/json": _media(_message(event_type, data), shown)},
        },
        "responses": {status: {"description": text} for status, text in answers.items()},
        "security": [],
    }


def _message(event_type: str, data: Any) -> dict[str, Any]:
    """What every webhook's body is made of."""
    return {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": event_type},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": data,
        },
    }
