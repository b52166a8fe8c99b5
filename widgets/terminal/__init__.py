"""An embedded terminal for Textual, on pyte. It knows nothing of the app around it.

What is named here loads on first use, so that `widgets.terminal.emulator` stays free of Textual.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from widgets.terminal.commands import TerminalCommand
    from widgets.terminal.link_dialog import LinkChoice, LinkDialog
    from widgets.terminal.local_pty import LocalPty
    from widgets.terminal.source import SourceFactory, TerminalSource
    from widgets.terminal.terminal_pane import TerminalPlan
    from widgets.terminal.widget import Terminal
    from widgets.terminal.workspace import Workspace

__all__ = [
    "LinkChoice",
    "LinkDialog",
    "LocalPty",
    "SourceFactory",
    "Terminal",
    "TerminalCommand",
    "TerminalPlan",
    "TerminalSource",
    "Workspace",
]

_HOMES = {
    "LinkChoice": "link_dialog",
    "LinkDialog": "link_dialog",
    "LocalPty": "local_pty",
    "SourceFactory": "source",
    "Terminal": "widget",
    "TerminalCommand": "commands",
    "TerminalPlan": "terminal_pane",
    "TerminalSource": "source",
    "Workspace": "workspace",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
