"""Kind "graph": mail goes out by Microsoft Graph's sendMail, as MIME.

Graph sends to the addresses in the header, from the account's own address, and drops what it does not like: our Message-ID and
Auto-Submitted among it (docs/providers/microsoft365.md). What survives are the X- fields and the subject.
"""

import base64
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from triaged.graph import Graph, GraphError
from triaged.oauth.tokens import TokenError
from triaged.route.readdress import readdressed
from triaged.route.sender import Accepts, Envelope, Sender, SendError, check_addresses

if TYPE_CHECKING:
    from triaged.config import SenderSettings

MAX_OCTETS: Final = 3_000_000  # Graph takes 4 MB a request, and base64 adds a third
_ABOUT_THE_MAIL: Final = frozenset({400, 413, 422})


class GraphSender:
    """One account."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._lock = threading.Lock()

    def accepts(self) -> Accepts:
        """Return Graph's own limit."""
        return Accepts(MAX_OCTETS)

    def send(self, envelope: Envelope) -> str:
        """Give Graph the mail; no copy is kept among the account's sent items."""
        check_addresses(envelope)
        octets = readdressed(envelope)
        if len(octets) > MAX_OCTETS:
            words = f"the mail has {len(octets)} octets, and Graph takes at most {MAX_OCTETS} (5.3.4)"
            raise SendError(f"{self._graph.where}: {words}", permanent=True, code="5.3.4")
        with self._lock:
            try:
                self._graph.post(self._graph.path("sendMail"), base64.b64encode(octets))
            except GraphError as error:
                raise _explain(error) from error
            except TokenError as error:
                raise SendError(f"{self._graph.where}: {error}") from error
        return "202 accepted by Graph"

    def check(self) -> str:
        """Sign in and look at the account; send nothing."""
        with self._lock:
            try:
                self._graph.get(self._graph.path("mailFolders", "inbox"), {"$select": "id"})
            except (GraphError, TokenError) as error:
                raise SendError(str(error)) from error
        return f"{self._graph.where}, takes mail up to {MAX_OCTETS} octets, keeps neither Message-ID nor Auto-Submitted"

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            self._graph.close()


def _explain(error: GraphError) -> SendError:
    if error.status in _ABOUT_THE_MAIL:
        return SendError(str(error), permanent=True, code="5.6.0")
    # A gateway that gave up, or a connection that broke, says nothing about what became of the mail.
    answered = error.status in (401, 403, 404, 429, 503) or not error.sent
    return SendError(str(error), in_doubt=not answered, code=str(error.status or ""))


def open_sender(settings: "SenderSettings", password: Callable[[], str] | None) -> Sender:
    """Open the kind; Graph is reached when the first mail goes out."""
    if settings.oauth is None:
        raise ValueError('a sender of kind "graph" needs oauth')
    user = settings.user or settings.sender
    return GraphSender(Graph(settings.oauth, user, Path(), url=settings.url, tls_ca=settings.tls_ca))
