"""Writing down what the work on an environment came to: status, journal and lease, in one transaction."""

from __future__ import annotations

from typing import Any

from backend.domain.environments import Environment, EnvironmentDesire, EnvironmentStatus, EnvironmentWork
from backend.domain.journal import JournalKind
from backend.services.environments.context import EnvironmentShared
from backend.services.reconciler.lease import ObjectLease
from backend.storage import leases


class Superseded(Exception):
    """Users asked for something else meanwhile: what was under way counts no more."""


def asked(environment: Environment, work: EnvironmentWork) -> tuple[EnvironmentDesire, int, int]:
    """What users asked for, as far as work that is under way depends on it."""
    return environment.desired, environment.generation, work.restarts_asked


class EnvironmentRecorder:
    """One environment's lease and writes."""

    def __init__(self, shared: EnvironmentShared, environment_id: str) -> None:
        self._shared = shared
        options = shared.options
        self._lease = ObjectLease(shared.database, environment_id, options.holder, options.lease_duration)

    async def hold(self, environment: Environment) -> None:
        """Take the lease unless it is held. Raises LeaseLost while another backend's runs."""
        await self._lease.hold(environment.tenant_id)

    async def rest(self) -> None:
        """Give the lease back: nothing is left to do for now."""
        await self._lease.rest()

    def close(self) -> None:
        self._lease.let_go()

    async def write(
        self,
        environment: Environment,
        work: EnvironmentWork,
        *,
        status: EnvironmentStatus | None = None,
        notes: tuple[tuple[JournalKind, str], ...] = (),
        **columns: Any,
    ) -> None:
        """New columns, and what happened. Raises Superseded where users asked for something else meanwhile, LeaseLost
        where another backend took over; then nothing is written."""
        async with self._shared.journal.transaction() as change:
            found = await self._shared.queries.with_work(change.session, environment.id)
            if found is None or asked(*found) != asked(environment, work):
                raise Superseded
            await self._lease.check(change.session)
            stored = found[0]
            for kind, message in notes:
                await change.record(stored, kind, message)
            if status is not None and status is not stored.status:
                columns |= {"status": status, "updated_at": change.now}
                await change.record(
                    stored,
                    JournalKind.ENVIRONMENT_STATUS_CHANGED,
                    str(columns.get("message", stored.message)),
                    data={
                        "name": stored.name,
                        "status": status.value,
                        "previousStatus": stored.status.value,
                        "reason": str(columns.get("reason", "")),
                    },
                )
            if columns:
                await self._shared.queries.write(change.session, environment.id, **columns)
        self._shared.changes.notify(environment.id)

    async def forget(self, environment: Environment) -> None:
        """Remove an environment of which the engine has nothing any more."""
        async with self._shared.journal.transaction() as change:
            await self._lease.check(change.session)
            await change.record(
                environment, JournalKind.ENVIRONMENT_REMOVED, f"{environment.name} and its files are gone"
            )
            await self._shared.queries.purge(change.session, environment.id)
            await leases.forget(change.session, environment.id)
        self._lease.let_go()
        self._shared.settled(environment.id)
