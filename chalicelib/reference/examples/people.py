"""Suppliers and leaders: who they are, and their terms."""

from typing import Any

from chalicelib.reference.examples.story import (
    API_KEY,
    LEADER,
    OTHER_LEADER,
    PICKUP_POINT,
    PLAN,
    SUPPLIER,
)

REGISTER_LEADER: dict[str, Any] = {
    "name": "Lena Wolf",
    "community": "Potsdam North",
    "pickup_point": PICKUP_POINT,
    "currency": "EUR",
}
REGISTER_SUPPLIER: dict[str, Any] = {
    "name": "Havelland Farm",
    "email": "orders@havelland-farm.example",
    "currency": "EUR",
}
CHILLED: dict[str, Any] = {
    "mode": "chilled",
    "accept_by_hours": 2,
    "ship_by_hours": 6,
    "deliver_by_hours": 24,
    "on_missed": "cancel",
    "fine_amount": None,
}
OFFICE_HOURS = [["07:00", "12:00"], ["13:00", "18:00"]]
TERMS: dict[str, Any] = {
    "accept_by_hours": 4,
    "ship_by_hours": 12,
    "deliver_by_hours": 48,
    "on_missed": "fine",
    "fine_amount": 500,
    "timezone": "Europe/Berlin",
    "weekly_hours": {
        **dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), OFFICE_HOURS),
        "sat": [["08:00", "13:00"]],
        "sun": [],
    },
    "closed_days": ["2026-04-03", "2026-04-06"],
    "modes": [CHILLED],
}

EXAMPLES: dict[str, Any] = {
    "ApiKeyView": {"id": API_KEY, "created_at": "2026-03-01T10:02:19.004Z"},
    "IssuedKeyView": {
        "id": API_KEY,
        "key": "tsk_an-example-of-a-key-that-opens-nothing-01234567",
        "created_at": "2026-03-01T10:02:19.004Z",
    },
    "LeaderView": {
        "id": LEADER,
        **REGISTER_LEADER,
        "credit_limit": 50000,
        "plan_id": PLAN,
        "level": "gold",
        "pickup_leader_id": OTHER_LEADER,
        "hub_id": None,
        "invited_by": None,
        "leaving_at": None,
        "left_at": None,
        "created_at": "2026-02-27T12:00:03.550Z",
    },
    "RegisterLeader": REGISTER_LEADER,
    "RegisterSupplier": REGISTER_SUPPLIER,
    "SetCreditLimit": {"amount": 50000},
    "SetTerms": TERMS,
    "SupplierView": {
        "id": SUPPLIER,
        **REGISTER_SUPPLIER,
        "created_at": "2026-03-01T10:00:57.090Z",
    },
    "TermsView": {
        **TERMS,
        "supplier_id": SUPPLIER,
        "version": 1,
        "set_at": "2026-03-01T10:20:08.715Z",
    },
}
