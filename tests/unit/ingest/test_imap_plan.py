from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.ingest.imap_plan import (
    GROUP_MAILS,
    GROUP_OCTETS,
    Listed,
    Listing,
    Position,
    allowed_octets,
    batch,
    groups,
    label_changes,
    listing,
)
from triaged.ingest.mailbox import BATCH_MAILS, BATCH_OCTETS, MAX_MAIL_OCTETS, MailboxError

UIDS = st.integers(min_value=0, max_value=2**32 - 1)
SIZES = st.one_of(
    st.none(), st.integers(min_value=0, max_value=2 * MAX_MAIL_OCTETS), st.integers(min_value=0, max_value=20_000)
)


def mails(*uids: int, size: int | None = 1_000) -> tuple[Listed, ...]:
    return tuple(Listed(uid, size, None) for uid in uids)


LISTS = st.lists(SIZES, max_size=600).map(lambda sizes: tuple(Listed(uid, size, None) for uid, size in enumerate(sizes, 1)))


@given(UIDS, UIDS, UIDS)
def test_a_position_survives_being_written_as_a_cursor(validity: int, uid: int, old_up_to: int) -> None:
    position = Position(validity, uid, old_up_to)
    read = Position.parse(str(position))
    assert (read.validity, read.uid, read.rebuilt) == (validity, uid, position.rebuilt)
    assert str(read) == str(position)


@given(st.text())
def test_any_text_is_a_position_or_an_error_of_the_mailbox(text: str) -> None:
    with suppress(MailboxError):
        assert Position.parse(str(Position.parse(text))).uid == Position.parse(text).uid


def test_mail_up_to_the_position_is_dropped() -> None:
    """n+1:* yields the last mail even if it is not above n."""
    assert listing(Position(7, 12), mails(12), more=False, made_anew=False).mails == ()
    assert listing(Position(7, 12), mails(12, 15), more=False, made_anew=False).mails == mails(15)


def test_old_mail_of_a_folder_made_anew_is_not_mixed_with_new() -> None:
    listed = listing(Position(8, 0, old_up_to=3), mails(1, 3, 4, 9), more=False, made_anew=True)
    assert listed.mails == mails(1, 3)
    assert listed.position.rebuilt
    assert listed.more
    rest = listed.after(2)
    assert listing(rest.position, mails(4, 9), more=False, made_anew=False).mails == mails(4, 9)


def test_old_mail_that_is_gone_does_not_make_new_mail_old() -> None:
    listed = listing(Position(8, 2, old_up_to=5), mails(6), more=False, made_anew=False)
    assert listed.mails == mails(6)
    assert not listed.position.rebuilt


def test_the_end_of_the_old_mail_is_remembered_even_if_its_last_mails_are_gone() -> None:
    listed = Listing(Position(8, 0, old_up_to=10), mails(1, 2), more=False)
    assert str(listed.after(2).position) == "8:10"
    assert str(Listing(Position(8, 4, old_up_to=10), (), more=False).after(0).position) == "8:10"


def test_a_position_does_not_move_over_mail_that_was_not_dealt_with() -> None:
    listed = Listing(Position(8, 1), mails(5, 6, 9), more=False)
    assert str(listed.after(0).position) == "8:1"
    assert str(listed.after(2).position) == "8:6"
    assert listed.after(2).mails == mails(9)


@given(LISTS)
def test_a_batch_is_the_first_mails_and_bounded(listed: tuple[Listed, ...]) -> None:
    chosen = batch(listed)
    assert tuple(chosen) == listed[: len(chosen)]
    assert len(chosen) <= BATCH_MAILS
    assert bool(chosen) == bool(listed)
    assert sum(mail.size_octets or 0 for mail in chosen[:-1] if not mail.too_large) < BATCH_OCTETS


@given(LISTS, st.integers(min_value=0, max_value=700))
def test_groups_hold_each_mail_once_in_order_and_are_bounded(listed: tuple[Listed, ...], alone_up_to: int) -> None:
    found = list(groups(listed, alone_up_to))
    assert tuple(mail for group in found for mail in group) == listed
    for group in found:
        assert 1 <= len(group) <= GROUP_MAILS
        if len(group) > 1:
            assert all(mail.size_octets is not None and mail.uid > alone_up_to for mail in group)
            assert sum(mail.size_octets or 0 for mail in group) <= GROUP_OCTETS


@given(LISTS)
def test_what_a_server_may_send_is_bounded_whatever_it_said_of_sizes(listed: tuple[Listed, ...]) -> None:
    for group in groups(listed, 0):
        assert allowed_octets(group) <= max(MAX_MAIL_OCTETS, 3 * GROUP_OCTETS)
        if not group[0].too_large:
            assert allowed_octets(group) >= sum(mail.size_octets or 0 for mail in group)


@pytest.mark.parametrize(("size", "too_large"), [(MAX_MAIL_OCTETS, False), (MAX_MAIL_OCTETS + 1, True), (None, False)])
def test_the_limit_itself_is_allowed(size: int | None, too_large: bool) -> None:
    assert Listed(1, size, None).too_large is too_large


def test_labels_of_others_are_never_touched_and_ours_change_in_part() -> None:
    there = ["Urgent", "triaged/heat", "Triaged/waits-for-a-person", "NotTriaged/x"]
    assert label_changes(there, ["Triaged/heat", "Triaged/handed-off"]) == (
        ["Triaged/handed-off"],
        ["Triaged/waits-for-a-person"],
    )
    assert label_changes(["Triaged/closed"], ["Triaged/closed"]) == ([], [])
