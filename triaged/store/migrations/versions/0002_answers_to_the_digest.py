"""Answers to the digest."""

import sqlalchemy as sa
from alembic import op

from triaged.store.tables import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "digests",
        sa.Column("id", _id(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("reviewer", sa.String(length=320), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digests")),
        sa.UniqueConstraint("name", name=op.f("uq_digests_name")),
    )
    op.create_table(
        "notices",
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("reply_to", sa.String(length=320), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_notices")),
    )
    op.create_table(
        "answers",
        sa.Column("mail_id", _id(), nullable=False),
        sa.Column("digest_id", _id(), nullable=True),
        sa.Column("by", sa.String(length=320), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["mail_id"], ["mails.id"], name=op.f("fk_answers_mail_id_mails")),
        sa.ForeignKeyConstraint(["digest_id"], ["digests.id"], name=op.f("fk_answers_digest_id_digests")),
        sa.PrimaryKeyConstraint("mail_id", name=op.f("pk_answers")),
    )
    with op.batch_alter_table("answers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_answers_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_answers_digest_id"), ["digest_id"], unique=False)

    op.create_table(
        "lessons",
        sa.Column("id", _id(), nullable=False),
        sa.Column("mail_id", _id(), nullable=False),
        sa.Column("answer_id", _id(), nullable=True),
        sa.Column("digest_id", _id(), nullable=True),
        sa.Column("by", sa.String(length=320), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("topic", sa.String(length=200), nullable=True),
        sa.Column("departments", sa.JSON(), nullable=False),
        sa.Column("urgency", sa.String(length=20), nullable=False),
        sa.Column("proposed", sa.String(length=200), nullable=True),
        sa.Column("spot_check", sa.Boolean(), nullable=False),
        sa.Column("model", sa.String(length=100), nullable=False),
        sa.Column("rules", sa.String(length=100), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["mail_id"], ["mails.id"], name=op.f("fk_lessons_mail_id_mails")),
        sa.ForeignKeyConstraint(["answer_id"], ["mails.id"], name=op.f("fk_lessons_answer_id_mails")),
        sa.ForeignKeyConstraint(["digest_id"], ["digests.id"], name=op.f("fk_lessons_digest_id_digests")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lessons")),
    )
    with op.batch_alter_table("lessons", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lessons_answer_id"), ["answer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_lessons_mail_id"), ["mail_id"], unique=False)
