"""What shall the terminal be? Replicas, environments, this machine, hosts, recordings: type to narrow the list."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui.presentation.terminals import (
    CAST_SUFFIX,
    TerminalChoice,
    environment_choices,
    filtered,
    other_choices,
    replica_choices,
)
from widgets.style_tokens import token_style
from widgets.terminal.ssh_hosts import ssh_hosts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backend.wire.pilothouse import DeploymentModel
    from backend.wire.pilothouse_environments import EnvironmentModel

MOST_RECORDINGS = 30


class NewTerminalScreen(ModalScreen[TerminalChoice | None]):
    """Dismisses with what was chosen, or None."""

    CSS_PATH = "new_terminal.tcss"
    BINDINGS = [
        Binding("escape", "dismiss", "Close", show=False),
        Binding("down,ctrl+n", "by(1)", show=False, priority=True),
        Binding("up,ctrl+p", "by(-1)", show=False, priority=True),
    ]
    AUTO_FOCUS = "Input"

    def __init__(self, deployments: Sequence[DeploymentModel], recordings: Path) -> None:
        super().__init__(classes="dialog")
        self._recordings = recordings
        self._replicas = replica_choices(deployments)
        self._environments: list[TerminalChoice] = []
        self._others = other_choices((), ())
        self._shown: list[TerminalChoice] = []
        self._input = Input(placeholder="Type to narrow, or user@host", compact=True)
        self._list = OptionList(id="choices")

    def compose(self) -> ComposeResult:
        with Vertical(id="choices-box", classes="panel") as box:
            box.border_title = "New terminal"
            box.border_subtitle = "Enter opens · Esc closes"
            yield self._input
            yield self._list

    def on_mount(self) -> None:
        self._list.can_focus = False
        self._fill()
        self.run_worker(self._look_around())

    async def _look_around(self) -> None:
        """Files may be on a slow disk: the list is there before them."""
        hosts, recordings = await asyncio.to_thread(lambda: (ssh_hosts(), _recordings_in(self._recordings)))
        self._others = other_choices(hosts, recordings)
        self._fill()

    def show_environments(self, environments: Iterable[EnvironmentModel]) -> None:
        """They are told by the backend, later than the rest is there."""
        self._environments = environment_choices(environments)
        if self.is_mounted:
            self._fill()

    @on(Input.Changed)
    def _fill(self) -> None:
        at = self._list.highlighted
        before = self._shown[at] if at is not None and at < len(self._shown) else None
        self._shown = filtered([*self._replicas, *self._environments, *self._others], self._input.value)
        muted = token_style(self, "muted")
        self._list.clear_options()
        self._list.add_options(
            [Option(Content.assemble(choice.label, ("  " + choice.detail, str(muted)))) for choice in self._shown]
            or [Option("Nothing is called so", disabled=True)]
        )
        self._list.highlighted = self._shown.index(before) if before in self._shown else 0

    def action_by(self, step: int) -> None:
        at = self._list.highlighted
        if at is not None and self._shown:
            self._list.highlighted = min(max(0, at + step), len(self._shown) - 1)

    @on(Input.Submitted)
    def _entered(self) -> None:
        at = self._list.highlighted
        if at is not None and at < len(self._shown):
            self.dismiss(self._shown[at])

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        if event.option_index < len(self._shown):
            self.dismiss(self._shown[event.option_index])

    def on_click(self, event: events.Click) -> None:
        """A click into the list keeps the cursor in the line."""
        self.set_focus(self._input)


def _recordings_in(folder: Path) -> list[str]:
    """The newest first; their names begin with their time."""
    try:
        names = sorted((path.name for path in folder.iterdir() if path.suffix == CAST_SUFFIX), reverse=True)
    except OSError:
        return []  # none has been made yet
    return [str(folder / name) for name in names[:MOST_RECORDINGS]]
