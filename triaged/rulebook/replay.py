"""Letters of the past decided again, by the rules in use and by others: what a change would mean. Changes nothing."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from sqlalchemy import Engine

from triaged.classify.assess import assess
from triaged.ingest.mime import read
from triaged.ingest.screen import screen, written_by
from triaged.office import Office
from triaged.rules.decide import decide_letter
from triaged.rules.facts import Letter
from triaged.rules.outcome import Turns, grouped, speakers, turns
from triaged.rules.schema import Rules
from triaged.store import past
from triaged.store.engine import reading
from triaged.store.past import PastLetter

_IN_A_PAGE: Final = 500  # letters in the HTML page: a mail program must still open it


@dataclass(frozen=True, slots=True)
class Turned:
    """A letter that would come out differently."""

    reference: str
    received_at: datetime
    sender: str
    subject: str
    turns: Turns
    rules: tuple[str, ...]  # to which it is due


@dataclass(frozen=True, slots=True)
class Comparison:
    """What other rules would have made of the letters of some days.

    Attributes:
        days: How many.
        compared: Letters.
        asked: … of which the model was asked anew, since what it had said was not kept.
        damaged: Letters left out, since their copies in the database are damaged.
        turned: Those that would come out differently, oldest first.
    """

    days: int
    compared: int
    asked: int
    damaged: int
    turned: tuple[Turned, ...]

    @property
    def groups(self) -> list[tuple[Turns, int]]:
        """The kinds of difference, the most frequent first."""
        return grouped(letter.turns for letter in self.turned)

    @property
    def summary(self) -> str:
        """The whole in a sentence."""
        whole = f"{len(self.turned):,} of {self.compared:,} letters of the last {self.days} days would come out differently"
        kinds = [f"{count:,} {'; '.join(map(str, differences))}" for differences, count in self.groups]
        return f"{whole}{': ' if kinds else '.'}{', '.join(kinds[:3])}{' …' if len(kinds) > 3 else ''}"


def compare(office: Office, new: Rules, engine: Engine, now: datetime, days: int) -> Comparison:
    """Decide the letters of the last days by the office's rules and by others, both as they work today.

    A later letter on a known case is decided by itself here, as if the case were not known.
    """
    today, compared, asked, damaged, turned = office.local(now).date(), 0, 0, 0, []
    with reading(engine) as db, closing(past.letters(db, now - timedelta(days=days))) as letters:
        for letter in letters:
            if letter.octets is None:
                damaged += 1
                continue
            compared += 1
            asked += letter.assessment is None
            turned += list(_turned(letter, letter.octets, office, new, today))
    return Comparison(days, compared, asked, damaged, tuple(turned))


def _turned(kept: PastLetter, octets: bytes, office: Office, new: Rules, today: date) -> Iterator[Turned]:
    trust = office.trust(kept.mailbox)
    message = read(octets)
    screening = screen(message, trust)
    message = replace(message, sender=written_by(message, trust))
    received = office.local(kept.received_at)
    assessment = kept.assessment or assess(message, office.topics, received)
    letter = Letter(message, kept.mailbox, assessment.language, assessment.campaign, received.date())
    before = decide_letter(letter, screening, assessment, office.rules, today)
    after = decide_letter(letter, screening, assessment, new, today)
    if found := turns(before, after):
        sender = message.sender.name or message.sender.address
        yield Turned(kept.reference, kept.received_at, sender, message.subject, found, speakers(before, after))


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison for programs."""
    return {
        "days": comparison.days,
        "compared": comparison.compared,
        "asked_anew": comparison.asked,
        "damaged": comparison.damaged,
        "changed": len(comparison.turned),
        "groups": [{"letters": count, "turns": _turns(differences)} for differences, count in comparison.groups],
        "letters": [
            {
                "reference": letter.reference,
                "received_at": letter.received_at.isoformat(),
                "sender": letter.sender,
                "subject": letter.subject,
                "turns": _turns(letter.turns),
                "rules": list(letter.rules),
            }
            for letter in comparison.turned
        ],
    }


def _turns(differences: Turns) -> list[dict[str, str]]:
    return [asdict(turn) for turn in differences]


def as_html(comparison: Comparison, office: Office, file: str, now: datetime) -> str:
    """Return the comparison as one page that a mail can carry; every text of a letter is escaped."""
    environment = SandboxedEnvironment(
        loader=FileSystemLoader(Path(__file__).parent.parent / "templates" / "rules"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    letters = comparison.turned[:_IN_A_PAGE]
    return environment.get_template("diff.html.j2").render(
        office=office.settings.office.name,
        file=file,
        now=office.local(now),
        comparison=comparison,
        letters=[(letter, office.local(letter.received_at)) for letter in letters],
        more=len(comparison.turned) - len(letters),
    )
