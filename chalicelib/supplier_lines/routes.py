"""`/v1/suppliers/{id}/statements/lines/{entry_id}`: why an amount is what it is."""

from chalicelib.parties.authorizer import authorizer
from chalicelib.platform.endpoints import Request
from chalicelib.platform.http_in import Routes
from chalicelib.supplier_lines import service
from chalicelib.supplier_lines.schema import SupplierLineExplainedView, shown

routes = Routes(__name__, tag="Suppliers", authorizer=authorizer)


@routes.endpoint(
    "GET",
    "/v1/suppliers/{id}/statements/lines/{entry_id}",
    summary="Read how the amount of a supplier's statement line was determined",
    notes="`entry_id` is the line's. Where it has moved several of the supplier's accounts, they "
    "are told together. What does not belong to its kind is null, and for a supplier also what is "
    "of others as well.",
    roles=("operator", "supplier"),
    answer=SupplierLineExplainedView,
)
def explain_supplier_line(request: Request, id: str, entry_id: str) -> SupplierLineExplainedView:
    return shown(service.explain(id, entry_id, request.caller))
