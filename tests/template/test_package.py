"""The real package, alone: each function's module imports with nothing else on the path."""

import html
import json
import platform
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from chalicelib.entry import OF_ALL
from infra.package import Package
from tests.support.events import sample
from tests.support.roles import PAGES

Json = dict[str, Any]

REGION = {"AWS_DEFAULT_REGION": "us-east-1"}

IMPORT_ALONE = """
import importlib, os, sys
package, module, *functions = sys.argv[1:]
sys.path = [package, *(p for p in sys.path if "site-packages" not in p)]
found = importlib.import_module(module)
assert all(callable(getattr(found, name)) for name in functions)
foreign = [
    name for name, each in sys.modules.items()
    if "site-packages" in (getattr(each, "__file__", None) or "")
]
assert not foreign, foreign
"""

ASK = """
import json, sys
package, *asked = sys.argv[1:]
sys.path = [package, *(p for p in sys.path if "site-packages" not in p)]
from chalicelib.entry import api
for event in map(json.loads, asked):
    answer = api(event, None)
    loaded = [name for name in sys.modules if name.endswith(".routes")]
    print(json.dumps({"answer": answer["body"], "loaded": loaded}))
"""
LAMBDAS_LINUX = pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="the package holds what runs on Lambda's Linux",
)


@pytest.fixture(scope="session")
def unpacked(packaged: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("package")
    with zipfile.ZipFile(packaged.code) as code:
        code.extractall(directory)
    return directory


@LAMBDAS_LINUX
def test_every_handler_imports_from_the_package_alone(
    functions: Json, unpacked: Path, tmp_path: Path
) -> None:
    handlers: dict[str, list[str]] = {}
    for function in functions.values():
        module, _, name = function["Handler"].rpartition(".")
        handlers.setdefault(module, []).append(name)

    def failure_of(module: str) -> str:
        # Neither the environment nor any installed package is seen, and nothing is written there.
        alone = ("-I", "-S", "-X", f"pycache_prefix={tmp_path}")
        command = [sys.executable, *alone, "-c", IMPORT_ALONE, str(unpacked), module]
        done = subprocess.run(command + handlers[module], capture_output=True, text=True, env={})
        return done.stderr

    with ThreadPoolExecutor(2) as pool:
        failures = dict(zip(handlers, pool.map(failure_of, handlers), strict=True))
    assert {module: text for module, text in failures.items() if text} == {}


def asked(path: str) -> str:
    """An event of the gateway's, as text."""
    event = sample("api")
    context = {**event["requestContext"], "resourcePath": path, "httpMethod": "GET"}
    return json.dumps({**event, "path": path, "httpMethod": "GET", "requestContext": context})


@LAMBDAS_LINUX
def test_the_api_loads_what_a_path_needs_and_describes_all(unpacked: Path, tmp_path: Path) -> None:
    from app import app

    alone = ("-I", "-S", "-X", f"pycache_prefix={tmp_path}")
    events = [asked("/health"), asked("/docs"), asked("/openapi.json")]
    command = [sys.executable, *alone, "-c", ASK, str(unpacked), *events]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=REGION)
    answers = [json.loads(each) for each in done.stdout.splitlines() if '"answer"' in each]
    health, page, described = answers
    assert json.loads(health["answer"])["status"] == "ok"
    assert health["loaded"] == ["chalicelib.reference.routes"]
    paths = app.routes.keys() - {path for _, path in PAGES}
    assert json.loads(described["answer"])["paths"].keys() == paths
    assert [path for path in paths if html.escape(path) not in page["answer"]] == []


def test_a_path_is_answered_by_the_modules_that_have_its_routes(unpacked: Path) -> None:
    from app import app

    index = json.loads((unpacked / "chalicelib" / "routes.json").read_text())
    assert index.keys() == app.routes.keys()
    for path, methods in app.routes.items():
        modules = {each.view_function.__module__ for each in methods.values()}
        assert set(index[path]) >= modules
        assert path in OF_ALL or set(index[path]) == modules


def test_the_package_holds_only_the_application_and_what_it_needs(unpacked: Path) -> None:
    for absent in ("infra", "tests", "events", "docs", "moto", "pytest", "boto3_stubs"):
        assert not (unpacked / absent).exists()
    assert not list((unpacked / "chalicelib").rglob("__pycache__"))


def test_the_package_fits_into_lambda(unpacked: Path) -> None:
    size = sum(path.stat().st_size for path in unpacked.rglob("*") if path.is_file())
    assert size < 250 * 1024 * 1024
