"""Textual's names of keys, and what protocols call them."""

from __future__ import annotations

from typing import Final

CHARACTERS: Final = {
    "space": " ",
    "at": "@",
    "left_square_bracket": "[",
    "backslash": "\\",
    "right_square_bracket": "]",
    "circumflex_accent": "^",
    "underscore": "_",
    "question_mark": "?",
    "slash": "/",
    "minus": "-",
    "plus": "+",
    "full_stop": ".",
    "comma": ",",
    "semicolon": ";",
    "colon": ":",
    "apostrophe": "'",
    "quotation_mark": '"',
    "grave_accent": "`",
    "tilde": "~",
    "exclamation_mark": "!",
    "number_sign": "#",
    "dollar_sign": "$",
    "percent_sign": "%",
    "ampersand": "&",
    "asterisk": "*",
    "left_parenthesis": "(",
    "right_parenthesis": ")",
    "less_than_sign": "<",
    "equals_sign": "=",
    "greater_than_sign": ">",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "vertical_line": "|",
}
"""Characters that Textual calls by name."""

KEYPAD: Final = {
    "decimal": (".", "n"),
    "divide": ("/", "o"),
    "multiply": ("*", "j"),
    "subtract": ("-", "m"),
    "add": ("+", "k"),
    "equal": ("=", "X"),
    "separator": (",", "l"),
}
"""Keys of the keypad that are told apart from others: what they type, and their final byte after SS3."""

KITTY_FINALS: Final = {
    "up": (1, "A"),
    "down": (1, "B"),
    "right": (1, "C"),
    "left": (1, "D"),
    "kp_begin": (1, "E"),
    "end": (1, "F"),
    "home": (1, "H"),
    "f1": (1, "P"),
    "f2": (1, "Q"),
    "f4": (1, "S"),
    "insert": (2, "~"),
    "delete": (3, "~"),
    "pageup": (5, "~"),
    "pagedown": (6, "~"),
    "f3": (13, "~"),
    "f5": (15, "~"),
    "f6": (17, "~"),
    "f7": (18, "~"),
    "f8": (19, "~"),
    "f9": (20, "~"),
    "f10": (21, "~"),
    "f11": (23, "~"),
    "f12": (24, "~"),
}
"""Keys that the kitty protocol tells in their old form: number and final byte."""

KITTY_CODES: Final = {
    "escape": 27,
    "enter": 13,
    "tab": 9,
    "backspace": 127,
    "caps_lock": 57358,
    "scroll_lock": 57359,
    "num_lock": 57360,
    "print_screen": 57361,
    "pause": 57362,
    "menu": 57363,
    **{f"f{number}": 57363 + number for number in range(13, 36)},
    "decimal": 57409,
    "divide": 57410,
    "multiply": 57411,
    "subtract": 57412,
    "add": 57413,
    "equal": 57415,
    "separator": 57416,
    **{
        name: 57428 + at
        for at, name in enumerate(
            (
                "media_play",
                "media_pause",
                "media_play_pause",
                "media_reverse",
                "media_stop",
                "media_fast_forward",
                "media_rewind",
                "media_track_next",
                "media_track_previous",
                "media_record",
                "lower_volume",
                "raise_volume",
                "mute_volume",
                "left_shift",
                "left_control",
                "left_alt",
                "left_super",
                "left_hyper",
                "left_meta",
                "right_shift",
                "right_control",
                "right_alt",
                "right_super",
                "right_hyper",
                "right_meta",
                "iso_level3_shift",
                "iso_level5_shift",
            )
        )
    },
}
"""Codes of the kitty protocol for keys that are no characters."""
