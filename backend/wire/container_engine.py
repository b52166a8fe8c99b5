"""Wire models of the `container-engine` surface (camelCase JSON, base path `/v1`)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from backend.wire.observed import LogEntry as LogEntry
from backend.wire.observed import LogsResponse as LogsResponse
from backend.wire.observed import MetricPoint as MetricPoint
from backend.wire.observed import MetricSeriesModel as MetricSeriesModel
from backend.wire.observed import MetricsResponse as MetricsResponse
from backend.wire.timestamps import GivenTime, Timestamp

Status = Literal["pending", "running", "stopped", "failed", "updating", "scaling", "stopping", "starting"]
StatusFilter = Literal["pending", "running", "stopped", "failed"]


class _Request(BaseModel):
    """A request body: an unknown field is an error, and no type is bent."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True)


class _Response(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class ErrorDetail(_Response):
    code: str
    message: str
    details: dict[str, Any] | None = None


class ErrorResponse(_Response):
    error: ErrorDetail


class MessageResponse(_Response):
    message: str


class Pagination(_Response):
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


class RegisterResponse(_Response):
    id: str
    username: str
    email: str
    created_at: Timestamp
    status: Literal["active"] = "active"


class LoginRequest(_Request):
    email: str
    password: str


class UserSummary(_Response):
    id: str
    username: str
    email: str


class LoginResponse(_Response):
    access_token: str
    refresh_token: str
    expires_at: Timestamp
    user: UserSummary


class RefreshRequest(_Request):
    refresh_token: str


class RefreshResponse(_Response):
    access_token: str
    expires_at: Timestamp


class ApiKeyCreateRequest(_Request):
    name: str
    description: str = ""
    expires_at: GivenTime | None = None


class ApiKeyResponse(_Response):
    """`prefix` is what the key begins with: all of it that is not secret."""

    id: str
    name: str
    description: str
    prefix: str
    created_at: Timestamp
    expires_at: Timestamp | None
    last_used: Timestamp | None


class ApiKeyCreateResponse(ApiKeyResponse):
    api_key: str


class ApiKeyListResponse(_Response):
    api_keys: list[ApiKeyResponse]
    pagination: Pagination


class ProfileResponse(_Response):
    id: str
    username: str
    email: str
    created_at: Timestamp
    last_login: Timestamp | None
    deployment_count: int
    api_key_count: int


class ProfileUpdateRequest(_Request):
    username: str | None = None
    email: str | None = None


class ProfileUpdateResponse(_Response):
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
    initial_delay_seconds: int = 5
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


class DeploymentCreateResponse(_Response):
    id: str
    app_name: str
    image: str
    status: Status
    url: str
    created_at: Timestamp
    message: str


class DeploymentListItem(_Response):
    id: str
    app_name: str
    image: str
    status: Status
    url: str
    replicas: int
    created_at: Timestamp
    updated_at: Timestamp


class DeploymentListResponse(_Response):
    deployments: list[DeploymentListItem]
    pagination: Pagination


class ResourcesResponse(_Response):
    cpu: str
    memory: str


class HealthCheckResponse(_Response):
    path: str
    initial_delay_seconds: int
    period_seconds: int
    timeout_seconds: int
    failure_threshold: int


class DeploymentDetailResponse(DeploymentListItem):
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


class DeploymentUpdateResponse(_Response):
    id: str
    status: Status
    message: str
    updated_at: Timestamp


class ScaleRequest(_Request):
    replicas: int


class ScaleResponse(_Response):
    id: str
    replicas: int
    status: Status
    message: str


class DeploymentActionResponse(_Response):
    id: str
    status: Status
    message: str


# --- custom domains ---------------------------------------------------------------------------------------


class DomainAddRequest(_Request):
    domain: str


class DnsRecordModel(_Response):
    type: str
    name: str
    value: str


class DomainAddResponse(_Response):
    """`verification` is the record that, beside an address record, stands in for the CNAME."""

    id: str
    domain: str
    status: Literal["pending"]
    created_at: Timestamp
    dns_records: list[DnsRecordModel]
    verification: DnsRecordModel


class DomainListItem(_Response):
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


class DomainListResponse(_Response):
    domains: list[DomainListItem]


# --- status, events: logs and metrics are in backend.wire.observed -----------------------------------------


class ReplicaCounts(_Response):
    desired: int
    ready: int
    available: int


class DeploymentStatusResponse(_Response):
    status: Status
    health: str
    replicas: ReplicaCounts
    last_health_check: Timestamp | None
    uptime: str
    restart_count: int
    reason: str
    message: str
    error_message: str | None


class EventFrame(_Response):
    type: str
    deployment_id: str
    timestamp: Timestamp
    data: dict[str, Any]
