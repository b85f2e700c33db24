"""Money that customers' banks take back, and who bears what is refunded."""

from chalicelib.chargebacks import closing, opening
from chalicelib.ordering.rules import Order
from chalicelib.ordering.store import OrderRow
from chalicelib.payments import bearers
from chalicelib.payments.chargeback_store import ChargebackRow
from chalicelib.payments.providers import DisputeOutcome, PaymentDisputed
from chalicelib.payments.rules import Bearer, Chargeback, RefundCause
from tests.soak.happening import Operations
from tests.soak.rows import NothingToDo
from tests.soak.town import OPERATOR, Town

OPERATIONS = Operations()
happens = OPERATIONS.happens

CHARGED = ("paid", "shipped", "delivered", "completed", "refunded")
OUTCOMES: tuple[DisputeOutcome, ...] = ("won", "lost")
BEARERS: tuple[Bearer, ...] = ("leader", "supplier", "platform")
CAUSES: tuple[RefundCause, ...] = (
    *("other", "damaged", "late"),
    *("after_sales", "dispute", "given_up", "chargeback"),
)
FEES = (0, 1500)


@happens(2)
def hear_of_a_chargeback(town: Town) -> None:
    """Of all of it, a part, or more than is left; some are of a charge that nobody knows."""
    order = _charged(town)
    charge = town.chance.choice([order.receipt or "", order.receipt or "", "ch_unknown"])
    closing.hear("local", _told(town, f"dp_{town.number()}", charge, _amount(town, order)))


@happens(1)
def hear_of_a_chargeback_again(town: Town) -> None:
    """The provider repeats itself, names its fee late, or says how it has ended."""
    before = _chargeback(town, "open", "won", "lost")
    outcome = town.chance.choice([None, *OUTCOMES])
    closing.hear("local", _told(town, before.reference, before.charge, before.amount, outcome))


@happens(1)
def book_a_chargeback(town: Town) -> None:
    order = _charged(town)
    amount, fee = _amount(town, order), town.chance.choice(FEES)
    opening.book(order.id, amount, fee, f"dp_{town.number()}", OPERATOR, town.request())


@happens(2)
def close_a_chargeback(town: Town) -> None:
    before = _chargeback(town, "open")
    closing.close(before.id, town.chance.choice(OUTCOMES), OPERATOR, town.request())


@happens(1)
def change_who_bears_refunds(town: Town) -> None:
    wanted = {cause: town.chance.choice(BEARERS) for cause in CAUSES}
    bearers.set_bearers(wanted, town.chance.choice(BEARERS), OPERATOR)


def _told(
    town: Town, dispute: str, charge: str, amount: int, outcome: DisputeOutcome | None = None
) -> PaymentDisputed:
    fee = town.chance.choice(FEES)
    return PaymentDisputed(dispute, charge, amount, fee, town.currency, outcome)


def _amount(town: Town, order: Order) -> int:
    part = town.chance.randint(1, order.total)
    return town.chance.choice([order.total, order.total, part, order.total + part])


def _charged(town: Town) -> Order:
    """One whose suppliers know of it, or whose money is back already. Raises NothingToDo."""
    order = OrderRow.from_raw_data(town.seen.one("order", *CHARGED)).to_entity()
    if not order.dispatches and order.amount_left:
        raise NothingToDo("no dispatch yet")
    if order.cash_account != "cash:local":
        raise NothingToDo("no provider has its money")
    return order


def _chargeback(town: Town, *statuses: str) -> Chargeback:
    return ChargebackRow.from_raw_data(town.seen.one("chargeback", *statuses)).to_entity()
