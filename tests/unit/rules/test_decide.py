"""What shall happen to a letter: rules over the model, safety over rules."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.rules.office import TODAY, decided, letter, opinion, rule, rules_of, whys
from triaged.message import Assessment, Decision, Kind, Message, Opinion, Reason, Screening, Status, Urgency
from triaged.rules.applying import apply_rules
from triaged.rules.decide import decide
from triaged.rules.facts import Letter

UNSURE = opinion("noise", 0.41, accepted=False, why="41% sure; the promise needs 85.0%")


# what the model says


def test_a_letter_that_the_model_is_sure_of_goes_to_its_topics_department() -> None:
    decision = decided(assessment=opinion("heat", 0.93))
    assert (decision.status, decision.topic, decision.confidence) == (Status.ROUTED, "heat", 0.93)
    assert (decision.departments, decision.urgency, decision.acknowledge) == (("housing",), Urgency.HIGH, True)


def test_a_topic_of_two_departments_goes_to_both_the_leading_one_first() -> None:
    assert decided(assessment=opinion("both")).departments == ("housing", "streets")


def test_a_letter_that_the_model_is_not_sure_of_waits_for_a_person_with_a_proposal() -> None:
    decision = decided(assessment=UNSURE)
    assert (decision.status, decision.topic, decision.departments, decision.held) == (
        Status.REVIEW,
        "noise",
        ("streets",),
        False,
    )
    assert "promise review: noise: 41% sure; the promise needs 85.0%" in whys(decision)


def test_a_writer_hears_that_the_letter_arrived_though_a_person_must_decide() -> None:
    assert decided(assessment=UNSURE).acknowledge


def test_a_topic_that_rules_do_not_know_waits_for_a_person() -> None:
    decision = decided(assessment=opinion("dragons", 0.99))
    assert (decision.status, decision.topic, decision.departments) == (Status.REVIEW, None, ())
    assert decision.urgency is Urgency.NORMAL
    assert "model review: the model says dragons, 99% sure, which rules.yaml does not know" in whys(decision)


def test_further_matters_of_a_letter_bring_their_departments_and_urgency() -> None:
    decision = decided(assessment=opinion("noise", further=(("heat", 0.8), ("dragons", 0.7), ("pothole", 0.6))))
    assert (decision.departments, decision.urgency, decision.topic) == (("streets", "housing"), Urgency.HIGH, "noise")


@pytest.mark.parametrize("accepted", [True, False])
def test_further_matters_count_only_where_the_model_may_act(accepted: bool) -> None:
    decision = decided(assessment=opinion("noise", accepted=accepted, further=(("heat", 0.8),)))
    assert decision.departments == (("streets", "housing") if accepted else ("streets",))


def test_further_matters_do_not_overrule_a_rules_department() -> None:
    decision = decided(rule("always", "{department: press}"), opinion("noise", further=(("heat", 0.8),)))
    assert decision.departments == ("press",)


# urgency


@pytest.mark.parametrize(
    ("topic", "text", "urgency"),
    [
        ("noise", Urgency.NORMAL, Urgency.LOW),  # normal: the words say nothing
        ("noise", Urgency.HIGH, Urgency.HIGH),
        ("heat", Urgency.NORMAL, Urgency.HIGH),
        ("heat", Urgency.CRITICAL, Urgency.CRITICAL),
    ],
)
def test_urgency_is_the_topics_or_what_the_words_demand(topic: str, text: Urgency, urgency: Urgency) -> None:
    assert decided(assessment=opinion(topic, urgency=text)).urgency is urgency


@pytest.mark.parametrize(
    ("then", "urgency"),
    [
        ("{urgency: low}", Urgency.LOW),
        ("{urgency: critical}", Urgency.CRITICAL),
        ("{urgency: at least normal}", Urgency.HIGH),
        ("{urgency: at least critical}", Urgency.CRITICAL),
    ],
)
def test_a_rule_sets_urgency_exactly_or_raises_it(then: str, urgency: Urgency) -> None:
    assert decided(rule("always", then), opinion("heat")).urgency is urgency


def test_of_two_rules_the_later_one_has_the_last_word_on_urgency() -> None:
    rules = rule("always", "{urgency: at least critical}") + rule("always", "{urgency: low}", "S")
    assert decided(rules).urgency is Urgency.LOW
    rules = rule("always", "{urgency: low}") + rule("always", "{urgency: at least high}", "S")
    assert decided(rules).urgency is Urgency.HIGH


@pytest.mark.parametrize(
    ("flag", "floor"), [("violence", Urgency.CRITICAL), ("eviction", Urgency.HIGH), ("purple", Urgency.LOW)]
)
def test_no_rule_goes_below_what_a_flag_demands(flag: str, floor: Urgency) -> None:
    lowered = rule("always", "{urgency: low}")
    assert decided(lowered, opinion("noise", flags=(flag,))).urgency is floor
    assert decided(rule("always", f"{{add_flag: {flag}, urgency: low}}")).urgency is floor


def test_no_rule_goes_below_what_the_letters_own_words_demand() -> None:
    assert decided(rule("always", "{urgency: low}"), opinion("noise", urgency=Urgency.CRITICAL)).urgency is Urgency.CRITICAL


def test_flags_of_text_and_rules_come_together_each_once() -> None:
    decision = decided(rule("always", "{add_flag: [eviction, health_data]}"), opinion("noise", flags=("eviction",)))
    assert decision.flags == ("eviction", "health_data")


# rules


def test_a_rules_topic_outranks_the_model() -> None:
    decision = decided(rule("{any_text: journalist}", "{topic: media}"), UNSURE, letter(text="I am a journalist"))
    assert (decision.status, decision.topic, decision.confidence) == (Status.ROUTED, "media", None)
    assert (decision.departments, decision.urgency) == (("press",), Urgency.HIGH)


def test_a_rules_department_outranks_the_topics() -> None:
    decision = decided(rule("always", "{departments: [press, housing]}"), UNSURE)
    assert (decision.status, decision.departments, decision.topic) == (Status.ROUTED, ("press", "housing"), "noise")


def test_where_a_rule_says_who_answers_the_models_guess_of_the_topic_has_no_share_in_it() -> None:
    """The promise is measured by the letters that have a confidence: the model's, not the rules'."""
    assert decided(rule("always", "{department: press}"), opinion("noise", 0.99)).confidence is None
    assert decided(rule("always", "{department: press, hold: Ask}"), opinion("noise", 0.99)).confidence is None
    assert decided(rule("always", "{hold: Ask}"), opinion("noise", 0.99)).confidence == 0.99
    assert decided(rule("{topic: noise}", "{department: press}"), UNSURE).confidence == 0.41  # it rests on the guess


def test_every_rule_that_acts_leaves_a_reason_with_its_line() -> None:
    rules = rule("{any_text: dog}", "{topic: pothole, urgency: at least high, copy_to: a@example.gov}") + rule(
        "{topic: pothole}", "{add_flag: dogs, move: Dogs}", "Dogs aside"
    )
    decision = decided(rules, message=letter(text="a dog"))
    assert [reason for reason in decision.reasons if reason.by == "rule"] == [
        Reason(
            "rule",
            "R",
            "subject or text contains “dog” → topic pothole; copy to a@example.gov; urgency at least high",
            "rules.yaml:18",
        ),
        Reason("rule", "Dogs aside", "topic is pothole → flag dogs; moved to Dogs", "rules.yaml:21"),
    ]
    assert (decision.copy_to, decision.move) == (("a@example.gov",), "Dogs")


def test_later_rules_see_what_earlier_ones_set() -> None:
    rules = (
        rule("always", "{topic: heat}")
        + rule("{topic: heat, confidence: {above: 0.99}}", "{add_flag: eviction}", "S")
        + rule("{flag: eviction, urgency: {above: normal}}", "{department: press}", "T")
    )
    assert decided(rules, UNSURE).departments == ("press",)


def test_stop_leaves_the_later_rules_out() -> None:
    rules = rule("always", "{department: press, stop: true}") + rule("always", "{department: housing}", "S")
    assert decided(rules).departments == ("press",)


@pytest.mark.parametrize(("today", "departments"), [(date(2026, 11, 24), ("press",)), (date(2026, 11, 25), ("streets",))])
def test_a_rule_is_in_use_up_to_its_last_day(today: date, departments: tuple[str, ...]) -> None:
    rules = rule("always", "{department: press}", more="    expires: 2026-11-24\n")
    assert decided(rules, today=today).departments == departments


def test_a_template_that_a_rule_names_is_used() -> None:
    decision = decided(rule("always", "{acknowledge: gift}"))
    assert (decision.acknowledge, decision.template) == (True, "gift")


def test_a_hold_waits_for_a_person_though_a_rule_routes() -> None:
    decision = decided(rule("always", "{department: press, hold: Ask the director}"))
    assert (decision.status, decision.held, decision.departments) == (Status.REVIEW, True, ("press",))
    assert "held: Ask the director" in whys(decision)
    assert decision.acknowledge


def test_a_hold_outranks_a_close() -> None:
    rules = rule("always", "{close: Nothing to do}") + rule("always", "{hold: Look}", "S")
    assert decided(rules).status is Status.REVIEW


def test_a_closed_letter_is_closed() -> None:
    assert decided(rule("always", "{close: Answered on the web page}")).status is Status.CLOSED


def test_what_is_critical_is_never_closed_unseen() -> None:
    decision = decided(rule("always", "{close: Nothing to do}"), opinion("noise", flags=("self_harm",)))
    assert (decision.status, decision.held) == (Status.REVIEW, True)


# what rests on a guess


def test_a_rule_on_a_topic_that_the_model_only_guesses_proposes_and_does_not_route() -> None:
    decision = decided(rule("{topic: noise}", "{department: press, topic: media}"), UNSURE)
    assert (decision.status, decision.topic, decision.departments) == (Status.REVIEW, "media", ("press",))
    assert "(rests on the model's guess)" in whys(decision)


def test_a_guess_passes_on_from_rule_to_rule() -> None:
    rules = rule("{topic: noise}", "{topic: media}") + rule("{topic: media}", "{department: press}", "S")
    assert decided(rules, UNSURE).status is Status.REVIEW


def test_a_department_set_on_a_guess_takes_back_one_that_was_sure() -> None:
    rules = rule("always", "{department: press}") + rule("{topic: noise}", "{department: housing}", "S")
    assert decided(rules, UNSURE).status is Status.REVIEW
    assert decided(rules).status is Status.ROUTED


def test_a_topic_that_an_earlier_rule_set_is_no_guess() -> None:
    rules = rule("{any_text: text}", "{topic: media}") + rule("{topic: media}", "{department: housing}", "S")
    assert decided(rules, UNSURE).status is Status.ROUTED


def test_nothing_is_closed_moved_lowered_or_copied_on_a_guess() -> None:
    rules = rule("{topic: heat}", "{close: Nobody, move: Old, urgency: low, copy_to: a@example.gov}")
    unsure = opinion("heat", 0.5, accepted=False)
    decision = decided(rules + rule("always", "{department: housing}", "S"), unsure)
    assert (decision.status, decision.held, decision.move, decision.copy_to) == (Status.REVIEW, True, None, ())
    assert decision.urgency is Urgency.HIGH
    sure = decided(rules, opinion("heat"))
    assert (sure.status, sure.move, sure.copy_to, sure.urgency) == (Status.CLOSED, "Old", ("a@example.gov",), Urgency.LOW)


# who gets no automatic reply


@pytest.mark.parametrize(
    ("rules", "assessment", "more"),
    [
        (rule("always", "{acknowledge: false}"), opinion(), {}),
        ("", opinion("violence"), {}),
        ("", opinion("health"), {}),
        (rule("always", "{department: safety}"), opinion(), {}),
        ("", opinion("noise", further=(("violence", 0.7),)), {}),
        ("", opinion("noise", flags=("violence",)), {}),
        (rule("always", "{add_flag: violence}"), opinion(), {}),
        ("", opinion("noise", 0.5, accepted=False, others=(("violence", 0.2),)), {}),
        ("", opinion(), {"may_acknowledge": False}),
        ("", opinion(), {"must_review": "DMARC failed"}),
        ("", opinion(), {"message": letter(unreadable="encrypted")}),
        ("", opinion(), {"kind": Kind.UNREADABLE}),
    ],
)
def test_a_letter_that_must_not_be_acknowledged_is_not(rules: str, assessment: Assessment, more: dict[str, Any]) -> None:
    decision = decided(rules, assessment, **more)
    assert not decision.acknowledge


def test_a_faint_thought_of_violence_does_not_keep_writers_waiting() -> None:
    assert decided(assessment=opinion("noise", others=(("violence", 0.05),))).acknowledge


def test_no_later_rule_brings_an_acknowledgement_back() -> None:
    rules = rule("always", "{acknowledge: false}") + rule("always", "{acknowledge: gift}", "S")
    assert not decided(rules).acknowledge


def test_why_there_is_no_acknowledgement_is_said() -> None:
    assert "no acknowledgement: topic violence gets none" in whys(decided(assessment=opinion("violence")))


# what is no ordinary letter


@pytest.mark.parametrize("kind", [Kind.AUTO_REPLY, Kind.BOUNCE, Kind.SPAM, Kind.OWN, Kind.ANSWER])
def test_what_is_no_letter_is_kept_and_no_rule_routes_it(kind: Kind) -> None:
    screening = Screening(kind, may_acknowledge=False, reasons=(Reason("screen", "bounce", "RFC 3464"),))
    decision = decide(letter(), screening, opinion(), rules_of(rule("always", "{department: press}")), "mayor", TODAY)
    assert decision == Decision(
        Status.IGNORED, None, None, Urgency.NORMAL, acknowledge=False, reasons=(Reason("screen", "bounce", "RFC 3464"),)
    )


@pytest.mark.parametrize(
    ("rules", "status"),
    [
        ("", Status.IGNORED),
        (rule("always", "{add_flag: eviction}"), Status.IGNORED),
        (rule("{topic: noise}", "{department: press}"), Status.IGNORED),  # a newsletter's topic routes nothing
        (rule("{any_text: text}", "{department: press}"), Status.ROUTED),
        (rule("{any_text: text}", "{topic: media}"), Status.ROUTED),
        (rule("{any_text: text}", "{hold: Look}"), Status.REVIEW),
    ],
)
def test_a_mailing_list_is_routed_only_by_a_rule_of_its_own(rules: str, status: Status) -> None:
    decision = decided(rules, kind=Kind.LIST)
    assert (decision.status, decision.acknowledge) == (status, False)


@pytest.mark.parametrize(
    "more", [{"must_review": "DMARC failed"}, {"kind": Kind.UNREADABLE}, {"message": letter(unreadable="encrypted")}]
)
def test_a_person_looks_at_what_cannot_be_read_or_trusted_whatever_rules_say(more: dict[str, Any]) -> None:
    decision = decided(rule("always", "{department: press, close: No}"), **more)
    assert (decision.status, decision.held) == (Status.REVIEW, True)


def test_nobody_guesses_the_topic_of_a_letter_that_cannot_be_read() -> None:
    decision = decided(assessment=opinion("heat", 0.3), message=letter(unreadable="encrypted"))
    assert (decision.topic, decision.confidence, decision.departments, decision.urgency) == (None, None, (), Urgency.NORMAL)
    assert whys(decision) == "screen review: encrypted\nrule no acknowledgement: a person must look first"


def test_a_rule_may_say_where_a_letter_belongs_that_cannot_be_read() -> None:
    rules = rule("{from: {in: council}}", "{topic: media}")
    decision = decided(rules, message=letter(sender="a@council.example.gov", unreadable="encrypted"))
    assert (decision.status, decision.topic, decision.departments) == (Status.REVIEW, "media", ("press",))


def test_reasons_tell_the_whole_way() -> None:
    assessment = replace(UNSURE, reasons=(Reason("model", "noise", "41% sure"), Reason("promise", "a person decides", "41%")))
    screening = Screening(Kind.LETTER, True, (Reason("screen", "letter", "nothing says otherwise"),))
    rules = rules_of(rule("always", "{add_flag: x}"))
    decision = decide(letter(), screening, assessment, rules, "mayor", TODAY)
    assert [reason.by for reason in decision.reasons] == ["screen", "model", "rule", "promise"]


def test_each_rules_turn_can_be_told() -> None:
    rules = rules_of(
        rule("{subject: cat}", "{add_flag: x}", "Cats")
        + rule("{subject: dog}", "{stop: true}", "Dogs")
        + rule("always", "{add_flag: y}", "All")
        + rule("always", "{add_flag: z}", "Old", "    expires: 2020-01-01\n")
    )
    _, steps = apply_rules(Letter(letter(subject="dog"), "mayor", "en", None, TODAY), opinion(), rules, TODAY)
    assert [(step.rule.name, step.applied, step.because) for step in steps] == [
        ("Cats", False, "not so: subject contains “cat”"),
        ("Dogs", True, "subject contains “dog”"),
        ("All", False, "an earlier rule left the later ones out"),
        ("Old", False, "expired on 2020-01-01"),
    ]


# for any letter

TOPICS = st.sampled_from(["heat", "noise", "pothole", "media", "both", "violence", "health", "dragons"])
FLAGS = st.lists(st.sampled_from(["violence", "eviction", "purple"]), max_size=2)
WHENS = st.sampled_from(["always", "{topic: noise}", "{subject: dog}", "{not: {topic: heat}}", "{flag: eviction}"])
THENS = st.sampled_from(
    [
        "{topic: heat}",
        "{department: press}",
        "{urgency: low}",
        "{urgency: at least high}",
        "{add_flag: violence}",
        "{close: No}",
        "{hold: Look}",
        "{acknowledge: false}",
        "{stop: true}",
        "{topic: violence, department: streets, urgency: normal}",
    ]
)


@given(
    rules=st.lists(st.tuples(WHENS, THENS), max_size=5),
    topic=TOPICS,
    accepted=st.booleans(),
    urgency=st.sampled_from(Urgency),
    flags=FLAGS,
    kind=st.sampled_from(Kind),
    subject=st.sampled_from(["dog", "cat"]),
)
def test_whatever_rules_say_people_are_safe(
    rules: list[tuple[str, str]],
    topic: str,
    accepted: bool,
    urgency: Urgency,
    flags: list[str],
    kind: Kind,
    subject: str,
) -> None:
    text = "".join(rule(when, then, f"R{number}") for number, (when, then) in enumerate(rules))
    assessment = opinion(topic, 0.9, accepted=accepted, urgency=urgency, flags=tuple(flags))
    decision = decided(text, assessment, Message(subject=subject), kind=kind)
    if decision.status is not Status.IGNORED:
        assert decision.urgency.rank >= urgency.rank or urgency is Urgency.NORMAL
        assert "violence" not in decision.flags or decision.urgency is Urgency.CRITICAL
    assert not (decision.acknowledge and ("violence" in decision.flags or decision.topic == "violence"))
    assert decision.departments or decision.status is not Status.ROUTED
    assert decision.status is not Status.CLOSED or decision.urgency is not Urgency.CRITICAL
    assert accepted or decision.status is not Status.ROUTED or decision.confidence is None


def test_an_opinion_of_nothing_is_decided_by_a_person() -> None:
    decision = decided(assessment=Assessment("und", Opinion((("", 0.0),), accepted=False)))
    assert decision.status is Status.REVIEW
