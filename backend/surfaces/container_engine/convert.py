"""Between the domain and this surface's wire models. Pure."""

from __future__ import annotations

from backend.domain.accounts import ApiKey, CreatedApiKey, Profile, TokenPair, User
from backend.domain.deployments import (
    Deployment,
    DeploymentState,
)
from backend.domain.paging import Page
from backend.services.notifications import Notification
from backend.surfaces.observed import format_uptime
from backend.wire import container_engine as wire

# --- accounts


def to_wire_registration(user: User) -> wire.RegisterResponse:
    return wire.RegisterResponse(
        id=user.short_id, username=user.username, email=user.email, created_at=user.created_at, status="active"
    )


def to_wire_login(tokens: TokenPair) -> wire.LoginResponse:
    assert tokens.refresh_token is not None, "a login makes a new session"
    user = tokens.user
    return wire.LoginResponse(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expires_at=tokens.expires_at,
        user=wire.UserSummary(id=user.short_id, username=user.username, email=user.email),
    )


def to_wire_api_key(key: ApiKey) -> wire.ApiKeyResponse:
    return wire.ApiKeyResponse(
        id=key.short_id,
        name=key.name,
        description=key.description,
        prefix=key.prefix,
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used=key.last_used,
    )


def to_wire_created_api_key(created: CreatedApiKey) -> wire.ApiKeyCreateResponse:
    return wire.ApiKeyCreateResponse(api_key=created.secret, **dict(to_wire_api_key(created.key)))


def to_wire_api_keys(page: Page[ApiKey]) -> wire.ApiKeyListResponse:
    return wire.ApiKeyListResponse(
        api_keys=[to_wire_api_key(key) for key in page.items], pagination=to_wire_pagination(page)
    )


def to_wire_profile(profile: Profile) -> wire.ProfileResponse:
    user = profile.user
    return wire.ProfileResponse(
        id=user.short_id,
        username=user.username,
        email=user.email,
        created_at=user.created_at,
        last_login=user.last_login,
        deployment_count=profile.deployment_count,
        api_key_count=profile.api_key_count,
    )


def to_wire_profile_update(user: User) -> wire.ProfileUpdateResponse:
    return wire.ProfileUpdateResponse(
        id=user.short_id, username=user.username, email=user.email, updated_at=user.updated_at
    )


def to_wire_pagination(page: Page[ApiKey] | Page[Deployment]) -> wire.Pagination:
    return wire.Pagination(
        page=page.request.page, limit=page.request.limit, total=page.total, total_pages=page.total_pages
    )


# --- deployments


def to_wire_created(deployment: Deployment, url: str) -> wire.DeploymentCreateResponse:
    return wire.DeploymentCreateResponse(
        id=deployment.short_id,
        app_name=deployment.app_name,
        image=deployment.spec.image,
        status="pending",
        url=url,
        created_at=deployment.created_at,
        message="Deployment is being processed",
    )


def to_wire_item(deployment: Deployment, url: str) -> wire.DeploymentListItem:
    return wire.DeploymentListItem(
        id=deployment.short_id,
        app_name=deployment.app_name,
        image=deployment.spec.image,
        status=deployment.status.value,
        url=url,
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
        id=deployment.short_id,
        app_name=deployment.app_name,
        image=spec.image,
        status=deployment.status.value,
        url=url,
        port=spec.port,
        replicas=deployment.replicas,
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
        created_at=deployment.created_at,
        updated_at=deployment.updated_at,
        deployed_at=deployment.deployed_at,
        reason=deployment.reason,
        message=deployment.message,
        error_message=deployment.error_message,
    )


def to_wire_updated(deployment: Deployment) -> wire.DeploymentUpdateResponse:
    return wire.DeploymentUpdateResponse(
        id=deployment.short_id,
        status="updating",
        message="Deployment update in progress",
        updated_at=deployment.updated_at,
    )


def to_wire_scaled(deployment: Deployment) -> wire.ScaleResponse:
    return wire.ScaleResponse(
        id=deployment.short_id,
        replicas=deployment.replicas,
        status="scaling",
        message="Deployment scaling in progress",
    )


def to_wire_stopping(deployment: Deployment) -> wire.DeploymentActionResponse:
    return wire.DeploymentActionResponse(
        id=deployment.short_id, status="stopping", message="Deployment is being stopped"
    )


def to_wire_starting(deployment: Deployment) -> wire.DeploymentActionResponse:
    return wire.DeploymentActionResponse(
        id=deployment.short_id, status="starting", message="Deployment is being started"
    )


# --- status, events


def to_wire_status(state: DeploymentState) -> wire.DeploymentStatusResponse:
    return wire.DeploymentStatusResponse(
        status=state.status.value,
        health=state.health.value,
        replicas=wire.ReplicaCounts(desired=state.desired, ready=state.ready, available=state.available),
        last_health_check=state.last_health_check,
        uptime=format_uptime(state.uptime_seconds),
        restart_count=state.restart_count,
        reason=state.reason,
        message=state.message,
        error_message=state.error_message,
    )


def to_wire_event(notification: Notification) -> wire.EventFrame:
    return wire.EventFrame(
        type=notification.kind.value,
        deployment_id=notification.deployment_short_id,
        timestamp=notification.at,
        data=dict(notification.data),
    )


def event_text(notification: Notification) -> str:
    """A frame of the events socket."""
    return to_wire_event(notification).model_dump_json(by_alias=True)
