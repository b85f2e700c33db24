"""Which units of an order a request is about, line by line."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from chalicelib.platform.schema import Identifier, Quantity, RequestModel

MAX_LINES = 50


class LineIn(RequestModel):
    sku_id: Identifier
    quantity: Quantity


def _each_sku_once(lines: list[LineIn]) -> list[LineIn]:
    if len({line.sku_id for line in lines}) < len(lines):
        raise ValueError("must not name one SKU twice; add the quantities up")
    return lines


_EachSkuOnce = AfterValidator(_each_sku_once)
Lines = Annotated[list[LineIn], Field(min_length=1, max_length=MAX_LINES), _EachSkuOnce]


def units_of(lines: Sequence[LineIn] | None) -> dict[str, int] | None:
    """The units by SKU; None where no lines are named."""
    return {line.sku_id: line.quantity for line in lines} if lines else None
