"""Terminal sessions: shells that live in a holder process of ours, which outlives the backend."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from backend.domain.engine import EngineAccess
from backend.domain.errors import DomainError, Unavailable

HANG_UP = 4410
"""A WebSocket of binary frames that its client closes with this code ends its session too."""

MAX_COLUMNS = 1000
MAX_ROWS = 1000

# Typed, these take the terminal from its process. Engines have such keys (ctrl-p, ctrl-q unless told others), and hold
# each back until the next one comes. Nobody types these.
DETACH_KEYS = ",".join(["ctrl-@", *"pilothouse", "ctrl-@"])

# What the engine writes into the terminal where the process cannot be started, and the exit codes that go with it.
START_FAILURES = (b"OCI runtime exec failed", b"exec failed:", b"rpc error: code =")
CANNOT_START = (126, 127)
# A shell prompts at once; one that cannot be started is reported by the engine as soon, unless its machine is busy.
FIRST_OUTPUT_SECONDS = 1.5
START_SECONDS = 12.0  # less than clients wait for a terminal
_LOOK_SECONDS = 0.5


async def wait_for_start(first_output: asyncio.Future[Any], is_starting: Callable[[], Awaitable[bool]]) -> None:
    """Until a new process says something, or runs and says nothing for a while."""
    clock = asyncio.get_running_loop().time
    until = clock() + START_SECONDS
    await asyncio.wait([first_output], timeout=FIRST_OUTPUT_SECONDS)
    while not first_output.done() and clock() < until and await is_starting():
        await asyncio.wait([first_output], timeout=_LOOK_SECONDS)


class StartFailed(DomainError):
    """The process of a new session could not be started; `output` is what the engine wrote instead."""

    def __init__(self, output: bytes) -> None:
        super().__init__(f"the terminal cannot be started: {output.decode('utf-8', 'replace').strip()[:300]}")
        self.output = output


class HolderLost(Unavailable):
    """The holder process ended, and its sessions with it. The next open starts a new one."""


class EndReason(StrEnum):
    """Why a session ended, or why one viewer was let go."""

    EXITED = "exited"  # the process ended by itself
    ENDED = "ended"  # on request
    CONTAINER_STOPPED = "container_stopped"
    CONTAINER_REMOVED = "container_removed"
    ENGINE_LOST = "engine_lost"
    INPUT_STUCK = "input_stuck"  # this viewer's input was not read for long; the session goes on


@dataclass(frozen=True, slots=True)
class TerminalEnd:
    """`code` is the exit status where it is known; `message` a sentence for people."""

    reason: EndReason
    code: int | None
    message: str


@dataclass(frozen=True, slots=True)
class SessionKey:
    """`scope` is what the session belongs to, e.g. `environment/<uuid>`; `name` is unique within it."""

    scope: str
    name: str


@dataclass(frozen=True, slots=True)
class SessionLimit:
    """A session counts as one of `group`; where that has `most` already, none is started, and `message` says why."""

    group: str
    most: int
    message: str


@dataclass(frozen=True, slots=True)
class SessionStart:
    """What a new session runs, and where. `label` is the command as people write it, `where` the name of what it runs
    in. One that nobody views ends after `linger_seconds`, or goes on for ever where that is None."""

    access: EngineAccess
    container_id: str
    argv: Sequence[str]
    label: str
    env: Mapping[str, str]
    linger_seconds: float | None = None
    where: str = ""
    limits: Sequence[SessionLimit] = ()


@dataclass(frozen=True, slots=True)
class TerminalSessionInfo:
    """A session that is held. `title` is what the program set; sizes in cells."""

    scope: str
    name: str
    command: str
    container_id: str
    title: str
    columns: int
    rows: int
    viewers: int
    started_at: datetime
    last_output_at: datetime | None
    last_input_at: datetime | None


@dataclass(frozen=True, slots=True)
class HolderStatus:
    """A holder process that runs."""

    pid: int
    version: str
    sessions: int
    viewers: int


@dataclass(frozen=True, slots=True)
class GivenSocket:
    """An accepted WebSocket without its server: a descriptor, which is the taker's to close, and what was read of it
    already."""

    handle: int
    early: bytes


class WebFrames(StrEnum):
    """How a WebSocket carries a terminal."""

    BINARY = "binary"  # bytes both ways, control as text: `backend.wire.pilothouse`
    DEVPOCKET = "devpocket"  # JSON texts of the DevPocket document


@dataclass(frozen=True, slots=True)
class WebTerms:
    """What the holder must know to serve a WebSocket. `codes` has the close code of each EndReason, `max_message_bytes`
    what a client may send at once (1009). Of binary frames, a text that is not understood closes with 1003 and
    `unsupported`; of the DevPocket document's, such a one is passed on, see `TerminalViewer.next_fault`."""

    frames: WebFrames
    codes: Mapping[str, int]
    unsupported: str = ""
    max_message_bytes: int = 2**20


class TerminalViewer(Protocol):
    """One viewer of a session. Conforms to `backend.domain.engine.ExecStream`, but `close` only detaches."""

    @property
    def resumed(self) -> bool:
        """Whether the session was there before: then its screen and scrollback come first."""

    @property
    def command(self) -> str: ...

    @property
    def container_id(self) -> str: ...

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of the session: those of the viewer that was active last."""

    @property
    def end(self) -> TerminalEnd | None:
        """Why the output ended, once it did."""

    async def read(self) -> bytes:
        """The next bytes of output, at most 64 KiB; empty when the session ended, or this viewer was closed. Questions
        that the session's own screen answered are not in it. Raises HolderLost."""

    async def write(self, data: bytes) -> None:
        """Send input; waits where the process does not read. Raises Unavailable once the session ended."""

    async def resize(self, columns: int, rows: int) -> None:
        """This viewer's size, which becomes the session's."""

    async def next_size(self) -> tuple[int, int]:
        """Waits until the session's size is another than at the last call (at first: than when it was opened). Waits
        for ever once it ended."""

    async def exit_code(self) -> int | None: ...

    def begin_here(self) -> None:
        """For one attached with `later`: output is read here."""

    async def hand_over(self, given: GivenSocket, terms: WebTerms) -> None:
        """For one attached with `later`: from now on the holder itself serves the WebSocket, and nothing is read or
        written here. Raises HolderLost."""

    async def next_fault(self) -> str:
        """After `hand_over`: the next message of the client that the holder does not understand."""

    def say(self, text: str) -> None:
        """After `hand_over`: send the client a text frame."""

    on_active: Callable[[], None]
    """Called now and then while a WebSocket that was handed over brings input."""

    async def finished(self) -> None:
        """After `hand_over`: until the session ended, or the client went away. Raises HolderLost."""

    def dismiss(self, code: int, reason: str) -> None:
        """After `hand_over`: close the WebSocket."""

    def hang_up(self) -> None:
        """End the session, whoever else views it."""

    async def close(self) -> None:
        """Detach. The session goes on."""


class TerminalHolder(Protocol):
    """The holder process, started on demand. Everything raises Unavailable where it cannot be started or reached."""

    async def attach(
        self, key: SessionKey, start: SessionStart, columns: int, rows: int, *, later: bool = False
    ) -> TerminalViewer:
        """View a session; one that is not there is started first, else `start` is passed over. With `later` nothing is
        shown before `begin_here` or `hand_over`, which must follow soon. Raises StartFailed, NotFound (the container
        is gone), Conflict (it does not run), TooMany (a limit of `start`, however many ask at once)."""

    async def sessions(self, scope: str | None = None) -> list[TerminalSessionInfo]:
        """Of one scope, or all; the oldest first. Starts no holder."""

    async def end(self, scope: str, name: str | None, reason: EndReason, message: str) -> int:
        """Hang up one session of a scope, or all. How many there were. Starts no holder."""

    async def notify(self, scope: str, text: str) -> int:
        """Show a line in the sessions of a scope. How many there were. Starts no holder."""

    async def close(self) -> None:
        """Let go of the holder, which goes on."""
