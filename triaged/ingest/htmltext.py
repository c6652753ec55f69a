"""HTML mail → the text that a person sees. One pass over the tags, linear for any input, never raises.

No tree is built: ammonia/html5ever (nh3 0.3.8) needs 31 s for 100,000 nested <div>, and `html.parser` is quadratic on
unfinished tags (CVE-2025-6069). Quotations come out with "> " before each line and signatures below "-- ", as in plain
text, so that one reader (`reply`) serves both.
"""

import re
from html import unescape
from typing import Final

CHARACTERS: Final = 2_000_000
_LINK_LENGTH: Final = 200
_QUOTE_DEPTH: Final = 10
_ROW_LENGTH: Final = 500

# Possessive, so that each start is tried once; a tag may hold ">" inside a quoted value.
_TAG: Final = re.compile(r"""<(/?)([a-zA-Z][^\s<>/"'=@]*+)(?=[\s/>])((?:[^>"'=]++|=\s*+(?:"[^"]*+"|'[^']*+')?+|["'])*+)>""")
_PLAIN_TAG: Final = re.compile(r"""<(/?)([a-zA-Z][^\s<>/"'=@]*+)(?=[\s/>])([^<>]*+)>""")
_MARKUP: Final = re.compile(r"<(?:[!?]|/(?![a-zA-Z]))")  # comments, declarations and what browsers take for one
_OPENING: Final = re.compile(r"<(?=[a-zA-Z/!?])")
_ATTRIBUTE: Final = re.compile(r"""(?<![a-zA-Z-])([a-zA-Z-]++)\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'>]++)""")
_HIDING: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(?![.\d]*[1-9])", re.I
)
_BLANKS: Final = re.compile(r"[ \t\r\n\f]+")
_INVISIBLE: Final = re.compile(r"[\u00ad\u034f\u200b\u2060\ufeff]")
_MANY_LINES: Final = re.compile(r"\n{3,}")

_UNSEEN: Final = frozenset(
    {"script", "style", "head", "title", "template", "noframes", "object", "svg", "math", "xml", "select"}
)
_PARAGRAPHS: Final = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "pre", "blockquote", "hr"})
_LINES: Final = frozenset(
    {"div", "tr", "li", "dt", "dd", "section", "article", "header", "footer", "main", "aside", "nav", "address", "center"}
    | {"fieldset", "form", "figure", "caption", "br", "body", "html"}
)
_CELLS: Final = frozenset({"td", "th"})
_ROWS: Final = frozenset({"tr", "table"})
_VOID: Final = frozenset({"br", "hr", "img", "input", "meta", "link", "col", "wbr", "area", "base", "embed", "source"})
_SIGNATURE: Final = re.compile(
    r"gmail_signature|AppleMailSignature|\bSignature\b|ms-outlook-mobile-signature|yahoo.?signature", re.I
)
_QUOTATION: Final = re.compile(r"gmail_quote\b|\bcite\b|protonmail_quote|yahoo_quoted|zmail_extra|mozcite", re.I)


def to_text(html: str) -> str:
    """Return what a reader would see: blocks as lines, cells apart, links as text with their address, nothing hidden."""
    walk = _Walk()
    html = html[:CHARACTERS]
    written = position = 0  # what stands between the two is text, or not yet known to be none
    tag = _TAG
    missing: set[str] = set()  # ends that occur no more: never searched for again
    while begin := _OPENING.search(html, position):
        opening = begin.start()
        if _MARKUP.match(html, opening):
            end = "-->" if html.startswith("<!--", opening) else ">"
            closing = -1 if end in missing else html.find(end, opening + 2)
            if closing < 0:
                missing.add(end)
            position = closing + len(end) if closing >= 0 else opening + 1 + len(end)
            walk.text(html[written:opening])
            written = position
            continue
        match = tag.match(html, opening)
        if match is None and tag is _TAG:
            tag = _PLAIN_TAG  # a tag that never ends, or whose quote never does: from here on quotes don't count
            match = tag.match(html, opening)
        if match is None:
            position = opening + 1
            continue
        walk.text(html[written:opening])
        written = position = walk.tag(html, match)
    walk.text(html[written:])
    return walk.finish()


class _Walk:
    """What has been seen so far; lines carry their quotation depth."""

    def __init__(self) -> None:
        self._lines: list[tuple[int, str]] = []
        self._line: list[str] = []
        self._depth = 0
        self._quotations: list[bool] = []
        self._link = ""
        self._link_from = 0
        self._pre = 0
        self._hidden = ""  # the tag that hides
        self._hidden_depth = 0
        self._kept: list[str] = []  # text that was hidden, in case the hiding never ends
        self._never_closed: set[str] = set()
        self._cell_from = 0
        self._written = False  # whether the current line shows anything

    def text(self, source: str) -> None:
        """Take the text between two tags."""
        if not source:
            return
        if self._hidden:
            self._kept.append(source)
            return
        if "&" in source:
            source = unescape(source)
        if not source.isascii():
            source = _INVISIBLE.sub("", source)
        if self._pre:
            first, *others = source.split("\n")
            self._line.append(first)
            for other in others:
                self._break()
                self._line.append(other)
        elif not source.isspace():
            self._written = True
            self._line.append(_BLANKS.sub(" ", source))
        elif not self._cell_waits():
            self._line.append(" ")

    def tag(self, html: str, match: re.Match[str]) -> int:
        """Take one tag; return where to go on."""
        name, closing, attributes = match[2].lower(), bool(match[1]), match[3]
        if self._hidden:
            self._while_hidden(name, closing, attributes)
            return match.end()
        if name in _UNSEEN and not closing and not attributes.endswith("/"):
            return self._unseen(html, name, match.end())
        if not closing and ("style" in attributes or "hidden" in attributes) and name not in _VOID and _hides(attributes):
            self._hidden, self._hidden_depth = name, 1
            return match.end()
        if name in _LINES or name in _PARAGRAPHS:
            self._block(name, closing, attributes)
        elif name in _CELLS:
            self._cell(closing)
        elif name == "a":
            self._anchor(closing, attributes)
        elif name == "img" and not closing:
            self._image(attributes)
        return match.end()

    def _unseen(self, html: str, name: str, position: int) -> int:
        """Pass over an element that shows nothing; one that never closes is read as text."""
        if name in self._never_closed:
            return position
        end = re.compile(rf"</{name}\b[^>]*+>|<body\b" if name == "head" else rf"</{name}\b[^>]*+>", re.I).search(
            html, position
        )
        if end is None:
            self._never_closed.add(name)
            return position
        return end.start() if end[0][1] != "/" else end.end()

    def _while_hidden(self, name: str, closing: bool, attributes: str) -> None:
        if name != self._hidden or attributes.endswith("/"):
            return
        self._hidden_depth += -1 if closing else 1
        if self._hidden_depth == 0:
            self._hidden = ""
            self._kept.clear()

    def _block(self, name: str, closing: bool, attributes: str) -> None:
        if name == "br" and not self._line:
            self._lines.append((self._depth, ""))
        elif not self._cell_waits() or name in _ROWS:
            self._break(blank=name in _PARAGRAPHS)
        if name == "blockquote":
            self._quote(closing, attributes)
        elif name == "pre":
            self._pre = max(0, self._pre + (-1 if closing else 1))
        elif name == "li" and not closing:
            self._line.append("- ")
        elif not closing and "ignature" in attributes and _SIGNATURE.search(attributes):
            self._lines.append((self._depth, "-- "))

    def _cell(self, closing: bool) -> None:
        """Keep the cells of a row on one line, also where a cell's text is a paragraph of its own."""
        if not closing:
            self._cell_from = len(self._lines)
            return
        since = [line for line in self._lines[self._cell_from : self._cell_from + 4] if line[1]]
        if not self._written and len(since) == 1 and len(since[0][1]) <= _ROW_LENGTH:
            del self._lines[self._cell_from :]
            self._line[:] = [since[0][1]]
            self._written = True
        self._line.append("\t")

    def _cell_waits(self) -> bool:
        """Tell whether a cell has ended or begun, and nothing has been written in the next one yet."""
        return bool(self._line) and self._line[-1] == "\t"

    def _quote(self, closing: bool, attributes: str) -> None:
        if not closing:
            self._quotations.append(_QUOTATION.search(attributes) is not None)
            self._depth += self._quotations[-1]
        elif self._quotations:
            self._depth -= self._quotations.pop()

    def _anchor(self, closing: bool, attributes: str) -> None:
        if not closing:
            self._link = _attribute(attributes, "href")
            self._link_from = len(self._line)
            return
        link, self._link = self._link, ""
        if link.lower().startswith(("http://", "https://")) and len(link) <= _LINK_LENGTH:
            shown = "".join(self._line[self._link_from :]).strip()
            if shown and not _same_link(shown, link):
                self._line.append(f" <{link}>")

    def _image(self, attributes: str) -> None:
        described = _attribute(attributes, "alt").strip()
        if described and len(described) <= _LINK_LENGTH:
            self._line.append(f"[{described}]")

    def _break(self, *, blank: bool = False) -> None:
        line = "".join(self._line)
        self._line.clear()
        self._link_from, self._written = 0, False
        if self._pre or line.strip():
            self._lines.append((self._depth, line.rstrip() if self._pre else _tidy(line)))
        if blank and self._lines and self._lines[-1][1]:
            self._lines.append((self._depth, ""))

    def finish(self) -> str:
        """Return all lines."""
        if self._hidden and self._kept:
            kept, self._hidden = self._kept, ""
            for source in kept:
                self.text(source)
        self._break()
        lines = []
        for depth, line in self._lines:
            depth = min(depth, _QUOTE_DEPTH)
            lines.append(f"{'>' * depth} {line}".rstrip() if depth else line)
        return _MANY_LINES.sub("\n\n", "\n".join(lines)).strip("\n")


def _tidy(line: str) -> str:
    return "\t".join(cell for cell in (" ".join(cell.split()) for cell in line.split("\t")) if cell)


def _hides(attributes: str) -> bool:
    style = _attribute(attributes, "style")
    return _HIDING.search(style) is not None or re.search(r"(?:^|\s)hidden(?:\s|$|=)", attributes) is not None


def _attribute(attributes: str, name: str) -> str:
    for key, value in _ATTRIBUTE.findall(attributes[:5_000]):
        if key.lower() == name:
            return unescape(value.strip("\"'"))
    return ""


def _same_link(shown: str, link: str) -> bool:
    bare = re.sub(r"^https?://(?:www\.)?", "", link.rstrip("/").lower())
    return bare.startswith(re.sub(r"^https?://(?:www\.)?", "", shown.rstrip("/…").rstrip(".").lower()))
