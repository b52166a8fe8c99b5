"""A recording in a workspace, or alone: shown in its own size, with keys and a line to go through it."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.segment import Segment
from textual import events, on
from textual.app import ComposeResult
from textual.containers import ScrollableContainer
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from widgets.terminal.asciicast import Recording
from widgets.terminal.pane import Pane
from widgets.terminal.replay import Replay
from widgets.terminal.source import TerminalSource
from widgets.terminal.widget import Terminal

STEP_SECONDS: Final = 5.0
_REFRESH_SECONDS: Final = 0.25
KEYS: Final = "Space pause  ← → 5 s  + - speed  . step  0-9 go to  ^\\ more"


LEAST_TRACK: Final = 16
"""Cells of the line that keys leave."""


def clock(seconds: float) -> str:
    """`1:02:03`, or `2:03` below an hour."""
    whole = int(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


class ReplayTerminal(Terminal):
    """A terminal that nobody can type into."""

    @property
    def listening(self) -> bool:
        return False

    @property
    def cursor_shown(self) -> bool:
        return True


class ReplayBar(Widget):
    """How far it is; a click goes there."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"replay-bar--done", "replay-bar--words"}
    DEFAULT_CSS = """
    ReplayBar {
        height: 1;
        dock: bottom;
        width: 1fr;
        padding: 0 1;
        background: $surface;
        color: $foreground-muted;
        & > .replay-bar--done { color: $primary; }
        & > .replay-bar--words { color: $foreground; }
    }
    """

    class Clicked(Message):
        """The user wants to be there; `share` is from 0 to 1."""

        def __init__(self, share: float) -> None:
            super().__init__()
            self.share = share

    def __init__(self, keys: str) -> None:
        super().__init__()
        self._keys = keys
        self._shown = ("", 0.0)
        self._track = (0, 0)

    def show(self, words: str, share: float) -> None:
        """Show these words and this share of the line. The same again costs nothing."""
        if (words, share) != self._shown:
            self._shown = (words, share)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        words, share = self._shown
        width = self.size.width
        keys = ""
        for key in self._keys.split("  "):
            if len(words) + len(keys) + len(key) + 3 + LEAST_TRACK > width:
                break
            keys += f"  {key}"
        room = max(0, width - len(words) - len(keys) - 1)
        done = round(room * share)
        self._track = (len(words) + 1, room)
        return Strip(
            [
                Segment(f"{words} ", self.get_component_rich_style("replay-bar--words")),
                Segment("━" * done, self.get_component_rich_style("replay-bar--done")),
                Segment("─" * (room - done), self.rich_style),
                Segment(keys, self.rich_style),
            ]
        ).adjust_cell_length(width, self.rich_style)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        place = event.get_content_offset(self)
        start, room = self._track
        if place is not None and start <= place.x < start + room:
            self.post_message(self.Clicked((place.x - start) / max(1, room - 1)))


class ReplayPane(Pane):
    """Plays a recording. Nothing is lost when it is closed."""

    DEFAULT_CSS = """
    ReplayPane {
        & > ScrollableContainer { height: 1fr; width: 1fr; background: $background; }
        & > .pane--note { margin: 0 0 1 0; }
    }
    """

    def __init__(self, name: str, recording: Recording, *, title: str, key: str = "", keys: str = KEYS) -> None:
        """`keys` is what the line below says about keys, where there is room."""
        super().__init__(name, title, key)
        self._played = recording
        self.replay: Replay | None = None
        self.terminal = ReplayTerminal(self._open)
        self._bar = ReplayBar(keys)

    def compose(self) -> ComposeResult:
        yield self.title_bar
        with ScrollableContainer(can_focus=False):
            yield self.terminal
        yield self._bar
        yield self._note

    def on_mount(self) -> None:
        self._take_size(self._played.columns, self._played.rows)
        self.set_interval(_REFRESH_SECONDS, self._paint)
        if self._played.left_out:
            self.say(f"{self._played.left_out} lines of the file made no sense and are left out.")
            self.set_timer(5.0, lambda: self.say(""))

    @property
    def target(self) -> Widget:
        return self.terminal

    def _take_size(self, columns: int, rows: int) -> None:
        """The terminal is as large as the recorded one was, at once: what comes next was made for that size."""
        self.terminal.styles.width, self.terminal.styles.height = columns, rows
        if self.replay is not None:
            self.terminal.emulator.resize(rows, columns)

    async def _open(self, columns: int, rows: int) -> TerminalSource:
        self.replay = Replay(self._played, sized=self._take_size)
        return self.replay

    def _paint(self) -> None:
        replay = self.replay
        if replay is None or not self.display:
            return
        sign = "■" if replay.ended else "⏸" if replay.paused else "▶"
        duration = self._played.duration
        speed = f" {replay.speed:g}×" if replay.speed != 1.0 else ""
        share = replay.position / duration if duration else 1.0
        self._bar.show(f"{sign} {clock(replay.position)} / {clock(duration)}{speed}", round(share, 3))

    @on(ReplayBar.Clicked)
    def _bar_clicked(self, event: ReplayBar.Clicked) -> None:
        event.stop()
        if self.replay is not None:
            self.replay.seek(self._played.duration * event.share)
            self._paint()

    def on_key(self, event: events.Key) -> None:
        """Keys of a player."""
        replay = self.replay
        if replay is None or not self._steer(replay, event.key, event.character or ""):
            return
        event.stop()
        event.prevent_default()
        self._paint()

    def _steer(self, replay: Replay, key: str, character: str) -> bool:
        """False for a key that is none of these."""
        if key == "space":
            replay.pause(not (replay.paused or replay.ended))
        elif key in ("left", "right"):
            replay.seek(replay.position + (STEP_SECONDS if key == "right" else -STEP_SECONDS))
        elif key in ("home", "end"):
            replay.seek(0.0 if key == "home" else self._played.duration)
        elif character in ("+", "-", "=") and character:
            replay.faster(-1 if character == "-" else 1)
        elif character == ".":
            replay.step()
        elif character.isascii() and character.isdecimal():
            replay.seek(self._played.duration * int(character) / 10)
        else:
            return False
        return True
