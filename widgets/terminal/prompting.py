"""Commands of a shell that marks its prompts (OSC 133), and links, by keys."""

from __future__ import annotations

from typing import Final

from widgets.terminal.copying import TerminalCopying
from widgets.terminal.emulator.marks import next_prompt, output_span, previous_prompt
from widgets.terminal.link_finding import link_at, links_between
from widgets.terminal.selection import Selection, Shape

_LINKS_AROUND: Final = 500
"""Lines looked at for the next link."""

NO_COMMAND: Final = "There is no further command that the shell has marked (OSC 133)"
NO_OUTPUT: Final = "There is no output here that the shell has marked (OSC 133)"


class TerminalPrompting(TerminalCopying, can_focus=True):
    """Goes from prompt to prompt and from link to link, in copy mode and without."""

    # Prompts

    def action_previous_prompt(self) -> None:
        """Scroll to the prompt before the one at the top, or before the copy mode's cursor."""
        self._to_prompt(previous_prompt(self._emulator, self._prompt_from(self.first_line)))

    def action_next_prompt(self) -> None:
        """Scroll to the next prompt."""
        self._to_prompt(next_prompt(self._emulator, self._prompt_from(self.first_line)))

    _copy_previous_prompt = action_previous_prompt
    _copy_next_prompt = action_next_prompt

    def _prompt_from(self, line: int) -> int:
        return line if self._copy is None else self._copy.cursor[0]

    def _to_prompt(self, line: int | None) -> None:
        if line is None:
            self.nothing_there(NO_COMMAND)
        elif self._copy is not None:
            self._copy.go_to((line, 0))
        else:
            self.scroll_to_line(line)

    def action_select_output(self) -> None:
        """Select what a command printed: in copy mode the one at the cursor, else the newest in view that has some."""
        output = self._output()
        if output is None:
            self.nothing_there(NO_OUTPUT)
            return
        if self._copy is None:
            self.action_copy_mode()
        if self._copy is not None:
            self._copy.go_to(output.end)
            self._copy.start, self._copy.shape = output.start, Shape.CELLS
            self._show_copy_cursor()

    _copy_select_output = action_select_output

    def action_copy_output(self) -> None:
        """Copy what a command printed."""
        output = self._output()
        text = "" if output is None else output.text(self._emulator)
        if text:
            self.app.copy_to_clipboard(text)
            self.copied(text)
        else:
            self.nothing_there(NO_OUTPUT)

    def _output(self) -> Selection | None:
        """The output of a command, without the end of its last line."""
        emulator = self._emulator
        if self._copy is not None:
            span = output_span(emulator, self._copy.cursor[0])
        else:
            line: int | None = self.first_line + emulator.lines
            span = None
            while span is None and line is not None:
                line = previous_prompt(emulator, line)
                span = None if line is None else output_span(emulator, line)
        if span is None:
            return None
        start, (line, column) = span
        if column > 0:
            return Selection(start, (line, column - 1))
        return Selection(start, (line - 1, emulator.columns - 1)) if line > start[0] else None

    # Links

    def _copy_next_link(self) -> None:
        self._to_link(1)

    def _copy_previous_link(self) -> None:
        self._to_link(-1)

    def _to_link(self, way: int) -> None:
        copy = self._copy
        if copy is None:
            return
        line = copy.cursor[0]
        first, last = max(copy.first, line - _LINKS_AROUND), min(copy.last, line + _LINKS_AROUND)
        starts = [found.start for found in links_between(self._emulator, first, last)]
        if way > 0:
            cell = next((start for start in starts if start > copy.cursor), None)
        else:
            cell = next((start for start in reversed(starts) if start < copy.cursor), None)
        if cell is not None:
            copy.go_to(cell)
        else:
            self._note = "no further link"

    def _copy_enter(self) -> None:
        """Open the link here where nothing is selected, else copy and leave."""
        if self._copy is None or self._copy.start is not None or not self._link_here():
            super()._copy_enter()

    def _copy_open_link(self) -> None:
        if not self._link_here():
            self._note = "no link here"

    def _link_here(self) -> bool:
        found = None if self._copy is None else link_at(self._emulator, self._copy.cursor)
        if found is not None:
            self.request_link(found)
        return found is not None
