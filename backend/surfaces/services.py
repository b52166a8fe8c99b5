"""What a surface may call: the services that the composition root built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.services.accounts import AccountService
    from backend.services.clusters import ClusterService
    from backend.services.deployments import DeploymentService
    from backend.services.domains import DomainService
    from backend.services.environment_feed import EnvironmentFeed
    from backend.services.environments.service import EnvironmentService
    from backend.services.environments.templates import TemplateService
    from backend.services.event_bus import EventBus
    from backend.services.live import LiveService
    from backend.services.logs import LogService
    from backend.services.metrics import MetricService
    from backend.services.notifications import NotificationService
    from backend.services.settling import SettlingService
    from backend.services.socket_slots import SocketSlots
    from backend.services.system import SystemService
    from backend.services.terminal_sessions import TerminalSessions
    from backend.services.terminals import TerminalService


@dataclass(frozen=True, slots=True)
class InstallationFacts:
    """What does not change while the backend runs. `base_urls` has each surface's base address by its name;
    `environment` is `development` while only this machine reaches the listeners, else `production`."""

    version: str
    installation: str
    data_dir: str
    ingress_port: int
    domain_suffix: str
    base_urls: Mapping[str, str]
    environment: str = "development"


@dataclass(frozen=True, slots=True)
class Services:
    """One of each, shared by every surface and listener. `max_body_bytes` bounds a request's body;
    `socket_slots` are those of the DevPocket document."""

    accounts: AccountService
    clusters: ClusterService
    deployments: DeploymentService
    domains: DomainService
    environments: EnvironmentService
    environment_feed: EnvironmentFeed
    templates: TemplateService
    events: EventBus
    settling: SettlingService
    notifications: NotificationService
    logs: LogService
    metrics: MetricService
    live: LiveService
    terminals: TerminalService
    system: SystemService
    facts: InstallationFacts
    max_body_bytes: int
    terminal_sessions: TerminalSessions
    socket_slots: SocketSlots
