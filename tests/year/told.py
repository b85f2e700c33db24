"""What no data says and both sides are told: the plan, how suppliers are paid, how long goods take,
who refunds what, which transfers come back. Terms and choices alone; no amount is worked out here.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

# From `PLAN_CHANGE` on, which is in the middle, a hub has a tenth, and other departments have rates
# of their own; amounts in cents.
RATE_BEFORE, RATE_AFTER, HUB_BPS = 1_000, 850, 1_000
PRODUCE, PRODUCE_BPS, PRODUCE_FLOOR = "PRODUCE", 1_250, 3
DRUGS, DRUGS_BPS, DRUGS_CAP = "DRUG GM", 3_000, 150

# A third of the suppliers are paid what their lines bring without a fee; the others a cost, in
# percent of what their product cost when it was first sold.
FEE_BPS, COST_PERCENT = 2_500, 70
HOLD = timedelta(days=7)
STORES_A_HUB = 10

REFUNDED, RETURNED = 0.03, 0.02
# When a refund is decided: before the goods ship, or so many days after they have arrived, when
# their commission is still pending or a run has taken it.
WHILE_PENDING, ONCE_TAKEN = timedelta(days=3), timedelta(days=12)


@dataclass(frozen=True, slots=True)
class Refund:
    """So many units of a line go back; `after` is None while they wait to be shipped."""

    units: int
    after: timedelta | None


def days_under_way(basket: int) -> int:
    """Days from the order to its arrival."""
    return 1 + basket % 3


def shares_revenue(manufacturer: int) -> bool:
    return manufacturer % 3 == 0


def hubs(stores: Sequence[int]) -> dict[int, int]:
    """The hub of each store that has one: of ten it is the first, which has none itself."""
    in_order = sorted(stores)
    found = {each: in_order[n - n % STORES_A_HUB] for n, each in enumerate(in_order)}
    return {store: hub for store, hub in found.items() if store != hub}


def refund_of(seed: int, basket: int, product: int, quantity: int) -> Refund | None:
    """What goes back of the units of one line, if any."""
    chance = _chance(seed, "refund", basket, product)
    if chance >= REFUNDED:
        return None
    units = 1 + int(_chance(seed, "units", basket, product) * quantity)
    return Refund(units, (None, WHILE_PENDING, ONCE_TAKEN)[int(chance / REFUNDED * 3)])


def comes_back(seed: int, batch: int, party: str) -> bool:
    """Whether the bank returns what a party is sent in a batch; `party` as `leader 367`."""
    return _chance(seed, "returned", batch, party) < RETURNED


def _chance(*of: object) -> float:
    """A number from 0 to below 1, the same each time."""
    return zlib.crc32(" ".join(map(str, of)).encode()) / 2**32
