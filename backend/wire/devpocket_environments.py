"""Wire models of the `devpocket` surface: environments, templates, and the frames of their sockets."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from backend.wire.devpocket import Request
from backend.wire.timestamps import Timestamp

Status = Literal["creating", "installing", "running", "stopped", "terminated", "error"]
Category = Literal["programming_language", "framework", "database", "devops", "operating_system"]
TemplateStatus = Literal["active", "deprecated", "beta"]
# Numbers and truths are written as the text that a shell would have.
Variables = dict[str, str | bool | int | float]


class ResourcesModel(Request):
    """Kubernetes quantities, such as 500m, 1Gi, 10Gi; what is left out comes from the template, or stays."""

    cpu: str | None = None
    memory: str | None = None
    storage: str | None = None


class ResourcesResponse(BaseModel):
    cpu: str
    memory: str
    storage: str


# --- environments -----------------------------------------------------------------------------------------


class EnvironmentCreateRequest(Request):
    """`idle_stop_minutes` 0 leaves an idle environment running; without `cluster_id` it runs on the local engine."""

    name: str
    template_id: str
    description: str | None = None
    resources: ResourcesModel | None = None
    environment_variables: Variables = Field(default_factory=dict)
    port: int | None = None
    cluster_id: str | None = None
    idle_stop_minutes: int = 0


class EnvironmentUpdateRequest(Request):
    """What is left out stays; `environment_variables` replaces all of them."""

    name: str | None = None
    description: str | None = None
    docker_image: str | None = None
    resources: ResourcesModel | None = None
    environment_variables: Variables | None = None
    port: int | None = None
    idle_stop_minutes: int | None = None


class EnvironmentResponse(BaseModel):
    """`reason` is a finer word for the status, `message` a sentence, `error_message` why it is in error."""

    id: str
    name: str
    description: str | None
    template_id: str
    template_name: str
    status: Status
    docker_image: str
    port: int
    resources: ResourcesResponse
    environment_variables: dict[str, str]
    installation_completed: bool
    created_at: Timestamp
    updated_at: Timestamp
    last_activity: Timestamp | None
    cluster_id: str | None
    idle_stop_minutes: int
    reason: str
    message: str
    error_message: str | None


class EnvironmentListResponse(RootModel[list[EnvironmentResponse]]):
    """A bare array, newest first."""


class CpuUsage(BaseModel):
    """In cores, and in percent of the limit; null while it is not known."""

    usage: float | None
    limit: str
    percent: float | None


class BytesUsage(BaseModel):
    """In bytes, and in percent of the limit; null while it is not known."""

    usage: int | None
    limit: str
    percent: float | None


class StorageUsage(BytesUsage):
    """`enforced` tells whether the engine refuses to write beyond the limit."""

    enforced: bool


class EnvironmentMetricsResponse(BaseModel):
    environment_id: str
    environment_name: str
    cpu: CpuUsage
    memory: BytesUsage
    storage: StorageUsage
    timestamp: Timestamp


class LogLineModel(BaseModel):
    timestamp: Timestamp
    level: str
    message: str
    source: str


class EnvironmentLogsResponse(BaseModel):
    """The newest lines, oldest first; `has_more` where older ones were left out."""

    environment_id: str
    environment_name: str
    logs: list[LogLineModel]
    total_lines: int
    has_more: bool


# --- templates --------------------------------------------------------------------------------------------


class TemplateCreateRequest(Request):
    name: str
    display_name: str
    docker_image: str
    category: Category
    description: str = ""
    tags: list[str] = Field(default_factory=list)
    default_port: int = 8080
    default_resources: ResourcesModel | None = None
    environment_variables: Variables = Field(default_factory=dict)
    startup_commands: list[str] = Field(default_factory=list)
    documentation_url: str | None = None
    icon_url: str | None = None
    status: TemplateStatus = "active"
    version: str = "1.0.0"


class TemplateUpdateRequest(Request):
    """What is left out, or null, stays; an empty address clears it."""

    name: str | None = None
    display_name: str | None = None
    docker_image: str | None = None
    category: Category | None = None
    description: str | None = None
    tags: list[str] | None = None
    default_port: int | None = None
    default_resources: ResourcesModel | None = None
    environment_variables: Variables | None = None
    startup_commands: list[str] | None = None
    documentation_url: str | None = None
    icon_url: str | None = None
    status: TemplateStatus | None = None
    version: str | None = None


class TemplateResponse(BaseModel):
    id: str
    name: str
    display_name: str
    description: str
    category: Category
    tags: list[str]
    docker_image: str
    default_port: int
    default_resources: ResourcesResponse
    environment_variables: dict[str, str]
    startup_commands: list[str]
    documentation_url: str | None
    icon_url: str | None
    status: TemplateStatus
    version: str
    created_at: Timestamp
    updated_at: Timestamp
    usage_count: int


class TemplateListResponse(RootModel[list[TemplateResponse]]):
    """A bare array."""


# --- frames -----------------------------------------------------------------------------------------------


class ClientFrame(BaseModel):
    """What clients send; fields that are not known are passed over."""

    model_config = ConfigDict(strict=True)


class InputFrame(ClientFrame):
    type: Literal["input"]
    data: str


class ResizeFrame(ClientFrame):
    type: Literal["resize"]
    cols: int = Field(ge=1, le=1000)
    rows: int = Field(ge=1, le=1000)


class PingFrame(ClientFrame):
    type: Literal["ping"]


class PongFrame(BaseModel):
    type: Literal["pong"] = "pong"


class OutputFrame(BaseModel):
    type: Literal["output"] = "output"
    data: str


class ErrorFrame(BaseModel):
    type: Literal["error"] = "error"
    message: str


class LogFrame(BaseModel):
    type: Literal["log"] = "log"
    data: LogLineModel


class InstallationLogFrame(BaseModel):
    type: Literal["installation_log"] = "installation_log"
    environment_id: str
    timestamp: Timestamp
    data: str


class InstallationStatusFrame(BaseModel):
    """`status` is the step that begins, in a word or a few."""

    type: Literal["installation_status"] = "installation_status"
    environment_id: str
    timestamp: Timestamp
    status: str


class InstallationCompleteFrame(BaseModel):
    type: Literal["installation_complete"] = "installation_complete"
    environment_id: str
    timestamp: Timestamp
    message: str


class InstallationErrorFrame(BaseModel):
    type: Literal["installation_error"] = "installation_error"
    environment_id: str
    timestamp: Timestamp
    error: str
