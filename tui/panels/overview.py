"""Overview: the selected deployment at a glance."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui.actions import key_of
from tui.panels.styled import styled
from tui.presentation.overview import overview

if TYPE_CHECKING:
    from tui.app import PilothouseApp
    from tui.panels.view import DeploymentView
    from tui.presentation.overview import Line

AGES_SECONDS = 1.0
ELSEWHERE = (
    ("environments", "Development environments"),
    ("terminals", "Terminals: shells here, in containers, by ssh"),
    ("palette", "Search every command"),
    ("help", "All keys"),
)
"""Actions and their words for who has nothing deployed yet."""


class OverviewPanel(VerticalScroll):
    """Redrawn only when a line changed; ages are looked at once a second."""

    hint = ""
    app: PilothouseApp

    def __init__(self) -> None:
        super().__init__(id="overview")
        self._view: DeploymentView | None = None
        self._lines: list[Line] | None = None
        self._text = Static(id="overview-text")

    def compose(self) -> ComposeResult:
        yield self._text

    def on_mount(self) -> None:
        self.set_interval(AGES_SECONDS, self._paint)
        self.app.theme_changed_signal.subscribe(self, lambda _: self._paint(again=True))

    def show_view(self, view: DeploymentView | None) -> None:
        if view is not None and self._view is not None and view.deployment.id != self._view.deployment.id:
            self.scroll_home(animate=False)
        self._view = view
        self._paint()

    def put_away(self) -> None:
        """Nothing runs here but the clock."""

    def take_focus(self) -> None:
        self.screen.set_focus(self)

    def _paint(self, *, again: bool = False) -> None:
        if not self.display:
            return
        view = self._view
        lines: list[Line] = (
            overview(view.deployment, view.sample, datetime.now(UTC), stale=view.stale) if view else self._elsewhere()
        )
        if lines != self._lines or again:
            self._lines = lines
            self._text.update(styled(self, lines))

    def _elsewhere(self) -> list[Line]:
        """Nothing to tell of: where else one can go, since a narrow footer has no room for it."""
        preferences = self.app.preferences
        keys = [(key_of(name, preferences.keymap, preferences.keys), words) for name, words in ELSEWHERE]
        return [[("Nothing selected.", "muted")], [], *([(f"{key:<4}", "plot-1"), (words, "")] for key, words in keys)]
