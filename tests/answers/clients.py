# ruff: noqa: E501  (what mail programs write is not folded)
"""Mail programs: how each marks the quote, which parts and encodings it sends. They all answer one digest."""

import base64
import quopri
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from html import escape
from typing import Final

from triaged.message import Address, Kind, Reason, Record, Status, Urgency
from triaged.review.code import code
from triaged.review.digest import Asking, compose
from triaged.review.token import Keys, Token, make, message_id, plus_address

KEYS: Final = Keys("Office of the Mayor", b"a key for tests only............")
REVIEWER: Final = "ana@example.gov"
NUMBER: Final = 4
TOKEN: Final = make(Token(NUMBER, REVIEWER, date(2026, 12, 24)), KEYS)
REPLY_TO: Final = plus_address("triage@example.gov", TOKEN)
OUR_ID: Final = message_id(TOKEN, "example.gov")
NOW: Final = datetime(2026, 11, 24, 13, 30, tzinfo=UTC)
TOPICS: Final = {"heat": ("housing",), "trees": ("parks",), "housing.eviction": ("homebase",)}
DEPARTMENTS: Final = {"housing": "Housing Preservation", "parks": "Parks & Recreation", "homebase": "Homebase, Prevention"}
PASS: Final = "mx.example.gov; dmarc=pass header.from=example.gov"

_LETTER: Final = Record(
    reference="MAY-2026-000001",
    mailbox="mayor",
    message_id="<1@x>",
    received_at=NOW,
    sender=Address("Zoë Writer", "zoe@example.org"),
    subject="No heat",
    kind=Kind.LETTER,
    language="en",
    topic="heat",
    confidence=0.6,
    alternatives=(("trees", 0.2),),
    urgency=Urgency.HIGH,
    flags=(),
    campaign=None,
    departments=("housing",),
    status=Status.REVIEW,
    reasons=(Reason("model", "topic", "60 % sure, 90 % needed"),),
    excerpt="It is cold.\nall ok\n1G spam\nundo",
    due=None,
)
_LETTERS: Final = [replace(_LETTER, reference=f"MAY-2026-{number:06d}", mail_id=number) for number in range(1, 9)]
_MADE: Final = compose(
    _LETTERS[:7], (), DEPARTMENTS, "Office of the Mayor", NOW, Asking(NUMBER, REVIEWER, TOKEN, REPLY_TO), _LETTERS[7:]
)
assert _MADE is not None
DIGEST: Final = _MADE.text
DIGEST_HTML: Final = _MADE.html.partition("<body")[2].partition(">")[2].partition("</body>")[0]
SUBJECT: Final = "7 letters wait for you - Office of the Mayor"

Mail = tuple[dict[str, str], bytes]
Client = Callable[[str], Mail]


def coded(text: str) -> str:
    """Put the right code where a number stands in braces."""
    for number in range(1, 60):
        text = text.replace(f"{{{number}}}", code(number, NUMBER))
    return text


def part(kind: str, text: str, encoding: str = "quoted-printable", charset: str = "utf-8", **parameters: str) -> bytes:
    """One text part with its header."""
    octets = text.replace("\n", "\r\n").encode(charset, "replace")
    if encoding == "base64":
        body = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    elif encoding == "quoted-printable":
        body = quopri.encodestring(octets.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    else:
        body = octets
    more = "".join(f"; {name}={value}" for name, value in parameters.items())
    head = f"Content-Type: text/{kind}; charset={charset}{more}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + body


def alternative(*parts: bytes) -> bytes:
    """Plain text and HTML of the same."""
    inside = b"".join(b"--==B1==\r\n" + one + b"\r\n" for one in parts)
    return b'Content-Type: multipart/alternative; boundary="==B1=="\r\n\r\n' + inside + b"--==B1==--\r\n"


def quoted(text: str, mark: str = "> ") -> str:
    return "".join(f"{mark}{line}".rstrip() + "\n" for line in text.splitlines())


def paragraphs(text: str, tag: str = "div", name: str = "") -> str:
    return "".join(f'<{tag} class="{name}" dir="auto">{escape(line) or "<br>"}</{tag}>' for line in text.split("\n"))


REPLIED: Final = {"In-Reply-To": OUR_ID, "References": OUR_ID}
BLOCK: Final = (
    "From: Office of the Mayor <correspondence@example.gov>\nSent: Tuesday, November 24, 2026 8:30 AM\n"
    f"To: Ana Reviewer <{REVIEWER}>\nSubject: {SUBJECT}\n\n"
)
BLOCK_HTML: Final = "<br>".join(
    f"<b>{line.partition(':')[0]}:</b>{escape(line.partition(':')[2])}" for line in BLOCK.strip().split("\n")
)


def outlook_desktop(text: str) -> Mail:
    plain = part("plain", f"{text}\n\n\n{BLOCK}{DIGEST}", charset="windows-1252")
    head = '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style>p.MsoNormal {margin:0in;}</style></head>'
    word = paragraphs(text, "p", "MsoNormal")
    border = f'<div style="border:none;border-top:solid #E1E1E1 1.0pt"><p class="MsoNormal">{BLOCK_HTML}</p></div>'
    page = f'{head}<body><div class="WordSection1">{word}<p class="MsoNormal"><o:p>&nbsp;</o:p></p>{border}{DIGEST_HTML}</div></body></html>'
    return REPLIED | {"X-Mailer": "Microsoft Outlook 16.0"}, alternative(plain, part("html", page, charset="windows-1252"))


def outlook_web(text: str) -> Mail:
    rule = "_" * 32
    plain = part("plain", f"{text}\n\n{rule}\n{BLOCK}{DIGEST}")
    page = (
        f"<html><body dir='ltr'>{paragraphs(text, 'div', 'elementToProof')}<div id='appendonsend'></div><hr "
        f'style="display:inline-block;width:98%"><div id="divRplyFwdMsg" dir="ltr"><font>{BLOCK_HTML}</font></div>{DIGEST_HTML}</body></html>'
    )
    return REPLIED, alternative(plain, part("html", page))


def outlook_phone(text: str) -> Mail:
    rule = "_" * 32
    plain = part("plain", f"{text}\n\nGet Outlook for iOS<https://aka.ms/o0ukef>\n{rule}\n{BLOCK}{DIGEST}", "base64")
    return REPLIED, plain


def outlook_html_only(text: str) -> Mail:
    border = f'<div style="border-top:solid #E1E1E1 1.0pt"><p class="MsoNormal">{BLOCK_HTML}</p></div>'
    body = f"<html><body>{paragraphs(text, 'p', 'MsoNormal')}{border}{DIGEST_HTML}</body></html>"
    return REPLIED, part("html", body)


def gmail_web(text: str) -> Mail:
    line = "On Tue, Nov 24, 2026 at 8:30 AM Office of the Mayor <\ncorrespondence@example.gov> wrote:\n\n"
    page = (
        f'<div dir="ltr">{paragraphs(text)}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">'
        "On Tue, Nov 24, 2026 at 8:30 AM Office of the Mayor &lt;correspondence@example.gov&gt; wrote:<br></div>"
        f'<blockquote class="gmail_quote" style="margin:0 0 0 .8ex">{DIGEST_HTML}</blockquote></div>'
    )
    return REPLIED, alternative(part("plain", f"{text}\n\n{line}{quoted(DIGEST)}"), part("html", page))


def gmail_android(text: str) -> Mail:
    line = "On Tue, Nov 24, 2026, 8:30 AM Office of the Mayor <correspondence@example.gov> wrote:\n\n"
    page = f'<div dir="auto">{paragraphs(text)}</div><br><div class="gmail_quote"><div>{escape(line)}</div>{DIGEST_HTML}</div>'
    return REPLIED, alternative(part("plain", f"{text}\n\n{line}{quoted(DIGEST)}", "base64"), part("html", page, "base64"))


def gmail_html_only(text: str) -> Mail:
    line = "On Tue, Nov 24, 2026 at 8:30 AM Office &lt;correspondence@example.gov&gt; wrote:"
    page = f'<div dir="ltr">{paragraphs(text)}</div><div class="gmail_quote"><div>{line}</div><blockquote>{DIGEST_HTML}</blockquote></div>'
    return REPLIED, part("html", page)


def apple_mail(text: str) -> Mail:
    line = "> On Nov 24, 2026, at 8:30\u202fAM, Office of the Mayor <correspondence@example.gov> wrote:\n> \n"
    page = f'<html><body>{paragraphs(text)}<div><br><blockquote type="cite"><div>{escape(line[2:-4])}</div>{DIGEST_HTML}</blockquote></div></body></html>'
    return REPLIED, alternative(part("plain", f"{text}\n\n{line}{quoted(DIGEST)}"), part("html", page))


def iphone(text: str) -> Mail:
    line = "> On Nov 24, 2026, at 8:30\u202fAM, Office of the Mayor <correspondence@example.gov> wrote:\n> \n> \ufeff\n"
    return REPLIED, part("plain", f"{text}\n\nSent from my iPhone\n\n{line}{quoted(DIGEST)}")


def thunderbird(text: str) -> Mail:
    body = f"{text}\n\nOn 11/24/26 08:30, Office of the Mayor wrote:\n{quoted(DIGEST)}"
    return REPLIED, part("plain", body, "8bit", format="flowed")


def thunderbird_html(text: str) -> Mail:
    page = (
        f"<html><body><p>{'<br>'.join(escape(line) for line in text.split(chr(10)))}</p>"
        f'<div class="moz-cite-prefix">On 11/24/26 08:30, Office of the Mayor wrote:<br></div><blockquote type="cite">{DIGEST_HTML}</blockquote></body></html>'
    )
    return REPLIED, part("html", page, "8bit")


def yahoo(text: str) -> Mail:
    line = (
        "    On Tuesday, November 24, 2026 at 08:30:00 AM EST, Office of the Mayor <correspondence@example.gov> wrote:  \n \n "
    )
    return REPLIED, part("plain", f" {text}\n\n{line}{DIGEST}")


def proton(text: str) -> Mail:
    line = "On Tuesday, November 24th, 2026 at 8:30 AM, Office of the Mayor <correspondence@example.gov> wrote:\n\n"
    return REPLIED, part("plain", f"{text}\n\nSent with Proton Mail secure email.\n\n{line}{quoted(DIGEST)}", "base64")


def samsung(text: str) -> Mail:
    head = "-------- Original message --------\nFrom: Office <correspondence@example.gov>\nDate: 11/24/26 8:30 AM (GMT-05:00)\n"
    return REPLIED, part("plain", f"{text}\n\n\n{head}To: {REVIEWER}\nSubject: {SUBJECT}\n\n{DIGEST}", "base64")


def outlook_french(text: str) -> Mail:
    head = "De : Bureau du maire <correspondence@example.gov>\nEnvoyé : mardi 24 novembre 2026 08:30\n"
    return REPLIED, part(
        "plain", f"{text}\n\n{head}À : Ana <{REVIEWER}>\nObjet : {SUBJECT}\n\n{DIGEST}", charset="windows-1252"
    )


def gmail_french(text: str) -> Mail:
    line = "Le mar. 24 nov. 2026 à 08:30, Bureau du maire <correspondence@example.gov> a écrit :\n\n"
    return REPLIED, part("plain", f"{text}\n\n{line}{quoted(DIGEST)}", "base64")


def gmail_spanish(text: str) -> Mail:
    line = "El mar, 24 nov 2026 a las 8:30, Oficina (<correspondence@example.gov>) escribió:\n\n"
    return REPLIED, part("plain", f"{text}\n\n{line}{quoted(DIGEST)}")


def mailto(text: str) -> Mail:
    """A link of the digest, opened and sent: a new mail, without any quote."""
    return {"Subject": text.split("\n")[0]}, part("plain", f"{text}\n\n{TOKEN}\n")


CLIENTS: Final = (
    outlook_desktop, outlook_web, outlook_phone, outlook_html_only, gmail_web, gmail_android, gmail_html_only, apple_mail,
    iphone, thunderbird, thunderbird_html, yahoo, proton, samsung, outlook_french, gmail_french, gmail_spanish, mailto,
)  # fmt: skip


def mail(client: Client, text: str, *, without: tuple[str, ...] = (), **changed: str) -> bytes:
    """One whole mail."""
    fields, content = client(coded(text))
    usual = {
        "Return-Path": f"<{REVIEWER}>",
        "Authentication-Results": PASS,
        "From": f"Ana Reviewer <{REVIEWER}>",
        "To": f"Office of the Mayor <{REPLY_TO}>",
        "Subject": f"Re: {SUBJECT}",
        "Date": "Tue, 24 Nov 2026 09:12:00 -0500",
        "Message-ID": "<answer@mail.example.gov>",
    }
    fields = usual | fields | {name.replace("_", "-"): value for name, value in changed.items()}
    kept = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value and name not in without)
    return kept.encode() + b"MIME-Version: 1.0\r\n" + content
