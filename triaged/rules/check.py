"""What is wrong with rules that can be read: rules that never act, names that nobody knows, examples and tests that fail."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from triaged.files.problem import Place, Problem, listed, nearest, shown
from triaged.message import Assessment, Flag, Message, Opinion, Screening
from triaged.rules.applying import FLAG_FLOORS
from triaged.rules.combined import Always, leaves, obstacle
from triaged.rules.conditions import Condition, InList, Is
from triaged.rules.decide import decide
from triaged.rules.facts import Facts, Letter
from triaged.rules.lint import idle_rules
from triaged.rules.schema import Example, Expected, LetterTest, Rule, Rules, Sample

Assess = Callable[[Message], Assessment]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What rules.yaml speaks of and does not define itself; None: not known here.

    Attributes:
        topics: Those of the model.
        mailboxes: Those of triaged.toml.
        templates: Of acknowledgements.
        flags: Those that tables of danger may set.
    """

    topics: Collection[str] | None = None
    mailboxes: Collection[str] | None = None
    templates: Collection[str] | None = None
    flags: Collection[str] = tuple(FLAG_FLOORS)


@dataclass(frozen=True, slots=True)
class Trial:
    """One example or test, tried.

    Attributes:
        name: Of the test, or of the example's rule.
        at: Where it stands.
        passed: Whether it came out as it must; None: not tried, since it needs the model.
        found: What came out instead.
        allowed: What was expected.
    """

    name: str
    at: Place
    passed: bool | None
    found: str = ""
    allowed: str = ""

    def problem(self) -> Problem:
        """Return a failed trial as a problem of its file."""
        return Problem(self.at.file, self.at.line, self.at.column, self.found, self.allowed)


def check(rules: Rules, today: date, around: Surroundings | None = None, assess: Assess | None = None) -> list[Problem]:
    """Return all that is wrong or looks wrong, in the file's order; a file with problems that are no warnings is not used.

    Args:
        rules: What was read.
        today: The office's date.
        around: What the rules speak of.
        assess: Asks the model; None: tests that need it are left out.
    """
    around = around or Surroundings()
    found = [
        *_unreached(rules.rules),
        *idle_rules(rules.rules),
        *_expired(rules, today),
        *_unused(rules),
        *_unknown(rules, around),
        *_against_model(rules, around),
        *(trial.problem() for trial in try_examples(rules, today) if trial.passed is False),
        *(trial.problem() for trial in try_tests(rules, today, assess) if trial.passed is False),
    ]
    return sorted(found, key=lambda each: (each.file != rules.file, each.file, each.line, each.column))


def _warning(at: Place, found: str, allowed: str = "", meant: str = "") -> Problem:
    return Problem(at.file, at.line, at.column, found, allowed, meant, warning=True)


def _unreached(rules: Sequence[Rule]) -> Iterator[Problem]:
    stops: list[Rule] = []
    for rule in rules:
        before = next((stop for stop in stops if isinstance(stop.when, Always) or stop.when == rule.when), None)
        if before:
            found = f"rule {shown(rule.name)} never acts: {shown(before.name)} in line {before.at.line} stops before it"
            found = found if before.at.file == rule.at.file else found.replace(f"line {before.at.line}", str(before.at))
            yield _warning(rule.at, found, "a place above it, or another condition")
        if rule.then.stop and rule.expires is None and not rule.shadow:
            stops.append(rule)


def _expired(rules: Rules, today: date) -> Iterator[Problem]:
    for surge in rules.surges:
        if surge.last < today:
            yield _warning(
                surge.at, f"surge {shown(surge.name)} is over since {surge.last}", "a later date, or delete the file"
            )
    for rule in rules.rules:
        if not rule.in_use(today) and rule.at.file == rules.file:
            yield _warning(rule.at, f"rule {shown(rule.name)} is out of use since {rule.expires}", "a later date, or delete it")


def _unused(rules: Rules) -> Iterator[Problem]:
    departments = {name for topic in rules.topics.values() for name in topic.departments}
    departments |= {name for rule in rules.rules for name in rule.then.departments}
    for department in rules.departments.values():
        if department.id not in departments:
            yield _warning(department.at, f"no topic or rule names department {shown(department.id)}")
    lists = {name for leaf in _leaves(rules) if isinstance(leaf, InList) for name in leaf.called.split(", ")}
    for name, at in rules.list_places.items():
        if name not in lists:
            yield _warning(at, f"no rule names list {shown(name)}")


def _leaves(rules: Rules) -> Iterator[Condition]:
    for rule in rules.rules:
        yield from leaves(rule.when)


def _unknown(rules: Rules, around: Surroundings) -> Iterator[Problem]:
    flags = {*around.flags, *(flag for rule in rules.rules for flag in rule.then.add_flag)}
    known = {"flag": flags, "mailbox": around.mailboxes}
    for leaf in _leaves(rules):
        names = known.get(leaf.field.key) if isinstance(leaf, Is) else None
        if isinstance(leaf, Is) and names is not None:
            for value in leaf.values:
                if value.written not in names:
                    found = f"nothing sets {leaf.field} {shown(value.written)}" if leaf.field.key == "flag" else ""
                    found = found or f"triaged.toml has no mailbox {shown(value.written)}"
                    yield _warning(leaf.at, found, listed(sorted(names)), nearest(value.written, names))
    for rule in rules.rules:
        template = rule.then.template
        if template and around.templates is not None and template not in around.templates:
            found = f"rule {shown(rule.name)}: there is no template {shown(template)}"
            allowed = listed(sorted(around.templates)) or "false"
            yield Problem(rule.at.file, rule.at.line, rule.at.column, found, allowed, nearest(template, around.templates))


def _against_model(rules: Rules, around: Surroundings) -> Iterator[Problem]:
    if around.topics is None:
        return
    for topic in rules.topics.values():
        if topic.id not in around.topics and topic.at.file == rules.file:  # a surge's topics are for its rules
            meant = nearest(topic.id, set(around.topics) - set(rules.topics))
            yield _warning(topic.at, f"the model does not know topic {shown(topic.id)}; only rules can set it", meant=meant)
    missing = [topic for topic in around.topics if topic not in rules.topics]
    if missing:
        found = f"the model knows topics that this file does not: {listed(missing)}; such letters go to a person"
        yield Problem(rules.file, 0, 0, found, warning=True)


def try_examples(rules: Rules, today: date) -> Iterator[Trial]:
    """Try every rule's examples on its condition alone."""
    for rule in rules.rules:
        for example in rule.examples:
            yield _try_example(rule, example, today)


def _try_example(rule: Rule, example: Example, today: date) -> Trial:
    sample = example.sample
    facts = Facts(
        letter=Letter(sample.message, sample.mailbox, sample.language, sample.campaign, sample.received or today),
        topic=sample.topic or "",
        confidence=sample.confidence if sample.topic else 0.0,
        urgency=sample.urgency,
        flags=sample.flags,
        guessed=not sample.accepted,
    )
    match = rule.when.match(facts)
    if (match is not None) is example.matches:
        return Trial(rule.name, example.at, True)
    text = shown(sample.message.text or sample.message.subject or sample.message.sender.address)
    because = match.because if match else obstacle(rule.when, facts)
    found = f"rule {shown(rule.name)}: the example {text} {'matches' if match else 'does not match'}: {because}"
    return Trial(rule.name, example.at, False, found, f"it stands under {'match' if example.matches else 'no match'}")


def try_tests(rules: Rules, today: date, assess: Assess | None) -> Iterator[Trial]:
    """Decide on every test's letter; those that need the model are left out where there is none."""
    for test in rules.tests:
        if test.sample.topic is None and assess is None:
            yield Trial(test.name, test.at, None)
        else:
            yield _try_test(test, rules, today, assess)


def _try_test(test: LetterTest, rules: Rules, today: date, assess: Assess | None) -> Trial:
    sample = test.sample
    surge = next((each for each in rules.surges if each.file == test.at.file), None)
    received = sample.received or (min(max(today, surge.first), surge.last) if surge else today)
    rules = rules.on_trial(test.at.file)
    screening = Screening(sample.kind, may_acknowledge=True)
    assessment = _assessment(sample, assess)
    decision = decide(sample.message, screening, assessment, rules, sample.mailbox, received, received)
    came = Expected(decision.topic, decision.urgency, decision.departments, decision.acknowledge, decision.status)
    wrong = [
        (what, _word(expected), _word(getattr(came, what)))
        for what in ("topic", "urgency", "departments", "acknowledge", "status")
        if (expected := getattr(test.expect, what)) is not None and expected != getattr(came, what)
    ]
    if not wrong:
        return Trial(test.name, test.at, True)
    found = ", ".join(f"{what} is {came_out}" for what, _, came_out in wrong)
    why = "; ".join(f"{reason.name}: {reason.because}" for reason in decision.reasons) or "no rule spoke"
    expected = ", ".join(f"{what} {expected}" for what, expected, _ in wrong)
    return Trial(test.name, test.at, False, f"test {shown(test.name)}: {found} ({why})", expected)


def _word(value: object) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case tuple():
            return ", ".join(map(str, value)) or "none"
    return str(value)


def _assessment(sample: Sample, assess: Assess | None) -> Assessment:
    """Return what the sample says of itself, else what the model says of it."""
    if sample.topic is None and assess is not None:
        asked = assess(sample.message)
        flags = (*asked.flags, *(Flag(flag) for flag in sample.flags))
        return replace(asked, flags=flags, urgency=asked.urgency.at_least(sample.urgency), campaign=sample.campaign)
    opinion = Opinion(((sample.topic or "", sample.confidence),), accepted=sample.accepted)
    flags = tuple(Flag(flag) for flag in sample.flags)
    return Assessment(sample.language, opinion, sample.urgency, flags, sample.campaign)
