"""Keys, pastes and the mouse as xterm sends them; and what the package imports."""

from __future__ import annotations

import subprocess
import sys

import pytest

from widgets.terminal.emulator.mouse import MouseAction, encode_mouse
from widgets.terminal.xterm_keys import encode_key


@pytest.mark.parametrize(
    ("key", "character", "sent"),
    [
        ("a", "a", "a"),
        ("A", "A", "A"),
        ("space", " ", " "),
        ("plus", "+", "+"),
        ("é", "é", "é"),
        ("enter", "\r", "\r"),
        ("tab", "\t", "\t"),
        ("shift+tab", None, "\x1b[Z"),
        ("escape", "\x1b", "\x1b"),
        ("backspace", "\x7f", "\x7f"),
        ("ctrl+backspace", None, "\x08"),
        ("ctrl+c", "\x03", "\x03"),
        ("ctrl+at", "\0", "\0"),
        ("ctrl+space", None, "\0"),
        ("ctrl+backslash", "\x1c", "\x1c"),
        ("ctrl+right_square_bracket", "\x1d", "\x1d"),
        ("ctrl+underscore", "\x1f", "\x1f"),
        ("ctrl+slash", None, "\x1f"),
        ("alt+x", None, "\x1bx"),
        ("alt+shift+x", None, "\x1bX"),
        ("alt+enter", None, "\x1b\r"),
        ("ctrl+alt+a", None, "\x1b\x01"),
        ("up", None, "\x1b[A"),
        ("ctrl+left", None, "\x1b[1;5D"),
        ("alt+shift+home", None, "\x1b[1;4H"),
        ("delete", None, "\x1b[3~"),
        ("shift+delete", None, "\x1b[3;2~"),
        ("pageup", None, "\x1b[5~"),
        ("f1", None, "\x1bOP"),
        ("ctrl+f1", None, "\x1b[1;5P"),
        ("f5", None, "\x1b[15~"),
        ("f12", None, "\x1b[24~"),
        ("shift+f5", None, "\x1b[15;2~"),
        ("caps_lock", None, None),
    ],
)
def test_keys(key: str, character: str | None, sent: str | None) -> None:
    assert encode_key(key, character) == sent


def test_application_cursor_keys() -> None:
    assert encode_key("up", None, application_cursor=True) == "\x1bOA"
    assert encode_key("home", None, application_cursor=True) == "\x1bOH"
    assert encode_key("ctrl+up", None, application_cursor=True) == "\x1b[1;5A"


def test_mouse_reports() -> None:
    press, release, move = MouseAction.PRESS, MouseAction.RELEASE, MouseAction.MOVE
    assert encode_mouse(press, 1, 4, 2, mode=1000, sgr=True) == b"\x1b[<0;5;3M"
    assert encode_mouse(release, 3, 4, 2, mode=1000, sgr=True) == b"\x1b[<2;5;3m"
    assert encode_mouse(press, 1, 0, 0, mode=1000, sgr=False) == b"\x1b[M !!"
    assert encode_mouse(release, 1, 0, 0, mode=1000, sgr=False) == b"\x1b[M#!!"
    assert encode_mouse(press, 1, 300, 0, mode=1000, sgr=False) is None
    assert encode_mouse(release, 1, 0, 0, mode=9, sgr=False) is None
    assert encode_mouse(move, 1, 0, 0, mode=1000, sgr=True) is None
    assert encode_mouse(move, 0, 0, 0, mode=1002, sgr=True) is None
    assert encode_mouse(move, 1, 0, 0, mode=1002, sgr=True) == b"\x1b[<32;1;1M"
    assert encode_mouse(move, 0, 0, 0, mode=1003, sgr=True) == b"\x1b[<35;1;1M"
    assert encode_mouse(MouseAction.SCROLL_DOWN, 0, 0, 0, mode=1000, sgr=True, ctrl=True) == b"\x1b[<81;1;1M"


def test_the_emulator_loads_without_textual() -> None:
    program = "import sys, widgets.terminal.emulator; sys.exit('textual' in sys.modules or 'rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
