"""One example for each shape that callers send or read, by the name of its model.

They tell one story: two suppliers, one community, one order of eggs and bread, and the night after.
"""

from typing import Any

from chalicelib.reference.examples import (
    books,
    buying,
    people,
    plans,
    running,
    selling,
    settling,
    shipping,
    telling,
)
from chalicelib.reference.examples.answers import ANSWERS, TEXTS
from chalicelib.reference.examples.told import TOLD

EXAMPLES: dict[str, Any] = {
    **books.EXAMPLES,
    **buying.EXAMPLES,
    **people.EXAMPLES,
    **plans.EXAMPLES,
    **running.EXAMPLES,
    **selling.EXAMPLES,
    **settling.EXAMPLES,
    **shipping.EXAMPLES,
    **telling.EXAMPLES,
}

__all__ = ["ANSWERS", "EXAMPLES", "TEXTS", "TOLD"]
