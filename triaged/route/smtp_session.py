"""Opening an SMTP connection: verified TLS or loopback, EHLO, AUTH; and reading a server's words."""

import base64
import ipaddress
import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from triaged.oauth.sasl import AFTER_REFUSAL, first_message, mechanism_of, reason_of
from triaged.oauth.tokens import TokenError, Tokens
from triaged.route.header import one_line
from triaged.route.sender import SendError
from triaged.secret import SecretError

if TYPE_CHECKING:
    from triaged.config import SenderSettings

CLOSING: Final = "421"  # RFC 5321 §3.8: the server hangs up after it
_ENHANCED: Final = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?!\S)")  # RFC 3463 §2
_SIGNED_IN: Final = 235  # RFC 4954 §6
_GO_ON: Final = 334


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds (RFC 5321 §4.5.3.2)."""

    connect: float = 60.0  # and for the greeting
    command: float = 300.0
    final: float = 600.0  # for the answer to the final dot


def connect(
    settings: "SenderSettings", password: Callable[[], str] | None, timeouts: Timeouts, tokens: Tokens | None = None
) -> smtplib.SMTP:
    """Return a connection that is ready for MAIL.

    Args:
        settings: The server.
        password: Reads the password; None when there is no user.
        timeouts: How long to wait.
        tokens: Gives tokens to sign in with instead of a password.

    Raises:
        SendError: It cannot be had; never permanent, since it is not the mail's fault.
    """
    server = f"{settings.host}:{settings.port}"
    try:
        smtp = _open(settings, timeouts)
        try:
            _introduce(smtp, settings, timeouts, server)
            if settings.user and tokens is not None:
                _sign_in_by_token(smtp, settings.user, tokens, server)
            elif settings.user and password is not None:
                _sign_in(smtp, settings.user, password, server)
        except BaseException:
            smtp.close()
            raise
    except smtplib.SMTPResponseException as error:
        words = words_of(error.smtp_error)
        raise SendError(f"{server}: {error.smtp_code} {words}", code=code_of(error.smtp_code, words)) from error
    except ssl.SSLCertVerificationError as error:
        raise SendError(f"{server}: its certificate is not trusted: {error.verify_message}") from error
    except (smtplib.SMTPException, OSError, SecretError, TokenError) as error:
        raise SendError(f"{server}: {error}") from error
    return smtp


def words_of(answer: bytes | str) -> str:
    """Return a server's answer on one line, not too long."""
    return one_line(answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer, 300)


def code_of(code: int, words: str) -> str:
    """Return the enhanced status code (RFC 3463) of an answer, else its three digits; always 421 for 421."""
    enhanced = _ENHANCED.match(words)
    return str(code) if str(code) == CLOSING or enhanced is None else enhanced[1]


def socket_of(smtp: smtplib.SMTP) -> socket.socket:
    """Return the socket of a connection.

    Raises:
        SMTPServerDisconnected: There is none any more.
    """
    if smtp.sock is None:
        raise smtplib.SMTPServerDisconnected("the server closed the connection")
    return smtp.sock


def _open(settings: "SenderSettings", timeouts: Timeouts) -> smtplib.SMTP:
    if settings.tls == "implicit":
        context = _context(settings)
        return smtplib.SMTP_SSL(settings.host, settings.port, "localhost", timeout=timeouts.connect, context=context)
    return smtplib.SMTP(settings.host, settings.port, "localhost", timeout=timeouts.connect)


def _introduce(smtp: smtplib.SMTP, settings: "SenderSettings", timeouts: Timeouts, server: str) -> None:
    sock = socket_of(smtp)
    sock.settimeout(timeouts.command)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else the end of each mail waits for a delayed ACK
    if settings.tls == "none" and not _is_loopback(sock):
        raise SendError(f"{server}: without TLS mail goes to this machine itself only; set tls")
    smtp.local_hostname = _own_name(sock)
    smtp.ehlo_or_helo_if_needed()
    if settings.tls == "starttls":
        if not smtp.has_extn("starttls"):
            raise SendError(f"{server}: it does not offer STARTTLS, so nothing is sent through it")
        smtp.starttls(context=_context(settings))
        smtp.ehlo_or_helo_if_needed()


def _sign_in(smtp: smtplib.SMTP, user: str, password: Callable[[], str], server: str) -> None:
    offered = smtp.esmtp_features.get("auth", "").upper().split()
    if not offered:
        raise SendError(f"{server}: it does not offer AUTH, so {user} cannot sign in")
    try:
        code, answer = _authenticate(smtp, user, password(), plain="PLAIN" in offered)
    except smtplib.SMTPAuthenticationError as error:
        code, answer = error.smtp_code, error.smtp_error if isinstance(error.smtp_error, bytes) else error.smtp_error.encode()
    except UnicodeEncodeError:  # the error itself would show the password
        raise SendError(f"{server}: the password has letters that its way of signing in cannot carry") from None
    if code != _SIGNED_IN:
        words = words_of(answer)
        raise SendError(f"{server}: {user} cannot sign in: {code} {words}", code=code_of(code, words))


def _sign_in_by_token(smtp: smtplib.SMTP, user: str, tokens: Tokens, server: str) -> None:
    mechanism = mechanism_of(smtp.esmtp_features.get("auth", "").upper().split())
    if mechanism is None:
        raise SendError(f"{server}: it offers neither AUTH OAUTHBEARER nor AUTH XOAUTH2, so {user} cannot sign in")
    for fresh in (False, True):  # one that was refused may have been revoked and issued anew since
        said = base64.b64encode(first_message(mechanism, user, tokens.get(fresh=fresh))).decode("ascii")
        # RFC 4954 §4: the first message goes in the AUTH line only if that stays short enough for every server.
        code, answer = smtp.docmd("AUTH", mechanism)
        if code == _GO_ON:
            code, answer = smtp.docmd(said)
        why = ""
        if code == _GO_ON:  # RFC 7628 §3.2.3: the reason, after which the server waits for an empty word
            why = _reason(answer)
            code, answer = smtp.docmd(base64.b64encode(AFTER_REFUSAL[mechanism]).decode("ascii"))
        if code == _SIGNED_IN:
            return
    words = words_of(answer)
    raise SendError(f"{server}: {user} cannot sign in: {code} {words}{f' ({why})' if why else ''}", code=code_of(code, words))


def _reason(answer: bytes) -> str:
    try:
        return reason_of(base64.b64decode(answer, validate=True))
    except ValueError:
        return words_of(answer)


def _authenticate(smtp: smtplib.SMTP, user: str, password: str, *, plain: bool) -> tuple[int, bytes]:
    if not plain:
        return smtp.login(user, password)
    # By hand: smtplib of Python 3.11 sends ASCII only, RFC 4616 has UTF-8.
    return smtp.docmd("AUTH", f"PLAIN {base64.b64encode(f'{chr(0)}{user}{chr(0)}{password}'.encode()).decode('ascii')}")


def _context(settings: "SenderSettings") -> ssl.SSLContext:
    """Return a context that verifies certificate and host name."""
    if settings.tls_ca is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=str(settings.tls_ca))
    except OSError as error:
        raise SendError(f"tls_ca {settings.tls_ca}: {error}") from error


def _is_loopback(sock: socket.socket) -> bool:
    return ipaddress.ip_address(sock.getpeername()[0].partition("%")[0]).is_loopback


def _own_name(sock: socket.socket) -> str:
    """Return what EHLO says: our host name, an address literal if it has no dots (RFC 5321 §4.1.4). Asks no name server."""
    name = socket.gethostname()
    if "." in name and name.isascii():
        return name
    address = sock.getsockname()[0].partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
