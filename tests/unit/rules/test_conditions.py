"""Each condition of the contract: when it holds, when not, and what it says."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.rules.office import facts, letter, rule, rules_of
from triaged.message import Urgency
from triaged.rules.combined import obstacle
from triaged.rules.conditions import Condition

COUNCIL = "Ana Ortiz <a.ortiz@Office.Council.example.gov>"


def condition(when: str) -> Condition:
    """Return the condition of a rule that is written so."""
    return rules_of(rule(when)).rules[0].when


def why(when: str, message: Any = None, **known: Any) -> str | None:
    """Return why a condition holds, None if it does not."""
    match = condition(when).match(facts(message, **known))
    return match.because if match else None


HOLDS = [
    ("{from: a@example.org}", {"sender": "a@EXAMPLE.org"}, "from is a@example.org"),
    ("{from: {in: council}}", {"sender": COUNCIL}, "from a.ortiz@office.council.example.gov is in council"),
    ('{from: "@example.gov"}', {"sender": COUNCIL}, "from is a.ortiz@office.council.example.gov"),
    ("{from: {contains: ortiz}}", {"sender": COUNCIL}, "from contains “ortiz”"),
    ("{from: {words: [Ana Ortiz]}}", {"sender": COUNCIL}, "from has “Ana Ortiz”"),
    ("{from: {in: [council, x@example.org]}}", {"sender": "x@example.org"}, "from x@example.org is in council"),
    ("{sender: {domain: council.example.gov}}", {"sender": COUNCIL}, ""),
    ("{sender: {address: a@example.org}}", {"sender": "A <a@example.org>"}, ""),
    ("{sender: {in: council}}", {"sender": "mayor.friend@example.org"}, ""),
    ("{to: leader@example.org}", {"to": ["b@example.org", "Leader <leader@example.org>"]}, ""),
    ('{cc: "@example.gov"}', {"cc": ["x@example.gov"]}, ""),
    ("{subject: heat}", {"subject": "No HEATING"}, "subject contains “heat”"),
    ("{subject: {is: no heat}}", {"subject": " No  Heat "}, "subject is no heat"),
    ("{subject: {in: [help, urgent]}}", {"subject": "URGENT"}, "subject is urgent"),
    ("{body: café}", {"text": "the CAFE on our block"}, "text contains “café”"),
    ("{body: marshal}", {"text": "  ", "quoted": "the marshal comes"}, ""),
    ("{any_text: {words: [desalojo, marshal]}}", {"subject": "Marshal!"}, "subject or text has “marshal”"),
    ("{any_text: {words: [911]}}", {"text": "I called 911"}, "subject or text has “911”"),
    ("{any_text: elm}", {"form": (("Street", "12 Elm"),)}, ""),
    (r"{any_text: {matches: 'pier +\d+'}}", {"text": "the PIER  9"}, "subject or text has “PIER 9”"),
    ("{header: List-Id}", {"headers": {"list-id": ("<a>",)}}, "there is header List-Id"),
    ("{header: {X-Spam: {is: YES}}}", {"headers": {"x-spam": ("no", "yes")}}, "header X-Spam is YES"),
    ("{header: {X-Spam: false}}", {}, "there is no header X-Spam"),
    ("{attachment: true}", {"attachments": ["a.pdf"]}, "there is an attachment"),
    ("{attachment: false}", {}, "there is no attachment"),
    ("{attachment: .pdf}", {"attachments": ["Letter.PDF"]}, "an attachment contains “.pdf”"),
    ("{is_reply: true}", {"references": ("<a@b>",)}, "there is earlier mail"),
    ("{is_reply: false}", {}, "there is no earlier mail"),
    ("{not: {subject: heat}}", {"subject": "cold"}, "not (subject contains “heat”)"),
    ("{subject: heat, body: baby}", {"subject": "heat", "text": "baby"}, "subject contains “heat” and text contains “baby”"),
    ("{any: [{subject: heat}, {body: baby}]}", {"text": "baby"}, "text contains “baby”"),
    ("{all: [{subject: heat}, {not: {body: baby}}]}", {"subject": "heat"}, ""),
    ("{subject: {contains: heat, words: [no]}}", {"subject": "no heat"}, "subject contains “heat” and subject has “no”"),
    ("always", {}, "it is a letter"),
]


@pytest.mark.parametrize(("when", "parts", "because"), HOLDS, ids=[when for when, _, _ in HOLDS])
def test_a_condition_on_a_letter_holds_and_says_why(when: str, parts: dict[str, Any], because: str) -> None:
    found = why(when, letter(**parts))
    assert found is not None
    assert found == (because or found)


@pytest.mark.parametrize(
    ("when", "parts"),
    [
        ("{from: a@example.org}", {"sender": "ba@example.org"}),
        ('{from: "@example.gov"}', {"sender": "a@notexample.gov"}),
        ('{from: "@office.example.gov"}', {"sender": "a@example.gov"}),
        ("{sender: {domain: example.org}}", {"sender": "a@example.org.evil.example"}),
        ("{from: {in: council}}", {"sender": "council.example.gov@example.org"}),
        ("{to: a@example.org}", {}),
        ("{subject: {is: heat}}", {"subject": "no heat"}),
        ("{any_text: {words: [heat]}}", {"text": "heated"}),
        ("{body: heat}", {"subject": "heat", "quoted": "heat", "text": "cold"}),
        ("{header: List-Id}", {"headers": {"list-post": ("<a>",)}}),
        ("{all: [{subject: heat}, {body: baby}]}", {"subject": "heat"}),
        ("{any: [{subject: heat}, {body: baby}]}", {"subject": "x"}),
        ("{not: {any: [{subject: heat}, {body: baby}]}}", {"text": "baby"}),
    ],
)
def test_a_condition_on_a_letter_does_not_hold(when: str, parts: dict[str, Any]) -> None:
    assert why(when, letter(**parts)) is None


@pytest.mark.parametrize(
    ("when", "known", "holds"),
    [
        ("{mailbox: mayor}", {}, True),
        ("{mailbox: [leader, mayor]}", {}, True),
        ("{mailbox: leader}", {}, False),
        ("{language: fr}", {"language": "fr-CA"}, True),
        ("{language: fr-CA}", {"language": "fr"}, False),
        ("{language: zh}", {"language": "zh-Hant"}, True),
        ("{topic: noise}", {}, True),
        ("{topic: [heat, noise]}", {}, True),
        ("{topic: {in: [heat, pothole]}}", {}, False),
        ("{topic: {matches: '^no'}}", {}, True),
        ("{topic: noise}", {"topic": ""}, False),
        ("{confidence: {above: 0.8}}", {}, True),
        ("{confidence: {above: 90%}}", {}, False),
        ("{confidence: {above: 80%, below: 95%}}", {}, True),
        ("{urgency: normal}", {}, True),
        ("{urgency: {above: low}}", {}, True),
        ("{urgency: {above: normal}}", {}, False),
        ("{urgency: {below: critical}}", {}, True),
        ("{flag: eviction}", {"flags": ("lockout", "eviction")}, True),
        ("{flag: eviction}", {"flags": ()}, False),
        ("{campaign: true}", {"campaign": "keep-the-er"}, True),
        ("{campaign: true}", {}, False),
        ("{campaign: false}", {}, True),
        ("{campaign: keep-the-er}", {"campaign": "Keep-the-ER"}, True),
        ("{received: {above: 2026-11-23}}", {}, True),
        ("{received: {above: 2026-11-24}}", {}, False),
        ("{received: {below: 2026-11-25}}", {"received": date(2026, 11, 24)}, True),
    ],
)
def test_a_condition_on_what_is_known_of_a_letter(when: str, known: dict[str, Any], holds: bool) -> None:
    assert (why(when, **known) is not None) is holds


@pytest.mark.parametrize(
    ("when", "guessed"),
    [
        ("{topic: noise}", True),
        ("{confidence: {above: 0.1}}", True),
        ("{urgency: normal}", True),
        ("{not: {topic: heat}}", True),
        ("{not: {subject: heat}}", False),
        ("{subject: dog}", False),
        ("{topic: noise, subject: dog}", True),
        ("{any: [{topic: noise}, {subject: dog}]}", False),
        ("{any: [{topic: noise}, {subject: cat}]}", True),
        ("always", False),
    ],
)
def test_a_match_knows_whether_it_rests_on_a_guess(when: str, guessed: bool) -> None:
    match = condition(when).match(facts(letter(subject="dog"), guessed=True))
    assert match is not None
    assert match.guessed is guessed


def test_a_match_says_where_its_condition_stands() -> None:
    match = condition("{subject: dog}").match(facts(letter(subject="dog")))
    assert match is not None
    assert (str(match.at), match.at.column) == ("rules.yaml:19", 21)


@pytest.mark.parametrize(
    ("when", "because"),
    [
        ("{subject: heat, body: baby}", "not so: text contains “baby”"),
        ("{not: {subject: heat}}", "subject contains “heat”"),
        ("{any: [{subject: cold}, {topic: heat}]}", "not so: (subject contains “cold” or topic is “heat”)"),
        ("{urgency: {above: normal}}", "not so: urgency is above normal"),
        ("{any_text: {words: [a, b, c, d, e]}}", "not so: subject or text has “a” or “b” or “c” or “d” … (5)"),
    ],
)
def test_the_part_that_kept_a_condition_from_holding_is_named(when: str, because: str) -> None:
    assert obstacle(condition(when), facts(letter(subject="heat"))) == because


def test_two_conditions_that_say_the_same_are_equal_wherever_they_stand() -> None:
    one = rules_of(rule("{subject: {matches: heat}}") + rule("{subject: {matches: heat}}", name="S"))
    assert one.rules[0].when == one.rules[1].when


def test_a_lone_surrogate_in_a_mail_breaks_no_pattern() -> None:
    assert why(r"{any_text: {matches: 'b'}}", letter(text="a\ud800b")) == "subject or text has “b”"


@given(st.text(), st.text())
def test_no_letter_breaks_a_condition(subject: str, text: str) -> None:
    when = condition("{any: [{subject: é}, {any_text: {words: [no heat]}}, {body: {matches: 'a+b'}}, {from: {in: council}}]}")
    when.match(facts(letter(subject=subject, text=text, sender=subject), urgency=Urgency.LOW))
