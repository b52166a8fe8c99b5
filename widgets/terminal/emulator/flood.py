"""Text with its styles, and many lines of that at once: what floods consist of."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pyte import modes

from widgets.terminal.emulator.grid import Grid
from widgets.terminal.emulator.kept import kept, restored
from widgets.terminal.emulator.row import STUB, Row
from widgets.terminal.emulator.style import DEFAULT, DEFAULT_COLOUR, Style, styled
from widgets.terminal.emulator.width import MIXED, NARROW, with_stubs

_RUN = re.compile(r"(\x1b\[[0-9;:]*+m(?:\x1b\[[0-9;:]*+m|\x1b\(B)*+|\x1b\(B(?:\x1b\[[0-9;:]*+m|\x1b\(B)*+)")


def _make_cells(parts: list[str]) -> bool | None:
    """Give the texts among text and styles in turn a stub for each character of two cells; whether there are any. None
    where a character needs a look of its own."""
    text = "".join(parts[::2])
    if NARROW.fullmatch(text):
        return False
    if not MIXED.fullmatch(text):
        return None
    parts[::2] = [piece if piece.isascii() else with_stubs(piece, STUB) for piece in parts[::2]]
    return True


class Flood(Grid):
    """The pen, and lines that are made whole instead of drawn cell by cell.

    A run of styles is SGR sequences one after another, with `ESC ( B` among them, as ncurses writes them.
    """

    def select_graphic_rendition_text(self, parameters: str) -> None:
        """SGR with its parameters as they came, colons and all."""
        self.pen = styled(self.pen, f"\x1b[{parameters}m")

    def draw_styled(self, styles: str, text: str, after: str) -> None:
        """A run of styles, the text that follows it, and another run."""
        if self.g0_charset and "(" in styles:
            self.define_charset("B", "(")
        pen = self.pen
        self.pen = pen = pen.after.get(styles) or styled(pen, styles)
        if text:
            self.draw(text)
        if after:
            if self.g0_charset and "(" in after:
                self.define_charset("B", "(")
            self.pen = pen.after.get(after) or styled(pen, after)

    def draw_spans(self, spans: str) -> None:
        """Text with runs of styles in it."""
        parts = _RUN.split(spans)
        wide = False if spans.isascii() else _make_cells(parts)
        text = "".join(parts[::2])
        cursor = self.cursor
        x, row = cursor.x, self.rows[cursor.y]
        if (
            wide is None
            or x + len(text) > self.columns
            or not text
            or self.sided
            or self.charset
            or self.g0_charset
            or modes.IRM in self.mode
            or (wide and row.clusters)
        ):
            self._draw_parts(_RUN.split(spans))
            return
        pen = self.pen
        looks = [pen] * len(parts[0])
        add = looks.extend
        odd = iter(parts)
        next(odd)
        for styles in odd:
            pen = pen.after.get(styles) or styled(pen, styles)
            add([pen] * len(next(odd)))
        self.pen = pen
        row.put_each(x, text, looks)
        row.wide = row.wide or wide
        self.dirty.add(cursor.y)
        cursor.x = x + len(text)
        self._last_drawn = text.rstrip(STUB)

    def _draw_parts(self, parts: list[str]) -> None:
        """Text and runs of styles in turn."""
        if parts[0]:
            self.draw(parts[0])
        for styles, piece in zip(parts[1::2], parts[2::2], strict=True):
            self.draw_styled(styles, piece, "")

    def draw_lines(self, block: str) -> None:
        """Draw lines of text and styles, each ended by CR LF."""
        lines = block.split("\r\n")
        lines.pop()
        width = self.columns
        plain = self.pen is DEFAULT and "\x1b" not in block and block.isascii() and max(map(len, lines)) <= width
        at = 0
        while at < len(lines):
            made: Sequence[Row | str] = ()
            if self._at_blank_end():
                made = lines[at:] if plain else self._made(lines, at)
            if made:
                self._append(made)
                at += len(made)
            else:
                self._draw_line(lines[at])
                at += 1

    def _draw_line(self, line: str) -> None:
        if "\x1b" in line:
            self.draw_spans(line)
        elif line:
            self.draw(line)
        self.index()
        self.carriage_return()

    def _at_blank_end(self) -> bool:
        """Whether the cursor is at the start of the last line, which is blank, and a line feed moves the whole screen
        up; and whether text is drawn as it comes."""
        last = self.lines - 1
        return not (
            self.cursor.x
            or self.cursor.y != last
            or self.bottom != last
            or self.top
            or self.rows[last].text
            or self.rows[last].marks
            or self.sided
            or self.charset
            or self.g0_charset
            or modes.IRM in self.mode
            or self.pen.bg != DEFAULT_COLOUR
        )

    def _append(self, made: Sequence[Row | str]) -> None:
        """Put lines under the last but one, and a blank one under them."""
        away, last = len(made), self.lines - 1
        held, shown = self.rows[:last], made[-last:] if last else ()
        if not self.alternate:
            self.history_total += away
            if self.history.maxlen:
                self.history.extend(map(kept, held[:away]))
                self.history.extend(made[: away - len(shown)])
        self.rows = [*held[away:], *map(restored, shown), Row()]
        texts = (row if isinstance(row, str) else row.text.rstrip(STUB) for row in reversed(made))
        self._last_drawn = next(filter(None, texts), self._last_drawn)
        self.touch_all()

    def _made(self, lines: list[str], at: int) -> list[Row | str]:
        """The lines from `at` on as they look on blank rows, and the pen left as after them: up to one that must be
        drawn, because it does not fit, has characters that need a look of their own, or leaves a background."""
        made: list[Row | str] = []
        pen, width = self.pen, self.columns
        for line in lines[at:] if at else lines:
            parts = _RUN.split(line) if "\x1b" in line else [line]
            wide = False if line.isascii() else _make_cells(parts)
            text = "".join(parts[::2])
            if len(text) > width or wide is None:
                break
            end, after, look = len(parts[0]), pen, pen
            runs: list[int | Style] = [end, pen] if end else []
            odd = iter(parts)
            next(odd)
            for styles, piece in zip(odd, odd, strict=True):
                after = after.after.get(styles) or styled(after, styles)
                if piece:
                    end += len(piece)
                    if after is look and runs:
                        runs[-2] = end
                    else:
                        runs += (end, after)
                        look = after
            if after.bg != DEFAULT_COLOUR:
                break
            pen = after
            row = Row(text, packed=None if len(runs) < 3 and look is DEFAULT else tuple(runs))
            row.wide = wide
            made.append(row.packed())
        self.pen = pen
        return made
