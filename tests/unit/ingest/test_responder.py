import pytest

from tests.unit.ingest.letters import mail
from triaged.ingest.authentication import Verdicts
from triaged.ingest.mail_words import languages
from triaged.ingest.responder import destination, is_away, never_answers, refusals
from triaged.message import Address

OURS = frozenset({"mayor@example.gov"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("List_Unsubscribe", "<https://example.org/u>"),
        ("List_Help", "<mailto:help@example.org>"),
        ("Precedence", "bulk"),
        ("Precedence", "Junk"),
        ("X_Auto_Response_Suppress", "DR, OOF, AutoReply"),
        ("X_Auto_Response_Suppress", "all"),
        ("Subject", "Out of Office: back on Monday"),
        ("To", "somebody.else@example.org"),
    ],
)
def test_each_sign_against_an_acknowledgement_leaves_a_reason(field: str, value: str) -> None:
    (reason,) = refusals(mail(**{field: value}), OURS)
    assert reason.because.startswith("no acknowledgement: ")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"To": "x@example.org", "Cc": "MAYOR@example.gov"},
        {"To": "x@example.org", "Delivered_To": "mayor@example.gov"},
        {"To": "x@example.org", "X_Original_To": "<mayor@example.gov>"},
        {"To": "x@example.org", "Envelope_To": "a@example.org, mayor@example.gov"},
        {"X_Auto_Response_Suppress": "RN"},
        {"Precedence": "first-class"},
    ],
)
def test_an_ordinary_letter_to_us_may_be_acknowledged(fields: dict[str, str]) -> None:
    assert refusals(mail(**fields), OURS) == []


def test_recipients_are_not_checked_when_our_addresses_are_unknown() -> None:
    assert refusals(mail(To="undisclosed-recipients:;"), frozenset()) == []


@pytest.mark.parametrize(
    ("language", "phrase"), [(language, phrase) for language, row in languages().items() for phrase in row.get("away", ())]
)
@pytest.mark.parametrize("subject", ["{}: Your letter", "Re: {}", "[{}] x"])
def test_an_out_of_office_subject_is_known_in_every_language(language: str, phrase: str, subject: str) -> None:
    assert is_away(subject.format(phrase.upper())), language


@pytest.mark.parametrize(
    "subject", ["Trash piles up while I am on vacation", "Landlord is absent", "", "Re: ", "Heat is out of order"]
)
def test_a_subject_that_only_speaks_of_absence_is_a_letters(subject: str) -> None:
    assert not is_away(subject)


NOBODY = """no-reply NOREPLY no_reply do-not-reply donotreply news-noreply mailer-daemon postmaster owner-block block-request
block-owner block-bounces bounce+123 bounces ne-pas-repondre nobody listserv"""


@pytest.mark.parametrize("local", NOBODY.split())
def test_addresses_that_nobody_reads_get_nothing(local: str) -> None:
    assert never_answers(f"{local}@example.org")


@pytest.mark.parametrize("local", ["rosa", "norah.reply", "noah", "bouncer", "owner", "request", "rootes", "nobodyknows"])
def test_peoples_addresses_get_their_acknowledgement(local: str) -> None:
    assert not never_answers(f"{local}@example.org")


@pytest.mark.parametrize(
    ("return_path", "verdicts", "to"),
    [
        ("<rosa@example.org>", Verdicts(), "rosa@example.org"),
        ("<ROSA@example.org>", Verdicts(), "rosa@example.org"),
        ("<r-123@mailer.example>", Verdicts(), "r-123@mailer.example"),
        ("<r-123@mailer.example>", Verdicts(dmarc="pass"), "rosa@example.org"),
        ("<bounces+1@mailer.example>", Verdicts(), ""),
        ("<>", Verdicts(dmarc="pass"), ""),
        ("", Verdicts(), "rosa@example.org"),
        ("", Verdicts(spf="pass", dmarc="none"), "rosa@example.org"),
        ("", Verdicts(spf="fail"), ""),
        ("", Verdicts(dmarc="fail"), ""),
    ],
)
def test_the_address_of_an_acknowledgement_is_the_return_path_unless_from_is_vouched_for(
    return_path: str, verdicts: Verdicts, to: str
) -> None:
    address, against = destination(mail(Return_Path=return_path), verdicts, None)
    assert address == to
    assert bool(against) is not bool(to)


def test_a_forms_writer_gets_it_whoever_the_form_is() -> None:
    form = mail(From="no-reply@example.gov", Return_Path="<>")
    assert destination(form, Verdicts(), Address("Ana", "ana@example.org")) == ("ana@example.org", [])
    assert destination(form, Verdicts(), Address("", "no-reply@example.org"))[0] == ""


@pytest.mark.parametrize("fields", [{"From": "Rosa"}, {"From": "no-reply@example.org"}, {"Return_Path": "<root>"}])
def test_without_a_usable_address_nothing_is_sent(fields: dict[str, str]) -> None:
    address, (reason,) = destination(mail(**fields), Verdicts(), None)
    assert address == ""
    assert reason.because.startswith("no acknowledgement: ")
