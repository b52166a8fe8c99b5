"""What waits to be sent: keys, answers, and pastes that are cut up only as fast as the program reads."""

from __future__ import annotations

from collections import deque
from typing import Final

PIECE: Final = 4096
"""Characters of a paste, and bytes of all else, that are sent at a time."""

_BEGIN: Final = b"\x1b[200~"
_END: Final = b"\x1b[201~"
# What could act as a key, or end the bracket, is taken out; ends of line become Enter.
_CONTROLS = (*range(0x20), *range(0x7F, 0xA0))
_UNWANTED: Final = {**{code: "" for code in _CONTROLS if chr(code) not in "\t\r"}, 0x0A: "\r"}


class Paste:
    """A pasted text on its way: in brackets, where the program asked for them."""

    def __init__(self, text: str, *, bracketed: bool) -> None:
        self._text = text
        self._at = 0
        self._bracketed = bracketed
        self._begun = False

    @property
    def left(self) -> int:
        """Characters still to be sent."""
        return len(self._text) - self._at

    def take(self) -> bytes:
        """The next piece; empty where all is sent."""
        data = b""
        # A piece of nothing but unwanted characters is no end.
        while not data and not (self._begun and self._at >= len(self._text)):
            end = self._at + PIECE
            if self._text[end - 1 : end + 1] == "\r\n":
                end += 1
            piece = self._text[self._at : end].replace("\r\n", "\r").translate(_UNWANTED)
            data = piece.encode("utf-8", "replace")
            if self._bracketed and not self._begun:
                data = _BEGIN + data
            self._begun = True
            self._at = min(end, len(self._text))
            if self._bracketed and self._at == len(self._text):
                data += _END
        return data

    def stop(self) -> bytes:
        """Drop the rest; returns what closes the bracket, where one is open."""
        open_bracket = self._bracketed and self._begun and self._at < len(self._text)
        self._at, self._begun = len(self._text), True
        return _END if open_bracket else b""


class Outbox:
    """First in, first out."""

    def __init__(self) -> None:
        self._parts: deque[bytearray | Paste] = deque()

    def __bool__(self) -> bool:
        return bool(self._parts)

    @property
    def size(self) -> int:
        """Bytes that wait, pastes not counted."""
        return sum(len(part) for part in self._parts if isinstance(part, bytearray))

    @property
    def pasting(self) -> int:
        """Characters of pastes that are still to be sent."""
        return sum(part.left for part in self._parts if isinstance(part, Paste))

    def put(self, data: bytes) -> None:
        """Send these bytes after all that waits."""
        if data:
            if self._parts and isinstance(self._parts[-1], bytearray):
                self._parts[-1] += data
            else:
                self._parts.append(bytearray(data))

    def put_paste(self, paste: Paste) -> None:
        """Send a paste after all that waits."""
        self._parts.append(paste)

    def stop_pastes(self) -> None:
        """Drop what is left of pastes: the user wants to stop the program that does not read them."""
        kept, self._parts = self._parts, deque()
        for part in kept:
            self.put(part.stop() if isinstance(part, Paste) else bytes(part))

    def take(self) -> bytes:
        """The next piece to send; empty where nothing waits."""
        while self._parts:
            part = self._parts[0]
            if isinstance(part, Paste):
                if data := part.take():
                    return data
                self._parts.popleft()
            else:
                data = bytes(part[:PIECE])
                del part[:PIECE]
                if not part:
                    self._parts.popleft()
                return data
        return b""

    def clear(self) -> None:
        """Forget all."""
        self._parts.clear()
