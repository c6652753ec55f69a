"""How often rules applied; what they were told of a letter, so that others can be tried on it."""

import sqlalchemy as sa
from alembic import op

from triaged.store.tables import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "rule_uses",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("shadow", sa.Boolean(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", "shadow", name=op.f("pk_rule_uses")),
    )
    op.add_column("messages", sa.Column("assessment", sa.JSON(), nullable=True))
