"""One logged-in IMAP connection, and what its errors mean. What a mailbox does with it stands in imap.py.

IMAPClient 4.1 and the imaplib below it are kept on a short lead here: no literal is read before its announced length is
within what we asked for, nothing said before TLS counts, no message body is formatted for a debug log.
"""

import select
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from imapclient import DRAFT, IMAPClient, SocketTimeout
from imapclient.exceptions import CapabilityError, IMAPClientAbortError, IMAPClientError, LoginError, ProtocolError
from imapclient.imap_utf7 import decode

from triaged import secret
from triaged.config import Imap, is_loopback
from triaged.ingest.imap_errors import FAULTS, LiteralTooLargeError, explain
from triaged.ingest.imap_plan import Listed
from triaged.ingest.mailbox import WAIT_SLICE, MailboxError
from triaged.oauth.sasl import MECHANISMS, Dialogue, mechanism_of
from triaged.oauth.tokens import Tokens

GOODBYE_SECONDS: Final = 2.0
SMALL_ANSWER_OCTETS: Final = 1_000_000  # literals in answers that are no message bodies


@dataclass(frozen=True, slots=True)
class Opened:
    """What SELECT or EXAMINE said."""

    validity: int
    exists: int
    next_uid: int | None
    keywords: bool = False  # any keyword may be stored (RFC 9051 §7.1, PERMANENTFLAGS with \*)


def open_session(settings: Imap, base: Path, timeout: SocketTimeout, tokens: Tokens | None = None) -> "Session":
    """Connect, start TLS and log in: with a token if there is a source of them, else with the password.

    Raises:
        MailboxError: Settings that would send the password in the clear, a refused log-in, no connection.
    """
    where = f"{settings.user} at {settings.host}:{settings.port}"
    if settings.tls == "none" and not is_loopback(settings.host):
        raise MailboxError(f'{where}: tls = "none" is only for this machine; use "implicit" or "starttls"', permanent=True)
    context = _tls_context(where, base / settings.tls_ca if settings.tls_ca else None)
    session: Session | None = None
    try:
        token = tokens.get() if tokens else ""  # before connecting: servers are impatient with those who do not log in
        client = IMAPClient(
            settings.host, port=settings.port, ssl=settings.tls == "implicit", ssl_context=context, timeout=timeout
        )
        session = Session(client, timeout)
        if settings.tls == "starttls":
            session.start_tls(context)
        if tokens:
            session.log_in_by_token(settings.user, token, lambda: tokens.get(fresh=True))
        elif settings.password:
            session.log_in(settings.user, secret.read(settings.password, base))
    except FAULTS as error:
        if session:
            session.drop()
        raise explain(where, error) from error
    return session


def _tls_context(where: str, ca: Path | None) -> ssl.SSLContext:
    """Trust the administrator's CA if one is set, else the system's; hosts' names are always verified."""
    try:
        return ssl.create_default_context(cafile=str(ca) if ca else None)
    except OSError as error:  # ssl.SSLError, for a file that holds no certificate, is one too
        raise MailboxError(f"{where}: tls_ca = {ca}: {error}", permanent=True) from error


class Session:
    """A connection's commands, typed, one round trip each unless said otherwise. Methods raise `FAULTS`."""

    def __init__(self, client: Any, timeout: SocketTimeout) -> None:
        self._client = client
        self._timeout = timeout
        self._imap = client._imap  # IMAPClient offers no other way to what follows
        self._imap.debug = 0  # 4.1 sets 5: imaplib then formats each body for a log line that nobody reads
        self._allowed = SMALL_ANSWER_OCTETS
        self._read = self._imap.read
        self._imap.read = self._read_literal
        self._namespaces: tuple[tuple[str, str], ...] | None = None

    def _read_literal(self, octets: int) -> bytes:
        if octets > self._allowed:
            raise LiteralTooLargeError(octets)
        self._allowed -= octets
        literal: bytes = self._read(octets)
        return literal

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Encrypt, or raise: there is no way on without."""
        self._client.starttls(context)
        self._imap.untagged_responses.clear()  # RFC 9051 §11.3: nothing that came before TLS counts

    def log_in(self, user: str, password: str) -> None:
        """Log in by PLAIN where offered, since LOGIN carries ASCII only; else by LOGIN."""
        if self._client.has_capability("AUTH=PLAIN"):
            self._client.plain_login(user, password)
        else:
            self._client.login(user, password)
        self._client.normalise_times = False

    def log_in_by_token(self, user: str, token: str, fresh: Callable[[], str]) -> None:
        """Log in by OAUTHBEARER or XOAUTH2; if the token is refused, once more with a fresh one."""
        mechanism = mechanism_of({name for name in MECHANISMS if self.has(f"AUTH={name}")})
        if mechanism is None:
            raise CapabilityError("it offers neither AUTH=OAUTHBEARER nor AUTH=XOAUTH2")
        for again in (False, True):
            dialogue = Dialogue(mechanism, user, fresh() if again else token)
            try:
                self._client.sasl_login(mechanism, dialogue.answer)
            except LoginError as error:
                if isinstance(error.__context__, IMAPClientAbortError):  # not refused: cut off
                    raise
                refused = error if not dialogue.refusal else LoginError(f"{error} ({dialogue.refusal})")
            else:
                self._client.normalise_times = False
                return
        raise refused

    def has(self, capability: str) -> bool:
        """Whether the server offers it, now that we are logged in."""
        return bool(self._client.has_capability(capability))

    def open_folder(self, name: str, *, read_only: bool) -> Opened:
        """EXAMINE or SELECT; leaves \\Deleted mail of the folder before untouched (RFC 9051 §6.3.2)."""
        with _sense("SELECT"):
            answer = self._client.select_folder(name, readonly=read_only)
            next_uid = answer.get(b"UIDNEXT")
            keywords = b"\\*" in answer.get(b"PERMANENTFLAGS", ())
            return Opened(int(answer[b"UIDVALIDITY"]), int(answer[b"EXISTS"]), int(next_uid) if next_uid else None, keywords)

    def sequence_after(self, uid: int, low: int, high: int) -> list[int]:
        """Return which of the sequence numbers low to high carry a UID above `uid` (or are the last mail, RFC 9051 §9 "*")."""
        self._client.use_uid = False
        try:
            with _sense("SEARCH"):
                return sorted(self._client.search([f"{low}:{high}", "UID", f"{uid + 1}:*"]))
        finally:
            self._client.use_uid = True

    def list_mails(self, sequence: Iterable[int]) -> list[Listed]:
        """Return UID, size, date and whether it is answered by sequence number, lowest UID first.

        No ENVELOPE, no BODYSTRUCTURE: servers send broken ones. By sequence number, and not by UID, because no number can
        shift while only FETCH and SEARCH are used (RFC 9051 §7.5.1).
        """
        self._client.use_uid = False
        try:
            answer = self._fetch(list(sequence), ["UID", "RFC822.SIZE", "INTERNALDATE", "FLAGS"])
        finally:
            self._client.use_uid = True
        return sorted(
            (listed(item) for item in answer.values() if isinstance(item.get(b"UID"), int)), key=lambda mail: mail.uid
        )

    def bodies(self, uids: Sequence[int], allowed_octets: int) -> dict[int, bytes]:
        """Return the mails that still exist, whole, without setting \\Seen (RFC 9051 §6.4.5: PEEK)."""
        self._allowed = allowed_octets
        try:
            answer = self._fetch(uids, ["BODY.PEEK[]"])
        finally:
            self._allowed = SMALL_ANSWER_OCTETS
        return {uid: item[b"BODY[]"] for uid, item in answer.items() if isinstance(item.get(b"BODY[]"), bytes)}

    def _fetch(self, messages: Sequence[int], items: list[str]) -> dict[int, dict[bytes, Any]]:
        with _sense("FETCH"):
            answer: dict[int, dict[bytes, Any]] = self._client.fetch(messages, items)
        return answer

    def exists(self, uid: int) -> bool:
        """Whether a mail with this UID is in the open folder."""
        return uid in self._fetch([uid], ["UID"])

    def move(self, uid: int, name: str) -> None:
        """UID MOVE (RFC 6851)."""
        self._client.move([uid], name)

    def copy_and_expunge(self, uid: int, name: str) -> None:
        """UID COPY, then remove this one mail and no other (RFC 4315); never plain EXPUNGE."""
        self._client.copy([uid], name)
        self._client.add_flags([uid], [b"\\Deleted"], silent=True)
        self._client.uid_expunge([uid])

    def labels(self, uid: int, *, gmail: bool) -> list[str] | None:
        """Return a mail's Gmail labels or IMAP keywords; None if it is gone."""
        item = self._fetch([uid], ["X-GM-LABELS" if gmail else "FLAGS"]).get(uid)
        if item is None:
            return None
        said = item.get(b"X-GM-LABELS" if gmail else b"FLAGS", ())
        with _sense("FETCH"):
            return [decode(label) if gmail else label.decode("ascii", "replace") for label in said if isinstance(label, bytes)]

    def change_labels(self, uid: int, add: Sequence[str], remove: Sequence[str], *, gmail: bool) -> None:
        """Add some and remove some; what else the mail carries stays."""
        client = self._client
        plus, minus = (
            (client.add_gmail_labels, client.remove_gmail_labels) if gmail else (client.add_flags, client.remove_flags)
        )
        if add:
            plus([uid], list(add), silent=True)
        if remove:
            minus([uid], list(remove), silent=True)

    def create(self, name: str) -> None:
        """Make a folder and show it in people's mail programs."""
        self._client.create_folder(name)
        with suppress(IMAPClientError):
            self._client.subscribe_folder(name)

    def append_draft(self, name: str, octets: bytes) -> None:
        """Put a mail into a folder, marked as a draft."""
        self._client.append(name, octets, flags=[DRAFT])

    def folder_name(self, parts: Sequence[str]) -> str:
        """Return the server's name for a folder given by its levels (RFC 2342, RFC 9051 §5.1)."""
        if parts[0].upper() == "INBOX" and len(parts) == 1:
            return "INBOX"
        if self._namespaces is None:
            self._namespaces = self._read_namespaces()
        prefix, delimiter = self._namespaces[0]
        name = delimiter.join(parts)
        known = any(start and name.casefold().startswith(start.casefold()) for start, _ in self._namespaces)
        return name if known else prefix + name

    def _read_namespaces(self) -> tuple[tuple[str, str], ...]:
        """Return (prefix, delimiter) of each namespace, our own first."""
        found = []
        with _sense("NAMESPACE"):
            if self.has("NAMESPACE"):
                found = [(prefix, delimiter or "/") for group in self._client.namespace() for prefix, delimiter in group or ()]
            if not found:
                root = self._client.list_folders("", "")  # RFC 9051 §6.3.9: an empty pattern asks for the delimiter
                delimiter = root[0][1] if root else None
                found = [("", delimiter.decode("ascii") if isinstance(delimiter, bytes) else "/")]
        return tuple(found)

    def idle(self, at_most: timedelta, stopped: Callable[[], bool]) -> bool:
        """IDLE (RFC 2177) until the server says anything; return whether it spoke of new mail.

        `idle_check` is not used: at the end of the connection it returns an empty list for ever (mjs/imapclient#565), and it
        does not see what imaplib has read ahead.
        """
        end = time.monotonic() + at_most.total_seconds()
        self._client.idle()
        if not self._has_read_ahead():
            poll = select.poll()
            poll.register(self._client.socket().fileno(), select.POLLIN)
            while not stopped() and (left := end - time.monotonic()) > 0:
                if poll.poll(1000 * min(left, WAIT_SLICE.total_seconds())):
                    break
        with _sense("IDLE"):
            _, said = self._client.idle_done()
        return any(len(line) > 1 and line[1] in (b"EXISTS", b"RECENT") for line in said)

    def _has_read_ahead(self) -> bool:
        """Whether octets wait in imaplib's own buffer, or in TLS's, where poll(2) cannot see them."""
        sock = self._client.socket()
        sock.setblocking(False)
        try:
            return bool(self._imap.file.peek(1))
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        finally:
            sock.settimeout(self._timeout.read)

    def drop(self) -> None:
        """Cut the connection; for one that is in an unknown state."""
        with suppress(*FAULTS):
            self._client.shutdown()

    def log_out(self) -> None:
        """Say goodbye if the server still listens, and close."""
        try:
            self._client.socket().settimeout(GOODBYE_SECONDS)
            self._client.logout()
        except FAULTS:
            self.drop()


@contextmanager
def _sense(command: str) -> Iterator[None]:
    """IMAPClient 4.1 takes answers apart without checking that they are what the grammar says: what it trips over is theirs."""
    try:
        yield
    except (TypeError, AttributeError, LookupError, RecursionError) as error:
        raise ProtocolError(f"the server's answer to {command} makes no sense ({error})") from error


def listed(item: dict[bytes, Any]) -> Listed:
    """Return what a FETCH answer says of one mail; what makes no sense in it is None."""
    size, date = item.get(b"RFC822.SIZE"), item.get(b"INTERNALDATE")
    try:
        received_at = date.astimezone(UTC) if isinstance(date, datetime) and date.tzinfo else None
    except (ValueError, OverflowError):  # a zone of a day and more, the year 9999
        received_at = None
    flags = item.get(b"FLAGS")
    answered = isinstance(flags, tuple) and any(isinstance(flag, bytes) and flag.lower() == b"\\answered" for flag in flags)
    return Listed(item[b"UID"], size if isinstance(size, int) else None, received_at, answered)
