"""The commands of docs/plans.md, docs/payouts.md and docs/books.md, pasted into a shell."""

import csv
import os
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chalicelib.kernel import clock
from chalicelib.platform.settings import settings
from tests.functional.conftest import Clock
from tests.support.payouts import PAYER, earned, read
from tests.support.served import served
from tests.support.world import World

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture
def deployed_with() -> dict[str, str]:
    return PAYER


class Shell:
    """The shell of the first order, in which two operators are known."""

    def __init__(self, world: World, base_url: str, place: Path) -> None:
        self._world, self._place = world, place
        token = world.issuer.token
        self._env = {
            **os.environ,
            "NO_PROXY": "*",
            "BASE_URL": base_url,
            "OPERATOR": token("operator", "op_1"),
            "OTHER_OPERATOR": token("operator", "op_2"),
        }

    def paste(self, *commands: str, **variables: str) -> str:
        """What the commands write, while the workers do what comes of them."""
        make = 'make() { echo "$OTHER_OPERATOR"; }'
        script = "\n".join([make, *helpers(), *commands])
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(
                subprocess.run,
                ["bash", "-euo", "pipefail", "-c", script],
                cwd=self._place,
                env={**self._env, **variables},
                capture_output=True,
                text=True,
                timeout=100,
            )
            while not done.done():
                self._world.work()
        ended = done.result()
        assert ended.returncode == 0, ended.stderr
        return str(ended.stdout)


@pytest.fixture
def shell(world: World, tmp_path: Path) -> Iterator[Shell]:
    with served(world.gateway) as base_url:
        yield Shell(world, base_url, tmp_path)


def commands(document: str, language: str = "bash") -> list[str]:
    text = (DOCS / document).read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def helpers() -> list[str]:
    """The functions of one line that the first order begins with."""
    (first_order,) = commands("first-order.md")
    return re.findall(r"^(?:of|within_a_minute)\(\) {.*}$", first_order, re.MULTILINE)


def test_a_plan_is_made_and_is_the_default(world: World, shell: Shell) -> None:
    shell.paste(*commands("plans.md"))
    (plan,) = world.operator.get("/v1/commission-plans").json["items"]
    assert plan["is_default"]
    assert [rule["words"] for rule in plan["versions"][0]["rules"]] == [
        "default",
        "category:eggs+level:gold",
    ]


def test_a_leader_is_paid_by_bank_file(
    world: World, time: Clock, shell: Shell, tmp_path: Path
) -> None:
    (sale,) = earned(world, time, 3)
    written = shell.paste(*commands("payouts.md"), LEADER=sale.leader_id)
    assert "Lena Wolf,3000,3.00,0.00,EUR" in written
    assert "<IBAN>DE89370400440532013000</IBAN>" in (tmp_path / "payouts.xml").read_text()
    (listed,) = world.operator.get("/v1/payout-batches").json["items"]
    batch = read(world, listed)
    assert (batch["status"], batch["results"]["paid_amount"]) == ("closed", 300)


def test_suppliers_names_come_as_a_table(world: World, shell: Shell, tmp_path: Path) -> None:
    supplier_id = world.add_supplier()
    names, _ = commands("books.md", "sh")
    shell.paste(names)
    (row,) = csv.reader((tmp_path / "names.csv").read_text().splitlines())
    assert row == [supplier_id, world.operator.get(f"/v1/suppliers/{supplier_id}").json["name"]]


def test_a_day_s_journal_comes_in_parts_until_there_are_no_more(
    world: World, time: Clock, shell: Shell, tmp_path: Path
) -> None:
    (parcel,) = world.delivered_order(world.sale())["dispatches"][0]["parcels"]
    today = clock.business_date(time.now(), settings().zone)
    _, journal = commands("books.md", "sh")
    shell.paste(journal.replace("2026-03-17", str(today)))
    assert f"delivered:{parcel['id']}" in (tmp_path / "night.beancount").read_text()
