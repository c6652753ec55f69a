"""One configuration, opened: what the pipeline needs to work for an office. Built at start and at every reload."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, make_url

from triaged.classify.topics import Topics
from triaged.config import MailboxSettings, Settings
from triaged.ingest.screen import Trust
from triaged.message import Decision
from triaged.route.handoff import Handoff
from triaged.route.plan import Limits
from triaged.rules.due import Calendar, respond_by
from triaged.rules.schema import Rules
from triaged.signing import Signer
from triaged.store import health


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
        limits: The breaker on acknowledgements.
    """

    settings: Settings
    rules: Rules
    topics: Topics
    signer: Signer
    calendar: Calendar
    handoffs: Mapping[str, Handoff]
    limits: Limits = Limits()

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
        url = make_url(self.settings.store_url)
        if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
            return Path(url.database).parent
        return self.settings.file.parent

    @cached_property
    def _mailboxes(self) -> dict[str, MailboxSettings]:
        return {mailbox.name: mailbox for mailbox in self.settings.mailboxes}

    def mailbox(self, name: str) -> MailboxSettings:
        """Return the settings of a mailbox; mail of one that is no longer configured is still handled."""
        return self._mailboxes.get(name) or MailboxSettings(name, "none", None)

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
            is_own_loop_header=self.signer.is_own_loop_header,
            is_own_message_id=self.signer.is_own_message_id,
        )


def signer_for(settings: Settings, engine: Engine) -> Signer:
    """Return the signer with this installation's key, made at the first start."""
    with engine.begin() as db:
        key = health.signing_key(db, datetime.now(UTC))
    return Signer(key, settings.sender.sender.rpartition("@")[2].lower() or "triaged.invalid")
