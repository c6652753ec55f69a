"""triaged.toml: what it says, and the table of mistakes with what the administrator gets to read for each."""

# ruff: noqa: E501
from contextlib import suppress
from datetime import time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.config import Imap, Maildir, Secret
from triaged.files.node import ListNode, MapNode, Node, Scalar
from triaged.files.problem import WrongFile
from triaged.files.reading import Reading
from triaged.settings.file import SHIPPED_MODEL, find_settings, load_settings, read_settings
from triaged.settings.toml_tree import parse

FOLDER = Path("/srv/triaged")
GOOD = """\
[office]
name = "Office of the Mayor"
prefix = "MAY"
timezone = "America/New_York"
holidays = "US-NY"
rules = "rules.yaml"
languages = ["en", "es"]

[store]
url = "sqlite:///triaged.db"

[[mailbox]]
name = "mayor"
kind = "imap"
host = "imap.example.gov"
user = "mayor@example.gov"
password = { credential = "mayor-imap" }
poll = "60s"

[[mailbox]]
name = "leader"
kind = "maildir"
path = "maildir/leader"

[sender]
kind = "smtp"
host = "127.0.0.1"
tls = "none"
from = "correspondence@example.gov"

[review]
to = ["reviewer@example.gov"]
at = ["08:30"]
"""


def changed(old: str, new: str) -> str:
    """Return the good file with one thing changed."""
    assert old in GOOD
    return GOOD.replace(old, new)


MISTAKES = {
    "empty file": (
        "",
        """\
triaged.toml:1:1: office is missing.
  Allowed: office: [office] with name, prefix, timezone.
triaged.toml:1:1: mailbox is missing.
  Allowed: mailbox: [[mailbox]] with name, kind, ….
triaged.toml:1:1: sender is missing.
  Allowed: sender: [sender] with kind, from.""",
    ),
    "unknown table": (
        GOOD + "[reveiw]\n",
        """\
triaged.toml:34:1: unknown key "reveiw".
  Allowed: office, store, mailbox, sender, review, promise, screen. Did you mean review?""",
    ),
    "unknown key in office": (
        changed("timezone", "time_zone"),
        """\
triaged.toml:1:1: [office]: timezone is missing.
  Allowed: timezone: an IANA time zone such as America/New_York.
triaged.toml:4:1: [office]: unknown key "time_zone".
  Allowed: name, prefix, timezone, holidays, rules, model, languages, phone, templates, encoder. Did you mean timezone?""",
    ),
    "unknown key in mailbox": (
        changed('poll = "60s"', 'pol = "60s"'),
        """\
triaged.toml:18:1: mailbox "mayor": unknown key "pol".
  Allowed: name, kind, poll, backfill, after, addresses, office, prefix, host, port, tls, tls_ca … (17 in all). Did you mean poll?""",
    ),
    "missing table": (
        GOOD.partition("[sender]")[0],
        """\
triaged.toml:1:1: sender is missing.
  Allowed: sender: [sender] with kind, from.""",
    ),
    "missing office name": (
        changed('name = "Office of the Mayor"\n', ""),
        """\
triaged.toml:1:1: [office]: name is missing.
  Allowed: name: text on one line.""",
    ),
    "missing host": (
        changed('host = "imap.example.gov"\n', ""),
        """\
triaged.toml:12:1: mailbox "mayor": host is missing.
  Allowed: host: the name or address of a server, such as imap.example.gov.""",
    ),
    "missing path": (
        changed('path = "maildir/leader"\n', ""),
        """\
triaged.toml:20:1: mailbox "leader": path is missing.
  Allowed: path: a path; a relative one starts from the folder of this file.""",
    ),
    "no mailbox at all": (
        GOOD.replace("[[mailbox]]", "[[mailboxes]]"),
        """\
triaged.toml:1:1: mailbox is missing.
  Allowed: mailbox: [[mailbox]] with name, kind, ….
triaged.toml:12:1: unknown key "mailboxes".
  Allowed: office, store, mailbox, sender, review, promise, screen. Did you mean mailbox?""",
    ),
    "a table instead of a list of tables": (
        GOOD.partition("[[mailbox]]")[0] + '[mailbox]\nname = "a"\nkind = "imap"\n' + GOOD[GOOD.index("[sender]") :],
        """\
triaged.toml:12:1: mailbox is a block of keys and values.
  Allowed: [[mailbox]] with name, kind, ….""",
    ),
    "text without quotes": (
        changed('"MAY"', "MAY"),
        """\
triaged.toml:3:10: "prefix" has no value that can be read.
  Allowed: text in quotes, a number, true, false, [ a list ].""",
    ),
    "number for text": (
        changed('"MAY"', "5"),
        """\
triaged.toml:3:10: [office]: prefix is 5.
  Allowed: 2 to 8 capital letters and digits, a letter first, such as MAY.""",
    ),
    "text for number": (
        changed('kind = "maildir"', 'kind = "imap"\nhost = "a"\nuser = "b"\npassword = { env = "P" }\nport = "993"').replace(
            'path = "maildir/leader"\n', ""
        ),
        """\
triaged.toml:26:8: mailbox "leader": port is "993".
  Allowed: a whole number from 1 to 65535.""",
    ),
    "port out of range": (
        changed('tls = "none"', 'tls = "none"\nport = 99999'),
        """\
triaged.toml:29:8: [sender]: port is 99999.
  Allowed: a whole number from 1 to 65535.""",
    ),
    "float port": (
        changed('tls = "none"', 'tls = "none"\nport = 25.0'),
        """\
triaged.toml:29:8: [sender]: port is 25.0.
  Allowed: a whole number from 1 to 65535.""",
    ),
    "text for table": (
        "store = 'x'\n" + changed('[store]\nurl = "sqlite:///triaged.db"\n', ""),
        """\
triaged.toml:1:9: store is "x".
  Allowed: [store] with url.""",
    ),
    "duplicate key": (
        changed('prefix = "MAY"', 'prefix = "MAY"\nprefix = "LEA"'),
        """\
triaged.toml:4:1: "prefix" stands twice.
  Allowed: each key and each [table] once.""",
    ),
    "duplicate table": (
        GOOD + "[office]\n",
        """\
triaged.toml:34:1: "[office]" stands twice.
  Allowed: each key and each [table] once.""",
    ),
    "mailbox twice": (
        changed('name = "leader"', 'name = "mayor"'),
        """\
triaged.toml:21:8: mailbox "mayor" stands twice.
  Allowed: each name once.""",
    ),
    "time zone": (
        changed("America/New_York", "America/NewYork"),
        """\
triaged.toml:4:12: [office]: timezone is "America/NewYork": there is no such time zone; did you mean America/New_York.
  Allowed: an IANA time zone such as America/New_York.""",
    ),
    "time zone is a folder": (
        changed("America/New_York", "America"),
        """\
triaged.toml:4:12: [office]: timezone is "America": there is no such time zone; did you mean America/Nuuk.
  Allowed: an IANA time zone such as America/New_York.""",
    ),
    "time zone with blanks": (
        changed("America/New_York", "Eastern Time"),
        """\
triaged.toml:4:12: [office]: timezone is "Eastern Time": there is no such time zone; did you mean US/Eastern.
  Allowed: an IANA time zone such as America/New_York.""",
    ),
    "holidays country": (
        changed("US-NY", "XX-NY"),
        """\
triaged.toml:5:12: [office]: holidays is "XX-NY": there is no such country.
  Allowed: a country, or a country and its part, such as CA or US-NY.""",
    ),
    "holidays part": (
        changed("US-NY", "US-XX"),
        """\
triaged.toml:5:12: [office]: holidays is "US-XX": US has no such part.
  Allowed: a country, or a country and its part, such as CA or US-NY.""",
    ),
    "language in words": (
        changed('"es"', '"spanish"'),
        """\
triaged.toml:7:20: [office]: languages is "spanish".
  Allowed: a language code such as en, es or zh-Hans.""",
    ),
    "language unknown": (
        changed('"es"', '"xx"'),
        """\
triaged.toml:7:20: [office]: languages is "xx": there is no such language.
  Allowed: a language code such as en, es or zh-Hans.""",
    ),
    "prefix small": (
        changed('"MAY"', '"may"'),
        """\
triaged.toml:3:10: [office]: prefix is "may".
  Allowed: 2 to 8 capital letters and digits, a letter first, such as MAY.""",
    ),
    "mailbox name": (
        changed('"leader"', '"The Leader"'),
        """\
triaged.toml:21:8: mailbox "The Leader": name is "The Leader".
  Allowed: small letters a to z, digits, _ and -, at most 40.""",
    ),
    "poll without unit": (
        changed('"60s"', "60"),
        """\
triaged.toml:18:8: mailbox "mayor": poll is 60.
  Allowed: a time such as "60s", "5m" or "1h".""",
    ),
    "poll words": (
        changed('"60s"', '"often"'),
        """\
triaged.toml:18:8: mailbox "mayor": poll is "often".
  Allowed: a time such as "60s", "5m" or "1h".""",
    ),
    "poll too short": (
        changed('"60s"', '"1s"'),
        """\
triaged.toml:18:8: mailbox "mayor": poll is "1s": it is not between 5 seconds and 24 hours.
  Allowed: a time such as "60s", "5m" or "1h".""",
    ),
    "password in the file": (
        changed('{ credential = "mayor-imap" }', '"hunter2"'),
        """\
triaged.toml:17:12: mailbox "mayor": password must not stand in this file itself.
  Allowed: { credential = "NAME" }, { env = "NAME" } or { file = "PATH" }.""",
    ),
    "password place unknown": (
        changed('{ credential = "mayor-imap" }', '{ vault = "mayor-imap" }'),
        """\
triaged.toml:17:14: mailbox "mayor": unknown key "vault".
  Allowed: credential, env, file.""",
    ),
    "password two places": (
        changed('{ credential = "mayor-imap" }', '{ env = "A", file = "b" }'),
        """\
triaged.toml:17:12: mailbox "mayor": password names several places.
  Allowed: { credential = "NAME" }, { env = "NAME" } or { file = "PATH" }.""",
    ),
    "password nowhere": (
        changed('{ credential = "mayor-imap" }', "{}"),
        """\
triaged.toml:17:12: mailbox "mayor": password names no place.
  Allowed: { credential = "NAME" }, { env = "NAME" } or { file = "PATH" }.""",
    ),
    "password in the database's address": (
        changed("sqlite:///triaged.db", "postgresql+psycopg://triaged:hunter2@db/triaged"),
        """\
triaged.toml:10:7: [store]: url holds a password, which must not stand in this file.
  Allowed: sqlite:///triaged.db, or postgresql+psycopg://user@host/database; the password from libpq's PGPASSFILE.""",
    ),
    "database without driver": (
        changed("sqlite:///triaged.db", "postgres://triaged@db/triaged"),
        """\
triaged.toml:10:7: [store]: url is "postgres://triaged@db/triaged".
  Allowed: sqlite:///triaged.db, or postgresql+psycopg://user@host/database. Did you mean postgresql+psycopg://triaged@db/triaged?""",
    ),
    "database unknown": (
        changed("sqlite:///triaged.db", "mysql://db/triaged"),
        """\
triaged.toml:10:7: [store]: url is "mysql://db/triaged".
  Allowed: sqlite:///triaged.db, or postgresql+psycopg://user@host/database.""",
    ),
    "database in memory": (
        changed("sqlite:///triaged.db", "sqlite:///:memory:"),
        """\
triaged.toml:10:7: [store]: url is "sqlite:///:memory:".
  Allowed: sqlite:///triaged.db, or postgresql+psycopg://user@host/database.""",
    ),
    "tls none to another machine": (
        changed('host = "127.0.0.1"', 'host = "smtp.example.gov"'),
        """\
triaged.toml:28:7: [sender]: tls is none, but "smtp.example.gov" is not this machine.
  Allowed: implicit, starttls; none only for 127.0.0.1, ::1, localhost.""",
    ),
    "imap tls none": (
        changed('poll = "60s"', 'tls = "none"'),
        """\
triaged.toml:18:7: mailbox "mayor": tls is none, but "imap.example.gov" is not this machine.
  Allowed: implicit, starttls; none only for 127.0.0.1, ::1, localhost.""",
    ),
    "tls misspelt": (
        changed('tls = "none"', 'tls = "start-tls"'),
        """\
triaged.toml:28:7: [sender]: tls is "start-tls".
  Allowed: implicit, starttls, none. Did you mean starttls?""",
    ),
    "host with scheme": (
        changed('"imap.example.gov"', '"imaps://imap.example.gov"'),
        """\
triaged.toml:15:8: mailbox "mayor": host is "imaps://imap.example.gov".
  Allowed: the name or address of a server, such as imap.example.gov.""",
    ),
    "sender user without password": (
        changed('tls = "none"', 'tls = "none"\nuser = "triaged"'),
        """\
triaged.toml:25:1: [sender]: password is missing.
  Allowed: user and password (or oauth), or neither.""",
    ),
    "spool without path": (
        changed('kind = "smtp"', 'kind = "spool"'),
        """\
triaged.toml:25:1: [sender]: path is missing.
  Allowed: path: a path; a relative one starts from the folder of this file.""",
    ),
    "from is no address": (
        changed('"correspondence@example.gov"', '"Correspondence"'),
        """\
triaged.toml:29:8: [sender]: from is "Correspondence": it lacks the "@".
  Allowed: an e-mail address such as housing@example.gov.""",
    ),
    "review to": (
        changed('"reviewer@example.gov"', '"reviewer"'),
        """\
triaged.toml:32:7: [review]: to is "reviewer": it lacks the "@".
  Allowed: an e-mail address such as housing@example.gov.""",
    ),
    "review at": (
        changed('"08:30"', '"8:30"'),
        """\
triaged.toml:33:7: [review]: at is "8:30".
  Allowed: a time of day such as "08:30".""",
    ),
    "review at impossible": (
        changed('"08:30"', '"25:00"'),
        """\
triaged.toml:33:7: [review]: at is "25:00": hour must be in 0..23.
  Allowed: a time of day such as "08:30".""",
    ),
    "review at without quotes": (
        changed('"08:30"', "08:30:00"),
        """\
triaged.toml:33:7: [review]: at is 08:30:00.
  Allowed: a time of day such as "08:30".""",
    ),
    "promise in percent": (
        GOOD + "[promise]\nmisrouted = 2\n",
        """\
triaged.toml:35:13: [promise]: misrouted is 2.
  Allowed: a number from 0.0001 to 0.5.""",
    ),
    "promise true": (
        GOOD + "[promise]\nmisrouted = true\n",
        """\
triaged.toml:35:13: [promise]: misrouted is true.
  Allowed: a number from 0.0001 to 0.5.""",
    ),
    "backfill": (
        changed('poll = "60s"', 'backfill = "all"'),
        """\
triaged.toml:18:12: mailbox "mayor": backfill is "all".
  Allowed: none, read-only.""",
    ),
    "after": (
        changed('poll = "60s"', 'after = "Done"'),
        """\
triaged.toml:18:9: mailbox "mayor": after is "Done".
  Allowed: { processed = "Folder" }.""",
    ),
    "empty text": (
        changed('"Office of the Mayor"', '""'),
        """\
triaged.toml:2:8: [office]: name is empty.
  Allowed: text on one line.""",
    ),
    "line break in text": (
        changed('"Office of the Mayor"', '"Office\\r\\nBcc: x"'),
        """\
triaged.toml:2:8: [office]: name is "Office\\r\\nBcc: x": it holds a line break or an invisible character.
  Allowed: text on one line.""",
    ),
    "key without value": (
        changed('prefix = "MAY"', "prefix"),
        """\
triaged.toml:3:7: "prefix" has no value.
  Allowed: key = "value".""",
    ),
    "colon instead of equals": (
        changed('prefix = "MAY"', 'prefix: "MAY"'),
        """\
triaged.toml:3:7: "prefix: "MAY"" has no value.
  Allowed: key = "value".""",
    ),
    "bracket open": (
        changed('["en", "es"]', '["en", "es"'),
        """\
triaged.toml:9:1: a bracket is not closed, or a key is missing.
  Allowed: commas between, ] or } at the end.""",
    ),
    "quote open": (
        changed('"MAY"', '"MAY'),
        """\
triaged.toml:3:14: a quote is not closed.
  Allowed: the same quote at the end.""",
    ),
    "backslash": (
        changed('"maildir/leader"', '"C:\\mail"'),
        """\
triaged.toml:23:13: a \\ in double quotes begins an escape.
  Allowed: single quotes around it, or \\\\.""",
    ),
    "two on a line": (
        changed('prefix = "MAY"\n', 'prefix = "MAY" '),
        """\
triaged.toml:3:16: more text stands after the value.
  Allowed: one key a line, text in quotes: key = "value".""",
    ),
    "bad date": (
        changed('at = ["08:30"]', "at = [2026-02-30]"),
        """\
triaged.toml:33:7: the date does not exist.
  Allowed: a date such as 2027-03-01.""",
    ),
    "cp1252": (
        GOOD.replace("Mayor", "Bürgermeister").encode("cp1252"),
        """\
triaged.toml:2:24: byte 0xFC is not UTF-8.
  Allowed: text saved as UTF-8.""",
    ),
    "utf16": (
        GOOD.encode("utf-16"),
        """\
triaged.toml:1:1: the file is saved as UTF-16.
  Allowed: text saved as UTF-8.""",
    ),
    "binary": (
        b"\x7fELF\x02\x01\x01\x00",
        """\
triaged.toml:1:1: the control character U+007F stands here, as in no text file.
  Allowed: text saved as UTF-8.""",
    ),
    "yaml": (
        b"office:\n  name: Mayor\n",
        """\
triaged.toml:1:7: "office:" has no value.
  Allowed: key = "value".""",
    ),
    "four at once": (
        changed('"MAY"', '"may"')
        .replace('"60s"', '"often"')
        .replace('"08:30"', '"noon"')
        .replace('"correspondence@example.gov"', '"x"'),
        """\
triaged.toml:3:10: [office]: prefix is "may".
  Allowed: 2 to 8 capital letters and digits, a letter first, such as MAY.
triaged.toml:18:8: mailbox "mayor": poll is "often".
  Allowed: a time such as "60s", "5m" or "1h".
triaged.toml:29:8: [sender]: from is "x": it lacks the "@".
  Allowed: an e-mail address such as housing@example.gov.
triaged.toml:33:7: [review]: at is "noon".
  Allowed: a time of day such as "08:30".""",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_settings_is_told_with_its_place_and_what_is_allowed(mistake: str) -> None:
    text, expected = MISTAKES[mistake]
    with pytest.raises(WrongFile) as wrong:
        read_settings(text if isinstance(text, bytes) else text.encode(), "triaged.toml", FOLDER)
    assert str(wrong.value) == expected


@pytest.mark.parametrize(
    ("old", "new", "found", "ends"),
    [
        ('kind = "maildir"\n', "", 'triaged.toml:20:1: mailbox "leader": kind is missing.\n  Allowed: kind: imap, ', "."),
        ('"imap"', '"imaps"', 'triaged.toml:14:8: mailbox "mayor": kind is "imaps".\n  Allowed: imap, ', "Did you mean imap?"),
        ('"imap"', '"pop3"', 'triaged.toml:14:8: mailbox "mayor": kind is "pop3".\n  Allowed: imap, ', "."),
        ('"smtp"', '"sntp"', 'triaged.toml:26:8: [sender]: kind is "sntp".\n  Allowed: smtp, ', "Did you mean smtp?"),
    ],
)
def test_an_unknown_kind_is_told_with_the_kinds_there_are(old: str, new: str, found: str, ends: str) -> None:
    with pytest.raises(WrongFile) as wrong:
        read_settings(changed(old, new).encode(), "triaged.toml", FOLDER)
    assert str(wrong.value).startswith(found)
    assert str(wrong.value).endswith(ends)


@pytest.mark.parametrize("mistake", ["password in the file", "password in the database's address"])
def test_a_secret_in_the_file_is_never_repeated_in_a_message(mistake: str) -> None:
    text, _ = MISTAKES[mistake]
    assert "hunter2" in str(text)
    with pytest.raises(WrongFile) as wrong:
        read_settings(str(text).encode(), "triaged.toml", FOLDER)
    assert "hunter2" not in str(wrong.value)


def test_settings_say_what_the_file_says_and_paths_start_from_its_folder() -> None:
    settings = read_settings(GOOD.encode(), "triaged.toml", FOLDER)
    mayor, leader = settings.mailboxes
    assert settings.file == FOLDER / "triaged.toml"
    assert settings.office.rules == FOLDER / "rules.yaml"
    assert settings.office.model == SHIPPED_MODEL
    assert settings.store_url == "sqlite:////srv/triaged/triaged.db"
    assert isinstance(mayor.access, Imap)
    assert (mayor.access.port, mayor.access.tls, mayor.access.password) == (993, "implicit", Secret("credential", "mayor-imap"))
    assert (mayor.poll, mayor.addresses) == (timedelta(seconds=60), ("mayor@example.gov",))
    assert leader.access == Maildir(FOLDER / "maildir/leader")
    assert settings.review.at == (time(8, 30),)
    assert (settings.promise.misrouted, settings.promise.confidence) == (0.02, 0.95)


def test_the_optional_keys_are_read() -> None:
    more = changed(
        'poll = "60s"',
        'poll = "5m"\ntls = "starttls"\ntls_ca = "ca.pem"\nfolder = "Mail"\nbackfill = "read-only"\n'
        'after = { processed = "Done" }\naddresses = ["a@example.gov", "b@example.gov"]\noffice = "Office of the Leader"\nprefix = "LEA"\nlabels = true',
    )
    more += '[promise]\nmisrouted = 0.01\n[screen]\nwebforms = "form@example.gov"\n'
    settings = read_settings(more.encode(), "triaged.toml", FOLDER)
    mayor = settings.mailboxes[0]
    assert isinstance(mayor.access, Imap)
    assert (mayor.access.port, mayor.access.tls_ca, mayor.access.folder) == (143, FOLDER / "ca.pem", "Mail")
    assert (mayor.poll, mayor.backfill, mayor.processed) == (timedelta(minutes=5), "read-only", "Done")
    assert (mayor.labels, settings.mailboxes[1].labels) == (True, False)
    assert (mayor.addresses, mayor.office, mayor.prefix) == (("a@example.gov", "b@example.gov"), "Office of the Leader", "LEA")
    assert (settings.promise.misrouted, settings.webforms) == (0.01, ("form@example.gov",))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_mail_goes_without_tls_to_this_machine_only(host: str) -> None:
    settings = read_settings(changed('host = "127.0.0.1"', f'host = "{host}"').encode(), "triaged.toml", FOLDER)
    assert (settings.sender.host, settings.sender.tls) == (host, "none")


def test_an_absolute_database_file_stays_where_it_is() -> None:
    settings = read_settings(
        changed("sqlite:///triaged.db", "sqlite:////var/lib/triaged/t.db").encode(), "triaged.toml", FOLDER
    )
    assert settings.store_url == "sqlite:////var/lib/triaged/t.db"


def test_a_byte_order_mark_and_windows_line_ends_are_no_mistake() -> None:
    octets = b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()
    assert read_settings(octets, "triaged.toml", FOLDER) == read_settings(GOOD.encode(), "triaged.toml", FOLDER)


def test_columns_count_right_with_windows_line_ends() -> None:
    with pytest.raises(WrongFile) as wrong:
        read_settings(changed('"MAY"', '"may"').replace("\n", "\r\n").encode(), "triaged.toml", FOLDER)
    assert (wrong.value.problems[0].line, wrong.value.problems[0].column) == (3, 10)


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "none.toml", "cannot be read: no such file or directory"), (tmp_path, "is not a file")):
        with pytest.raises(WrongFile, match=why) as wrong:
            load_settings(path)
        assert str(path) in str(wrong.value)


def test_a_file_that_nobody_wrote_by_hand_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    (tmp_path / "triaged.toml").write_bytes(b"# " + b"x" * 300_000)
    with pytest.raises(WrongFile, match="is larger than 256,000 bytes"):
        load_settings(tmp_path / "triaged.toml")


def test_the_starter_file_is_right() -> None:
    starter = Path(__file__).parents[3] / "triaged/starter/triaged.toml"
    assert load_settings(starter).office.rules.is_file()


def test_the_settings_are_found_where_the_contract_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_settings("given.toml", {"TRIAGED_CONFIG": "named.toml"}) == Path("given.toml")
    assert find_settings(None, {"TRIAGED_CONFIG": "named.toml"}) == Path("named.toml")
    (tmp_path / "triaged.toml").touch()
    assert find_settings(None, {}) == Path("triaged.toml")


def places(node: Node, path: str = "") -> dict[str, tuple[int, int]]:
    """Return where each key and each item stands."""
    match node:
        case MapNode():
            inner = {f"{path}.{key.text}": (key.line, key.column) for key, _ in node.entries}
            return {**inner, **{place: at for key, each in node for place, at in places(each, f"{path}.{key.text}").items()}}
        case ListNode():
            found = {}
            for index, item in enumerate(node.items):
                found[f"{path}[{index}]"] = (item.line, item.column)
                found.update(places(item, f"{path}[{index}]"))
            return found
        case Scalar():
            return {f"{path}=": (node.line, node.column)}


def test_keys_and_values_are_found_in_every_form_of_toml() -> None:
    text = """\
# a comment = 1
[office]   # [not a table]
name = "a # b"
at = [ "x", # y ]
  'z]', \'\'\'
m " \'\'\', 5 ]
"quoted key".sub.'lit' = { a = 1, "b" = [ { c = 2026-01-01 08:30:00 } ] }
[[mailbox]]
name = "one"
[mailbox.after]
processed = true
[[mailbox]]
after.processed = false
"""
    tree = parse(text, Reading("triaged.toml"))
    assert tree is not None
    assert places(tree) == {
        ".office": (2, 1),
        ".mailbox": (8, 1),
        ".office.name": (3, 1),
        ".office.at": (4, 1),
        ".office.quoted key": (7, 1),
        ".office.name=": (3, 8),
        ".office.at[0]": (4, 8),
        ".office.at[0]=": (4, 8),
        ".office.at[1]": (5, 3),
        ".office.at[1]=": (5, 3),
        ".office.at[2]": (5, 9),
        ".office.at[2]=": (5, 9),
        ".office.at[3]": (6, 10),
        ".office.at[3]=": (6, 10),
        ".office.quoted key.sub": (7, 1),
        ".office.quoted key.sub.lit": (7, 1),
        ".office.quoted key.sub.lit.a": (7, 28),
        ".office.quoted key.sub.lit.b": (7, 35),
        ".office.quoted key.sub.lit.a=": (7, 32),
        ".office.quoted key.sub.lit.b[0]": (7, 43),
        ".office.quoted key.sub.lit.b[0].c": (7, 45),
        ".office.quoted key.sub.lit.b[0].c=": (7, 49),
        ".mailbox[0]": (8, 1),
        ".mailbox[0].name": (9, 1),
        ".mailbox[0].after": (10, 1),
        ".mailbox[0].name=": (9, 8),
        ".mailbox[0].after.processed": (11, 1),
        ".mailbox[0].after.processed=": (11, 13),
        ".mailbox[1]": (12, 1),
        ".mailbox[1].after": (13, 1),
        ".mailbox[1].after.processed": (13, 1),
        ".mailbox[1].after.processed=": (13, 19),
    }


LINES = st.sampled_from(
    [*GOOD.splitlines(), "[a.b]", "[[a.b]]", "x.y = 1", 'k = """', "'''", "a = [", "]", "{ b = 1 }", "x = {", "}", '"q" = 1']
)


@given(st.one_of(st.text(), st.lists(LINES).map("\n".join)))
def test_any_text_gives_settings_or_a_wrong_file(text: str) -> None:
    with suppress(WrongFile):
        read_settings(text.encode("utf-8", "surrogatepass"), "triaged.toml", FOLDER)


@given(st.binary())
def test_any_bytes_give_settings_or_a_wrong_file(octets: bytes) -> None:
    with pytest.raises(WrongFile):
        read_settings(octets, "triaged.toml", FOLDER)


KEYS = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=8)
VALUES = st.recursive(
    st.one_of(
        st.integers(-5, 5).map(str), st.booleans().map(lambda b: str(b).lower()), st.just('"t # ] \\" x"'), st.just("'\\'")
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[ {', '.join(items)} ]"),
        st.dictionaries(KEYS, inner, max_size=3).map(lambda d: "{" + ", ".join(f"{k} = {v}" for k, v in d.items()) + "}"),
    ),
    max_leaves=6,
)


@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_every_key_stands_where_the_locator_says(table: dict[str, str]) -> None:
    text = "".join(f"  {key} = {value}  # {key} = 0\n" for key, value in table.items())
    tree = parse(text, Reading("triaged.toml"))
    assert tree is not None
    lines = text.splitlines()
    assert [key.text for key, _ in tree] == list(table)
    for key, value in tree:
        assert lines[key.line - 1][key.column - 1 :].startswith(key.text)
        assert lines[value.line - 1][value.column - 1 :].startswith(table[key.text])
