"""How a token is said to an IMAP or SMTP server: OAUTHBEARER (RFC 7628), and XOAUTH2, which Microsoft and Google had before.

Both end a refusal the same way: the server sends a challenge that says why in JSON, and waits for one more, empty answer.
"""

import json
from collections.abc import Collection
from typing import Final, Literal

Mechanism = Literal["OAUTHBEARER", "XOAUTH2"]
MECHANISMS: Final[tuple[Mechanism, ...]] = ("OAUTHBEARER", "XOAUTH2")  # the better first
AFTER_REFUSAL: Final[dict[Mechanism, bytes]] = {"OAUTHBEARER": b"\x01", "XOAUTH2": b""}  # RFC 7628 §3.2.3


def mechanism_of(offered: Collection[str]) -> Mechanism | None:
    """Return the better of the two among what a server offers; None if it offers neither."""
    return next((mechanism for mechanism in MECHANISMS if mechanism in offered), None)


def first_message(mechanism: Mechanism, user: str, token: str) -> bytes:
    """Return the client's first message, not yet in base64.

    Raises:
        ValueError: The user's name or the token holds control characters, which would end their field.
    """
    if any(character < " " or character == "\x7f" for character in user + token):
        raise ValueError("the account's name or its token holds control characters")
    if mechanism == "XOAUTH2":
        return f"user={user}\x01auth=Bearer {token}\x01\x01".encode()
    name = user.replace("=", "=3D").replace(",", "=2C")  # RFC 5801 §4
    return f"n,a={name},\x01auth=Bearer {token}\x01\x01".encode()


class Dialogue:
    """One sign-in, step by step; keeps the server's own words about a refusal."""

    def __init__(self, mechanism: Mechanism, user: str, token: str) -> None:
        self._mechanism = mechanism
        self._first: bytes | None = first_message(mechanism, user, token)
        self.refusal = ""

    def answer(self, challenge: bytes) -> bytes:
        """Return what to say to a challenge: the token once, afterwards only what lets the server finish."""
        if self._first is not None:
            first, self._first = self._first, None
            return first
        self.refusal = reason_of(challenge)
        return AFTER_REFUSAL[self._mechanism]


def reason_of(challenge: bytes) -> str:
    """Return the status that a refusal's JSON names (RFC 7628 §3.2.2), else the words themselves, on one short line."""
    text = challenge.decode("utf-8", "replace")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if isinstance(said, dict) and isinstance(said.get("status"), str):
        text = said["status"]
    return "".join(letter if letter.isprintable() else " " for letter in text)[:100]
