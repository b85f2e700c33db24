"""Orders, a page at a time, against the entries and the rules that tell of them."""

from collections.abc import Iterator, Mapping, Sequence

from chalicelib.audit import checks, commission_checks
from chalicelib.audit.at_rest import found_at_rest
from chalicelib.audit.commission_checks import VersionKey
from chalicelib.audit.rules import Looked
from chalicelib.audit.store import Page
from chalicelib.ledger import store as ledger
from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import Entry
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order
from chalicelib.plans import store as plans
from chalicelib.plans.rules import Version

ORDERS_A_STEP = 300


def look(page: Page) -> Looked:
    """Every paid order."""
    orders, after = ordering.scanned(page.audit.after, ORDERS_A_STEP)
    paid = [order for order in orders if order.paid_at]
    versions = _versions(paid)
    named = (name for order in paid for each in checks.entry_ids(order).values() for name in each)
    entries = ledger.get_entries(named)
    wrong = [order.id for order in paid if any(_order(order, entries, versions))]
    found = [each for name in wrong for each in _again(name)]
    return Looked({"orders": len(orders)}, found, after)


def _order(
    order: Order, entries: Mapping[str, Entry], versions: Mapping[VersionKey, Version]
) -> Iterator[Finding]:
    yield from checks.order_money(order, entries)
    yield from checks.order_shares(order, entries)
    yield from checks.order_lines(order)
    yield from checks.commission(order, entries)
    yield from commission_checks.commission_rate(order, versions)


def _versions(orders: Sequence[Order]) -> dict[VersionKey, Version]:
    """Those that the orders' lines were placed under: few, and none ever changes."""
    named = {each for order in orders for each in commission_checks.versions_of(order)}
    return plans.get_versions(named)


def _again(order_id: str) -> list[Finding]:
    """What is wrong with an order and its entries, at one version of it."""

    def read() -> tuple[int, Iterator[Finding]]:
        order = ordering.get_order(order_id)
        if order is None:
            return 0, iter(())
        names = [name for each in checks.entry_ids(order).values() for name in each]
        return order.version, _order(order, ledger.get_entries(names), _versions([order]))

    def version() -> int:
        order = ordering.get_order(order_id)
        return order.version if order else 0

    return found_at_rest(read, version)
