"""What the terminal answers when its program asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyte import modes

from widgets.terminal.emulator.motion import Motion

if TYPE_CHECKING:
    from collections.abc import Callable

_NAME = "pyte-terminal"
_ANSI_MODES = (modes.IRM, modes.LNM)


class Reports(Motion):
    """Answers go to `on_reply`. `colours` are the foreground and background as 0xRRGGBB that OSC 10 and 11 tell;
    None where unknown: then these questions get no answer."""

    colours: tuple[int, int] | None = None
    on_reply: Callable[[str], None] | None
    cursor_style: int

    def write_process_input(self, data: str) -> None:
        """Answer the program."""
        if self.on_reply is not None:
            self.on_reply(data)

    def report_device_attributes(self, mode: int = 0, *_: Any, **__: Any) -> None:
        """DA1: a VT220 with colour."""
        if mode == 0:
            self.write_process_input("\x1b[?62;22c")

    def report_secondary_attributes(self, mode: int = 0, *_: int) -> None:
        """DA2."""
        if mode == 0:
            self.write_process_input("\x1b[>1;10;0c")

    def report_tertiary_attributes(self, mode: int = 0, *_: int) -> None:
        """DA3."""
        if mode == 0:
            self.write_process_input("\x1bP!|00000000\x1b\\")

    def report_version(self, mode: int = 0, *_: int) -> None:
        """XTVERSION."""
        if mode == 0:
            self.write_process_input(f"\x1bP>|{_NAME}\x1b\\")

    def _position(self) -> str:
        x = min(self.cursor.x, self.columns - 1) + 1
        y = self.cursor.y + 1 - (self.top if modes.DECOM in self.mode else 0)
        return f"{y};{x}"

    def report_device_status(self, mode: int = 0, *_: Any, **__: Any) -> None:
        """DSR: 5 all is well, 6 where the cursor is."""
        if mode == 5:
            self.write_process_input("\x1b[0n")
        elif mode == 6:
            self.write_process_input(f"\x1b[{self._position()}R")

    def report_private_status(self, mode: int = 0, *_: int) -> None:
        """DECDSR: 6 where the cursor is, with a page."""
        if mode == 6:
            self.write_process_input(f"\x1b[?{self._position()};1R")

    def report_ansi_mode(self, mode: int = 0, *_: int) -> None:
        """DECRQM: 1 set, 2 reset, 0 unknown."""
        state = (1 if mode in self.mode else 2) if mode in _ANSI_MODES else 0
        self.write_process_input(f"\x1b[{mode};{state}$y")

    def report_private_mode(self, mode: int = 0, *_: int) -> None:
        """DECRQM of a private mode."""
        state = (1 if mode << 5 in self.mode else 2) if mode in self.known_private_modes else 0
        self.write_process_input(f"\x1b[?{mode};{state}$y")

    known_private_modes: frozenset[int] = frozenset()

    def report_colour(self, code: str, text: str) -> None:
        """OSC 10 and 11 with a question mark: the default colours, as X11 writes them."""
        if text == "?" and self.colours is not None:
            colour = self.colours[0 if code == "10" else 1]
            red, green, blue = colour >> 16 & 255, colour >> 8 & 255, colour & 255
            shown = f"rgb:{red:02x}{red:02x}/{green:02x}{green:02x}/{blue:02x}{blue:02x}"
            self.write_process_input(f"\x1b]{code};{shown}\x1b\\")

    def window_operation(self, operation: int = 0, *_: int) -> None:
        """XTWINOPS: only the size in cells (18) is told; titles are never told back, as they could inject input."""
        if operation == 18:
            self.write_process_input(f"\x1b[8;{self.lines};{self.columns}t")

    def device_control(self, text: str) -> None:
        """DCS: DECRQSS of the cursor style and the region is answered, the rest swallowed."""
        if text == "$q q":
            self.write_process_input(f"\x1bP1$r{self.cursor_style} q\x1b\\")
        elif text == "$qr":
            self.write_process_input(f"\x1bP1$r{self.top + 1};{self.bottom + 1}r\x1b\\")
        elif text.startswith("$q"):
            self.write_process_input("\x1bP0$r\x1b\\")
