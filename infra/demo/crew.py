"""Eight clients at work, with bars that show how far they are."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

T = TypeVar("T")
R = TypeVar("R")

CLIENTS = 8
POLL_SECONDS = 0.7
STANDSTILL_SECONDS = 90.0
WIDTH_WITHOUT_TERMINAL = 110


class Standstill(Exception):
    """What was waited for no longer comes nearer."""


class Rate(ProgressColumn):
    """Items per second since the bar began."""

    def render(self, task: Task) -> Text:
        rate = task.completed / task.elapsed if task.elapsed else 0.0
        return Text(f"{rate:6.1f}/s", style="cyan")


def wide_console() -> Console:
    """The terminal; where there is none (a pipe, a log), wide enough for the tables."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH_WITHOUT_TERMINAL)


class Crew:
    """Runs work on many items at once. A failure stops what has not begun and is raised."""

    def __init__(self, console: Console, clients: int = CLIENTS) -> None:
        self._console = console
        self._clients = clients

    def each(self, title: str, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """What `work` returns for each item, in the items' order."""
        with self._bar() as bar, ThreadPoolExecutor(self._clients) as pool:
            task = bar.add_task(title, total=len(items))
            futures = [pool.submit(work, item) for item in items]
            try:
                for future in as_completed(futures):
                    future.result()
                    bar.advance(task)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return [future.result() for future in futures]

    def wait(self, title: str, total: int, reached: Callable[[], int]) -> None:
        """Asks `reached` until it answers `total`.

        Raises Standstill when the answer has not changed for 90 s.
        """
        with self._bar() as bar:
            task = bar.add_task(title, total=total)
            last, since = -1, time.monotonic()
            while (now := reached()) < total:
                bar.update(task, completed=now)
                if now != last:
                    last, since = now, time.monotonic()
                if time.monotonic() - since > STANDSTILL_SECONDS:
                    raise Standstill(f"{title}: {now} of {total} after {STANDSTILL_SECONDS:.0f} s")
                time.sleep(POLL_SECONDS)
            bar.update(task, completed=total)

    def _bar(self) -> Progress:
        return Progress(
            TextColumn("{task.description:<34}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            Rate(),
            TimeElapsedColumn(),
            console=self._console,
        )
