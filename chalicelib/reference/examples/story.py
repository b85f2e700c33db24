"""The people and things of the story, and what more than one part of it shows."""

from typing import Any

SUPPLIER, BAKERY = "sup_019caa01f3b07d1e9a4c52b8e6f0", "sup_019caa02b4c81f6d0e3a97c5b2d4"
LEADER = "ldr_019caa03c5d92a7e1f4b08d6c3e5"
OTHER_LEADER, PLAN = "ldr_019caa03d6ea3b8f205c19e7d4f6", "cpl_019caa03e7fb4c90316d2af8e507"
PRODUCT, EGGS = "prd_019caa04d6ea3b8f205c19e7d4f6", "sku_019caa04d6ea7c1b5e8f2a9d3c60"
BREAD = "sku_019caa05e7fb4c90316d2af8e507"
CAMPAIGN = "cmp_019caa06f80c5da1427e3b09f618"
ORDER, PAYMENT = "ord_019cad3f5e2088f1c2d3e4a5b6c7", "pay_019cad3f5e2088f1c2d3e4a5b6c7"
DISPATCH, OTHER_DISPATCH = "dsp_5b1e9c07a3f2d84e6b90c1d7a2f3", "dsp_c8d20f4b7e61a95310d8b2e4f6a7"
DISPUTE = "dpt_1b7d3f9e5a0c2846b8e0d4a6c2f1"
PARCEL = "prc_4e8c0a2b6d1f395708e4c2a6b0d1"
REFUND = "rfd_7f3a1c5e9b2d40688ac4e6f01b3d"
CHARGEBACK = "cbk_5d2e8a1c7b9f40316ad4c6e0f2b8"
AFTER_SALES = "aft_019cb4a2c7d15e8f90a1b2c3d4e5"
ENDPOINT, DELIVERY = "whe_019caa071a2b6eb2538f4c1a0729", "whd_2c4e6f8a0b1d3f5e7a9c0d2e4f60"
API_KEY = "key_019caa082b3c7fc3649a5d2b183a"
CASE = "cas_91b3d5f7092a4c6e8f10a2b4c6d8"
RUN = "run_2026-03-11"
BATCH, PAYOUT = "pob_019cc1a0b2c31d4e5f60718293a4", "pyt_3e5a7c9b1d2f40688ac4e6f0b2d4"
RECONCILIATION = "rec_019cc2b1c3d42e5f60718293a4b5"
ADDRESS: dict[str, Any] = {
    "name": "Ada Nguyễn",
    "phone": "+49 30 5550123",
    "line1": "Lindenallee 4",
    "city": "Potsdam",
    "postal_code": "14467",
    "country": "DE",
}
FULL_ADDRESS: dict[str, Any] = {**ADDRESS, "line2": None, "region": None}
PICKUP_POINT: dict[str, Any] = {
    "line1": "Am Markt 1",
    "city": "Potsdam",
    "postal_code": "14467",
    "country": "DE",
    "latitude": 52.3961,
    "longitude": 13.0586,
}
# What is left of two boxes at 3.49 without 12 %.
SHARED = 614
OFFERS: list[dict[str, Any]] = [
    {
        "sku_id": EGGS,
        "price": 349,
        "commission": {"basis": "sales", "rate_bps": 1000},
        "limit_per_customer": 4,
        "quantity_cap": 500,
        "floor_price": 329,
        "price_schedule": [],
        "quantity_breaks": [{"units": 6, "amount": 1745}],
    },
    {
        "sku_id": BREAD,
        "price": 420,
        "commission": {"basis": "gross_profit", "rate_bps": 2000},
        "limit_per_customer": None,
        "quantity_cap": None,
        "floor_price": None,
        "price_schedule": [{"at": "17:30", "percent": 80}, {"at": "18:00", "percent": 70}],
        "quantity_breaks": [],
    },
]
CAMPAIGN_SUMMARY: dict[str, Any] = {
    "id": CAMPAIGN,
    "title": "Breakfast of the week",
    "status": "open",
    "opens_at": "2026-03-02T06:00:00.000Z",
    "closes_at": "2026-03-03T18:00:00.000Z",
    "currency": "EUR",
    "for_every_leader": False,
    "target": {"kind": "buyers", "count": 20},
    "max_orders": 150,
    "outcome": None,
    "created_at": "2026-03-01T15:20:11.402Z",
}
CAMPAIGN_VIEW: dict[str, Any] = {
    **CAMPAIGN_SUMMARY,
    "leader_ids": [LEADER],
    "offers": [
        {**OFFERS[0], "title": "Free-range eggs, Box of 10"},
        {**OFFERS[1], "title": "Rye bread"},
    ],
}
CLONE_CAMPAIGN: dict[str, Any] = {
    "title": "Breakfast of the next week",
    "opens_at": "2026-03-09T06:00:00.000Z",
    "closes_at": "2026-03-10T18:00:00.000Z",
}
EDIT_CAMPAIGN: dict[str, Any] = {
    "title": "Breakfast of the week, with rye bread",
    "max_orders": 200,
    "offers": [{**OFFERS[0], "quantity_cap": 800}, OFFERS[1]],
}
ORDER_LINES: list[dict[str, Any]] = [
    {
        "sku_id": EGGS,
        "supplier_id": SUPPLIER,
        "title": "Free-range eggs, Box of 10",
        "substitutes": None,
        "quantity": 2,
        "refunded_quantity": 0,
        "refunded_amount": 0,
        "unit_price": 349,
        "price_reason": [],
        "amount": 698,
        "discount": 0,
        "tax": 0,
        "net": 698,
    },
    {
        "sku_id": BREAD,
        "supplier_id": BAKERY,
        "title": "Rye bread",
        "substitutes": None,
        "quantity": 1,
        "refunded_quantity": 0,
        "refunded_amount": 0,
        "unit_price": 420,
        "price_reason": [],
        "amount": 420,
        "discount": 0,
        "tax": 0,
        "net": 420,
    },
]
DISPATCHED: list[dict[str, Any]] = [
    {
        "id": DISPATCH,
        "supplier_id": SUPPLIER,
        "status": "shipped",
        "carrier": "DHL",
        "tracking_number": "00340434161094042557",
        "parcels": [
            {
                "id": PARCEL,
                "carrier": "DHL",
                "tracking_number": "00340434161094042557",
                "status": "shipped",
            }
        ],
    },
    {
        "id": OTHER_DISPATCH,
        "supplier_id": BAKERY,
        "status": "accepted",
        "carrier": None,
        "tracking_number": None,
        "parcels": [],
    },
]
ORDER_VIEW: dict[str, Any] = {
    "id": ORDER,
    "status": "shipped",
    "version": 5,
    "customer_id": "cus_ada",
    "leader_id": LEADER,
    "campaign_id": CAMPAIGN,
    "currency": "EUR",
    "lines": ORDER_LINES,
    "subtotal": 1118,
    "discount": 0,
    "shipping": 0,
    "tax": 0,
    "total": 1118,
    "refunded_amount": 0,
    "payment": {
        "id": PAYMENT,
        "method": "card",
        "status": "succeeded",
        "amount": 1118,
        "client_secret": None,
    },
    "dispatches": DISPATCHED,
    "ship_to": FULL_ADDRESS,
    "note": "Please ring twice",
    "expires_at": "2026-03-02T09:45:12.640Z",
    "completes_at": None,
    "refunds": [],
    "cancel_reason": None,
    "depends_on_target": True,
    "created_at": "2026-03-02T09:30:12.640Z",
}
CLOCK: dict[str, Any] = {
    "reminded_at": None,
    "fired_at": None,
    "on_missed": "fine",
    "fine_amount": 500,
    "fined": None,
    "waived_at": None,
    "waived_for": None,
}
CLOCKS: list[dict[str, Any]] = [
    {
        "kind": "accept",
        "parcel_id": None,
        "hours": 4,
        "half_time_at": "2026-03-02T12:31:07.118Z",
        "due_at": "2026-03-02T14:31:07.118Z",
        **CLOCK,
        "reminded_at": "2026-03-02T12:31:41.902Z",
    },
    {
        "kind": "ship",
        "parcel_id": None,
        "hours": 12,
        "half_time_at": "2026-03-02T16:31:07.118Z",
        "due_at": "2026-03-03T12:31:07.118Z",
        **CLOCK,
    },
    {
        "kind": "deliver",
        "parcel_id": PARCEL,
        "hours": 48,
        "half_time_at": "2026-03-05T07:05:40.001Z",
        "due_at": "2026-03-09T06:05:40.001Z",
        **CLOCK,
    },
]
DISPATCH_VIEW: dict[str, Any] = {
    "id": DISPATCH,
    "order_id": ORDER,
    "supplier_id": SUPPLIER,
    "status": "shipped",
    "version": 4,
    "currency": "EUR",
    "lines": [
        {
            "sku_id": EGGS,
            "supplier_sku": "EGG-10",
            "title": "Free-range eggs, Box of 10",
            "quantity": 2,
            "unit_cost": 240,
        }
    ],
    "ship_to": FULL_ADDRESS,
    "accept_by": "2026-03-02T14:31:07.118Z",
    "ship_by": "2026-03-03T12:31:07.118Z",
    "deliver_by": "2026-03-09T06:05:40.001Z",
    "clocks": CLOCKS,
    "carrier": "DHL",
    "tracking_number": "00340434161094042557",
    "parcels": [
        {
            "id": PARCEL,
            "carrier": "DHL",
            "carrier_known": True,
            "tracking_number": "00340434161094042557",
            "status": "shipped",
            "lines": [{"sku_id": EGGS, "quantity": 2}],
            "shipped_at": "2026-03-02T14:05:40.001Z",
            "delivered_at": None,
            "dispute_id": None,
        }
    ],
    "reason": None,
    "reason_code": None,
    "rejections": [],
    "shipped_at": "2026-03-02T14:05:40.001Z",
    "delivered_at": None,
    "created_at": "2026-03-02T09:31:08.330Z",
    "updated_at": "2026-03-02T14:05:40.001Z",
}
DISPUTE_VIEW: dict[str, Any] = {
    "id": DISPUTE,
    "dispatch_id": DISPATCH,
    "order_id": ORDER,
    "parcel_ids": [PARCEL],
    "by": "customer",
    "reason": "Nothing came to the shop.",
    "status": "open",
    "note": None,
    "refund_id": None,
    "opened_at": "2026-03-05T07:12:30.410Z",
    "resolved_at": None,
    "version": 1,
}
ENDPOINT_VIEW: dict[str, Any] = {
    "id": ENDPOINT,
    "owner": SUPPLIER,
    "url": "https://havelland-farm.example/tuan",
    "event_types": ["dispatch.created", "dispatch.cancelled"],
    "status": "active",
    "generation": 1,
    "disabled_reason": None,
    "failing_since": None,
    "slow": False,
    "circuit": "closed",
    "old_secret_until": None,
    "created_at": "2026-03-01T10:12:45.870Z",
}
AFTER_SALES_VIEW: dict[str, Any] = {
    "id": AFTER_SALES,
    "order_id": ORDER,
    "leader_id": LEADER,
    "status": "refunded",
    "lines": [
        {
            "sku_id": EGGS,
            "supplier_id": SUPPLIER,
            "title": "Free-range eggs, Box of 10",
            "quantity": 1,
        }
    ],
    "reason": "Four of the ten eggs were broken.",
    "photos": ["https://photos.example/ada/eggs.jpg"],
    "steps": [
        {
            "at": "2026-03-04T18:02:51.930Z",
            "by": "customer",
            "action": "requested",
            "note": None,
            "accept": None,
            "party_id": None,
        },
        {
            "at": "2026-03-04T19:40:12.004Z",
            "by": "leader",
            "action": "responded",
            "note": "I saw the box, it was wet.",
            "accept": True,
            "party_id": LEADER,
        },
        {
            "at": "2026-03-05T08:00:44.310Z",
            "by": "operator",
            "action": "refunded",
            "note": "Refunded; we are sorry.",
            "accept": None,
            "party_id": None,
        },
    ],
    "refund_id": REFUND,
    "due_at": "2026-03-06T18:02:51.930Z",
    "created_at": "2026-03-04T18:02:51.930Z",
    "version": 3,
}
WRONG_AMOUNT = (
    f"10.00 EUR came by local for order {ORDER} (paid, total 11.18 EUR) and goes back as refund "
    f"{REFUND}."
)
BATCH_SUMMARY: dict[str, Any] = {
    "id": BATCH,
    "currency": "EUR",
    "kind": "leaders",
    "method": "bank_file",
    "minimum": 1000,
    "status": "sent",
    "payouts": 212,
    "amount": 1840655,
    "netted": 90210,
    "left_out": 3,
    "payer": {"name": "Tuan GmbH", "iban": "NL91ABNA0417164300", "bic": "ABNANL2A"},
    "made_by": "op_mira",
    "made_at": "2026-03-12T08:00:12.110Z",
    "approved_by": "op_tom",
    "approved_at": "2026-03-12T08:41:55.903Z",
    "sent_by": "op_mira",
    "sent_at": "2026-03-12T08:50:03.417Z",
    "cancelled_by": None,
    "ended_at": None,
}
RECONCILIATION_VIEW: dict[str, Any] = {
    "id": RECONCILIATION,
    "account": "cash:bank",
    "format": "camt.053",
    "statement_id": "2026-00071",
    "first": "2026-03-12",
    "last": "2026-03-18",
    "lines": 214,
    "status": "done",
    "progress": 100,
    "matched": 212,
    "differences": 2,
    "unresolved": 1,
    "in_transit": 9,
    "repeated": 0,
    "kinds": [
        {
            "kind": "fee",
            "differences": 1,
            "currency": "EUR",
            "amount": -450,
            "incoming": 0,
            "outgoing": -450,
        },
        {
            "kind": "returned",
            "differences": 1,
            "currency": "EUR",
            "amount": 11484,
            "incoming": 11484,
            "outgoing": 0,
        },
    ],
    "made_by": "op_mira",
    "made_at": "2026-03-19T07:30:11.402Z",
    "done_at": "2026-03-19T07:30:58.119Z",
}
UNDONE_VIEW: dict[str, Any] = {
    "resolution": "post_to_suspense",
    "note": "Nobody knows whose it is.",
    "resolved_by": "op_tom",
    "resolved_at": "2026-03-19T08:02:11.310Z",
    "posted": [f"reconciled:{RECONCILIATION}:2:EUR"],
    "undone_by": "op_mira",
    "undone_at": "2026-03-19T09:01:40.022Z",
    "why": "It is a payout that came back.",
}
LINE_VIEW: dict[str, Any] = {
    "n": 198,
    "date": "2026-03-17",
    "amount": 11484,
    "currency": "EUR",
    "kind": "return",
    "reference": PAYOUT,
    "text": "Account closed",
    "counterparty": "Lena Wolf",
    "bank_ref": "C17-0042",
    "status": "difference",
    "by": "returned",
}
DIFFERENCE_VIEW: dict[str, Any] = {
    "n": 2,
    "kind": "returned",
    "detail": "Line 198 over 114.84 EUR of 2026-03-17: the payout came back.",
    "lines": [198],
    "entries": [],
    "changes": [{"currency": "EUR", "amount": 11484}],
    "payout_id": PAYOUT,
    "case_id": CASE,
    "owner": "op_tom",
    "resolution": None,
    "note": None,
    "resolved_by": None,
    "resolved_at": None,
    "posted": [],
    "decided": [],
    "found_in": None,
    "undone": [],
}
