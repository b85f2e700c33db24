"""Orders, a page at a time, against the entries and the rules that tell of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.audit.at_rest import found_at_rest
from chalicelib.audit.checks import commission_checks, order_checks, share_checks
from chalicelib.audit.checks.commission_checks import VersionKey
from chalicelib.audit.checks.share_checks import TermsKey
from chalicelib.audit.rules import Looked
from chalicelib.audit.store import Page
from chalicelib.ledger import store as ledger
from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import Entry
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order
from chalicelib.parties import store as parties
from chalicelib.parties.settlement_terms import SettlementTerms
from chalicelib.plans import store as plans
from chalicelib.plans.rules import Version

ORDERS_A_STEP = 300


@dataclass(frozen=True)
class Named:
    """The versions, of plans and of suppliers' terms, that orders' lines were placed under: few,
    and none ever changes."""

    versions: Mapping[VersionKey, Version]
    terms: Mapping[TermsKey, SettlementTerms]


def look(page: Page) -> Looked:
    """Every paid order."""
    orders, after = ordering.scanned(page.audit.after, ORDERS_A_STEP)
    paid = [order for order in orders if order.paid_at]
    named = _named(paid)
    entries = ledger.get_entries(name for order in paid for name in _names(order))
    wrong = [order.id for order in paid if any(_order(order, entries, named))]
    found = [each for name in wrong for each in _again(name)]
    return Looked({"orders": len(orders)}, found, after)


def _names(order: Order) -> list[str]:
    return [name for each in order_checks.entry_ids(order).values() for name in each]


def _order(order: Order, entries: Mapping[str, Entry], named: Named) -> Iterator[Finding]:
    yield from order_checks.order_money(order, entries)
    yield from order_checks.order_shares(order, entries)
    yield from order_checks.order_lines(order)
    yield from order_checks.order_sums(order)
    yield from order_checks.commission(order, entries)
    yield from commission_checks.commission_rate(order, named.versions)
    yield from share_checks.supplier_terms(order, named.terms)
    yield from share_checks.supplier_share(order)


def _named(orders: Sequence[Order]) -> Named:
    versions = {each for order in orders for each in commission_checks.versions_of(order)}
    terms = {each for order in orders for each in share_checks.terms_of(order)}
    return Named(plans.get_versions(versions), parties.get_settlement_terms(terms))


def _again(order_id: str) -> list[Finding]:
    """What is wrong with an order and its entries, at one version of it."""

    def read() -> tuple[int, Iterator[Finding]]:
        order = ordering.get_order(order_id)
        if order is None:
            return 0, iter(())
        entries = ledger.get_entries(_names(order))
        return order.version, _order(order, entries, _named([order]))

    def version() -> int:
        order = ordering.get_order(order_id)
        return order.version if order else 0

    return found_at_rest(read, version)
