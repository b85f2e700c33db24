"""What may be done with a dispatch, and whether a call says again what has been done (contract,
section 4). Pure."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from chalicelib.dispatch.answers import Said
from chalicelib.dispatch.parcels import MOST_PARCELS, Parcel
from chalicelib.dispatch.rules import Dispatch
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Conflict, FieldError, Invalid
from chalicelib.ordering.rules import DispatchStatus, Order

# Who is not an operator may say at most this long afterwards when a delivery was.
DELIVERY_TOLD_WITHIN = timedelta(hours=24)
MOVES: Mapping[DispatchStatus, frozenset[DispatchStatus]] = {
    "created": frozenset({"accepted", "rejected", "cancelled"}),
    "accepted": frozenset({"shipped", "rejected", "cancelled"}),
    "shipped": frozenset({"delivered"}),
    "delivered": frozenset(),
    "rejected": frozenset(),
    "cancelled": frozenset(),
}


def repeats(dispatch: Dispatch, to: DispatchStatus, said: Mapping[str, Any]) -> bool:
    """Whether the call says again what has been done.

    `said` are the dispatch's fields that the call sets. Raises Conflict `already_<state>` where the
    state is reached but was said otherwise, and `invalid_transition` where it cannot be reached.
    """
    if dispatch.status == to:
        if all(getattr(dispatch, name) == value for name, value in said.items()):
            return True
        differs = ", ".join(name.removesuffix("_given") for name in said)
        raise Conflict(
            f"The dispatch was {to} before, with another {differs}.", code=f"already_{to}"
        )
    if to not in MOVES[dispatch.status]:
        raise Conflict(
            f"A dispatch that is {dispatch.status} cannot become {to}; {_next(dispatch.status)}.",
            code="invalid_transition",
        )
    return False


def repeats_acceptance(dispatch: Dispatch, units: Mapping[str, int] | None, said: Said) -> bool:
    """The same of accepting some units, or all."""
    accepted = dispatch.acceptance
    if dispatch.status == "accepted" and accepted:
        if accepted.says(said, units):
            return True
        raise Conflict(
            "The dispatch was accepted before, with other lines or another reason.",
            code="already_accepted",
        )
    return repeats(dispatch, "accepted", {})


def repeats_rejection(
    dispatch: Dispatch, units: Mapping[str, int] | None, said: Said, *, is_new: bool = False
) -> bool:
    """The same of rejecting some units, or whatever waits; of a call that is new, though it may
    say the same, only where all has been rejected."""
    if not is_new and any(each.says(said, units) for each in dispatch.rejections):
        return True
    if dispatch.status == "shipped" and dispatch.waiting:
        return False
    return repeats(dispatch, "rejected", {"reason": said.text})


def check_ships(dispatch: Dispatch) -> None:
    """Raise Conflict unless the dispatch is accepted, or shipped in part or whole."""
    if dispatch.status != "shipped":
        repeats(dispatch, "shipped", {})


def left_to_ship(dispatch: Dispatch) -> dict[str, int]:
    """The units that are still to be shipped. Raises Conflict where there are none, or no more
    parcels may be made."""
    waiting = dispatch.waiting
    if not waiting:
        raise Conflict(
            "The dispatch was shipped before, with another carrier, tracking_number or lines.",
            code="already_shipped",
        )
    if len(dispatch.parcels) >= MOST_PARCELS:
        raise Conflict(
            f"A dispatch has at most {MOST_PARCELS} parcels; reject what is left.",
            code="too_many_parcels",
        )
    return waiting


def repeats_delivery(dispatch: Dispatch, given: datetime | None) -> bool:
    """Whether all that has shipped was delivered before, at that instant. Raises Conflict where it
    was at another, or where nothing has shipped."""
    if not dispatch.parcels:
        return repeats(dispatch, "delivered", {})
    if dispatch.on_the_way:
        return False
    if dispatch.delivered_at_given != given:
        raise Conflict(
            "All that has shipped was delivered before, with another delivered_at.",
            code="already_delivered",
        )
    return True


def _next(status: DispatchStatus) -> str:
    reached = sorted(MOVES[status])
    return f"from there it can be {' or '.join(reached)}" if reached else "that is its end"


def check_delivered_at(
    parcels: Sequence[Parcel], given: datetime, now: datetime, *, by_operator: bool
) -> None:
    """Raise Invalid unless the instant lies between shipping and now, and is recent enough."""
    if given > now:
        raise Invalid.field("delivered_at", "lies in the future")
    if any(given < clock.from_text(each.shipped_at) for each in parcels):
        raise Invalid.field("delivered_at", "lies before the shipping")
    if not by_operator and given < now - DELIVERY_TOLD_WITHIN:
        raise Invalid.field(
            "delivered_at", "is more than 24 hours ago; only an operator may say so"
        )


def check_in_order(order: Order, units: Mapping[str, int]) -> None:
    """Raise Invalid, naming each line of the request whose SKU was not ordered."""
    _check_known({line.sku_id for line in order.lines}, units, "in this order")


def check_in_dispatch(dispatch: Dispatch, units: Mapping[str, int]) -> None:
    """The same of SKUs that neither are in the dispatch nor were rejected of it."""
    known = {line.sku_id for line in dispatch.lines}
    known.update(*(each.taken for each in dispatch.rejections))
    _check_known(known, units, "a line of this dispatch")


def _check_known(known: Collection[str], units: Mapping[str, int], what: str) -> None:
    strange = tuple(
        FieldError(f"lines.{n}.sku_id", f"is not {what}")
        for n, sku_id in enumerate(units)
        if sku_id not in known
    )
    if strange:
        raise Invalid(f"{strange[0].field}: {strange[0].message}", errors=strange)


def check_units(
    left: Mapping[str, int], units: Mapping[str, int], to_do: str = "left to refund"
) -> None:
    """Raise Invalid, naming each line of the request that asks for more units than are left."""
    wrong = tuple(
        FieldError(f"lines.{n}.quantity", f"is more than the {left.get(sku_id, 0)} units {to_do}")
        for n, (sku_id, quantity) in enumerate(units.items())
        if quantity > left.get(sku_id, 0)
    )
    if wrong:
        raise Invalid(f"More is named than is {to_do}.", code="more_than_is_left", errors=wrong)
