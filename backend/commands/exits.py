"""Exit codes, and how commands speak to people."""

from __future__ import annotations

import sys

DONE = 0
FAILED = 1
WRONG_USE = 2
STATE = 3  # already running, or not running


def complain(message: str) -> None:
    """A line, or several, on stderr."""
    for line in message.splitlines():
        print(f"pilothouse: {line}", file=sys.stderr)
