"""Toasts that do not pile up: one that says the same as another takes its place."""

from __future__ import annotations

from textual.app import App
from textual.notifications import Notify


class Toasts(App[None]):
    """The part of the app that pops up what it has to say."""

    def on_notify(self, event: Notify) -> None:
        """Before the new one is shown, the same one goes, so that its time begins anew."""
        new = event.notification
        for shown in list(self._notifications):
            if (shown.title, shown.message, shown.severity) == (new.title, new.message, new.severity):
                self._unnotify(shown, refresh=False)
