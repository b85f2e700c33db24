"""Which accounts the books can have (contract, section 6)."""

from collections.abc import Iterable

from chalicelib.ledger import rules
from chalicelib.ledger.sides import PURPOSES

NAMED = (
    rules.CUSTOMER_PREPAYMENTS,
    rules.REFUNDS_IN_FLIGHT,
    rules.UNMATCHED_RECEIPTS,
    rules.UNMATCHED_CHARGEBACKS,
    rules.PLATFORM_REVENUE,
    rules.PLATFORM_SUSPENSE,
    rules.PLATFORM_CAPITAL,
)
OF_PARTIES = ("leader", "supplier")
# What accounts begin with, as people are told.
BEGINNINGS = (*NAMED, "cash:", *(f"{kind}:" for kind in OF_PARTIES))


def may_begin(prefix: str) -> bool:
    """Whether some account could begin so."""
    kind, _, rest = prefix.partition(":")
    if kind in OF_PARTIES and rest:
        return _may_be_of_party(rest)
    return prefix.startswith("cash:") or _begins_one(prefix, BEGINNINGS)


def _may_be_of_party(rest: str) -> bool:
    party_id, colon, purpose = rest.partition(":")
    return bool(party_id) and (not colon or _begins_one(purpose, PURPOSES))


def _begins_one(prefix: str, names: Iterable[str]) -> bool:
    return any(name.startswith(prefix) for name in names)
