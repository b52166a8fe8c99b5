"""The detail area: a tab per view of the selected deployment, each made when it is first looked at."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from rich.markup import escape
from textual import on
from textual.containers import Vertical
from textual.widget import Widget

from tui.panels.view import DetailContent, HintChanged

if TYPE_CHECKING:
    from tui.panels.view import DeploymentView

TABS = {
    "overview": ("2", "Overview", "tui.panels.overview", "OverviewPanel"),
    "logs": ("3", "Logs", "tui.panels.logs", "LogsPanel"),
    "metrics": ("4", "Metrics", "tui.panels.metrics", "MetricsPanel"),
    "terminal": ("5", "Terminal", "tui.panels.terminal", "TerminalPanel"),
    "history": ("6", "Why?", "tui.panels.history", "HistoryPanel"),
    "domains": ("7", "Domains", "tui.panels.domains", "DomainsPanel"),
}


class DetailPanel(Vertical):
    """Shows one tab at a time; the others keep what they have but do no work."""

    def __init__(self) -> None:
        super().__init__(id="detail", classes="panel")
        self.tab = "overview"
        self._made: dict[str, Widget] = {}
        self._view: DeploymentView | None = None

    def on_mount(self) -> None:
        self._paint_titles()

    def on_resize(self) -> None:
        self._paint_titles()

    @property
    def front(self) -> DetailContent | None:
        """The panel in front, where it has been made."""
        return cast("DetailContent | None", self._made.get(self.tab))

    @property
    def keeps_keys(self) -> bool:
        """Whether the focus is in something that takes every key, such as a shell."""
        focused = self.screen.focused
        return self.has_focus_within and focused is not None and focused is not self._made.get(self.tab)

    @property
    def hints_name(self) -> str:
        """Whose keys the footer names while the focus is here; empty where those of the app work."""
        if not self.has_focus_within:
            return ""
        if self.tab == "terminal":
            if getattr(self.front, "shell_ended", False):
                return "terminal_ended"
            return self.tab if self.keeps_keys else ""
        return self.tab

    def show_view(self, view: DeploymentView | None) -> None:
        """The selected deployment changed, or something about it."""
        self._view = view
        if self.front is not None:
            self.front.show_view(view)
        self._paint_titles()

    async def open_tab(self, name: str, *, focus: bool) -> None:
        """Brings a tab to the front, making it where needed."""
        if name != self.tab and self.front is not None:
            self.front.put_away()
        self.tab = name
        if name not in self._made:
            _, _, module, kind = TABS[name]
            panel: Widget = getattr(import_module(module), kind)()
            self._made[name] = panel
            await self.mount(panel)
        for other, panel in self._made.items():
            panel.display = other == name
        assert self.front is not None
        self.front.show_view(self._view)
        if focus:
            self.front.take_focus()
        self._paint_titles()

    def neighbour(self, step: int) -> str:
        """The name of the tab beside this one, around the ends."""
        names = list(TABS)
        return names[(names.index(self.tab) + step) % len(names)]

    @on(HintChanged)
    def _paint_titles(self) -> None:
        parts = []
        for name, (number, label, _, _) in TABS.items():
            # `why?` and brackets must not be read as markup.
            word = f"{number} {escape(label)}"
            word = f"[b $accent]{word}[/]" if name == self.tab else word
            parts.append(f"[@click=screen.show_panel('{name}')]{word}[/]")
        # Where not all fit beside the list, the lines between them go.
        width = sum(len(number) + len(label) + 1 for number, label, *_ in TABS.values()) + 3 * (len(TABS) - 1)
        title = (" │ " if self.size.width >= width else "  " if self.size.width >= width - len(TABS) else " ").join(
            parts
        )
        if title != self.border_title:
            self.border_title = title
        deployment = self._view.deployment if self._view else None
        hint = self.front.hint if self.front else ""
        name = escape(deployment.app_name) if deployment else ""
        subtitle = " · ".join(part for part in (name, hint) if part)
        if subtitle != self.border_subtitle:
            self.border_subtitle = subtitle
