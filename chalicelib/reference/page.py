"""The readable reference: the OpenAPI document as one page, without scripts or the internet."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from chalicelib.reference.openapi import document

TEMPLATE = Path(__file__).with_name("page.html.j2")
METHODS = ("get", "post", "put", "patch", "delete")


@cache
def page() -> str:
    """The page as HTML, made once."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["pretty"] = lambda value: json.dumps(value, indent=2, ensure_ascii=False)
    environment.filters["type_of"] = type_of
    environment.globals["fields_of"] = fields_of
    spec = document()
    return environment.from_string(TEMPLATE.read_text()).render(spec=spec, groups=_by_tag(spec))


def _by_tag(spec: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in spec["tags"]}
    for path, methods in spec["paths"].items():
        for method in METHODS:
            if method in methods:
                operation = methods[method]
                row = {"method": method.upper(), "path": path, **operation}
                groups[operation["tags"][0]].append(row)
    return groups


def fields_of(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields of an object's schema, following one reference."""
    shape = _resolved(schema)
    required = set(shape.get("required", ()))
    return [
        {"name": name, "required": name in required, "shape": field}
        for name, field in shape.get("properties", {}).items()
    ]


def type_of(schema: dict[str, Any]) -> str:
    """A few words for a schema, such as `array of OrderLineView` or `string or null`."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[-1])
    if "anyOf" in schema:
        return " or ".join(type_of(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"array of {type_of(schema.get('items', {}))}"
    if "const" in schema:
        return str(schema["const"])
    return str(schema.get("format", schema.get("type", "any")))


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    name = schema["$ref"].rsplit("/", 1)[-1]
    found: dict[str, Any] = document()["components"]["schemas"][name]
    return found
