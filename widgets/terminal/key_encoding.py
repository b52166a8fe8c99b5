"""Which bytes a key sends: xterm's, those of its modifyOtherKeys, or those of the kitty keyboard protocol.

Sources: ctlseqs of xterm, and https://sw.kovidgoyal.net/kitty/keyboard-protocol/. Key names are Textual's. Of what the
kitty protocol can tell, Textual hands on no releases, no repeats and no keyboard layout: a letter's unshifted key is
known, that of "!" is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from widgets.terminal.emulator import Screen
from widgets.terminal.emulator.keyboard import ALL_AS_ESCAPES, ALTERNATE_KEYS, ASSOCIATED_TEXT, DISAMBIGUATE
from widgets.terminal.emulator.screen import CURSOR_KEYS
from widgets.terminal.key_names import CHARACTERS, KEYPAD, KITTY_CODES, KITTY_FINALS
from widgets.terminal.xterm_keys import encode_key

_BITS: Final = {"shift": 1, "alt": 2, "ctrl": 4, "super": 8, "hyper": 16, "meta": 32}
_SHIFT: Final = 1
_LEGACY_ALONE: Final = frozenset({"enter", "tab", "backspace"})
"""Keys that stay what they were without modifiers, so that a shell is usable after a program crashed."""


@dataclass(frozen=True, slots=True)
class KeyModes:
    """What the program asked for: DECCKM, DECKPAM, xterm's modifyOtherKeys level, the kitty protocol's flags."""

    application_cursor: bool = False
    application_keypad: bool = False
    modify_other_keys: int = 0
    kitty_flags: int = 0

    @classmethod
    def of(cls, screen: Screen) -> KeyModes:
        """What the program of this screen asked for."""
        return cls(
            CURSOR_KEYS in screen.mode,
            screen.application_keypad_on,
            screen.modify_other_keys,
            screen.keyboard_flags,
        )


def encode(key: str, character: str | None, modes: KeyModes) -> str | None:
    """What a key sends; None for one that sends nothing. `character` is what it typed, where it did."""
    if modes.kitty_flags & (DISAMBIGUATE | ALL_AS_ESCAPES):
        return _kitty(key, character, modes.kitty_flags)
    name, held = _parted(key)
    if name in KEYPAD and not held:
        char, final = KEYPAD[name]
        return f"\x1bO{final}" if modes.application_keypad else (character or char)
    if modes.modify_other_keys and (code := _other_key(name, held, modes.modify_other_keys)) is not None:
        return f"\x1b[27;{held + 1};{code}~"
    return encode_key(key, character, application_cursor=modes.application_cursor)


def _parted(key: str) -> tuple[str, int]:
    """A key's name without its modifiers, and these as bits."""
    *modifiers, name = key.split("+") if key != "+" else ["+"]
    held = 0
    for modifier in modifiers:
        held |= _BITS.get(modifier, 0)
    return name, held


def _character_of(name: str) -> str | None:
    """The character that a key types alone; None for one that types none."""
    found = CHARACTERS.get(name, name)
    return found if len(found) == 1 else None


def _other_key(name: str, held: int, level: int) -> int | None:
    """The code under which modifyOtherKeys tells this key; None where it is told as always."""
    if not held & ~_SHIFT and name not in ("enter", "tab", "escape"):
        return None
    if not held or (name == "tab" and held == _SHIFT) or name in ("backspace", "at"):
        return None
    code = {"enter": 13, "tab": 9, "escape": 27}.get(name)
    if code is None:
        char = _character_of(name)
        code = ord(char) if char is not None else None
    if code is None:
        return None
    if held & _SHIFT and chr(code).isalpha():
        code = ord(chr(code).upper()[0])
    # Level 1 leaves alone what has a control character of its own, and Alt as Meta.
    if level == 1 and (held == _BITS["alt"] or (not held & _SHIFT and (chr(code).isalpha() or name in CHARACTERS))):
        return None
    return code


def _kitty(key: str, character: str | None, flags: int) -> str | None:
    name, held = _parted(key)
    every = bool(flags & ALL_AS_ESCAPES)
    if name in _LEGACY_ALONE and not held and not every:
        return encode_key(key, character)
    if name in KITTY_FINALS:
        number, final = KITTY_FINALS[name]
        if held:
            return f"\x1b[{number};{held + 1}{final}"
        return f"\x1b[{number if number != 1 else ''}{final}"
    if name in KITTY_CODES:
        if name in KEYPAD and not every:
            return character or KEYPAD[name][0]
        if KITTY_CODES[name] >= _FIRST_MODIFIER and not every:
            return None
        return _csi_u(str(KITTY_CODES[name]), held, "")
    # Without kitty's own protocol outside, Ctrl+Space comes as Ctrl+@.
    char = " " if name == "at" and held == _BITS["ctrl"] else _character_of(name)
    text = character if character is not None and character.isprintable() else ""
    if char is None:
        return text or None
    if not every and not held & ~_SHIFT:
        return text or char
    base = char.lower()
    if base != char and len(base) == 1:
        held |= _SHIFT
    else:
        base = char
    code = str(ord(base))
    if flags & ALTERNATE_KEYS and held & _SHIFT and base.upper() != base and len(base.upper()) == 1:
        code += f":{ord(base.upper())}"
    shown = text if flags & ASSOCIATED_TEXT and not held & ~_SHIFT else ""
    return _csi_u(code, held, ":".join(str(ord(each)) for each in shown))


_FIRST_MODIFIER: Final = KITTY_CODES["left_shift"]


def _csi_u(code: str, held: int, text: str) -> str:
    if text:
        return f"\x1b[{code};{held + 1 if held else ''};{text}u"
    return f"\x1b[{code};{held + 1}u" if held else f"\x1b[{code}u"
