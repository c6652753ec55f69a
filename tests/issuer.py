"""Who gives tokens: Entra's and Google's token endpoints as their documents describe them, on loopback. A pytest plugin.

Shapes: RFC 6749, 7523, 7662, 8628; "Microsoft identity platform and the OAuth 2.0 client credentials flow", "… device
authorization grant flow"; Google's "Using OAuth 2.0 for server to server applications".
"""

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.web import Asked, Said, Web
from triaged.config import OAuth, Secret

TENANT, CLIENT, CLIENT_SECRET = "contoso.example", "11111111-2222-3333-4444-555555555555", "s3cret~value"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass
class Issued:
    """One access token."""

    token: str
    user: str  # whom it opens; for an application, the application
    scope: str
    expires_at: float


class Issuer(Web):
    """Gives tokens, revokes them, and tells other servers whether one is good.

    Attributes:
        lifetime: Seconds that a token lives.
        user: Who a person's sign-in is.
        pending: How often a device code is answered with "authorization_pending" before the person is done.
        fault: What to answer to the next requests for a token instead.
    """

    def __init__(self, authority: tuple[trustme.CA, Path], folder: Path) -> None:
        self.lifetime = 3600
        self.user = "mayor@example.gov"
        self.pending = 0
        self.consented = ""
        self.fault: Said | None = None
        self.issued: list[Issued] = []
        self.refresh_tokens: set[str] = set()
        self.folder = folder
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.secrets = {CLIENT: CLIENT_SECRET}
        super().__init__(authority)

    def answer(self, asked: Asked) -> Said | None:
        path = asked.path.partition("?")[0]
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        if path == "/introspect":
            return self._introspect(form["token"])
        if path.endswith("/.well-known/openid-configuration"):
            return self._configuration(path.split("/")[1])
        if self.fault:
            return self.fault
        if path.endswith("/devicecode"):
            self.consented = form["scope"]
            code = {"device_code": "DEVICE", "user_code": "ABC-123", "verification_uri": f"{self.url}/device"}
            return Said(body={**code, "expires_in": 900, "interval": 0, "message": "…"})
        with self.lock:
            return self._token(form)

    def _configuration(self, tenant: str) -> Said:
        if tenant != TENANT:
            return Said(400, {"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant not found."})
        base = f"{self.url}/{tenant}/oauth2/v2.0"
        names = {"authorization": "authorize", "token": "token", "device_authorization": "devicecode"}
        return Said(
            body={"issuer": f"{self.url}/{tenant}/v2.0", **{f"{key}_endpoint": f"{base}/{end}" for key, end in names.items()}}
        )

    def _token(self, form: dict[str, str]) -> Said:
        grant = form["grant_type"]
        if grant == "client_credentials":
            refused = self._wrong_client(form)
            return refused or self._give(form["client_id"], form["scope"])
        if grant == JWT_BEARER:
            return self._for_service_account(form["assertion"])
        if grant == DEVICE:
            if self.pending > 0:
                self.pending -= 1
                return _refuse("authorization_pending", "AADSTS70016: Pending end-user authorization.")
            return self._give(self.user, self.consented, person=True)
        if form["refresh_token"] not in self.refresh_tokens:
            return _refuse(
                "invalid_grant", "AADSTS50173: The provided grant has expired due to it being revoked.\r\nTrace ID: x"
            )
        if "microsoft" in form.get("x", "microsoft") and form.get("client_info"):
            self.refresh_tokens.discard(form["refresh_token"])  # Entra gives a new one each time
        return self._give(self.user, form.get("scope", ""), person=bool(form.get("client_info")))

    def _wrong_client(self, form: dict[str, str]) -> Said | None:
        if "client_assertion" in form:
            claims = jwt.decode(
                form["client_assertion"],
                self.key.public_key(),
                ["RS256", "PS256"],
                audience=f"{self.url}/{TENANT}/oauth2/v2.0/token",
            )
            right = claims["iss"] == claims["sub"] == form["client_id"]
        else:
            right = self.secrets.get(form["client_id"]) == form.get("client_secret")
        return None if right else _refuse("invalid_client", "AADSTS7000215: Invalid client secret provided.", 401)

    def _for_service_account(self, assertion: str) -> Said:
        try:
            claims = jwt.decode(assertion, self.key.public_key(), ["RS256"], audience=f"{self.url}/token")
        except jwt.PyJWTError:
            return _refuse("invalid_grant", "Invalid JWT Signature.")
        if claims["sub"] != self.user:
            return _refuse("unauthorized_client", "Client is unauthorized to retrieve access tokens using this method.", 401)
        return self._give(claims["sub"], claims["scope"])

    def _give(self, user: str, scope: str, *, person: bool = False) -> Said:
        token = f"token-{len(self.issued) + 1}-of-{user}"
        self.issued.append(Issued(token, user, scope, time.time() + self.lifetime))
        said: dict[str, Any] = {"token_type": "Bearer", "expires_in": self.lifetime, "access_token": token}
        if person:
            refresh = f"refresh-{len(self.issued)}"
            self.refresh_tokens.add(refresh)
            claims = {"aud": CLIENT, "iss": self.url, "sub": "s", "oid": "o", "tid": TENANT, "preferred_username": self.user}
            now = int(time.time())
            identity = jwt.encode(claims | {"iat": now, "exp": now + 3600}, self.key, "RS256")
            client = base64.urlsafe_b64encode(json.dumps({"uid": "o", "utid": TENANT}).encode()).decode()
            said |= {"scope": scope, "refresh_token": refresh, "id_token": identity, "client_info": client}
        return Said(body=said)

    def _introspect(self, token: str) -> Said:
        """RFC 7662 §2.2."""
        found = self.known(token)
        return Said(body={"active": True, "username": found.user, "scope": found.scope} if found else {"active": False})

    def known(self, token: str) -> Issued | None:
        """Return a token that is good now."""
        with self.lock:
            return next((one for one in self.issued if one.token == token and one.expires_at > time.time()), None)

    def revoke(self, *, refresh: bool = True) -> None:
        """Let every token given so far be good no more."""
        with self.lock:
            for one in self.issued:
                one.expires_at = 0
            if refresh:
                self.refresh_tokens.clear()

    def requests(self) -> list[str]:
        """Return the grants that were asked for."""
        forms = [
            parse_qs(asked.body.decode()) for asked in self.asked if asked.method == "POST" and "introspect" not in asked.path
        ]
        return [form["grant_type"][0] for form in forms if "grant_type" in form]

    def application(self, **changes: Any) -> OAuth:
        """Return the settings of an application with a secret."""
        (self.folder / "secret").write_text(CLIENT_SECRET + "\n")
        return self.settings(**({"secret": Secret("file", str(self.folder / "secret"))} | changes))

    def settings(self, **changes: Any) -> OAuth:
        """Return the settings of a person's sign-in at Microsoft; `changes` make others of it."""
        known: dict[str, Any] = {
            "provider": "microsoft",
            "folder": self.folder / "state" / "tokens",
            "client": CLIENT,
            "tenant": TENANT,
            "login": self.url,
            "tls_ca": self.ca,
        }
        return OAuth(**(known | changes))

    def google(self, **changes: Any) -> OAuth:
        """Return the settings of a service account at Google."""
        pem = self._private_key()
        key = {"client_email": "triaged@project.example", "private_key": pem, "private_key_id": "1", "token_uri": "unused"}
        (self.folder / "key.json").write_text(json.dumps(key, indent=1))
        known = {"provider": "google", "tenant": "", "login": f"{self.url}/token"}
        return self.settings(**(known | {"service_account": Secret("file", str(self.folder / "key.json"))} | changes))

    def with_certificate(self) -> OAuth:
        """Return the settings of an application with a certificate."""
        from datetime import UTC, datetime, timedelta

        from cryptography.hazmat.primitives import hashes

        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "triaged")])
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.key.public_key())
        builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
        certificate = builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
        (self.folder / "app.pem").write_text(self._private_key() + certificate)
        return self.settings(certificate=Secret("file", str(self.folder / "app.pem")))

    def _private_key(self) -> str:
        kind = serialization.PrivateFormat.PKCS8
        return self.key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()).decode()


def _refuse(error: str, words: str, status: int = 400) -> Said:
    return Said(status, {"error": error, "error_description": words, "error_codes": [1]})


@pytest.fixture
def issuer(authority: tuple[trustme.CA, Path], tmp_path: Path) -> Iterator[Issuer]:
    """A provider of tokens that no other test has."""
    with closing(Issuer(authority, tmp_path)) as running:
        yield running


@pytest.fixture(scope="module")
def issuers(authority: tuple[trustme.CA, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Issuer]]:
    """Start providers that several tests of a file share."""
    started: list[Issuer] = []

    def start() -> Issuer:
        started.append(Issuer(authority, tmp_path_factory.mktemp("issuer")))
        return started[-1]

    yield start
    for one in started:
        one.close()
