"""The mail that tells editors of rules.yaml what is wrong with it, once a state of the file and editor."""

import logging
from collections.abc import Collection
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime
from typing import Final

from sqlalchemy import Engine

from triaged.message import LOOP_HEADER, Address, State
from triaged.office import Office
from triaged.route import header
from triaged.route.compose import assemble
from triaged.route.part import text_part
from triaged.route.sender import Envelope, post
from triaged.store import rulebooks
from triaged.store.engine import reading

log = logging.getLogger("triaged")
_MOST_CHARACTERS: Final = 20_000


def tell(office: Office, editors: Collection[str], engine: Engine, now: datetime) -> bool:
    """Mail what is wrong with the rules to those who were not told yet; False when it surely did not leave for somebody.

    Each is marked before the mail leaves: one that may have left is not sent again.
    """
    with reading(engine) as db:
        refused = rulebooks.refused(db)
    waiting = [editor for editor in editors if refused and editor.lower() not in refused.told]
    if refused is None or not waiting:
        return True
    all_left = True
    with closing(office.new_sender()) as sender:
        for editor in waiting:
            before, refused = refused, replace(refused, told=(*refused.told, editor.lower()))
            with engine.begin() as db:
                since = rulebooks.last(db)
                rulebooks.refuse(db, refused)
            octets = as_mail(refused, since.at if since else None, editor, office, now)
            settings = office.settings.sender
            outcome = post(sender, Envelope(settings.envelope or settings.sender, (editor,), octets))
            if outcome.state is State.PLANNED:
                all_left, refused = False, before
                with engine.begin() as db:
                    rulebooks.refuse(db, refused)
            level = logging.INFO if outcome.state is State.SENT else logging.WARNING
            log.log(level, "editors told of wrong rules", extra={"state": outcome.state.value, "said": outcome.detail})
    return all_left


def as_mail(refused: rulebooks.Refused, since: datetime | None, editor: str, office: Office, now: datetime) -> bytes:
    """Put what is wrong into a mail, in words.

    Args:
        refused: What is wrong.
        since: Since when the rules in use are in use.
        editor: To whom.
        office: Whose rules they are.
        now: For Date.
    """
    sender = office.settings.sender.sender
    message_id = office.signer.message_id(f"rules:{refused.version}:{refused.at.isoformat()}:{editor.lower()}")
    file = refused.said.partition(":")[0]  # rules.yaml, a list of it, or a surge
    top = b"".join(
        (
            header.addresses("From", [Address(office.settings.office.name, sender)]),
            header.addresses("To", [Address("", editor)]),
            header.text("Subject", header.one_line(f"{file} has a mistake: the rules before it stay in use", 200)),
            header.token("Date", format_datetime(now)),
            header.message_ids("Message-ID", [message_id]),
            header.token("Auto-Submitted", "auto-generated"),  # RFC 3834 §5
            header.token("X-Auto-Response-Suppress", "All"),
            header.token(LOOP_HEADER, office.signer.loop_header("rules")),
        )
    )
    return assemble(top, text_part(_text(refused, since, file, office)))


def _text(refused: rulebooks.Refused, since: datetime | None, file: str, office: Office) -> str:
    stay = f"the rules of {office.local(since):%d %B %Y, %H:%M} stay in use" if since else "the rules before it stay in use"
    said = refused.said
    if len(said) > _MOST_CHARACTERS:
        said = said[:_MOST_CHARACTERS] + "\n… and more: triaged rules check shows all of it"
    return (
        f"{file} was saved, and something in it is wrong. Nothing changed: {stay}.\n\n"
        f"What was found (file:line:column):\n\n{said}\n\n"
        "Mend it and save it again; within seconds it is taken into use by itself. This mail comes once for each mistake.\n"
    )
