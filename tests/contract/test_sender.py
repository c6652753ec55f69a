"""What every kind of sender promises; then what only SMTP does, against a server that misbehaves at every step."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests import graph
from tests.ews import EwsServer
from tests.graph import GraphServer
from tests.smtp import PASSWORD, QUICK, USER, Rude, Sink
from triaged.config import SenderSettings
from triaged.message import State
from triaged.route.sender import Envelope, Sender, SendError, open_sender, post
from triaged.route.smtp import Smtp
from triaged.secret import SecretError

# Signing in over loopback without TLS is what is tested here.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
MAIL = (
    b"From: correspondence@example.gov\r\nTo: a@example.org\r\nBcc: hidden@example.org\r\nMessage-ID: <1@example.gov>\r\n"
    b"Subject: x\r\n\r\n.\r\n..dots\r\nFrom here\r\n\r\nend\r\n"
)
SENT = MAIL.replace(b"Bcc: hidden@example.org\r\n", b"")
ENVELOPE = Envelope("bounces@example.gov", ("a@example.org", "b@example.org"), MAIL)
EIGHT_BIT = MAIL.replace(b"end", "Ende der Müh".encode())


@dataclass(frozen=True)
class Way:
    """One sender, and what came out at its other end: reverse-path, recipients, octets."""

    sender: Sender
    arrived: Callable[[], list[tuple[str, list[str], bytes]]]
    outside: Callable[[bytes], bytes] = lambda octets: octets  # what the way itself changes in a mail
    own_envelope_sender: str = ""  # where the way takes none of ours

    def from_whom(self, sender: str) -> str:
        """Return the envelope sender that arrives."""
        return self.own_envelope_sender or sender


def as_exchange_sends(octets: bytes) -> bytes:
    """Return a mail as Exchange lets it out: under a Message-ID of its own, which stands last here."""
    header, blank, body = octets.partition(b"\r\n\r\n")
    kept = [line for line in header.split(b"\r\n") if not line.startswith(b"Message-ID:")]
    return b"\r\n".join([*kept, b"Message-ID: <0@PROD.OUTLOOK.EXAMPLE>"]) + blank + body


def spooled(folder: Path) -> list[tuple[str, list[str], bytes]]:
    """Read a spool folder."""
    found = []
    for file in sorted(folder.glob("*.eml")):
        octets = file.read_bytes()
        recipients = [to.decode() for to in re.findall(rb"^Delivered-To: (.*)\r\n", octets, re.MULTILINE)]
        lines = octets.split(b"\r\n", 1 + len(recipients))
        found.append((lines[0].decode().removeprefix("Return-Path: <").removesuffix(">"), recipients, lines[-1]))
    return found


@pytest.fixture(
    params=[
        "spool",
        "smtp none",
        "smtp starttls",
        "smtp implicit",
        "smtp none auth",
        "smtp starttls auth",
        "smtp implicit auth",
        "graph",
        "exchange",
    ]
)
def way(request: pytest.FixtureRequest, tmp_path: Path, sinks: Callable[..., Sink]) -> Iterator[Way]:
    """Every kind of sender, with something at its other end."""
    kind, *options = request.param.split()
    if kind == "graph":
        server: GraphServer = request.getfixturevalue("graph")
        with closing(open_sender("graph", server.sender())) as sender:
            yield Way(
                sender,
                lambda: [(mail.user, mail.recipients, mail.octets) for mail in server.sent],
                as_exchange_sends,
                graph.USER,
            )
        return
    if kind == "spool":
        folder = tmp_path / "outgoing"
        yield Way(open_sender("spool", SenderSettings("spool", USER, path=folder)), lambda: spooled(folder))
        return
    if kind == "exchange":
        exchange: EwsServer = request.getfixturevalue("ews")
        with closing(open_sender("exchange", exchange.sender())) as sender:
            yield Way(sender, lambda: exchange.sent, as_exchange_sends, graph.USER)
        return
    auth = "auth" in options
    sink = sinks(options[0], auth=auth)
    settings = sink.settings(user=USER) if auth else sink.settings()
    with closing(open_sender("smtp", settings, lambda: PASSWORD)) as sender:
        yield Way(
            sender,
            lambda: [(str(mail.mail_from).strip("<>"), mail.rcpt_tos, mail.original_content or b"") for mail in sink.mails],
        )


def test_a_mail_arrives_whole_without_bcc_and_with_its_envelope(way: Way) -> None:
    assert way.sender.send(ENVELOPE)
    expected = (way.from_whom("bounces@example.gov"), ["a@example.org", "b@example.org"], way.outside(SENT))
    assert way.arrived() == [expected]


def test_eight_bits_arrive_as_they_were(way: Way) -> None:
    assert way.sender.accepts().eight_bit
    way.sender.send(replace(ENVELOPE, octets=EIGHT_BIT))
    assert way.arrived()[0][2].endswith("Ende der Müh\r\n".encode())


def test_the_null_reverse_path_stays_null(way: Way) -> None:
    way.sender.send(replace(ENVELOPE, sender="", notify_never=True))
    assert way.arrived()[0][0] == way.from_whom("")


def test_an_address_beyond_ascii_arrives(way: Way) -> None:
    way.sender.send(replace(ENVELOPE, recipients=("jörg@example.org",)))
    assert way.arrived()[0][1] == ["jörg@example.org"]


def test_line_ends_are_crlf_whatever_they_were(way: Way) -> None:
    way.sender.send(replace(ENVELOPE, octets=b"Message-ID: <1@x>\nSubject: x\n\na\rb\n.\nc"))
    arrived = way.arrived()[0][2]
    assert b"\r" not in arrived.replace(b"\r\n", b"")
    assert b"\n" not in arrived.replace(b"\r\n", b"")
    assert b"Subject: x\r\n" in arrived
    assert arrived.partition(b"\r\n\r\n")[2] == b"a\r\nb\r\n.\r\nc\r\n"


@pytest.mark.parametrize(
    "recipients", [(), ("a@example.org> NOTIFY=SUCCESS",), ("a b@example.org",), ("x\r\nDATA@example.org",), ("nobody",)]
)
def test_what_is_no_recipient_is_refused_for_good_and_nothing_leaves(way: Way, recipients: tuple[str, ...]) -> None:
    with pytest.raises(SendError) as caught:
        way.sender.send(replace(ENVELOPE, recipients=recipients))
    assert caught.value.permanent
    assert way.arrived() == []


def test_the_check_sends_nothing_and_says_one_line(way: Way) -> None:
    assert "\n" not in way.sender.check()
    assert way.arrived() == []


def test_after_close_it_can_be_used_again(way: Way) -> None:
    way.sender.close()
    way.sender.close()
    way.sender.send(ENVELOPE)
    way.sender.close()
    way.sender.send(replace(ENVELOPE, octets=MAIL.replace(b"<1@", b"<2@")))
    assert len(way.arrived()) == 2


def test_who_is_named_in_the_header_and_is_no_recipient_gets_nothing(way: Way) -> None:
    way.sender.send(replace(ENVELOPE, recipients=("b@example.org",)))
    assert way.arrived()[0][1] == ["b@example.org"]


def test_what_says_that_a_mail_is_ours_survives_the_way(way: Way) -> None:
    """Loop safety must not hang on Message-ID and Auto-Submitted: some ways drop both."""
    mail = MAIL.replace(
        b"Subject: x", b"X-Triaged-Loop: signed\r\nAuto-Submitted: auto-replied\r\nSubject: [MAY-2026-000123] x"
    )
    way.sender.send(replace(ENVELOPE, octets=mail))
    arrived = way.arrived()[0][2]
    assert b"X-Triaged-Loop: signed\r\n" in arrived
    assert b"Subject: [MAY-2026-000123] x\r\n" in arrived


# Spool ---------------------------------------------------------------------------------------------------------------


def test_the_same_mail_spooled_again_is_one_file_even_after_a_restart(tmp_path: Path) -> None:
    settings = SenderSettings("spool", USER, path=tmp_path / "out")
    first = open_sender("spool", settings)
    first.send(ENVELOPE)
    first.send(replace(ENVELOPE, octets=MAIL.replace(b"Subject: x", b"Subject: written at another time")))
    open_sender("spool", settings).send(ENVELOPE)
    first.send(replace(ENVELOPE, recipients=("c@example.org",)))
    first.send(replace(ENVELOPE, octets=MAIL.replace(b"<1@", b"<2@")))
    names = [file.name for file in sorted((tmp_path / "out").iterdir())]
    assert len(names) == 3
    assert [recipients for _, recipients, _ in spooled(tmp_path / "out")] == [
        ["a@example.org", "b@example.org"],
        ["c@example.org"],
        ["a@example.org", "b@example.org"],
    ]
    assert not (tmp_path / "out" / names[0]).stat().st_mode & 0o077


def test_a_spool_needs_a_folder() -> None:
    with pytest.raises(ValueError, match="needs a path"):
        open_sender("spool", SenderSettings("spool", USER))


def test_a_folder_that_cannot_be_written_is_a_trouble_that_may_pass(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    sender = open_sender("spool", SenderSettings("spool", USER, path=tmp_path / "file"))
    uses: list[Callable[[], str]] = [lambda: sender.send(ENVELOPE), sender.check]
    for use in uses:
        with pytest.raises(SendError) as caught:
            use()
        assert not caught.value.permanent


def test_a_folder_without_the_right_to_write_fails_the_check(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    user = os.geteuid()
    os.seteuid(user or 65534)  # root may write everywhere
    try:
        with pytest.raises(SendError, match="Permission denied"):
            open_sender("spool", SenderSettings("spool", USER, path=tmp_path)).check()
    finally:
        os.seteuid(user)


# SMTP: connection ----------------------------------------------------------------------------------------------------


def test_the_connection_is_kept_between_mails(sinks: Callable[..., Sink]) -> None:
    sink = sinks("starttls")
    with closing(Smtp(sink.settings())) as sender:
        for _ in range(3):
            sender.send(ENVELOPE)
    assert len(sink.mails) == 3
    assert len(sink.sessions) == 1


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_certificate_of_a_stranger_or_for_another_name_is_refused(sinks: Callable[..., Sink], tls: str) -> None:
    sink = sinks(tls)
    for changes in ({"tls_ca": None}, {"host": "127.0.0.1"}):
        with closing(Smtp(sink.settings(**changes))) as sender, pytest.raises(SendError, match="not trusted") as caught:
            sender.send(ENVELOPE)
        assert not caught.value.permanent
    assert sink.mails == []


def test_a_missing_ca_file_is_named(sinks: Callable[..., Sink], tmp_path: Path) -> None:
    sink = sinks("implicit")
    with pytest.raises(SendError, match=r"gone\.pem"):
        Smtp(sink.settings(tls_ca=tmp_path / "gone.pem")).check()


def test_a_server_that_offers_no_starttls_gets_nothing(rude: Rude) -> None:
    settings = SenderSettings("smtp", USER, "127.0.0.1", rude.port, "starttls")
    with pytest.raises(SendError, match="does not offer STARTTLS"):
        Smtp(settings, timeouts=QUICK).send(ENVELOPE)
    assert [command.split()[0] for command in rude.commands] == ["ehlo"]


def test_without_tls_only_this_machine_is_talked_to(rude: Rude, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triaged.route.smtp_session._is_loopback", lambda sock: False)
    with pytest.raises(SendError, match="set tls"):
        rude.sender().send(ENVELOPE)
    assert rude.commands == []


@pytest.mark.parametrize("password", ["wrong", "wröng"])
def test_a_refused_password_is_our_trouble_and_not_the_mails(sinks: Callable[..., Sink], password: str) -> None:
    sink = sinks("implicit", auth=True)
    with (
        closing(Smtp(sink.settings(user=USER), lambda: password)) as sender,
        pytest.raises(SendError, match="cannot sign in") as caught,
    ):
        sender.send(ENVELOPE)
    assert (caught.value.permanent, caught.value.code) == (False, "5.7.8")
    assert password not in str(caught.value)


def test_a_password_that_cannot_be_read_is_said_and_tried_again(sinks: Callable[..., Sink]) -> None:
    def unreadable() -> str:
        raise SecretError("relay", "$CREDENTIALS_DIRECTORY", "it is not set")

    with pytest.raises(SendError, match="secret 'relay'") as caught:
        Smtp(sinks("implicit", auth=True).settings(user=USER), unreadable).send(ENVELOPE)
    assert not caught.value.permanent


def test_a_server_without_auth_is_said(rude: Rude) -> None:
    with pytest.raises(SendError, match="does not offer AUTH"):
        Smtp(SenderSettings("smtp", USER, "127.0.0.1", rude.port, "none", user=USER), lambda: PASSWORD).check()


@pytest.mark.parametrize("password", ["secret", PASSWORD])
def test_a_server_that_knows_only_login_is_signed_in_to_with_ascii(rude: Rude, password: str) -> None:
    rude.extensions = ("AUTH LOGIN",)
    rude.answers = {"AUTH LOGIN": "334 UGFzc3dvcmQ6", "c2VjcmV0": "235 2.7.0 in"}
    sender = Smtp(SenderSettings("smtp", USER, "127.0.0.1", rude.port, "none", user=USER), lambda: password, QUICK)
    if password.isascii():
        assert "signed in as" in sender.check()
        sender.close()
    else:
        with pytest.raises(SendError, match="letters that its way of signing in cannot carry") as caught:
            sender.check()
        assert password not in str(caught.value)


def test_a_password_that_login_refuses_keeps_the_servers_code(rude: Rude) -> None:
    rude.extensions = ("AUTH LOGIN",)
    rude.answers = {"AUTH LOGIN": "334 UGFzc3dvcmQ6", "c2VjcmV0": "535 5.7.8 no"}
    sender = Smtp(SenderSettings("smtp", USER, "127.0.0.1", rude.port, "none", user=USER), lambda: "secret", QUICK)
    with pytest.raises(SendError, match=r"cannot sign in: 535 5\.7\.8 no") as caught:
        sender.check()
    assert (caught.value.permanent, caught.value.code) == (False, "5.7.8")


@pytest.mark.parametrize(
    ("name", "said"), [("relay.example.gov", "relay.example.gov"), ("relay", "[127.0.0.1]"), ("röck.e", "[127.0.0.1]")]
)
def test_ehlo_says_a_full_name_or_an_address_literal(rude: Rude, monkeypatch: pytest.MonkeyPatch, name: str, said: str) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: name)
    with closing(rude.sender()) as sender:
        sender.check()
    assert rude.commands[0] == f"ehlo {said}"


def test_a_server_that_is_gone_does_not_disturb_closing(rude: Rude) -> None:
    sender = rude.sender()
    sender.check()
    rude.answers = {"QUIT": ""}
    sender.close()
    assert rude.commands[-1].upper() == "QUIT"


def test_nobody_there_is_tried_again() -> None:
    sender = Smtp(SenderSettings("smtp", USER, "127.0.0.1", 1, "none"))
    assert post(sender, ENVELOPE).state is State.PLANNED


def test_a_connection_that_the_server_let_go_is_opened_again(rude: Rude) -> None:
    with closing(rude.sender()) as sender:
        sender.send(ENVELOPE)
        rude.answers = {"RSET": ""}
        sender.send(ENVELOPE)
        rude.answers = {"RSET": "421 4.4.2 idle for too long"}
        sender.send(ENVELOPE)
    assert len(rude.mails) == 3
    assert rude.connections == 3


# SMTP: refusals ------------------------------------------------------------------------------------------------------

STEPS = ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "."]


@pytest.mark.parametrize("step", STEPS)
def test_a_4xx_at_any_step_is_tried_again(rude: Rude, step: str) -> None:
    rude.answers = {step: "451 4.3.0 later", "HELO": "451 4.3.0 later"}
    with closing(rude.sender()) as sender:
        outcome = post(sender, ENVELOPE)
        assert outcome.state is State.PLANNED
        assert "4.3.0 later" in outcome.detail
        rude.answers = {}
        assert post(sender, ENVELOPE).state is State.SENT


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "."])
def test_a_5xx_about_the_mail_is_for_good_and_keeps_its_code(rude: Rude, step: str) -> None:
    rude.answers = {step: "554 5.7.1 not this one"}
    with closing(rude.sender()) as sender:
        with pytest.raises(SendError) as caught:
            sender.send(ENVELOPE)
        assert (caught.value.permanent, caught.value.in_doubt, caught.value.code) == (True, False, "5.7.1")
        rude.answers = {}
        assert post(sender, ENVELOPE).state is State.SENT
    assert rude.connections == 1


@pytest.mark.parametrize(
    ("step", "answer"), [("greeting", "554 5.3.2 no service"), ("EHLO", "554 no"), ("MAIL", "530 5.7.0 sign in first")]
)
def test_a_5xx_that_is_not_about_the_mail_is_tried_again(rude: Rude, step: str, answer: str) -> None:
    rude.answers = {step: answer, "HELO": answer}
    with closing(rude.sender()) as sender:
        assert post(sender, ENVELOPE).state is State.PLANNED


def test_an_answer_without_enhanced_code_keeps_its_three_digits(rude: Rude) -> None:
    rude.answers = {"RCPT": "550 no such user"}
    with closing(rude.sender()) as sender, pytest.raises(SendError) as caught:
        sender.send(ENVELOPE)
    assert caught.value.code == "550"


@pytest.mark.parametrize("step", STEPS[:-1])
@pytest.mark.parametrize("answer", ["", None, "421 4.3.2 closing", "what?"])
def test_silence_or_hanging_up_before_the_final_dot_leaves_no_doubt(rude: Rude, step: str, answer: str | None) -> None:
    rude.answers = {step: answer, "HELO": answer}
    with closing(rude.sender(connect=0.3, command=0.3)) as sender:
        outcome = post(sender, ENVELOPE)
    assert outcome.state is State.PLANNED
    assert rude.mails == []


def test_a_connection_cut_before_the_final_dot_leaves_no_doubt(rude: Rude) -> None:
    rude.cut_after = 1000
    rude.extensions = ("SIZE 0",)
    with closing(rude.sender()) as sender, pytest.raises(SendError) as caught:
        sender.send(replace(ENVELOPE, octets=MAIL + b"x" * 30_000_000))
    assert (caught.value.in_doubt, caught.value.permanent) == (False, False)


@pytest.mark.parametrize("answer", ["", None, "what?", "354 more"])
def test_silence_after_the_final_dot_is_in_doubt_and_only_then(rude: Rude, answer: str | None) -> None:
    rude.answers = {".": answer}
    with closing(rude.sender(final=0.3)) as sender:
        assert post(sender, ENVELOPE).state is State.IN_DOUBT
        assert len(rude.mails) == 1
        rude.answers = {}
        assert post(sender, ENVELOPE).state is State.SENT
    assert rude.connections == 2


# SMTP: recipients and extensions -------------------------------------------------------------------------------------


def test_a_refused_recipient_is_named_and_the_others_get_the_mail(rude: Rude) -> None:
    rude.answers = {"RCPT TO:<b@": "550 5.1.1 no such user"}
    with closing(rude.sender()) as sender:
        answer = sender.send(ENVELOPE)
    assert answer == "250 2.0.0 taken; refused: recipient <b@example.org>: 550 5.1.1 no such user"
    assert len(rude.mails) == 1


@pytest.mark.parametrize(("second", "state"), [("550 5.1.1 no", State.FAILED), ("450 4.2.0 greylisted", State.PLANNED)])
def test_when_all_are_refused_one_that_may_be_taken_later_is_enough_to_try_again(rude: Rude, second: str, state: State) -> None:
    rude.answers = {"RCPT TO:<a@": "550 5.1.1 no", "RCPT TO:<b@": second}
    with closing(rude.sender()) as sender:
        assert post(sender, ENVELOPE).state is state
    assert "DATA" not in rude.commands


def test_a_mail_above_the_announced_size_is_refused_with_both_sizes(rude: Rude) -> None:
    rude.extensions = ("SIZE 100",)
    with closing(rude.sender()) as sender:
        assert sender.accepts().max_octets == 100
        with pytest.raises(SendError, match=rf"{len(SENT)} octets.*at most 100 ") as caught:
            sender.send(ENVELOPE)
    assert (caught.value.permanent, caught.value.code) == (True, "5.3.4")


@pytest.mark.parametrize("announced", ["SIZE", "SIZE 0", "SIZE many", "HELP"])
def test_a_server_that_names_no_size_has_none(rude: Rude, announced: str) -> None:
    rude.extensions = (announced,)
    with closing(rude.sender()) as sender:
        assert sender.accepts().max_octets is None
        assert "names no size limit" in sender.check()


def test_what_the_server_offers_is_used_and_nothing_else(rude: Rude) -> None:
    with closing(rude.sender()) as sender:
        sender.send(replace(ENVELOPE, octets=EIGHT_BIT, recipients=("jörg@example.org",), notify_never=True))
        rude.extensions = ()
        sender.close()
        sender.send(replace(ENVELOPE, notify_never=True))
    size = len(EIGHT_BIT) - (len(MAIL) - len(SENT))
    assert [command for command in rude.commands if command.startswith(("MAIL", "RCPT"))] == [
        f"MAIL FROM:<bounces@example.gov> SIZE={size} BODY=8BITMIME SMTPUTF8",
        "RCPT TO:<jörg@example.org> NOTIFY=NEVER",
        "MAIL FROM:<bounces@example.gov>",
        "RCPT TO:<a@example.org> NOTIFY=NEVER".removesuffix(" NOTIFY=NEVER"),
        "RCPT TO:<b@example.org>",
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"octets": EIGHT_BIT}, "8BITMIME"), ({"recipients": ("jörg@example.org",)}, "SMTPUTF8")],
)
def test_a_mail_that_needs_what_is_not_offered_is_refused_in_words(rude: Rude, changes: dict[str, bytes], words: str) -> None:
    rude.extensions = ()
    with closing(rude.sender()) as sender, pytest.raises(SendError, match=f"does not offer {words}") as caught:
        sender.send(replace(ENVELOPE, **changes))  # type: ignore[arg-type]
    assert caught.value.permanent
    assert not any(command.startswith("MAIL") for command in rude.commands)


def test_lines_that_begin_with_a_dot_are_stuffed(rude: Rude) -> None:
    with closing(rude.sender()) as sender:
        sender.send(ENVELOPE)
    assert rude.mails == [SENT.replace(b"\r\n.", b"\r\n..")]
