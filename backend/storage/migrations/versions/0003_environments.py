"""Templates, development environments and what their installations said."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _text(name: str, length: int | None = None, *, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.String(length=length), nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> "sa.Column[datetime]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "templates",
        _text("id", 36),
        _text("short_id", 14),
        _text("tenant_id", 36, nullable=True),
        _text("name", 63),
        _text("display_name", 100),
        _text("description", 2000),
        _text("category", 30),
        sa.Column("tags", sa.JSON(), nullable=False),
        _text("image", 512),
        _number("default_port"),
        _text("cpu", 32),
        _text("memory", 32),
        _text("storage", 32),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("startup_commands", sa.JSON(), nullable=False),
        _text("documentation_url", 2048, nullable=True),
        _text("icon_url", 2048, nullable=True),
        _text("status", 10),
        _text("version", 40),
        _number("usage_count"),
        _time("created_at"),
        _time("updated_at"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_templates_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_templates")),
        sa.UniqueConstraint("name", name=op.f("uq_templates_name")),
        sa.UniqueConstraint("short_id", name=op.f("uq_templates_short_id")),
    )
    op.create_index(op.f("ix_templates_tenant_id"), "templates", ["tenant_id"], unique=False)
    op.create_table(
        "environments",
        _text("id", 36),
        _text("short_id", 14),
        _text("tenant_id", 36),
        _text("created_by", 36),
        _text("name", 63),
        _text("name_key", 255, nullable=True),
        _text("description", 2000, nullable=True),
        _text("template_id", 36),
        _text("template_name", 100),
        _text("cluster_id", 36, nullable=True),
        _text("image", 512),
        _text("digest", 600),
        _number("port"),
        _text("cpu", 32),
        _text("memory", 32),
        _text("storage", 32),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("startup_commands", sa.JSON(), nullable=False),
        _text("desired", 10),
        _number("generation"),
        _text("status", 10),
        _text("reason", 40),
        _text("message"),
        _text("error_message", nullable=True),
        sa.Column("installation_completed", sa.Boolean(), nullable=False),
        _number("idle_stop_minutes"),
        _number("restarts_asked"),
        _number("restarts_done"),
        _text("container_id", 64, nullable=True),
        _number("step_begun"),
        _number("steps_done"),
        _text("home", 4096, nullable=True),
        sa.Column("home_uid", sa.BigInteger(), nullable=True),
        _time("created_at"),
        _time("updated_at"),
        _time("started_at", nullable=True),
        _time("last_activity", nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_environments_tenant_id")),
        sa.ForeignKeyConstraint(["template_id"], ["templates.id"], name=op.f("fk_environments_template_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_environments")),
        sa.UniqueConstraint("short_id", name=op.f("uq_environments_short_id")),
        sa.UniqueConstraint("tenant_id", "name_key", name=op.f("uq_environments_tenant_id_name_key")),
    )
    op.create_index("ix_environments_tenant_created", "environments", ["tenant_id", "created_at", "id"], unique=False)
    op.create_index(op.f("ix_environments_created_by"), "environments", ["created_by"], unique=False)
    op.create_index(op.f("ix_environments_template_id"), "environments", ["template_id"], unique=False)
    op.create_index(op.f("ix_environments_cluster_id"), "environments", ["cluster_id"], unique=False)
    op.create_table(
        "environment_install_events",
        _text("environment_id", 36),
        _number("sequence"),
        _text("tenant_id", 36),
        _text("kind", 24),
        _text("text"),
        _time("at"),
        sa.ForeignKeyConstraint(
            ["environment_id"],
            ["environments.id"],
            name=op.f("fk_environment_install_events_environment_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("environment_id", "sequence", name=op.f("pk_environment_install_events")),
    )
