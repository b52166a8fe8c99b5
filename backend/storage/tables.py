"""The tables. Every row has its tenant; secrets are stored hashed or encrypted, never in clear."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.storage.columns import SEQUENCE, UTCDateTime, time_field


class InstallationRow(SQLModel, table=True):
    """One row: the random id that scopes every object on the engine, and the account of the local owner, once made."""

    __tablename__ = "installation"
    id: str = Field(primary_key=True, max_length=32)
    owner_id: str | None = Field(default=None, foreign_key="users.id", max_length=36)
    created_at: datetime = time_field()


class TenantRow(SQLModel, table=True):
    __tablename__ = "tenants"
    id: str = Field(primary_key=True, max_length=36)
    short_id: str = Field(unique=True, max_length=14)
    name: str = Field(max_length=255)
    created_at: datetime = time_field()


class UserRow(SQLModel, table=True):
    """`username_key` and `email_key` are case-folded and carry the uniqueness. `google_subject` is Google's own id of
    the person, where one logged in with it."""

    __tablename__ = "users"
    id: str = Field(primary_key=True, max_length=36)
    short_id: str = Field(unique=True, max_length=14)
    tenant_id: str = Field(foreign_key="tenants.id", index=True, max_length=36)
    username: str = Field(max_length=50)
    username_key: str = Field(unique=True, max_length=50)
    email: str = Field(max_length=254)
    email_key: str = Field(unique=True, max_length=254)
    password_hash: str | None = Field(default=None, max_length=255)
    role: str = Field(max_length=20)
    is_active: bool = True
    created_at: datetime = time_field()
    updated_at: datetime = time_field()
    last_login: datetime | None = time_field(nullable=True)
    full_name: str | None = Field(default=None, max_length=200)
    is_verified: bool = False
    avatar_url: str | None = Field(default=None, max_length=2048)
    subscription_plan: str = Field(default="free", max_length=40)
    google_subject: str | None = Field(default=None, max_length=255, unique=True, index=True)


class SessionRow(SQLModel, table=True):
    """A login. Its access tokens are valid while it is not revoked."""

    __tablename__ = "sessions"
    id: str = Field(primary_key=True, max_length=36)
    tenant_id: str = Field(max_length=36)
    user_id: str = Field(foreign_key="users.id", index=True, max_length=36)
    refresh_hash: str = Field(unique=True, max_length=64)
    created_at: datetime = time_field()
    expires_at: datetime = time_field()
    revoked_at: datetime | None = time_field(nullable=True)


class ApiKeyRow(SQLModel, table=True):
    __tablename__ = "api_keys"
    id: str = Field(primary_key=True, max_length=36)
    short_id: str = Field(unique=True, max_length=14)
    tenant_id: str = Field(max_length=36)
    user_id: str = Field(foreign_key="users.id", index=True, max_length=36)
    name: str = Field(max_length=100)
    description: str = Field(max_length=500)
    prefix: str = Field(max_length=16)
    secret_hash: str = Field(unique=True, max_length=64)
    created_at: datetime = time_field()
    expires_at: datetime | None = time_field(nullable=True)
    last_used: datetime | None = time_field(nullable=True)


class DeploymentRow(SQLModel, table=True):
    """Desired state and the status last observed. `name_key` is the app name while the row lives, which makes
    names unique per installation."""

    __tablename__ = "deployments"
    __table_args__ = (
        Index("ix_deployments_tenant_created", "tenant_id", "created_at", "id"),
        Index("ix_deployments_tenant_status", "tenant_id", "status", "created_at", "id"),
    )
    id: str = Field(primary_key=True, max_length=36)
    short_id: str = Field(unique=True, max_length=14)
    tenant_id: str = Field(foreign_key="tenants.id", max_length=36)
    created_by: str = Field(max_length=36)
    app_name: str = Field(unique=True, max_length=63)
    desired: str = Field(max_length=10)
    replicas: int
    generation: int
    stable_generation: int | None = None
    status: str = Field(max_length=10)
    reason: str = Field(default="", max_length=40)
    message: str = ""
    error_message: str | None = None
    restart_count: int = 0
    created_at: datetime = time_field()
    updated_at: datetime = time_field()
    deployed_at: datetime | None = time_field(nullable=True)
    started_at: datetime | None = time_field(nullable=True)
    last_health_check: datetime | None = time_field(nullable=True)


class GenerationRow(SQLModel, table=True):
    """What one generation of a deployment runs. `sealed` holds environment values and registry credentials,
    encrypted."""

    __tablename__ = "deployment_generations"
    deployment_id: str = Field(foreign_key="deployments.id", primary_key=True, max_length=36, ondelete="CASCADE")
    number: int = Field(primary_key=True)
    tenant_id: str = Field(max_length=36)
    image: str = Field(max_length=512)
    digest: str = Field(max_length=600)
    port: int
    cpu: str = Field(max_length=32)
    memory: str = Field(max_length=32)
    health_check: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = time_field()


class NetworkRow(SQLModel, table=True):
    """A tenant's subnet. `next_host` is where the search for a free address goes on, so that an address is not
    used again at once."""

    __tablename__ = "networks"
    tenant_id: str = Field(foreign_key="tenants.id", primary_key=True, max_length=36)
    subnet: str = Field(unique=True, max_length=43)
    next_host: int = 2
    created_at: datetime = time_field()


class AddressRow(SQLModel, table=True):
    """A fixed address on a tenant's network, held by one replica slot (container name)."""

    __tablename__ = "addresses"
    __table_args__ = (UniqueConstraint("tenant_id", "address"),)
    container_name: str = Field(primary_key=True, max_length=128)
    tenant_id: str = Field(foreign_key="networks.tenant_id", index=True, max_length=36)
    object_id: str = Field(index=True, max_length=36)
    address: str = Field(max_length=45)


class LeaseRow(SQLModel, table=True):
    """Who reconciles an object. `fence` grows with every holder; a write with an older fence is refused."""

    __tablename__ = "leases"
    object_id: str = Field(primary_key=True, max_length=36)
    tenant_id: str = Field(max_length=36)
    holder: str = Field(max_length=64)
    fence: int
    expires_at: datetime = time_field()


class JournalRow(SQLModel, table=True):
    __tablename__ = "journal"
    __table_args__ = (Index("ix_journal_object", "object_id", "sequence"),)
    sequence: int | None = Field(default=None, sa_column=Column(SEQUENCE, primary_key=True, autoincrement=True))
    tenant_id: str = Field(max_length=36)
    object_id: str = Field(max_length=36)
    object_short_id: str = Field(max_length=14)
    generation: int
    kind: str = Field(max_length=40)
    actor: str = Field(max_length=40)
    message: str
    data: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    at: datetime = time_field(index=True)


class MetricRow(SQLModel, table=True):
    """One bucket of one deployment. Sums and counts, so that coarser buckets are exact roll-ups."""

    __tablename__ = "metrics"
    deployment_id: str = Field(primary_key=True, max_length=36)
    resolution: str = Field(primary_key=True, max_length=2)
    bucket: datetime = Field(sa_column=Column(UTCDateTime, primary_key=True))
    tenant_id: str = Field(max_length=36)
    cpu_sum: float = 0.0
    memory_sum: float = 0.0
    samples: int = 0
    requests: int | None = None


class DomainRow(SQLModel, table=True):
    """A custom domain of a deployment. `name` is in lower case, A-labels. `proof` is the TXT token. `next_check_at`
    is also what a checker claims it by."""

    __tablename__ = "domains"
    id: str = Field(primary_key=True, max_length=36)
    short_id: str = Field(unique=True, max_length=14)
    tenant_id: str = Field(max_length=36)
    deployment_id: str = Field(foreign_key="deployments.id", index=True, max_length=36, ondelete="CASCADE")
    name: str = Field(unique=True, max_length=253)
    status: str = Field(max_length=10)
    reason: str = ""
    proof: str = Field(max_length=64)
    attempts: int = 0
    created_at: datetime = time_field()
    verified_at: datetime | None = time_field(nullable=True)
    checked_at: datetime | None = time_field(nullable=True)
    next_check_at: datetime | None = time_field(nullable=True, index=True)
    troubled_since: datetime | None = time_field(nullable=True)


class OutboxRow(SQLModel, table=True):
    """Something to deliver outside: a mail or a webhook call. `sealed` is its content, encrypted, since mails hold
    tokens. `source` names what it came from and makes repeats harmless."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "status", "next_attempt_at"),)
    id: str = Field(primary_key=True, max_length=36)
    tenant_id: str = Field(max_length=36)
    channel: str = Field(max_length=10)
    recipient: str = Field(max_length=2048)
    source: str = Field(unique=True, max_length=100)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    status: str = Field(max_length=10)
    attempts: int = 0
    last_error: str = ""
    created_at: datetime = time_field()
    next_attempt_at: datetime = time_field()
    finished_at: datetime | None = time_field(nullable=True)


class WebhookTargetRow(SQLModel, table=True):
    """A webhook address that answered 410 Gone, and is left alone until the setting changes."""

    __tablename__ = "webhook_targets"
    url: str = Field(primary_key=True, max_length=2048)
    disabled_at: datetime | None = time_field(nullable=True)
    reason: str = ""


class CursorRow(SQLModel, table=True):
    """How far a reader of the journal has come."""

    __tablename__ = "cursors"
    name: str = Field(primary_key=True, max_length=40)
    sequence: int = Field(sa_column=Column(SEQUENCE, nullable=False))


class PasswordResetRow(SQLModel, table=True):
    """A password reset that was asked for; its token is stored as a hash and works once."""

    __tablename__ = "password_resets"
    token_hash: str = Field(primary_key=True, max_length=64)
    tenant_id: str = Field(max_length=36)
    user_id: str = Field(foreign_key="users.id", index=True, max_length=36)
    created_at: datetime = time_field()
    expires_at: datetime = time_field()
    used_at: datetime | None = time_field(nullable=True)


class EmailVerificationRow(SQLModel, table=True):
    """A mail that asked whether an address is the user's; its token is stored as a hash and works once, for the address
    that it went to."""

    __tablename__ = "email_verifications"
    token_hash: str = Field(primary_key=True, max_length=64)
    tenant_id: str = Field(max_length=36)
    user_id: str = Field(foreign_key="users.id", index=True, max_length=36)
    email: str = Field(max_length=254)
    created_at: datetime = time_field()
    expires_at: datetime = time_field()
    used_at: datetime | None = time_field(nullable=True)


class InvitationRow(SQLModel, table=True):
    """An address that may make an account; the code is stored as a hash and works once."""

    __tablename__ = "invitations"
    code_hash: str = Field(primary_key=True, max_length=64)
    email_key: str = Field(index=True, max_length=254)
    created_at: datetime = time_field()
    expires_at: datetime = time_field()
    used_at: datetime | None = time_field(nullable=True)
