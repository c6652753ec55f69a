"""The `Sender` protocol: how a finished mail leaves the house. One file a kind."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Envelope:
    """RFC 5321 envelope and the whole mail."""

    sender: str  # reverse-path; "" is the null reverse-path <>
    recipients: tuple[str, ...]
    octets: bytes
    notify_never: bool = False  # RFC 3461 NOTIFY=NEVER where the server offers DSN


class SendError(Exception):
    """The mail did not leave.

    Attributes:
        permanent: The server refused for good (5xx).
        in_doubt: Silence after the final dot (RFC 1047): it may have left.
        code: RFC 3463 enhanced status code if one was given, else the three digits, else "".
    """

    def __init__(self, message: str, *, permanent: bool = False, in_doubt: bool = False, code: str = "") -> None:
        super().__init__(message)
        self.permanent = permanent
        self.in_doubt = in_doubt
        self.code = code


class Sender(Protocol):
    """Takes a finished mail and gives it to the outside."""

    def send(self, envelope: Envelope) -> str:
        """Return the peer's answer once it has taken responsibility for the mail.

        Raises:
            SendError: It did not.
        """

    def check(self) -> str:
        """Connect, send nothing; return one line for the administrator.

        Raises:
            SendError: With what the server said.
        """

    def close(self) -> None:
        """Let go of the connection; safe to call twice."""
