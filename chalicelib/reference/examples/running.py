"""Cases, dead letters, and all that has no domain of its own."""

from typing import Any

from chalicelib.reference.examples.story import CASE, ORDER, WRONG_AMOUNT

EXAMPLES: dict[str, Any] = {
    "CaseView": {
        "id": CASE,
        "kind": "wrong_amount",
        "subject": "local:ch_91b0",
        "detail": WRONG_AMOUNT,
        "status": "resolved",
        "opened_at": "2026-03-02T11:40:00.217Z",
        "note": "The customer was told; the bank shows the money returned.",
        "resolved_at": "2026-03-03T08:15:32.650Z",
        "resolved_by": "op_tom",
    },
    "DeadLetterQueueView": {
        "queue": "webhook-fan-out",
        "count": 1,
        "redrivable": True,
        "messages": [
            {
                "id": "6f0b2c9e-1d47-4a83-9c55-2be8d1f7a036",
                "body": f'{{"type": "order.paid", "subject": "{ORDER}", "data": {{}}}}',
                "parked_at": "2026-03-02T09:46:20.511Z",
                "cause": {
                    "detail": "LookupError in chalicelib/webhooks/bodies.py:238 _found",
                    "failure": "LookupError",
                    "behind": None,
                    "failed_at": "2026-03-02T09:46:20.498Z",
                    "trace": [
                        "chalicelib/webhooks/bodies.py:232 _order",
                        "chalicelib/webhooks/bodies.py:238 _found",
                    ],
                },
            }
        ],
    },
    "RedrivenView": {"queue": "webhook-fan-out", "moved": 1, "left": 0},
    "HealthView": {"status": "ok"},
    "ResolveCase": {"note": "The customer was told; the bank shows the money returned."},
}
