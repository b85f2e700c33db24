"""Which SKU is shipped in place of which, where its supplier will not ship it."""

from chalicelib.catalogue import product_store
from chalicelib.catalogue.product_store import SkuRow
from chalicelib.catalogue.rules import AlternateSku
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Forbidden, Invalid, NotFound
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Update, write

MOST_ALTERNATES = 10


@retry_stale
def name_alternate(sku_id: str, alternate_of: str | None, priority: int, caller: Caller) -> None:
    """Make a SKU an alternate of another, or of none. Raises Forbidden for a supplier, NotFound,
    and Invalid for one of another currency, for itself, and where a chain would come of it."""
    if not caller.is_operator:
        raise Forbidden("Only an operator says which SKU stands in for which.")
    sku = product_store.get_skus([sku_id]).get(sku_id)
    if sku is None:
        raise NotFound("There is no such SKU.")
    names = {each for each in (alternate_of, sku.alternate_of) if each}
    known = product_store.get_skus(names)
    if alternate_of:
        _check(sku, known.get(alternate_of))
    changes = [
        _listed(row, sku_id, priority if name == alternate_of else None)
        for name, row in known.items()
    ]
    write(product_store.set_alternate(sku, alternate_of, priority), *changes)


def _listed(row: SkuRow, sku_id: str, priority: int | None) -> Update:
    """A SKU's alternates with this one at its priority, or without it."""
    others = [each for each in row.alternates if each.sku_id != sku_id]
    named = [AlternateSku(sku_id, priority)] if priority is not None else []
    return product_store.set_alternates(row, [*others, *named])


def _check(sku: SkuRow, ordered: SkuRow | None) -> None:
    if ordered is None:
        raise Invalid.field("alternate_of", "is not a SKU")
    if ordered.pk == sku.pk:
        raise Invalid.field("alternate_of", "is the SKU itself")
    if ordered.alternate_of or sku.alternates:
        raise Invalid.field(
            "alternate_of",
            "makes a chain: an alternate has no alternates of its own",
            code="alternate_chain",
        )
    if len(ordered.alternates) >= MOST_ALTERNATES and sku.alternate_of != ordered.pk:
        raise Invalid.field("alternate_of", f"has {MOST_ALTERNATES} alternates, which is the most")
    products = product_store.get_products([sku.product_id, ordered.product_id])
    currency = products[ordered.product_id].currency
    if products[sku.product_id].currency != currency:
        raise Invalid.field(
            "alternate_of", f"is of another currency, {currency}", code="currency_mismatch"
        )
