"""Exchange Web Services by exchangelib, for the mailbox and the sender alike: sign-in, waiting when told to, errors.

exchangelib fails fast here, and the waiting is ours: its own FaultTolerance takes a refused password for a busy server and
repeats it until the account is locked, and sleeps where nobody can stop it.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from exchangelib import DELEGATE, IMPERSONATION, UTC, Account, Configuration, Credentials
from exchangelib import errors as ews_errors
from exchangelib.credentials import OAuth2AuthorizationCodeCredentials
from exchangelib.protocol import BaseProtocol, FailFast, Protocol
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectTimeout
from urllib3.exceptions import MaxRetryError, NewConnectionError

from triaged import secret
from triaged.oauth.tokens import Tokens, first_line, open_tokens

if TYPE_CHECKING:
    from triaged.config import Exchange

T = TypeVar("T")
PATIENCE: Final = 20.0  # seconds that are waited out on the spot; a longer wait is the caller's
TRIES: Final = 3
TIMEOUT_SECONDS: Final = 120
PIECE_OCTETS: Final = 65_536
ONLINE: Final = ("outlook.office365.com", "outlook.office.com", "outlook.office365.us", "partner.outlook.cn")
END_OF_EWS: Final = (
    "Exchange Online blocks EWS since 2026-10-01 except for tenants that allow-list the application, and removes it on "
    '2027-04-01: use kind = "graph"'
)
_PERMANENT: Final = (
    ews_errors.UnauthorizedError,
    ews_errors.ErrorAccessDenied,
    ews_errors.ErrorNonExistentMailbox,
    ews_errors.ErrorImpersonateUserDenied,
    ews_errors.ErrorImpersonationDenied,
    ews_errors.ErrorImpersonationFailed,
    ews_errors.ErrorFolderNotFound,
    ews_errors.ErrorInvalidUserInfo,
    ews_errors.ErrorSendAsDenied,
)


class EwsError(Exception):
    """Exchange did not do it.

    Attributes:
        cause: exchangelib's error, if it was one.
        permanent: Only a person can mend it.
        sent: The request had left and was not answered, so that it may have been carried out.
    """

    def __init__(self, message: str, cause: Exception | None = None, *, permanent: bool = False, sent: bool = False) -> None:
        super().__init__(message)
        self.cause = cause
        self.permanent = permanent
        self.sent = sent


class _Password(Credentials):  # type: ignore[misc]
    """Not equal to any other: exchangelib would share its connection, and thereby wait for, another thread's."""

    __hash__ = object.__hash__
    __eq__ = object.__eq__


class _Token(OAuth2AuthorizationCodeCredentials):  # type: ignore[misc]
    """A token that we renew ourselves."""

    __hash__ = object.__hash__
    __eq__ = object.__eq__


class _Adapter(HTTPAdapter):
    """Trusts, for a server that the administrator named one for, that certificate authority alone."""

    authorities: Final[dict[str, str]] = {}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        super().cert_verify(conn, url, self.authorities.get(urlsplit(url).netloc, verify), cert)

    def build_response(self, request: Any, answered: Any) -> Any:
        """Give answers out in pieces: exchangelib 5.6 names no size, and so takes a large mail octet by octet."""
        response: Any = super().build_response(request, answered)
        read = response.iter_content
        response.iter_content = lambda octets=PIECE_OCTETS, decode=False: read(octets, decode)
        return response


logging.getLogger("exchangelib").setLevel(logging.CRITICAL)  # its errors quote whole requests, letters and all
BaseProtocol.HTTP_ADAPTER_CLS = _Adapter
BaseProtocol.TIMEOUT = TIMEOUT_SECONDS
BaseProtocol.USERAGENT = "triaged"


class Ews:
    """One mailbox on one server, one request at a time."""

    def __init__(
        self,
        settings: "Exchange",
        base: Path,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.user = settings.user
        host = urlsplit(settings.url).hostname or ""
        self.where = f"{settings.user} at {host}"
        self.warning = END_OF_EWS if host.lower() in ONLINE else ""
        self._settings = settings
        self._base = base
        self._tokens: Tokens | None = open_tokens(settings.oauth, settings.user, "ews", base) if settings.oauth else None
        self._account: Any = None
        self._token = ""
        self._sleep = sleep
        self._clock = clock
        self._not_before = 0.0
        if settings.tls_ca:
            _Adapter.authorities[urlsplit(settings.url).netloc] = str(settings.tls_ca)

    def call(self, action: Callable[[Any], T], user: str = "") -> T:
        """Do something with the account (of another user, to see it refused); wait and repeat where the server asks for it.

        Raises:
            EwsError: It was not done, or nobody knows.
            TokenError: There is no token.
        """
        fresh = False
        for attempt in range(TRIES + 1):
            self._wait_if_asked_to()
            account = None
            try:
                account = self._open(user, fresh=fresh)
                return action(account)
            except ews_errors.UnauthorizedError as error:
                self.close()
                if self._tokens is None or fresh:  # a password is never said twice: accounts get locked
                    raise self._explain(error) from error
                fresh = True
            except (ews_errors.ErrorServerBusy, ews_errors.RateLimitError) as error:
                wait = float(getattr(error, "back_off", None) or getattr(error, "wait", None) or BaseProtocol.RETRY_WAIT)
                self._not_before = self._clock() + wait
                if wait > PATIENCE or attempt >= TRIES - 1:
                    raise self._explain(error) from error
            except (ews_errors.EWSError, OSError, ValueError, secret.SecretError) as error:
                self.close()
                raise self._explain(error, begun=account is not None) from error
        raise EwsError(f"{self.where}: it is busy")

    def close(self) -> None:
        """Let go of the connection."""
        account, self._account = self._account, None
        if account is not None:
            account.protocol.close()
            # exchangelib would keep it for ever.
            Protocol._protocol_cache.pop(Protocol._cache_key(account.protocol.config), None)

    def _wait_if_asked_to(self) -> None:
        left = self._not_before - self._clock()
        if left > PATIENCE:
            raise EwsError(f"{self.where}: it asked us to wait, {left:.0f} seconds yet")
        if left > 0:
            self._sleep(left)

    def _open(self, user: str, *, fresh: bool) -> Any:
        if self._tokens:
            token = self._tokens.get(fresh=fresh)
            if token != self._token:
                self.close()
                self._token = token
        if user:
            return self._new_account(user)
        if self._account is None:
            self._account = self._new_account(self.user)
        return self._account

    def _new_account(self, user: str) -> Any:
        settings = self._settings
        name = settings.account or settings.user
        if self._tokens:
            credentials: Any = _Token(access_token={"access_token": self._token, "token_type": "Bearer"})
            kind = "OAuth 2.0"
        else:
            assert settings.password is not None  # noqa: S101 - settings/servers.py sees to it
            credentials = _Password(name, secret.read(settings.password, self._base))
            kind = {"ntlm": "NTLM", "basic": "basic"}[settings.auth]
        configuration = Configuration(
            service_endpoint=settings.url, credentials=credentials, auth_type=kind, retry_policy=FailFast()
        )
        access = IMPERSONATION if settings.access == "impersonation" else DELEGATE
        return Account(user, config=configuration, access_type=access, autodiscover=False, default_timezone=UTC, locale="en_US")

    def _explain(self, error: Exception, *, begun: bool = False) -> EwsError:
        words = first_line(str(error)) or type(error).__name__
        if isinstance(error, ews_errors.UnauthorizedError):
            words = f"signing in as {self._settings.account or self.user} was refused"
        if isinstance(error, ews_errors.ResponseMessageError):
            words = f"{type(error).__name__}: {words}"
        said = f"{self.where}: {words}" + (f". {self.warning}" if self.warning else "")
        permanent = isinstance(error, (*_PERMANENT, secret.SecretError))
        permanent = permanent or (isinstance(error, ews_errors.TransportError) and "CERTIFICATE_VERIFY" in str(error))
        return EwsError(said, error, permanent=permanent, sent=begun and _may_have_been_done(error))


def _may_have_been_done(error: Exception) -> bool:
    """Whether a request left and was not answered: silence, or an answer that is none of EWS's."""
    if isinstance(error, ews_errors.ErrorTimeoutExpired):
        inner = error.__context__
        reason = inner.args[0] if inner and inner.args else None
        if isinstance(reason, MaxRetryError):
            reason = reason.reason
        return not isinstance(inner, ConnectTimeout) and not isinstance(reason, NewConnectionError)
    return isinstance(error, ews_errors.MalformedResponseError | ews_errors.SOAPError | ews_errors.ErrorInternalServerError)
