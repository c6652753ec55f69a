"""The values that triaged.toml may hold: zones, holidays, durations, database addresses, secrets. See file.py."""

import re
from dataclasses import dataclass
from datetime import time, timedelta
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

from triaged.config import Secret
from triaged.files.block import Fields, Key, Record
from triaged.files.node import MapNode, Node, seen
from triaged.files.problem import nearest
from triaged.files.reading import Reading, Spot
from triaged.files.shape import Json, Parsed
from triaged.files.texts import LINE

_UNITS: Final = {"s": 1, "m": 60, "h": 3600}
_SHORTEST, _LONGEST = timedelta(seconds=5), timedelta(hours=24)
_ISO_639_1: Final = """
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee
    el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io
    is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn
    mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se
    sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo
    wa wo xh yi yo za zh zu
"""


def _language(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}(-[A-Z][a-z]{3}|-[A-Z]{2})?", text):
        raise ValueError
    code = text.partition("-")[0]
    if len(code) == 2 and code not in _ISO_639_1.split():
        raise ValueError("there is no such language")
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (OSError, KeyError, ValueError):  # ZoneInfoNotFoundError is a KeyError; the name of a folder is an OSError
        from zoneinfo import available_timezones

        meant = nearest(text.replace(" ", "_"), available_timezones())
        raise ValueError(f"there is no such time zone{f'; did you mean {meant}' if meant else ''}") from None
    return text


def _holidays(text: str) -> str:
    import holidays  # 130 ms

    country, _, subdivision = text.partition("-")
    known = holidays.list_supported_countries()
    if country not in known:
        raise ValueError("there is no such country")
    if subdivision and subdivision not in known[country]:
        raise ValueError(f"{country} has no such part")
    return text


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"([0-9]{1,6}) ?(s|m|h|min|second|minute|hour)s?", text.strip())
    if not found:
        raise ValueError
    duration = timedelta(seconds=int(found[1]) * _UNITS[found[2][0]])
    if not _SHORTEST <= duration <= _LONGEST:
        raise ValueError("it is not between 5 seconds and 24 hours")
    return duration


def _time(text: str) -> time:
    if not re.fullmatch(r"[0-2][0-9]:[0-5][0-9]", text):
        raise ValueError
    return time.fromisoformat(text)


def _prefix(text: str) -> str:
    if not re.fullmatch(r"[A-Z][A-Z0-9]{1,7}", text):
        raise ValueError
    return text


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", text):
        raise ValueError
    return text


def _host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*", text):
        raise ValueError
    return text


@dataclass(frozen=True, slots=True)
class FilePath:
    """A file or folder; a relative one starts from the folder of triaged.toml."""

    words: str = "a path; a relative one starts from the folder of this file"

    def read(self, node: Node, spot: Spot, reading: Reading) -> Path | None:
        """Return the absolute path."""
        text = LINE.read(node, spot, reading)
        return reading.folder / text if text else None

    def schema(self) -> Json:
        """Return a string's schema."""
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """The address of a database."""

    words: str = "sqlite:///triaged.db, or postgresql+psycopg://user@host/database"

    def read(self, node: Node, spot: Spot, reading: Reading) -> str | None:
        """Return the address; a relative SQLite file starts from the folder of triaged.toml."""
        text = LINE.read(node, spot, reading)
        if text is None:
            return None
        if re.match(r"[a-z+]+://[^/@]*:[^/@]*@", text):  # the message must not repeat it
            allowed = f"{self.words}; the password from libpq's PGPASSFILE"
            reading.wrong(node, spot.says("holds a password, which must not stand in this file"), allowed)
            return None
        file = text.removeprefix("sqlite:///")
        if file != text and file not in ("", ":memory:"):
            return f"sqlite:///{reading.folder / file}"
        if text.startswith("postgresql+psycopg://"):
            return text
        driver = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", text)
        reading.wrong(node, spot.says(f"is {seen(node)}"), self.words, driver if driver != text else "")
        return None

    def schema(self) -> Json:
        """Return a string's schema."""
        return {"type": "string"}


CREDENTIAL: Final = Key("credential", LINE, "A systemd credential")
ENV: Final = Key("env", LINE, "An environment variable")
SECRET_FILE: Final = Key("file", LINE, "A file")


def _secret(fields: Fields, reading: Reading) -> Secret | None:
    given: list[tuple[Literal["credential", "env", "file"], str | None]] = [
        ("credential", fields.find(CREDENTIAL)),
        ("env", fields.find(ENV)),
        ("file", fields.find(SECRET_FILE)),
    ]
    found = [Secret(source, name) for source, name in given if name]
    if len(found) == 1:
        return found[0]
    reading.wrong(fields.node, fields.spot.says("names no place" if not found else "names several places"), SecretPlace.words)
    return None


_SECRET: Final = Record((CREDENTIAL, ENV, SECRET_FILE), _secret)


class SecretPlace:
    """Where a secret lies; never the secret itself, and no message repeats what stands there."""

    words = '{ credential = "NAME" }, { env = "NAME" } or { file = "PATH" }'

    def read(self, node: Node, spot: Spot, reading: Reading) -> Secret | None:
        """Return the place."""
        if isinstance(node, MapNode):
            return _SECRET.read(node, spot, reading)
        reading.wrong(node, spot.says("must not stand in this file itself"), self.words)
        return None

    def schema(self) -> Json:
        """Return an object's schema."""
        return _SECRET.schema()


NAME: Final = Parsed(_name, "small letters a to z, digits, _ and -, at most 40")
PREFIX: Final = Parsed(_prefix, "2 to 8 capital letters and digits, a letter first, such as MAY")
ZONE: Final = Parsed(_zone, "an IANA time zone such as America/New_York")
HOLIDAYS: Final = Parsed(_holidays, "a country, or a country and its part, such as CA or US-NY")
LANGUAGE: Final = Parsed(_language, "a language code such as en, es or zh-Hans")
DURATION: Final = Parsed(_duration, 'a time such as "60s", "5m" or "1h"')
TIME: Final = Parsed(_time, 'a time of day such as "08:30"')
HOST: Final = Parsed(_host, "the name or address of a server, such as imap.example.gov")
