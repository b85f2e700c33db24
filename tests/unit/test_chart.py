"""What accounts can begin with, and what is mistyped."""

import pytest

from chalicelib.ledger import chart


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "c",
        "cash",
        "cash:",
        "cash:savings",
        "customer_prepayments",
        "platform:",
        "platform:suspense",
        "platform:capital",
        "unmatched_",
        "leader:",
        "leader:ldr_1",
        "leader:ldr_1:",
        "leader:ldr_1:in_",
        "supplier:sup_1:payable",
    ],
)
def test_an_account_may_begin_so(prefix: str) -> None:
    assert chart.may_begin(prefix)


@pytest.mark.parametrize(
    "prefix",
    [
        "x",
        "Cash:",
        "cash;",
        "platfrom:",
        "platform:revenues",
        "platform:revenue:margin",
        "customer_prepayments:",
        "leaders:",
        "leader::",
        "leader::pending",
        "leader:ldr_1:availabel",
        "supplier:sup_1:payable:",
        "ldr_1",
    ],
)
def test_no_account_begins_so(prefix: str) -> None:
    assert not chart.may_begin(prefix)
