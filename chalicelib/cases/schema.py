"""Requests and answers about cases."""

from pydantic import Field

from chalicelib.cases.rules import CaseKind, CaseStatus
from chalicelib.platform.schema import Instant, LongText, PageQuery, RequestModel, View


class ResolveCase(RequestModel):
    note: LongText


class CasesQuery(PageQuery):
    status: CaseStatus | None = Field(default=None, description="Only those that are in it.")


class CaseView(View):
    id: str
    kind: CaseKind
    subject: str
    detail: str
    status: CaseStatus
    opened_at: Instant
    note: str | None
    resolved_at: Instant | None
    resolved_by: str | None = Field(
        description="The operator; null where what it is about was settled, which says by whom."
    )
