"""Keys, pastes, focus and the mouse: what goes to the program, and what is the user's own."""

from __future__ import annotations

from typing import ClassVar

from textual import events

from widgets.terminal.emulator.grid import DEFAULT_SCROLLBACK
from widgets.terminal.emulator.keys import encode_key, encode_paste
from widgets.terminal.emulator.mouse import MouseAction, encode_mouse
from widgets.terminal.emulator.screen import ALTERNATE_SCROLL, BRACKETED_PASTE, CURSOR_KEYS, FOCUS, SGR_MOUSE
from widgets.terminal.selection import Selection
from widgets.terminal.view import TerminalView

_WHEEL_LINES = 3


class TerminalInput(TerminalView, can_focus=True):
    """A view that takes input. Where it goes is for a subclass to say: `listening`, `send` and `copied`."""

    pass_keys: ClassVar[frozenset[str]] = frozenset({"ctrl+q", "ctrl+backslash"})
    """Keys that the program never gets, so that the app can be reached."""

    copy_on_select: ClassVar[bool] = True
    """Whether letting go of the mouse copies what it selected."""

    def __init__(
        self,
        *,
        scrollback: int = DEFAULT_SCROLLBACK,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(scrollback=scrollback, name=name, id=id, classes=classes)
        self._pressed = 0
        self._drag_from: tuple[int, int] | None = None

    @property
    def listening(self) -> bool:
        """Whether a program takes input."""
        raise NotImplementedError

    def send(self, data: bytes) -> None:
        """Send bytes to the program as they are. Dropped where none runs."""
        raise NotImplementedError

    def copied(self, text: str) -> None:
        """Called when text went to the clipboard."""
        raise NotImplementedError

    @property
    def cursor_shown(self) -> bool:
        """The cursor is shown to somebody who types."""
        return self.listening

    def send_text(self, text: str) -> None:
        """Send text as if typed, and show the newest output."""
        self.follow()
        self.send(text.encode())

    # Keys

    def on_key(self, event: events.Key) -> None:
        """Send the key, scroll, or leave it to the app."""
        if event.key in self.pass_keys:
            return
        page = max(1, self._emulator.lines - 1)
        everything = len(self._emulator.history)
        scroll = {"shift+pageup": page, "shift+pagedown": -page, "shift+home": everything, "shift+end": -everything}
        if event.key in scroll and not self._emulator.alternate:
            self.scroll_lines(scroll[event.key])
        elif not self.listening:
            return
        elif event.key == "ctrl+shift+c" and self._selection is not None:
            self.copy_selection()
        else:
            text = encode_key(event.key, event.character, application_cursor=CURSOR_KEYS in self._emulator.mode)
            if text is None:
                return
            self.select(None)
            self.send_text(text)
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """Send what the user pasted."""
        event.stop()
        self.paste(event.text)

    def paste(self, text: str) -> None:
        """Send text as a paste: without control characters, bracketed where the program asked for it."""
        self.send_text(encode_paste(text, bracketed=BRACKETED_PASTE in self._emulator.mode))

    def on_focus(self) -> None:
        """Tell a program that asked, and draw the cursor full."""
        if FOCUS in self._emulator.mode:
            self.send(b"\x1b[I")
        self.refresh()

    def on_blur(self) -> None:
        """Tell a program that asked, and draw the cursor as an underline."""
        if FOCUS in self._emulator.mode:
            self.send(b"\x1b[O")
        self.refresh()

    # Mouse

    def copy_selection(self) -> str:
        """Copy what is selected to the clipboard; returns it, empty where nothing is."""
        text = self.selected_text
        if text:
            self.app.copy_to_clipboard(text)
            self.copied(text)
        return text

    def _report_mouse(self, event: events.MouseEvent, action: MouseAction, button: int) -> bool:
        """Send the event to a program that wants the mouse; False where it is the user's."""
        mode = self._emulator.mouse_mode
        if not mode or event.shift or not self.listening or self._anchor is not None:
            return False
        place = event.get_content_offset_capture(self)
        report = encode_mouse(
            action,
            button,
            min(max(0, place.x), self._emulator.columns - 1),
            min(max(0, place.y), self._emulator.lines - 1),
            mode=mode,
            sgr=SGR_MOUSE in self._emulator.mode,
            alt=event.meta,
            ctrl=event.ctrl,
        )
        if report is not None:
            self.send(report)
        return True

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin a selection, or report the press."""
        event.stop()
        self.capture_mouse()
        self._pressed = event.button
        if not self._report_mouse(event, MouseAction.PRESS, event.button) and event.button == 1:
            self.select(None)
            self._drag_from = self.cell_at(event.get_content_offset_capture(self))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Stretch the selection, scrolling at the edges, or report the move."""
        if self._drag_from is None:
            self._report_mouse(event, MouseAction.MOVE, self._pressed)
            return
        event.stop()
        place = event.get_content_offset_capture(self)
        if place.y < 0:
            self.scroll_lines(1)
        elif place.y >= self._emulator.lines:
            self.scroll_lines(-1)
        self.select(Selection(self._drag_from, self.cell_at(place)))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """End the selection, or report the release."""
        event.stop()
        self.capture_mouse(False)
        button, self._pressed = self._pressed, 0
        dragged, self._drag_from = self._drag_from is not None, None
        if dragged:
            if self._selection is not None and self.copy_on_select:
                self.copy_selection()
        elif button:
            self._report_mouse(event, MouseAction.RELEASE, button)

    def on_click(self, event: events.Click) -> None:
        """Twice selects a word, three times a line."""
        if event.chain < 2 or event.button != 1 or (self._emulator.mouse_mode and not event.shift):
            return
        event.stop()
        cell = self.cell_at(event.get_content_offset_capture(self))
        (self.select_word if event.chain == 2 else self.select_line)(cell)
        if self.copy_on_select:
            self.copy_selection()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll back."""
        self._wheel(event, MouseAction.SCROLL_UP, _WHEEL_LINES, "up")

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll forth."""
        self._wheel(event, MouseAction.SCROLL_DOWN, -_WHEEL_LINES, "down")

    def _wheel(self, event: events.MouseEvent, action: MouseAction, lines: int, arrow: str) -> None:
        event.stop()
        event.prevent_default()
        if self._report_mouse(event, action, 0):
            return
        emulator = self._emulator
        if emulator.alternate and ALTERNATE_SCROLL in emulator.mode:
            # Pagers and editors that do not ask for the mouse scroll by arrow keys.
            key = encode_key(arrow, None, application_cursor=CURSOR_KEYS in emulator.mode)
            self.send_text((key or "") * _WHEEL_LINES)
        elif not emulator.alternate:
            self.scroll_lines(lines)
