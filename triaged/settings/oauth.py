"""The `oauth` table of a mailbox or sender in triaged.toml. See file.py."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from triaged.config import OAuth
from triaged.files.block import Fields, Key, Record
from triaged.files.reading import Reading
from triaged.files.shape import Choice, Parsed
from triaged.files.texts import LINE
from triaged.settings.values import FilePath, SecretPlace

Provider = Literal["microsoft", "google"]
CloudName = Literal["global", "usgov", "usgov-dod", "china"]
_PROVIDERS: Final[Mapping[str, Provider]] = {"microsoft": "microsoft", "google": "google"}
_CLOUDS: Final[Mapping[str, CloudName]] = {
    "global": "global",
    "usgov": "usgov",
    "usgov-dod": "usgov-dod",
    "china": "china",
}


def _https(text: str) -> str:
    if not text.startswith("https://") or any(letter.isspace() or not letter.isprintable() for letter in text):
        raise ValueError
    return text


HTTPS: Final = Parsed(_https, "an address that begins with https://")
PROVIDER: Final[Key[Provider]] = Key("provider", Choice(_PROVIDERS), "Who gives the tokens", required=True)
CLIENT: Final = Key("client", LINE, "The application's (client) id")
TENANT: Final = Key("tenant", LINE, "Microsoft: the directory's id or domain")
CLIENT_SECRET: Final = Key("secret", SecretPlace(), "Where the application's secret lies")
CERTIFICATE: Final = Key("certificate", SecretPlace(), "Microsoft: where its private key and certificate lie, in one PEM text")
SERVICE_ACCOUNT: Final = Key("service_account", SecretPlace(), "Google: where the service account's JSON key lies")
REFRESH_TOKEN: Final = Key("refresh_token", SecretPlace(), "Google: where the refresh token lies")
CLOUD: Final[Key[CloudName]] = Key("cloud", Choice(_CLOUDS), "Microsoft: which of its clouds")
LOGIN: Final = Key("login", HTTPS, "Another place to get tokens from than the provider's own")
LOGIN_CA: Final = Key("tls_ca", FilePath(), "The certificate authority of login")
_KEYS: Final = (
    PROVIDER,
    CLIENT,
    TENANT,
    CLIENT_SECRET,
    CERTIFICATE,
    SERVICE_ACCOUNT,
    REFRESH_TOKEN,
    CLOUD,
    LOGIN,
    LOGIN_CA,
)
_ONLY: Final[Mapping[str, tuple[Key[Any], ...]]] = {
    "microsoft": (TENANT, CERTIFICATE, CLOUD),
    "google": (SERVICE_ACCOUNT, REFRESH_TOKEN),
}


def _oauth(fields: Fields, reading: Reading) -> OAuth | None:
    provider: Provider = fields.need(PROVIDER)
    for other, keys in _ONLY.items():
        for key in keys:
            if other != provider and fields.find(key) is not None:
                reading.wrong(
                    fields.at(key), fields.spot.about(f"{key.name} is for {other}, not for {provider}"), f"leave {key.name} out"
                )
                return None
    if problem := _lacks(fields, provider):
        reading.wrong(fields.node, fields.spot.about(problem[0]), problem[1])
        return None
    return OAuth(
        provider=provider,
        folder=reading.folder / "tokens",  # file.py moves it to the state folder
        client=fields.get(CLIENT, ""),
        tenant=fields.get(TENANT, ""),
        secret=fields.find(CLIENT_SECRET),
        certificate=fields.find(CERTIFICATE),
        service_account=fields.find(SERVICE_ACCOUNT),
        refresh_token=fields.find(REFRESH_TOKEN),
        cloud=fields.get(CLOUD, _GLOBAL),
        login=fields.get(LOGIN, ""),
        tls_ca=fields.find(LOGIN_CA),
    )


_GLOBAL: Final[CloudName] = "global"


def _lacks(fields: Fields, provider: Provider) -> tuple[str, str] | None:
    """Return what is missing or too much, and what is allowed."""
    if provider == "microsoft":
        for key in (TENANT, CLIENT):
            if fields.find(key) is None:
                return f"{key.name} is missing", f"{key.name}: {key.about}"
        if fields.find(CLIENT_SECRET) and fields.find(CERTIFICATE):
            return "secret and certificate are both given", "one of them; neither for a person's sign-in by triaged auth"
        return None
    given = [key.name for key in (SERVICE_ACCOUNT, REFRESH_TOKEN) if fields.find(key) is not None]
    if len(given) != 1:
        return f"{' and '.join(given) or 'neither'} is given", "service_account, or client with refresh_token (and secret)"
    if given == [REFRESH_TOKEN.name] and fields.find(CLIENT) is None:
        return "client is missing", f"client: {CLIENT.about}"
    return None


OAUTH: Final = Key(
    "oauth", Record(_KEYS, _oauth, words='{ provider = "microsoft" or "google", … }'), "Tokens in place of a password"
)
