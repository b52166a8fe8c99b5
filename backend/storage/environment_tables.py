"""The tables of environments: clusters to run on, templates to make from, and the environments themselves."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.storage.columns import time_field


class ClusterRow(SQLModel, table=True):
    """A place to run environments on. The installation's own engine has no tenant and nothing `sealed`; of the others
    that is what they are reached with, encrypted."""

    __tablename__ = "clusters"
    id: str = Field(primary_key=True, max_length=36)
    short_id: str = Field(unique=True, max_length=14)
    tenant_id: str | None = Field(default=None, foreign_key="tenants.id", max_length=36)
    name: str = Field(max_length=63)
    name_key: str = Field(unique=True, max_length=255)
    description: str | None = Field(default=None, max_length=2000)
    kind: str = Field(max_length=12)
    provider: str = Field(max_length=63)
    region: str = Field(max_length=63)
    sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    status: str = Field(max_length=12)
    node_count: int
    created_at: datetime = time_field()
    updated_at: datetime = time_field()


class TemplateRow(SQLModel, table=True):
    """What environments are made from. Without a tenant it is everybody's. `sealed` holds the environment values,
    encrypted."""

    __tablename__ = "templates"
    id: str = Field(primary_key=True, max_length=36)
    short_id: str = Field(unique=True, max_length=14)
    tenant_id: str | None = Field(default=None, foreign_key="tenants.id", index=True, max_length=36)
    name: str = Field(unique=True, max_length=63)
    display_name: str = Field(max_length=100)
    description: str = Field(max_length=2000)
    category: str = Field(max_length=30)
    tags: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    image: str = Field(max_length=512)
    default_port: int
    cpu: str = Field(max_length=32)
    memory: str = Field(max_length=32)
    storage: str = Field(max_length=32)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    startup_commands: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    documentation_url: str | None = Field(default=None, max_length=2048)
    icon_url: str | None = Field(default=None, max_length=2048)
    status: str = Field(max_length=10)
    version: str = Field(max_length=40)
    usage_count: int = 0
    created_at: datetime = time_field()
    updated_at: datetime = time_field()


class EnvironmentRow(SQLModel, table=True):
    """Desired state, the status last observed, and how far the work on it has come.

    `name_key` is the case-folded name, and none once it is being deleted. `sealed` holds the environment values,
    encrypted. The installation belongs to the container `container_id`: `step_begun` and `steps_done` count its
    startup commands. `restarts_done` runs after `restarts_asked`. `home` and `home_uid` tell where its volume is
    mounted and for whom it was last made writable.
    """

    __tablename__ = "environments"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name_key"),
        Index("ix_environments_tenant_created", "tenant_id", "created_at", "id"),
    )
    id: str = Field(primary_key=True, max_length=36)
    short_id: str = Field(unique=True, max_length=14)
    tenant_id: str = Field(foreign_key="tenants.id", max_length=36)
    created_by: str = Field(index=True, max_length=36)
    name: str = Field(max_length=63)
    name_key: str | None = Field(default=None, max_length=255)
    description: str | None = Field(default=None, max_length=2000)
    template_id: str = Field(foreign_key="templates.id", index=True, max_length=36)
    template_name: str = Field(max_length=100)
    cluster_id: str | None = Field(default=None, index=True, max_length=36)
    image: str = Field(max_length=512)
    digest: str = Field(max_length=600)
    port: int
    cpu: str = Field(max_length=32)
    memory: str = Field(max_length=32)
    storage: str = Field(max_length=32)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    startup_commands: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    desired: str = Field(max_length=10)
    generation: int
    status: str = Field(max_length=10)
    reason: str = Field(default="", max_length=40)
    message: str = ""
    error_message: str | None = None
    installation_completed: bool = False
    idle_stop_minutes: int = 0
    restarts_asked: int = 0
    restarts_done: int = 0
    container_id: str | None = Field(default=None, max_length=64)
    step_begun: int = 0
    steps_done: int = 0
    home: str | None = Field(default=None, max_length=4096)
    home_uid: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    created_at: datetime = time_field()
    updated_at: datetime = time_field()
    started_at: datetime | None = time_field(nullable=True)
    last_activity: datetime | None = time_field(nullable=True)


class InstallEventRow(SQLModel, table=True):
    """One line or step of an environment's last installation. `text` is what programs wrote."""

    __tablename__ = "environment_install_events"
    environment_id: str = Field(foreign_key="environments.id", primary_key=True, max_length=36, ondelete="CASCADE")
    sequence: int = Field(primary_key=True)
    tenant_id: str = Field(max_length=36)
    kind: str = Field(max_length=24)
    text: str
    at: datetime = time_field()
