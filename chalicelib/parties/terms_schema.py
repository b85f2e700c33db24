"""Requests and answers about suppliers' terms."""

from itertools import pairwise
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import Field, ValidationInfo, field_validator

from chalicelib.parties import working_time
from chalicelib.parties.terms import STANDARD, USUAL, Mode, OnMissed, OpenHours, Terms
from chalicelib.platform.schema import (
    BusinessDate,
    ClosingTime,
    Instant,
    ModeName,
    PositiveAmount,
    RequestModel,
    View,
)

Hours = Annotated[int, Field(ge=1, le=720, description="In hours of the open time.")]
Span = Annotated[list[ClosingTime], Field(min_length=2, max_length=2)]
Spans = Annotated[list[Span], Field(max_length=6)]
MAX_MODES = 10
MAX_CLOSED_DAYS = 100
# What a machine calls its own zone, or none at all, names no place.
NOWHERE = {"Factory", "localtime"}


class ClocksIn(RequestModel):
    accept_by_hours: Hours = USUAL.accept_by_hours
    ship_by_hours: Hours = Field(default=USUAL.ship_by_hours, validate_default=True)
    deliver_by_hours: Hours = USUAL.deliver_by_hours
    on_missed: OnMissed = USUAL.on_missed
    fine_amount: PositiveAmount | None = Field(
        default=None, validate_default=True, description="For each clock; with `fine` alone."
    )

    @field_validator("ship_by_hours")
    @classmethod
    def _accepted_before(cls, hours: int, sent: ValidationInfo) -> int:
        if hours < sent.data.get("accept_by_hours", 0):
            raise ValueError("must not be less than accept_by_hours")
        return hours

    @field_validator("fine_amount")
    @classmethod
    def _with_a_fine(cls, amount: int | None, sent: ValidationInfo) -> int | None:
        fines = sent.data.get("on_missed") == "fine"
        if fines and amount is None:
            raise ValueError("is required where on_missed is fine")
        if not fines and amount is not None:
            raise ValueError("goes with on_missed fine alone")
        return amount


class ModeIn(ClocksIn):
    mode: ModeName

    @field_validator("mode")
    @classmethod
    def _another(cls, mode: str) -> str:
        if mode == STANDARD:
            raise ValueError("is the one whose clocks stand outside of modes")
        return mode


class WeeklyHoursIn(RequestModel):
    mon: Spans = Field(default=[])
    tue: Spans = Field(default=[])
    wed: Spans = Field(default=[])
    thu: Spans = Field(default=[])
    fri: Spans = Field(default=[])
    sat: Spans = Field(default=[])
    sun: Spans = Field(default=[])

    @field_validator(*working_time.DAYS)
    @classmethod
    def _in_order(cls, spans: list[list[str]]) -> list[list[str]]:
        for opens, closes in spans:
            if closes <= opens:
                raise ValueError(f"must close after it opens: {opens} to {closes} does not")
        for (_, closes), (opens, _) in pairwise(spans):
            if opens < closes:
                raise ValueError(f"must name its hours in order and once: {opens} overlaps")
        return spans


class SetTerms(ClocksIn):
    timezone: str = Field(default="UTC", description="Of the hours and days; an IANA name.")
    weekly_hours: WeeklyHoursIn | None = Field(
        default=None,
        description="When it is open, as `[opens, closes]` by day; left out, at all hours.",
    )
    closed_days: Annotated[list[BusinessDate], Field(max_length=MAX_CLOSED_DAYS)] = Field(
        default=[]
    )
    modes: Annotated[list[ModeIn], Field(max_length=MAX_MODES)] = Field(
        default=[], description="Other clocks for SKUs of another `fulfilment_mode`."
    )

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in available_timezones() - NOWHERE:
            raise ValueError("is not an IANA time zone such as Europe/Berlin")
        return name

    @field_validator("weekly_hours")
    @classmethod
    def _opens(cls, week: WeeklyHoursIn | None) -> WeeklyHoursIn | None:
        if week is not None and not any(getattr(week, day) for day in working_time.DAYS):
            raise ValueError("has no open hour: no clock would ever end")
        return week

    @field_validator("closed_days")
    @classmethod
    def _once(cls, days: list[str]) -> list[str]:
        if len(set(days)) < len(days):
            raise ValueError("must not name one day twice")
        return days

    @field_validator("modes")
    @classmethod
    def _one_each(cls, modes: list[ModeIn]) -> list[ModeIn]:
        if len({each.mode for each in modes}) < len(modes):
            raise ValueError("must not name one mode twice")
        return modes


class ClocksView(View):
    accept_by_hours: int
    ship_by_hours: int
    deliver_by_hours: int
    on_missed: OnMissed
    fine_amount: int | None


class ModeView(ClocksView):
    mode: str


class WeeklyHoursView(View):
    mon: list[list[str]]
    tue: list[list[str]]
    wed: list[list[str]]
    thu: list[list[str]]
    fri: list[list[str]]
    sat: list[list[str]]
    sun: list[list[str]]


class TermsView(ClocksView):
    supplier_id: str
    version: int = Field(description="0 where none were set; a dispatch keeps the one it has.")
    timezone: str
    weekly_hours: WeeklyHoursView | None
    closed_days: list[str]
    modes: list[ModeView]
    set_at: Instant | None


def terms_of(supplier_id: str, sent: SetTerms) -> Terms:
    """The terms that were sent, as if they were the first."""
    others = (_mode(each.mode, each) for each in sent.modes)
    week = sent.weekly_hours
    return Terms(
        supplier_id=supplier_id,
        modes=(_mode(STANDARD, sent), *others),
        timezone=sent.timezone,
        opening=tuple(
            OpenHours(day, opens, closes)
            for day in (working_time.DAYS if week else ())
            for opens, closes in getattr(week, day)
        ),
        closed_days=tuple(sent.closed_days),
    )


def shown(terms: Terms) -> TermsView:
    clocks, *others = ({**vars(each), "mode": each.name} for each in terms.modes)
    week = terms.week
    return TermsView(
        **{name: clocks[name] for name in ClocksView.model_fields},
        supplier_id=terms.supplier_id,
        version=terms.version,
        timezone=terms.timezone,
        weekly_hours=week and {day: week.get(day, ()) for day in working_time.DAYS},
        closed_days=terms.closed_days,
        modes=others,
        set_at=terms.set_at,
    )


def _mode(name: str, sent: ClocksIn) -> Mode:
    return Mode(name, **{each: getattr(sent, each) for each in ClocksIn.model_fields})
