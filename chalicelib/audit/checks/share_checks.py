"""What must hold of what suppliers have of orders' lines, and of the terms that say so. Pure."""

from collections.abc import Iterator, Mapping

from chalicelib.ledger.checks import Finding
from chalicelib.ordering.lines import OrderLine
from chalicelib.ordering.rules import Order
from chalicelib.parties.settlement_terms import PaidBy, SettlementTerms

# A supplier, and the number of one version of its settlement terms.
TermsKey = tuple[str, int]


def terms_of(order: Order) -> set[TermsKey]:
    return {(line.supplier_id, line.supplier_terms) for line in order.lines}


def supplier_terms(order: Order, kept: Mapping[TermsKey, SettlementTerms]) -> Iterator[Finding]:
    """A line keeps the terms of its supplier; no fee where a window waived it."""
    for line in order.lines:
        terms = kept.get((line.supplier_id, line.supplier_terms))
        if terms is None or not _keeps(line, terms):
            detail = (
                f"{line.sku_id} in order {order.id} does not keep version {line.supplier_terms} of "
                f"what {line.supplier_id} is paid by."
            )
            yield Finding("supplier_terms", order.id, detail)


def _keeps(line: OrderLine, terms: SettlementTerms) -> bool:
    fees = {terms.fee_bps, 0} if terms.waivers else {terms.fee_bps}
    return line.supplier_basis == terms.basis and line.fee_bps in fees


def supplier_share(order: Order) -> Iterator[Finding]:
    """A supplier that is paid a share has what its lines bring without the fee. The cost of a line
    that was divided for an alternate is a part of the whole one's, and is passed over."""
    for line in () if any(each.substitutes for each in order.lines) else order.lines:
        terms = PaidBy("revenue_share", line.fee_bps)
        due = terms.cost_of(line.net - line.spread, line.cost)
        if line.supplier_basis == "revenue_share" and line.cost != due:
            detail = f"{line.sku_id} in order {order.id} costs {line.cost}, by its terms {due}."
            yield Finding("supplier_share", order.id, detail, line.cost - due)
