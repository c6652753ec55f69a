"""What is asked of each letter, and every few seconds, is found by an index: it takes no longer after years.

SQLite plans by the tables' shape alone as long as nobody runs ANALYZE, so an empty database plans as a full one does.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event

from triaged.learning import promised
from triaged.message import RawMail, State
from triaged.store import cases, digests, labels, mails, outbox, past, records
from triaged.store.engine import migrate, open_engine

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
WEEK = timedelta(days=7)
Ask = Callable[[Connection], object]
QUESTIONS: dict[str, tuple[Ask, str]] = {
    "known already": (
        lambda db: mails.keep(db, "mayor", "", [(RawMail("mayor", "7", b""), "f")], backfill=False, at=NOW),
        "uq_mails_mailbox_fingerprint|sqlite_autoindex_mails_1",
    ),
    "unprocessed": (lambda db: mails.unprocessed(db, 100), "ix_mails_state"),
    "waiting to be processed": (mails.count_waiting, "ix_mails_state"),
    "thread": (lambda db: cases.find_thread(db, "mayor", ["<1@x>"], ["MAY-2026-000001"]), "ix_messages_message_id"),
    "thread of ours": (lambda db: cases.find_thread(db, "mayor", ["<1@x>"], []), "ix_deliveries_message_id"),
    "last letter": (lambda db: cases.last_letter(db, 1), "ix_messages_case_id"),
    "same mail": (lambda db: cases.same_mail_cases(db, 1, "f"), "ix_mails_fingerprint"),
    "bounce": (lambda db: outbox.by_message_ids(db, ["<1@x>"]), "ix_deliveries_message_id"),
    "acknowledged": (lambda db: outbox.acknowledged(db, NOW - WEEK, "Ana@example.org"), "ix_deliveries_recipient"),
    "breaker": (lambda db: outbox.count_acknowledged(db, NOW - WEEK, "example.org"), "ix_deliveries_recent"),
    "claim": (lambda db: outbox.claim(db, NOW), "ix_deliveries_due"),
    "doubt": (lambda db: outbox.retry_doubtful(db, NOW, ("forward",)), "ix_deliveries_due"),
    "recipients of a day": (lambda db: outbox.recipients_since(db, NOW - WEEK), "ix_deliveries_settled"),
    "troubles": (outbox.troubles, "ix_deliveries_due|ix_deliveries_settled"),
    "held": (lambda db: outbox.in_states(db, [State.HELD]), "ix_deliveries_due|ix_deliveries_settled"),
    "oldest planned": (outbox.oldest_planned, "ix_deliveries_due|ix_deliveries_settled"),
    "record": (lambda db: records.of_mail(db, 1), "PRIMARY KEY"),
    "waiting": (records.waiting, "ix_messages_status"),
    "oldest waiting": (records.oldest_waiting, "ix_messages_status"),
    "history": (lambda db: cases.history(db, 1), "ix_events_case_id"),
    "spot checks": (lambda db: digests.automatic_since(db, NOW - WEEK), "ix_messages_recent"),
    "alarmed": (lambda db: digests.alarmed_since(db, NOW - WEEK), "ix_digests_made_at"),
    "decided": (lambda db: digests.decided(db, 1), "ix_lessons_mail_id"),
    "answers": (lambda db: digests.answers_since(db, NOW - WEEK, None, "applied"), "ix_answers_at"),
    "undo": (lambda db: digests.last_answer(db, 1, "ana@example.gov"), "ix_lessons_digest_id"),
    "new lessons": (labels.signature, "ix_lessons_undone_at"),
    "alone": (lambda db: labels.alone_since(db, NOW - WEEK), "ix_messages_recent"),
    "promise": (lambda db: promised.figures(db, NOW), "ix_messages_recent"),
    "letters of some days": (lambda db: list(past.letters(db, NOW - WEEK)), "ix_mails_received_at"),
    "search since": (lambda db: list(records.search(db, records.Search(since=NOW - WEEK))), "ix_mails_received_at"),
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder: Path = tmp_path_factory.mktemp("plans")
    engine = open_engine(f"sqlite:///{folder / 'triaged.db'}")
    migrate(engine)
    with engine.begin() as db:
        mails.start_watching(db, "mayor", "", NOW)
    yield engine
    engine.dispose()


def plan(engine: Engine, ask: Ask) -> list[str]:
    """How SQLite carries out what a question asks."""
    asked: list[tuple[str, object]] = []

    def note(_db: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        asked.append((statement, parameters))

    with engine.connect() as db:
        event.listen(engine, "before_cursor_execute", note)
        ask(db)
        event.remove(engine, "before_cursor_execute", note)
        explained = [
            db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()  # type: ignore[arg-type]
            for statement, parameters in asked
            if statement.startswith(("SELECT", "UPDATE"))
        ]
        db.rollback()
    return [str(row[3]) for rows in explained for row in rows]


@pytest.mark.parametrize(("ask", "index"), QUESTIONS.values(), ids=QUESTIONS.keys())
def test_no_question_reads_a_whole_table(database: Engine, ask: Ask, index: str) -> None:
    steps = plan(database, ask)
    whole = [step for step in steps if step.startswith("SCAN") and not step.startswith(("SCAN CONSTANT ROW", "SCAN (subquery"))]
    assert whole == []
    assert any(name in step for step in steps for name in index.split("|")), steps
