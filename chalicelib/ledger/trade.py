"""What deliveries come to: sales, cost, commission, and the margin that they leave. Pure."""

from dataclasses import dataclass

from chalicelib.ledger.rules import PLATFORM_REVENUE, Entry, party_of

# The entries by which goods are delivered, given back, and given back no more.
PARTS = {
    "delivered": "deliveries",
    "refund": "refunds",
    "borne": "refunds",
    "chargeback-won": "chargebacks_won",
}


@dataclass(frozen=True)
class Traded:
    """Of some entries of one currency, in the minor unit: what of the sales is suppliers', leaders'
    and the platform's. What is given back is below zero."""

    currency: str
    part: str
    cost: int
    commission: int
    margin: int

    @property
    def key(self) -> tuple[str, str]:
        return self.currency, self.part

    @property
    def sales(self) -> int:
        return self.cost + self.commission + self.margin

    def __add__(self, other: "Traded") -> "Traded":
        return Traded(
            self.currency,
            self.part,
            self.cost + other.cost,
            self.commission + other.commission,
            self.margin + other.margin,
        )


def traded(entry: Entry) -> Traded | None:
    """None for an entry that tells of no delivery, and gives nothing of one back."""
    part = PARTS.get(entry.id.partition(":")[0])
    shares = {"supplier": 0, "leader": 0, PLATFORM_REVENUE: 0}
    for posting in entry.postings:
        party = party_of(posting.account)
        of = party[0].partition(":")[0] if party else posting.account
        if of in shares:
            shares[of] -= posting.amount
    if part is None or not any(shares.values()):
        return None
    cost, commission, margin = shares.values()
    return Traded(entry.currency, part, cost, commission, margin)
