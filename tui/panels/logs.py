"""Logs of the selected deployment: all replicas merged, followed while the tab is in front."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.timer import Timer

from tui.presentation.logs import local_time, short_replica
from widgets.log_view import LogLine, LogView

if TYPE_CHECKING:
    from backend.wire.pilothouse import LogRecordModel
    from tui.client.live import LiveFeed
    from tui.panels.view import DeploymentView

TAIL = 1000
# Holding j runs through the list: a subscription each would ask the engine for a thousand lines each.
SETTLE_SECONDS = 0.15


class LogsPanel(Vertical):
    """Keeps the lines of one deployment; another one selected begins anew."""

    hint = "all replicas"
    BINDINGS = [Binding("f", "screen.zoom", "Full screen", show=False)]

    def __init__(self) -> None:
        super().__init__(id="logs")
        self._view = LogView()
        self._feed: LiveFeed | None = None
        self._subscription: int | None = None
        self._deployment = ""
        self._settling: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self._view

    def show_view(self, view: DeploymentView | None) -> None:
        deployment = view.deployment.id if view else ""
        if deployment != self._deployment:
            self._end()
            self._deployment = deployment
            self._view.clear()
        self._view.idle_text = "" if view else "Nothing selected."
        if view is None or self._subscription is not None or self._settling is not None:
            return
        self._feed = view.backend.live
        self._settling = self.set_timer(SETTLE_SECONDS, self._follow)

    def put_away(self) -> None:
        """What was read stays; the lines in between are fetched when the tab comes back."""
        self._end()

    def take_focus(self) -> None:
        self._view.focus()

    def _follow(self) -> None:
        self._settling = None
        if self._feed is None or not self._deployment:
            return
        self._view.clear()
        self._subscription = self._feed.follow_logs(self._deployment, TAIL, self._lines_came, self._refused)

    def _end(self) -> None:
        if self._settling is not None:
            self._settling.stop()
            self._settling = None
        if self._feed is not None and self._subscription is not None:
            self._feed.unsubscribe(self._subscription)
        self._subscription = None

    def _lines_came(self, records: list[LogRecordModel], dropped: int) -> None:
        self._view.append([_line(record) for record in records], dropped=dropped)

    def _refused(self, message: str) -> None:
        self._subscription = None
        self._view.append([LogLine(timestamp="", level="error", source="", text=message)])

    @on(LogView.Copied)
    def _copied(self, event: LogView.Copied) -> None:
        lines = event.text.count("\n") + 1
        self.notify("The line is copied" if lines == 1 else f"{lines} lines are copied", timeout=3)


def _line(record: LogRecordModel) -> LogLine:
    return LogLine(
        timestamp=local_time(record.timestamp),
        level=record.level,
        source=short_replica(record.replica),
        text=record.message,
    )
