"""The nightly audit: sound books have no findings, and each planted mistake is found, alone."""

from chalicelib.audit.running import look_at_everything
from chalicelib.kernel import clock
from tests.support.lambdas import invoke
from tests.support.world import World


def test_sound_books_have_no_findings(world: World) -> None:
    sale = world.sale()
    world.delivered_order(sale)
    assert list(look_at_everything(clock.now())) == []
    started = world.operator.post("/v1/ledger/audit")
    assert started.status == 202
    invoke("ledger_audit")
    report = world.operator.get("/v1/ledger/audit").json
    assert report["checked_at"]
    assert report["running"] is None
    assert report["findings"] == []
