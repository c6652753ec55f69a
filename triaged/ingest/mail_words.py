"""What mail programs and people write around a letter, in all languages at once: mail comes in any of them."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Final

_TABLE: Final = Path(__file__).with_name("mail_words.toml")
_NO_SPACES_FROM: Final = "\u0590"  # from here on: scripts whose words grow at both ends, or stand without spaces
_STEMS: Final = frozenset({"poufn", "конфиденциальн", "получател"})


@cache
def languages() -> dict[str, dict[str, tuple[str, ...]]]:
    """Return the table: language → kind of phrase → phrases."""
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return {language: {kind: tuple(phrases) for kind, phrases in row.items()} for language, row in table.items()}


@cache
def every(kind: str) -> tuple[str, ...]:
    """Return the phrases of one kind in all languages, casefolded."""
    return tuple(dict.fromkeys(phrase.casefold() for row in languages().values() for phrase in row.get(kind, ())))


def occurring(kind: str, text: str) -> tuple[str, ...]:
    """Return the phrases of one kind that stand anywhere in a casefolded text: a quick look before a closer one."""
    return tuple(phrase for phrase in every(kind) if phrase in text)


def any_of(kind: str) -> re.Pattern[str]:
    """Match any of these phrases, the longest first; whole words where the script puts spaces between words."""
    phrases = sorted(every(kind), key=len, reverse=True)
    return re.compile("|".join(rf"\b{re.escape(p)}\b" if _whole(p) else re.escape(p) for p in phrases), re.IGNORECASE)


def _whole(phrase: str) -> bool:
    return phrase[0] < _NO_SPACES_FROM and phrase[-1].isalnum() and phrase[-1] < _NO_SPACES_FROM and phrase not in _STEMS
