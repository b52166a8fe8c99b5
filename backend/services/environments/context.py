"""What all workers of environments share, and where they put things."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from backend.domain.engine import ImageUser
from backend.domain.environments import Environment, EnvironmentStatus
from backend.domain.terminals import EndReason
from backend.services.environments.changes import EnvironmentChanges
from backend.services.environments.places import Places
from backend.services.journal import Journal
from backend.storage.database import Database
from backend.storage.environments import EnvironmentQueries

_NOT_IN_HOST_NAMES = re.compile(r"[^a-z0-9]+")
FALLBACK_HOME = "/workspace"


EndTerminals = Callable[[str, EndReason, str], Awaitable[None]]


async def _no_terminals(environment_id: str, reason: EndReason, message: str) -> None:
    """There are none to tell."""


@dataclass(frozen=True, slots=True)
class EnvironmentOptions:
    """`holder` names this backend in leases and stays the same over restarts on one data folder."""

    installation: str
    holder: str
    lease_duration: timedelta = timedelta(seconds=30)
    stop_timeout_seconds: int = 10
    engine_calls_at_once: int = 3


@dataclass(frozen=True, slots=True)
class Progress:
    """What a worker is at, finer and fresher than what storage has. It speaks only beside the status `during`."""

    reason: str
    message: str
    during: EnvironmentStatus | None


@dataclass(slots=True)
class EnvironmentShared:
    """Handed to every worker."""

    options: EnvironmentOptions
    database: Database
    queries: EnvironmentQueries
    journal: Journal
    places: Places
    changes: EnvironmentChanges
    engine_slots: asyncio.Semaphore
    progress: dict[str, Progress] = field(default_factory=dict)
    # Tells the terminals of an environment why they end, before they do.
    end_terminals: EndTerminals = field(default=_no_terminals)

    def report(self, environment_id: str, reason: str, message: str, during: EnvironmentStatus | None = None) -> None:
        """Show progress to whoever looks, without writing it down."""
        news = Progress(reason, message, during)
        if self.progress.get(environment_id) != news:
            self.progress[environment_id] = news
            self.changes.notify(environment_id)

    def settled(self, environment_id: str) -> None:
        """Storage tells all there is to tell."""
        self.progress.pop(environment_id, None)
        self.changes.notify(environment_id)


def container_name(installation: str, environment: Environment) -> str:
    """`ph-<installation>-env-<id>-g<generation>`: a repeat after a crash finds its own half-done work."""
    return f"ph-{installation[:8]}-env-{environment.short_id[4:]}-g{environment.generation}"


def volume_name(installation: str, environment: Environment) -> str:
    """`ph-<installation>-env-<id>-home`."""
    return f"ph-{installation[:8]}-env-{environment.short_id[4:]}-home"


def host_name(environment: Environment) -> str:
    """The environment's name as its own shell shows it."""
    return _NOT_IN_HOST_NAMES.sub("-", environment.name.lower())[:40].strip("-") or environment.short_id


def home_of(user: ImageUser) -> str:
    """Where the home volume is mounted: the image user's home, else the folder that the image works in."""
    if user.home is not None:
        return user.home
    return user.working_dir if user.working_dir.startswith("/") and user.working_dir.strip("/") else FALLBACK_HOME
