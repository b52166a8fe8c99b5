"""The parts that commands open alone, and the composition root together. Engine and ingress are imported only where
they are opened: making an account must not wait for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backend.domain.accounts import GoogleTokens
from backend.domain.engine import Engine
from backend.domain.ingress import Ingress
from backend.services.accounts import AccountService
from backend.services.clusters import ClusterService
from backend.services.mail import Mails
from backend.services.secrets import SecretBox
from backend.settings import Settings, load_secret
from backend.storage import networks
from backend.storage.database import Database
from backend.storage.environments import clusters_with_environments
from backend.storage.installation import installation_id
from backend.wire.rendezvous import Places


@dataclass(frozen=True, slots=True)
class Installation:
    """The parts that outlive a backend, opened without one."""

    database: Database
    engine: Engine
    ingress: Ingress

    clusters: ClusterService

    async def clusters_in_use(self) -> set[str]:
        """Uuids of clusters, beside the local engine, that environments run on."""
        async with self.database.session() as session:
            return await clusters_with_environments(session)

    async def tenants_with_networks(self) -> set[str]:
        """Tenants that storage gave a network."""
        async with self.database.session() as session:
            return set(await networks.tenants(session))


def engine_of(settings: Settings, installation: str) -> Engine:
    """The container engine as one installation sees it. Not started."""
    from backend.engines.docker import DockerEngine

    return DockerEngine(installation, base_url=settings.docker_host)


def clusters_of(
    settings: Settings, installation: str, database: Database, box: SecretBox, local: Engine
) -> ClusterService:
    """The places where environments can run, beside the local engine. Not started."""
    from backend.engines.docker import DockerEngine
    from backend.engines.kubernetes import KubernetesClusters

    return ClusterService(
        database,
        box,
        local,
        lambda address: DockerEngine(installation, remote=address),
        KubernetesClusters(),
        regions=settings.cluster_regions,
    )


def ingress_of(settings: Settings) -> Ingress:
    """The ingress of a data dir. Not started."""
    from backend.ingress.caddy import CaddyIngress
    from backend.ingress.tls import LETS_ENCRYPT, TlsOptions

    places = Places.of(settings.data_dir)
    tls = TlsOptions(
        port=settings.ingress_https_port,
        certificates=settings.data_dir.absolute() / "certificates",
        acme=settings.tls_mode != "internal",
        acme_directory=settings.acme_directory or LETS_ENCRYPT,
        acme_email=settings.acme_email,
        acme_ca_root=Path(settings.acme_ca_root).absolute() if settings.acme_ca_root else None,
    )
    return CaddyIngress(
        places.run_dir,
        places.log_dir,
        listen=settings.ingress_host,
        port=settings.ingress_port,
        tls=tls if settings.serves_https else None,
    )


@asynccontextmanager
async def open_accounts(settings: Settings) -> AsyncIterator[AccountService]:
    """Accounts alone, beside a running backend or without one."""
    async with AsyncExitStack() as life:
        accounts = accounts_of(settings, await open_database(settings, life))
        life.callback(accounts.close)
        yield accounts


@asynccontextmanager
async def open_installation(settings: Settings) -> AsyncIterator[Installation]:
    """Storage, engine and ingress of an installation whose backend does not run."""
    async with AsyncExitStack() as life:
        database = await open_database(settings, life)
        installation = await installation_id(database, datetime.now(UTC))
        engine = engine_of(settings, installation)
        await engine.start()
        life.push_async_callback(engine.close)
        ingress = ingress_of(settings)
        life.push_async_callback(ingress.close)
        clusters = clusters_of(settings, installation, database, SecretBox(secret_of(settings, "encryption")), engine)
        life.push_async_callback(clusters.close)
        yield Installation(database, engine, ingress, clusters)


async def open_database(settings: Settings, life: AsyncExitStack) -> Database:
    """Storage, up to date; it closes with `life`. Raises Unavailable."""
    database = (
        Database(settings.database_url)
        if settings.database_url
        else Database.at(settings.data_dir / "pilothouse.db")
    )  # fmt: skip
    life.push_async_callback(database.close)
    await database.start()
    return database


def accounts_of(settings: Settings, database: Database, mails: Mails | None = None) -> AccountService:
    """The account service; close it. Without `mails` it resets no forgotten passwords."""
    secret = settings.jwt_secret.encode() if settings.jwt_secret else secret_of(settings, "jwt")
    return AccountService(
        database,
        jwt_secret=secret,
        registration=settings.registration,
        strict_login=settings.strict_login,
        mails=mails,
        google=_google_of(settings),
    )


def _google_of(settings: Settings) -> GoogleTokens | None:
    if not settings.google_client_id:
        return None
    from backend.delivery.google_tokens import KEYS_URL, GoogleIdTokens

    return GoogleIdTokens(settings.google_client_id, keys_url=settings.google_jwks_url or KEYS_URL)


def secret_of(settings: Settings, name: str) -> bytes:
    """A secret that this data dir keeps, made when first asked for."""
    return bytes.fromhex(load_secret(settings.data_dir, name))
