"""Run by Alembic, inside the transaction of the connection that it is handed."""

from alembic import context
from sqlmodel import SQLModel

import backend.storage.environment_tables
import backend.storage.tables  # noqa: F401  (both fill the metadata)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
