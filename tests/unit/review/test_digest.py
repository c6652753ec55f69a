"""The review digest as text and HTML."""

import html
import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pytest

from triaged.ingest.htmltext import to_text
from triaged.ingest.written import own_lines
from triaged.message import Address, Delivery, Dispatch, Flag, Kind, Reason, Record, State, Status, Urgency
from triaged.review.answer import understand
from triaged.review.code import code
from triaged.review.digest import LONGEST_LINK, MOST_ITEMS, Asking, Digest, compose, latest_slot
from triaged.review.line import Asked
from triaged.review.names import Names

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=ZoneInfo("America/New_York"))


ASKING = Asking(4, "reviewer@example.gov", "b" * 40, f"triage+{'b' * 40}@example.gov")


def record(
    number: int = 1, urgency: Urgency = Urgency.NORMAL, subject: str = "No heat", excerpt: str = "It is cold."
) -> Record:
    return Record(
        reference=f"MAY-2026-{number:06d}",
        mailbox="mayor",
        message_id="<1@x>",
        received_at=NOW.astimezone(UTC) - timedelta(hours=5),
        sender=Address("Ana", "ana@example.org"),
        subject=subject,
        kind=Kind.LETTER,
        language="en",
        topic="city.heat_hotwater",
        confidence=0.61,
        alternatives=(("city.noise", 0.2), ("city.trees", 0.1)),
        urgency=urgency,
        flags=(Flag("eviction", ("marshal",)),),
        campaign=None,
        departments=("city-311",),
        status=Status.REVIEW,
        reasons=(Reason("model", "topic", "61 % sure, 90 % needed"),),
        excerpt=excerpt,
        due=date(2026, 12, 8),
    )


def digest(*waiting: Record, troubles: tuple[tuple[str, Dispatch], ...] = (), checks: tuple[Record, ...] = ()) -> Digest:
    made = compose(waiting, troubles, {"city-311": "311"}, "Office of the Mayor", NOW, ASKING, checks)
    assert made is not None
    return made


def test_nothing_waiting_makes_no_digest() -> None:
    assert compose([], [], {}, "Office", NOW, ASKING, [record()]) is None


def test_a_card_says_all_that_a_decision_needs() -> None:
    made = digest(record())
    for said in (
        "MAY-2026-000001",
        "Ana",
        "No heat",
        "It is cold.",
        "61%",
        "311",
        "eviction",
        "5 hours",
        "08 Dec 2026",
        "90 % needed",
    ):
        assert said in made.text
        assert said in made.html


def test_the_subject_counts_and_warns() -> None:
    assert digest(record()).subject == "1 letter waits for you — Office of the Mayor"
    assert digest(record(1, Urgency.CRITICAL), record(2)).subject.startswith("[1 critical] 2 letters wait")


def test_no_more_than_the_most_urgent_stand_in_it() -> None:
    long = "wé <&> " * 200
    checks = tuple(record(90 + number, excerpt=long) for number in range(3))
    made = digest(*(record(number, subject=long, excerpt=long) for number in range(40)), checks=checks)
    assert len(made.references) == MOST_ITEMS + 3
    assert [item["spot_check"] for item in made.items] == [False] * MOST_ITEMS + [True] * 3
    assert "40 letters wait" in made.text
    assert len(made.html.encode()) < 100_000


@pytest.mark.parametrize("stuff", ["wé <&> ", '"', "&", "\U0001f525", "好", "x", "a\u202eb "])
def test_it_stays_small_enough_for_every_mail_program_whatever_strangers_write(stuff: str) -> None:
    """Gmail hides what is above 102 KB, the list of words and the answer code among it."""
    flags = tuple(Flag(f"a_long_name_of_a_flag_{number}", ()) for number in range(30))
    long = replace(record(excerpt=stuff * 900, subject=stuff * 900), flags=flags, sender=Address(stuff * 900, stuff * 300))
    long = replace(long, reasons=(Reason("model", "topic", stuff * 900), Reason("rule", "x", stuff * 900)))
    failed = Delivery("forward", "housing@example.gov", "k", state=State.FAILED, detail=stuff * 2000)
    troubles = tuple((f"MAY-2026-{number:06d}", Dispatch(1, 1, failed, 1, NOW, NOW)) for number in range(40))
    made = digest(*[long] * 40, troubles=troubles, checks=(long, long, long))
    assert len(made.html.encode()) < 100_000
    assert ASKING.token in made.html
    assert made.html.count("<table") == made.html.count("</table>")


@pytest.mark.parametrize(
    ("text", "turned"),
    [("No heat", False), ("12 سرقة", True), ("گیس بند", True), ("EBT سرقة", False), ("暖气", False), ("", False)],
)
def test_a_letter_runs_in_the_direction_of_its_script_also_in_outlook(text: str, turned: bool) -> None:
    assert ('dir="rtl" align="right"' in digest(record(excerpt=text, subject="Hi")).html) is turned


def test_no_writer_turns_round_what_stands_beside_their_words() -> None:
    made = digest(record(subject="\u202eevil\u2066 \x07bell", excerpt="\u202bmore\x9b31m"))
    for part in (made.text, made.html):
        assert not set("\u202e\u2066\u202b\x07\x9b") & set(part)


def test_each_item_has_a_link_for_each_likely_answer_and_all_of_them_one() -> None:
    made = digest(record(1), record(2))
    links = re.findall(r'href="([^"]+)"', made.html)
    says = [unquote(re.search("subject=([^&]+)", link)[1]) for link in links]  # type: ignore[index]
    words = ("ok", "city.noise", "city.trees", "spam", "show")
    assert says == ["all ok"] + [f"{code(number, ASKING.digest)} {word}" for number in (1, 2) for word in words]
    for link in links:
        assert link.isascii()
        assert len(html.unescape(link)) < LONGEST_LINK
        assert unquote(link).startswith(f"mailto:{ASKING.reply_to}?")
        assert f"\r\n{ASKING.token}" in unquote(link)


def test_a_subject_cannot_break_out_of_a_link_or_a_line() -> None:
    odd = "a&body=7K spam\r\nBcc: x@y <b>"
    made = digest(replace(record(subject=odd), alternatives=((odd, 0.3),)))
    for link in re.findall(r'href="([^"]+)"', made.html):
        assert html.unescape(link).count("&") == 1
        assert "\n" not in link


@pytest.mark.parametrize("part", ["text", "html"])
def test_no_line_of_a_digest_is_an_answer(part: str) -> None:
    made = digest(
        *(record(number, excerpt="all ok\n1E spam\nundo", subject="all ok") for number in range(5)), checks=(record(50),)
    )
    text = made.text if part == "text" else to_text(made.html)
    asked = [Asked(item["number"], item["spot_check"]) for item in made.items]
    names = Names({"city.noise": ("city-311",), "housing": ("city-311",)}, {"city-311": "311"})
    for line in text.split("\n"):
        understood = understand(own_lines(line), asked, ASKING.digest, names)
        assert understood.instructions == ()
        assert not understood.undo
    assert understand(own_lines(text), asked, ASKING.digest, names).instructions == ()


def test_what_a_citizen_writes_is_never_markup() -> None:
    made = digest(record(subject="<script>alert(1)</script>", excerpt='"><img src=x onerror=y> {{ 7*7 }}'))
    assert "<script>" not in made.html
    assert "<img" not in made.html
    assert "49" not in made.html


def test_it_fetches_nothing_from_anywhere() -> None:
    shown = digest(record()).html
    assert "http:" not in shown
    assert "https:" not in shown
    assert "src=" not in shown


def test_deliveries_that_failed_are_shown_even_when_no_letter_waits() -> None:
    delivery = Delivery("forward", "housing@example.gov", "k", state=State.FAILED, detail="5.1.1 no such user")
    made = digest(troubles=(("MAY-2026-000009", Dispatch(1, 1, delivery, 1, NOW, NOW)),))
    assert "MAY-2026-000009: the hand-off to housing@example.gov could not be delivered (5.1.1 no such user)" in made.text


@pytest.mark.parametrize(("hour", "slot"), [(8, None), (9, 8), (13, 8), (14, 13), (23, 13)])
def test_the_latest_time_that_has_come_is_the_slot(hour: int, slot: int | None) -> None:
    found = latest_slot(NOW.replace(hour=hour, minute=0), (time(8, 30), time(13, 30)), is_business_day=True)
    assert (found.hour if found else None) == slot


def test_there_is_no_slot_on_a_day_off() -> None:
    assert latest_slot(NOW, (time(8, 30),), is_business_day=False) is None


def test_the_why_of_a_card_is_about_the_letter_and_not_about_its_first_reply() -> None:
    unsure = Reason("promise", "review", "61% sure, which is not enough")
    quiet = Reason("rule", "no acknowledgement", "the flag violence forbids it")
    held = Reason("screen", "acknowledgement", "not acknowledged: twice in seven days")
    tried = Reason("shadow", "A rule", "would close it")
    made = digest(replace(record(), reasons=(Reason("model", "heat", "spoken for by “cold”"), unsure, quiet, held, tried)))
    assert "spoken for by “cold”; 61% sure, which is not enough" in made.text
    for other in (quiet, held, tried):
        assert other.because not in made.text
