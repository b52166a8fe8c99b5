"""What an engine says of an exec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def is_starting(found: Mapping[str, Any]) -> bool:
    """Whether the process is yet to be started: the engine calls it running from when it begins to try."""
    return bool(found.get("Running")) and not found.get("Pid")
