"""The short codes by which people call a digest's items: a number and a check letter, such as `7K`."""

import re
from typing import Final

# 23 letters, as Spain's identity numbers have: modulo a prime, one wrong digit or two swapped ones change the letter.
# I, O and S are left out: they look like 1, 0 and 5.
_LETTERS: Final = "ABCDEFGHJKLMNPQRTUVWXYZ"
_CODE: Final = re.compile(r"([0-9]{1,3})\s?([A-Za-z])")


def code(number: int, digest: int) -> str:
    """Return the code of an item; the letters of two digests differ, so that an old digest's code does not open another."""
    return f"{number}{_LETTERS[(number + 7 * digest) % len(_LETTERS)]}"


def number_of(text: str, digest: int) -> int | None:
    """Return the item's number; None when the check letter says that it is mistyped, or of another digest."""
    found = _CODE.fullmatch(text.strip())
    if not found:
        return None
    number = int(found[1])
    return number if code(number, digest) == f"{number}{found[2].upper()}" else None
