"""Installing an environment: its startup commands, one after another, with every line kept and shown as it comes.

A step is marked as begun before it runs and as done after it ended well, so that a crash at any point repeats at most
the step that was under way.
"""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Sequence

from backend.domain.engine import ContainerPhase, ContainerState
from backend.domain.environments import Environment, EnvironmentStatus, EnvironmentWork, InstallEventKind
from backend.domain.errors import DomainError, EngineUnavailable
from backend.domain.journal import JournalKind
from backend.services.environments.context import EnvironmentShared
from backend.services.environments.places import Place
from backend.services.environments.record import EnvironmentRecorder
from backend.services.journal import utc_now
from backend.storage import install_events

FLUSH_SECONDS = 0.2
# Of what comes between two writes, the last so many lines are kept: a flood must not fill the storage.
MAX_BATCH_LINES = 500
MAX_LINE = 4000
LAST_LINES = 5
# Programs that would ask have no terminal to ask on.
STEP_ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive"}
_KILLED = 137
_LOOKS, _LOOK_SECONDS = 10, 0.1


class StepFailed(DomainError):
    """A startup command ended with something else than 0."""


class ContainerRestarted(DomainError):
    """The container went down under a step: the step counts as not run."""


class Installation:
    """One environment's, in one container."""

    def __init__(self, shared: EnvironmentShared, recorder: EnvironmentRecorder) -> None:
        self._shared = shared
        self._recorder = recorder

    async def run(self, environment: Environment, work: EnvironmentWork, place: Place, state: ContainerState) -> None:
        """Run the steps that are not done yet. Raises StepFailed, ContainerRestarted, EngineUnavailable, Superseded."""
        commands = environment.startup_commands
        done = work.steps_done if work.container_id == state.id else 0
        if work.container_id != state.id:
            await self._say(environment, [(InstallEventKind.STATUS, _beginning(commands))], anew=True)
            await self._recorder.write(
                environment,
                work,
                status=EnvironmentStatus.INSTALLING,
                reason="installing",
                message=_beginning(commands),
                container_id=state.id,
                step_begun=0,
                steps_done=0,
                installation_completed=False,
            )
        elif done < len(commands):
            going_on = f"going on with step {done + 1} of {len(commands)}"
            await self._say(environment, [(InstallEventKind.STATUS, going_on)])
        for number in range(done, len(commands)):
            await self._step(environment, work, place, state, number)
        async with self._shared.database.session() as session:
            told = await install_events.last_kind(session, environment.id) is InstallEventKind.COMPLETE
        if not told:
            await self._say(environment, [(InstallEventKind.COMPLETE, "the installation is complete")])

    async def _step(
        self, environment: Environment, work: EnvironmentWork, place: Place, state: ContainerState, number: int
    ) -> None:
        command, count = environment.startup_commands[number], len(environment.startup_commands)
        message = f"step {number + 1} of {count}: {_short(command)}"
        await self._recorder.write(
            environment,
            work,
            status=EnvironmentStatus.INSTALLING,
            reason="installing",
            message=message,
            step_begun=number + 1,
        )
        await self._say(environment, [(InstallEventKind.STATUS, message)])
        code, tail = await self._execute(environment, place, state, command)
        if code != 0:
            await self._explain(environment, work, place, state, number, code, tail)
        note = (JournalKind.ENVIRONMENT_STEP_DONE, f"step {number + 1} of {count} done: {_short(command)}")
        await self._recorder.write(environment, work, steps_done=number + 1, notes=(note,))

    async def _execute(
        self, environment: Environment, place: Place, state: ContainerState, command: str
    ) -> tuple[int, list[str]]:
        """The exit code and the last lines."""
        # As the container's own user, whose the image and its package folders are: root, where the image names none.
        process = await place.engine.exec_process(state.id, ["/bin/sh", "-c", command], env=STEP_ENVIRONMENT)
        lines = _Lines()
        tail: list[str] = []
        reading: asyncio.Task[Sequence[tuple[str, bytes]]] | None = None
        try:
            ended = False
            while not ended:
                # What comes within a moment is written together.
                due = asyncio.get_running_loop().time() + FLUSH_SECONDS
                while not ended and (left := due - asyncio.get_running_loop().time()) > 0:
                    reading = reading or asyncio.ensure_future(process.read())
                    await asyncio.wait([reading], timeout=left if lines.waiting else None)
                    if not reading.done():
                        break
                    output, reading = reading.result(), None
                    ended = not output
                    for stream, data in output:
                        lines.feed(stream, data)
                batch = lines.take(finish=ended)
                tail = (tail + batch)[-LAST_LINES:]
                await self._say(environment, [(InstallEventKind.LOG, line) for line in batch])
            code = await process.exit_code()
        finally:
            if reading is not None:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
            await process.close()
        if code is None:
            raise EngineUnavailable("the engine does not know how the step ended: it is run again")
        return code, tail

    async def _explain(
        self,
        environment: Environment,
        work: EnvironmentWork,
        place: Place,
        state: ContainerState,
        number: int,
        code: int,
        tail: Sequence[str],
    ) -> None:
        """Tell why a step failed: raises StepFailed, or ContainerRestarted where the step is not to blame."""
        now = await place.engine.inspect_container(state.id)
        out_of_memory = False
        if code == _KILLED:
            out_of_memory = bool(await place.engine.memory_kills(state.id))
            # The engine tells of its container's end, or of memory that ran out, a moment after the step's end.
            for _ in range(_LOOKS):
                if out_of_memory or now.phase is not ContainerPhase.RUNNING:
                    break
                await asyncio.sleep(_LOOK_SECONDS)
                now = await place.engine.inspect_container(state.id)
                out_of_memory = now.oom_killed
        if now.phase is not ContainerPhase.RUNNING or now.started_at != state.started_at:
            raise ContainerRestarted("the container went down during a step")
        command, count = environment.startup_commands[number], len(environment.startup_commands)
        message = f"step {number + 1} of {count} ({_short(command)}) ended with code {code}"
        if out_of_memory:
            message += f": it needed more than the memory limit of {environment.resources.memory}"
        if tail:
            message += "; last lines: " + " | ".join(line[:200] for line in tail if line)
        await self._say(environment, [(InstallEventKind.ERROR, message)])
        raise StepFailed(message, details={"step": number + 1, "code": code})

    async def _say(
        self, environment: Environment, said: Sequence[tuple[InstallEventKind, str]], *, anew: bool = False
    ) -> None:
        """Keep events, then show them."""
        if not said:
            return
        async with self._shared.database.transaction() as session:
            await install_events.append(session, environment.id, environment.tenant_id, said, utc_now(), anew=anew)
        self._shared.changes.notify(environment.id)


class _Lines:
    """Output of several streams into lines, in the order in which they end."""

    def __init__(self) -> None:
        self._decoders: dict[str, codecs.IncrementalDecoder] = {}
        self._open: dict[str, str] = {}
        self._lines: list[str] = []
        self._left_out = 0

    @property
    def waiting(self) -> bool:
        return bool(self._lines)

    def feed(self, stream: str, data: bytes) -> None:
        decoder = self._decoders.get(stream)
        if decoder is None:
            decoder = self._decoders[stream] = codecs.getincrementaldecoder("utf-8")("replace")
        *whole, rest = (self._open.get(stream, "") + decoder.decode(data)).split("\n")
        self._open[stream] = rest[-MAX_LINE:]
        self._lines += [_shown(line) for line in whole]
        if len(self._lines) > 2 * MAX_BATCH_LINES:
            self._cut()

    def take(self, *, finish: bool = False) -> list[str]:
        """The lines that are whole; with `finish` also what has no end."""
        if finish:
            self._lines += [_shown(rest) for rest in self._open.values() if rest]
            self._open.clear()
        self._cut()
        lines, self._lines = self._lines, []
        if self._left_out:
            lines.insert(0, f"... {self._left_out} lines left out ...")
            self._left_out = 0
        return lines

    def _cut(self) -> None:
        self._left_out += max(0, len(self._lines) - MAX_BATCH_LINES)
        del self._lines[:-MAX_BATCH_LINES]


def _shown(line: str) -> str:
    """A line as a terminal would leave it: what a carriage return overwrote is gone. NUL cannot be stored."""
    return line.rstrip("\r").rpartition("\r")[2][:MAX_LINE].replace("\0", "\ufffd")


def _beginning(commands: Sequence[str]) -> str:
    if not commands:
        return "there is nothing to install"
    return f"installing: {len(commands)} step" + ("s" if len(commands) > 1 else "")


def _short(command: str) -> str:
    line = " ".join(command.split())
    return line if len(line) <= 80 else line[:77] + "..."
