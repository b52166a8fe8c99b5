"""One session: a process, its screen, and who looks on."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from backend.domain.errors import DomainError, EngineUnavailable
from backend.domain.terminals import (
    CANNOT_START,
    FIRST_OUTPUT_SECONDS,
    MAX_COLUMNS,
    MAX_ROWS,
    START_FAILURES,
    EndReason,
    SessionKey,
    SessionStart,
    StartFailed,
    TerminalEnd,
)
from backend.engines.engine_fault import EngineFault
from backend.terminals.engine_requests import ANSWER_SECONDS, EngineRequests
from backend.terminals.exec_connection import SESSION_MARK, ExecConnection, ExecProcess, hang_up_orphans
from backend.terminals.fair_share import FairShare
from backend.terminals.queries import begun_query, split_queries
from backend.terminals.viewing import Viewing
from widgets.terminal.emulator import ByteStream, Screen, repaint

log = logging.getLogger(__name__)

SCROLLBACK_LINES = 5_000
# The newest lines of the scrollback that one who fell behind gets with the screen.
CATCH_UP_LINES = 500
SLICE = 8 * 1024
# Output of at most this many bytes is passed on at once where nothing waits: it is an echo.
EAGER = 2 * 1024
# Output taken from the engine that the screen has not taken in yet.
PENDING_HIGH = 128 * 1024
PENDING_LOW = 32 * 1024
# All viewers are behind, and none makes progress: after this long the process goes on without them.
STALLED_SECONDS = 2.0
# What may be a question is held back for the rest of it.
HOLD_SECONDS = 0.05
# Before a viewer gets a screen written out: end a sequence that was cut off, and all that was there.
FRESH = b"\x18\x1bc\x1b[H\x1b[2J\x1b[3J"


class Session:
    """Started by `start`; then viewers come and go until it ends, which `on_ended` is told once."""

    def __init__(
        self,
        key: SessionKey,
        start: SessionStart,
        columns: int,
        rows: int,
        mark: str,
        share: FairShare,
        on_ended: Callable[[Session], None],
    ) -> None:
        self.key = key
        self.what = start
        self.end: TerminalEnd | None = None
        self.viewers: list[Viewing] = []
        self._mark = mark
        self._share = share
        self._on_ended = on_ended
        self._engine = EngineRequests(start.access)
        self._screen = Screen(columns, rows, SCROLLBACK_LINES)
        self._screen.on_reply = self._reply
        self._stream = ByteStream(self._screen)
        self._connection: ExecConnection | None = None
        self._process: ExecProcess | None = None
        self._pending: deque[bytes] = deque()
        self._pending_bytes = 0
        self._reading = True
        self._held = b""
        self._hold_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._begun = False
        self._eof = False
        self._first = asyncio.Event()
        self._input_flows = True
        self._waiting_input: list[bytes] = []
        self._replied = False
        self._latest: Viewing | None = None
        self._wanted_size: tuple[int, int] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._asked_end: TerminalEnd | None = None
        self.started_at = datetime.now(UTC)
        self.last_output_at: datetime | None = None
        self.last_input_at: datetime | None = None

    # --- its life

    async def start(self) -> None:
        """Run the process. Raises StartFailed, NotFound, Conflict, EngineUnavailable."""
        what, (columns, rows) = self.what, self.size
        env = {**what.env, SESSION_MARK: self._mark}
        exec_id = await self._engine.create_exec(what.container_id, what.argv, env)
        self._process = ExecProcess(self._engine, what.container_id, exec_id, self._mark)
        self._connection = await self._engine.hijack(exec_id, columns, rows, lambda: ExecConnection(self))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._connection.upgraded
        except TimeoutError as error:
            raise EngineUnavailable("the engine does not start the terminal in time") from error
        # Engines before API 1.42 pass over the size at the start.
        resized = asyncio.create_task(self._process.resize(columns, rows))
        try:
            async with asyncio.timeout(FIRST_OUTPUT_SECONDS):
                await self._first.wait()
        except TimeoutError:
            log.debug("%s says nothing at first", what.label)
        await resized
        head = self._pending[0] if self._pending else b""
        if (head.startswith(START_FAILURES) or not head) and self._eof:
            code = await self._process.exit_code()
            if code in CANNOT_START:
                raise StartFailed(b"".join(self._pending) or b"the process ended at once")

    def begin(self) -> None:
        """Take in what the process writes; before the first viewer, so that it gets all of it as it was."""
        self._begun = True
        self._wake()

    async def hang_up(self, end: TerminalEnd) -> None:
        """End it on request: the viewers are told at once, then the process."""
        self._asked_end = end
        self._pending.clear()
        self._finish(end)
        if self._process is not None:
            try:
                await self._process.hang_up()
            except (EngineFault, DomainError) as error:
                log.warning("%s could not be hung up: %s", self.key, error)
        self.drop()

    def hang_up_orphans(self, holders: Sequence[str]) -> None:
        """Beside what else there is to do: the shells in this container that belong to none of these holders."""

        async def work() -> None:
            try:
                await hang_up_orphans(self._engine, self.what.container_id, holders)
            except (EngineFault, DomainError) as error:
                log.info("no orphans can be looked for in %s: %s", self.what.container_id[:12], error)

        self._spawn(work())

    def drop(self) -> None:
        """Let go of the connection without a word."""
        if self._connection is not None:
            self._connection.abort()

    # --- viewers

    @property
    def size(self) -> tuple[int, int]:
        return self._screen.columns, self._screen.lines

    @property
    def title(self) -> str:
        return str(self._screen.title)

    def add(self, viewer: Viewing, *, resumed: bool) -> None:
        """It sees all from now on; where the session was there before, its screen and scrollback first."""
        self.viewers.append(viewer)
        self.make_latest(viewer)
        if resumed:
            viewer.send(self._written_out(SCROLLBACK_LINES))

    def remove(self, viewer: Viewing) -> None:
        if viewer in self.viewers:
            self.viewers.remove(viewer)
        if self._latest is viewer:
            self._latest = None
        # It may have been the one that all waited for.
        self._wake()

    def make_latest(self, viewer: Viewing) -> None:
        """The session takes on the size of the viewer that was active last."""
        self._latest = viewer
        columns, rows = viewer.size
        if (columns, rows) == self.size or not (1 <= columns <= MAX_COLUMNS and 1 <= rows <= MAX_ROWS):
            return
        self._screen.resize(rows, columns)
        for each in self.viewers:
            each.tell({"type": "size", "columns": columns, "rows": rows})
        if self._wanted_size is None:
            self._wanted_size = (columns, rows)
            self._spawn(self._resize_process())
        self._wanted_size = (columns, rows)

    async def _resize_process(self) -> None:
        """One after another; sizes between are passed over. What was typed after a resize comes after it."""
        while (wanted := self._wanted_size) is not None and self._process is not None:
            await self._process.resize(*wanted)
            if self._wanted_size == wanted:
                self._wanted_size = None
        waiting, self._waiting_input = self._waiting_input, []
        for data in waiting:
            self._write(data)
        self._let_input_flow()

    def input(self, viewer: Viewing, data: bytes) -> None:
        """What a viewer types."""
        if self._latest is not viewer:
            self.make_latest(viewer)
        self.last_input_at = datetime.now(UTC)
        if self._wanted_size is None:
            self._write(data)
        else:
            self._waiting_input.append(data)
        if not self._input_flows or self._waiting_input:
            viewer.hold_input(True)

    def viewer_caught_up(self, viewer: Viewing) -> None:
        """Its buffer is low again."""
        if viewer.skipped:
            viewer.skipped = False
            viewer.send(self._written_out(CATCH_UP_LINES))
        self._wake()

    def notify(self, text: str, tries: int = 5) -> None:
        """A line of ours among the output; at the bottom where a program has the whole screen."""
        if (self._stream.unfinished or self._held) and tries:
            # Not into the middle of a sequence.
            asyncio.get_running_loop().call_later(0.1, self.notify, text, tries - 1)
            return
        shown = "".join(char for char in text if char.isprintable())[: self._screen.columns]
        if self._screen.alternate:
            line = f"\x1b7\x1b[{self._screen.lines};1H\x1b[7m{shown}\x1b[m\x1b[K\x1b8"
        else:
            line = f"\r\n\x1b[7m{shown}\x1b[m\r\n"
        self._pass_on(line.encode())

    def _written_out(self, scrollback_lines: int) -> bytes:
        return FRESH + repaint(self._screen, scrollback_lines) + self._stream.unfinished

    # --- output

    def output(self, data: bytes) -> None:
        """From the connection."""
        if self.end is not None:
            return
        self._first.set()
        if self._begun and not self._pending and len(data) <= EAGER and self._gate_is_open():
            self._take_in(data)
            return
        self._pending.append(data)
        self._pending_bytes += len(data)
        if self._pending_bytes > PENDING_HIGH and self._reading:
            self._read_on(False)
        self._wake()

    def output_ended(self) -> None:
        """From the connection."""
        self._eof = True
        self._first.set()
        self._wake()

    def take_slice(self) -> bool:
        """For the fair share: a little of what waits."""
        if self.end is not None or not self._gate_is_open():
            return False
        if not self._pending:
            if self._eof:
                self._let_go_held()
                self._spawn(self._look_how_it_ended())
                self._begun = False
            return False
        data = self._pending.popleft()
        if len(data) > SLICE:
            self._pending.appendleft(data[SLICE:])
            data = data[:SLICE]
        self._pending_bytes -= len(data)
        self._take_in(data)
        if self._pending_bytes < PENDING_LOW and not self._reading:
            self._read_on(True)
        return bool(self._pending) or self._eof

    def _wake(self) -> None:
        if self._begun and (self._pending or self._eof):
            self._share.add(self)

    def _read_on(self, wanted: bool) -> None:
        self._reading = wanted
        if self._connection is not None:
            self._connection.read_on(wanted)

    def _gate_is_open(self) -> bool:
        """The fastest viewer sets the pace, so that one who reads misses nothing. Where none makes progress for long,
        the process goes on without them: they get the screen written out when they read again."""
        watching = [viewer for viewer in self.viewers if not viewer.skipped]
        if not watching or not all(viewer.is_behind for viewer in watching):
            return True
        if self._stall_timer is None:
            self._stall_timer = asyncio.get_running_loop().call_later(STALLED_SECONDS, self._stalled)
        return False

    def _stalled(self) -> None:
        self._stall_timer = None
        for viewer in self.viewers:
            if viewer.is_behind and not viewer.makes_progress():
                viewer.skipped = True
        self._wake()

    def _take_in(self, data: bytes) -> None:
        self.last_output_at = datetime.now(UTC)
        if self._held:
            data = self._held + data
            self._held = b""
            if self._hold_timer is not None:
                self._hold_timer.cancel()
                self._hold_timer = None
        if b"\x1b" not in data:
            self._pass_on(data)
            return
        for plain, query in split_queries(data):
            if query:
                self._pass_on(plain)
                self._ask(query)
            else:
                at = begun_query(plain)
                self._pass_on(plain[:at])
                self._held = plain[at:]
        if self._held:
            self._hold_timer = asyncio.get_running_loop().call_later(HOLD_SECONDS, self._let_go_held)

    def _let_go_held(self) -> None:
        """The rest did not come: it is no question, or a slow one."""
        data, self._held = self._held, b""
        self._hold_timer = None
        self._pass_on(data)

    def _pass_on(self, data: bytes) -> None:
        if not data:
            return
        for viewer in self.viewers:
            # One who is behind while others are not misses this, and gets the screen written out later.
            if viewer.is_behind and len(self.viewers) > 1:
                viewer.skipped = True
            if not viewer.skipped:
                viewer.send(data)
        self._stream.feed(data)

    def _ask(self, query: bytes) -> None:
        """The screen answers what it can; the rest only the viewer that was active last may know."""
        self._replied = False
        self._stream.feed(query)
        if not self._replied and self._latest is not None and not self._latest.skipped:
            self._latest.send(query)

    def _reply(self, text: str) -> None:
        self._replied = True
        # A program that asks and asks, and reads nothing, gets no more.
        if self._input_flows:
            self._write(text.encode())

    # --- input

    def input_flows(self, flows: bool) -> None:
        """From the connection."""
        self._input_flows = flows
        self._let_input_flow()

    def _let_input_flow(self) -> None:
        if self._input_flows and not self._waiting_input:
            for viewer in self.viewers:
                viewer.hold_input(False)

    def _write(self, data: bytes) -> None:
        if self._connection is not None:
            self._connection.write(data)

    # --- the end

    async def _look_how_it_ended(self) -> None:
        assert self._process is not None
        self._finish(self._asked_end or await self._process.how_it_ended())

    def _finish(self, end: TerminalEnd) -> None:
        if self.end is not None:
            return
        self.end = end
        for timer in (self._hold_timer, self._stall_timer):
            if timer is not None:
                timer.cancel()
        for viewer in self.viewers:
            viewer.finish(end)
        self.viewers.clear()
        self._on_ended(self)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def info(self) -> dict[str, Any]:
        """As `TerminalSessionInfo`, for a JSON frame."""
        columns, rows = self.size
        return {
            "scope": self.key.scope,
            "name": self.key.name,
            "command": self.what.label,
            "container_id": self.what.container_id,
            "title": self.title,
            "columns": columns,
            "rows": rows,
            "viewers": len(self.viewers),
            "started_at": self.started_at.isoformat(),
            "last_output_at": self.last_output_at.isoformat() if self.last_output_at else None,
            "last_input_at": self.last_input_at.isoformat() if self.last_input_at else None,
        }


def ended_on_request(message: str, reason: EndReason = EndReason.ENDED) -> TerminalEnd:
    return TerminalEnd(reason, None, message)
