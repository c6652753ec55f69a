import time
from contextlib import suppress
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.ingest.mailbox import MailboxError, backoff, folder_parts, pause


def test_a_mailbox_that_did_not_fail_is_not_left_alone() -> None:
    assert backoff(0, permanent=False, rng=Random(1)) == timedelta(0)


@given(st.integers(min_value=1, max_value=10_000), st.integers())
def test_the_pause_doubles_from_a_minute_to_an_hour_less_a_quarter_of_jitter(failures: int, seed: int) -> None:
    whole = min(timedelta(minutes=1) * 2 ** min(failures - 1, 20), timedelta(hours=1))
    assert whole * 0.75 <= backoff(failures, permanent=False, rng=Random(seed)) <= whole


def test_many_mailboxes_do_not_come_back_together() -> None:
    rng = Random(7)
    assert len({backoff(5, permanent=False, rng=rng) for _ in range(50)}) == 50


@pytest.mark.parametrize("failures", [1, 2, 1_000])
def test_what_a_person_must_mend_is_looked_at_every_quarter_of_an_hour(failures: int) -> None:
    assert backoff(failures, permanent=True, rng=Random(1)) == timedelta(minutes=15)


def test_a_pause_that_shall_stop_is_not_begun() -> None:
    started = time.monotonic()
    pause(timedelta(hours=1), lambda: True)
    assert time.monotonic() - started < 1


def test_a_pause_ends_with_news() -> None:
    asked = iter([False, True])
    pause(timedelta(hours=1), lambda: False, lambda: next(asked))
    assert next(asked, None) is None


def test_a_folder_is_split_at_slashes_only() -> None:
    assert folder_parts("Triaged/St. John/Ärger\u3000&c") == ("Triaged", "St. John", "Ärger\u3000&c")


@given(st.text())
def test_no_folder_name_leads_upwards_or_to_nothing(name: str) -> None:
    with suppress(MailboxError):
        parts = folder_parts(name)
        assert "/".join(parts) == name
        assert not {"", ".", ".."} & set(parts)
        assert not set(name) & set("\0\r\n")
