"""Runs a module that Ctrl-C ends with a sentence: `python -m infra.local.stoppable MODULE ...`.

Imports little before it is ready for the signal; what starts it ignores SIGINT until then.
"""

import os
import runpy
import signal
import sys
import threading
from types import FrameType


class Stop:
    """Whether somebody asked to stop. An exception on its way may be replaced by another one."""

    asked = False

    def ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        raise KeyboardInterrupt


def main() -> None:
    stop = Stop()
    signal.signal(signal.SIGINT, stop.ask)
    sys.unraisablehook = raise_again
    sys.argv = sys.argv[1:]
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except BaseException:
        if not stop.asked:
            raise
        end()


def raise_again(unraisable: "sys.UnraisableHookArgs") -> None:
    """An interrupt that fell into a destructor or a callback would be printed and forgotten."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        # Raised here it would be forgotten as well: once more when this has returned.
        threading.Timer(0.05, interrupt_main_thread).start()
    else:
        sys.__unraisablehook__(unraisable)


def interrupt_main_thread() -> None:
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def end() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print(farewell(os.environ.get("PORT", "")), file=sys.stderr, flush=True)
    # Threads that still wait for an answer would hold up a usual exit.
    os._exit(130)


def farewell(port: str) -> str:
    """What was stopped; for a target that works on a port, also what is up there."""
    from infra.local.cloud import Cloud, is_up

    if not port.isdigit():
        return "Stopped."
    if is_up(Cloud(int(port))):
        return f"Stopped. The stack on {port} is still up; `make down PORT={port}` takes it away."
    return f"Stopped. No stack is up on {port}."


if __name__ == "__main__":
    main()
