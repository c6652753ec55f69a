"""The shipped model as an office meets it: letters it has never seen, in all its languages, with the real encoder."""

import json
from collections import defaultdict
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from triaged.classify.assess import assess
from triaged.classify.promise import Promise, Standing
from triaged.classify.topic import TopicModel
from triaged.classify.topicfile import load
from triaged.classify.topics import Text
from triaged.ingest.mime import read

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
SURE = Promise(ceiling=0.02, level=0.95, standing=Standing.KEPT, threshold=0.95, labels=500, missing=0)


@cache
def starter() -> TopicModel:
    return load(ROOT / "models" / "starter")


def test_plain_letters_in_twelve_languages_find_their_topic_at_first_sight() -> None:
    rows = [json.loads(line) for line in (ROOT / "tests" / "starter" / "first_sight.jsonl").read_text().splitlines()]
    right = defaultdict(list)
    for row, opinion in zip(rows, starter().rank([Text("", row["text"]) for row in rows]), strict=True):
        right[row["language"]].append(opinion.ranked[0][0] == row["topic"])
    assert len(right) == 12
    assert sum(map(sum, right.values())) >= 92, {language: sum(found) for language, found in right.items()}  # of 96
    assert min(map(sum, right.values())) >= 6, {language: sum(found) for language, found in right.items()}  # of 8


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        (
            (
                "The street light at 12 Oak Street has been dark for weeks and I nearly fell into the pothole there. "
                "Separately, my mother's home care aide has not come since Monday and nobody at the agency answers."
            ),
            {"city.streets", "services.homecare"},
        ),
        (
            (
                "No tenemos calefacción ni agua caliente desde el lunes, el dueño no contesta. "
                "Además, mi hijo necesita renovar su Medicaid y no sabemos dónde hacerlo."
            ),
            {"city.heat_hotwater", "benefits.medicaid"},
        ),
        (
            (
                "Le bar d'en face met la musique très fort toutes les nuits jusqu'à quatre heures du matin. "
                "Par ailleurs, je voudrais inviter madame la maire à l'inauguration de notre école le 3 mai."
            ),
            {"city.noise", "mayor.invitation"},
        ),
    ],
)
def test_a_letter_with_two_matters_names_both(text: str, topics: set[str]) -> None:
    (opinion,) = starter().predict([Text("", text)])
    assert topics <= {opinion.ranked[0][0], *(topic for topic, _ in opinion.further)}


@pytest.mark.parametrize(
    "text",
    [
        "My dog ran away in Lima, Peru, and the embassy is closed. Could you call the hotel for me?",
        "A meteorite has landed in our pond and glows blue. Whom do I tell?",
        "The robots that deliver parcels on our street have begun to follow people home. What does the city do about it?",
        "What is the best recipe for lentil soup? My aunt says with cumin.",
        "Since the data centre opened, every compass in the neighbourhood points to it and pigeons fly in circles.",
        "A cruise ship's passengers are stuck in the harbour because the gangway is under water.",
        "The new drone corridor passes eight metres above our roof and my hives have emptied.",
        "My grandmother's cryptocurrency exchange has frozen her wallet and the call centre is in Malta.",
        "Das Finanzamt Köln hat meinen Steuerbescheid für 2025 immer noch nicht geschickt.",
        "Mi equipo de fútbol en Sevilla necesita un entrenador para la próxima temporada.",
        "Le volcan près de chez ma sœur aux Antilles crache des cendres, faut-il un masque ?",
    ],
)
def test_what_nobody_taught_goes_to_people(text: str) -> None:
    (opinion,) = starter().promised([SURE, SURE]).predict([Text("", text)])
    assert not opinion.accepted, opinion
    assert opinion.why


def test_a_known_matter_goes_by_itself_where_the_promise_is_proven() -> None:
    text = "Our building has had no heat and no hot water since Friday. The boiler is broken and the landlord does not answer."
    (opinion,) = starter().promised([SURE, SURE]).predict([Text("No heat", text)])
    assert opinion.accepted, opinion


def test_what_a_long_letter_says_now_counts_not_its_quotes_and_footers() -> None:
    """The new words are two lines about a pothole; below stand an older mail on food stamps, a signature and a disclaimer."""
    quoted = "\n".join(f"> My food stamps were stopped in month {month} and nobody answers about SNAP." for month in range(40))
    footer = "This e-mail is confidential and may be privileged. If you are not the intended recipient, delete it. " * 8
    octets = (
        "From: A Writer <a.writer@example.org>\r\nTo: mayor@example.gov\r\nSubject: Re: your answer\r\n"
        "Message-ID: <1@example.org>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        "Thank you. Now there is a deep pothole in front of 12 Oak Street, a car lost its wheel in it.\r\n\r\n"
        f"On Mon, 16 Nov 2026 at 09:12, Somebody <somebody@example.org> wrote:\r\n{quoted}\r\n-- \r\nA Writer\r\n{footer}\r\n"
    )
    found = assess(read(octets.encode()), starter(), NOW)
    assert found.opinion.ranked[0][0] == "city.streets"
    assert {topic for topic, _ in found.opinion.further} <= {"city.streets"}


def test_the_subject_counts_by_itself() -> None:
    by_subject, by_body = starter().rank([Text("No heat, no hot water", "Please see below."), Text("", "Please see below.")])
    assert by_subject.ranked[0][0] == "city.heat_hotwater"
    assert dict(by_body.ranked).get("city.heat_hotwater", 0.0) < by_subject.ranked[0][1]


def test_without_the_encoder_english_spanish_and_french_still_work() -> None:
    rows = [json.loads(line) for line in (ROOT / "tests" / "starter" / "first_sight.jsonl").read_text().splitlines()]
    rows = [row for row in rows if row["language"] in ("en", "es", "fr")]
    plain = load(ROOT / "models" / "starter", with_encoder=False)
    found = plain.rank([Text("", row["text"]) for row in rows])
    assert sum(opinion.ranked[0][0] == row["topic"] for row, opinion in zip(rows, found, strict=True)) >= 20  # of 24
