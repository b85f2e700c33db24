"""Webhook endpoints, deliveries and replays."""

from typing import Any

from chalicelib.reference.examples.story import DELIVERY, DISPATCH, ENDPOINT, ENDPOINT_VIEW

DELIVERY_VIEW: dict[str, Any] = {
    "id": DELIVERY,
    "endpoint_id": ENDPOINT,
    "event_type": "dispatch.created",
    "subject": DISPATCH,
    "status": "pending",
    "attempts": [
        {
            "at": "2026-03-02T09:31:08.902Z",
            "status_code": 503,
            "duration_ms": 41,
            "error": "answered 503",
            "answer": "Back in a minute",
        }
    ],
    "waits": False,
    "next_attempt_at": "2026-03-02T09:31:14.310Z",
    "created_at": "2026-03-02T09:31:08.640Z",
}

EXAMPLES: dict[str, Any] = {
    "AddEndpoint": {
        "url": "https://havelland-farm.example/tuan",
        "event_types": ["dispatch.created", "dispatch.cancelled"],
    },
    "ChangeEndpoint": {"status": "active"},
    "ChangedEndpointView": {**ENDPOINT_VIEW, "waiting": 3},
    "DeliveryView": DELIVERY_VIEW,
    "EndpointView": ENDPOINT_VIEW,
    "EndpointWithSecretView": {
        **ENDPOINT_VIEW,
        "secret": "whsec_YW4tZXhhbXBsZS1vZi1hLXNlY3JldC1vZi0zMi1ieXQ=",
    },
    "ResentView": {"dispatch_id": DISPATCH, "deliveries": [DELIVERY_VIEW]},
    "ReplayDeliveries": {
        "endpoint_id": ENDPOINT,
        "from": "2026-03-01T00:00:00Z",
        "to": "2026-03-03T00:00:00Z",
        "status": "exhausted",
    },
    "ReplayView": {
        "id": "rpl_019cb1f4a2d63e07c5b8f1a9d20e",
        "endpoint_id": ENDPOINT,
        "status": "running",
        "total": 214,
        "done": 100,
        "failure": None,
        "from": "2026-03-01T00:00:00.000Z",
        "to": "2026-03-03T00:00:00.000Z",
        "created_at": "2026-03-03T08:12:40.731Z",
        "completed_at": None,
    },
    "StatsView": {
        "success_rate_bps": 9930,
        "attempts": 143,
        "p50_ms": 64,
        "p95_ms": 212,
        "backlog": 1,
        "oldest_waiting_at": "2026-03-02T09:31:08.641Z",
        "window": {
            "from": "2026-03-01T09:35:00.000Z",
            "to": "2026-03-02T09:35:00.000Z",
            "complete": True,
        },
    },
    "TestedView": {
        "id": DELIVERY,
        "endpoint_id": ENDPOINT,
        "event_type": "ping",
        "subject": ENDPOINT,
        "status": "succeeded",
        "attempts": [
            {
                "at": "2026-03-02T09:31:08.902Z",
                "status_code": 200,
                "duration_ms": 41,
                "error": None,
                "answer": "ok",
            }
        ],
        "waits": False,
        "next_attempt_at": None,
        "created_at": "2026-03-02T09:31:08.894Z",
        "request": {
            "url": "https://havelland-farm.example/tuan",
            "headers": {
                "content-type": "application/json",
                "user-agent": "Tuan-Webhooks/1.0",
                "webhook-id": DELIVERY,
                "webhook-timestamp": "1772443868",
                "webhook-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
            },
            "body": '{"type":"ping","timestamp":"2026-03-02T09:31:08.894Z",'
            f'"data":{{"endpoint_id":"{ENDPOINT}"}}}}',
        },
        "answer": {"status_code": 200, "body": "ok", "duration_ms": 41, "error": None},
    },
}
