"""Where things are kept: the checkout, and what is built from it, which `make clean` removes."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT / ".local"


def port_directory(port: int) -> Path:
    """What belongs to the local cloud on one port: its log, pid, keys and addresses."""
    return LOCAL / str(port)
