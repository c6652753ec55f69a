"""Tokens from Microsoft Entra, by msal: an application of its own (secret or certificate), or a person's sign-in."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msal
import requests
from msal.exceptions import MsalServiceError

from triaged import secret
from triaged.oauth.cache import TokenFile
from triaged.oauth.tokens import MARGIN_SECONDS, TIMEOUT_SECONDS, Purpose, TokenError, Tokens, first_line

if TYPE_CHECKING:
    from triaged.config import OAuth


@dataclass(frozen=True, slots=True)
class Cloud:
    """One of Microsoft's clouds: where it signs in, and what its services are called."""

    login: str
    graph: str
    outlook: str
    delegated: str  # the resource that IMAP and SMTP scopes of a person stand under


CLOUDS: Final = {
    "global": Cloud(
        "https://login.microsoftonline.com",
        "https://graph.microsoft.com",
        "https://outlook.office365.com",
        "https://outlook.office.com",
    ),
    "usgov": Cloud(
        "https://login.microsoftonline.us",
        "https://graph.microsoft.us",
        "https://outlook.office365.us",
        "https://outlook.office365.us",
    ),
    "usgov-dod": Cloud(
        "https://login.microsoftonline.us",
        "https://dod-graph.microsoft.us",
        "https://outlook-dod.office365.us",
        "https://outlook-dod.office365.us",
    ),
    "china": Cloud(
        "https://login.partner.microsoftonline.cn",
        "https://microsoftgraph.chinacloudapi.cn",
        "https://partner.outlook.cn",
        "https://partner.outlook.cn",
    ),
}
_TEMPORARY: Final = frozenset({"temporarily_unavailable", "server_error", "slow_down"})  # RFC 6749 §4.1.2.1, RFC 8628 §3.5


def open_tokens(settings: "OAuth", user: str, purpose: Purpose, base: Path) -> Tokens:
    """Return the source; Entra is reached when the first token is asked for."""
    return Microsoft(settings, user, purpose, base)


class Microsoft:
    """Tokens for one account. With a secret or certificate we are an application, else whoever signed in."""

    def __init__(
        self, settings: "OAuth", user: str, purpose: Purpose, base: Path, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._user = user
        self._base = base
        self._clock = clock
        self._is_application = settings.secret is not None or settings.certificate is not None
        self._scopes = scopes(settings, purpose, application=self._is_application)
        self._file = TokenFile(settings.folder, user, "microsoft", settings.tenant, settings.client)
        self._held = ""
        self._good_until = 0.0

    def get(self, *, fresh: bool = False) -> str:
        """Return a token: the one in hand, else from the file, else from Entra."""
        if fresh or self._clock() >= self._good_until:
            with self._file.locked():
                answer = self._from_entra(lambda app: self._acquire(app, fresh=fresh))
            self._held = answer["access_token"]
            self._good_until = self._clock() + float(answer.get("expires_in", 0)) - MARGIN_SECONDS
        return self._held

    def sign_in(self, show: Callable[[str], None]) -> str:
        """Show a code to type into a browser anywhere, and wait until that is done."""
        if self._is_application:
            raise TokenError("this account has a secret or certificate of its own: nobody needs to sign in", permanent=True)

        def by_device_code(app: Any) -> dict[str, Any]:
            flow = app.initiate_device_flow(scopes=self._scopes)
            if "user_code" not in flow:
                return dict(flow)
            show(f"Open {flow['verification_uri']} in any browser, type the code {flow['user_code']}, sign in as {self._user}.")
            return dict(app.acquire_token_by_device_flow(flow))

        # Without the file's lock, since a person takes minutes, and mail goes on meanwhile.
        cache = msal.SerializableTokenCache()
        answer = self._ask(by_device_code, cache)
        with self._file.locked():
            self._file.write(cache.serialize())
        who = str(answer.get("id_token_claims", {}).get("preferred_username", "")) or self._user
        if who.lower() != self._user.lower():
            show(f"Note: {who} signed in, for the mailbox {self._user}; that works if {who} has rights to it.")
        return who

    def _from_entra(self, ask: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        """Ask msal with what is kept, and keep what it learnt. The file's lock is held."""
        cache = msal.SerializableTokenCache()
        kept = self._file.read()
        try:
            if kept:
                cache.deserialize(kept)
        except ValueError:  # damaged: an application asks anew, a person signs in anew
            cache = msal.SerializableTokenCache()
        try:
            return self._ask(ask, cache)
        finally:
            if cache.has_state_changed:
                self._file.write(cache.serialize())

    def _ask(self, ask: Callable[[Any], dict[str, Any]], cache: Any) -> dict[str, Any]:
        """Ask msal, and say in words what went wrong."""
        try:
            with closing(_Http(str(self._settings.tls_ca) if self._settings.tls_ca else None)) as http:
                answer = ask(self._application(cache, http))
        except secret.SecretError as error:
            raise TokenError(str(error), permanent=True) from error
        except (requests.RequestException, MsalServiceError) as error:  # the latter: 5xx
            raise TokenError(f"{self._where}: not reached: {type(error).__name__}") from error
        except ValueError as error:  # no such tenant, a certificate that is none
            raise TokenError(f"{self._where}: {first_line(str(error))}", permanent=True) from error
        if "access_token" not in answer:
            raise self._refused(answer)
        return answer

    def _acquire(self, app: Any, *, fresh: bool) -> dict[str, Any]:
        if self._is_application:
            if fresh:
                app.remove_tokens_for_client()
            return dict(app.acquire_token_for_client(scopes=self._scopes))
        accounts = app.get_accounts()
        if not accounts:
            raise TokenError(f"nobody has signed in for {self._user} yet: run triaged auth", permanent=True)
        chosen = next((one for one in accounts if one["username"].lower() == self._user.lower()), accounts[0])
        answer = app.acquire_token_silent_with_error(self._scopes, account=chosen, force_refresh=fresh)
        return dict(answer or {"error": "interaction_required", "error_description": "the sign-in is no longer good"})

    def _application(self, cache: Any, http: "_Http") -> Any:
        login = self._settings.login or CLOUDS[self._settings.cloud].login
        known: dict[str, Any] = {
            "authority": f"{login.rstrip('/')}/{self._settings.tenant}",
            "token_cache": cache,
            "instance_discovery": False,  # the administrator named the host; no other is asked whether it may be trusted
            "http_client": http,
        }
        if self._is_application:
            return msal.ConfidentialClientApplication(self._settings.client, client_credential=self._credential(), **known)
        return msal.PublicClientApplication(self._settings.client, **known)

    def _credential(self) -> str | dict[str, str]:
        if self._settings.secret is not None:
            return secret.read(self._settings.secret, self._base)
        assert self._settings.certificate is not None  # noqa: S101 - for mypy; see _is_application
        pem = secret.read_text(self._settings.certificate, self._base)
        return {"private_key": pem, "public_certificate": pem}

    def _refused(self, answer: dict[str, Any]) -> TokenError:
        code = str(answer.get("error", "no token"))
        words = first_line(str(answer.get("error_description", "")))
        mend = "" if self._is_application or code in _TEMPORARY else "; run triaged auth to sign in again"
        return TokenError(f"{self._where}: {code}: {words}{mend}", permanent=code not in _TEMPORARY)

    @property
    def _where(self) -> str:
        return f"sign-in of {self._user} at Microsoft"


class _Http:
    """What msal speaks through. A CA that the administrator set is given with each request: set on the session, requests 2.34
    drops it where $REQUESTS_CA_BUNDLE is set."""

    def __init__(self, verify: str | None) -> None:
        self._session = requests.Session()
        self._verify = verify

    def get(self, url: str, **options: Any) -> requests.Response:
        """GET."""
        return self._session.get(url, **options, verify=self._verify, timeout=TIMEOUT_SECONDS)

    def post(self, url: str, **options: Any) -> requests.Response:
        """POST."""
        return self._session.post(url, **options, verify=self._verify, timeout=TIMEOUT_SECONDS)

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()


def scopes(settings: "OAuth", purpose: Purpose, *, application: bool) -> list[str]:
    """Return what to ask for. Application rights are those that an administrator consented to, all at once."""
    cloud = CLOUDS[settings.cloud]
    if application:
        return [f"{cloud.graph if purpose == 'graph' else cloud.outlook}/.default"]
    if purpose == "graph":
        return [f"{cloud.graph}/{right}" for right in ("Mail.ReadWrite.Shared", "Mail.Send.Shared")]
    if purpose == "ews":
        return [f"{cloud.outlook}/EWS.AccessAsUser.All"]
    return [f"{cloud.delegated}/{right}" for right in ("IMAP.AccessAsUser.All", "SMTP.Send")]  # one sign-in for both
