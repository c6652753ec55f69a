"""When an edited file counts: settled, whole, and told once. Time is a number that the test turns."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.installation import RULES, Installation
from triaged.office import Office
from triaged.rulebook.last_good import Watcher, open_in_use
from triaged.settings.file import load_settings
from triaged.store.engine import migrate, open_engine

NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
BOILER = RULES.replace("words: [heat]", "words: [boiler]")


class Desk:
    """An office, its watcher, and a clock to turn."""

    def __init__(self, folder: Path) -> None:
        self.installation = Installation(folder)
        settings = load_settings(self.installation.config)
        engine = open_engine(settings.store_url)
        migrate(engine)
        self.seconds = 0.0
        self.office = open_in_use(settings, engine, self.clock)
        self.watcher = Watcher(engine, self.clock, lambda: self.seconds)

    @staticmethod
    def clock() -> datetime:
        return NOW

    def save(self, text: str) -> None:
        self.installation.rules.write_text(text)

    def look(self, after: float = 2.0) -> Office | None:
        self.seconds += after
        new = self.watcher.look(self.office)
        self.office = new or self.office
        return new

    def settle(self, seconds: float = 30.0) -> int:
        """Look every two seconds; return how often new rules were taken."""
        return sum(self.look() is not None for _ in range(int(seconds / 2)))

    def told(self) -> int:
        return len(self.installation.sent("editor@example.gov"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_file_that_does_not_change_is_never_taken_again(desk: Desk) -> None:
    assert desk.settle() == 0


def test_an_edit_is_taken_once(desk: Desk) -> None:
    desk.settle()
    desk.save(BOILER)
    assert desk.settle() == 1
    assert desk.settle() == 0


def test_a_file_that_is_being_written_is_left_alone(desk: Desk) -> None:
    desk.settle()
    for end in range(len(BOILER) // 2, len(BOILER), 40):  # longer with every look
        desk.save(BOILER[:end])
        assert desk.look() is None
    desk.save(BOILER)
    assert desk.look() is None
    assert desk.look() is not None


def test_a_half_written_save_with_a_pause_is_told_to_nobody(desk: Desk) -> None:
    editor = "version: 1\neditors: editor@example.gov"
    desk.save(RULES.replace("version: 1", editor))
    desk.settle()
    desk.save(RULES.replace("version: 1", editor)[:-40])  # ends inside a rule
    desk.settle(6)
    desk.save(BOILER.replace("version: 1", editor))
    assert desk.settle() == 1
    assert desk.told() == 0


def test_a_missing_file_between_two_steps_of_an_editor_does_no_harm(desk: Desk) -> None:
    desk.settle()
    desk.installation.rules.unlink()
    assert desk.look() is None
    desk.save(BOILER)
    assert desk.settle() == 1


@pytest.mark.parametrize(
    "spoil", [lambda text: text + "rulez: []\n", lambda text: "", lambda text: text.replace("heat}", "h}")]
)
def test_each_mistake_is_told_once_and_a_new_one_anew(desk: Desk, spoil: Callable[[str], str]) -> None:
    good = RULES.replace("version: 1", "version: 1\neditors: editor@example.gov")
    desk.save(good)
    assert desk.settle() == 1
    desk.save(spoil(good))
    assert desk.settle(60) == 0
    assert desk.told() == 1
    desk.save("departments: {}\n")
    desk.settle(60)
    assert desk.told() == 2


def test_going_back_to_the_rules_in_use_ends_the_trouble_without_taking_anything(desk: Desk) -> None:
    desk.settle()
    desk.save("nonsense")
    desk.settle()
    desk.save(RULES)
    assert desk.settle() == 0
    assert "the rules are wrong" not in desk.installation.triaged("status", "--json", status=0)


STORM = """\
version: 1
name: Storm
starts: 2026-11-20
ends: 2026-11-30
rules:
  - name: Floods
    when: {subject: {words: [flood]}}
    then: {topic: trees}
"""


def test_a_surge_is_taken_when_its_file_comes_and_ends_when_it_goes(desk: Desk) -> None:
    desk.settle()
    folder = desk.installation.folder / "rules.d"
    folder.mkdir()
    (folder / "storm.yaml").write_text(STORM)
    assert desk.settle() == 1
    assert [surge.name for surge in desk.office.rules.surges] == ["Storm"]
    (folder / "storm.yaml").unlink()
    assert desk.settle() == 1
    assert desk.office.rules.surges == ()


def test_a_wrong_surge_leaves_the_rules_in_use_and_is_told_with_its_file(desk: Desk) -> None:
    desk.save(RULES.replace("version: 1", "version: 1\neditors: editor@example.gov"))
    assert desk.settle() == 1
    (desk.installation.folder / "rules.d").mkdir()
    (desk.installation.folder / "rules.d/storm.yaml").write_text(STORM.replace("trees}", "treez}"))
    assert desk.settle() == 0
    (mail,) = desk.installation.sent("editor@example.gov")
    assert mail["Subject"].startswith("rules.d/storm.yaml has a mistake")
    assert "Did you mean trees?" in mail.get_content()
