"""Whether storage, engine and ingress answer, said so that a reader knows what to do."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from backend.domain.engine import Engine, EngineInfo
from backend.domain.errors import DomainError, Unavailable
from backend.domain.ingress import Ingress
from backend.storage.database import Database

log = logging.getLogger(__name__)

CACHE_SECONDS = 1.0
PROBE_SECONDS = 4.0
# A part that never answered yet counts as starting for this long.
STARTING_SECONDS = 15.0


class PartState(StrEnum):
    OK = "ok"
    STARTING = "starting"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class PartStatus:
    """`message` says what is wrong and what to do; a plain word where all is well."""

    status: PartState
    message: str


@dataclass(frozen=True, slots=True)
class SystemStatus:
    """`engine_info` is None while the engine does not answer."""

    storage: PartStatus
    engine: PartStatus
    ingress: PartStatus
    engine_info: EngineInfo | None

    @property
    def ready(self) -> bool:
        """Whether everything answers."""
        return all(part.status is PartState.OK for part in (self.storage, self.engine, self.ingress))


class SystemService:
    """Asks each part at most once a second, however many callers there are. Never raises for a part that is down."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        ingress: Ingress,
        *,
        cache_seconds: float = CACHE_SECONDS,
        starting_seconds: float = STARTING_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._engine = engine
        self._ingress = ingress
        self._cache_seconds = cache_seconds
        self._starting_seconds = starting_seconds
        self._monotonic = monotonic
        self._born = monotonic()
        self._answered: set[str] = set()
        self._asked_at = 0.0
        self._status: SystemStatus | None = None
        self._asking: asyncio.Task[SystemStatus] | None = None

    async def status(self) -> SystemStatus:
        """What answered within the last second, or now."""
        if self._status is not None and self._monotonic() - self._asked_at < self._cache_seconds:
            return self._status
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask(), name="system-status")
            self._asking.add_done_callback(self._asked)
        # Shared: a caller that goes away does not end the question of the others.
        return await asyncio.shield(self._asking)

    async def ready(self) -> bool:
        """Whether storage, engine and ingress all answer."""
        return (await self.status()).ready

    def _asked(self, task: asyncio.Task[SystemStatus]) -> None:
        self._asking = None

    async def _ask(self) -> SystemStatus:
        found: list[EngineInfo] = []

        async def engine() -> None:
            found.append(await self._engine.ping())

        async def ingress() -> None:
            if not await self._ingress.ready():
                if self._ingress.fault:
                    raise Unavailable(self._ingress.fault)
                raise IngressSilent("its admin socket or its port is silent")

        storage_status, engine_status, ingress_status = await asyncio.gather(
            self._probe("storage", self._database.ping, "check the disk (space, permissions) or DATABASE_URL"),
            self._probe("container engine", engine, "start it, e.g. with 'systemctl start docker'"),
            self._probe("ingress", ingress, "it is started again by itself; if that fails, see the backend's log"),
        )
        status = SystemStatus(storage_status, engine_status, ingress_status, found[0] if found else None)
        self._status, self._asked_at = status, self._monotonic()
        return status

    async def _probe(self, name: str, ask: Callable[[], Awaitable[None]], advice: str) -> PartStatus:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await ask()
        except TimeoutError:
            return self._silent(name, f"the {name} does not answer within {PROBE_SECONDS:g} s: {advice}")
        except IngressSilent as error:
            return self._silent(name, f"the {name} does not answer ({error.message}): {advice}")
        except DomainError as error:
            # These already say what to do.
            return self._silent(name, error.message)
        except Exception as error:
            log.exception("asking the %s failed", name)
            return self._silent(name, f"the {name} does not answer ({type(error).__name__}): {advice}")
        self._answered.add(name)
        return PartStatus(PartState.OK, "ok")

    def _silent(self, name: str, message: str) -> PartStatus:
        young = self._monotonic() - self._born < self._starting_seconds
        state = PartState.STARTING if young and name not in self._answered else PartState.DOWN
        return PartStatus(state, message)


class IngressSilent(DomainError):
    """The ingress process does not answer."""
