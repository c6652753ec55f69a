"""Web-form mails (`key: value` lines) and mails tagged the IQ way (`<APP>…</APP>`): fields in order, the writer, the letter.

A form is told by its structure alone; whether its sender may speak for the writer, the screening decides.
"""

import re
from html import unescape
from typing import Final

from triaged.ingest.headers import addresses, one_line
from triaged.message import Address, Message

Fields = tuple[tuple[str, str], ...]

_FIELDS: Final = 200
_TEXT: Final = 200_000
_KEY: Final = re.compile(r"[*_\s]{0,4}([^\W\d_][^\n:：\t=]{0,48}?)[*_ ]{0,3}(?:[:：](?!//)|\t)[*_]{0,2}[ \t]*(.*)")
_TAG: Final = re.compile(r"<([A-Z][A-Z0-9_]{0,30})>")
_APP: Final = re.compile(r"<APP>([^<\n]{0,60})")
_KEY_WORDS: Final = 7
_FEWEST: Final = 3  # different keys make a form

# Keys as they stand in forms, lower case, in English, French and Spanish, and the IQ tags.
_NAME: Final = frozenset(
    {"name", "full name", "your name", "nom", "nom complet", "votre nom", "nombre", "nombre completo", "su nombre"}
)
_FIRST: Final = frozenset({"first", "first name", "prénom", "prenom", "nombre de pila", "primer nombre", "given name"})
_LAST: Final = frozenset({"last", "last name", "surname", "family name", "nom de famille", "apellido", "apellidos"})
_EMAIL: Final = frozenset(
    {"email", "e-mail", "email address", "e-mail address", "your email", "your e-mail", "from email", "mail", "courriel"}
    | {"adresse courriel", "adresse e-mail", "adresse électronique", "adresse email", "votre courriel", "votre e-mail"}
    | {"correo", "correo electrónico", "correo electronico", "dirección de correo", "su correo electrónico"}
)
_SUBJECT: Final = frozenset(
    {"subject", "topic", "issue", "category", "type of request", "request type", "service", "reason", "regarding", "concern"}
    | {
        "objet",
        "sujet",
        "catégorie",
        "thème",
        "asunto",
        "tema",
        "categoría",
        "motivo",
        "servicio",
        "issue area",
        "service request",
    }
)
_LETTER: Final = frozenset(
    {
        "message",
        "your message",
        "msg",
        "comment",
        "comments",
        "your comments",
        "description",
        "details",
        "question",
        "questions",
    }
    | {"problem", "body", "inquiry", "enquiry", "request", "how can we help", "how can we help you", "feedback", "complaint"}
    | {"description of problem", "describe the problem", "additional details", "additional information", "notes", "text"}
    | {
        "commentaire",
        "commentaires",
        "votre message",
        "détails",
        "demande",
        "problème",
        "description du problème",
        "précisions",
    }
    | {
        "mensaje",
        "su mensaje",
        "comentario",
        "comentarios",
        "descripción",
        "detalles",
        "pregunta",
        "problema",
        "consulta",
        "solicitud",
    }
    | {"what happened", "your question", "opinion", "texto", "letter", "lettre", "carta"}
)
_ABOUT_THE_WRITER: Final = frozenset(
    {
        "phone",
        "telephone",
        "phone number",
        "cell",
        "mobile",
        "address",
        "street address",
        "addr1",
        "addr2",
        "city",
        "state",
        "zip",
    }
    | {
        "zip code",
        "postal code",
        "prefix",
        "title",
        "suffix",
        "middle",
        "middle name",
        "date",
        "time",
        "submitted",
        "ip",
        "rsp",
    }
    | {
        "téléphone",
        "adresse",
        "adresse postale",
        "ville",
        "code postal",
        "province",
        "teléfono",
        "dirección",
        "ciudad",
        "fecha",
    }
    | {
        "código postal",
        "phone_h",
        "phone_b",
        "phone_c",
        "app",
        "ip address",
        "submitted on",
        "date submitted",
        "language",
        "langue",
    }
    | {"idioma", "borough", "apt", "apartment", "unit", "country", "pays", "país", "salutation", "organization", "consent"}
)
_KNOWN: Final = _NAME | _FIRST | _LAST | _EMAIL | _SUBJECT | _LETTER | _ABOUT_THE_WRITER
_INTRODUCTION: Final = re.compile(
    r"\bforms?\b|submi|submission|website|web site|formul|sitio web|site web|envoyé par|received from", re.I
)
_HEADER_NAMES: Final = frozenset(
    {"from", "sent", "to", "cc", "bcc", "subject", "date", "reply-to", "attachments", "importance"}
)


def fields(text: str) -> Fields:
    """Return the fields of a form mail in order; empty for any other text."""
    text = text[:_TEXT]
    return _tagged(text) if _APP.search(text) else _keyed(text)


def letter(form: Fields) -> str:
    """Return what the writer of a form says: its free text below its subject, else all that is not about the writer."""
    free = [value for key, value in form if _is_free(key) and value]
    if not free:
        longest = max((value for key, value in form if _plain(key) not in _KNOWN), key=len, default="")
        free = [longest] if len(longest) >= 40 else []
    if not free:
        told = ((key, value) for key, value in form if _plain(key) not in _NAME | _FIRST | _LAST | _EMAIL | _ABOUT_THE_WRITER)
        return "\n".join(f"{key}: {value}" for key, value in told if value)
    about = [value for key, value in form if _plain(key) in _SUBJECT and value and value not in free]
    return "\n\n".join(about + free)


def writer_of_form(message: Message) -> Address | None:
    """Return whom a form's fields name as the writer; None when they name no address."""
    named: dict[str, str] = {}
    for key, value in message.form:
        plain = _plain(key)
        for role, keys in (("email", _EMAIL), ("name", _NAME), ("first", _FIRST), ("last", _LAST)):
            if plain in keys and value:
                named.setdefault(role, one_line(value))
    found = addresses(named.get("email", ""), lambda _: None)
    if not found:
        return None
    name = named.get("name") or f"{named.get('first', '')} {named.get('last', '')}".strip()
    return Address(name or found[0].name, found[0].address)


def _plain(key: str) -> str:
    return " ".join(key.casefold().strip(" *:?_-.").split())


def _keyed(text: str) -> Fields:
    found: list[tuple[str, list[str]]] = []
    before: list[str] = []
    after_blank = False
    for line in text.split("\n"):
        match = _KEY.fullmatch(line)
        key = one_line(match[1]) if match else ""
        if match and len(key.split()) <= _KEY_WORDS and not (found and _in_free_text(found[-1][0], key)):
            found.append((key, [match[2].strip()]))
            if len(found) > _FIELDS:
                return ()
        elif not found:
            before.append(line)
        elif line.strip() and after_blank and any(found[-1][1]) and not _is_free(found[-1][0]):
            found.append(("", [line.strip()]))  # the letter itself, without a key
        else:
            found[-1][1].append(line.strip())
        after_blank = not line.strip()
    form = tuple((key, "\n".join(values).strip()) for key, values in found)
    return form if _is_form(form, " ".join(before)) else ()


def _is_free(key: str) -> bool:
    return not key or _plain(key) in _LETTER


def _in_free_text(last: str, key: str) -> bool:
    """Tell whether a line with a colon belongs to the free text that has begun: only a known key ends it."""
    return _is_free(last) and _plain(key) not in _KNOWN


def _is_form(form: Fields, before: str) -> bool:
    """Tell a form from a letter that ends with the writer's address and telephone, and from forwarded header lines."""
    keys = [_plain(key) for key, _ in form if key]
    if len(set(keys)) < _FEWEST or set(keys) <= _HEADER_NAMES or (before.strip() and not _begins_form(before)):
        return False
    filled = {_plain(key) for key, value in form if _plain(key) in _KNOWN and any(letter.isalnum() for letter in value)}
    named = bool(filled & (_NAME | _FIRST)) and any(_plain(key) in _EMAIL and "@" in value for key, value in form)
    return named or (len(filled) >= _FEWEST and len(filled) * 2 >= len(set(keys)))


def _begins_form(before: str) -> bool:
    return len(before) <= 400 and _INTRODUCTION.search(before) is not None


def _tagged(text: str) -> Fields:
    """Read `<FIRST>Marie</FIRST>` tags; a value may hold unescaped "<" and "&", since senders differ."""
    found: list[tuple[str, str]] = []
    never_closed: set[str] = set()
    position = 0
    while len(found) < _FIELDS and len(never_closed) < _FIELDS and (opening := _TAG.search(text, position)):
        name = opening[1]
        if name == "APP":
            application = _APP.match(text, opening.start())
            found.append((name, application[1].strip() if application else ""))
            position = application.end() if application else opening.end()
            continue
        end = -1 if name in never_closed else text.find(f"</{name}>", opening.end())
        if end < 0:
            never_closed.add(name)
            position = opening.end()
            continue
        found.append((name, unescape(text[opening.end() : end]).strip()))
        position = end + len(name) + 3
    return tuple(found) if len({name for name, _ in found}) >= _FEWEST else ()
