"""Kind "exchange": mail goes out through an Exchange server of one's own, by EWS, as MIME.

Exchange sends to the addresses in the header, from the mailbox's own address, and may write a Message-ID of its own.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from exchangelib import errors as ews_errors
from exchangelib.items import SEND_ONLY, SEND_TO_NONE, Message
from exchangelib.services import CreateItem

from triaged.ews import Ews, EwsError
from triaged.oauth.tokens import TokenError
from triaged.route.readdress import readdressed
from triaged.route.sender import Accepts, Envelope, Sender, SendError, check_addresses

if TYPE_CHECKING:
    from triaged.config import SenderSettings

MAX_OCTETS: Final = 10_000_000  # an Exchange server's usual limit
_ABOUT_THE_MAIL: Final = (
    ews_errors.ErrorInvalidRecipients,
    ews_errors.ErrorMessageSizeExceeded,
    ews_errors.ErrorMimeContentInvalid,
    ews_errors.ErrorMimeContentInvalidBase64String,
    ews_errors.ErrorMimeContentConversionFailed,
)


class ExchangeSender:
    """One mailbox."""

    def __init__(self, ews: Ews) -> None:
        self._ews = ews
        self._lock = threading.Lock()

    def accepts(self) -> Accepts:
        """Return the usual limit: EWS does not tell it."""
        return Accepts(MAX_OCTETS)

    def send(self, envelope: Envelope) -> str:
        """Give Exchange the mail; no copy is kept among the mailbox's sent items."""
        check_addresses(envelope)
        octets = readdressed(envelope)
        if len(octets) > MAX_OCTETS:
            words = f"the mail has {len(octets)} octets, and Exchange usually takes at most {MAX_OCTETS} (5.3.4)"
            raise SendError(f"{self._ews.where}: {words}", permanent=True, code="5.3.4")

        def send(account: Any) -> None:
            mail = Message(account=account, mime_content=octets)
            service = CreateItem(account=account)
            for done in service.call(
                items=[mail], folder=None, message_disposition=SEND_ONLY, send_meeting_invitations=SEND_TO_NONE
            ):
                if isinstance(done, Exception):
                    raise done

        with self._lock:
            try:
                self._ews.call(send)
            except EwsError as error:
                if isinstance(error.cause, _ABOUT_THE_MAIL):
                    raise SendError(str(error), permanent=True, code="5.6.0") from error
                raise SendError(str(error), in_doubt=error.sent) from error
            except TokenError as error:
                raise SendError(f"{self._ews.where}: {error}") from error
        return "taken by Exchange"

    def check(self) -> str:
        """Sign in; send nothing."""
        with self._lock:
            try:
                version = self._ews.call(lambda account: account.version.api_version)
            except (EwsError, TokenError) as error:
                raise SendError(str(error)) from error
        return f"{self._ews.where}, {version}" + (f"; {self._ews.warning}" if self._ews.warning else "")

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            self._ews.close()


def open_sender(settings: "SenderSettings", password: Callable[[], str] | None) -> Sender:
    """Open the kind; the server is reached when the first mail goes out."""
    if settings.exchange is None:
        raise ValueError('a sender of kind "exchange" needs its server')
    return ExchangeSender(Ews(settings.exchange, Path()))
