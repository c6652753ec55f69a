"""What is wrong with rules that can be read, and trying them on staff's own letters."""

# ruff: noqa: E501
from datetime import date

import pytest

from tests.unit.rules.office import HEAD, TODAY, opinion, rule, rules_of
from triaged.files.problem import say
from triaged.message import Assessment, Message
from triaged.rules.check import Surroundings, check, try_examples, try_tests
from triaged.rules.load import read

USED = rule("{from: {in: council}}", "{department: press}", "Council")


def said(rules: str = USED, tests: str = "", around: Surroundings | None = None, today: date = TODAY) -> list[str]:
    """Return what a check says of rules."""
    return [say(problem) for problem in check(rules_of(rules, tests), today, around)]


def test_rules_without_fault_pass() -> None:
    assert said() == []


def test_a_rule_behind_one_that_stops_every_letter_is_told() -> None:
    rules = USED + rule("always", "{stop: true}", "Enough") + rule("{subject: a}", "{topic: heat}", "Late")
    assert said(rules) == [
        'rules.yaml:24:5: warning: rule "Late" never acts: "Enough" in line 21 stops before it.\n  Allowed: a place above it, or another condition.'
    ]


def test_a_rule_behind_one_with_the_same_condition_that_stops_is_told() -> None:
    rules = USED + rule("{subject: a}", "{stop: true}", "One") + rule("{subject: a}", "{topic: heat}", "Two")
    assert 'rule "Two" never acts: "One" in line 21 stops before it' in said(rules)[0]


@pytest.mark.parametrize("between", ["{subject: b}", "{body: a}"])
def test_a_rule_behind_one_that_stops_other_letters_is_fine(between: str) -> None:
    assert said(USED + rule(between, "{stop: true}", "One") + rule("{subject: a}", "{topic: heat}", "Two")) == []


def test_a_stop_that_expires_hides_nothing_for_good() -> None:
    stop = rule("always", "{stop: true}", "Enough", "    expires: 2026-12-24\n")
    assert said(USED + stop + rule("{subject: a}", "{topic: heat}", "Late")) == []


def test_an_expired_rule_is_told() -> None:
    rules = USED + rule("{subject: a}", name="Old", more="    expires: 2026-11-23\n")
    assert said(rules) == [
        'rules.yaml:21:5: warning: rule "Old" is out of use since 2026-11-23.\n  Allowed: a later date, or delete it.'
    ]


def test_departments_and_lists_that_nobody_names_are_told() -> None:
    text = HEAD.replace("topics:", "  lost: {name: Lost, to: lost@example.gov}\ntopics:") + "rules:\n" + rule("{subject: a}")
    assert [say(problem) for problem in check(read(text.encode(), "rules.yaml"), TODAY)] == [
        'rules.yaml:7:9: warning: no topic or rule names department "lost".',
        'rules.yaml:17:3: warning: no rule names list "council".',
    ]


def test_a_flag_that_nothing_sets_is_told_with_what_was_meant() -> None:
    rules = USED + rule("{flag: evicton}", "{add_flag: purple}", "A") + rule("{flag: purple}", name="B")
    (found,) = said(rules)
    assert found.startswith('rules.yaml:22:18: warning: nothing sets flag "evicton".')
    assert found.endswith("Did you mean eviction?")


def test_a_mailbox_that_settings_do_not_have_is_told() -> None:
    found = said(USED + rule("{mailbox: mayr}", name="A"), around=Surroundings(mailboxes=("mayor", "leader")))
    assert found == [
        'rules.yaml:22:21: warning: triaged.toml has no mailbox "mayr".\n  Allowed: leader, mayor. Did you mean mayor?'
    ]


def test_a_template_that_is_not_there_keeps_the_file_out_of_use() -> None:
    found = check(
        rules_of(USED + rule("{subject: a}", "{acknowledge: gifts}", "A")), TODAY, Surroundings(templates=("gift", "storm"))
    )
    assert [(say(problem), problem.warning) for problem in found] == [
        ('rules.yaml:21:5: rule "A": there is no template "gifts".\n  Allowed: gift, storm. Did you mean gift?', False)
    ]


def test_topics_that_only_one_of_rules_and_model_knows_are_told() -> None:
    model = ("heat", "noise", "pothole", "media", "both", "violence", "helth", "dragons")
    first, second = said(around=Surroundings(topics=model))
    assert first == (
        "rules.yaml: warning: the model knows topics that this file does not: helth, dragons; such letters go to a person."
    )
    assert second == (
        'rules.yaml:14:11: warning: the model does not know topic "health"; only rules can set it.\n  Did you mean helth?'
    )


# examples and tests

EXAMPLES = """\
    examples:
      match:
        - a dog barks
        - {subject: nothing, body: dogs}
      no match:
        - a cat
        - my dog
"""


def test_an_example_that_comes_out_wrong_is_told_with_its_place_and_why() -> None:
    rules = USED + rule("{any_text: {words: [dog]}}", name="Dogs", more=EXAMPLES)
    assert said(rules) == [
        'rules.yaml:27:11: rule "Dogs": the example "dogs" does not match: not so: subject or text has “dog”.\n  Allowed: it stands under match.',
        'rules.yaml:30:11: rule "Dogs": the example "my dog" matches: subject or text has “dog”.\n  Allowed: it stands under no match.',
    ]
    assert [trial.passed for trial in try_examples(rules_of(rules), TODAY)] == [True, False, True, False]


@pytest.mark.parametrize(
    ("when", "sample"),
    [
        ("{from: {in: council}}", "{from: A <a@council.example.gov>}"),
        ("{to: a@example.org}", "{to: a@example.org}"),
        ("{cc: a@example.org}", "{cc: [b@example.org, a@example.org]}"),
        ("{topic: heat, confidence: {above: 90%}}", "{topic: heat}"),
        ("{topic: heat, confidence: {below: 50%}}", "{topic: heat, confidence: 0.4}"),
        ("{language: es}", "{language: es}"),
        ("{flag: eviction}", "{flags: eviction}"),
        ("{campaign: er}", "{campaign: er}"),
        ("{mailbox: leader}", "{mailbox: leader}"),
        ("{urgency: high}", "{urgency: high}"),
        ("{header: {X-A: b}}", "{headers: {X-A: abc}}"),
        ("{attachment: pdf}", "{attachments: [a.pdf]}"),
        ("{is_reply: true}", "{is_reply: true}"),
        ("{received: {above: 2026-12-31}}", "{received: 2027-01-01}"),
    ],
)
def test_an_example_can_say_all_that_a_condition_asks(when: str, sample: str) -> None:
    rules = rules_of(rule(when, more=f"    examples: {{match: [{sample}], no match: [x]}}\n"))
    assert [trial.passed for trial in try_examples(rules, TODAY)] == [True, True]


TESTS = """\
tests:
  - name: Heat is high
    message: {subject: cold, topic: heat}
    expect: {topic: heat, urgency: high, departments: housing, acknowledge: true, status: routed}
  - name: Dogs are noise
    message: {subject: dogs, topic: noise}
    expect: {topic: heat, urgency: high, departments: [housing, press], acknowledge: false, status: review}
  - name: The model knows
    message: {subject: from the model}
    expect: {topic: pothole}
"""


def from_model(message: Message) -> Assessment:
    """Say what a model would."""
    return opinion("pothole" if message.subject == "from the model" else "noise")


def test_a_test_that_comes_out_wrong_is_told_with_all_that_is_wrong() -> None:
    (problem,) = check(rules_of(USED, TESTS), TODAY, assess=from_model)
    assert say(problem) == (
        'rules.yaml:25:5: test "Dogs are noise": topic is noise, urgency is low, departments is streets, acknowledge is true, '
        "status is routed (no rule spoke).\n"
        "  Allowed: topic heat, urgency high, departments housing, press, acknowledge false, status review."
    )


def test_tests_that_ask_the_model_are_left_out_where_there_is_none() -> None:
    assert [trial.passed for trial in try_tests(rules_of(USED, TESTS), TODAY, None)] == [True, False, None]
    assert [trial.passed for trial in try_tests(rules_of(USED, TESTS), TODAY, from_model)] == [True, False, True]


def test_a_test_with_a_day_of_receipt_comes_out_the_same_for_ever() -> None:
    storm = rule("{subject: storm}", "{topic: heat}", "Storm", "    expires: 2026-12-01\n")
    tests = """\
tests:
  - name: Storm
    message: {subject: storm, topic: noise, received: 2026-11-30}
    expect: {topic: heat}
"""
    assert [trial.passed for trial in try_tests(rules_of(storm, tests), date(2030, 1, 1), None)] == [True]
