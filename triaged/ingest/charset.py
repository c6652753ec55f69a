"""Octets → text, whatever the charset says about itself. Never raises."""

import codecs
from typing import Final

_ALIASES: Final = {
    "ansi_x3.110-1983": "cp1252",  # Yahoo's way of saying Latin 1
    "ansi_x3.4-1968": "ascii",
    "big5": "big5hkscs",
    "cp-850": "cp850",
    "euc-kr": "cp949",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "iso-8859-1": "cp1252",
    "iso-8859-6-i": "iso8859-6",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "ks_c_5601": "cp949",
    "ks_c_5601-1987": "cp949",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "macintosh": "mac-roman",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "tis-620": "cp874",
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "us-ascii": "ascii",
    "utf8": "utf-8",
    "windows-874": "cp874",
    "x-cp1250": "cp1250",
    "x-cp1251": "cp1251",
    "x-cp1252": "cp1252",
    "x-gbk": "gb18030",
    "x-mac-cyrillic": "mac-cyrillic",
    "x-mac-roman": "mac-roman",
    "x-sjis": "cp932",
    "x-windows-949": "cp949",
}
_SAID_NOTHING: Final = frozenset(
    {
        "",
        "8bit",
        "7bit",
        "binary",
        "default",
        "default_charset",
        "none",
        "unknown",
        "unknown-8bit",
        "x-unknown",
        "x-user-defined",
    }
)
# Python knows codecs that are no mail charsets and slow or dangerous on hostile octets (punycode, idna, unicode_escape).
_FAMILIES: Final = (
    "cp",
    "utf-",
    "iso8859-",
    "koi8-",
    "big5",
    "euc_",
    "gb",
    "iso2022_",
    "shift_jis",
    "mac-",
    "hz",
    "johab",
    "tis-620",
)
_SINGLES: Final = frozenset({"ascii", "ptcp154", "kz1048", "hp-roman8"})
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_MULTIBYTE: Final = ("utf-", "big5", "euc_", "gb", "iso2022_", "shift_jis", "cp932", "cp949", "johab", "hz")
_FEW: Final = 50  # one wrong octet in so many is damage, not another charset


def codec(charset: str) -> str | None:
    """Return Python's name for a charset that occurs in mail; None for what is not one."""
    named = charset.strip(" \t\"'").lower()[:60]
    if named in ("ascii", "utf-8"):
        return named
    try:
        found = codecs.lookup(_ALIASES.get(named, named)).name
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        return None
    return found if found in _SINGLES or found.startswith(_FAMILIES) else None


def decode(octets: bytes, charset: str = "") -> tuple[str, str]:
    """Decode octets as declared, else as UTF-8, else line by line as UTF-8 or cp1252 with replacement characters.

    Args:
        octets: What came.
        charset: What was declared; may be empty, unknown or wrong.

    Returns:
        The text, and in a clerk's words what deviated from the declaration ("" when nothing did).

    Source: RFC 7103 §7.6.
    """
    for mark, unicode in _BOMS:
        if octets.startswith(mark):
            return octets.decode(unicode, "replace"), ""
    name = charset.strip(" \t\"'").lower()[:60]
    declared = codec(charset)
    if declared:
        try:
            return _decoded(octets, declared, "strict"), ""
        except (UnicodeError, ValueError):
            pass
    if octets.isascii() and (declared is None or not declared.startswith("utf-")):
        return octets.decode("ascii"), ""
    said = f"charset {name} was wrong" if declared else f"charset {name} is not known"
    if name in _SAID_NOTHING:
        said = "no charset was named"
    if declared != "utf-8":
        try:
            return octets.decode("utf-8"), f"{said}, read as utf-8"
        except UnicodeError:
            pass
    if declared and declared.startswith(_MULTIBYTE):
        text = _decoded(octets, declared, "replace")
        if text.count("\ufffd") * _FEW <= len(text):
            return text, f"some letters were not {name} and are lost"
    return b"\n".join(map(_as_utf_8, octets.split(b"\n"))).decode("utf-8"), f"{said}, read as cp1252"


def _as_utf_8(line: bytes) -> bytes:
    """Return a line in UTF-8: what a quote or a list's footer below is written in says nothing of the lines above it."""
    try:
        line.decode("utf-8")
    except UnicodeError:
        return line.decode("cp1252", "replace").encode()
    return line


def _decoded(octets: bytes, codec_name: str, errors: str) -> str:
    text = octets.decode(codec_name, errors)
    if codec_name == "utf-7":  # Python's lets lone surrogates through (3.11), which no store takes
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
