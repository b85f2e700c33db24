"""One example for each shape that callers send or read, by the name of its model.

They tell one story: two suppliers, one community, one order of eggs and bread, and the night after.
"""

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
AFTER_SALES = "aft_019cb4a2c7d15e8f90a1b2c3d4e5"
ENDPOINT, DELIVERY = "whe_019caa071a2b6eb2538f4c1a0729", "whd_2c4e6f8a0b1d3f5e7a9c0d2e4f60"
API_KEY = "key_019caa082b3c7fc3649a5d2b183a"
CASE = "cas_91b3d5f7092a4c6e8f10a2b4c6d8"
RUN = "run_2026-03-11"
BATCH, PAYOUT = "pob_019cc1a0b2c31d4e5f60718293a4", "pyt_3e5a7c9b1d2f40688ac4e6f0b2d4"
RECONCILIATION = "rec_019cc2b1c3d42e5f60718293a4b5"
RULES: list[dict[str, Any]] = [
    {
        "match": {},
        "basis": "sales",
        "rate_bps": 1000,
        "split": [{"role": "promoter", "bps": 9000}, {"role": "pickup_point", "bps": 1000}],
        "cap": {"day": 50000},
    },
    {
        "match": {"category": "eggs", "level": "gold"},
        "basis": "gross_profit",
        "rate_bps": 4000,
        "floor": {"line": 5},
    },
]
NO_MATCH: dict[str, Any] = dict.fromkeys(
    ("category", "product_id", "sku_id", "campaign_id", "level")
)
VERSION_VIEW: dict[str, Any] = {
    "plan_id": PLAN,
    "version": 2,
    "effective_from": "2026-04-01",
    "rules": [
        {
            **RULES[0],
            "words": "default",
            "match": NO_MATCH,
            "cap": {"line": None, "order": None, "day": 50000},
            "floor": {"line": None},
        },
        {
            **RULES[1],
            "words": "category:eggs+level:gold",
            "match": {**NO_MATCH, **RULES[1]["match"]},
            "split": [],
            "cap": {"line": None, "order": None, "day": None},
        },
    ],
    "upline": [],
    "made_by": "op_ines",
    "made_at": "2026-03-09T08:15:20.100Z",
}
COMPARED: dict[str, Any] = {
    "currency": "EUR",
    "earned": 96400,
    "would_earn": 115680,
    "difference": 19280,
}
CREATE_PLAN: dict[str, Any] = {"name": "Shop owners", "currency": "EUR", "country": "DE"}

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
SETTLEMENT_TERMS: dict[str, Any] = {
    "basis": "revenue_share",
    "fee_bps": 1200,
    "annual_fee": 50000,
    "community_fee": 500,
    "waivers": [{"from": "2026-03-02", "to": "2026-05-30"}],
    "deposit": 1000000,
    "fine_cap": 5000,
    "refund_bearer": "supplier",
}
# What is left of two boxes at 3.49 without 12 %.
SHARED = 614
ACCOUNTS = {"payable": 0, "held": 0, "owed": -50000, "deposit": 1000000, "in_payout": 0}
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
SKU: dict[str, Any] = {
    "title": "Box of 10",
    "supplier_sku": "EGG-10",
    "list_price": 399,
    "cost": 240,
    "fulfilment_mode": "standard",
}
CREATE_PRODUCT: dict[str, Any] = {
    "supplier_id": SUPPLIER,
    "title": "Free-range eggs",
    "description": "From hens that live outdoors.",
    "category": "Dairy and eggs",
    "currency": "EUR",
    "skus": [SKU],
}
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
CREATE_CAMPAIGN: dict[str, Any] = {
    "title": "Breakfast of the week",
    "opens_at": "2026-03-02T06:00:00.000Z",
    "closes_at": "2026-03-03T18:00:00.000Z",
    "currency": "EUR",
    "offers": OFFERS,
    "leader_ids": [LEADER],
    "target": {"kind": "buyers", "count": 20},
    "max_orders": 150,
}
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
PLACED_ORDER: dict[str, Any] = {
    **ORDER_VIEW,
    "status": "pending_payment",
    "version": 1,
    "payment": {
        **ORDER_VIEW["payment"],
        "status": "pending",
        "client_secret": "pi_3QmT7aB2_secret_9xVtR4",
    },
    "dispatches": [],
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
DISPATCH_TOLD: dict[str, Any] = {
    "dispatch_id": DISPATCH,
    **{name: DISPATCH_VIEW[name] for name in ("order_id", "lines", "ship_to")},
    "version": 2,
    **{name: DISPATCH_VIEW[name] for name in ("accept_by", "ship_by")},
}
CAMPAIGN_END_TOLD: dict[str, Any] = {
    "campaign_id": CAMPAIGN,
    "title": "Breakfast of the week",
    "target": {"kind": "buyers", "count": 20},
}
REFUND_TOLD: dict[str, Any] = {
    "refund_id": REFUND,
    "order_id": ORDER,
    "amount": 349,
    "currency": "EUR",
    "reason": "One box arrived broken",
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
STATEMENT_SUMMARY: dict[str, Any] = {
    "run_id": RUN,
    "business_date": "2026-03-11",
    "currency": "EUR",
    "opening_balance": 12500,
    "total": 102,
    "closing_balance": 12602,
    "previous_run_id": "run_2026-03-10",
}
OF_ITS_RULE: dict[str, Any] = {
    "role": "promoter",
    "share_bps": 10000,
    "plan_id": "",
    "plan_version": 1,
    "rule": "offer",
    "entry_id": f"delivered:{PARCEL}",
    "day_cap": None,
    "delivered_on": "",
}
# Eggs: 10 % of 698. Bread: 20 % of what 420 leave over a cost of 260.
STATEMENT_LINES: list[dict[str, Any]] = [
    {
        "order_id": ORDER,
        "sku_id": EGGS,
        "kind": "commission",
        "basis": "sales",
        "basis_amount": 698,
        "rate_bps": 1000,
        "amount": 70,
        "matured_on": "2026-03-11",
        **OF_ITS_RULE,
    },
    {
        "order_id": ORDER,
        "sku_id": BREAD,
        "kind": "commission",
        "basis": "gross_profit",
        "basis_amount": 160,
        "rate_bps": 2000,
        "amount": 32,
        "matured_on": "2026-03-11",
        **OF_ITS_RULE,
    },
]

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
AFTER_SALES_ASKED: dict[str, Any] = {
    **AFTER_SALES_VIEW,
    "status": "requested",
    "steps": AFTER_SALES_VIEW["steps"][:1],
    "refund_id": None,
    "version": 1,
}
AFTER_SALES_TOLD: dict[str, Any] = {
    "after_sales_id": AFTER_SALES,
    "order_id": ORDER,
    "lines": [{"sku_id": EGGS, "quantity": 1}],
    "due_at": "2026-03-06T18:02:51.930Z",
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
    "made_by": "op_mira",
    "made_at": "2026-03-12T08:00:12.110Z",
    "approved_by": "op_tom",
    "approved_at": "2026-03-12T08:41:55.903Z",
    "sent_at": "2026-03-12T08:50:03.417Z",
    "ended_at": None,
}
NO_RESULTS: dict[str, int] = {
    f"{outcome}{of}": 0
    for outcome in ("paid", "returned", "failed", "unknown")
    for of in ("", "_amount")
}
BATCH_PREPARING: dict[str, Any] = {
    **BATCH_SUMMARY,
    "status": "preparing",
    "payouts": 0,
    "amount": 0,
    "netted": 0,
    "left_out": 0,
    "approved_by": None,
    "approved_at": None,
    "sent_at": None,
    "results": NO_RESULTS,
}
PAYOUT_VIEW: dict[str, Any] = {
    "id": PAYOUT,
    "batch_id": BATCH,
    "payee": {"role": "leader", "id": LEADER},
    "currency": "EUR",
    "method": "bank_file",
    "amount": 11484,
    "netted": 1118,
    "status": "paid",
    "last_four": "3000",
    "reference": "2026-0313-000871",
    "made_at": "2026-03-12T08:00:19.804Z",
    "told_at": "2026-03-13T09:12:40.006Z",
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
        {"kind": "fee", "differences": 1, "currency": "EUR", "amount": -450},
        {"kind": "returned", "differences": 1, "currency": "EUR", "amount": 11484},
    ],
    "made_by": "op_mira",
    "made_at": "2026-03-19T07:30:11.402Z",
    "done_at": "2026-03-19T07:30:58.119Z",
}
RECONCILIATION_BEGUN: dict[str, Any] = {
    **RECONCILIATION_VIEW,
    "status": "gathering",
    "progress": 0,
    "matched": 0,
    "differences": 0,
    "unresolved": 0,
    "in_transit": 0,
    "kinds": [],
    "done_at": None,
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
}
EXAMPLES: dict[str, Any] = {
    "ReconciliationView": RECONCILIATION_VIEW,
    "DifferenceView": DIFFERENCE_VIEW,
    "Resolve": {"resolution": "returned", "note": "The account is closed; the leader knows."},
    "Assign": {"owner": "op_tom"},
    "BatchSummaryView": BATCH_SUMMARY,
    "BatchView": {
        **BATCH_SUMMARY,
        "results": {
            "paid": 180,
            "paid_amount": 1523010,
            "returned": 1,
            "returned_amount": 4410,
            "failed": 0,
            "failed_amount": 0,
            "unknown": 0,
            "unknown_amount": 0,
        },
    },
    "MakeBatch": {
        "currency": "EUR",
        "kind": "leaders",
        "method": "bank_file",
        "minimum": 1000,
    },
    "PayoutAccountView": {
        "kind": "iban",
        "holder": "Lena Wolf",
        "last_four": "3000",
        "changed_at": "2026-03-01T16:02:44.120Z",
        "changed_by": f"leader:{LEADER}",
    },
    "PayoutView": PAYOUT_VIEW,
    "SetPayoutAccount": {
        "holder": "Lena Wolf",
        "iban": "DE89370400440532013000",
        "bic": "COBADEFFXXX",
    },
    "TellResult": {"status": "paid", "reference": "2026-0313-000871"},
    "AcceptDispatch": {},
    "AddEndpoint": {
        "url": "https://havelland-farm.example/tuan",
        "event_types": ["dispatch.created", "dispatch.cancelled"],
    },
    "AfterSalesView": AFTER_SALES_VIEW,
    "AdjustStock": {"delta": -6, "reason": "One tray fell"},
    "AdjustmentView": {
        "id": "adj_019cad41a3c47e21f0b6d8937c52",
        "sku_id": EGGS,
        "delta": -6,
        "reason": "One tray fell",
        "made_by": "supplier",
        "created_at": "2026-03-02T11:04:40.508Z",
    },
    "ApiKeyView": {"id": API_KEY, "created_at": "2026-03-01T10:02:19.004Z"},
    "AskAfterSales": {
        "lines": [{"sku_id": EGGS, "quantity": 1}],
        "reason": "Four of the ten eggs were broken.",
        "photos": ["https://photos.example/ada/eggs.jpg"],
    },
    "BalanceView": {
        "currency": "EUR",
        "estimated": 102,
        "pending": 4380,
        "available": 12602,
        "collected": 1118,
        "credit_limit": 50000,
        "in_payout": 0,
        "paid_out": 0,
    },
    "BookDeposit": {"amount": 1000000, "reference": "transfer 2026-0301-0817"},
    "DepositView": {
        "id": "dpo_5d7f9b1c3e5a7084b6d8f0a2c4e6",
        "supplier_id": SUPPLIER,
        "kind": "received",
        "amount": 1000000,
        "currency": "EUR",
        "reference": "transfer 2026-0301-0817",
        "reason": None,
        "pays": None,
        "booked_at": "2026-03-01T11:02:45.118Z",
        "booked_by": "op_maria",
    },
    "DrawDeposit": {
        "amount": 4500,
        "reason": "The crates that were not brought back",
        "pays": "damages",
    },
    "AddVersion": {"effective_from": "2026-04-01", "rules": RULES, "upline": []},
    "VersionView": VERSION_VIEW,
    "CreatePlan": CREATE_PLAN,
    "PlanView": {
        "id": PLAN,
        **CREATE_PLAN,
        "is_default": True,
        "versions": [VERSION_VIEW],
        "created_at": "2026-02-27T11:58:12.420Z",
    },
    "SimulatePlan": {
        "rules": [{"match": {}, "basis": "sales", "rate_bps": 1200}],
        "upline": [],
        "month": "2026-03",
        "leader_ids": [],
    },
    "SimulationView": {
        "id": "sim_019caa0a1a2b7c3d4e5f60718293",
        "plan_id": PLAN,
        "month": "2026-03",
        "status": "completed",
        "percent": 100,
        "orders": 412,
        "lines_without_rule": 0,
        "totals": [COMPARED],
        "leaders": [{"leader_id": LEADER, **COMPARED}],
        "created_at": "2026-04-02T09:00:00.120Z",
        "completed_at": "2026-04-02T09:00:01.480Z",
    },
    "LeaderComparedView": {"leader_id": LEADER, **COMPARED},
    "MakeDefault": {"is_default": True},
    "SetLeaderPlan": {"plan_id": PLAN},
    "EditLeader": {"level": "gold", "pickup_leader_id": OTHER_LEADER},
    "ChangeView": {
        "id": "chg_019caa09f80c5da1427e3b09f618",
        "plan_id": PLAN,
        "leader_id": None,
        "what": "version_added",
        "by": "op_ines",
        "changed_at": "2026-03-09T08:15:20.100Z",
        "differences": [
            {
                "field": "rules.category:eggs+level:gold",
                "before": None,
                "after": "4000 bps of gross_profit, at least 5 a line",
            }
        ],
    },
    "BookRemittance": {"amount": 48200, "reference": "transfer 2026-0310-4471"},
    "CampaignSummaryView": CAMPAIGN_SUMMARY,
    "CampaignView": CAMPAIGN_VIEW,
    "CampaignOnItsWayView": {
        **CAMPAIGN_VIEW,
        "progress": {
            "buyers": 17,
            "units": 52,
            "orders": 19,
            "waiting_for_payment": 2,
            "counted_all": True,
        },
    },
    "CancelDispatch": {"reason": "The farm called: its van broke down"},
    "CancelOrder": {"reason": "Ordered by mistake"},
    "CaseView": {
        "id": CASE,
        "kind": "wrong_amount",
        "subject": "local:ch_91b0",
        "detail": WRONG_AMOUNT,
        "status": "resolved",
        "opened_at": "2026-03-02T11:40:00.217Z",
        "note": "The customer was told; the bank shows the money returned.",
        "resolved_at": "2026-03-03T08:15:32.650Z",
    },
    "ChangeEndpoint": {"status": "active"},
    "ChangedEndpointView": {**ENDPOINT_VIEW, "waiting": 3},
    "CloneCampaign": CLONE_CAMPAIGN,
    "ConfirmRefund": {"paid_from": "leader"},
    "CollectPayment": {"amount": 1118, "reference": "cash box, receipt 17"},
    "CorrectParcel": {"tracking_number": "00340434161094042564"},
    "CreateCampaign": CREATE_CAMPAIGN,
    "CreateProduct": CREATE_PRODUCT,
    "DecideAfterSales": {"refund": True, "note": "Refunded; we are sorry."},
    "DeliverDispatch": {"delivered_at": "2026-03-04T16:20:00.000Z"},
    "DeliveryView": DELIVERY_VIEW,
    "DispatchView": DISPATCH_VIEW,
    "DisputeDelivery": {"reason": "Nothing came to the shop.", "parcel_id": PARCEL},
    "DisputeView": DISPUTE_VIEW,
    "EditCampaign": EDIT_CAMPAIGN,
    "EndpointView": ENDPOINT_VIEW,
    "EndpointWithSecretView": {
        **ENDPOINT_VIEW,
        "secret": "whsec_YW4tZXhhbXBsZS1vZi1hLXNlY3JldC1vZi0zMi1ieXQ=",
    },
    "EventTaken": {"received": True},
    "FeedView": {
        "items": [DISPATCH_VIEW],
        "next_cursor": None,
        "next_updated_since": "2026-03-02T14:04:40.001Z",
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
        "created_at": "2026-02-27T12:00:03.550Z",
    },
    "ImportedView": {
        "rows": 3,
        "taken": 2,
        "errors": [{"line": 4, "field": "on_hand", "message": "must be a whole number"}],
    },
    "TrackingImportedView": {
        "rows": 4,
        "shipped": 2,
        "unchanged": 0,
        "skipped": 1,
        "errors": [{"line": 4, "field": "tracking_number", "message": "is required"}],
    },
    "OpenCampaignView": {
        "id": CAMPAIGN,
        "title": "Breakfast of the week",
        "status": "open",
        "closes_at": "2026-03-03T18:00:00.000Z",
        "currency": "EUR",
        "orders_left": 41,
        "target": {"kind": "buyers", "count": 20},
        "pickup_point": PICKUP_POINT,
        "offers": [
            {
                "sku_id": EGGS,
                "title": "Free-range eggs, Box of 10",
                "price": 359,
                "price_reason": ["leader_price"],
                "quantity_breaks": [{"units": 6, "amount": 1805}],
                "later_today": [],
                "limit_per_customer": 4,
                "available": 86,
                "unavailable_reason": None,
                "terms": None,
            },
            {
                "sku_id": BREAD,
                "title": "Rye bread",
                "price": 336,
                "price_reason": ["price_schedule"],
                "quantity_breaks": [],
                "later_today": [{"at": "18:00", "price": 294}],
                "limit_per_customer": None,
                "available": 25,
                "unavailable_reason": None,
                "terms": None,
            },
        ],
    },
    "OrderView": ORDER_VIEW,
    "PaymentEvent": {
        "id": "evt_4b8f",
        "type": "payment.succeeded",
        "data": {
            "payment_id": PAYMENT,
            "amount": 1118,
            "currency": "EUR",
            "reference": "ch_4b8f",
        },
    },
    "PlaceOrder": {
        "campaign_id": CAMPAIGN,
        "leader_id": LEADER,
        "lines": [{"sku_id": EGGS, "quantity": 2}, {"sku_id": BREAD, "quantity": 1}],
        "ship_to": ADDRESS,
        "payment_method": "card",
        "note": "Please ring twice",
    },
    "ProductView": {
        **CREATE_PRODUCT,
        "id": PRODUCT,
        "status": "active",
        "rejection_reason": None,
        "skus": [{"id": EGGS, **SKU}],
        "created_at": "2026-03-01T10:30:00.125Z",
    },
    "PatchSku": {"stock_shards": 16},
    "PutStock": {"on_hand": 90},
    "ReceiptView": {
        "payment_id": PAYMENT,
        "order_id": ORDER,
        "amount": 1118,
        "currency": "EUR",
        "received_at": "2026-03-02T09:31:07.118Z",
    },
    "RefundOrder": {
        "lines": [{"sku_id": EGGS, "quantity": 1}],
        "reason": "One box arrived broken",
        "restock": False,
    },
    "RefundView": {
        "id": REFUND,
        "order_id": ORDER,
        "amount": 349,
        "currency": "EUR",
        "status": "succeeded",
        "method": "card",
        "reason": "One box arrived broken",
        "decided_at": "2026-03-05T08:00:44.310Z",
        "completed_at": "2026-03-05T08:00:45.972Z",
        "attempt": 1,
        "paid_from": None,
    },
    "RegisterLeader": REGISTER_LEADER,
    "RegisterSupplier": REGISTER_SUPPLIER,
    "RejectDispatch": {"reason": "out_of_stock"},
    "RejectProduct": {"reason": "The description names no origin"},
    "RemittanceView": {
        "id": "rem_0d2b4f6a8c1e3057f9b1d3e5a7c9",
        "leader_id": LEADER,
        "amount": 48200,
        "currency": "EUR",
        "reference": "transfer 2026-0310-4471",
        "received_at": "2026-03-10T15:47:02.336Z",
        "reversed_at": None,
        "reversal_reason": None,
    },
    "ResolveCase": {"note": "The customer was told; the bank shows the money returned."},
    "ResentView": {"dispatch_id": DISPATCH, "deliveries": [DELIVERY_VIEW]},
    "ResolveDispute": {
        "outcome": "dismissed",
        "note": "The carrier's photo shows it in the shop.",
    },
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
    "RespondAfterSales": {"accept": True, "note": "I saw the box, it was wet."},
    "ReverseRemittance": {"reason": "The transfer was another leader's"},
    "RunView": {
        "id": RUN,
        "business_date": "2026-03-11",
        "status": "completed",
        "dry_run": False,
        "leaders_total": 3,
        "leaders_settled": 3,
        "leaders_set_aside": 0,
        "leaders_left": 0,
        "percent": 100,
        "leaders_per_second": 0.45,
        "estimated_completion": None,
        "totals": [{"currency": "EUR", "amount": 9640}],
        "started_at": "2026-03-12T00:15:03.201Z",
        "completed_at": "2026-03-12T00:15:09.877Z",
    },
    "ShipDispatch": {"carrier": "DHL", "tracking_number": "00340434161094042557"},
    "SetCreditLimit": {"amount": 50000},
    "SetSettlementTerms": SETTLEMENT_TERMS,
    "SettlementTermsView": {
        **SETTLEMENT_TERMS,
        "supplier_id": SUPPLIER,
        "version": 1,
        "fees_since": "2026-03-01",
        "set_at": "2026-03-01T10:24:31.902Z",
        "set_by": "op_maria",
    },
    "SupplierBalanceView": {
        "currency": "EUR",
        "payable": SHARED,
        "held": 0,
        "owed": 50000,
        "deposit": 1000000,
        "in_payout": 0,
        "paid_out": 0,
    },
    "SupplierStatementView": {
        "supplier_id": SUPPLIER,
        "currency": "EUR",
        "period": {"from": "2026-03-02", "to": "2026-03-08"},
        "opening_balance": 950000,
        "total": SHARED,
        "closing_balance": 950000 + SHARED,
        "opening": ACCOUNTS,
        "closing": {**ACCOUNTS, "payable": SHARED},
        "items": [
            {
                "posted_at": "2026-03-04T10:12:09.480Z",
                "kind": "delivery",
                "account": "payable",
                "amount": SHARED,
                "entry_id": f"delivered:{PARCEL}",
                "order_id": ORDER,
                "dispatch_id": DISPATCH,
                "parcel_id": PARCEL,
                "refund_id": None,
                "leader_id": None,
                "of": [DISPATCH, PARCEL],
            }
        ],
        "next_cursor": None,
    },
    "SetTerms": TERMS,
    "SetLeaderPrice": {"campaign_id": CAMPAIGN, "sku_id": EGGS, "price": 359},
    "LeaderPriceView": {
        "leader_id": LEADER,
        "campaign_id": CAMPAIGN,
        "sku_id": EGGS,
        "price": 359,
    },
    "SkuOnSaleView": {
        "id": EGGS,
        "product_id": PRODUCT,
        "supplier_id": SUPPLIER,
        "currency": "EUR",
        **SKU,
        "stock_shards": 16,
        "alternate_of": None,
        "priority": None,
    },
    "LeaderOfRunView": {
        "leader_id": LEADER,
        "status": "settled",
        "currency": "EUR",
        "amount": 102,
        "opening_balance": 12500,
        "total": 102,
        "closing_balance": 12602,
        "failures": 0,
        "cause": None,
        "set_aside_at": None,
    },
    "LineExplainedView": {
        **STATEMENT_LINES[0],
        "number": 1,
        "run_id": RUN,
        "currency": "EUR",
        "rounding": {"exact": "349/5", "method": "half_up"},
        "entry": {
            "id": f"delivered:{PARCEL}",
            "posted_at": "2026-03-04T15:02:44.310Z",
            "postings": [{"account": f"leader:{LEADER}:pending", "amount": -102}],
        },
        "settled_by": {
            "id": f"matured:{RUN}:{LEADER}",
            "posted_at": "2026-03-12T00:15:07.502Z",
            "postings": [
                {"account": f"leader:{LEADER}:pending", "amount": 102},
                {"account": f"leader:{LEADER}:available", "amount": -102},
            ],
        },
    },
    "StartRun": {"business_date": "2026-03-11", "dry_run": False},
    "StatementSummaryView": STATEMENT_SUMMARY,
    "StatementView": {**STATEMENT_SUMMARY, "lines": STATEMENT_LINES},
    "StockView": {
        "sku_id": EGGS,
        "on_hand": 90,
        "reserved": 4,
        "available": 86,
        "committed": 10,
    },
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
    "WaiveFine": {"reason": "The road was flooded"},
    "BookedView": {
        "id": f"delivered:{PARCEL}",
        "business_date": "2026-03-03",
        "period": "2026-03",
        "belongs_to": "2026-02",
        "posted_at": "2026-03-03T09:12:00.000Z",
        "subject": ORDER,
        "currency": "EUR",
        "postings": [
            {"account": "customer_prepayments", "amount": 698},
            {"account": f"supplier:{SUPPLIER}:payable", "amount": -480},
            {"account": f"leader:{LEADER}:pending", "amount": -56},
            {"account": "platform:revenue", "amount": -162},
        ],
    },
    "ClosedPeriodView": {
        "month": "2026-02",
        "closed_at": "2026-03-03T08:00:00.000Z",
        "closed_by": "op_mia",
        "audit_id": "aud_019cb4a2c7d15e8f90a1b2c3d4e5",
        "entries": 1204,
        "digest": "7c3f0a9d2b6e4815c0d7f2a3b4e59681",
    },
    "LeaderTotalsView": {
        "leader_id": LEADER,
        "name": "Lena Wolf",
        "year": 2026,
        "currency": "EUR",
        "statements": 211,
        "by_kind": {
            "commission": 412050,
            "spread": 0,
            "bonus": 5000,
            "cap": 0,
            "clawback": -8120,
            "held": 0,
            "payout": -400000,
            "payout_returned": 0,
            "netting": 0,
            "adjustment": 0,
        },
        "earned": 417050,
        "clawed_back": 8120,
        "paid_out": 400000,
        "total": 8930,
    },
    "AuditView": {
        "checked_at": "2026-03-12T04:01:00.000Z",
        "through": "2026-03-12T03:45:00.000Z",
        "findings": [
            {
                "check": "refunds_overdue",
                "subject": REFUND,
                "detail": f"Refund {REFUND} is failed since 2026-03-10, and has no case.",
                "amount": 349,
            }
        ],
        "findings_total": 1,
        "running": None,
    },
    "TrialBalanceView": {
        "as_of": "2026-03-12T07:00:00.000Z",
        "currencies": [
            {
                "currency": "EUR",
                "accounts": [
                    {"account": "cash:local", "balance": 1118},
                    {"account": f"leader:{LEADER}:available", "balance": -102},
                    {"account": "platform:revenue", "balance": -276},
                    {"account": f"supplier:{SUPPLIER}:payable", "balance": -480},
                    {"account": f"supplier:{BAKERY}:payable", "balance": -260},
                ],
                "debits": 2338,
                "credits": 2338,
                "balanced": True,
            }
        ],
    },
}

# Where a route answers a shape in another state than its usual example, by the route's operation.
ANSWERS: dict[str, Any] = {
    "cancel_campaign": {**CAMPAIGN_SUMMARY, "status": "cancelled"},
    "cancel_order": {
        **PLACED_ORDER,
        "status": "cancelled",
        "version": 2,
        "payment": {**PLACED_ORDER["payment"], "status": "cancelled", "client_secret": None},
        "cancel_reason": "Ordered by mistake",
    },
    "clone_campaign": {
        **CAMPAIGN_VIEW,
        **CLONE_CAMPAIGN,
        "id": "cmp_019cc0a6b1e45f2d9c7830e1a2b4",
        "status": "scheduled",
        "created_at": "2026-03-04T08:11:37.920Z",
    },
    "edit_campaign": {
        **CAMPAIGN_VIEW,
        "title": EDIT_CAMPAIGN["title"],
        "max_orders": EDIT_CAMPAIGN["max_orders"],
        "offers": [
            {**CAMPAIGN_VIEW["offers"][0], "quantity_cap": 800},
            CAMPAIGN_VIEW["offers"][1],
        ],
    },
    "make_batch": BATCH_PREPARING,
    "take_statement": RECONCILIATION_BEGUN,
    "resolve_difference": {
        **DIFFERENCE_VIEW,
        "resolution": "returned",
        "note": "The account is closed; the leader knows.",
        "resolved_by": "op_tom",
        "resolved_at": "2026-03-19T09:14:20.733Z",
        "posted": [f"payout-returned:{PAYOUT}"],
    },
    "approve_batch": {
        **BATCH_SUMMARY,
        "status": "approved",
        "sent_at": None,
        "results": NO_RESULTS,
    },
    "send_batch": {**BATCH_SUMMARY, "results": NO_RESULTS},
    "cancel_batch": {
        **BATCH_SUMMARY,
        "status": "cancelling",
        "sent_at": None,
        "results": NO_RESULTS,
    },
    "place_order": PLACED_ORDER,
    "ask_after_sales": AFTER_SALES_ASKED,
    "resolve_dispute": {
        **DISPUTE_VIEW,
        "status": "dismissed",
        "note": "The carrier's photo shows it in the shop.",
        "resolved_at": "2026-03-05T15:40:02.119Z",
        "version": 2,
    },
    "respond_to_after_sales": {
        **AFTER_SALES_ASKED,
        "status": "responded",
        "steps": AFTER_SALES_VIEW["steps"][:2],
        "version": 2,
    },
}

# Bodies that are no JSON, by their route.
TEXTS = {
    "take_statement": "date,amount,currency,reference,bank_ref,type\n"
    f"2026-03-13,-114.84,EUR,{PAYOUT},C13-0871,payment\n2026-03-13,-4.50,EUR,,C13-0872,fee\n",
    "import_stock": "supplier_sku,on_hand\nEGG-10,120\nEGG-6,45\nEGG-4,many\n",
    "import_tracking": f"dispatch_id,carrier,tracking_number\n{DISPATCH},DHL,00340434\n",
}

# What each webhook tells, by event type.
TOLD: dict[str, Any] = {
    "dispatch.created": {**DISPATCH_TOLD, "version": 1},
    "dispatch.cancelled": DISPATCH_TOLD,
    "dispatch.updated": {
        **DISPATCH_TOLD,
        "disputes": [{"dispute_id": DISPUTE, "parcel_ids": [PARCEL], "status": "open"}],
    },
    "dispatch.reminder": {
        **DISPATCH_TOLD,
        "clock": {
            "kind": "accept",
            "parcel_id": None,
            "due_at": CLOCKS[0]["due_at"],
            "on_missed": "fine",
            "fine_amount": 500,
        },
    },
    "endpoint.disabled": {
        "endpoint_id": ENDPOINT,
        "owner": ENDPOINT_VIEW["owner"],
        "url": ENDPOINT_VIEW["url"],
        "reason": "It answered 410 Gone.",
        "version": 4,
    },
    "ping": {"endpoint_id": ENDPOINT},
    "order.paid": {
        "order_id": ORDER,
        "version": 2,
        "status": "paid",
        "leader_id": LEADER,
        "campaign_id": CAMPAIGN,
        "currency": "EUR",
        "total": 1118,
        "refunded_amount": 0,
    },
    "order.refunded": {**REFUND_TOLD, "status": "succeeded"},
    "refund.failed": {**REFUND_TOLD, "status": "failed"},
    "campaign.closed": {
        "campaign_id": CAMPAIGN,
        "title": CAMPAIGN_SUMMARY["title"],
        "closes_at": CAMPAIGN_SUMMARY["closes_at"],
    },
    "campaign.met": CAMPAIGN_END_TOLD,
    "campaign.missed": CAMPAIGN_END_TOLD,
    "campaign.cancelled": {**CAMPAIGN_END_TOLD, "target": None},
    "settlement.completed": {
        "run_id": RUN,
        "business_date": "2026-03-11",
        "leaders_settled": 3,
        "totals": [{"currency": "EUR", "amount": 9640}],
    },
    "after_sales.requested": {
        **AFTER_SALES_TOLD,
        "version": 1,
        "status": "requested",
        "refund_id": None,
    },
    "after_sales.decided": {
        **AFTER_SALES_TOLD,
        "version": 3,
        "status": "refunded",
        "refund_id": REFUND,
    },
    "case.opened": {
        "case_id": CASE,
        "kind": "wrong_amount",
        "subject": "local:ch_91b0",
        "detail": WRONG_AMOUNT,
    },
}
