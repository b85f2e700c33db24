"""Failures that are the caller's to mend, told in one line with the fix and no trace."""

import sys
from collections.abc import Callable


class Fixable(Exception):
    """Something a person can put right; the message says how."""


def exit_code_of(run: Callable[[], None]) -> int:
    """Run a command; print what can be mended instead of a traceback."""
    try:
        run()
    except Fixable as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
