"""Maildirs and folders of .eml files: what the contract suite, which treats all kinds alike, cannot ask."""

import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.config import Maildir
from triaged.ingest import layouts
from triaged.ingest.layouts import modified_utf7
from triaged.ingest.mailbox import Mailbox, MailboxError
from triaged.ingest.maildir import ATTEMPTS, FileMailbox, hash_of, open_mailbox, read_cursor, write_cursor

HASHES = st.sets(st.binary(min_size=8, max_size=8))


def maildir(path: Path) -> Path:
    for sub in ("tmp", "new", "cur"):
        (path / sub).mkdir(parents=True)
    return path


def opened(path: Path) -> Mailbox:
    return open_mailbox("leader", Maildir(path), path.parent)


@given(HASHES)
def test_the_set_of_names_survives_being_written_as_a_cursor(taken: set[bytes]) -> None:
    assert read_cursor("maildir", write_cursor("maildir", taken)) == taken


@given(st.text())
def test_any_text_is_a_cursor_or_an_error_of_the_mailbox(text: str) -> None:
    with suppress(MailboxError):
        assert read_cursor("eml", write_cursor("eml", read_cursor("eml", text))) == read_cursor("eml", text)


def test_twenty_thousand_names_cost_a_quarter_of_a_megabyte() -> None:
    assert len(write_cursor("maildir", {hash_of(str(number)) for number in range(20_000)})) < 250_000


def test_names_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    folder = maildir(tmp_path / "box")
    for number in range(50):
        (folder / "new" / f"{number}").write_bytes(b"x")
    mailbox = opened(folder)
    full = mailbox.fetch("").cursor
    for number in range(49):
        (folder / "new" / f"{number}").unlink()
    assert len(mailbox.fetch(full).cursor) < len(full) / 10


class Renaming(layouts.Maildir):
    """A maildir whose listing misses what is being renamed, as readdir(3) may."""

    missed: frozenset[str] = frozenset()

    def files(self) -> dict[str, Path]:
        missed, self.missed = self.missed, frozenset()
        return {uid: path for uid, path in super().files().items() if uid not in missed}


def test_a_file_renamed_while_we_list_is_not_taken_twice(tmp_path: Path) -> None:
    folder = maildir(tmp_path / "box")
    for name in ("1", "2"):
        (folder / "new" / name).write_bytes(b"x")
    layout = Renaming(folder)
    mailbox = FileMailbox("leader", folder, layout)
    cursor = mailbox.fetch("").cursor
    layout.missed = frozenset({"2"})
    cursor = mailbox.fetch(cursor).cursor
    assert mailbox.fetch(cursor).mails == ()


def test_a_disk_that_is_not_mounted_is_no_empty_mailbox(tmp_path: Path) -> None:
    """sympa-community/sympa#1491 took what was away for what was empty."""
    folder = maildir(tmp_path / "box")
    (folder / "new" / "1").write_bytes(b"x")
    mailbox = opened(folder)
    cursor = mailbox.fetch("").cursor
    folder.rename(tmp_path / "elsewhere")
    folder.mkdir()
    for box in (mailbox, opened(folder)):
        with pytest.raises(MailboxError) as caught:
            box.fetch(cursor)
        assert caught.value.permanent


def test_an_empty_folder_may_become_a_maildir_with_its_first_mail(tmp_path: Path) -> None:
    folder = tmp_path / "box"
    folder.mkdir()
    mailbox = opened(folder)
    cursor = mailbox.latest()
    maildir(folder)
    (folder / "new" / "1").write_bytes(b"x")
    assert [mail.uid for mail in mailbox.fetch(cursor).mails] == ["1"]


def test_mail_in_a_maildir_comes_in_the_order_of_its_times(tmp_path: Path) -> None:
    folder = maildir(tmp_path / "box")
    for name, minutes in (("b", 3), ("a:2,S", 2), ("c", 1)):
        path = folder / ("cur" if ":" in name else "new") / name
        path.write_bytes(b"x")
        time = datetime(2026, 11, 23, 14, minutes, tzinfo=UTC).timestamp()
        os.utime(path, (time, time))
    mails = opened(folder).fetch("").mails
    assert [mail.uid for mail in mails] == ["c", "a", "b"]
    assert mails[0].received_at == datetime(2026, 11, 23, 14, 1, tzinfo=UTC)


def test_what_is_no_mail_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    (folder / "Done").mkdir(parents=True)
    (folder / "Done" / "old.eml").write_bytes(b"moved")
    for name in (".hidden.eml", "half.eml.tmp", "half.eml.part", "README.txt", "notes"):
        (folder / name).write_bytes(b"no")
    os.mkfifo(folder / "pipe.eml")  # opening it would wait for ever
    (folder / "folder.eml").mkdir()
    (folder / "b.eml").write_bytes(b"2")
    (folder / "a.EML").write_bytes(b"1")
    assert [mail.octets for mail in opened(folder).fetch("").mails] == [b"1", b"2"]


def test_a_maildirs_tmp_and_hidden_files_are_left_alone(tmp_path: Path) -> None:
    folder = maildir(tmp_path / "box")
    (folder / "tmp" / "1").write_bytes(b"being written")
    (folder / "new" / ".nfs000").write_bytes(b"no")
    (folder / "new" / "2").write_bytes(b"yes")
    assert [mail.octets for mail in opened(folder).fetch("").mails] == [b"yes"]


def test_a_file_name_that_is_no_text_is_no_obstacle(tmp_path: Path) -> None:
    folder = maildir(tmp_path / "box")
    Path(os.fsdecode(os.fsencode(folder / "new") + b"/1.\xff\xfe")).write_bytes(b"x")
    mailbox = opened(folder)
    (mail,) = mailbox.fetch("").mails
    mail.uid.encode("utf-8")
    mailbox.move(mail.uid, "Done")
    assert len(list((folder / ".Done" / "new").iterdir())) == 1


def test_a_folder_is_named_as_maildir_plus_plus_and_dovecot_have_it(tmp_path: Path) -> None:
    folder = maildir(tmp_path / "box")
    (folder / "cur" / "1:2,FS").write_bytes(b"x")
    mailbox = opened(folder)
    mailbox.move(mailbox.fetch("").mails[0].uid, "Triaged/Ärger & Co")
    assert (folder / ".Triaged.&AMQ-rger &- Co" / "cur" / "1:2,FS").read_bytes() == b"x"
    assert (folder / ".Triaged.&AMQ-rger &- Co" / "maildirfolder").exists()


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_folder_names_are_written_as_imapclient_reads_them(name: str) -> None:
    from imapclient.imap_utf7 import decode

    assert decode(modified_utf7(name).encode("ascii")) == name


@pytest.mark.parametrize("kind", ["maildir", "eml"])
def test_a_moved_mail_never_overwrites_another_of_its_name(tmp_path: Path, kind: str) -> None:
    folder, name = tmp_path / "box", "1.eml"
    if kind == "maildir":
        maildir(folder)
    incoming = folder / "new" if kind == "maildir" else folder
    incoming.mkdir(exist_ok=True, parents=True)
    mailbox = opened(folder)
    for octets in (b"first", b"second", b"third"):
        (incoming / name).write_bytes(octets)
        mailbox.move(name, "Done")
    done = folder / ".Done" / "new" if kind == "maildir" else folder / "Done"
    assert {path.read_bytes() for path in done.iterdir()} == {b"first", b"second", b"third"}


@pytest.mark.parametrize("uid", ["../outside", "/etc/passwd", "", ".", "..", "a\0b"])
def test_no_uid_leads_out_of_the_folder(tmp_path: Path, uid: str) -> None:
    (tmp_path / "outside").write_bytes(b"stays")
    mailbox = opened(maildir(tmp_path / "box"))
    mailbox.move(uid, "Done")
    assert (tmp_path / "outside").exists()


def test_a_file_that_cannot_be_read_is_reported_and_holds_no_other_up(tmp_path: Path) -> None:
    folder = maildir(tmp_path / "box")
    (folder / "new" / "1").symlink_to("/proc/self/mem")  # a file whose reading is an I/O error, for root too
    mailbox = opened(folder)
    with pytest.raises(MailboxError):
        mailbox.fetch("")
    cursor = ""
    for number in range(2, ATTEMPTS + 2):
        (folder / "new" / str(number)).write_bytes(b"y")
        batch = mailbox.fetch(cursor)
        cursor = batch.cursor
        assert [mail.uid for mail in batch.mails] == [str(number)]
        if batch.refused:
            break
    assert [refused.uid for refused in batch.refused] == ["1"]


def test_a_draft_is_never_seen_half_written(tmp_path: Path) -> None:
    folder = maildir(tmp_path / "box")
    opened(folder).save_draft(b"draft", "Drafts")
    assert list((folder / ".Drafts" / "tmp").iterdir()) == []
    (draft,) = (folder / ".Drafts" / "cur").iterdir()
    assert draft.name.endswith(":2,D")


def test_waiting_after_a_fetch_ends_at_once_for_mail_that_came_meanwhile(tmp_path: Path) -> None:
    folder = maildir(tmp_path / "box")
    os.utime(folder / "new", ns=(1, 1))  # a clock's tick may be longer than this test
    mailbox = opened(folder)
    mailbox.fetch("")
    (folder / "new" / "1").write_bytes(b"x")
    mailbox.wait(timedelta(hours=1), lambda: False)
