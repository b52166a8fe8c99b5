"""Environments as users ask for them: rules, durable desired state, and the view of what became of it.

A request is validated, the image pinned to a digest, desired state and journal committed in one transaction, and the
worker woken. Making it true on the engine is the worker's alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from datetime import datetime

from backend.domain.accounts import Principal
from backend.domain.engine import ContainerPhase, ContainerState, Engine, ResolvedImage
from backend.domain.environments import (
    Environment,
    EnvironmentChange,
    EnvironmentDesire,
    EnvironmentLogLine,
    EnvironmentLogs,
    EnvironmentRequest,
    EnvironmentResources,
    EnvironmentStatus,
    EnvironmentUsage,
    InstallEvent,
    TemplateStatus,
)
from backend.domain.errors import Conflict, EngineUnavailable, ImageRejected, Invalid, WrongState
from backend.domain.journal import JournalKind
from backend.services.environments.activity import ActivityMonitor, Warn
from backend.services.environments.changes import EnvironmentChanges
from backend.services.environments.drafts import changed, made, names_of_changes, resources_of
from backend.services.environments.logs import EnvironmentLogService
from backend.services.environments.places import Places
from backend.services.environments.rules import (
    Amounts,
    EnvironmentLimits,
    check_amounts,
    check_change,
    check_count,
    check_request,
)
from backend.services.environments.templates import template_not_found
from backend.services.environments.turns import EnvironmentTurns, environment_not_found
from backend.services.environments.usage import EnvironmentUsageReader
from backend.services.journal import Journal
from backend.services.refused_images import FOR_ENVIRONMENTS, with_way_out
from backend.services.replicas import ChangeFeed
from backend.storage.database import Database
from backend.storage.environments import EnvironmentQueries
from backend.storage.templates import TemplateQueries

RESOLVE_SECONDS = 20
_SETTLED = (EnvironmentStatus.RUNNING, EnvironmentStatus.STOPPED, EnvironmentStatus.ERROR)


class EnvironmentService:
    """Every method takes who asks; another tenant's environment is NotFound. One that is being deleted is shown as
    terminated until it is gone."""

    def __init__(
        self,
        database: Database,
        queries: EnvironmentQueries,
        templates: TemplateQueries,
        journal: Journal,
        places: Places,
        changes: EnvironmentChanges,
        usage: EnvironmentUsageReader,
        *,
        limits: EnvironmentLimits,
        wake: Callable[[str], None],
        progress: Callable[[Environment], tuple[str, str] | None],
        choose: Callable[[str | None], Awaitable[str | None]],
    ) -> None:
        """`wake` tells the reconciler of an environment id; `progress` gives a reason and message fresher than storage
        has; `choose` the uuid of the cluster that is named by either id, None for the local engine, and raises
        NotFound, Conflict or Invalid where nothing can run."""
        self._database = database
        self._queries = queries
        self._templates = templates
        self._journal = journal
        self._places = places
        self._changes = changes
        self._usage = usage
        self._limits = limits
        self._wake = wake
        self._progress = progress
        self._choose = choose
        self._turns = EnvironmentTurns(journal, queries, self._woken)
        self._logs = EnvironmentLogService(database, places, changes, self.get)
        self.activity = ActivityMonitor(database, queries, places, self._turns.stop_idle)

    # --- reading

    async def all(
        self, who: Principal, status: EnvironmentStatus | None = None, template_id: str | None = None
    ) -> list[Environment]:
        """Newest first. Terminated ones only where that status is asked for. `template_id` may be any of a template's
        names; an unknown one has no environments."""
        async with self._database.session() as session:
            if template_id is not None:
                template = await self._templates.find(session, template_id)
                if template is None:
                    return []
                template_id = template.id
            found = await self._queries.all_of_tenant(session, who.tenant_id, status=status, template_id=template_id)
        return [self._fresh(one) for one in found]

    async def all_of_tenant(self, tenant_id: str, ids: frozenset[str] | None = None) -> list[Environment]:
        """Everything that a live panel shows; with `ids` (uuids), those of them that live."""
        async with self._database.session() as session:
            found = await self._queries.all_of_tenant(session, tenant_id, ids=ids)
        return [self._fresh(one) for one in found]

    async def get(self, who: Principal, environment_id: str) -> Environment:
        """By uuid or short id."""
        async with self._database.session() as session:
            found = await self._queries.of_tenant(session, who.tenant_id, environment_id)
        if found is None:
            raise environment_not_found(environment_id)
        return self._fresh(found)

    def subscribe(self) -> AbstractAsyncContextManager[ChangeFeed]:
        """A feed of ids (uuids) of environments, of all tenants, whose state, progress or installation changed."""
        return self._changes.subscribe()

    def _fresh(self, environment: Environment) -> Environment:
        progress = self._progress(environment)
        reason, message = progress or (environment.reason, environment.message)
        return replace(environment, reason=reason, message=message, last_activity=self.activity.last(environment))

    async def usage(self, who: Principal, environment_id: str) -> EnvironmentUsage:
        """What it uses now. Raises NotFound."""
        environment = await self.get(who, environment_id)
        return await self._usage.of(environment, await self._places.of(environment.cluster_id))

    async def logs(
        self, who: Principal, environment_id: str, *, lines: int = 100, since: datetime | None = None
    ) -> EnvironmentLogs:
        """The newest 1 to 1000 lines, of the installation too. Raises Invalid, NotFound, EngineUnavailable."""
        return await self._logs.fetch(who, environment_id, lines=lines, since=since)

    def follow(self, who: Principal, environment_id: str) -> AsyncGenerator[InstallEvent | EnvironmentLogLine, None]:
        """The last installation from its beginning, then live lines; ends when the environment is gone. Close it to
        stop. Raises NotFound at the first step."""
        return self._logs.follow(who, environment_id)

    async def running_container(
        self, who: Principal, environment_id: str
    ) -> tuple[Environment, Engine, ContainerState]:
        """Where a terminal can be opened. Raises WrongState where the environment does not run (or is still being
        installed), EngineUnavailable."""
        environment = await self.get(who, environment_id)
        if environment.status is not EnvironmentStatus.RUNNING:
            raise WrongState(
                f"{environment.name} does not run (it is {environment.status.value}): {environment.message}",
                status=environment.status.value,
            )
        place = await self._places.of(environment.cluster_id)
        await place.ready()
        running = [
            state
            for state in place.containers(environment.id)
            if state.phase is ContainerPhase.RUNNING and state.generation == environment.generation
        ]
        if not running or environment.desired is not EnvironmentDesire.RUNNING:
            raise WrongState(f"{environment.name} does not run right now: try again", status=environment.status.value)
        return environment, place.engine, running[-1]

    async def touch(self, environment_id: str) -> None:
        """It (by uuid) is being used right now: call it for input into its terminals, as often as you like."""
        self.activity.touch(environment_id)

    def on_idle_warning(self, warn: Warn) -> None:
        """Call back with an environment's uuid and a sentence for its terminals before it is stopped for idleness."""
        self.activity.on_warning(warn)

    async def settled(self, who: Principal, environment_id: str, *, seconds: float) -> Environment:
        """Wait until it has come to where it was asked to be, or to an error; then, or when the time is over, how it
        is."""
        async with self._changes.subscribe() as changed:
            environment = await self.get(who, environment_id)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    feed = aiter(changed)
                    while not _is_settled(environment):
                        if await anext(feed) == environment.id:
                            environment = await self.get(who, environment_id)
            return await self.get(who, environment_id)

    # --- asking for changes

    async def create(self, who: Principal, request: EnvironmentRequest) -> Environment:
        """Raises Invalid, NotFound (template, cluster), Conflict (name taken, too many), ImageRejected,
        EngineUnavailable; then nothing is stored."""
        check_request(request)
        async with self._database.session() as session:
            template = await self._templates.find(session, request.template_id)
            if template is None:
                raise template_not_found(request.template_id)
            if await self._queries.name_taken(session, who.tenant_id, request.name):
                raise Conflict(
                    f"you already have an environment named {request.name!r}: choose another name, or delete that one",
                    details={"field": "name"},
                )
            check_count(await self._queries.count_of_user(session, who.user.id), self._limits)
        if template.status is TemplateStatus.DEPRECATED:
            raise Invalid.at("template_id", f"{template.display_name} is deprecated: choose another template")
        cluster_id = await self._choose(request.cluster_id)
        resources = resources_of(template.default_resources, request.cpu, request.memory, request.storage)
        engine = (await self._places.of(cluster_id)).engine
        await self._check_amounts(engine, resources)
        image = await _resolve(engine, template.image)
        async with self._journal.transaction() as change:
            check_count(await self._queries.count_of_user(change.session, who.user.id), self._limits)
            environment = made(who, request, template, resources, image, cluster_id, change.now)
            await self._queries.insert(change.session, environment)
            await self._templates.count_use(change.session, template.id)
            await change.record(
                environment,
                JournalKind.ENVIRONMENT_CREATED,
                f"{environment.name} created from {template.display_name}",
                actor=who.user.short_id,
                data={
                    "name": environment.name,
                    "template": template.name,
                    "image": environment.image,
                    "status": environment.status.value,
                },
            )
        self._woken(environment.id)
        return environment

    async def update(self, who: Principal, environment_id: str, change: EnvironmentChange) -> Environment:
        """A new container, installed anew, where image, port or variables change; its home stays. CPU and memory
        change in place. Raises as `create` does, and WrongState for one that is being deleted."""
        check_change(change)
        known = await self.get(who, environment_id)
        resources = resources_of(known.resources, change.cpu, change.memory, change.storage)
        engine = (await self._places.of(known.cluster_id)).engine
        if resources != known.resources:
            await self._check_amounts(engine, resources)
        digest = known.digest
        if change.image is not None:
            digest = (await _resolve(engine, change.image)).pinned
        async with self._journal.transaction() as transaction:
            before = await self._turns.locked(transaction, who, environment_id)
            after = changed(before, change, digest)
            if after.name.casefold() != before.name.casefold() and await self._queries.name_taken(
                transaction.session, who.tenant_id, after.name
            ):
                raise Conflict(
                    f"you already have an environment named {after.name!r}: choose another name",
                    details={"field": "name"},
                )
            names = names_of_changes(before, after)
            await self._queries.write(
                transaction.session,
                after.id,
                name=after.name,
                description=after.description,
                image=after.image,
                digest=after.digest,
                port=after.port,
                cpu=after.resources.cpu,
                memory=after.resources.memory,
                storage=after.resources.storage,
                env=after.env,
                idle_stop_minutes=after.idle_stop_minutes,
                generation=after.generation,
                status=after.status,
                reason=after.reason,
                message=after.message,
                error_message=after.error_message,
                installation_completed=after.installation_completed,
                updated_at=transaction.now,
            )
            await transaction.record(
                after,
                JournalKind.ENVIRONMENT_UPDATED,
                f"change asked for: {', '.join(names) or 'nothing'}",
                actor=who.user.short_id,
                data={"name": after.name, "changes": names, "status": after.status.value},
            )
            after = replace(after, updated_at=transaction.now)
        self._woken(after.id)
        return self._fresh(after)

    async def start(self, who: Principal, environment_id: str) -> Environment:
        """Raises WrongState unless it is stopped."""
        return await self._turns.start(who, environment_id)

    async def stop(self, who: Principal, environment_id: str) -> Environment:
        """Raises WrongState unless it runs. The container and its home stay."""
        return await self._turns.stop(who, environment_id)

    async def restart(self, who: Principal, environment_id: str) -> Environment:
        """Ends what runs in it and starts it again; one in error is tried again, from the step that failed. Raises
        WrongState unless it runs, is stopped or in error."""
        return await self._turns.restart(who, environment_id)

    async def delete(self, who: Principal, environment_id: str) -> None:
        """The name is free again when this returns; container, home and terminals go in the background, also after a
        crash. Deleting it again while they go is no fault."""
        known = await self.get(who, environment_id)
        await self._turns.delete(who, known.id)
        self._usage.forget(known.id)

    # --- parts

    def _woken(self, environment_id: str) -> None:
        self._wake(environment_id)
        self._changes.notify(environment_id)

    async def _check_amounts(self, engine: Engine, resources: EnvironmentResources) -> None:
        amounts = Amounts.of(resources)
        info = await engine.ping()
        check_amounts(amounts, self._limits, info.cpus, info.memory_bytes)


async def _resolve(engine: Engine, image: str) -> ResolvedImage:
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            return await engine.resolve_image(image, None)
    except TimeoutError as error:
        raise EngineUnavailable(f"the engine did not answer within {RESOLVE_SECONDS} seconds: try again") from error
    except ImageRejected as error:
        error.details.setdefault("field", "image")
        raise with_way_out(error, FOR_ENVIRONMENTS) from error


def _is_settled(environment: Environment) -> bool:
    if environment.status not in _SETTLED:
        return False
    return environment.status is EnvironmentStatus.ERROR or (
        environment.status.value == environment.desired.value and environment.reason == environment.status.value
    )
