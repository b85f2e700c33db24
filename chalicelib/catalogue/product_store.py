"""Products and their SKUs: in the catalogue table."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition

from chalicelib.catalogue.rules import (
    AlternateSku,
    Product,
    Sku,
)
from chalicelib.platform import store
from chalicelib.platform.indexes import BySupplier, Listing
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    RecordsAttribute,
    Row,
    table,
)
from chalicelib.platform.transaction import Put, Update

PRODUCT, SKU, PRODUCTS = "product", "sku", "products"
PRODUCTS_A_READ = 100


CatalogueMeta = table("CATALOGUE_TABLE")


class ProductRow(EntityRow[Product]):
    Meta = CatalogueMeta
    entity = Product

    listing = UnicodeAttribute()
    listed = Listing()
    of_supplier = BySupplier()
    id = UnicodeAttribute()
    supplier_id = UnicodeAttribute()
    title = UnicodeAttribute()
    description = UnicodeAttribute(null=True)
    category = UnicodeAttribute(null=True)
    currency = UnicodeAttribute()
    status = UnicodeAttribute()
    rejection_reason = UnicodeAttribute(null=True)
    skus = RecordsAttribute(Sku)
    version = IntegerAttribute()
    created_at = InstantAttribute()

    @classmethod
    def keys(cls, entity: Product) -> dict[str, Any]:
        return {"pk": entity.id, "sk": PRODUCT, "listing": PRODUCTS}


class SkuRow(Row):
    """Finds the product of a SKU."""

    Meta = CatalogueMeta

    product_id = UnicodeAttribute()
    owner_id = UnicodeAttribute()
    # What new offers are given as their hint.
    stock_shards = IntegerAttribute(default=1)
    # What it is an alternate of, and how soon it is tried; and what its own alternates are.
    alternate_of = UnicodeAttribute(null=True)
    priority = IntegerAttribute(null=True)
    alternates = RecordsAttribute(AlternateSku, default=())

    @property
    def by_priority(self) -> list[AlternateSku]:
        return sorted(self.alternates, key=lambda each: (each.priority, each.sku_id))


def sku_row(sku: Sku, product: Product) -> SkuRow:
    return SkuRow(sku.id, SKU, product_id=product.id, owner_id=product.supplier_id)


def get_product(product_id: str) -> Product | None:
    row = store.get(ProductRow, product_id, PRODUCT)
    return row.to_entity() if row else None


def get_products(product_ids: Iterable[str]) -> dict[str, Product]:
    rows = store.get_many(ProductRow, [(each, PRODUCT) for each in product_ids])
    return {row.id: row.to_entity() for row in rows}


def supplier_of_sku(sku_id: str) -> str | None:
    row = store.get(SkuRow, sku_id, SKU)
    return row.owner_id if row else None


def get_skus(sku_ids: Iterable[str]) -> dict[str, SkuRow]:
    """Those SKUs that exist: the product of each, its owner, and its stock's shards."""
    rows = store.get_many(SkuRow, [(each, SKU) for each in sku_ids])
    return {row.pk: row for row in rows}


def set_alternate(sku: SkuRow, alternate_of: str | None, priority: int) -> Update:
    """Say what a SKU is an alternate of. Stale where that, or its own alternates, have changed."""
    row = SkuRow
    named = [row.alternate_of.set(alternate_of or ""), row.priority.set(priority)]
    none = [row.alternate_of.remove(), row.priority.remove()]
    return Update(row.at(sku.pk, SKU), named if alternate_of else none, _named_as(sku))


def set_alternates(sku: SkuRow, alternates: Sequence[AlternateSku]) -> Update:
    """Say what a SKU's alternates are. Stale as above."""
    row = SkuRow
    return Update(row.at(sku.pk, SKU), [row.alternates.set(tuple(alternates))], _named_as(sku))


def _named_as(sku: SkuRow) -> Condition:
    row, of = SkuRow, SkuRow.alternate_of
    same: Condition = of == sku.alternate_of if sku.alternate_of else of.does_not_exist()
    listed: Condition = row.alternates == sku.alternates
    if not sku.alternates:
        listed = listed | row.alternates.does_not_exist()
    both: Condition = same & listed
    return both


def products(page: PageRequest) -> Page[Product]:
    return store.newest(ProductRow.listed, [PRODUCTS], ProductRow.pk, page).map(
        ProductRow.to_entity
    )


def products_of(supplier_id: str, page: PageRequest) -> Page[Product]:
    found = store.newest(ProductRow.of_supplier, [supplier_id], ProductRow.pk, page)
    return store.whole(ProductRow, PRODUCT, found)


def skus_of(supplier_id: str) -> Iterator[Sku]:
    """All SKUs of a supplier."""
    return _skus(lambda page: products_of(supplier_id, page))


def all_skus() -> Iterator[Sku]:
    return _skus(products)


def _skus(read: Callable[[PageRequest], Page[Product]]) -> Iterator[Sku]:
    page = PageRequest("", PRODUCTS_A_READ)
    while True:
        found = read(page)
        for product in found.items:
            yield from product.skus
        if found.next_after is None:
            return
        page = replace(page, after=found.next_after)


def replace_product(changed: Product, version: int) -> Put:
    return Put(ProductRow.of(changed), ProductRow.version == version)
