"""Deployments as users ask for them: rules, durable desired state, and the view of what became of it.

A request is validated, the image pinned to a digest, desired state and journal committed in one transaction, and the
reconciler woken. Making it true on the engine is the reconciler's work alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from backend.domain.accounts import Principal
from backend.domain.deployments import (
    Deployment,
    DeploymentChange,
    DeploymentRequest,
    DeploymentSpec,
    DeploymentState,
    DeploymentStatus,
    DesiredState,
    RegistryAuth,
)
from backend.domain.engine import Engine, ResolvedImage
from backend.domain.errors import Conflict, EngineUnavailable, ImageRejected, Invalid, NotFound
from backend.domain.ids import Kind, new_short_id, new_uuid
from backend.domain.journal import JournalEntry, JournalKind
from backend.domain.paging import Page, PageRequest
from backend.services.deployment_differences import differences, names_of_changes
from backend.services.deployment_rules import check_change, check_replicas, check_request
from backend.services.journal import Journal, JournalTransaction, utc_now
from backend.services.machine_size import MachineSize
from backend.services.refused_images import for_a_change, with_way_out
from backend.storage import journal as journal_queries
from backend.storage.database import Database
from backend.storage.deployments import DeploymentQueries
from backend.storage.domains import DomainQueries

MAX_HISTORY = 500


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """Where deployments are reached: `http://<app>.<suffix>:<port>`."""

    suffix: str
    port: int

    def host(self, app_name: str) -> str:
        return f"{app_name}.{self.suffix}"

    def url(self, app_name: str) -> str:
        return f"http://{self.host(app_name)}" + ("" if self.port == 80 else f":{self.port}")


class DeploymentService:
    """Every method takes who asks; another tenant's deployment is NotFound."""

    def __init__(
        self,
        database: Database,
        queries: DeploymentQueries,
        journal: Journal,
        engine: Engine,
        address: PublicAddress,
        *,
        wake: Callable[[str], None],
        observe: Callable[[Deployment], DeploymentState],
        progress: Callable[[Deployment], tuple[str, str] | None],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """`wake` tells the reconciler of a deployment id; `observe` gives the live state of one; `progress` a reason
        and message fresher than storage has."""
        self._database = database
        self._queries = queries
        self._domains = DomainQueries(address.host)
        self._journal = journal
        self._engine = engine
        self._machine = MachineSize(engine)
        self._address = address
        self._wake = wake
        self._observe = observe
        self._progress = progress
        self._clock = clock

    def url(self, deployment: Deployment) -> str:
        return self._address.url(deployment.app_name)

    # --- reading

    async def get(self, who: Principal, deployment_id: str) -> Deployment:
        """By uuid or short id."""
        async with self._database.glance() as session:
            found = await self._queries.of_tenant(session, who.tenant_id, deployment_id)
        if found is None:
            raise _not_found(deployment_id)
        return self._fresh(found)

    def _fresh(self, deployment: Deployment) -> Deployment:
        progress = self._progress(deployment)
        return replace(deployment, reason=progress[0], message=progress[1]) if progress else deployment

    async def page(
        self, who: Principal, request: PageRequest, status: DeploymentStatus | None = None
    ) -> Page[Deployment]:
        """Newest first."""
        async with self._database.glance() as session:
            items, total = await self._queries.page(session, who.tenant_id, request, status)
        return Page([self._fresh(item) for item in items], total, request)

    async def state(self, who: Principal, deployment_id: str) -> DeploymentState:
        return self._observe(await self.get(who, deployment_id))

    async def exists(self, deployment_id: str) -> bool:
        """Whether anything of it (by uuid) is left, for any tenant: one that is being deleted exists until its
        containers are gone."""
        async with self._database.glance() as session:
            return await self._queries.by_id(session, deployment_id) is not None

    async def history(
        self, who: Principal, deployment_id: str, *, before: int | None = None, limit: int = 100
    ) -> list[JournalEntry]:
        """What happened to it, newest first."""
        if not 1 <= limit <= MAX_HISTORY:
            raise Invalid.at("limit", f"limit must be from 1 to {MAX_HISTORY}, not {limit}")
        deployment = await self.get(who, deployment_id)
        async with self._database.session() as session:
            return await journal_queries.of_object(session, deployment.id, before=before, limit=limit)

    async def recent(self, who: Principal, *, limit: int) -> list[JournalEntry]:
        """What happened to any of the caller's deployments, also to those that are gone, newest first."""
        if not 1 <= limit <= MAX_HISTORY:
            raise Invalid.at("limit", f"limit must be from 1 to {MAX_HISTORY}, not {limit}")
        async with self._database.session() as session:
            return await journal_queries.of_tenant(session, who.tenant_id, limit=limit)

    async def all_of_tenant(
        self, tenant_id: str, ids: frozenset[str] | None = None
    ) -> list[tuple[Deployment, DeploymentState]]:
        """Everything that a live panel shows; with `ids` (uuids), those of them that exist."""
        async with self._database.session() as session:
            found = await self._queries.all_of_tenant(session, tenant_id, ids)
        return [(deployment, self._observe(deployment)) for deployment in found]

    # --- asking for changes

    async def create(self, who: Principal, request: DeploymentRequest) -> Deployment:
        """Raises Invalid, Conflict (name taken), ImageRejected, EngineUnavailable; then nothing is stored."""
        check_request(request)
        await self._machine.check(request.resources.cpu, request.resources.memory)
        async with self._database.session() as session:
            if await self._queries.name_taken(session, request.app_name):
                raise Conflict(
                    f"an app named {request.app_name!r} already exists: choose another name, or delete that one first",
                    details={"field": "app_name"},
                )
        image = await self._resolve(request.image, request.registry_auth)
        now = self._clock()
        deployment = Deployment(
            id=new_uuid(),
            short_id=new_short_id(Kind.DEPLOYMENT),
            tenant_id=who.tenant_id,
            created_by=who.user.id,
            app_name=request.app_name,
            desired=DesiredState.RUNNING,
            replicas=request.replicas,
            generation=1,
            stable_generation=None,
            spec=DeploymentSpec(
                image=request.image,
                digest=image.pinned,
                port=request.port,
                env=dict(request.env),
                resources=request.resources,
                health_check=request.health_check,
                registry_auth=request.registry_auth,
            ),
            status=DeploymentStatus.PENDING,
            reason="queued",
            message="waiting to be deployed",
            error_message=None,
            restart_count=0,
            created_at=now,
            updated_at=now,
            deployed_at=None,
            started_at=None,
            last_health_check=None,
        )
        async with self._journal.transaction() as change:
            await self._queries.insert(change.session, deployment)
            await change.record(
                deployment,
                JournalKind.CREATED,
                f"{request.app_name} created from {request.image}, {_replicas(request.replicas)}",
                actor=who.user.short_id,
                data={
                    "appName": request.app_name,
                    "image": request.image,
                    "status": deployment.status.value,
                    "url": self.url(deployment),
                },
            )
        self._wake(deployment.id)
        return deployment

    async def update(self, who: Principal, deployment_id: str, change: DeploymentChange) -> Deployment:
        """A new generation where what runs changes; `replicas` alone scales. Raises as `create` does."""
        check_change(change)
        known = await self.get(who, deployment_id)
        await self._machine.check(change.cpu, change.memory)
        digest: str | None = None
        if change.image is not None:
            auth = known.spec.registry_auth
            try:
                digest = (await self._resolve(change.image, auth)).pinned
            except ImageRejected as error:
                raise with_way_out(error, for_a_change(with_credentials=auth is not None)) from error
        async with self._journal.transaction() as transaction:
            deployment = await self._locked(transaction, who, deployment_id)
            spec = _changed_spec(deployment.spec, change, digest)
            replicas = deployment.replicas if change.replicas is None else change.replicas
            generation = deployment.generation
            if spec != deployment.spec:
                generation = await self._queries.newest_generation(transaction.session, deployment.id) + 1
                await self._queries.insert_generation(
                    transaction.session, deployment, generation, spec, transaction.now
                )
            changes = names_of_changes(deployment, spec, replicas)
            updated = await self._store(
                transaction,
                who,
                replace(deployment, spec=spec, replicas=replicas, generation=generation, error_message=None),
                deployment,
                status=DeploymentStatus.UPDATING,
                kind=JournalKind.UPDATED,
                message=f"update asked for: {', '.join(changes) or 'nothing changed'}",
                data={
                    "status": DeploymentStatus.UPDATING.value,
                    "changes": changes,
                    "image": spec.image,
                    "differences": differences(deployment, spec, replicas),
                },
            )
        self._wake(updated.id)
        return updated

    async def scale(self, who: Principal, deployment_id: str, replicas: int) -> Deployment:
        check_replicas(replicas)
        async with self._journal.transaction() as transaction:
            deployment = await self._locked(transaction, who, deployment_id)
            updated = await self._store(
                transaction,
                who,
                replace(deployment, replicas=replicas),
                deployment,
                status=DeploymentStatus.SCALING,
                kind=JournalKind.SCALED,
                message=f"scale from {deployment.replicas} to {_replicas(replicas)} asked for",
                data={"from": deployment.replicas, "to": replicas},
            )
        self._wake(updated.id)
        return updated

    async def stop(self, who: Principal, deployment_id: str) -> Deployment:
        """Stopping a stopped one is no fault."""
        return await self._turn(who, deployment_id, DesiredState.STOPPED)

    async def start(self, who: Principal, deployment_id: str) -> Deployment:
        """Starting a running one is no fault."""
        return await self._turn(who, deployment_id, DesiredState.RUNNING)

    async def _turn(self, who: Principal, deployment_id: str, desired: DesiredState) -> Deployment:
        starting = desired is DesiredState.RUNNING
        async with self._journal.transaction() as transaction:
            deployment = await self._locked(transaction, who, deployment_id)
            updated = await self._store(
                transaction,
                who,
                replace(deployment, desired=desired, error_message=None if starting else deployment.error_message),
                deployment,
                status=DeploymentStatus.STARTING if starting else DeploymentStatus.STOPPING,
                kind=JournalKind.STARTED if starting else JournalKind.STOPPED,
                message="start asked for" if starting else "stop asked for",
            )
        self._wake(updated.id)
        return updated

    async def delete(self, who: Principal, deployment_id: str) -> None:
        """The name and the domains are free again when this returns; containers go in the background, also after a
        crash."""
        async with self._journal.transaction() as transaction:
            deployment = await self._locked(transaction, who, deployment_id)
            await self._queries.write(
                transaction.session,
                deployment.id,
                desired=DesiredState.DELETED,
                status=DeploymentStatus.STOPPING,
                reason="deleting",
                message="being deleted",
                # A dot never occurs in a name that a user can ask for.
                app_name=f".{deployment.short_id}",
                updated_at=transaction.now,
            )
            await self._domains.remove_of_deployment(transaction.session, deployment.id)
            await transaction.record(
                deployment,
                JournalKind.DELETED,
                f"{deployment.app_name} deleted",
                actor=who.user.short_id,
                data={"appName": deployment.app_name},
            )
        self._wake(deployment.id)

    # --- parts

    async def _resolve(self, image: str, auth: RegistryAuth | None) -> ResolvedImage:
        try:
            async with asyncio.timeout(20):
                return await self._engine.resolve_image(image, auth)
        except TimeoutError as error:
            raise EngineUnavailable("the container engine did not answer within 20 seconds: try again") from error
        except ImageRejected as error:
            error.details.setdefault("field", "image")
            raise

    async def _locked(self, transaction: JournalTransaction, who: Principal, deployment_id: str) -> Deployment:
        found = await self._queries.of_tenant(transaction.session, who.tenant_id, deployment_id)
        if found is None:
            raise _not_found(deployment_id)
        return found

    async def _store(
        self,
        transaction: JournalTransaction,
        who: Principal,
        deployment: Deployment,
        before: Deployment,
        *,
        status: DeploymentStatus,
        kind: JournalKind,
        message: str,
        data: dict[str, object] | None = None,
    ) -> Deployment:
        deployment = replace(deployment, status=status, reason="queued", message=message, updated_at=transaction.now)
        await self._queries.write(
            transaction.session,
            deployment.id,
            desired=deployment.desired,
            replicas=deployment.replicas,
            generation=deployment.generation,
            status=status,
            reason=deployment.reason,
            message=message,
            error_message=deployment.error_message,
            updated_at=transaction.now,
        )
        await transaction.record(deployment, kind, message, actor=who.user.short_id, data=data)
        if before.status is not status:
            await transaction.record(
                deployment,
                JournalKind.STATUS_CHANGED,
                message,
                actor=who.user.short_id,
                data={"status": status.value, "previousStatus": before.status.value, "url": self.url(deployment)},
            )
        return deployment


def _changed_spec(spec: DeploymentSpec, change: DeploymentChange, digest: str | None) -> DeploymentSpec:
    return replace(
        spec,
        image=spec.image if change.image is None else change.image,
        digest=spec.digest if digest is None else digest,
        env=dict(spec.env if change.env is None else change.env),
        resources=replace(
            spec.resources,
            cpu=spec.resources.cpu if change.cpu is None else change.cpu,
            memory=spec.resources.memory if change.memory is None else change.memory,
        ),
    )


def _replicas(count: int) -> str:
    return f"{count} replica" if count == 1 else f"{count} replicas"


def _not_found(deployment_id: str) -> NotFound:
    shown = deployment_id if len(deployment_id) <= 64 else deployment_id[:61] + "..."
    return NotFound(f"there is no deployment {shown!r}")
