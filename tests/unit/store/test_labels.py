"""What people said of letters, read back for the promise and for learning; on SQLite and on PostgreSQL alike."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Engine

from tests.unit.store.test_store import NOW, keep_one, record_one
from triaged.learning import promised
from triaged.message import Status
from triaged.store import digests, examples, labels
from triaged.store.engine import reading
from triaged.store.examples import Example


def decide(engine: Engine, mail_id: int, topic: str | None, **changed: Any) -> None:
    lesson: dict[str, Any] = {
        "mail_id": mail_id,
        "answer_id": None,
        "digest_id": None,
        "by": "ana@example.gov",
        "at": NOW,
        "status": Status.ROUTED.value,
        "topic": topic,
        "departments": [],
        "urgency": "normal",
        "proposed": "city.noise",
        "spot_check": False,
        "model": "m",
        "rules": "r",
        "before": {"topic": "city.noise", "confidence": 0.4},
    }
    with engine.begin() as db:
        digests.learn(db, lesson | changed)


def letter(engine: Engine, number: int, **how: Any) -> int:
    mail_id = keep_one(engine, fingerprint=f"f{number}")
    record_one(engine, mail_id, **how)
    return mail_id


def test_the_guess_stands_before_the_first_decision_and_the_last_one_counts(engine: Engine) -> None:
    mail_id = letter(engine, 1)
    decide(engine, mail_id, "city.streets", spot_check=True)
    decide(engine, mail_id, "city.noise", before={"topic": "city.streets", "confidence": None})
    with reading(engine) as db:
        (found,) = labels.judged(db)
    assert (found.guess, found.confidence, found.topic, found.spot_check) == ("city.noise", 0.4, "city.noise", True)


def test_what_was_undone_is_no_label_and_changes_the_signature(engine: Engine) -> None:
    decide(engine, letter(engine, 1), "city.noise")
    with engine.begin() as db:
        before = labels.signature(db)
        digests.undo(db, labels.judged(db)[0].lesson_id, NOW)
    with reading(engine) as db:
        assert labels.judged(db) == []
        assert labels.signature(db) != before


def test_letters_that_went_alone_are_counted_also_when_a_spot_check_corrected_them(engine: Engine) -> None:
    letter(engine, 1, status=Status.ROUTED)
    letter(engine, 2, status=Status.REVIEW)
    with reading(engine) as db:
        assert labels.alone_since(db, NOW - timedelta(days=1)) == (1, 2)
        assert labels.alone_since(db, NOW + timedelta(days=1)) == (0, 0)


def test_a_letter_in_two_folders_is_one_example_of_the_last(engine: Engine) -> None:
    one = Example("f1", "mayor:Heat", "heat", "No heat", "It is cold.", "a@example.org", NOW)
    other = Example("f1", "mayor:Noise", "noise", "No heat", "It is cold.", "a@example.org", NOW)
    with engine.begin() as db:
        assert examples.learn(db, [one], NOW) == {"new": 1}
        assert examples.learn(db, [one], NOW) == {"known": 1}
        assert examples.learn(db, [one, other], NOW + timedelta(hours=1)) == {"known": 1, "moved": 1}
        assert [example.topic for _, example in examples.every(db)] == ["noise"]
        assert (examples.count(db), examples.count(db, NOW)) == (1, 1)


def test_each_model_is_noted_once_and_only_a_change_is_news(engine: Engine) -> None:
    with engine.begin() as db:
        promised.note_in_use(db, "a", "first", "start", NOW)
        promised.note_in_use(db, "a", "first", "start", NOW + timedelta(hours=1))
        promised.note_in_use(db, "b", "2026", "a new model", NOW + timedelta(hours=2))
        assert [(one.version, one.said) for one in promised.periods(db)] == [("a", ""), ("b", "a new model")]
        assert promised.said_in_digest(db, None, "ana@example.gov", NOW) == ["a new model"]
