"""Journal entries in words, in their order, and the kinds that there are."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chalicelib.ledger.kinds import KINDS, income_of, is_listed, rank
from chalicelib.ledger.narration import income_in, narration, party_in, subjects_in
from chalicelib.ledger.rules import Entry, Posting, entry, position

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
CODE = Path(__file__).parents[2] / "chalicelib"
# What begins so is an account, or a clock's name in a refusal.
NO_ENTRIES = {"cap", "cash", "leader", "supplier"}


def of(entry_id: str, subject: str, *accounts: str, came_of: tuple[str, ...] = ()) -> Entry:
    amounts = dict.fromkeys(accounts, 5) | {"cash:bank": -5 * len(accounts)}
    return entry(entry_id, "EUR", subject, AT, amounts, dict.fromkeys(accounts, came_of))


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (of("receipt:local:rcp_1", "ord_1", "x"), "Payment local:rcp_1 of order ord_1"),
        (
            of("delivered:prc_1", "ord_1", "x", came_of=("dsp_1", "prc_1")),
            "Delivery of dispatch dsp_1 of order ord_1",
        ),
        (of("delivered:prc_1", "ord_1", "x"), "Delivery of parcel prc_1 of order ord_1"),
        (of("disputed:dpt_1", "ord_1", "x"), "What dispute dpt_1 of order ord_1 holds"),
        (of("dismissed:dpt_1", "ord_1", "x"), "Dispute dpt_1 of order ord_1 dismissed"),
        (of("refund:rfd_1", "ord_1", "x"), "Refund rfd_1 of order ord_1 decided"),
        (of("borne:rfd_1", "ord_1", "x"), "What leaders keep of refund rfd_1 of order ord_1"),
        (of("refund-done:rfd_1", "ord_1", "x"), "Refund rfd_1 of order ord_1 paid"),
        (
            of("chargeback:cbk_1", "cbk_1", "x"),
            "Chargeback cbk_1 of cbk_1, beyond what was left to refund",
        ),
        (
            of("refund-charged-back:rfd_1:cbk_1", "ord_1", "x"),
            "Refund rfd_1 of order ord_1 paid by chargeback cbk_1",
        ),
        (of("chargeback-fee:cbk_1", "ord_1", "x"), "Fee of chargeback cbk_1 of order ord_1"),
        (of("chargeback-won:cbk_1", "ord_1", "x"), "Chargeback cbk_1 of order ord_1 won"),
        (
            of("chargeback-fee-won:cbk_1", "ord_1", "x"),
            "Fee of chargeback cbk_1 of order ord_1 given back",
        ),
        (of("chargeback-lost:cbk_1", "ord_1", "x"), "Chargeback cbk_1 of order ord_1 lost"),
        (of("cleared:clr_1:T-7", "pay_1", "x"), "What was not known of pay_1, cleared by T-7"),
        (of("fine:dsp_1:accept", "ord_1", "x"), "Fine on dispatch dsp_1 of order ord_1: accept"),
        (
            of("fine_waived:dsp_1:ship", "ord_1", "x"),
            "Fine on dispatch dsp_1 of order ord_1 waived: ship",
        ),
        (
            of("community_fee:sup_1:ldr_1:2026-01-01", "ord_1", "supplier:sup_1:owed"),
            "Fee of supplier sup_1 for the community of leader ldr_1",
        ),
        (
            of("annual_fee:sup_1:2026-01-01", "sup_1", "supplier:sup_1:owed"),
            "Fee of supplier sup_1 for the year from 2026-01-01",
        ),
        (
            of("deposit_received:dpo_1", "dpo_1", "supplier:sup_1:deposit"),
            "Deposit dpo_1 of supplier sup_1 received",
        ),
        (
            of("deposit_drawn:dpo_1", "dpo_1", "supplier:sup_1:deposit"),
            "Deposit of supplier sup_1 drawn on: dpo_1",
        ),
        (
            of("deposit_returned:dpo_1", "dpo_1", "supplier:sup_1:deposit"),
            "Deposit of supplier sup_1 given back: dpo_1",
        ),
        (
            of("bonus:bns_1:2", "bns_1", "leader:ldr_1:pending"),
            "Bonus bns_1 to leader ldr_1",
        ),
        (
            of("bonus-back:bns_1", "bns_1", "leader:ldr_1:pending"),
            "Bonus bns_1 taken back from leader ldr_1",
        ),
        (
            of("adjustment:adj_1", "adj_1", "leader:ldr_1:available"),
            "Adjustment adj_1 of leader ldr_1",
        ),
        (
            of("matured:run_1:ldr_1", "run_1", "leader:ldr_1:pending", "supplier:sup_1:payable"),
            "What has matured of leader ldr_1 in settlement run run_1",
        ),
        (
            of("remittance:ldr_1:a:b {c}", "rmt_1", "leader:ldr_1:collected"),
            "Cash that leader ldr_1 remitted: a:b {c}",
        ),
        (
            of("remittance-reversed:ldr_1:a", "rmt_1", "leader:ldr_1:collected"),
            "Cash of leader ldr_1 that did not come after all: a",
        ),
        (
            of("supplier-remittance:srm_1", "srm_1", "supplier:sup_1:owed"),
            "What supplier sup_1 owed and has paid: srm_1",
        ),
        (
            of("supplier-remittance-reversed:srm_1", "srm_1", "supplier:sup_1:owed"),
            "What supplier sup_1 had not paid after all: srm_1",
        ),
        *(
            (
                of(f"{kind}:pyt_1", "pyt_1", "leader:ldr_1:in_payout", "leader:ldr_1:available"),
                words,
            )
            for kind, words in {
                "payout": "Payout pyt_1 to leader ldr_1 made up",
                "payout-netted": "Netted in payout pyt_1 to leader ldr_1",
                "payout-paid": "Payout pyt_1 to leader ldr_1 paid",
                "payout-returned": "Payout pyt_1 to leader ldr_1 returned",
                "payout-cancelled": "Payout pyt_1 to leader ldr_1 called off",
            }.items()
        ),
        (of("reconciled:rec_1:3:EUR", "rec_1", "x"), "Difference 3 of reconciliation rec_1 posted"),
        (
            of("reconciled-undone:rec_1:3:EUR", "rec_1", "x"),
            "Difference 3 of reconciliation rec_1 undone",
        ),
        (of("unheard{of}:1", "ord_1", "x"), "Entry of order ord_1"),
        (of("x", "pay_nobody", "x"), "Entry of pay_nobody"),
    ],
)
def test_each_kind_of_entry_has_its_words(made: Entry, words: str) -> None:
    assert narration(made) == words


def test_what_an_entry_was_posted_with_stands_behind_its_words() -> None:
    made = entry("deposit_received:dpo_1", "EUR", "dpo_1", AT, {"a": 5, "b": -5}, note="DEP-7")
    assert narration(made) == "Deposit dpo_1 of several received (DEP-7)"
    long = entry("x:1", "EUR", "ord_1", AT, {"a": 5, "b": -5}, note="one\n two\t " + "three " * 90)
    assert str(long.note).startswith("one two three three")
    assert len(str(long.note)) <= 128
    assert narration(long).endswith("three ...)")


def test_every_kind_of_entry_is_listed() -> None:
    """One that is not has no words, and an income of its own name."""
    begun = {beginning for file in CODE.rglob("*.py") for beginning in _beginnings(file)}
    assert {"delivered", "reconciled-undone", *NO_ENTRIES} <= begun
    assert [each for each in sorted(begun - NO_ENTRIES) if not is_listed(each)] == []


def _beginnings(file: Path) -> Iterator[str]:
    """Those of texts such as f"refund:{refund.id}"."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.JoinedStr) and isinstance(first := node.values[0], ast.Constant):
            found = re.fullmatch("([a-z_-]+):", str(first.value))
            if found:
                yield found[1]


def test_entries_of_an_instant_follow_their_kinds_and_then_their_ids() -> None:
    ids = [f"{kind.name}:{n}" for kind in KINDS for n in (1, 2)] + ["other:1", "unheard:1"]
    assert sorted(ids, key=lambda each: (rank(each), each)) == ids
    later = Entry("receipt:1", "EUR", (), AT + timedelta(milliseconds=1), "ord_1")
    assert position(later) > position(Entry("unheard:1", "EUR", (), AT, "ord_1"))


def test_what_posts_to_the_platforms_revenue_is_income_and_nothing_else() -> None:
    assert income_in(of("fine_waived:dsp_1:ship", "ord_1", "platform:revenue")) == "fines"
    assert income_in(of("unheard:1", "ord_1", "platform:revenue")) == "unheard"
    assert income_in(of("fine:dsp_1:ship", "ord_1", "platform:suspense")) is None
    assert income_of("matured:run_1:ldr_1") == "caps"


def test_a_payee_is_the_one_party_of_an_entry() -> None:
    assert party_in(of("x", "ord_1", "leader:ldr_1:pending", "leader:ldr_1:available")) == (
        "leader ldr_1"
    )
    assert party_in(of("x", "ord_1", "leader:ldr_1:pending", "leader:ldr_2:pending")) == ""
    assert party_in(of("x", "ord_1", "platform:revenue")) == ""


def test_an_entry_tells_of_all_that_it_names() -> None:
    made = Entry(
        "refund:rfd_1",
        "EUR",
        (Posting("supplier:sup_1:payable", 5, ("dsp_1", "prc_1")), Posting("cash:a", -5)),
        AT,
        "ord_1",
    )
    assert subjects_in(made) == {"rfd_1", "ord_1", "sup_1", "dsp_1", "prc_1"}
