"""Keys, pastes, focus and the mouse: what goes to the program, and what is the user's own."""

from __future__ import annotations

from time import monotonic
from typing import ClassVar, Final

from textual import events
from textual.geometry import Offset

from widgets.terminal.commands import KEYS
from widgets.terminal.emulator.grid import DEFAULT_SCROLLBACK
from widgets.terminal.emulator.mouse import MouseAction, encode_mouse
from widgets.terminal.emulator.screen import ALTERNATE_SCROLL, BRACKETED_PASTE, FOCUS, SGR_MOUSE
from widgets.terminal.key_encoding import KeyModes, encode
from widgets.terminal.prompting import TerminalPrompting
from widgets.terminal.selecting import Unit

_WHEEL_LINES: Final = 3
_CLICK_SECONDS: Final = 0.4
_UNITS: Final = (Unit.CELL, Unit.WORD, Unit.LINE)


class TerminalInput(TerminalPrompting, can_focus=True):
    """A view that takes input. Where it goes is for a subclass to say: `listening`, `send`, `send_paste`."""

    pass_keys: ClassVar[frozenset[str]] = frozenset({"ctrl+q", "ctrl+backslash"})
    """Keys that the program never gets, so that the app can be reached."""

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
        self._reported: tuple[int, int, int] | None = None
        self._last_down: tuple[float, Offset, int] = (0.0, Offset(-1, -1), 0)

    @property
    def listening(self) -> bool:
        """Whether a program takes input."""
        raise NotImplementedError

    def keep(self, key: str, character: str | None) -> bool:
        """Keep a key for the program that is on its way; False where none is."""
        raise NotImplementedError

    def send(self, data: bytes) -> None:
        """Send bytes to the program as they are. Dropped where none runs."""
        raise NotImplementedError

    def send_paste(self, text: str, *, bracketed: bool) -> None:
        """Send text piece by piece, as fast as the program reads it. Dropped where none runs."""
        raise NotImplementedError

    def interrupt(self) -> None:
        """Called before a key that stops programs is sent."""
        raise NotImplementedError

    @property
    def cursor_shown(self) -> bool:
        """The cursor is shown to somebody who types."""
        return self.listening

    def send_text(self, text: str) -> None:
        """Send text as if typed, and show the newest output."""
        self.follow()
        self.send(text.encode("utf-8", "replace"))

    # Keys

    def on_key(self, event: events.Key) -> None:
        """A key is of the app, of the copy mode, of the widget, or of the program, in this order."""
        if event.key in self.pass_keys or not self.take_key(event.key, event.character):
            return
        event.stop()
        event.prevent_default()

    def take_key(self, key: str, character: str | None) -> bool:
        """Do what the key is for; False where it is for nothing here."""
        if self.copying:
            self.take_copy_key(key, character)
            return True
        command = KEYS.get(key)
        if command is not None and not (command.needs_scrollback and self._emulator.alternate):
            getattr(self, f"action_{command.action}")()
            return True
        if not self.listening:
            return self.keep(key, character)
        text = encode(key, character, KeyModes.of(self._emulator))
        if text is None:
            return False
        if key in ("ctrl+c", "ctrl+z"):
            self.interrupt()
        self.select(None)
        self.send_text(text)
        return True

    # Pastes and focus

    def on_paste(self, event: events.Paste) -> None:
        """Send what the user pasted."""
        event.stop()
        if self.copying:
            self.take_copy_paste(event.text)
        else:
            self.paste(event.text)

    def paste(self, text: str) -> None:
        """Send text as a paste: without control characters, bracketed where the program asked for it."""
        if text:
            self.stop_copying()
            self.follow()
            self.send_paste(text, bracketed=BRACKETED_PASTE in self._emulator.mode)

    def action_paste(self) -> None:
        """Paste what was copied last within the app."""
        self.paste(self.app.clipboard)

    def on_focus(self) -> None:
        """Tell a program that asked."""
        if FOCUS in self._emulator.mode:
            self.send(b"\x1b[I")

    def on_blur(self) -> None:
        """Tell a program that asked."""
        if FOCUS in self._emulator.mode:
            self.send(b"\x1b[O")

    # Mouse

    def _wants_mouse(self, event: events.MouseEvent) -> bool:
        """Whether the program gets this event: with Shift, the mouse is the user's all the same."""
        free = not event.shift and self.listening and not self.copying and self._anchor is None
        return bool(self._emulator.mouse_mode) and free

    def _report_mouse(self, event: events.MouseEvent, action: MouseAction, button: int) -> bool:
        """Send the event to a program that wants the mouse; False where it is the user's."""
        if not self._wants_mouse(event):
            return False
        place = event.get_content_offset_capture(self)
        x = min(max(0, place.x), self._emulator.columns - 1)
        y = min(max(0, place.y), self._emulator.lines - 1)
        if action is MouseAction.MOVE and self._reported == (x, y, button):
            return True  # still the same cell
        self._reported = (x, y, button)
        report = encode_mouse(
            action,
            button,
            x,
            y,
            mode=self._emulator.mouse_mode,
            sgr=SGR_MOUSE in self._emulator.mode,
            alt=event.meta,
            ctrl=event.ctrl,
        )
        if report is not None:
            self.send(report)
        return True

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin a selection, or report the press. Once is a cell, twice a word, three times a line; Alt is a block,
        Shift goes on with what is selected, the middle button pastes."""
        event.stop()
        self.capture_mouse()
        self._pressed = event.button
        if event.button == 1 and event.ctrl and self.link_under(event.get_content_offset_capture(self)) is not None:
            return  # the link's, whoever has the mouse
        if self._report_mouse(event, MouseAction.PRESS, event.button):
            return
        place = event.get_content_offset_capture(self)
        if place.y == 0 and self._anchor is not None and place.x >= self.size.width - len(self.note):
            self.follow()
        elif event.button == 2:
            self.action_paste()
        elif event.button == 1:
            clicks = self._count_click(place)
            if event.shift and clicks == 1 and self._selection is not None:
                self.stretch_from_selection(place)
            else:
                self.begin_drag(place, unit=_UNITS[min(clicks, 3) - 1], block=event.meta)

    def _count_click(self, place: Offset) -> int:
        then, where, count = self._last_down
        now = monotonic()
        count = count + 1 if where == place and now - then < _CLICK_SECONDS else 1
        self._last_down = (now, place, count)
        return count

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Stretch the selection, scrolling at the edges, or report the move."""
        event.stop()
        place = event.get_content_offset_capture(self)
        if self._drag is not None:
            self.drag_to(place)
        else:
            self.hover(place)
            self._report_mouse(event, MouseAction.MOVE, self._pressed)

    def on_leave(self, event: events.Leave) -> None:
        """The mouse is on no link any more."""
        self.hover(None)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """End the selection, or report the release."""
        event.stop()
        self.capture_mouse(False)
        button, self._pressed = self._pressed, 0
        place = event.get_content_offset_capture(self)
        if self.end_drag():
            if button == 1 and self._selection is None and self._last_down[1:] == (place, 1):
                self.click_link(place, sure=event.ctrl)
        elif button == 1 and event.ctrl and self.link_under(place) is not None:
            self.click_link(place, sure=True)
        elif button:
            self._report_mouse(event, MouseAction.RELEASE, button)

    def on_click(self, event: events.Click) -> None:
        """Clicks are counted when the button goes down: a word or line may then be dragged on."""
        event.stop()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll back."""
        self._wheel(event, MouseAction.SCROLL_UP, _WHEEL_LINES, "up")

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll forth."""
        self._wheel(event, MouseAction.SCROLL_DOWN, -_WHEEL_LINES, "down")

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        """For programs alone."""
        event.stop()
        self._report_mouse(event, MouseAction.SCROLL_LEFT, 0)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        """For programs alone."""
        event.stop()
        self._report_mouse(event, MouseAction.SCROLL_RIGHT, 0)

    def _wheel(self, event: events.MouseEvent, action: MouseAction, lines: int, arrow: str) -> None:
        event.stop()
        event.prevent_default()
        if self._report_mouse(event, action, 0):
            return
        emulator = self._emulator
        if not emulator.alternate:
            self.scroll_lines(lines)
        elif ALTERNATE_SCROLL in emulator.mode and self.listening and not self.copying:
            # Pagers and editors that do not ask for the mouse scroll by arrow keys.
            self.send_text((encode(arrow, None, KeyModes.of(emulator)) or "") * _WHEEL_LINES)
