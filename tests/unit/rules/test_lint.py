"""Rules that do nothing are told; rules that do something, however little, are not."""

import pytest

from tests.unit.rules.office import rule, rules_of
from triaged.rules.lint import idle_rules


def told(*rules: str) -> list[str]:
    return [problem.found for problem in idle_rules(rules_of("".join(rules)).rules)]


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ("{all: [{topic: heat}, {topic: noise}]}", "it asks for “topic is “heat”” and for “topic is “noise””"),
        ("{received: {above: 2026-12-24, below: 2026-12-25}}", "nothing lies above 2026-12-24 and below 2026-12-25"),
        ("{confidence: {above: 90%, below: 50%}}", "nothing lies above 90% and below 50%"),
        ("{confidence: {above: 100%}}", "no confidence is above 100%"),
        ("{urgency: {above: critical}}", "no urgency is above critical"),
        ("{urgency: {below: low}}", "no urgency is below low"),
        ("{not: always}", "it is “not always”"),
        ("{subject: a, not: {subject: a}}", "it asks for “subject contains “a”” and for “not (subject contains “a”)”"),
        ("{any: [{not: always}, {urgency: {above: critical}}]}", "it is “not always”"),
        ("{mailbox: mayor, all: [{subject: a}, {mailbox: leader}]}", "it asks for “mailbox is “mayor””"),
    ],
)
def test_a_condition_that_no_letter_can_fulfil_is_told(when: str, why: str) -> None:
    (found,) = told(rule(when))
    assert found.startswith(f'rule "R" can never apply: {why}')


@pytest.mark.parametrize(
    "when",
    [
        "{all: [{topic: [heat, noise]}, {topic: noise}]}",
        "{received: {above: 2026-12-23, below: 2026-12-25}}",
        "{confidence: {above: 50%, below: 90%}}",
        "{all: [{flag: a}, {flag: b}]}",
        "{any: [{topic: heat}, {topic: noise}]}",
        "{subject: a, not: {subject: b}}",
    ],
)
def test_a_condition_that_some_letter_fulfils_is_fine(when: str) -> None:
    assert told(rule(when)) == []


@pytest.mark.parametrize("pattern", [".*", "(storm)?", "^", "a*|b"])
def test_a_pattern_that_fits_every_letter_is_told(pattern: str) -> None:
    assert told(rule(f"{{subject: {{matches: '{pattern}'}}}}")) == [
        f'rule "R": the pattern "{pattern}" fits every text, the empty one too'
    ]


def test_a_pattern_that_asks_for_something_is_fine() -> None:
    assert told(rule("{subject: {matches: 'storm(s)?'}}")) == []


A = "{subject: a}"


@pytest.mark.parametrize(
    ("earlier", "later", "when"),
    [
        ("{topic: heat}", "{topic: noise}", A),
        ("{topic: heat}", "{topic: noise}", "always"),
        ("{topic: heat}", "{topic: noise}", "{any: [{subject: a}, {subject: b}]}"),
        ("{department: press}", "{topic: heat, department: streets}", A),
        ("{urgency: high}", "{urgency: low}", A),
        ("{move: X}", "{move: Y}", A),
    ],
)
def test_a_rule_that_a_later_one_always_overrules_is_told(earlier: str, later: str, when: str) -> None:
    assert told(rule(A, earlier, "One"), rule(when, later, "Two")) == [
        'rule "One" is always overruled: "Two" in rules.yaml:21 sets the same afterwards'
    ]


@pytest.mark.parametrize(
    ("earlier", "later", "when"),
    [
        ("{topic: heat}", "{topic: noise}", "{subject: b}"),
        ("{topic: heat}", "{topic: noise}", "{subject: a, body: c}"),
        ("{topic: heat}", "{department: press}", A),
        ("{topic: heat, add_flag: x}", "{topic: noise}", A),
        ("{topic: heat, stop: true}", "{topic: noise}", A),
        ("{urgency: at least high}", "{urgency: low}", A),
        ("{urgency: high}", "{urgency: at least low}", A),
        ("{hold: see}", "{topic: noise}", A),
        ("{topic: heat}", "{topic: noise}", "{topic: heat}"),
    ],
)
def test_a_rule_of_which_something_remains_is_fine(earlier: str, later: str, when: str) -> None:
    assert told(rule(A, earlier, "One"), rule(when, later, "Two")) == []


@pytest.mark.parametrize(
    "between",
    [rule("{topic: heat}", "{add_flag: x}", "Between"), rule("{body: c}", "{stop: true}", "Between")],
)
def test_a_rule_between_that_looks_at_it_or_stops_saves_the_first(between: str) -> None:
    assert told(rule(A, "{topic: heat}", "One"), between, rule(A, "{topic: noise}", "Two")) == []


def test_a_rule_that_expires_or_is_only_tried_out_overrules_nothing() -> None:
    first = rule(A, "{topic: heat}", "One")
    assert told(first, rule(A, "{topic: noise}", "Two", "    expires: 2027-01-01\n")) == []
    assert told(first, rule(A, "{topic: noise}", "Two", "    shadow: true\n")) == []
