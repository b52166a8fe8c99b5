"""The whole screen: modes, the alternate screen, saved cursors, style, titles, resizing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pyte import modes

from widgets.terminal.emulator.grid import DEFAULT_MODES, DEFAULT_SCROLLBACK, MAX_SIDE
from widgets.terminal.emulator.keyboard import Keyboard
from widgets.terminal.emulator.reflow import resize_alternate, resize_main
from widgets.terminal.emulator.row import Row
from widgets.terminal.emulator.style import DEFAULT, PROTECTED, Style

_DEC_GRAPHICS: Final = dict(zip(range(0x5F, 0x7F), "\xa0◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·", strict=True))


def private(mode: int) -> int:
    """pyte's number of a private mode."""
    return mode << 5


CURSOR_KEYS: Final = private(1)
MOUSE_MODES: Final = (private(1003), private(1002), private(1000), private(9))
SIDE_MARGINS: Final = private(69)
FOCUS: Final = private(1004)
SGR_MOUSE: Final = private(1006)
ALTERNATE_SCROLL: Final = private(1007)
BRACKETED_PASTE: Final = private(2004)
SYNCHRONIZED: Final = private(2026)


_KNOWN_PRIVATE = frozenset(
    {1, 3, 5, 6, 7, 9, 12, 25, 45, 47, 66, 69, 1000, 1002, 1003, 1004, 1006, 1007, 1047, 1048, 1049, 2004, 2026, 2027}
)


@dataclass(frozen=True, slots=True)
class SavedCursor:
    """What DECSC keeps."""

    x: int = 0
    y: int = 0
    pen: Style = DEFAULT
    charset: int = 0
    g0: str = ""
    g1: str = ""
    origin: bool = False


class Screen(Keyboard):
    """A terminal screen. Feed it through a `Stream`; it never raises on what comes.

    Hooks, all optional: `on_reply(text)` gets what the terminal answers to its program, `on_bell()`, and those of
    `HostStrings`.
    """

    known_private_modes = _KNOWN_PRIVATE
    default_private_modes = frozenset(mode >> 5 for mode in DEFAULT_MODES)

    def __init__(self, columns: int = 80, lines: int = 24, scrollback: int = DEFAULT_SCROLLBACK) -> None:
        self.on_reply: Callable[[str], None] | None = None
        self.on_bell: Callable[[], None] | None = None
        super().__init__(columns, lines, scrollback)

    def reset(self) -> None:
        """RIS: all as after power-on; the scrollback stays."""
        super().reset()
        self.application_keypad_on = False
        self.cursor_style = 0
        self._saved = SavedCursor()
        self._saved_other = SavedCursor()
        self._other_rows: list[Row] = []
        self._saved_modes: dict[int, bool] = {}

    def soft_reset(self, *_: int) -> None:
        """DECSTR: modes, margins, pen and saved cursor as after power-on; the text stays."""
        self.mode.difference_update({modes.IRM, modes.DECOM, CURSOR_KEYS, modes.LNM, SIDE_MARGINS})
        self.set_sides(0, self.columns - 1)
        self.mode.update({modes.DECTCEM, modes.DECAWM})
        self.cursor.hidden = False
        self.application_keypad_on = False
        self.cursor_style = 0
        self.top, self.bottom = 0, self.lines - 1
        self.pen = DEFAULT
        self.charset, self.g0_charset, self.g1_charset = 0, "", ""
        self._choose_table()
        self._saved = SavedCursor()

    # Style

    def select_graphic_rendition(self, *attrs: int) -> None:
        """SGR with numbers, as pyte calls it."""
        self.select_graphic_rendition_text(";".join(map(str, attrs)))

    def set_protection(self, how: int = 0, *_: int) -> None:
        """DECSCA: with 1, what is drawn from now on is safe from selective erasing."""
        if how in (0, 1, 2):
            flags = self.pen.flags & ~PROTECTED
            self.pen = self.pen.with_flags(flags | PROTECTED if how == 1 else flags)

    # Character sets

    def define_charset(self, code: str, mode: str) -> None:
        """Choose G0 (`mode` "(") or G1 (")"): "0" is line drawing, all else is text."""
        chosen = "0" if code == "0" else ""
        if mode == "(":
            self.g0_charset = chosen
        elif mode == ")":
            self.g1_charset = chosen
        self._choose_table()

    def shift_in(self) -> None:
        """Use G0."""
        self.charset = 0
        self._choose_table()

    def shift_out(self) -> None:
        """Use G1."""
        self.charset = 1
        self._choose_table()

    def _choose_table(self) -> None:
        self._table = _DEC_GRAPHICS if (self.g1_charset if self.charset else self.g0_charset) == "0" else None

    # Cursor

    def save_cursor(self) -> None:
        """DECSC: one place for each of the two screens."""
        self._saved = SavedCursor(
            self.cursor.x,
            self.cursor.y,
            self.pen,
            self.charset,
            self.g0_charset,
            self.g1_charset,
            modes.DECOM in self.mode,
        )

    def restore_cursor(self, *_: int) -> None:
        """DECRC: back to what was saved, or home."""
        saved = self._saved
        self.cursor.x, self.cursor.y = min(saved.x, self.columns), min(saved.y, self.lines - 1)
        self.waiting = None
        self.pen = saved.pen
        self.charset, self.g0_charset, self.g1_charset = saved.charset, saved.g0, saved.g1
        self._choose_table()
        (self.mode.add if saved.origin else self.mode.discard)(modes.DECOM)

    def save_cursor_or_margins(self, *parameters: int) -> None:
        """CSI s: left and right margins where mode 69 allows them, else save the cursor."""
        if SIDE_MARGINS in self.mode:
            self.set_side_margins(*parameters)
        elif not any(parameters):
            self.save_cursor()

    def set_cursor_style(self, style: int = 0, *_: int) -> None:
        """DECSCUSR: 0 and 1 blinking block, 2 block, 3 and 4 underline, 5 and 6 bar."""
        if style <= 6:
            self.cursor_style = style

    # Modes

    def set_mode(self, *mode_list: int, **kwargs: Any) -> None:
        """SM and DECSET, as pyte calls them."""
        for mode in mode_list:
            if kwargs.get("private"):
                self._switch(private(mode), True)
            elif mode in (modes.IRM, modes.LNM):
                self.mode.add(mode)

    def reset_mode(self, *mode_list: int, **kwargs: Any) -> None:
        """RM and DECRST, as pyte calls them."""
        for mode in mode_list:
            if kwargs.get("private"):
                self._switch(private(mode), False)
            elif mode in (modes.IRM, modes.LNM):
                self.mode.discard(mode)

    def set_private_mode(self, *mode_list: int) -> None:
        """DECSET."""
        for mode in mode_list:
            self._switch(mode << 5, True)

    def reset_private_mode(self, *mode_list: int) -> None:
        """DECRST."""
        for mode in mode_list:
            self._switch(mode << 5, False)

    def save_private_mode(self, *mode_list: int) -> None:
        """XTSAVE."""
        for mode in mode_list:
            if mode in _KNOWN_PRIVATE:
                self._saved_modes[mode] = private(mode) in self.mode

    def restore_private_mode(self, *mode_list: int) -> None:
        """XTRESTORE."""
        for mode in mode_list:
            if mode in self._saved_modes:
                self._switch(private(mode), self._saved_modes[mode])

    def _switch(self, mode: int, on: bool) -> None:
        """Turn a private mode (shifted, as pyte keeps it) on or off, with what that brings."""
        number = mode >> 5
        # Only what is known is kept: a stream of new numbers must not grow the set.
        if number not in _KNOWN_PRIVATE:
            return
        (self.mode.add if on else self.mode.discard)(mode)
        if number == 25:
            self.cursor.hidden = not on
        elif number in (47, 1047, 1049):
            self._switch_screen(number, on)
        elif mode == private(1048):
            (self.save_cursor if on else self.restore_cursor)()
        elif mode == modes.DECOM:
            self.cursor_position()
        elif mode == modes.DECAWM:
            self._settle()
        elif mode == SIDE_MARGINS and not on:
            self.set_sides(0, self.columns - 1)
        elif mode == modes.DECSCNM:
            self.touch_all()
        elif mode == modes.DECCOLM:
            # The size is the owner's: only the side effects.
            self.top, self.bottom = 0, self.lines - 1
            self.set_sides(0, self.columns - 1)
            self.erase_in_display(2)
            self.cursor_position()
        elif mode in MOUSE_MODES and on:
            self.mode.difference_update(other for other in MOUSE_MODES if other != mode)

    def _switch_screen(self, number: int, on: bool) -> None:
        """To the alternate screen (which has no scrollback) or back."""
        if number == 1049 and on and not self.alternate:
            self.save_cursor()
        if on != self.alternate:
            if not on and number == 1047:
                self.erase_in_display(2)
            fresh = self._other_rows or [Row() for _ in range(self.lines)]
            self.rows, self._other_rows = fresh, self.rows
            self._saved, self._saved_other = self._saved_other, self._saved
            self.alternate = on
            self.mode.difference_update(private(other) for other in (47, 1047, 1049) if not on)
            if on:
                self._saved = self._saved_other
            self.touch_all()
        if number == 1049:
            if on:
                self.erase_in_display(2)
            else:
                self.restore_cursor()

    @property
    def mouse_mode(self) -> int:
        """9, 1000, 1002 or 1003 where the program wants the mouse, else 0."""
        return next((mode >> 5 for mode in MOUSE_MODES if mode in self.mode), 0)

    @property
    def reverse_video(self) -> bool:
        """Whether the whole screen is shown in reverse."""
        return modes.DECSCNM in self.mode

    def application_keypad(self) -> None:
        """DECKPAM."""
        self.application_keypad_on = True

    def normal_keypad(self) -> None:
        """DECKPNM."""
        self.application_keypad_on = False

    def both_rows(self) -> tuple[list[Row], list[Row]]:
        """The lines of the normal and of the alternate screen; the second is empty where it was never used."""
        return (self._other_rows, self.rows) if self.alternate else (self.rows, self._other_rows)

    def both_saved(self) -> tuple[SavedCursor, SavedCursor]:
        """The cursor saved on the screen on show, and on the normal one."""
        return self._saved, self._saved_other if self.alternate else self._saved

    def bell(self, *_: Any) -> None:
        """BEL."""
        if self.on_bell is not None:
            self.on_bell()

    # Size

    def resize(self, lines: int | None = None, columns: int | None = None) -> None:
        """Take on a new size. Lines that wrapped are laid out anew on the normal screen and in the scrollback;
        the alternate screen is cut or grown at the bottom and on the right."""
        lines = max(1, min(lines or self.lines, MAX_SIDE))
        columns = max(1, min(columns or self.columns, MAX_SIDE))
        if (lines, columns) == (self.lines, self.columns):
            return
        cursor = self.cursor
        if self.alternate:
            self.rows = resize_alternate(self.rows, columns, lines)
            if self._other_rows:
                kept = self._saved_other
                x, y = resize_main(self, self._other_rows, columns, lines, kept.x, kept.y)
                self._saved_other = SavedCursor(x, y, kept.pen, kept.charset, kept.g0, kept.g1, kept.origin)
            cursor.x, cursor.y = min(cursor.x, columns - 1), min(cursor.y, lines - 1)
        else:
            cursor.x, cursor.y = resize_main(self, self.rows, columns, lines, cursor.x, cursor.y)
            self._other_rows = []
        self.columns, self.lines = columns, lines
        self.top, self.bottom = 0, lines - 1
        self.set_sides(0, columns - 1)
        self.dirty = set(range(lines))
