"""What a chargeback had taken of delivered goods, given back once it is won: the lines are the
order's again, and each side has its share of them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.dispatch import refunding
from chalicelib.dispatch import store as dispatches
from chalicelib.dispatch.earned import days_of, earned_by
from chalicelib.dispatch.parcels import Parcel
from chalicelib.dispatch.rules import Dispatch
from chalicelib.dispatch.taking_back import Taking
from chalicelib.ledger import rules as books
from chalicelib.ordering import charged_back_goods
from chalicelib.ordering import store as ordering
from chalicelib.ordering.charged_back import Taken
from chalicelib.ordering.rules import Order
from chalicelib.platform.transaction import Transaction
from chalicelib.settlement import earning
from chalicelib.settlement.earning import RefundOfDelivery, RefundOfEarnings
from chalicelib.settlement.rules import EarnedLine, Earnings


@dataclass(frozen=True)
class GivenBack:
    """An order before and after, with the parts that are given back and their dispatches: a refund
    the other way round."""

    refund_id: str
    chargeback_id: str
    before: Order
    after: Order
    parts: Sequence[Taken]
    dispatches: Sequence[Dispatch]

    @property
    def paid(self) -> int:
        """What of the refund is the order's again."""
        return self.after.amount_left - self.before.amount_left

    @property
    def net(self) -> int:
        return self.after.delivered_net - self.before.delivered_net

    def is_of(self, kept: EarnedLine) -> bool:
        """Whether what was kept of the refund was of goods that are given back."""
        return any(each.goods == (kept.sku_id, kept.parcel_id) for each in self.parts)

    def amounts(self, earnings: Mapping[str, Earnings]) -> Counter[str]:
        """What each account gets, negative. What a run had taken of leaders' matures again."""
        found = Counter[str]()
        for account, amount in self._taking.debits(earnings).items():
            party = books.party_of(account)
            leader_id = party[0].removeprefix("leader:") if party else ""
            matures = leader_id in earnings
            found[books.leader_account(leader_id, "pending") if matures else account] -= amount
        return found

    def of_earnings(
        self, leader_id: str, earnings: Earnings, beside: Sequence[tuple[str, EarnedLine]]
    ) -> RefundOfEarnings:
        """The same as it changes a leader's earnings: under a day that no run has taken a parcel
        has what it had, and otherwise what is given back is a line of its own."""
        parts, lines, held = [], list(beside), 0
        for parcel in self._parcels():
            again = list(self._again(leader_id, parcel))
            if parcel.earned_on is None:
                held += sum(line.amount for line in again)
            elif earnings.has_taken(parcel.earned_on):
                day = parcel.earned_on
                lines += earning.again(earnings, [replace(n, matured_on=day) for n in again])
            elif again:
                parts.append(self._of_delivery(leader_id, parcel, parcel.earned_on, again))
        return RefundOfEarnings(self.chargeback_id, 0, parts, lines, held)

    def write_in(self, transaction: Transaction, order: Order, now: datetime) -> None:
        """Add the order as it is then, and its dispatches, whose parcels forget the refund."""
        if not self.dispatches:
            transaction.add(ordering.replace_order(order.changed(order.status)))
            return
        changed = [
            each.with_parcels([parcel.given_back_by(self.refund_id) for parcel in each.parcels])
            for each in self.dispatches
        ]
        moved = [each.moved(each.status, now) for each in changed]
        transaction.add(*(dispatches.replace_dispatch(each) for each in moved))
        refunding.write_order(transaction, self.before, order, moved, now)

    @property
    def _taking(self) -> Taking:
        """The refund that would take again what is given back."""
        return Taking(self.after, self.before, self.dispatches)

    def _parcels(self) -> list[Parcel]:
        return [parcel for _, parcel in self._taking.delivered()]

    def _again(self, leader_id: str, parcel: Parcel) -> Iterator[EarnedLine]:
        for _, whose, lost in self._taking.lost(parcel):
            if whose == leader_id:
                yield replace(lost, kind="adjustment", entry_id=entry_id(self.chargeback_id))

    def _of_delivery(
        self, leader_id: str, parcel: Parcel, bucket: str, again: Sequence[EarnedLine]
    ) -> RefundOfDelivery:
        days = days_of(parcel.given_back_by(self.refund_id), parcel.matures_on)
        remaining = earned_by(self.after, parcel.id, days)[leader_id]
        return RefundOfDelivery(parcel.id, bucket, remaining, again)


def entry_id(chargeback_id: str) -> str:
    """The journal entry that gives back what a chargeback had taken."""
    return f"chargeback-won:{chargeback_id}"


def given_back(order: Order, refund_id: str, chargeback_id: str) -> GivenBack:
    """What is the order's again of what that refund of a chargeback had taken. What a dispute that
    was upheld is about stays refunded."""
    order = charged_back_goods.lending_to(order, refund_id)
    taken = charged_back_goods.to_give_back(order, refund_id)
    made = _of_parts(order, taken)
    upheld = _upheld(made)
    parts = [each for each in taken if each.parcel_id not in upheld]
    after = charged_back_goods.given_back(order, refund_id, parts, chargeback_id)
    touched = {each.parcel_id for each in parts}
    changed = [each for each in made if touched & {parcel.id for parcel in each.parcels}]
    return GivenBack(refund_id, chargeback_id, order, after, parts, changed)


def _of_parts(order: Order, parts: Sequence[Taken]) -> list[Dispatch]:
    """The dispatches of their parcels."""
    skus = {each.sku_id for each in parts}
    made = (order.dispatch_of(line) for line in order.lines if line.sku_id in skus)
    return dispatches.get_dispatches(dict.fromkeys(each.id for each in made if each))


def _upheld(made: Sequence[Dispatch]) -> set[str]:
    """The parcels whose dispute was upheld."""
    return {
        parcel_id
        for dispatch in made
        if any(parcel.is_held for parcel in dispatch.parcels)
        for dispute in dispatches.disputes_of(dispatch.id)
        if dispute.status == "upheld"
        for parcel_id in dispute.parcel_ids
    }
