"""What people write above the quote, and what it means."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triaged.ingest.written import own_lines
from triaged.message import Written
from triaged.review.answer import Understood, in_subject, understand
from triaged.review.code import code
from triaged.review.line import Asked
from triaged.review.names import Names, Place, Unknown

DIGEST = 4
CODES = {number: code(number, DIGEST) for number in range(1, 40)}
ASKED = tuple(Asked(number, spot_check=number > 12) for number in range(1, 15))
NAMES = Names(
    {"heat": ("housing",), "trees": ("parks",), "housing.eviction": ("hra-homebase",), "parks": ("parks",)},
    {"housing": "Housing Preservation", "parks": "Parks & Recreation", "hra-homebase": "Homebase, Prevention"},
)
END = "Answer code: abcdefghijklmnopqrstuvwxyz234567abcdefgh"


def coded(text: str) -> str:
    """Put the right code where a number stands in braces: {7}."""
    for number, spelt in CODES.items():
        text = text.replace(f"{{{number}}}", spelt)
    return text


def answer(text: str) -> Understood:
    return understand(own_lines(coded(text)), ASKED, DIGEST, NAMES, END)


def short(understood: Understood) -> list[str]:
    """One line an instruction: "7 route trees parks high why"."""
    found = []
    for one in sorted(understood.instructions, key=lambda one: (one.number, one.verb)):
        words = (str(one.number), one.verb, one.topic, *one.departments, one.urgency, one.why)
        found.append(" ".join(word for word in words if word))
    return found


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("{7} ok", ["7 ok"]),
        ("{7}: OK.", ["7 ok"]),
        ("{7}\u00a0\u2013\u00a0Okay!", ["7 ok"]),
        ("[{7}] Yes", ["7 ok"]),
        ("#{7} = ok", ["7 ok"]),
        ("- {7} ok", ["7 ok"]),
        ("\u2022 {7} ok", ["7 ok"]),
        ("**{7} ok**", ["7 ok"]),
        ("{7} ok thanks!", ["7 ok"]),
        ("{7} 👍", ["7 ok"]),
        ("{7} d\u2019accord", ["7 ok"]),
        ("{7} D'ACCORD", ["7 ok"]),
        ("{7} comme proposé", ["7 ok"]),
        ("{7} sí", ["7 ok"]),
        ("{7} de acuerdo, gracias", ["7 ok"]),
        ("ok {7}", ["7 ok"]),
        ("OK for {7} and {8}", ["7 ok", "8 ok"]),
        ("{7}, {8} & {9} ok", ["7 ok", "8 ok", "9 ok"]),
        ("{7} {8} ok", ["7 ok", "8 ok"]),
        ("{7} et {8} ok", ["7 ok", "8 ok"]),
        ("{7} ok, {8} spam", ["7 ok", "8 spam"]),
        ("{7} ok; {8} trees", ["7 ok", "8 route trees"]),
        ("{7} ok {8} spam", ["7 ok", "8 spam"]),
        ("{3}-{6} spam", ["3 spam", "4 spam", "5 spam", "6 spam"]),
        ("{3}\u2013{5} Spam", ["3 spam", "4 spam", "5 spam"]),
        ("{3} to {5} ok", ["3 ok", "4 ok", "5 ok"]),
        ("{3} à {5} indésirable", ["3 spam", "4 spam", "5 spam"]),
        ("{3} hasta {5} correo no deseado", ["3 spam", "4 spam", "5 spam"]),
        ("{12} housing urgent", ["12 route housing high"]),
        ("{12} Housing, Urgent", ["12 route housing high"]),
        ("{12} critical heat", ["12 route heat critical"]),
        ("{12} heat not urgent", ["12 route heat low"]),
        ("{12} ok critique", ["12 ok critical"]),
        ("{12} trees", ["12 route trees"]),
        ("{12} tre", ["12 route trees"]),
        ("{12} eviction", ["12 route housing.eviction"]),
        ("{12} housing.evi", ["12 route housing.eviction"]),
        ("{12} homebase", ["12 route hra-homebase"]),
        ("{12} to Housing Preservation please", ["12 route housing"]),
        ("{12} \u2192 parks", ["12 route parks"]),
        ("{12} trees and housing", ["12 route trees housing"]),
        ("{8} close", ["8 close"]),
        ("{8} close: answered by phone", ["8 close answered by phone"]),
        ("{8} Close \u2014 answered by phone, see {9} ok", ["8 close answered by phone, see 9Q ok"]),
        ("{8} close (what else?)", ["8 close what else?"]),
        ("close {8}: by phone", ["8 close by phone"]),
        ("{8} classé : répondu", ["8 close répondu"]),
        ("{8} cerrar: ya está", ["8 close ya está"]),
        ("{7} show", ["7 show"]),
        ("{7} montrer", ["7 show"]),
        ("muéstrame {7}", ["7 show"]),
        ("mostrar {7}", ["7 show"]),
        ("{7} undo", ["7 undo"]),
        ("{7}%20ok", ["7 ok"]),
        ("{7}+ok", ["7 ok"]),
        ("{7}%20ok%0D%0A{8}%20spam", ["7 ok", "8 spam"]),
        ("{7} ok<mailto:triage+x@example.gov?subject=7K%20ok&body=8D%20spam>", ["7 ok"]),
        ("{7} ok <https://nam02.safelinks.protection.outlook.com/?url=mailto%3Atriage>", ["7 ok"]),
    ],
)
def test_a_line_means(line: str, meant: list[str]) -> None:
    assert short(answer(line)) == meant


@pytest.mark.parametrize(
    "line",
    [
        "7 ok",
        "{7}",
        "{7} no",
        "{7} not ok",
        "{7} pas d'accord",
        "{7} ok?",
        "is {7} spam?",
        "{7} ok if Bo agrees",
        "{7} don't close",
        "{7} urgent",
        "{7} close the case",
        "{7} close to the park",
        "{7} spam housing",
        "{7} ok spam",
        "{7} heat trees",
        "{7} hous",
        "{7} ho",
        "{7} hosing",
        "{7} delete",
        "{7} wait",
        "{9}-{3} spam",
        "{39} ok",
        "7I ok",
        "{7}{8} ok",
        "all spam",
        "all close",
        "all",
        "ok",
        "OK thanks",
        "yes please",
        "spam",
        "all ok except Bo",
        "please do {7} ok",
        "I will look at {7} tomorrow",
        "{7} ok; {8} perhaps",
        "x" * 5000,
        "{7} " + "ok " * 300,
    ],
)
def test_what_is_not_understood_has_no_effect_and_says_why(line: str) -> None:
    understood = answer(line)
    assert understood.instructions == ()
    assert not understood.undo
    assert not understood.unclear or all(one.why for one in understood.unclear)


@pytest.mark.parametrize(
    "line", ["all ok", "All OK!", "ok all", "everything ok", "tout est ok", "todo ok", "Todos ok, gracias"]
)
def test_all_ok_speaks_of_what_waits_and_not_of_spot_checks(line: str) -> None:
    assert short(answer(line)) == [f"{number} ok" for number in sorted(map(int, range(1, 13)))]


def test_all_ok_leaves_out_what_is_named() -> None:
    assert "7 ok" not in short(answer("all ok except {7}, {8}"))
    assert len(short(answer("all ok but {7} and {8}"))) == 10
    both = short(answer("all ok\n{7} trees"))
    assert "7 route trees" in both
    assert len(both) == 12


@pytest.mark.parametrize(
    "line", ["undo", "Undo.", "annuler", "Annulez", "deshacer", "undo all", "all undo", "Undo it please", "Deshacer, por favor"]
)
def test_undo_is_a_word_of_its_own(line: str) -> None:
    assert answer(line).undo


@pytest.mark.parametrize("line", ["don't undo", "undo?", "undo the spam", "do not undo", "no deshacer", "undo that one thing"])
def test_what_only_holds_the_word_is_no_undo(line: str) -> None:
    assert not answer(line).undo


def test_undo_and_other_instructions_do_not_mix() -> None:
    understood = answer("undo\n{7} ok")
    assert understood.undo
    assert understood.instructions == ()
    assert len(understood.unclear) == 1


def test_two_different_things_of_one_item_cancel_each_other() -> None:
    understood = answer("{7} ok\n{8} ok\n{7} spam")
    assert short(understood) == ["8 ok"]
    assert len(understood.unclear) == 2
    assert short(answer("{7} ok\n{7} OK")) == ["7 ok"]


def test_greetings_are_passed_over_in_silence() -> None:
    assert answer("Hello,\n\n{7} ok\n\nThank you!").unclear == ()


def test_lines_in_a_signature_do_not_count_and_are_reported() -> None:
    understood = answer("{7} ok\n-- \nAna\n{8} spam")
    assert short(understood) == ["7 ok"]
    assert "signature" in understood.unclear[0].why


def test_a_subject_counts_only_with_a_code() -> None:
    assert short(in_subject(coded("{7} ok"), ASKED, DIGEST, NAMES)) == ["7 ok"]
    for other in ("Re: 3 letters wait for you", "all ok", "undo", "Automatic reply: {7} ok", "RE: {7} ok", ""):
        assert in_subject(coded(other), ASKED, DIGEST, NAMES).instructions == ()


QUOTED = f"> {CODES[7]}  MAY-2026-000007\n> No heat\n{{}}\n> {CODES[8]}  MAY-2026-000008\n> A tree\n> {END}\n"


def test_lines_between_the_quoted_ones_count_below_their_item() -> None:
    assert short(answer(QUOTED.format("{7} ok"))) == ["7 ok"]


@pytest.mark.parametrize("line", ["{8} ok", "ok", "all ok", "undo", "spam"])
def test_between_quoted_lines_nothing_counts_but_the_code_of_an_item_above(line: str) -> None:
    understood = answer(QUOTED.format(line))
    assert understood.instructions == ()
    assert not understood.undo


def test_below_the_end_of_the_digest_and_without_its_end_nothing_between_counts() -> None:
    assert answer(QUOTED.format("") + "{7} ok\n> more").instructions == ()
    assert answer(QUOTED.format("{7} ok").replace(END, "")).instructions == ()


def test_what_stands_above_the_quote_rules_out_what_stands_between() -> None:
    assert short(answer("{8} ok\n\n" + QUOTED.format("{7} spam"))) == ["8 ok"]


MARKS = {
    "gmail": "On Mon, Nov 23, 2026 at 9:03 AM Office <triage@example.gov> wrote:\n",
    "thunderbird": "On 11/23/26 09:03, Office wrote:\n> hello\n",
    "outlook": "From: Office <triage@example.gov>\nSent: Monday, November 23, 2026 9:03 AM\nTo: Ana\nSubject: 3 letters\n\n",
    "outlook old": "-----Original Message-----\n",
    "quoted": "> what you wrote\n",
    "ours": "Write your answer above this line\n",
}


@pytest.mark.parametrize("mark", MARKS)
@settings(max_examples=150, deadline=None)
@given(below=st.text(max_size=300) | st.sampled_from(["{8} spam", "all ok", "undo", "\n\n{8} ok\n> x\n", "> x\n{8} spam\n> y"]))
def test_whatever_stands_below_the_quote_changes_nothing(mark: str, below: str) -> None:
    for above in ("{7} ok\n{3} trees\n\n", "Thanks\n\n", "\n"):
        alone = answer(f"{above}{MARKS[mark]}")
        assert short(answer(f"{above}{MARKS[mark]}{below}")) == short(alone)
        assert answer(f"{above}{MARKS[mark]}{below}").undo == alone.undo


@given(below=st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_whatever_stands_below_a_digest_answered_between_its_lines_changes_nothing(below: str) -> None:
    assert short(answer(QUOTED.format("{7} ok") + below)) == ["7 ok"]


@given(st.text(max_size=500))
@settings(max_examples=300, deadline=None)
def test_no_text_breaks_the_reader(text: str) -> None:
    understood = understand(Written(text, text, ((text, text),)), ASKED, DIGEST, NAMES, END)
    assert all(1 <= one.number <= 14 for one in understood.instructions)


def test_names_are_found_by_any_beginning_that_means_one_thing() -> None:
    assert NAMES.find(["heat"]) == Place("heat")
    assert NAMES.find(["parks"]) == Place("parks")
    assert NAMES.find(["recreation"]) == Place(None, ("parks",))
    assert NAMES.find(["hra", "home"]) == Place(None, ("hra-homebase",))
    assert isinstance(NAMES.find(["hous"]), Unknown)
    assert NAMES.find(["xyz"]) is None
