"""New and changed environments, as they would be stored: what users ask for, laid over what is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from backend.domain.accounts import Principal
from backend.domain.engine import ResolvedImage
from backend.domain.environments import (
    Environment,
    EnvironmentChange,
    EnvironmentDesire,
    EnvironmentRequest,
    EnvironmentResources,
    EnvironmentStatus,
    Template,
)
from backend.domain.ids import Kind, new_short_id, new_uuid


def made(
    who: Principal,
    request: EnvironmentRequest,
    template: Template,
    resources: EnvironmentResources,
    image: ResolvedImage,
    cluster_id: str | None,
    now: datetime,
) -> Environment:
    """A new environment, as it is stored."""
    return Environment(
        id=new_uuid(),
        short_id=new_short_id(Kind.ENVIRONMENT),
        tenant_id=who.tenant_id,
        created_by=who.user.id,
        name=request.name,
        description=request.description,
        template_id=template.id,
        template_name=template.display_name,
        cluster_id=cluster_id,
        image=template.image,
        digest=image.pinned,
        port=template.default_port if request.port is None else request.port,
        resources=resources,
        env={**template.env, **request.env},
        startup_commands=template.startup_commands,
        desired=EnvironmentDesire.RUNNING,
        generation=1,
        status=EnvironmentStatus.CREATING,
        reason="queued",
        message="waiting to be made",
        error_message=None,
        installation_completed=False,
        idle_stop_minutes=request.idle_stop_minutes,
        created_at=now,
        updated_at=now,
        started_at=None,
        last_activity=now,
    )


def resources_of(
    known: EnvironmentResources, cpu: str | None, memory: str | None, storage: str | None
) -> EnvironmentResources:
    """What is None stays as it is known."""
    return EnvironmentResources(
        cpu=known.cpu if cpu is None else cpu,
        memory=known.memory if memory is None else memory,
        storage=known.storage if storage is None else storage,
    )


def changed(before: Environment, change: EnvironmentChange, digest: str) -> Environment:
    """The environment with what a change gives; where its container has to be made anew, with its next generation."""
    after = replace(
        before,
        name=before.name if change.name is None else change.name,
        description=before.description if change.description is None else change.description,
        image=before.image if change.image is None else change.image,
        digest=before.digest if change.image is None else digest,
        port=before.port if change.port is None else change.port,
        resources=resources_of(before.resources, change.cpu, change.memory, change.storage),
        env=before.env if change.env is None else dict(change.env),
        idle_stop_minutes=before.idle_stop_minutes if change.idle_stop_minutes is None else change.idle_stop_minutes,
    )
    if _content(after) == _content(before):
        return after
    after = replace(after, generation=before.generation + 1, installation_completed=False)
    if before.desired is not EnvironmentDesire.RUNNING:
        return after
    return replace(
        after,
        status=EnvironmentStatus.CREATING,
        reason="queued",
        message="waiting to be made anew",
        error_message=None,
    )


def _content(environment: Environment) -> tuple[object, ...]:
    """What a container is made of and cannot change."""
    return environment.image, environment.digest, environment.port, dict(environment.env)


def names_of_changes(before: Environment, after: Environment) -> list[str]:
    """The fields that differ."""
    names = ("name", "description", "image", "port", "env", "resources", "idle_stop_minutes")
    changed = [name for name in names if getattr(before, name) != getattr(after, name)]
    if before.digest != after.digest and "image" not in changed:
        changed.append("image")
    return changed
