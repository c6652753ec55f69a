"""What a later letter inherits from its case."""

from datetime import UTC, datetime

from triaged.message import Decision, Kind, Screening, Status, Urgency
from triaged.store.cases import CaseRow
from triaged.thread import Thread, continue_thread

CASE = CaseRow(1, "MAY-2026-000001", "mayor", "ana@example.org", datetime(2026, 11, 24, tzinfo=UTC), None)
LETTER = Screening(Kind.LETTER, True)
UNSURE = Decision(Status.REVIEW, None, None, Urgency.NORMAL)
KNOWN = Thread(CASE, "city.noise", ("city-311",), Status.ROUTED)


def test_a_letter_that_says_nothing_new_goes_where_its_case_went() -> None:
    decision = continue_thread(UNSURE, LETTER, KNOWN)
    assert (decision.status, decision.topic, decision.departments) == (Status.ROUTED, "city.noise", ("city-311",))


def test_a_letter_that_rules_route_also_reaches_the_cases_department() -> None:
    sure = Decision(Status.ROUTED, "mayor.gift", 0.9, Urgency.NORMAL, ("mayor-correspondence",))
    assert continue_thread(sure, LETTER, KNOWN).departments == ("mayor-correspondence", "city-311")


def test_a_held_letter_stays_held() -> None:
    held = Decision(Status.REVIEW, None, None, Urgency.NORMAL, held=True)
    assert continue_thread(held, LETTER, KNOWN).status is Status.REVIEW


def test_a_case_that_waits_itself_sends_its_later_letters_to_people_too() -> None:
    waiting = Thread(CASE, None, (), Status.REVIEW)
    assert continue_thread(UNSURE, LETTER, waiting).status is Status.REVIEW


def test_a_forged_letter_inherits_nothing() -> None:
    suspicious = Screening(Kind.LETTER, False, must_review="DMARC failed")
    assert continue_thread(UNSURE, suspicious, KNOWN) == UNSURE


def test_an_auto_reply_is_left_as_it_is() -> None:
    ignored = Decision(Status.IGNORED, None, None, Urgency.LOW)
    assert continue_thread(ignored, Screening(Kind.AUTO_REPLY, False), KNOWN) == ignored


def test_a_strangers_case_number_leaves_a_link_for_staff_and_nothing_else() -> None:
    decision = continue_thread(UNSURE, LETTER, Thread(foreign=("MAY-2026-000007",)))
    assert decision.status is Status.REVIEW
    assert "MAY-2026-000007" in decision.reasons[-1].because
