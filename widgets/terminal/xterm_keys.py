"""Keys as xterm encodes them. Key names are Textual's ("ctrl+left", "f5", "a")."""

from __future__ import annotations

from widgets.terminal.key_names import CHARACTERS

_CURSOR = {"up": "A", "down": "B", "right": "C", "left": "D", "home": "H", "end": "F"}
_TILDE = {
    "insert": 2,
    "delete": 3,
    "pageup": 5,
    "pagedown": 6,
    "f5": 15,
    "f6": 17,
    "f7": 18,
    "f8": 19,
    "f9": 20,
    "f10": 21,
    "f11": 23,
    "f12": 24,
    "f13": 25,
    "f14": 26,
    "f15": 28,
    "f16": 29,
    "f17": 31,
    "f18": 32,
    "f19": 33,
    "f20": 34,
}
_F1_TO_F4 = {"f1": "P", "f2": "Q", "f3": "R", "f4": "S"}
_SIMPLE = {
    "enter": "\r",
    "tab": "\t",
    "escape": "\x1b",
    "backspace": "\x7f",
    "space": " ",
    "return": "\r",
    "newline": "\n",
}
_CONTROL_DIGITS = {"2": "\0", "3": "\x1b", "4": "\x1c", "5": "\x1d", "6": "\x1e", "7": "\x1f", "8": "\x7f"}
_MODIFIERS = {"shift": 1, "alt": 2, "ctrl": 4, "meta": 2, "super": 8}


def _control(char: str) -> str | None:
    """The control character of a character; None where there is none."""
    if "@" <= char.upper() <= "_":
        return chr(ord(char.upper()) & 31)
    if char in " `":
        return "\0"
    if char == "?":
        return "\x7f"
    if char == "/":
        return "\x1f"
    return _CONTROL_DIGITS.get(char)


def encode_key(key: str, character: str | None, *, application_cursor: bool = False) -> str | None:
    """What a key sends; None for one that sends nothing.

    `key` is Textual's name with its modifiers, `character` the printable character it made, if any;
    `application_cursor` is DECCKM.
    """
    *modifiers, name = key.split("+") if key != "+" else ["+"]
    held = 0
    for modifier in modifiers:
        held |= _MODIFIERS.get(modifier, 0)
    if name in _CURSOR:
        final = _CURSOR[name]
        if held:
            return f"\x1b[1;{held + 1}{final}"
        return f"\x1bO{final}" if application_cursor else f"\x1b[{final}"
    if name in _F1_TO_F4:
        return f"\x1b[1;{held + 1}{_F1_TO_F4[name]}" if held else f"\x1bO{_F1_TO_F4[name]}"
    if name in _TILDE:
        return f"\x1b[{_TILDE[name]};{held + 1}~" if held else f"\x1b[{_TILDE[name]}~"
    escape = "\x1b" if held & 2 else ""
    if name == "tab" and held & 1:
        return escape + "\x1b[Z"
    if name == "backspace":
        return escape + ("\x08" if held & 4 else "\x7f")
    if held & 4:
        # Without a protocol of its own, a modified Enter or Escape is the plain one.
        plain = _SIMPLE.get(name, " ") if name in ("enter", "return", "tab", "escape", "newline") else None
        char = CHARACTERS.get(name, name)
        made = plain or (_control(char) if len(char) == 1 else None)
        return None if made is None else escape + made
    if name in _SIMPLE:
        return escape + _SIMPLE[name]
    if character is not None and character.isprintable():
        return escape + character
    char = CHARACTERS.get(name, name)
    if len(char) == 1 and char.isprintable() and held & 2:
        return escape + (char.upper() if held & 1 else char)
    return None
