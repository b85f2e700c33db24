"""An order of which chargebacks have taken delivered goods, and have them back once they are won.
Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chalicelib.ordering import charged_back
from chalicelib.ordering.charged_back import ChargedBack, Taken
from chalicelib.ordering.rules import Order


def with_chargeback(order: Order, refund_id: str, before: Order) -> Order:
    """The order, which keeps what that refund of a chargeback has taken of it."""
    taken = charged_back.of_refund(refund_id, before.lines, order.lines)
    return replace(order, charged_back=(*order.charged_back, taken))


def lending_to(order: Order, refund_id: str) -> Order:
    """The order, of whose goods that refund has the units where none of them are left."""
    lent = charged_back.lending_to(refund_id, order.charged_back, order.lines)
    return replace(order, charged_back=tuple(lent))


def to_give_back(order: Order, refund_id: str) -> list[Taken]:
    """What that refund of a chargeback has taken of units that are not refunded otherwise."""
    return [
        part
        for each in order.charged_back
        if each.refund_id == refund_id
        for part in each.parts
        if any(charged_back.can_be_given_back(line, part) for line in order.lines)
    ]


def given_back(order: Order, refund_id: str, parts: Sequence[Taken], won: str) -> Order:
    """The lines once that chargeback is won, with these parts again. An order of which nothing
    had been left counts no more against limits and caps, which others may have taken since."""
    lines = [charged_back.given_back(line, parts) for line in order.lines]
    if order.status == "refunded":
        lines = [replace(line, limit=None, cap_taken=()) for line in lines]
    return replace(
        order,
        lines=tuple(lines),
        place=None if order.status == "refunded" else order.place,
        charged_back=tuple(
            ChargedBack(refund_id, won=won) if each.refund_id == refund_id else each
            for each in order.charged_back
        ),
    )


def still_borne(order: Order, refund_id: str, borne: Mapping[str, int]) -> Order:
    """The order, which keeps what each account still pays of that won refund's commission."""
    kept = tuple(borne.items())
    return replace(
        order,
        charged_back=tuple(
            replace(each, borne=kept) if each.refund_id == refund_id else each
            for each in order.charged_back
        ),
    )


def still_borne_by(order: Order) -> list[tuple[str, int]]:
    """The same of all of them: an account, and what it still pays."""
    return [(account, n) for each in order.charged_back for account, n in each.borne]


def won_back(order: Order) -> dict[str, str]:
    """The refunds of chargebacks whose money is back, each with its chargeback."""
    return {each.refund_id: each.won for each in order.charged_back if each.won}
