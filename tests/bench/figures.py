"""What is measured against what, and the table that says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """A measured number and what it may be at most, or has to be at least.

    Without a target it only explains another.
    """

    group: str
    what: str
    measured: float
    target: float | None = None
    unit: str = ""
    at_least: bool = False

    @property
    def met(self) -> bool:
        if self.target is None:
            return True
        return self.measured >= self.target if self.at_least else self.measured <= self.target

    @property
    def is_target(self) -> bool:
        return self.target is not None


def ratio(measured: Sequence[float], base: Sequence[float]) -> float:
    """The median over the rounds, so that one disturbed round decides nothing."""
    return median(one / other for one, other in zip(measured, base, strict=True))


def explained(group: str, parts: Mapping[str, float]) -> list[Figure]:
    """Rows without a target that say what a number is made of, the largest first."""
    largest_first = sorted(parts.items(), key=lambda part: (-part[1], part[0]))
    return [Figure(group, f"  of which {name}", n) for name, n in largest_first]


def missed(figures: Sequence[Figure]) -> list[Figure]:
    return [figure for figure in figures if not figure.met]


def table(figures: Sequence[Figure]) -> Table:
    shown = Table(title="What it costs", title_justify="left", title_style="bold")
    shown.add_column("Figure")
    for heading in ("Measured", "At most", "Met"):
        shown.add_column(heading, justify="right", no_wrap=True)
    group = ""
    for figure in figures:
        if figure.group != group:
            group = figure.group
            shown.add_section()
            shown.add_row(f"[bold]{group}[/bold]", "", "", "")
        shown.add_row(*_cells(figure), style=None if figure.is_target else "dim")
    return shown


def _cells(figure: Figure) -> tuple[str, str, str, str]:
    target = "" if figure.target is None else _number(figure.target, figure.unit)
    if figure.at_least:
        target = f"at least {target}"
    verdict = "[green]yes[/green]" if figure.met else "[bold red]no[/bold red]"
    return (
        f"  {figure.what}",
        _number(figure.measured, figure.unit),
        target,
        verdict if figure.is_target else "",
    )


def _number(n: float, unit: str) -> str:
    digits = f"{n:.2f}" if unit == "x" else f"{n:g}"
    return f"{digits} {unit}".strip()
