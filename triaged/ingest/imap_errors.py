"""What an IMAP server's, a network's or a setting's error means: try again, or tell a person."""

import re
import ssl
from typing import Final

from imapclient.exceptions import (
    CapabilityError,
    IMAPClientAbortError,
    IMAPClientError,
    LoginError,
    ProtocolError,
)

from triaged import secret
from triaged.ingest.mailbox import MailboxError
from triaged.oauth.tokens import TokenError

# RFC 5530 §3, and [OVERQUOTA] on COPY: only a person can mend these.
PERMANENT: Final = frozenset(
    {
        "AUTHENTICATIONFAILED",
        "AUTHORIZATIONFAILED",
        "EXPIRED",
        "PRIVACYREQUIRED",
        "CONTACTADMIN",
        "NOPERM",
        "CORRUPTION",
        "OVERQUOTA",
        "CANNOT",
    }
)
TEMPORARY: Final = frozenset({"UNAVAILABLE", "INUSE", "SERVERBUG", "LIMIT"})
_CODE: Final = re.compile(r"\[([A-Z][A-Z-]{2,40})[ \]]")


class LiteralTooLargeError(Exception):
    """The server announced more octets than we will take; the connection is of no more use."""

    def __init__(self, octets: int) -> None:
        super().__init__(f"the server announced {octets} octets")
        self.octets = octets


FAULTS: Final = (IMAPClientError, LiteralTooLargeError, OSError, ValueError, secret.SecretError, TokenError)
"""All that a session's methods raise when the server, the network or the settings are at fault."""


def refusal_code(error: BaseException) -> str:
    """Return the response code (RFC 5530) in an error's text, empty if there is none."""
    found = _CODE.search(str(error))
    return found[1] if found else ""


def is_refusal(error: BaseException) -> bool:
    """Whether the server said NO or BAD and the connection lives on."""
    return isinstance(error, IMAPClientError) and not isinstance(error, IMAPClientAbortError | ProtocolError)


def explain(where: str, error: Exception, *, final: bool = False) -> MailboxError:
    """Say what went wrong, and whether only a person can mend it.

    Args:
        where: Account and host, for the administrator.
        error: One of `FAULTS`.
        final: Whether a plain NO is the last word here, as it is when a folder is opened; it always is at log-in.
    """
    code = refusal_code(error)
    cut_off = isinstance(error, IMAPClientAbortError) or isinstance(error.__context__, IMAPClientAbortError)
    last_word = (final or isinstance(error, LoginError)) and is_refusal(error) and not cut_off and code not in TEMPORARY
    beyond_us = isinstance(error, secret.SecretError | ssl.SSLCertVerificationError | CapabilityError)
    beyond_us = beyond_us or (isinstance(error, TokenError) and error.permanent)
    words = "".join(letter if letter.isprintable() else " " for letter in str(error))[:300] or type(error).__name__
    return MailboxError(f"{where}: {words}", permanent=last_word or beyond_us or code in PERMANENT)
