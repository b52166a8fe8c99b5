"""Templates: everybody reads them, admins write them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from backend.domain.accounts import Principal, Role
from backend.domain.environments import (
    Template,
    TemplateCategory,
    TemplateChange,
    TemplateRequest,
    TemplateStatus,
)
from backend.domain.errors import Forbidden, NotFound
from backend.domain.ids import Kind, new_short_id, new_uuid
from backend.domain.shown import shown
from backend.services.environments.default_templates import DEFAULT_TEMPLATES
from backend.services.environments.rules import check_template
from backend.services.journal import utc_now
from backend.storage.database import Database
from backend.storage.templates import TemplateQueries


class TemplateService:
    """Templates belong to the installation: all tenants see the same ones."""

    def __init__(
        self, database: Database, queries: TemplateQueries, *, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._database = database
        self._queries = queries
        self._clock = clock

    async def all(
        self, who: Principal, category: TemplateCategory | None = None, status: TemplateStatus | None = None
    ) -> list[Template]:
        """By display name. Deprecated ones only where that status is asked for."""
        async with self._database.session() as session:
            found = await self._queries.all(session, category, status)
        return [one for one in found if status is not None or one.status is not TemplateStatus.DEPRECATED]

    async def get(self, who: Principal, template_id: str) -> Template:
        """By uuid, short id or name. Raises NotFound."""
        async with self._database.session() as session:
            found = await self._queries.find(session, template_id)
        if found is None:
            raise template_not_found(template_id)
        return found

    async def create(self, who: Principal, request: TemplateRequest) -> Template:
        """Raises Forbidden unless an admin asks, Invalid, Conflict (name taken)."""
        _require_admin(who)
        template = _made(request, self._clock())
        check_template(template)
        async with self._database.transaction() as session:
            await self._queries.insert(session, template)
        return template

    async def update(self, who: Principal, template_id: str, change: TemplateChange) -> Template:
        """Environments that were made from it stay as they are. Raises what `create` does, and NotFound."""
        _require_admin(who)
        async with self._database.transaction() as session:
            known = await self._queries.find(session, template_id)
            if known is None:
                raise template_not_found(template_id)
            template = replace(_changed(known, change), updated_at=self._clock())
            check_template(template)
            await self._queries.replace(session, template)
        return template

    async def deprecate(self, who: Principal, template_id: str) -> Template:
        """No new environments are made from it. Deprecating it again is no fault."""
        return await self.update(who, template_id, TemplateChange(status=TemplateStatus.DEPRECATED))

    async def initialize(self, who: Principal | None) -> int:
        """Make those default templates that are not there by name, and tell how many. `None` is the installation
        itself, at its first start. Raises Forbidden unless an admin asks."""
        if who is not None:
            _require_admin(who)
        made = 0
        async with self._database.transaction() as session:
            for request in DEFAULT_TEMPLATES:
                if not await self._queries.name_taken(session, request.name):
                    await self._queries.insert(session, _made(request, self._clock()))
                    made += 1
        return made

    async def initialize_first(self) -> int:
        """The same, where there is no template at all, not even a deprecated one."""
        async with self._database.session() as session:
            if await self._queries.all(session):
                return 0
        return await self.initialize(None)


def template_not_found(template_id: str) -> NotFound:
    return NotFound(f"there is no template {shown(template_id)}")


def _require_admin(who: Principal) -> None:
    if who.user.role is not Role.ADMIN:
        raise Forbidden("only an admin may change templates")


def _made(request: TemplateRequest, now: datetime) -> Template:
    return Template(
        id=new_uuid(),
        short_id=new_short_id(Kind.TEMPLATE),
        name=request.name,
        display_name=request.display_name,
        description=request.description,
        category=request.category,
        tags=tuple(request.tags),
        image=request.image,
        default_port=request.default_port,
        default_resources=request.default_resources,
        env=dict(request.env),
        startup_commands=tuple(request.startup_commands),
        documentation_url=request.documentation_url or None,
        icon_url=request.icon_url or None,
        status=request.status,
        version=request.version,
        usage_count=0,
        created_at=now,
        updated_at=now,
    )


def _changed(known: Template, change: TemplateChange) -> Template:
    resources = known.default_resources
    return replace(
        known,
        name=known.name if change.name is None else change.name,
        display_name=known.display_name if change.display_name is None else change.display_name,
        image=known.image if change.image is None else change.image,
        category=known.category if change.category is None else change.category,
        description=known.description if change.description is None else change.description,
        tags=known.tags if change.tags is None else tuple(change.tags),
        default_port=known.default_port if change.default_port is None else change.default_port,
        default_resources=replace(
            resources,
            cpu=resources.cpu if change.cpu is None else change.cpu,
            memory=resources.memory if change.memory is None else change.memory,
            storage=resources.storage if change.storage is None else change.storage,
        ),
        env=known.env if change.env is None else dict(change.env),
        startup_commands=known.startup_commands if change.startup_commands is None else tuple(change.startup_commands),
        documentation_url=known.documentation_url
        if change.documentation_url is None
        else change.documentation_url or None,
        icon_url=known.icon_url if change.icon_url is None else change.icon_url or None,
        status=known.status if change.status is None else change.status,
        version=known.version if change.version is None else change.version,
    )
