"""The connection that carries a process's terminal, and the process behind it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

from backend.domain.errors import DomainError, EngineUnavailable
from backend.domain.terminals import EndReason, TerminalEnd
from backend.engines.engine_fault import EngineFault
from backend.engines.exec_state import is_starting
from backend.terminals.engine_requests import EngineRequests

# Marks the processes of one session, so that they can be found again inside the container.
SESSION_MARK = "PILOTHOUSE_SESSION"
# Input that waits for a process that does not read.
INPUT_BYTES = 64 * 1024
_MAX_HEAD = 64 * 1024
_EXIT_CODE_SECONDS = 5.0
# How long a container may take to say that it stopped, after its processes ended.
_STOP_SECONDS = 1.0
_LONGEST_STOP_SECONDS = 5.0
_KILL_SECONDS = 3.0
_POLL_SECONDS = 0.05
_RESIZE_TRIES = 5
_SIGNALLED = 128
_KILLED = _SIGNALLED + signal.SIGKILL


class ExecOwner(Protocol):
    """Who is told."""

    def output(self, data: bytes) -> None: ...

    def output_ended(self) -> None: ...

    def input_flows(self, flows: bool) -> None:
        """Whether the process reads what it is sent."""


class ExecConnection(asyncio.Protocol):
    """The hijacked connection. After the head of the answer it carries raw bytes both ways."""

    def __init__(self, owner: ExecOwner) -> None:
        self._owner = owner
        self._head: bytes | None = b""
        self._transport: asyncio.Transport | None = None
        self.upgraded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by their class
        self._transport.set_write_buffer_limits(high=INPUT_BYTES)

    def data_received(self, data: bytes) -> None:
        if self._head is None:
            self._owner.output(data)
            return
        self._head += data
        head, found, rest = self._head.partition(b"\r\n\r\n")
        if not found:
            if len(self._head) > _MAX_HEAD:
                self._refuse("its answer has no end")
            return
        fields = head.split(b" ", 2)
        if len(fields) < 2 or fields[1] != b"101":
            self._refuse((rest or head).decode("utf-8", "replace").strip()[:300])
            return
        self._head = None
        self.is_open = True
        if not self.upgraded.done():
            self.upgraded.set_result(None)
        if rest:
            self._owner.output(rest)

    def connection_lost(self, error: Exception | None) -> None:
        was_open, self.is_open = self.is_open, False
        if not self.upgraded.done():
            self.upgraded.set_exception(EngineUnavailable("the engine cut the connection of a new terminal"))
        if was_open:
            self._owner.output_ended()

    def pause_writing(self) -> None:
        self._owner.input_flows(False)

    def resume_writing(self) -> None:
        self._owner.input_flows(True)

    def write(self, data: bytes) -> None:
        """Nothing once it ended."""
        if self.is_open and self._transport is not None:
            self._transport.write(data)

    def read_on(self, wanted: bool) -> None:
        """Take output, or leave it with the engine, which makes the process wait."""
        if self.is_open and self._transport is not None:
            (self._transport.resume_reading if wanted else self._transport.pause_reading)()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _refuse(self, text: str) -> None:
        if not self.upgraded.done():
            self.upgraded.set_exception(EngineUnavailable(f"the engine does not start the terminal: {text}"))
        self.abort()


class ExecProcess:
    """The process of one exec, asked and told through the engine."""

    def __init__(self, engine: EngineRequests, container_id: str, exec_id: str, mark: str) -> None:
        self._engine = engine
        self._container_id = container_id
        self._exec_id = exec_id
        self._mark = mark

    async def resize(self, columns: int, rows: int) -> None:
        """Nothing where the process has ended."""
        for attempt in range(_RESIZE_TRIES):
            try:
                await self._engine.resize(self._exec_id, columns, rows)
                return
            except EngineFault:
                # just started and not yet ready for it, or ended already
                await asyncio.sleep(_POLL_SECONDS * (attempt + 1))
            except EngineUnavailable:
                return

    async def exit_code(self) -> int | None:
        """Asked once the output ended, which is a moment before the engine knows."""
        deadline = asyncio.get_running_loop().time() + _EXIT_CODE_SECONDS
        while True:
            found = await self._engine.inspect_exec(self._exec_id)
            if not found.get("Running") and found.get("ExitCode") is not None:
                return int(found["ExitCode"])
            if asyncio.get_running_loop().time() > deadline:
                return None
            await asyncio.sleep(_POLL_SECONDS)

    async def is_starting(self) -> bool:
        """Whether the engine has yet to start it."""
        try:
            return is_starting(await self._engine.inspect_exec(self._exec_id))
        except (EngineFault, EngineUnavailable):
            return False

    async def how_it_ended(self) -> TerminalEnd:
        """Asked once the output ended."""
        try:
            code = await self.exit_code()
        except (EngineFault, EngineUnavailable):
            code = None
        # Only a signal, or nothing known, can mean that the container went.
        if code is not None and code <= _SIGNALLED:
            return TerminalEnd(EndReason.EXITED, code, f"the process ended with code {code}")
        try:
            # The processes of a container that stops are killed. Ctrl-C ends many a shell with another signal's code,
            # and is told at once.
            killed = code is None or code == _KILLED
            stopped = await self._container_stopped(_LONGEST_STOP_SECONDS if killed else _STOP_SECONDS)
        except EngineFault as fault:
            if fault.status == 404:
                return TerminalEnd(EndReason.CONTAINER_REMOVED, code, "the container was removed")
            return TerminalEnd(EndReason.ENGINE_LOST, code, f"the engine cannot tell of the container: {fault.text}")
        except EngineUnavailable as error:
            return TerminalEnd(EndReason.ENGINE_LOST, code, f"the connection to the engine ended: {error.message}")
        if stopped:
            return TerminalEnd(EndReason.CONTAINER_STOPPED, code, "the container stopped")
        if code is None:
            with contextlib.suppress(EngineFault, DomainError):
                await self.hang_up()
            return TerminalEnd(EndReason.ENGINE_LOST, None, "the engine ended the connection of this terminal")
        return TerminalEnd(EndReason.EXITED, code, f"the process ended with code {code}")

    async def _container_stopped(self, seconds: float) -> bool:
        """A container that stops takes its processes along before it says so itself."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            state = (await self._engine.inspect_container(self._container_id)).get("State") or {}
            if not state.get("Running") or state.get("Restarting"):
                return True
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(2 * _POLL_SECONDS)

    async def hang_up(self) -> None:
        """SIGHUP as when a terminal goes away, and SIGKILL to what stays. Raises EngineFault, EngineUnavailable."""
        if await self._signal("HUP") and not await self._gone():
            await self._signal("KILL")

    async def _gone(self) -> bool:
        deadline = asyncio.get_running_loop().time() + _KILL_SECONDS
        while (await self._engine.inspect_exec(self._exec_id)).get("Running"):
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(_POLL_SECONDS)
        return True

    async def _signal(self, name: str) -> bool:
        """False where it has ended."""
        found = await self._engine.inspect_exec(self._exec_id)
        pid = int(found.get("Pid") or 0)
        if not found.get("Running") or not pid:
            return False
        if not _signal_here(pid, self._container_id, signal.Signals[f"SIG{name}"]):
            await signal_marked(self._engine, self._container_id, f"{SESSION_MARK}={self._mark}", name)
        return True


async def signal_marked(engine: EngineRequests, container_id: str, mark: str, name: str) -> None:
    """Send a signal to the processes of sessions whose mark matches; not to what they left running on purpose, which
    has another parent. Nothing in a container without shell and grep."""
    await _for_sessions(engine, container_id, f'grep -q "{mark}" "$p/environ"', name)


async def hang_up_orphans(engine: EngineRequests, container_id: str, holders: Sequence[str]) -> None:
    """Send SIGHUP to the shells in a container that a holder left when it was killed: those of none of `holders`."""
    known = " ".join(f'-e "{SESSION_MARK}={holder}"' for holder in holders)
    test = f'grep -q "{SESSION_MARK}=" "$p/environ" && ! grep -q {known} "$p/environ"'
    await _for_sessions(engine, container_id, test, "HUP")


async def _for_sessions(engine: EngineRequests, container_id: str, test: str, name: str) -> None:
    script = (
        'exec 2>/dev/null; for p in /proc/[0-9]*; do if grep -q "^PPid:[^0-9]*0$" "$p/status" && '
        f'{test}; then kill -{name} "${{p#/proc/}}"; fi; done'
    )
    await engine.run_detached(container_id, ["sh", "-c", script])


def _signal_here(pid: int, container_id: str, number: signal.Signals) -> bool:
    """Send a signal to the process where it can be seen and signalled from here."""
    try:
        if container_id not in Path(f"/proc/{pid}/cgroup").read_text():
            return False  # another pid namespace: that number is somebody else here
        os.kill(pid, number)
    except OSError:
        return False
    return True
