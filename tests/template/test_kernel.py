"""The kernel is standard library only; import-linter can forbid libraries only by name."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

KERNEL = Path(__file__).resolve().parents[2] / "chalicelib" / "kernel"


def test_the_kernel_imports_the_standard_library_and_itself() -> None:
    allowed = sys.stdlib_module_names | {"chalicelib"}
    for path in KERNEL.rglob("*.py"):
        for module in imported(path):
            root = module.partition(".")[0]
            assert root in allowed, f"{path.name} imports {module}"
            assert root != "chalicelib" or module.startswith("chalicelib.kernel")


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
