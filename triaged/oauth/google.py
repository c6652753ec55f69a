"""Tokens from Google: a service account that acts for a user (domain-wide delegation, RFC 7523), or a refresh token."""

import json
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import jwt

from triaged import secret
from triaged.oauth.cache import TokenFile
from triaged.oauth.tokens import MARGIN_SECONDS, TIMEOUT_SECONDS, Purpose, TokenError, Tokens, first_line

if TYPE_CHECKING:
    from triaged.config import OAuth

TOKEN_URL: Final = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
SCOPE: Final = "https://mail.google.com/"  # the only one that opens IMAP and SMTP
_JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_HOUR: Final = 3600


def open_tokens(settings: "OAuth", user: str, purpose: Purpose, base: Path) -> Tokens:
    """Return the source; Google is reached when the first token is asked for."""
    return Google(settings, user, base)


class Google:
    """Tokens for one account."""

    def __init__(self, settings: "OAuth", user: str, base: Path, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._user = user
        self._base = base
        self._clock = clock
        self._file = TokenFile(settings.folder, user, "google", settings.client)
        self._url = settings.login or TOKEN_URL
        self._held = ""
        self._good_until = 0.0

    def get(self, *, fresh: bool = False) -> str:
        """Return a token: the one in hand, else from the file, else from Google."""
        if fresh or self._clock() >= self._good_until:
            with self._file.locked():
                if fresh or not self._take_from_file():
                    self._ask_google()
        return self._held

    def sign_in(self, show: Callable[[str], None]) -> str:
        """Say that there is no such way: Google's device sign-in does not cover mail."""
        words = "Google offers no sign-in by code for mail: use a service account or a refresh token (docs/providers/google.md)"
        raise TokenError(words, permanent=True)

    def _take_from_file(self) -> bool:
        try:
            kept = json.loads(self._file.read() or "{}")
            self._held, self._good_until = str(kept["access_token"]), float(kept["expires_at"]) - MARGIN_SECONDS
        except (ValueError, KeyError, TypeError):
            return False
        return self._clock() < self._good_until

    def _ask_google(self) -> None:
        try:
            form = self._service_account() if self._settings.service_account else self._refresh()
            verify = ssl.create_default_context(cafile=str(self._settings.tls_ca) if self._settings.tls_ca else None)
            answer = httpx.post(self._url, data=form, timeout=TIMEOUT_SECONDS, verify=verify)
        except secret.SecretError as error:
            raise TokenError(str(error), permanent=True) from error
        except (httpx.HTTPError, OSError) as error:
            raise TokenError(f"{self._where}: not reached: {type(error).__name__}") from error
        said = _object(answer)
        token, seconds = said.get("access_token"), said.get("expires_in")
        if answer.status_code == httpx.codes.OK and isinstance(token, str) and isinstance(seconds, int | float):
            expires_at = self._clock() + seconds
            self._held, self._good_until = token, expires_at - MARGIN_SECONDS
            self._file.write(json.dumps({"access_token": token, "expires_at": expires_at}))
            return
        # RFC 6749 §5.2: a refusal is 400 or 401 with an error code; anything else says nothing about the account.
        refused = answer.status_code in (httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED) and "error" in said
        words = str(said.get("error_description", "")) or "no token in the answer"
        code = said.get("error", answer.status_code)
        raise TokenError(f"{self._where}: {first_line(str(code))}: {first_line(words)}", permanent=refused)

    def _refresh(self) -> dict[str, str]:
        """RFC 6749 §6."""
        if self._settings.refresh_token is None:
            raise TokenError(f"{self._where}: neither service_account nor refresh_token is set", permanent=True)
        form = {
            "grant_type": "refresh_token",
            "client_id": self._settings.client,
            "refresh_token": secret.read(self._settings.refresh_token, self._base),
        }
        if self._settings.secret:
            form["client_secret"] = secret.read(self._settings.secret, self._base)
        return form

    def _service_account(self) -> dict[str, str]:
        """Sign that the service account asks on behalf of the user (RFC 7523 §2.1)."""
        assert self._settings.service_account is not None  # noqa: S101 - for mypy; see _ask_google
        text = secret.read_text(self._settings.service_account, self._base)
        now = int(self._clock())
        try:
            key = json.loads(text)
            self._url = self._settings.login or str(key.get("token_uri") or TOKEN_URL)
            claims = {
                "iss": key["client_email"],
                "sub": self._user,
                "scope": SCOPE,
                "aud": self._url,
                "iat": now,
                "exp": now + _HOUR,
            }
            signed = jwt.encode(claims, key["private_key"], "RS256", {"kid": key.get("private_key_id", "")})
        except (ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError):
            # The error itself might show the key.
            raise TokenError(f"{self._where}: service_account is no key file of Google's", permanent=True) from None
        return {"grant_type": _JWT_BEARER, "assertion": signed}

    @property
    def _where(self) -> str:
        return f"sign-in of {self._user} at Google"


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
