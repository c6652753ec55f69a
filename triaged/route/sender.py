"""The `Sender` protocol: how a finished mail leaves the house. One file a kind; this registry names them."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, Protocol

from triaged.message import Outcome, State
from triaged.route.header import addr_spec


@dataclass(frozen=True, slots=True)
class Envelope:
    """RFC 5321 envelope and the whole mail."""

    sender: str  # reverse-path; "" is the null reverse-path <>
    recipients: tuple[str, ...]
    octets: bytes
    notify_never: bool = False  # RFC 3461 NOTIFY=NEVER where the server offers DSN


@dataclass(frozen=True, slots=True)
class Accepts:
    """What the peer takes."""

    max_octets: int | None = None  # RFC 1870; None: it does not say
    eight_bit: bool = True  # RFC 6152


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
    """Takes a finished mail and gives it to the outside. Several threads may use one."""

    def accepts(self) -> Accepts:
        """Return what the peer takes, connecting if need be.

        Raises:
            SendError: It cannot be reached.
        """

    def send(self, envelope: Envelope) -> str:
        """Return the peer's answer once it has taken responsibility for the mail; the answer names recipients it refused.

        Raises:
            SendError: It did not, for any recipient.
        """

    def check(self) -> str:
        """Connect, send nothing; return one line for the administrator.

        Raises:
            SendError: With what the server said.
        """

    def close(self) -> None:
        """Let go of the connection; safe to call twice."""


def check_addresses(envelope: Envelope) -> None:
    """Refuse a mail that can go nowhere.

    Raises:
        SendError: It has no recipient, or an address that is none; permanent.
    """
    if not envelope.recipients:
        raise SendError("the mail has no recipient", permanent=True, code="5.1.0")
    for address in (*((envelope.sender,) if envelope.sender else ()), *envelope.recipients):
        if not addr_spec(address):
            raise SendError(f"{address!r} is not an address that mail can go to (5.1.3)", permanent=True, code="5.1.3")


KINDS: Final = {
    "exchange": "triaged.route.exchange:open_sender",
    "graph": "triaged.route.graph:open_sender",
    "smtp": "triaged.route.smtp:open_sender",
    "spool": "triaged.route.spool:open_sender",
}


def open_sender(kind: str, settings: Any, password: Callable[[], str] | None = None) -> Sender:
    """Open the sender of a kind, importing its file only now.

    Args:
        kind: A key of `KINDS`.
        settings: `config.SenderSettings`, passed through.
        password: Reads the password, at every login anew; None when there is no user.

    Raises:
        SendError: The kind's libraries are not installed.
    """
    module, function = KINDS[kind].split(":")
    try:
        opened: Sender = getattr(import_module(module), function)(settings, password)
    except ModuleNotFoundError as error:
        raise SendError(f'kind {kind} needs {error.name}: pip install "triaged[{kind}]"') from error
    return opened


def post(sender: Sender, envelope: Envelope) -> Outcome:
    """Send a mail and say how that ended."""
    try:
        return Outcome(State.SENT, sender.send(envelope))
    except SendError as error:
        return outcome_of(error)


def outcome_of(error: SendError) -> Outcome:
    """Return what a refusal means for a delivery: try again, failed for good, or in doubt."""
    state = State.IN_DOUBT if error.in_doubt else State.FAILED if error.permanent else State.PLANNED
    return Outcome(state, str(error))
