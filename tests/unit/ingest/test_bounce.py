import pytest

from tests.unit.ingest.letters import mail, message
from triaged.ingest.bounce import bounce_signs, is_final, is_receipt, named


def test_a_delivery_report_names_the_mail_that_failed_and_its_recipient() -> None:
    report = message("delivery-report-for-a-hand-off")
    assert bounce_signs(report) == "it is a report (delivery-status)"
    assert is_final(report)
    assert named(report) == ("<triaged.0123@example.gov>", "housing@example.gov")


def test_a_warning_of_delay_is_not_final() -> None:
    assert not is_final(message("delivery-report-that-only-warns"))
    assert not is_final(mail("Will try again.", Subject="Delivery Status Notification (Delay)"))
    assert is_final(mail("Gone.", Subject="Delivery Status Notification (Failure)"))


DAEMON = "Mail Delivery System <MAILER-DAEMON@relay.example.org>"
QMAIL = (
    "Hi. This is the qmail-send program at example.org.\nThis is a permanent error.\n\n<housing@example.gov>:\nNo such user.\n"
)


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ({"From": DAEMON, "Return_Path": "<>", "Subject": "failure notice"}, QMAIL),
        ({"From": DAEMON, "Return_Path": "", "Subject": "Mail delivery failed: returning message to sender"}, "…"),
        ({"From": DAEMON, "Return_Path": "<MAILER-DAEMON>", "Subject": "?"}, "…"),
        ({"From": "x@example.org", "Return_Path": "<>", "Subject": "?", "X_Failed_Recipients": "a@example.org"}, "…"),
        (
            {"From": "no-reply@example.org", "Return_Path": "<>", "Subject": "Mail"},
            "Your mail could not be delivered to: a@example.org",
        ),
        ({"From": "staff@hotmail.com", "Subject": "complaint about message from 192.0.2.1"}, "…"),
    ],
)
def test_older_forms_of_bounces_are_known_by_two_signs(fields: dict[str, str], body: str) -> None:
    assert bounce_signs(mail(body, **fields))


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ({"Subject": "Undeliverable: my mail to the mayor"}, "My mail could not be delivered, what is the right address?"),
        ({"Subject": "Fwd: Returned mail: see transcript"}, "----- Transcript of session follows -----\n550 user unknown"),
        ({"From": "Postmaster <postmaster@town.example>", "Subject": "Street light"}, "The light at Oak is out."),
        ({"Return_Path": "<>", "Subject": "Automatic reply: Letter"}, "I am away."),
        ({"X_Failed_Recipients": "a@example.org", "Subject": "Hello"}, "Hello."),
    ],
)
def test_a_person_who_writes_about_a_bounce_sends_none(fields: dict[str, str], body: str) -> None:
    assert bounce_signs(mail(body, **fields)) == ""


def test_a_bounce_that_a_citizen_attaches_is_the_citizens_letter() -> None:
    assert bounce_signs(message("citizen-attaches-a-bounce")) == ""


def test_a_receipt_is_no_bounce() -> None:
    receipt = message("read-receipt")
    assert is_receipt(receipt)
    assert bounce_signs(receipt) == ""


def test_recipients_are_found_in_fields_reports_and_words() -> None:
    assert named(mail(QMAIL, From=DAEMON)) == ("housing@example.gov",)
    assert named(mail("…", X_Failed_Recipients="A@example.org, b@example.org")) == ("a@example.org", "b@example.org")
    assert named(mail("…", In_Reply_To="<triaged.1@example.gov>")) == ("<triaged.1@example.gov>",)
