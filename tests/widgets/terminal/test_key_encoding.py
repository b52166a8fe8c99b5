"""Keys in the protocols that programs ask for; names are those of Textual's key events."""

from __future__ import annotations

import pytest

from tests.widgets.terminal.test_emulator_faults import fed
from widgets.terminal.key_encoding import KeyModes, encode

KITTY = KeyModes(kitty_flags=1)
ALL = KeyModes(kitty_flags=1 | 8)
TOLD = KeyModes(kitty_flags=1 | 4 | 8 | 16)


@pytest.mark.parametrize(
    ("key", "character", "modes", "sent"),
    [
        # The kitty protocol: https://sw.kovidgoyal.net/kitty/keyboard-protocol/
        ("a", "a", KITTY, "a"),
        ("A", "A", KITTY, "A"),
        ("exclamation_mark", "!", KITTY, "!"),
        ("é", "é", KITTY, "é"),
        ("escape", "\x1b", KITTY, "\x1b[27u"),
        ("ctrl+i", None, KITTY, "\x1b[105;5u"),
        ("tab", "\t", KITTY, "\t"),
        ("enter", "\r", KITTY, "\r"),
        ("backspace", "\x7f", KITTY, "\x7f"),
        ("shift+enter", None, KITTY, "\x1b[13;2u"),
        ("ctrl+enter", None, KITTY, "\x1b[13;5u"),
        ("shift+tab", None, KITTY, "\x1b[9;2u"),
        ("ctrl+backspace", None, KITTY, "\x1b[127;5u"),
        ("ctrl+c", "\x03", KITTY, "\x1b[99;5u"),
        ("ctrl+shift+p", None, KITTY, "\x1b[112;6u"),
        ("ctrl+at", "\0", KITTY, "\x1b[32;5u"),
        ("ctrl+space", None, KITTY, "\x1b[32;5u"),
        ("ctrl+left_square_bracket", None, KITTY, "\x1b[91;5u"),
        ("alt+x", None, KITTY, "\x1b[120;3u"),
        ("alt+X", None, KITTY, "\x1b[120;4u"),
        ("super+k", None, KITTY, "\x1b[107;9u"),
        ("up", None, KITTY, "\x1b[A"),
        ("up", None, KeyModes(application_cursor=True, kitty_flags=1), "\x1b[A"),
        ("ctrl+shift+up", None, KITTY, "\x1b[1;6A"),
        ("f1", None, KITTY, "\x1b[P"),
        ("f3", None, KITTY, "\x1b[13~"),
        ("ctrl+f3", None, KITTY, "\x1b[13;5~"),
        ("f13", None, KITTY, "\x1b[57376u"),
        ("delete", None, KITTY, "\x1b[3~"),
        ("menu", None, KITTY, "\x1b[57363u"),
        ("left_shift", None, KITTY, None),
        ("add", "+", KITTY, "+"),
        ("a", "a", ALL, "\x1b[97u"),
        ("A", "A", ALL, "\x1b[97;2u"),
        ("enter", "\r", ALL, "\x1b[13u"),
        ("space", " ", ALL, "\x1b[32u"),
        ("add", "+", ALL, "\x1b[57413u"),
        ("left_shift", None, ALL, "\x1b[57441u"),
        ("a", "a", TOLD, "\x1b[97;;97u"),
        ("A", "A", TOLD, "\x1b[97:65;2;65u"),
        ("ctrl+shift+a", None, TOLD, "\x1b[97:65;6u"),
        # modifyOtherKeys of xterm
        ("ctrl+i", None, KeyModes(modify_other_keys=2), "\x1b[27;5;105~"),
        ("ctrl+shift+p", None, KeyModes(modify_other_keys=2), "\x1b[27;6;80~"),
        ("shift+enter", None, KeyModes(modify_other_keys=2), "\x1b[27;2;13~"),
        ("ctrl+enter", None, KeyModes(modify_other_keys=1), "\x1b[27;5;13~"),
        ("ctrl+c", "\x03", KeyModes(modify_other_keys=1), "\x03"),
        ("alt+x", None, KeyModes(modify_other_keys=1), "\x1bx"),
        ("alt+x", None, KeyModes(modify_other_keys=2), "\x1b[27;3;120~"),
        ("A", "A", KeyModes(modify_other_keys=2), "A"),
        ("shift+tab", None, KeyModes(modify_other_keys=2), "\x1b[Z"),
        ("up", None, KeyModes(modify_other_keys=2), "\x1b[A"),
        ("ctrl+at", "\0", KeyModes(modify_other_keys=2), "\0"),
        # The keypad
        ("add", "+", KeyModes(), "+"),
        ("add", None, KeyModes(), "+"),
        ("add", "+", KeyModes(application_keypad=True), "\x1bOk"),
        ("divide", "/", KeyModes(application_keypad=True), "\x1bOo"),
        ("plus", "+", KeyModes(application_keypad=True), "+"),
    ],
)
def test_keys(key: str, character: str | None, modes: KeyModes, sent: str | None) -> None:
    assert encode(key, character, modes) == sent


def test_programs_choose_the_protocol() -> None:
    assert KeyModes.of(fed("")) == KeyModes()
    assert KeyModes.of(fed("\x1b[?1h\x1b=\x1b[>4;2m")) == KeyModes(True, True, 2, 0)
    assert KeyModes.of(fed("\x1b[>5u")).kitty_flags == 5
    assert KeyModes.of(fed("\x1b[>5u\x1b[<u")).kitty_flags == 0
