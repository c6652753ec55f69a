"""The store, on SQLite and on PostgreSQL alike."""

from datetime import UTC, datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, select, text

from triaged.message import (
    Address,
    Assessment,
    Decision,
    Delivery,
    Flag,
    Kind,
    Message,
    Opinion,
    RawMail,
    Reason,
    Screening,
    State,
    Status,
    Urgency,
)
from triaged.store import cases, health, mails, outbox, records
from triaged.store.engine import StoreError, migrate, open_engine, reading
from triaged.store.lock import only_one
from triaged.store.tables import MAILS, METADATA

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def keep_one(engine: Engine, octets: bytes = b"Subject: x\r\n\r\nbody", mailbox: str = "mayor", fingerprint: str = "f1") -> int:
    with engine.begin() as db:
        if mails.mailbox_state(db, mailbox) is None:
            mails.start_watching(db, mailbox, "", NOW)
        return mails.keep(db, mailbox, "1:7", [(RawMail(mailbox, "7", octets, NOW), fingerprint)], backfill=False, at=NOW)[0]


def record_one(
    engine: Engine, mail_id: int, *, status: Status = Status.REVIEW, urgency: Urgency = Urgency.NORMAL, **message: object
) -> str:
    fields: dict[str, object] = {
        "message_id": f"<{mail_id}@example.org>",
        "sender": Address("Ana", "Ana@example.org"),
        "subject": "No heat",
        "text": "cold\0 here",
    }
    read = Message(**{**fields, **message})  # type: ignore[arg-type]
    opinion = Opinion((("city.noise", 0.4), ("city.streets", 0.3)), accepted=False)
    flags = (Flag("eviction", ("marshal",)),)
    decision = Decision(
        status,
        "city.noise",
        0.4,
        urgency,
        ("city-311",),
        flags=("eviction", "by-rule"),
        reasons=(Reason("model", "topic", "40 %"),),
    )
    with engine.begin() as db:
        reference = cases.next_reference(db, "MAY", 2026)
        case = cases.open_case(db, reference, "mayor", "Ana@example.org", None, NOW)
        screening = Screening(Kind.LETTER, True, acknowledge_to="ana@example.org")
        cases.record(
            db, mail_id, case, read, screening, Assessment("en", opinion, flags=flags), decision, follow_up=False, at=NOW
        )
    return reference


def plan(engine: Engine, mail_id: int, *deliveries: Delivery) -> None:
    with engine.begin() as db:
        outbox.plan(db, mail_id, deliveries, NOW)


def claim(engine: Engine, at: datetime = NOW) -> int | None:
    with engine.begin() as db:
        found = outbox.claim(db, at)
    return found.id if found else None


@pytest.mark.filterwarnings("ignore:.*ix_deliveries_recipient")  # of SQLite it can't be read back; test_plans.py sees it used
def test_the_migrations_make_the_tables_of_the_code(engine: Engine) -> None:
    with engine.begin() as db:
        assert compare_metadata(MigrationContext.configure(db), METADATA) == []


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    migrate(engine)


def test_a_database_of_a_newer_version_is_refused_in_words(engine: Engine) -> None:
    with engine.begin() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer triaged"):
        migrate(engine)


def test_the_same_mail_seen_twice_in_one_mailbox_is_kept_once(engine: Engine) -> None:
    keep_one(engine)
    with engine.begin() as db:
        assert mails.keep(db, "mayor", "1:8", [(RawMail("mayor", "8", b"again", NOW), "f1")], backfill=False, at=NOW) == []
        assert mails.mailbox_state(db, "mayor").cursor == "1:8"  # type: ignore[union-attr]


def test_the_same_mail_in_two_mailboxes_is_kept_twice_and_linked(engine: Engine) -> None:
    first = keep_one(engine)
    second = keep_one(engine, mailbox="leader")
    one, two = record_one(engine, first), record_one(engine, second)
    with reading(engine) as db:
        assert records.of_mail(db, first).related == (two,)  # type: ignore[union-attr]
        assert records.of_mail(db, second).related == (one,)  # type: ignore[union-attr]


def test_a_mail_comes_back_byte_for_byte(engine: Engine) -> None:
    octets = bytes(range(256)) * 50
    mail_id = keep_one(engine, octets)
    with reading(engine) as db:
        assert mails.load(db, mail_id).octets == octets


def test_mail_and_cursor_are_kept_together_or_not_at_all(engine: Engine) -> None:
    keep_one(engine)

    class Killed(Exception):
        pass

    def die_before_the_commit() -> None:
        with engine.begin() as db:
            mails.keep(db, "mayor", "1:9", [(RawMail("mayor", "9", b"new", NOW), "f9")], backfill=False, at=NOW)
            raise Killed

    with pytest.raises(Killed):
        die_before_the_commit()
    with reading(engine) as db:
        assert mails.mailbox_state(db, "mayor").cursor == "1:7"  # type: ignore[union-attr]
        assert list(db.scalars(select(MAILS.c.fingerprint))) == ["f1"]


def test_only_one_worker_finishes_a_mail(engine: Engine) -> None:
    mail_id = keep_one(engine)
    with engine.begin() as db:
        assert mails.finish(db, mail_id)
        assert not mails.finish(db, mail_id)


def test_attempts_are_counted_and_forgiven(engine: Engine) -> None:
    mail_id = keep_one(engine)
    with engine.begin() as db:
        assert mails.begin_attempt(db, [mail_id]) == {mail_id: 1}
        assert mails.begin_attempt(db, [mail_id]) == {mail_id: 2}
        mails.forgive_attempt(db, [mail_id])
        assert mails.begin_attempt(db, [mail_id]) == {mail_id: 2}


def test_a_refused_mail_is_noted_once_with_its_reason(engine: Engine) -> None:
    keep_one(engine)
    with engine.begin() as db:
        mail_id = mails.keep_refused(db, "mayor", "99", "60 MB are too large", NOW)
        assert mail_id is not None
        assert mails.load(db, mail_id).fault == "60 MB are too large"
        assert mails.keep_refused(db, "mayor", "99", "60 MB are too large", NOW) is None
        assert mails.mailbox_state(db, "mayor").cursor == "1:7"  # type: ignore[union-attr]


def test_references_count_up_by_prefix_and_year(engine: Engine) -> None:
    with engine.begin() as db:
        numbers = [
            cases.next_reference(db, prefix, year)
            for prefix, year in [("MAY", 2026), ("MAY", 2026), ("LEA", 2026), ("MAY", 2027)]
        ]
    assert numbers == ["MAY-2026-000001", "MAY-2026-000002", "LEA-2026-000001", "MAY-2027-000001"]


def test_a_record_comes_back_as_it_was_written(engine: Engine) -> None:
    mail_id = keep_one(engine)
    reference = record_one(engine, mail_id)
    plan(engine, mail_id, Delivery("forward", "a@example.gov", "k1", "<m1@x>", "city-311"))
    with reading(engine) as db:
        record = records.of_mail(db, mail_id)
    assert record is not None
    assert (record.reference, record.topic, record.confidence, record.status) == (reference, "city.noise", 0.4, Status.REVIEW)
    assert record.flags == (Flag("eviction", ("marshal",)), Flag("by-rule"))
    assert record.alternatives == (("city.streets", 0.3),)
    assert record.excerpt == "cold here"
    assert [item.delivery.key for item in record.deliveries] == ["k1"]


def test_the_queue_has_the_most_urgent_first_then_the_oldest(engine: Engine) -> None:
    ids = [keep_one(engine, fingerprint=f"f{number}") for number in range(4)]
    urgencies = [Urgency.LOW, Urgency.CRITICAL, Urgency.HIGH, Urgency.CRITICAL]
    for mail_id, urgency in zip(ids, urgencies, strict=True):
        record_one(engine, mail_id, urgency=urgency)
    with reading(engine) as db:
        assert [record.mail_id for record in records.waiting(db)] == [ids[1], ids[3], ids[2], ids[0]]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, 2),
        ({"topic": "city.noise"}, 2),
        ({"topic": "city.streets"}, 0),
        ({"department": "city-311"}, 2),
        ({"department": "city"}, 0),
        ({"writer": "ana@"}, 2),
        ({"text": "no HEAT"}, 2),
        ({"text": "%"}, 0),
        ({"status": "review"}, 2),
        ({"limit": 1}, 1),
        ({"since": NOW + timedelta(days=1)}, 0),
    ],
)
def test_searching_narrows(engine: Engine, wanted: dict[str, object], found: int) -> None:
    for number in range(2):
        record_one(engine, keep_one(engine, fingerprint=f"f{number}"))
    with reading(engine) as db:
        assert len(list(records.search(db, records.Search(**wanted)))) == found  # type: ignore[arg-type]


def test_a_delivery_key_is_planned_once_for_ever(engine: Engine) -> None:
    mail_id = keep_one(engine)
    plan(engine, mail_id, Delivery("forward", "a@x", "k1"), Delivery("forward", "a@x", "k1"))
    plan(engine, mail_id, Delivery("forward", "b@x", "k1"))
    with reading(engine) as db:
        assert [item.delivery.to for item in outbox.for_mails(db, [mail_id])[mail_id]] == ["a@x"]


def test_a_delivery_is_claimed_by_one_worker(engine: Engine) -> None:
    plan(engine, keep_one(engine), Delivery("forward", "a@x", "k1"))
    assert claim(engine) is not None
    assert claim(engine) is None


def test_a_delivery_waits_until_it_is_due(engine: Engine) -> None:
    plan(engine, keep_one(engine), Delivery("forward", "a@x", "k1"))
    first = claim(engine)
    assert first is not None
    with engine.begin() as db:
        outbox.settle(db, first, State.SENDING, State.PLANNED, detail="4.2.0", at=NOW, due_at=NOW + timedelta(minutes=5))
    assert claim(engine, NOW + timedelta(minutes=4)) is None
    assert claim(engine, NOW + timedelta(minutes=5)) == first


def test_a_mail_is_moved_only_when_all_else_is_settled(engine: Engine) -> None:
    plan(engine, keep_one(engine), Delivery("move", "Done", "m1"), Delivery("forward", "a@x", "k1"))
    first = claim(engine)
    assert first is not None
    assert claim(engine) is None
    with engine.begin() as db:
        outbox.settle(db, first, State.SENDING, State.SENT, detail="", at=NOW)
    assert claim(engine) is not None


def test_a_step_that_does_not_exist_is_refused(engine: Engine) -> None:
    plan(engine, keep_one(engine), Delivery("forward", "a@x", "k1"))
    with engine.begin() as db, pytest.raises(outbox.IllegalMove):
        outbox.settle(db, 1, State.SENT, State.SENDING, detail="", at=NOW)


def test_after_a_crash_hand_offs_go_again_and_acknowledgements_never(engine: Engine) -> None:
    plan(engine, keep_one(engine), Delivery("forward", "a@x", "k1"), Delivery("acknowledge", "w@x", "a1"))
    assert claim(engine) is not None
    assert claim(engine) is not None
    with engine.begin() as db:
        assert outbox.doubt_interrupted(db, NOW) == 2
        assert outbox.retry_doubtful(db, NOW, ("forward", "move")) == 1
        assert outbox.count_states(db) == {State.PLANNED: 1, State.IN_DOUBT: 1}


def test_case_threads_are_found_by_our_message_ids_and_references(engine: Engine) -> None:
    mail_id = keep_one(engine)
    reference = record_one(engine, mail_id)
    plan(engine, mail_id, Delivery("acknowledge", "w@x", "a1", "<ours@x>"))
    with reading(engine) as db:
        for ids, references in [(["<ours@x>"], []), ([f"<{mail_id}@example.org>"], []), ([], [reference.lower()])]:
            assert [case.reference for case in cases.find_thread(db, "mayor", ids, references)] == [reference]
        assert cases.find_thread(db, "leader", ["<ours@x>"], []) == []
        assert cases.find_thread(db, "mayor", ["<other@x>"], []) == []


def test_failures_are_counted_until_a_success(engine: Engine) -> None:
    with engine.begin() as db:
        assert health.failed(db, "mayor", "refused", NOW) == 1
        assert health.failed(db, "mayor", "refused", NOW) == 2
        assert health.unreached(db, "mayor") == (2, "refused", NOW)
    keep_one(engine)
    with engine.begin() as db:
        assert health.failed(db, "mayor", "cut", NOW) == 1
        health.polled(db, "mayor", NOW)
        state = health.mailboxes(db)["mayor"]
    assert (state.failures, state.problem, state.last_success) == (0, "", NOW)


def test_the_signing_key_is_made_once(engine: Engine) -> None:
    with engine.begin() as db:
        assert health.signing_key(db, NOW) == health.signing_key(db, NOW)


def test_a_second_daemon_is_refused(store_url: str) -> None:
    first, second = open_engine(store_url), open_engine(store_url)
    with only_one(first), pytest.raises(StoreError, match="another triaged"), only_one(second):
        pass
    with only_one(second):
        pass
    first.dispose()
    second.dispose()


def test_times_without_a_zone_are_refused(engine: Engine) -> None:
    with engine.begin() as db, pytest.raises(Exception, match="naive time"):
        mails.start_watching(db, "mayor", "", datetime(2026, 1, 1))


def test_labels_come_after_the_hand_off_and_before_the_move(engine: Engine) -> None:
    """They shall not say more than is true, and a move gives a mail of Exchange another id."""
    mail = keep_one(engine)
    plan(
        engine, mail, Delivery("move", "Done", "m1"), Delivery("label", "Triaged/heat", "l1"), Delivery("forward", "a@x", "k1")
    )
    turns = []
    for _ in range(3):
        with engine.begin() as db:
            dispatch = outbox.claim(db, NOW)
            assert dispatch is not None
            assert outbox.claim(db, NOW) is None, "the others wait until it is settled"
            turns.append(dispatch.delivery.kind)
            outbox.settle(db, dispatch.id, State.SENDING, State.SENT, detail="", at=NOW)
    assert turns == ["forward", "label", "move"]
