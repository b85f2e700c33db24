"""What a statement's line says of the entry that it came of."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from chalicelib.ledger import rules as books
from chalicelib.ledger.rules import changes
from chalicelib.suppliers.rules import StatementLine, lines_of
from tests.support.made import NOW

BERLIN = ZoneInfo("Europe/Berlin")
PAYABLE, HELD, OWED = "supplier:sup_1:payable", "supplier:sup_1:held", "supplier:sup_1:owed"


def told(entry_id: str, amounts: dict[str, int], *of: str, subject: str) -> list[StatementLine]:
    entry = books.entry(entry_id, "EUR", subject, NOW, amounts, dict.fromkeys(amounts, of))
    (change,) = changes([entry])
    return lines_of(change, BERLIN)


@pytest.mark.parametrize(
    ("hour", "day"), [(22, date(2026, 3, 2)), (23, date(2026, 3, 3))], ids=["evening", "midnight"]
)
def test_a_line_has_the_day_where_the_platform_is_at_home(hour: int, day: date) -> None:
    posted_at = datetime(2026, 3, 2, hour, 30, tzinfo=UTC)
    amounts = {PAYABLE: -700, "platform:revenue": 700}
    (change,) = changes([books.entry("delivered:prc_1", "EUR", "ord_1", posted_at, amounts)])
    (line,) = lines_of(change, BERLIN)
    assert (line.posted_at, line.business_date) == (posted_at, day)


@pytest.mark.parametrize(
    ("entry_id", "kind"),
    [
        ("delivered:prc_1", "delivery"),
        ("refund:rfd_1", "refund"),
        ("disputed:dpt_1", "disputed"),
        ("dismissed:dpt_1", "dispute_dismissed"),
        ("fine:dsp_1:ship", "fine"),
        ("fine_waived:dsp_1:ship", "fine_waived"),
        ("annual_fee:sup_1:2026-03-10", "annual_fee"),
        ("community_fee:sup_1:ldr_1:2026-03-10", "community_fee"),
        ("deposit_received:dpo_1", "deposit"),
        ("correction:x", "adjustment"),
    ],
)
def test_what_an_entry_is_begins_its_id(entry_id: str, kind: str) -> None:
    (line,) = told(entry_id, {PAYABLE: -700, "platform:revenue": 700}, subject="ord_1")
    assert (line.kind, line.account, line.amount) == (kind, "payable", 700)
    assert (line.order_id, line.entry_id, line.posted_at) == ("ord_1", entry_id, NOW)


def test_a_line_names_what_it_came_of() -> None:
    amounts = {PAYABLE: 300, "refunds_in_flight": -300}
    (line,) = told("refund:rfd_1", amounts, "dsp_1", "prc_1", subject="ord_1")
    assert (line.dispatch_id, line.parcel_id, line.refund_id) == ("dsp_1", "prc_1", "rfd_1")
    (fine,) = told("fine:dsp_7:ship", amounts, "dsp_7", subject="ord_1")
    assert (fine.dispatch_id, fine.parcel_id, fine.leader_id) == ("dsp_7", None, None)
    (fee,) = told("community_fee:sup_1:ldr_1:2026-03-10", {OWED: 5, PAYABLE: -5}, subject="ord_1")[
        :1
    ]
    assert (fee.leader_id, fee.amount) == ("ldr_1", -5)


def test_of_several_parcels_none_is_named_alone() -> None:
    amounts = {PAYABLE: 300, HELD: -300}
    first, second = told("disputed:dpt_1", amounts, "prc_1", "prc_2", subject="ord_1")
    assert (first.parcel_id, first.of) == (None, ("prc_1", "prc_2"))
    assert (first.account, first.amount) == ("payable", -300)
    assert (second.account, second.amount) == ("held", 300)
