"""What full-screen programs send to bring some cells up to date: short texts among many moves and styles.

The tokenizer and a method for each sequence would cost more here than what the sequences do. So all steps of a chunk
are cut apart at once, and taken in one loop.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Final

from pyte import modes

from widgets.terminal.emulator.motion import Motion
from widgets.terminal.emulator.style import Style, styled
from widgets.terminal.emulator.width import NARROW

# Each alternative begins with a character of its own, not a class: so re finds where one may begin quickly.
_PART = re.compile(r"(\x1b\[[0-9;:?]*+(?:m(?:\x1b\[[0-9;:]*+m|\x1b\(B)*+|[@-~])|\x1b\(B|\r\n?|\n|\x08)")
_PLACE = re.compile(r"\x1b\[([0-9]{0,5})(?:;([0-9]{0,5}))?H\Z")
_COUNT = re.compile(r"\x1b\[([0-9]{0,5})([CXd])\Z")
_STYLES = re.compile(r"(?:\x1b\[[0-9;:]{0,64}m|\x1b\(B)+\Z")
_HARMLESS = re.compile(r"\x1b\[[0-9;]{0,20}[@-DGHJ-MPSTXd]\Z|[\n\r\x08]")
_MAX_KNOWN: Final = 4096
_LONGEST: Final = 64

_GO, _RIGHT, _CLEAR, _DOWN, _BLANK, _LINE, _RETURN, _STYLE, _ASIDE, _ACT, _ACT_ODDLY = range(11)
_COUNTED: Final = {"C": _RIGHT, "X": _BLANK, "d": _LINE}
_UNUSUAL: Final = frozenset({modes.IRM, modes.DECOM, modes.LNM})
_Step = tuple[int, int, int]


class _Steps(dict[str, _Step]):
    """What sequences do: a kind, and a line and column, or a count. Remembered, as few come often."""

    def __missing__(self, sequence: str) -> _Step:
        if len(self) >= _MAX_KNOWN:
            self.clear()
        found = _understood(sequence)
        if len(sequence) <= _LONGEST:
            self[sequence] = found
        return found


def _understood(sequence: str) -> _Step:
    """`_ASIDE` is for what has nothing to do with the cursor's place, `_ACT_ODDLY` for what may change
    `takes_updates`."""
    if place := _PLACE.match(sequence):
        line, column = (max(1, int(number or 1)) - 1 for number in place.groups())
        return _GO, line, column
    if counted := _COUNT.match(sequence):
        return _COUNTED[counted[2]], max(1, int(counted[1] or 1)), 0
    if _STYLES.match(sequence):
        return _STYLE, 0, 0
    if sequence in ("\r\n", "\n"):
        return _DOWN, 0, int(sequence == "\n")
    if sequence in ("\x1b[K", "\r"):
        return (_RETURN if sequence == "\r" else _CLEAR), 0, 0
    if sequence in ("\x1b[?25h", "\x1b[?25l"):
        return _ASIDE, 0, 0
    return (_ACT if _HARMLESS.match(sequence) else _ACT_ODDLY), 0, 0


_steps = _Steps()


def update_parts(data: str) -> list[str]:
    """Text and sequences in turn, text first and last. What is rare among sequences is left in the text."""
    return _PART.split(data)


class Updates(Motion):
    """Takes many steps at once, with the state in local variables, so that each costs little."""

    @property
    def takes_updates(self) -> bool:
        """Whether `update` may be called: a full-screen program is on show, and nothing unusual is asked for."""
        return self.alternate and not (
            self.sided or self.charset or self.g0_charset or not _UNUSUAL.isdisjoint(self.mode)
        )

    def update(self, parts: Iterable[str], act: Callable[[str], object], take: Callable[[str], bool]) -> str:
        """Does what `update_parts` found, as far as `takes_updates` goes on to be true; returns the rest.

        `act` does a sequence or control that has no code here. `take` takes in text with anything in it; it returns
        False where that ends within a sequence.
        """
        cursor, rows, columns, pen, dirty = self.cursor, self.rows, self.columns, self.pen, self.dirty
        begin = x = cursor.x
        y = cursor.y
        row = rows[y]
        # Texts in a row, with the look of each cell, are put there together. They begin at `begin` and end at `x`.
        texts: list[str] = []
        looks: list[Style] = []
        drawn = ""
        # The first text comes without a sequence, and one without a text puts down what is left.
        left = chain(("",), parts, ("", ""))
        for sequence, text in zip(left, left, strict=True):
            after = pen.after.get(sequence)
            if after is not None:
                pen = after
            else:
                kind, line, column = _steps[sequence]
                if kind == _STYLE:
                    pen = styled(pen, sequence)
                else:
                    if texts:
                        drawn = "".join(texts)
                        row.put_each(begin, drawn, looks)
                        dirty.add(y)
                        texts, looks = [], []
                    if kind == _GO:
                        x = column if column < columns else columns - 1
                        y = line if line < self.lines else self.lines - 1
                        row = rows[y]
                    elif kind == _RIGHT:
                        x = min(x + line, columns - 1)
                    elif kind == _CLEAR:
                        x = min(x, columns - 1)
                        if x < len(row.text) or pen.bg >= 0:
                            row.erase(x, columns, columns, pen.blank)
                        row.wrapped = False
                        dirty.add(y)
                    elif kind == _DOWN and y != self.bottom and y < self.lines - 1:
                        x, y = x * column, y + 1
                        row = rows[y]
                    elif kind == _BLANK:
                        x = min(x, columns - 1)
                        row.erase(x, min(x + line, columns), columns, pen.blank)
                        dirty.add(y)
                    elif kind == _LINE:
                        x, y = min(x, columns - 1), min(line, self.lines) - 1
                        row = rows[y]
                    elif kind == _RETURN:
                        x = 0
                    elif kind == _ASIDE:
                        act(sequence)
                    elif sequence:
                        self._leave(x, y, pen, drawn)
                        act(sequence)
                        if kind == _ACT_ODDLY and not self.takes_updates:
                            return text + "".join(left)
                        x, y, rows, pen, drawn = cursor.x, cursor.y, self.rows, self.pen, ""
                        row = rows[y]
                    begin = x
            if text:
                end = x + len(text)
                if end <= columns and (text.isprintable() if text.isascii() else NARROW.fullmatch(text)):
                    texts.append(text)
                    looks += [pen] * len(text)
                    x = end
                    continue
                if texts:
                    drawn = "".join(texts)
                    row.put_each(begin, drawn, looks)
                    dirty.add(y)
                    texts, looks = [], []
                self._leave(x, y, pen, drawn)
                if text.isprintable():
                    self.draw(text)
                elif not take(text) or not self.takes_updates:
                    return "".join(left)
                begin = x = cursor.x
                y, rows, pen, drawn = cursor.y, self.rows, self.pen, ""
                row = rows[y]
        self._leave(x, y, pen, drawn)
        return ""

    def _leave(self, x: int, y: int, pen: Style, drawn: str) -> None:
        """Keep the state, for others to go on with."""
        self.cursor.x, self.cursor.y, self.pen = x, y, pen
        if drawn:
            self._last_drawn = drawn
