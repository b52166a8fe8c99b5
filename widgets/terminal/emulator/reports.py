"""What the terminal answers when its program asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyte import modes

from widgets.terminal.emulator.rectangles import Rectangles
from widgets.terminal.emulator.style import PROTECTED, sgr_parameters

if TYPE_CHECKING:
    from collections.abc import Callable

_NAME = "pyte-terminal"
_ANSI_MODES = (modes.IRM, modes.LNM)
_MAX_NAMES = 16
_CAPABILITIES: Final = {
    "TN": "xterm-256color",
    "Co": "256",
    "colors": "256",
    "RGB": "8/8/8",
    "Ms": "\x1b]52;%p1%s;%p2%s\x07",
    "Se": "\x1b[2 q",
    "Ss": "\x1b[%p1%d q",
    "Smulx": "\x1b[4:%p1%dm",
}


class Reports(Rectangles):
    """Answers go to `on_reply`."""

    on_reply: Callable[[str], None] | None
    cursor_style: int

    def write_process_input(self, data: str) -> None:
        """Answer the program."""
        if self.on_reply is not None:
            self.on_reply(data)

    def report_device_attributes(self, mode: int = 0, *_: Any, **__: Any) -> None:
        """DA1: a VT420 with selective erase, colour and rectangles."""
        if mode == 0:
            self.write_process_input("\x1b[?64;6;22;28c")

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
        origin = modes.DECOM in self.mode
        x = min(self.cursor.x, self.columns - 1) + 1 - (self.left if origin else 0)
        y = self.cursor.y + 1 - (self.top if origin else 0)
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

    def device_control(self, text: str) -> None:
        """DCS: DECRQSS and XTGETTCAP are answered, the rest swallowed."""
        if text.startswith("$q"):
            state = self.setting(text[2:])
            # An unknown name is not told back: it could inject input.
            self.write_process_input("\x1bP0$r\x1b\\" if state is None else f"\x1bP1$r{state}\x1b\\")
        elif text.startswith("+q"):
            for name in text[2:].split(";", _MAX_NAMES)[:_MAX_NAMES]:
                self._report_capability(name)

    def setting(self, name: str) -> str | None:
        """A setting as the sequence that makes it, without the introducer; None for an unknown one."""
        if name == " q":
            return f"{self.cursor_style} q"
        if name == "r":
            return f"{self.top + 1};{self.bottom + 1}r"
        if name == "s":
            return f"{self.left + 1};{self.right + 1}s"
        if name == "m":
            return sgr_parameters(self.pen) + "m"
        if name == '"q':
            return f'{1 if self.pen.flags & PROTECTED else 0}"q'
        return '64;1"p' if name == '"p' else None

    def _report_capability(self, coded: str) -> None:
        """XTGETTCAP: a terminfo capability, both names and values in hexadecimal digits."""
        try:
            name = bytes.fromhex(coded).decode("ascii")
        except ValueError:
            return
        value = _CAPABILITIES.get(name)
        if value is None:
            self.write_process_input(f"\x1bP0+r{name.encode().hex()}\x1b\\")
        else:
            self.write_process_input(f"\x1bP1+r{name.encode().hex()}={value.encode().hex()}\x1b\\")
