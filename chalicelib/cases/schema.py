"""Requests and answers about cases."""

from chalicelib.cases.rules import CaseKind, CaseStatus
from chalicelib.platform.schema import Instant, LongText, RequestModel, View


class ResolveCase(RequestModel):
    note: LongText


class CaseView(View):
    id: str
    kind: CaseKind
    subject: str
    detail: str
    status: CaseStatus
    opened_at: Instant
    note: str | None
    resolved_at: Instant | None
