"""The indexes that tables of several domains have alike."""

from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.platform.table import InstantAttribute


class Listing(GlobalSecondaryIndex[Any]):
    """Everything of one kind, whole, by id and so by age."""

    class Meta:
        index_name = "listing"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    pk = UnicodeAttribute(range_key=True)


class KeysListing(GlobalSecondaryIndex[Any]):
    """The keys of everything of one kind, by id and so by age: for items that change often."""

    class Meta:
        index_name = "listing"
        projection = KeysOnlyProjection()

    listing = UnicodeAttribute(hash_key=True)
    pk = UnicodeAttribute(range_key=True)


class Due(GlobalSecondaryIndex[Any]):
    """The keys of what a sweep must look at, over some shards, by that instant."""

    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due = UnicodeAttribute(hash_key=True)
    due_at = InstantAttribute(range_key=True)


class ByCustomer(GlobalSecondaryIndex[Any]):
    """The keys of what a customer has, by id and so by age."""

    class Meta:
        index_name = "by_customer"
        projection = KeysOnlyProjection()

    customer_id = UnicodeAttribute(hash_key=True)
    pk = UnicodeAttribute(range_key=True)


class ByLeader(GlobalSecondaryIndex[Any]):
    """The keys of what is in a leader's community, by id and so by age."""

    class Meta:
        index_name = "by_leader"
        projection = KeysOnlyProjection()

    leader_id = UnicodeAttribute(hash_key=True)
    pk = UnicodeAttribute(range_key=True)


class BySupplier(GlobalSecondaryIndex[Any]):
    """The keys of what concerns a supplier, by id and so by age."""

    class Meta:
        index_name = "by_supplier"
        projection = KeysOnlyProjection()

    supplier_id = UnicodeAttribute(hash_key=True)
    pk = UnicodeAttribute(range_key=True)
