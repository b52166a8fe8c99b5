"""The backend's way to the terminal holders of a data dir: found, started, asked."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from backend.domain.errors import Unavailable
from backend.domain.terminals import (
    EndReason,
    HolderLost,
    HolderStatus,
    SessionKey,
    SessionStart,
    TerminalHolder,
    TerminalSessionInfo,
    TerminalViewer,
)
from backend.run_lock import lock_holder
from backend.terminals.places import HolderPlaces, found_sockets
from backend.terminals.protocol import PROTOCOL
from backend.terminals.viewer_connection import ViewerConnection
from backend.terminals.wire_form import error_from_wire, info_from_wire, start_to_wire, status_from_wire
from backend.wire.rendezvous import Places

log = logging.getLogger(__name__)

START_SECONDS = 20.0
ANSWER_SECONDS = 30.0
_POLL_SECONDS = 0.02
_TRIES = 3
# What a holder needs of the environment: none of our secrets.
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSH_AUTH_SOCK")


class _Others(NamedTuple):
    """The holders of other versions: the socket of the one that has the session, the ids of all, and how many sessions
    they have by group of its limits. Those that do not count yet begin no more sessions."""

    having: Path | None
    ids: list[str]
    counts: Counter[str]


class HolderClient:
    """See `backend.domain.terminals.TerminalHolder`."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._ours = HolderPlaces.of(places)
        self._start_lock = asyncio.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    async def attach(
        self, key: SessionKey, start: SessionStart, columns: int, rows: int, *, later: bool = False
    ) -> TerminalViewer:
        request = {
            "op": "attach",
            "later": later,
            "scope": key.scope,
            "name": key.name,
            "columns": columns,
            "rows": rows,
            "start": start_to_wire(start),
        }
        others = await self._other_holders(key, [limit.group for limit in start.limits])
        if others.having is not None:
            return await self._attached(others.having, request)
        request |= {"holders": others.ids, "elsewhere": others.counts}
        for _ in range(_TRIES):
            viewer = await self._connected()
            try:
                return await self._asked_to_attach(viewer, request)
            except HolderLost:
                # It ended as we came: it had nothing to hold.
                continue
        raise Unavailable("the terminal holder ends again and again: its log says why")

    async def sessions(self, scope: str | None = None) -> list[TerminalSessionInfo]:
        answers = await self._ask_all({"op": "list", "scope": scope})
        found = [info_from_wire(one) for answer in answers for one in answer["sessions"]]
        return sorted(found, key=lambda info: info.started_at)

    async def end(self, scope: str, name: str | None, reason: EndReason, message: str) -> int:
        request = {"op": "end", "scope": scope, "name": name, "reason": reason.value, "message": message}
        return sum(answer["count"] for answer in await self._ask_all(request))

    async def notify(self, scope: str, text: str) -> int:
        return sum(answer["count"] for answer in await self._ask_all({"op": "notify", "scope": scope, "text": text}))

    async def holders(self) -> list[HolderStatus]:
        """Those that run, of all versions that this one understands."""
        return [status_from_wire(answer) for answer in await self._ask_all({"op": "status"})]

    async def stop(self) -> None:
        """End every holder with its sessions; one that does not understand us by a signal."""
        for socket in found_sockets(self._places):
            answer = await _ask(socket, {"op": "stop", "message": "the platform was stopped"})
            if answer is None or answer.get("type") != "error":
                continue
            pid = lock_holder(self._places.run_dir / f"{socket.stem}.lock")
            if pid:
                os.kill(pid, signal.SIGTERM)

    async def close(self) -> None:
        """Let go of the holder, which goes on."""
        if self._process is not None:
            # It is to outlive us: tell Popen not to warn of that.
            self._process.returncode = 0

    # --- one holder

    async def _connected(self) -> ViewerConnection:
        """A connection to this version's holder, which is started where none runs. Raises Unavailable."""
        if (found := await _open(self._ours.socket)) is not None:
            return found
        if self._process is not None:
            self._process.poll()  # one that ended is no longer anybody's child
        async with self._start_lock:
            deadline = asyncio.get_running_loop().time() + START_SECONDS
            process: subprocess.Popen[bytes] | None = None
            while (found := await _open(self._ours.socket)) is None:
                if process is None or process.poll() is not None:
                    # The one that had the lock may have been about to end.
                    if process is not None and process.returncode not in (0, 3):
                        raise Unavailable(f"the terminal holder cannot be started: see {self._ours.log_file}")
                    process = self._spawn()
                if asyncio.get_running_loop().time() > deadline:
                    raise Unavailable(f"the terminal holder did not start in {START_SECONDS:.0f} s")
                await asyncio.sleep(_POLL_SECONDS)
            self._process = process or self._process
            return found

    def _spawn(self) -> subprocess.Popen[bytes]:
        environment = {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith("PYTHON")}
        output = os.open(self._ours.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "backend.terminals", "--data-dir", str(self._places.data_dir)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=environment,
                start_new_session=True,
            )
        finally:
            os.close(output)

    async def _attached(self, socket: Path, request: dict[str, Any]) -> TerminalViewer:
        viewer = await _open(socket)
        if viewer is None:
            raise HolderLost("the terminal holder of this session has just ended: open the terminal again")
        return await self._asked_to_attach(viewer, request)

    async def _asked_to_attach(self, viewer: ViewerConnection, request: dict[str, Any]) -> TerminalViewer:
        try:
            answer = await _answer(viewer, request)
            if answer.get("type") != "attached":
                raise error_from_wire(answer)
        except BaseException:
            await viewer.close()
            raise
        return viewer

    # --- all holders

    async def _other_holders(self, key: SessionKey, groups: list[str]) -> _Others:
        having, ids, counts = None, [], Counter[str]()
        for socket in found_sockets(self._places):
            if socket == self._ours.socket:
                continue
            status = await _ask(socket, {"op": "status", "groups": groups})
            if status is None:
                continue
            ids.append(str(status.get("id") or ""))
            counts.update(status.get("counts") or {})
            answer = await _ask(socket, {"op": "list", "scope": key.scope, "name": key.name})
            if answer is not None and answer.get("sessions"):
                having = socket
        return _Others(having, ids, counts)

    async def _ask_all(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        """The answers of the holders that run. One that speaks another protocol is passed over, with a word in the
        log. Raises what a holder answers else."""
        answers = []
        for socket in found_sockets(self._places):
            answer = await _ask(socket, request)
            if answer is None:
                continue
            if answer.get("type") == "error":
                if answer.get("kind") == "protocol":
                    log.warning("%s: %s", socket.name, answer.get("message"))
                    continue
                raise error_from_wire(answer)
            answers.append(answer)
        return answers


async def _open(socket: Path) -> ViewerConnection | None:
    """A connection; None where nobody listens."""
    try:
        _, made = await asyncio.get_running_loop().create_unix_connection(ViewerConnection, str(socket))
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    except OSError as error:
        raise Unavailable(f"the terminal holder cannot be reached: {error}") from error
    made.socket_path = str(socket)
    return made


async def _answer(connection: ViewerConnection, request: dict[str, Any]) -> dict[str, Any]:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await connection.ask(request | {"protocol": PROTOCOL})
    except TimeoutError as error:
        raise Unavailable("the terminal holder does not answer in time") from error


async def _ask(socket: Path, request: dict[str, Any]) -> dict[str, Any] | None:
    """The answer of the holder at a socket; None where none runs."""
    connection = await _open(socket)
    if connection is None:
        return None
    try:
        return await _answer(connection, request)
    except HolderLost:
        return None
    finally:
        await connection.close()


if TYPE_CHECKING:

    def _conforms(client: HolderClient) -> TerminalHolder:
        return client
