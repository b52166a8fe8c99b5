"""Writing down what reconciling came to: status, journal and lease, in one transaction."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from backend.domain.deployments import Deployment, DeploymentStatus, DesiredState
from backend.domain.errors import DomainError
from backend.domain.journal import JournalKind
from backend.services.reconciler.context import Shared
from backend.services.reconciler.lease import ObjectLease
from backend.storage import leases

log = logging.getLogger(__name__)

FLUSH_SECONDS = 0.1
FLUSH_RETRY_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class _Observation:
    deployment: Deployment
    kind: JournalKind
    message: str
    generation: int
    data: Mapping[str, object]


def _asked(deployment: Deployment) -> tuple[DesiredState, int, int]:
    return deployment.desired, deployment.generation, deployment.replicas


class Recorder:
    """One deployment's lease, observations and status writes. Observations are written in small batches, so that a
    rollout of many replicas does not wait for the disk at each."""

    def __init__(self, shared: Shared, deployment_id: str) -> None:
        self._shared = shared
        self._deployment_id = deployment_id
        options = shared.options
        self._lease = ObjectLease(shared.database, deployment_id, options.holder, options.lease_duration)
        self._observations: list[_Observation] = []
        self._flusher: asyncio.Task[None] | None = None

    # --- the lease

    async def hold(self, deployment: Deployment) -> None:
        """Take the lease unless it is held. Raises LeaseLost while another backend's runs."""
        await self._lease.hold(deployment.tenant_id)

    async def rest(self) -> None:
        """Give the lease back: nothing is left to do for now."""
        await self._lease.rest()

    # --- what happened

    def observe(
        self,
        deployment: Deployment,
        kind: JournalKind,
        message: str,
        *,
        generation: int | None = None,
        data: Mapping[str, object] | None = None,
    ) -> None:
        """Put a transition into the journal, soon."""
        self._observations.append(
            _Observation(
                deployment, kind, message, deployment.generation if generation is None else generation, data or {}
            )
        )
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush_soon(), name=f"journal-{deployment.short_id}")

    async def _flush_soon(self) -> None:
        pause = FLUSH_SECONDS
        while self._observations:
            await asyncio.sleep(pause)
            try:
                await self.write(None)
            except DomainError as error:
                log.warning("the journal of deployment %s has to wait: %s", self._deployment_id, error.message)
                pause = FLUSH_RETRY_SECONDS
            except Exception:
                log.exception("entries of the journal of deployment %s are lost", self._deployment_id)

    async def write(
        self,
        deployment: Deployment | None,
        *,
        status: DeploymentStatus | None = None,
        note: tuple[JournalKind, str] | None = None,
        settled: bool = False,
        forget: bool = False,
        **columns: Any,
    ) -> bool:
        """Write pending observations, and with a deployment its new columns. A write for an older state than what
        users asked for meanwhile is dropped: False. `settled` gives the lease back."""
        pending, self._observations = self._observations, []
        if deployment is None and not pending:
            return True
        try:
            async with self._shared.journal.transaction() as change:
                for seen in pending:
                    await change.record(
                        seen.deployment, seen.kind, seen.message, generation=seen.generation, data=seen.data
                    )
                if deployment is None:
                    return True
                now_stored = await self._shared.queries.by_id(change.session, deployment.id)
                if now_stored is None or _asked(now_stored) != _asked(deployment):
                    return False
                await self._lease.check(change.session)
                if note:
                    await change.record(deployment, note[0], note[1])
                if status is not None and status is not now_stored.status:
                    columns |= {"status": status, "updated_at": change.now}
                    await change.record(
                        deployment,
                        JournalKind.STATUS_CHANGED,
                        str(columns.get("message", deployment.message)),
                        data={
                            "status": status.value,
                            "previousStatus": now_stored.status.value,
                            "url": self._shared.address.url(deployment.app_name),
                            "reason": str(columns.get("reason", "")),
                        },
                    )
                if columns:
                    await self._shared.queries.write(change.session, deployment.id, **columns)
                if forget:
                    await self._shared.queries.purge(change.session, deployment.id)
                    await leases.forget(change.session, deployment.id)
                elif settled:
                    await self._lease.release(change.session, change.now)
        except (DomainError, asyncio.CancelledError):
            self._observations = pending + self._observations
            raise
        if settled or forget:
            self._lease.let_go()
        return True

    async def close(self) -> None:
        self._lease.let_go()
        if self._flusher:
            self._flusher.cancel()
            await asyncio.gather(self._flusher, return_exceptions=True)
        with suppress(DomainError):
            await self.write(None)
