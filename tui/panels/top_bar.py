"""The line at the top: which platform this is, what of it works, and how many deployments it has."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.style import Style
from rich.text import Text
from textual.widgets import Static

from tui.presentation.words import status_sign
from widgets.style_tokens import token_style

if TYPE_CHECKING:
    from tui.client.live import LiveState

GO_TO_TERMINALS = Style(meta={"@click": "screen.terminals"})
_COUNTED = ("running", "failed", "stopped")
_SIGNS = {"ok": "●", "starting": "◌", "down": "✖"}


class TopBar(Static):
    """Redrawn only when something that it shows changed."""

    def __init__(self, context: str) -> None:
        super().__init__(id="top-bar")
        self._context_name = context
        self._shown: tuple[object, ...] | None = None
        self._state: LiveState | None = None
        self._terminals = (0, False)

    def on_mount(self) -> None:
        self._paint()
        self.app.theme_changed_signal.subscribe(self, lambda _: self._paint())

    def show(self, state: LiveState) -> None:
        """Takes the last known state."""
        self._state = state
        system = state.system
        parts = (system.engine.status, system.ingress.status, system.storage.status) if system else ()
        counts = Counter(deployment.status for deployment in state.deployments.values())
        shown = (parts, tuple(sorted(counts.items())), state.stale, state.known, system and system.engine_version)
        if shown != self._shown:
            self._shown = shown
            self._paint()

    def show_terminals(self, count: int, *, bell: bool) -> None:
        """Terminals that go on behind this screen; a click goes there."""
        if (count, bell) != self._terminals:
            self._terminals = (count, bell)
            self._paint()

    def on_resize(self) -> None:
        self._paint()

    def _paint(self) -> None:
        # The first paint comes before the layout, which gives the bar the whole width.
        width = max(20, (self.size.width or self.app.size.width - self.gutter.width) - 2)
        left, right = self._left(width), self._right(width)
        gap = width - left.cell_len - right.cell_len
        if gap < 1:
            left.truncate(max(0, width - right.cell_len - 1), overflow="ellipsis")
            gap = width - left.cell_len - right.cell_len
        self.update(Text.assemble(left, " " * max(1, gap), right, no_wrap=True))

    def _left(self, width: int) -> Text:
        text = Text("⎈ Pilothouse", style="bold")
        text.append(f"  {self._context_name}", token_style(self, "muted"))
        system = self._state.system if self._state else None
        if system is None:
            return text
        engine = f"engine {system.engine_version}" if system.engine_version and width > 90 else "engine"
        for label, component in (
            (engine, system.engine),
            (f"ingress :{system.ingress_port}", system.ingress),
            ("storage", system.storage),
        ):
            if label == "storage" and component.status == "ok" and width < 100:
                continue
            text.append("  ")
            text.append(f"{_SIGNS.get(component.status, '?')} ", token_style(self, f"component-{component.status}"))
            text.append(
                label, token_style(self, "muted" if component.status == "ok" else f"component-{component.status}")
            )
        return text

    def _right(self, width: int) -> Text:
        state = self._state
        if state is None or not state.known:
            return Text("connecting", token_style(self, "muted"))
        text = Text()
        terminals, bell = self._terminals
        if terminals:
            word = ("terminal" if terminals == 1 else "terminals") if width > 90 else ""
            look = token_style(self, "status-pending" if bell else "muted")
            text.append(f"▣ {terminals} {word}".rstrip() + ("!" if bell else ""), look + GO_TO_TERMINALS)
            text.append("  ")
        counts = Counter(deployment.status for deployment in state.deployments.values())
        busy = sum(counts.values()) - sum(counts[status] for status in _COUNTED)
        for word, count in (*((status, counts[status]) for status in _COUNTED), ("busy", busy)):
            if count:
                status = "updating" if word == "busy" else word
                label = f"{count} {word}  " if width > 90 else f"{status_sign(status)}{count}  "
                text.append(label, token_style(self, f"status-{status}"))
        if state.stale:
            text.append("◌ stale", token_style(self, "status-pending"))
        else:
            text.append("● live", token_style(self, "component-ok"))
        return text
