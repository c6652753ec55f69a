"""Indexes, so that what is asked of each letter takes no longer after years."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_deliveries_recipient", "deliveries", [sa.func.lower(sa.column("to")), "planned_at"])
    op.create_index("ix_deliveries_settled", "deliveries", ["state", "settled_at"])
    op.create_index("ix_digests_made_at", "digests", ["made_at"])
    op.create_index(op.f("ix_lessons_digest_id"), "lessons", ["digest_id"])
    undone = sa.text("undone_at IS NOT NULL")
    op.create_index("ix_lessons_undone_at", "lessons", ["undone_at"], sqlite_where=undone, postgresql_where=undone)
    op.create_index("ix_mails_received_at", "mails", ["received_at"])
    op.create_index("ix_messages_recent", "messages", ["kind", "processed_at"])
