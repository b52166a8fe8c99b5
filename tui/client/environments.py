"""The environments as last told by the live feed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.wire.pilothouse_environments import EnvironmentModel, EnvironmentsFrame, EnvironmentUsageModel


@dataclass(slots=True)
class EnvironmentState:
    """By id. `known` says that the list came at least once; it stays while the connection is down."""

    environments: dict[str, EnvironmentModel] = field(default_factory=dict)
    usage: dict[str, EnvironmentUsageModel] = field(default_factory=dict)
    known: bool = False

    def take(self, frame: EnvironmentsFrame) -> None:
        if frame.complete:
            self.environments = {}
            self.known = True
        for environment in frame.environments:
            self.environments[environment.id] = environment
        for gone in frame.removed:
            self.environments.pop(gone, None)
        for usage in frame.usage:
            self.usage[usage.environment_id] = usage
        for gone in self.usage.keys() - self.environments.keys():
            del self.usage[gone]
