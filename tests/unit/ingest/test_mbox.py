import fcntl
import io
import multiprocessing
import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.places import MboxPlace
from triaged.ingest.mailbox import MAX_MAIL_OCTETS, MailboxError
from triaged.ingest.mbox import Mbox, Position, delivered_at, entries, is_from_line

LINES = st.lists(
    st.one_of(
        st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")),
        st.sampled_from([b"", b"From ", b">From x", b">>From y", b"From a@b.c Mon Jan  1 00:00:00 2024", b"\r", b"From me"]),
    ),
    max_size=12,
)
MAILS = st.lists(LINES.map(lambda lines: b"".join(line + b"\n" for line in lines)), max_size=6)


def read(octets: bytes) -> list[bytes | None]:
    return [entry.octets for entry in entries(io.BytesIO(octets), 0)]


@given(MAILS)
def test_what_was_appended_is_read_back_octet_for_octet(mails: list[bytes]) -> None:
    assert read(b"".join(MboxPlace.entry(mail) for mail in mails)) == mails


@given(st.binary(max_size=2_000))
def test_any_octets_are_read_and_none_is_left_over(octets: bytes) -> None:
    found = list(entries(io.BytesIO(octets), 0))
    assert [entry.start for entry in found] == [0, *(entry.end for entry in found)][: len(found)]
    assert (found[-1].end if found else 0) == len(octets)


@given(MAILS, st.integers(min_value=0, max_value=5))
def test_reading_may_go_on_at_any_mail(mails: list[bytes], taken: int) -> None:
    file = io.BytesIO(b"".join(MboxPlace.entry(mail) for mail in mails))
    found = list(entries(file, 0))
    start = found[taken].start if taken < len(found) else len(file.getvalue())
    assert list(entries(file, start)) == found[taken:]


@pytest.mark.parametrize(
    "line",
    [
        b"From ann@example.org Thu Nov 19 08:00:00 2026\n",
        b"From - Thu Nov 19 08:00:00 2026\n",
        b"From MAILER-DAEMON Thu Nov 19 08:00:00 2026\r\n",
        b"From ann@example.org  Thu Nov 19 08:00:00 +0100 2026\n",
        b"From ann@example.org Thu Nov  9 08:00 EST 2026\n",
        b"From ann@example.org Thu, 19 Nov 2026 08:00:00 +0000\n",
        b'From "ann lee"@example.org Thu Nov 19 08:00:00 2026 remote from uucp\n',
    ],
)
def test_each_writers_from_line_begins_a_mail(line: bytes) -> None:
    assert is_from_line(line)
    found = delivered_at(line)
    assert found is None or found.date() == datetime(2026, 11, 19, tzinfo=UTC).date() or b"Nov  9" in line


@pytest.mark.parametrize(
    "line",
    [
        b"From the 10:30 train I saw in 2026 that\n",
        b"From Monday on we had no heat.\n",
        b"from ann@example.org Thu Nov 19 08:00:00 2026\n",
        b">From ann@example.org Thu Nov 19 08:00:00 2026\n",
        b"From: ann@example.org Thu Nov 19 08:00:00 2026\n",
        b"From " + b"x" * 60_000 + b" Thu Nov 19 08:00:00 2026\n",
    ],
)
def test_a_sentence_does_not_begin_a_mail(line: bytes) -> None:
    assert not is_from_line(line)


def test_a_from_line_that_tries_to_hold_us_up_does_not() -> None:
    started = time.perf_counter()
    for line in (b"From " + b"Mon " * 100_000, b"From Mon A" + b"1:" * 100_000, b">" * 65_536):
        read(line + b"\n\n" + line)
    assert time.perf_counter() - started < 2


def test_the_from_lines_date_is_when_the_mail_came() -> None:
    assert delivered_at(b"From a@b.c Thu Nov 19 08:01:02 2026\n") == datetime(2026, 11, 19, 8, 1, 2, tzinfo=UTC)
    assert delivered_at(b"From a@b.c Thu Nov 19 08:01:02 +0100 2026\n") in {datetime(2026, 11, 19, 7, 1, 2, tzinfo=UTC), None}
    assert delivered_at(b"From a@b.c Thu Nov 99 98:01:02 2026\n") is None


def test_a_mail_of_just_the_limit_is_taken_and_one_octet_more_is_not() -> None:
    line = b"z" * 999 + b"\n"
    exact = line * (MAX_MAIL_OCTETS // 1_000)
    sizes = [None if octets is None else len(octets) for octets in read(MboxPlace.entry(exact) + MboxPlace.entry(b"z" + exact))]
    assert sizes == [MAX_MAIL_OCTETS, None]


@given(st.text())
def test_any_text_is_a_position_or_an_error_of_the_mailbox(text: str) -> None:
    with suppress(MailboxError):
        assert Position.parse(str(Position.parse(text))).offset == Position.parse(text).offset


def test_octets_that_no_from_line_begins_are_shown_to_people(tmp_path: Path) -> None:
    (tmp_path / "mbox").write_bytes(b"half a letter\n\n" + MboxPlace.entry(b"Subject: x\n\n"))
    batch = Mbox("leader", tmp_path / "mbox").fetch("")
    assert [mail.octets for mail in batch.mails] == [b"Subject: x\n\n"]
    assert "no From_ line" in batch.refused[0].why


def test_blank_lines_between_mails_are_nothing(tmp_path: Path) -> None:
    (tmp_path / "mbox").write_bytes(b"\n\n" + MboxPlace.entry(b"Subject: x\n\n"))
    batch = Mbox("leader", tmp_path / "mbox").fetch("")
    assert (len(batch.mails), batch.refused) == (1, ())


def hold(path: str, locked: Event, release: Event) -> None:
    with Path(path).open("r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        locked.set()
        release.wait(30)


def test_a_file_that_a_delivery_agent_has_locked_is_left_until_later(tmp_path: Path) -> None:
    path = tmp_path / "mbox"
    path.write_bytes(MboxPlace.entry(b"Subject: x\n\n"))
    context = multiprocessing.get_context("spawn")
    locked, release = context.Event(), context.Event()
    agent = context.Process(target=hold, args=(str(path), locked, release))
    agent.start()
    try:
        assert locked.wait(30)
        with pytest.raises(MailboxError, match="locked") as caught:
            Mbox("leader", path).fetch("")
        assert not caught.value.permanent
    finally:
        release.set()
        agent.join(30)
        agent.close()
    assert len(Mbox("leader", path).fetch("").mails) == 1


def test_a_dot_lock_is_honoured_unless_it_was_forgotten(tmp_path: Path) -> None:
    path, lock = tmp_path / "mbox", tmp_path / "mbox.lock"
    path.write_bytes(MboxPlace.entry(b"Subject: x\n\n"))
    lock.touch()
    with pytest.raises(MailboxError, match=r"mbox\.lock"):
        Mbox("leader", path).fetch("")
    an_hour_ago = time.time() - 3_600
    os.utime(lock, (an_hour_ago, an_hour_ago))
    assert len(Mbox("leader", path).fetch("").mails) == 1


def test_a_mail_keeps_its_uid_when_the_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "mbox"
    path.write_bytes(MboxPlace.entry(b"Subject: x\n\n") * 2)
    first, second = Mbox("leader", path).fetch("").mails
    assert first.uid != second.uid
    assert Mbox("leader", path).fetch("").mails == (first, second)
