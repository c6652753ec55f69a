"""What only Exchange does: ways to sign in, impersonation, busy servers, void states, ids. The real exchangelib over TLS."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from exchangelib.services import common as services
from requests.exceptions import InvalidHeader

from tests.ews import ACCOUNT, OTHER, USER, EwsServer, Mail, busy, error, fine, soap
from tests.issuer import Issuer
from tests.web import Said
from triaged.ews import END_OF_EWS, Ews
from triaged.ingest.exchange import ExchangeFeed
from triaged.ingest.feed_mailbox import ATTEMPTS, ATTEMPTS_ALONE, FeedMailbox
from triaged.ingest.mailbox import Batch, MailboxError
from triaged.message import State
from triaged.route.exchange import ExchangeSender
from triaged.route.sender import Envelope, SendError, post

INBOX = "inbox-id"
MAIL = Envelope(USER, ("a@example.org",), b"To: a@example.org\r\nMessage-ID: <1@x>\r\nSubject: x\r\n\r\ny\r\n")


class Office:
    """One mailbox on Exchange, and how long we were made to wait."""

    def __init__(self, server: EwsServer, **changes: Any) -> None:
        self.server = server
        self.slept: list[float] = []
        self.now = 1000.0
        self.ews = Ews(server.settings(**changes), Path("/"), sleep=self.sleep, clock=lambda: self.now)
        self.feed = ExchangeFeed(self.ews, "INBOX")
        self.mailbox = FeedMailbox("mayor", self.feed)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def receive(self, *numbers: int) -> list[Mail]:
        return [self.server.deliver(b"Subject: %d\r\n\r\n%d\r\n" % (number, number), INBOX) for number in numbers]

    def restart(self) -> None:
        self.mailbox.close()
        self.mailbox = FeedMailbox("mayor", ExchangeFeed(self.ews, "INBOX"))


def numbers(*batches: Batch) -> list[int]:
    return [int(mail.octets.split()[1]) for batch in batches for mail in batch.mails]


@pytest.fixture
def office(ews: EwsServer) -> Iterator[Office]:
    office = Office(ews)
    yield office
    office.mailbox.close()


def token_settings(server: EwsServer) -> dict[str, Any]:
    return {"password": None, "oauth": server.issuer.application(), "account": ""}


@pytest.mark.parametrize("way", ["basic", "ntlm", "oauth"])
@pytest.mark.parametrize("access", ["delegate", "impersonation"])
def test_every_way_to_sign_in_opens_the_mailbox(ews: EwsServer, way: str, access: str) -> None:
    if access == "impersonation":
        ews.open_to.clear()
        ews.may_impersonate.add(USER)
    changes = token_settings(ews) if way == "oauth" else {"auth": way}
    office = Office(ews, access=access, **changes)
    with closing(office.mailbox):
        office.receive(1)
        assert numbers(office.mailbox.fetch("")) == [1]
    schemes = {asked.headers["authorization"].split()[0] for asked in ews.asked if "authorization" in asked.headers}
    assert schemes == {{"basic": "Basic", "ntlm": "NTLM", "oauth": "Bearer"}[way]}


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_a_refused_password_is_said_once_and_never_shown(ews: EwsServer, auth: str) -> None:
    """Saying it again would lock the account."""
    (ews.issuer.folder / "password").write_text("wrong-0ne\n")
    office = Office(ews, auth=auth)
    with pytest.raises(MailboxError, match="was refused") as caught:
        office.mailbox.fetch("")
    assert caught.value.permanent
    assert "wrong-0ne" not in str(caught.value)
    assert ACCOUNT in str(caught.value)
    finished = [asked for asked in ews.asked if len(asked.headers.get("authorization", "")) > 100 or auth == "basic"]
    assert len(finished) == 1
    assert ews.operations == []


def test_a_right_to_impersonate_that_is_missing_is_for_a_person_to_mend(ews: EwsServer) -> None:
    office = Office(ews, access="impersonation")
    with closing(office.mailbox), pytest.raises(MailboxError, match="ErrorImpersonateUserDenied") as caught:
        office.mailbox.fetch("")
    assert caught.value.permanent


def test_a_token_that_ended_is_renewed(ews: EwsServer) -> None:
    office = Office(ews, **token_settings(ews))
    with closing(office.mailbox):
        office.receive(1)
        cursor = office.mailbox.fetch("").cursor
        ews.issuer.revoke()
        office.receive(2)
        assert numbers(office.mailbox.fetch(cursor)) == [2]
        assert len(ews.issuer.issued) == 2


def test_a_revoked_application_is_one_clear_permanent_error(ews: EwsServer, issuer: Issuer) -> None:
    issuer.secrets.clear()
    office = Office(ews, **token_settings(ews))
    with pytest.raises(MailboxError, match="invalid_client") as caught:
        office.mailbox.fetch("")
    assert caught.value.permanent


@pytest.mark.parametrize("operation", ["SyncFolderItems", "GetItem", "GetFolder"])
def test_a_busy_server_is_left_alone_as_long_as_it_says(office: Office, operation: str) -> None:
    office.receive(1, 2)
    office.server.fault(operation, busy(7_000))
    assert numbers(office.mailbox.fetch("")) == [1, 2]
    assert office.slept == [7.0]


def test_a_long_back_off_is_left_to_the_poller_and_nothing_is_asked_before_its_end(office: Office) -> None:
    office.receive(1)
    office.server.fault("SyncFolderItems", busy(300_000))
    with pytest.raises(MailboxError) as caught:
        office.mailbox.fetch("")
    assert not caught.value.permanent
    asked = len(office.server.asked)
    with pytest.raises(MailboxError, match="300 seconds"):
        office.mailbox.fetch("")
    assert len(office.server.asked) == asked
    office.now += 300
    assert numbers(office.mailbox.fetch("")) == [1]


def test_a_server_that_is_always_busy_is_not_asked_for_ever(office: Office) -> None:
    office.server.fault(".*", busy(1_000), times=1000)
    with pytest.raises(MailboxError) as caught:
        office.mailbox.fetch("")
    assert not caught.value.permanent
    assert office.server.operations.count("GetFolder") == 3


@pytest.mark.parametrize("with_state", [True, False])
def test_a_void_state_is_listed_anew_and_told_as_known(office: Office, with_state: bool) -> None:
    office.server.state_in_refusals = with_state
    office.receive(1, 2)
    cursor = office.mailbox.fetch("").cursor
    office.receive(3)
    office.server.states_from = office.server.changes + 1
    again = office.mailbox.fetch(cursor)
    assert (numbers(again), again.rebuilt) == ([1, 2, 3], True)
    office.server.states_from = 0
    office.receive(4)
    later = office.mailbox.fetch(again.cursor)
    assert (numbers(later), later.rebuilt) == ([4], False)


@pytest.mark.parametrize(
    "said", [None, Said(200, "<x", cut_after=1), Said(500, "oops"), Said(503, "later"), soap("<m:Nonsense/>")]
)
@pytest.mark.parametrize("operation", ["GetFolder", "SyncFolderItems", "GetItem"])
def test_wherever_the_connection_breaks_nothing_is_lost_or_doubled(office: Office, operation: str, said: Said | None) -> None:
    office.receive(*range(1, 61))
    office.server.fault(operation, said, times=2, after=1)
    got: list[int] = []
    cursor = ""
    for _ in range(10):
        try:
            batch = office.mailbox.fetch(cursor)
        except MailboxError as broken:
            if broken.permanent:
                raise
            office.now += 60
            continue
        got += numbers(batch)
        cursor = batch.cursor
        office.restart()
    assert sorted(got) == list(range(1, 61))


def test_a_mail_that_cannot_be_converted_holds_nobody_up_and_is_set_aside(office: Office) -> None:
    bad = office.receive(1, 2, 3)[0]
    office.server.broken.add(bad.number)
    batches = [office.mailbox.fetch("")]
    for number in range(4, 4 + ATTEMPTS - 1):
        assert not batches[-1].refused
        office.receive(number)
        batches.append(office.mailbox.fetch(batches[-1].cursor))
    assert numbers(*batches) == [2, 3, 4, 5]
    (refused,) = batches[-1].refused
    assert (refused.uid, "ErrorMimeContentConversionFailed" in refused.why) == (bad.id, True)


def test_a_mail_that_the_server_cannot_bear_to_give_is_found_among_others(office: Office) -> None:
    """It hangs up whenever that mail is asked for, together with others or alone."""
    bad = office.receive(1, 2, 3)[1]
    answer = office.server.answer

    def hang_up(asked: Any) -> Said | None:
        return None if b"GetItem" in asked.body and bad.id.encode() in asked.body else answer(asked)

    office.server.answer = hang_up  # type: ignore[method-assign]
    batch = office.mailbox.fetch("")
    assert numbers(batch) == [1, 3]
    refused = list(batch.refused)
    cursor = batch.cursor
    for number in range(4, 4 + ATTEMPTS):
        office.receive(number)
        batch = office.mailbox.fetch(cursor)
        cursor = batch.cursor
        refused += batch.refused
    assert [one.uid for one in refused] == [bad.id]
    assert ATTEMPTS < ATTEMPTS_ALONE


def test_a_mail_that_a_person_moved_before_we_came_is_gone(office: Office) -> None:
    mails = office.receive(1, 2, 3)
    done = office.server.make("Done by hand")
    office.server.fault("GetItem", Said(503, "later"), times=9)
    with pytest.raises(MailboxError):
        office.mailbox.fetch("")
    office.server.faults.clear()
    office.now += 60
    uid = mails[1].id
    office.server.move(mails[1], done.id)
    assert numbers(office.mailbox.fetch("")) == [1, 3]
    office.mailbox.move(uid, "Elsewhere")
    assert mails[1].folder == done.id
    assert office.server.find("Elsewhere") is None


def test_marks_that_staff_set_bring_no_mail_again(office: Office) -> None:
    mail = office.receive(1)[0]
    cursor = office.mailbox.fetch("").cursor
    mail.changed = office.server.bump()
    assert office.mailbox.fetch(cursor).mails == ()


def test_a_folder_made_by_somebody_at_the_same_time_is_used(office: Office) -> None:
    uid = office.receive(1)[0].id
    office.server.make("Done")
    empty = '<m:RootFolder TotalItemsInView="0" IncludesLastItemInRange="true"><t:Folders/></m:RootFolder>'
    message = f'<m:FindFolderResponseMessage ResponseClass="Success">{fine(empty)}</m:FindFolderResponseMessage>'
    answer = f"<m:FindFolderResponse><m:ResponseMessages>{message}</m:ResponseMessages></m:FindFolderResponse>"
    office.server.fault("FindFolder", soap(answer))
    office.mailbox.move(uid, "Done")
    assert [folder.name for folder in office.server.folders.values()].count("Done") == 1
    assert len(office.server.inside(office.server.find("Done").id)) == 1  # type: ignore[union-attr]


def test_a_stranger_with_our_servers_name_is_not_trusted(office: Office, tmp_path: Path) -> None:
    import trustme

    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    stranger = Office(office.server, tls_ca=other)
    with pytest.raises(MailboxError) as caught:
        stranger.mailbox.fetch("")
    assert caught.value.permanent
    assert office.server.operations == []


def test_check_proves_that_another_mailbox_is_refused(office: Office) -> None:
    feed = ExchangeFeed(office.ews, "INBOX", must_refuse=OTHER)
    assert f"{OTHER} is refused" in feed.check()
    office.server.open_to.add(OTHER)
    with pytest.raises(MailboxError, match=f"our rights open {OTHER} too") as caught:
        feed.check()
    assert caught.value.permanent
    assert "must_refuse is not set" in office.feed.check()


def test_check_names_the_end_of_ews_in_exchange_online(office: Office) -> None:
    online = Ews(office.server.settings(url="https://outlook.office365.com/EWS/Exchange.asmx"), Path("/"))
    assert online.warning == END_OF_EWS
    assert "2026-10-01" in END_OF_EWS
    assert "2027-04-01" in END_OF_EWS
    assert 'kind = "graph"' in END_OF_EWS
    assert office.ews.warning == ""
    office.ews.warning = END_OF_EWS
    assert END_OF_EWS in office.feed.check()


# Sending -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def sender(office: Office) -> ExchangeSender:
    return ExchangeSender(office.ews)


def refused(code: str) -> Said:
    message = f'<m:CreateItemResponseMessage ResponseClass="Error">{error(code, "no")}</m:CreateItemResponseMessage>'
    return soap(f"<m:CreateItemResponse><m:ResponseMessages>{message}</m:ResponseMessages></m:CreateItemResponse>")


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (refused("ErrorInvalidRecipients"), State.FAILED),
        (refused("ErrorMessageSizeExceeded"), State.FAILED),
        (refused("ErrorSendAsDenied"), State.PLANNED),
        (refused("ErrorQuotaExceeded"), State.PLANNED),
        (busy(900_000), State.PLANNED),
        (Said(503, "later"), State.PLANNED),
        (Said(500, "oops"), State.IN_DOUBT),
        (Said(502, "<html>"), State.IN_DOUBT),
        (None, State.IN_DOUBT),
    ],
)
def test_how_a_send_ended_is_what_the_answer_says(
    office: Office, sender: ExchangeSender, said: Said | None, state: State
) -> None:
    office.server.fault("CreateItem", said, times=5)
    assert post(sender, MAIL).state is state
    assert office.server.sent == []


def test_nobody_there_leaves_no_doubt(office: Office, sender: ExchangeSender) -> None:
    sender.check()
    sender.close()
    office.server.close()
    assert post(sender, MAIL).state is State.PLANNED


def test_a_short_wait_before_sending_is_waited_out_and_sent_once(office: Office, sender: ExchangeSender) -> None:
    office.server.fault("CreateItem", busy(3_000))
    assert post(sender, MAIL).state is State.SENT
    assert len(office.server.sent) == 1
    assert office.slept == [3.0]


def test_no_letter_stands_in_a_log_when_exchangelib_is_at_a_loss(
    sender: ExchangeSender, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its error records quote the whole request."""

    def at_a_loss(*_: Any, **__: Any) -> None:
        raise InvalidHeader

    sender.check()
    monkeypatch.setattr("triaged.ews._Adapter.send", at_a_loss)
    assert post(sender, MAIL).state is State.PLANNED
    assert "MimeContent" not in caplog.text


def test_a_mail_too_large_never_leaves(office: Office, sender: ExchangeSender) -> None:
    limit = sender.accepts().max_octets
    assert limit
    with pytest.raises(SendError, match=r"5\.3\.4") as caught:
        sender.send(Envelope(USER, MAIL.recipients, MAIL.octets + b"x" * limit))
    assert caught.value.permanent
    assert office.server.asked == []


def test_a_large_answer_is_not_taken_octet_by_octet(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """exchangelib 5.6 does so: 48 MB took 20 seconds of work, and half a minute and more beside other work."""
    pieces: list[int] = []
    read = services.to_xml

    def counted(content: Iterator[bytes]) -> Any:
        kept = list(content)
        pieces.append(len(kept))
        return read(piece for piece in kept)

    monkeypatch.setattr(services, "to_xml", counted)
    office.server.deliver(b"Subject: 1\r\n\r\n" + b"x" * 1_000_000, INBOX)
    assert len(office.mailbox.fetch("").mails[0].octets) > 1_000_000
    assert max(pieces) < 100


def test_a_mail_that_somebody_changes_while_it_is_labelled_keeps_their_change(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    (mail,) = office.receive(1)
    uid = office.mailbox.fetch("").mails[0].uid
    get_item = office.server._GetItem

    def changed_meanwhile(body: Any) -> list[str]:
        said = get_item(body)
        mail.categories, mail.changed = ("Urgent",), office.server.bump()
        return said

    monkeypatch.setattr(office.server, "_GetItem", changed_meanwhile)
    with pytest.raises(MailboxError, match="ErrorIrresolvableConflict") as caught:
        office.mailbox.mark(uid, ["Triaged/closed"])
    assert not caught.value.permanent
    assert mail.categories == ("Urgent",)
    monkeypatch.undo()
    office.mailbox.mark(uid, ["Triaged/closed"])
    assert mail.categories == ("Urgent", "Triaged/closed")
