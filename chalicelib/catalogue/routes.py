"""`/v1/products` and `/v1/campaigns`."""

from typing import Any, cast

from chalicelib.catalogue import campaigns, editing, leader_prices, product_store, products
from chalicelib.catalogue import store as catalogue
from chalicelib.catalogue.campaigns import CampaignWhole, NewCampaign, NewOffer
from chalicelib.catalogue.editing import Changes
from chalicelib.catalogue.leader_prices import LeaderPriceOf
from chalicelib.catalogue.product_schema import (
    CreateProduct,
    EditProduct,
    ProductView,
    RejectProduct,
)
from chalicelib.catalogue.products import NewProduct, NewSku
from chalicelib.catalogue.rules import Campaign, Commission, Product, Target
from chalicelib.catalogue.schema import (
    CampaignSummaryView,
    CampaignView,
    CloneCampaign,
    CreateCampaign,
    EditCampaign,
    LeaderPriceView,
    OfferIn,
    SetLeaderPrice,
    TargetIn,
    terms_of,
)
from chalicelib.parties.authorizer import authorizer
from chalicelib.platform.endpoints import Request
from chalicelib.platform.http_in import Routes
from chalicelib.platform.pages import Page

routes = Routes(__name__, tag="Catalogue", authorizer=authorizer)


@routes.endpoint(
    "POST",
    "/v1/products",
    summary="Add a product with its SKUs",
    notes="An operator's is `active` at once; a supplier's is `pending` and cannot be offered "
    "until an operator approves it.",
    roles=("operator", "supplier"),
    body=CreateProduct,
    answer=ProductView,
    status=201,
    key="optional",
    errors={"currency_mismatch": 422},
)
def create_product(request: Request) -> Product:
    sent: CreateProduct = request.body
    skus = [NewSku(**sku.model_dump()) for sku in sent.skus]
    new = NewProduct(
        sent.supplier_id, sent.title, sent.description, sent.category, sent.currency, skus
    )
    return products.create_product(new, request.caller, request.idempotency)


@routes.endpoint(
    "GET",
    "/v1/products",
    summary="List products: a supplier its own, an operator all",
    roles=("operator", "supplier"),
    answer=ProductView,
    is_list=True,
)
def list_products(request: Request) -> Page[Product]:
    if request.caller.is_operator:
        return product_store.products(request.page)
    return product_store.products_of(request.caller.id, request.page)


@routes.endpoint(
    "GET",
    "/v1/products/{id}",
    summary="Read a product",
    roles=("operator", "supplier"),
    answer=ProductView,
)
def read_product(request: Request, id: str) -> Product:
    return products.product_for(id, request.caller)


@routes.endpoint(
    "PATCH",
    "/v1/products/{id}",
    summary="Correct a product, or what its SKUs cost",
    notes="Offers keep the category, titles and cost that they were made with; those that are made "
    "from now on have the new ones.",
    roles=("operator",),
    body=EditProduct,
    answer=ProductView,
)
def edit_product(request: Request, id: str) -> Product:
    changes = request.body.model_dump(exclude_unset=True)
    skus = {sku.pop("id"): sku for sku in changes.pop("skus", [])}
    return products.edit_product(id, changes, skus, request.caller)


@routes.endpoint(
    "POST",
    "/v1/products/{id}/approve",
    summary="Put a supplier's product on sale",
    roles=("operator",),
    answer=ProductView,
    key="optional",
    errors={"already_rejected": 409},
)
def approve_product(request: Request, id: str) -> Product:
    return products.approve_product(id, request.caller, request.idempotency)


@routes.endpoint(
    "POST",
    "/v1/products/{id}/reject",
    summary="Refuse a supplier's product, with the reason",
    roles=("operator",),
    body=RejectProduct,
    answer=ProductView,
    key="optional",
    errors={"already_active": 409, "already_rejected": 409},
)
def reject_product(request: Request, id: str) -> Product:
    return products.reject_product(id, request.body.reason, request.caller, request.idempotency)


@routes.endpoint(
    "POST",
    "/v1/campaigns",
    summary="Open a window of offers to all leaders or to some",
    roles=("operator",),
    body=CreateCampaign,
    answer=CampaignView,
    status=201,
    key="optional",
    errors={"currency_mismatch": 422, "no_commission_rule": 422},
)
def create_campaign(request: Request) -> CampaignWhole:
    sent: CreateCampaign = request.body
    offers = [_offered(each) for each in sent.offers]
    new = NewCampaign(
        sent.title,
        sent.opens_at,
        sent.closes_at,
        sent.currency,
        offers,
        sent.leader_ids or [],
        _target(sent.target),
        sent.max_orders,
    )
    return campaigns.create_campaign(new, request.idempotency)


@routes.endpoint(
    "PATCH",
    "/v1/campaigns/{id}",
    summary="Change a campaign",
    notes="All of these until a minute before it opens. From then on: its title; a later "
    "`closes_at` where there is no target; a lower count of its target; a higher `max_orders`, or "
    "none; and of its offers, which are sent whole, more of them, and a higher `quantity_cap` or "
    "`limit_per_customer`, or none.",
    roles=("operator",),
    body=EditCampaign,
    answer=CampaignView,
    errors={
        "campaign_not_editable": 409,
        "currency_mismatch": 422,
        "edit_too_large": 422,
        "no_commission_rule": 422,
    },
)
def edit_campaign(request: Request, id: str) -> CampaignWhole:
    return editing.edit(id, _changes(request.body))


@routes.endpoint(
    "POST",
    "/v1/campaigns/{id}/clone",
    summary="Open another window of the same offers, at the costs that suppliers have now",
    roles=("operator",),
    body=CloneCampaign,
    answer=CampaignView,
    status=201,
    key="optional",
    errors={"no_commission_rule": 422},
)
def clone_campaign(request: Request, id: str) -> CampaignWhole:
    sent: CloneCampaign = request.body
    return campaigns.clone_campaign(
        id, sent.title, sent.opens_at, sent.closes_at, request.idempotency
    )


@routes.endpoint(
    "GET",
    "/v1/campaigns",
    summary="List campaigns",
    roles=("operator",),
    answer=CampaignSummaryView,
    is_list=True,
)
def list_campaigns(request: Request) -> Page[Campaign]:
    return catalogue.campaigns(request.page)


@routes.endpoint(
    "PUT",
    "/v1/leaders/{id}/prices",
    summary="Set a leader's own price for a SKU in a campaign, or take it back",
    roles=("leader", "operator"),
    body=SetLeaderPrice,
    answer=LeaderPriceView,
    errors={"above_ceiling": 422, "below_floor": 422, "campaign_not_open": 409},
)
def set_leader_price(request: Request, id: str) -> LeaderPriceOf:
    sent: SetLeaderPrice = request.body
    request.caller.must_be("leader", id, "leader")
    return leader_prices.set_price(id, sent.campaign_id, sent.sku_id, sent.price)


def _changes(sent: EditCampaign) -> Changes:
    """What was sent, in the words of the use case; what was left out is left out of it."""
    said: dict[str, Any] = {
        name: getattr(sent, name)
        for name in EditCampaign.model_fields
        if name in sent.model_fields_set
    }
    if "target" in said:
        said["target"] = _target(sent.target)
    if "leader_ids" in said:
        said["leader_ids"] = sent.leader_ids or []
    if "offers" in said:
        said["offers"] = [_offered(each) for each in sent.offers]
    return cast(Changes, said)


def _target(sent: TargetIn | None) -> Target | None:
    return Target(sent.kind, sent.count) if sent else None


def _offered(sent: OfferIn) -> NewOffer:
    return NewOffer(
        sent.sku_id,
        terms_of(sent),
        Commission(**sent.commission.model_dump()) if sent.commission else None,
        sent.limit_per_customer,
        sent.floor_price,
        sent.quantity_cap,
    )
