"""One configuration, opened: what the pipeline needs to work for an office. Built at start and at every reload."""

import hashlib
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from triaged.classify.promise import Promise
from triaged.classify.topic import TopicModel
from triaged.config import MailboxSettings, Maildir, Settings
from triaged.files.problem import WrongFile
from triaged.ingest.screen import Trust
from triaged.learning import in_use
from triaged.message import Decision
from triaged.movers import Movers
from triaged.review.token import Keys, plus_address
from triaged.route.deliver import open_handoffs
from triaged.route.handoff import Addition, Handoff, Letterhead, Means
from triaged.route.limited import Limited
from triaged.route.plan import Limits
from triaged.route.sender import Sender, open_sender
from triaged.rules.due import Calendar, respond_by
from triaged.rules.load import Book, load_book
from triaged.rules.schema import Rules
from triaged.secret import read as read_secret
from triaged.signing import Signer
from triaged.store import health, outbox
from triaged.store.engine import reading

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Office:
    """What one configuration makes.

    Attributes:
        settings: triaged.toml.
        rules: rules.yaml.
        topics: The model.
        signer: Signs loop headers and Message-IDs with this installation's key.
        calendar: The office's business days.
        handoffs: Delivery kind → how it is carried out.
        sender: How mail goes out; used by the delivery thread only.
        movers: Move mail in mailboxes.
        answer_keys: Sign the tokens of digests.
        limits: The breaker on acknowledgements.
        model_version: Names the model among all others, for lessons.
        model_name: Its name on the shelf.
        model_said: What to tell people when it comes into use.
        rules_version: Names the state of rules.yaml likewise.
    """

    settings: Settings
    rules: Rules
    topics: TopicModel
    signer: Signer
    calendar: Calendar
    handoffs: Mapping[str, Handoff]
    sender: Sender
    movers: Movers
    answer_keys: Keys
    limits: Limits = field(default_factory=Limits)
    sent_today: Callable[[], int] = lambda: 0  # recipients of the last 24 hours
    model_version: str = ""
    model_name: str = ""
    model_said: str = ""
    rules_version: str = ""

    @cached_property
    def zone(self) -> ZoneInfo:
        """The office's time zone."""
        return ZoneInfo(self.settings.office.timezone)

    @cached_property
    def addresses(self) -> dict[str, tuple[str, ...]]:
        """Department id → addresses."""
        return {key: department.to for key, department in self.rules.departments.items()}

    @cached_property
    def state_folder(self) -> Path:
        """Where the database's disk is; the folder of triaged.toml when the database is elsewhere."""
        return in_use.state_folder(self.settings)

    @property
    def promise(self) -> Promise | None:
        """How the promise stands."""
        return self.topics.promise

    @cached_property
    def _mailboxes(self) -> dict[str, MailboxSettings]:
        return {mailbox.name: mailbox for mailbox in self.settings.mailboxes}

    def mailbox(self, name: str) -> MailboxSettings:
        """Return the settings of a mailbox; mail of one that is no longer configured is still handled."""
        return self._mailboxes.get(name) or MailboxSettings(name, "none", Maildir(Path()))

    def name(self, mailbox: str) -> str:
        """Return the office's name as writers to this mailbox know it."""
        return self.mailbox(mailbox).office or self.settings.office.name

    def prefix(self, mailbox: str) -> str:
        """Return the prefix of references of this mailbox's cases."""
        return self.mailbox(mailbox).prefix or self.settings.office.prefix

    def local(self, moment: datetime) -> datetime:
        """Return a moment on the office's clock."""
        return moment.astimezone(self.zone)

    def respond_by(self, decision: Decision, received_at: datetime) -> date | None:
        """Return the date by which the department that answers has promised to; None when none has."""
        department = self.rules.departments.get(decision.departments[0]) if decision.departments else None
        within = department.respond_within if department else self.rules.default_respond_within
        return respond_by(self.local(received_at), within, self.calendar) if within else None

    def answers_to(self, token: str) -> str:
        """Return where answers to a digest go; empty when [review] names no address."""
        review = self.settings.review
        return plus_address(review.reply_to, token) if review.reply_to and review.plus_address else review.reply_to

    def new_sender(self) -> Sender:
        """Return a sender for another thread than the delivery thread's; the caller closes it."""
        return _sender(self.settings, self.sent_today)

    def close(self) -> None:
        """Let go of the connections."""
        self.sender.close()
        self.movers.close()

    def trust(self, mailbox: str) -> Trust:
        """Return whom and what the screening of a mailbox's mail may believe."""
        return self._trusts[mailbox] if mailbox in self._trusts else self._trust(mailbox)

    @cached_property
    def _trusts(self) -> dict[str, Trust]:
        return {mailbox.name: self._trust(mailbox.name) for mailbox in self.settings.mailboxes}

    def _trust(self, mailbox: str) -> Trust:
        review, sender = self.settings.review, self.settings.sender
        return Trust(
            own_addresses=frozenset(address.lower() for address in (sender.sender, review.reply_to) if address),
            mailbox_addresses=frozenset(address.lower() for address in self.mailbox(mailbox).addresses),
            authserv_id=review.authserv_id,
            webforms=frozenset(address.lower() for address in self.settings.webforms),
            reviewers=frozenset(review.people),
            is_own_loop_header=self.signer.is_own_loop_header,
            is_own_message_id=self.signer.is_own_message_id,
        )


def open_office(settings: Settings, engine: Engine, clock: Callable[[], datetime], book: Book | None = None) -> Office:
    """Open an office: rules, model, calendar, the ways out.

    Args:
        settings: triaged.toml.
        engine: The database.
        clock: Now.
        book: The rules; None: those of the file.

    Raises:
        WrongFile: rules.yaml is wrong.
        ModelError: The model can't be used.
    """
    book = book or load_book(settings.office.rules)
    if book.rules is None:
        raise WrongFile(book.problems)
    model = in_use.open_in_use(settings, engine)
    signer = signer_for(settings, engine, clock)
    sent_today = recipients_counter(engine, clock)
    sender = _sender(settings, sent_today)
    movers = Movers(settings.mailboxes, settings.file.parent)
    return Office(
        settings=settings,
        rules=book.rules,
        topics=model.topics,
        signer=signer,
        calendar=Calendar(ZoneInfo(settings.office.timezone), holidays_of(settings.office.holidays)),
        handoffs=_handoffs(settings, book.rules, signer, sender, movers, clock),
        sender=sender,
        movers=movers,
        answer_keys=_answer_keys(settings, signer),
        model_version=model.version,
        model_name=model.name,
        model_said=model.said,
        rules_version=book.version,
        sent_today=sent_today,
    )


def with_rules(office: Office, rules: Rules, version: str, clock: Callable[[], datetime]) -> Office:
    """Return the same office, its connections shared, with other rules."""
    handoffs = _handoffs(office.settings, rules, office.signer, office.sender, office.movers, clock)
    return replace(office, rules=rules, rules_version=version, handoffs=handoffs)


def _handoffs(
    settings: Settings, rules: Rules, signer: Signer, sender: Sender, movers: Movers, clock: Callable[[], datetime]
) -> Mapping[str, Handoff]:
    topics = {key: topic.description for key, topic in rules.topics.items()}
    means = Means(
        sender=sender,
        letterhead=Letterhead(settings.sender.sender, signer, ZoneInfo(settings.office.timezone), topics),
        envelope=settings.sender.envelope or settings.sender.sender,
        clock=clock,
        move=movers,
        mark=movers.mark,
        languages=settings.office.languages,
        phone=settings.office.phone,
        templates=settings.office.templates,
        additions=[Addition(each.first, each.last, each.topics, each.file, each.notices) for each in rules.surges],
    )
    return open_handoffs(means)


def _answer_keys(settings: Settings, signer: Signer) -> Keys:
    """Return what signs digests: the administrator's key, else one derived from this installation's."""
    review, base = settings.review, settings.file.parent
    secrets = [read_secret(key, base) if key else "" for key in (review.key, review.previous_key)]
    current, previous = (hashlib.sha256(secret.encode()).digest() if secret else None for secret in secrets)
    return Keys(settings.office.name, current or signer.key, previous or (signer.key if current else None))


def signer_for(settings: Settings, engine: Engine, clock: Callable[[], datetime]) -> Signer:
    """Return the signer with this installation's key, made at the first start."""
    with engine.begin() as db:
        key = health.signing_key(db, clock())
    return Signer(key, settings.sender.sender.rpartition("@")[2].lower())


def holidays_of(name: str) -> Container[date]:
    """Return the days off of a country or its part by the `holidays` package's names ("US-NY"); none for an empty name."""
    if not name:
        return frozenset()
    import holidays  # 130 ms

    country, _, subdivision = name.partition("-")
    days: Container[date] = holidays.country_holidays(country, subdiv=subdivision or None)
    return days


def recipients_counter(engine: Engine, clock: Callable[[], datetime]) -> Callable[[], int]:
    """Return what counts the recipients of the last 24 hours."""

    def count() -> int:
        with reading(engine) as db:
            return outbox.recipients_since(db, clock() - timedelta(days=1))

    return count


def _sender(settings: Settings, sent_today: Callable[[], int]) -> Sender:
    chosen, base = settings.sender, settings.file.parent
    secret = chosen.password
    password = None if secret is None else lambda: read_secret(secret, base)
    sender = open_sender(chosen.kind, chosen, password)
    if not chosen.mails_per_minute and not chosen.recipients_per_day:
        return sender
    return Limited(
        sender,
        mails_per_minute=chosen.mails_per_minute,
        recipients_per_day=chosen.recipients_per_day,
        sent_today=sent_today,
    )
