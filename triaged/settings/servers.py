"""How to reach a server: the keys that [[mailbox]] and [sender] share. See file.py."""

from collections.abc import Mapping
from typing import Final, Literal

from triaged.config import Exchange, is_loopback
from triaged.files.block import Fields, Key
from triaged.files.node import Node, Scalar, seen
from triaged.files.problem import nearest, shown
from triaged.files.reading import Reading, Spot
from triaged.files.shape import Choice, Number
from triaged.files.texts import ADDRESS, LINE
from triaged.settings.oauth import HTTPS, OAUTH
from triaged.settings.values import FilePath, SecretPlace

Tls = Literal["implicit", "starttls", "none"]
Auth = Literal["ntlm", "basic"]
Access = Literal["delegate", "impersonation"]
_TLS: Final[Mapping[str, Tls]] = {"implicit": "implicit", "starttls": "starttls", "none": "none"}
_AUTH: Final[Mapping[str, Auth]] = {"ntlm": "ntlm", "basic": "basic"}
_ACCESS: Final[Mapping[str, Access]] = {"delegate": "delegate", "impersonation": "impersonation"}
PORT: Final = Key("port", Number(1, 65535, whole=True), "The port")
TLS: Final[Key[Tls]] = Key("tls", Choice(_TLS), "implicit from the first byte, starttls, or none (only on this machine)")
TLS_CA: Final = Key("tls_ca", FilePath(), "The certificate authority to trust instead of the system's")
PASSWORD: Final = Key("password", SecretPlace(), "Where the password lies")
URL: Final = Key("url", HTTPS, "Where Graph answers; default: the host of the cloud that oauth names")
EWS_URL: Final = Key("url", HTTPS, "Where EWS answers: https://mail.example.gov/EWS/Exchange.asmx", required=True)
ACCOUNT: Final = Key("account", LINE, "Who signs in, such as OFFICE\\\\triaged; default: user")
AUTH: Final[Key[Auth]] = Key("auth", Choice(_AUTH), "How a password is said to Exchange")
ACCESS: Final[Key[Access]] = Key("access", Choice(_ACCESS), "The account's right to the mailbox")
MUST_REFUSE: Final = Key("must_refuse", ADDRESS, "A mailbox that our rights must not open; check --connect proves it")
FOLDER: Final = Key("folder", LINE, "The folder to read")


def check_tls(fields: Fields, host: str, tls: Tls, reading: Reading) -> None:
    """Refuse mail without TLS to another machine."""
    if tls == "none" and not is_loopback(host):
        found = fields.spot.about(f"tls is none, but {shown(host)} is not this machine")
        reading.wrong(fields.at(TLS), found, "implicit, starttls; none only for 127.0.0.1, ::1, localhost")


def exchange_access(fields: Fields, user: str, reading: Reading) -> Exchange | None:
    """Return how to reach a mailbox by EWS; None with a problem said."""
    password, oauth = fields.find(PASSWORD), fields.find(OAUTH)
    if (password is None) is (oauth is None):
        found = "password is missing" if password is None else "password and oauth are both given"
        reading.wrong(fields.node, fields.spot.about(found), f"password: {SecretPlace.words}; or oauth")
        return None
    auth: Auth = fields.get(AUTH, "ntlm")
    access: Access = fields.get(ACCESS, "delegate")
    return Exchange(
        user=user,
        url=fields.get(EWS_URL, ""),
        password=password,
        oauth=oauth,
        account=fields.get(ACCOUNT, ""),
        auth=auth,
        access=access,
        folder=fields.get(FOLDER, "INBOX"),
        tls_ca=fields.find(TLS_CA),
        must_refuse=fields.get(MUST_REFUSE, ""),
    )


def unknown_kind(node: Node, kinds: tuple[str, ...], spot: Spot, reading: Reading) -> None:
    """Say that there is no such kind, and which there are."""
    meant = nearest(node.text, kinds) if isinstance(node, Scalar) else ""
    reading.wrong(node, spot.about(f"kind is {seen(node)}"), ", ".join(kinds), meant)
