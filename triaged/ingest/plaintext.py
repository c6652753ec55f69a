"""text/plain parts: line ends, control characters, format=flowed (RFC 3676), and texts that only say "read the HTML"."""

import re
from typing import Final

_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
_LINE_END: Final = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_STUB: Final = re.compile(
    r"html|does not support|not display|view (?:this|it|the).{0,30}(?:browser|online)"
    r"|no (?:admite|soporta)|ne (?:supporte|prend)",
    re.IGNORECASE,
)
_STUB_LENGTH: Final = 300
_MANY_NULS: Final = 0.01  # a text has none; UTF-16 taken for Latin letters has one in two


def clean(text: str) -> tuple[str, str]:
    """Make line ends "\\n" and drop control characters.

    Returns:
        The text, and what was odd ("" if nothing). A text with many NULs is none: "" comes back (RFC 7103 §7.6).
    """
    if "\r" in text or not text.isascii() or "\x0b" in text or "\x0c" in text:
        text = _LINE_END.sub("\n", text)
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text, ""
    nuls = text.count("\x00")
    if nuls > 3 and nuls > len(text) * _MANY_NULS:
        return "", "a text part is binary"
    return _CONTROL.sub("", text), "a few NUL characters were dropped" if nuls else ""


def unflow(text: str, *, delete_space: bool = False) -> str:
    """Join the lines that format=flowed broke softly (RFC 3676 §4).

    Args:
        text: Lines ended by "\\n".
        delete_space: The DelSp parameter was "yes": the space that marks a soft break is no part of the text.
    """
    lines: list[str] = []
    pieces: list[str] = []
    open_depth = -1  # quotation depth of the paragraph that goes on
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:].removeprefix(" ")  # §4.4 space-stuffing
        if pieces and depth != open_depth:  # §4.5: a paragraph ends where the depth changes
            lines.append(_quoted(open_depth, pieces))
            pieces = []
        soft = content.endswith(" ") and content != "-- "  # §4.3: the signature line is fixed
        pieces.append(content[:-1] if soft and delete_space else content)
        open_depth = depth
        if not soft:
            lines.append(_quoted(depth, pieces))
            pieces = []
    if pieces:
        lines.append(_quoted(open_depth, pieces))
    return "\n".join(lines)


def _quoted(depth: int, pieces: list[str]) -> str:
    text = "".join(pieces)
    return f"{'>' * min(depth, 50)} {text}" if depth else text


def is_stub(text: str) -> bool:
    """Tell whether a plain text only points to the HTML beside it."""
    stripped = text.strip()
    return len(stripped) <= _STUB_LENGTH and (not stripped or _STUB.search(stripped) is not None)
