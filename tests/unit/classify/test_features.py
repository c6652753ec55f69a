"""How words are folded before they become features."""

from hypothesis import given
from hypothesis import strategies as st

from triaged.classify.features import fold


@given(st.text(st.characters(max_codepoint=127)), st.booleans())
def test_plain_letters_fold_alone_as_they_do_beside_an_accent(text: str, digits: bool) -> None:
    assert f"{fold(text, digits=digits)} e".lstrip() == fold(f"{text} é", digits=digits)
