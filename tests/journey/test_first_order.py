"""The commands of docs/first-order.md, pasted into a shell."""

import json
import os
import re
import subprocess

from infra.paths import ROOT
from tests.support.deployed import DeployedWorld

COMMANDS = re.compile(r"```bash\n(.*?)```", re.DOTALL)


def test_the_first_order_goes_from_an_empty_stack_to_a_statement(world: DeployedWorld) -> None:
    text = (ROOT / "docs" / "first-order.md").read_text()
    (commands,) = COMMANDS.findall(text)
    stack = world.stack.cloud.directory / "stack.json"
    env = {**os.environ, "PORT": str(world.stack.port), "MAKEFLAGS": "", "NO_PROXY": "*"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands.replace(".local/stack.json", str(stack))],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    balances = json.loads(done.stdout.splitlines()[-1])["currencies"][0]
    accounts = {each["account"]: each["balance"] for each in balances["accounts"]}
    assert sorted(accounts.values()) == [-480, -148, -70, 0, 0, 698]
    assert ",70,2" in done.stdout
