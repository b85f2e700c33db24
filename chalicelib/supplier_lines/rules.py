"""How the goods of a posting add up to what its supplier gets or gives. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.ledger.rules import Posting
from chalicelib.parties.settlement_terms import PaidBy, SettlementBasis, Waiver
from chalicelib.payments.rules import (
    Bearer,
    Chargeback,
    ChargebackStatus,
    Refund,
    RefundCause,
)
from chalicelib.suppliers.rules import Account, Goods

# `exact`: unit cost by units; `half_up`: the fee is the rate of what they brought; `by_difference`:
# what the rounded part of the whole line has changed by.
Method = Literal["exact", "half_up", "by_difference"]


@dataclass(frozen=True)
class GoodsExplained:
    """Units of one SKU; `amount` is in the supplier's favour, the other amounts are theirs.

    `fee` is what the platform keeps of `brought`; None where the supplier is paid its cost. `net`
    and `spread`, a leader's own, are None where the supplier asks.
    """

    account: Account
    sku_id: str
    title: str
    units: int
    net: int | None
    spread: int | None
    brought: int
    basis: SettlementBasis
    fee_bps: int
    terms_version: int
    unit_cost: int
    fee: int | None
    cost: int
    amount: int
    method: Method


@dataclass(frozen=True)
class FeeExplained:
    """A fee as the terms of that version ask for it.

    It is due as none of their windows covers the day on which it fell due: a year's first, or that
    of the first delivery to a community.
    """

    amount: int
    fee_year: str
    terms_version: int
    waivers: tuple[Waiver, ...]
    leader_id: str | None


@dataclass(frozen=True)
class FineExplained:
    """A fine of a clock that ran out; `charged` is what of `asked` its month had room for."""

    dispatch_id: str
    clock: str
    parcel_id: str | None
    due_at: str | None
    missed_at: str | None
    asked: int | None
    charged: int
    month: str
    cap: int | None
    terms_version: int
    waived_at: str | None
    waived_for: str | None


@dataclass(frozen=True)
class RefundExplained:
    """The refund that has taken it; `amount` and `kept` are of all who lose by it and gain, and
    None where the supplier asks."""

    id: str
    order_id: str
    amount: int | None
    cause: RefundCause
    bearer: Bearer
    kept: int | None
    decided_at: datetime

    @classmethod
    def of(cls, refund: Refund, *, whole: bool) -> "RefundExplained":
        return cls(
            id=refund.id,
            order_id=refund.order_id,
            amount=refund.amount if whole else None,
            cause=refund.cause,
            bearer=refund.bearer,
            kept=refund.kept if whole else None,
            decided_at=refund.decided_at,
        )


@dataclass(frozen=True)
class ChargebackExplained:
    """The chargeback that it is of; `amount` and `fee` are the order's, and None where the supplier
    asks."""

    id: str
    order_id: str | None
    amount: int | None
    fee: int | None
    fee_bearer: Bearer
    status: ChargebackStatus

    @classmethod
    def of(cls, chargeback: Chargeback, *, whole: bool) -> "ChargebackExplained":
        return cls(
            id=chargeback.id,
            order_id=chargeback.order_id,
            amount=chargeback.amount if whole else None,
            fee=chargeback.fee if whole else None,
            fee_bearer=chargeback.fee_bearer,
            status=chargeback.status,
        )


@dataclass(frozen=True)
class Moved:
    """What an entry has moved of one account, in the supplier's favour."""

    account: Account
    amount: int


def goods_of(
    account: Account, posting: Posting, titles: Mapping[str, str], *, whole: bool
) -> list[GoodsExplained]:
    """What a posting adds up, SKU by SKU: a credit gives the supplier, a debit takes from it."""
    sign = 1 if posting.amount < 0 else -1
    return [_explained(account, Goods(*each), sign, titles, whole=whole) for each in posting.parts]


def _explained(
    account: Account, goods: Goods, sign: int, titles: Mapping[str, str], *, whole: bool
) -> GoodsExplained:
    brought = goods.net - goods.spread
    return GoodsExplained(
        account=account,
        sku_id=goods.sku_id,
        title=titles.get(goods.sku_id, ""),
        units=goods.units,
        net=goods.net if whole else None,
        spread=goods.spread if whole else None,
        brought=brought,
        basis=goods.basis,
        fee_bps=goods.fee_bps,
        terms_version=goods.terms_version,
        unit_cost=goods.unit_cost,
        fee=brought - goods.cost if goods.basis == "revenue_share" else None,
        cost=goods.cost,
        amount=sign * goods.cost,
        method=_method(goods, brought),
    )


def _method(goods: Goods, brought: int) -> Method:
    agreed = goods.unit_cost * goods.units
    paid_by = PaidBy(goods.basis, goods.fee_bps, goods.terms_version)
    if goods.cost != paid_by.cost_of(brought, agreed):
        return "by_difference"
    return "exact" if goods.basis == "cost" else "half_up"
