"""What staff see of their rules over time: how often each applied, rules that are only tried out, what a change would mean."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.installation import RULES, Installation, letter

SHADOW = """\
  - name: Cold homes go to parks
    when: {subject: {words: [heat]}}
    then: {department: parks, add_flag: cold}
    shadow: true
"""


def received(installation: Installation, subjects: Sequence[str]) -> Installation:
    for number, subject in enumerate(subjects, 1):
        installation.receive(letter(number, subject))
    installation.run_once()
    return installation


def listed(installation: Installation) -> dict[str, tuple[str, int]]:
    rows = json.loads(installation.triaged("rules", "list", "--json"))
    assert all(bool(row["last"]) is (row["applied"] > 0) for row in rows)
    return {row["rule"]: (row["state"], row["applied"]) for row in rows}


def test_every_rule_knows_how_often_it_applied_and_when_last(installation: Installation) -> None:
    received(installation, ["No heat", "A tree fell", "Heat, please", "Hello"])
    assert listed(installation) == {"Heat": ("in use", 2), "Trees": ("in use", 1), "Somebody must read gifts": ("in use", 0)}
    assert "rules.yaml:15\tSomebody must read gifts\tin use\t0\tnever" in installation.triaged("rules", "list")


def test_a_rule_in_the_shadow_is_counted_and_reported_and_never_acts(installation: Installation) -> None:
    installation.rules.write_text(RULES + SHADOW)
    record = received(installation, ["No heat"]).only()
    assert (record["departments"], record["flags"]) == (["housing"], ["no_heat"])
    (reason,) = [reason for reason in record["reasons"] if reason["by"] == "shadow"]
    assert reason["name"] == "Cold homes go to parks"
    assert reason["because"] == "subject has “heat” → department parks; flag cold"
    assert listed(installation)["Cold homes go to parks"] == ("shadow", 1)
    (handoff,) = installation.sent("housing")
    assert "→ department parks" not in handoff.as_string()
    assert installation.sent("parks") == []


def test_a_rule_that_leaves_the_shadow_counts_anew(installation: Installation) -> None:
    installation.rules.write_text(RULES + SHADOW)
    received(installation, ["No heat"])
    installation.rules.write_text(RULES + SHADOW.replace("    shadow: true\n", ""))
    assert listed(installation)["Cold homes go to parks"] == ("in use", 0)


@pytest.fixture
def wide(installation: Installation) -> Path:
    """Rules that differ: trees are urgent, and heat in a subject with "school" is for parks."""
    new = installation.folder / "new.yaml"
    school = "  - name: Schools\n    when: {subject: {words: [school]}}\n    then: {department: parks}\n"
    new.write_text(RULES.replace("then: {topic: trees}", "then: {topic: trees, urgency: high}") + school)
    return new


def test_a_dry_run_tells_which_letters_would_come_out_differently_and_why(installation: Installation, wide: Path) -> None:
    received(installation, ["No heat", "A tree fell", "No heat at school", "My tree", "A gift"])
    before = installation.triaged("export")
    told = json.loads(installation.triaged("rules", "diff", str(wide), "--json"))
    assert (told["compared"], told["changed"], told["asked_anew"]) == (5, 3, 0)
    assert told["groups"] == [
        {"letters": 2, "turns": [{"what": "urgency", "before": "normal", "after": "high"}]},
        {"letters": 1, "turns": [{"what": "department", "before": "housing", "after": "parks"}]},
    ]
    assert [(each["subject"], each["rules"]) for each in told["letters"]] == [
        ("A tree fell", ["Trees"]),
        ("No heat at school", ["Schools"]),
        ("My tree", ["Trees"]),
    ]
    assert installation.triaged("export") == before  # nothing was touched


def test_a_dry_run_says_it_in_a_sentence_and_a_table(installation: Installation, wide: Path) -> None:
    received(installation, ["A tree fell", "No heat"])
    said = installation.triaged("rules", "diff", str(wide))
    whole = "1 of 2 letters of the last 30 days would come out differently: 1 urgency normal → high"
    assert said.splitlines()[0] == whole
    assert "A tree fell\turgency normal → high\tTrees" in said


def test_the_same_rules_change_nothing(installation: Installation) -> None:
    received(installation, ["A tree fell", "No heat"])
    said = installation.triaged("rules", "diff", str(installation.rules), "--days", "7")
    assert said == "0 of 2 letters of the last 7 days would come out differently.\n"


def test_the_page_for_the_director_escapes_what_citizens_write(installation: Installation, wide: Path) -> None:
    received(installation, ["A tree <script>alert(1)</script>"])
    page = installation.folder / "diff.html"
    installation.triaged("rules", "diff", str(wide), "--html", str(page))
    text = page.read_text(encoding="utf-8")
    assert "<script>" not in text
    assert "A tree &lt;script&gt;" in text
    assert "<b>1 of 1</b>" in text


def test_new_rules_with_a_mistake_are_not_tried(installation: Installation, wide: Path) -> None:
    wide.write_text("version: 1\nrules: [\n")
    assert "new.yaml" in installation.triaged("rules", "diff", str(wide), status=2)


def test_the_rules_that_ship_are_tested_and_compared_with_themselves(installation: Installation) -> None:
    shipped = str(Path(__file__).parents[2] / "triaged/starter/rules.yaml")
    received(installation, ["A tree fell", "No heat"])
    tried = installation.triaged("rules", "test", shipped)
    passed, _, rest = tried.splitlines()[-1].partition(" of ")
    assert int(passed) > 90
    assert rest.startswith(f"{passed} examples and tests")
    assert " of 2 letters of the last 30 days" in installation.triaged("rules", "diff", shipped)


def test_a_surge_says_a_word_to_the_writers_that_it_concerns_and_to_nobody_else(installation: Installation) -> None:
    today = datetime.now(UTC).date()
    (installation.folder / "rules.d").mkdir()
    (installation.folder / "rules.d/storm.yaml").write_text(
        f"version: 1\nname: Storm\nstarts: {today - timedelta(days=2)}\nends: {today + timedelta(days=2)}\n"
        "acknowledge:\n  en: Is water in your home? <Call> 311.\n"
        "rules:\n  - name: Floods\n    when: {subject: {words: [flood]}}\n    then: {topic: heat}\n"
    )
    received(installation, ["A flood", "A tree fell"])
    (flooded,), (tree,) = installation.sent("writer1@"), installation.sent("writer2@")
    text, html = (flooded.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
    thanks, added = text.replace("\r\n", "\n").split("\n\n")[:2]
    assert thanks.startswith("Thank you for your message")
    assert added == "Is water in your home? <Call> 311."
    assert "&lt;Call&gt; 311." in html
    assert "311" not in tree.as_string()
    assert "rules.d/storm.yaml:8\tFloods\tin use until" in installation.triaged("rules", "list")


def test_explain_shows_each_rules_turn_the_models_words_and_its_threshold(installation: Installation) -> None:
    installation.rules.write_text(RULES + SHADOW)
    file = installation.folder / "letter.eml"
    file.write_bytes(letter(1, "No heat"))
    reference = received(installation, ["No heat"]).only()["reference"]
    for told in (file, reference):
        said = installation.triaged("explain", str(told))
        assert "✓ rules.yaml:9  Heat: subject has “heat” → topic heat" in said
        assert "  rules.yaml:12  Trees: not so: subject has “tree”" in said
        assert "○ rules.yaml:18  Cold homes go to parks: subject has “heat” → department parks" in said
        assert re.search(r"^  acts alone  (yes|no: )", said, re.MULTILINE)
        assert re.search(r"^  words .*“heat”", said, re.MULTILINE)
    installation.triaged("rules", "explain", str(file))


def test_explain_says_why_no_rule_looks_at_what_is_no_letter(installation: Installation) -> None:
    file = installation.folder / "away.eml"
    file.write_bytes(letter(1, "Away", Auto_Submitted="auto-replied"))
    assert "No rule looks at it: " in installation.triaged("explain", str(file))
