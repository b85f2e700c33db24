"""An order's whole way, through the API and every worker."""

from datetime import timedelta

import pytest

from chalicelib.kernel import clock
from tests.support.world import World


def test_an_order_goes_from_campaign_to_statement(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = world.sale(skus=2)
    order = world.delivered_order(sale, quantity=3)
    assert order["status"] == "delivered"
    assert order["total"] == 6000
    balance = world.leader(sale.leader_id).get(f"/v1/leaders/{sale.leader_id}/balance").json
    assert (balance["estimated"], balance["pending"], balance["available"]) == (0, 600, 0)
    assert world.trial_balance() == {
        "cash:local": 6000,
        f"supplier:{sale.supplier_id}:payable": -4200,
        f"leader:{sale.leader_id}:pending": -600,
        "platform:revenue": -1200,
    }
    later = clock.now() + timedelta(days=9)
    monkeypatch.setattr(clock, "now", lambda: later)
    day = (later.date() - timedelta(days=1)).isoformat()
    assert world.operator.post("/v1/settlement-runs", {"business_date": day}).status == 202
    world.work()
    run = world.operator.get(f"/v1/settlement-runs/run_{day}").json
    assert (run["status"], run["leaders_settled"]) == ("completed", 1)
    assert run["totals"] == [{"currency": "EUR", "amount": 600}]
    statement = world.operator.get(f"/v1/leaders/{sale.leader_id}/statements/run_{day}").json
    assert [line["amount"] for line in statement["lines"]] == [300, 300]
    assert (statement["opening_balance"], statement["closing_balance"]) == (0, 600)
