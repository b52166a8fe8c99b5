"""Wire models of our own surface, mounted at `/pilothouse/v1`: what no document has.

Live socket, `GET /pilothouse/v1/live` (WebSocket, JSON text frames; credential in the header or `?token=`):

- The server sends `hello`, then one `snapshot` (all deployments of the caller's tenant), then `delta` frames, each
  with `seq` one higher than the last. A client that sees a gap sends `{"op": "resync"}` and gets a snapshot.
- The client subscribes per topic: `{"op": "subscribe", "id": 1, "topic": "logs", "deploymentId": "dpl-...",
  "tail": 500, "cursor": null}`; `topic: "metrics"` with `intervalSeconds`; `topic: "journal"` with `limit`;
  without a `deploymentId` the journal is that of all the caller's deployments.
  `{"op": "unsubscribe", "id": 1}` ends it. `id` is the client's own number. Log frames are batches.
- The server closes with 1008 where a token ends and 1013 where the client reads too slowly.

Terminal socket, `GET /pilothouse/v1/deployments/{id}/terminal?replica=&columns=80&rows=24&command=` (WebSocket):
binary frames are bytes of the terminal, both ways; text frames are JSON control messages: client
`{"type": "resize", "columns": 120, "rows": 40}`; server `{"type": "ready", "replica": "...", "command": "..."}`,
`{"type": "exit", "code": 0}` and `{"type": "error", "message": "..."}`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from backend.wire.timestamps import Timestamp


class _Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class LocalSessionResponse(_Model):
    """`POST /pilothouse/v1/session`, answered only on the unix socket: the local owner's tokens."""

    access_token: str
    refresh_token: str
    expires_at: Timestamp
    username: str


class ComponentStatus(_Model):
    """`status` is `ok`, `starting` or `down`; `message` says what is wrong and what to do."""

    status: Literal["ok", "starting", "down"]
    message: str


class SystemStatusResponse(_Model):
    """`GET /pilothouse/v1/system`: what the status bar shows."""

    version: str
    installation: str
    data_dir: str | None
    ingress_port: int
    domain_suffix: str
    storage: ComponentStatus
    engine: ComponentStatus
    ingress: ComponentStatus
    engine_version: str | None
    cpus: int | None
    memory_bytes: int | None
    base_urls: dict[str, str]


class ReplicaModel(_Model):
    name: str
    container_id: str
    generation: int
    ordinal: int
    phase: str
    address: str | None
    started_at: Timestamp | None
    restart_count: int
    exit_code: int | None
    oom_killed: bool
    message: str


class DeploymentModel(_Model):
    """A deployment as panels show it. CPU in cores, memory in bytes; None while unknown."""

    id: str
    app_name: str
    image: str
    digest: str
    status: str
    reason: str
    message: str
    error_message: str | None
    url: str
    port: int
    generation: int
    replicas: int
    ready: int
    health: str
    restart_count: int
    cpu_limit: str
    memory_limit: str
    created_at: Timestamp
    updated_at: Timestamp
    deployed_at: Timestamp | None
    started_at: Timestamp | None
    replica_list: list[ReplicaModel]


class LiveMetricModel(_Model):
    """CPU in cores, memory in bytes, latency in milliseconds; sums over the replicas."""

    deployment_id: str
    at: Timestamp
    cpu_cores: float
    memory_bytes: int
    memory_limit_bytes: int
    requests_per_second: float
    errors_per_second: float
    latency_p50_ms: float | None
    latency_p95_ms: float | None


class JournalEntryModel(_Model):
    """`actor` is a user's short id or `system`, `actor_name` the user's present name, where it is known."""

    sequence: int
    object_id: str
    generation: int
    kind: str
    actor: str
    actor_name: str = ""
    message: str
    data: dict[str, Any]
    at: Timestamp


class JournalResponse(_Model):
    """`GET /pilothouse/v1/deployments/{id}/journal?before=&limit=`: newest first."""

    entries: list[JournalEntryModel]


class LogRecordModel(_Model):
    """One line; `timestamp` is RFC 3339 with nanoseconds where known; `cursor` resumes after it."""

    timestamp: str
    level: str
    message: str
    replica: str
    stream: str
    cursor: str


class HelloFrame(_Model):
    type: Literal["hello"] = "hello"
    version: str
    installation: str


class SnapshotFrame(_Model):
    type: Literal["snapshot"] = "snapshot"
    seq: int
    deployments: list[DeploymentModel]
    metrics: list[LiveMetricModel]
    system: SystemStatusResponse


class DeltaFrame(_Model):
    """What changed since `seq - 1`: whole objects that replace the old ones by id, and ids that are gone."""

    type: Literal["delta"] = "delta"
    seq: int
    deployments: list[DeploymentModel] = Field(default_factory=list)
    removed: list[str] = Field(default_factory=list)
    metrics: list[LiveMetricModel] = Field(default_factory=list)
    system: SystemStatusResponse | None = None


class LogsFrame(_Model):
    """A batch for log subscription `id`. `dropped` counts lines lost because the client reads too slowly."""

    type: Literal["logs"] = "logs"
    id: int
    records: list[LogRecordModel]
    dropped: int = 0


class MetricsFrame(_Model):
    type: Literal["metrics"] = "metrics"
    id: int
    samples: list[LiveMetricModel]


class JournalFrame(_Model):
    type: Literal["journal"] = "journal"
    id: int
    entries: list[JournalEntryModel]


class SubscriptionErrorFrame(_Model):
    type: Literal["error"] = "error"
    id: int | None
    code: str
    message: str


ServerFrame = Annotated[
    HelloFrame | SnapshotFrame | DeltaFrame | LogsFrame | MetricsFrame | JournalFrame | SubscriptionErrorFrame,
    Field(discriminator="type"),
]
SERVER_FRAME: TypeAdapter[ServerFrame] = TypeAdapter(ServerFrame)


class SubscribeOp(_Model):
    op: Literal["subscribe"] = "subscribe"
    id: int
    topic: Literal["logs", "metrics", "journal"]
    deployment_id: str = ""
    tail: int = 500
    cursor: str | None = None
    interval_seconds: float = 2.0
    limit: int = 100


class UnsubscribeOp(_Model):
    op: Literal["unsubscribe"] = "unsubscribe"
    id: int


class ResyncOp(_Model):
    op: Literal["resync"] = "resync"


ClientOp = Annotated[SubscribeOp | UnsubscribeOp | ResyncOp, Field(discriminator="op")]
CLIENT_OP: TypeAdapter[ClientOp] = TypeAdapter(ClientOp)


class TerminalReady(_Model):
    type: Literal["ready"] = "ready"
    replica: str
    command: str


class TerminalExit(_Model):
    type: Literal["exit"] = "exit"
    code: int | None


class TerminalError(_Model):
    type: Literal["error"] = "error"
    message: str


class TerminalResize(_Model):
    type: Literal["resize"] = "resize"
    columns: int = Field(ge=1, le=1000)
    rows: int = Field(ge=1, le=1000)
