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
    MAX_COLUMNS,
    MAX_ROWS,
    START_FAILURES,
    EndReason,
    SessionKey,
    SessionStart,
    StartFailed,
    TerminalEnd,
    wait_for_start,
)
from backend.engines.engine_fault import EngineFault
from backend.terminals.engine_requests import ANSWER_SECONDS, EngineRequests
from backend.terminals.exec_connection import SESSION_MARK, ExecConnection, ExecProcess, hang_up_orphans
from backend.terminals.fair_share import FairShare
from backend.terminals.shared_screen import CATCH_UP_LINES, SCROLLBACK_LINES, SharedScreen
from backend.terminals.viewing import Viewing

log = logging.getLogger(__name__)

SLICE = 8 * 1024
# Output of at most this many bytes is passed on at once where nothing waits: it is an echo.
EAGER = 2 * 1024
# Output taken from the engine that the screen has not taken in yet.
PENDING_HIGH = 128 * 1024
PENDING_LOW = 32 * 1024
# All viewers are behind, and none makes progress: after this long the process goes on without them.
STALLED_SECONDS = 2.0


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
        self.gone = asyncio.Event()
        self._mark = mark
        self._share = share
        self._on_ended = on_ended
        self._engine = EngineRequests(start.access)
        self._screen = SharedScreen(columns, rows, self._answer)
        self._connection: ExecConnection | None = None
        self._process: ExecProcess | None = None
        self._pending: deque[bytes] = deque()
        self._pending_bytes = 0
        self._reading = True
        self._stall_timer: asyncio.TimerHandle | None = None
        self._linger_timer: asyncio.TimerHandle | None = None
        self._begun = False
        self._eof = False
        self._first = asyncio.Event()
        self._input_flows = True
        self._waiting_input: list[bytes] = []
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
        first = asyncio.ensure_future(self._first.wait())
        try:
            await wait_for_start(first, self._process.is_starting)
        finally:
            first.cancel()
        await resized
        head = self._pending[0] if self._pending else b""
        if (head.startswith(START_FAILURES) or not head) and self._eof:
            code = await self._process.exit_code()
            if code in CANNOT_START:
                raise StartFailed(b"".join(self._pending) or b"the process ended at once")

    def begin(self) -> None:
        """Take in what the process writes; before the first viewer, so that it gets all of it as it was."""
        self._begun = True
        self._look_whether_viewed()
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

    def hang_up_soon(self, message: str) -> None:
        """Beside what else there is to do; nothing where it has ended."""
        if self.end is None:
            self._spawn(self.hang_up(TerminalEnd(EndReason.ENDED, None, message)))

    def _look_whether_viewed(self) -> None:
        if self._linger_timer is not None:
            self._linger_timer.cancel()
            self._linger_timer = None
        seconds = self.what.linger_seconds
        if seconds is not None and not self.viewers and self.end is None:
            message = f"nobody has viewed the session for {seconds:.0f} s"
            self._linger_timer = asyncio.get_running_loop().call_later(seconds, self.hang_up_soon, message)

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
    def is_ending(self) -> bool:
        """Whether the process has ended, though it is not known yet how."""
        return self._eof

    @property
    def viewers(self) -> list[Viewing]:
        return self._screen.viewers

    @property
    def size(self) -> tuple[int, int]:
        return self._screen.size

    def add(self, viewer: Viewing, *, resumed: bool) -> None:
        """It sees all from now on; where the session was there before, its screen and scrollback first."""
        self.viewers.append(viewer)
        self._look_whether_viewed()
        self.make_latest(viewer)
        if resumed:
            self._screen.write_out(viewer, SCROLLBACK_LINES)

    def remove(self, viewer: Viewing) -> None:
        if viewer in self.viewers:
            self.viewers.remove(viewer)
        if self._screen.latest is viewer:
            self._screen.latest = None
        self._look_whether_viewed()
        # It may have been the one that all waited for.
        self._wake()

    def make_latest(self, viewer: Viewing) -> None:
        """The session takes on the size of the viewer that was active last."""
        self._screen.latest = viewer
        columns, rows = viewer.size
        if (columns, rows) == self.size or not (1 <= columns <= MAX_COLUMNS and 1 <= rows <= MAX_ROWS):
            return
        self._screen.resize(columns, rows)
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
        if self._screen.latest is not viewer:
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
            self._screen.write_out(viewer, CATCH_UP_LINES)
        self._wake()

    def notify(self, text: str) -> None:
        """A line of ours among the output."""
        self._screen.notify(text)

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
                self._screen.let_go()
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
        self._screen.take_in(data)

    def _answer(self, data: bytes) -> None:
        # A program that asks and asks, and reads nothing, gets no more.
        if self._input_flows:
            self._write(data)

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
        self._screen.close()
        if self._stall_timer is not None:
            self._stall_timer.cancel()
        for viewer in list(self.viewers):
            viewer.finish(end)
        self.viewers.clear()
        self._look_whether_viewed()
        self.gone.set()
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
            "title": self._screen.title,
            "columns": columns,
            "rows": rows,
            "viewers": len(self.viewers),
            "started_at": self.started_at.isoformat(),
            "last_output_at": self.last_output_at.isoformat() if self.last_output_at else None,
            "last_input_at": self.last_input_at.isoformat() if self.last_input_at else None,
        }
