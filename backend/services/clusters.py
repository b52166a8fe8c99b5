"""Clusters: the registered places where environments can run, and whether they are well. An administrator's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from backend.domain.accounts import Principal
from backend.domain.clusters import (
    Cluster,
    ClusterChange,
    ClusterHealth,
    ClusterKind,
    ClusterRequest,
    ClusterSight,
    ClusterStatus,
    DockerAddress,
    KubernetesReader,
)
from backend.domain.engine import Engine
from backend.domain.errors import Conflict, DomainError, Invalid, NotFound, Unavailable
from backend.domain.ids import Kind, new_short_id, new_uuid
from backend.services import cluster_rules
from backend.services.input_faults import Faults
from backend.services.roles import require_admin
from backend.services.secrets import SecretBox
from backend.storage import clusters
from backend.storage.clusters import StoredCluster
from backend.storage.database import Database

LOOK_SECONDS = 8.0
LOCAL_NAME = "local"
_KUBERNETES_RUNS_NOTHING = (
    "the cluster {name!r} is Kubernetes, which is registered and watched but runs no environments yet: "
    "name a Docker cluster, or leave cluster_id out for the local engine"
)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A remote engine, made from `sealed`."""

    sealed: bytes
    engine: Engine


def _now() -> datetime:
    return datetime.now(UTC)


class ClusterService:
    """`engine_for` makes the engine of an address, not started; it raises Invalid where its keys cannot be used."""

    def __init__(
        self,
        database: Database,
        box: SecretBox,
        local: Engine,
        engine_for: Callable[[DockerAddress], Engine],
        kubernetes: KubernetesReader,
        *,
        regions: Sequence[str] = (),
        look_seconds: float = LOOK_SECONDS,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._database = database
        self._box = box
        self._local = local
        self._engine_for = engine_for
        self._kubernetes = kubernetes
        self._regions = tuple(regions)
        self._look_seconds = look_seconds
        self._clock = clock
        self._opened: dict[str, _Opened] = {}
        self._opening = asyncio.Lock()

    async def start(self) -> None:
        """List the local engine, at the first start of an installation."""
        async with self._database.transaction() as session:
            if await clusters.local_cluster(session) is None:
                cluster = self._made(
                    ClusterRequest(LOCAL_NAME, LOCAL_NAME, cluster_rules.DOCKER, "This server's own container engine"),
                    ClusterKind.LOCAL,
                    credentials=False,
                )
                await clusters.insert_cluster(session, cluster, None, None)

    async def close(self) -> None:
        """Let the remote engines go."""
        async with self._opening:
            for opened in self._opened.values():
                await opened.engine.close()
            self._opened.clear()

    # --- the registry -------------------------------------------------------------------------------------

    async def create(self, who: Principal, request: ClusterRequest) -> Cluster:
        """Register a place and look at it once; one that does not answer is kept as unreachable. Raises Forbidden,
        Invalid at any field, Conflict where the name is taken."""
        require_admin(who)
        kind = cluster_rules.kind_of(request.provider)
        faults = Faults()
        cluster_rules.check_names(faults, request.name, request.region, request.provider, request.description)
        cluster_rules.check_credentials(faults, kind, request.docker, request.kubeconfig, needed=True)
        faults.raise_any()
        sealed = await self._sealed(request.docker, request.kubeconfig)
        cluster = self._made(request, kind, credentials=True)
        async with self._database.transaction() as session:
            await clusters.insert_cluster(session, cluster, who.tenant_id, sealed)
        await self._looked_at(StoredCluster(cluster, sealed))
        return (await self._stored(cluster.id)).cluster

    async def all(self, who: Principal) -> list[Cluster]:
        """The local engine first, then the oldest first."""
        require_admin(who)
        async with self._database.session() as session:
            return await clusters.all_clusters(session)

    async def get(self, who: Principal, cluster_id: str) -> Cluster:
        """By uuid or short id. Raises Forbidden, NotFound."""
        require_admin(who)
        return (await self._stored(cluster_id)).cluster

    async def update(self, who: Principal, cluster_id: str, change: ClusterChange) -> Cluster:
        """What is None stays. Another provider needs its credentials too. Raises Forbidden, NotFound, Invalid at any
        field, and Conflict where the name is taken, where the local engine would become another, or where a place that
        environments run on would become another kind."""
        require_admin(who)
        stored = await self._stored(cluster_id)
        known = stored.cluster
        kind = known.kind if change.provider is None else cluster_rules.kind_of(change.provider)
        faults = Faults()
        cluster_rules.check_names(faults, change.name, change.region, change.provider, change.description)
        if known.kind is ClusterKind.LOCAL:
            if change.docker or change.kubeconfig or change.provider or change.active is False:
                raise Conflict("the local engine is this server's own: only its name, region and description change")
        else:
            cluster_rules.check_credentials(faults, kind, change.docker, change.kubeconfig, needed=kind != known.kind)
        faults.raise_any()
        columns: dict[str, Any] = {
            name: value
            for name in ("name", "region", "provider", "description", "node_count")
            if (value := getattr(change, name)) is not None
        }
        if change.docker is not None or change.kubeconfig is not None:
            columns["sealed"] = await self._sealed(change.docker, change.kubeconfig)
            columns["kind"] = kind
        if change.active is not None:
            columns["status"] = ClusterStatus.ACTIVE if change.active else ClusterStatus.INACTIVE
        async with self._database.transaction() as session:
            if kind != known.kind and await clusters.environments_on(session, known.id):
                raise Conflict(f"environments are on the cluster {known.name!r}: it cannot become another kind")
            await clusters.write_cluster(session, known.id, **columns, updated_at=self._clock())
        changed = await self._stored(known.id)
        if "sealed" in columns:
            await self._forget(known.id)
            await self._looked_at(changed)
        return (await self._stored(known.id)).cluster

    async def delete(self, who: Principal, cluster_id: str) -> None:
        """Raises Forbidden, NotFound, and Conflict for the local engine and while environments are there. Of one that
        does not answer, environments that only wait to be removed do not count: it may never answer again."""
        require_admin(who)
        stored = await self._stored(cluster_id)
        cluster = stored.cluster
        if cluster.kind is ClusterKind.LOCAL:
            raise Conflict("the local engine cannot be deleted: it is this server's own")
        async with self._database.session() as session:
            in_use = await clusters.environments_on(session, cluster.id) > 0
        answers = not in_use or (await self._looked_at(stored)).healthy
        async with self._database.transaction() as session:
            count = await clusters.environments_on(session, cluster.id, deleted_too=answers)
            if count:
                raise Conflict(f"{count} environments are on the cluster {cluster.name!r}: delete them first")
            await clusters.remove_cluster(session, cluster.id)
        await self._forget(cluster.id)

    async def regions(self, who: Principal) -> list[str]:
        """Those of the settings, then those that clusters have."""
        used = [cluster.region for cluster in await self.all(who)]
        return list(dict.fromkeys((*self._regions, *used)))

    async def health(self, who: Principal, cluster_id: str) -> ClusterHealth:
        """Connects now, within some seconds, and keeps what was seen. Raises Forbidden, NotFound; a cluster that does
        not answer is an answer too."""
        require_admin(who)
        return await self._looked_at(await self._stored(cluster_id))

    # --- where things run ---------------------------------------------------------------------------------

    async def choose(self, cluster_id: str | None) -> str | None:
        """The uuid of a cluster that takes new environments, None for the local engine. Raises NotFound, and Conflict
        (its field is cluster_id) for Kubernetes and for an inactive one."""
        if cluster_id is None:
            return None
        cluster = (await self._stored(cluster_id)).cluster
        if cluster.kind is ClusterKind.LOCAL:
            return None
        if cluster.kind is ClusterKind.KUBERNETES:
            raise _refused(_KUBERNETES_RUNS_NOTHING.format(name=cluster.name))
        if cluster.status is ClusterStatus.INACTIVE:
            raise _refused(f"the cluster {cluster.name!r} is inactive: it takes no new environments")
        return cluster.id

    async def engine_of(self, cluster_id: str | None) -> Engine:
        """The engine of a cluster, the same one until its credentials change; None is the local one. Raises NotFound,
        Conflict (its field is cluster_id) for Kubernetes, Unavailable where its credentials cannot be read."""
        if cluster_id is None:
            return self._local
        stored = await self._stored(cluster_id)
        if stored.cluster.kind is ClusterKind.LOCAL:
            return self._local
        if stored.cluster.kind is ClusterKind.KUBERNETES:
            raise _refused(_KUBERNETES_RUNS_NOTHING.format(name=stored.cluster.name))
        return await self._engine(stored)

    async def _engine(self, stored: StoredCluster) -> Engine:
        assert stored.sealed is not None, "only the local cluster is without"
        async with self._opening:
            known = self._opened.get(stored.cluster.id)
            if known is not None and known.sealed == stored.sealed:
                return known.engine
            try:
                engine = self._engine_for(DockerAddress(**self._box.open(stored.sealed)["docker"]))
            except Invalid as error:
                raise Unavailable(f"the cluster {stored.cluster.name!r} cannot be used: {error.message}") from error
            await engine.start()
            self._opened[stored.cluster.id] = _Opened(stored.sealed, engine)
        if known is not None:
            await known.engine.close()
        return engine

    async def _forget(self, cluster_id: str) -> None:
        async with self._opening:
            known = self._opened.pop(cluster_id, None)
        if known is not None:
            await known.engine.close()

    # --- looking ------------------------------------------------------------------------------------------

    async def _looked_at(self, stored: StoredCluster) -> ClusterHealth:
        """A look, whose result is kept."""
        cluster, sight, latency, message = stored.cluster, None, None, ""
        try:
            async with asyncio.timeout(self._look_seconds):
                sight, latency = await self._look(stored)
        except TimeoutError:
            message = f"it does not answer within {self._look_seconds:g} s"
        except DomainError as error:
            message = error.message
        healthy = sight is not None and sight.node_count > 0 and sight.nodes_ready == sight.node_count
        if sight is not None and not healthy:
            message = f"{sight.nodes_ready} of {sight.node_count} nodes are ready"
        await self._keep(cluster, sight)
        return ClusterHealth(
            cluster=cluster,
            healthy=healthy,
            reachable=sight is not None,
            version=sight.version if sight else "",
            node_count=sight.node_count if sight else cluster.node_count,
            nodes_ready=sight.nodes_ready if sight else 0,
            latency_ms=latency,
            message=message,
            checked_at=self._clock(),
        )

    async def _look(self, stored: StoredCluster) -> tuple[ClusterSight, float]:
        """What it says of itself, and the milliseconds of one question."""
        if stored.cluster.kind is ClusterKind.KUBERNETES:
            assert stored.sealed is not None, "only the local cluster is without"
            kubeconfig = str(self._box.open(stored.sealed)["kubeconfig"])
            began = time.monotonic()
            sight = await self._kubernetes.look(kubeconfig)
            return sight, _milliseconds(began)
        engine = self._local if stored.cluster.kind is ClusterKind.LOCAL else await self._engine(stored)
        began = time.monotonic()
        info = await engine.ping()
        return ClusterSight(info.version, 1, 1), _milliseconds(began)

    async def _keep(self, cluster: Cluster, sight: ClusterSight | None) -> None:
        """What was seen of it; an administrator's `inactive` stays."""
        columns: dict[str, Any] = {}
        status = ClusterStatus.ACTIVE if sight else ClusterStatus.UNREACHABLE
        if cluster.status is not ClusterStatus.INACTIVE and cluster.status is not status:
            columns["status"] = status
        if sight is not None and sight.node_count != cluster.node_count:
            columns["node_count"] = sight.node_count
        if columns:
            async with self._database.transaction() as session:
                await clusters.write_cluster(session, cluster.id, **columns, updated_at=self._clock())

    # --- what they share ----------------------------------------------------------------------------------

    async def _stored(self, cluster_id: str) -> StoredCluster:
        async with self._database.session() as session:
            found = await clusters.cluster_by_id(session, cluster_id)
        if found is None:
            raise NotFound(f"there is no cluster {cluster_id[:80]!r}")
        return found

    async def _sealed(self, docker: DockerAddress | None, kubeconfig: str | None) -> bytes:
        """Raises Invalid where keys or kubeconfig cannot be used."""
        if docker is not None:
            trial = self._engine_for(docker)
            await trial.close()
            return self._box.seal({"docker": asdict(docker)})
        assert kubeconfig is not None, "the rules let either pass, never none"
        await self._kubernetes.check(kubeconfig)
        return self._box.seal({"kubeconfig": kubeconfig})

    def _made(self, request: ClusterRequest, kind: ClusterKind, *, credentials: bool) -> Cluster:
        now = self._clock()
        return Cluster(
            id=new_uuid(),
            short_id=new_short_id(Kind.CLUSTER),
            name=request.name,
            description=request.description,
            kind=kind,
            provider=request.provider,
            region=request.region,
            status=ClusterStatus.ACTIVE if kind is ClusterKind.LOCAL else ClusterStatus.UNKNOWN,
            node_count=1 if kind is ClusterKind.LOCAL else 0,
            has_credentials=credentials,
            created_at=now,
            updated_at=now,
        )


def _milliseconds(since: float) -> float:
    return round((time.monotonic() - since) * 1000, 3)


def _refused(reason: str) -> Conflict:
    return Conflict(reason, details={"field": "cluster_id"})
