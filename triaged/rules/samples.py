"""How staff write letters down in rules.yaml, as examples under a rule and as tests at the end of the file."""

import re
from dataclasses import dataclass, replace
from typing import Final

from triaged.files.block import Defined, Fields, Key, ListOf, Record, Several, Table
from triaged.files.node import MapNode, Node
from triaged.files.reading import Reading, Spot
from triaged.files.shape import TEXT, Choice, Json, Name, Parsed, Switch
from triaged.files.texts import DAY, LINE, address, one_line
from triaged.message import Address, Attachment, Kind, Message, Status
from triaged.rules.comparisons import FLAG, LANGUAGE, SHARE, URGENCY
from triaged.rules.schema import Example, Expected, LetterTest, Sample
from triaged.rules.when import HEADER_NAME

_EARLIER: Final = "<earlier@example.org>"


def _person(text: str) -> Address:
    line = one_line(text)
    found = re.fullmatch(r"([^<>]*)<([^<>]+)>", line)
    return Address(found[1].strip().strip('"'), address(found[2])) if found else Address("", address(line))


_PERSON: Final = Parsed(_person, "an e-mail address, or a name with the address in < >")
_KINDS: Final = Choice({"letter": Kind.LETTER, "list": Kind.LIST})

FROM: Final = Key("from", _PERSON, "Who writes")
TO: Final = Key("to", Several(_PERSON), "Whom the letter is to")
CC: Final = Key("cc", Several(_PERSON), "Who gets a copy")
SUBJECT: Final = Key("subject", TEXT, "The subject")
BODY: Final = Key("body", TEXT, "What the writer says")
HEADERS: Final = Key(
    "headers", Table(LINE, "header", defines=False, pattern="[!-9;-~]+", name_words=HEADER_NAME.words), "Other headers"
)
ATTACHMENTS: Final = Key("attachments", Several(LINE), "File names")
IS_REPLY: Final = Key("is_reply", Switch(), "Whether it answers an earlier mail")
MAILBOX: Final = Key("mailbox", LINE, "The mailbox that it comes to")
KIND: Final = Key("kind", _KINDS, "letter, or list for a mailing list's mail")
LETTER_LANGUAGE: Final = Key("language", LANGUAGE, "Its language; en if not given")
TOPIC: Final = Key("topic", Name("topic"), "What the model would say; the model is asked if this is not given")
CONFIDENCE: Final = Key("confidence", SHARE, "How likely the model would find that topic; 95% if not given")
ACCEPTED: Final = Key("accepted", Switch(), "Whether the model would be sure enough to act alone; true if not given")
LETTER_URGENCY: Final = Key("urgency", URGENCY, "What the text alone would say")
FLAGS: Final = Key("flags", Several(FLAG), "Flags that the text alone would get")
CAMPAIGN: Final = Key("campaign", LINE, "The campaign that it belongs to")
RECEIVED: Final = Key("received", DAY, "The day of receipt; today if not given")


def _sample(fields: Fields, reading: Reading) -> Sample | None:
    if not fields.values:
        reading.wrong(fields.node, fields.spot.says("is empty"), SAMPLE.words)
        return None
    headers = {name.lower(): (value,) for name, value in fields.get(HEADERS, {}).items()}
    message = Message(
        headers=headers,
        in_reply_to=(_EARLIER,) if fields.get(IS_REPLY, False) else (),
        sender=fields.get(FROM, Address("", "")),
        to=fields.get(TO, ()),
        cc=fields.get(CC, ()),
        subject=fields.get(SUBJECT, ""),
        text=fields.get(BODY, ""),
        attachments=tuple(Attachment(name, "", 0) for name in fields.get(ATTACHMENTS, ())),
    )
    usual = Sample(message)
    return Sample(
        message=message,
        mailbox=fields.get(MAILBOX, ""),
        kind=fields.get(KIND, Kind.LETTER),
        received=fields.find(RECEIVED),
        language=fields.get(LETTER_LANGUAGE, usual.language),
        topic=fields.find(TOPIC),
        confidence=fields.get(CONFIDENCE, usual.confidence),
        accepted=fields.get(ACCEPTED, usual.accepted),
        urgency=fields.get(LETTER_URGENCY, usual.urgency),
        flags=fields.get(FLAGS, ()),
        campaign=fields.find(CAMPAIGN),
    )


SAMPLE: Final[Defined[Sample]] = Defined(
    "letter",
    Record(
        (
            FROM,
            TO,
            CC,
            SUBJECT,
            BODY,
            HEADERS,
            ATTACHMENTS,
            IS_REPLY,
            MAILBOX,
            KIND,
            LETTER_LANGUAGE,
            TOPIC,
            CONFIDENCE,
            ACCEPTED,
            LETTER_URGENCY,
            FLAGS,
            CAMPAIGN,
            RECEIVED,
        ),
        _sample,
        words="a letter: from, subject, body, …",
    ),
)


@dataclass(frozen=True, slots=True)
class _ExampleShape:
    """A text, which is both subject and body, or a whole letter."""

    words: str = "a text, or a letter: from, subject, body, …"

    def read(self, node: Node, spot: Spot, reading: Reading) -> Example | None:
        """Return the example."""
        if isinstance(node, MapNode):
            sample = SAMPLE.read(node, spot, reading)
        else:
            text = TEXT.read(node, spot, reading)
            sample = Sample(Message(subject=text, text=text)) if text else None
        return Example(sample, True, reading.place(node)) if sample else None

    def schema(self) -> Json:
        """Return a text or a letter."""
        return {"anyOf": [{"type": "string", "minLength": 1}, SAMPLE.schema()]}


MATCH: Final = Key("match", Several(_ExampleShape()), "Letters that the rule must apply to")
NO_MATCH: Final = Key("no match", Several(_ExampleShape()), "Letters that the rule must not apply to")


def _examples(fields: Fields, _: Reading) -> tuple[Example, ...]:
    never = (replace(example, matches=False) for example in fields.get(NO_MATCH, ()))
    return (*fields.get(MATCH, ()), *never)


EXAMPLES: Final = Record((MATCH, NO_MATCH), _examples, words="match: and no match:, each with letters")

_STATUSES: Final = {status.value: status for status in (Status.ROUTED, Status.REVIEW, Status.CLOSED, Status.IGNORED)}
EXPECTED_TOPIC: Final = Key("topic", Name("topic"), "The topic")
EXPECTED_URGENCY: Final = Key("urgency", URGENCY, "The urgency, exactly")
EXPECTED_DEPARTMENTS: Final = Key(
    "departments", Several(Name("department")), "The departments, all of them, the answering one first"
)
EXPECTED_ACKNOWLEDGE: Final = Key("acknowledge", Switch(), "Whether the writer gets an automatic first reply")
EXPECTED_STATUS: Final = Key("status", Choice(_STATUSES), "Whether it is routed, waits for review, is closed or ignored")


def _expected(fields: Fields, reading: Reading) -> Expected | None:
    if not fields.values:
        reading.wrong(fields.node, fields.spot.about("expect is empty"), EXPECTED.words)
        return None
    return Expected(
        topic=fields.find(EXPECTED_TOPIC),
        urgency=fields.find(EXPECTED_URGENCY),
        departments=fields.find(EXPECTED_DEPARTMENTS),
        acknowledge=fields.find(EXPECTED_ACKNOWLEDGE),
        status=fields.find(EXPECTED_STATUS),
    )


EXPECTED: Final = Record(
    (EXPECTED_TOPIC, EXPECTED_URGENCY, EXPECTED_DEPARTMENTS, EXPECTED_ACKNOWLEDGE, EXPECTED_STATUS),
    _expected,
    words="topic, urgency, departments, acknowledge or status, as it must come out",
)

TEST_NAME: Final = Key("name", LINE, "What holds, in a sentence", required=True)
TEST_MESSAGE: Final = Key("message", SAMPLE, "The letter", required=True)
TEST_EXPECT: Final = Key("expect", EXPECTED, "How it must come out", required=True)


def _test(fields: Fields, reading: Reading) -> LetterTest:
    return LetterTest(fields.need(TEST_NAME), fields.need(TEST_MESSAGE), fields.need(TEST_EXPECT), reading.place(fields.node))


TESTS: Final = ListOf(Record((TEST_NAME, TEST_MESSAGE, TEST_EXPECT), _test, words="name, message, expect"), "test")
