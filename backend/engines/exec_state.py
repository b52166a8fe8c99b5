"""What an engine says of an exec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def is_starting(found: Mapping[str, Any]) -> bool:
    """Whether the process is yet to be started, or could not be and the output that says so may be on its way. The
    engine calls an exec running from when it begins to try, and keeps the number of a process that ended."""
    return not found.get("Pid")
