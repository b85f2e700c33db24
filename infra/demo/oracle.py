"""What a day's figures must be, by pandas from the raw rows alone.

Nothing of the demo's or the replay's own arithmetic is used here, so that a mistake in one
shows as a difference from the other.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

# A median of cents / quantity (quantities to 99) has a denominator of at most 2 * 99 * 98, so it
# is a half exactly or at least 1/38808 away from one. This much more settles the exact halves
# that binary floating point puts a hair below, and no other.
HALF = 0.5 + 1e-7


@dataclass(frozen=True, slots=True)
class Figures:
    """Integers: minor units by store and by manufacturer, of the platform, and units of goods."""

    commission: dict[int, int]
    payable: dict[int, int]
    sales: int
    revenue: int
    units: int


def figures(data: Path, first: date, days: int) -> Figures:
    """The figures of `days` days from `first`, all delivered and settled."""
    lines = pd.read_parquet(data / "transactions.parquet")
    products = pd.read_parquet(data / "products.parquet")
    return figures_of(lines, products, first, days)


def figures_of(lines: pd.DataFrame, products: pd.DataFrame, first: date, days: int) -> Figures:
    """The same for tables that are already read."""
    counting = _counting(lines)
    counting["price"] = counting.groupby(["week", "product_id"]).unit.transform("median")
    counting["price"] = (counting.price + HALF).astype("int64")
    day = counting.transaction_timestamp.dt.date
    sold = counting[(day >= first) & (day < first + timedelta(days=days)) & (counting.price > 0)]
    columns = ["store_id", "basket_id", "product_id", "price"]
    merged = sold.groupby(columns, as_index=False).quantity.sum()
    merged = merged.merge(products[["product_id", "manufacturer_id"]], on="product_id", how="left")
    merged["net"] = merged.price * merged.quantity
    merged["commission"] = (merged.net + 5) // 10
    merged["cost"] = (merged.price * 7 + 5) // 10 * merged.quantity
    return _totals(merged)


def _counting(lines: pd.DataFrame) -> pd.DataFrame:
    cents = (lines.sales_value * 100).round().astype("int64")
    counting = lines[lines.quantity.between(1, 99) & (cents > 0)].copy()
    counting["unit"] = cents[counting.index] / counting.quantity
    return counting


def _totals(merged: pd.DataFrame) -> Figures:
    manufacturer = merged.manufacturer_id.fillna(0).astype("int64")
    commission = merged.groupby("store_id").commission.sum()
    payable = merged.cost.groupby(manufacturer).sum()
    return Figures(
        commission={int(store): int(amount) for store, amount in commission.items()},
        payable={int(maker): int(amount) for maker, amount in payable.items()},
        sales=int(merged.net.sum()),
        revenue=int((merged.net - merged.commission - merged.cost).sum()),
        units=int(merged.quantity.sum()),
    )
