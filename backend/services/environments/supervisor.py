"""All environments' workers: begun at start, for each new environment, and woken by engines and requests."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta

from backend.domain.engine import ContainerState
from backend.domain.environments import Environment
from backend.domain.errors import DomainError
from backend.services.environments.context import EndTerminals, EnvironmentShared
from backend.services.environments.places import KIND_ENVIRONMENT, KIND_HELPER, Place
from backend.services.environments.worker import EnvironmentWorker
from backend.services.journal import utc_now

log = logging.getLogger(__name__)

RESYNC_SECONDS = 60.0
RETRY_SECONDS = 2.0
# Made to read a file of an image and removed at once, unless a crash came between.
KIND_PROBE = "image-probe"
PROBE_AGE = timedelta(minutes=5)


class EnvironmentReconciler:
    def __init__(self, shared: EnvironmentShared) -> None:
        self._shared = shared
        self._workers: dict[str, EnvironmentWorker] = {}
        self._task: asyncio.Task[None] | None = None
        self._look = asyncio.Event()
        shared.places.on_change(self._changed)

    def on_ending(self, end_terminals: EndTerminals) -> None:
        """Call it before a container is stopped or removed, with the environment's uuid and why."""
        self._shared.end_terminals = end_terminals

    async def start(self) -> None:
        """Load what was asked for and begin; returns at once, also where the engine is down."""
        self._task = asyncio.create_task(self._run(), name="environments")

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await asyncio.gather(*(worker.close() for worker in self._workers.values()))
        await self._shared.places.close()

    def wake(self, environment_id: str) -> None:
        """Desired state changed."""
        worker = self._workers.get(environment_id)
        if worker and worker.task and not worker.task.done():
            worker.wake()
        else:
            self._begin(environment_id)

    def progress(self, environment: Environment) -> tuple[str, str] | None:
        """A fresher reason and message than storage has."""
        found = self._shared.progress.get(environment.id)
        if found is None or found.during not in (None, environment.status):
            return None
        return found.reason, found.message

    def _changed(self, object_id: str) -> None:
        if object_id:
            worker = self._workers.get(object_id)
            if worker:
                worker.wake()
                self._shared.changes.notify(object_id)
            return
        for place in self._shared.places.open():
            place.networks.forget_networks()
        for worker in self._workers.values():
            worker.wake()
        self._look.set()

    def _begin(self, environment_id: str) -> None:
        worker = EnvironmentWorker(self._shared, environment_id)
        self._workers[environment_id] = worker
        worker.start()
        assert worker.task is not None
        worker.task.add_done_callback(lambda _: self._ended(environment_id, worker))

    def _ended(self, environment_id: str, worker: EnvironmentWorker) -> None:
        if self._workers.get(environment_id) is worker:
            del self._workers[environment_id]

    async def _run(self) -> None:
        while True:
            pause = RESYNC_SECONDS
            try:
                await self._resync()
            except DomainError as error:
                log.info("environments are looked at later: %s", error.message)
                pause = RETRY_SECONDS
            except Exception:
                log.exception("looking at the environments failed")
                pause = RETRY_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._look.wait()
            self._look.clear()

    async def _resync(self) -> None:
        """Wake all, begin workers for what has none, and remove containers that no row knows of. Volumes are data and
        stay."""
        async with self._shared.database.session() as session:
            environments = await self._shared.queries.everything(session)
        known = {environment.id for environment in environments}
        for environment_id in known - self._workers.keys():
            self._begin(environment_id)
        for worker in list(self._workers.values()):
            worker.wake()
        await self._shared.places.keep({one.cluster_id for one in environments if one.cluster_id is not None})
        for place in self._shared.places.open():
            for state in place.view.all() if place.view.engine_up else []:
                if await self._is_orphan(state, known):
                    await self._remove(place, state)

    async def _is_orphan(self, state: ContainerState, known: set[str]) -> bool:
        if state.kind == KIND_PROBE:
            return utc_now() - state.created_at > PROBE_AGE
        if (
            state.kind not in (KIND_ENVIRONMENT, KIND_HELPER)
            or state.object_id in known
            or state.object_id in self._workers
        ):
            return False
        async with self._shared.database.session() as session:
            return await self._shared.queries.by_id(session, state.object_id) is None

    async def _remove(self, place: Place, state: ContainerState) -> None:
        log.warning("removing %s, which belongs to no environment", state.name)
        await place.engine.remove_container(state.id)
        place.view.drop(state.id)
