"""What items of the ledger table have in common."""

from chalicelib.platform.table import IntegerAttribute, Row, table

# What a supplier's statement adds up, and what parties have beside it.
SUPPLIERS_PURPOSES = ("payable", "held", "owed", "deposit", "in_payout")
PURPOSES = (*SUPPLIERS_PURPOSES, "pending", "available", "collected")

LedgerMeta = table("LEDGER_TABLE")


class Sides(Row):
    """Sums of a party's postings by purpose. Debit is positive."""

    Meta = LedgerMeta

    payable = IntegerAttribute(default=0)
    held = IntegerAttribute(default=0)
    owed = IntegerAttribute(default=0)
    deposit = IntegerAttribute(default=0)
    pending = IntegerAttribute(default=0)
    available = IntegerAttribute(default=0)
    in_payout = IntegerAttribute(default=0)
    collected = IntegerAttribute(default=0)

    @property
    def by_purpose(self) -> dict[str, int]:
        """Those that are not zero."""
        sums = {purpose: getattr(self, purpose) for purpose in PURPOSES}
        return {purpose: amount for purpose, amount in sums.items() if amount}
