"""What the refund of a chargeback has taken of an order's delivered lines, so that they are the
order's again once it is won. Pure."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from chalicelib.ordering.lines import OrderLine, Piece
from chalicelib.ordering.shares import Mark, Shares, read_mark, stored_mark


class Taken(NamedTuple):
    """Of a line so many units of a delivered parcel, with so much of their shares."""

    sku_id: str
    parcel_id: str
    piece: Piece

    @property
    def goods(self) -> tuple[str, str]:
        return self.sku_id, self.parcel_id


@dataclass(frozen=True)
class ChargedBack:
    """A chargeback's refund: what it has taken, as (SKU, parcel, mark), and once that is given back
    the chargeback that was won. `borne` is then what others still pay of commission that leaders
    kept of it, as (account, amount): that of goods which stay refunded."""

    refund_id: str
    taken: Sequence[Sequence[Any]] = ()
    won: str = ""
    borne: Sequence[Sequence[Any]] = ()

    @property
    def parts(self) -> list[Taken]:
        found = ((sku_id, parcel_id, read_mark(mark)) for sku_id, parcel_id, mark in self.taken)
        return [Taken(sku_id, parcel_id, Piece(*mark)) for sku_id, parcel_id, mark in found]

    def with_parts(self, parts: Iterable[Taken]) -> "ChargedBack":
        marks = ((each, stored_mark(Mark(*each.piece))) for each in parts)
        return replace(self, taken=tuple((each.sku_id, each.parcel_id, n) for each, n in marks))

    def units_of(self, part: Taken) -> int:
        """How many units it has taken of the same goods."""
        return sum(each.piece.units for each in self.parts if each.goods == part.goods)

    def with_units(self, part: Taken, units: int) -> "ChargedBack":
        """The same, of whose part of these goods there are so many units."""
        return self.with_parts(
            each._replace(piece=Piece(units, each.piece.shares))
            if each.goods == part.goods
            else each
            for each in self.parts
        )


def of_refund(
    refund_id: str, before: Sequence[OrderLine], after: Sequence[OrderLine]
) -> ChargedBack:
    """What the refund takes that leaves these lines so."""
    taken = (
        Taken(line.sku_id, parcel_id, piece)
        for line, now_line in zip(before, after, strict=True)
        for parcel_id, piece in _lost(line, now_line)
    )
    return ChargedBack(refund_id).with_parts(taken)


def lending_to(
    refund_id: str, taken: Sequence[ChargedBack], lines: Collection[OrderLine]
) -> Sequence[ChargedBack]:
    """What chargebacks have taken, where that refund has the units of goods of which none are left:
    the first that is won gives the goods back, and the others their amounts of them once they are
    won, so that they come to the same in any order."""
    own = next((each for each in taken if each.refund_id == refund_id), ChargedBack(refund_id))
    for part in own.parts:
        lender = next((each for each in taken if each.units_of(part)), None)
        has_units = part.piece.units or any(_has_units_of(line, part) for line in lines)
        if lender is None or has_units:
            continue
        units = {refund_id: lender.units_of(part), lender.refund_id: 0}
        taken = [
            each.with_units(part, units[each.refund_id]) if each.refund_id in units else each
            for each in taken
        ]
    return taken


def _has_units_of(line: OrderLine, part: Taken) -> bool:
    return line.sku_id == part.sku_id and bool(line.units_in(part.parcel_id))


def can_be_given_back(line: OrderLine, taken: Taken) -> bool:
    """Whether it is of units that are not refunded otherwise."""
    is_of_it = (taken.sku_id, taken.piece.shares != Shares()) == (line.sku_id, True)
    return is_of_it and bool(taken.piece.units or line.units_in(taken.parcel_id))


def given_back(line: OrderLine, parts: Collection[Taken]) -> OrderLine:
    """The line with these parts as well, as if they had arrived last."""
    of_line = [each for each in parts if can_be_given_back(line, each)]
    if not of_line:
        return line
    shares = line.posted
    pieces = {each: Piece(units, shares[each]) for each, units in line.arrived}
    for _, parcel_id, piece in of_line:
        here = pieces.pop(parcel_id, Piece(0, Shares()))
        pieces[parcel_id] = Piece(here.units + piece.units, here.shares + piece.shares)
    back = sum(each.piece.units for each in of_line)
    restored = replace(
        line,
        refunded_quantity=line.refunded_quantity - back,
        arrived=tuple((each, piece.units) for each, piece in pieces.items()),
    )
    return restored.divided_into([Piece(line.undelivered, line.held), *reversed(pieces.values())])


def _lost(line: OrderLine, now_line: OrderLine) -> Iterator[tuple[str, Piece]]:
    for parcel_id, shares in line.posted.items():
        lost = shares - now_line.posted.get(parcel_id, Shares())
        if lost:
            yield (
                parcel_id,
                Piece(line.units_in(parcel_id) - now_line.units_in(parcel_id), lost),
            )
