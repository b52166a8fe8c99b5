"""A terminal in a workspace: its source, its end, its recording."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.message import Message
from textual.widget import Widget

from widgets.terminal.commands import KEYS as OWN_KEYS
from widgets.terminal.emulator.repaint import repaint
from widgets.terminal.input import TerminalInput
from widgets.terminal.pane import Pane
from widgets.terminal.reconnecting import Reconnecting
from widgets.terminal.recorder import Recorder
from widgets.terminal.source import SourceFactory, TerminalSource
from widgets.terminal.tapped import Tapped
from widgets.terminal.widget import Terminal
from widgets.terminal.workspace_commands import LEADER

FOR_THE_APP: Final = frozenset({LEADER, "ctrl+q"})
"""Keys that no program gets."""

ALSO_WHEN_ENDED: Final = FOR_THE_APP | {"ctrl+p", "f1"}
"""Keys that still go to the app where a program has ended: what else is typed was meant for the program."""


@dataclass(frozen=True, slots=True)
class TerminalPlan:
    """What a pane opens.

    `factory` opens it, the first time and whenever it is to begin again; `first`, where given, is used once in its
    stead (for a session that is moved here); `sibling` makes the plan of one more beside it, where the factory would
    open the very same thing again. `key` is who it is: where a workspace has a pane with that key already,
    that one comes to the front. `reconnects` says that a ConnectionError of it is mended by opening it again;
    `stays` that it is a session which goes on without a terminal, so that closing one ends nothing.
    """

    title: str
    factory: SourceFactory
    key: str = ""
    reconnects: bool = False
    stays: bool = False
    first: SourceFactory | None = None
    sibling: Callable[[], TerminalPlan] | None = None

    def again(self) -> TerminalPlan:
        """The same for another pane."""
        return self.sibling() if self.sibling is not None else replace(self, key="", first=None)


class SharedTerminal(Terminal):
    """A terminal whose keys and pastes can go to others as well."""

    pass_keys: ClassVar[frozenset[str]] = FOR_THE_APP

    def __init__(self, factory: SourceFactory, also: Callable[[Callable[[Terminal], object]], None]) -> None:
        """`also` is handed what the user does here, to do it to the others too."""
        super().__init__(factory)
        self._also = also

    def on_key(self, event: events.Key) -> None:
        """Before the terminal itself sees the key; each encodes it as its own program wants it."""
        if self.takes_keys and not self.copying and event.key not in self.pass_keys and event.key not in OWN_KEYS:
            self._also(lambda other: TerminalInput.on_key(other, events.Key(event.key, event.character)))

    def paste(self, text: str) -> None:
        """Wherever it comes from: the outer terminal, a key, the middle button."""
        if self.takes_keys:
            self._also(lambda other: TerminalInput.paste(other, text))
        super().paste(text)


class TerminalPane(Pane):
    """A terminal with its source. It keeps its screen when the source has ended, and opens another one on Enter."""

    class RecordingFailed(Message):
        """The disk takes no more; the recording is over."""

        def __init__(self, pane: TerminalPane, why: str) -> None:
            super().__init__()
            self.pane = pane
            self.why = why

    def __init__(
        self,
        name: str,
        plan: TerminalPlan,
        *,
        also: Callable[[Pane, Callable[[Terminal], object]], None],
        in_view: Callable[[Pane], bool],
    ) -> None:
        """`also` is handed what the user does in it, to do it to the other marked ones; `in_view` tells whether the
        user sees it now."""
        super().__init__(name, plan.title, plan.key)
        self.plan = plan
        self.terminal = SharedTerminal(self._open, lambda deed: also(self, deed))
        self._first = plan.first
        self._reconnecting: Reconnecting | None = None
        self._recorder: Recorder | None = None
        self._ended = ""
        self._in_view = in_view

    def compose(self) -> ComposeResult:
        yield self.title_bar
        yield self.terminal
        yield self._note

    @property
    def target(self) -> Widget:
        return self.terminal

    @property
    def running(self) -> bool:
        return self.terminal.source is not None and not self.plan.stays

    @property
    def goes_on(self) -> bool:
        return self.terminal.source is not None and self.plan.stays

    @property
    def ended(self) -> bool:
        return bool(self._ended)

    @property
    def recording(self) -> bool:
        return self._recorder is not None and self._recorder.running

    # Source

    async def _open(self, columns: int, rows: int) -> TerminalSource:
        factory, self._first = self._first or self.plan.factory, None
        if self.plan.reconnects:
            self._reconnecting = Reconnecting(
                self.plan.factory, self.say, alternate=lambda: self.terminal.emulator.alternate
            )
            source: TerminalSource = await self._reconnecting.open(columns, rows, first=factory)
        else:
            source = await factory(columns, rows)
        self.call_later(self.tell_change)
        return Tapped(source, self)

    @on(Terminal.Exited)
    def _exited(self, event: Terminal.Exited) -> None:
        event.stop()
        if event.error:
            self._ended = f"{event.error.rstrip('.')}."
        elif event.code is None:
            self._ended = "It ended."
        elif event.code < 0:
            self._ended = f"It was ended by signal {-event.code}."
        else:
            self._ended = f"It ended with code {event.code}."
        self.say(f"{self._ended} Enter begins again, ^\\ x closes.")
        self.tell_change()

    def begin_again(self) -> None:
        """Open what has ended anew, or end the wait for the next attempt to reconnect."""
        if self._ended:
            self._ended = ""
            self.say("")
            self.own_title = ""
            self.terminal.restart()
            self.tell_change()
        else:
            self.hurry()

    def hurry(self) -> None:
        """Where it waits for the next attempt to reconnect: make it now."""
        if self._reconnecting is not None and not self._reconnecting.connected:
            self._reconnecting.reconnect_now()

    def on_key(self, event: events.Key) -> None:
        """What the terminal leaves, since nothing runs in it any more: keys meant for that must not be commands."""
        if event.key in (ALSO_WHEN_ENDED if self._ended else FOR_THE_APP):
            return
        # It may have been begun again while the key was on its way here.
        if self.terminal.takes_keys and not self.terminal.take_key(event.key, event.character):
            return
        event.stop()
        event.prevent_default()
        if self._ended and event.key == "enter":
            self.begin_again()

    # Listener

    def output(self, data: bytes) -> None:
        if self._recorder is not None:
            self._recorder.output(data)
        if not self.lively and not self._in_view(self):
            self.lively = True
            self.tell_change()

    def typed(self, data: bytes) -> None:
        if self._recorder is not None:
            self._recorder.typed(data)

    def resized(self, columns: int, rows: int) -> None:
        if self._recorder is not None:
            self._recorder.resized(columns, rows)

    # Recording

    async def start_recording(self, path: Path) -> None:
        """Record from now on. Raises OSError."""
        emulator = self.terminal.emulator
        self._recorder = await Recorder.start(
            path,
            emulator.columns,
            emulator.lines,
            title=self.title,
            first=lambda: repaint(emulator, 0),
            failed=self._recording_failed,
        )
        self.tell_change()

    def _recording_failed(self, why: str) -> None:
        self.post_message(self.RecordingFailed(self, why))

    async def stop_recording(self) -> Path | None:
        """The file, closed; None where nothing was recorded."""
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            return None
        await recorder.stop()
        self.tell_change()
        return recorder.path

    async def on_unmount(self) -> None:
        """Nothing that was recorded is lost."""
        if self._recorder is not None:
            await self._recorder.stop()

    # Marks

    @on(Terminal.TitleChanged)
    def _retitled(self, event: Terminal.TitleChanged) -> None:
        event.stop()
        self.own_title = " ".join(event.title.split())[:200]
        self.tell_change()

    @on(Terminal.BellRang)
    def _rang(self, event: Terminal.BellRang) -> None:
        event.stop()
        if not self._in_view(self):
            self.bell = True
        self.post_message(self.Rang(self))
