"""What only IMAP can get wrong: TLS, log-in, a line that cuts, dribbles or falls silent, servers that offer less."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from imapclient import SocketTimeout

from tests.dovecot import ASCII_PASSWORD, ASCII_USER, Account, Dovecot, free_port
from tests.proxy import Proxy
from triaged.config import Imap, Secret
from triaged.ingest import imap
from triaged.ingest.imap import ImapMailbox
from triaged.ingest.mailbox import BATCH_MAILS, Batch, Mailbox, MailboxError

pytestmark = pytest.mark.dovecot
SHORT = SocketTimeout(connect=5, read=1)
NEVER = timedelta(seconds=60)
Opener = Callable[..., ImapMailbox]
ProxyTo = Callable[[int], Proxy]


def letter(number: int, octets: int = 0) -> bytes:
    return b"Message-ID: <%d@example.org>\r\nSubject: letter %d\r\n\r\n" % (number, number) + (b"y" * 70 + b"\r\n") * (
        octets // 72
    )


def numbers(*batches: Batch) -> list[int]:
    return [int(mail.octets.partition(b"letter ")[2].split()[0]) for batch in batches for mail in batch.mails]


def all_numbers(mailbox: Mailbox, since: str = "") -> list[int]:
    batch = mailbox.fetch(since)
    return numbers(batch) + (all_numbers(mailbox, batch.cursor) if batch.more else [])


@pytest.fixture
def opened() -> Iterator[Opener]:
    """Open mailboxes that are closed in the end."""
    with ExitStack() as stack:

        def open_one(settings: Imap, timeout: SocketTimeout = imap.TIMEOUT, idle_for: timedelta = imap.IDLE_FOR) -> ImapMailbox:
            mailbox = ImapMailbox("mayor", settings, Path("/"), timeout=timeout, idle_for=idle_for)
            stack.callback(mailbox.close)
            return mailbox

        yield open_one


@pytest.fixture
def plain(account: Account, proxy_to: ProxyTo) -> tuple[Imap, Proxy]:
    """The account in clear text over a proxy that reads along."""
    proxy = proxy_to(account.server.plain_port)
    return account.settings(host="127.0.0.1", port=proxy.port, tls="none"), proxy


def refused(mailbox: Mailbox) -> MailboxError:
    with pytest.raises(MailboxError) as caught:
        mailbox.fetch("")
    return caught.value


# TLS and log-in


@pytest.mark.parametrize("tls", ["implicit", "starttls", "none"])
def test_mail_comes_over_each_kind_of_connection(account: Account, opened: Opener, tls: str) -> None:
    port = account.server.tls_port if tls == "implicit" else account.server.plain_port
    account.deliver(letter(1))
    assert numbers(opened(account.settings(tls=tls, port=port)).fetch("")) == [1]


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
@pytest.mark.parametrize("change", [{"tls_ca": "other-ca.pem"}, {"tls_ca": None}, {"host": "127.0.0.1"}])
def test_a_server_whose_certificate_proves_nothing_never_sees_the_password(
    account: Account, opened: Opener, tls: str, change: dict[str, str | None]
) -> None:
    """Another CA, the system's CAs, and a name that is not in the certificate."""
    server = account.server
    if change.get("tls_ca"):
        change = {"tls_ca": server.root / "other-ca.pem"}  # type: ignore[dict-item]
    port = server.tls_port if tls == "implicit" else server.plain_port
    error = refused(opened(account.settings(tls=tls, port=port, **change)))
    assert error.permanent
    assert "certificate" in str(error).lower()
    assert f"user=<{account.user}>" not in server.log()


def test_clear_text_to_another_machine_is_refused_before_anything_is_sent(account: Account, opened: Opener) -> None:
    for host in ("imap.example.gov", "192.0.2.1", "127.0.0.1.example.org", "localhost.example.org", "::ffff:192.0.2.1"):
        error = refused(opened(account.settings(host=host, tls="none")))
        assert error.permanent
        assert "only for this machine" in str(error)


def test_a_server_that_hides_starttls_never_sees_the_password(account: Account, opened: Opener, proxy_to: ProxyTo) -> None:
    proxy = proxy_to(account.server.plain_port)
    proxy.replace = (b"STARTTLS", b"XTARTTLS")
    error = refused(opened(account.settings(tls="starttls", port=proxy.port)))
    assert error.permanent
    assert "STARTTLS" in str(error)
    assert f"user=<{account.user}>" not in account.server.log()


def test_nothing_said_before_tls_counts(account: Account, opened: Opener, proxy_to: ProxyTo) -> None:
    """RFC 9051 §11.3: whoever sits on the line could else tell us where our folders are."""
    proxy = proxy_to(account.server.plain_port)
    forged = b'* NAMESPACE (("EVIL." ".")) NIL NIL\r\n* 1 FETCH (UID 1 RFC822.SIZE 4 BODY[] {4}\r\nevil)\r\n* SEARCH 9 10\r\n'
    proxy.replace = (b" ready.\r\n", b" ready.\r\n" + forged)
    client = account.client()
    client.create_folder("Post")
    client.logout()
    account.deliver(letter(1), "Post")
    mailbox = opened(account.settings(tls="starttls", port=proxy.port, folder="Post"))
    assert [mail.octets for mail in mailbox.fetch("").mails] == [letter(1)]


def test_a_missing_ca_file_is_named(account: Account, opened: Opener, tmp_path: Path) -> None:
    error = refused(opened(account.settings(tls_ca=tmp_path / "gone.pem")))
    assert error.permanent
    assert "gone.pem" in str(error)


def test_a_wrong_password_is_for_a_person_and_a_mended_one_is_taken_at_once(
    account: Account, opened: Opener, tmp_path: Path
) -> None:
    secret = tmp_path / "password"
    secret.write_text("wrong\n")
    mailbox = opened(account.settings(password=Secret("file", str(secret))))
    error = refused(mailbox)
    assert error.permanent
    assert "AUTHENTICATIONFAILED" in str(error)
    assert "wrong" not in str(error)
    secret.write_bytes((account.server.root / "password").read_bytes())
    assert mailbox.fetch("").mails == ()


def test_a_missing_secret_says_where_it_was_looked_for(account: Account, opened: Opener, tmp_path: Path) -> None:
    error = refused(opened(account.settings(password=Secret("file", str(tmp_path / "nothing")))))
    assert error.permanent
    assert str(tmp_path / "nothing") in str(error)


def test_a_server_that_is_not_there_is_tried_again(account: Account, opened: Opener) -> None:
    assert not refused(opened(account.settings(host="127.0.0.1", port=free_port(), tls="none"))).permanent


def test_a_server_that_shows_us_the_door_is_tried_again(plain: tuple[Imap, Proxy], opened: Opener) -> None:
    settings, proxy = plain
    proxy.replace = (b"* OK [CAPABILITY", b"* BYE [UNAVAILABLE")
    assert not refused(opened(settings)).permanent


def test_a_login_that_is_only_put_off_is_tried_again(plain: tuple[Imap, Proxy], opened: Opener) -> None:
    settings, proxy = plain
    proxy.replace = (b"OK Logged in", b"NO [UNAVAILABLE] Later")
    error = refused(opened(settings))
    assert "UNAVAILABLE" in str(error)
    assert not error.permanent


def test_a_server_without_plain_is_logged_in_to_by_login(
    account: Account, opened: Opener, proxy_to: ProxyTo, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text(ASCII_PASSWORD)
    proxy = proxy_to(account.server.plain_port)
    proxy.replace = (b"AUTH=PLAIN", b"AUTH=XPLAN")
    settings = account.settings(
        host="127.0.0.1", port=proxy.port, tls="none", user=ASCII_USER, password=Secret("file", str(tmp_path / "password"))
    )
    assert opened(settings).fetch("").mails == ()


# Lines that cut, dribble or fall silent


def test_what_came_whole_before_a_cut_is_kept_and_the_rest_comes_later(
    account: Account, opened: Opener, plain: tuple[Imap, Proxy]
) -> None:
    settings, proxy = plain
    for number in range(30):
        account.deliver(letter(number, octets=100_000))
    mailbox = opened(settings)
    mailbox.check()
    proxy.cut_after = proxy.passed + 1_500_000
    first = mailbox.fetch("")
    assert 1 <= len(first.mails) < 30
    assert first.more
    proxy.mend()
    assert numbers(first) + all_numbers(mailbox, first.cursor) == list(range(30))


def test_a_cut_before_the_first_mail_came_is_an_error_and_loses_nothing(
    account: Account, opened: Opener, plain: tuple[Imap, Proxy]
) -> None:
    settings, proxy = plain
    for number in range(3):
        account.deliver(letter(number, octets=200_000))
    mailbox = opened(settings)
    proxy.cut_after = 100_000
    assert not refused(mailbox).permanent
    proxy.mend()
    assert all_numbers(mailbox) == [0, 1, 2]


def test_a_connection_cut_between_two_polls_is_made_anew(account: Account, opened: Opener, plain: tuple[Imap, Proxy]) -> None:
    settings, proxy = plain
    account.deliver(letter(0))
    mailbox = opened(settings)
    cursor = mailbox.fetch("").cursor
    proxy.cut()
    account.deliver(letter(1))
    refused(mailbox)
    assert numbers(mailbox.fetch(cursor)) == [1]
    assert proxy.connections == 2


def test_a_slow_line_is_waited_for(account: Account, opened: Opener, plain: tuple[Imap, Proxy]) -> None:
    """zammad/zammad#2554: a download slower than the time-out was thrown away; only silence may end it."""
    settings, proxy = plain
    account.deliver(letter(0, octets=60_000))
    mailbox = opened(settings, timeout=SHORT)
    mailbox.check()
    proxy.octets_a_second = 30_000
    started = time.monotonic()
    assert numbers(mailbox.fetch("")) == [0]
    assert time.monotonic() - started > SHORT.read


def test_a_line_that_falls_silent_is_given_up(account: Account, opened: Opener, plain: tuple[Imap, Proxy]) -> None:
    settings, proxy = plain
    account.deliver(letter(0, octets=60_000))
    mailbox = opened(settings, timeout=SHORT)
    mailbox.check()
    proxy.silent_after = proxy.passed + 1_000
    started = time.monotonic()
    assert not refused(mailbox).permanent
    assert time.monotonic() - started < 10
    proxy.mend()
    assert numbers(mailbox.fetch("")) == [0]


def test_a_mail_that_always_breaks_the_line_is_set_aside_when_other_mail_gets_through(
    account: Account, opened: Opener, plain: tuple[Imap, Proxy]
) -> None:
    settings, proxy = plain
    account.deliver(b"Subject: letter 0\r\n\r\nX-POISON\r\n")
    for number in (1, 2):
        account.deliver(letter(number))
    proxy.cut_at = b"X-POISON"
    mailbox = opened(settings)
    for _ in range(imap.ATTEMPTS):
        refused(mailbox)
    batch = mailbox.fetch("")
    assert numbers(batch) == [1, 2]
    assert [mail.uid for mail in batch.refused] == [batch.mails[0].uid.split(":")[0] + ":1"]


def test_no_letter_is_set_aside_on_a_line_that_lets_none_through(
    account: Account, opened: Opener, plain: tuple[Imap, Proxy]
) -> None:
    settings, proxy = plain
    for number in range(4):
        account.deliver(letter(number))
    proxy.cut_at = b"BODY[]"
    mailbox = opened(settings)
    for _ in range(4 * imap.ATTEMPTS):
        refused(mailbox)
    proxy.mend()
    assert all_numbers(mailbox) == [0, 1, 2, 3]


def test_a_literal_larger_than_the_server_said_is_not_read(account: Account, opened: Opener, plain: tuple[Imap, Proxy]) -> None:
    settings, proxy = plain
    account.deliver(letter(0))
    account.deliver(b"Subject: big\r\n\r\n" + b"z" * (52_000_000))
    account.deliver(letter(2))
    proxy.replace = (b"RFC822.SIZE 52000016", b"RFC822.SIZE 999")
    mailbox = opened(settings)
    batches = [mailbox.fetch("")]
    while batches[-1].more:
        batches.append(mailbox.fetch(batches[-1].cursor))
    assert numbers(*batches) == [0, 2]
    (too_large,) = [mail for batch in batches for mail in batch.refused]
    assert "52,000,016 octets" in too_large.why


def test_answers_that_make_no_sense_are_errors_of_the_server(
    account: Account, opened: Opener, plain: tuple[Imap, Proxy]
) -> None:
    settings, proxy = plain
    account.deliver(letter(0))
    for nonsense in (b"(UID (((((", b"(UID NIL INTERNALDATE 5", b"INTERNALDATE 5 UID", b'(1 "', b"(UID {9999999999999}\r\n"):
        proxy.replace = (b"(UID", nonsense)
        assert not refused(opened(settings, timeout=SHORT)).permanent


def test_a_date_that_makes_no_sense_costs_only_itself(account: Account, opened: Opener, plain: tuple[Imap, Proxy]) -> None:
    settings, proxy = plain
    account.deliver(letter(0))
    for year in (b"-20x6 ", b"-99999 "):
        proxy.replace = (b"-2026 ", year)
        (mail,) = opened(settings).fetch("").mails
        assert (mail.octets, mail.received_at) == (letter(0), None)


# IDLE


def waiting(mailbox: Mailbox, errors: list[MailboxError]) -> threading.Thread:
    def wait() -> None:
        try:
            mailbox.wait(NEVER, lambda: False)
        except MailboxError as error:
            errors.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_a_connection_cut_in_idle_is_noticed_at_once(account: Account, opened: Opener, plain: tuple[Imap, Proxy]) -> None:
    settings, proxy = plain
    mailbox = opened(settings)
    mailbox.fetch("")
    errors: list[MailboxError] = []
    thread = waiting(mailbox, errors)
    proxy.wait_for(b"+ idling")
    proxy.cut()
    thread.join(10)
    assert not thread.is_alive()
    assert [error.permanent for error in errors] == [False]
    account.deliver(letter(1))
    assert numbers(mailbox.fetch("")) == [1]


def test_a_line_that_falls_silent_in_idle_is_noticed_when_idle_is_renewed(
    account: Account, opened: Opener, plain: tuple[Imap, Proxy]
) -> None:
    settings, proxy = plain
    mailbox = opened(settings, timeout=SHORT, idle_for=timedelta(seconds=0.5))
    mailbox.fetch("")
    errors: list[MailboxError] = []
    thread = waiting(mailbox, errors)
    proxy.wait_for(b"+ idling")
    proxy.silent_after = 0
    thread.join(10)
    assert [error.permanent for error in errors] == [False]


def test_idle_is_renewed_and_still_hears_of_mail(account: Account, opened: Opener, plain: tuple[Imap, Proxy]) -> None:
    settings, proxy = plain
    mailbox = opened(settings, idle_for=timedelta(seconds=0.2))
    mailbox.fetch("")
    thread = waiting(mailbox, [])
    for _ in range(3):
        proxy.wait_for(b"+ idling")
    account.deliver(letter(1))
    thread.join(20)
    assert not thread.is_alive()
    assert proxy.connections == 1


def test_flags_set_by_staff_do_not_end_the_wait(account: Account, opened: Opener, plain: tuple[Imap, Proxy]) -> None:
    settings, proxy = plain
    account.deliver(letter(1))
    mailbox = opened(settings)
    mailbox.fetch("")
    thread = waiting(mailbox, [])
    proxy.wait_for(b"+ idling")
    client = account.client()
    client.select_folder("INBOX")
    client.add_flags([1], [b"\\Flagged"])
    client.logout()
    proxy.wait_for(b"\\Flagged")
    proxy.wait_for(b"+ idling")  # it has looked, and waits on
    account.deliver(letter(2))
    thread.join(20)
    assert not thread.is_alive()


def test_mail_told_of_together_with_the_answer_to_idle_is_heard(
    account: Account, opened: Opener, plain: tuple[Imap, Proxy]
) -> None:
    """imaplib reads ahead; poll(2) would not see it."""
    settings, proxy = plain
    mailbox = opened(settings)
    mailbox.fetch("")
    proxy.replace = (b"+ idling\r\n", b"+ idling\r\n* 5 EXISTS\r\n")
    started = time.monotonic()
    mailbox.wait(NEVER, lambda: False)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("answer", [b"* 1 EXISTS\r\n+ idling\r\n", b"* NO not now\r\n", b"+\r\n"])
def test_an_odd_answer_to_idle_never_stops_the_mail(
    account: Account, opened: Opener, plain: tuple[Imap, Proxy], answer: bytes
) -> None:
    settings, proxy = plain
    mailbox = opened(settings)
    cursor = mailbox.fetch("").cursor
    proxy.replace = (b"+ idling\r\n", answer)
    account.deliver(letter(1))
    for _ in range(2):
        mailbox.wait(timedelta(seconds=0.3), lambda: False)
    assert numbers(mailbox.fetch(cursor)) == [1]


# Servers that offer less, or something else


def on(server: Dovecot) -> Account:
    return server.account()


@pytest.fixture(scope="module")
def poor(dovecot_with: Callable[[str], Dovecot]) -> Dovecot:
    """A server with UIDPLUS, but without MOVE, IDLE and NAMESPACE; folders divided by "/"."""
    return dovecot_with("imap_capability = IMAP4rev1 UIDPLUS\nnamespace inbox {\ninbox = yes\nseparator = /\n}\n")


@pytest.fixture(scope="module")
def poorer(dovecot_with: Callable[[str], Dovecot]) -> Dovecot:
    """A server that can neither MOVE nor expunge one mail alone."""
    return dovecot_with("imap_capability = IMAP4rev1")


@pytest.fixture(scope="module")
def prefixed(dovecot_with: Callable[[str], Dovecot]) -> Dovecot:
    """A server as Courier and Cyrus have it: all folders under INBOX."""
    return dovecot_with("namespace inbox {\ninbox = yes\nprefix = INBOX.\nseparator = .\n}\n")


def deleted_by_staff(account: Account, uid: int) -> None:
    client = account.client()
    client.select_folder("INBOX")
    client.delete_messages([uid])
    client.logout()


def uids(account: Account, folder: str) -> list[int]:
    client = account.client()
    client.select_folder(folder, readonly=True)
    found = list(client.search(["ALL"]))
    client.logout()
    return found


def test_without_move_one_mail_is_copied_and_expunged_and_no_other(poor: Dovecot, opened: Opener) -> None:
    """TRC-Loop/Pelton#278: what staff had marked as deleted was expunged, too."""
    account = on(poor)
    for number in range(3):
        account.deliver(letter(number))
    mailbox = opened(account.settings())
    batch = mailbox.fetch("")
    deleted_by_staff(account, 3)
    mailbox.move(batch.mails[1].uid, "Triaged/Done")
    mailbox.move(batch.mails[1].uid, "Triaged/Done")
    assert uids(account, "INBOX") == [1, 3]
    assert uids(account, "Triaged/Done") == [1]


def test_without_move_and_uidplus_a_mail_is_left_and_the_error_says_why(poorer: Dovecot, opened: Opener) -> None:
    account = on(poorer)
    account.deliver(letter(0))
    mailbox = opened(account.settings())
    uid = mailbox.fetch("").mails[0].uid
    with pytest.raises(MailboxError, match="neither MOVE nor UIDPLUS") as caught:
        mailbox.move(uid, "Done")
    assert caught.value.permanent
    assert uids(account, "INBOX") == [1]


def test_a_server_without_idle_is_polled(poor: Dovecot, opened: Opener) -> None:
    account = on(poor)
    mailbox = opened(account.settings())
    cursor = mailbox.fetch("").cursor
    account.deliver(letter(0))
    started = time.monotonic()
    mailbox.wait(timedelta(seconds=0.5), lambda: False)
    assert time.monotonic() - started >= 0.5
    assert numbers(mailbox.fetch(cursor)) == [0]
    assert mailbox.check() == "1 mails in INBOX, UIDPLUS"


@pytest.mark.parametrize(("wanted", "made"), [("Triaged/Done", "INBOX.Triaged.Done"), ("INBOX/Done", "INBOX.Done")])
def test_the_servers_prefix_and_delimiter_are_used(prefixed: Dovecot, opened: Opener, wanted: str, made: str) -> None:
    account = on(prefixed)
    account.deliver(letter(0))
    mailbox = opened(account.settings())
    mailbox.move(mailbox.fetch("").mails[0].uid, wanted)
    assert len(uids(account, made)) == 1


def test_mail_read_after_a_move_is_still_unseen(account: Account, opened: Opener) -> None:
    """A move opens the folder for writing; reading goes on in it."""
    for number in range(BATCH_MAILS + 2):
        account.deliver(letter(number))
    mailbox = opened(account.settings())
    first = mailbox.fetch("")
    mailbox.move(first.mails[0].uid, "Done")
    assert len(mailbox.fetch(first.cursor).mails) == 2
    client = account.client()
    client.select_folder("INBOX", readonly=True)
    assert client.search(["SEEN"]) == []
    client.logout()


def test_a_folder_that_is_made_is_shown_in_mail_programs(account: Account, opened: Opener) -> None:
    account.deliver(letter(0))
    mailbox = opened(account.settings())
    mailbox.move(mailbox.fetch("").mails[0].uid, "Triaged/Done")
    client = account.client()
    assert "Triaged.Done" in [name for _, _, name in client.list_sub_folders()]
    client.logout()


def test_a_full_quota_leaves_the_mail_where_it_is(dovecot_with: Callable[[str], Dovecot], opened: Opener) -> None:
    server = dovecot_with(
        "mail_plugins = quota\nprotocol imap {\nmail_plugins = quota imap_quota\n}\n"
        "imap_capability = IMAP4rev1 UIDPLUS\n"
        "plugin {\nquota = maildir:User quota\nquota_rule = *:messages=1\n}\n"
    )
    account = on(server)
    account.deliver(letter(0))
    mailbox = opened(account.settings())
    uid = mailbox.fetch("").mails[0].uid
    with pytest.raises(MailboxError, match="OVERQUOTA") as caught:
        mailbox.move(uid, "Done")
    assert caught.value.permanent
    assert uids(account, "INBOX") == [1]


# Many mails


def test_a_folder_larger_than_one_search_and_one_listing_is_read_whole(
    account: Account, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "SEARCHED_MAILS", 7)
    monkeypatch.setattr(imap, "LISTED_MAILS", 5)
    for number in range(30):
        account.deliver(letter(number))
    mailbox = opened(account.settings())
    assert all_numbers(mailbox) == list(range(30))
    cursor = mailbox.latest()
    account.deliver(letter(30))
    assert numbers(mailbox.fetch(cursor)) == [30]


def test_gaps_in_the_numbers_are_no_matter(account: Account, opened: Opener) -> None:
    for number in range(20):
        account.deliver(letter(number))
    mailbox = opened(account.settings())
    cursor = mailbox.latest()
    client = account.client()
    client.select_folder("INBOX")
    client.delete_messages(list(range(1, 20)))
    client.uid_expunge(list(range(1, 20)))
    client.logout()
    assert numbers(mailbox.fetch("")) == [19]
    account.deliver(letter(20))
    assert numbers(mailbox.fetch(cursor)) == [20]


# Labels


def keywords(account: Account, uid: int) -> set[bytes]:
    client = account.client()
    client.select_folder("INBOX", readonly=True)
    found = {flag for flag in client.get_flags([uid])[uid] if not flag.startswith(b"\\")}
    client.logout()
    return found


def test_a_server_that_takes_no_keywords_of_ours_says_so_and_nothing_changes(
    account: Account, opened: Opener, plain: tuple[Imap, Proxy]
) -> None:
    settings, proxy = plain
    proxy.replace = (rb" \*)", b")")
    account.deliver(letter(0))
    mailbox = opened(settings)
    with pytest.raises(MailboxError, match="takes no keywords of ours") as caught:
        mailbox.mark(mailbox.fetch("").mails[0].uid, ["Triaged/closed"])
    assert caught.value.permanent
    assert keywords(account, 1) == set()


def test_where_gmails_labels_are_offered_they_are_used(account: Account, opened: Opener, plain: tuple[Imap, Proxy]) -> None:
    """Gmail's words (X-GM-EXT-1), put into Dovecot's: its keywords stand for the labels."""
    settings, proxy = plain
    asked = []

    def in_keywords(chunk: bytes) -> bytes:
        asked.append(chunk)
        return re.sub(rb'"(Triaged/[^"]*)"', rb"\1", chunk.replace(b"X-GM-LABELS", b"FLAGS"))

    account.deliver(letter(0))
    mailbox = opened(settings)
    uid = mailbox.fetch("").mails[0].uid
    mailbox.close()
    proxy.replace, proxy.replace_asked = (b" IDLE ", b" IDLE X-GM-EXT-1 "), in_keywords
    mailbox.mark(uid, ["Triaged/heat", "Triaged/handed-off"])
    assert b'STORE 1 +X-GM-LABELS.SILENT ("Triaged/heat" "Triaged/handed-off")' in b"".join(asked)
    assert keywords(account, 1) == {b"Triaged/heat", b"Triaged/handed-off"}
    proxy.replace = (b"UID 1 FLAGS (", b"UID 1 X-GM-LABELS (")
    mailbox.mark(uid, ["Triaged/heat", "Triaged/closed"])
    assert b'STORE 1 -X-GM-LABELS.SILENT ("Triaged/handed-off")' in b"".join(asked)
    assert keywords(account, 1) == {b"Triaged/heat", b"Triaged/closed"}


def test_a_mail_of_before_the_folder_was_made_anew_lends_its_labels_to_no_other(account: Account, opened: Opener) -> None:
    account.deliver(letter(0))
    mailbox = opened(account.settings())
    mailbox.mark("1:1", ["Triaged/closed"])
    assert keywords(account, 1) == set()
