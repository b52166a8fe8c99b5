"""A line that is typed in the terminal's own last line: what to search for."""

from __future__ import annotations

from enum import Enum


class Typed(Enum):
    """What a key did."""

    NOTHING = "nothing"
    CHANGED = "changed"
    DONE = "done"
    GIVEN_UP = "given up"


class LineEntry:
    """Text with its cursor always at the end."""

    def __init__(self, prompt: str) -> None:
        self.prompt = prompt
        self.text = ""

    def press(self, key: str, character: str | None) -> Typed:
        """Take a key, by Textual's name."""
        if key == "enter":
            return Typed.DONE
        if key in ("escape", "ctrl+c", "ctrl+g"):
            return Typed.GIVEN_UP
        before = self.text
        if key in ("backspace", "ctrl+h"):
            if not before:
                return Typed.GIVEN_UP
            self.text = before[:-1]
        elif key == "ctrl+u":
            self.text = ""
        elif key == "ctrl+w":
            self.text = before.rstrip().rpartition(" ")[0]
        elif character is not None and character.isprintable():
            self.text += character
        return Typed.CHANGED if self.text != before else Typed.NOTHING

    def paste(self, text: str) -> None:
        """Add the first line of a paste."""
        lines = text.splitlines()
        self.text += "".join(char for char in lines[0] if char.isprintable()) if lines else ""
