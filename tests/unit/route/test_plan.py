"""What shall happen to a decided mail."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.message import Decision, Delivery, Kind, Screening, State, Status, Urgency
from triaged.route.plan import Limits, Past, Planning, given_up, labels_of, moves, plan, retry_after
from triaged.signing import Signer

SIGNER = Signer(b"k" * 32, "example.gov")
ADDRESSES = {"housing": ("housing@example.gov",), "dsny": ("a@example.gov", "b@example.gov")}
ROUTED = Decision(Status.ROUTED, "city.noise", 0.9, Urgency.NORMAL, ("housing",))
LETTER = Screening(Kind.LETTER, True, acknowledge_to="Ana@example.org")
MAIL = Planning("mayor:f1", "MAY-2026-000001", LETTER, ROUTED)


def planned(mail: Planning, past: Past | None = None, limits: Limits | None = None) -> tuple[Delivery, ...]:
    return plan(mail, ADDRESSES, past or Past(), limits or Limits(), SIGNER)[0]


def why(mail: Planning, past: Past | None = None) -> str:
    return " ".join(reason.because for reason in plan(mail, ADDRESSES, past or Past(), Limits(), SIGNER)[1])


def kinds(deliveries: tuple[Delivery, ...]) -> list[str]:
    return [delivery.kind for delivery in deliveries]


def test_a_routed_letter_goes_to_its_department_and_its_writer_hears_of_it() -> None:
    forward, acknowledge = planned(MAIL)
    assert (forward.kind, forward.to, forward.department) == ("forward", "housing@example.gov", "housing")
    assert (acknowledge.kind, acknowledge.to, acknowledge.state) == ("acknowledge", "Ana@example.org", State.PLANNED)


def test_each_address_of_a_department_is_judged_by_itself() -> None:
    first, second, _ = planned(replace(MAIL, decision=replace(ROUTED, departments=("dsny",))))
    assert (first.to, second.to) == ("a@example.gov", "b@example.gov")
    assert first.message_id != second.message_id


def test_a_department_named_twice_gets_one_hand_off() -> None:
    deliveries = planned(replace(MAIL, decision=replace(ROUTED, departments=("housing", "dsny", "housing"))))
    assert [delivery.department for delivery in deliveries] == ["housing", "dsny", "dsny", ""]


def test_copies_go_to_addresses() -> None:
    deliveries = planned(replace(MAIL, decision=replace(ROUTED, copy_to=("chief@example.gov",))))
    assert [delivery.to for delivery in deliveries[:2]] == ["housing@example.gov", "chief@example.gov"]


def test_what_waits_for_a_person_goes_nowhere_but_is_acknowledged() -> None:
    assert kinds(planned(replace(MAIL, decision=replace(ROUTED, status=Status.REVIEW)))) == ["acknowledge"]


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.LETTER])
def test_nothing_but_a_letter_is_acknowledged(kind: Kind) -> None:
    assert "acknowledge" not in kinds(planned(replace(MAIL, screening=replace(LETTER, kind=kind))))


@pytest.mark.parametrize(
    ("mail", "past", "reason"),
    [
        (replace(MAIL, backfill=True), Past(), "was there before"),
        (replace(MAIL, follow_up=True), Past(), "acknowledged before"),
        (replace(MAIL, screening=replace(LETTER, acknowledge_to="")), Past(), "no address"),
        (replace(MAIL, screening=replace(LETTER, may_acknowledge=False)), Past(), "no address"),
        (MAIL, Past(same_matter=True), "same topic within seven days"),
        (MAIL, Past(to_writer=2), "2 acknowledgements within seven days"),
    ],
)
def test_an_acknowledgement_that_is_left_out_leaves_a_reason(mail: Planning, past: Past, reason: str) -> None:
    assert "acknowledge" not in kinds(planned(mail, past))
    assert reason in why(mail, past)


def test_a_decision_against_an_acknowledgement_holds() -> None:
    assert kinds(planned(replace(MAIL, decision=replace(ROUTED, acknowledge=False)))) == ["forward"]


def test_the_breaker_holds_what_is_too_much_in_an_hour() -> None:
    held = planned(MAIL, Past(last_hour=200))[1]
    assert held.state is State.HELD
    assert "200" in held.detail


def test_the_breaker_counts_a_domain_by_itself() -> None:
    assert planned(MAIL, Past(domain_last_hour=20))[1].state is State.HELD


def test_writers_of_a_public_provider_do_not_count_as_one_domain() -> None:
    mail = replace(MAIL, screening=replace(LETTER, acknowledge_to="ana@gmail.com"))
    assert planned(mail, Past(domain_last_hour=50))[1].state is State.PLANNED


def test_handled_mail_moves_when_the_mailbox_says_so() -> None:
    assert kinds(planned(replace(MAIL, processed_folder="Done"))) == ["forward", "acknowledge", "move"]


@pytest.mark.parametrize("status", [Status.REVIEW, Status.SET_ASIDE])
def test_what_waits_for_a_person_is_not_moved(status: Status) -> None:
    assert moves("x", replace(ROUTED, status=status), "Done") == ()


def test_backfilled_mail_is_not_moved() -> None:
    assert "move" not in kinds(planned(replace(MAIL, processed_folder="Done", backfill=True)))


def test_a_rules_folder_goes_before_the_mailboxes() -> None:
    assert moves("x", replace(ROUTED, move="Press"), "Done")[0].to == "Press"


def test_keys_tell_mails_departments_and_writers_apart() -> None:
    other = replace(MAIL, identity="mayor:f2", reference="MAY-2026-000002")
    keys = [delivery.key for mail in (MAIL, other) for delivery in planned(mail)]
    assert len(set(keys)) == len(keys)


@given(st.integers(-5, 10_000))
def test_retries_wait_from_five_minutes_to_four_thousand_seconds(attempts: int) -> None:
    assert timedelta(minutes=5) <= retry_after(attempts) <= timedelta(seconds=4000)


def test_a_delivery_is_given_up_after_five_days() -> None:
    start = datetime(2026, 11, 24, tzinfo=UTC)
    assert not given_up(start, start + timedelta(days=5))
    assert given_up(start, start + timedelta(days=5, seconds=1))


def test_what_a_person_has_answered_is_routed_and_noted_and_not_acknowledged() -> None:
    answered = replace(MAIL, answered=True)
    assert kinds(planned(answered)) == ["forward"]
    assert "a person had answered it in the mailbox" in why(answered)


def test_labels_are_an_office_s_wish_and_come_before_the_move() -> None:
    labelled = replace(MAIL, labelled=True, processed_folder="Done")
    assert kinds(planned(labelled)) == ["forward", "acknowledge", "label", "move"]
    assert planned(labelled)[2].to == "Triaged/city.noise Triaged/handed-off"
    assert "label" not in kinds(planned(replace(labelled, backfill=True)))


def test_what_waits_for_a_person_is_labelled_so() -> None:
    waiting = replace(MAIL, labelled=True, decision=replace(ROUTED, status=Status.REVIEW, topic=None))
    assert [delivery.to for delivery in planned(waiting) if delivery.kind == "label"] == ["Triaged/waits-for-a-person"]


@pytest.mark.parametrize("status", Status)
def test_a_label_is_one_word_that_every_mail_program_takes(status: Status) -> None:
    """RFC 9051 §9: an atom, and Dovecot keeps 50 letters by default."""
    for label in labels_of("housing.repair-or_mould", status):
        assert re.fullmatch(r"[A-Za-z0-9/._-]{1,50}", label)
