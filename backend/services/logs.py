"""Logs of a deployment: its replicas' lines in one order of time, fetched or followed.

A record's message is the line exactly as it was written, colour codes and JSON included: nothing that a program said is
lost, and what to draw is the reader's business. The level is told from it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Protocol, TypeVar

from backend.domain.accounts import Principal
from backend.domain.engine import ContainerState, Engine
from backend.domain.errors import Invalid, NotFound
from backend.domain.logs import LogQuery, LogRecord
from backend.services.log_followers import ContainerFollower, LogFollowers, LogQueue
from backend.services.log_positions import (
    SLACK_US,
    WARM_UP_LINES,
    Cursor,
    CursorWriter,
    Entry,
    LineNumbering,
    Place,
    container_key,
    microseconds,
    moment,
)

T = TypeVar("T")

MAX_LINES = 100_000
QUEUE_LINES = 5_000
BATCH_LINES = 1_000
CONCURRENT_READS = 8
# Batches to one viewer come at most this often, so that a flood is few large batches; seconds.
PACE_SECONDS = 0.05
# How long a line waits for those that other replicas wrote at the same moment.
MERGE_SECONDS = 0.02
# How often a viewer of an app without replicas is told whether that was deleted.
IDLE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class LogBatch:
    """Records in the order of time, and how many lines were lost before them because the viewer was too slow."""

    records: list[LogRecord]
    dropped: int = 0


class Logged(Protocol):
    """What has a log: a deployment, or an environment."""

    @property
    def id(self) -> str: ...


class ReplicaSource(Protocol):
    """The part of the replica view that logs need."""

    def of(self, deployment_id: str) -> list[ContainerState]: ...

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Call back with the id of a deployment whose containers changed; `""` for the engine itself."""


class LogService:
    """Reads through `deployment_of`, which raises NotFound for what the caller may not see."""

    def __init__(
        self,
        engine: Engine,
        replicas: ReplicaSource,
        deployment_of: Callable[[Principal, str], Awaitable[Logged]],
        *,
        queue_lines: int = QUEUE_LINES,
    ) -> None:
        """`queue_lines` is how many lines may wait for one slow viewer."""
        self._engine = engine
        self._replicas = replicas
        self._deployment_of = deployment_of
        self._queue_lines = queue_lines
        self._followers = LogFollowers(engine)
        self._viewers: dict[str, set[LogQueue]] = {}
        replicas.on_change(self._note_change)

    @property
    def followed_containers(self) -> int:
        """How many containers are being followed now; 0 while nobody looks."""
        return len(self._followers)

    async def fetch(self, who: Principal, deployment_id: str, query: LogQuery) -> list[LogRecord]:
        """The last `tail` lines (None: all, at most 100,000) of all replicas, stopped ones too, oldest first.
        Raises NotFound, Invalid, EngineUnavailable."""
        _check(query.tail, query.since, query.until)
        deployment = await self._deployment_of(who, deployment_id)
        writer = CursorWriter()
        entries = await self._history(self._replicas.of(deployment.id), query, writer, None)
        records: list[LogRecord] = []
        for start in range(0, len(entries), BATCH_LINES):
            records += [writer.record(entry) for entry in entries[start : start + BATCH_LINES]]
            await asyncio.sleep(0)  # others get their turn while a long log is told
        return records

    async def follow(
        self,
        who: Principal,
        deployment_id: str,
        *,
        tail: int | None = 100,
        cursor: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncGenerator[LogBatch, None]:
        """History as `fetch` gives it, then lines as they are written, of replicas that come and go; ends at `until`,
        and with the last replica of a deployment that is deleted. With `cursor`, everything after that record instead
        of `tail`. Close the iterator to stop. Raises what `fetch` raises, at the first step; an engine lost later is
        waited for."""
        query = LogQuery(tail, since, until)
        _check(tail, since, until)
        mark = Cursor.parse(cursor) if cursor else None
        deployment = await self._deployment_of(who, deployment_id)
        view = _View(self._followers, MAX_LINES)
        viewers = self._viewers.setdefault(deployment.id, set())
        viewers.add(view.queue)
        try:
            started = datetime.now(UTC)
            containers = self._replicas.of(deployment.id)
            await view.attach(containers)
            entries = await self._history(containers, query, view.writer, mark)
            for start in range(0, len(entries), BATCH_LINES):
                yield LogBatch([view.writer.record(entry) for entry in entries[start : start + BATCH_LINES]])
            del entries
            view.queue.discard_known(view.writer.is_new)
            view.queue.limit = self._queue_lines
            view.queue.trim()
            while await view.wait(until):
                if view.merges:
                    await asyncio.sleep(MERGE_SECONDS)
                if view.queue.changed:
                    view.queue.changed = False
                    new = await view.update(self._replicas.of(deployment.id))
                    born = [container for container in new if container.created_at >= started]
                    known = [container for container in new if container.created_at < started]
                    # What began after us is shown from its first line; what only now became visible, as history.
                    late = await self._history(known, query, view.writer, mark)
                    late += await self._history(born, LogQuery(None, since, until), view.writer, None)
                    view.queue.offer_first(late)
                batch = view.batch(since, until)
                if batch.records or batch.dropped:
                    yield batch
                if view.idle and await self._is_gone(who, deployment.id):
                    return
                if len(view.queue) < BATCH_LINES:
                    await asyncio.sleep(PACE_SECONDS)
        finally:
            viewers.discard(view.queue)
            if not viewers and self._viewers.get(deployment.id) is viewers:
                del self._viewers[deployment.id]
            await view.close()

    async def close(self) -> None:
        """End all followers; viewers get nothing more."""
        await self._followers.close()

    async def _is_gone(self, who: Principal, deployment_id: str) -> bool:
        """Whether a deployment without replicas was deleted."""
        if self._replicas.of(deployment_id):
            return False
        try:
            await self._deployment_of(who, deployment_id)
        except NotFound:
            return True
        return False

    def _note_change(self, deployment_id: str) -> None:
        changed = [deployment_id] if deployment_id else list(self._viewers)
        for known in changed:
            viewers = self._viewers.get(known)
            if viewers:
                self._followers.note_changes(self._replicas.of(known), known)
                for queue in viewers:
                    queue.note_change()

    async def _history(
        self, containers: Sequence[ContainerState], query: LogQuery, writer: CursorWriter, mark: Cursor | None
    ) -> list[Entry]:
        """Entries of the containers, merged, that the query asks for; those it leaves out are passed over."""
        limit = MAX_LINES if mark is not None or query.tail is None else min(query.tail, MAX_LINES)
        turn = asyncio.Semaphore(CONCURRENT_READS)

        async def read(container: ContainerState) -> list[Entry]:
            async with turn:
                after = mark.after(container.id) if mark else Place(0, 0)
                return await self._read(container, query, limit, after, mark is None)

        parts = await _all(read(container) for container in containers)
        merged: deque[Entry] = deque(maxlen=max(limit, 1))
        for entry in sorted(chain.from_iterable(parts), key=lambda entry: entry.at):
            if len(merged) == merged.maxlen:
                writer.pass_over(merged[0].key, Place(merged[0].at, merged[0].nth))
            merged.append(entry)
        if mark is not None:
            for container in containers:
                if container_key(container.id) in mark.places:
                    writer.pass_over(container_key(container.id), mark.after(container.id))
        if limit == 0:
            for entry in merged:
                writer.pass_over(entry.key, Place(entry.at, entry.nth))
            return []
        return [entry for entry in merged if writer.is_new(entry)]

    async def _read(
        self, container: ContainerState, query: LogQuery, limit: int, after: Place, by_tail: bool
    ) -> list[Entry]:
        """The last `limit` and a few more entries of one container that come after a place."""
        start = query.since
        if after.at:
            from_place = moment(max(0, after.at - SLACK_US))
            start = from_place if start is None else max(start, from_place)
        kept: deque[Entry] = deque(maxlen=limit + WARM_UP_LINES)
        numbering = LineNumbering(container.id, container.name)
        # The engine cuts its tail before it looks at `until`, so with that we cut ourselves.
        tail = limit + WARM_UP_LINES if by_tail and query.until is None and limit < MAX_LINES else None
        try:
            async for lines in self._engine.logs(container.id, tail=tail, since=start, until=query.until):
                for entry in numbering.number(lines):
                    if (entry.at, entry.nth) > after:
                        kept.append(entry)
        except NotFound:
            return list(kept)  # removed meanwhile
        return list(kept)


class _View:
    """One viewer: its queue, the followers that feed it, and how far it has been told."""

    def __init__(self, followers: LogFollowers, limit: int) -> None:
        self.queue = LogQueue(limit)
        self.writer = CursorWriter()
        self._followers = followers
        self._attached: dict[str, ContainerFollower] = {}

    @property
    def merges(self) -> bool:
        return len(self._attached) > 1

    @property
    def idle(self) -> bool:
        """Whether nothing is followed and nothing waits to be told."""
        return not self._attached and not len(self.queue)

    async def attach(self, containers: Sequence[ContainerState]) -> None:
        turn = asyncio.Semaphore(CONCURRENT_READS)

        async def one(container: ContainerState) -> None:
            async with turn:
                try:
                    self._attached[container.id] = await self._followers.attach(container, self.queue)
                except NotFound:
                    return  # removed meanwhile

        await _all(one(container) for container in containers)

    async def update(self, containers: Sequence[ContainerState]) -> list[ContainerState]:
        """Attach to what is new, and tell which that is; let go of what is gone."""
        present = {container.id for container in containers}
        for container_id, follower in list(self._attached.items()):
            if container_id not in present and follower.gone:
                del self._attached[container_id]
                await self._followers.detach(follower, self.queue)
        new = [container for container in containers if container.id not in self._attached]
        await self.attach(new)
        return [container for container in new if container.id in self._attached]

    async def wait(self, until: datetime | None) -> bool:
        """Wait for lines or changes, a while only where nothing is followed, for then nobody tells of the end; False
        once `until` has passed and nothing waits."""
        left = None if until is None else max(0.0, (until - datetime.now(UTC)).total_seconds())
        idle = self.idle and (left is None or left > IDLE_SECONDS)
        try:
            async with asyncio.timeout(IDLE_SECONDS if idle else left):
                await self.queue.wake.wait()
        except TimeoutError:
            return idle
        self.queue.wake.clear()
        return True

    def batch(self, since: datetime | None, until: datetime | None) -> LogBatch:
        entries, dropped = self.queue.take(BATCH_LINES)
        if len(self.queue):
            self.queue.wake.set()
        first = microseconds(since) if since else 0
        last = microseconds(until) if until else 2**63
        records = [
            self.writer.record(entry) for entry in entries if self.writer.is_new(entry) and first <= entry.at <= last
        ]
        return LogBatch(records, dropped)

    async def close(self) -> None:
        attached, self._attached = self._attached, {}
        for follower in attached.values():
            await self._followers.detach(follower, self.queue)


async def _all(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Results in order. All have ended when this returns or raises the first error."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]


def _check(tail: int | None, since: datetime | None, until: datetime | None) -> None:
    if tail is not None and tail < 0:
        raise Invalid.at("tail", f"tail must be 0 or more, not {tail}")
    if since is not None and until is not None and since > until:
        raise Invalid.at("since", "since must not be later than until")
