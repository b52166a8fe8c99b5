"""An embedded terminal for Textual, on pyte. It knows nothing of the app around it.

`Terminal` and `LocalPty` load on first use, so that `widgets.terminal.emulator` stays free of Textual.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from widgets.terminal.local_pty import LocalPty
    from widgets.terminal.source import SourceFactory, TerminalSource
    from widgets.terminal.widget import Terminal

__all__ = ["LocalPty", "SourceFactory", "Terminal", "TerminalSource"]

_HOMES = {"LocalPty": "local_pty", "SourceFactory": "source", "Terminal": "widget", "TerminalSource": "source"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
