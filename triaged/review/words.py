"""The words of an answer, in English, French and Spanish at once: people answer in the language they think in."""

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from typing import Final
from urllib.parse import unquote

from triaged.message import Urgency


class Verb(StrEnum):
    """What a person may say of an item."""

    OK = "ok"  # as proposed
    ROUTE = "route"  # to the topic or departments named
    CLOSE = "close"
    SPAM = "spam"
    SHOW = "show"
    UNDO = "undo"


# Accents and capitals do not matter; the longest phrase that fits counts.
_VERBS: Final[Mapping[Verb, str]] = {
    Verb.OK: """ok|okay|okey|yes|yep|agreed|agree|approve|approved|confirm|confirmed|correct|right|good|fine|looks good
        |as proposed|oui|d'accord|daccord|d accord|dac|accord|exact|valide|valider|approuve|approuver|confirme|confirmer
        |comme propose|bon|c'est bon|si|vale|de acuerdo|correcto|conforme|aprobado|aprobar|confirmado|confirmar|como propuesto
        |esta bien|bien|👍|✅|✔""",
    Verb.CLOSE: """close|closed|close it|done|resolved|no action|fermer|ferme|fermee|fermez|clore|clos|close le|classer|classe
        |classez|cloturer|cloture|regle|cerrar|cerrado|cerrada|cierra|cierre|cerrarlo|archivar|resuelto""",
    Verb.SPAM: """spam|junk|not a letter|indesirable|pourriel|courrier indesirable|publicite|basura|correo basura|no deseado
        |correo no deseado|publicidad""",
    Verb.SHOW: """show|show me|see|view|read|full text|montrer|montre|montrez|afficher|affiche|voir|lire|texte complet|mostrar
        |muestra|muestrame|ver|leer|texto completo""",
    Verb.UNDO: "undo|annuler|annule|annulez|annuler tout|undo all|deshacer|deshaz|anular|anula|deshacer todo|anular todo",
}
_URGENCY: Final[Mapping[Urgency, str]] = {
    Urgency.CRITICAL: "critical|critique|critico|critica|emergency|urgence|emergencia",
    Urgency.HIGH: "high|urgent|urgently|haute|haut|eleve|elevee|urgente|alta|alto|prioritaire|prioritario",
    Urgency.NORMAL: "normal|normale",
    Urgency.LOW: "low|not urgent|basse|bas|faible|pas urgent|baja|bajo|no urgente",
}
# Words that say nothing by themselves. Never one that turns a meaning round.
_FILLERS: Final = """to|for|the|it|is|this|that|a|au|aux|vers|pour|le|la|les|c'est|est|ce|para|al|el|es|en|please|pls|plz|svp
    |stp|s'il vous plait|s'il te plait|por favor|porfa|route|send|forward|goes|go|assign|envoyer|envoyez|transmettre|transmettez
    |enviar|envie|mandar|pasar|topic|department|dept|sujet|tema|departamento|departement|service|thanks|thank you|thx|merci
    |gracias|many thanks|merci beaucoup|muchas gracias|->|=>|→|>"""
_ALL: Final = "all|everything|every one|all of them|tout|tous|toutes|tout est|tous sont|todo|todos|todas|todo esta"
_EXCEPT: Final = "except|except for|but|but not|without|sauf|excepte|hormis|excepto|menos|salvo"
_AND: Final = "and|et|y|e|plus|&|+|/"
_THROUGH: Final = "to|through|thru|until|a|jusqu'a|hasta|al|-|..|..."
_COURTESY: Final = """hi|hello|hey|dear|good morning|good afternoon|good evening|morning|thanks|thank you|thx|many thanks|cheers
    |best|best regards|regards|kind regards|sincerely|see below|my answers|answers|here you go|as follows|bonjour|bonsoir|salut
    |cher|chere|merci|cordialement|bien a vous|voici|voici mes reponses|hola|buenos dias|buenas tardes|estimado|estimada|gracias
    |muchas gracias|saludos|un saludo|atentamente|aqui van|mis respuestas"""

_DASHES: Final = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d\u2043]")
_SINGLE: Final = re.compile("[\u2018\u2019\u201a\u201b\u2032\u02bc`´]")
_DOUBLE: Final = re.compile("[\u201c\u201d\u201e\u201f«»]")
_INVISIBLE: Final = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad\ufe0f]")
_LINK: Final = re.compile(r"[<(\[]\s?(?:mailto:|https?://|tel:|cid:)[^<>()\[\]]{0,4000}[>)\]]", re.IGNORECASE)
_ESCAPED: Final = re.compile(r"%(?:20|0[AaDd]|2[0-9A-Fa-f]|3[A-Fa-f]|C[23])")
_BULLET: Final = re.compile(r"^(?:[-*•·▪◦‣]\s+|\d{1,2}[.)]\s+(?=\d))")
_SPACES: Final = re.compile(r"\s+")
LONGEST_LINE: Final = 400


def tidy(line: str) -> list[str]:
    """Return a line as its writer meant it: what keyboards and mail programs make of quotes, dashes, blanks and links undone.

    Usually one line; several where a mail program left the line breaks of a `mailto:` link escaped.
    """
    line = _LINK.sub(" ", line[: 4 * LONGEST_LINE])
    if _ESCAPED.search(line):
        line = unquote(line)
    lines = [_one(part) for part in re.split(r"[\r\n]+", line)]
    return [part for part in lines if part]


def _one(line: str) -> str:
    line = _INVISIBLE.sub("", unicodedata.normalize("NFKC", line))
    line = _DOUBLE.sub('"', _SINGLE.sub("'", _DASHES.sub("-", line)))
    line = _SPACES.sub(" ", line).strip()
    if "+" in line and " " not in line:  # form encoding instead of RFC 6068's
        line = line.replace("+", " ")
    return _BULLET.sub("", line.strip("*_ "), count=1).strip("*_ ")


def fold(text: str) -> str:
    """Return a text for comparison: small letters without accents."""
    apart = unicodedata.normalize("NFD", text.casefold())
    return "".join(letter for letter in apart if unicodedata.category(letter) != "Mn")


def _phrases(table: str) -> frozenset[str]:
    return frozenset(" ".join(phrase.split()) for phrase in table.split("|"))


VERBS: Final[Mapping[str, Verb]] = {phrase: verb for verb, table in _VERBS.items() for phrase in _phrases(table)}
URGENCIES: Final[Mapping[str, Urgency]] = {phrase: urgency for urgency, table in _URGENCY.items() for phrase in _phrases(table)}
FILLERS: Final = _phrases(_FILLERS)
ALL: Final = _phrases(_ALL)
EXCEPT: Final = _phrases(_EXCEPT)
AND: Final = _phrases(_AND)
THROUGH: Final = _phrases(_THROUGH)
COURTESY: Final = _phrases(_COURTESY)
