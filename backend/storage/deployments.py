"""Queries on deployments and their generations. They return the vocabulary; secrets pass through a Sealer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import bindparam, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.domain.deployments import (
    Deployment,
    DeploymentSpec,
    DeploymentStatus,
    DesiredState,
    HealthCheck,
    RegistryAuth,
    Resources,
)
from backend.domain.errors import Conflict
from backend.domain.paging import PageRequest
from backend.storage.glances import Reading
from backend.storage.tables import DeploymentRow, GenerationRow


class Sealer(Protocol):
    """Encrypts what must not be read from the storage."""

    def seal(self, value: Mapping[str, Any]) -> bytes: ...

    def open(self, data: bytes) -> Any: ...


_WITH_GENERATION = select(DeploymentRow, GenerationRow).join(
    GenerationRow,
    (col(GenerationRow.deployment_id) == col(DeploymentRow.id))
    & (col(GenerationRow.number) == col(DeploymentRow.generation)),
)
_NOT_DELETED = col(DeploymentRow.desired) != DesiredState.DELETED.value
# Built once: putting a statement together costs as much as running it.
_BY_ID = _WITH_GENERATION.where(col(DeploymentRow.id) == bindparam("deployment_id"))
_OF_TENANT = (col(DeploymentRow.tenant_id) == bindparam("tenant_id"), _NOT_DELETED)
_WITH_STATUS = col(DeploymentRow.status) == bindparam("status")
_COUNT = select(func.count()).select_from(DeploymentRow).where(*_OF_TENANT)
_PAGE = (
    _WITH_GENERATION.where(*_OF_TENANT)
    .order_by(col(DeploymentRow.created_at).desc(), col(DeploymentRow.id).desc())
    .limit(bindparam("page_limit"))
    .offset(bindparam("page_offset"))
)
_COUNT_WITH_STATUS, _PAGE_WITH_STATUS = _COUNT.where(_WITH_STATUS), _PAGE.where(_WITH_STATUS)


class DeploymentQueries:
    """Stateless but for the sealer; every method takes the session it runs in."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def insert(self, session: AsyncSession, deployment: Deployment) -> None:
        """Store a new deployment with its first generation. Raises Conflict where the name is taken."""
        taken = await session.scalar(
            select(col(DeploymentRow.id)).where(col(DeploymentRow.app_name) == deployment.app_name)
        )
        if taken is not None:
            raise _name_taken(deployment.app_name)
        session.add(
            DeploymentRow(
                id=deployment.id,
                short_id=deployment.short_id,
                tenant_id=deployment.tenant_id,
                created_by=deployment.created_by,
                app_name=deployment.app_name,
                desired=deployment.desired.value,
                replicas=deployment.replicas,
                generation=deployment.generation,
                stable_generation=deployment.stable_generation,
                status=deployment.status.value,
                reason=deployment.reason,
                message=deployment.message,
                created_at=deployment.created_at,
                updated_at=deployment.updated_at,
            )
        )
        try:
            await session.flush()
        except IntegrityError as error:
            raise _name_taken(deployment.app_name) from error
        await self.insert_generation(session, deployment, deployment.generation, deployment.spec, deployment.created_at)

    async def insert_generation(
        self, session: AsyncSession, deployment: Deployment, number: int, spec: DeploymentSpec, at: datetime
    ) -> None:
        session.add(
            GenerationRow(
                deployment_id=deployment.id,
                number=number,
                tenant_id=deployment.tenant_id,
                image=spec.image,
                digest=spec.digest,
                port=spec.port,
                cpu=spec.resources.cpu,
                memory=spec.resources.memory,
                health_check=asdict(spec.health_check) if spec.health_check else None,
                sealed=self._sealer.seal(
                    {"env": dict(spec.env), "auth": asdict(spec.registry_auth) if spec.registry_auth else None}
                ),
                created_at=at,
            )
        )
        await session.flush()

    async def newest_generation(self, session: AsyncSession, deployment_id: str) -> int:
        number = await session.scalar(
            select(func.max(col(GenerationRow.number))).where(col(GenerationRow.deployment_id) == deployment_id)
        )
        return number or 0

    async def name_taken(self, session: AsyncSession, app_name: str) -> bool:
        query = select(col(DeploymentRow.id)).where(col(DeploymentRow.app_name) == app_name)
        return await session.scalar(query) is not None

    async def of_tenant(self, session: Reading, tenant_id: str, reference: str) -> Deployment | None:
        """By uuid or short id; None for another tenant's, and for one that is being deleted."""
        query = _WITH_GENERATION.where(
            or_(col(DeploymentRow.id) == reference, col(DeploymentRow.short_id) == reference),
            col(DeploymentRow.tenant_id) == tenant_id,
            _NOT_DELETED,
        )
        found = (await session.execute(query)).first()
        return self._to_deployment(found[0], found[1]) if found else None

    async def by_id(self, session: Reading, deployment_id: str) -> Deployment | None:
        """Any tenant's, also one that is being deleted."""
        found = (await session.execute(_BY_ID, {"deployment_id": deployment_id})).first()
        return self._to_deployment(found[0], found[1]) if found else None

    async def page(
        self, session: Reading, tenant_id: str, request: PageRequest, status: DeploymentStatus | None
    ) -> tuple[Sequence[Deployment], int]:
        """Newest first, and how many there are in all."""
        count, page = (_COUNT, _PAGE) if status is None else (_COUNT_WITH_STATUS, _PAGE_WITH_STATUS)
        values: dict[str, object] = {"tenant_id": tenant_id}
        if status is not None:
            values["status"] = status.value
        total = await session.scalar(count, values)
        window = {"page_limit": request.limit, "page_offset": request.offset}
        rows = (await session.execute(page, values | window)).all()
        return [self._to_deployment(row, generation) for row, generation in rows], total or 0

    async def all_of_tenant(
        self, session: AsyncSession, tenant_id: str, ids: frozenset[str] | None = None
    ) -> list[Deployment]:
        """Newest first; with `ids`, only those of them that exist."""
        query = _WITH_GENERATION.where(col(DeploymentRow.tenant_id) == tenant_id, _NOT_DELETED).order_by(
            col(DeploymentRow.created_at).desc(), col(DeploymentRow.id).desc()
        )
        if ids is not None:
            query = query.where(col(DeploymentRow.id).in_(ids))
        rows = (await session.execute(query)).all()
        return [self._to_deployment(row, generation) for row, generation in rows]

    async def everything(self, session: AsyncSession) -> list[Deployment]:
        """All tenants' deployments, those being deleted too: what the reconciler answers for."""
        rows = (await session.execute(_WITH_GENERATION)).all()
        return [self._to_deployment(row, generation) for row, generation in rows]

    async def ids(self, session: AsyncSession) -> set[str]:
        """Of what `everything` returns."""
        return set((await session.execute(select(col(DeploymentRow.id)))).scalars())

    async def write(self, session: AsyncSession, deployment_id: str, **columns: Any) -> None:
        """Set columns of one deployment. Enumerations are stored as their values."""
        values = {name: getattr(value, "value", value) for name, value in columns.items()}
        await session.execute(update(DeploymentRow).where(col(DeploymentRow.id) == deployment_id).values(**values))

    async def purge(self, session: AsyncSession, deployment_id: str) -> None:
        """Forget a deployment whose containers are gone. Its journal stays."""
        await session.execute(delete(GenerationRow).where(col(GenerationRow.deployment_id) == deployment_id))
        await session.execute(delete(DeploymentRow).where(col(DeploymentRow.id) == deployment_id))

    def _to_deployment(self, row: DeploymentRow, generation: GenerationRow) -> Deployment:
        sealed = self._sealer.open(generation.sealed)
        auth = sealed.get("auth")
        return Deployment(
            id=row.id,
            short_id=row.short_id,
            tenant_id=row.tenant_id,
            created_by=row.created_by,
            app_name=row.app_name,
            desired=DesiredState(row.desired),
            replicas=row.replicas,
            generation=row.generation,
            stable_generation=row.stable_generation,
            spec=DeploymentSpec(
                image=generation.image,
                digest=generation.digest,
                port=generation.port,
                env=sealed["env"],
                resources=Resources(cpu=generation.cpu, memory=generation.memory),
                health_check=HealthCheck(**generation.health_check) if generation.health_check else None,
                registry_auth=RegistryAuth(**auth) if auth else None,
            ),
            status=DeploymentStatus(row.status),
            reason=row.reason,
            message=row.message,
            error_message=row.error_message,
            restart_count=row.restart_count,
            created_at=row.created_at,
            updated_at=row.updated_at,
            deployed_at=row.deployed_at,
            started_at=row.started_at,
            last_health_check=row.last_health_check,
        )


async def forget_generations(session: AsyncSession, keep: int) -> int:
    """Delete generations older than a deployment's newest `keep`, but the desired and the stable one."""
    newest = (
        select(col(GenerationRow.deployment_id).label("id"), func.max(col(GenerationRow.number)).label("number"))
        .group_by(col(GenerationRow.deployment_id))
        .subquery()
    )
    old = (
        select(col(GenerationRow.deployment_id), col(GenerationRow.number))
        .join(newest, newest.c.id == col(GenerationRow.deployment_id))
        .join(DeploymentRow, col(DeploymentRow.id) == col(GenerationRow.deployment_id))
        .where(
            col(GenerationRow.number) <= newest.c.number - keep,
            col(GenerationRow.number) != col(DeploymentRow.generation),
            func.coalesce(col(DeploymentRow.stable_generation), -1) != col(GenerationRow.number),
        )
    )
    rows = (await session.execute(old)).all()
    for deployment_id, number in rows:
        await session.execute(
            delete(GenerationRow).where(
                col(GenerationRow.deployment_id) == deployment_id, col(GenerationRow.number) == number
            )
        )
    return len(rows)


def _name_taken(app_name: str) -> Conflict:
    return Conflict(
        f"an app named {app_name!r} already exists: choose another name, or delete that one first",
        details={"field": "app_name"},
    )
