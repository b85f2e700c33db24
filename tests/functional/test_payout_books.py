"""A batch's totals are found in the journal, as docs/payouts.md shows by an example."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.functional.conftest import Clock
from tests.support.communities import balance
from tests.support.payouts import (
    COST,
    collect,
    earned,
    gave_back,
    payout_to,
    payouts_of,
    read,
    sent,
    tell,
)
from tests.support.world import Json, Sale, World

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "payouts.md"


def shown(first: str) -> list[list[str]]:
    """The rows of the document's table that begins so, cell by cell."""
    _, _, behind = DOCUMENT.read_text().partition(f"\n| {first} |")
    rows = re.findall(r"^\| (.+) \|$", behind.partition("\n\n")[0], re.MULTILINE)
    return [row.split(" | ") for row in rows]


def minor(cells: list[str]) -> list[int]:
    return [int(cell.replace(".", "")) for cell in cells]


def three_leaders(world: World, time: Clock) -> list[Sale]:
    """Those of the document: with what they have earned, and cash that they hold or laid out."""
    sales = earned(world, time, 15, 7, 3)
    for holds in sales[:2]:
        collect(world, holds, 1)
    gave_back(world, sales[2], 1)
    return sales


def posted(world: World, time: Clock, batch: Json) -> dict[str, Counter[str]]:
    """What the batch's entries of each kind come to, by the purpose of the account."""
    day = time.now().date().isoformat()
    found: dict[str, Counter[str]] = {}
    for payout in payouts_of(world, batch):
        path = f"/v1/ledger/journal?from={day}&to={day}&subject={payout['id']}&limit=100"
        for entry in world.operator.get(path).json["items"]:
            kind, _, of = entry["id"].partition(":")
            assert of == payout["id"]
            for each in entry["postings"]:
                purpose = re.sub(r"^(leader|supplier):\w+:", "", each["account"])
                found.setdefault(kind, Counter())[purpose] += each["amount"]
    return found


def test_the_example_of_the_document_is_what_is_posted(world: World, time: Clock) -> None:
    sales = three_leaders(world, time)
    before = [balance(world, sale) for sale in sales]
    batch = sent(world)
    payouts = [payout_to(world, batch, sale.leader_id) for sale in sales]
    of_leaders = [
        [had["available"], had["collected"], payout["amount"], payout["netted"]]
        for had, payout in zip(before, payouts, strict=True)
    ]
    *rows, whole = [minor(cells) for _, *cells in shown("leader | had `available`")]
    assert (rows, whole) == (of_leaders, [sum(column) for column in zip(*rows, strict=True)])
    assert whole[2:] == [batch["amount"], batch["netted"]]
    for payout in payouts:
        if payout["status"] == "sent":
            assert tell(world, payout, "paid").status == 200
    accounts = ("available", "in_payout", "collected", "cash:bank")
    found = posted(world, time, batch)
    assert {kind: minor(cells) for kind, *cells in shown("entries")} == {
        f"`{kind}:`": [sums[account] for account in accounts] for kind, sums in found.items()
    }


@pytest.mark.parametrize("told", [(), ("paid",), ("failed",), ("paid", "returned")], ids=str)
def test_what_left_is_what_was_sent_and_netted_whatever_becomes_of_it(
    world: World, time: Clock, told: tuple[str, ...]
) -> None:
    first, _, third = three_leaders(world, time)
    batch = sent(world)
    assert tell(world, payout_to(world, batch, third.leader_id), "paid").status == 200
    for status in told:
        assert tell(world, payout_to(world, batch, first.leader_id), status).status == 200
    batch, found = read(world, batch), posted(world, time, batch)
    assert_tied(batch, found, coming="available", owed="collected")


def test_a_batch_of_suppliers_is_tied_by_what_was_payable(world: World, time: Clock) -> None:
    sale = world.sale()
    path = f"/v1/suppliers/{sale.supplier_id}"
    terms = {"basis": "cost", "community_fee": 300}
    assert world.operator.put(f"{path}/settlement-terms", terms).status == 200
    world.delivered_order(sale, 2)
    batch = sent(world, kind="suppliers")
    assert (batch["amount"], batch["netted"]) == (2 * COST - 300, 300)
    assert tell(world, payouts_of(world, batch)[0], "paid").status == 200
    batch, found = read(world, batch), posted(world, time, batch)
    assert_tied(batch, found, coming="payable", owed="owed")


def assert_tied(batch: Json, found: dict[str, Counter[str]], *, coming: str, owed: str) -> None:
    results: Any = batch["results"]
    back = results["returned_amount"] + results["failed_amount"]
    assert found["payout"][coming] == batch["amount"] + batch["netted"]
    whole = Counter[str]()
    for sums in found.values():
        whole.update(sums)
    assert whole == Counter(
        {
            coming: batch["amount"] + batch["netted"] - back,
            owed: -batch["netted"],
            "cash:bank": -results["paid_amount"],
            "in_payout": results["paid_amount"] + back - batch["amount"],
        }
    )
