"""Mail that goes out through a real Postfix, looked at where it arrives."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.cases import LETTER, a_case, a_delivery, means
from tests.smtp import Postfix, attached, wait_until
from triaged.message import State
from triaged.route.deliver import open_handoffs
from triaged.route.handoff import Handoff
from triaged.route.smtp import Smtp

pytestmark = pytest.mark.postfix
DEMO = Path(__file__).parents[2] / "triaged/demo/mail"


@pytest.fixture
def handoffs(postfix: Postfix) -> Iterator[dict[str, Handoff]]:
    """The kinds of hand-off, their mail going through Postfix and bounces coming back to triage@example.gov."""
    with closing(Smtp(postfix.settings())) as sender:
        yield open_handoffs(means(sender))


def digest(octets: bytes) -> str:
    """Return the hash of a mail whichever its line ends are: a maildir has LF."""
    return hashlib.sha256(octets.replace(b"\r\n", b"\n")).hexdigest()


def test_postfix_offers_all_that_we_use(postfix: Postfix) -> None:
    with closing(Smtp(postfix.settings())) as sender:
        assert sender.accepts().max_octets == 10_240_000
        assert "takes mail up to 10240000 octets, 8BITMIME, DSN, SMTPUTF8" in sender.check()


def test_a_hand_off_arrives_with_the_originals_bytes(postfix: Postfix, handoffs: dict[str, Handoff]) -> None:
    outcome = handoffs["forward"].deliver(a_delivery(), a_case())
    assert outcome.state is State.SENT
    assert "queued as" in outcome.detail
    arrived = postfix.arrived("housing@example.gov")
    mail = message_from_bytes(arrived)
    assert digest(attached(arrived.replace(b"\n", b"\r\n"))) == digest(LETTER)
    assert mail["Return-Path"] == "<bounces@example.gov>"
    assert mail["Message-ID"] == a_delivery().message_id
    assert mail["Reply-To"].endswith("<writer@example.org>")
    assert "Auto-Submitted" not in mail


def test_every_letter_of_the_demonstration_arrives_unchanged(postfix: Postfix, handoffs: dict[str, Handoff]) -> None:
    letters = {file.name: file.read_bytes() for file in sorted(DEMO.rglob("*.eml"))}
    assert letters
    for number, raw in enumerate(letters.values()):
        case = a_case(raw, reference=f"MAY-2026-{number:06d}")
        assert handoffs["forward"].deliver(a_delivery(), case).state is State.SENT
    mails = wait_until(
        lambda: (found := postfix.mails("housing@example.gov")) and len(found) == len(letters) and found, "all have arrived"
    )
    assert sorted(_original(mail) for mail in mails) == sorted(digest(raw) for raw in letters.values())


def _original(octets: bytes) -> str:
    part = message_from_bytes(octets).get_payload(1)
    if part.get_content_type() == "message/rfc822":  # type: ignore[union-attr]
        return digest(attached(octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")))
    return digest(part.get_payload(decode=True))  # type: ignore[union-attr, arg-type]


def test_an_acknowledgement_arrives_with_a_null_return_path(postfix: Postfix, handoffs: dict[str, Handoff]) -> None:
    assert handoffs["acknowledge"].deliver(a_delivery("acknowledge", "writer@example.org"), a_case()).state is State.SENT
    mail = message_from_bytes(postfix.arrived("writer@example.org"))
    assert mail["Return-Path"] == "<>"
    assert mail["Auto-Submitted"] == "auto-replied"


def test_a_hand_off_to_nobody_comes_back_naming_our_message_id(postfix: Postfix) -> None:
    with closing(Smtp(postfix.settings())) as sender:
        handoffs = open_handoffs(means(sender, envelope="triage@example.gov"))
        delivery = a_delivery("forward", "gone@example.gov")
        assert handoffs["forward"].deliver(delivery, a_case()).state is State.SENT
    bounce = message_from_bytes(postfix.arrived("triage@example.gov"))
    assert bounce.get_content_type() == "multipart/report"
    assert bounce["Return-Path"] == "<>"
    report, returned = bounce.get_payload(1), bounce.get_payload(2)
    assert "Status: 5.1.1" in report.as_string()  # type: ignore[union-attr]
    assert delivery.message_id in returned.as_string()  # type: ignore[union-attr]


def test_an_acknowledgement_to_nobody_ends_there(postfix: Postfix, handoffs: dict[str, Handoff]) -> None:
    assert handoffs["acknowledge"].deliver(a_delivery("acknowledge", "gone@example.org"), a_case()).state is State.SENT
    wait_until(lambda: "unknown user" in postfix.log() and "removed" in postfix.log() and postfix.is_idle(), "Postfix is done")
    for address in ("triage@example.gov", "housing@example.gov", "writer@example.org"):
        assert postfix.mails(address) == []


def test_a_recipient_that_postfix_refuses_fails_at_once_with_its_code(handoffs: dict[str, Handoff]) -> None:
    outcome = handoffs["forward"].deliver(a_delivery("forward", "refused@example.gov"), a_case())
    assert outcome.state is State.FAILED
    assert "550 5.1.1 <refused@example.gov>: Recipient address rejected: left the office" in outcome.detail
