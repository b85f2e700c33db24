"""`make pay`: what it says is what became of the money."""

import re
from typing import Any

import boto3
import pytest

from infra.failures import Fixable
from infra.local import credentials
from infra.local import pay as tool
from tests.support.granted import running_as
from tests.support.world import World

HOW: dict[str, Any] = {"payment_method": "leader_collect"}


@pytest.fixture(autouse=True)
def _in_this_process(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tool's calls go to the app here, with this world's tokens and provider."""

    def send(method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> Any:
        caller = world.anyone if body else world.operator
        answer = caller.send(method, path, body, headers)
        if answer.status >= 400:
            raise tool.Refused(answer.status, answer.text)
        return answer.json

    with running_as(None):
        secret = boto3.client("secretsmanager").get_secret_value(
            SecretId=world.environment["LOCAL_PROVIDER_SECRET"]
        )["SecretString"]
    monkeypatch.setattr(tool, "send", send)
    monkeypatch.setattr(tool, "as_operator", dict)
    monkeypatch.setattr(credentials, "current", lambda port: None)
    monkeypatch.setattr(credentials, "provider_key", lambda stack: secret.encode())


def test_a_payment_pays_its_order(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    order = world.place(world.sale())
    assert said(order, capsys) == f"{order['id']} was pending_payment and is paid."


def test_a_second_payment_goes_back(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    order = world.place(world.sale())
    said(order, capsys)
    told = said(order, capsys)
    assert "was paid before: the second payment was taken and goes back" in told
    assert told.endswith("(second_payment) says. The order stays paid.")
    assert case_named_in(told, world)["kind"] == "second_payment"


def test_money_that_a_leader_collects_goes_back(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    order = world.place(world.sale(), **HOW)
    told = said(order, capsys)
    assert "is paid to its leader" in told
    assert "goes back" in told
    assert case_named_in(told, world)["kind"] == "wrong_method"


@pytest.mark.parametrize("changes", [{}, HOW])
def test_an_event_sent_again_changes_nothing(
    changes: dict[str, Any], world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    order = world.place(world.sale(), **changes)
    said(order, capsys, "evt_1")
    assert said(order, capsys, "evt_1") == tool.AGAIN


def test_money_for_a_cancelled_order_goes_back(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    order = world.place(world.sale())
    assert world.operator.post(f"/v1/orders/{order['id']}/cancel", {}).status == 200
    told = said(order, capsys)
    assert told == f"{order['id']} was cancelled and is refunded: the money goes back."


def test_a_payment_that_no_order_has_is_told() -> None:
    with pytest.raises(Fixable, match=r"^There is no payment pay_zzz:"):
        tool.pay("pay_zzz", None)


@pytest.mark.parametrize(
    "wrong",
    [[], ["ord_1"], ["pay_a b"], ["pay_1", "evt_an event"], ["pay_1", "payment.failed"]],
)
def test_what_is_no_id_is_told(wrong: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["pay", *wrong])
    with pytest.raises(Fixable, match=r"is .* id"):
        tool.main()


def said(order: Any, capsys: pytest.CaptureFixture[str], event_id: str | None = None) -> str:
    """The last line that the tool prints when it pays an order."""
    tool.pay(order["payment"]["id"], event_id)
    return capsys.readouterr().out.splitlines()[-1]


def case_named_in(told: str, world: World) -> Any:
    found = re.search(r"cas_\w+", told)
    assert found, told
    return world.operator.get(f"/v1/cases/{found[0]}").json
