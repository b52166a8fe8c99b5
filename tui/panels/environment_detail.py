"""The selected environment: its overview with resources, and its log from the installation on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.markup import escape
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.timer import Timer
from textual.widgets import Static

from tui.panels.logs import SETTLE_SECONDS
from tui.panels.styled import styled
from tui.presentation.environments import overview
from tui.presentation.logs import local_time
from widgets.log_view import LogLine, LogView

if TYPE_CHECKING:
    from backend.wire.pilothouse import LogRecordModel
    from backend.wire.pilothouse_environments import EnvironmentModel, EnvironmentUsageModel
    from tui.client.live import LiveFeed
    from tui.presentation.overview import Line

AGES_SECONDS = 1.0
TABS = {"overview": ("2", "Overview"), "log": ("3", "Log")}


class EnvironmentDetail(Vertical):
    """One tab at a time. The log is followed only while it is in front."""

    def __init__(self) -> None:
        super().__init__(id="environment-detail", classes="panel")
        self.tab = "overview"
        self._environment: EnvironmentModel | None = None
        self._usage: EnvironmentUsageModel | None = None
        self._stale = False
        self._feed: LiveFeed | None = None
        self._subscription: int | None = None
        self._settling: Timer | None = None
        self._lines: list[Line] | None = None
        self._text = Static(id="environment-text")
        self._scroll = VerticalScroll(self._text, id="environment-overview")
        self.log_view = LogView()

    def compose(self) -> ComposeResult:
        yield self._scroll
        yield self.log_view

    def on_mount(self) -> None:
        self._arrange()
        self.set_interval(AGES_SECONDS, self._paint)
        self.app.theme_changed_signal.subscribe(self, lambda _: self._paint(again=True))

    def on_unmount(self) -> None:
        self._end()

    # --- what is shown ------------------------------------------------------------------------------------

    def show_environment(
        self,
        feed: LiveFeed | None,
        environment: EnvironmentModel | None,
        usage: EnvironmentUsageModel | None,
        *,
        stale: bool,
    ) -> None:
        """The selected environment changed, or something about it."""
        before = self._environment.id if self._environment else ""
        self._feed, self._environment, self._usage, self._stale = feed, environment, usage, stale
        if before != (environment.id if environment else ""):
            self._end()
            self.log_view.clear()
            self._scroll.scroll_home(animate=False)
        self.log_view.idle_text = "" if environment else "Nothing selected."
        self._follow_soon()
        self._paint()
        self._paint_title()

    def open_tab(self, name: str, *, focus: bool) -> None:
        self.tab = name
        self._arrange()
        self._follow_soon()
        self._paint()
        if focus and name == "log":
            self.log_view.focus()
        elif focus:
            self.screen.set_focus(self._scroll)

    def put_away(self) -> None:
        """Nobody looks: nothing is followed."""
        self._end()

    def _arrange(self) -> None:
        self._scroll.display = self.tab == "overview"
        self.log_view.display = self.tab == "log"
        self._paint_title()

    def _paint_title(self) -> None:
        parts = []
        for name, (number, label) in TABS.items():
            word = f"[b $accent]{number} {label}[/]" if name == self.tab else f"{number} {label}"
            parts.append(f"[@click=screen.env_panel('{name}')]{word}[/]")
        self.border_title = " │ ".join(parts)
        self.border_subtitle = escape(self._environment.name) if self._environment else ""

    def _paint(self, *, again: bool = False) -> None:
        if self.tab != "overview" or not self.display:
            return
        environment = self._environment
        lines: list[Line] = (
            overview(environment, self._usage, datetime.now(UTC), stale=self._stale)
            if environment
            else [[("Nothing selected.", "muted")]]
        )
        if lines != self._lines or again:
            self._lines = lines
            self._text.update(styled(self, lines))

    # --- the log ------------------------------------------------------------------------------------------

    def _follow_soon(self) -> None:
        """Holding j runs through the list: each environment's log is not asked for at once."""
        wanted = self.tab == "log" and self._environment is not None and self._feed is not None
        if not wanted:
            self._end()
        elif self._subscription is None and self._settling is None:
            self._settling = self.set_timer(SETTLE_SECONDS, self._follow)

    def _follow(self) -> None:
        self._settling = None
        if self._feed is None or self._environment is None:
            return
        self.log_view.clear()
        self._subscription = self._feed.follow_environment_logs(self._environment.id, self._lines_came, self._refused)

    def _end(self) -> None:
        if self._settling is not None:
            self._settling.stop()
            self._settling = None
        if self._feed is not None and self._subscription is not None:
            self._feed.unsubscribe(self._subscription)
        self._subscription = None

    def _lines_came(self, records: list[LogRecordModel], dropped: int) -> None:
        self.log_view.append(
            [
                LogLine(
                    timestamp=local_time(record.timestamp),
                    level=record.level,
                    source="install" if record.replica == "installation" else "",
                    text=record.message,
                )
                for record in records
            ],
            dropped=dropped,
        )

    def _refused(self, message: str) -> None:
        self._subscription = None
        self.log_view.append([LogLine(timestamp="", level="error", source="", text=message)])

    @on(LogView.Copied)
    def _copied(self, event: LogView.Copied) -> None:
        lines = event.text.count("\n") + 1
        self.notify("The line is copied" if lines == 1 else f"{lines} lines are copied", timeout=3)
