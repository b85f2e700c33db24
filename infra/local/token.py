"""Prints a token for the local stack: `python -m infra.local.token ROLE SUB`."""

import argparse
import sys

from infra.failures import exit_code_of
from infra.local.credentials import ROLES, token


def main() -> None:
    parser = argparse.ArgumentParser(prog="make token", description=__doc__)
    parser.add_argument("role", help=f"ROLE: {', '.join(ROLES)}")
    parser.add_argument("sub", help="SUB: whom the token names; for a leader, the leader's id")
    arguments = parser.parse_args()
    print(token(arguments.role, arguments.sub))


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
