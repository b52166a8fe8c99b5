"""Links under the mouse."""

from __future__ import annotations

from typing import Final

from textual.content import Content
from textual.geometry import Offset
from textual.timer import Timer

from widgets.terminal.emulator import Row
from widgets.terminal.emulator.grid import DEFAULT_SCROLLBACK
from widgets.terminal.link_finding import FoundLink, link_at, links_between
from widgets.terminal.paint import Mark
from widgets.terminal.selecting import TerminalSelecting, Unit

_SECOND_CLICK: Final = 0.4
"""Seconds in which a click on a link may still become a double one, which selects its text."""


class TerminalLinking(TerminalSelecting, can_focus=True):
    """Shows the link under the mouse, and asks for it to be opened. `link_requested` is for a subclass to say."""

    def __init__(
        self,
        *,
        scrollback: int = DEFAULT_SCROLLBACK,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(scrollback=scrollback, name=name, id=id, classes=classes)
        self._hovered: FoundLink | None = None
        self._clicked: Timer | None = None

    def link_requested(self, address: str, shown: str) -> None:
        """Called when the user wants to open a link."""
        raise NotImplementedError

    def marks_on(self, number: int, row: Row) -> list[tuple[int, int, Mark]]:
        """The link under the mouse is underlined, wherever its text is."""
        marks = super().marks_on(number, row)
        if self._hovered is not None:
            marks = [*((*span, Mark.UNDERLINED) for span in self._hovered.spans_on(number, row)), *marks]
        return marks

    def hover(self, place: Offset | None) -> None:
        """The mouse is here now, or has left."""
        found = None if place is None else self.link_under(place)
        if found != self._hovered:
            self._hovered = found
            # Not as markup: brackets are common in addresses.
            self.tooltip = None if found is None else Content(found.address)
            self.refresh()

    def link_under(self, place: Offset) -> FoundLink | None:
        """The link at a place of the widget."""
        if not (0 <= place.x < self.size.width and 0 <= place.y < self.size.height):
            return None
        return link_at(self._emulator, self.cell_at(place))

    def click_link(self, place: Offset, *, sure: bool) -> None:
        """A click: of a link that the program made alone, with Ctrl (`sure`) of an address in the text too."""
        found = self.link_under(place)
        if found is None or not (sure or found.link is not None):
            return
        if sure:
            self.request_link(found)
        else:
            self._clicked = self.set_timer(_SECOND_CLICK, lambda: self.request_link(found))

    def begin_drag(self, place: Offset, *, unit: Unit = Unit.CELL, block: bool = False) -> None:
        """Another click makes the one before a part of a double one."""
        if self._clicked is not None:
            self._clicked.stop()
            self._clicked = None
        super().begin_drag(place, unit=unit, block=block)

    def request_link(self, found: FoundLink) -> None:
        """Ask for a link to be opened."""
        self._clicked = None
        self.link_requested(found.address, found.shown(self._emulator))

    def action_open_link(self) -> None:
        """Ask for the newest link in view to be opened."""
        links = links_between(self._emulator, self.first_line, self.first_line + self._emulator.lines - 1)
        if links:
            self.request_link(links[-1])
        else:
            self.nothing_there("There is no link in view")

    def nothing_there(self, what: str) -> None:
        """Say why a command did nothing."""
        self.app.bell()
        self.notify(what, severity="warning", timeout=5, markup=False)
