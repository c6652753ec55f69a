"""Folders of an Exchange mailbox: found by their path, made where they are missing."""

from collections.abc import Sequence
from typing import Any

from exchangelib import errors as ews_errors
from exchangelib.fields import FieldPath
from exchangelib.folders import Folder, Inbox, MsgFolderRoot, Root, SingleFolderQuerySet
from exchangelib.items import ID_ONLY, SHALLOW
from exchangelib.properties import DistinguishedFolderId
from exchangelib.properties import Mailbox as ExchangeMailbox
from exchangelib.services import CreateFolder, GetFolder


def find(account: Any, parts: Sequence[str]) -> Any | None:
    """Return a folder by its path from the top of the mailbox; INBOX is the inbox, whatever its name there."""
    found: Any = None
    for number, name in enumerate(parts):
        found = inbox(account) if number == 0 and name.upper() == "INBOX" else _child(account, found or _top(account), name)
        if found is None:
            return None
    return found


def ensure(account: Any, parts: Sequence[str]) -> Any:
    """Return a folder; make it and those above it if missing."""
    found: Any = None
    for number, name in enumerate(parts):
        child = find(account, parts[:1]) if number == 0 else _child(account, found, name)
        if child is None:
            parent = found or _top(account)
            new = Folder(root=parent.root, parent_folder_id=None, name=name)
            try:
                child = CreateFolder(account=account).get(parent_folder=parent, folders=[new])
            except ews_errors.ErrorFolderExists:  # somebody else was first
                child = _child(account, parent, name)
        found = child
    return found


def inbox(account: Any) -> Any:
    """Return the inbox, whatever its name there."""
    return _get(account, _distinguished(account, Inbox))


def _top(account: Any) -> Any:
    return _get(account, _distinguished(account, MsgFolderRoot))


def _distinguished(account: Any, cls: Any) -> Any:
    mailbox = ExchangeMailbox(email_address=account.primary_smtp_address)
    return cls(
        root=Root(account=account), _distinguished_id=DistinguishedFolderId(id=cls.DISTINGUISHED_FOLDER_ID, mailbox=mailbox)
    )


def _get(account: Any, folder: Any) -> Any:
    fields = [FieldPath(field=Folder.get_field_by_fieldname(name)) for name in ("name", "total_count")]
    return GetFolder(account=account).get(folders=[folder], additional_fields=fields, shape=ID_ONLY)


def _child(account: Any, parent: Any, name: str) -> Any | None:
    children = SingleFolderQuerySet(account=account, folder=parent).only("name", "total_count").depth(SHALLOW)
    for child in children.filter(name=name):
        if isinstance(child, Exception):
            raise child
        return child
    return None
