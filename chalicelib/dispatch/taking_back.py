"""What a refund takes from whom: of undelivered units from what was prepaid, of delivered ones from
the shares as they were credited (contract, section 6)."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from chalicelib.dispatch.earned import (
    Days,
    days_of,
    earned_by,
    earned_lines,
    earned_of,
    goods_of,
    posted_of,
    refund_entry,
)
from chalicelib.dispatch.parcels import Parcel
from chalicelib.dispatch.rules import Dispatch
from chalicelib.ledger import rules as books
from chalicelib.ordering.lines import OrderLine
from chalicelib.ordering.rules import Order
from chalicelib.ordering.shares import Shares
from chalicelib.platform.transaction import Write
from chalicelib.settlement import earning
from chalicelib.settlement.earning import RefundOfDelivery, RefundOfEarnings
from chalicelib.settlement.rules import EarnedLine, Earnings, Method, sold_less
from chalicelib.suppliers.rules import Goods


@dataclass(frozen=True)
class Taking:
    """An order before and after a refund, with the dispatches of the lines it takes from."""

    before: Order
    after: Order
    dispatches: Sequence[Dispatch]

    def debits(self, earnings: Mapping[str, Earnings]) -> dict[str, int]:
        """How much each account gives, by its name."""
        debits = Counter[str]()
        for line, now_line in self._changed():
            debits[books.CUSTOMER_PREPAYMENTS] += (line.held - now_line.held).paid
        for dispatch, parcel in self.delivered():
            shares = posted_of(self.before, parcel.id) - posted_of(self.after, parcel.id)
            debits[_supplier_account(dispatch, parcel)] += shares.cost
            for leader_id, amount in self._lost(parcel).items():
                debits[account_of(earnings[leader_id], parcel)] += amount
            debits[books.PLATFORM_REVENUE] += shares.revenue
        return dict(debits)

    def origins(self) -> dict[str, list[str]]:
        """The dispatches and parcels that each supplier's account gives for."""
        origins: dict[str, list[str]] = defaultdict(list)
        for dispatch, parcel in self.delivered():
            origins[_supplier_account(dispatch, parcel)] += [dispatch.id, parcel.id]
        return {account: list(dict.fromkeys(of)) for account, of in origins.items()}

    def goods(self) -> dict[str, list[Goods]]:
        """What each supplier's account gives, SKU by SKU."""
        goods: dict[str, list[Goods]] = defaultdict(list)
        for dispatch, parcel in self.delivered():
            goods[_supplier_account(dispatch, parcel)] += self._goods(parcel)
        return goods

    def _goods(self, parcel: Parcel) -> Iterator[Goods]:
        for line, now_line in self._changed():
            lost = line.posted.get(parcel.id, Shares()) - now_line.posted.get(parcel.id, Shares())
            if lost:
                units = line.units_in(parcel.id) - now_line.units_in(parcel.id)
                yield goods_of(line, units, lost)

    def lost(self, parcel: Parcel) -> Iterator[tuple[OrderLine, str, EarnedLine]]:
        """What each line of a parcel has brought a leader and brings no more."""
        for line, now_line in self._changed():
            if parcel.id in line.posted:
                for (whose, was), (_, now) in zip(
                    self._earned(line, parcel), self._earned(now_line, parcel), strict=True
                ):
                    if was.amount != now.amount:
                        yield line, whose, _lost(was, now)

    def of_earnings(
        self,
        earnings: Mapping[str, Earnings],
        refund_id: str,
        beside: Mapping[str, Sequence[tuple[str, EarnedLine]]],
    ) -> list[Write]:
        """The same as it changes the earnings of every leader that had a part in it; `beside` are
        lines, each under its day, of what they keep of it and of what else they lose."""
        lost = self.after.earnings_lost(self.before)
        return [
            write
            for leader_id, of_leader in earnings.items()
            for write in earning.take_back(
                of_leader,
                self.before.currency,
                RefundOfEarnings(
                    refund_id,
                    lost[leader_id],
                    self._parts(leader_id, refund_id),
                    beside.get(leader_id, ()),
                    held=-self._held(leader_id),
                ),
            )
        ]

    def _held(self, leader_id: str) -> int:
        """What a leader loses of what is disputed."""
        return sum(
            self._lost(parcel).get(leader_id, 0)
            for _, parcel in self.delivered()
            if parcel.earned_on is None
        )

    def _parts(self, leader_id: str, refund_id: str) -> list[RefundOfDelivery]:
        """What a leader loses of each parcel; what is disputed waits under no day of its own."""
        return [
            self._of_delivery(leader_id, parcel, parcel.earned_on, refund_id)
            for _, parcel in self.delivered()
            if parcel.earned_on is not None
            and leader_id in earned_by(self.before, parcel.id, _days(parcel))
        ]

    def _of_delivery(
        self, leader_id: str, parcel: Parcel, bucket: str, refund_id: str
    ) -> RefundOfDelivery:
        days = _days(parcel.taken_from_by(refund_id))
        return RefundOfDelivery(
            parcel.id,
            bucket,
            remaining=earned_by(self.after, parcel.id, days).get(leader_id, []),
            reversed=[
                _reversed(before, after, refund_entry(refund_id))
                for line, now_line in self._changed()
                if parcel.id in line.posted
                for (whose, before), (_, after) in zip(
                    self._earned(line, parcel), self._earned(now_line, parcel), strict=True
                )
                if whose == leader_id
            ],
        )

    def _earned(self, line: OrderLine, parcel: Parcel) -> Iterator[tuple[str, EarnedLine]]:
        shares = line.posted.get(parcel.id, Shares())
        units = line.units_in(parcel.id)
        return earned_lines(self.before, line, shares, _days(parcel), units)

    def _lost(self, parcel: Parcel) -> dict[str, int]:
        """What each leader has less of a parcel."""
        after = earned_of(self.after, parcel.id)
        before = earned_of(self.before, parcel.id)
        return {each: amount - after.get(each, 0) for each, amount in before.items()}

    def _changed(self) -> list[tuple[OrderLine, OrderLine]]:
        pairs = zip(self.before.lines, self.after.lines, strict=True)
        return [(line, now_line) for line, now_line in pairs if line != now_line]

    def noted(self, refund_id: str) -> list[Dispatch]:
        """The dispatches, whose delivered parcels keep which refund has taken from them."""
        taken: dict[str, list[Parcel]] = defaultdict(list)
        for dispatch, parcel in self.delivered():
            taken[dispatch.id].append(parcel.taken_from_by(refund_id))
        return [
            each.with_parcels(taken[each.id]) if each.id in taken else each
            for each in self.dispatches
        ]

    def delivered(self) -> list[tuple[Dispatch, Parcel]]:
        """The parcels that the refund takes from."""
        return [
            (dispatch, parcel)
            for dispatch in self.dispatches
            for parcel in dispatch.parcels
            if any(
                line.posted.get(parcel.id) != now_line.posted.get(parcel.id)
                for line, now_line in self._changed()
            )
        ]


def _days(parcel: Parcel) -> Days:
    return days_of(parcel, parcel.matures_on)


def _supplier_account(dispatch: Dispatch, parcel: Parcel) -> str:
    """Where the cost of a delivered parcel lies."""
    account = books.supplier_held if parcel.is_held else books.supplier_payable
    return account(dispatch.supplier_id)


def account_of(earnings: Earnings, parcel: Parcel) -> str:
    """Where what a leader earned by a parcel lies."""
    taken = parcel.earned_on is not None and earnings.has_taken(parcel.earned_on)
    return books.leader_account(earnings.leader_id, "available" if taken else "pending")


def _of_part(line: EarnedLine) -> Method:
    """How what a line has lost came about: it is a difference, unless a cap or floor said it."""
    return "by_difference" if line.method != "limited" else "limited"


def _lost(was: EarnedLine, now: EarnedLine) -> EarnedLine:
    return replace(
        was,
        basis_amount=was.basis_amount - now.basis_amount,
        amount=was.amount - now.amount,
        method=_of_part(was),
        sold=sold_less(was.sold, now.sold),
    )


def _reversed(before: EarnedLine, after: EarnedLine, entry_id: str) -> EarnedLine:
    """What a line has lost, as it stood in the statement of the day on which it matured."""
    return replace(
        after,
        kind="clawback",
        basis_amount=after.basis_amount - before.basis_amount,
        amount=after.amount - before.amount,
        sold=sold_less(after.sold, before.sold),
        method=_of_part(before),
        entry_id=entry_id,
    )
