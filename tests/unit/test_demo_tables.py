"""The demo's tables fit into a terminal of 80 columns."""

from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from infra.demo.tables import (
    LeaderRow,
    leaders_table,
    named,
    shortened,
    statement_table,
    trial_balance_table,
)

ORDER = "ord_01a214126a6e1b126c7d6a3f44ae"
LEADER, SUPPLIER = "ldr_01a214126a6e1b126c7d6a3f44ae", "sup_01a214126a6e1b126c7d6a3f44ae"
NAMES = {LEADER: "Store 354", SUPPLIER: "Baby Powders"}
STATEMENT: dict[str, Any] = {
    "opening_balance": 0,
    "lines": [
        {
            "order_id": ORDER,
            "sku_id": "sku_1",
            "basis_amount": 123_456,
            "rate_bps": 1050,
            "amount": 12_963,
            "matured_on": "2026-03-11",
        }
    ],
    "total": 12_963,
    "closing_balance": 12_963,
}


def printed(table: Table) -> list[str]:
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        console.print(table)
        return console.export_text().splitlines()


@pytest.mark.parametrize(
    ("table", "whole"),
    [
        (leaders_table([LeaderRow("Store 354", 22, 79, 12_516, 1256, 1393, 1256)]), "Store 354"),
        (statement_table("Store 354", STATEMENT, {"sku_1": "Free-range eggs"}), "ord_...3f44ae"),
        (trial_balance_table({f"leader:{LEADER}:available": -1256}, NAMES), "Store 354: available"),
    ],
)
def test_a_row_stays_in_one_line(table: Table, whole: str) -> None:
    assert [whole in line for line in printed(table)].count(True) == 1


def test_an_account_is_told_by_its_partys_name() -> None:
    assert named(f"supplier:{SUPPLIER}:payable", NAMES) == "supplier Baby Powders: payable"
    assert named("cash:local", NAMES) == "cash:local"
    assert named("leader:ldr_other:pending", NAMES) == "leader:ldr_other:pending"


def test_a_shortened_id_keeps_its_kind_and_its_end() -> None:
    assert shortened(ORDER) == "ord_...3f44ae"
