"""Letters → hashed word and character n-grams, weighted by TF-IDF. Only numpy and scipy: prediction must start quickly.

An n-gram's hash is a difference of prefix hashes, so all n-grams of a batch come out of a few array operations (rolling
hash: Karp and Rabin 1987). Characters never cross a word's edge; the subject's words count once more by themselves.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from triaged.classify.topics import Text

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

HEAD_CHARACTERS: Final = 3_000  # of what the writer says now: the matter stands at the start,
TAIL_CHARACTERS: Final = 1_000  # the request often at the end
SUBJECT_CHARACTERS: Final = 300
CHARACTER_SIZES: Final = (2, 3, 4, 5)
PART: Final = "\0"  # between texts that are folded at once; ASCII, so that plain texts fold quickly
HASH_BITS: Final = 20
BUCKETS: Final = 2 << HASH_BITS  # words in the lower half, characters in the upper

_ODD_BASE: Final = 0x9E3779B97F4A7C15  # odd: its powers can be undone modulo 2**64
_MASK: Final = (1 << 64) - 1
_SPACE: Final = 32
_FIRST_IDEOGRAPH: Final = 0x2E80  # from here on one character may be a word
_WORD, _SUBJECT_WORD, _WORD_PAIR, _CHARACTERS = range(4)  # salts: the same string in another role is another feature

_LOG: Final = (1 + np.log(np.maximum(np.arange(4_097), 1))).astype(np.float32)  # 1 + log count, by count

_ARABIC: Final = {"أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي", "ة": "ه", "ک": "ك", "ی": "ي", "ھ": "ه", "ہ": "ه", "ۃ": "ه"}
_LATIN: Final = {"đ": "d", "ł": "l", "ø": "o", "œ": "oe", "æ": "ae", "ё": "е"}
_MARKS: Final = (*range(0x300, 0x370), 0x640, *range(0x64B, 0x653), 0x670, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0xAD)
_STOPS: Final = (0x60C, 0x61B, 0x61F, 0x6D4, 0x964, 0x965)  # Arabic comma …, danda


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Every n-gram of a batch of letters. The three arrays have one length and are in a fixed order."""

    letters: int
    row: Ints  # which letter
    bucket: Ints
    word: Ints  # the batch's word it begins in
    words: tuple[str, ...]  # all folded words of the batch


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Which buckets are columns, and how much each weighs."""

    buckets: NDArray[np.int32]  # sorted, one a column
    idf: Floats
    column_of: NDArray[np.int32]  # bucket → column, -1 where nothing was learnt


def vocabulary(buckets: NDArray[np.int32], idf: Floats) -> Vocabulary:
    """Return the vocabulary with its look-up table."""
    column_of = np.full(BUCKETS, -1, dtype=np.int32)
    column_of[buckets] = np.arange(len(buckets), dtype=np.int32)
    return Vocabulary(buckets, idf, column_of)


def cut(body: str) -> str:
    """Return the parts of a long letter that are read: its start and its end."""
    if len(body) <= HEAD_CHARACTERS + TAIL_CHARACTERS:
        return body
    return f"{body[:HEAD_CHARACTERS]} {body[-TAIL_CHARACTERS:]}"


def fold(text: str, *, digits: bool = False) -> str:
    """Return single-spaced words: any case, Latin accents and Arabic letter forms folded, all digits alike unless kept.

    With the digits `PART` is kept too.
    """
    if text.isascii():  # the same, in a fraction of the time
        folded = text.lower().encode("ascii").translate(_ascii_folding(digits)).decode("ascii")
    else:
        folded = unicodedata.normalize("NFKC", text).casefold().translate(_folding(digits))
    return " ".join(folded.split())


@cache
def _ascii_folding(digits: bool) -> bytes:
    return bytes(range(128)).decode("ascii").translate(_folding(digits)).encode("ascii").ljust(256)


@cache
def _folding(digits: bool) -> dict[int, str]:
    table: dict[int, str] = {}
    for code in (*range(0x250), *range(0x1E00, 0x1F00), *range(0x2000, 0x2070), *range(0x3000, 0x3040), *range(0xFF00, 0xFF66)):
        character = chr(code)
        if character.isdigit():
            if not digits:
                table[code] = "0"
        elif not character.isalpha():
            table[code] = " "
        elif (base := unicodedata.normalize("NFKD", character)[0]) != character:
            table[code] = base
    if digits:
        del table[ord(PART)]
    table |= {ord(one): other for one, other in (_ARABIC | _LATIN).items()}
    return table | dict.fromkeys(_MARKS, "") | dict.fromkeys(_STOPS, " ")


@cache
def _powers(length: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the base's first powers and their inverses modulo 2**64."""
    forward = np.full(length, _ODD_BASE, dtype=np.uint64)
    inverse = np.full(length, pow(_ODD_BASE, -1, 1 << 64), dtype=np.uint64)
    forward[0] = inverse[0] = 1
    return np.multiply.accumulate(forward), np.multiply.accumulate(inverse)


class _Hashes:
    """Hash of any substring of one array of code points, in constant time each."""

    def __init__(self, codes: NDArray[np.uint32]) -> None:
        power, self._inverse = _powers(1 << max(12, (len(codes) + 1).bit_length()))
        self._prefix = np.zeros(len(codes) + 1, dtype=np.uint64)
        np.cumsum((codes.astype(np.uint64) + np.uint64(7)) * power[: len(codes)], out=self._prefix[1:])

    def of(self, start: Ints, end: Ints, salt: int) -> Ints:
        value = (self._prefix[end] - self._prefix[start]) * self._inverse[start]
        value ^= np.uint64((salt + 1) * 0x5851F42D4C957F2D & _MASK)
        value ^= value >> np.uint64(31)  # the low bits of a polynomial hash are weak: mix, then take the top ones
        value *= np.uint64(0xBF58476D1CE4E5B9)
        bucket = (value >> np.uint64(64 - HASH_BITS)).astype(np.int64)
        return bucket + (1 << HASH_BITS) if salt == _CHARACTERS else bucket


def occurrences(texts: Sequence[Text]) -> Occurrences:
    """Return every n-gram of the texts."""
    subjects = [fold(text.subject[:SUBJECT_CHARACTERS]) for text in texts]
    lines = [f" {subject} {fold(cut(text.body))} ".replace("  ", " ") for subject, text in zip(subjects, texts, strict=True)]
    joined = "".join(lines)
    codes = np.frombuffer(joined.encode("utf-32-le", errors="surrogatepass"), dtype=np.uint32)
    lengths = np.array([len(line) for line in lines], dtype=np.int64)
    row_at = np.repeat(np.arange(len(lines), dtype=np.int64), lengths)
    space = codes == _SPACE
    hashes = _Hashes(codes)
    heading_end = np.cumsum(lengths) - lengths + np.array([len(subject) for subject in subjects], dtype=np.int64)
    parts = [*_word_grams(hashes, space, row_at, heading_end), *_character_grams(hashes, codes, space, row_at)]
    row, bucket, word = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Occurrences(len(texts), row, bucket, word, tuple(joined.split()))


def _word_grams(
    hashes: _Hashes, space: NDArray[np.bool_], row_at: Ints, heading_end: Ints
) -> Iterator[tuple[Ints, Ints, Ints]]:
    start = np.flatnonzero(space[:-1] & ~space[1:]) + 1
    end = np.flatnonzero(~space[:-1] & space[1:]) + 1
    row = row_at[start]
    yield row, hashes.of(start, end, _WORD), np.arange(len(start), dtype=np.int64)
    pair = np.flatnonzero(row[:-1] == row[1:])
    yield row[pair], hashes.of(start[pair], end[pair + 1], _WORD_PAIR), pair
    titled = np.flatnonzero(start <= heading_end[row])
    yield row[titled], hashes.of(start[titled], end[titled], _SUBJECT_WORD), titled


def _character_grams(
    hashes: _Hashes, codes: NDArray[np.uint32], space: NDArray[np.bool_], row_at: Ints
) -> Iterator[tuple[Ints, Ints, Ints]]:
    begins = np.zeros(len(codes), dtype=np.int64)
    begins[1:] = space[:-1] & ~space[1:]
    word_at = np.cumsum(begins) - 1
    spaces = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(space)))
    for size in CHARACTER_SIZES:
        at = np.arange(max(0, len(codes) - size + 1), dtype=np.int64)
        joined = spaces[at + size - 1] == spaces[at + 1]
        at = at[joined & ~(space[at] & space[at + size - 1])]
        yield row_at[at], hashes.of(at, at + size, _CHARACTERS), word_at[at + 1]  # an edge belongs to the word after it
    ideograph = np.flatnonzero(codes >= _FIRST_IDEOGRAPH)
    yield row_at[ideograph], hashes.of(ideograph, ideograph + 1, _CHARACTERS), word_at[ideograph]


def learn_vocabulary(counts: NDArray[np.int64], letters: int, limit: int) -> Vocabulary:
    """Choose the columns: the `limit` most frequent buckets.

    Args:
        counts: In how many letters each bucket occurs, shape (BUCKETS,).
        letters: How many letters were counted.
        limit: Most columns.
    """
    least = 1 if letters < 5_000 else 2
    known = np.flatnonzero(counts >= least)
    if len(known) > limit:
        known = np.sort(known[np.argsort(-counts[known], kind="stable")[:limit]])
    idf = (np.log((1 + letters) / (1 + counts[known])) + 1).astype(np.float32)
    return vocabulary(known.astype(np.int32), idf)


def matrix(found: Occurrences, known: Vocabulary) -> csr_array:
    """Return the weighted features of a batch, shape (letters, columns), float32.

    Weight: (1 + log count) x idf; words and characters each scaled to length 1 in every letter.
    """
    row, column, counts = _counted(found, known)
    values = _LOG[np.minimum(counts, len(_LOG) - 1)] * known.idf[column]
    block = row * 2 + (known.buckets[column] >> HASH_BITS)
    length = np.sqrt(np.bincount(block, weights=values * values, minlength=2 * found.letters))
    values /= length[block].astype(np.float32)
    ends = np.searchsorted(row, np.arange(found.letters + 1))
    return csr_array((values, column.astype(np.int32), ends.astype(np.int32)), shape=(found.letters, len(known.buckets)))


def pooled(found: Occurrences, weights: Floats) -> Floats:
    """Return the sum of every letter's n-grams' weights over the root of their count: quicker than `matrix`, and no TF-IDF.

    Args:
        found: The n-grams.
        weights: One an n-gram's bucket; neighbouring buckets share one if there are fewer than BUCKETS (a power of two).
    """
    said = np.bincount(found.row, weights=weights[found.bucket >> _sharing(len(weights))], minlength=found.letters)
    return np.asarray(said / _root(found), dtype=np.float32)


def pooling(found: Occurrences, buckets: int) -> csr_array:
    """Return what `pooled` multiplies its weights with, shape (letters, buckets)."""
    from scipy.sparse import coo_array

    values = (1 / _root(found))[found.row].astype(np.float32)
    where = (found.row.astype(np.int32), (found.bucket >> _sharing(buckets)).astype(np.int32))
    return csr_array(coo_array((values, where), shape=(found.letters, buckets)))


def _sharing(buckets: int) -> int:
    return (BUCKETS // buckets).bit_length() - 1


def _root(found: Occurrences) -> NDArray[np.float64]:
    return np.sqrt(np.maximum(np.bincount(found.row, minlength=found.letters), 1))


def _counted(found: Occurrences, known: Vocabulary) -> tuple[Ints, Ints, Ints]:
    """Return letter, column and count of every known feature, sorted by letter and column."""
    column = known.column_of[found.bucket]
    kept = np.flatnonzero(column >= 0)
    width = max(1, len(known.buckets))
    key = found.row[kept] * width + column[kept]
    if found.letters * width < 1 << 31:
        key = key.astype(np.int32)  # sorts in a third of the time
    key.sort()
    first = np.flatnonzero(np.concatenate((np.ones(min(1, len(key)), dtype=np.bool_), key[1:] != key[:-1])))
    row, column = np.divmod(key[first], width)
    return row.astype(np.int64), column.astype(np.int64), np.diff(np.append(first, len(key))).astype(np.int64)
