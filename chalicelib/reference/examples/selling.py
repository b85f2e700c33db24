"""What is sold, to whom and by whom: parties, the catalogue and the stock."""

from typing import Any

from chalicelib.reference.examples.story import (
    API_KEY,
    BREAD,
    CAMPAIGN,
    EGGS,
    LEADER,
    PRODUCT,
    SUPPLIER,
)

PICKUP_POINT: dict[str, Any] = {
    "line1": "Am Markt 1",
    "city": "Potsdam",
    "postal_code": "14467",
    "country": "DE",
    "latitude": 52.3961,
    "longitude": 13.0586,
}
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

EXAMPLES: dict[str, Any] = {
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
    "CampaignSummaryView": CAMPAIGN_SUMMARY,
    "CampaignView": {
        **CAMPAIGN_SUMMARY,
        "leader_ids": [LEADER],
        "offers": [
            {**OFFERS[0], "title": "Free-range eggs, Box of 10"},
            {**OFFERS[1], "title": "Rye bread"},
        ],
    },
    "CloneCampaign": {
        "title": "Breakfast of the next week",
        "opens_at": "2026-03-09T06:00:00.000Z",
        "closes_at": "2026-03-10T18:00:00.000Z",
    },
    "CreateCampaign": CREATE_CAMPAIGN,
    "CreateProduct": CREATE_PRODUCT,
    "EditCampaign": {
        "title": "Breakfast of the week, with rye bread",
        "max_orders": 200,
        "offers": [{**OFFERS[0], "quantity_cap": 800}, OFFERS[1]],
    },
    "ImportedView": {
        "rows": 3,
        "taken": 2,
        "errors": [{"line": 4, "field": "on_hand", "message": "must be a whole number"}],
    },
    "IssuedKeyView": {
        "id": API_KEY,
        "key": "tsk_an-example-of-a-key-that-opens-nothing-01234567",
        "created_at": "2026-03-01T10:02:19.004Z",
    },
    "LeaderPriceView": {
        "leader_id": LEADER,
        "campaign_id": CAMPAIGN,
        "sku_id": EGGS,
        "price": 359,
    },
    "LeaderView": {
        "id": LEADER,
        **REGISTER_LEADER,
        "credit_limit": 50000,
        "created_at": "2026-02-27T12:00:03.550Z",
    },
    "PatchSku": {"stock_shards": 16},
    "ProductView": {
        **CREATE_PRODUCT,
        "id": PRODUCT,
        "status": "active",
        "rejection_reason": None,
        "skus": [{"id": EGGS, **SKU}],
        "created_at": "2026-03-01T10:30:00.125Z",
    },
    "PutStock": {"on_hand": 90},
    "RegisterLeader": REGISTER_LEADER,
    "RegisterSupplier": REGISTER_SUPPLIER,
    "RejectProduct": {"reason": "The description names no origin"},
    "SetCreditLimit": {"amount": 50000},
    "SetLeaderPrice": {"campaign_id": CAMPAIGN, "sku_id": EGGS, "price": 359},
    "SkuOnSaleView": {
        "id": EGGS,
        "product_id": PRODUCT,
        "supplier_id": SUPPLIER,
        "currency": "EUR",
        **SKU,
        "stock_shards": 16,
    },
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
}
