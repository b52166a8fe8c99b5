"""What programs in terminals want from the app, and the clipboard: all terminals' messages end here."""

from __future__ import annotations

import os
import sys
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tui.choices import Choices
from tui.presentation.addresses import over_ssh, shows_no_browser

if TYPE_CHECKING:
    from widgets.terminal.link_dialog import LinkChoice
    from widgets.terminal.messages import TerminalMessages

_WEB = ("http", "https")
_QUIET_SECONDS = 2.0
"""A program that copies or notifies again and again is told of once in this time."""


class TerminalRequests(Choices):
    """The part of the app that does what terminals only ask for."""

    _told_at = -_QUIET_SECONDS

    def copy_to_clipboard(self, text: str) -> None:
        """By OSC 52, through tmux and screen too, and by a program where that does not reach the clipboard."""
        super().copy_to_clipboard(text)
        if not self.is_headless and self._driver is not None:
            from tui.clipboard import copy_elsewhere, copy_sequence, passed_through

            self._driver.write(passed_through(copy_sequence(text), os.environ))
            self.run_worker(copy_elsewhere(text, dict(os.environ), self.notify), group="copy", exclusive=True)

    def on_terminal_copied(self) -> None:
        """The user copied."""
        self.notify("The selection is copied", timeout=2)

    def on_terminal_copy_requested(self, message: TerminalMessages.CopyRequested) -> None:
        """A program copied, as an editor does. The user is told: it may be one that was only looked at."""
        self.copy_to_clipboard(message.text)
        if self._may_tell():
            self.notify(f"The program copied {len(message.text):,} characters", timeout=3)

    def on_terminal_notified(self, message: TerminalMessages.Notified) -> None:
        """A program has something to say."""
        if self._may_tell():
            self.notify(message.text, title=message.title or message.terminal.emulator.title, markup=False)

    def _may_tell(self) -> bool:
        now = monotonic()
        if now - self._told_at < _QUIET_SECONDS:
            return False
        self._told_at = now
        return True

    def on_terminal_link_requested(self, message: TerminalMessages.LinkRequested) -> None:
        """Nothing is opened before its whole address was seen."""
        from widgets.terminal.link_dialog import LinkChoice, LinkDialog

        address = message.address

        def chosen(choice: LinkChoice | None) -> None:
            if choice is LinkChoice.OPEN:
                self._open_link(address)
            elif choice is LinkChoice.COPY:
                self._copy_link(address, "The address is copied.")

        self.push_screen(LinkDialog(address, message.shown), chosen)

    def _open_link(self, address: str) -> None:
        if not _is_web_page(address):
            self._copy_link(address, "Only web pages are opened from here; the address is copied.")
        elif over_ssh(os.environ) or shows_no_browser(os.environ, sys.platform):
            self._copy_link(address, "The address is copied. Open it where you have a browser.")
        else:
            self.open_url(address)
            self.notify(address, title="Opening in the browser", timeout=4, markup=False)

    def _copy_link(self, address: str, told: str) -> None:
        self.copy_to_clipboard(address)
        self.notify(told, timeout=4)


def _is_web_page(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme.lower() in _WEB and bool(parts.hostname)
    except ValueError:
        return False
