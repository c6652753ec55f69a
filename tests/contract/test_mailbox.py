"""The contract of `Mailbox`: one suite for every kind. In what the kinds may differ is listed in places.py, nowhere else."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from tests.contract.places import (
    KEEPS_LABELS,
    KEEPS_NUL,
    MOVES_MAIL,
    NOTICES_MAIL_GOING,
    SEES_A_FOLDER_MADE_ANEW,
    TELLS_OF_REPLIES,
    EmlPlace,
    ImapPlace,
    MaildirPlace,
    MboxPlace,
    OnServerPlace,
    Place,
    as_given,
    recreate,
)
from triaged.ingest import feed_mailbox
from triaged.ingest.mailbox import BATCH_MAILS, BATCH_OCTETS, KINDS, MAX_MAIL_OCTETS, Batch, Mailbox, MailboxError

EVERY = {"imap", "maildir", "eml", "mbox", "graph", "exchange"}
NEVER = timedelta(seconds=60)
Test = TypeVar("Test", bound=Callable[..., None])
LETTER = b"From: Ann <ann@example.org>\nSubject: No heat\n\nSince Friday.\n"
HIDDEN_TROUBLE = {
    "8-bit octets in no known charset": b"Subject: caf\xe9 \xff\xfe\x80\n\n\xf0\x28\x8c\x28 \x81\n",
    "a line of 2 MB": b"Subject: long\n\n" + b"x" * 2_000_000 + b"\n",
    "no line end at the end": b"Subject: cut\n\nno end",
    "CRLF line ends": b"Subject: crlf\r\n\r\none\r\ntwo\r\n",
    "lines that look like an mbox": b"Subject: x\n\nFrom a@b.c Mon Jan  1 00:00:00 2024\n\nFrom me\n>From you\n>>From all\n",
    "a From_ line after a blank one": b"Subject: x\n\n\nFrom ann@example.org Thu Nov 19 08:00:00 2026\nSubject: y\n\nz\n",
    "blank lines at the end": b"Subject: x\n\ntext\n\n\n\n",
    "no header": b"\nonly text\n",
    "no body": b"Subject: nothing else\n",
    "words of the IMAP grammar": b'Subject: {5}\n\n) NIL "BODY[] {3}\n* BYE\nA1 OK (\n',
    "a dot alone": b"Subject: dot\n\n.\n..\n",
}


def letter(number: int, octets: int = 0) -> bytes:
    return b"Message-ID: <%d@example.org>\nSubject: letter %d\n\n" % (number, number) + (b"y" * 70 + b"\n") * (octets // 71)


def only(kinds: set[str]) -> Callable[[Test], Test]:
    """Judge only these kinds: the others are declared to differ."""

    def mark(test: Test) -> Test:
        test.__dict__["kinds"] = kinds
        return test

    return mark


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "place" in metafunc.fixturenames:
        metafunc.parametrize("place", sorted(metafunc.function.__dict__.get("kinds", EVERY)), indirect=True)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "imap":
        return ImapPlace(request.getfixturevalue("account"))
    if request.param in ("graph", "exchange"):
        server = request.getfixturevalue({"graph": "graph", "exchange": "ews"}[request.param])
        return OnServerPlace(request.param, server)
    places: dict[str, Callable[[Path], Place]] = {"maildir": MaildirPlace, "eml": EmlPlace, "mbox": MboxPlace}
    return places[request.param](tmp_path)


@pytest.fixture
def mailbox(place: Place) -> Iterator[Mailbox]:
    opened = place.mailbox()
    yield opened
    opened.close()


def all_of(mailbox: Mailbox, since: str = "") -> tuple[list[Batch], str]:
    """Fetch until there is no more, as the daemon does."""
    batches = [mailbox.fetch(since)]
    while batches[-1].more:
        batches.append(mailbox.fetch(batches[-1].cursor))
    return batches, batches[-1].cursor


def subjects(*batches: Batch) -> list[int]:
    return [int(mail.octets.partition(b"letter ")[2].split()[0]) for batch in batches for mail in batch.mails]


def test_every_kind_of_the_registry_is_judged_here() -> None:
    assert set(KINDS) == {"exchange", "graph", "imap", "maildir"}  # and maildir stands for three


def test_an_empty_folder_gives_no_mail(mailbox: Mailbox) -> None:
    batch = mailbox.fetch("")
    assert (batch.mails, batch.refused, batch.more, batch.rebuilt, batch.gone) == ((), (), False, False, 0)
    assert mailbox.fetch(batch.cursor).mails == ()


def test_mail_comes_in_the_order_of_its_delivery(place: Place, mailbox: Mailbox) -> None:
    for number in range(12):
        place.deliver(letter(number))
    assert subjects(mailbox.fetch("")) == list(range(12))


def test_a_second_fetch_gives_nothing(place: Place, mailbox: Mailbox) -> None:
    place.deliver(LETTER)
    first = mailbox.fetch("")
    second = mailbox.fetch(first.cursor)
    assert (second.mails, second.more) == ((), False)


def test_the_same_cursor_gives_the_same_mail_again(place: Place, mailbox: Mailbox) -> None:
    """We may have died before the commit."""
    for number in range(3):
        place.deliver(letter(number))
    start = mailbox.fetch("").cursor
    for number in range(3, 6):
        place.deliver(letter(number))
    assert mailbox.fetch(start) == mailbox.fetch(start)
    assert subjects(mailbox.fetch(start)) == [3, 4, 5]


def test_a_new_process_goes_on_at_the_cursor(place: Place, mailbox: Mailbox) -> None:
    place.deliver(letter(0))
    cursor = mailbox.fetch("").cursor
    mailbox.close()
    place.deliver(letter(1))
    other = place.mailbox()
    assert subjects(other.fetch(cursor)) == [1]
    other.close()


def test_a_new_process_in_the_middle_of_many_goes_on_at_the_cursor(place: Place, mailbox: Mailbox) -> None:
    for number in range(BATCH_MAILS + 20):
        place.deliver(letter(number))
    first = mailbox.fetch("")
    other = place.mailbox()
    assert subjects(first, *all_of(other, first.cursor)[0]) == list(range(BATCH_MAILS + 20))
    other.close()


@pytest.mark.parametrize("octets", HIDDEN_TROUBLE.values(), ids=HIDDEN_TROUBLE.keys())
def test_octets_are_kept(place: Place, mailbox: Mailbox, octets: bytes) -> None:
    place.deliver(octets)
    place.deliver(LETTER)
    assert [mail.octets for mail in mailbox.fetch("").mails] == [as_given(place.kind, octets), as_given(place.kind, LETTER)]


@only(KEEPS_NUL)
def test_nul_octets_are_kept(place: Place, mailbox: Mailbox) -> None:
    place.deliver(b"Subject: a\0b\n\n\0\0\n")
    assert mailbox.fetch("").mails[0].octets == b"Subject: a\0b\n\n\0\0\n"


def test_nul_octets_hold_nothing_up(place: Place, mailbox: Mailbox) -> None:
    place.deliver(b"Subject: a\0b\n\n\0\0\n")
    place.deliver(letter(1))
    assert mailbox.fetch("").mails[1].octets == as_given(place.kind, letter(1))


def test_a_mail_of_no_octets_is_a_mail(place: Place, mailbox: Mailbox) -> None:
    place.deliver(b"")
    place.deliver(letter(1))
    assert [mail.octets for mail in mailbox.fetch("").mails] == [b"", as_given(place.kind, letter(1))]


def test_two_mails_of_the_same_octets_are_two(place: Place, mailbox: Mailbox) -> None:
    place.deliver(LETTER)
    place.deliver(LETTER)
    first, second = mailbox.fetch("").mails
    assert first.octets == second.octets
    assert first.uid != second.uid


def test_a_mail_says_whose_it_is_and_when_it_came(place: Place, mailbox: Mailbox) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    place.deliver(LETTER)
    mail = mailbox.fetch("").mails[0]
    assert mail.mailbox == mailbox.name
    assert mail.received_at is not None
    assert mail.received_at.utcoffset() == timedelta(0)
    assert before <= mail.received_at <= datetime.now(UTC) + timedelta(seconds=2)


def test_mail_that_comes_between_two_batches_is_not_missed(place: Place, mailbox: Mailbox) -> None:
    for number in range(BATCH_MAILS + 5):
        place.deliver(letter(number))
    first = mailbox.fetch("")
    place.deliver(letter(BATCH_MAILS + 5))
    rest, cursor = all_of(mailbox, first.cursor)
    rest.append(mailbox.fetch(cursor))  # a kind may show it with the next poll only
    assert subjects(first, *rest) == list(range(BATCH_MAILS + 6))


def test_a_batch_is_bounded_in_mails_and_all_come_once(place: Place, mailbox: Mailbox) -> None:
    count = 3 * BATCH_MAILS + 7  # more than one listing of IMAP
    for number in range(count):
        place.deliver(letter(number))
    batches, cursor = all_of(mailbox)
    assert max(len(batch.mails) for batch in batches) == BATCH_MAILS
    assert subjects(*batches) == list(range(count))
    assert len({mail.uid for batch in batches for mail in batch.mails}) == count
    assert mailbox.fetch(cursor).mails == ()


def test_a_batch_ends_with_the_mail_that_passes_the_octets_allowed(place: Place, mailbox: Mailbox) -> None:
    for number in range(8):
        place.deliver(letter(number, octets=BATCH_OCTETS // 3))
    batches, _ = all_of(mailbox)
    assert subjects(*batches) == list(range(8))
    assert max(sum(len(mail.octets) for mail in batch.mails[:-1]) for batch in batches) < BATCH_OCTETS
    assert len(batches) >= 2


def test_a_mail_above_the_limit_is_refused_and_the_next_ones_come(place: Place, mailbox: Mailbox) -> None:
    place.deliver(letter(0))
    place.deliver(letter(1, octets=60_000_000))
    place.deliver(letter(2))
    batches, cursor = all_of(mailbox)
    assert subjects(*batches) == [0, 2]
    refused = [mail for batch in batches for mail in batch.refused]
    assert len(refused) == 1
    assert f"{MAX_MAIL_OCTETS:,}" in refused[0].why
    assert mailbox.fetch(cursor).refused == ()


def test_a_mail_just_within_the_limit_comes_whole(place: Place, mailbox: Mailbox) -> None:
    octets = as_given(place.kind, letter(0, octets=48_000_000))
    place.deliver(octets)
    place.deliver(letter(1))
    batches, _ = all_of(mailbox)
    assert subjects(*batches) == [0, 1]
    assert batches[0].mails[0].octets == octets


@only(NOTICES_MAIL_GOING)
def test_a_mail_that_goes_before_it_is_read_is_counted_and_holds_nothing_up(place: Place, mailbox: Mailbox) -> None:
    for number in range(BATCH_MAILS + 4):
        place.deliver(letter(number))
    first = mailbox.fetch("")
    place.remove(BATCH_MAILS + 1)
    rest, _ = all_of(mailbox, first.cursor)
    assert subjects(*rest) == [BATCH_MAILS, BATCH_MAILS + 2, BATCH_MAILS + 3]
    assert sum(batch.gone for batch in rest) == 1


def test_a_mail_taken_earlier_may_go(place: Place, mailbox: Mailbox) -> None:
    for number in range(3):
        place.deliver(letter(number))
    cursor = mailbox.fetch("").cursor
    place.remove(0)
    place.deliver(letter(3))
    batches, _ = all_of(mailbox, cursor)
    new = [batch for batch in batches if not batch.rebuilt]
    assert subjects(*batches)[-1] == 3
    if place.kind in NOTICES_MAIL_GOING:
        assert subjects(*new) == [3]


def test_mail_that_staff_read_meanwhile_still_comes(place: Place, mailbox: Mailbox) -> None:
    for number in range(BATCH_MAILS + 3):
        place.deliver(letter(number))
    first = mailbox.fetch("")
    place.touch(BATCH_MAILS + 1)
    rest, cursor = all_of(mailbox, first.cursor)
    assert subjects(*rest) == [BATCH_MAILS, BATCH_MAILS + 1, BATCH_MAILS + 2]
    place.touch(0)
    assert mailbox.fetch(cursor).mails == ()


def test_fetching_changes_nothing(place: Place, mailbox: Mailbox) -> None:
    for number in range(3):
        place.deliver(letter(number))
    mailbox.latest()  # Dovecot takes new files in when it first sees them
    before = place.snapshot()
    cursor = mailbox.fetch("").cursor
    mailbox.fetch(cursor)
    mailbox.latest()
    mailbox.check()
    assert place.snapshot() == before


def test_latest_lies_after_all_mail_present(place: Place, mailbox: Mailbox) -> None:
    for number in range(3):
        place.deliver(letter(number))
    cursor = mailbox.latest()
    assert mailbox.fetch(cursor).mails == ()
    place.deliver(letter(3))
    assert subjects(mailbox.fetch(cursor)) == [3]


def test_latest_of_an_empty_folder_leaves_nothing_out(place: Place, mailbox: Mailbox) -> None:
    cursor = mailbox.latest()
    place.deliver(letter(0))
    assert subjects(mailbox.fetch(cursor)) == [0]


def test_latest_sees_mail_that_came_after_an_earlier_look(place: Place, mailbox: Mailbox) -> None:
    mailbox.latest()
    place.deliver(letter(0))
    assert mailbox.fetch(mailbox.latest()).mails == ()


def test_waiting_ends_when_mail_comes(place: Place, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_mailbox, "LOOK_EVERY", timedelta(seconds=0.5))
    cursor = mailbox.fetch("").cursor
    waiter = threading.Thread(target=mailbox.wait, args=(NEVER, lambda: False))
    started = time.monotonic()
    waiter.start()
    place.deliver(letter(0))
    waiter.join(20)
    assert not waiter.is_alive()
    assert time.monotonic() - started < 20
    assert subjects(mailbox.fetch(cursor)) == [0]


def test_waiting_ends_soon_after_it_shall_stop(mailbox: Mailbox) -> None:
    mailbox.fetch("")
    started = time.monotonic()
    mailbox.wait(NEVER, lambda: time.monotonic() - started > 0.2)
    assert time.monotonic() - started < 5


def test_waiting_ends_when_its_time_is_over(mailbox: Mailbox) -> None:
    mailbox.fetch("")
    started = time.monotonic()
    mailbox.wait(timedelta(seconds=0.4), lambda: False)
    assert 0.4 <= time.monotonic() - started < 5


@only(MOVES_MAIL)
@pytest.mark.parametrize("folder", ["Done", "Triaged/Erledigt", "Büro/Ärger & Co/déjà lu 完了"])
def test_a_mail_is_moved_whole_and_the_others_stay(place: Place, mailbox: Mailbox, folder: str) -> None:
    for number in range(3):
        place.deliver(letter(number))
    batch = mailbox.fetch("")
    mailbox.move(batch.mails[1].uid, folder)
    assert place.folder(folder) == [batch.mails[1].octets]
    assert subjects(mailbox.fetch("")) == [0, 2]
    assert mailbox.fetch(batch.cursor).mails == ()


@only(MOVES_MAIL)
def test_moving_many_keeps_them_all(place: Place, mailbox: Mailbox) -> None:
    for number in range(10):
        place.deliver(letter(number))
    batch = mailbox.fetch("")
    for mail in batch.mails:
        mailbox.move(mail.uid, "Done")
    assert sorted(place.folder("Done")) == sorted(mail.octets for mail in batch.mails)
    assert mailbox.fetch("").mails == ()


@only(MOVES_MAIL)
def test_a_mail_is_moved_once_even_if_asked_twice(place: Place, mailbox: Mailbox) -> None:
    place.deliver(LETTER)
    uid = mailbox.fetch("").mails[0].uid
    assert mailbox.move(uid, "Done") is True
    assert mailbox.move(uid, "Done") is False
    assert len(place.folder("Done")) == 1


@only(MOVES_MAIL)
def test_a_mail_that_is_gone_is_not_moved_and_is_no_error(place: Place, mailbox: Mailbox) -> None:
    place.deliver(letter(0))
    place.deliver(letter(1))
    uid = mailbox.fetch("").mails[0].uid
    place.remove(0)
    assert mailbox.move(uid, "Done") is False
    assert subjects(mailbox.fetch("")) == [1]


@only(MOVES_MAIL)
def test_a_mail_that_staff_have_read_is_moved(place: Place, mailbox: Mailbox) -> None:
    place.deliver(LETTER)
    mail = mailbox.fetch("").mails[0]
    place.touch(0)
    mailbox.move(mail.uid, "Done")
    assert place.folder("Done") == [mail.octets]


@pytest.mark.parametrize("folder", ["", "a//b", "../outside", "a/../../b", "a/.", "line\nbreak", "nul\0"])
def test_a_folder_name_that_leads_elsewhere_is_refused(place: Place, mailbox: Mailbox, folder: str) -> None:
    place.deliver(LETTER)
    uid = mailbox.fetch("").mails[0].uid
    before = place.snapshot()
    with pytest.raises(MailboxError) as caught:
        mailbox.move(uid, folder)
    assert caught.value.permanent
    with pytest.raises(MailboxError):
        mailbox.save_draft(LETTER, folder)
    assert place.snapshot() == before


@only(EVERY - MOVES_MAIL)
def test_a_kind_without_folders_says_so(place: Place, mailbox: Mailbox) -> None:
    place.deliver(LETTER)
    with pytest.raises(MailboxError, match="cannot be moved") as caught:
        mailbox.move(mailbox.fetch("").mails[0].uid, "Done")
    assert caught.value.permanent
    with pytest.raises(MailboxError, match="no folder for drafts"):
        mailbox.save_draft(LETTER, "Drafts")


@only(TELLS_OF_REPLIES)
def test_a_mail_that_a_person_has_replied_to_says_so(place: Place, mailbox: Mailbox) -> None:
    for number in range(3):
        place.deliver(letter(number))
    mailbox.latest()  # Dovecot takes new files in when it first sees them
    place.reply(1)
    assert [mail.answered for mail in mailbox.fetch("").mails] == [False, True, False]


@only(EVERY - TELLS_OF_REPLIES)
def test_a_kind_that_does_not_tell_of_replies_claims_none(place: Place, mailbox: Mailbox) -> None:
    place.deliver(LETTER)
    assert not mailbox.fetch("").mails[0].answered


@only(KEEPS_LABELS)
def test_labels_are_ours_alone_and_change_with_the_matter(place: Place, mailbox: Mailbox) -> None:
    for number in range(3):
        place.deliver(letter(number))
    batch = mailbox.fetch("")
    place.label(1, "Urgent")
    mailbox.mark(batch.mails[1].uid, ["Triaged/housing.repair", "Triaged/waits-for-a-person"])
    assert place.labels(1) == {"Urgent", "Triaged/housing.repair", "Triaged/waits-for-a-person"}
    mailbox.mark(batch.mails[1].uid, ["Triaged/housing.repair", "Triaged/handed-off"])
    assert place.labels(1) == {"Urgent", "Triaged/housing.repair", "Triaged/handed-off"}
    mailbox.mark(batch.mails[1].uid, [])
    assert place.labels(1) == {"Urgent"}
    assert place.labels(0) == place.labels(2) == set()


@only(KEEPS_LABELS)
def test_labelling_twice_changes_nothing_more(place: Place, mailbox: Mailbox) -> None:
    place.deliver(LETTER)
    uid = mailbox.fetch("").mails[0].uid
    mailbox.mark(uid, ["Triaged/closed"])
    before = place.snapshot()
    mailbox.mark(uid, ["Triaged/closed"])
    assert place.snapshot() == before


@only(KEEPS_LABELS)
def test_a_label_makes_no_mail_come_again(place: Place, mailbox: Mailbox) -> None:
    place.deliver(LETTER)
    batch = mailbox.fetch("")
    mailbox.mark(batch.mails[0].uid, ["Triaged/handed-off"])
    assert mailbox.fetch(batch.cursor).mails == ()


@only(KEEPS_LABELS)
def test_a_mail_that_is_gone_is_not_labelled_and_is_no_error(place: Place, mailbox: Mailbox) -> None:
    place.deliver(letter(0))
    place.deliver(letter(1))
    uid = mailbox.fetch("").mails[0].uid
    place.remove(0)
    mailbox.mark(uid, ["Triaged/handed-off"])
    assert subjects(mailbox.fetch("")) == [1]


@only(EVERY - KEEPS_LABELS)
def test_a_kind_without_labels_says_so(place: Place, mailbox: Mailbox) -> None:
    place.deliver(LETTER)
    with pytest.raises(MailboxError, match="no labels") as caught:
        mailbox.mark(mailbox.fetch("").mails[0].uid, ["Triaged/closed"])
    assert caught.value.permanent


@only(MOVES_MAIL)
def test_a_draft_is_kept_as_one(place: Place, mailbox: Mailbox) -> None:
    mailbox.save_draft(LETTER, "Entwürfe")
    mailbox.save_draft(LETTER, "Entwürfe")
    assert place.folder("Entwürfe") == [as_given(place.kind, LETTER)] * 2
    assert place.drafts("Entwürfe") == 2
    assert mailbox.fetch("").mails == ()


def test_a_folder_made_anew_is_read_whole(place: Place, mailbox: Mailbox) -> None:
    for number in range(3):
        place.deliver(letter(number))
    cursor = mailbox.fetch("").cursor
    recreate(place)
    place.deliver(letter(7))
    place.deliver(letter(8))
    batches, cursor = all_of(mailbox, cursor)
    assert subjects(*batches) == [7, 8]
    if place.kind in SEES_A_FOLDER_MADE_ANEW:
        assert all(batch.rebuilt for batch in batches if batch.mails)
    place.deliver(letter(9))
    later = mailbox.fetch(cursor)
    assert (subjects(later), later.rebuilt) == ([9], False)


@only(SEES_A_FOLDER_MADE_ANEW)
def test_all_old_mail_of_a_folder_made_anew_is_known_as_such_over_restarts(place: Place, mailbox: Mailbox) -> None:
    place.deliver(letter(999))
    cursor = mailbox.fetch("").cursor
    recreate(place)
    for number in range(BATCH_MAILS + 5):
        place.deliver(letter(number))
    first = mailbox.fetch(cursor)
    place.deliver(letter(1_000))  # truly new
    other = place.mailbox()
    rest, cursor = all_of(other, first.cursor)
    rest += all_of(other, cursor)[0]
    other.close()
    assert subjects(first, *(batch for batch in rest if batch.rebuilt)) == list(range(BATCH_MAILS + 5))
    assert subjects(*(batch for batch in rest if not batch.rebuilt)) == [1_000]


@only(MOVES_MAIL & SEES_A_FOLDER_MADE_ANEW)
def test_a_mail_of_before_the_folder_was_made_anew_is_not_mistaken_for_one_of_now(place: Place, mailbox: Mailbox) -> None:
    place.deliver(letter(0))
    uid = mailbox.fetch("").mails[0].uid
    recreate(place)
    place.deliver(letter(1))
    mailbox.move(uid, "Done")
    assert subjects(mailbox.fetch("")) == [1]


def test_check_counts_and_needs_no_fetch(place: Place, mailbox: Mailbox) -> None:
    for number in range(3):
        place.deliver(letter(number))
    assert mailbox.check().startswith("3 mails in ")
    place.deliver(letter(3))
    assert mailbox.check().startswith("4 mails in ")


def test_a_closed_mailbox_can_be_closed_again_and_used_again(place: Place, mailbox: Mailbox) -> None:
    place.deliver(LETTER)
    mailbox.fetch("")
    mailbox.close()
    mailbox.close()
    assert len(mailbox.fetch("").mails) == 1


def test_a_missing_folder_is_for_a_person_to_mend(place: Place, mailbox: Mailbox) -> None:
    place.unlink()
    for call in (lambda: mailbox.fetch(""), mailbox.latest, mailbox.check, lambda: mailbox.wait(NEVER, lambda: False)):
        with pytest.raises(MailboxError) as caught:
            call()
        assert caught.value.permanent


def test_after_an_error_the_next_call_starts_afresh(place: Place, mailbox: Mailbox) -> None:
    place.deliver(letter(0))
    cursor = mailbox.fetch("").cursor
    place.unlink()
    with pytest.raises(MailboxError):
        mailbox.fetch(cursor)
    place.make()
    place.deliver(letter(1))
    assert subjects(*all_of(mailbox, cursor)[0]) == [1]


@pytest.mark.parametrize(
    "cursor", ["nonsense", "a:b", "1:2:3:4", "mbox:x:y", "maildir:???", "exchange:AAAA", "::", "1:\u0663x"]
)
def test_a_cursor_of_another_kind_is_refused(place: Place, mailbox: Mailbox, cursor: str) -> None:
    place.deliver(LETTER)
    with pytest.raises(MailboxError) as caught:
        mailbox.fetch(cursor)
    assert caught.value.permanent
