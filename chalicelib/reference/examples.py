"""One example for each shape that callers send or read, by the name of its model."""

from typing import Any

EXAMPLES: dict[str, Any] = {}
