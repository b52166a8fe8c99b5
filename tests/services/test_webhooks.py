"""Webhooks from the journal to a real receiver: what is told, in which words, once, and when no more."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from backend.delivery.webhook import HttpWebhookCaller
from backend.domain.accounts import User
from backend.domain.deployments import (
    Deployment,
    DeploymentSpec,
    DeploymentStatus,
    DesiredState,
    Resources,
)
from backend.domain.ids import Kind, new_short_id, new_uuid
from backend.domain.journal import JournalKind
from backend.services.accounts import AccountService
from backend.services.event_bus import EventBus
from backend.services.journal import Journal
from backend.services.outbox import Outbox
from backend.services.secrets import SecretBox
from backend.services.webhooks import CURSOR, Webhooks
from backend.storage import journal, webhooks
from backend.storage.database import Database
from backend.storage.tables import OutboxRow, WebhookTargetRow
from tests.delivery.receiver import Receiver, receiver
from tests.services.conftest import Clock
from tests.services.waiting import until

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
URL = "http://shop.localhost:8080"


class Platform:
    """A journal that tests write, with webhooks after it. `app` is the deployment that all is about."""

    def __init__(self, database: Database, clock: Clock, user: User) -> None:
        self.database, self.clock, self.user = database, clock, user
        self.bus = EventBus()
        self.journal = Journal(database, self.bus, clock=clock)
        self.app = deployment_of(user, clock)

    @asynccontextmanager
    async def webhooks(self, url: str, *, allow_private: bool = True) -> AsyncIterator[Webhooks]:
        self.outbox = Outbox(self.database, SecretBox(b"k" * 32), clock=self.clock)
        caller = HttpWebhookCaller(SECRET, allow_private=allow_private)
        made = Webhooks(self.database, self.outbox, self.bus, caller, url, clock=self.clock)
        outbox = self.outbox
        await made.start()
        await outbox.start()
        yield made
        await made.close()
        await outbox.close()

    async def record(self, kind: JournalKind, **data: Any) -> None:
        async with self.journal.transaction() as change:
            await change.record(self.app, kind, "words", actor=self.user.short_id, data=data)
        self.clock.move(seconds=1)

    async def created(self) -> None:
        await self.record(JournalKind.CREATED, appName=self.app.app_name, url=URL)

    async def becomes(self, status: str) -> None:
        await self.record(JournalKind.STATUS_CHANGED, status=status, url=URL)

    async def stored(self) -> list[OutboxRow]:
        async with self.database.session() as session:
            return list(await session.scalars(select(OutboxRow).order_by(OutboxRow.source)))  # type: ignore[arg-type]

    async def until_statuses(self, *statuses: str) -> list[OutboxRow]:
        async def reached() -> bool:
            return [row.status for row in await self.stored()] == list(statuses)

        await until(reached)
        return await self.stored()

    async def until_read(self) -> None:
        """Until everything that webhooks could tell of was looked at."""

        async def reached() -> bool:
            async with self.database.session() as session:
                return (await webhooks.cursor(session, CURSOR) or 0) >= await journal.newest_sequence(session)

        await until(reached)


def deployment_of(user: User, clock: Clock) -> Deployment:
    return Deployment(
        id=new_uuid(), short_id=new_short_id(Kind.DEPLOYMENT), tenant_id=user.tenant_id, created_by=user.id,
        app_name="shop", desired=DesiredState.RUNNING, replicas=1, generation=1, stable_generation=None,
        spec=DeploymentSpec("nginx", "nginx@sha256:0", 80, {}, Resources(), None, None),
        status=DeploymentStatus.PENDING, reason="", message="", error_message=None, restart_count=0,
        created_at=clock.now, updated_at=clock.now, deployed_at=None, started_at=None, last_health_check=None,
    )  # fmt: skip


@pytest.fixture
async def platform(database: Database, clock: Clock, accounts: AccountService) -> Platform:
    return Platform(database, clock, await accounts.register("alice", "alice@example.com", "correct horse"))


@pytest.fixture
async def target() -> AsyncIterator[Receiver]:
    async with receiver() as made:
        yield made


def told(target: Receiver) -> list[str]:
    """The statuses, in the order of what they tell of: calls may overtake each other."""
    payloads = sorted((json.loads(call.body) for call in target.calls), key=lambda body: body["timestamp"])
    return [payload["status"] for payload in payloads]


async def test_the_documented_payload(platform: Platform, target: Receiver) -> None:
    async with platform.webhooks(target.url):
        await platform.created()
        await platform.becomes("running")
        await target.until_called(2)
    bodies = sorted((json.loads(call.body) for call in target.calls), key=lambda body: body["timestamp"])
    same = {"deployment_id": platform.app.id, "app_name": "shop", "user_id": platform.user.id}
    assert bodies == [
        {**same, "status": "started", "type": "deployment_started", "timestamp": "2025-06-01T12:00:00Z", "url": None},
        {
            **same,
            "status": "completed",
            "type": "deployment_completed",
            "timestamp": "2025-06-01T12:00:01Z",
            "url": URL,
        },
    ]
    assert len({call.headers["webhook-id"] for call in target.calls}) == 2


UPDATED, STARTED, SCALED = JournalKind.UPDATED, JournalKind.STARTED, JournalKind.SCALED
STOPPED, BACK = JournalKind.STOPPED, JournalKind.ROLLED_BACK


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        (["failed"], ["failed"]),
        (["failed", "running"], ["failed", "completed"]),
        (["running", UPDATED, "updating", "running"], ["completed", "started", "completed"]),
        (["running", UPDATED, "updating", BACK, "running"], ["completed", "started", "failed"]),
        (["running", UPDATED, "updating", BACK, "running", UPDATED, "updating", "running"],
         ["completed", "started", "failed", "started", "completed"]),
        (["running", SCALED, "scaling", "running"], ["completed"]),
        (["running", UPDATED, "updating", SCALED, "scaling", "running"], ["completed", "started", "completed"]),
        (["running", STOPPED, "stopping", "stopped"], ["completed"]),
        (["running", STOPPED, "stopping", "stopped", STARTED, "starting", "running"],
         ["completed", "started", "completed"]),
        (["running", "failed", "running"], ["completed", "failed", "completed"]),
        ([JournalKind.PULLING, JournalKind.PULLED, JournalKind.REPLICA_READY], []),
    ],
)  # fmt: skip
async def test_what_is_told_of_a_story(
    platform: Platform, target: Receiver, story: list[str | JournalKind], expected: list[str]
) -> None:
    async with platform.webhooks(target.url):
        await platform.created()
        for step in story:
            await (platform.record(step) if isinstance(step, JournalKind) else platform.becomes(step))
        await platform.becomes("stopping")  # tells nothing; when it is read, all is
        await platform.until_read()
        await target.until_called(1 + len(expected))
        await platform.until_statuses(*["delivered"] * (1 + len(expected)))
    assert told(target) == ["started", *expected]


async def test_what_happened_while_nobody_read_is_told_later_once(platform: Platform, target: Receiver) -> None:
    async with platform.webhooks(target.url):
        await platform.created()
        await target.until_called(1)
    await platform.becomes("failed")
    await platform.becomes("running")
    for _ in range(2):
        async with platform.webhooks(target.url):
            await target.until_called(3)
            await platform.until_statuses("delivered", "delivered", "delivered")
    assert told(target) == ["started", "failed", "completed"]
    assert len({call.headers["webhook-id"] for call in target.calls}) == 3


async def test_two_backends_tell_each_event_once(platform: Platform, target: Receiver) -> None:
    async with platform.webhooks(target.url), platform.webhooks(target.url):
        await platform.created()
        for _ in range(20):
            await platform.becomes("failed")
            await platform.becomes("running")
        await platform.until_read()
        await platform.until_statuses(*["delivered"] * 41)
    assert len(target.calls) == 41


async def test_more_than_a_slow_reader_can_queue_is_read_from_storage(platform: Platform, target: Receiver) -> None:
    async with platform.webhooks(target.url):
        async with platform.journal.transaction() as change:
            await change.record(
                platform.app, JournalKind.CREATED, "w", actor=platform.user.short_id, data={"appName": "shop"}
            )
            for _ in range(1500):
                await change.record(platform.app, JournalKind.REPLICA_READY, "w")
            await change.record(platform.app, JournalKind.STATUS_CHANGED, "w", data={"status": "running", "url": URL})
        await target.until_called(2)
    assert sorted(told(target)) == ["completed", "started"]


async def test_history_from_before_the_setting_is_not_told(platform: Platform, target: Receiver) -> None:
    await platform.created()
    async with platform.webhooks(target.url):
        await platform.becomes("running")
        await target.until_called(1)
    async with platform.webhooks(""):
        await platform.becomes("failed")
    async with platform.webhooks(target.url):
        await platform.becomes("running")
        await target.until_called(2)
        await platform.until_statuses("delivered", "delivered")
    assert told(target) == ["completed", "completed"]


async def test_a_deployment_that_is_gone_is_still_named(platform: Platform, target: Receiver) -> None:
    await platform.becomes("stopping")
    async with platform.webhooks(target.url):
        await platform.created()
        platform.app = replace(platform.app, app_name=f".{platform.app.short_id}")
        await platform.becomes("failed")
        await target.until_called(2)
    assert {json.loads(call.body)["app_name"] for call in target.calls} == {"shop"}


async def test_an_error_is_tried_again_with_the_same_id_and_body(
    platform: Platform, target: Receiver, clock: Clock
) -> None:
    target.answers += [500, 302]
    async with platform.webhooks(target.url):
        await platform.created()
        for tries, reason in ((1, "500"), (2, "not followed")):
            await target.until_called(tries)
            await until(lambda reason=reason: failed_for(platform, reason))  # type: ignore[misc]
            clock.move(minutes=10)
            platform.outbox.wake()
        await target.until_called(3)
        await platform.until_statuses("delivered")
    assert len({(call.headers["webhook-id"], call.body) for call in target.calls}) == 1


async def failed_for(platform: Platform, reason: str) -> bool:
    return reason in (await platform.stored())[0].last_error


async def test_gone_disables_the_target_until_another_is_set(platform: Platform, target: Receiver) -> None:
    target.answers.append(410)
    async with platform.webhooks(target.url):
        await platform.created()
        (row,) = await platform.until_statuses("failed")
        assert "410" in row.last_error
        await platform.becomes("running")
        await platform.until_read()
    async with platform.webhooks(target.url):
        await platform.becomes("failed")
        await platform.until_read()
        assert len(await platform.stored()) == 1
    async with platform.webhooks(target.url + "2"):
        await platform.becomes("running")
        await target.until_called(2)
    async with platform.webhooks(target.url):
        await platform.becomes("failed")
        await target.until_called(3)
    assert told(target) == ["started", "completed", "failed"]


async def test_a_disabled_target_can_be_enabled(platform: Platform, target: Receiver) -> None:
    target.answers.append(410)
    async with platform.webhooks(target.url) as made:
        assert not await made.enable()
        await platform.created()
        await platform.until_statuses("failed")
        assert await made.enable()
        await platform.becomes("running")
        await target.until_called(2)
    assert told(target) == ["started", "completed"]


async def test_what_waits_for_a_disabled_target_is_given_up(platform: Platform, target: Receiver, clock: Clock) -> None:
    target.answers += [500, 410]
    async with platform.webhooks(target.url):
        await platform.created()
        await target.until_called(1)
        await platform.until_statuses("pending")
        await platform.becomes("running")
        await platform.until_statuses("pending", "failed")
        clock.move(minutes=1)
        platform.outbox.wake()
        first, _ = await platform.until_statuses("failed", "failed")
    assert "disabled" in first.last_error
    assert len(target.calls) == 2


async def test_a_private_address_is_refused_with_the_reason(
    platform: Platform, target: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    async with platform.webhooks(target.url, allow_private=False):
        await platform.created()
        (row,) = await platform.until_statuses("failed")
    assert target.calls == []
    assert "loopback" in row.last_error
    assert "webhook_allow_private" in row.last_error
    assert any("will all fail" in record.message for record in caplog.records)


async def test_the_secret_part_of_the_address_is_kept_nowhere(
    platform: Platform, target: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="backend")
    target.answers.append(410)
    async with platform.webhooks(target.url):
        await platform.created()
        (row,) = await platform.until_statuses("failed")
    async with platform.database.session() as session:
        (disabled,) = await session.scalars(select(WebhookTargetRow))
    assert row.recipient == f"http://127.0.0.1:{target.port}"
    assert "key=abc" not in disabled.url + row.last_error + caplog.text
