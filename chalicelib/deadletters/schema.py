"""Requests and answers about dead letters."""

from typing import Annotated

from pydantic import Field

from chalicelib.platform.schema import Instant, RequestModel, View


class ShownQuery(RequestModel):
    limit: Annotated[int, Field(ge=1, le=100, description="How many messages are shown.")] = 20


class CauseView(View):
    detail: str = Field(description="A sentence for people.")
    failure: str | None = Field(
        description="What was raised; null where the worker was stopped before it could say."
    )
    behind: str | None = Field(description="What that came of, where it came of another failure.")
    failed_at: str | None
    trace: list[str] = Field(description="The places in the code, the innermost last.")


class DeadLetterView(View):
    id: str = Field(description="The `message_id` of its worker's log.")
    body: str = Field(description="The message as it came, the first 2000 characters.")
    parked_at: Instant
    cause: CauseView


class DeadLetterQueueView(View):
    queue: str
    count: int = Field(description="About how many lie there: SQS counts with a short delay.")
    redrivable: bool = Field(
        description="False for `schedules`: the next run does the same work again."
    )
    messages: list[DeadLetterView] = Field(description="The newest first.")


class RedrivenView(View):
    queue: str
    moved: int = Field(description="How many were sent back to the worker.")
    left: int = Field(description="About how many still lie there; ask again for them.")
