import pytest

from tests.unit.ingest.letters import message
from triaged.ingest.mail_words import languages
from triaged.ingest.reply import split

LETTER = "There has been no heat in our building since Monday, and the landlord does not answer."


def signature(text: str) -> str:
    said = split(text)
    assert said.text == LETTER
    return said.signature


@pytest.mark.parametrize("delimiter", ["-- ", "--", "—"])
def test_what_stands_below_the_delimiter_is_signature(delimiter: str) -> None:
    assert signature(f"{LETTER}\n\n{delimiter}\nRosa Diaz\n22 Oak Street").endswith("22 Oak Street")


def test_two_hyphens_that_divide_a_long_letter_are_no_delimiter() -> None:
    text = LETTER + "\n--\n" + "\n".join(f"Also, thing number {number} is broken." for number in range(20))
    assert split(text).text == text


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my iPhone",
        "Get Outlook for iOS <https://aka.ms/o0ukef>",
        "Sent from Yahoo Mail on Android",
        "Sent with Proton Mail secure email.",
        "Enviado desde mi iPhone",
        "Envoyé de mon iPhone",
        "Envoyé à partir de Outlook pour iOS",
        "发自我的 iPhone",
        "從我的 iPhone 傳送",
        "Отправлено с iPhone",
        "আমার iPhone থেকে পাঠানো",
        "Voye soti nan iPhone mwen",
        "나의 iPhone에서 보냄",
        "أُرسلت من الـ iPhone",
        "میرے iPhone سے بھیجا گیا",
        "Wysłano z iPhone'a",
        "Von meinem iPhone gesendet",
    ],
)
def test_a_telephones_line_is_signature(line: str) -> None:
    assert signature(f"{LETTER}\n\n{line}") == line


@pytest.mark.parametrize(
    ("language", "closing"),
    [(language, closing) for language, row in languages().items() for closing in row.get("closings", ())],
)
def test_every_closing_begins_the_signature(language: str, closing: str) -> None:
    assert signature(f"{LETTER}\n\n{closing.capitalize()},\nRosa Diaz\n22 Oak Street, Apt. 4\n212-555-0100").startswith(
        closing.capitalize()
    ), language


def test_a_closing_with_the_name_on_its_line_is_signature() -> None:
    assert signature(f"{LETTER}\n\nThanks, Rosa") == "Thanks, Rosa"


@pytest.mark.parametrize(
    "rest",
    [
        "Thank you\n\nP.S. There are also rats in the basement.",
        "Thanks\n\nWhen will somebody come?",
        "Gracias\n\nTambién hay ratas en el sótano y nadie ha venido a verlas desde la semana pasada.",
    ],
)
def test_words_below_a_closing_stay_in_the_letter(rest: str) -> None:
    assert split(f"{LETTER}\n\n{rest}").text == f"{LETTER}\n\n{rest}"


@pytest.mark.parametrize(
    "notice",
    [
        "CONFIDENTIALITY NOTICE: This is intended only for the one named.\nIf you are not the intended recipient, delete it.",
        "Este mensaje es confidencial. Si lo ha recibido por error, notifique al remitente.",
        "Ce courriel est confidentiel et destiné au seul destinataire. S'il vous parvient par erreur, veuillez le détruire.",
        "Ta wiadomość jest poufna i przeznaczona wyłącznie dla adresata.",
    ],
)
def test_a_notice_about_confidentiality_is_signature(notice: str) -> None:
    assert signature(f"{LETTER}\n\n{notice}") == notice


def test_a_letter_that_asks_for_confidence_is_no_notice() -> None:
    text = f"{LETTER}\n\nThis is confidential, please do not tell my landlord."
    assert split(text).text == text


def test_the_marks_of_a_signed_text_are_taken_off() -> None:
    letter = message("signed-pgp-inline")
    assert letter.text == "The hydrant on Elm leaks."
    assert "Hash: SHA256" in letter.signature
