"""Kind "smtp": mail goes out through a server (RFC 5321), over verified TLS or loopback.

The transaction is driven step by step and not by smtplib's sendmail, because what a failure means depends on the step: before
the final dot nothing was sent, after it silence leaves us in doubt.
"""

import re
import smtplib
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from triaged.oauth.tokens import TokenError, Tokens, open_tokens
from triaged.route.header import addr_spec
from triaged.route.sender import Accepts, Envelope, Sender, SendError, check_addresses
from triaged.route.smtp_session import CLOSING, Timeouts, code_of, connect, socket_of, words_of
from triaged.route.wire import header_of, wire_form

if TYPE_CHECKING:
    from triaged.config import SenderSettings

_LEADING_DOT: Final = re.compile(rb"^\.", re.MULTILINE)
_AUTHENTICATION_REQUIRED: Final = 530  # RFC 4954 §6: says something about us, nothing about the mail
_USUAL: Final = Timeouts()


class Smtp:
    """One server. The connection stays open between mails.

    Only what the server says of the mail itself (MAIL, RCPT, DATA) is permanent: a refused login or certificate is our trouble,
    not the mail's, and it is tried again.
    """

    def __init__(
        self, settings: "SenderSettings", password: Callable[[], str] | None = None, timeouts: Timeouts = _USUAL
    ) -> None:
        self._settings = settings
        self._password = password
        self._timeouts = timeouts
        self._server = f"{settings.host}:{settings.port}"
        self._tokens: Tokens | None = None
        self._smtp: smtplib.SMTP | None = None
        self._lock = threading.Lock()

    def accepts(self) -> Accepts:
        """Return what the server announces."""
        with self._lock:
            smtp = self._smtp if self._smtp is not None and self._smtp.sock is not None else self._connected()
            return Accepts(_announced_size(smtp), smtp.has_extn("8bitmime"))

    def send(self, envelope: Envelope) -> str:
        """Give the server the mail."""
        octets = wire_form(envelope.octets)
        check_addresses(envelope)
        with self._lock:
            smtp = self._connected()
            try:
                refused = self._envelope(smtp, envelope, self._mail_options(smtp, envelope, octets))
                answer = self._content(smtp, octets)
            except SendError as error:
                if error.in_doubt or error.code == CLOSING:
                    self._drop()
                raise
            except (smtplib.SMTPException, OSError) as error:
                self._drop()
                raise SendError(f"{self._server}: the connection broke before the mail was sent: {error}") from error
        return "; ".join((answer, *(f"refused: {refusal}" for refusal in refused)))

    def check(self) -> str:
        """Connect and sign in, send nothing."""
        with self._lock:
            smtp = self._connected()
            parts = [self._server, smtp.sock.version() or "TLS" if isinstance(smtp.sock, ssl.SSLSocket) else "no TLS"]
            if self._settings.user:
                parts.append(f"signed in as {self._settings.user}")
            size = _announced_size(smtp)
            parts.append(f"takes mail up to {size} octets" if size else "names no size limit")
            parts += [name for name in ("8BITMIME", "DSN", "SMTPUTF8") if smtp.has_extn(name.lower())]
            return ", ".join(parts)

    def close(self) -> None:
        """Say QUIT if connected."""
        with self._lock:
            smtp, self._smtp = self._smtp, None
            if smtp is not None and smtp.sock is not None:
                try:
                    smtp.sock.settimeout(5)
                    smtp.quit()
                except (smtplib.SMTPException, OSError):
                    pass  # nothing depends on the answer to QUIT
                finally:
                    smtp.close()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    def _connected(self) -> smtplib.SMTP:
        """Return a connection in its initial state: the open one after RSET, else a new one."""
        if self._smtp is not None:
            try:
                if self._smtp.docmd("RSET")[0] == 250:
                    return self._smtp
            except (smtplib.SMTPException, OSError):
                pass  # the server let go of an idle connection, as it may
            self._drop()
        self._smtp = connect(self._settings, self._password, self._timeouts, self._token_source())
        return self._smtp

    def _token_source(self) -> Tokens | None:
        if self._settings.oauth and self._tokens is None:
            try:
                # Absolute paths only: settings/file.py made them so.
                self._tokens = open_tokens(self._settings.oauth, self._settings.user, "smtp", Path())
            except TokenError as error:
                raise SendError(f"{self._server}: {error}") from error
        return self._tokens

    def _mail_options(self, smtp: smtplib.SMTP, envelope: Envelope, octets: bytes) -> list[str]:
        """Return the parameters of MAIL.

        Raises:
            SendError: The mail needs what the server does not offer; permanent.
        """
        options = []
        limit = _announced_size(smtp)
        if limit is not None and len(octets) > limit:
            words = f"the mail has {len(octets)} octets, and the server takes at most {limit} (5.3.4)"
            raise SendError(f"{self._server}: {words}", permanent=True, code="5.3.4")
        if smtp.has_extn("size"):
            options.append(f"SIZE={len(octets)}")
        if not octets.isascii():
            if not smtp.has_extn("8bitmime"):
                words = "the mail has 8-bit characters, and the server does not offer 8BITMIME (5.6.3)"
                raise SendError(f"{self._server}: {words}", permanent=True, code="5.6.3")
            options.append("BODY=8BITMIME")
        smtp.command_encoding = "ascii"
        addresses = (envelope.sender, *envelope.recipients)
        if not all(address.isascii() for address in addresses) or not header_of(octets).isascii():
            if not smtp.has_extn("smtputf8"):
                words = "an address has letters beyond ASCII, and the server does not offer SMTPUTF8 (5.6.7)"
                raise SendError(f"{self._server}: {words}", permanent=True, code="5.6.7")
            options.append("SMTPUTF8")
            smtp.command_encoding = "utf-8"
        return options

    def _envelope(self, smtp: smtplib.SMTP, envelope: Envelope, options: list[str]) -> list[str]:
        """Say MAIL and RCPT; return who was refused, in words.

        Raises:
            SendError: The sender was refused, or every recipient.
        """
        reverse_path = addr_spec(envelope.sender)
        self._expect(2, *smtp.docmd("MAIL", " ".join((f"FROM:<{reverse_path}>", *options))), f"sender <{reverse_path}>")
        notify = " NOTIFY=NEVER" if envelope.notify_never and smtp.has_extn("dsn") else ""
        refused = []
        for recipient in envelope.recipients:
            try:
                path = addr_spec(recipient)
                self._expect(2, *smtp.docmd("RCPT", f"TO:<{path}>{notify}"), f"recipient <{path}>")
            except SendError as error:
                if error.code == CLOSING:
                    raise
                refused.append(error)
        if len(refused) == len(envelope.recipients):
            # One that may be taken later is reason enough to try again.
            lasting = all(error.permanent for error in refused)
            first = next(error for error in refused if error.permanent is lasting)
            raise SendError("; ".join(map(str, refused)), permanent=lasting, code=first.code)
        return [str(error) for error in refused]

    def _content(self, smtp: smtplib.SMTP, octets: bytes) -> str:
        """Say DATA and send the mail; return the server's answer.

        Raises:
            SendError: It was refused; or no answer came to the final dot: `in_doubt`.
        """
        self._expect(3, *smtp.docmd("DATA"), "DATA")
        sock = socket_of(smtp)
        # The final dot goes in the same call as all before it: when this raises, the last octets never left.
        sock.sendall(_LEADING_DOT.sub(b"..", octets) + b".\r\n")
        sock.settimeout(self._timeouts.final)
        try:
            code, answer = smtp.getreply()
            sock.settimeout(self._timeouts.command)
        except (smtplib.SMTPException, OSError) as error:
            words = f"no answer to the final dot, so the mail may have left (RFC 1047): {error}"
            raise SendError(f"{self._server}: {words}", in_doubt=True) from error
        if code // 100 not in (2, 4, 5):
            words = f"an answer to the final dot that is none, so the mail may have left: {code} {words_of(answer)}"
            raise SendError(f"{self._server}: {words}", in_doubt=True)
        self._expect(2, code, answer, "the mail")
        return f"{code} {words_of(answer)}"

    def _expect(self, kind: int, code: int, answer: bytes, what: str) -> None:
        if code // 100 == kind:
            return
        text = words_of(answer)
        raise SendError(
            f"{what}: {code} {text}",
            permanent=code // 100 == 5 and code != _AUTHENTICATION_REQUIRED,
            code=code_of(code, text),
        )


def _announced_size(smtp: smtplib.SMTP) -> int | None:
    """Return the server's limit in octets; None when it names none (RFC 1870 §4: 0 is none)."""
    announced = smtp.esmtp_features.get("size", "").strip()
    return int(announced) or None if re.fullmatch(r"[0-9]{1,20}", announced) else None


def open_sender(settings: "SenderSettings", password: Callable[[], str] | None) -> Sender:
    """Open the kind; the server is reached when the first mail goes out."""
    return Smtp(settings, password)
