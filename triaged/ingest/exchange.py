"""Mail from Exchange servers of one's own, by EWS: SyncFolderItems, MIME content as it is given, ids that a move changes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from exchangelib import ExtendedProperty
from exchangelib import errors as ews_errors
from exchangelib.fields import FieldPath
from exchangelib.items import ID_ONLY, NEVER_OVERWRITE, SAVE_ONLY, SEND_TO_NONE, Message
from exchangelib.properties import FolderId, ItemId
from exchangelib.services import CreateItem, GetItem, MoveItem, SyncFolderItems, UpdateItem

from triaged.ews import Ews, EwsError
from triaged.ingest.exchange_folders import ensure, find, inbox
from triaged.ingest.feed import Content, Listed, StateExpiredError, Told, above_limit
from triaged.ingest.feed_mailbox import FeedMailbox
from triaged.ingest.mailbox import MAX_MAIL_OCTETS, Mailbox, MailboxError, folder_parts, relabelled
from triaged.oauth.tokens import TokenError

if TYPE_CHECKING:
    from triaged import config

T = TypeVar("T")
PAGE_MAILS: Final = 512  # the most that SyncFolderItems tells at once
MAX_PAGES: Final = 10_000
GROUP_MAILS: Final = 20
GROUP_OCTETS: Final = 2_000_000
_EXPIRED: Final = (ews_errors.ErrorInvalidSyncStateData, ews_errors.ErrorSyncFolderNotFound)
_REPLIED: Final = (102, 103)  # to the sender, to all


class _LastVerb(ExtendedProperty):  # type: ignore[misc]
    """What a person did last with a mail ([MS-OXOMSG] §2.2.1.20 PidTagLastVerbExecuted)."""

    property_tag = 0x1081
    property_type = "Integer"


Message.register("last_verb", _LastVerb)


def open_mailbox(name: str, settings: "config.Exchange", base: Path) -> Mailbox:
    """Return the mailbox; nothing is asked before it is used.

    Raises:
        MailboxError: A library is missing; permanent.
    """
    try:
        return FeedMailbox(name, ExchangeFeed(Ews(settings, base), settings.folder, settings.must_refuse))
    except TokenError as error:
        raise MailboxError(str(error), permanent=True) from error


class ExchangeFeed:
    """One folder of one mailbox."""

    kind = "exchange"

    def __init__(self, ews: Ews, folder: str, must_refuse: str = "") -> None:
        self._ews = ews
        self._name = folder
        self._must_refuse = must_refuse

    def folder(self) -> str:
        """Return the folder's id."""
        return str(self._do(self._open).id)

    def told_since(self, folder: str, state: str) -> Told:
        """Follow SyncFolderItems to its end. Only what came in is told: read marks and changes are staff's affair."""
        listed: dict[str, Listed] = {}
        for _ in range(MAX_PAGES):
            state, last, page = self._do(lambda account, state=state: _sync(account, folder, state))  # type: ignore[misc]
            listed |= {mail.uid: mail for mail in page}
            if last:
                return Told(tuple(listed.values()), state)
        raise MailboxError(f"{self._ews.where}: SyncFolderItems never ends")

    def contents(self, folder: str, mails: Sequence[Listed]) -> Iterator[Content]:
        """Fetch mails in small groups; a mail that a person moved has another id, and is not found under this one."""
        for group in _groups(mails):
            if group[0].size_octets > MAX_MAIL_OCTETS:
                yield Content(group[0].uid, why=above_limit(), final=True)
                continue
            try:
                yield from self._do(lambda account, group=group: _fetch(account, group))  # type: ignore[misc]
            except MailboxError as error:
                if error.permanent or not _is_unanswered(error):
                    raise
                for mail in group:  # perhaps one of them is more than the server can bear
                    yield self._alone(mail)

    def move(self, uid: str, parts: tuple[str, ...]) -> bool:
        """Move a mail, if it still is where it came in."""

        def move(account: Any) -> bool:
            found = list(GetItem(account=account).call([ItemId(uid)], additional_fields=None, shape=ID_ONLY))
            if found and isinstance(found[0], ews_errors.ErrorItemNotFound):
                return False
            target = ensure(account, parts)
            for moved in MoveItem(account=account).call([ItemId(uid)], to_folder=target):
                if isinstance(moved, ews_errors.ErrorItemNotFound):
                    return False
                if isinstance(moved, Exception):
                    raise moved
            return True

        return self._do(move)

    def mark(self, uid: str, labels: Sequence[str]) -> None:
        """Set categories; if somebody changed the mail since we looked, Exchange refuses, and it is tried again later."""

        def mark(account: Any) -> None:
            (item,) = GetItem(account=account).call([ItemId(uid)], additional_fields=_fields("categories"), shape=ID_ONLY)
            if isinstance(item, ews_errors.ErrorItemNotFound):
                return
            if isinstance(item, Exception):
                raise item
            there = tuple(item.categories or ())
            wanted = relabelled(there, labels)
            if wanted == there:
                return
            item.categories = list(wanted)
            UpdateItem(account=account).get(
                items=[(item, ["categories"])],
                conflict_resolution=NEVER_OVERWRITE,
                message_disposition=SAVE_ONLY,
                send_meeting_invitations_or_cancellations=SEND_TO_NONE,
                suppress_read_receipts=True,
            )

        self._do(mark)

    def save_draft(self, octets: bytes, parts: tuple[str, ...]) -> None:
        """Create an item that was never sent."""

        def save(account: Any) -> None:
            target = ensure(account, parts)
            draft = Message(account=account, folder=target, mime_content=octets)
            CreateItem(account=account).get(
                items=[draft], folder=target, message_disposition=SAVE_ONLY, send_meeting_invitations=SEND_TO_NONE
            )

        self._do(save)

    def check(self) -> str:
        """Count the mails; prove that the mailbox that we must not open is closed to us."""
        found = self._do(self._open)
        said = f"{found.total_count} mails in {self._name}, EWS"
        if self._ews.warning:
            said += f"; {self._ews.warning}"
        if not self._must_refuse:
            return f"{said}; whether our rights reach other mailboxes was not tried (must_refuse is not set)"
        try:
            self._ews.call(inbox, user=self._must_refuse)
        except EwsError as error:
            if error.permanent or isinstance(error.cause, ews_errors.ErrorItemNotFound):
                return f"{said}, {self._must_refuse} is refused"
            raise MailboxError(f"{self._must_refuse} was to be refused, and was not: {error}", permanent=True) from error
        words = f"our rights open {self._must_refuse} too: limit them to the mailboxes we need (docs/providers/exchange.md)"
        raise MailboxError(words, permanent=True)

    def close(self) -> None:
        """Let go of the connection."""
        self._ews.close()

    def _do(self, action: Callable[[Any], T]) -> T:
        with self._errors():
            return self._ews.call(action)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except EwsError as error:
            if isinstance(error.cause, _EXPIRED):
                raise StateExpiredError(str(error)) from error
            raise MailboxError(str(error), permanent=error.permanent) from error
        except TokenError as error:
            raise MailboxError(f"{self._ews.where}: {error}", permanent=error.permanent) from error

    def _alone(self, mail: Listed) -> Content:
        """Fetch one mail; if only that goes wrong, and the server answers otherwise, the mail is at fault."""
        try:
            return self._do(lambda account: _fetch(account, [mail])[0])
        except MailboxError as error:
            if not _is_unanswered(error):
                raise
            self._do(self._open)
            return Content(mail.uid, why=str(error))

    def _open(self, account: Any) -> Any:
        found = find(account, folder_parts(self._name))
        if found is None:
            raise ews_errors.ErrorFolderNotFound(f"there is no folder {self._name}")
        return found


def _sync(account: Any, folder: str, state: str) -> tuple[str, bool, list[Listed]]:
    service = SyncFolderItems(account=account)
    listed = []
    try:
        changes = service.call(
            folder=FolderId(folder),
            shape=ID_ONLY,
            additional_fields=_fields("datetime_received", "size"),
            sync_state=state or None,
            ignore=None,
            max_changes_returned=PAGE_MAILS,
            sync_scope="NormalItems",
        )
        for change in changes:
            if isinstance(change, Exception):
                raise change
            kind, item = change
            if kind == SyncFolderItems.CREATE and item.id:
                listed.append(Listed(item.id, _moment(getattr(item, "datetime_received", None)), item.size or 0))
    except AttributeError as error:  # exchangelib 5.6 looks for a new state also where the answer is that the old one is void
        raise ews_errors.ErrorInvalidSyncStateData("no state in the answer") from error
    return service.sync_state or "", bool(service.includes_last_item_in_range), listed


def _fields(*names: str) -> list[FieldPath]:
    return [FieldPath(field=Message.get_field_by_fieldname(name)) for name in names]


def _moment(received: Any) -> datetime | None:
    """Return a plain moment: exchangelib's own kind takes no time zone but its own."""
    return datetime.fromtimestamp(received.timestamp(), UTC) if received else None


def _fetch(account: Any, group: Sequence[Listed]) -> list[Content]:
    fields = _fields("mime_content", "last_verb")
    found = GetItem(account=account).call([ItemId(mail.uid) for mail in group], additional_fields=fields, shape=ID_ONLY)
    return [_content(mail.uid, item) for mail, item in zip(group, found, strict=True)]


def _content(uid: str, item: Any) -> Content:
    if isinstance(item, ews_errors.ErrorItemNotFound):
        return Content(uid)
    if isinstance(item, Exception):
        return Content(uid, why=f"{type(item).__name__}: {item}")
    octets = item.mime_content or b""
    if len(octets) > MAX_MAIL_OCTETS:
        return Content(uid, why=above_limit(), final=True)
    return Content(uid, octets, answered=getattr(item, "last_verb", None) in _REPLIED)


def _groups(mails: Sequence[Listed]) -> Iterator[list[Listed]]:
    """Split mails into those that one request asks for; a large one stands alone."""
    group: list[Listed] = []
    octets = 0
    for mail in mails:
        if group and (len(group) == GROUP_MAILS or octets + mail.size_octets > GROUP_OCTETS):
            yield group
            group, octets = [], 0
        group.append(mail)
        octets += mail.size_octets
    if group:
        yield group


def _is_unanswered(error: MailboxError) -> bool:
    return isinstance(error.__cause__, EwsError) and error.__cause__.sent
