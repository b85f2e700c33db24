"""What can be done with products and their SKUs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.catalogue import product_store
from chalicelib.catalogue.product_store import ProductRow
from chalicelib.catalogue.rules import (
    Product,
    ProductStatus,
    Sku,
)
from chalicelib.kernel import clock, ids
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, Invalid, NotFound
from chalicelib.parties import store as party_store
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction, create, write


@dataclass(frozen=True)
class NewSku:
    title: str
    supplier_sku: str | None
    list_price: int
    cost: int
    fulfilment_mode: str


@dataclass(frozen=True)
class NewProduct:
    """`supplier_id` is None where its supplier is the caller."""

    supplier_id: str | None
    title: str
    description: str | None
    category: str | None
    currency: str
    skus: Sequence[NewSku]


@dataclass(frozen=True, kw_only=True)
class SkuWhole(Sku):
    """A SKU with what it has of its product."""

    product_id: str
    supplier_id: str
    currency: str
    alternate_of: str | None
    priority: int | None


def create_product(new: NewProduct, caller: Caller, recorder: Recorder | None) -> Product:
    """An operator's product is active at once, a supplier's waits for approval."""
    supplier_id = caller.asks_for(new.supplier_id)
    if supplier_id is None:
        raise Invalid.field("supplier_id", "is required of an operator")
    supplier = party_store.get_supplier(supplier_id)
    if supplier is None:
        raise Invalid.field("supplier_id", "is not a supplier")
    if supplier.currency != new.currency:
        raise Invalid.field(
            "currency", f"is not the supplier's, {supplier.currency}", code="currency_mismatch"
        )
    product = _product(new, supplier_id, "active" if caller.is_operator else "pending")
    transaction = Transaction(recorder)
    transaction.add(create(ProductRow.of(product)))
    transaction.add(*(create(product_store.sku_row(sku, product)) for sku in product.skus))
    transaction.commit(product)
    return product


def product_for(product_id: str, caller: Caller) -> Product:
    product = product_store.get_product(product_id)
    if product is None:
        raise NotFound("There is no such product.")
    caller.must_be("supplier", product.supplier_id, "product")
    return product


@retry_stale
def edit_product(
    product_id: str,
    changes: Mapping[str, Any],
    sku_changes: Mapping[str, Mapping[str, Any]],
    caller: Caller,
) -> Product:
    """Offers that are made from now on are of what it is then; those there are keep theirs.

    Raises NotFound, Invalid where a SKU is not the product's.
    """
    product = product_for(product_id, caller)
    own = {sku.id for sku in product.skus}
    if other := next((each for each in sku_changes if each not in own), None):
        raise Invalid.field("skus", f"name {other}, which is not a SKU of the product")
    skus = tuple(replace(sku, **sku_changes.get(sku.id, {})) for sku in product.skus)
    edited = replace(product, **changes, skus=skus)
    if edited == product:
        return product
    edited = replace(edited, version=product.version + 1)
    write(product_store.replace_product(edited, product.version))
    return edited


def approve_product(product_id: str, caller: Caller, recorder: Recorder | None) -> Product:
    return _decide(product_id, caller, "active", None, recorder)


def reject_product(
    product_id: str, reason: str, caller: Caller, recorder: Recorder | None
) -> Product:
    return _decide(product_id, caller, "rejected", reason, recorder)


def sku_for(sku_id: str, caller: Caller) -> None:
    """Raise NotFound unless the SKU exists and is the caller's, or the caller is an operator."""
    supplier_id = product_store.supplier_of_sku(sku_id)
    if supplier_id is None:
        raise NotFound("There is no such SKU.")
    caller.must_be("supplier", supplier_id, "SKU")


def sku_whole(sku_id: str, caller: Caller) -> SkuWhole:
    """The SKU, for its supplier and operators. Raises NotFound."""
    sku_for(sku_id, caller)
    row = product_store.get_skus([sku_id])[sku_id]
    product = product_for(row.product_id, caller)
    return SkuWhole(
        **vars(product.sku(sku_id)),
        product_id=product.id,
        supplier_id=product.supplier_id,
        currency=product.currency,
        alternate_of=row.alternate_of,
        priority=row.priority,
    )


def _product(new: NewProduct, supplier_id: str, status: ProductStatus) -> Product:
    return Product(
        id=ids.new("prd"),
        supplier_id=supplier_id,
        title=new.title,
        description=new.description,
        category=new.category,
        currency=new.currency,
        status=status,
        rejection_reason=None,
        skus=tuple(Sku(id=ids.new("sku"), **vars(sku)) for sku in new.skus),
        version=1,
        created_at=clock.now(),
    )


@retry_stale
def _decide(
    product_id: str,
    caller: Caller,
    status: ProductStatus,
    reason: str | None,
    recorder: Recorder | None,
) -> Product:
    product = product_for(product_id, caller)
    if (product.status, product.rejection_reason) == (status, reason):
        return product
    if product.status != "pending":
        raise Conflict(
            f"The product is {product.status}; only a pending one can be decided.",
            code=f"already_{product.status}",
        )
    decided = replace(product, status=status, rejection_reason=reason, version=product.version + 1)
    transaction = Transaction(recorder)
    transaction.add(product_store.replace_product(decided, product.version))
    transaction.commit(decided)
    return decided
