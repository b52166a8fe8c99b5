"""Terminals in tabs and splits. It knows nothing of the app around it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, cast

from textual import events, on
from textual.widget import Widget
from textual.widgets import Input

from widgets.terminal.leader_menu import Entry, LeaderMenu
from widgets.terminal.pane import Pane, PaneTitle
from widgets.terminal.pane_area import PaneArea
from widgets.terminal.recorder import recording_path
from widgets.terminal.splits import Axis, Direction, moved, neighbour, stretched
from widgets.terminal.splits import Path as BorderPath
from widgets.terminal.tab_line import TabLine
from widgets.terminal.terminal_pane import TerminalPane
from widgets.terminal.workspace_commands import BY_KEY, BY_NAME, COMMANDS, LEADER, OF_TERMINAL, TAB_KEYS
from widgets.terminal.workspace_view import WorkspaceView

STEP: Final = 2
"""Cells by which a key moves a border."""


class Workspace(WorkspaceView):
    """Keys behind the leader key, the mouse and `run` do the same; `workspace_commands` names what. What the widget
    cannot do by itself it asks for by a message: another terminal, a confirmation, where to go when it is left."""

    class NewWanted(WorkspaceView.WorkspaceMessage):
        """The user wants another terminal; what it is to be must be asked."""

    class CloseWanted(WorkspaceView.WorkspaceMessage):
        """The user closes these, and something runs in them: `close` does it once that is confirmed."""

        def __init__(self, panes: Sequence[Pane]) -> None:
            super().__init__()
            self.panes = panes

    class LeaveWanted(WorkspaceView.WorkspaceMessage):
        """The user wants to be elsewhere; all goes on."""

    class PaletteWanted(WorkspaceView.WorkspaceMessage):
        """The user wants to search all that can be done: programs get the key that does it elsewhere."""

    class HelpWanted(WorkspaceView.WorkspaceMessage):
        """The user wants to read which keys there are."""

    def __init__(self, *, recordings: Path, empty_text: str = "No terminals", id: str | None = None) -> None:
        super().__init__(recordings=recordings, empty_text=empty_text, id=id)
        self._back_to: Widget | None = None

    # The leader key

    @property
    def choosing(self) -> bool:
        """Whether the next key is a command."""
        return bool(self._menu.display)

    def on_key(self, event: events.Key) -> None:
        """The leader key asks which command it is to be; escape leaves a name as it was."""
        if event.key == LEADER:
            event.stop()
            event.prevent_default()
            self.choose()
        elif event.key == "escape" and self._rename_line.display:
            event.stop()
            event.prevent_default()
            self._end_rename()

    def choose(self) -> None:
        """Show the menu; the next key is a command."""
        if not self.choosing:
            self._back_to = self.screen.focused
        entries: list[Entry] = [(each.name, *each.entry) for each in COMMANDS if each.in_menu]
        if len(self.tabs) > 1:
            entries.append(("", f"1-{min(9, len(self.tabs))}", "tab"))
        self._menu.show(entries, "Esc goes back to the terminal")
        self.screen.set_focus(self._menu)

    def _end_choice(self) -> None:
        """Back to where the focus was."""
        if not self.choosing:
            return
        back, self._back_to = self._back_to, None
        self._menu.display = False
        if back is not None and back is not self._menu and back.is_attached and back.focusable:
            self.screen.set_focus(back)
        else:
            self.take_focus()

    @on(LeaderMenu.Pressed)
    async def _key_chosen(self, event: LeaderMenu.Pressed) -> None:
        event.stop()
        if event.key in TAB_KEYS:
            self._end_choice()
            self.show_tab(TAB_KEYS[event.key])
        elif event.key in BY_KEY:
            await self._chosen(BY_KEY[event.key].name)
        elif event.key == "escape":
            self._end_choice()

    @on(LeaderMenu.Chosen)
    async def _entry_chosen(self, event: LeaderMenu.Chosen) -> None:
        event.stop()
        if event.name in BY_NAME:
            await self._chosen(event.name)

    async def _chosen(self, name: str) -> None:
        if not BY_NAME[name].repeats:
            self._end_choice()
        await self.run(name)

    @on(LeaderMenu.Left)
    def _menu_left(self, event: LeaderMenu.Left) -> None:
        event.stop()
        if not self._menu.has_focus:
            self._menu.display = False

    # Commands

    async def run(self, name: str) -> None:
        """Do a command by its name. Raises KeyError for an unknown one."""
        command = BY_NAME[name]
        verb, _, rest = command.name.partition("_")
        if name == "leave":
            self.post_message(self.LeaveWanted())
        elif name == "palette":
            self.post_message(self.PaletteWanted())
        elif name == "help":
            self.post_message(self.HelpWanted())
        elif name == "new" or self.active is None:
            self.post_message(self.NewWanted())
        elif verb == "split":
            await self.split("row" if rest == "right" else "column")
        elif verb == "focus":
            self.go(cast("Direction", rest))
        elif verb == "stretch":
            self.stretch(cast("Direction", rest))
        elif name in ("next_tab", "previous_tab"):
            self.turn(1 if verb == "next" else -1)
        elif verb == "move":
            self.move_tab(self.tabs.at + (1 if name == "move_tab_right" else -1))
        else:
            await self._run_on(self.active, name)

    async def _run_on(self, pane: Pane, name: str) -> None:
        terminal = pane.terminal if isinstance(pane, TerminalPane) else None
        match name:
            case "zoom":
                self.zoom()
            case "close":
                await self.ask_to_close([pane])
            case "own_tab":
                self.tabs.part(pane.name_in_tree)
                self._arrange(focus=True)
            case "rename":
                self.rename()
            case "mark":
                self.mark([pane], not pane.marked)
            case "mark_all":
                self._mark_all()
            case "record":
                await self.record(pane)
            case "again" if isinstance(pane, TerminalPane):
                pane.begin_again()
            case "literal" if terminal is not None:
                terminal.send(b"\x1c")
            case _ if terminal is not None and name in OF_TERMINAL:
                # By the terminal itself: what it then tells would not bubble past us if we were its sender.
                terminal.call_later(terminal.run_action, OF_TERMINAL[name])

    async def split(self, axis: Axis) -> None:
        """What the active pane shows once more, beside it or below."""
        pane = self.active
        if isinstance(pane, TerminalPane):
            await self.open(pane.plan.again(), split=axis)
        else:
            self.post_message(self.NewWanted())

    def zoom(self) -> None:
        """All the room for the active pane, or the others theirs back."""
        tab = self.tabs.front
        if tab is not None:
            tab.zoomed = not tab.zoomed and len(tab.panes) > 1
            self._arrange(focus=True)

    def go(self, direction: Direction) -> None:
        """To the neighbour of the active pane, also out of a zoom."""
        tab = self.tabs.front
        if tab is None:
            return
        if tab.zoomed:
            tab.zoomed = False
            self._arrange()
        found = neighbour(self._area.arrangement().panes, tab.active, direction)
        if found is not None:
            tab.active = found
        self._arrange(focus=True)

    def _mark_all(self) -> None:
        tab = self.tabs.front
        here = [self._pane(name) for name in tab.panes] if tab else []
        marked = all(pane.marked for pane in here)
        self.mark(self.panes if marked else here, not marked)

    async def ask_to_close(self, panes: Sequence[Pane]) -> None:
        """Close what has ended at once; ask where something runs."""
        if any(pane.running for pane in panes):
            self.post_message(self.CloseWanted(panes))
        else:
            await self.close(panes)

    async def record(self, pane: Pane) -> None:
        """Start a recording of the pane, or stop the one that runs; either way its file is told."""
        if not isinstance(pane, TerminalPane):
            return
        path = await pane.stop_recording()
        if path is not None:
            self.post_message(self.Told(f"Recorded to\n{path}"))
            return
        path = recording_path(self._recordings, pane.plain_title, datetime.now())
        try:
            await pane.start_recording(path)
        except OSError as error:
            self.post_message(self.Told(f"{path} cannot be written: {error.strerror or error}", fault=True))
            return
        self.post_message(self.Told(f"Recording to\n{path}\nWhat is typed is not in it; ^\\ R stops"))

    def hurry(self) -> None:
        """All that wait for their next attempt to reconnect make it now."""
        for pane in self.panes:
            if isinstance(pane, TerminalPane):
                pane.hurry()

    # Borders

    def stretch(self, direction: Direction, cells: int = STEP) -> None:
        """Move a border of the active pane."""
        tab = self.tabs.front
        if tab is not None and not tab.zoomed:
            tab.tree = stretched(tab.tree, self._area.area, tab.active, direction, cells)
            self._area.move(tab.tree)

    @on(PaneArea.BorderMoved)
    def _border_moved(self, event: PaneArea.BorderMoved) -> None:
        event.stop()
        self._move_border(event.border.path, event.place)

    @on(PaneTitle.Dragged)
    def _title_dragged(self, event: PaneTitle.Dragged) -> None:
        """The line above a pane is also the border to the pane above it."""
        event.stop()
        border = self._area.border_above(cast("Pane", event.title.parent).name_in_tree)
        if border is not None:
            self._move_border(border.path, event.screen_y - self._area.region.y)

    def _move_border(self, path: BorderPath, place: int) -> None:
        tab = self.tabs.front
        if tab is not None and not tab.zoomed:
            tab.tree = moved(tab.tree, self._area.area, path, place)
            self._area.move(tab.tree)

    @on(PaneTitle.ClickedTwice)
    def _title_clicked_twice(self, event: PaneTitle.ClickedTwice) -> None:
        event.stop()
        self.zoom()

    # Tabs

    def turn(self, step: int) -> None:
        """To the tab beside the one in front, around the ends."""
        self.show_tab((self.tabs.at + step) % len(self.tabs) if len(self.tabs) else 0)

    def show_tab(self, at: int) -> None:
        """Bring a tab to the front; a number beyond the last one does nothing."""
        if self.tabs.turn_to(at):
            self._arrange(focus=True)

    def move_tab(self, to: int) -> None:
        """Put the tab in front to another place; one that is not there does nothing."""
        if self.tabs.move(to):
            self._arrange()

    def rename(self) -> None:
        """Ask for another name of the tab in front; an empty one lets its program name it again."""
        if self.tabs.front is not None and self.active is not None:
            self._rename.value = self.tabs.front.title or self.active.title
            self._rename_line.display = True
            self._tab_line.display = False
            self.screen.set_focus(self._rename)

    @on(Input.Submitted)
    def _renamed(self, event: Input.Submitted) -> None:
        event.stop()
        if self.tabs.front is not None:
            self.tabs.front.title = event.value.strip()
        self._end_rename()

    def _end_rename(self) -> None:
        self._put_rename_away()
        self._arrange(focus=True)

    def _put_rename_away(self) -> None:
        self._rename_line.display = False
        self._tab_line.display = True

    @on(Input.Blurred)
    def _rename_left(self, event: Input.Blurred) -> None:
        event.stop()
        self._put_rename_away()

    @on(TabLine.Chosen)
    async def _tab_clicked(self, event: TabLine.Chosen) -> None:
        event.stop()
        if isinstance(event, TabLine.CloseWanted):
            await self.ask_to_close([self._pane(name) for name in self.tabs.all[event.tab].panes])
            return
        self.show_tab(event.tab)
        if isinstance(event, TabLine.RenameWanted):
            self.rename()

    @on(TabLine.Dragged)
    def _tab_dragged(self, event: TabLine.Dragged) -> None:
        event.stop()
        self.move_tab(event.to)

    @on(TabLine.Pressed)
    async def _sign_pressed(self, event: TabLine.Pressed) -> None:
        event.stop()
        await self.run(event.command)
