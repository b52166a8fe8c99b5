"""What a program tells the terminal in strings: titles, links, the clipboard, its folder, its colours (OSC)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote, urlsplit

from widgets.terminal.emulator.colours import read_colour, written_colour, xterm_palette
from widgets.terminal.emulator.links import Link, Links
from widgets.terminal.emulator.marks import read_mark, with_mark
from widgets.terminal.emulator.reports import Reports
from widgets.terminal.emulator.style import forget_styles

_MAX_TITLE: Final = 512
_MAX_DIRECTORY: Final = 4096
_MAX_TITLES: Final = 10
_CURSOR: Final = 12
_NUMBERS: Final = frozenset(map(str, range(256)))


def _clean(text: str, most: int = _MAX_TITLE) -> str:
    """Text without control characters, cut."""
    return "".join(char for char in text[:most] if char.isprintable())


class HostStrings(Reports):
    """Titles, links, prompts, folder, clipboard, progress, notifications and colours.

    Hooks, all optional: `on_title(text)`; `on_clipboard(selection, text)` for OSC 52 copies;
    `read_clipboard(selection)` answers what OSC 52 asks for, without it (or where it returns None) the question is
    refused by silence; `on_directory(path)`; `on_progress(state, percent)`; `on_notification(title, text)`.

    `directory` is the folder that the shell says it is in, on `directory_host`, both "" until told. `progress` is
    None, or a state (1 running, 2 failed, 3 of unknown length, 4 paused) and a percentage. `palette` holds the
    0xRRGGBB colours that the program set instead of the terminal's own, by their number, with 256 more than 10, 11
    and 12 for foreground, background and cursor; `palette_version` grows with every change of it.
    """

    on_title: Callable[[str], None] | None = None
    on_clipboard: Callable[[str, str], None] | None = None
    read_clipboard: Callable[[str], str | None] | None = None
    on_directory: Callable[[str], None] | None = None
    on_progress: Callable[[int, int], None] | None = None
    on_notification: Callable[[str, str], None] | None = None
    colours: tuple[int, int] | None = None
    base_palette: tuple[int, ...] | None = None
    palette_version = 0

    def reset(self) -> None:
        """RIS."""
        super().reset()
        self.directory = self.directory_host = ""
        self.progress: tuple[int, int] | None = None
        self.palette: dict[int, int] = {}
        self.palette_version += 1
        self._links = Links()
        self._titles: list[tuple[str, str]] = []

    def operating_command(self, code: str, text: str) -> None:
        """OSC. Unknown ones are swallowed."""
        if code in ("0", "1"):
            self.set_icon_name(text)
        if code in ("0", "2"):
            self.set_title(text)
        elif code == "8":
            parameters, _, address = text.partition(";")
            self._open_link(parameters, address)
        elif code == "133":
            self._mark(text)
        elif code == "7":
            self._set_directory(text)
        elif code == "52":
            self._use_clipboard(text)
        elif code in ("4", "10", "11", "12"):
            self._use_colours(int(code), text)
        elif code in ("104", "110", "111", "112"):
            self._reset_colours(int(code) - 100, text)
        elif code == "9":
            self._notify(text)
        elif code == "777" and text.startswith("notify;"):
            title, _, rest = text.removeprefix("notify;").partition(";")
            self._tell_notification(title, rest)

    # Titles

    def set_title(self, param: str) -> None:
        """The window's title, without control characters."""
        self.title = _clean(param)
        if self.on_title is not None:
            self.on_title(self.title)

    def set_icon_name(self, param: str) -> None:
        """The icon's name, without control characters."""
        self.icon_name = _clean(param)

    def window_operation(self, operation: int = 0, which: int = 0, *_: int) -> None:
        """XTWINOPS: the size in cells is told (18, 19) and titles are kept and given back (22, 23). Titles are never
        told, as they could inject input, and the size is the owner's."""
        if operation in (18, 19):
            self.write_process_input(f"\x1b[{operation - 10};{self.lines};{self.columns}t")
        elif operation == 22 and which in (0, 1, 2):
            self._titles = [*self._titles[1 - _MAX_TITLES :], (self.icon_name, self.title)]
        elif operation == 23 and which in (0, 1, 2) and self._titles:
            icon_name, title = self._titles.pop()
            if which != 2:
                self.set_icon_name(icon_name)
            if which != 1:
                self.set_title(title)

    # Links

    def _open_link(self, parameters: str, address: str) -> None:
        """OSC 8: what is drawn from now on leads to the address; nowhere for an empty one."""
        if self._links.full:
            forget_styles()
        self.pen = self.pen.with_link(self._links.opened(parameters, address))

    def link_at(self, line: int, column: int) -> Link | None:
        """Where the cell leads; `line` is absolute."""
        row = self.line(line)
        if row is None or row.styles is None or not 0 <= column < len(row.styles):
            return None
        return row.styles[column].link

    # Prompts

    def _mark(self, text: str) -> None:
        """OSC 133."""
        cursor = self.cursor
        mark = read_mark(text, min(cursor.x, self.columns))
        if mark is not None and not self.alternate:
            row = self.rows[cursor.y]
            row.marks = with_mark(row.marks, mark)
            row.version += 1
            self.dirty.add(cursor.y)

    # Folder, clipboard, notifications

    def _set_directory(self, text: str) -> None:
        """OSC 7: a file URL."""
        try:
            parts = urlsplit(text[:_MAX_DIRECTORY])
            path = unquote(parts.path, errors="strict")
            host = parts.hostname or ""
        except ValueError:
            return
        if parts.scheme == "file" and path.startswith("/") and path.isprintable():
            self.directory, self.directory_host = path, host
            if self.on_directory is not None:
                self.on_directory(path)

    def _use_clipboard(self, text: str) -> None:
        """OSC 52: a copy, or a question for what is there."""
        selection, separator, data = text.partition(";")
        if data == "?":
            held = None if self.read_clipboard is None else self.read_clipboard(selection)
            if held is not None:
                coded = base64.b64encode(held.encode()).decode()
                self.write_process_input(f"\x1b]52;{_clean(selection)};{coded}\x1b\\")
            return
        try:
            copied = base64.b64decode(data, validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            return
        if self.on_clipboard is not None and separator:
            self.on_clipboard(selection, copied)

    def _notify(self, text: str) -> None:
        """OSC 9: progress (`4;state;percent`), else a notification."""
        first, _, rest = text.partition(";")
        if first != "4":
            if not (first.isdecimal() and rest):
                self._tell_notification("", text)
            return
        state, _, share = rest.partition(";")
        number = int(state) if state in ("0", "1", "2", "3", "4") else 0
        percent = min(int(share), 100) if share.isascii() and share.isdecimal() and len(share) < 4 else 0
        self.progress = (number, percent) if number else None
        if self.on_progress is not None:
            self.on_progress(number, percent)

    def _tell_notification(self, title: str, text: str) -> None:
        if self.on_notification is not None and (title or text):
            self.on_notification(_clean(title), _clean(text, _MAX_DIRECTORY))

    # Colours

    def _use_colours(self, code: int, text: str) -> None:
        """OSC 4 takes pairs of a number and a colour; 10 to 12 take colours for themselves and what follows them. A
        question mark for a colour asks."""
        fields = text.split(";", 1024)
        if code == 4:
            pairs = [(int(n), c) for n, c in zip(fields[::2], fields[1::2], strict=False) if n in _NUMBERS]
        else:
            pairs = [(256 + number, colour) for number, colour in zip(range(code, _CURSOR + 1), fields, strict=False)]
        for number, wanted in pairs:
            if wanted == "?":
                self._tell_colour(number)
            elif (colour := read_colour(wanted)) is not None and self.palette.get(number) != colour:
                self.palette[number] = colour
                self._colours_changed()

    def _tell_colour(self, number: int) -> None:
        colour = self.palette.get(number)
        if colour is None and number < 256:
            colour = (self.base_palette or xterm_palette())[number]
        elif colour is None and self.colours is not None:
            colour = self.colours[1 if number == 256 + 11 else 0]
        if colour is not None:
            code = f"4;{number}" if number < 256 else str(number - 256)
            self.write_process_input(f"\x1b]{code};{written_colour(colour)}\x1b\\")

    def _reset_colours(self, code: int, text: str) -> None:
        """OSC 104 (the named numbers, or all), 110, 111 and 112."""
        if code != 4:
            gone = [256 + code]
        elif text:
            gone = [int(field) for field in text.split(";", 256) if field in _NUMBERS]
        else:
            gone = list(range(256))
        kept = {number: colour for number, colour in self.palette.items() if number not in gone}
        if len(kept) != len(self.palette):
            self.palette = kept
            self._colours_changed()

    def _colours_changed(self) -> None:
        self.palette_version += 1
        self.touch_all()
