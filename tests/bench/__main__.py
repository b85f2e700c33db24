"""What an order, a hot SKU, a webhook, a cold start and a settlement cost: `make bench`.

Ends with 1 where a target is missed.
"""

import sys
from collections.abc import Mapping

from rich.console import Console

from infra.failures import Fixable, exit_code_of
from infra.local import stack as local
from infra.local.stack import LocalStack, local_stack
from tests.bench import imports
from tests.bench.figures import Figure, missed, table
from tests.bench.process import Say, measured_in_process
from tests.support.ministack_cloud import ministack_cloud


def measure(say: Say) -> list[Figure]:
    say("bringing up a local stack")
    with local_stack() as stack:
        api, settle = stack.environment(), stack.environment("SettlementSettle")
        attempt = {**api, **stack.environment("WebhookAttempt")}
        return [
            *measured_in_process("tests.bench.placing", api, say),
            *measured_in_process("tests.bench.hottest", api, say),
            *measured_in_process("tests.bench.selling", api, say),
            *measured_in_process("tests.bench.settling", settle, say),
            *night(stack, api, say),
            *measured_in_process("tests.bench.folding", api, say),
            *measured_in_process("tests.bench.delivering", attempt, say),
            *measured_in_process("tests.bench.telling", attempt, say),
            *imports.measure(local.STAGE, api, say),
        ]


def night(stack: LocalStack, api: Mapping[str, str], say: Say) -> list[Figure]:
    """On tables of its own, whose runs the deployed watch does not see to."""
    with ministack_cloud(stack) as copies:
        return measured_in_process("tests.bench.nightly", {**api, **copies}, say)


def main() -> None:
    progress = Console(stderr=True)
    with progress.status("") as status:
        figures = measure(status.update if progress.is_terminal else progress.print)
    Console().print(table(figures))
    if misses := missed(figures):
        names = "; ".join(f"{each.group.lower()}: {each.what.strip()}" for each in misses)
        raise Fixable(f"{len(misses)} missed: {names}")


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
