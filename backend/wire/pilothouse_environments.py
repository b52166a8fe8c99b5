"""Wire models of our own surface for environments: what the live socket tells of them.

Topics of the live socket (`backend.wire.pilothouse`): `environments` has one frame with all environments of the caller,
then one for each change; `environment_logs` with an `environmentId` has the installation from its beginning and the
lines of the container as they come, as log frames.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from backend.wire.timestamps import Timestamp


class _Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class EnvironmentModel(_Model):
    """An environment as panels show it. Limits are Kubernetes quantities; `cluster_id` is None for the local engine."""

    id: str
    name: str
    description: str | None
    template_id: str
    template_name: str
    cluster_id: str | None
    image: str
    port: int
    status: str
    reason: str
    message: str
    error_message: str | None
    installation_completed: bool
    cpu_limit: str
    memory_limit: str
    storage_limit: str
    idle_stop_minutes: int
    generation: int
    created_at: Timestamp
    updated_at: Timestamp
    started_at: Timestamp | None
    last_activity: Timestamp | None


class EnvironmentUsageModel(_Model):
    """CPU in cores, sizes in bytes; None while it is not known. `storage_enforced` tells whether the engine refuses to
    write beyond the limit."""

    environment_id: str
    at: Timestamp
    cpu_cores: float | None
    cpu_limit_cores: float
    memory_bytes: int | None
    memory_limit_bytes: int
    storage_bytes: int | None
    storage_limit_bytes: int
    storage_enforced: bool


class EnvironmentsFrame(_Model):
    """For subscription `id`. With `complete` these are all there are, else those that changed and ids that are gone."""

    type: Literal["environments"] = "environments"
    id: int
    complete: bool = False
    environments: list[EnvironmentModel] = Field(default_factory=list)
    removed: list[str] = Field(default_factory=list)
    usage: list[EnvironmentUsageModel] = Field(default_factory=list)
