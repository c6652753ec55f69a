"""Whether a person had replied to a mail before we came."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("mails", sa.Column("answered", sa.Boolean(), nullable=False, server_default=sa.false()))
