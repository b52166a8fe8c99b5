"""What is on its way to the outer terminal."""

from __future__ import annotations

from queue import Queue
from typing import Any

from textual.app import App


def outer_is_behind(app: App[Any]) -> bool:
    """Whether what was painted before is still to be written: the outer terminal, or the line to it, is slower than we
    paint. Textual lets thirty writes wait, so that an echo would come after as many frames of a flood."""
    writer = getattr(app._driver, "_writer_thread", None)
    waiting: Queue[Any] | None = getattr(writer, "_queue", None)
    return waiting is not None and not waiting.empty()
