"""Deployments written straight into storage, stopped, so that a list is long and the engine has nothing to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from backend.domain.accounts import Principal
from backend.domain.deployments import Deployment, DeploymentSpec, DeploymentStatus, DesiredState, Resources
from backend.domain.ids import Kind, new_short_id, new_uuid
from backend.services.accounts import AccountService
from backend.services.secrets import SecretBox
from backend.settings import load_secret
from backend.storage.database import Database
from backend.storage.deployments import DeploymentQueries


def open_queries(data_dir: Path) -> DeploymentQueries:
    """The queries with the keys of that data dir."""
    return DeploymentQueries(SecretBox(bytes.fromhex(load_secret(data_dir, "encryption"))))


def open_accounts(data_dir: Path, database: Database) -> AccountService:
    return AccountService(database, jwt_secret=bytes.fromhex(load_secret(data_dir, "jwt")))


def store(data_dir: Path, token: str, count: int, image: str) -> None:
    """Makes `count` stopped deployments of the user of that access token. The backend need not run."""

    def write(who: Principal, number: int) -> Deployment:
        at = datetime.now(UTC) - timedelta(minutes=count - number)
        return Deployment(
            id=new_uuid(),
            short_id=new_short_id(Kind.DEPLOYMENT),
            tenant_id=who.tenant_id,
            created_by=who.user.id,
            app_name=f"stored-{number:04}",
            desired=DesiredState.STOPPED,
            replicas=1,
            generation=1,
            stable_generation=1,
            spec=DeploymentSpec(
                image=image,
                digest="sha256:" + "0" * 64,
                port=80,
                env={"GREETING": "hello", "NUMBER": str(number)},
                resources=Resources(),
                health_check=None,
                registry_auth=None,
            ),
            status=DeploymentStatus.STOPPED,
            reason="stopped",
            message="stopped",
            error_message=None,
            restart_count=0,
            created_at=at,
            updated_at=at,
            deployed_at=at,
            started_at=None,
            last_health_check=None,
        )

    asyncio.run(_store(data_dir, token, count, write))


async def _store(data_dir: Path, token: str, count: int, write: Callable[[Principal, int], Deployment]) -> None:
    database = Database.at(data_dir / "pilothouse.db")
    accounts = open_accounts(data_dir, database)
    try:
        await database.start()
        who = await accounts.authenticate(token)
        queries = open_queries(data_dir)
        async with database.transaction() as session:
            for number in range(count):
                await queries.insert(session, write(who, number))
    finally:
        accounts.close()
        await database.close()
