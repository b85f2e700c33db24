"""What the money must be, computed from the baskets alone.

All amounts are integers in minor units. Every division rounds half up to the minor unit.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from infra.demo.baskets import Line, Order

CURRENCY = "USD"
COMMISSION_BPS = 1000
COST_PERCENT = 70


def half_up(numerator: int, denominator: int) -> int:
    """The integer nearest to a fraction; halves go up."""
    return (2 * numerator + denominator) // (2 * denominator)


def cents(dollars: float) -> int:
    """The cents in a number of dollars that was read from a file as binary floating point.

    The shortest decimal that means the same float is what was written there.
    """
    return int((Decimal(repr(dollars)) * 100).to_integral_value(ROUND_HALF_UP))


def median_price(sales: Iterable[tuple[int, int]]) -> int:
    """The median unit price of lines `(cents, quantity)`, rounded half up to a cent.

    Of an even number of lines it is the mean of the middle two. Raises ValueError without lines.
    """
    units = sorted(Fraction(amount, quantity) for amount, quantity in sales)
    if not units:
        raise ValueError("a median needs at least one line")
    middle = units[(len(units) - 1) // 2] + units[len(units) // 2]
    return half_up(middle.numerator, 2 * middle.denominator)


def unit_cost(unit_price: int) -> int:
    """What the supplier is owed for a unit: 70 % of its price."""
    return half_up(unit_price * COST_PERCENT, 100)


@dataclass(frozen=True, slots=True)
class Share:
    """How the money of one delivered line divides."""

    net: int
    cost: int
    commission: int

    @property
    def revenue(self) -> int:
        return self.net - self.cost - self.commission


def share(line: Line) -> Share:
    """The division of one line: commission is rounded once, on the line."""
    net = line.unit_price * line.quantity
    return Share(
        net=net,
        cost=unit_cost(line.unit_price) * line.quantity,
        commission=half_up(net * COMMISSION_BPS, 10_000),
    )


def total(order: Order) -> int:
    return sum(share(line).net for line in order.lines)


def rejected(order: Order, sold_out: str | None) -> tuple[Line, ...]:
    """The lines that come back when a dispatch holding the SKU `sold_out` is rejected whole."""
    refusing = {line.supplier for line in order.lines if line.sku == sold_out}
    return tuple(line for line in order.lines if line.supplier in refusing)


def delivered(order: Order, sold_out: str | None) -> tuple[Line, ...]:
    """The lines that are not rejected."""
    back = rejected(order, sold_out)
    return tuple(line for line in order.lines if line not in back)


def choose_sold_out(orders: Sequence[Order]) -> str:
    """A SKU that is in one order only: paid by card, and with another supplier's goods in it.

    Rejecting it makes exactly one dispatch come back and leaves the order partly delivered.
    Raises ValueError where no order fits.
    """
    holders = Counter(line.sku for order in orders for line in order.lines)
    for order in orders:
        if order.leader_collects or len(order.suppliers) < 2:
            continue
        for line in order.lines:
            if holders[line.sku] == 1:
                return line.sku
    raise ValueError("no order can lose one dispatch and keep another")


def dispatch_count(orders: Iterable[Order]) -> int:
    """One dispatch for each supplier of each order."""
    return sum(len(order.suppliers) for order in orders)


def trial_balance(
    orders: Sequence[Order],
    sold_out: str | None,
    leader_ids: Mapping[str, str],
    supplier_ids: Mapping[str, str],
) -> dict[str, int]:
    """Every account that is not zero once all is delivered, refunded and settled.

    Debits are positive and credits negative, so the values add up to zero.
    """
    balances: Counter[str] = Counter()
    for order in orders:
        kept = {line: share(line) for line in delivered(order, sold_out)}
        leader = f"leader:{leader_ids[order.leader]}"
        paid_into = f"{leader}:collected" if order.leader_collects else "cash:local"
        balances[paid_into] += sum(part.net for part in kept.values())
        balances[f"{leader}:available"] -= sum(part.commission for part in kept.values())
        balances["platform:revenue"] -= sum(part.revenue for part in kept.values())
        for line, part in kept.items():
            balances[f"supplier:{supplier_ids[line.supplier]}:payable"] -= part.cost
    return {account: balance for account, balance in balances.items() if balance}


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure that is not what the baskets say it must be; None where it is absent."""

    name: str
    expected: int | None
    found: int | None

    def __str__(self) -> str:
        return f"{self.name}: expected {_shown(self.expected)}, found {_shown(self.found)}"


def _shown(figure: int | None) -> str:
    return "nothing" if figure is None else str(figure)


def differences(expected: Mapping[str, int], found: Mapping[str, int]) -> list[Difference]:
    """What differs between two sets of named figures, in the order of their names' first use."""
    names = dict.fromkeys([*expected, *found])
    return [
        Difference(name, expected.get(name), found.get(name))
        for name in names
        if expected.get(name) != found.get(name)
    ]


def money(amount: int) -> str:
    """Minor units as people write dollars: -123456 is `-$1,234.56`."""
    whole, rest = divmod(abs(amount), 100)
    return f"{'-' if amount < 0 else ''}${whole:,}.{rest:02d}"
