# ruff: noqa: E501  (what mail programs write is not folded)
"""Writes answers to one digest as mail programs write them: `python -m tests.answers.make` fills this folder anew.

Each case is one file, and one line of `expected.txt`; the mail programs stand in clients.py.
"""

import base64
from pathlib import Path
from typing import Final

from tests.answers.clients import (
    BLOCK,
    CLIENTS,
    DIGEST,
    DIGEST_HTML,
    NUMBER,
    OUR_ID,
    REPLIED,
    REPLY_TO,
    REVIEWER,
    SUBJECT,
    TOKEN,
    Mail,
    apple_mail,
    coded,
    gmail_android,
    gmail_french,
    gmail_spanish,
    gmail_web,
    iphone,
    mail,
    mailto,
    outlook_desktop,
    outlook_html_only,
    outlook_web,
    part,
    quoted,
    samsung,
    thunderbird,
)  # fmt: skip
from triaged.review.code import code

HERE: Final = Path(__file__).parent

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
    return found | _odd() | _habits() | _machines()


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


def _habits() -> dict[str, tuple[bytes, str]]:
    """What keyboards, gateways and people's habits make of an answer."""
    all_ok = "1 ok; 2 ok; 3 ok; 4 ok; 5 ok; 6 ok; 7 ok"
    banner = "CAUTION: This email originated from outside of the organization. Do not click links.\n\n"
    footer = "\n\n" + "_" * 40 + "\nCONFIDENTIALITY NOTICE: This message may contain 3 things that are privileged.\n"
    rows = DIGEST_HTML.rpartition(f"{code(2, NUMBER)}</b>")
    first_card, row, second_card = rows[0].rpartition('<tr><td style="padding:0 0 12px 0;">')
    own = f'</table></blockquote><div>{coded("{1} spam")}</div><blockquote type="cite"><table>'
    inserted = f'<blockquote type="cite">{first_card}{own}{row}{second_card}{"".join(rows[1:])}</blockquote>'
    wrote = "<div>On Nov 24, 2026, at 8:30 AM, Office of the Mayor &lt;correspondence@example.gov&gt; wrote:</div>"
    reaction = (
        b"--B3\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.b64encode("\U0001f44d Ana reacted via Gmail".encode())
        + b'\r\n--B3\r\nContent-Type: text/vnd.google.email-reaction+json; charset=utf-8\r\n\r\n{"emoji":"\xf0\x9f\x91\x8d","version":1}\r\n--B3--\r\n'
    )

    def signed(text: str) -> Mail:
        body = (
            b"--B4\r\n"
            + part("plain", text)
            + b"\r\n--B4\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\nMIAG\r\n--B4--\r\n"
        )
        return REPLIED, b'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary="B4"\r\n\r\n' + body

    def word(text: str) -> Mail:
        """Outlook for Windows, whose Word turns lines into a list."""
        lines = "".join(
            f'<p class="MsoListParagraph"><span style="mso-list:Ignore">{number}.<span>&nbsp;&nbsp; </span></span>{line}</p>'
            for number, line in enumerate(text.split("\n"), 1)
        )
        return REPLIED, part(
            "html",
            f'<html><body>{lines}<div style="border-top:solid #E1E1E1 1.0pt"><p class="MsoNormal">{BLOCK.replace(chr(10), "<br>")}</p></div>{DIGEST_HTML}</body></html>',
        )

    return {
        "banner-above": (mail(gmail_web, f"{banner}{{7}} ok"), "7 ok"),
        "footer-below": (mail(outlook_web, "{7} ok" + footer), "7 ok"),
        "reaction-gmail": (mail(lambda _: (REPLIED, b'Content-Type: multipart/alternative; boundary="B3"\r\n\r\n' + reaction), ""), "nothing"),
        "signed-smime": (mail(signed, "{7} ok\n{6} parks"), "6 route parks; 7 ok"),
        "word-list": (mail(word, "{7} ok\n{6} spam"), "6 spam; 7 ok"),
        "full-width": (mail(iphone, "\uff17\uff2d".replace("\uff2d", chr(ord(coded("{7}")[1]) + 0xFEE0)) + " ok"), "7 ok"),
        "small-code": (mail(gmail_android, coded("{7}").lower() + " Ok."), "7 ok"),
        "code-torn": (mail(iphone, f'{coded("{7}")[0]} {coded("{7}")[1]} Ok'), "7 ok"),
        "dictated-dots": (mail(iphone, "{7}\u2026 ok\n{6}\u202fclose \u2014 called her"), "6 close (called her); 7 ok"),
        "double-blanks": (mail(samsung, "{7}  Ok .  "), "7 ok"),
        "em-dash-range": (mail(apple_mail, "{2}\u2014{4} spam"), "2 spam; 3 spam; 4 spam"),
        "two-in-a-line": (mail(gmail_web, "{1} ok, {2} spam; {3} parks urgent"), "1 ok; 2 spam; 3 route parks high"),
        "all-but": (mail(outlook_desktop, "All OK except {2} and {3}."), "1 ok; 4 ok; 5 ok; 6 ok; 7 ok"),
        "all-french": (mail(gmail_french, "Tout est ok, merci !"), all_ok),
        "all-spanish": (mail(gmail_spanish, "Todo ok, gracias"), all_ok),
        "all-but-french": (mail(gmail_french, "tout ok sauf {1}"), all_ok.replace("1 ok; ", "")),
        "all-but-spanish": (mail(gmail_spanish, "todo ok menos {1} y {2}"), all_ok.replace("1 ok; 2 ok; ", "")),
        "undo-french": (mail(gmail_french, "Annuler"), "undo"),
        "undo-spanish": (mail(gmail_spanish, "Deshacer, por favor"), "undo"),
        "route-french": (mail(gmail_french, "{3} vers parks, urgent s\u2019il vous plaît"), "3 route parks high"),
        "route-spanish": (mail(gmail_spanish, "{3} enviar a parks, no urgente"), "3 route parks low"),
        "close-spanish": (mail(gmail_spanish, "{3} cerrar: llamé a la señora"), "3 close (llamé a la señora)"),
        "show-french": (mail(gmail_french, "montrer {3}"), "3 show"),
        "negated-french": (mail(gmail_french, "{3} pas d'accord"), "nothing"),
        "negated-spanish": (mail(gmail_spanish, "{3} no es spam"), "nothing"),
        "between-gmail": (mail(gmail_between, ""), "1 spam"),
        "between-apple": (mail(lambda _: (REPLIED, part("html", f"<html><body>{wrote}{inserted}</body></html>")), ""), "1 spam"),
        "spot-check": (mail(gmail_web, "{8} trees"), "8 route trees"),
        "other-digests-code": (mail(gmail_web, code(7, NUMBER + 1) + " ok"), "nothing"),
    }  # fmt: skip


def gmail_between(text: str) -> Mail:
    """Gmail's plain text, answered between the lines."""
    del text
    lines = quoted(DIGEST).split("\n")
    at = next(number for number, line in enumerate(lines) if line.startswith(f"> {code(2, NUMBER)}"))
    lines.insert(at, coded("\n{1} spam\n"))
    head = "On Tue, Nov 24, 2026 at 8:30 AM Office of the Mayor <\ncorrespondence@example.gov> wrote:\n\n"
    return REPLIED, part("plain", head + "\n".join(lines))


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
