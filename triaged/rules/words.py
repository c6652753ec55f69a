"""Comparing texts as a clerk reads them: any case, accents folded, whole words in every script. Linear time."""

import re
import unicodedata
from typing import Final

# Folded away: Latin, Greek and Cyrillic accents, Hebrew points, Arabic vowel signs. Signs that are letters stay (Bengali).
_MARKS: Final = frozenset((*range(0x300, 0x370), *range(0x591, 0x5C8), *range(0x64B, 0x660), 0x670))
_BIDI: Final = (0x61C, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_SOFT_HYPHEN, _TATWEEL = 0xAD, 0x640
_INVISIBLE: Final = frozenset((_SOFT_HYPHEN, _TATWEEL, *range(0x200B, 0x2010), 0x2060, 0xFEFF, *_BIDI))
_LIKE: Final = {
    **dict.fromkeys("’‘ʼ`´", "'"),
    **dict.fromkeys("“”«»", '"'),
    **dict.fromkeys("‐‑‒–—−", "-"),
    "ł": "l",
    "ø": "o",
    "đ": "d",
    "ı": "i",
    "œ": "oe",
    "æ": "ae",
    "ى": "ي",
    "ی": "ي",
    "ک": "ك",
    "ة": "ه",  # Arabic, Persian and Urdu keyboards write the same letter differently
}
# Scripts without blanks between words; Korean has blanks, but writes its particles onto the noun.
_UNSPACED: Final = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1100, 0x11FF),  # Hangul jamo
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0xA4CF),  # CJK, kana, bopomofo, Yi
    (0xAC00, 0xD7FF),  # Hangul
    (0xF900, 0xFAFF),
    (0xFF66, 0xFFDC),
    (0x1AFF0, 0x1B2FF),
    (0x20000, 0x3FFFF),
)
_JAMO: Final = re.compile("[\u1100-\u11ff]+")
_MOST_KEPT: Final = 20_000


def fold(text: str) -> str:
    """Return the text in small letters, without accents, typographic variants and invisible characters, single blanks between.

    Character by character, since `unicodedata.normalize` takes quadratic time on long runs of marks (measured with Python
    3.11: 8 s for 90,000 of them).
    """
    folded = " ".join(text.translate(_FOLDED).split())
    return _JAMO.sub(lambda run: unicodedata.normalize("NFC", run.group()), folded)


def spell(text: str) -> str:
    """Return the words of a text, folded, a blank around each; in scripts without blanks each character is a word."""
    return f" {' '.join(fold(text).translate(_SPELT).split())} "


def has_word(spelt: str, word: str) -> bool:
    """Tell whether a text has a word, or words in this order; both as `spell` returns them."""
    return word in spelt


class _Folded(dict[int, str]):
    """Character → its folded form; fills itself, up to a bound."""

    def __missing__(self, code: int) -> str:
        folded = _fold(chr(code))
        if len(self) < _MOST_KEPT:
            self[code] = folded
        return folded


def _fold(char: str) -> str:
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    if 0xAC00 <= ord(char) <= 0xD7A3:
        return char  # NFKD would take a Korean syllable apart
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", _LIKE.get(char, char)).casefold())
    kept = [_LIKE.get(each, each) for each in decomposed if ord(each) not in _MARKS and ord(each) not in _INVISIBLE]
    return "".join(" " if each.isspace() else each for each in kept)


class _Spelt(dict[int, str]):
    """Folded character → itself in a line of words; what is neither letter nor digit parts words."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        letter = char.isalnum() or unicodedata.category(char).startswith("M")
        unspaced = any(first <= code <= last for first, last in _UNSPACED)
        spelt = (f" {char} " if unspaced else char) if letter else " "
        if len(self) < _MOST_KEPT:
            self[code] = spelt
        return spelt


_FOLDED: Final = _Folded()
_SPELT: Final = _Spelt()
