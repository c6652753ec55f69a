"""Two problems in one letter."""

from triaged.classify.matters import further, passages
from triaged.classify.topics import Text


def test_a_letter_of_one_sentence_has_no_passages() -> None:
    assert passages(Text("heat", "There is no heat in our building.")) == []


def test_sentences_are_passages_and_short_ones_join_the_next() -> None:
    body = "Hello. There is no heat in our building since Monday morning. Also a huge pothole on Elm Street blew my tire."
    found = [passage.body for passage in passages(Text("", body))]
    assert len(found) == 2
    assert found[0].startswith("Hello. There is no heat")


def test_a_further_matter_needs_a_sure_passage_on_another_topic() -> None:
    said = [((("heat", 0.99),), True), ((("streets", 0.8),), True), ((("noise", 0.5),), True), ((("dogs", 0.9),), False)]
    assert further("heat", said) == (("streets", 0.8),)
