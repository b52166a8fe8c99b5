"""Wire models of the `container-engine-snake` surface (snake_case JSON, uuids, base path `/v1`).

Logs and metrics are in `backend.wire.observed`.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.wire.timestamps import GivenTime, Timestamp

# Every change under way is "updating" here.
Status = Literal["pending", "running", "stopped", "failed", "updating"]
ServiceHealth = Literal["healthy", "unhealthy"]


class _Request(BaseModel):
    """A request body: an unknown field is an error, and no type is bent."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ErrorDetail(BaseModel):
    message: str
    details: str | None = None


class ErrorResponse(BaseModel):
    error: ErrorDetail


class MessageResponse(BaseModel):
    message: str


class Pagination(BaseModel):
    page: int
    limit: int
    total: int
    total_pages: int


# --- accounts ---------------------------------------------------------------------------------------------


class RegisterRequest(_Request):
    username: str
    email: str
    password: str
    confirm_password: str


class LoginRequest(_Request):
    email: str
    password: str


class UserSummary(BaseModel):
    id: str
    username: str
    email: str


class LoginResponse(BaseModel):
    """Also the answer to registering, which logs in."""

    access_token: str
    refresh_token: str
    expires_at: Timestamp
    user: UserSummary


class RefreshRequest(_Request):
    refresh_token: str


class RefreshResponse(BaseModel):
    access_token: str
    expires_at: Timestamp


class ForgotPasswordRequest(_Request):
    email: str


class ResetPasswordRequest(_Request):
    token: str
    new_password: str


class ApiKeyCreateRequest(_Request):
    name: str
    description: str = ""
    expires_at: GivenTime | None = None


class ApiKeyCreateResponse(BaseModel):
    """`key` is the secret, shown this once."""

    id: str
    name: str
    key: str
    description: str
    key_prefix: str
    created_at: Timestamp
    expires_at: Timestamp | None


class ApiKeyResponse(BaseModel):
    id: str
    name: str
    description: str
    key_prefix: str
    created_at: Timestamp
    expires_at: Timestamp | None
    last_used: Timestamp | None


class ApiKeyListResponse(BaseModel):
    api_keys: list[ApiKeyResponse]
    pagination: Pagination


class ProfileResponse(BaseModel):
    id: str
    username: str
    email: str
    created_at: Timestamp
    last_login: Timestamp | None
    is_active: bool


class ProfileUpdateRequest(_Request):
    username: str | None = None
    email: str | None = None


class ProfileUpdateResponse(BaseModel):
    id: str
    username: str
    email: str
    updated_at: Timestamp


class PasswordChangeRequest(_Request):
    current_password: str
    new_password: str
    confirm_new_password: str


# --- deployments ------------------------------------------------------------------------------------------


class ResourcesModel(_Request):
    cpu: str | None = None
    memory: str | None = None


class HealthCheckModel(_Request):
    path: str
    initial_delay_seconds: int = 30
    period_seconds: int = 10
    timeout_seconds: int = 5
    failure_threshold: int = 3


class RegistryAuthModel(_Request):
    username: str
    password: str


class DeploymentCreateRequest(_Request):
    app_name: str
    image: str
    port: int
    env_vars: dict[str, str] = Field(default_factory=dict)
    replicas: int = 1
    resources: ResourcesModel | None = None
    health_check: HealthCheckModel | None = None
    registry_auth: RegistryAuthModel | None = None


class DeploymentCreateResponse(BaseModel):
    """`url` is null until the first deployment is through."""

    id: str
    app_name: str
    image: str
    status: Status
    url: str | None
    created_at: Timestamp
    message: str


class DeploymentListItem(BaseModel):
    id: str
    app_name: str
    image: str
    status: Status
    url: str | None
    replicas: int
    created_at: Timestamp
    updated_at: Timestamp


class DeploymentListResponse(BaseModel):
    deployments: list[DeploymentListItem]
    pagination: Pagination


class ResourcesResponse(BaseModel):
    cpu: str
    memory: str


class HealthCheckResponse(BaseModel):
    path: str
    initial_delay_seconds: int
    period_seconds: int
    timeout_seconds: int
    failure_threshold: int


class DeploymentDetailResponse(DeploymentListItem):
    """`reason` is a finer word for the status, `message` a sentence."""

    user_id: str
    port: int
    env_vars: dict[str, str]
    resources: ResourcesResponse
    health_check: HealthCheckResponse | None
    deployed_at: Timestamp | None
    reason: str
    message: str
    error_message: str | None


class DeploymentUpdateRequest(_Request):
    image: str | None = None
    env_vars: dict[str, str] | None = None
    replicas: int | None = None
    resources: ResourcesModel | None = None


class DeploymentUpdateResponse(BaseModel):
    id: str
    status: Status
    message: str
    updated_at: Timestamp


class ScaleRequest(_Request):
    replicas: int


class DeploymentScaleResponse(BaseModel):
    id: str
    replicas: int
    status: Status
    message: str


class DeploymentStopResponse(BaseModel):
    id: str
    status: Status
    message: str


class DeploymentStartResponse(BaseModel):
    id: str
    status: Status
    replicas: int
    message: str


class DeploymentDeleteResponse(BaseModel):
    """`namespace_deleted` is false where containers were still being removed when the wait was over."""

    message: str
    deployment_id: str
    app_name: str
    namespace_deleted: bool


class ReplicaCounts(BaseModel):
    desired: int
    ready: int
    available: int


class DeploymentStatusResponse(BaseModel):
    status: Status
    health: str
    replicas: ReplicaCounts
    last_health_check: Timestamp | None
    uptime: str
    restart_count: int
    reason: str
    message: str
    error_message: str | None


# --- domains ----------------------------------------------------------------------------------------------


class DomainAddRequest(_Request):
    domain: str


class DnsRecordModel(BaseModel):
    type: str
    name: str
    value: str


class DomainAddResponse(BaseModel):
    """`verification` is the record that, beside an address record, stands in for the CNAME."""

    id: str
    domain: str
    status: Literal["pending"]
    created_at: Timestamp
    dns_records: list[DnsRecordModel]
    verification: DnsRecordModel


class DomainListItem(BaseModel):
    """`reason` says what is missing while the domain is not active; `verified_at` is null until it first was."""

    id: str
    domain: str
    status: Literal["pending", "active", "failed"]
    created_at: Timestamp
    verified_at: Timestamp | None
    reason: str | None
    checked_at: Timestamp | None
    next_check_at: Timestamp | None
    dns_records: list[DnsRecordModel]
    verification: DnsRecordModel


class DomainListResponse(BaseModel):
    domains: list[DomainListItem]


# --- notifications and health -----------------------------------------------------------------------------


class NotificationFrame(BaseModel):
    type: str
    deployment_id: str
    timestamp: Timestamp
    data: dict[str, Any]


class TestNotificationResponse(BaseModel):
    message: str
    connections_notified: int
    notification: NotificationFrame


class NotificationStatsResponse(BaseModel):
    """Figures of the caller's tenant since the server started; `notifications_failed` were lost with clients that read
    too slowly, which `connections_dropped` counts."""

    active_connections: int
    connected_users: int
    notifications_sent: int
    notifications_failed: int
    connections_dropped: int
    notifications_by_type: dict[str, int]
    webhooks_sent: int
    webhooks_failed: int
    last_notification_at: Timestamp | None
    timestamp: Timestamp


class HealthResponse(BaseModel):
    status: ServiceHealth
    service: str
    version: str
