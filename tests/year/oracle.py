"""What a year must come to, by pandas from the raw rows and from what both sides are told.

No arithmetic of Tuan's, the demo's or the replay's is used here, so that a mistake in one shows as
a difference from the other. Amounts are in cents.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from infra.demo.oracle import HALF
from tests.year import told
from tests.year.reading import Period


@dataclass(frozen=True)
class Figures:
    """By name, such as `leader 367: paid`; and each batch's payouts by the payee."""

    balances: dict[str, int]
    payouts: list[dict[str, int]]


def figures(data: Path, period: Period, batches: Sequence[date], seed: int) -> Figures:
    """All that is sold in a period, delivered, refunded, settled and paid out at the batches, which
    are made in the morning of their days."""
    lines = pd.read_parquet(data / "transactions.parquet")
    products = pd.read_parquet(data / "products.parquet")
    return figures_of(lines, products, period, batches, seed)


def figures_of(
    lines: pd.DataFrame,
    products: pd.DataFrame,
    period: Period,
    batches: Sequence[date],
    seed: int,
) -> Figures:
    """The same for tables that are already read."""
    sold = _sold(lines, products, period)
    return _figures(_shared(_refunded(sold, seed), period.plan_change), batches, seed)


def _sold(lines: pd.DataFrame, products: pd.DataFrame, period: Period) -> pd.DataFrame:
    """One row for each product in each basket, with what it sold for."""
    cents = (lines.sales_value * 100).round().astype("int64")
    counting = lines[lines.quantity.between(1, 99) & (cents > 0)].copy()
    counting["unit"] = cents[counting.index] / counting.quantity
    median = counting.groupby(["week", "product_id"]).unit.transform("median")
    counting["price"] = (median + HALF).astype("int64")
    counting["day"] = counting.transaction_timestamp.dt.normalize()
    within = counting.day.dt.date.isin(period.dates)
    if period.stores is not None:
        within &= counting.store_id.isin(period.stores)
    keys = ["store_id", "basket_id", "product_id", "week", "day", "price"]
    sold = counting[within & (counting.price > 0)].groupby(keys, as_index=False).quantity.sum()
    sold = sold.merge(
        products[["product_id", "manufacturer_id", "department"]], on="product_id", how="left"
    )
    sold["maker"] = sold.manufacturer_id.fillna(0).astype("int64")
    sold["listed_at"] = sold.sort_values("week").groupby("product_id").price.transform("first")
    return sold


def _refunded(sold: pd.DataFrame, seed: int) -> pd.DataFrame:
    """With the units of each line that go back, and when; and when it arrives."""
    refunds = [
        told.refund_of(seed, *each)
        for each in zip(
            sold.basket_id.tolist(), sold.product_id.tolist(), sold.quantity.tolist(), strict=True
        )
    ]
    sold["arrives"] = sold.day + pd.to_timedelta(sold.basket_id.map(told.days_under_way), unit="D")
    sold["back"] = [each.units if each else 0 for each in refunds]
    sold["never_sent"] = [bool(each and each.after is None) for each in refunds]
    after = pd.to_timedelta([each.after if each and each.after else pd.NaT for each in refunds])
    sold["back_on"] = sold.arrives + after
    return sold


def _shared(sold: pd.DataFrame, change: date) -> pd.DataFrame:
    """With the parts of the supplier, the store and its hub, and what of them goes back."""
    sold["net"] = sold.price * sold.quantity
    cost = (sold.listed_at * told.COST_PERCENT + 50) // 100 * sold.quantity
    share = sold.net - (sold.net * told.FEE_BPS + 5_000) // 10_000
    sold["cost"] = np.where(sold.maker.map(told.shares_revenue), share, cost)
    profit = (sold.net - sold.cost).clip(lower=0)
    after, produce, drugs = (
        sold.day.dt.date >= change,
        sold.department == told.PRODUCE,
        sold.department == told.DRUGS,
    )
    of_produce = (sold.net * told.PRODUCE_BPS + 5_000) // 10_000
    of_drugs = ((profit * told.DRUGS_BPS + 5_000) // 10_000).clip(upper=told.DRUGS_CAP)
    usual = (sold.net * np.where(after, told.RATE_AFTER, told.RATE_BEFORE) + 5_000) // 10_000
    sold["commission"] = np.select(
        [produce & after, produce, drugs & after],
        [of_produce.clip(lower=told.PRODUCE_FLOOR), of_produce, of_drugs],
        usual,
    )
    hubs = told.hubs(sold.store_id.unique().tolist())
    sold["hub_id"] = sold.store_id.map(hubs)
    divided = after & ~produce & ~drugs & sold.hub_id.notna()
    # A tenth by largest remainder; where both halves of a cent are equal, the store has it.
    sold["hub"] = np.where(divided, (sold.commission + 4) // 10, 0)
    sold["store"] = sold.commission - sold.hub
    for name in ("net", "cost", "store", "hub"):
        sold[f"{name}_back"] = (2 * sold[name] * sold.back + sold.quantity) // (2 * sold.quantity)
        sold[f"{name}_kept"] = sold[name] - sold[f"{name}_back"]
    return sold


def _figures(sold: pd.DataFrame, batches: Sequence[date], seed: int) -> Figures:
    moves = pd.concat([_leaders(sold), _suppliers(sold)])
    paid, payouts = _paid(moves, batches, seed)
    balances: dict[str, int] = {}
    for party, earned in moves.groupby("party").amount.sum().items():
        balances[f"{party}: paid"] = paid.get(str(party), 0)
        balances[f"{party}: left"] = int(earned) - paid.get(str(party), 0)
    kept = sold.net_kept - sold.cost_kept - sold.store_kept - sold.hub_kept
    balances["platform: revenue"] = int(kept.sum())
    balances["cash: customers"] = int(sold.net_kept.sum())
    balances["cash: bank"] = -sum(paid.values())
    return Figures(balances, payouts)


def _leaders(sold: pd.DataFrame) -> pd.DataFrame:
    """What becomes available to leaders, and what is taken back of it, by the day.

    Commission matures a week after the delivery, and the run of that day is made the next. What is
    refunded before is never available; what is refunded later is taken back that very day."""
    matures = sold.arrives + told.HOLD + pd.Timedelta(days=1)
    later = sold.back_on.notna() & (sold.back_on >= matures)
    found = []
    for share, to in (("store", "store_id"), ("hub", "hub_id")):
        has = sold[to].notna()
        party = "leader " + sold[to][has].astype("int64").astype(str)
        available = sold[share] - sold[f"{share}_back"].where(~later, 0)
        # In the morning of its day a run is made before the batch; a refund comes after it.
        found.append(_moves(party, matures[has], available[has]))
        back = has & later
        found.append(
            _moves(
                party[back[has]],
                sold.back_on[back] + pd.Timedelta(days=1),
                -sold[f"{share}_back"][back],
            )
        )
    return pd.concat(found)


def _suppliers(sold: pd.DataFrame) -> pd.DataFrame:
    """What suppliers are owed from the delivery on, and what refunds take of it."""
    party = "supplier " + sold.maker.astype(str)
    night = pd.Timedelta(days=1)
    owed = sold.cost - sold.cost_back.where(sold.never_sent, 0)
    later = sold.back_on.notna()
    return pd.concat(
        [
            _moves(party, sold.arrives + night, owed),
            _moves(party[later], sold.back_on[later] + night, -sold.cost_back[later]),
        ]
    )


def _moves(party: pd.Series, counts_on: pd.Series, amount: pd.Series) -> pd.DataFrame:
    """`counts_on` is the day whose batch is the first that it counts in."""
    return pd.DataFrame({"party": party, "counts_on": counts_on, "amount": amount})


def _paid(
    moves: pd.DataFrame, batches: Sequence[date], seed: int
) -> tuple[Mapping[str, int], list[dict[str, int]]]:
    """What each party was paid in all, and was sent in each batch."""
    paid: dict[str, int] = {}
    payouts = []
    for number, day in enumerate(batches):
        come = moves[moves.counts_on <= pd.Timestamp(day)].groupby("party").amount.sum()
        due = {
            str(party): int(all_of_it) - paid.get(str(party), 0)
            for party, all_of_it in come.items()
        }
        sent = {party: amount for party, amount in due.items() if amount > 0}
        payouts.append(sent)
        for party, amount in sent.items():
            if not told.comes_back(seed, number, party):
                paid[party] = paid.get(party, 0) + amount
    return paid, payouts
