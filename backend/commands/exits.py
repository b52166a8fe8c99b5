"""Exit codes, and how commands speak to people."""

from __future__ import annotations

import sys
from pathlib import Path

DONE = 0
FAILED = 1
WRONG_USE = 2
STATE = 3  # already running, or not running


def complain(message: str) -> None:
    """A line, or several, on stderr."""
    for line in message.splitlines():
        print(f"pilothouse: {line}", file=sys.stderr)


def complain_of_data_dir(data_dir: Path, error: OSError) -> int:
    """Say that the data dir cannot be used; the exit code."""
    complain(f"the data dir {data_dir} cannot be used: {error}")
    return FAILED
