"""Wire models of our own surface, mounted at `/pilothouse/v1`: what no document has.

Live socket, `GET /pilothouse/v1/live` (WebSocket, JSON text frames; credential in the header or `?token=`):

- The server sends `hello`, then one `snapshot` (all deployments of the caller's tenant), then `delta` frames, each
  with `seq` one higher than the last. A client that sees a gap sends `{"op": "resync"}` and gets a snapshot.
- The client subscribes per topic: `{"op": "subscribe", "id": 1, "topic": "logs", "deploymentId": "dpl-...",
  "tail": 500, "cursor": null}`; `topic: "metrics"` with `intervalSeconds`; `topic: "journal"` with `limit`;
  without a `deploymentId` the journal is that of all the caller's deployments; `topic: "environments"`, and
  `topic: "environment_logs"` with an `environmentId` (`backend.wire.pilothouse_environments`).
  `{"op": "unsubscribe", "id": 1}` ends it. `id` is the client's own number. Log frames are batches.
- The server closes with 1008 where a token ends and 1013 where the client reads too slowly.

Terminal sockets, `GET /pilothouse/v1/deployments/{id}/terminal?replica=&session=&columns=80&rows=24&command=` and
`GET /pilothouse/v1/environments/{id}/terminal?session=main&columns=80&rows=24&command=` (WebSocket):
binary frames are bytes of the terminal, both ways; text frames are JSON control messages: client
`{"type": "resize", "columns": 120, "rows": 40}`; server `{"type": "ready", "replica": "...", "command": "..."}`,
`{"type": "size", "columns": 120, "rows": 40}`, `{"type": "exit", "code": 0, "reason": "exited", "message": "..."}` and
`{"type": "error", "message": "..."}`.

- A session goes on when its socket ends, also when the backend does; a later socket gets its screen and scrollback
  first (`resumed` in `ready`). A client that closes its socket with 4410 ends the session too. A deployment's session
  that was begun with `&linger=600` ends when nobody has viewed it for so many seconds. A deployment's terminal without
  `session` is a fresh shell that ends with its socket.
- Several sockets may view a session. Its size is that of the one that was active last: `size` tells the others.
- The server answers what programs ask of a terminal (device attributes, the cursor's place) where `answers` in `ready`
  is `server`, and does not send such questions on.
- A socket that reads too slowly to keep up with the others, or that reads nothing for 2 seconds, misses output and gets
  the screen anew when it reads again.
- It closes with 1000 where the process ended by itself, 1003 for a message that is not understood, 1008 where the
  credential ended, 1012 where the server ends or restarts (the session goes on), 1013 where the holder of the sessions
  or the engine was lost (try again), 4000 and HTTP's status where it could not be opened (4404, 4409, 4429, 4503), 4409
  where the container stopped, 4410 where the session was ended or its container removed, and 4408 where the program
  did not read this socket's input for a minute.
- `GET /pilothouse/v1/environments/{id}/terminals` lists the sessions, `DELETE .../terminals/{session}` ends one.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from backend.wire.pilothouse_environments import EnvironmentsFrame
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
    HelloFrame
    | SnapshotFrame
    | DeltaFrame
    | LogsFrame
    | MetricsFrame
    | JournalFrame
    | EnvironmentsFrame
    | SubscriptionErrorFrame,
    Field(discriminator="type"),
]
SERVER_FRAME: TypeAdapter[ServerFrame] = TypeAdapter(ServerFrame)


class SubscribeOp(_Model):
    op: Literal["subscribe"] = "subscribe"
    id: int
    topic: Literal["logs", "metrics", "journal", "environments", "environment_logs"]
    deployment_id: str = ""
    environment_id: str = ""
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
    """`replica` is the container's name. `resumed` where the session was there before; `session` is empty for a shell
    that ends with its socket. `answers` tells who answers what programs ask of their terminal."""

    type: Literal["ready"] = "ready"
    replica: str
    command: str
    session: str = ""
    resumed: bool = False
    answers: Literal["server", "client"] = "client"


class TerminalSize(_Model):
    """The session has this size now."""

    type: Literal["size"] = "size"
    columns: int
    rows: int


class TerminalExit(_Model):
    """`reason` is `exited`, `ended`, `container_stopped`, `container_removed`, `engine_lost` or `input_stuck`."""

    type: Literal["exit"] = "exit"
    code: int | None
    reason: str = "exited"
    message: str = ""


class TerminalError(_Model):
    type: Literal["error"] = "error"
    message: str


class TerminalResize(_Model):
    type: Literal["resize"] = "resize"
    columns: int = Field(ge=1, le=1000)
    rows: int = Field(ge=1, le=1000)


class TerminalSessionModel(_Model):
    """A session that is held. `title` is what its program set."""

    name: str
    command: str
    title: str
    columns: int
    rows: int
    viewers: int
    started_at: Timestamp
    last_output_at: Timestamp | None
    last_input_at: Timestamp | None


class TerminalSessionsResponse(_Model):
    """`GET /pilothouse/v1/environments/{id}/terminals`: the oldest first."""

    sessions: list[TerminalSessionModel]
