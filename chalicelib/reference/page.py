"""The readable reference: the OpenAPI document as one page, which needs nothing from elsewhere.

Its one script searches the list of routes; the page is whole without it.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from chalicelib.platform.schema import PATTERNS
from chalicelib.reference.openapi import document

TEMPLATE = Path(__file__).with_name("page.html.j2")
SEARCH = Path(__file__).with_name("search.js").read_text(encoding="utf-8")
# Of scripts it runs the one that it was made with.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; script-src "
    f"'sha256-{base64.b64encode(hashlib.sha256(SEARCH.encode()).digest()).decode()}'"
)
METHODS = ("get", "post", "put", "patch", "delete")
# Least and most of a number, a text and a list, and the unit that they count.
BOUNDS = (
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", " characters"),
    ("minItems", "maxItems", " items"),
)


@cache
def page() -> str:
    """The page as HTML, made once."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["pretty"] = lambda value: json.dumps(value, indent=2, ensure_ascii=False)
    environment.filters["type_of"] = type_of
    environment.filters["limits_of"] = lambda schema: "; ".join(limits_of(schema))
    environment.filters["code"] = code
    environment.filters["linked"] = linked
    environment.globals["fields_of"] = fields_of
    environment.globals["paragraphs"] = paragraphs
    spec = document()
    template = environment.from_string(TEMPLATE.read_text())
    return template.render(spec=spec, groups=_by_tag(spec), search=Markup(SEARCH))


def _by_tag(spec: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in spec["tags"]}
    for path, methods in spec["paths"].items():
        for method in METHODS:
            if method in methods:
                operation = methods[method]
                row = {"method": method.upper(), "path": path, **operation}
                groups[operation["tags"][0]].append(row)
    return groups


def paragraphs(text: str) -> list[tuple[str, str]]:
    """The paragraphs of a description by their HTML element: `h2` for a title, else `p`."""
    return [
        ("h2", each.removeprefix("## ")) if each.startswith("## ") else ("p", each)
        for each in text.split("\n\n")
    ]


def code(text: str) -> Markup:
    """A text as HTML, with what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def linked(text: str) -> Markup:
    """A type with the shapes in it as links to where they are told."""
    shapes = document()["components"]["schemas"]
    words = re.split(r"(\w+)", text)
    return Markup("").join(
        Markup('<a href="#shape-{0}">{0}</a>').format(word) if word in shapes else word
        for word in words
    )


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


def limits_of(schema: dict[str, Any]) -> Iterator[str]:
    """What a value must keep to beyond its type, such as `1 to 100 characters`."""
    for choice in schema.get("anyOf", ()):
        yield from limits_of(choice)
    for least, most, unit in BOUNDS:
        if least in schema or most in schema:
            yield f"{_span(schema.get(least), schema.get(most))}{unit}"
    if "exclusiveMinimum" in schema:
        yield f"more than {schema['exclusiveMinimum']:.15g}"
    if "pattern" in schema:
        yield PATTERNS.get(schema["pattern"], f"as `{schema['pattern']}`")
    if "items" in schema:
        yield from (f"each {limit}" for limit in limits_of(schema["items"]))
    if schema.get("default") not in (None, "", []):
        yield f"{schema['default']} unless sent"


def _span(least: float | None, most: float | None) -> str:
    if least is None:
        return f"at most {most:.15g}"
    if most is None:
        return f"at least {least:.15g}"
    return f"{least:.15g} to {most:.15g}"


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    name = schema["$ref"].rsplit("/", 1)[-1]
    found: dict[str, Any] = document()["components"]["schemas"][name]
    return found
