"""Between the domain and this surface's wire models. Pure."""

from __future__ import annotations

import re

from backend.domain.accounts import ApiKey, CreatedApiKey, Profile, TokenPair, User
from backend.domain.deployments import Deployment, DeploymentState, DeploymentStatus
from backend.domain.paging import Page
from backend.services.notifications import Notification, NotificationStats
from backend.services.settling import Deletion
from backend.surfaces.observed import format_uptime
from backend.wire import container_engine_snake as wire

_CAPITAL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_RESTING: dict[DeploymentStatus, wire.Status] = {
    DeploymentStatus.PENDING: "pending",
    DeploymentStatus.RUNNING: "running",
    DeploymentStatus.STOPPED: "stopped",
    DeploymentStatus.FAILED: "failed",
}

# --- accounts


def to_wire_login(tokens: TokenPair) -> wire.LoginResponse:
    assert tokens.refresh_token is not None, "a login makes a new session"
    user = tokens.user
    return wire.LoginResponse(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expires_at=tokens.expires_at,
        user=wire.UserSummary(id=user.id, username=user.username, email=user.email),
    )


def to_wire_api_key(key: ApiKey) -> wire.ApiKeyResponse:
    return wire.ApiKeyResponse(
        id=key.id,
        name=key.name,
        description=key.description,
        key_prefix=key.prefix,
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used=key.last_used,
    )


def to_wire_created_api_key(created: CreatedApiKey) -> wire.ApiKeyCreateResponse:
    key = created.key
    return wire.ApiKeyCreateResponse(
        id=key.id,
        name=key.name,
        key=created.secret,
        description=key.description,
        key_prefix=key.prefix,
        created_at=key.created_at,
        expires_at=key.expires_at,
    )


def to_wire_api_keys(page: Page[ApiKey]) -> wire.ApiKeyListResponse:
    return wire.ApiKeyListResponse(
        api_keys=[to_wire_api_key(key) for key in page.items], pagination=to_wire_pagination(page)
    )


def to_wire_profile(profile: Profile) -> wire.ProfileResponse:
    user = profile.user
    return wire.ProfileResponse(
        id=user.id,
        username=user.username,
        email=user.email,
        created_at=user.created_at,
        last_login=user.last_login,
        is_active=user.is_active,
    )


def to_wire_profile_update(user: User) -> wire.ProfileUpdateResponse:
    return wire.ProfileUpdateResponse(id=user.id, username=user.username, email=user.email, updated_at=user.updated_at)


def to_wire_pagination(page: Page[ApiKey] | Page[Deployment]) -> wire.Pagination:
    return wire.Pagination(
        page=page.request.page, limit=page.request.limit, total=page.total, total_pages=page.total_pages
    )


# --- deployments


def to_wire_status_word(status: DeploymentStatus) -> wire.Status:
    """The document's word: whatever is under way is `updating`, which is none of the list's filters."""
    return _RESTING.get(status, "updating")


def _url(deployment: Deployment, url: str) -> str | None:
    return url if deployment.deployed_at else None


def to_wire_created(deployment: Deployment) -> wire.DeploymentCreateResponse:
    return wire.DeploymentCreateResponse(
        id=deployment.id,
        app_name=deployment.app_name,
        image=deployment.spec.image,
        status="pending",
        url=None,
        created_at=deployment.created_at,
        message="Deployment is being processed",
    )


def to_wire_item(deployment: Deployment, url: str) -> wire.DeploymentListItem:
    return wire.DeploymentListItem(
        id=deployment.id,
        app_name=deployment.app_name,
        image=deployment.spec.image,
        status=to_wire_status_word(deployment.status),
        url=_url(deployment, url),
        replicas=deployment.replicas,
        created_at=deployment.created_at,
        updated_at=deployment.updated_at,
    )


def to_wire_list(page: Page[Deployment], urls: list[str]) -> wire.DeploymentListResponse:
    return wire.DeploymentListResponse(
        deployments=[to_wire_item(deployment, url) for deployment, url in zip(page.items, urls, strict=True)],
        pagination=to_wire_pagination(page),
    )


def to_wire_detail(deployment: Deployment, url: str) -> wire.DeploymentDetailResponse:
    spec = deployment.spec
    check = spec.health_check
    return wire.DeploymentDetailResponse(
        **dict(to_wire_item(deployment, url)),
        user_id=deployment.created_by,
        port=spec.port,
        env_vars=dict(spec.env),
        resources=wire.ResourcesResponse(cpu=spec.resources.cpu, memory=spec.resources.memory),
        health_check=None
        if check is None
        else wire.HealthCheckResponse(
            path=check.path,
            initial_delay_seconds=check.initial_delay_seconds,
            period_seconds=check.period_seconds,
            timeout_seconds=check.timeout_seconds,
            failure_threshold=check.failure_threshold,
        ),
        deployed_at=deployment.deployed_at,
        reason=deployment.reason,
        message=deployment.message,
        error_message=deployment.error_message,
    )


def to_wire_updated(deployment: Deployment) -> wire.DeploymentUpdateResponse:
    return wire.DeploymentUpdateResponse(
        id=deployment.id,
        status="updating",
        message="Deployment update in progress",
        updated_at=deployment.updated_at,
    )


def to_wire_scaled(deployment: Deployment) -> wire.DeploymentScaleResponse:
    return wire.DeploymentScaleResponse(
        id=deployment.id,
        replicas=deployment.replicas,
        status=to_wire_status_word(deployment.status),
        message=_came_to(deployment, DeploymentStatus.RUNNING, "Deployment scaled successfully"),
    )


def to_wire_stopped(deployment: Deployment) -> wire.DeploymentStopResponse:
    return wire.DeploymentStopResponse(
        id=deployment.id,
        status=to_wire_status_word(deployment.status),
        message=_came_to(deployment, DeploymentStatus.STOPPED, "Deployment stopped successfully"),
    )


def to_wire_started(deployment: Deployment) -> wire.DeploymentStartResponse:
    return wire.DeploymentStartResponse(
        id=deployment.id,
        status=to_wire_status_word(deployment.status),
        replicas=deployment.replicas,
        message=_came_to(deployment, DeploymentStatus.RUNNING, "Deployment started successfully"),
    )


def _came_to(deployment: Deployment, wanted: DeploymentStatus, success: str) -> str:
    """The document's sentence where the deployment is as was asked, else what is so instead."""
    status = deployment.status
    if status is wanted and deployment.reason != "degraded":
        return success
    if status is DeploymentStatus.STOPPED:
        return "Deployment is stopped: the change takes effect when it is started"
    if status is DeploymentStatus.RUNNING:
        return f"Deployment is running, though not as asked: {deployment.message}"
    if status is DeploymentStatus.FAILED:
        return f"Deployment failed: {deployment.error_message or deployment.message}"
    return f"Deployment is still {status.value}: {deployment.message}"


def to_wire_deleted(deletion: Deletion) -> wire.DeploymentDeleteResponse:
    return wire.DeploymentDeleteResponse(
        message="Deployment deleted successfully",
        deployment_id=deletion.deployment.id,
        app_name=deletion.deployment.app_name,
        namespace_deleted=deletion.gone,
    )


def to_wire_status(state: DeploymentState) -> wire.DeploymentStatusResponse:
    return wire.DeploymentStatusResponse(
        status=to_wire_status_word(state.status),
        health=state.health.value,
        replicas=wire.ReplicaCounts(desired=state.desired, ready=state.ready, available=state.available),
        last_health_check=state.last_health_check,
        uptime=format_uptime(state.uptime_seconds),
        restart_count=state.restart_count,
        reason=state.reason,
        message=state.message,
        error_message=state.error_message,
    )


# --- notifications


def to_wire_notification(notification: Notification) -> wire.NotificationFrame:
    return wire.NotificationFrame(
        type=to_wire_event_type(notification.kind.value),
        deployment_id=notification.deployment_id,
        timestamp=notification.at,
        data={_snake(name): _event_value(name, value) for name, value in notification.data.items()},
    )


def notification_text(notification: Notification) -> str:
    """A frame of the notifications socket."""
    return to_wire_notification(notification).model_dump_json()


def to_wire_event_type(kind: str) -> str:
    """`deployment.status.changed` as `deployment_status_changed`."""
    return kind.replace(".", "_")


def to_wire_test(notification: Notification, clients: int) -> wire.TestNotificationResponse:
    return wire.TestNotificationResponse(
        message="Test notification sent",
        connections_notified=clients,
        notification=to_wire_notification(notification),
    )


def to_wire_stats(stats: NotificationStats) -> wire.NotificationStatsResponse:
    return wire.NotificationStatsResponse(
        active_connections=stats.connections,
        connected_users=stats.users,
        notifications_sent=stats.sent,
        notifications_failed=stats.failed,
        connections_dropped=stats.dropped,
        notifications_by_type={to_wire_event_type(kind.value): count for kind, count in stats.by_kind.items()},
        webhooks_sent=stats.webhooks_sent,
        webhooks_failed=stats.webhooks_failed,
        last_notification_at=stats.last_at,
        timestamp=stats.at,
    )


def _event_value(name: str, value: object) -> object:
    """Statuses and names of fields in the words of this document; other values as they are."""
    if name in ("status", "previousStatus") and value in tuple(DeploymentStatus):
        return to_wire_status_word(DeploymentStatus(str(value)))
    if name == "changes" and isinstance(value, list):
        return [_snake(str(field)) for field in value]
    return value


def _snake(name: str) -> str:
    return _CAPITAL.sub(r"_\1", name).lower()
