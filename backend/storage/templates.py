"""Queries on the templates of environments. Environment values pass through a Sealer."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.domain.environments import EnvironmentResources, Template, TemplateCategory, TemplateStatus
from backend.domain.errors import Conflict
from backend.storage.deployments import Sealer
from backend.storage.environment_tables import TemplateRow


class TemplateQueries:
    """Stateless but for the sealer; every method takes the session it runs in."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def insert(self, session: AsyncSession, template: Template) -> None:
        """Store a new template, for all tenants. Raises Conflict where the name is taken."""
        if await self.name_taken(session, template.name):
            raise _name_taken(template.name)
        session.add(TemplateRow(**self._columns(template)))
        try:
            await session.flush()
        except IntegrityError as error:
            raise _name_taken(template.name) from error

    async def name_taken(self, session: AsyncSession, name: str) -> bool:
        return await session.scalar(select(col(TemplateRow.id)).where(col(TemplateRow.name) == name)) is not None

    async def find(self, session: AsyncSession, reference: str) -> Template | None:
        """By uuid, short id or name; deprecated ones too."""
        query = select(TemplateRow).where(
            or_(
                col(TemplateRow.id) == reference,
                col(TemplateRow.short_id) == reference,
                col(TemplateRow.name) == reference,
            )
        )
        rows = (await session.scalars(query)).all()
        # A name may look like another one's id: the id has the first word.
        rows = sorted(rows, key=lambda row: row.name == reference)
        return self._to_template(rows[0]) if rows else None

    async def all(
        self, session: AsyncSession, category: TemplateCategory | None = None, status: TemplateStatus | None = None
    ) -> list[Template]:
        """By display name."""
        query = select(TemplateRow).order_by(col(TemplateRow.display_name), col(TemplateRow.id))
        if category is not None:
            query = query.where(col(TemplateRow.category) == category.value)
        if status is not None:
            query = query.where(col(TemplateRow.status) == status.value)
        return [self._to_template(row) for row in await session.scalars(query)]

    async def replace(self, session: AsyncSession, template: Template) -> None:
        """Store all fields of a known template but its usage count. Raises Conflict where the name is taken."""
        columns = self._columns(template)
        del columns["id"], columns["usage_count"]
        try:
            await session.execute(update(TemplateRow).where(col(TemplateRow.id) == template.id).values(**columns))
        except IntegrityError as error:
            raise _name_taken(template.name) from error

    async def count_use(self, session: AsyncSession, template_id: str) -> None:
        """One more environment was made from it."""
        await session.execute(
            update(TemplateRow)
            .where(col(TemplateRow.id) == template_id)
            .values(usage_count=col(TemplateRow.usage_count) + 1)
        )

    def _columns(self, template: Template) -> dict[str, Any]:
        return {
            "id": template.id,
            "short_id": template.short_id,
            "name": template.name,
            "display_name": template.display_name,
            "description": template.description,
            "category": template.category.value,
            "tags": list(template.tags),
            "image": template.image,
            "default_port": template.default_port,
            "cpu": template.default_resources.cpu,
            "memory": template.default_resources.memory,
            "storage": template.default_resources.storage,
            "sealed": self._sealer.seal({"env": dict(template.env)}),
            "startup_commands": list(template.startup_commands),
            "documentation_url": template.documentation_url,
            "icon_url": template.icon_url,
            "status": template.status.value,
            "version": template.version,
            "usage_count": template.usage_count,
            "created_at": template.created_at,
            "updated_at": template.updated_at,
        }

    def _to_template(self, row: TemplateRow) -> Template:
        return Template(
            id=row.id,
            short_id=row.short_id,
            name=row.name,
            display_name=row.display_name,
            description=row.description,
            category=TemplateCategory(row.category),
            tags=tuple(row.tags),
            image=row.image,
            default_port=row.default_port,
            default_resources=EnvironmentResources(row.cpu, row.memory, row.storage),
            env=self._sealer.open(row.sealed)["env"],
            startup_commands=tuple(row.startup_commands),
            documentation_url=row.documentation_url,
            icon_url=row.icon_url,
            status=TemplateStatus(row.status),
            version=row.version,
            usage_count=row.usage_count,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


def _name_taken(name: str) -> Conflict:
    return Conflict(f"a template named {name!r} already exists: choose another name", details={"field": "name"})
