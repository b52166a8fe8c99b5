"""Copy mode and search: keys that look at the scrollback instead of going to the program."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from textual.geometry import Offset

from widgets.terminal.copy_mode import ACTIONS, CopyMode
from widgets.terminal.emulator import Row
from widgets.terminal.emulator.grid import DEFAULT_SCROLLBACK
from widgets.terminal.line_entry import LineEntry, Typed
from widgets.terminal.linking import TerminalLinking
from widgets.terminal.paint import Mark
from widgets.terminal.search import Search
from widgets.terminal.selection import Cell, Shape


class TerminalCopying(TerminalLinking, can_focus=True):
    """A view with a copy mode. While it is on, the view stays where it is, and the program goes on.

    An action of `COPY_KEYS` that is no motion is a method of the same name after `_copy_`.
    """

    copy_hints: ClassVar[tuple[str, ...]] = (
        "q leave", "v select", "y copy", "/ ? search", "n N next", "[ ] commands", "Tab links"
    )  # fmt: skip
    """What the status line says of the copy mode, as far as it has room."""

    def __init__(
        self,
        *,
        scrollback: int = DEFAULT_SCROLLBACK,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(scrollback=scrollback, name=name, id=id, classes=classes)
        self._copy: CopyMode | None = None
        self._search: Search | None = None
        self._entry: LineEntry | None = None
        self._searches_back = True
        self._origin: Cell = (0, 0)
        self._note = ""

    def copying_changed(self, copying: bool) -> None:
        """Called when copy mode begins or ends."""
        raise NotImplementedError

    @property
    def copying(self) -> bool:
        """Whether copy mode is on, and takes the keys."""
        return self._copy is not None

    # What is shown

    @property
    def own_cursor(self) -> Cell | None:
        """The copy mode's."""
        return None if self._copy is None else self._copy.cursor

    @property
    def status(self) -> str | None:
        """The line that is typed, or where the copy mode is."""
        copy = self._copy
        if copy is None:
            return None
        found = ""
        if self._search is not None:
            at, count = self._search.place
            found = f"{at} of {count}" if at else f"{count} found"
        if self._entry is not None:
            return f"{self._entry.prompt}{self._entry.text}▏  {found}"
        shape = {None: "COPY", Shape.CELLS: "SELECT", Shape.LINES: "LINES", Shape.BLOCK: "BLOCK"}
        parts = [
            f" {shape[copy.shape if copy.start is not None else None]}",
            f"line {copy.cursor[0] - copy.first + 1} of {copy.last - copy.first + 1}",
        ]
        if self._search is not None:
            parts.append(f"{self._search.pattern}: {found}")
        text = "  ".join([*parts, *filter(None, [self._note])])
        hints = "  ·"
        for hint in self.copy_hints:
            if cell_len(text) + len(hints) + len(hint) + 2 > self.size.width:
                break
            hints += f"  {hint}"
        return text + hints if len(hints) > 3 else text

    def marks_on(self, number: int, row: Row) -> list[tuple[int, int, Mark]]:
        """Hits of the search lie under the selection; links are to be seen in copy mode."""
        marks = super().marks_on(number, row)
        if self._copy is not None and row.styles is not None:
            links = [(start, end, Mark.UNDERLINED) for start, end, look in row.runs() if look.link is not None]
            marks = [*links, *marks]
        if self._search is not None:
            hits = self._search.spans_on(number)
            marks = [*((start, end, Mark.CURRENT if now else Mark.HIT) for start, end, now in hits), *marks]
        return marks

    # On and off

    def action_copy_mode(self) -> None:
        """Begin copy mode at the cursor, or at what is selected; end it where it is on."""
        if self._copy is not None:
            self.stop_copying()
            return
        emulator = self._emulator
        cell = (emulator.history_total + emulator.cursor.y, emulator.cursor.x)
        if self._anchor is not None:
            cell = (self.first_line + emulator.lines - 2, 0)
        self._copy = copy = CopyMode(emulator, cell)
        if self._selection is not None:
            copy.go_to(self._selection.end)
            copy.start, copy.shape = self._selection.start, self._selection.shape
        # Here the anchor holds the view also at the bottom.
        self._anchor = self.first_line
        self._note = ""
        self.bring_into_view(copy.cursor[0])
        self.copying_changed(True)
        self._shown_anew()

    def stop_copying(self) -> None:
        """End copy mode where it is on, and follow the output again."""
        if self._copy is not None:
            self.workers.cancel_group(self, "terminal-search")
            self._copy = self._search = self._entry = None
            self._selection = None
            self.follow()
            self.copying_changed(False)
            self._shown_anew()

    def _shown_anew(self) -> None:
        self.refresh()
        self._place_cursor()

    def scroll_to_line(self, number: int) -> None:
        """In copy mode, the view never follows the output."""
        if self._copy is None:
            super().scroll_to_line(number)
        else:
            self._anchor = min(max(number, self._copy.first), self.last_first_line)
            self._keep_in_view(self._copy)
            self.refresh()

    def _keep_in_view(self, copy: CopyMode) -> None:
        """Where the view scrolls, the cursor goes with it."""
        line, top = copy.cursor[0], self.first_line
        kept = min(max(line, top), top + self._emulator.lines - 2)
        if kept != line and self._drag is None:
            copy.go_to((kept, copy.cursor[1]))
            self._selection = copy.selection

    @property
    def last_first_line(self) -> int:
        """In copy mode the newest line is seen too, over the status line."""
        return super().last_first_line + (self._copy is not None)

    def forget_lines(self) -> None:
        """Also what was selected or found."""
        self.stop_copying()
        self._hovered = None
        self.select(None)
        super().forget_lines()

    # Keys

    def take_copy_key(self, key: str, character: str | None) -> None:
        """A key of the copy mode, or of the line that is typed."""
        copy = self._copy
        if copy is None:
            return
        if self._entry is not None:
            self._type(self._entry, key, character)
            return
        if copy.count(key):
            return
        self._note = ""
        height = self._emulator.lines
        copy.view = (self.first_line, height - 1)
        action = ACTIONS.get(key)
        if action is not None and not copy.move(action):
            getattr(self, f"_copy_{action}")()
        if self._copy is not None:
            self._show_copy_cursor()

    def _show_copy_cursor(self) -> None:
        if self._copy is not None:
            self.bring_into_view(self._copy.cursor[0])
            self._selection = self._copy.selection
            self.refresh()

    def _copy_copy(self) -> None:
        if self._copy is not None and self._copy.start is not None:
            self.copy_selection()
        self.stop_copying()

    def _copy_enter(self) -> None:
        self._copy_copy()

    def _copy_leave(self) -> None:
        self.stop_copying()

    def _copy_escape(self) -> None:
        if self._copy is not None and self._copy.start is not None:
            self._copy.start = None
        elif self._search is not None:
            self._search = None
        else:
            self.stop_copying()

    # The mouse in copy mode

    def end_drag(self) -> bool:
        """The cursor of the copy mode goes where the mouse was."""
        drag = self._drag
        ended = super().end_drag()
        if self._copy is not None and drag is not None:
            self._copy.go_to(self._selection.end if self._selection is not None else self.cell_at(drag.place))
            self._copy.start = None if self._selection is None else self._selection.start
            self._copy.shape = Shape.CELLS if self._selection is None else self._selection.shape
            self.refresh()
        return ended

    def cell_at(self, place: Offset) -> Cell:
        """The line of the copy mode's own text is no cell."""
        if self._copy is not None:
            place = Offset(place.x, min(place.y, self._emulator.lines - 2))
        return super().cell_at(place)

    # Search

    def action_search(self) -> None:
        """Begin copy mode with the question what to search for, from the newest line up."""
        if self._copy is None:
            self.action_copy_mode()
        self._copy_search_back()
        self.refresh()

    def _copy_search_forward(self) -> None:
        self._ask("/", back=False)

    def _copy_search_back(self) -> None:
        self._ask("?", back=True)

    def _ask(self, prompt: str, *, back: bool) -> None:
        if self._copy is not None:
            self._entry, self._searches_back, self._origin = LineEntry(prompt), back, self._copy.cursor

    def _type(self, entry: LineEntry, key: str, character: str | None) -> None:
        typed = entry.press(key, character)
        if typed is Typed.CHANGED:
            self._find(entry.text)
        elif typed is Typed.DONE:
            self._entry = None
            if not entry.text and self._search is not None:
                self._step(back=self._searches_back)
        elif typed is Typed.GIVEN_UP and self._copy is not None:
            self._entry = self._search = None
            self._copy.go_to(self._origin)
            self._show_copy_cursor()
        self.refresh()

    def take_copy_paste(self, text: str) -> None:
        """What is pasted into the line that is typed."""
        if self._entry is not None:
            self._entry.paste(text)
            self._find(self._entry.text)
            self.refresh()

    def search_for(self, pattern: str, *, back: bool = True) -> None:
        """Search for a text in copy mode: capitals count only where the text has some."""
        if self._copy is None:
            self.action_copy_mode()
        if self._copy is not None:
            self._searches_back, self._origin = back, self._copy.cursor
            self._find(pattern)

    def _find(self, pattern: str) -> None:
        """Search anew, from where the search began."""
        self._search = Search(self._emulator, pattern) if pattern else None
        self.workers.cancel_group(self, "terminal-search")
        if self._search is not None:
            self._run_search(self._search, self._origin, self._searches_back)

    def _copy_next_hit(self) -> None:
        self._step(back=self._searches_back)

    def _copy_previous_hit(self) -> None:
        self._step(back=not self._searches_back)

    def _step(self, *, back: bool) -> None:
        """From where the cursor is by then: keys may come faster than the search."""
        if self._search is not None:
            self._run_search(self._search, None, back)

    def _run_search(self, search: Search, origin: Cell | None, back: bool) -> None:
        self._start("terminal-search", self._searched, search, origin, back, alone=False)

    async def _searched(self, search: Search, origin: Cell | None, back: bool) -> None:
        await search.update()
        copy = self._copy
        if search is self._search and copy is not None:
            hit = search.step(origin or copy.cursor, back=back)
            copy.go_to(hit[0] if hit is not None else origin or copy.cursor)
            self._show_copy_cursor()
