import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ingest.letters import message
from triaged.ingest.calendar import invitation
from triaged.message import Invitation


def event(*lines: str) -> Invitation | None:
    return invitation("\r\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"]))[0]


def test_an_invitation_is_read_and_is_the_letter_when_nothing_else_is_said() -> None:
    letter = message("invitation-with-nothing-else")
    assert letter.invitation == Invitation(
        method="REQUEST",
        summary="Block party, Elm Street",
        location="Elm Street Hall",
        starts="2026-12-03 18:00 America/New_York",
        organizer="Block: Association <block@example.org>",
    )
    assert letter.text.splitlines()[-2:] == ["We would be honored", "if the Mayor came."]


@pytest.mark.parametrize(
    ("line", "starts"),
    [
        ("DTSTART:20261203T180000Z", "2026-12-03 18:00 UTC"),
        ("DTSTART;VALUE=DATE:20261203", "2026-12-03"),
        ("DTSTART:20261203T180000", "2026-12-03 18:00"),
        ("DTSTART:soon", "soon"),
        ("SUMMARY:x", ""),
    ],
)
def test_the_beginning_is_told_with_its_zone(line: str, starts: str) -> None:
    found = event(line)
    assert found is not None
    assert found.starts == starts


def test_only_the_first_event_counts_and_no_event_is_no_invitation() -> None:
    assert invitation("BEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR") == (None, "")
    found, _ = invitation("BEGIN:VEVENT\nSUMMARY:one\nEND:VEVENT\nBEGIN:VEVENT\nLOCATION:two\nEND:VEVENT")
    assert found == Invitation("", "one", "", "", "")


@given(st.text(alphabet='BEGINVT:;="\n ,\\', max_size=100))
def test_any_calendar_is_read_without_raising(text: str) -> None:
    invitation("BEGIN:VEVENT\n" + text)
