"""rules.yaml → Rules: what is read, what is refused, and that nothing else happens."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.rules.office import HEAD, rule, rules_of
from triaged.files.problem import WrongFile
from triaged.message import Urgency
from triaged.rules.due import Unit, Within
from triaged.rules.load import load_rules, read
from triaged.rules.schema import Action, UrgencyChange

FULL = f"""{HEAD}rules:
  - name: All there is
    when: always
    then:
      topic: heat
      departments: [press, housing]
      copy_to: log@example.gov
      urgency: at least high
      add_flag: [a, b]
      acknowledge: gift
      hold: Look
      close: Done
      move: Old/Mail
      stop: true
    expires: 2027-03-01
    examples:
      match: one text
      no match: [another, {{from: A <a@example.org>, subject: x, received: 2026-01-01, flags: [a]}}]
tests:
  - name: T
    message: {{topic: heat, confidence: 80%, accepted: false, kind: list, attachments: a.pdf, is_reply: true}}
    expect: {{departments: housing, acknowledge: false}}
"""


def wrongs(text: str | bytes) -> str:
    """Return what is said of a file."""
    with pytest.raises(WrongFile) as wrong:
        read(text if isinstance(text, bytes) else text.encode(), "rules.yaml")
    return str(wrong.value)


def test_every_action_is_read() -> None:
    assert read(FULL.encode(), "rules.yaml").rules[0].then == Action(
        topic="heat",
        departments=("press", "housing"),
        copy_to=("log@example.gov",),
        urgency=UrgencyChange(Urgency.HIGH, at_least=True),
        add_flag=("a", "b"),
        acknowledge=True,
        template="gift",
        hold="Look",
        close="Done",
        move="Old/Mail",
        stop=True,
    )


def test_expiry_examples_and_tests_are_read() -> None:
    rules = read(FULL.encode(), "rules.yaml")
    one, two, three = rules.rules[0].examples
    assert rules.rules[0].expires == date(2027, 3, 1)
    assert (one.matches, two.matches, three.matches) == (True, False, False)
    assert one.sample.message.subject == one.sample.message.text == "one text"
    assert (three.sample.message.sender.name, three.sample.received) == ("A", date(2026, 1, 1))
    test = rules.tests[0]
    assert (test.sample.confidence, test.sample.accepted) == (0.8, False)
    assert (test.expect.departments, test.expect.acknowledge, test.expect.status) == (("housing",), False, None)


def test_departments_and_topics_are_read() -> None:
    rules = rules_of()
    assert rules.departments["housing"].respond_within == Within(10, Unit.BUSINESS_DAYS)
    assert rules.departments["streets"].respond_within == Within(14, Unit.DAYS)
    assert rules.departments["streets"].to == ("streets@example.gov", "roads@example.gov")
    assert not rules.departments["safety"].acknowledge
    assert rules.topics["both"].departments == ("housing", "streets")
    assert rules.lists["council"] == {"@council.example.gov", "mayor.friend@example.org"}
    assert str(rules.topics["heat"].at) == "rules.yaml:8"


def test_words_that_other_yaml_takes_for_no_or_a_date_are_words() -> None:
    rules = rules_of(rule("{any_text: {words: [no, on, yes, 2027-03-01, 911, 1_000]}}"))
    assert "“no” or “on” or “yes” or “2027-03-01”" in str(rules.rules[0].when)


def test_parts_may_be_written_once_and_used_twice() -> None:
    rules = rules_of(rule("&cats {subject: cat}") + rule("*cats", name="S"))
    assert rules.rules[0].when == rules.rules[1].when


def test_aliases_that_multiply_are_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))]
    assert "the file holds too many values" in wrongs("\n".join(lines))


def test_a_part_cannot_hold_itself() -> None:
    assert '"*a" refers to nothing above it' in wrongs("a: &a [*a]")


def test_thousands_of_brackets_are_refused() -> None:
    assert "too deep" in wrongs("a: " + "[" * 5_000)


def test_all_problems_of_a_file_come_in_one_go_from_top_to_bottom() -> None:
    text = wrongs(
        HEAD.replace("urgency: low", "urgency: lo") + "rules:\n" + rule("{subjct: a}") + rule("{body: b}", "{topic: hat}", "S")
    )
    assert [line.partition(": ")[0] for line in text.splitlines() if line.startswith("rules")] == [
        "rules.yaml:9:41",
        "rules.yaml:19:12",
        "rules.yaml:23:19",
    ]


@pytest.mark.parametrize("text", ["k: !!python/object/apply:os.system [ls]", "!!set {a}", "a: !include x"])
def test_a_tag_builds_nothing(text: str) -> None:
    assert "the tag" in wrongs(text)


# files


def write(folder: Path, lists: str, name: str = "council.txt") -> Path:
    (folder / name).write_text(lists, encoding="utf-8")
    path = folder / "rules.yaml"
    path.write_text(HEAD.replace('["@council.example.gov", mayor.friend@example.org]', f"{{file: {name}}}"), encoding="utf-8")
    return path


def test_a_list_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    path = write(tmp_path, "# people\n\n  A@Example.org  # the chair\n@council.example.gov\n")
    assert load_rules(path).lists["council"] == {"a@example.org", "@council.example.gov"}


def test_a_mistake_in_a_lists_file_is_told_with_that_files_line(tmp_path: Path) -> None:
    path = write(tmp_path, "a@example.org\n council.example.gov # all\n")
    with pytest.raises(WrongFile) as wrong:
        load_rules(path)
    assert str(wrong.value) == (
        'council.txt:2:2: the line is "council.example.gov": a whole domain is written "@council.example.gov".\n'
        '  Allowed: an e-mail address, or "@example.gov" for a whole domain.'
    )


def test_a_lists_file_that_is_missing_or_no_text_is_told_where_it_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "")
    (tmp_path / "council.txt").write_bytes(b"caf\xe9")
    with pytest.raises(WrongFile, match=r"rules.yaml:16:19: list \"council\": council.txt:1:4: byte 0xE9 is not UTF-8"):
        load_rules(path)
    (tmp_path / "council.txt").unlink()
    with pytest.raises(WrongFile, match=r"rules.yaml:16:19: list \"council\": .*council.txt cannot be read: no such file"):
        load_rules(path)


def test_lists_lie_beside_the_file_that_a_link_leads_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    write(tmp_path / "real", "a@example.org")
    (tmp_path / "rules.yaml").symlink_to("real/rules.yaml")
    assert load_rules(tmp_path / "rules.yaml").lists["council"] == {"a@example.org"}


def test_a_file_that_is_not_there_or_a_folder_or_a_pipe_is_told_and_never_waited_for(tmp_path: Path) -> None:
    with pytest.raises(WrongFile, match=r"^rules.yaml: .*rules.yaml cannot be read: no such file or directory.$"):
        load_rules(tmp_path / "rules.yaml")
    with pytest.raises(WrongFile, match="is not a file"):
        load_rules(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(WrongFile, match="is not a file"):
        load_rules(tmp_path / "pipe")


@pytest.fixture
def ordinary_user() -> Iterator[None]:
    """Go on as a user whom permissions bind; root may read every file."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield
    if root:
        os.seteuid(0)


def test_a_file_that_we_may_not_read_is_told(tmp_path: Path, ordinary_user: None) -> None:
    path = tmp_path / "rules.yaml"
    with suppress(PermissionError):  # the folder may be root's
        path.touch()
        path.chmod(0)
    with pytest.raises(WrongFile, match="cannot be read: permission denied"):
        load_rules(path)


def test_a_file_that_nobody_wrote_by_hand_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_bytes(b"# " + b"x" * 1_100_000)
    with pytest.raises(WrongFile, match="is larger than 1,000,000 bytes"):
        load_rules(tmp_path / "rules.yaml")


# any text

WHOLE = (
    HEAD + "rules:\n" + rule("{any: [{subject: a}, {topic: heat}]}", "{urgency: at least high}") + FULL.partition("rules:\n")[2]
).splitlines()
LINES = st.lists(
    st.sampled_from([*WHOLE, "---", "...", "- &a x", "- *a", "<<: *a", "? [a]", ": b", "k: |", "\tx: 1", "%YAML 1.1", "'", '"'])
)


@given(st.one_of(st.text(), st.text("abc:-{}[]&*!|>'\"%@`#,? \n\t\\", max_size=60), LINES.map("\n".join)))
def test_any_text_gives_rules_or_a_wrong_file(text: str) -> None:
    with suppress(WrongFile):
        read(text.encode("utf-8", "surrogatepass"), "rules.yaml")


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 80), st.text(max_size=3))
def test_any_slip_of_the_keyboard_gives_rules_or_a_wrong_file(line: int, column: int, typed: str) -> None:
    lines = list(WHOLE)
    lines[line] = lines[line][:column] + typed + lines[line][column + 1 :]
    with suppress(WrongFile):
        read("\n".join(lines).encode("utf-8", "surrogatepass"), "rules.yaml")


@given(st.binary(max_size=200))
def test_any_bytes_give_a_wrong_file(octets: bytes) -> None:
    with pytest.raises(WrongFile):
        read(octets, "rules.yaml")


def test_reading_rules_loads_nothing_heavy() -> None:
    heavy = ("pydantic", "sklearn", "spacy", "sqlalchemy")
    code = f"import sys, triaged.rules.load, triaged.rules.check; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
