import ssl
from datetime import UTC, datetime, timedelta, timezone

import pytest
from imapclient.exceptions import CapabilityError, IMAPClientAbortError, IMAPClientError, LoginError, ProtocolError

from triaged.config import is_loopback
from triaged.ingest.imap_errors import explain, is_refusal, refusal_code
from triaged.ingest.imap_session import listed
from triaged.secret import SecretError


@pytest.mark.parametrize(
    ("error", "final", "permanent"),
    [
        # RFC 5530 §3
        (LoginError("b'[AUTHENTICATIONFAILED] Authentication failed.'"), False, True),
        (LoginError("[EXPIRED] That password isn't valid any more."), False, True),
        (LoginError("[AUTHORIZATIONFAILED] No such authorization-ID"), False, True),
        (LoginError("[PRIVACYREQUIRED] Connection offers no privacy"), False, True),
        (LoginError("[CONTACTADMIN] Call the administrator"), False, True),
        (LoginError("Login failed: an old server says no more"), False, True),
        (LoginError("[UNAVAILABLE] User's backend down for maintenance."), False, False),
        (LoginError("[INUSE] Mailbox in use"), False, False),
        (LoginError("[LIMIT] Too many connections"), False, False),
        (IMAPClientError("select failed: [NOPERM] Access denied"), False, True),
        (IMAPClientError("select failed: [SERVERBUG] This should not happen"), True, False),
        (IMAPClientError("select failed: [NONEXISTENT] Mailbox does not exist"), True, True),
        (IMAPClientError("select failed: Mailbox does not exist"), True, True),
        (IMAPClientError("fetch failed: something odd"), False, False),
        (IMAPClientError("fetch failed: [CORRUPTION] Index is broken"), False, True),
        (IMAPClientError("copy failed: [OVERQUOTA] Quota exceeded"), False, True),
        (IMAPClientAbortError("socket error: EOF"), True, False),
        (IMAPClientAbortError("[UNAVAILABLE] BYE"), True, False),
        (ProtocolError("makes no sense"), True, False),
        (CapabilityError("Server does not support STARTTLS capability"), False, True),
        (ssl.SSLCertVerificationError("certificate verify failed"), False, True),
        (ssl.SSLError("wrong version number"), False, False),
        (ConnectionRefusedError("refused"), False, False),
        (TimeoutError("timed out"), True, False),
        (SecretError("mayor", "/run/x", "missing"), False, True),
    ],
)
def test_an_error_says_whether_a_person_must_mend_it(error: Exception, final: bool, permanent: bool) -> None:
    assert explain("ann at imap.example.gov:993", error, final=final).permanent is permanent


def test_a_login_cut_off_is_no_refused_password() -> None:
    """IMAPClient makes one error of both."""
    error = LoginError("socket error: EOF")
    error.__context__ = IMAPClientAbortError("socket error: EOF")
    assert not explain("here", error).permanent


def test_a_servers_words_reach_the_log_on_one_line_and_cut() -> None:
    text = str(explain("here", IMAPClientError("NO \x1b[31m red\r\nforged line\u202e" + "x" * 1_000)))
    assert text.isprintable()
    assert len(text) < 400


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("copy failed: [TRYCREATE] No such folder", "TRYCREATE"),
        ("[COPYUID 1 2 3] done", "COPYUID"),
        ("nothing", ""),
        ("[lower case]", ""),
        ("[" + "A" * 100 + "]", ""),
    ],
)
def test_a_response_code_is_found(text: str, code: str) -> None:
    assert refusal_code(IMAPClientError(text)) == code


def test_only_a_plain_no_leaves_the_connection_alive() -> None:
    assert is_refusal(IMAPClientError("fetch failed: no"))
    assert not any(is_refusal(error) for error in (IMAPClientAbortError("EOF"), ProtocolError("?"), OSError(), ValueError()))


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("LOCALHOST", True), ("127.0.0.1", True), ("127.8.9.10", True), ("::1", True)]
    + [(host, False) for host in ("imap.example.gov", "127.0.0.1.example.org", "10.0.0.1", "0.0.0.0", "", "localhost.evil")],
)
def test_loopback_is_told_by_the_name_alone(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    "date",
    [
        datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-12))),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=12))),
        datetime(2026, 1, 1),
        "2026",
        None,
        5,
    ],
)
def test_a_date_that_cannot_be_placed_in_time_is_none(date: object) -> None:
    assert listed({b"UID": 1, b"RFC822.SIZE": b"x", b"INTERNALDATE": date}).received_at is None


def test_a_date_is_given_in_utc() -> None:
    date = datetime(2026, 11, 23, 9, 3, tzinfo=timezone(timedelta(hours=-5)))
    found = listed({b"UID": 1, b"RFC822.SIZE": 5, b"INTERNALDATE": date})
    assert (found.received_at, found.size_octets) == (datetime(2026, 11, 23, 14, 3, tzinfo=UTC), 5)
