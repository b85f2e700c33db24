"""Ending the local cloud's processes."""

import subprocess
import sys
import time

from infra.local import cloud

# A parent that starts the leader of a group and never asks what became of it.
CARELESS = """
import subprocess, time
started = subprocess.Popen(["sleep", "60"], start_new_session=True)
print(started.pid, flush=True)
time.sleep(60)
"""


def test_what_has_ended_is_not_waited_for_though_its_parent_has_not_asked() -> None:
    command = [sys.executable, "-c", CARELESS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        try:
            assert parent.stdout
            leader = int(parent.stdout.readline())
            assert cloud.is_group_alive(leader)
            begun = time.monotonic()
            cloud.end_group(leader)
            assert time.monotonic() - begun < cloud.STOP_SECONDS / 2
            assert not cloud.is_group_alive(leader)
        finally:
            parent.kill()
