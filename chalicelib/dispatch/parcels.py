"""A parcel of a dispatch, and what callers say of it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple

from chalicelib.kernel import clock, ids
from chalicelib.kernel.errors import Conflict
from chalicelib.ordering.rules import ParcelStatus

# What one delivery of all of them can post in one transaction, with room to spare.
MOST_PARCELS = 20
# By their names in small letters. Any other is taken as it is said, and shown as not known.
CARRIERS = frozenset(
    {
        "amazon logistics",
        "aramex",
        "australia post",
        "bpost",
        "canada post",
        "china post",
        "chronopost",
        "colissimo",
        "correos",
        "dhl",
        "dhl express",
        "dpd",
        "ems",
        "evri",
        "fedex",
        "gls",
        "hermes",
        "inpost",
        "japan post",
        "jd logistics",
        "la poste",
        "mondial relay",
        "ninja van",
        "poste italiane",
        "postnl",
        "postnord",
        "royal mail",
        "sf express",
        "singpost",
        "sto express",
        "swiss post",
        "tnt",
        "ups",
        "usps",
        "yamato",
        "yto express",
        "yunda express",
        "zto express",
    }
)


class SkuUnits(NamedTuple):
    sku_id: str
    quantity: int


@dataclass(frozen=True)
class Shipment:
    """What a supplier says it sends: `units` by SKU, or None for everything that is left."""

    carrier: str
    tracking_number: str
    units: Mapping[str, int] | None = None

    @property
    def number(self) -> tuple[str, str]:
        """By which a carrier knows it."""
        return self.carrier, self.tracking_number


@dataclass(frozen=True)
class Parcel:
    """What was sent together. Instants are RFC 3339 texts; `units` stand as they were shipped."""

    id: str
    carrier: str
    tracking_number: str
    units: Mapping[str, int]
    shipped_at: str
    # Whether it took everything that was left.
    is_rest: bool = False
    delivered_at: str | None = None
    # What the call that delivered it said, for telling a repeat from a contradiction.
    delivered_at_given: str | None = None
    # When its commission matures, and the day of the leader's earnings that it was put under; on
    # none while it is held.
    matures_on: str | None = None
    earned_on: str | None = None
    # The dispute about it, and whether what it brought is held: until that is dismissed.
    dispute_id: str | None = None
    is_held: bool = False
    # Whether nothing was left of it to pay for before it had arrived.
    is_refunded: bool = False
    # The refunds that have taken of what it brought.
    refunds: Sequence[str] = ()

    @property
    def status(self) -> ParcelStatus:
        return "delivered" if self.delivered_at else "shipped"

    @property
    def lines(self) -> tuple[SkuUnits, ...]:
        return tuple(SkuUnits(sku_id, quantity) for sku_id, quantity in self.units.items())

    @property
    def number(self) -> tuple[str, str]:
        """By which a carrier knows it."""
        return self.carrier, self.tracking_number

    def taken_from_by(self, refund_id: str) -> "Parcel":
        return replace(self, refunds=(*self.refunds, refund_id))

    def given_back_by(self, refund_id: str) -> "Parcel":
        return replace(self, refunds=tuple(each for each in self.refunds if each != refund_id))

    def holds(self, units: Mapping[str, int] | None) -> bool:
        return self.is_rest if units is None else dict(self.units) == dict(units)

    @property
    def carrier_known(self) -> bool:
        return self.carrier.casefold() in CARRIERS

    def delivered(
        self, delivered_at: datetime, given: datetime | None, matures_on: date, earned_on: str
    ) -> "Parcel":
        return replace(
            self,
            delivered_at=clock.to_text(delivered_at),
            delivered_at_given=_text(given),
            matures_on=matures_on.isoformat(),
            earned_on=earned_on,
        )

    def corrected(self, carrier: str | None, tracking_number: str | None) -> "Parcel":
        return replace(
            self,
            carrier=carrier or self.carrier,
            tracking_number=tracking_number or self.tracking_number,
        )


def parcel_id(dispatch_id: str, carrier: str, tracking_number: str) -> str:
    return ids.derived("prc", dispatch_id, carrier, tracking_number)


def new_parcel_id(parcels: Sequence[Parcel], dispatch_id: str, shipment: Shipment) -> str:
    """One of its own too where a correction took the number from the parcel that it made."""
    made = parcel_id(dispatch_id, shipment.carrier, shipment.tracking_number)
    if all(each.id != made for each in parcels):
        return made
    return ids.derived("prc", made, str(len(parcels)))


def bearing(parcels: Sequence[Parcel], shipment: Shipment) -> Parcel | None:
    """The parcel that bears the shipment's number now."""
    return next((each for each in parcels if each.number == shipment.number), None)


def sent_before(parcels: Sequence[Parcel], shipment: Shipment) -> Parcel | None:
    """The parcel that the call tells of once more. Raises Conflict `already_shipped` where the one
    that bears the number was sent with other units."""
    parcel = bearing(parcels, shipment)
    if parcel and not parcel.holds(shipment.units):
        raise Conflict(_number_taken(parcel), code="already_shipped")
    return parcel


def check_number(parcels: Sequence[Parcel], corrected: Parcel) -> None:
    """Raise Conflict `tracking_number_taken` where another parcel bears the corrected number."""
    for parcel in parcels:
        if parcel.id != corrected.id and parcel.number == corrected.number:
            raise Conflict(_number_taken(parcel), code="tracking_number_taken")


def _number_taken(parcel: Parcel) -> str:
    return (
        f"Parcel {parcel.id} was shipped with that tracking number before; another parcel needs "
        "a number of its own."
    )


def repeats_delivery(parcel: Parcel, given: datetime | None) -> bool:
    """Whether the parcel has been delivered. Raises Conflict where that was said otherwise."""
    if not parcel.delivered_at:
        return False
    if parcel.delivered_at_given != _text(given):
        raise Conflict(
            f"The parcel was delivered before, at {parcel.delivered_at}.",
            code="already_delivered",
        )
    return True


def _text(instant: datetime | None) -> str | None:
    return clock.to_text(instant) if instant else None
