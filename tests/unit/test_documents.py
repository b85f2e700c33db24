"""What the documents say is so: links lead somewhere, targets exist, the receiver receives."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from standardwebhooks import Webhook

from chalicelib.cases.rules import CaseKind
from chalicelib.reference.examples import EXAMPLES
from tests.support.receivers import post, receiver

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
SECRET = "whsec_c2VjcmV0LW9mLXRoZS1yZWFkbWUtdGVzdA=="


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file(document: Path) -> None:
    targets = re.findall(r"\]\((?!http)([^)#]+)[^)]*\)", document.read_text())
    missing = [target for target in targets if not (document.parent / target).exists()]
    assert missing == []


def test_operators_are_told_what_to_do_in_each_case() -> None:
    table = re.findall(
        r"^\| (`.*?) \|", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE
    )
    told = {word for row in table for word in re.findall(r"`([a-z_]+)`", row)}
    assert set(get_args(CaseKind)) <= told


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_exists(document: Path) -> None:
    named = set(re.findall(r"`?make ([a-z]+)\b", "\n".join(_code(document.read_text()))))
    made = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named <= made


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_call_the_api_by_one_name_and_need_no_other_tool(document: Path) -> None:
    commands = re.findall(r"```(?:bash|sh|console)\n(.*?)```", document.read_text(), re.DOTALL)
    assert set(re.findall(r"\$(\w+)/v1/", "\n".join(commands))) <= {"BASE_URL"}
    assert re.findall(r"\b(?:jq|uuidgen|wget)\b|\.\.\.$", "\n".join(commands), re.MULTILINE) == []


def test_answers_that_documents_show_are_those_of_the_api() -> None:
    shown = [
        (document.name, name, json.loads(answer))
        for document in DOCUMENTS
        for name, answer in re.findall(
            r"<!-- an answer: (\w+) -->\n```json\n(.*?)\n```", document.read_text(), re.DOTALL
        )
    ]
    assert {(name, view) for name, view, _ in shown} == {
        ("settlement.md", "StatementView"),
        ("settlement.md", "OpenStatementView"),
        ("settlement.md", "LineExplainedView"),
        ("plans.md", "SimulationView"),
    }
    for _, view, answer in shown:
        assert answer == EXAMPLES[view], view


def test_the_receiver_of_the_readme_takes_what_is_signed_and_refuses_the_rest(
    tmp_path: Path,
) -> None:
    body = '{"type":"ping","data":{"note":"grüße"}}'
    now = datetime.now(UTC)
    signature = Webhook(SECRET).sign(msg_id="whd_1", timestamp=now, data=body)
    headers = {
        "webhook-id": "whd_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
    with receiver("README.md", "python", tmp_path, SECRET) as port:
        assert post(port, body.encode(), headers) == 204
        assert post(port, body.encode() + b" ", headers) == 400


def _code(text: str) -> list[str]:
    """Code blocks and spans, where a command is meant as one."""
    return re.findall(r"```[^`]*```|`[^`]+`", text)
