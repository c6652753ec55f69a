"""The one receipt that an answer gets, and the notice when only one of its two locks was open. Composes; sends nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from triaged.message import Notice
from triaged.review.answer import ABOVE, LAST
from triaged.review.line import Unclear


class Effect(StrEnum):
    """What became of one instruction."""

    DONE = "Done"
    UNDONE = "Undone"
    SHOWN = "Shown"
    BEFORE = "Decided before"
    NOT_DONE = "Not done"


@dataclass(frozen=True, slots=True)
class Result:
    """One instruction and what became of it; texts of strangers are on one line."""

    effect: Effect
    what: str  # code, reference, what was decided or why not
    body: str = ""  # of a letter that was asked for


def receipt(results: Sequence[Result], unclear: Sequence[Unclear], until: str, words: str, token: str) -> Notice:
    """Say what an answer did; every line of it is without effect should a machine send it back.

    Args:
        results: What became of the instructions.
        unclear: Lines without effect.
        until: Until when what was done can be undone, in words; empty: nothing was done.
        words: The words one may write.
        token: Opens the same digest for "undo".
    """
    counts = [f"{effect.value.lower()} {count}" for effect in Effect if (count := sum(one.effect is effect for one in results))]
    counts += [f"not understood {len(unclear)}"] if unclear else []
    blocks = [f"-- {ABOVE} --"]
    for effect in Effect:
        lines = [f"  {effect.value}: {one.what}" for one in results if one.effect is effect]
        blocks += ["\n".join(lines)] if lines else []
    if unclear:
        lines = [f"  Not understood: “{one.line[:120]}”: {one.why}" for one in unclear]
        blocks.append("\n".join((*lines, "  These lines changed nothing.")))
    if not results and not unclear:
        blocks.append("  Nothing was found above the quoted mail, so nothing changed.")
    if until:
        blocks.append(f"To take it back, answer this mail with the word: undo\nNothing of it leaves before {until}.")
    blocks += [f"{one.what}\n\n{_indented(one.body)}" for one in results if one.body]
    if unclear or not results:
        blocks.append(words)
    blocks.append(f"{LAST} {token}")
    return Notice(f"Your answer: {', '.join(counts) or 'nothing in it'}", "\n\n".join(blocks) + "\n")


def one_lock(why: str, sender: str, at: str) -> Notice:
    """Tell a reviewer, at the address we know, that a mail spoke in their name and was not obeyed."""
    text = (
        f"On {at} a mail came in that answers a digest for you. It was not obeyed, and nothing changed.\n\n"
        f"  Why:  {why}\n  From: {sender}\n\n"
        "If it was yours, answer the digest itself, from the address that gets it. If it was not, tell your administrator: "
        "somebody may have seen your digest, or writes in your name.\n"
    )
    return Notice("An answer in your name was not obeyed", text)


def _indented(text: str) -> str:
    return "\n".join(f"    | {line}" for line in text.split("\n"))
