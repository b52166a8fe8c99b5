"""Environments, templates and install events in storage."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from backend.domain.environments import (
    Environment,
    EnvironmentDesire,
    EnvironmentResources,
    EnvironmentStatus,
    InstallEventKind,
    Template,
    TemplateCategory,
    TemplateStatus,
)
from backend.domain.errors import Conflict
from backend.domain.ids import Kind, new_short_id, new_uuid
from backend.services.secrets import SecretBox
from backend.storage import install_events, networks
from backend.storage.database import Database
from backend.storage.environments import EnvironmentQueries, clusters_with_environments
from backend.storage.tables import TenantRow
from backend.storage.templates import TemplateQueries

NOW = datetime(2025, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
BOX = SecretBox(secrets.token_bytes(32))
ENVIRONMENTS, TEMPLATES = EnvironmentQueries(BOX), TemplateQueries(BOX)


def template(name: str = "plain", **more: object) -> Template:
    made = Template(
        id=new_uuid(),
        short_id=new_short_id(Kind.TEMPLATE),
        name=name,
        display_name=name.title(),
        description="",
        category=TemplateCategory.DEVOPS,
        tags=("a", "b"),
        image="busybox",
        default_port=8080,
        default_resources=EnvironmentResources(),
        env={"A": "b"},
        startup_commands=("true",),
        documentation_url=None,
        icon_url=None,
        status=TemplateStatus.ACTIVE,
        version="1",
        usage_count=0,
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def environment(tenant: str, of: Template, name: str = "dev", **more: object) -> Environment:
    made = Environment(
        id=new_uuid(),
        short_id=new_short_id(Kind.ENVIRONMENT),
        tenant_id=tenant,
        created_by=f"user-of-{tenant}",
        name=name,
        description=None,
        template_id=of.id,
        template_name=of.display_name,
        cluster_id=None,
        image="busybox",
        digest="sha256:" + "0" * 64,
        port=8080,
        resources=EnvironmentResources(),
        env={"KEY": "value"},
        startup_commands=("true", "false"),
        desired=EnvironmentDesire.RUNNING,
        generation=1,
        status=EnvironmentStatus.CREATING,
        reason="queued",
        message="",
        error_message=None,
        installation_completed=False,
        idle_stop_minutes=0,
        created_at=NOW,
        updated_at=NOW,
        started_at=None,
        last_activity=NOW,
    )
    return replace(made, **more)  # type: ignore[arg-type]


@pytest.fixture
async def plain(database: Database) -> Template:
    made = template()
    async with database.transaction() as session:
        session.add_all(
            TenantRow(id=one, short_id=f"tnt-{one}", name=one, created_at=NOW) for one in ("first", "second")
        )
        await TEMPLATES.insert(session, made)
    return made


async def test_what_is_stored_comes_back(database: Database, plain: Template) -> None:
    stored = environment("first", plain)
    async with database.transaction() as session:
        await ENVIRONMENTS.insert(session, stored)
        await TEMPLATES.count_use(session, plain.id)
    async with database.session() as session:
        for reference in (stored.id, stored.short_id):
            assert await ENVIRONMENTS.of_tenant(session, "first", reference) == stored
            assert await ENVIRONMENTS.of_tenant(session, "second", reference) is None
        assert await TEMPLATES.find(session, "plain") == replace(plain, usage_count=1)
        assert await ENVIRONMENTS.count_of_user(session, stored.created_by) == 1
        raw = (await session.execute(text("SELECT sealed FROM environments"))).scalar_one()
    assert b"value" not in raw


async def test_a_name_is_a_tenants_own_and_free_once_it_is_deleted(database: Database, plain: Template) -> None:
    first = environment("first", plain, "Straße")
    async with database.transaction() as session:
        await ENVIRONMENTS.insert(session, first)
        await ENVIRONMENTS.insert(session, environment("second", plain, "strasse"))
    with pytest.raises(Conflict):
        async with database.transaction() as session:
            await ENVIRONMENTS.insert(session, environment("first", plain, "STRASSE"))
    other = environment("first", plain, "other")
    async with database.transaction() as session:
        await ENVIRONMENTS.insert(session, other)
    with pytest.raises(Conflict):
        async with database.transaction() as session:
            await ENVIRONMENTS.write(session, other.id, name="strasse")
    deleted = {"desired": EnvironmentDesire.DELETED, "status": EnvironmentStatus.TERMINATED, "name_key": None}
    async with database.transaction() as session:
        await ENVIRONMENTS.write(session, first.id, **deleted)
        await ENVIRONMENTS.write(session, other.id, **deleted)
        await ENVIRONMENTS.insert(session, environment("first", plain, "strasse"))
        assert len(await ENVIRONMENTS.all_of_tenant(session, "first")) == 1
        terminated = await ENVIRONMENTS.all_of_tenant(session, "first", status=EnvironmentStatus.TERMINATED)
        assert {one.id for one in terminated} == {first.id, other.id}


async def test_activity_only_goes_forward(database: Database, plain: Template) -> None:
    stored = environment("first", plain)
    later = NOW + timedelta(minutes=1)
    async with database.transaction() as session:
        await ENVIRONMENTS.insert(session, stored)
        await ENVIRONMENTS.note_activity(session, {stored.id: later, "gone": later})
        await ENVIRONMENTS.note_activity(session, {stored.id: NOW})
    async with database.session() as session:
        found = await ENVIRONMENTS.by_id(session, stored.id)
    assert found == replace(stored, last_activity=later)


async def test_a_tenants_network_and_a_cluster_are_in_use_until_all_is_gone(
    database: Database, plain: Template
) -> None:
    near, far = environment("first", plain, "near"), environment("second", plain, "far", cluster_id="cluster")
    async with database.transaction() as session:
        for one in (near, far):
            await ENVIRONMENTS.insert(session, one)
        assert await networks.tenant_in_use(session, "first")
        assert not await networks.tenant_in_use(session, "second")
        assert await ENVIRONMENTS.tenant_on_cluster(session, "second", "cluster")
        assert not await ENVIRONMENTS.tenant_on_cluster(session, "first", "cluster")
        assert await clusters_with_environments(session) == {"cluster"}
        await ENVIRONMENTS.write(session, near.id, desired=EnvironmentDesire.DELETED)
        assert await networks.tenant_in_use(session, "first")
        for one in (near, far):
            await ENVIRONMENTS.purge(session, one.id)
        assert not await networks.tenant_in_use(session, "first")
        assert await clusters_with_environments(session) == set()


async def test_events_count_on_and_only_so_many_are_kept(
    database: Database, plain: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install_events, "MAX_EVENTS", 5)
    stored = environment("first", plain)
    async with database.transaction() as session:
        await ENVIRONMENTS.insert(session, stored)

    async def say(*lines: str, anew: bool = False) -> list[int]:
        async with database.transaction() as session:
            said = [(InstallEventKind.LOG, line) for line in lines]
            events = await install_events.append(session, stored.id, "first", said, NOW, anew=anew)
        return [event.sequence for event in events]

    async def kept(after: int = 0) -> list[str]:
        async with database.session() as session:
            return [event.text for event in await install_events.of_environment(session, stored.id, after=after)]

    assert await say("a", "b", "c") == [1, 2, 3]
    assert await say("d", "e", "f", "g") == [4, 5, 6, 7]
    assert await kept() == ["c", "d", "e", "f", "g"]
    assert await kept(after=6) == ["g"]
    await say(*"hijklmnop")
    assert await kept() == ["l", "m", "n", "o", "p"]
    assert await say("anew", anew=True) == [17]
    assert await kept() == ["anew"]
    async with database.transaction() as session:
        await ENVIRONMENTS.purge(session, stored.id)
    assert await kept() == []


async def test_a_template_is_found_by_its_id_before_its_name(database: Database, plain: Template) -> None:
    odd = template(plain.short_id)
    async with database.transaction() as session:
        await TEMPLATES.insert(session, odd)
        found = await TEMPLATES.find(session, plain.short_id)
        assert found is not None and found.id == plain.id
        with pytest.raises(Conflict):
            await TEMPLATES.insert(session, template("plain"))
