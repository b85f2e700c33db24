"""What `make token`, `logs`, `down` and `deploy` say, above all where something is missing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.deploy import how_to_give
from infra.failures import Fixable
from infra.local import deploy, logs, token
from infra.local.cloud import Cloud, chosen_port
from infra.local.stack import LocalStack
from infra.package import Package
from infra.paths import ROOT
from infra.stack import require_known
from infra.stages import given

FUNCTIONS = ["APIHandler", "DispatchCreate"]
AT = 1_767_225_600_123


@pytest.fixture
def nothing_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout that has no stack; `PORT` is 4999."""
    monkeypatch.setenv("PORT", "4999")
    monkeypatch.setattr("infra.local.cloud.port_directory", lambda port: tmp_path / str(port))
    monkeypatch.setattr("infra.local.stack.LOCAL", tmp_path)
    monkeypatch.setattr("infra.local.stack.CURRENT", tmp_path / "stack.json")
    return tmp_path


@pytest.mark.parametrize("asked", ["DispatchCreate", "dispatch_create", "dispatchcreate"])
def test_a_function_is_known_by_either_name(asked: str) -> None:
    assert logs.chosen([asked], FUNCTIONS) == ["DispatchCreate"]


def test_without_a_name_all_functions_are_meant() -> None:
    assert logs.chosen([], FUNCTIONS) == FUNCTIONS


def test_an_unknown_function_is_told_with_those_there_are() -> None:
    told = r"There is no function Nope\. There are: APIHandler, DispatchCreate\."
    with pytest.raises(Fixable, match=told):
        logs.chosen(["api_handler", "Nope"], FUNCTIONS)


def test_a_record_is_a_line_with_its_ids() -> None:
    record = {
        "level": "INFO",
        "location": "info:24",
        "message": "message done",
        "timestamp": "2026-01-01 00:00:00,100+0000",
        "service": "tuan",
        "order_id": "ord_1",
    }
    line = logs.readable(AT, "DispatchCreate", json.dumps(record))
    assert line == "2026-01-01 00:00:00.123 INFO    DispatchCreate   message done order_id=ord_1"


def test_a_trace_stays_in_its_line() -> None:
    frames = ["/tmp/code/dispatch/service.py:32 make", "/tmp/code/platform/store.py:7 put"]
    record = {"level": "ERROR", "message": "message failed", "trace": frames}
    line = logs.readable(AT, "DispatchCreate", json.dumps(record))
    assert line is not None
    assert line.endswith(
        "message failed trace=dispatch/service.py:32 make > platform/store.py:7 put"
    )


@pytest.mark.parametrize("message", ["START RequestId: 1", json.dumps({"_aws": {}, "Count": 1})])
def test_metrics_and_what_lambda_writes_are_left_out(message: str) -> None:
    assert logs.readable(AT, "APIHandler", message) is None


@pytest.mark.parametrize("message", ["went\n  wrong", "[1]"])
def test_what_is_no_record_is_printed_in_one_line(message: str) -> None:
    line = logs.readable(AT, "APIHandler", message)
    assert line is not None
    assert line.endswith(" ".join(message.split()))


@pytest.mark.parametrize(
    ("role", "sub", "told"),
    [
        ("operator", "", "SUB is any name"),
        ("customer", "", "which you choose"),
        ("leader", "", "the leader's id"),
        ("leader", "me", "SUB=ldr_.*not 'me'"),
        ("operator", "x" * 129, "SUB is any name"),
        ("", "me", "ROLE is one of operator, leader, customer"),
    ],
)
def test_a_token_that_the_api_would_refuse_is_not_made(role: str, sub: str, told: str) -> None:
    with pytest.raises(Fixable, match=told):
        token.check(role, sub)


@pytest.mark.parametrize(
    ("role", "sub"), [("operator", "me"), ("customer", "al@b.example"), ("leader", "ldr_01a")]
)
def test_a_token_for_whom_the_api_knows_is_made(role: str, sub: str) -> None:
    token.check(role, sub)


@pytest.mark.parametrize("port", ["abc", "0", "65536", "²"])
def test_what_is_no_port_is_told(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", port)
    with pytest.raises(Fixable, match="PORT is a number"):
        chosen_port()


@pytest.mark.usefixtures("nothing_up")
def test_taking_nothing_down_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    deploy.bring_down()
    assert capsys.readouterr().out == "No stack is up on 4999.\n"


def test_a_stack_that_is_taken_down_is_told(
    nothing_up: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = pretend_that_it_runs(nothing_up, monkeypatch)
    deploy.bring_down()
    assert ended == [4242]
    assert capsys.readouterr().out == "The stack on 4999 is down.\n"


def test_another_stack_that_is_up_is_named(
    nothing_up: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pretend_that_it_runs(nothing_up, monkeypatch)
    monkeypatch.setenv("PORT", "4998")
    deploy.bring_down()
    assert "`make down PORT=4999`" in capsys.readouterr().out


def test_a_stack_is_cleared_aloud_before_a_new_one(
    nothing_up: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    new = LocalStack("http://stack", 4999, "secret")
    monkeypatch.setattr(deploy, "up", lambda cloud: new)
    assert deploy.bring_up_empty() == new
    assert "clearing" not in capsys.readouterr().out
    pretend_that_it_runs(nothing_up, monkeypatch)
    deploy.bring_up_empty()
    assert capsys.readouterr().out.startswith("clearing the stack on 4999 ...\n")


@pytest.mark.parametrize(("deployed", "ended"), [(False, [4999]), (True, [])])
def test_an_interrupt_takes_away_only_what_is_half_made(
    deployed: bool, ended: list[int], nothing_up: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(cloud: Cloud) -> Any:
        raise KeyboardInterrupt

    stopped: list[int] = []
    monkeypatch.setattr(deploy, "up", interrupted)
    monkeypatch.setattr("infra.local.cloud.stop", lambda cloud: stopped.append(cloud.port))
    (nothing_up / "4999").mkdir()
    if deployed:
        (nothing_up / "4999" / "stack.json").touch()
    with pytest.raises(KeyboardInterrupt):
        deploy.bring_up()
    assert stopped == ended


def test_a_missing_parameter_is_named_with_both_ways_to_give_it() -> None:
    told = how_to_give("dev", ["JwtIssuer"])
    assert "infra/stages/dev.json" in told
    assert 'make deploy STAGE=dev PARAMETERS="JwtIssuer=..."' in told


def test_parameters_are_named_on_the_command_line() -> None:
    said = given(["StripeSecretArn=arn:aws:x", "StripeApiBase=https://a.example/?b=c"])
    assert said == {"StripeSecretArn": "arn:aws:x", "StripeApiBase": "https://a.example/?b=c"}
    with pytest.raises(Fixable, match="Name=value, not 'StripeSecretArn'"):
        given(["StripeSecretArn"])


@pytest.mark.parametrize("said", [[], ["dwn"], ["down", "Stage=dev"]])
def test_what_the_local_stack_cannot_do_is_told(
    said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["deploy", *said])
    with pytest.raises(Fixable, match="say one of: up, down, down-all"):
        deploy.main()


def test_a_parameter_that_the_template_does_not_have_is_named(tmp_path: Path) -> None:
    (tmp_path / "sam.json").write_text('{"Parameters": {"Stage": {}, "TimeZone": {}}}')
    require_known(Package(tmp_path), {"Stage": "dev"})
    told = "there is no parameter Timezone: the template has Stage, TimeZone"
    with pytest.raises(Fixable, match=told):
        require_known(Package(tmp_path), {"Stage": "dev", "Timezone": "UTC"})


def test_a_reader_that_has_enough_is_no_failure() -> None:
    code = (
        "import sys; from infra.failures import exit_code_of;"
        "sys.exit(exit_code_of(lambda: print('line\\n' * 100_000)))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait(timeout=20) == 0


def pretend_that_it_runs(local: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A deployed stack on 4999, its cloud the process 4242; returns the processes ended."""
    directory = local / "4999"
    directory.mkdir(exist_ok=True)
    (directory / "cloud.pid").write_text("4242")
    stack = {"base_url": "http://stack", "port": 4999, "provider_secret": "secret"}
    (directory / "stack.json").write_text(json.dumps(stack))
    ended: list[int] = []
    monkeypatch.setattr("infra.local.cloud.command_of", lambda pid: "python -m ministack")
    monkeypatch.setattr("infra.local.cloud.end_group", ended.append)
    return ended
