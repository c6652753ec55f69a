import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ingest.letters import message
from triaged.ingest.mail_words import languages
from triaged.ingest.reply import KEPT_WHOLE, LINES, PASSED_ON, split

# As today's mail programs write it: Gmail, Apple Mail, Outlook for telephones, Thunderbird, Mail.ru, QQ, 163.
ATTRIBUTIONS = [
    ("en", "On Mon, Nov 23, 2026 at 2:03 PM John Doe <j@example.org> wrote:"),
    ("en", "On 23/11/2026 14:03, John Doe wrote:"),
    ("en", "On Mon, Nov 23, 2026 at 2:03 PM John Doe\n<j@example.org> wrote:"),
    ("es", "El lun, 23 nov 2026 a las 14:03, Juan Pérez (<j@example.org>) escribió:"),
    ("es", "El 23/11/26 a las 14:03, Juan escribió:"),
    ("fr", "Le lun. 23 nov. 2026 à 14:03, Jean <j@example.org> a écrit :"),
    ("fr", "Le 23/11/2026 à 14:03, Jean a écrit :"),
    ("fr-CA", "Le lundi 23 novembre 2026 à 14 h 03 HNE, Jean <j@example.org> a écrit :"),
    ("zh-Hans", "张三 <a@example.cn> 于2026年11月23日周一 14:03写道："),
    ("zh-Hans", "在 2026年11月23日，14:03，张三 <a@example.cn> 写道："),
    ("zh-Hans", '在 2026-11-23 14:03:00，"张三" <a@example.cn> 写道：'),
    ("zh-Hant", "王小明 <a@example.tw> 於 2026年11月23日 週一 下午2:03寫道："),
    ("ru", "пн, 23 нояб. 2026 г. в 14:03, Иван <i@example.ru>:"),
    ("ru", "23.11.2026 14:03, Иван пишет:"),
    ("ru", "Понедельник, 23 ноября 2026, 14:03 +03:00 от Иван <i@example.ru>:"),
    ("bn", "সোম, ২৩ নভেম্বর, ২০২৬ তারিখে ২:০৩ PM টায়, করিম <k@example.org> লিখেছেন:"),
    ("ht", "Nan dat 23 novanm 2026 a 14:03, Jan <j@example.org> te ekri:"),
    ("ko", "2026년 11월 23일 (월) 오후 2:03, 홍길동 <a@example.kr>님이 작성:"),
    ("ar", "في الاثنين، 23 نوفمبر 2026 في 2:03 م كتب أحمد <a@example.eg>:"),
    ("ar", "في الاثنين، ٢٣ نوفمبر ٢٠٢٦ في ٢:٠٣ م تمت كتابة ما يلي بواسطة أحمد <a@example.eg>:"),
    ("ur", "پیر، 23 نومبر 2026 کو 2:03 PM پر احمد <a@example.pk> نے لکھا:"),
    ("pl", "pon., 23 lis 2026 o 14:03 Jan <j@example.pl> napisał(a):"),
    ("pl", "W dniu 23.11.2026 o 14:03, Jan pisze:"),
    ("de", "Am Mo., 23. Nov. 2026 um 14:03 Uhr schrieb Hans <h@example.de>:"),
    ("it", "Il giorno lun 23 nov 2026 alle ore 14:03 Mario <m@example.it> ha scritto:"),
    ("nl", "Op ma 23 nov 2026 om 14:03 schreef Jan <j@example.nl>:"),
    ("sv", "Den mån 23 nov. 2026 kl 14:03 skrev Sven <s@example.se>:"),
    ("cs", "po 23. 11. 2026 v 14:03 odesílatel Jan <j@example.cz> napsal:"),
    ("ja", "2026年11月23日(月) 14:03 太郎 <t@example.jp>:"),
]

HEADER_BLOCKS = [
    ("en", "From: Ana <a@example.org>\nSent: Monday, November 23, 2026 2:03 PM\nTo: Office\nSubject: Heat"),
    ("en", "*From:* Ana <a@example.org>\n*Date:* Mon, 23 Nov 2026\n*To:* Office\n*Subject:* Heat"),
    ("es", "De: Ana <a@example.org>\nEnviado el: lunes, 23 de noviembre de 2026 14:03\nPara: Oficina\nAsunto: Calefacción"),
    ("fr", "De : Ana <a@example.org>\nEnvoyé : lundi 23 novembre 2026 14:03\nÀ : Bureau\nObjet : Chauffage"),
    ("zh-Hans", "发件人: 张三\n发送时间: 2026年11月23日 14:03\n收件人: 办公室\n主题: 暖气"),
    ("zh-Hant", "寄件者: 王小明\n寄件日期: 2026年11月23日 14:03\n收件者: 辦公室\n主旨: 暖氣"),
    ("ru", "От: Иван\nОтправлено: 23 ноября 2026 г. 14:03\nКому: Офис\nТема: Отопление"),
    ("bn", "প্রেরক: করিম\nতারিখ: ২৩ নভেম্বর ২০২৬\nপ্রতি: অফিস\nবিষয়: তাপ"),
    ("ht", "De: Jan\nVoye: lendi 23 novanm 2026\nPou: Biwo\nSijè: Chofaj"),
    ("ko", "보낸 사람: 홍길동\n보낸 날짜: 2026년 11월 23일\n받는 사람: 사무실\n제목: 난방"),
    ("ar", "من: أحمد\nتاريخ الإرسال: 23 نوفمبر 2026\nإلى: المكتب\nالموضوع: التدفئة"),
    ("ur", "منجانب: احمد\nبھیجا گیا: 23 نومبر 2026\nبنام: دفتر\nموضوع: ہیٹنگ"),
    ("pl", "Od: Jan\nWysłano: 23 listopada 2026 14:03\nDo: Biuro\nTemat: Ogrzewanie"),
    ("de", "Von: Hans\nGesendet: Montag, 23. November 2026 14:03\nAn: Büro\nBetreff: Heizung"),
]


@pytest.mark.parametrize(("language", "line"), ATTRIBUTIONS)
def test_a_quotation_with_marks_is_told_from_the_answer_above_it(language: str, line: str) -> None:
    said = split(f"Still no heat.\n\n{line}\n> old words\n> more old words\n")
    assert said.text == "Still no heat.", language
    assert said.quoted.splitlines() == [*line.splitlines(), "> old words", "> more old words"]


@pytest.mark.parametrize(("language", "line"), ATTRIBUTIONS)
def test_a_quotation_without_marks_is_older_to_its_end(language: str, line: str) -> None:
    said = split(f"Still no heat.\n\n{line}\n\nold words\n\nmore old words\n")
    assert said.text == "Still no heat.", language
    assert said.quoted.endswith("more old words")


@pytest.mark.parametrize(("language", "block"), HEADER_BLOCKS)
def test_header_lines_begin_an_older_mail(language: str, block: str) -> None:
    said = split(f"Still no heat.\n\n{block}\n\nold words\n")
    assert (said.text, said.note) == ("Still no heat.", ""), language
    assert said.quoted.startswith(block.splitlines()[0])


@pytest.mark.parametrize(("language", "block"), HEADER_BLOCKS)
def test_a_mail_that_is_passed_on_without_a_word_is_the_text(language: str, block: str) -> None:
    said = split(f"{block}\n\nThe marshal comes on Friday.\n", forwarding=True)
    assert (said.text, said.note) == ("The marshal comes on Friday.", PASSED_ON), language


@pytest.mark.parametrize(
    ("language", "phrase"), [(language, phrase) for language, row in languages().items() for phrase in row.get("forwarded", ())]
)
@pytest.mark.parametrize("mark", ["---------- {} ---------", "-------- {} --------", "{}:"])
def test_every_mark_of_a_forwarded_mail_is_known(language: str, phrase: str, mark: str) -> None:
    said = split(f"{mark.format(phrase.title())}\nFrom: Ana <a@example.org>\nDate: Monday\n\nThe marshal comes on Friday.\n")
    assert (said.text, said.note) == ("The marshal comes on Friday.", PASSED_ON), language


@pytest.mark.parametrize(
    ("language", "phrase"), [(language, phrase) for language, row in languages().items() for phrase in row.get("original", ())]
)
def test_every_mark_of_an_older_mail_is_known(language: str, phrase: str) -> None:
    said = split(f"Still no heat.\n\n-----{phrase}-----\nold words\n")
    assert said.text == "Still no heat.", language


def test_answers_between_quotations_are_all_the_writers() -> None:
    letter = message("reply-answers-between-questions")
    assert [line for line in letter.text.splitlines() if line] == ["22 Oak Street", "Since Monday."]
    assert "What is your address" in letter.quoted


def test_the_line_of_underscores_of_outlook_is_no_signature() -> None:
    said = split("Thank you for calling.\n________________________________\nFrom: A\nSent: Monday\nTo: B\n\nold words")
    assert (said.text, said.quoted.splitlines()[1]) == ("Thank you for calling.", "From: A")


@pytest.mark.parametrize(
    "text",
    [
        "On 3/12/2026 my landlord wrote:\nyou must leave by Friday.\nWhat can I do?",
        "Three things:\n- heat\n- rats\n- noise\n\nPlease act now.",
        "Thank you, last week you helped.\nBut now the boiler is broken again.",
        "Two questions to the office:\nWhen is the hearing?\nWho pays?",
    ],
)
def test_a_letter_that_only_looks_like_a_reply_stays_whole(text: str) -> None:
    assert split(text).text == text


def test_a_memo_with_header_lines_of_its_own_keeps_its_text() -> None:
    said = split("To: The Mayor\nFrom: Ana Lopez\nDate: 23 November\nSubject: Heat\n\nThere is no heat.")
    assert said.text == "There is no heat."


def test_a_text_is_never_left_empty_when_there_was_one() -> None:
    assert split("> all of it\n> is quoted").text == "> all of it\n> is quoted"
    assert split("> all of it\n> is quoted").note == KEPT_WHOLE
    assert split("On 23/11/2026 14:03, John Doe wrote:\n\nold words").text == "old words"
    assert split("-- \nRosa Diaz\n22 Oak Street").text == "-- \nRosa Diaz\n22 Oak Street".replace("-- ", "--")
    assert split("Thank you!").text == "Thank you!"
    assert split("Sent from my iPhone").text == "Sent from my iPhone"


def test_a_letter_of_its_own_above_a_forwarded_mail_is_the_text() -> None:
    mark = "---------- Forwarded message ---------\nFrom: Ana <a@example.org>\nDate: Monday"
    own = "The tenant below was in our office twice this month, and each time she was sent away. " * 6
    said = split(f"{own}\n\n{mark}\n\nold words", forwarding=True)
    assert (said.text, said.note) == (own.rstrip(), "")
    assert said.quoted.endswith("old words")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("forwarded-as-attachment-with-fyi", "FYI, see below.\n\nThe marshal comes on Friday. Please help."),
        ("forwarded-inline-outlook-french", "Pour information.\n\nMadame la mairesse,\nje serai expulsée vendredi."),
        ("forwarded-inline-apple", "The marshal comes on Friday.\nPlease help."),
        (
            "forwarded-as-attachment-with-own-words",
            (
                "Please call this constituent today, her phone is 212-555-0100, and tell us what you decide.\n\n"
                "The marshal comes on Friday. Please help."
            ),
        ),
    ],
)
def test_a_forwarded_mail_can_be_classified(name: str, text: str) -> None:
    letter = message(name)
    assert letter.text == text
    assert PASSED_ON in letter.notes


def test_gmails_html_reply_is_split_like_plain_text() -> None:
    letter = message("gmail-reply-in-html")
    assert letter.text == "Still no heat.\n\nRosa"
    assert "> We have your letter." in letter.quoted


def test_lines_that_nobody_writes_count_as_older() -> None:
    said = split("a line\n" * (LINES + 5))
    assert len(said.text.splitlines()) == LINES
    assert len(said.quoted.splitlines()) == 5


LINES_OF_MAILS = """
> quoted
>> deeper
--
Best regards,
Rosa Diaz
Sent from my iPhone
No heat since Monday.
On Mon, Nov 23, 2026 at 2:03 PM A <a@example.org> wrote:
-----Original Message-----
Begin forwarded message:
From: A <a@example.org>
Sent: Monday
To: B
Subject: x
________________________________
FYI
P.S. rats
This e-mail and any attachments are confidential and intended only for the intended recipient.
谢谢
Merci,
"""
LINE = st.one_of(st.sampled_from(["-- ", *LINES_OF_MAILS.split("\n")]), st.text(alphabet="ab:> -", max_size=12))


@given(st.lists(LINE, max_size=25), st.booleans())
def test_no_line_of_a_text_is_lost(lines: list[str], forwarding: bool) -> None:
    said = split("\n".join(lines), forwarding=forwarding)
    kept = {line.strip() for part in (said.text, said.quoted, said.signature) for line in part.split("\n")}
    assert {line.strip() for line in lines} - kept <= {""}
    assert said.text or not any(line.strip() for line in lines)
