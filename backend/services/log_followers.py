"""One engine follower per container for all who look at its log, and none while nobody does."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress

from backend.domain.engine import ContainerPhase, ContainerState, Engine
from backend.domain.errors import DomainError, NotFound
from backend.services.log_positions import SLACK_US, WARM_UP_LINES, Entry, LineNumbering, Place, moment

log = logging.getLogger(__name__)

RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)


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
    """Reads one container's log once and hands each line to every queue attached."""

    def __init__(self, engine: Engine, container: ContainerState) -> None:
        self._engine = engine
        self.container = container
        self.gone = False  # ended for good, with everything handed out
        self._removed = False
        self._queues: set[LogQueue] = set()
        self._starting = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._place = Place(0, 0)
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

    async def _run(self) -> None:
        attempt = 0
        while not self._removed:
            self._changed.clear()
            try:
                if await self._read():
                    attempt = 0
            except NotFound:
                break
            except DomainError as error:
                log.debug("log of %s: %s", self.container.name, error.message)
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

    async def _read(self) -> bool:
        """Follow until the stream ends; whether a new line came."""
        numbering = LineNumbering(self.container.id, self.container.name)
        since = moment(self._place.at - SLACK_US) if self._place.at else None
        found = False
        async for lines in self._engine.logs(self.container.id, since=since, follow=True):
            entries = numbering.number(lines)
            if entries and (entries[0].at, entries[0].nth) <= self._place:
                entries = [entry for entry in entries if (entry.at, entry.nth) > self._place]
            if entries:
                found = True
                self._place = Place(entries[-1].at, entries[-1].nth)
                for queue in self._queues:
                    queue.offer(entries)
        return found


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
