"""Rules that can be read and still do nothing: they can never apply, others always overrule them, or they fit every letter."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

from triaged.files.problem import Problem, shown
from triaged.rules.combined import All, Always, AnyOf, Not, fields_of, leaves
from triaged.rules.conditions import Beyond, Condition, Is, Matches
from triaged.rules.schema import Action, Rule

_ONE_VALUE: Final = frozenset({"topic", "mailbox", "urgency"})  # a letter has exactly one of these
_LOWEST: Final = {"confidence": 0.0, "urgency": 0.0}
_HIGHEST: Final = {"confidence": 1.0, "urgency": 3.0}
_WHOLE: Final = frozenset({"urgency", "received"})  # nothing lies between a value and the next


def idle_rules(rules: Sequence[Rule]) -> Iterator[Problem]:
    """Return warnings about rules that do nothing, or do it always."""
    for rule in rules:
        if why := never(rule.when):
            yield _warning(rule, f"rule {shown(rule.name)} can never apply: {why}", "a condition that some letter fulfils")
        for leaf in leaves(rule.when):
            if isinstance(leaf, Matches) and leaf.compiled.search("") is not None:
                found = f"rule {shown(rule.name)}: the pattern {shown(leaf.pattern)} fits every text, the empty one too"
                yield Problem(
                    leaf.at.file, leaf.at.line, leaf.at.column, found, "a pattern that asks for something", warning=True
                )
    for place, rule in enumerate(rules):
        by = _overruled(rule, rules[place + 1 :])
        if by:
            found = f"rule {shown(rule.name)} is always overruled: {shown(by.name)} in {by.at} sets the same afterwards"
            yield _warning(rule, found, "a place below it, or another condition")


def _warning(rule: Rule, found: str, allowed: str) -> Problem:
    return Problem(rule.at.file, rule.at.line, rule.at.column, found, allowed, warning=True)


def never(condition: Condition) -> str:
    """Return why no letter can fulfil a condition; empty when one may."""
    match condition:
        case AnyOf():
            whys = [never(each) for each in condition.conditions]
            return whys[0] if all(whys) else ""
        case Not():
            return "it is “not always”" if isinstance(condition.condition, Always) else ""
        case Beyond():
            return _beyond_all(condition)
        case All():
            parts = list(_parts(condition))
            return next(filter(None, map(never, parts)), "") or next(
                filter(None, (_against(one, other) for one, other in combinations(parts, 2))), ""
            )
    return ""


def _parts(condition: Condition) -> Iterator[Condition]:
    if isinstance(condition, All):
        for each in condition.conditions:
            yield from _parts(each)
    else:
        yield condition


def _beyond_all(bound: Beyond) -> str:
    limit = (_HIGHEST if bound.above else _LOWEST).get(bound.field.key)
    if limit is not None and (bound.bound >= limit if bound.above else bound.bound <= limit):
        return f"no {bound.field} is {'above' if bound.above else 'below'} {bound.written}"
    return ""


def _against(one: Condition, other: Condition) -> str:
    """Return why two conditions never hold together; empty when they may."""
    if (isinstance(one, Not) and one.condition == other) or (isinstance(other, Not) and other.condition == one):
        return f"it asks for “{one}” and for “{other}”"
    if isinstance(one, Is) and isinstance(other, Is) and one.field == other.field and one.field.key in _ONE_VALUE:
        apart = {value.form for value in one.values}.isdisjoint(value.form for value in other.values)
        return f"it asks for “{one}” and for “{other}”" if apart else ""
    if isinstance(one, Beyond) and isinstance(other, Beyond) and one.field == other.field and one.above != other.above:
        low, high = (one, other) if one.above else (other, one)
        room = high.bound - low.bound
        if room <= (1 if one.field.key in _WHOLE else 0):
            return f"nothing lies above {low.written} and below {high.written}"
    return ""


def _overruled(rule: Rule, later: Sequence[Rule]) -> Rule | None:
    """Return the rule that undoes all that this one does, whenever it applies.

    A rule between the two that looks at what this one sets, or that may stop, saves it.
    """
    if rule.shadow or not _may_be_overruled(rule.then):
        return None
    for other in later:
        if other.shadow:
            continue
        lasts = other.starts is None and (other.expires is None or (rule.expires or other.expires) < other.expires)
        if lasts and _follows(rule.when, other.when) and _sets_all(rule.then, other.then):
            return other
        if other.then.stop or any(field.key in ("topic", "confidence", "urgency") for field in fields_of(other.when)):
            return None
    return None


def _may_be_overruled(then: Action) -> bool:
    """Tell whether an action only sets what a later rule may set otherwise; the rest adds up."""
    adds = then.add_flag or then.copy_to or then.hold or then.close or then.stop or not then.acknowledge
    return not adds and not (then.urgency and then.urgency.at_least)


def _sets_all(then: Action, other: Action) -> bool:
    return (
        (then.topic is None or other.topic is not None)
        and (not then.departments or bool(other.departments))
        and (then.urgency is None or (other.urgency is not None and not other.urgency.at_least))
        and (then.template is None or other.template is not None)
        and (then.move is None or other.move is not None)
    )


def _follows(one: Condition, other: Condition) -> bool:
    """Tell whether the other condition holds wherever the one does, as far as their form shows."""
    if any(field.is_guessed for field in fields_of(other)):
        return False  # a guess only proposes, it does not overrule
    if isinstance(other, Always) or one == other:
        return True
    if isinstance(other, AnyOf):
        return any(_follows(one, each) for each in other.conditions)
    return isinstance(one, All) and any(_follows(each, other) for each in one.conditions)
