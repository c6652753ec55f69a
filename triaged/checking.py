"""Checking an installation: rules against model and mailboxes, and every connection."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from triaged.classify.assess import assess
from triaged.config import Settings
from triaged.files.problem import Problem
from triaged.ingest.mailbox import MailboxError, open_mailbox
from triaged.message import Assessment, Message
from triaged.office import Office
from triaged.route.sender import SendError
from triaged.route.wording import Wordings
from triaged.rules import check
from triaged.rules.check import Surroundings, Trial


@dataclass(frozen=True, slots=True)
class Connection:
    """How one connection stands."""

    name: str
    works: bool
    said: str


def check_rules(office: Office, now: datetime) -> list[Problem]:
    """Return all that is wrong with the office's rules, its examples and tests among it."""
    local = office.local(now)
    around = Surroundings(
        topics=office.topics.topics,
        mailboxes=[mailbox.name for mailbox in office.settings.mailboxes],
        templates=_template_names(office.settings.office.templates),
    )
    return check.check(office.rules, local.date(), around, lambda message: assess(message, office.topics, local))


def check_wordings(office: Office) -> list[str]:
    """Return what is wrong with the acknowledgement texts, a line a problem."""
    return Wordings(office.settings.office.languages, office.settings.office.templates).check()


def _template_names(folder: Path | None) -> list[str]:
    """Return the texts that rules may name: the sub-folders of the office's own templates."""
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder and folder.is_dir() else []


def check_review(settings: Settings) -> list[str]:
    """Return what keeps people from being asked, or their answers from being obeyed, a line each; nothing of it is fatal."""
    review = settings.review
    if not review.to:
        return ["[review] to names nobody: nobody is told of what waits for a person"]
    found = []
    if not review.authserv_id and not any(mailbox.trust_auth_as for mailbox in settings.mailboxes):
        found.append("[review] authserv_id is missing: nothing proves who sent an answer, so no answer by mail is obeyed")
    polled = {address.lower() for mailbox in settings.mailboxes for address in mailbox.addresses}
    answers_go_to = review.reply_to or settings.sender.sender
    if not review.reply_to:
        found.append("[review] reply_to is missing: the digest has no links to answer with")
    if polled and answers_go_to.lower() not in polled:
        found.append(f"answers go to {answers_go_to}, which no [[mailbox]] names among its addresses: is it one of theirs?")
    return found


def try_rules(office: Office, now: datetime) -> list[Trial]:
    """Try every example and test of the office's rules."""
    local = office.local(now)

    def ask(message: Message) -> Assessment:
        return assess(message, office.topics, local)

    return [*check.try_examples(office.rules, local.date()), *check.try_tests(office.rules, local.date(), ask)]


def connections(office: Office) -> Iterator[Connection]:
    """Try every connection; yield how each stands."""
    for settings in office.settings.mailboxes:
        mailbox = open_mailbox(settings.kind, settings.name, settings.access, office.settings.file.parent)
        with closing(mailbox):
            try:
                yield Connection(f"mailbox {settings.name}", True, mailbox.check())
            except MailboxError as error:
                yield Connection(f"mailbox {settings.name}", False, str(error))
    with closing(office.new_sender()) as sender:
        try:
            yield Connection(f"sender {office.settings.sender.kind}", True, sender.check())
        except SendError as error:
            yield Connection(f"sender {office.settings.sender.kind}", False, str(error))
