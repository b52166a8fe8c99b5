"""Development environments: a container from a template, with a home that is kept, and the templates themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

DEFAULT_CPU = "500m"
DEFAULT_MEMORY = "1Gi"
DEFAULT_STORAGE = "10Gi"


class TemplateCategory(StrEnum):
    PROGRAMMING_LANGUAGE = "programming_language"
    FRAMEWORK = "framework"
    DATABASE = "database"
    DEVOPS = "devops"
    OPERATING_SYSTEM = "operating_system"


class TemplateStatus(StrEnum):
    """A deprecated template makes no new environments; those made from it go on."""

    ACTIVE = "active"
    DEPRECATED = "deprecated"
    BETA = "beta"


class EnvironmentStatus(StrEnum):
    """Where an environment is now. The words are the DevPocket document's."""

    CREATING = "creating"
    INSTALLING = "installing"
    RUNNING = "running"
    STOPPED = "stopped"
    TERMINATED = "terminated"
    ERROR = "error"


class EnvironmentDesire(StrEnum):
    """What the user asked for."""

    RUNNING = "running"
    STOPPED = "stopped"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class EnvironmentResources:
    """Limits as Kubernetes quantities, kept as the user wrote them."""

    cpu: str = DEFAULT_CPU
    memory: str = DEFAULT_MEMORY
    storage: str = DEFAULT_STORAGE


@dataclass(frozen=True, slots=True)
class Template:
    """What environments are made from. `name` is a slug, unique; `usage_count` counts the environments ever made."""

    id: str
    short_id: str
    name: str
    display_name: str
    description: str
    category: TemplateCategory
    tags: tuple[str, ...]
    image: str
    default_port: int
    default_resources: EnvironmentResources
    env: Mapping[str, str]
    startup_commands: tuple[str, ...]
    documentation_url: str | None
    icon_url: str | None
    status: TemplateStatus
    version: str
    usage_count: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class TemplateRequest:
    """A template to make; validated by the service."""

    name: str
    display_name: str
    image: str
    category: TemplateCategory
    description: str = ""
    tags: tuple[str, ...] = ()
    default_port: int = 8080
    default_resources: EnvironmentResources = EnvironmentResources()
    env: Mapping[str, str] = field(default_factory=dict)
    startup_commands: tuple[str, ...] = ()
    documentation_url: str | None = None
    icon_url: str | None = None
    status: TemplateStatus = TemplateStatus.ACTIVE
    version: str = "1.0.0"


@dataclass(frozen=True, slots=True)
class TemplateChange:
    """A partial update: None leaves a field as it is; maps and lists are replaced whole. An empty address clears it."""

    name: str | None = None
    display_name: str | None = None
    image: str | None = None
    category: TemplateCategory | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None
    default_port: int | None = None
    cpu: str | None = None
    memory: str | None = None
    storage: str | None = None
    env: Mapping[str, str] | None = None
    startup_commands: tuple[str, ...] | None = None
    documentation_url: str | None = None
    icon_url: str | None = None
    status: TemplateStatus | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """Desired state, and the status last observed.

    `generation` counts the containers that were asked for: a change of what the container is made of (image, variables,
    port) raises it; stop, start and restart keep the container. `digest` pins the image. `cluster_id` names the place
    it runs on, None for the local engine.
    `reason` is a finer word for the status, `message` a sentence for people, `error_message` why it is in error.
    `idle_stop_minutes` is 0 where an idle environment is left running.
    """

    id: str
    short_id: str
    tenant_id: str
    created_by: str
    name: str
    description: str | None
    template_id: str
    template_name: str
    cluster_id: str | None
    image: str
    digest: str
    port: int
    resources: EnvironmentResources
    env: Mapping[str, str]
    startup_commands: tuple[str, ...]
    desired: EnvironmentDesire
    generation: int
    status: EnvironmentStatus
    reason: str
    message: str
    error_message: str | None
    installation_completed: bool
    idle_stop_minutes: int
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    last_activity: datetime | None


@dataclass(frozen=True, slots=True)
class EnvironmentWork:
    """How far the work on an environment has come, for whoever goes on with it.

    The installation belongs to the container `container_id`: of its startup commands `step_begun` were begun and
    `steps_done` have ended well. A restart is due while `restarts_done` is behind `restarts_asked`. `home` is where the
    volume is mounted, `home_uid` whom its files were last given to.
    """

    restarts_asked: int
    restarts_done: int
    container_id: str | None
    step_begun: int
    steps_done: int
    home: str | None
    home_uid: int | None


@dataclass(frozen=True, slots=True)
class EnvironmentRequest:
    """What a user asks for; what is None comes from the template. Validated by the service."""

    name: str
    template_id: str
    description: str | None = None
    port: int | None = None
    cpu: str | None = None
    memory: str | None = None
    storage: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    cluster_id: str | None = None
    idle_stop_minutes: int = 0


@dataclass(frozen=True, slots=True)
class EnvironmentChange:
    """A partial update: None leaves a field as it is; `env` replaces the whole map."""

    name: str | None = None
    description: str | None = None
    image: str | None = None
    port: int | None = None
    cpu: str | None = None
    memory: str | None = None
    storage: str | None = None
    env: Mapping[str, str] | None = None
    idle_stop_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class EnvironmentUsage:
    """What an environment uses now. CPU in cores, sizes in bytes; None where it is not known (it does not run, or the
    engine could not measure). `storage_enforced` tells whether the engine refuses to write beyond the limit."""

    at: datetime
    cpu_cores: float | None
    cpu_limit_cores: float
    memory_bytes: int | None
    memory_limit_bytes: int
    storage_bytes: int | None
    storage_limit_bytes: int
    storage_enforced: bool


class InstallEventKind(StrEnum):
    """The DevPocket document's message types."""

    LOG = "installation_log"
    STATUS = "installation_status"
    COMPLETE = "installation_complete"
    ERROR = "installation_error"


@dataclass(frozen=True, slots=True)
class InstallEvent:
    """One line or step of an installation, kept for late viewers. `sequence` grows within the environment."""

    environment_id: str
    sequence: int
    kind: InstallEventKind
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EnvironmentLogLine:
    """A line of an environment's log. `source` is `container` or `installation`."""

    at: datetime
    level: str
    message: str
    source: str


@dataclass(frozen=True, slots=True)
class EnvironmentLogs:
    """The newest lines asked for, oldest first; `has_more` where older ones were left out."""

    lines: tuple[EnvironmentLogLine, ...]
    total_lines: int
    has_more: bool
