"""One engine follower per container for all who look at its log, and none while nobody does."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing, suppress
from datetime import datetime

from backend.domain.engine import ContainerPhase, ContainerState, Engine, LogLine
from backend.domain.errors import DomainError, NotFound
from backend.services.log_positions import SLACK_US, WARM_UP_LINES, Entry, LineNumbering, Place, microseconds, moment

log = logging.getLogger(__name__)

RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
# When a stream that told something is silent for so long, the end of the log is looked at, once; and how long a line
# that is found there may still be on its way.
SILENCE_SECONDS = 1.0
GRACE_SECONDS = 0.3
# A stream that is behind when a log file is full may go on in the next but one. Where a container that wrote this much
# seems to pause for as long as a part of a file takes at its rate, that is suspect: it may write faster than before.
FLOOD_BYTES = 1_000_000
SKIPPED_BYTES = 1_500_000
PAUSE_US = range(20_000, 5_000_000)


class LogQueue:
    """What waits for one viewer: at most `limit` lines, of which the oldest are dropped and counted."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.wake = asyncio.Event()
        self.changed = False
        self._entries: deque[Entry] = deque()
        self._dropped = 0

    def offer(self, entries: Iterable[Entry]) -> None:
        """Never waits."""
        self._entries.extend(entries)
        self.trim()
        self.wake.set()

    def offer_first(self, entries: Iterable[Entry]) -> None:
        """Put entries before all that wait."""
        self._entries.extendleft(reversed(list(entries)))
        self.trim()
        self.wake.set()

    def trim(self) -> None:
        excess = len(self._entries) - self.limit
        if excess > 0:
            for _ in range(excess):
                self._entries.popleft()
            self._dropped += excess

    def discard_known(self, is_new: Callable[[Entry], bool]) -> None:
        """Forget what the viewer was told otherwise."""
        self._entries = deque(entry for entry in self._entries if is_new(entry))

    def note_change(self) -> None:
        """The deployment's containers changed."""
        self.changed = True
        self.wake.set()

    def take(self, most: int) -> tuple[list[Entry], int]:
        """Up to `most` entries in the order of their times, and how many were dropped before them."""
        entries = [self._entries.popleft() for _ in range(min(most, len(self._entries)))]
        entries.sort(key=_time_of)
        dropped, self._dropped = self._dropped, 0
        return entries, dropped

    def __len__(self) -> int:
        return len(self._entries)


def _time_of(entry: Entry) -> int:
    return entry.at


class ContainerFollower:
    """Reads one container's log once and hands each line to every queue attached.

    When the engine begins a new log file, streams of some engines tell lines of it twice, skip a file, or tell nothing
    from there on. The log itself is whole, so such a stream is ended and read anew from a little before the last line
    told."""

    def __init__(self, engine: Engine, container: ContainerState) -> None:
        self._engine = engine
        self.container = container
        self.gone = False  # ended for good, with everything handed out
        self._removed = False
        self._queues: set[LogQueue] = set()
        self._starting = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._place = Place(0, 0)
        self._told: dict[str, datetime] = {}  # stream -> time of its last line that was told
        # Where a stream was given up. Once for each place: what a fresh one tells there too is how the log is.
        self._reread_from: Place | None = None
        self._flood = _Flood()
        self._changed = asyncio.Event()

    async def attach(self, queue: LogQueue) -> None:
        """From when this returns, each line written is offered to the queue, if it was not yet in the log. Raises
        NotFound where the container is gone, EngineUnavailable."""
        self._queues.add(queue)
        try:
            async with self._starting:
                if self._task is None:
                    await self._find_end()
                    self._task = asyncio.create_task(self._run(), name=f"log-follower {self.container.name}")
        except BaseException:
            self._queues.discard(queue)
            raise

    async def detach(self, queue: LogQueue) -> bool:
        """Whether nobody is left, in which case the follower has ended."""
        self._queues.discard(queue)
        if self._queues:
            return False
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        return not self._queues

    def note_change(self, container: ContainerState | None) -> None:
        """What is known of the container now; None where it is gone."""
        if container is None:
            self._removed = True
        else:
            self.container = container
        self._changed.set()

    async def _find_end(self) -> None:
        """Start where the log ends now: what came before is each viewer's own history."""
        numbering = LineNumbering(self.container.id, self.container.name)
        async for lines in self._engine.logs(self.container.id, tail=WARM_UP_LINES):
            for entry in numbering.number(lines):
                self._place = Place(entry.at, entry.nth)
                self._told[entry.line.stream] = entry.line.at

    async def _run(self) -> None:
        attempt = 0
        while not self._removed:
            self._changed.clear()
            before = self._place
            given_up = self._reread_from
            try:
                await self._read()
            except NotFound:
                break
            except DomainError as error:
                log.debug("log of %s: %s", self.container.name, error.message)
            if self._reread_from != given_up:
                continue
            if self._place > before:
                attempt = 0
            # The container stopped, or the engine's stream broke: go on when it runs again, without loss or repeat.
            running = self.container.phase is ContainerPhase.RUNNING
            wait = RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)] if running else 30.0
            attempt += 1
            with suppress(TimeoutError):
                # Not wait_for: before Python 3.12 it loses a cancellation that meets the event.
                async with asyncio.timeout(wait):
                    await self._changed.wait()
        self.gone = True
        for queue in self._queues:
            queue.note_change()

    async def _read(self) -> None:
        """Follow until the stream ends or is given up."""
        numbering = LineNumbering(self.container.id, self.container.name)
        since = moment(self._place.at - SLACK_US) if self._place.at else None
        stream = self._engine.logs(self.container.id, since=since, follow=True)
        async with aclosing(stream), aclosing(self._watched(stream)) as batches:
            async for lines in batches:
                entries = numbering.number(lines)
                if entries and (entries[0].at, entries[0].nth) <= self._place:
                    entries = [entry for entry in entries if (entry.at, entry.nth) > self._place]
                if not await self._tell(entries):
                    return

    async def _tell(self, entries: Sequence[Entry]) -> bool:
        """Hand out new entries; False where the stream begins to repeat or to skip lines, which gives it up."""
        told = self._told
        start = 0
        for index, (at, _, _, _, line, _) in enumerate(entries):
            # Each of a container's streams is timed by one thread of the engine, so that its times do not step back.
            steps_back = line.at < told.get(line.stream, line.at)
            if steps_back or self._flood.pauses_before(at):
                self._offer(entries[start:index])
                start = index
                if self._place != self._reread_from and not (steps_back and await self._has_stepped_back()):
                    self._reread_from = self._place
                    self._flood = _Flood()
                    return False
            self._flood.note(at, len(line.text))
            told[line.stream] = line.at
        self._offer(entries[start:])
        return True

    def _offer(self, entries: Sequence[Entry]) -> None:
        if entries:
            self._place = Place(entries[-1].at, entries[-1].nth)
            for queue in self._queues:
                queue.offer(entries)

    async def _has_stepped_back(self) -> bool:
        """Whether the engine's clock was set back, rather than that its stream repeats lines."""
        last = await self._last_line()
        return last is not None and microseconds(last.at) < self._place.at - SLACK_US

    async def _watched(self, stream: AsyncGenerator[list[LogLine], None]) -> AsyncGenerator[list[LogLine], None]:
        """The stream's batches, until it ends or is given up because the log goes on and it does not."""
        asked = False
        while True:
            coming = asyncio.ensure_future(anext(stream, None))
            try:
                if not asked:
                    await asyncio.wait({coming}, timeout=SILENCE_SECONDS)
                if not coming.done() and not asked:
                    asked = True
                    if await self._misses_lines():
                        await asyncio.wait({coming}, timeout=GRACE_SECONDS)
                        if not coming.done():
                            self._reread_from = self._place
                            return
                lines = await coming
            finally:
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)
            if lines is None:
                return
            before = self._place
            yield lines
            if self._place > before:
                asked = False

    async def _misses_lines(self) -> bool:
        """Whether the log goes on after what was told."""
        if self._reread_from == self._place:
            return False
        try:
            last = await self._last_line()
        except DomainError as error:
            log.debug("end of the log of %s: %s", self.container.name, error.message)
            return False  # the stream will tell what became of the container or the engine
        return last is not None and (last.stream not in self._told or last.at > self._told[last.stream])

    async def _last_line(self) -> LogLine | None:
        last = None
        async for lines in self._engine.logs(self.container.id, tail=1):
            last = lines[-1]
        return last


class _Flood:
    """How much a container wrote lately, by the times of its lines."""

    __slots__ = ("_bytes", "_last", "_spent")

    def __init__(self) -> None:
        self._bytes = 0
        self._spent = 0  # microseconds, pauses left out
        self._last = 0

    def note(self, at: int, size: int) -> None:
        """The next line's time in microseconds, which never falls, and its length."""
        gap = at - self._last
        if gap >= PAUSE_US.stop:
            self._spent = self._bytes = 0
        elif gap < PAUSE_US.start:
            self._spent += gap
        self._bytes += size
        self._last = at

    def pauses_before(self, at: int) -> bool:
        """Whether a line at this time comes after a suspect pause."""
        return (
            at - self._last in PAUSE_US
            and self._bytes >= FLOOD_BYTES
            and (at - self._last) * self._bytes >= self._spent * SKIPPED_BYTES
        )


class LogFollowers:
    """The followers that run now, by container."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._by_id: dict[str, ContainerFollower] = {}

    async def attach(self, container: ContainerState, queue: LogQueue) -> ContainerFollower:
        """See ContainerFollower.attach."""
        follower = self._by_id.get(container.id)
        if follower is None or follower.gone:
            follower = self._by_id[container.id] = ContainerFollower(self._engine, container)
        try:
            await follower.attach(queue)
        except BaseException:
            await self.detach(follower, queue)
            raise
        return follower

    async def detach(self, follower: ContainerFollower, queue: LogQueue) -> None:
        # Taken off the list first, so that nobody joins a follower that is about to end.
        known = self._by_id.get(follower.container.id) is follower
        if await follower.detach(queue) and known and self._by_id.get(follower.container.id) is follower:
            del self._by_id[follower.container.id]

    def note_changes(self, containers: Iterable[ContainerState], deployment_id: str) -> None:
        """The containers of a deployment as they are now."""
        present = {container.id: container for container in containers}
        for container_id, follower in list(self._by_id.items()):
            if follower.container.object_id == deployment_id:
                follower.note_change(present.get(container_id))

    def __len__(self) -> int:
        """How many containers are being followed."""
        return len(self._by_id)

    async def close(self) -> None:
        for follower in list(self._by_id.values()):
            for queue in tuple(follower._queues):
                await self.detach(follower, queue)
