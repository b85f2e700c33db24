"""What the page says in people's words of what the code has names for. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from chalicelib.dispatch.answers import Reason, Rejection
from chalicelib.dispatch.deadlines import Clock
from chalicelib.dispatch.parcels import SkuUnits
from chalicelib.dispatch.rules import Dispatch
from chalicelib.kernel.currencies import written
from chalicelib.kernel.errors import FieldError, TuanError
from chalicelib.parties.terms import Mode
from chalicelib.parties.working_time import Hours
from chalicelib.supplier_lines.borne import CommissionExplained
from chalicelib.supplier_lines.rules import GoodsExplained
from chalicelib.suppliers.rules import Account, LineKind
from chalicelib.webhooks.rules import Endpoint

REASONS: Mapping[Reason, str] = {
    "out_of_stock": "Out of stock",
    "discontinued": "No longer made",
    "damaged": "Damaged",
    "recalled": "Recalled",
    "wrong_price": "The price is wrong",
    "address_not_served": "We do not deliver to that address",
    "cannot_deliver": "Cannot be delivered in time",
    "other": "Something else",
}
# By what was done, what is said when that is over.
DONE: Mapping[str, str] = {
    "accepted": "It is accepted.",
    "accepted-part": "What you can ship is accepted; the customer gets the rest of the money back.",
    "rejected": "It is rejected.",
    "rejected-part": "These units are rejected.",
    "shipped": "It is shipped.",
    "shipped-part": "A parcel is shipped; the rest is still to go.",
    "delivered": "The parcel is delivered.",
    "corrected": "The parcel's number is corrected.",
}
ACCOUNT_SET = "You are paid there from now on; what is prepared already goes where it was to go."
TIMES = "\N{MULTIPLICATION SIGN}"
CLOCKS = {"accept": "Accept by", "ship": "Ship by", "deliver": "Deliver by"}
KINDS: Mapping[LineKind, str] = {
    "delivery": "Delivery",
    "refund": "Refund to a customer",
    "commission_borne": "A leader's commission that you bear",
    "chargeback_won": "Given back: a chargeback was won",
    "chargeback_fee": "Fee for a chargeback",
    "chargeback_fee_won": "Fee given back: a chargeback was won",
    "disputed": "Held: a delivery is disputed",
    "dispute_dismissed": "Released: a dispute was dismissed",
    "fine": "Fine",
    "fine_waived": "Fine given back",
    "annual_fee": "Annual fee",
    "community_fee": "Fee for a community",
    "deposit": "Deposit received",
    "deposit_returned": "Deposit returned",
    "deposit_drawn": "Deposit drawn on",
    "remittance": "Transfer from you",
    "remittance_reversed": "Transfer from you, taken off again",
    "payout": "Payout begun",
    "payout_paid": "Paid out",
    "payout_returned": "Payout came back",
    "payout_cancelled": "Payout called off",
    "netting": "Set off against what you owe",
    "adjustment": "Adjustment",
}
# What a refund is that nobody here has decided.
CHARGEBACK = "Chargeback: a customer's bank took the money back"
ACCOUNTS: Mapping[Account, str] = {
    "payable": "To be paid to you",
    "held": "Held",
    "owed": "You owe",
    "deposit": "Deposit",
    "in_payout": "On its way to you",
}
# What fields are called on the page, where that is not their name without its underscores.
FIELDS = {
    "lines": "units",
    "from": "first day",
    "to": "last day",
    "body": "file",
    "holder": "account holder",
    "iban": "IBAN",
    "bic": "BIC",
}


def state(dispatch: Dispatch) -> str:
    """How it stands, as a badge says it."""
    if dispatch.status == "created":
        return "new"
    if dispatch.status == "shipped" and dispatch.waiting:
        return "partly shipped"
    return dispatch.status


def hearing(endpoint: Endpoint) -> str:
    """How an endpoint hears now, as a badge says it."""
    if not endpoint.is_active:
        return "disabled"
    if endpoint.circuit == "open":
        return "not answering"
    if endpoint.circuit == "draining":
        return "catching up"
    return "slow" if endpoint.slow else "active"


def contents(lines: Iterable[SkuUnits], dispatch: Dispatch) -> str:
    """What is in a parcel, or was rejected, as `2 x Eggs, 1 x Milk`."""
    titles = {line.sku_id: line.title for line in dispatch.lines}
    return ", ".join(
        f"{each.quantity} {TIMES} {titles.get(each.sku_id, each.sku_id)}" for each in lines
    )


def reason(of: Rejection) -> str:
    return of.note or REASONS[of.reason_code]


def how(goods: GoodsExplained, currency: str) -> str:
    """How what goods bring their supplier was worked out and rounded."""
    if goods.method == "exact":
        return f"{goods.units} {TIMES} your cost of {written(goods.unit_cost, currency)}"
    terms = "your cost" if goods.basis == "cost" else f"a fee of {percent(goods.fee_bps)}"
    if goods.method == "half_up":
        return f"{terms}, rounded half up"
    return f"{terms}; a part of the order's line, by what its rounded part has changed"


def how_kept(commission: CommissionExplained) -> str:
    """How the commission that its supplier bears was worked out and rounded."""
    rate = f"a rate of {percent(commission.rate_bps)}"
    if commission.method == "limited":
        return f"{rate}, and a bound of the leader's plan"
    if commission.method == "by_difference":
        return f"{rate}; a part of the order's line, by what its rounded part has changed"
    return rate if commission.method == "exact" else f"{rate}, rounded half up"


def percent(bps: int) -> str:
    """A rate in basis points, such as 12.5 %."""
    return f"{bps / 100:g} %"


def if_missed(clock: Clock, currency: str) -> str:
    """What comes where the clock runs out, as the supplier's terms have it."""
    if clock.on_missed == "fine" and clock.fine_amount:
        return f"if late, it costs you {written(clock.fine_amount, currency)}"
    if clock.on_missed == "cancel" and clock.kind != "deliver":
        return "if late, it is called off and refunded"
    return "if late, the operator is told"


def on_missed(mode: Mode, currency: str) -> str:
    """What a missed clock brings, as the terms have it."""
    if mode.on_missed == "fine" and mode.fine_amount:
        return f"costs you {written(mode.fine_amount, currency)}"
    if mode.on_missed == "cancel":
        return "is called off and refunded; once it is shipped, the operator is told"
    return "is told to the operator"


def hours(week: Mapping[str, Hours] | None) -> str:
    """The open hours of a week, such as `Mon 09:00-12:00, 13:00-17:00; Tue 09:00-17:00`."""
    if week is None:
        return "at all hours"
    spans = {day: ", ".join("-".join(span) for span in each) for day, each in week.items()}
    return "; ".join(f"{day.capitalize()} {said}" for day, said in spans.items())


def stands_still(clock: Clock, begin: datetime) -> bool:
    """Whether the clock's end is later than its hours alone would make it."""
    return clock.end - begin > timedelta(hours=clock.hours)


def told(refused: TuanError) -> str:
    """What is wrong, with each field by the name that it bears on the page."""
    if not refused.errors:
        return refused.detail.replace("tracking_number", "tracking number")
    found = (f"{_name(each.field)} {_message(each)}." for each in refused.errors)
    return " ".join(dict.fromkeys(found))


def _name(field: str) -> str:
    """Of `lines.0.quantity`: units, whichever line it is."""
    first = field.partition(".")[0]
    name = FIELDS.get(first, first.replace("_", " "))
    return name[:1].upper() + name[1:]


def _message(wrong: FieldError) -> str:
    """Of a period's days one is held against the other, which the message names last."""
    said, _, last = wrong.message.rpartition(" ")
    days = ("from", "to")
    return f"{said} the {FIELDS[last]}" if wrong.field in days and last in days else wrong.message
