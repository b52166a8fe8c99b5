"""Whether what a replica may use is there on the engine's machine at all."""

from __future__ import annotations

import time
from collections.abc import Callable

from backend.domain.engine import Engine, EngineInfo
from backend.domain.errors import DomainError
from backend.services.deployment_rules import check_fits

# A machine hardly ever changes its size, and to describe itself is the engine's most costly answer.
KEPT_SECONDS = 60.0


class MachineSize:
    """Of one engine's machine; asked for at most once within a minute."""

    def __init__(self, engine: Engine, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._monotonic = monotonic
        self._known: EngineInfo | None = None
        self._known_at = 0.0

    async def check(self, cpu: str | None, memory: str | None) -> None:
        """Raises Invalid. An engine that does not say its size now decides when the replicas are made."""
        if cpu is None and memory is None:
            return
        if self._known is None or self._monotonic() - self._known_at > KEPT_SECONDS:
            try:
                self._known = await self._engine.ping()
            except DomainError:
                return
            self._known_at = self._monotonic()
        check_fits(cpu, memory, self._known)
