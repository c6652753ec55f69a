"""Hand-offs as mails."""

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cases import LETTER, LETTERHEAD, NOW, SIGNER, a_case, a_delivery
from tests.smtp import attached
from triaged.message import Address, Attachment, Flag, Message, Reason, Urgency
from triaged.route.compose import handoff
from triaged.route.handoff import Case
from triaged.route.header import HeaderError
from triaged.route.sender import Accepts

FIELDS = ["From", "To", "Reply-To", "Subject", "Date", "Message-ID", "X-Triaged-Loop", "X-Triaged-Delivery", "Importance",
          "MIME-Version", "Content-Type", "Content-Transfer-Encoding"]  # fmt: skip
ANY = Accepts()


def compose(case: Case, accepts: Accepts = ANY) -> bytes:
    """Compose a hand-off of a case."""
    return handoff(case, a_delivery(), LETTERHEAD, accepts, NOW)


def parsed(octets: bytes) -> EmailMessage:
    """Read a mail as another program does."""
    return message_from_bytes(octets, policy=default)


def text_of(octets: bytes) -> str:
    """Return the text of a hand-off."""
    return str(next(parsed(octets).iter_parts()).get_content()).replace("\r\n", "\n")


def test_a_hand_off_carries_all_that_a_clerk_and_a_ticket_system_need() -> None:
    octets = compose(a_case())
    mail = parsed(octets)
    assert mail.keys() == FIELDS
    assert mail["From"] == "Office of the Mayor <correspondence@example.gov>"
    assert mail["To"] == "housing@example.gov"
    assert mail["Reply-To"].addresses[0].addr_spec == "writer@example.org"
    assert mail["Subject"] == "[MAY-2026-000123] URGENT: No heat"
    assert mail["Message-ID"] == mail["X-Triaged-Delivery"] == a_delivery().message_id
    assert SIGNER.is_own_loop_header(mail["X-Triaged-Loop"])
    assert mail["Importance"] == "high"
    assert not mail.defects
    for line in (
        "Reference:   MAY-2026-000123", "Written to:  Office of the Mayor", "Writer:      Ana Pérez <writer@example.org>",
        "Received:    2026-11-23 14:03 UTC", "Language:    Spanish", "Topic:       No heat or hot water at home (housing.heat)",
        "Urgency:     HIGH: today", "Flag:        child: “newborn”, “bebé”", "Answer by:   2026-12-01",
        "See also:    LEA-2026-000007",
        "  - any_text has “calefacción” (rules.yaml:41)", "  - photo.jpg (image/jpeg, 120 KB)", "No tenemos calefacción.\nAna",
    ):  # fmt: skip
        assert line in text_of(octets)


def test_the_original_stands_in_it_byte_for_byte_and_unencoded() -> None:
    octets = compose(a_case())
    assert attached(octets) == LETTER
    part = list(parsed(octets).iter_parts())[1]
    assert part.get_content_type() == "message/rfc822"
    assert part["Content-Transfer-Encoding"] == "8bit"
    assert part.get_filename() == "MAY-2026-000123.eml"


def test_it_is_the_same_mail_at_every_attempt() -> None:
    assert compose(a_case()) == compose(a_case())


def test_nothing_in_it_says_that_a_machine_wrote_it() -> None:
    names = {name.lower() for name in parsed(compose(a_case())).keys()}  # noqa: SIM118 - keys() has repeated fields too
    assert not names & {"auto-submitted", "precedence", "x-auto-response-suppress", "bcc", "return-path"}
    assert not any(name.startswith("list-") for name in names)


@pytest.mark.parametrize(("urgency", "mark"), [(Urgency.CRITICAL, "CRITICAL: "), (Urgency.NORMAL, ""), (Urgency.LOW, "")])
def test_urgency_is_marked_in_the_subject(urgency: Urgency, mark: str) -> None:
    mail = parsed(compose(a_case(urgency=urgency)))
    assert mail["Subject"] == f"[MAY-2026-000123] {mark}No heat"
    assert ("Importance" in mail) is (urgency is Urgency.CRITICAL)


def test_a_later_mail_of_the_case_does_not_repeat_the_reference() -> None:
    octets = compose(a_case(subject="Re: [MAY-2026-000123] No heat", follow_up=True, urgency=Urgency.NORMAL))
    assert parsed(octets)["Subject"] == "[MAY-2026-000123] Re: No heat"
    assert "a later mail on MAY-2026-000123" in text_of(octets)


@given(
    subject=st.text(max_size=400),
    name=st.text(max_size=200),
    address=st.text(max_size=60),
    raw=st.binary(max_size=600),
    filename=st.text(max_size=60),
    because=st.text(max_size=60),
)
def test_nothing_a_writer_sends_adds_a_field_or_loses_the_original(
    subject: str, name: str, address: str, raw: bytes, filename: str, because: str
) -> None:
    case = a_case(
        raw or b"x",
        Message(text=subject, attachments=(Attachment(filename, filename, 1),)),
        subject=subject,
        sender=Address(name, address),
        flags=(Flag(name, (subject,)),),
        reasons=(Reason("rule", name, because),),
        language=name,
        topic=None,
    )
    octets = compose(case)
    top = message_from_bytes(octets)
    assert [name for name in top.keys() if name != "Reply-To"] == [name for name in FIELDS if name != "Reply-To"]  # noqa: SIM118
    assert len(list(parsed(octets).iter_parts())) == 2
    if top.get_payload(1).get_content_type() == "message/rfc822":  # type: ignore[union-attr]
        assert attached(octets) in (raw or b"x", raw.replace(b"\n", b"\r\n"))
    else:
        assert top.get_payload(1).get_payload(decode=True) == raw  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "subject",
    [
        "x\r\nBcc: victim@example.org",
        "x\n\nbody",
        "=?utf-8?q?=0D=0ABcc:_victim=40example.org?=",
        "y" * 5000,
        "",
        "\u202ereversed",
    ],
)
def test_hostile_subjects_stay_subjects(subject: str) -> None:
    mail = parsed(compose(a_case(subject=subject)))
    assert mail.keys() == FIELDS
    assert mail["Subject"].startswith("[MAY-2026-000123] URGENT: ")
    assert len(mail["Subject"]) < 250


def test_a_peer_without_8bitmime_gets_an_eml_file_in_base64() -> None:
    octets = compose(a_case(), Accepts(eight_bit=False))
    part = list(parsed(octets).iter_parts())[1]
    assert octets.isascii()
    assert part.get_content_type() == "application/octet-stream"
    assert part.get_filename() == "MAY-2026-000123.eml"
    assert part.get_content() == LETTER


@pytest.mark.parametrize(("size", "limit"), [(20_000, 10_000), (10_300_000, None), (9_900, 10_000)])
def test_an_original_that_is_too_large_is_named_and_not_sent(size: int, limit: int | None) -> None:
    octets = compose(a_case(LETTER.ljust(size, b".")), Accepts(limit))
    assert len(octets) < 10_000
    assert "too large to be mailed" in text_of(octets)
    assert "photo.jpg" in text_of(octets)
    assert len(list(parsed(octets).iter_parts())) == 1


def test_a_peer_that_takes_more_than_usual_gets_more() -> None:
    raw = LETTER + b"\r\n" + (b"x" * 70 + b"\r\n") * 150_000
    assert attached(compose(a_case(raw), Accepts(20_000_000))) == raw


def test_a_mail_that_was_never_had_whole_says_so() -> None:
    assert "could not be kept whole" in text_of(compose(a_case(b"")))


def test_answers_go_where_the_writer_asked() -> None:
    asked = Message(reply_to=(Address("Ana at home", "ana@home.example"), Address("", "not an address")))
    octets = compose(a_case(message=asked))
    assert [str(address) for address in parsed(octets)["Reply-To"].addresses] == ["Ana at home <ana@home.example>"]
    assert "Reply goes to: Ana at home <ana@home.example>" in text_of(octets)


def test_a_useless_reply_to_falls_back_to_the_writer() -> None:
    octets = compose(a_case(message=Message(reply_to=(Address("", "nobody"),))))
    assert parsed(octets)["Reply-To"].addresses[0].addr_spec == "writer@example.org"


@pytest.mark.parametrize("address", ["", "nobody", "jörg@example.org"])
def test_without_an_address_that_any_server_takes_there_is_no_reply_to(address: str) -> None:
    octets = compose(a_case(sender=Address("x", address)))
    assert "Reply-To" not in parsed(octets)
    assert "No address was found" in text_of(octets)
    assert octets.partition(b"\r\n\r\n")[0].isascii()


def test_a_department_whose_address_is_none_is_refused() -> None:
    with pytest.raises(HeaderError, match="not an address"):
        handoff(a_case(), replace(a_delivery(), to="housing"), LETTERHEAD, ANY, NOW)


def test_long_lists_are_cut_and_the_text_has_no_control_characters() -> None:
    message = Message(
        text="a\x1b[2J\u202eb\0" + "z" * 30_000, attachments=tuple(Attachment(f"{n}", "x/y", n) for n in range(80))
    )
    octets = compose(
        a_case(message=message, reasons=tuple(Reason("rule", "", f"because {n}") for n in range(20)), language="und")
    )
    text = text_of(octets)
    assert "and 30 more" in text
    assert "and 12 more" in text
    assert "The letter goes on" in text
    assert "a[2Jb" in text
    assert "Language:    not known" in text


def test_a_letter_without_text_is_still_handed_off() -> None:
    octets = compose(a_case(message=Message(), excerpt="", topic="other", related=(), due=None, subject="", reasons=()))
    assert "no text of its own" in text_of(octets)
    assert "Topic:       other" in text_of(octets)
    assert parsed(octets)["Subject"].endswith("(no subject)")
