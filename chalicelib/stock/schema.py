"""Requests and answers about stock."""

from pydantic import Field, ValidationInfo, field_validator

from chalicelib.platform.schema import RequestModel, Units, View


class PutStock(RequestModel):
    on_hand: Units | None = Field(default=None, description="Unsold units.")
    physical: Units | None = Field(
        default=None,
        validate_default=True,
        description="A count that includes paid units that have not shipped.",
    )

    @field_validator("physical")
    @classmethod
    def _one_of_them(cls, physical: int | None, sent: ValidationInfo) -> int | None:
        if "on_hand" not in sent.data:
            return physical
        on_hand = sent.data["on_hand"]
        if on_hand is None and physical is None:
            raise ValueError("is required where on_hand is not sent")
        if on_hand is not None and physical is not None:
            raise ValueError("must not be sent together with on_hand")
        return physical


class StockView(View):
    sku_id: str
    on_hand: int
    reserved: int
    available: int
    committed: int
