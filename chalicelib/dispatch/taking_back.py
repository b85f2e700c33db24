"""What a refund takes from whom: of undelivered lines from what was prepaid, of delivered ones from
the shares as they were credited (contract, section 6)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from chalicelib.dispatch.rules import Dispatch
from chalicelib.dispatch.service import earned_lines
from chalicelib.ledger import rules as books
from chalicelib.ordering.lines import OrderLine
from chalicelib.ordering.rules import Order
from chalicelib.settlement import earning
from chalicelib.settlement.earning import RefundOfDelivery, RefundOfEarnings
from chalicelib.settlement.rules import EarnedLine, Earnings


@dataclass(frozen=True)
class Taking:
    """An order before and after a refund, with the dispatches of the lines it takes from."""

    before: Order
    after: Order
    dispatches: Sequence[Dispatch]

    def debits(self, earnings: Earnings) -> dict[str, int]:
        """How much each account gives, by its name."""
        debits: Counter[str] = Counter()
        for line, now_line in self._changed():
            shares = now_line.refunded - line.refunded
            dispatch = self._delivered().get(line.supplier_id)
            if dispatch is None:
                debits[books.CUSTOMER_PREPAYMENTS] += shares.paid
                continue
            taken = earnings.has_taken(dispatch.earned_on or "")
            commission = books.leader_account(
                self.before.leader_id, "available" if taken else "pending"
            )
            debits[books.supplier_payable(line.supplier_id)] += shares.cost
            debits[commission] += shares.earned
            debits[books.PLATFORM_REVENUE] += shares.revenue
        return dict(debits)

    def of_earnings(self, refund_id: str) -> RefundOfEarnings:
        """The same as the leader's earnings see it."""
        undelivered = sum(
            (now_line.refunded - line.refunded).earned
            for line, now_line in self._changed()
            if line.supplier_id not in self._delivered()
        )
        parts = [self._of_delivery(each) for each in self._delivered().values()]
        return RefundOfEarnings(refund_id, undelivered, parts)

    def _of_delivery(self, dispatch: Dispatch) -> RefundOfDelivery:
        matured_on = earning.matures_on(dispatch.delivered_at or dispatch.updated_at).isoformat()
        return RefundOfDelivery(
            dispatch.id,
            dispatch.earned_on or "",
            remaining=[
                each
                for line in self.after.lines_of(dispatch.supplier_id)
                if line.units_left
                for each in earned_lines(self.after, line, line.left, matured_on)
            ],
            reversed=[
                _reversed(before, now)
                for line, now_line in self._changed()
                if line.supplier_id == dispatch.supplier_id
                for before, now in zip(
                    earned_lines(self.before, line, line.left, matured_on),
                    earned_lines(self.after, now_line, now_line.left, matured_on),
                    strict=True,
                )
            ],
        )

    def _changed(self) -> list[tuple[OrderLine, OrderLine]]:
        pairs = zip(self.before.lines, self.after.lines, strict=True)
        return [(line, now_line) for line, now_line in pairs if line != now_line]

    def _delivered(self) -> dict[str, Dispatch]:
        return {each.supplier_id: each for each in self.dispatches if each.status == "delivered"}


def _reversed(before: EarnedLine, after: EarnedLine) -> EarnedLine:
    """What a line has lost, as it stood in the statement of the day on which it matured."""
    return replace(
        after,
        kind="clawback",
        basis_amount=after.basis_amount - before.basis_amount,
        amount=after.amount - before.amount,
    )
