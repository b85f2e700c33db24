"""Templates become HTML; whatever a value holds is text in it, never markup."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from chalicelib.dispatch.picking import waiting_lines
from chalicelib.kernel import clock
from chalicelib.kernel.currencies import written
from chalicelib.portal import words

TEMPLATES = Path(__file__).with_name("templates")


def render(template: str, values: Mapping[str, Any]) -> str:
    return _environment().get_template(f"{template}.html.j2").render(values)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["at_home"] = at_home
    environment.filters["instant"] = clock.to_text
    environment.filters["day"] = day
    environment.filters["moment"] = clock.from_text
    environment.filters["money"] = written
    environment.filters["left"] = lambda until: left(until - clock.now())
    environment.filters["waiting_lines"] = waiting_lines
    environment.filters["state"] = words.state
    environment.filters["hearing"] = words.hearing
    environment.filters["contents"] = words.contents
    environment.filters["reason"] = words.reason
    environment.filters["if_missed"] = words.if_missed
    environment.filters["how"] = words.how
    environment.filters["how_kept"] = words.how_kept
    environment.filters["percent"] = words.percent
    environment.filters["on_missed"] = words.on_missed
    environment.filters["hours"] = words.hours
    environment.globals["REASONS"] = words.REASONS
    environment.globals["CLOCKS"] = words.CLOCKS
    environment.globals["ACCOUNTS"] = words.ACCOUNTS
    environment.tests["standing_still"] = words.stands_still
    environment.tests["over"] = lambda until: until <= clock.now()
    return environment


@jinja2.pass_context
def at_home(context: jinja2.runtime.Context, instant: datetime) -> str:
    """A time of day as people there write it, in the time zone that the page is shown in."""
    return instant.astimezone(context["zone"]).strftime("%a %d %b, %H:%M %Z")


def day(of: date) -> str:
    """A business date as people write it."""
    return f"{of:%d %b %Y}"


def left(time: timedelta) -> str:
    """How much time is left, or how late it is, in its two largest units."""
    minutes = abs(int(time.total_seconds())) // 60
    days, hours = minutes // (24 * 60), minutes // 60 % 24
    units = [(days, "d"), (hours, "h"), (minutes % 60, "min")]
    first = next((n for n, (count, _) in enumerate(units) if count), len(units) - 1)
    told = " ".join(f"{count} {name}" for count, name in units[first : first + 2])
    return f"{told} late" if time < timedelta() else f"{told} left"
