"""The journal: one row for every change of desired state and every observed transition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class JournalKind(StrEnum):
    """What happened. The first six feed the documented deployment events."""

    CREATED = "deployment.created"
    UPDATED = "deployment.updated"
    DELETED = "deployment.deleted"
    STATUS_CHANGED = "deployment.status.changed"
    DOMAIN_VERIFIED = "domain.verified"
    DOMAIN_FAILED = "domain.failed"
    DOMAIN_ADDED = "domain.added"
    DOMAIN_REMOVED = "domain.removed"
    SCALED = "deployment.scaled"
    STOPPED = "deployment.stop_requested"
    STARTED = "deployment.start_requested"
    PULLING = "image.pulling"
    PULLED = "image.pulled"
    PULL_FAILED = "image.pull_failed"
    REPLICA_CREATED = "replica.created"
    REPLICA_READY = "replica.ready"
    REPLICA_EXITED = "replica.exited"
    REPLICA_UNHEALTHY = "replica.unhealthy"
    REPLICA_REMOVED = "replica.removed"
    ROUTED = "ingress.routed"
    ROLLED_BACK = "deployment.rolled_back"
    ENVIRONMENT_CREATED = "environment.created"
    ENVIRONMENT_UPDATED = "environment.updated"
    ENVIRONMENT_DELETED = "environment.deleted"
    ENVIRONMENT_STATUS_CHANGED = "environment.status.changed"
    ENVIRONMENT_START_REQUESTED = "environment.start_requested"
    ENVIRONMENT_STOP_REQUESTED = "environment.stop_requested"
    ENVIRONMENT_RESTART_REQUESTED = "environment.restart_requested"
    ENVIRONMENT_PULLING = "environment.pulling"
    ENVIRONMENT_PULLED = "environment.pulled"
    ENVIRONMENT_STEP_DONE = "environment.step_done"
    ENVIRONMENT_STEP_FAILED = "environment.step_failed"
    ENVIRONMENT_IDLE = "environment.idle"
    ENVIRONMENT_REMOVED = "environment.removed"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """`sequence` grows by one per row within the installation. `actor` is a user's short id, or `system`."""

    sequence: int
    tenant_id: str
    object_id: str
    object_short_id: str
    generation: int
    kind: JournalKind
    actor: str
    message: str
    data: Mapping[str, object]
    at: datetime
