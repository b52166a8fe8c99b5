"""The live view of this installation's containers, fed by engine events and full listings."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from backend.domain.engine import ContainerState, Engine, EngineEvent, EventAction
from backend.domain.errors import DomainError, EngineUnavailable, NotFound

log = logging.getLogger(__name__)

KIND_DEPLOYMENT = "deployment"
RESYNC_SECONDS = 60.0
RECONNECT_SECONDS = (0.2, 0.5, 1.0, 2.0, 3.0)


class ChangeFeed:
    """Ids of deployments that changed, coalesced: a slow reader sees each id once, never a backlog."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._wake = asyncio.Event()

    def add(self, deployment_id: str) -> None:
        self._ids.add(deployment_id)
        self._wake.set()

    async def __aiter__(self) -> AsyncIterator[str]:
        while True:
            await self._wake.wait()
            self._wake.clear()
            ids, self._ids = self._ids, set()
            for deployment_id in ids:
                yield deployment_id


class ReplicaView:
    """What runs now. `engine_up` is False until the first listing, and after the event stream was lost."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._by_id: dict[str, ContainerState] = {}
        self._by_object: dict[str, dict[str, ContainerState]] = {}
        self._feeds: set[ChangeFeed] = set()
        self._callbacks: list[Callable[[str], None]] = []
        self._task: asyncio.Task[None] | None = None
        self.engine_up = False
        self.engine_message = "the container engine was not asked yet"
        self.listed = asyncio.Event()

    # --- reading

    def of(self, deployment_id: str) -> list[ContainerState]:
        """Its containers, by generation and ordinal."""
        return sorted(self._by_object.get(deployment_id, {}).values(), key=lambda c: (c.generation, c.ordinal))

    def all(self) -> list[ContainerState]:
        return list(self._by_id.values())

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[ChangeFeed]:
        """A feed of ids of deployments whose containers, progress or health changed."""
        feed = ChangeFeed()
        self._feeds.add(feed)
        try:
            yield feed
        finally:
            self._feeds.discard(feed)

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Call back with each id at once; `""` means that the engine came or went."""
        self._callbacks.append(callback)

    def notify(self, deployment_id: str) -> None:
        """Tell all readers that something about a deployment changed."""
        for callback in self._callbacks:
            callback(deployment_id)
        self.notify_readers(deployment_id)

    def notify_readers(self, deployment_id: str) -> None:
        """Tell the feeds alone: something to show changed, but nothing to act on."""
        if deployment_id:
            for feed in self._feeds:
                feed.add(deployment_id)

    # --- writing

    def put(self, state: ContainerState) -> None:
        """What was just seen of one container."""
        if self._by_id.get(state.id) == state:
            return
        self._by_id[state.id] = state
        self._by_object.setdefault(state.object_id, {})[state.id] = state
        self.notify(state.object_id)

    def drop(self, container_id: str) -> None:
        """A container is gone."""
        state = self._by_id.pop(container_id, None)
        if state is not None:
            siblings = self._by_object[state.object_id]
            siblings.pop(container_id, None)
            if not siblings:
                del self._by_object[state.object_id]
            self.notify(state.object_id)

    async def refresh(self, container_id: str) -> ContainerState | None:
        """Look at one container now; None where it is gone."""
        try:
            state = await self._engine.inspect_container(container_id)
        except NotFound:
            self.drop(container_id)
            return None
        self.put(state)
        return state

    # --- the feed from the engine

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="replica-view")

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        attempt = 0
        while True:
            try:
                await self._follow()
                raise EngineUnavailable("the engine's event stream ended")
            except DomainError as error:
                if self.engine_up or not self.listed.is_set():
                    log.warning("container engine lost: %s", error.message)
                if self.engine_up:
                    attempt = 0
                self.engine_up, self.engine_message = False, error.message
                self.notify("")
            except Exception:
                log.exception("following the container engine failed")
                self.engine_up, self.engine_message = False, "an unexpected error; see the log"
                self.notify("")
            await asyncio.sleep(RECONNECT_SECONDS[min(attempt, len(RECONNECT_SECONDS) - 1)])
            attempt += 1

    async def _follow(self) -> None:
        queue: asyncio.Queue[EngineEvent | None] = asyncio.Queue()

        async def pump() -> None:
            # The stream is opened before the listing, so that nothing falls between the two.
            try:
                async for event in self._engine.events():
                    queue.put_nowait(event)
            finally:
                queue.put_nowait(None)

        await self._engine.ping()
        stream = asyncio.create_task(pump(), name="engine-events")
        try:
            await self._resync()
            if not self.engine_up:
                self.engine_up, self.engine_message = True, "ok"
                self.listed.set()
                self.notify("")
            clock = asyncio.get_running_loop().time
            due = clock() + RESYNC_SECONDS
            while True:
                try:
                    # Not wait_for: before Python 3.12 it loses a cancellation that meets an event.
                    async with asyncio.timeout_at(due):
                        event = await queue.get()
                except TimeoutError:
                    await self._resync()
                    due = clock() + RESYNC_SECONDS
                    continue
                if event is None:
                    await stream
                    return
                if event.action is EventAction.DESTROY:
                    self.drop(event.container_id)
                else:
                    await self.refresh(event.container_id)
        finally:
            stream.cancel()
            await asyncio.gather(stream, return_exceptions=True)

    async def _resync(self) -> None:
        seen = {state.id: state for state in await self._engine.list_containers()}
        for container_id in [known for known in self._by_id if known not in seen]:
            # Made since the listing began, or gone: only a second look tells.
            await self.refresh(container_id)
        for state in seen.values():
            self.put(state)
