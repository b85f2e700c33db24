"""`/v1/skus/{id}/stock`."""

from chalicelib.parties.authorizer import authorizer
from chalicelib.platform.endpoints import Also, Reply, Request
from chalicelib.platform.http_in import Routes
from chalicelib.stock import service
from chalicelib.stock.schema import PutStock, StockView
from chalicelib.stock.store import Stock

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


def _stock_reply(found: Stock) -> Reply:
    return Reply(found, headers={"ETag": service.etag(found)})
