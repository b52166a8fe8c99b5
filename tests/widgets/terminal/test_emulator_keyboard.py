"""How programs choose what keys send, and what else they ask for."""

from __future__ import annotations

from tests.widgets.terminal.test_emulator_faults import fed, replies
from widgets.terminal.emulator import Stream


def test_kitty_flags_are_a_stack() -> None:
    assert replies("\x1b[?u\x1b[>1u\x1b[?u\x1b[>31u\x1b[?u\x1b[<u\x1b[?u\x1b[<9u\x1b[?u") == "".join(
        f"\x1b[?{flags}u" for flags in (0, 1, 31, 1, 0)
    )


def test_kitty_flags_are_set_added_and_taken() -> None:
    screen = fed("\x1b[=5u")
    for sequence, flags in (
        ("\x1b[=2;2u", 7),
        ("\x1b[=1;3u", 6),
        ("\x1b[=8;1u", 8),
        ("\x1b[=255u", 31),
        ("\x1b[=0;9u", 31),
    ):
        Stream(screen).feed(sequence)
        assert screen.keyboard_flags == flags


def test_each_screen_has_its_own_kitty_flags_and_a_reset_clears_them() -> None:
    screen = fed("\x1b[>1u\x1b[?1049h")
    assert screen.keyboard_flags == 0
    Stream(screen).feed("\x1b[>5u\x1b[?1049l")
    assert screen.keyboard_flags == 1 and screen.keyboard_stack(alternate=True) == (0, 5)
    Stream(screen).feed("\x1bc")
    assert screen.keyboard_flags == 0


def test_the_stack_is_bounded() -> None:
    assert len(fed("\x1b[>1u" * 500).keyboard_stack(alternate=False)) <= 32


def test_modify_other_keys() -> None:
    assert fed("\x1b[>4;2m").modify_other_keys == 2
    for reset in ("\x1b[>4m", "\x1b[>4;0m", "\x1b[>m", "\x1b[>4n", "\x1bc"):
        assert fed("\x1b[>4;2m" + reset).modify_other_keys == 0
    assert replies("\x1b[>4;1m\x1b[?4m") == "\x1b[>4;1m"
    assert fed("\x1b[>1;2m\x1b[>4;9m").modify_other_keys == 0


def test_settings_are_told() -> None:
    def setting(name: str, before: str = "") -> str:
        return replies(f"{before}\x1bP$q{name}\x1b\\")

    assert setting("m", "\x1b[1;4:3;38;5;200;48;2;1;2;3m") == "\x1bP1$r0;1;4:3;38;5;200;48;2;1;2;3m\x1b\\"
    assert setting("r", "\x1b[2;5r") == "\x1bP1$r2;5r\x1b\\"
    assert setting("s", "\x1b[?69h\x1b[3;9s") == "\x1bP1$r3;9s\x1b\\"
    assert setting(" q", "\x1b[4 q") == "\x1bP1$r4 q\x1b\\"
    assert setting('"q', '\x1b[1"q') == '\x1bP1$r1"q\x1b\\'
    assert setting('"p').startswith("\x1bP1$r")
    assert setting("x; rm") == "\x1bP0$r\x1b\\"


def test_capabilities_are_told() -> None:
    assert replies(f"\x1bP+q{b'Co'.hex()};{b'nope'.hex()}\x1b\\") == (
        f"\x1bP1+r{b'Co'.hex()}={b'256'.hex()}\x1b\\\x1bP0+r{b'nope'.hex()}\x1b\\"
    )
    assert replies("\x1bP+qzz;\x1b\\") in ("", "\x1bP0+r\x1b\\")
    assert len(replies("\x1bP+q" + ";".join(["6162"] * 500) + "\x1b\\")) < 1000


def test_modes_are_told() -> None:
    assert replies("\x1b[?2027$p\x1b[?69$p\x1b[?69h\x1b[?69$p") == "\x1b[?2027;2$y\x1b[?69;2$y\x1b[?69;1$y"


def test_sizes_are_told() -> None:
    assert replies("\x1b[18t\x1b[19t\x1b[14t\x1b[8;50;100t") == "\x1b[8;24;80t\x1b[9;24;80t"
