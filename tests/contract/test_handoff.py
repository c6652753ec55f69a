"""What every kind of hand-off promises, and how trouble on the way is told."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.cases import LETTER, NOW, a_case, a_delivery, means, no_move
from tests.smtp import Rude, Sink, attached
from triaged.message import Delivery, Notice, Outcome, State, Status
from triaged.route.deliver import KINDS, open_handoffs
from triaged.route.handoff import Case, MoveError
from triaged.route.smtp import Smtp
from triaged.route.spool import Spool

DELIVERIES = {
    "forward": a_delivery("forward", "housing@example.gov, deputy@example.gov"),
    "acknowledge": a_delivery("acknowledge", "writer@example.org"),
    "notice": a_delivery("notice", "reviewer@example.gov"),
    "move": Delivery("move", "Triaged/Done", "move:test"),
    "label": Delivery("label", "Triaged/housing.heat Triaged/waits-for-a-person", "label:test"),
}
BY_MAIL = ["forward", "acknowledge", "notice"]
RECEIPT = Notice("Your answer: done 1", "Done: 7K\n", reply_to="triage@example.gov", answers="<answer@example.gov>")
ALERT = Notice("CRITICAL: a letter needs you now", "7K\n", "<b>7K</b>", "triage@example.gov")
CASE = replace(a_case(), notice=RECEIPT)


def spool(folder: Path) -> Spool:
    """A sender that leaves something to look at."""
    return Spool(folder, lambda: NOW)


def deliver_to(rude: Rude, kind: str, case: Case | None = None) -> Outcome:
    """Carry out a delivery through a server that misbehaves."""
    with closing(rude.sender(connect=0.5, command=0.5, final=0.3)) as sender:
        return open_handoffs(means(sender))[kind].deliver(DELIVERIES[kind], case or CASE)


def test_every_kind_is_judged_here() -> None:
    assert set(DELIVERIES) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_delivery_that_went_well_is_sent_and_says_so(kind: str, tmp_path: Path) -> None:
    outcome = open_handoffs(means(spool(tmp_path)))[kind].deliver(DELIVERIES[kind], CASE)
    assert outcome.state is State.SENT
    assert outcome.detail


@pytest.mark.parametrize("kind", KINDS)
def test_carried_out_twice_it_shows_once(kind: str, tmp_path: Path) -> None:
    places = {"INBOX": {"17"}, "Triaged/Done": set[str]()}

    def move(mailbox: str, uid: str, folder: str) -> bool:
        if uid not in places["INBOX"]:  # a mail that is gone is no error
            return False
        places["INBOX"].remove(uid)
        places[folder].add(uid)
        return True

    labels: dict[str, tuple[str, ...]] = {}

    def mark(mailbox: str, uid: str, names: Sequence[str]) -> None:
        labels[uid] = tuple(names)

    for _ in range(2):
        handoff = open_handoffs(means(spool(tmp_path), move, mark=mark))[kind]
        assert handoff.deliver(DELIVERIES[kind], CASE).state is State.SENT
    assert len(list(tmp_path.iterdir())) + len(places["Triaged/Done"]) + len(labels) == 1


def test_labels_say_how_a_mail_stands_now_and_not_when_they_were_planned(tmp_path: Path) -> None:
    marked = []

    def mark(mailbox: str, uid: str, labels: Sequence[str]) -> None:
        marked.append((mailbox, uid, *labels))

    case = a_case(status=Status.ROUTED, topic="housing.heat")
    outcome = open_handoffs(means(spool(tmp_path), mark=mark))["label"].deliver(DELIVERIES["label"], case)
    assert marked == [("mayor", "17", "Triaged/housing.heat", "Triaged/handed-off")]
    assert outcome == Outcome(State.SENT, "labelled Triaged/housing.heat Triaged/handed-off")


@pytest.mark.parametrize(("permanent", "state"), [(False, State.PLANNED), (True, State.FAILED)])
def test_labels_that_could_not_be_set_keep_the_servers_words(permanent: bool, state: State, tmp_path: Path) -> None:
    def mark(mailbox: str, uid: str, labels: Sequence[str]) -> None:
        raise MoveError("it takes no keywords of ours", permanent=permanent)

    outcome = open_handoffs(means(spool(tmp_path), mark=mark))["label"].deliver(DELIVERIES["label"], a_case())
    assert outcome == Outcome(state, "it takes no keywords of ours")


@pytest.mark.parametrize(
    ("there", "said"), [(True, "moved to Triaged/Done"), (False, "somebody had moved or deleted it before")]
)
def test_a_move_says_whether_a_person_was_first(there: bool, said: str, tmp_path: Path) -> None:
    outcome = open_handoffs(means(spool(tmp_path), lambda *_: there))["move"].deliver(DELIVERIES["move"], a_case())
    assert outcome == Outcome(State.SENT, said)


@pytest.mark.parametrize(("permanent", "state"), [(False, State.PLANNED), (True, State.FAILED)])
def test_a_move_that_did_not_happen_keeps_the_servers_words(permanent: bool, state: State, tmp_path: Path) -> None:
    def move(mailbox: str, uid: str, folder: str) -> bool:
        raise MoveError(f"{mailbox} {uid} {folder}: [OVERQUOTA]", permanent=permanent)

    outcome = open_handoffs(means(spool(tmp_path), move))["move"].deliver(DELIVERIES["move"], a_case())
    assert outcome == Outcome(state, "mayor 17 Triaged/Done: [OVERQUOTA]")


@pytest.mark.parametrize("kind", BY_MAIL)
@pytest.mark.parametrize(
    ("step", "answer", "state", "said"),
    [
        ("greeting", "", State.PLANNED, ""),
        ("greeting", "554 5.3.2 no service", State.PLANNED, "5.3.2"),
        ("MAIL", "451 4.7.1 greylisted", State.PLANNED, "4.7.1"),
        ("RCPT", "550 5.1.1 no such user", State.FAILED, "5.1.1"),
        ("DATA", "451 4.3.0 later", State.PLANNED, "4.3.0"),
        (".", "552 5.2.2 mailbox full", State.FAILED, "5.2.2"),
        (".", "451 4.3.0 later", State.PLANNED, "4.3.0"),
        (".", None, State.IN_DOUBT, "RFC 1047"),
    ],
)
def test_trouble_on_the_way_is_told_apart_and_keeps_the_peers_words(
    rude: Rude, kind: str, step: str, answer: str | None, state: State, said: str
) -> None:
    rude.answers = {step: answer}
    outcome = deliver_to(rude, kind)
    assert outcome.state is state
    assert said in outcome.detail


def test_nobody_there_is_tried_again() -> None:
    nobody = Smtp(Sink("none", 1).settings())
    for kind in BY_MAIL:
        assert open_handoffs(means(nobody))[kind].deliver(DELIVERIES[kind], CASE).state is State.PLANNED


def test_a_hand_off_comes_from_us_with_our_envelope_and_the_originals_bytes(sinks: Callable[..., Sink]) -> None:
    sink = sinks("starttls")
    with closing(Smtp(sink.settings())) as sender:
        outcome = open_handoffs(means(sender))["forward"].deliver(DELIVERIES["forward"], a_case())
    assert outcome.state is State.SENT
    (mail,) = sink.mails
    assert mail.mail_from == "bounces@example.gov"
    assert mail.rcpt_tos == ["housing@example.gov", "deputy@example.gov"]
    assert hashlib.sha256(attached(mail.original_content or b"")).digest() == hashlib.sha256(LETTER).digest()


def test_an_original_from_a_maildir_travels_with_network_line_ends(sinks: Callable[..., Sink]) -> None:
    sink = sinks()
    with closing(Smtp(sink.settings())) as sender:
        case = a_case(LETTER.replace(b"\r\n", b"\n"))
        open_handoffs(means(sender))["forward"].deliver(DELIVERIES["forward"], case)
    assert attached(sink.mails[0].original_content or b"") == LETTER


def test_a_server_without_8bitmime_gets_the_original_in_seven_bits(rude: Rude) -> None:
    rude.extensions = ("SIZE 10240000",)
    assert deliver_to(rude, "forward").state is State.SENT
    (octets,) = rude.mails
    assert octets.isascii()
    attachment = message_from_bytes(octets).get_payload(1)
    assert attachment.get_payload(decode=True) == LETTER  # type: ignore[union-attr]


def test_a_server_with_a_small_size_gets_a_pointer_instead_of_the_original(rude: Rude) -> None:
    rude.extensions = ("8BITMIME", "SIZE 20000")
    assert deliver_to(rude, "forward", a_case(LETTER + b"\r\nx" * 20_000)).state is State.SENT
    assert b"too large to be mailed" in rude.mails[0]


def test_a_refused_recipient_of_several_is_named(rude: Rude) -> None:
    rude.answers = {"RCPT TO:<deputy@": "550 5.1.1 left the office"}
    outcome = deliver_to(rude, "forward")
    assert outcome.state is State.SENT
    assert "refused: recipient <deputy@example.gov>: 550 5.1.1 left the office" in outcome.detail


@pytest.mark.parametrize(("kind", "to"), [("acknowledge", "writer@example.org"), ("notice", "reviewer@example.gov")])
def test_what_answers_a_mail_has_the_null_sender_and_asks_for_no_report(rude: Rude, kind: str, to: str) -> None:
    assert deliver_to(rude, kind).state is State.SENT
    commands = [command for command in rude.commands if command.startswith(("MAIL", "RCPT"))]
    assert commands[0].startswith("MAIL FROM:<> ")
    assert commands[1:] == [f"RCPT TO:<{to}> NOTIFY=NEVER"]
    assert rude.mails[0].isascii()
    assert message_from_bytes(rude.mails[0])["Auto-Submitted"] == "auto-replied"


def test_an_alert_answers_nothing_so_its_bounce_comes_back_to_us(rude: Rude) -> None:
    """An alert that reaches nobody must not get lost in silence."""
    assert deliver_to(rude, "notice", replace(a_case(), notice=ALERT)).state is State.SENT
    assert any(command.startswith("MAIL FROM:<bounces@example.gov>") for command in rude.commands)
    mail = message_from_bytes(rude.mails[0])
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["In-Reply-To"] is None
    assert mail.get_content_type() == "multipart/alternative"


def test_a_notice_whose_text_was_not_kept_fails_in_words_and_nothing_leaves(tmp_path: Path) -> None:
    outcome = open_handoffs(means(spool(tmp_path)))["notice"].deliver(DELIVERIES["notice"], replace(a_case(), notice=None))
    assert outcome == Outcome(State.FAILED, "its text was not kept")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["acknowledge", "notice"])
@pytest.mark.parametrize("to", ["nobody", "a@example.org, b@example.org", "a@example.org\r\nBcc: b@example.org", ""])
def test_an_address_that_is_none_fails_in_words_and_nothing_leaves(kind: str, to: str, tmp_path: Path) -> None:
    outcome = open_handoffs(means(spool(tmp_path)))[kind].deliver(a_delivery(kind, to), CASE)
    assert outcome.state is State.FAILED
    assert "not an address" in outcome.detail
    assert list(tmp_path.iterdir()) == []


def test_a_department_without_an_address_fails_in_words(tmp_path: Path) -> None:
    outcome = open_handoffs(means(spool(tmp_path)))["forward"].deliver(a_delivery("forward", "housing"), a_case())
    assert outcome.state is State.FAILED
    assert "'housing' is not an address" in outcome.detail


def test_a_missing_text_fails_in_words_and_nothing_leaves(tmp_path: Path) -> None:
    delivery = a_delivery("acknowledge", "writer@example.org", template="scheduling")
    handoffs = open_handoffs(means(spool(tmp_path / "out"), no_move, templates=tmp_path))
    outcome = handoffs["acknowledge"].deliver(delivery, a_case())
    assert outcome.state is State.FAILED
    assert "there is no en.txt.j2" in outcome.detail
    assert not (tmp_path / "out").exists()
