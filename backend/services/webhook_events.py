"""Which journal entries webhooks tell of, and in which words.

A deployment's story is a row of beginnings (created, updated, started) and endings (running, failed, rolled back). An
ending is told where something was open: what runs again after being scaled was never announced, so nothing is said.
"""

from __future__ import annotations

from datetime import UTC
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from backend.domain.deployments import DeploymentStatus
from backend.domain.journal import JournalEntry, JournalKind
from backend.storage import accounts as users
from backend.storage import journal

_BEGINNINGS = frozenset({JournalKind.CREATED, JournalKind.UPDATED, JournalKind.STARTED})
KINDS = _BEGINNINGS | {JournalKind.STATUS_CHANGED, JournalKind.ROLLED_BACK}
_LOOKED_AT = 50


class Outcome(StrEnum):
    """The documented words for `status`; `type` is `deployment_<status>`."""

    STARTED = "started"
    COMPLETED = "completed"
    FAILED = "failed"


async def payload_of(session: AsyncSession, entry: JournalEntry) -> dict[str, Any] | None:
    """The documented payload for an entry; None where it is nothing that webhooks tell of."""
    outcome = _outcome(entry)
    if outcome is None or (outcome is Outcome.COMPLETED and not await _awaited(session, entry)):
        return None
    # Not from the deployment: it may be gone by now.
    created = await journal.first_of_kind(session, entry.object_id, JournalKind.CREATED)
    if created is None:
        return None
    return {
        "deployment_id": entry.object_id,
        "status": outcome.value,
        "type": f"deployment_{outcome.value}",
        "timestamp": entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "app_name": created.data.get("appName"),
        "user_id": await users.id_by_short_id(session, created.actor),
        "url": entry.data.get("url") if outcome is Outcome.COMPLETED else None,
    }


def _outcome(entry: JournalEntry) -> Outcome | None:
    if entry.kind in _BEGINNINGS:
        return Outcome.STARTED
    if entry.kind is JournalKind.ROLLED_BACK:
        return Outcome.FAILED
    if entry.kind is JournalKind.STATUS_CHANGED:
        return {
            DeploymentStatus.RUNNING.value: Outcome.COMPLETED,
            DeploymentStatus.FAILED.value: Outcome.FAILED,
        }.get(str(entry.data.get("status")))
    return None


async def _awaited(session: AsyncSession, running: JournalEntry) -> bool:
    """Whether the last that was told before was a beginning, or a failure that is now over. After a rollback the
    failure of the update stays the last word."""
    before = await journal.of_object(session, running.object_id, before=running.sequence, limit=_LOOKED_AT, kinds=KINDS)
    for entry in before:
        told = _outcome(entry)
        if told is not None:
            return told is Outcome.STARTED or (told is Outcome.FAILED and entry.kind is not JournalKind.ROLLED_BACK)
    return False
