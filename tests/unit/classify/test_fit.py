"""What training chooses by itself."""

from itertools import permutations
from typing import Any

import numpy as np
import pytest

from triaged.classify import fit as room
from triaged.classify.fit import fit
from triaged.classify.machine import BY_WORDS, LOGISTIC, SUPPORT, Machine, candidates
from triaged.classify.rows import Row
from triaged.classify.topics import Text

ROWS = [
    Row(Text("", f"{said} {place}"), topic)
    for topic, said in (
        ("heat", "no heat and a cold radiator"),
        ("noise", "loud music all night"),
        ("parking", "a car blocks it"),
    )
    for place in ("here", "there", "again", "at home", "in my street", "since Monday", "next door")
]


def _contrary() -> Any:
    """Return a classifier that learns the opposite."""
    fitted = SUPPORT.unfitted()

    class Contrary:
        def fit(self, *args: Any, **kwargs: Any) -> Any:
            fitted.fit(*args, **kwargs)
            fitted.coef_ *= -1
            return fitted

    return Contrary()


@pytest.mark.parametrize("order", list(permutations((Machine(1.5, 0.4, _contrary), SUPPORT))))
def test_the_machine_that_is_right_on_held_out_rows_is_taken(
    order: tuple[Machine, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "candidates", lambda *_, **__: (SUPPORT,))
    alone = fit(ROWS).model.plain
    monkeypatch.setattr(room, "candidates", lambda *_, **__: order)
    chosen = fit(ROWS).model.plain
    assert np.array_equal(chosen.weights, alone.weights)
    assert np.array_equal(chosen.evidence.confidence, alone.evidence.confidence)


def test_only_what_is_quick_is_tried_on_many_columns_and_topics() -> None:
    assert candidates(60_000, 39, with_vectors=False) == (LOGISTIC, SUPPORT)
    assert candidates(100_000, 150, with_vectors=False) == (SUPPORT,)


def test_how_much_vectors_say_is_tried_where_there_are_some() -> None:
    assert candidates(60_000, 39, with_vectors=True) == (LOGISTIC, SUPPORT, BY_WORDS)
    assert candidates(100_000, 150, with_vectors=True) == (SUPPORT, BY_WORDS)
