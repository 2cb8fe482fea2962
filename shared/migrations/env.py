"""What Alembic runs for each command; ``migrate`` hands the open transaction over."""

from __future__ import annotations

from alembic import context

from shared.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
