"""Digests answered by e-mail, from the reviewer's mail to what leaves the house."""

import re
import sqlite3
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.installation import Installation, letter

PROVEN = "mx.example.gov; dmarc=pass header.from=example.gov"
REVIEWER = "reviewer@example.gov"
INSIDE = "X-MS-Exchange-Organization-AuthAs: Internal\r\nX-MS-Exchange-Organization-AuthMechanism: 04"


def asked(installation: Installation, count: int = 3) -> EmailMessage:
    """Let letters wait and the digest go out; return it as the reviewer got it."""
    for number in range(1, count + 1):
        installation.receive(letter(number, subject=f"A gift {number}", text=f"Here is gift number {number}."))
    installation.run_once()
    installation.triaged("digest", "--send")
    return installation.sent(REVIEWER)[-1]


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def codes_of(digest: EmailMessage) -> list[str]:
    return re.findall(r"(?m)^(\d+[A-Z])   MAY-", text_of(digest))


def reply(
    digest: EmailMessage, text: str, *, sender: str = REVIEWER, proof: str = PROVEN, number: int = 1, **changed: str
) -> bytes:
    """A top-posted answer as Thunderbird writes it."""
    quoted = "\n".join(f"> {line}" for line in text_of(digest).splitlines())
    fields = {
        "Authentication-Results": proof,
        "From": f"Ana Reviewer <{sender}>",
        "To": str(digest["Reply-To"]),
        "Subject": f"Re: {digest['Subject']}",
        "Message-ID": f"<answer{number}@example.gov>",
        "In-Reply-To": str(digest["Message-ID"]),
        "Return-Path": f"<{sender}>",
        "Date": "Tue, 24 Nov 2026 09:12:00 -0500",
    } | {name.replace("_", "-"): value for name, value in changed.items()}
    header = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    body = f"{text}\n\nOn 11/24/26 08:30, Office wrote:\n{quoted}\n".replace("\n", "\r\n")
    return f"{header}MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}".encode()


def answer(installation: Installation, octets: bytes) -> list[EmailMessage]:
    """Let an answer arrive; return what the reviewer gets for it."""
    before = len(installation.sent(REVIEWER))
    installation.receive(octets)
    installation.run_once()
    return installation.sent(REVIEWER)[before:]


def states(installation: Installation) -> dict[str, str]:
    return {record["subject"]: record["status"] for record in installation.export() if record["subject"].startswith("A gift")}


def rows(installation: Installation, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(installation.folder / "triaged.db") as db:
        return db.execute(query).fetchall()


def let_time_pass(installation: Installation, passed: timedelta = timedelta(minutes=11)) -> None:
    """Bring what waits for its time forward."""
    with sqlite3.connect(installation.folder / "triaged.db") as db:
        for number, due in db.execute("select id, due_at from deliveries where state = 'planned'").fetchall():
            db.execute(
                "update deliveries set due_at = datetime(?, ?) where id = ?", (due, f"-{passed.seconds} seconds", number)
            )
    installation.run_once()


def test_an_answer_is_applied_after_the_undo_window_and_gets_one_receipt(installation: Installation) -> None:
    digest = asked(installation)
    first, second, third = codes_of(digest)
    (receipt,) = answer(
        installation, reply(digest, f"{first} trees urgent\n{second} spam\n{third} close: thanked by phone\n9Z ok\nWhat a day")
    )
    assert states(installation) == {"A gift 1": "routed", "A gift 2": "ignored", "A gift 3": "closed"}
    assert installation.sent("parks@") == []
    said = text_of(receipt)
    assert said.count("Done:") == 3
    assert said.count("Not understood:") == 2
    assert receipt["Auto-Submitted"] == "auto-replied"
    assert receipt["In-Reply-To"] == "<answer1@example.gov>"
    assert receipt["Reply-To"] == digest["Reply-To"]
    let_time_pass(installation)
    (handed,) = installation.sent("parks@")
    assert "URGENT" in handed["Subject"]
    assert len(installation.sent(REVIEWER)) == 2
    lessons = rows(installation, "select status, topic, urgency, by, length(model), length(rules) from lessons")
    assert lessons[0] == ("routed", "trees", "high", REVIEWER, 12, 12)
    assert [lesson[0] for lesson in lessons] == ["routed", "ignored", "closed"]


def test_undo_takes_back_what_has_not_left(installation: Installation) -> None:
    digest = asked(installation, 2)
    first, second = codes_of(digest)
    (receipt,) = answer(installation, reply(digest, f"{first} trees\n{second} spam"))
    (undone,) = answer(installation, reply(receipt, "undo", number=2))
    assert text_of(undone).count("Undone:") == 2
    assert states(installation) == {"A gift 1": "review", "A gift 2": "review"}
    let_time_pass(installation)
    assert installation.sent("parks@") == []
    assert rows(installation, "select count(*) from lessons where undone_at is null") == [(0,)]
    answer(installation, reply(digest, f"{first} heat", number=3))
    let_time_pass(installation)
    assert len(installation.sent("housing@")) == 1


def test_undo_comes_too_late_for_what_has_left(installation: Installation) -> None:
    digest = asked(installation, 1)
    answer(installation, reply(digest, f"{codes_of(digest)[0]} trees"))
    let_time_pass(installation)
    (receipt,) = answer(installation, reply(digest, "undo", number=2))
    assert "too late" in text_of(receipt)
    assert states(installation) == {"A gift 1": "routed"}


def test_a_second_answer_hears_who_decided_before(installation: Installation) -> None:
    digest = asked(installation, 1)
    (called,) = codes_of(digest)
    answer(installation, reply(digest, f"{called} trees"))
    (receipt,) = answer(installation, reply(digest, f"{called} spam", number=2))
    assert f"by {REVIEWER}" in text_of(receipt)
    assert states(installation) == {"A gift 1": "routed"}


def test_show_sends_the_letter_and_decides_nothing(installation: Installation) -> None:
    digest = asked(installation, 1)
    (receipt,) = answer(installation, reply(digest, f"{codes_of(digest)[0]} show"))
    assert "Here is gift number 1." in text_of(receipt)
    assert states(installation) == {"A gift 1": "review"}


def test_each_reviewer_is_asked_alone_and_the_second_hears_of_the_first(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    text = installation.config.read_text()
    installation.config.write_text(
        text.replace('to = ["reviewer@example.gov"]', 'to = ["reviewer@example.gov", "bo@example.gov"]')
    )
    installation.started()
    digest = asked(installation, 1)
    (other,) = installation.sent("bo@example.gov")
    assert other["Reply-To"] != digest["Reply-To"]
    answer(installation, reply(digest, f"{codes_of(digest)[0]} trees"))
    installation.receive(reply(other, f"{codes_of(other)[0]} spam", sender="bo@example.gov", number=2))
    installation.run_once()
    said = text_of(installation.sent("bo@example.gov")[-1])
    assert f"Decided before: {codes_of(other)[0]} (MAY-2026-000001): by {REVIEWER}" in said
    assert states(installation) == {"A gift 1": "routed"}


def test_a_letter_whose_bytes_are_damaged_is_shown_as_far_as_it_is_known(installation: Installation) -> None:
    digest = asked(installation, 1)
    with sqlite3.connect(installation.folder / "triaged.db") as db:
        db.execute("UPDATE mails SET raw = substr(raw, 1, 40) WHERE id = 1")
    (receipt,) = answer(installation, reply(digest, f"{codes_of(digest)[0]} show"))
    assert "its copy in the database is damaged" in " ".join(text_of(receipt).split())
    assert "Here is gift number 1." in text_of(receipt)


# The attack table of the digest: no effect, no loop, a clear record.


def refused(installation: Installation, octets: bytes, why: str) -> list[EmailMessage]:
    """Let an attack arrive: nothing changes, and its record says why."""
    before = states(installation)
    got = answer(installation, octets)
    assert states(installation) == before
    assert rows(installation, "select count(*) from lessons") == [(0,)]
    assert why in rows(installation, "select why from answers order by mail_id desc")[0][0]
    assert rows(installation, "select outcome from answers order by mail_id desc")[0][0] == "refused"
    return got


@pytest.mark.parametrize(
    ("proof", "sender"),
    [
        ("", REVIEWER),
        ("mx.example.gov; dmarc=fail header.from=example.gov", REVIEWER),
        ("mx.evil.example; dmarc=pass header.from=example.gov", REVIEWER),
        ("mx.example.gov; dkim=pass header.d=evil.example", REVIEWER),
        ("mx.example.gov; dmarc=none\r\nAuthentication-Results: mx.example.gov; dmarc=pass header.from=example.gov", REVIEWER),
        (f"mx.example.gov; dmarc=none\r\n{INSIDE}", REVIEWER),  # no Exchange that would take it off stands before a maildir
    ],
)
def test_a_forged_from_with_a_right_token_is_told_to_the_reviewer(installation: Installation, proof: str, sender: str) -> None:
    digest = asked(installation, 1)
    (notice,) = refused(installation, reply(digest, "all ok\nundo", sender=sender, proof=proof), "does not prove")
    assert "not obeyed" in notice["Subject"]
    assert notice["To"] == REVIEWER


def test_an_answer_from_a_delegate_is_told_to_the_reviewer(installation: Installation) -> None:
    digest = asked(installation, 1)
    (notice,) = refused(
        installation, reply(digest, f"{codes_of(digest)[0]} spam", sender="deputy@example.gov"), "comes from deputy@example.gov"
    )
    assert "deputy@example.gov" in text_of(notice)


def test_a_stolen_old_token_from_the_right_sender_is_refused(installation: Installation) -> None:
    from datetime import date

    from triaged.review import token
    from triaged.review.token import Keys, Token

    digest = asked(installation, 1)
    key = rows(installation, "select value from facts where name = 'signing key'")[0][0].strip('"')
    old = token.make(Token(1, REVIEWER, date(2020, 1, 1)), Keys("Office of the Mayor", bytes.fromhex(key)))
    octets = reply(digest, f"{codes_of(digest)[0]} spam")
    octets = re.sub(rb"[a-z2-7]{40}", old.encode(), octets)
    (notice,) = refused(installation, octets, "too old")
    assert "too old" in text_of(notice)


def test_a_token_of_another_office_is_refused(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Installation(tmp_path_factory.mktemp("other")).started()
    foreign = asked(other, 1)
    asked(installation, 1)
    refused(installation, reply(foreign, f"{codes_of(foreign)[0]} spam"), "not one of ours")


def test_edited_item_codes_do_nothing_and_are_named(installation: Installation) -> None:
    digest = asked(installation, 2)
    first, second = codes_of(digest)
    edited = f"{int(first[:-1]) + 1}{first[-1]}"
    (receipt,) = answer(installation, reply(digest, f"{edited} spam\n77{second[-1]} spam\n1 spam"))
    assert set(states(installation).values()) == {"review"}
    assert text_of(receipt).count("Not understood:") == 3


def test_a_replay_changes_nothing_and_says_who_decided(installation: Installation) -> None:
    digest = asked(installation, 1)
    octets = reply(digest, f"{codes_of(digest)[0]} trees")
    answer(installation, octets)
    assert answer(installation, octets) == []
    (again,) = answer(installation, octets.replace(b"<answer1@", b"<answer9@").replace(b"09:12:00", b"09:13:00"))
    assert "Decided before:" in text_of(again)
    let_time_pass(installation)
    assert len(installation.sent("parks@")) == 1
    assert rows(installation, "select count(*) from lessons") == [(1,)]


@pytest.mark.parametrize(
    "line",
    ["{} trees\r\nBcc: eve@evil.example", "{} trees%0D%0ABcc:eve@evil.example", "{} close: a\u2028Bcc: eve@evil.example\u0000"],
)
def test_nothing_in_an_answer_becomes_a_header(installation: Installation, line: str) -> None:
    digest = asked(installation, 1)
    answer(installation, reply(digest, line.format(codes_of(digest)[0])))
    let_time_pass(installation)
    for mail in installation.sent():
        assert mail["Bcc"] is None
        assert "eve@" not in str(mail["To"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  trees:", '  "trees\\r\\nBcc: eve@evil.example":'),
        ("description: Trees", 'description: "Trees\\r\\nBcc: eve@evil.example"'),
        ("name: Parks,", 'name: "Parks\\r\\nBcc: eve@evil.example",'),
        ("  parks: {", '  "parks\\r\\nBcc: eve@evil.example": {'),
    ],
)
def test_a_header_injected_into_the_name_of_a_topic_or_department_is_refused_by_the_rules_file(
    installation: Installation, old: str, new: str
) -> None:
    rules = installation.rules.read_text()
    installation.rules.write_text(rules.replace(old, new))
    assert "Bcc" in installation.triaged("rules", "check", status=2)


def test_an_auto_responder_never_talks_with_our_receipts(installation: Installation) -> None:
    digest = asked(installation, 1)
    (receipt,) = answer(installation, reply(digest, f"{codes_of(digest)[0]} trees"))
    assert answer(installation, reply(receipt, "I am away until Monday.", number=2, Auto_Submitted="auto-replied")) == []
    sent = 0
    for number in range(3, 12):  # a responder that marks nothing, and quotes nothing as quoted
        answers = answer(installation, reply(receipt, "Thank you for your message. I am away until Monday.", number=number))
        sent += len(answers)
    assert sent <= 1
    assert states(installation) == {"A gift 1": "routed"}
    assert rows(installation, "select count(*) from answers where outcome = 'chatter'") == [(9,)]


@pytest.mark.parametrize("text", ["", "Thanks!", "FYI", "ok", "yes"])
def test_an_empty_answer_changes_nothing(installation: Installation, text: str) -> None:
    digest = asked(installation, 2)
    answer(installation, reply(digest, text))
    assert set(states(installation).values()) == {"review"}


def test_a_citizen_who_writes_all_ok_writes_a_letter(installation: Installation) -> None:
    asked(installation, 1)
    installation.receive(letter(8, subject="A gift for all", text="all ok\n1K ok\nundo"))
    installation.run_once()
    assert [record["kind"] for record in installation.export()] == ["letter", "letter"]


# Spot checks.


def test_a_spot_check_confirms_or_mends_what_went_out_by_itself(installation: Installation) -> None:
    installation.receive(letter(9, subject="A tree", text="A tree fell."))
    installation.run_once()
    with sqlite3.connect(installation.folder / "triaged.db") as db:
        db.execute("update messages set confidence = 0.99")  # as if the model had decided it alone
    digest = asked(installation, 1)
    waiting, check = codes_of(digest)
    answer(installation, reply(digest, "all ok"))
    assert rows(installation, "select count(*) from lessons where spot_check = 1") == [(0,)]
    (receipt,) = answer(installation, reply(digest, f"{check} heat", number=2))
    assert "Done:" in text_of(receipt)
    let_time_pass(installation)
    assert len(installation.sent("housing@")) == 1
    assert rows(installation, "select topic, proposed from lessons where spot_check = 1") == [("heat", "trees")]
    assert waiting


# What the administrator sets.


@pytest.mark.parametrize("kept", [True, False])
def test_a_new_key_refuses_what_the_one_before_signed_unless_that_is_named(tmp_path: Path, kept: bool) -> None:
    (tmp_path / "old").write_text("the key of last year\n")
    (tmp_path / "new").write_text("the key of this year\n")
    installation = with_review(tmp_path, "authserv_id =", 'key = { file = "old" }\nauthserv_id =')
    digest = asked(installation, 1)
    text = installation.config.read_text()
    previous = '\nprevious_key = { file = "old" }' if kept else ""
    installation.config.write_text(text.replace('{ file = "old" }', f'{{ file = "new" }}{previous}'))
    (told,) = answer(installation, reply(digest, f"{codes_of(digest)[0]} trees"))
    assert states(installation) == {"A gift 1": "routed" if kept else "review"}
    assert ("not obeyed" in told["Subject"]) is not kept


def test_a_key_of_the_administrator_signs_and_its_predecessor_still_opens(tmp_path: Path) -> None:
    installation = Installation(tmp_path).started()
    digest = asked(installation, 1)
    (tmp_path / "key").write_text("a new key of the administrator\n")
    text = installation.config.read_text()
    installation.config.write_text(text.replace("authserv_id =", 'key = { file = "key" }\nauthserv_id ='))
    answer(installation, reply(digest, f"{codes_of(digest)[0]} trees"))
    assert states(installation) == {"A gift 1": "routed"}


def with_review(folder: Path, old: str, new: str) -> Installation:
    """An installation whose [review] says something else."""
    installation = Installation(folder)
    text = installation.config.read_text()
    assert old in text
    installation.config.write_text(text.replace(old, new))
    return installation.started()


def test_where_the_server_knows_no_plus_addresses_the_rest_of_the_mail_carries_the_token(tmp_path: Path) -> None:
    installation = with_review(tmp_path, "authserv_id =", "plus_address = false\nauthserv_id =")
    digest = asked(installation, 2)
    assert digest["Reply-To"] == "triage@example.gov"
    first, second = codes_of(digest)
    (receipt,) = answer(installation, reply(digest, f"{first} trees"))
    assert receipt["Reply-To"] == "triage@example.gov"
    (undone,) = answer(installation, reply(receipt, "undo", number=2))
    assert "Undone:" in text_of(undone)
    html = digest.get_body(("html",))
    assert html is not None
    assert "mailto:triage@example.gov?subject" in str(html.get_content())
    assert second


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('to = ["reviewer@example.gov"]\n', "", "nobody is told of what waits"),
        ('authserv_id = "mx.example.gov"\n', "", "no answer by mail is obeyed"),
        ('reply_to = "triage@example.gov"\n', "", "no links to answer with"),
        (
            'path = "mayor"\n',
            'path = "mayor"\naddresses = ["mayor@example.gov"]\n',
            "answers go to triage@example.gov, which no",
        ),
    ],
)
def test_check_says_what_keeps_people_from_being_asked_or_obeyed(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert said in with_review(tmp_path, old, new).triaged("check")


def test_check_has_nothing_to_say_of_a_review_that_works(installation: Installation) -> None:
    assert "[review]" not in installation.triaged("check")
    assert "answers go to" not in installation.triaged("check")
