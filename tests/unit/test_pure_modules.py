"""What says of itself that it is pure knows no library and no cloud, by whatever way."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

from chalicelib import kernel

SOURCES = Path(kernel.__file__).parents[1]
IMPURE = {"aws_lambda_powertools", "boto3", "botocore", "chalice", "jwt", "pydantic", "pynamodb"}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("chalicelib", include_external_packages=True)


def pure_modules() -> Iterator[str]:
    for path in sorted(SOURCES.rglob("*.py")):
        said = ast.get_docstring(ast.parse(path.read_text())) or ""
        if re.search(r"\bPure\b", said):
            name = ".".join(path.relative_to(SOURCES.parent).with_suffix("").parts)
            yield name.removesuffix(".__init__")


def impure(graph: grimp.ImportGraph, module: str) -> set[str]:
    known = graph.find_upstream_modules(module)
    return {each for each in known if each in IMPURE or each.startswith("chalicelib.platform")}


def test_what_is_pure_knows_no_library_and_no_cloud(graph: grimp.ImportGraph) -> None:
    modules = list(pure_modules())
    assert {"chalicelib.ordering.held_units", "chalicelib.reconciliation.matching"} <= {*modules}
    assert {name: found for name in modules if (found := impure(graph, name))} == {}


def test_control_a_store_is_not_pure(graph: grimp.ImportGraph) -> None:
    assert "pynamodb" in impure(graph, "chalicelib.ordering.store")
