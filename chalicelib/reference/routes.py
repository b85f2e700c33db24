"""`/health`, `/openapi.json` and `/docs`: for anyone, without credentials."""

import json
from typing import Any

from chalicelib.platform.endpoints import Reply, Request
from chalicelib.platform.http_in import Routes
from chalicelib.reference.schema import HealthView

routes = Routes(__name__, tag="About")


@routes.endpoint("GET", "/health", summary="Whether the API answers", roles=None, answer=HealthView)
def read_health(request: Request) -> HealthView:
    return HealthView(status="ok")


@routes.endpoint("GET", "/openapi.json", summary="This API as an OpenAPI 3.1 document", roles=None)
def read_openapi(request: Request) -> Reply:
    from chalicelib.reference.openapi import document  # heavy, and rarely asked for

    return Reply(None, text=json.dumps(document(), ensure_ascii=False))


@routes.endpoint(
    "GET",
    "/docs",
    summary="This API as a page to read",
    roles=None,
    media_type="text/html; charset=utf-8",
)
def read_docs(request: Request) -> Reply:
    from chalicelib.reference.page import CONTENT_SECURITY_POLICY, page

    headers: dict[str, Any] = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
    return Reply(None, headers=headers, text=page())
