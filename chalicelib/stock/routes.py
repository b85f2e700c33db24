"""`/v1/skus/{id}` with its stock, and stock imports."""

from chalicelib.catalogue import alternates
from chalicelib.parties.authorizer import authorizer
from chalicelib.platform.endpoints import Also, Reply, Request
from chalicelib.platform.http_in import Routes
from chalicelib.platform.pages import Page
from chalicelib.stock import adjusting, importing, service, sharding
from chalicelib.stock.importing import Imported
from chalicelib.stock.levels import Adjustment, Stock
from chalicelib.stock.schema import (
    AdjustmentView,
    AdjustStock,
    ImportedView,
    PatchSku,
    PutStock,
    SkuOnSaleView,
    StockView,
)
from chalicelib.stock.sharding import SkuOnSale

routes = Routes(__name__, tag="Stock", authorizer=authorizer)

ETAG = {"ETag": "The version of the stock, for `If-Match`."}


@routes.endpoint(
    "PUT",
    "/v1/skus/{id}/stock",
    summary="Set a SKU's stock; If-Match is honoured",
    roles=("operator", "supplier"),
    body=PutStock,
    answer=StockView,
    errors={"below_reserved": 409, "precondition_failed": 412},
    also=Also(
        takes={"If-Match": "The `ETag` that was read: refused where the stock has changed since."},
        gives=ETAG,
    ),
)
def put_stock(request: Request, id: str) -> Reply:
    sent: PutStock = request.body
    counted: service.Counted = "physical" if sent.on_hand is None else "on_hand"
    units = sent.physical if sent.on_hand is None else sent.on_hand
    return _stock_reply(
        service.put(id, counted, units or 0, request.headers.get("if-match"), request.caller)
    )


@routes.endpoint(
    "GET",
    "/v1/skus/{id}/stock",
    summary="Read a SKU's stock, with its ETag",
    roles=("operator", "supplier"),
    answer=StockView,
    also=Also(gives=ETAG),
)
def read_stock(request: Request, id: str) -> Reply:
    return _stock_reply(service.read(id, request.caller))


@routes.endpoint(
    "POST",
    "/v1/skus/{id}/stock/adjustments",
    summary="Add units to a SKU's stock or take some away, with the reason",
    roles=("operator", "supplier"),
    body=AdjustStock,
    answer=AdjustmentView,
    status=201,
    key="optional",
    errors={"below_reserved": 409, "too_many_units": 409},
)
def adjust_stock(request: Request, id: str) -> Adjustment:
    sent: AdjustStock = request.body
    return adjusting.adjust(id, sent.delta, sent.reason, request.caller, request.idempotency)


@routes.endpoint(
    "GET",
    "/v1/skus/{id}/stock/adjustments",
    summary="List the adjustments of a SKU's stock",
    roles=("operator", "supplier"),
    answer=AdjustmentView,
    is_list=True,
)
def list_adjustments(request: Request, id: str) -> Page[Adjustment]:
    return adjusting.adjustments_of(id, request.caller, request.page)


@routes.endpoint(
    "GET",
    "/v1/skus/{id}",
    summary="Read a SKU",
    roles=("operator", "supplier"),
    answer=SkuOnSaleView,
)
def read_sku(request: Request, id: str) -> SkuOnSale:
    return sharding.read_sku(id, request.caller)


@routes.endpoint(
    "PATCH",
    "/v1/skus/{id}",
    summary="Spread a SKU's stock over more items or fewer, or say what it is an alternate of",
    roles=("operator", "supplier"),
    body=PatchSku,
    answer=SkuOnSaleView,
    errors={"alternate_chain": 422, "currency_mismatch": 422},
)
def patch_sku(request: Request, id: str) -> SkuOnSale:
    sent: PatchSku = request.body
    if sent.stock_shards is not None:
        return sharding.reshard(id, sent.stock_shards, request.caller)
    alternates.name_alternate(id, sent.alternate_of, sent.priority, request.caller)
    return sharding.read_sku(id, request.caller)


@routes.endpoint(
    "POST",
    "/v1/suppliers/{id}/stock-imports",
    summary="Set the stock of many SKUs from a CSV file; a line that is wrong holds back no other",
    roles=("operator", "supplier"),
    takes="text/csv",
    answer=ImportedView,
    key="optional",
)
def import_stock(request: Request, id: str) -> Imported:
    return importing.import_counts(id, request.raw_body, request.caller)


def _stock_reply(found: Stock) -> Reply:
    return Reply(found, headers={"ETag": service.etag(found)})
