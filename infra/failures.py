"""Failures that are the caller's to mend, told in one line with the fix and no trace."""

import os
import sys
from collections.abc import Callable


class Fixable(Exception):
    """Something a person can put right; the message says how."""


def exit_code_of(run: Callable[[], None]) -> int:
    """Run a command; print what can be mended instead of a traceback."""
    try:
        run()
        sys.stdout.flush()
    except Fixable as problem:
        print(problem, file=sys.stderr)
        return 1
    except BrokenPipeError:
        # A reader such as `head` has enough; what is still buffered is for nobody.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
