"""The tables. Migrations in `migrations/` make them; a test holds the two against each other."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    func,
)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in Python; SQLite keeps no zone, so naive UTC there."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time rather than guess its zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class SoundJson(TypeDecorator[Any]):
    """JSON; a text that is damaged is read as None, so that one row never hides the others."""

    impl = JSON
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Read what can be read."""
        read = super().result_processor(dialect, coltype)
        if read is None:  # PostgreSQL takes no text that is not JSON, and its driver reads it
            return None

        def sound(value: Any) -> Any:
            try:
                return read(value)
            except ValueError:
                return None

        return sound


METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_ID: Final = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts only INTEGER PRIMARY KEY

MAILBOXES: Final = Table(
    "mailboxes",
    METADATA,
    Column("name", String(200), primary_key=True),
    Column("cursor", Text, nullable=False),
    Column("watched_since", UtcDateTime, nullable=False),
    Column("last_success", UtcDateTime),
    Column("failures", Integer, nullable=False, default=0),  # in a row; 0 is healthy
    Column("problem", Text, nullable=False, default=""),
    Column("problem_since", UtcDateTime),
)

MAILS: Final = Table(
    "mails",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("mailbox", String(200), nullable=False),
    Column("uid", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),  # of stable headers and body, see ingest.fingerprint
    Column("raw", LargeBinary, nullable=False),  # zlib
    Column("size_octets", Integer, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("kept_at", UtcDateTime, nullable=False),
    Column("backfill", Boolean, nullable=False, default=False),  # was there before we watched: never acknowledged
    Column("attempts", Integer, nullable=False, default=0),  # counted before reading, so that a killer is known
    Column("state", String(20), nullable=False, default="new"),  # new | done | set_aside
    Column("fault", Text, nullable=False, default=""),
    Column("answered", Boolean, nullable=False, default=False),  # a person had replied to it before we came
    UniqueConstraint("mailbox", "fingerprint"),
    Index("ix_mails_state", "state", "id"),
    Index("ix_mails_fingerprint", "fingerprint"),
    Index("ix_mails_received_at", "received_at"),
)

CASES: Final = Table(
    "cases",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("reference", String(60), nullable=False, unique=True),
    Column("mailbox", String(200), nullable=False),
    Column("writer", Text, nullable=False),  # lower-case address
    Column("opened_at", UtcDateTime, nullable=False),
    Column("due", Date),
    Index("ix_cases_writer", "writer"),
)

MESSAGES: Final = Table(
    "messages",
    METADATA,
    Column("mail_id", _ID, ForeignKey("mails.id"), primary_key=True),
    Column("case_id", _ID, ForeignKey("cases.id"), nullable=False, index=True),
    Column("message_id", Text, nullable=False, index=True),
    Column("from_name", Text, nullable=False),
    Column("from_address", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("excerpt", Text, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("language", String(20), nullable=False),
    Column("topic", String(200)),
    Column("confidence", Float),
    Column("alternatives", SoundJson, nullable=False),
    Column("urgency", String(20), nullable=False),
    Column("flags", SoundJson, nullable=False),
    Column("campaign", String(200)),
    Column("departments", SoundJson, nullable=False),
    Column("status", String(20), nullable=False, index=True),
    Column("reasons", SoundJson, nullable=False),
    Column("notes", SoundJson, nullable=False),
    Column("acknowledge_to", Text, nullable=False),
    Column("follow_up", Boolean, nullable=False),
    Column("processed_at", UtcDateTime, nullable=False),
    Column("assessment", SoundJson),  # what the rules were told, to try others on it; None: from before it was kept
    Index("ix_messages_recent", "kind", "processed_at"),
)

DELIVERIES: Final = Table(
    "deliveries",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("mail_id", _ID, ForeignKey("mails.id"), nullable=False, index=True),
    Column("kind", String(40), nullable=False),
    Column("to", Text, nullable=False),
    Column("key", Text, nullable=False, unique=True),  # what makes twice impossible
    Column("message_id", Text, nullable=False, index=True),
    Column("department", String(200), nullable=False),
    Column("template", String(200), nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("detail", Text, nullable=False, default=""),
    Column("planned_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),  # not before
    Column("settled_at", UtcDateTime),
    Index("ix_deliveries_due", "state", "due_at"),
    Index("ix_deliveries_recent", "kind", "planned_at"),
    Index("ix_deliveries_settled", "state", "settled_at"),
)
Index("ix_deliveries_recipient", func.lower(DELIVERIES.c.to), DELIVERIES.c.planned_at)

EVENTS: Final = Table(
    "events",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("case_id", _ID, ForeignKey("cases.id"), index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("by", String(200), nullable=False),
    Column("what", Text, nullable=False),
)

COUNTERS: Final = Table(
    "counters",
    METADATA,
    Column("prefix", String(40), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
)

FACTS: Final = Table(
    "facts",  # small things that outlive a restart: the loop key, the daemon's heartbeat, the last digest
    METADATA,
    Column("name", String(100), primary_key=True),
    Column("value", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

DIGESTS: Final = Table(
    "digests",  # one a person asked; its number is in the token and in the codes of its items
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),  # time slot or letter, and reviewer: never asked twice
    Column("reviewer", String(320), nullable=False),  # lower-case address
    Column("made_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("state", String(20), nullable=False),  # a State
    Column("items", JSON, nullable=False),  # what each code means: see review.digest.Item
    Column("rounds", Integer, nullable=False, default=0),  # of critical mail: how often it was said
    Index("ix_digests_made_at", "made_at"),
)

ANSWERS: Final = Table(
    "answers",  # every mail that tried to decide something, whether it did or not
    METADATA,
    Column("mail_id", _ID, ForeignKey("mails.id"), primary_key=True),
    Column("digest_id", _ID, ForeignKey("digests.id"), index=True),
    Column("by", String(320), nullable=False),  # From, lower case; proven only if `outcome` says so
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("outcome", String(20), nullable=False),  # applied | nothing | refused
    Column("why", Text, nullable=False),
)

LESSONS: Final = Table(
    "lessons",  # what a person decided of a letter; silence makes none
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("mail_id", _ID, ForeignKey("mails.id"), nullable=False, index=True),
    Column("answer_id", _ID, ForeignKey("mails.id"), index=True),  # the answer's mail; None: at the console
    Column("digest_id", _ID, ForeignKey("digests.id"), index=True),
    Column("by", String(320), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("status", String(20), nullable=False),  # routed | closed | ignored (spam)
    Column("topic", String(200)),
    Column("departments", JSON, nullable=False),
    Column("urgency", String(20), nullable=False),
    Column("proposed", String(200)),  # the topic that triaged proposed or had decided
    Column("spot_check", Boolean, nullable=False),
    Column("model", String(100), nullable=False),
    Column("rules", String(100), nullable=False),
    Column("before", JSON, nullable=False),  # how the letter and its deliveries stood, for undo
    Column("undone_at", UtcDateTime),
)
_UNDONE: Final = LESSONS.c.undone_at.is_not(None)  # few: the index of those only
Index("ix_lessons_undone_at", LESSONS.c.undone_at, sqlite_where=_UNDONE, postgresql_where=_UNDONE)

NOTICES: Final = Table(
    "notices",  # texts of receipts, notices and alerts; the outbox sends them
    METADATA,
    Column("key", String(300), primary_key=True),  # the delivery's
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("reply_to", String(320), nullable=False),
    Column("answers", Text, nullable=False),  # Message-ID of the mail that it answers; empty: none
)

RULEBOOKS: Final = Table(
    "rulebooks",  # every state of rules.yaml and its files that was in use; the last one is the last good one
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("version", String(40), nullable=False),
    Column("by", Text, nullable=False),  # whose the changed files are
    Column("file", Text, nullable=False),  # the name of rules.yaml
    Column("texts", JSON, nullable=False),  # file name → text
    Column("changed", Text, nullable=False),  # against the one before, for people
)

EXAMPLES: Final = Table(
    "examples",  # letters that lie sorted in folders: what `triaged learn` read; beside `lessons` what there is to learn from
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("fingerprint", String(64), nullable=False, unique=True),  # of the mail, as in `mails`
    Column("source", Text, nullable=False),  # mailbox:folder
    Column("topic", String(200), nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),  # what the writer says
    Column("writer", Text, nullable=False, index=True),  # lower-case address
    Column("received_at", UtcDateTime),
    Column("learnt_at", UtcDateTime, nullable=False),
)

RULE_USES: Final = Table(
    "rule_uses",  # how often a rule applied; in the shadow it is counted apart
    METADATA,
    Column("name", Text, primary_key=True),
    Column("shadow", Boolean, primary_key=True),
    Column("times", Integer, nullable=False),
    Column("first_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
)
