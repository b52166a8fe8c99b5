"""Old things are forgotten, and nothing that is needed."""

from __future__ import annotations

from datetime import timedelta

from cryptography.fernet import Fernet

from backend.domain.accounts import CredentialKind, Principal
from backend.domain.deployments import Deployment, DeploymentSpec, DeploymentStatus, DesiredState, Resources
from backend.domain.journal import JournalKind
from backend.services.accounts import AccountService
from backend.services.event_bus import EventBus
from backend.services.housekeeping import JOURNAL_AGE, KEPT_GENERATIONS, Housekeeping
from backend.services.journal import Journal
from backend.services.secrets import SecretBox
from backend.storage import journal as journal_queries
from backend.storage.database import Database
from backend.storage.deployments import DeploymentQueries
from tests.services.conftest import Clock


def a_deployment(who: Principal, clock: Clock) -> Deployment:
    return Deployment(
        id="0" * 36,
        short_id="dpl-0000000000",
        tenant_id=who.tenant_id,
        created_by=who.user.id,
        app_name="web",
        desired=DesiredState.STOPPED,
        replicas=1,
        generation=1,
        stable_generation=1,
        spec=DeploymentSpec("nginx", "nginx@sha256:0", 80, {}, Resources(), None, None),
        status=DeploymentStatus.STOPPED,
        reason="",
        message="",
        error_message=None,
        restart_count=0,
        created_at=clock(),
        updated_at=clock(),
        deployed_at=None,
        started_at=None,
        last_health_check=None,
    )


async def test_old_entries_and_generations_go(database: Database, accounts: AccountService, clock: Clock) -> None:
    who = Principal(await accounts.register("ada", "ada@example.com", "correct horse"), CredentialKind.SESSION)
    queries = DeploymentQueries(SecretBox(Fernet.generate_key()))
    journal = Journal(database, EventBus(), clock=clock)
    deployment = a_deployment(who, clock)
    async with journal.transaction() as change:
        await queries.insert(change.session, deployment)
        await change.record(deployment, JournalKind.CREATED, "first")
        await change.record(deployment, JournalKind.STATUS_CHANGED, "second")
        for number in range(2, KEPT_GENERATIONS + 6):
            await queries.insert_generation(change.session, deployment, number, deployment.spec, clock())
        await queries.write(change.session, deployment.id, generation=3)
    house = Housekeeping(database, clock=clock)

    # Generations 1 to 5 are beyond the kept ones; 1 is the stable one and 3 the desired one.
    assert await house.clean() == (0, 3)
    clock.now += JOURNAL_AGE + timedelta(days=1)
    assert await house.clean() == (1, 0)
    async with database.session() as session:
        kept = await journal_queries.of_object(session, deployment.id, before=None, limit=10)
        assert [entry.message for entry in kept] == ["second"]
        assert await queries.by_id(session, deployment.id) is not None
    async with database.transaction() as session:
        await queries.write(session, deployment.id, generation=1)
    async with database.session() as session:
        assert await queries.by_id(session, deployment.id) is not None
