"""The table of mistakes in rules.yaml: what a person gets to read for each."""

# ruff: noqa: E501
import pytest

from triaged.files.problem import WrongFile
from triaged.rules.load import read

HEAD = """\
version: 1
departments:
  housing: {name: Housing, to: housing@example.gov}
  press: {name: Press, to: press@example.gov}
topics:
  heat: {department: housing, urgency: high, description: No heat}
  media: {department: press, urgency: high, description: The press}
lists:
  council: ["@council.example.gov"]
rules:
"""
GOOD = f"""{HEAD}\
  - name: R
    when: {{subject: heat}}
    then: {{stop: true}}
"""


def rule(when: str = "{subject: heat}", then: str = "{stop: true}", extra: str = "") -> str:
    """Return a file whose only rule has this condition, action and further lines."""
    return f"{HEAD}  - name: R\n    when: {when}\n    then: {then}\n{extra}"


def changed(old: str, new: str) -> str:
    """Return the good file with one thing changed."""
    assert old in GOOD
    return GOOD.replace(old, new)


MISTAKES = {
    "empty file": (
        "",
        """\
rules.yaml:1:1: the file is empty.
  Allowed: version: 1, then departments, topics and rules.""",
    ),
    "only a comment": (
        "# nothing yet\n",
        """\
rules.yaml:2:1: the file is empty.
  Allowed: version: 1, then departments, topics and rules.""",
    ),
    "plain text": (
        "Dear Sir or Madam",
        """\
rules.yaml:1:1: the file is "Dear Sir or Madam".
  Allowed: version, departments, topics, rules.""",
    ),
    "a list at the top": (
        "- a\n- b\n",
        """\
rules.yaml:1:1: the file is a list.
  Allowed: version, departments, topics, rules.""",
    ),
    "no version": (
        "departments: {}\ntopics: {}\n",
        """\
rules.yaml:1:1: version is missing.
  Allowed: version: 1.""",
    ),
    "another version": (
        changed("version: 1", "version: 2"),
        """\
rules.yaml:1:10: version is 2.
  Allowed: 1.""",
    ),
    "unknown top key": (
        changed("lists:", "list:"),
        """\
rules.yaml:8:1: unknown key "list".
  Allowed: version, editors, departments, topics, lists, rules, tests. Did you mean lists?""",
    ),
    "unknown key of rule": (
        rule(extra="    expire: 2027-01-01\n"),
        """\
rules.yaml:14:5: rule "R": unknown key "expire".
  Allowed: name, when, then, expires, shadow, examples. Did you mean expires?""",
    ),
    "unknown condition": (
        rule("{subjekt: heat}"),
        """\
rules.yaml:12:12: rule "R": unknown condition "subjekt".
  Allowed: from, to, cc, sender, subject, body, any_text, mailbox, language, topic, confidence, urgency, flag, attachment, campaign, received, is_reply, header, all, any, not. Did you mean subject?""",
    ),
    "unknown action": (
        rule(then="{urgancy: high}"),
        """\
rules.yaml:13:12: rule "R": unknown key "urgancy".
  Allowed: topic, department, departments, copy_to, urgency, add_flag, acknowledge, hold, close, move, stop. Did you mean urgency?""",
    ),
    "unknown operator": (
        rule("{subject: {has: heat}}"),
        """\
rules.yaml:12:22: rule "R": subject cannot be compared with "has".
  Allowed: is, in, contains, words, matches.""",
    ),
    "operator for another field": (
        rule("{confidence: {words: [a]}}"),
        """\
rules.yaml:12:25: rule "R": confidence cannot be compared with "words".
  Allowed: above, below.""",
    ),
    "unknown department key": (
        changed("to: press@", "mail: press@"),
        """\
rules.yaml:4:24: department "press": unknown key "mail".
  Allowed: name, to, respond_within, handoff, language, acknowledge.
rules.yaml:4:10: department "press": to is missing.
  Allowed: to: an e-mail address such as housing@example.gov, or a list of such.""",
    ),
    "duplicate key": (
        changed("  press: {", "  housing: {"),
        """\
rules.yaml:4:3: "housing" stands twice in one block, first in line 3.
  Allowed: each key once.
rules.yaml:7:23: topic "media": unknown department "press".
  Allowed: housing.""",
    ),
    "duplicate key in block": (
        rule(extra="    then: {stop: true}\n"),
        """\
rules.yaml:14:5: "then" stands twice in one block, first in line 13.
  Allowed: each key once.""",
    ),
    "rule twice": (
        GOOD + GOOD.removeprefix(HEAD),
        """\
rules.yaml:14:5: rule "R" stands twice, first in line 11.
  Allowed: each name once: reasons name the rule.""",
    ),
    "misspelt topic": (
        rule(then="{topic: haet}"),
        """\
rules.yaml:13:19: rule "R": unknown topic "haet".
  Allowed: heat, media. Did you mean heat?""",
    ),
    "misspelt department": (
        rule(then="{department: housng}"),
        """\
rules.yaml:13:24: rule "R": unknown department "housng".
  Allowed: housing, press. Did you mean housing?""",
    ),
    "misspelt department of topic": (
        changed("department: press,", "department: pres,"),
        """\
rules.yaml:7:23: topic "media": unknown department "pres".
  Allowed: housing, press. Did you mean press?""",
    ),
    "misspelt list": (
        rule("{from: {in: councl}}"),
        """\
rules.yaml:12:23: rule "R": unknown list "councl".
  Allowed: council. Did you mean council?""",
    ),
    "misspelt urgency": (
        rule(then="{urgency: hihg}"),
        """\
rules.yaml:13:21: rule "R": urgency is "hihg".
  Allowed: critical, high, normal, low, "at least …". Did you mean high?""",
    ),
    "urgency at most": (
        rule(then="{urgency: at most low}"),
        """\
rules.yaml:13:21: rule "R": urgency is "at most low".
  Allowed: critical, high, normal, low, "at least …". Did you mean at least low?""",
    ),
    "topic urgency": (
        changed("urgency: high, description: No heat", "urgency: urgent, description: No heat"),
        """\
rules.yaml:6:40: topic "heat": urgency is "urgent".
  Allowed: critical, high, normal, low.""",
    ),
    "missing to": (
        changed(", to: press@example.gov", ""),
        """\
rules.yaml:4:10: department "press": to is missing.
  Allowed: to: an e-mail address such as housing@example.gov, or a list of such.""",
    ),
    "missing department": (
        changed("{department: press, ", "{"),
        """\
rules.yaml:7:10: topic "media": department is missing.
  Allowed: department: a department of this file.""",
    ),
    "department and departments": (
        changed("department: press,", "department: press, departments: [housing],"),
        """\
rules.yaml:7:43: topic "media": department and departments are both given.
  Allowed: one of them.""",
    ),
    "missing name": (
        HEAD + "  - when: {subject: heat}\n    then: {stop: true}\n",
        """\
rules.yaml:11:5: rule 1: name is missing.
  Allowed: name: text on one line.""",
    ),
    "missing when": (
        HEAD + "  - name: R\n    then: {stop: true}\n",
        """\
rules.yaml:11:5: rule "R": when is missing.
  Allowed: when: always, or conditions: a block with from, subject, any_text, topic, all, any, not, ….""",
    ),
    "missing then": (
        HEAD + "  - name: R\n    when: always\n",
        """\
rules.yaml:11:5: rule "R": then is missing.
  Allowed: then: a block with topic, department, urgency, ….""",
    ),
    "empty when": (
        rule(""),
        """\
rules.yaml:13:5: rule "R": when is empty.
  Allowed: always, or conditions: a block with from, subject, any_text, topic, all, any, not, ….""",
    ),
    "empty block when": (
        rule("{}"),
        """\
rules.yaml:12:11: rule "R": when is empty.
  Allowed: always, or conditions: a block with from, subject, any_text, topic, all, any, not, ….""",
    ),
    "when is a list": (
        rule("[subject]"),
        """\
rules.yaml:12:11: rule "R": when is a list.
  Allowed: all: or any: above the list.""",
    ),
    "when is text": (
        rule("subject"),
        """\
rules.yaml:12:11: rule "R": when is "subject".
  Allowed: always, or conditions: a block with from, subject, any_text, topic, all, any, not, ….""",
    ),
    "all with no list": (
        rule("{all: {subject: a}}"),
        """\
rules.yaml:12:17: rule "R": all is a block of keys and values.
  Allowed: a list: each condition after a dash.""",
    ),
    "empty any": (
        rule("{any: []}"),
        """\
rules.yaml:12:17: rule "R": any is an empty list.
  Allowed: a list: each condition after a dash.""",
    ),
    "empty then": (
        rule(then="{}"),
        """\
rules.yaml:13:11: rule "R": then is empty.
  Allowed: topic, department, departments, copy_to, urgency, add_flag, acknowledge, hold, close, move, stop.""",
    ),
    "bad date": (
        rule(extra="    expires: 2027-02-30\n"),
        """\
rules.yaml:14:14: rule "R": expires is "2027-02-30": day is out of range for month.
  Allowed: a date such as 2027-03-01.""",
    ),
    "date in words": (
        rule(extra="    expires: 1 March 2027\n"),
        """\
rules.yaml:14:14: rule "R": expires is "1 March 2027".
  Allowed: a date such as 2027-03-01.""",
    ),
    "bad address": (
        changed("housing@example.gov", "housing at example.gov"),
        """\
rules.yaml:3:32: department "housing": to is "housing at example.gov": it lacks the "@".
  Allowed: an e-mail address such as housing@example.gov.""",
    ),
    "address without dot": (
        changed("housing@example.gov", "housing@example"),
        """\
rules.yaml:3:32: department "housing": to is "housing@example".
  Allowed: an e-mail address such as housing@example.gov.""",
    ),
    "address with non-ASCII": (
        changed("housing@example.gov", "büro@example.gov"),
        """\
rules.yaml:3:32: department "housing": to is "büro@example.gov": letters other than A to Z are not carried by every mail server.
  Allowed: an e-mail address such as housing@example.gov.""",
    ),
    "empty list of addresses": (
        changed("to: housing@example.gov", "to: []"),
        """\
rules.yaml:3:32: department "housing": to is an empty list.
  Allowed: an e-mail address such as housing@example.gov, or a list of such.""",
    ),
    "bare domain in list": (
        changed('"@council.example.gov"', "council.example.gov"),
        """\
rules.yaml:9:13: list "council" is "council.example.gov": a whole domain is written "@council.example.gov".
  Allowed: an e-mail address, or "@example.gov" for a whole domain.""",
    ),
    "unquoted @domain": (
        changed('["@council.example.gov"]', "\n    - @council.example.gov"),
        """\
rules.yaml:10:7: a text cannot begin with "@".
  Allowed: the text in quotes: "@…".""",
    ),
    "look-ahead": (
        rule("{subject: {matches: '(?=heat)'}}"),
        """\
rules.yaml:12:31: rule "R": subject: matches is "(?=heat)": invalid perl operator: (?=; look-aheads and back-references don't exist here: with them one letter could keep us busy for hours.
  Allowed: an RE2 pattern, as in github.com/google/re2/wiki/Syntax.""",
    ),
    "back reference": (
        rule("{subject: {matches: '(a)\\1'}}"),
        """\
rules.yaml:12:31: rule "R": subject: matches is "(a)\\1": invalid escape sequence: \\1; look-aheads and back-references don't exist here: with them one letter could keep us busy for hours.
  Allowed: an RE2 pattern, as in github.com/google/re2/wiki/Syntax.""",
    ),
    "broken pattern": (
        rule("{subject: {matches: '(heat'}}"),
        """\
rules.yaml:12:31: rule "R": subject: matches is "(heat": missing ): (heat.
  Allowed: an RE2 pattern, as in github.com/google/re2/wiki/Syntax.""",
    ),
    "huge pattern": (
        rule("{subject: {matches: 'a{5000}'}}"),
        """\
rules.yaml:12:31: rule "R": subject: matches is "a{5000}": invalid repetition size: {5000}.
  Allowed: an RE2 pattern, as in github.com/google/re2/wiki/Syntax.""",
    ),
    "word without letters": (
        rule("{subject: {words: ['!!']}}"),
        """\
rules.yaml:12:30: rule "R": subject: words is "!!": it has neither letter nor digit.
  Allowed: a word, or words that follow each other.""",
    ),
    "words with true": (
        rule("{subject: {words: [true]}}"),
        """\
rules.yaml:12:30: rule "R": subject: words is true.
  Allowed: a word, or words that follow each other; "true" in quotes is text.""",
    ),
    "words empty list": (
        rule("{subject: {words: []}}"),
        """\
rules.yaml:12:29: rule "R": subject: words is an empty list.
  Allowed: a word, or words that follow each other, or a list of such.""",
    ),
    "nothing to compare": (
        rule("{subject: }"),
        """\
rules.yaml:12:20: rule "R": subject is empty.
  Allowed: text, or a list of such (contains); a block with is, in, contains, words, matches.""",
    ),
    "confidence as percent above 1": (
        rule("{confidence: {above: 80}}"),
        """\
rules.yaml:12:32: rule "R": confidence: above is 80: perhaps 80%.
  Allowed: a number from 0 to 1, or 0% to 100%.""",
    ),
    "bare confidence": (
        rule("{confidence: 0.8}"),
        """\
rules.yaml:12:24: rule "R": confidence is 0.8.
  Allowed: a block with above, below.""",
    ),
    "received in words": (
        rule("{received: {above: yesterday}}"),
        """\
rules.yaml:12:30: rule "R": received: above is "yesterday".
  Allowed: a date such as 2027-03-01.""",
    ),
    "is_reply yes": (
        rule("{is_reply: yes}"),
        """\
rules.yaml:12:22: rule "R": is_reply is "yes".
  Allowed: true, false. Did you mean true?""",
    ),
    "header with blank": (
        rule("{header: List Id}"),
        """\
rules.yaml:12:20: rule "R": header is "List Id".
  Allowed: the name of a header such as List-Id.""",
    ),
    "acknowledge true": (
        rule(then="{acknowledge: true}"),
        """\
rules.yaml:13:25: rule "R": acknowledge is true.
  Allowed: false, or the name of a template; without this line the writer gets the usual reply.""",
    ),
    "acknowledge no": (
        changed("to: press@example.gov}", "to: press@example.gov, acknowledge: no}"),
        """\
rules.yaml:4:60: department "press": acknowledge is "no".
  Allowed: true, false. Did you mean false?""",
    ),
    "stop false": (
        rule(then="{stop: false}"),
        """\
rules.yaml:13:18: rule "R": stop is false.
  Allowed: true.""",
    ),
    "hold true": (
        rule(then="{hold: true}"),
        """\
rules.yaml:13:18: rule "R": hold is true.
  Allowed: text on one line; "true" in quotes is text.""",
    ),
    "handoff later": (
        changed("to: press@example.gov}", "to: press@example.gov, handoff: open311}"),
        """\
rules.yaml:4:56: department "press": handoff is "open311": this kind comes later.
  Allowed: forward.""",
    ),
    "handoff unknown": (
        changed("to: press@example.gov}", "to: press@example.gov, handoff: forwrad}"),
        """\
rules.yaml:4:56: department "press": handoff is "forwrad".
  Allowed: forward.""",
    ),
    "respond within": (
        changed("to: press@example.gov}", "to: press@example.gov, respond_within: two weeks}"),
        """\
rules.yaml:4:63: department "press": respond_within is "two weeks".
  Allowed: "14 days", "10 business days" or "4 hours".""",
    ),
    "respond number": (
        changed("to: press@example.gov}", "to: press@example.gov, respond_within: 14}"),
        """\
rules.yaml:4:63: department "press": respond_within is 14.
  Allowed: "14 days", "10 business days" or "4 hours".""",
    ),
    "id with capitals": (
        changed("  heat: {", "  Heat: {"),
        """\
rules.yaml:6:3: "Heat" cannot name a topic.
  Allowed: small letters a to z, digits and . _ -, at most 80. Did you mean heat?""",
    ),
    "flag with blank": (
        rule(then="{add_flag: no heat}"),
        """\
rules.yaml:13:22: rule "R": add_flag is "no heat".
  Allowed: a flag: small letters, digits and . _ -.""",
    ),
    "language in words": (
        rule("{language: english}"),
        """\
rules.yaml:12:22: rule "R": language is "english".
  Allowed: a language code such as en, es or zh-Hans.""",
    ),
    "list file outside": (
        changed('["@council.example.gov"]', "{file: ../council.txt}"),
        """\
rules.yaml:9:19: list "council": file is "../council.txt": it lies outside the folder of this file.
  Allowed: a file in the folder of this one.""",
    ),
    "list file not given": (
        changed('["@council.example.gov"]', "{file: council.txt}"),
        """\
rules.yaml:9:19: list "council": there is no folder to read files from.""",
    ),
    "list is text": (
        changed('["@council.example.gov"]', "council.txt"),
        """\
rules.yaml:9:12: list "council" is "council.txt".
  Allowed: addresses and "@domain" entries after dashes, or {file: NAME}.""",
    ),
    "test unknown topic": (
        GOOD + "tests:\n  - name: T\n    message: {topic: haet}\n    expect: {topic: heat}\n",
        """\
rules.yaml:16:22: test "T": unknown topic "haet".
  Allowed: heat, media. Did you mean heat?""",
    ),
    "test expects nothing": (
        GOOD + "tests:\n  - name: T\n    message: {subject: a}\n    expect: {}\n",
        """\
rules.yaml:17:13: test "T": expect is empty.
  Allowed: topic, urgency, departments, acknowledge or status, as it must come out.""",
    ),
    "test status": (
        GOOD + "tests:\n  - name: T\n    message: {subject: a}\n    expect: {status: done}\n",
        """\
rules.yaml:17:22: test "T": status is "done".
  Allowed: routed, review, closed, ignored.""",
    ),
    "example is a number": (
        rule(extra="    examples: {match: [5]}\n"),
        """\
rules.yaml:14:24: rule "R": match is 5.
  Allowed: text; "5" in quotes is text.""",
    ),
    "example key": (
        rule(extra="    examples: {matches: [a]}\n"),
        """\
rules.yaml:14:16: rule "R": unknown key "matches".
  Allowed: match, no match. Did you mean match?""",
    ),
    "tab": (
        changed("    when", "\twhen"),
        """\
rules.yaml:12:1: a tab stands here.
  Allowed: blanks only; two more for each step inwards.""",
    ),
    "wrong indentation": (
        changed("    then", "   then"),
        """\
rules.yaml:13:4: this does not fit the lines above it.
  Allowed: keys of one block exactly below each other; quotes around the whole text.""",
    ),
    "missing blank after colon": (
        changed("name: R", "name:R"),
        """\
rules.yaml:11:9: a blank is missing after the colon.
  Allowed: key: value.""",
    ),
    "colon in text": (
        changed("name: R", "name: Heat: today"),
        """\
rules.yaml:11:15: a ":" stands where no key can be.
  Allowed: keys of one block exactly below each other; quotes around a text with a colon.""",
    ),
    "apostrophe in quotes": (
        changed("name: R", "name: 'The mayor's mail'"),
        """\
rules.yaml:11:22: more text stands after a closing quote.
  Allowed: a quote inside quotes twice, '' in '…'; or the other quotes around it.""",
    ),
    "bracket open": (
        rule("{subject: {words: [a, b}}"),
        """\
rules.yaml:12:29: the bracket that opens here is not closed, or a comma is missing.
  Allowed: commas between, ] at the end.""",
    ),
    "quote open": (
        changed("name: R", 'name: "R'),
        """\
rules.yaml:11:11: a quote opens here and never closes.
  Allowed: the same quote at the end of the text.""",
    ),
    "tag": (
        changed("name: R", "name: !secret R"),
        """\
rules.yaml:11:11: the tag "!secret" stands here.
  Allowed: no tags: quotes make a text.""",
    ),
    "alias unknown": (
        changed("name: R", "name: *R"),
        """\
rules.yaml:11:11: "*R" refers to nothing above it.
  Allowed: a text that begins with * in quotes.""",
    ),
    "merge key": (
        changed("name: Press,", "<<: x, name: Press,"),
        """\
rules.yaml:4:11: department "press": unknown key "<<".
  Allowed: name, to, respond_within, handoff, language, acknowledge.""",
    ),
    "second document": (
        GOOD + "---\nversion: 1\n",
        """\
rules.yaml:14:1: a second document begins ("---").
  Allowed: one document a file.""",
    ),
    "line break in name": (
        changed("name: R", 'name: "R\\nBcc: x"'),
        """\
rules.yaml:11:11: rule "R\\nBcc: x": name is "R\\nBcc: x": it holds a line break or an invisible character.
  Allowed: text on one line.""",
    ),
    "cp1252": (
        changed("Housing,", "Büro,").encode("cp1252"),
        """\
rules.yaml:3:20: byte 0xFC is not UTF-8.
  Allowed: text saved as UTF-8.""",
    ),
    "utf16": (
        GOOD.encode("utf-16"),
        """\
rules.yaml:1:1: the file is saved as UTF-16.
  Allowed: text saved as UTF-8.""",
    ),
    "binary": (
        b"\x89PNG\r\n\x1a\n\x00\x00",
        """\
rules.yaml:1:1: byte 0x89 is not UTF-8.
  Allowed: text saved as UTF-8.""",
    ),
    "nul": (
        changed("Housing", "Hous\x00ing"),
        """\
rules.yaml:3:23: the control character U+0000 stands here, as in no text file.
  Allowed: text saved as UTF-8.""",
    ),
    "a shadow that is not true": (
        rule(extra="    shadow: yes\n"),
        """\
rules.yaml:14:13: rule "R": shadow is "yes".
  Allowed: true. Did you mean true?""",
    ),
    "a shadow misspelt": (
        rule(extra="    shaddow: true\n"),
        """\
rules.yaml:14:5: rule "R": unknown key "shaddow".
  Allowed: name, when, then, expires, shadow, examples. Did you mean shadow?""",
    ),
    "three at once": (
        changed("version: 1", "version: one").replace("name: R", "nmae: R").replace("press@example.gov", "press"),
        """\
rules.yaml:1:10: version is "one".
  Allowed: 1.
rules.yaml:4:28: department "press": to is "press": it lacks the "@".
  Allowed: an e-mail address such as housing@example.gov.
rules.yaml:11:5: rule 1: unknown key "nmae".
  Allowed: name, when, then, expires, shadow, examples. Did you mean name?
rules.yaml:11:5: rule 1: name is missing.
  Allowed: name: text on one line.""",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_rules_is_told_with_its_place_and_what_is_allowed(mistake: str) -> None:
    text, expected = MISTAKES[mistake]
    with pytest.raises(WrongFile) as wrong:
        read(text if isinstance(text, bytes) else text.encode(), "rules.yaml")
    assert str(wrong.value) == expected


def test_the_file_without_a_mistake_is_read() -> None:
    assert [rule.name for rule in read(GOOD.encode(), "rules.yaml").rules] == ["R"]


def test_a_byte_order_mark_and_windows_line_ends_are_no_mistake() -> None:
    octets = b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()
    assert read(octets, "rules.yaml").rules[0].at.line == 11
