"""Queries on development environments. Environment values pass through a Sealer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.domain.environments import (
    Environment,
    EnvironmentDesire,
    EnvironmentResources,
    EnvironmentStatus,
    EnvironmentWork,
)
from backend.domain.errors import Conflict
from backend.storage.deployments import Sealer
from backend.storage.environment_tables import EnvironmentRow, InstallEventRow

_LIVES = col(EnvironmentRow.desired) != EnvironmentDesire.DELETED.value
_NEWEST_FIRST = (col(EnvironmentRow.created_at).desc(), col(EnvironmentRow.id).desc())


class EnvironmentQueries:
    """Stateless but for the sealer; every method takes the session it runs in."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def insert(self, session: AsyncSession, environment: Environment) -> None:
        """Store a new environment. Raises Conflict where the tenant has one of that name."""
        if await self.name_taken(session, environment.tenant_id, environment.name):
            raise _name_taken(environment.name)
        session.add(
            EnvironmentRow(
                id=environment.id,
                short_id=environment.short_id,
                tenant_id=environment.tenant_id,
                created_by=environment.created_by,
                name=environment.name,
                name_key=_key(environment.name),
                description=environment.description,
                template_id=environment.template_id,
                template_name=environment.template_name,
                cluster_id=environment.cluster_id,
                image=environment.image,
                digest=environment.digest,
                port=environment.port,
                cpu=environment.resources.cpu,
                memory=environment.resources.memory,
                storage=environment.resources.storage,
                sealed=self._sealer.seal({"env": dict(environment.env)}),
                startup_commands=list(environment.startup_commands),
                desired=environment.desired.value,
                generation=environment.generation,
                status=environment.status.value,
                reason=environment.reason,
                message=environment.message,
                idle_stop_minutes=environment.idle_stop_minutes,
                created_at=environment.created_at,
                updated_at=environment.updated_at,
                last_activity=environment.last_activity,
            )
        )
        try:
            await session.flush()
        except IntegrityError as error:
            raise _name_taken(environment.name) from error

    async def name_taken(self, session: AsyncSession, tenant_id: str, name: str) -> bool:
        query = select(col(EnvironmentRow.id)).where(
            col(EnvironmentRow.tenant_id) == tenant_id, col(EnvironmentRow.name_key) == _key(name)
        )
        return await session.scalar(query) is not None

    async def of_tenant(self, session: AsyncSession, tenant_id: str, reference: str) -> Environment | None:
        """By uuid or short id; None for another tenant's. One that is being deleted is found until it is gone."""
        query = select(EnvironmentRow).where(
            or_(col(EnvironmentRow.id) == reference, col(EnvironmentRow.short_id) == reference),
            col(EnvironmentRow.tenant_id) == tenant_id,
        )
        row = await session.scalar(query)
        return self._to_environment(row) if row else None

    async def all_of_tenant(
        self,
        session: AsyncSession,
        tenant_id: str,
        *,
        status: EnvironmentStatus | None = None,
        template_id: str | None = None,
        ids: frozenset[str] | None = None,
    ) -> list[Environment]:
        """Newest first. Terminated ones only where that status is asked for; with `ids`, only those of them."""
        query = select(EnvironmentRow).where(col(EnvironmentRow.tenant_id) == tenant_id).order_by(*_NEWEST_FIRST)
        query = query.where(_LIVES if status is None else col(EnvironmentRow.status) == status.value)
        if template_id is not None:
            query = query.where(col(EnvironmentRow.template_id) == template_id)
        if ids is not None:
            query = query.where(col(EnvironmentRow.id).in_(ids))
        return [self._to_environment(row) for row in await session.scalars(query)]

    async def by_id(self, session: AsyncSession, environment_id: str) -> Environment | None:
        """Any tenant's, also one that is being deleted."""
        row = await session.get(EnvironmentRow, environment_id)
        return self._to_environment(row) if row else None

    async def with_work(self, session: AsyncSession, environment_id: str) -> tuple[Environment, EnvironmentWork] | None:
        """The same, and how far the work on it has come."""
        row = await session.get(EnvironmentRow, environment_id)
        if row is None:
            return None
        work = EnvironmentWork(
            restarts_asked=row.restarts_asked,
            restarts_done=row.restarts_done,
            container_id=row.container_id,
            step_begun=row.step_begun,
            steps_done=row.steps_done,
            home=row.home,
            home_uid=row.home_uid,
        )
        return self._to_environment(row), work

    async def everything(self, session: AsyncSession) -> list[Environment]:
        """All tenants' environments, those being deleted too: what the reconciler answers for."""
        return [self._to_environment(row) for row in await session.scalars(select(EnvironmentRow))]

    async def count_of_user(self, session: AsyncSession, user_id: str) -> int:
        """How many environments a user has made that live."""
        query = (
            select(func.count()).select_from(EnvironmentRow).where(col(EnvironmentRow.created_by) == user_id, _LIVES)
        )
        return await session.scalar(query) or 0

    async def tenant_on_cluster(self, session: AsyncSession, tenant_id: str, cluster_id: str) -> bool:
        """Whether the tenant has anything, also what is being deleted, on a cluster (by uuid)."""
        query = select(col(EnvironmentRow.id)).where(
            col(EnvironmentRow.tenant_id) == tenant_id, col(EnvironmentRow.cluster_id) == cluster_id
        )
        return await session.scalar(query.limit(1)) is not None

    async def write(self, session: AsyncSession, environment_id: str, **columns: Any) -> None:
        """Set columns of one environment. Enumerations are stored as their values. Raises Conflict where a new name
        is taken."""
        values = {name: getattr(value, "value", value) for name, value in columns.items()}
        if "env" in values:
            values["sealed"] = self._sealer.seal({"env": dict(values.pop("env"))})
        if "name" in values:
            values["name_key"] = _key(values["name"])
        try:
            await session.execute(
                update(EnvironmentRow).where(col(EnvironmentRow.id) == environment_id).values(**values)
            )
        except IntegrityError as error:
            raise _name_taken(str(values.get("name"))) from error

    async def ask_restart(self, session: AsyncSession, environment_id: str) -> None:
        """One more restart is due."""
        await session.execute(
            update(EnvironmentRow)
            .where(col(EnvironmentRow.id) == environment_id)
            .values(restarts_asked=col(EnvironmentRow.restarts_asked) + 1)
        )

    async def note_activity(self, session: AsyncSession, seen: Mapping[str, datetime]) -> None:
        """Keep when each environment was last used, unless storage knows of a later moment."""
        for environment_id, at in seen.items():
            await session.execute(
                update(EnvironmentRow)
                .where(
                    col(EnvironmentRow.id) == environment_id,
                    or_(col(EnvironmentRow.last_activity).is_(None), col(EnvironmentRow.last_activity) < at),
                )
                .values(last_activity=at)
            )

    async def purge(self, session: AsyncSession, environment_id: str) -> None:
        """Forget an environment whose container and volume are gone. Its journal stays."""
        await session.execute(delete(InstallEventRow).where(col(InstallEventRow.environment_id) == environment_id))
        await session.execute(delete(EnvironmentRow).where(col(EnvironmentRow.id) == environment_id))

    def _to_environment(self, row: EnvironmentRow) -> Environment:
        return Environment(
            id=row.id,
            short_id=row.short_id,
            tenant_id=row.tenant_id,
            created_by=row.created_by,
            name=row.name,
            description=row.description,
            template_id=row.template_id,
            template_name=row.template_name,
            cluster_id=row.cluster_id,
            image=row.image,
            digest=row.digest,
            port=row.port,
            resources=EnvironmentResources(row.cpu, row.memory, row.storage),
            env=self._sealer.open(row.sealed)["env"],
            startup_commands=tuple(row.startup_commands),
            desired=EnvironmentDesire(row.desired),
            generation=row.generation,
            status=EnvironmentStatus(row.status),
            reason=row.reason,
            message=row.message,
            error_message=row.error_message,
            installation_completed=row.installation_completed,
            idle_stop_minutes=row.idle_stop_minutes,
            created_at=row.created_at,
            updated_at=row.updated_at,
            started_at=row.started_at,
            last_activity=row.last_activity,
        )


async def clusters_with_environments(session: AsyncSession) -> set[str]:
    """Uuids of the clusters, beside the local engine, that have environments, also such as are being deleted."""
    query = select(col(EnvironmentRow.cluster_id)).where(col(EnvironmentRow.cluster_id).is_not(None)).distinct()
    return {cluster_id for cluster_id in await session.scalars(query) if cluster_id is not None}


def _key(name: str) -> str:
    return name.casefold()


def _name_taken(name: str) -> Conflict:
    return Conflict(
        f"you already have an environment named {name!r}: choose another name, or delete that one first",
        details={"field": "name"},
    )
