"""What only Graph does: throttling, expired states and tokens, ids, rights. Real msal and httpx, a server with state, TLS."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.utils import format_datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.graph import OTHER, USER, GraphServer, refusal
from tests.issuer import Issuer
from tests.web import Asked, Said
from triaged.graph import Graph, GraphError
from triaged.ingest.feed_mailbox import ATTEMPTS, ATTEMPTS_ALONE, FeedMailbox
from triaged.ingest.graph import GraphFeed
from triaged.ingest.mailbox import Batch, MailboxError
from triaged.message import State
from triaged.route.graph import GraphSender
from triaged.route.sender import Envelope, SendError, post

INBOX = "inbox-id"
MAIL = Envelope(USER, ("a@example.org",), b"To: a@example.org\r\nMessage-ID: <1@x>\r\nSubject: x\r\n\r\ny\r\n")


class Office:
    """One mailbox at Graph, and how long we were made to wait."""

    def __init__(self, server: GraphServer) -> None:
        self.server = server
        self.slept: list[float] = []
        self.now = 1000.0
        self.graph = self.client()
        self.mailbox = FeedMailbox("mayor", GraphFeed(self.graph, "INBOX"))

    def client(self, **changes: Any) -> Graph:
        settings = self.server.settings(**changes)
        return Graph(
            settings.oauth,
            settings.user,
            Path("/"),
            url=settings.url,
            tls_ca=settings.tls_ca,
            sleep=self.sleep,
            clock=lambda: self.now,
        )

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def receive(self, *numbers: int) -> None:
        for number in numbers:
            self.server.deliver(b"Subject: %d\r\n\r\n%d\r\n" % (number, number), INBOX)

    def restart(self) -> None:
        self.mailbox.close()
        self.mailbox = FeedMailbox("mayor", GraphFeed(self.client(), "INBOX"))


def numbers(*batches: Batch) -> list[int]:
    return [int(mail.octets.split()[1]) for batch in batches for mail in batch.mails]


@pytest.fixture
def office(graph: GraphServer) -> Iterator[Office]:
    office = Office(graph)
    yield office
    office.mailbox.close()
    office.graph.close()


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("request_of", ["delta", r"\$batch", r"\$value", "mailFolders/inbox"])
def test_a_short_wait_is_waited_out_as_long_as_the_server_says(office: Office, status: int, request_of: str) -> None:
    office.receive(1, 2)
    office.server.fault(request_of, refusal(status, "TooManyRequests", "slow", Retry_After="7"))
    assert numbers(office.mailbox.fetch("")) == [1, 2]
    assert office.slept == [7.0]


def test_a_long_wait_is_left_to_the_back_off_and_nothing_is_asked_before_its_end(office: Office) -> None:
    office.receive(1)
    office.server.fault("delta", refusal(429, "TooManyRequests", "slow", Retry_After="600"))
    with pytest.raises(MailboxError) as caught:
        office.mailbox.fetch("")
    assert not caught.value.permanent
    asked = len(office.server.asked)
    with pytest.raises(MailboxError, match="600 seconds"):
        office.mailbox.fetch("")
    assert len(office.server.asked) == asked, "early tries count too"
    office.now += 600
    assert numbers(office.mailbox.fetch("")) == [1]
    assert office.slept == []


def test_a_server_that_is_always_busy_is_not_asked_for_ever(office: Office) -> None:
    office.server.fault("", refusal(503, "ServiceUnavailable", "later"), times=1000)
    with pytest.raises(MailboxError) as caught:
        office.mailbox.fetch("")
    assert not caught.value.permanent
    assert len(office.server.asked) == 3
    assert sum(office.slept) <= 20


def test_one_throttled_request_of_a_batch_is_asked_again_by_itself(office: Office) -> None:
    office.receive(1, 2)
    busy = {"id": "1", "status": 429, "headers": {"Retry-After": "1"}, "body": {"error": {"code": "TooManyRequests"}}}
    fine = {"id": "0", "status": 200, "body": {"id": "immutable-5", "parentFolderId": INBOX}}
    office.server.fault(r"\$batch", Said(body={"responses": [busy, fine]}))
    assert numbers(office.mailbox.fetch("")) == [1, 2]


def test_an_expired_state_is_listed_anew_and_told_as_known(office: Office) -> None:
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


def test_a_server_that_takes_each_state_for_expired_is_no_endless_loop(office: Office) -> None:
    office.server.fault("delta", refusal(410, "SyncStateNotFound", "reset"), times=1000)
    with pytest.raises(MailboxError):
        office.mailbox.fetch("")
    assert len(office.server.asked) < 5


def test_a_token_that_ends_in_the_middle_of_a_fetch_is_renewed(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.receive(1, 2, 3)
    answer, asked_for = office.server.answer, count()

    def revoking(asked: Asked) -> Said | None:
        if asked.path.endswith("$value") and next(asked_for) == 1:
            office.server.issuer.revoke()
        return answer(asked)

    monkeypatch.setattr(office.server, "answer", revoking)
    assert numbers(office.mailbox.fetch("")) == [1, 2, 3]
    assert len(office.server.issuer.issued) == 2


def test_a_token_refused_twice_is_for_a_person_to_mend(office: Office) -> None:
    office.server.fault("", refusal(401, "InvalidAuthenticationToken", "no"), times=1000)
    with pytest.raises(MailboxError) as caught:
        office.mailbox.fetch("")
    assert caught.value.permanent
    assert len(office.server.asked) == 2


def test_a_wrong_secret_is_one_clear_permanent_error(office: Office, issuer: Issuer) -> None:
    issuer.secrets.clear()
    with pytest.raises(MailboxError, match="invalid_client") as caught:
        office.mailbox.fetch("")
    assert caught.value.permanent


BREAKS = [None, Said(200, b"{" * 500, cut_after=1), Said(500, b"oops"), Said(502, b"<html>")]


@pytest.mark.parametrize("hang_up", BREAKS)
@pytest.mark.parametrize("request_of", ["mailFolders/inbox", "delta", "skiptoken", r"\$batch", r"\$value"])
def test_wherever_the_connection_breaks_nothing_is_lost_or_doubled(
    office: Office, request_of: str, hang_up: Said | None
) -> None:
    office.receive(*range(1, 61))  # more than a page
    after = 3 if request_of == r"\$value" else 0
    office.server.fault(request_of, hang_up, after=after)
    got: list[int] = []
    cursor = ""
    for _ in range(10):
        try:
            batch = office.mailbox.fetch(cursor)
        except MailboxError as error:
            if error.permanent:
                raise
            continue
        got += numbers(batch)
        cursor = batch.cursor
        office.restart()
    assert sorted(got) == list(range(1, 61))
    assert got[:3] == [1, 2, 3]


def spoil(office: Office, index: int) -> str:
    """Let one mail be one that the server cannot convert."""
    uid = f"immutable-{list(office.server.mails)[index]}"
    office.server.fault(rf"{uid}/\$value", refusal(500, "ErrorContentConversionFailed", "no"), times=1000)
    return uid


def test_a_mail_that_cannot_be_converted_holds_nobody_up_and_is_set_aside(office: Office) -> None:
    office.receive(1, 2, 3)
    bad = spoil(office, 0)
    batches = [office.mailbox.fetch("")]
    for number in range(4, 4 + ATTEMPTS - 1):
        assert not batches[-1].refused
        office.receive(number)
        batches.append(office.mailbox.fetch(batches[-1].cursor))
    assert numbers(*batches) == [2, 3, 4, 5]
    (refused,) = batches[-1].refused
    assert refused.uid == bad
    assert "ErrorContentConversionFailed" in refused.why
    last = office.mailbox.fetch(batches[-1].cursor)
    assert (last.mails, last.refused) == ((), ())


def test_where_no_other_mail_can_be_had_either_none_is_given_up_soon(office: Office) -> None:
    office.receive(1)
    spoil(office, 0)
    for _ in range(ATTEMPTS_ALONE - 1):
        with pytest.raises(MailboxError) as caught:
            office.mailbox.fetch("")
        assert not caught.value.permanent
    assert len(office.mailbox.fetch("").refused) == 1


def test_a_mail_that_a_person_moved_before_we_came_is_left_where_it_is(office: Office) -> None:
    """Its immutable id still opens it there."""
    office.receive(*range(1, 4))
    done = office.server.make("Done by hand")
    office.server.fault(r"\$batch", None)  # between the listing and the fetch …
    with pytest.raises(MailboxError):
        office.mailbox.fetch("")
    second = list(office.server.mails.values())[1]
    office.server.move(second, done.id)
    batch = office.mailbox.fetch("")
    assert numbers(batch) == [1, 3]
    office.mailbox.move(f"immutable-{second.number}", "Elsewhere")
    assert second.folder == done.id
    assert office.server.find("Elsewhere") is None


def test_an_id_holds_after_a_move_and_back(office: Office) -> None:
    office.receive(1)
    batch = office.mailbox.fetch("")
    office.mailbox.move(batch.mails[0].uid, "Triaged/Done")
    (mail,) = office.server.mails.values()
    office.server.move(mail, INBOX)  # a person puts it back: it is new in the folder, and the store knows its octets
    again = office.mailbox.fetch(batch.cursor)
    assert [one.uid for one in again.mails] == [batch.mails[0].uid]


def test_every_request_asks_for_immutable_ids(office: Office) -> None:
    office.receive(*range(1, 61))
    batch = office.mailbox.fetch("")
    office.mailbox.move(batch.mails[0].uid, "Done")
    office.mailbox.save_draft(b"Subject: x\r\n\r\n", "Drafts")
    assert all('IdType="ImmutableId"' in asked.headers["prefer"] for asked in office.server.asked)
    batches = [json.loads(asked.body) for asked in office.server.asked if asked.path.endswith("$batch")]
    assert all('IdType="ImmutableId"' in one["headers"]["Prefer"] for batch in batches for one in batch["requests"])


def test_marks_that_staff_set_bring_no_mail_again(office: Office) -> None:
    office.receive(1)
    cursor = office.mailbox.fetch("").cursor
    (mail,) = office.server.mails.values()
    mail.changed = office.server.bump()
    assert office.mailbox.fetch(cursor).mails == ()


def test_no_token_goes_to_another_server(office: Office) -> None:
    office.receive(1)
    for link in ("https://evil.example/v1.0/x?$skiptoken=1", "http://localhost/x", office.server.url.replace("https", "http")):
        office.server.fault("delta", Said(body={"value": [], "@odata.nextLink": link}))
        with pytest.raises(MailboxError, match="another server"):
            office.mailbox.fetch("")


def test_a_stranger_with_our_servers_name_is_not_trusted(office: Office) -> None:
    graph = office.client(tls_ca=None)
    with pytest.raises(MailboxError, match="certificate"):
        FeedMailbox("mayor", GraphFeed(graph, "INBOX")).fetch("")
    assert office.server.asked == []


def test_a_delta_query_that_never_ends_is_ended(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triaged.ingest.graph.MAX_PAGES", 5)
    link = f"{office.server.url}/v1.0/users/{USER}/mailFolders/{INBOX}/messages/delta?$skiptoken=1"
    office.server.fault("delta", Said(body={"value": [], "@odata.nextLink": link}), times=1000)
    with pytest.raises(MailboxError, match="never ends"):
        office.mailbox.fetch("")


def test_check_proves_that_another_mailbox_is_refused(office: Office) -> None:
    feed = GraphFeed(office.graph, "INBOX", must_refuse=OTHER)
    assert f"{OTHER} is refused" in feed.check()
    office.server.open_to.add(OTHER)
    with pytest.raises(MailboxError, match=f"our rights open {OTHER} too") as caught:
        feed.check()
    assert caught.value.permanent


def test_check_that_could_not_prove_it_says_so(office: Office) -> None:
    with pytest.raises(MailboxError, match="was not"):
        GraphFeed(office.graph, "INBOX", must_refuse="nobody@example.gov").check()
    assert "must_refuse is not set" in GraphFeed(office.graph, "INBOX").check()


def test_a_mailbox_we_have_no_right_to_is_for_a_person_to_mend(office: Office) -> None:
    office.server.open_to.clear()
    with pytest.raises(MailboxError, match="ErrorAccessDenied") as caught:
        office.mailbox.fetch("")
    assert caught.value.permanent


def test_a_draft_too_large_for_graph_is_said(office: Office) -> None:
    with pytest.raises(MailboxError, match="3,000,000"):
        office.mailbox.save_draft(b"x" * 3_500_000, "Drafts")


def test_a_folder_made_by_somebody_at_the_same_time_is_used(office: Office) -> None:
    office.receive(1)
    uid = office.mailbox.fetch("").mails[0].uid
    office.server.make("Done")
    office.server.fault("GET .*displayName", Said(body={"value": []}))
    office.mailbox.move(uid, "Done")
    assert [folder.name for folder in office.server.folders.values()].count("Done") == 1


# Sending -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def sender(office: Office) -> GraphSender:
    return GraphSender(office.graph)


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (refusal(400, "ErrorInvalidRecipients", "no"), State.FAILED),
        (refusal(413, "RequestEntityTooLarge", "no"), State.FAILED),
        (refusal(403, "ErrorSendAsDenied", "no"), State.PLANNED),
        (refusal(404, "ErrorInvalidUser", "no"), State.PLANNED),
        (refusal(429, "TooManyRequests", "no", Retry_After="900"), State.PLANNED),
        (refusal(500, "ErrorInternalServerError", "?"), State.IN_DOUBT),
        (refusal(504, "UnknownError", "?"), State.IN_DOUBT),
        (None, State.IN_DOUBT),
    ],
)
def test_how_a_send_ended_is_what_the_answer_says(office: Office, sender: GraphSender, said: Said | None, state: State) -> None:
    office.server.fault("sendMail", said)
    assert post(sender, MAIL).state is state
    assert office.server.sent == []


def test_nobody_there_leaves_no_doubt(office: Office, sender: GraphSender) -> None:
    sender.check()
    sender.close()
    office.server.close()
    assert post(sender, MAIL).state is State.PLANNED


def test_a_short_wait_before_sending_is_waited_out_and_sent_once(office: Office, sender: GraphSender) -> None:
    office.server.fault("sendMail", refusal(429, "TooManyRequests", "slow", Retry_After="3"))
    assert post(sender, MAIL).state is State.SENT
    assert len(office.server.sent) == 1
    assert office.slept == [3.0]


def test_a_mail_too_large_for_graph_never_leaves(office: Office, sender: GraphSender) -> None:
    limit = sender.accepts().max_octets
    assert limit
    with pytest.raises(SendError, match=r"5\.3\.4") as caught:
        sender.send(replace(MAIL, octets=MAIL.octets + b"x" * limit))
    assert caught.value.permanent
    assert office.server.asked == []


def test_what_graph_takes_fits_its_limit(office: Office, sender: GraphSender) -> None:
    limit = sender.accepts().max_octets
    assert limit
    sender.send(replace(MAIL, octets=MAIL.octets + b"x" * (limit - len(MAIL.octets) - 2)))
    assert len(office.server.sent) == 1


def test_refused_rights_are_not_the_mails_fault_and_are_said(office: Office, sender: GraphSender) -> None:
    office.server.open_to.clear()
    uses: list[Callable[[], str]] = [sender.check, lambda: sender.send(MAIL)]
    for use in uses:
        with pytest.raises(SendError, match="ErrorAccessDenied") as caught:
            use()
        assert not caught.value.permanent


def test_a_date_in_retry_after_waits_the_usual_time(office: Office) -> None:
    from datetime import UTC, datetime

    office.server.fault("inbox", refusal(429, "x", "y", Retry_After=format_datetime(datetime.now(UTC), usegmt=True)))
    office.graph.get(office.graph.path("mailFolders", "inbox"))
    assert office.slept == [5.0]


def test_what_graph_answers_is_never_believed_to_be_small(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triaged.graph.SMALL_ANSWER_OCTETS", 1000)
    office.server.fault("inbox", Said(body=b" " * 2000))
    started = time.monotonic()
    with pytest.raises(GraphError, match="larger"):
        office.graph.get(office.graph.path("mailFolders", "inbox"))
    assert time.monotonic() - started < 10
