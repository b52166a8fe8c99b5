"""The panes of a workspace on the screen: opened, laid out, marked, closed. What the user asks for is a subclass's."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from widgets.terminal.leader_menu import LeaderMenu
from widgets.terminal.pane import Pane
from widgets.terminal.pane_area import PaneArea
from widgets.terminal.splits import Axis, fits
from widgets.terminal.tab_line import TabLabel, TabLine
from widgets.terminal.tabs import Tab, Tabs
from widgets.terminal.terminal_pane import TerminalPane, TerminalPlan
from widgets.terminal.widget import Terminal


class WorkspaceView(Widget):
    """A line of tabs over the panes of the tab in front. Panes of other tabs are hidden, and their programs go on."""

    DEFAULT_CSS = """
    WorkspaceView {
        width: 1fr;
        height: 1fr;
        layers: default menu;
        & > Vertical { height: 1fr; width: 1fr; }
        & .workspace--rename { height: 1; width: 1fr; display: none; background: $surface; }
        & .workspace--rename Label { padding: 0 1; color: $foreground-muted; }
        & .workspace--rename Input { height: 1; width: 1fr; border: none; padding: 0 1; }
        & .workspace--empty { height: 1fr; width: 1fr; content-align: center middle; text-align: center;
            color: $foreground-muted; }
    }
    """

    class WorkspaceMessage(Message):
        """What workspaces tell."""

    class Changed(WorkspaceMessage):
        """Tabs, titles or states have changed."""

    class Rang(WorkspaceMessage):
        """A program rang the bell."""

    class Told(WorkspaceMessage):
        """A sentence for the user. `fault`: something did not work."""

        def __init__(self, text: str, *, fault: bool = False) -> None:
            super().__init__()
            self.text = text
            self.fault = fault

    def __init__(self, *, recordings: Path, empty_text: str = "No terminals", id: str | None = None) -> None:
        """`recordings` is the folder for recordings; it is made when it is needed."""
        super().__init__(id=id)
        self.tabs = Tabs()
        self._recordings = recordings
        self._names = itertools.count(1)
        self._panes: dict[str, Pane] = {}
        self._tab_line = TabLine()
        self._area = PaneArea()
        self._menu = LeaderMenu()
        self._empty = Static(empty_text, classes="workspace--empty", markup=False)
        self._rename = Input(placeholder="as its program says", compact=True)
        self._rename_line = Horizontal(
            Label("Name of the tab"), self._rename, Label("Enter · Esc"), classes="workspace--rename"
        )

    def compose(self) -> ComposeResult:
        with Vertical():
            yield self._tab_line
            yield self._rename_line
            yield self._empty
            yield self._area
        yield self._menu

    def on_mount(self) -> None:
        self._arrange()

    # What there is

    @property
    def panes(self) -> list[Pane]:
        """All, in the order of their tabs."""
        return [self._pane(name) for name in self.tabs.panes]

    @property
    def active(self) -> Pane | None:
        """The pane that has the focus, or gets it."""
        tab = self.tabs.front
        return self._pane(tab.active) if tab is not None else None

    @property
    def marked(self) -> list[Pane]:
        """Those that get what is typed into any of them."""
        return [pane for pane in self.panes if pane.marked]

    def by_key(self, key: str) -> Pane | None:
        """The pane that was opened with this key; None for the empty key."""
        return next((pane for pane in self.panes if key and pane.key == key), None)

    def in_view(self, pane: Pane) -> bool:
        """Whether the user sees it."""
        return bool(pane.display) and self.is_attached and self.screen.is_current

    def _pane(self, name: str) -> Pane:
        return self._panes[name]

    # Open, show, close

    async def open(self, plan: TerminalPlan, *, split: Axis | None = None) -> Pane:
        """Open a terminal in a tab of its own, or beside the active one, and give it the focus. Where one with the
        plan's key is there already, that one is shown instead. No room for a split makes it a tab."""
        known = self.by_key(plan.key)
        if known is not None:
            self.show(known)
            return known
        pane = TerminalPane(self.new_name(), plan, also=self._do_to_others, in_view=self.in_view)
        await self.add(pane, split=split)
        return pane

    def new_name(self) -> str:
        """An id for a pane."""
        return f"pane-{next(self._names)}"

    async def add(self, pane: Pane, *, split: Axis | None = None) -> None:
        """The same with a pane that is made already, under an id from `new_name`."""
        self._panes[pane.name_in_tree] = pane
        if split is not None and self._has_room(split):
            self.tabs.divide(pane.name_in_tree, split)
        else:
            self.tabs.add(pane.name_in_tree)
        pane.display = False
        await self._area.mount(pane)
        self._arrange(focus=True)

    def _has_room(self, split: Axis) -> bool:
        tab = self.tabs.front
        if tab is None:
            return False
        place = self._area.arrangement().panes.get(tab.active)
        if tab.zoomed or place is None or not place.width or fits(place, split):
            return True
        self.post_message(self.Told("There is no room to split it: it is in a tab of its own"))
        return False

    def show(self, pane: Pane) -> None:
        """Bring a pane to the front and the focus to it."""
        self.tabs.show(pane.name_in_tree)
        self._arrange(focus=True)

    async def close(self, panes: Sequence[Pane]) -> None:
        """Close these, and end what runs in them."""
        there = [pane for pane in panes if pane.name_in_tree in self.tabs.panes]
        for pane in there:
            self.tabs.remove(pane.name_in_tree)
        self._arrange(focus=True)
        for pane in there:
            if isinstance(pane, TerminalPane) and (path := await pane.stop_recording()) is not None:
                self.post_message(self.Told(f"Recorded to\n{path}"))
            if pane.goes_on:
                self.post_message(self.Told(f"{pane.plain_title} goes on without a terminal"))
            del self._panes[pane.name_in_tree]
            await pane.remove()

    def take_focus(self) -> None:
        """Give the focus to the active pane; to none where the menu or a name that is typed has it."""
        pane = self.active
        if pane is None:
            self.screen.set_focus(None)
            return
        for name in self.tabs.front.panes if self.tabs.front else ():
            self._pane(name).seen()
        self.screen.set_focus(pane.target)
        self._paint_tabs()

    def _arrange(self, *, focus: bool = False) -> None:
        tab = self.tabs.front
        self._empty.display = tab is None
        self._area.display = tab is not None
        self._area.show(tab.tree if tab else None, tab.active if tab and tab.zoomed else "")
        for other in self.tabs:
            for name in other.panes:
                self._pane(name).show_title(len(other.panes) > 1)
        if focus:
            self.take_focus()
        self._paint_tabs()
        self.post_message(self.Changed())

    def _paint_tabs(self) -> None:
        for tab in self.tabs:
            for name in tab.panes:
                self._pane(name).show_active(name == tab.active)
        self._tab_line.show([self._label(tab) for tab in self.tabs])

    def _label(self, tab: Tab) -> TabLabel:
        panes = [self._pane(name) for name in tab.panes]
        active = self._pane(tab.active)
        return TabLabel(
            tab.title or active.title,
            active=tab is self.tabs.front,
            marked=any(pane.marked for pane in panes),
            bell=any(pane.bell for pane in panes),
            lively=any(pane.lively for pane in panes),
            recording=any(pane.recording for pane in panes),
            ended=active.ended,
            zoomed=tab.zoomed,
        )

    @on(Pane.Changed)
    def _pane_changed(self, event: Pane.Changed) -> None:
        event.stop()
        if event.pane.name_in_tree in self.tabs.panes:
            event.pane.show_title(event.pane.titled)
            self._paint_tabs()
            self.post_message(self.Rang() if isinstance(event, Pane.Rang) else self.Changed())

    @on(TerminalPane.RecordingFailed)
    def _recording_failed(self, event: TerminalPane.RecordingFailed) -> None:
        event.stop()
        self.post_message(self.Told(f"The recording has ended: {event.why}", fault=True))
        self._paint_tabs()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A click into a pane makes it the active one."""
        tab = self.tabs.front
        pane = next((each for each in event.widget.ancestors_with_self if isinstance(each, Pane)), None)
        if tab is not None and pane is not None and pane.name_in_tree in tab.panes and tab.active != pane.id:
            tab.active = pane.name_in_tree
            self._paint_tabs()
            self.post_message(self.Changed())

    def on_mouse_up(self) -> None:
        """A click on what takes no focus, such as a line of tabs, leaves it with the terminal."""
        if self.screen.focused is None:
            self.take_focus()

    # Typing into several

    def mark(self, panes: Sequence[Pane], marked: bool) -> None:
        """Mark panes for typing into all of them at once, or unmark them."""
        for pane in panes:
            pane.mark(marked)
        self._arrange()

    def _do_to_others(self, pane: Pane, deed: Callable[[Terminal], object]) -> None:
        for other in self.marked if pane.marked else ():
            if other is not pane and isinstance(other, TerminalPane) and other.terminal.takes_keys:
                deed(other.terminal)
