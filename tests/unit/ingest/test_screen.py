import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ingest.letters import TRUST, mail, message
from triaged.ingest.mime import read
from triaged.ingest.screen import HOPS, Trust, auto_submitted, screen, written_by
from triaged.message import Address, Kind

FORM = "Name: Ana\nEmail: ana@example.org\nMessage: No heat."


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("auto-submitted-no", Kind.LETTER),
        ("nothing-but-a-subject", Kind.LETTER),
        ("no-header-at-all", Kind.LETTER),
        ("out-of-office-exchange", Kind.AUTO_REPLY),
        ("vacation-with-comment-in-auto-submitted", Kind.AUTO_REPLY),
        ("read-receipt", Kind.AUTO_REPLY),
        ("delivery-report-for-a-hand-off", Kind.BOUNCE),
        ("delivery-report-that-only-warns", Kind.BOUNCE),
        ("citizen-attaches-a-bounce", Kind.LETTER),
        ("list-mail", Kind.LIST),
        ("newsletter-with-list-unsubscribe", Kind.LETTER),
        ("spam-by-our-own-filter", Kind.SPAM),
        ("spam-mark-of-another-server", Kind.LETTER),
        ("web-form-english", Kind.LETTER),
        ("encrypted-smime", Kind.LETTER),
        ("cut-off-in-binary", Kind.UNREADABLE),
    ],
)
def test_each_kind_of_mail_is_told_and_only_letters_are_acknowledged(name: str, kind: Kind) -> None:
    screening = screen(message(name), TRUST)
    assert screening.kind is kind
    assert not screening.may_acknowledge or kind is Kind.LETTER
    assert screening.reasons or screening.may_acknowledge
    assert bool(screening.acknowledge_to) is screening.may_acknowledge


@pytest.mark.parametrize(
    ("fields", "kind", "name"),
    [
        ({"X_Triaged_Loop": "MAY-2026-000001 signed"}, Kind.OWN, "loop header"),
        ({"X_Triaged_Loop": "MAY-2026-000001 forged"}, Kind.LETTER, ""),
        ({"Message_ID": "<triaged.1@example.gov>"}, Kind.OWN, "message-id"),
        ({"Message_ID": "<triaged.1@elsewhere.example>"}, Kind.LETTER, ""),
        ({"From": "Office <Correspondence@example.gov>"}, Kind.OWN, "from"),
        ({"Auto_Submitted": "auto-generated"}, Kind.AUTO_REPLY, "auto-submitted"),
        ({"X_Autoreply": "yes"}, Kind.AUTO_REPLY, "x-autoreply"),
        ({"X_Autorespond": "Re: x"}, Kind.AUTO_REPLY, "x-autorespond"),
        ({"X_Autoreply": "no"}, Kind.LETTER, ""),
        ({"Precedence": "auto_reply"}, Kind.AUTO_REPLY, "precedence"),
        ({"X_Apple_Action": "VACATION"}, Kind.AUTO_REPLY, "x-apple-action"),
        ({"Return_Path": "<>"}, Kind.AUTO_REPLY, "return-path"),
        ({"List_Post": "<mailto:l@example.org>"}, Kind.LIST, "list-post"),
        ({"Precedence": "list"}, Kind.LIST, "precedence"),
        ({"X_MS_Exchange_Organization_SCL": "6"}, Kind.SPAM, "spam"),
        ({"X_MS_Exchange_Organization_SCL": "-1"}, Kind.LETTER, ""),
        ({"X_MS_Exchange_Organization_SCL": "99999999999999999999"}, Kind.LETTER, ""),
        ({"X_Spam_Flag": "YES", "Received": "by mx.example.gov; x"}, Kind.SPAM, "spam"),
        ({"X_Spam_Status": "Yes, score=9", "Received": "by mx.example.gov; x"}, Kind.SPAM, "spam"),
        ({"X_Spamd_Result": "default: True [9.0 / 5.0]", "Received": "by mx.example.gov; x"}, Kind.SPAM, "spam"),
        ({"X_Spam_Status": "No, score=1", "Received": "by mx.example.gov; x"}, Kind.LETTER, ""),
        (
            {"Received": "by A.mail.protection.outlook.com; x", "X_Forefront_Antispam_Report": "CIP:1;SFV:SPM;DIR:INB"},
            Kind.SPAM,
            "spam",
        ),
        (
            {"Received": "by A.mail.protection.outlook.com; x", "X_Forefront_Antispam_Report": "SFV:SPM;DIR:OUT"},
            Kind.LETTER,
            "",
        ),
        ({"Received": "by mx.example.gov; x", "X_Forefront_Antispam_Report": "SFV:SPM;DIR:INB"}, Kind.LETTER, ""),
        ({"From": "reviewer@example.gov", "In_Reply_To": "<triaged.9@example.gov>"}, Kind.ANSWER, "answer"),
        ({"From": "reviewer@example.gov"}, Kind.LETTER, ""),
        ({"From": "stranger@example.org", "In_Reply_To": "<triaged.9@example.gov>"}, Kind.LETTER, ""),
        (
            {"From": "reviewer@example.gov", "In_Reply_To": "<triaged.9@example.gov>", "Auto_Submitted": "auto-replied"},
            Kind.AUTO_REPLY,
            "auto-submitted",
        ),
    ],
)
def test_machines_give_themselves_away_by_their_fields(fields: dict[str, str], kind: Kind, name: str) -> None:
    screening = screen(mail(**fields), TRUST)
    assert screening.kind is kind
    assert kind is Kind.LETTER or screening.reasons[0].name == name


def test_a_mail_that_goes_round_in_circles_is_stopped_and_shown() -> None:
    received = "".join("Received: by a.example; x\n" for _ in range(HOPS + 1))
    screening = screen(read(f"{received}From: a@example.org\nSubject: x\n\nx".encode()), TRUST)
    assert screening.kind is Kind.OWN
    assert screening.must_review == "it went through 51 servers: it goes round in circles"


@pytest.mark.parametrize(
    ("value", "keyword"),
    [
        ("no", "no"),
        ("Auto-Replied (vacation)", "auto-replied"),
        ("(a (nested) comment) auto-generated; owner-email=x", "auto-generated"),
        ("auto-notified; (x", "auto-notified"),
        ("", ""),
        ("(only a comment)", ""),
        ("((((", "(((("),
    ],
)
def test_auto_submitted_is_its_first_word_without_comments(value: str, keyword: str) -> None:
    assert auto_submitted(value) == keyword


def test_a_bounce_names_what_failed_and_a_warning_names_nothing() -> None:
    assert screen(message("delivery-report-for-a-hand-off"), TRUST).bounced == (
        "<triaged.0123@example.gov>",
        "housing@example.gov",
    )
    assert screen(message("delivery-report-that-only-warns"), TRUST).bounced == ()


def test_a_web_form_of_ours_is_its_writers_letter_although_a_machine_sends_it() -> None:
    form = mail(
        FORM, From="forms@example.gov", Return_Path="<>", Auto_Submitted="auto-generated", Precedence="bulk", To="x@example.gov"
    )
    screening = screen(form, TRUST)
    assert (screening.kind, screening.acknowledge_to) == (Kind.LETTER, "ana@example.org")
    assert written_by(form, TRUST) == Address("Ana", "ana@example.org")


def test_a_form_from_a_stranger_is_the_strangers_letter() -> None:
    form = mail(FORM)
    screening = screen(form, TRUST)
    assert (screening.kind, screening.acknowledge_to) == (Kind.LETTER, "rosa@example.org")
    assert written_by(form, TRUST).address == "rosa@example.org"


def test_a_form_from_our_own_address_that_nobody_listed_is_shown_to_people() -> None:
    screening = screen(mail(FORM, From="correspondence@example.gov"), TRUST)
    assert screening.kind is Kind.OWN
    assert "web form" in screening.must_review


def test_a_web_form_without_fields_never_gets_an_acknowledgement_itself() -> None:
    screening = screen(mail("No heat.", From="forms@example.gov", Return_Path="<forms@example.gov>"), TRUST)
    assert (screening.kind, screening.may_acknowledge) == (Kind.LETTER, False)


@pytest.mark.parametrize(
    "name", ["dmarc-fail", "results-forged-by-the-sender", "two-from-fields", "spam-mark-of-another-server"]
)
def test_a_letter_in_doubt_goes_to_a_person_unacknowledged(name: str) -> None:
    screening = screen(message(name), TRUST)
    assert screening.must_review
    assert not screening.may_acknowledge
    assert screening.reasons[0].because == screening.must_review


@pytest.mark.parametrize("name", ["encrypted-pgp-mime", "encrypted-smime", "winmail-dat-only", "cut-off-in-binary"])
def test_a_mail_that_cannot_be_read_goes_to_a_person_unacknowledged(name: str) -> None:
    screening = screen(message(name), TRUST)
    assert screening.must_review.startswith("it cannot be read: ")
    assert not screening.may_acknowledge


def test_a_dmarc_pass_turns_the_acknowledgement_from_a_bulk_return_path_to_the_writer() -> None:
    assert screen(message("return-path-differs-dmarc-pass"), TRUST).acknowledge_to == "rosa@example.org"


def test_fields_of_an_attached_mail_say_nothing_about_the_mail() -> None:
    inner = "Auto-Submitted: auto-replied\nList-Id: <x>\nX-Spam-Flag: YES\n\nx"
    body = f"--b\n\nsee\n--b\nContent-Type: message/rfc822\n\n{inner}\n--b--\n"
    assert screen(mail(body, Content_Type="multipart/mixed; boundary=b"), TRUST).may_acknowledge


FIELDS = ["From", "Return_Path", "Auto_Submitted", "Precedence", "List_Id", "Subject", "To"]


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=20)))
def test_any_mail_is_screened_with_a_reason_or_an_address(fields: dict[str, str]) -> None:
    screening = screen(mail(**{name: value.replace("\n", " ") for name, value in fields.items()}), Trust())
    assert bool(screening.acknowledge_to) is screening.may_acknowledge
    assert screening.may_acknowledge or screening.reasons
