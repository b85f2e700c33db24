"""The local stack, there or away: `python -m infra.local.deploy {up|down|down-all}`.

`PORT` in the environment chooses its port. `up` takes parameters of the template, as Name=value.
"""

import sys
from collections.abc import Callable

from botocore.exceptions import ClientError

from infra.failures import Fixable, exit_code_of
from infra.local import cloud as local_cloud
from infra.local.cloud import Cloud, chosen_port
from infra.local.stack import LocalStack, down, down_all, make_current, ports_up, up
from infra.stages import given

DEFAULT_PORT = 4566


def bring_up(**parameters: str) -> LocalStack:
    """The stack as the checkout has it now. What Ctrl-C leaves half made goes away again."""
    cloud = chosen()
    try:
        stack = up(cloud, **parameters)
    except KeyboardInterrupt:
        if not cloud.deployed.exists():
            local_cloud.stop(cloud)
        raise
    make_current(stack)
    print(f"the local stack is up at {stack.base_url}", flush=True)
    print(f"the page for suppliers is {stack.base_url}/supplier", flush=True)
    return stack


def bring_up_empty() -> LocalStack:
    """A new stack; one that was up on the same port goes away, data and all."""
    cloud = chosen()
    if local_cloud.running_pid(cloud):
        print(f"clearing the stack on {cloud.port} ...", flush=True)
    down(cloud)
    return bring_up()


def bring_down() -> None:
    cloud = chosen()
    was_up = local_cloud.running_pid(cloud)
    down(cloud)
    if was_up:
        print(f"The stack on {cloud.port} is down.")
        return
    print(f"No stack is up on {cloud.port}.")
    for other in ports_up():
        print(f"There is one on {other}: `make down PORT={other}` takes it away.")


def chosen() -> Cloud:
    return Cloud(chosen_port() or DEFAULT_PORT)


COMMANDS: dict[str, Callable[..., object]] = {
    "up": bring_up,
    "down": bring_down,
    "down-all": down_all,
}


def main() -> None:
    name, *arguments = sys.argv[1:] or [""]
    if name not in COMMANDS or (arguments and name != "up"):
        raise Fixable(f"say one of: {', '.join(COMMANDS)}")
    try:
        COMMANDS[name](**given(arguments))
    except ClientError as error:
        raise Fixable(f"the local cloud refused: {error}") from error


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
