"""How rules.yaml is written: every key once, with its shape and what it is for. The JSON Schema is made from the same."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from triaged.files.block import Fields, Key, ListOf, Record, Several, Table
from triaged.files.node import MapNode, Node, Scalar, seen
from triaged.files.problem import Place, shown
from triaged.files.reading import Reading, Spot
from triaged.files.shape import Choice, Json, Name, Number, Parsed, Switch
from triaged.files.texts import ADDRESS, DAY, LINE
from triaged.message import Urgency
from triaged.rules.address_lists import AddressList
from triaged.rules.comparisons import FLAG, LANGUAGE, URGENCY
from triaged.rules.due import read_within
from triaged.rules.samples import EXAMPLES, SAMPLE, TESTS
from triaged.rules.schema import RESPOND_WITHIN, Action, Department, LetterTest, Rule, Rules, Topic, UrgencyChange
from triaged.rules.when import When, condition_schema

_LATER_HANDOFFS: Final = frozenset({"open311", "webhook", "folder", "redirect", "spool", "ticket", "iq", "chat"})


# departments


def _handoff(text: str) -> str:
    if text in _LATER_HANDOFFS:
        raise ValueError("this kind comes later")
    if text != "forward":
        raise ValueError
    return text


DEPARTMENT_NAME: Final = Key("name", LINE, "As people know it", required=True)
DEPARTMENT_TO: Final = Key("to", Several(ADDRESS), "Its address, or a list of addresses", required=True)
RESPOND: Final = Key(
    "respond_within",
    Parsed(read_within, '"14 days", "10 business days" or "4 hours"', r"^ *[0-9]{1,3} (day|business day|hour)s?$"),
    f"By when it answers; {RESPOND_WITHIN} if not given",
)
HANDOFF: Final = Key("handoff", Parsed(_handoff, "forward", "^forward$"), "How a case reaches it: forward, by e-mail")
DEPARTMENT_LANGUAGE: Final = Key("language", LANGUAGE, "The language it works in, if not the office's")
ACKNOWLEDGE: Final = Key("acknowledge", Switch(), "false: writers of its letters get no automatic first reply")


def _department(fields: Fields, reading: Reading) -> Department:
    return Department(
        id=fields.spot.name,
        name=fields.need(DEPARTMENT_NAME),
        to=fields.need(DEPARTMENT_TO),
        respond_within=fields.get(RESPOND, RESPOND_WITHIN),
        at=reading.place(fields.node),
        handoff=fields.get(HANDOFF, "forward"),
        language=fields.find(DEPARTMENT_LANGUAGE),
        acknowledge=fields.get(ACKNOWLEDGE, True),
    )


DEPARTMENT: Final = Record(
    (DEPARTMENT_NAME, DEPARTMENT_TO, RESPOND, HANDOFF, DEPARTMENT_LANGUAGE, ACKNOWLEDGE), _department, words="name, to, …"
)

# topics

DEPARTMENT_OF: Final = Key("department", Name("department"), "Who answers")
DEPARTMENTS_OF: Final = Key("departments", Several(Name("department")), "Who answers, several at once; the first one leads")
TOPIC_URGENCY: Final = Key("urgency", URGENCY, "How soon a person must act; normal if not given")
DESCRIPTION: Final = Key("description", LINE, "What it is about, in a sentence; its name if not given")


def _departments(fields: Fields, reading: Reading) -> tuple[str, ...]:
    one, several = fields.find(DEPARTMENT_OF), fields.get(DEPARTMENTS_OF, ())
    if one and several:
        reading.wrong(fields.at(DEPARTMENTS_OF), fields.spot.about("department and departments are both given"), "one of them")
    return (one,) if one else tuple(dict.fromkeys(several))


def _topic(fields: Fields, reading: Reading) -> Topic | None:
    departments = _departments(fields, reading)
    if not departments:
        reading.wrong(fields.node, fields.spot.about("department is missing"), f"department: {DEPARTMENT_OF.shape.words}")
        return None
    return Topic(
        id=fields.spot.name,
        departments=departments,
        urgency=fields.get(TOPIC_URGENCY, Urgency.NORMAL),
        description=fields.get(DESCRIPTION, fields.spot.name),
        at=reading.place(fields.node),
        acknowledge=fields.get(ACKNOWLEDGE, True),
    )


TOPIC: Final = Record(
    (DEPARTMENT_OF, DEPARTMENTS_OF, TOPIC_URGENCY, DESCRIPTION, ACKNOWLEDGE), _topic, words="department, urgency, description"
)

# rules


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """`false`, or the name of a template."""

    words: str = "false, or the name of a template; without this line the writer gets the usual reply"

    def read(self, node: Node, spot: Spot, reading: Reading) -> str | None:
        """Return the template's name, empty for none at all."""
        if isinstance(node, Scalar) and node.value is False:
            return ""
        if isinstance(node, Scalar) and isinstance(node.value, str) and node.value.replace("-", "").replace("_", "").isalnum():
            return node.value
        reading.wrong(node, spot.says(f"is {seen(node)}"), self.words)
        return None

    def schema(self) -> Json:
        """Return false or a name."""
        return {"anyOf": [{"const": False}, {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"}]}


_CHANGES: Final = {
    **{urgency.value: UrgencyChange(urgency, at_least=False) for urgency in reversed(Urgency)},
    **{f"at least {urgency}": UrgencyChange(urgency, at_least=True) for urgency in reversed(Urgency)},
}
SET_TOPIC: Final = Key("topic", Name("topic"), "Sets the topic")
COPY_TO: Final = Key("copy_to", Several(ADDRESS), "Addresses that get a copy of the hand-off")
SET_URGENCY: Final = Key(
    "urgency", Choice(_CHANGES, 'critical, high, normal, low, "at least …"'), "Sets the urgency, or raises it: at least high"
)
ADD_FLAG: Final = Key("add_flag", Several(FLAG), "Marks the letter; flags only ever raise urgency")
SET_ACKNOWLEDGE: Final = Key("acknowledge", Acknowledge(), "false: no automatic reply; a name: that template")
HOLD: Final = Key("hold", LINE, "A person must look first; say why")
CLOSE: Final = Key("close", LINE, "Nobody needs to answer; say why")
MOVE: Final = Key("move", LINE, "The folder to move the mail to")
STOP: Final = Key("stop", Switch(only=True, words="true"), "Later rules are left out for this letter")


def _action(fields: Fields, reading: Reading) -> Action | None:
    departments = _departments(fields, reading)
    if not fields.values:
        reading.wrong(fields.node, fields.spot.about("then is empty"), ", ".join(key.name for key in ACTION.keys))
        return None
    acknowledge = fields.find(SET_ACKNOWLEDGE)
    return Action(
        topic=fields.find(SET_TOPIC),
        departments=departments,
        copy_to=fields.get(COPY_TO, ()),
        urgency=fields.find(SET_URGENCY),
        add_flag=fields.get(ADD_FLAG, ()),
        acknowledge=acknowledge != "",
        template=acknowledge or None,
        hold=fields.find(HOLD),
        close=fields.find(CLOSE),
        move=fields.find(MOVE),
        stop=fields.get(STOP, False),
    )


ACTION: Final = Record(
    (
        SET_TOPIC,
        DEPARTMENT_OF,
        DEPARTMENTS_OF,
        COPY_TO,
        SET_URGENCY,
        ADD_FLAG,
        SET_ACKNOWLEDGE,
        HOLD,
        CLOSE,
        MOVE,
        STOP,
    ),
    _action,
    words="a block with topic, department, urgency, …",
)
RULE_NAME: Final = Key("name", LINE, "What the rule does, in a sentence; every reason names it", required=True)
WHEN: Final = Key("when", When(), "When the rule applies", required=True)
THEN: Final = Key("then", ACTION, "What it does", required=True)
EXPIRES: Final = Key("expires", DAY, "The last day on which the rule is in use")
SHADOW: Final = Key("shadow", Switch(only=True, words="true"), "true: only reported, never acted on, to try a rule out")
RULE_EXAMPLES: Final = Key("examples", EXAMPLES, "Letters that it must and must not apply to")


def _rule(fields: Fields, reading: Reading) -> Rule:
    return Rule(
        name=fields.need(RULE_NAME),
        when=fields.need(WHEN),
        then=fields.need(THEN),
        at=reading.place(fields.node),
        expires=fields.find(EXPIRES),
        examples=fields.get(RULE_EXAMPLES, ()),
        shadow=fields.get(SHADOW, False),
    )


RULE: Final = Record((RULE_NAME, WHEN, THEN, EXPIRES, SHADOW, RULE_EXAMPLES), _rule, words="name, when, then")

# the file

VERSION: Final = Key("version", Number(1, 1, whole=True), "The version of this file's form", required=True)
DEPARTMENTS: Final = Key("departments", Table(DEPARTMENT, "department"), "Who answers letters", required=True)
TOPICS: Final = Key("topics", Table(TOPIC, "topic"), "What letters are about, and whose they are", required=True)
LISTS: Final = Key("lists", Table(AddressList(), "list"), "Lists of addresses, for conditions with in:")
RULES: Final = Key("rules", ListOf(RULE, "rule"), "From top to bottom; later rules see what earlier ones set")
EDITORS: Final = Key("editors", Several(ADDRESS), "Who gets a mail, once, when this file is saved with a mistake")
LETTER_TESTS: Final = Key("tests", TESTS, "Letters, and how they must come out; a wrong one keeps this file out of use")


def _file(fields: Fields, reading: Reading) -> Rules:
    departments, topics = fields.need(DEPARTMENTS), fields.need(TOPICS)
    rules, tests = fields.get(RULES, ()), fields.get(LETTER_TESTS, ())
    only_once(rules, "rule", reading)
    only_once(tests, "test", reading)
    lists, places = fields.find(LISTS) or {}, definitions(LISTS, fields, reading)
    editors = fields.get(EDITORS, ())
    return Rules(reading.file, departments, topics, rules, lists, tests, list_places=places, editors=editors)


def definitions(key: Key[Any], fields: Fields, reading: Reading) -> dict[str, Place]:
    """Return where each name of a table stands."""
    node = fields.node.find(key.name)
    return {name.text: reading.place(name) for name, _ in node} if isinstance(node, MapNode) else {}


def only_once(named: Iterable[Rule | LetterTest], what: str, reading: Reading) -> None:
    """Note names that stand twice."""
    first: dict[str, Place] = {}
    for each in named:
        if each.name in first:
            found = f"{what} {shown(each.name)} stands twice, first in line {first[each.name].line}"
            reading.wrong(Scalar(None, "", each.at.line, each.at.column), found, "each name once: reasons name the rule")
        first.setdefault(each.name, each.at)


FILE: Final = Record(
    (VERSION, EDITORS, DEPARTMENTS, TOPICS, LISTS, RULES, LETTER_TESTS), _file, words="version, departments, topics, rules"
)


def json_schema() -> Json:
    """Return the JSON Schema of rules.yaml, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "triaged: rules.yaml",
        **FILE.schema(),
        "$defs": {"condition": condition_schema(), SAMPLE.name: SAMPLE.shape.schema()},
    }
