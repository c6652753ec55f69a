"""The `Tokens` protocol: where an access token comes from. One file a provider; this registry names them.

A token is asked for at every login and never kept by whoever asks. `get(fresh=True)` is for a server that refused one that
should have been good: it is asked for anew, once, and a second refusal is the server's last word.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Protocol

if TYPE_CHECKING:
    from triaged.config import OAuth

Purpose = Literal["imap", "smtp", "ews", "graph"]
MARGIN_SECONDS: Final = 300  # a token that ends sooner is not handed out: a login and a long fetch must fit in
TIMEOUT_SECONDS: Final = 30.0


class TokenError(Exception):
    """There is no token now.

    Attributes:
        permanent: True when only a person can mend it (revoked, expired secret, nobody signed in): a network error is not.
    """

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class Tokens(Protocol):
    """Gives access tokens for one account. Several threads and processes may share an account's cache file."""

    def get(self, *, fresh: bool = False) -> str:
        """Return a token that is good for some minutes yet; with `fresh`, one that was not handed out before.

        Raises:
            TokenError: There is none now.
        """

    def sign_in(self, show: Callable[[str], None]) -> str:
        """Let a person sign in on another machine's browser (RFC 8628); return who did.

        Args:
            show: Says one line to that person.

        Raises:
            TokenError: They did not, or this account needs no person.
        """


PROVIDERS: Final = {
    "microsoft": "triaged.oauth.microsoft:open_tokens",
    "google": "triaged.oauth.google:open_tokens",
}


def open_tokens(settings: "OAuth", user: str, purpose: Purpose, base: Path) -> Tokens:
    """Open the source of an account's tokens, importing its provider only now; nothing is asked for yet.

    Args:
        settings: Who we are to the provider.
        user: The account, an e-mail address.
        purpose: What the tokens are for.
        base: The folder that relative paths start from.

    Raises:
        TokenError: What the provider needs is not installed; permanent.
    """
    module, function = PROVIDERS[settings.provider].split(":")
    try:
        opened: Tokens = getattr(import_module(module), function)(settings, user, purpose, base)
    except ModuleNotFoundError as error:
        raise TokenError(f'sign-in by OAuth needs {error.name}: pip install "triaged[oauth]"', permanent=True) from error
    return opened


def first_line(text: str) -> str:
    """Return a provider's words on one short line, without the trace ids that stand below."""
    line = text.strip().splitlines()[0] if text.strip() else ""
    return "".join(letter if letter.isprintable() else " " for letter in line)[:300]
