"""Alembic's entry: runs on the connection that `engine.migrate` hands in."""

from alembic import context

from triaged.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=True, transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
