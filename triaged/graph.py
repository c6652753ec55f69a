"""Microsoft Graph's manners, for the mailbox and the sender alike: tokens, waiting when told to, errors, immutable ids."""

import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import httpx

from triaged.oauth.tokens import Tokens, first_line, open_tokens

if TYPE_CHECKING:
    from triaged.config import OAuth

TIMEOUT: Final = httpx.Timeout(60.0, connect=30.0)
PATIENCE: Final = 20.0  # seconds that are waited out on the spot; a longer wait is the caller's
TRIES: Final = 3
USUAL_WAIT: Final = 5.0  # where a server asks to wait without saying how long
LONGEST_WAIT: Final = 3600.0
SMALL_ANSWER_OCTETS: Final = 20_000_000
IMMUTABLE: Final = 'IdType="ImmutableId"'  # ids that stay when a mail is moved; holds only for the request that says it
_BUSY: Final = frozenset({httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE})


class GraphError(Exception):
    """Graph did not do it.

    Attributes:
        status: The HTTP status; 0 when there was no answer.
        code: Graph's own ("ErrorItemNotFound"), empty if it gave none.
        sent: The request had left, so that it may have been carried out.
    """

    def __init__(self, message: str, *, status: int = 0, code: str = "", sent: bool = True) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.sent = sent

    @property
    def ours(self) -> bool:
        """Whether only a person can mend it: rights, a missing mailbox, a wrong request."""
        return 400 <= self.status < 500 and self.status not in (httpx.codes.REQUEST_TIMEOUT, *_BUSY)


class Graph:
    """Requests for one account's mail, one at a time."""

    def __init__(
        self,
        oauth: "OAuth",
        user: str,
        base: Path,
        *,
        url: str = "",
        tls_ca: Path | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from triaged.oauth.microsoft import CLOUDS

        self.user = user
        self.where = f"{user} at Graph"
        self._root = httpx.URL(f"{(url or CLOUDS[oauth.cloud].graph).rstrip('/')}/v1.0/")
        self._tls_ca = tls_ca
        self._tokens: Tokens = open_tokens(oauth, user, "graph", base)
        self._client: httpx.Client | None = None
        self._sleep = sleep
        self._clock = clock
        self._not_before = 0.0

    def path(self, *parts: str, user: str = "") -> str:
        """Return the path of something of the user's, each part escaped."""
        return "/".join(("users", *(quote(part, safe="$@") for part in (user or self.user, *parts))))

    def get(self, path: str, params: Mapping[str, str] | None = None, prefer: str = "") -> dict[str, Any]:
        """GET an object.

        Raises:
            GraphError: There is none.
            TokenError: There is no token.
        """
        with self.stream("GET", path, params=params, prefer=prefer) as answer:
            return _object(answer)

    def post(self, path: str, body: Mapping[str, Any] | bytes) -> dict[str, Any]:
        """POST an object, or the base64 of a mail (its type is then text/plain); return the answer's object, if any.

        Raises:
            GraphError: It was not done, or nobody knows.
            TokenError: There is no token.
        """
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "text/plain" if isinstance(body, bytes) else "application/json"
        with self.stream("POST", path, content=content, content_type=kind) as answer:
            return _object(answer)

    def patch(self, path: str, body: Mapping[str, Any]) -> None:
        """PATCH an object.

        Raises:
            GraphError: It was not done, or nobody knows.
            TokenError: There is no token.
        """
        with self.stream("PATCH", path, content=json.dumps(body).encode(), content_type="application/json") as answer:
            _object(answer)

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        prefer: str = "",
        content: bytes | None = None,
        content_type: str = "",
    ) -> Iterator[httpx.Response]:
        """Give an answer whose body is not read yet; waits and asks again where the server says so."""
        url = self._root.join(path)
        if url.host != self._root.host or url.port != self._root.port or url.scheme != "https":
            raise GraphError(f"{self.where}: it names another server, {url.host}, which gets no token of ours")
        headers = {"Prefer": ", ".join(filter(None, (IMMUTABLE, prefer)))} | (
            {"Content-Type": content_type} if content_type else {}
        )
        fresh = False
        for attempt in range(TRIES + 1):
            self._wait_if_asked_to()
            headers["Authorization"] = f"Bearer {self._tokens.get(fresh=fresh)}"
            request = self._http().build_request(method, url, params=params, headers=headers, content=content)
            with self._sent(request) as answer:
                if answer.is_success:
                    yield answer
                    return
                error = self._refusal(answer)
            if error.status == httpx.codes.UNAUTHORIZED and not fresh:
                fresh = True
            elif error.status not in _BUSY or attempt == TRIES - 1 or self._not_before - self._clock() > PATIENCE:
                raise error
        raise error

    def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _http(self) -> httpx.Client:
        if self._client is None:
            try:
                context = ssl.create_default_context(cafile=str(self._tls_ca) if self._tls_ca else None)
            except OSError as error:
                raise GraphError(f"{self.where}: tls_ca = {self._tls_ca}: {error}", status=400, sent=False) from error
            self._client = httpx.Client(verify=context, timeout=TIMEOUT, limits=httpx.Limits(max_connections=2))
        return self._client

    def _wait_if_asked_to(self) -> None:
        """Wait out what the server asked for: a request before its time counts against us again."""
        left = self._not_before - self._clock()
        if left > PATIENCE:
            words = f"it asked us to wait, {left:.0f} seconds yet"
            raise GraphError(f"{self.where}: {words}", status=httpx.codes.TOO_MANY_REQUESTS, sent=False)
        if left > 0:
            self._sleep(left)

    @contextmanager
    def _sent(self, request: httpx.Request) -> Iterator[httpx.Response]:
        try:
            answer = self._http().send(request, stream=True)
            try:
                yield answer
            finally:
                answer.close()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.WriteError, httpx.WriteTimeout) as error:
            raise GraphError(f"{self.where}: {_words(error)}", sent=False) from error
        except httpx.HTTPError as error:
            raise GraphError(f"{self.where}: the connection broke: {_words(error)}") from error

    def _refusal(self, answer: httpx.Response) -> GraphError:
        if answer.status_code in _BUSY:
            self._not_before = self._clock() + _retry_after(answer.headers.get("Retry-After", ""))
        try:
            said = _object(answer).get("error", {})
        except GraphError:
            said = {}
        code, message = (str(said.get(key, "")) for key in ("code", "message")) if isinstance(said, dict) else ("", "")
        words = first_line(f"{answer.status_code} {code} {message}".strip())
        return GraphError(f"{self.where}: {words}", status=answer.status_code, code=code)


def _retry_after(value: str) -> float:
    """Return the seconds to wait (RFC 9110 §10.2.3; Graph gives seconds, never a date)."""
    return min(float(value), LONGEST_WAIT) if value.strip().isdigit() else USUAL_WAIT


def _object(answer: httpx.Response) -> dict[str, Any]:
    """Return the object in an answer; an empty one if it has no body.

    Raises:
        GraphError: It is no object, or too large.
    """
    octets = bytearray()
    for chunk in answer.iter_bytes():
        octets += chunk
        if len(octets) > SMALL_ANSWER_OCTETS:
            raise GraphError("an answer of Graph's is larger than any should be", status=answer.status_code)
    if not octets:
        return {}
    try:
        said = json.loads(octets)
    except (ValueError, RecursionError) as error:
        raise GraphError("an answer of Graph's is no JSON", status=answer.status_code) from error
    if not isinstance(said, dict):
        raise GraphError("an answer of Graph's is no object", status=answer.status_code)
    return said


def _words(error: Exception) -> str:
    return first_line(str(error)) or type(error).__name__
