"""Kinds of journal entries, by the beginnings of their ids: what each is in words, and in which
part of the platform's income it counts.

Cause stands before effect, and entries of one instant lie in this order. Pure.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """`words` name what is behind the beginning of an id: `{rest}` all of it, `{first}` and
    `{second}` of its parts, `{behind}` all but the first; `{goods}` is the dispatch or parcel,
    `{subject}` the entry's subject and `{party}` whose balance it moves."""

    name: str
    words: str
    income: str = ""


KINDS = (
    Kind("receipt", "Payment {rest} of {subject}"),
    Kind("delivered", "Delivery of {goods} of {subject}", "margin"),
    Kind("disputed", "What dispute {rest} of {subject} holds"),
    Kind("dismissed", "Dispute {rest} of {subject} dismissed"),
    Kind("refund", "Refund {rest} of {subject} decided", "refunds"),
    Kind("borne", "What leaders keep of refund {rest} of {subject}", "refunds_borne"),
    Kind("refund-done", "Refund {rest} of {subject} paid"),
    Kind("chargeback", "Chargeback {rest} of {subject}, beyond what was left to refund"),
    Kind("chargeback-fee", "Fee of chargeback {rest} of {subject}", "chargeback_fees"),
    Kind("chargeback-won", "Chargeback {rest} of {subject} won", "chargebacks_won"),
    Kind(
        "chargeback-fee-won",
        "Fee of chargeback {rest} of {subject} given back",
        "chargeback_fees",
    ),
    Kind("chargeback-lost", "Chargeback {rest} of {subject} lost", "chargebacks_lost"),
    Kind("fine", "Fine on {goods} of {subject}: {second}", "fines"),
    Kind("fine_waived", "Fine on {goods} of {subject} waived: {second}", "fines"),
    Kind("community_fee", "Fee of {party} for the community of {second}", "community_fees"),
    Kind("annual_fee", "Fee of {party} for the year from {behind}", "annual_fees"),
    Kind("deposit_received", "Deposit {rest} of {party} received"),
    Kind("deposit_drawn", "Deposit of {party} drawn on: {rest}", "damages"),
    Kind("deposit_returned", "Deposit of {party} given back: {rest}"),
    Kind("bonus", "Bonus {first} to {party}", "bonuses"),
    Kind("bonus-back", "Bonus {first} taken back from {party}", "bonuses"),
    Kind("adjustment", "Adjustment {rest} of {party}", "adjustments"),
    Kind("matured", "What has matured of {behind} in {subject}", "caps"),
    Kind("remittance", "Cash that {party} remitted: {behind}"),
    Kind("remittance-reversed", "Cash of {party} that did not come after all: {behind}"),
    Kind("supplier-remittance", "What {party} owed and has paid: {rest}"),
    Kind("supplier-remittance-reversed", "What {party} had not paid after all: {rest}"),
    Kind("payout", "Payout {rest} to {party} made up"),
    Kind("payout-netted", "Netted in payout {rest} to {party}"),
    Kind("payout-paid", "Payout {rest} to {party} paid"),
    Kind("payout-returned", "Payout {rest} to {party} returned"),
    Kind("payout-cancelled", "Payout {rest} to {party} called off"),
    Kind("reconciled", "Difference {second} of {subject} posted", "bank_fees"),
    Kind("reconciled-undone", "Difference {second} of {subject} undone", "bank_fees"),
    Kind("cleared", "What was not known of {subject}, cleared by {behind}", "cleared"),
)
_BY_NAME = {kind.name: kind for kind in KINDS}
_RANKS = {kind.name: n for n, kind in enumerate(KINDS)}


def kind_of(entry_id: str) -> Kind:
    """What is not listed is told by its subject, and its income by the beginning of its id."""
    name = entry_id.partition(":")[0]
    return _BY_NAME.get(name) or Kind(name, "Entry of {subject}", name)


def is_listed(entry_id: str) -> bool:
    return entry_id.partition(":")[0] in _BY_NAME


def rank(entry_id: str) -> int:
    """Where an entry stands among those of its instant; what is not listed comes last."""
    return _RANKS.get(entry_id.partition(":")[0], len(KINDS))


def income_of(entry_id: str) -> str:
    """In which part of the platform's income an entry counts that posts to it."""
    kind = kind_of(entry_id)
    return kind.income or kind.name
