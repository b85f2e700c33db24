"""API Gateway's own answers, from `gateway.yml`, as problem documents."""

import json

from infra.template.cloudformation import Json


def gateway_responses(answers: Json) -> Json:
    return {kind: gateway_response(*answer) for kind, answer in answers.items()}


def gateway_response(status: int, code: str, title: str, detail: str) -> Json:
    problem = {
        "type": f"urn:tuan:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
    }
    headers = {"Content-Type": "'application/problem+json'", "X-Request-Id": "context.requestId"}
    if status == 401:
        headers["WWW-Authenticate"] = "'Bearer'"
    if status in (429, 503):
        headers["Retry-After"] = "'1'"
    return {
        "StatusCode": status,
        "ResponseParameters": {"Headers": headers},
        # The gateway picks this template whatever the caller accepts; the header says what it is.
        "ResponseTemplates": {"application/json": json.dumps(problem)},
    }
