# ruff: noqa: E501  (what mail programs write is not folded)
"""Writes answers to one digest as mail programs write them: `python -m tests.answers.make` fills this folder anew.

Each function below is one mail program: how it marks the quote, which parts and encodings it sends. Each case is one file, and
one line of `expected.txt`.
"""

import base64
import quopri
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from html import escape
from pathlib import Path
from typing import Final

from triaged.message import Address, Kind, Reason, Record, Status, Urgency
from triaged.review.code import code
from triaged.review.digest import Asking, compose
from triaged.review.token import Keys, Token, make, message_id, plus_address

HERE: Final = Path(__file__).parent
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

# What is written, and its effect.
SAID: Final = {
    "plain": ("{7} ok\n{3} housing.evi urgent\n{2} spam", "2 spam; 3 route housing.eviction high; 7 ok"),
    "range": ("{2}\u2013{4} Spam\n{6} close: answered by phone", "2 spam; 3 spam; 4 spam; 6 close (answered by phone)"),
    "french": ("Bonjour,\n{1} d\u2019accord\n{2} indésirable\n{5} fermer : répondu\nMerci", "1 ok; 2 spam; 5 close (répondu)"),
    "spanish": ("{1} de acuerdo\n{4} basura\n{2} mostrar\nGracias", "1 ok; 2 show; 4 spam"),
    "all": ("all ok\n{2} parks", "1 ok; 2 route parks; 3 ok; 4 ok; 5 ok; 6 ok; 7 ok"),
    "undo": ("Undo.", "undo"),
    "nothing": ("Thanks, I will look at them this afternoon.", "nothing"),
}


def cases() -> dict[str, tuple[bytes, str]]:
    """Return each file's name with its octets and the expected effect."""
    found: dict[str, tuple[bytes, str]] = {}
    for client in CLIENTS:
        for name, (text, effect) in SAID.items():
            found[f"{client.__name__}-{name}"] = (mail(client, text), effect)
    return found | _odd() | _machines()


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


def _odd() -> dict[str, tuple[bytes, str]]:
    threads = ("In-Reply-To", "References")
    plain = {"To": "triage@example.gov"}
    between = DIGEST.replace("\n\nFrom:", "\n\n\n\nFrom:", 0)
    block = quoted(between).split("> ---")
    inserted = block[0] + "> ---" + block[1] + "{1} ok\n\n> ---" + block[2] + "{2} spam\n> ---" + "> ---".join(block[3:])
    wrote = "On 11/24/26 08:30, Office of the Mayor wrote:\n"

    def as_written(text: str) -> Mail:
        return REPLIED, part("plain", text)

    def soft_breaks(text: str) -> Mail:
        body = part("plain", f"{text}\n\nAnswer code: {TOKEN}\n").replace(TOKEN[:20].encode(), TOKEN[:20].encode() + b"=\r\n")
        return {}, body

    def attached(text: str) -> Mail:
        inner = (
            b"Content-Type: message/rfc822\r\n\r\n"
            + f"Subject: {SUBJECT}\r\nMessage-ID: {OUR_ID}\r\n\r\n".encode()
            + DIGEST.encode()
        )
        body = b"--B2\r\n" + part("plain", text) + b"\r\n--B2\r\n" + inner + b"\r\n--B2--\r\n"
        return {}, b'Content-Type: multipart/mixed; boundary="B2"\r\n\r\n' + body

    forwarded = "---------- Forwarded message ---------\nFrom: Office <correspondence@example.gov>\nDate: Tue, Nov 24, 2026 at 8:30 AM\n"
    forwarded += f"Subject: {SUBJECT}\nTo: <{REVIEWER}>\n\n{DIGEST}"
    colleague = {"From": "Bo <bo@example.gov>", "Return-Path": "<bo@example.gov>"}
    return {
        "token-only-in-address": (mail(as_written, "{7} ok", without=threads), "7 ok"),
        "token-only-in-thread": (mail(as_written, "{7} ok", **plain), "7 ok"),
        "token-only-in-references": (mail(as_written, "{7} ok", without=("In-Reply-To",), **plain), "7 ok"),
        "token-only-in-quote": (mail(thunderbird, "{7} ok", without=threads, **plain), "7 ok"),
        "token-only-in-html-quote": (mail(outlook_html_only, "{7} ok", without=threads, **plain), "7 ok"),
        "token-with-soft-break": (mail(soft_breaks, "{7} ok", **plain), "7 ok"),
        "token-escaped-in-address": (mail(as_written, "{7} ok", without=threads, To=REPLY_TO.replace("+", "%2B")), "7 ok"),
        "token-in-delivered-to": (mail(as_written, "{7} ok", without=threads, Delivered_To=REPLY_TO, **plain), "7 ok"),
        "token-nowhere": (mail(as_written, "{7} ok", without=threads, **plain), "refused, told to ana@example.gov"),
        "token-changed": (
            mail(as_written, "{7} ok", without=threads, To=REPLY_TO.replace(TOKEN, TOKEN[:-1] + ("a" if TOKEN[-1] != "a" else "b"))),
            "refused, told to ana@example.gov",
        ),
        "unproven": (mail(gmail_web, "{7} ok", Authentication_Results="mx.example.gov; dmarc=none"), "refused, told to ana@example.gov"),
        "aligned-dkim": (mail(gmail_web, "{7} ok", Authentication_Results="mx.example.gov; dkim=pass header.d=example.gov"), "7 ok"),
        "aligned-spf": (
            mail(gmail_web, "{7} ok", Authentication_Results="mx.example.gov; spf=pass smtp.mailfrom=ana@example.gov"),
            "7 ok",
        ),
        "from-in-capitals": (mail(outlook_web, "{7} ok", From="Ana <ANA@Example.Gov>"), "7 ok"),
        "from-named-by-its-address": (mail(outlook_web, "{7} ok", From='"ana@example.gov" <ana@example.gov>'), "7 ok"),
        "between-thunderbird": (mail(as_written, wrote + inserted), "1 ok; 2 spam"),
        "between-trimmed": (mail(as_written, f"{wrote}> {{1}}   MAY-2026-000001\n{{1}} ok\n"), "nothing"),
        "between-and-below": (mail(as_written, wrote + inserted + "\n{3} spam\n"), "1 ok; 2 spam"),
        "above-and-between": (mail(as_written, "{5} ok\n\n" + wrote + inserted), "5 ok"),
        "below-only": (mail(as_written, wrote + quoted(DIGEST) + "\nall ok\n{3} spam\n"), "nothing"),
        "empty": (mail(outlook_web, ""), "nothing"),
        "only-a-signature": (mail(gmail_web, "-- \nAna Reviewer\nOffice of the Mayor"), "nothing"),
        "bare-ok": (mail(iphone, "Ok"), "nothing"),
        "bare-yes": (mail(gmail_android, "Yes please"), "nothing"),
        "all-spam": (mail(gmail_web, "all spam"), "nothing"),
        "contradiction": (mail(gmail_web, "{7} ok\n{7} spam\n{6} ok"), "6 ok"),
        "mistyped-code": (mail(gmail_web, "8N ok\n{6} ok"), "6 ok"),
        "question": (mail(gmail_web, "Is {7} spam?\n{6} ok?"), "nothing"),
        "mailto-body-lost": (mail(lambda _: ({}, part("plain", "")), "", Subject=coded("{7} ok"), without=threads), "7 ok"),
        "mailto-escaped": (mail(mailto, "{7}%20ok%0D%0A%0D%0A" + TOKEN), "7 ok"),
        "mailto-plus": (mail(mailto, "{7}+heat+urgent"), "7 route heat high"),
        "mailto-outlook": (mail(outlook_desktop, "{7} ok<mailto:" + REPLY_TO + "?subject=7N%20ok&body=7N%20ok>"), "7 ok"),
        "safelink": (mail(outlook_web, "{7} ok <https://nam02.safelinks.protection.outlook.com/?url=mailto%3Ax&data=05>"), "7 ok"),
        "bullets": (mail(apple_mail, "\u2022 {7} ok\n\u2022 {6} Spam"), "6 spam; 7 ok"),
        "non-breaking": (mail(iphone, "{7}\u00a0OK\n{6}\u00a0\u2014\u00a0Close:\u00a0\u201cdone\u201d"), '6 close ("done"); 7 ok'),
        "signature-below": (mail(gmail_web, "{7} ok\n\nBest regards,\nAna\n{6} spam"), "7 ok"),
        "forwarded-to-us-by-reviewer": (mail(lambda text: ({}, part("plain", forwarded)), "", Subject=f"Fwd: {SUBJECT}"), "nothing"),
        "forwarded-by-colleague": (
            mail(lambda text: ({}, part("plain", f"{text}\n\n{forwarded}")), "all ok", Subject=f"Fwd: {SUBJECT}", **colleague),
            "refused, told to ana@example.gov",
        ),
        "attached-by-colleague": (mail(attached, "please do {7} ok", **(colleague | plain)), "refused, told to ana@example.gov"),
        "answered-by-colleague": (mail(gmail_web, "{7} ok", **colleague), "refused, told to ana@example.gov"),
    }  # fmt: skip


AWAY: Final = {
    "english": ("Automatic reply: 7 letters wait", "I am out of the office until Monday. For urgent matters, write to Bo."),
    "french": ("Réponse automatique : 7 letters wait", "Je suis absente jusqu'à lundi. Merci."),
    "spanish": ("Respuesta automática: 7 letters wait", "Estoy fuera de la oficina hasta el lunes. Gracias."),
    "german": ("Automatische Antwort: 7 letters wait", "Ich bin bis Montag nicht im Büro."),
    "italian": ("Risposta automatica: 7 letters wait", "Sono fuori ufficio fino a lunedì."),
    "portuguese": ("Resposta automática: 7 letters wait", "Estou fora do escritório até segunda-feira."),
    "chinese": ("自动回复: 7 letters wait", "我不在办公室，星期一回来。"),
    "russian": ("Автоответ: 7 letters wait", "Меня нет в офисе до понедельника."),
    "polish": ("Automatyczna odpowiedź: 7 letters wait", "Jestem poza biurem do poniedziałku."),
    "korean": ("자동 응답: 7 letters wait", "월요일까지 부재중입니다."),
}
_MARKED: Final[tuple[dict[str, str], ...]] = (
    {"Auto-Submitted": "auto-replied"},
    {"Auto-Submitted": "auto-generated (vacation)", "X-Auto-Response-Suppress": "All"},
    {"X-Autoreply": "yes"},
    {"Precedence": "auto_reply"},
    {"Return-Path": "<>"},
)


def _machines() -> dict[str, tuple[bytes, str]]:
    found: dict[str, tuple[bytes, str]] = {}
    for number, (language, (subject, text)) in enumerate(AWAY.items()):
        marked = {name.replace("-", "_"): value for name, value in _MARKED[number % len(_MARKED)].items()}
        encoded = f"=?utf-8?b?{base64.b64encode(subject.encode()).decode()}?="
        whole = f"{text}\n\n{DIGEST}"  # some quote the whole mail, unmarked
        found[f"away-{language}"] = (
            mail(lambda _, body=whole: (REPLIED, part("plain", body)), "", Subject=encoded, **marked),
            "no answer",
        )
        unmarked = mail(lambda _, body=whole: (REPLIED, part("plain", body)), "", Subject=encoded)
        found[f"away-unmarked-{language}"] = (unmarked, "nothing")
    return found


def main() -> None:
    """Write all files and the table."""
    for old in HERE.glob("*.eml"):
        old.unlink()
    made = cases()
    for name, (octets, _) in made.items():
        (HERE / f"{name}.eml").write_bytes(octets)
    table = "".join(f"{name}\t{effect}\n" for name, (_, effect) in sorted(made.items()))
    (HERE / "expected.txt").write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()
