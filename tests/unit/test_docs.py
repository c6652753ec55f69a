"""The documents against the program: what they name exists, and what exists they name."""

import re
import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest

from triaged import cli
from triaged.message import MOVES, Address, Kind, Record, State, Status, Urgency
from triaged.report.record import as_json
from triaged.settings.file import FILE

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def code(text: str) -> Iterator[str]:
    """Give every line of code of a page: of its blocks, and what stands in backticks."""
    for block in FENCE.findall(text):
        yield from block.replace("\\\n", " ").splitlines()
    yield from INLINE.findall(FENCE.sub("", text))


def calls(text: str) -> Iterator[list[str]]:
    """Give the arguments of every call of triaged in a page's code."""
    for line in code(text):
        for part in re.split(r"&&|\|\||[|;,]", line):
            words = _words(part)
            while words and (words[0] in ("$", "sudo", "runuser", "-u", "--") or "=" in words[0] or words[1:2] == ["--"]):
                words = words[1:]
            if words and words[0].rpartition("/")[2] == "triaged" and len(words) > 1 and not words[0].startswith("/opt"):
                yield words[1:]


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:  # an apostrophe in a transcript
        return line.split()


def find(arguments: list[str]) -> tuple[click.Command, list[str]]:
    """Return the command that a call reaches, and its options; fail if there is none."""
    command: click.Command = cli.triaged
    context = click.Context(command)
    rest = list(arguments)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(context, rest[0])
        assert found is not None, f"there is no command {rest[0]!r}"
        command, rest = found, rest[1:]
    return command, [word.partition("=")[0] for word in rest if word.startswith("--") and len(word) > 2]


def settings_in_guide() -> dict[str, set[str]]:
    """Return the keys that the administrator's guide has a row for, by table."""
    guide = (ROOT / "docs/administrator.md").read_text(encoding="utf-8")
    found: dict[str, set[str]] = {}
    section = guide.partition("## triaged.toml, key by key")[2].partition("\n## ")[0]
    for heading, body in re.findall(r"^### \[*(\w+)\]*\n(.*?)(?=^###|\Z)", section, re.MULTILINE | re.DOTALL):
        found[heading] = set(re.findall(r"^\| `(\w+)` \|", body, re.MULTILINE))
    return found


def settings_known() -> dict[str, set[str]]:
    """Return the keys that triaged.toml may have, by table; `oauth` stands in several."""
    tables: dict[str, Any] = FILE.schema()["properties"]  # type: ignore[assignment]
    shapes = {name: table.get("items", {}).get("anyOf", [table]) for name, table in tables.items()}
    known = {name: {key for kind in kinds for key in kind["properties"]} for name, kinds in shapes.items()}
    every = [key for kinds in shapes.values() for kind in kinds for key in kind["properties"].items()]
    return known | {"oauth": {key for name, oauth in every if name == "oauth" for key in oauth["properties"]}}


def slug(heading: str) -> str:
    """Return the anchor that a heading gets where the documents are read."""
    words = re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).lower())
    return words.replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_command_and_option_that_a_page_names_exists(page: Path) -> None:
    for arguments in calls(page.read_text(encoding="utf-8")):
        command, options = find(arguments)
        known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        known |= {"--help", "--version"}
        assert set(options) <= known, f"triaged {' '.join(arguments)}: {set(options) - known} unknown"


def test_a_command_that_does_not_exist_would_be_found() -> None:
    assert list(calls("`triaged frobnicate --now`")) == [["frobnicate", "--now"]]
    assert list(calls("```sh\nX=1 .venv/bin/triaged run --once && triaged status\n```\n")) == [["run", "--once"], ["status"]]
    assert list(calls("`runuser -u triaged -- triaged status`")) == [["status"]]
    with pytest.raises(AssertionError, match="frobnicate"):
        find(["frobnicate", "--now"])


def test_every_command_is_documented() -> None:
    named = {arguments[0] for page in PAGES for arguments in calls(page.read_text(encoding="utf-8"))}
    assert set(cli.triaged.list_commands(click.Context(cli.triaged))) <= named


def test_every_key_of_triaged_toml_is_in_the_guide_and_the_guide_names_no_other() -> None:
    assert settings_in_guide() == settings_known()


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{target} leads nowhere"
        if anchor:
            anchors = {slug(heading) for heading in HEADING.findall(file.read_text(encoding="utf-8"))}
            assert anchor in anchors, f"{target}: no such heading"


def test_every_guide_is_in_the_index() -> None:
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    linked = {(ROOT / "docs" / target.partition("#")[0]).resolve() for target in LINK.findall(index)}
    guides = {page for page in PAGES if page.parent == ROOT / "docs"}
    assert guides - linked == {ROOT / "docs/README.md"}


def test_the_states_of_a_delivery_stand_in_the_architecture_as_they_are() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ((?:`\w+`(?:, )?)+) \|", page, re.MULTILINE)
    written: Mapping[State, set[State]] = {
        State(old): {State(new) for new in INLINE.findall(moves)} for old, moves in rows if old in set(State)
    }
    assert written == {old: set(moves) for old, moves in MOVES.items()}


def test_the_record_of_a_message_has_the_keys_that_the_architecture_promises() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    section = page.partition("## The record of a message")[2].partition("\n## ")[0]
    record = Record(
        *("MAY-2026-000001", "mayor", "<a@example.org>", datetime(2026, 11, 24, tzinfo=UTC), Address("", ""), "", Kind.LETTER),
        *("en", None, None, (), Urgency.NORMAL, (), None, (), Status.REVIEW, ()),
    )
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(as_json(record))
