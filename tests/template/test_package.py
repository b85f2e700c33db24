"""The real package, alone: each function's module imports with nothing else on the path."""

import platform
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from infra.package import Package

Json = dict[str, Any]

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


@pytest.fixture(scope="session")
def unpacked(packaged: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("package")
    with zipfile.ZipFile(packaged.code) as code:
        code.extractall(directory)
    return directory


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="the package holds what runs on Lambda's Linux",
)
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


def test_the_package_holds_only_the_application_and_what_it_needs(unpacked: Path) -> None:
    for absent in ("infra", "tests", "events", "docs", "moto", "pytest", "boto3_stubs"):
        assert not (unpacked / absent).exists()
    assert not list((unpacked / "chalicelib").rglob("__pycache__"))


def test_the_package_fits_into_lambda(unpacked: Path) -> None:
    size = sum(path.stat().st_size for path in unpacked.rglob("*") if path.is_file())
    assert size < 250 * 1024 * 1024
