"""The local stack, there or away: `python -m infra.local.deploy {up|down|url|down-all} ...`.

`PORT` in the environment chooses its port. Several commands are done one after another.
"""

import os
import sys
from collections.abc import Callable

from infra.failures import Fixable, exit_code_of
from infra.local.cloud import Cloud
from infra.local.stack import current, down, down_all, make_current, up

DEFAULT_PORT = 4566


def bring_up() -> None:
    stack = up(chosen())
    make_current(stack)
    print(f"the local stack is up at {stack.base_url}")


def bring_down() -> None:
    down(chosen())


def print_url() -> None:
    print(current().base_url)


COMMANDS: dict[str, Callable[[], None]] = {
    "up": bring_up,
    "down": bring_down,
    "url": print_url,
    "down-all": down_all,
}


def chosen() -> Cloud:
    text = os.environ.get("PORT") or str(DEFAULT_PORT)
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise Fixable(f"PORT is a number from 1 to 65535, not {text!r}")
    return Cloud(int(text))


def main() -> None:
    names = sys.argv[1:]
    if not names or not set(names) <= set(COMMANDS):
        raise Fixable(f"say one or more of: {', '.join(COMMANDS)}")
    for name in names:
        COMMANDS[name]()


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
