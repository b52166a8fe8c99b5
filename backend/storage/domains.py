"""Queries on custom domains. A row lives while its deployment does; its name is unique over the installation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.domain.deployments import DesiredState
from backend.domain.domains import ROUTED_STATES, CustomDomain, DomainState
from backend.domain.errors import Conflict
from backend.storage.tables import DeploymentRow, DomainRow

_NOT_DELETED = col(DeploymentRow.desired) != DesiredState.DELETED.value


class DomainQueries:
    """`host_of` gives the public host of an app name, to which its domains point."""

    def __init__(self, host_of: Callable[[str], str]) -> None:
        self._host_of = host_of
        self._with_app = select(DomainRow, col(DeploymentRow.app_name)).join(
            DeploymentRow, col(DeploymentRow.id) == col(DomainRow.deployment_id)
        )

    async def insert(self, session: AsyncSession, domain: CustomDomain) -> None:
        """Raises Conflict where the name is taken."""
        session.add(
            DomainRow(
                id=domain.id,
                short_id=domain.short_id,
                tenant_id=domain.tenant_id,
                deployment_id=domain.deployment_id,
                name=domain.name,
                status=domain.state.value,
                reason=domain.reason,
                proof=domain.proof,
                attempts=domain.attempts,
                created_at=domain.created_at,
                next_check_at=domain.next_check_at,
                troubled_since=domain.troubled_since,
            )
        )
        try:
            await session.flush()
        except IntegrityError as error:
            raise Conflict(f"the domain {domain.name} is in use already", details={"field": "domain"}) from error

    async def by_name(self, session: AsyncSession, name: str) -> CustomDomain | None:
        """Any tenant's."""
        return await self._one(session, col(DomainRow.name) == name)

    async def by_id(self, session: AsyncSession, domain_id: str) -> CustomDomain | None:
        """Any tenant's."""
        return await self._one(session, col(DomainRow.id) == domain_id)

    async def of_deployment(self, session: AsyncSession, deployment_id: str) -> list[CustomDomain]:
        """Oldest first."""
        query = self._with_app.where(col(DomainRow.deployment_id) == deployment_id)
        rows = await session.execute(query.order_by(col(DomainRow.created_at), col(DomainRow.id)))
        return [self._to_domain(row, app_name) for row, app_name in rows]

    async def count(self, session: AsyncSession, deployment_id: str) -> int:
        query = select(func.count()).select_from(DomainRow).where(col(DomainRow.deployment_id) == deployment_id)
        return await session.scalar(query) or 0

    async def routed(self, session: AsyncSession) -> Mapping[str, Sequence[str]]:
        """The names to serve, by deployment, of the whole installation."""
        query = (
            select(col(DomainRow.deployment_id), col(DomainRow.name))
            .join(DeploymentRow, col(DeploymentRow.id) == col(DomainRow.deployment_id))
            .where(col(DomainRow.status).in_([state.value for state in ROUTED_STATES]), _NOT_DELETED)
            .order_by(col(DomainRow.name))
        )
        found: dict[str, list[str]] = {}
        for deployment_id, name in await session.execute(query):
            found.setdefault(deployment_id, []).append(name)
        return found

    async def due(self, session: AsyncSession, now: datetime, limit: int) -> list[CustomDomain]:
        """Those to check now, the longest due first."""
        query = self._with_app.where(col(DomainRow.next_check_at) <= now, _NOT_DELETED)
        rows = await session.execute(query.order_by(col(DomainRow.next_check_at)).limit(limit))
        return [self._to_domain(row, app_name) for row, app_name in rows]

    async def next_due(self, session: AsyncSession) -> datetime | None:
        """When the next check is; None where there are no domains."""
        query = select(col(DomainRow.next_check_at)).where(col(DomainRow.next_check_at).is_not(None))
        return await session.scalar(query.order_by(col(DomainRow.next_check_at)).limit(1))

    async def write(self, session: AsyncSession, domain: CustomDomain, **columns: Any) -> bool:
        """Set columns, where the domain is as it was read: False where it was removed, or checked by another since."""
        values = {name: getattr(value, "value", value) for name, value in columns.items()}
        query = update(DomainRow).where(
            col(DomainRow.id) == domain.id, col(DomainRow.next_check_at) == domain.next_check_at
        )
        result = await session.execute(query.values(**values).returning(col(DomainRow.id)))
        return result.first() is not None

    async def remove(self, session: AsyncSession, domain_id: str) -> None:
        await session.execute(delete(DomainRow).where(col(DomainRow.id) == domain_id))

    async def remove_of_deployment(self, session: AsyncSession, deployment_id: str) -> None:
        """Free all names of a deployment."""
        await session.execute(delete(DomainRow).where(col(DomainRow.deployment_id) == deployment_id))

    async def _one(self, session: AsyncSession, condition: ColumnElement[bool]) -> CustomDomain | None:
        found = (await session.execute(self._with_app.where(condition))).first()
        return None if found is None else self._to_domain(found[0], found[1])

    def _to_domain(self, row: DomainRow, app_name: str) -> CustomDomain:
        return CustomDomain(
            id=row.id,
            short_id=row.short_id,
            tenant_id=row.tenant_id,
            deployment_id=row.deployment_id,
            name=row.name,
            state=DomainState(row.status),
            reason=row.reason,
            proof=row.proof,
            app_host=self._host_of(app_name),
            attempts=row.attempts,
            created_at=row.created_at,
            verified_at=row.verified_at,
            checked_at=row.checked_at,
            next_check_at=row.next_check_at,
            troubled_since=row.troubled_since,
        )
