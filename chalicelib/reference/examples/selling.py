"""Products, stock and campaigns."""

from typing import Any

from chalicelib.reference.examples.story import (
    CAMPAIGN,
    CAMPAIGN_SUMMARY,
    CAMPAIGN_VIEW,
    CLONE_CAMPAIGN,
    EDIT_CAMPAIGN,
    EGGS,
    LEADER,
    OFFERS,
    PRODUCT,
    SUPPLIER,
)

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
EDIT_PRODUCT: dict[str, Any] = {"category": "Eggs", "skus": [{"id": EGGS, "cost": 255}]}
PRODUCT_VIEW: dict[str, Any] = {
    **CREATE_PRODUCT,
    "id": PRODUCT,
    "status": "active",
    "rejection_reason": None,
    "skus": [{"id": EGGS, **SKU}],
    "created_at": "2026-03-01T10:30:00.125Z",
}
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
    "CampaignSummaryView": CAMPAIGN_SUMMARY,
    "CampaignView": CAMPAIGN_VIEW,
    "CloneCampaign": CLONE_CAMPAIGN,
    "CreateCampaign": CREATE_CAMPAIGN,
    "CreateProduct": CREATE_PRODUCT,
    "EditCampaign": EDIT_CAMPAIGN,
    "EditProduct": EDIT_PRODUCT,
    "ImportedView": {
        "rows": 3,
        "taken": 2,
        "errors": [{"line": 4, "field": "on_hand", "message": "must be a whole number"}],
    },
    "ProductView": PRODUCT_VIEW,
    "PatchSku": {"stock_shards": 16},
    "PutStock": {"on_hand": 90},
    "RejectProduct": {"reason": "The description names no origin"},
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
    "StockView": {
        "sku_id": EGGS,
        "on_hand": 90,
        "reserved": 4,
        "available": 86,
        "committed": 10,
    },
}
