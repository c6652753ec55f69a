"""By when a department answers."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.rules.due import Calendar, Unit, Within, read_within, respond_by

NEW_YORK = ZoneInfo("America/New_York")
THANKSGIVING = date(2026, 11, 26)
OFFICE = Calendar(NEW_YORK, frozenset({THANKSGIVING, date(2026, 12, 25)}))
TUESDAY = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("limit", "by"),
    [
        ("1 day", date(2026, 11, 25)),
        ("14 days", date(2026, 12, 8)),
        ("1 business day", date(2026, 11, 25)),
        ("2 business days", date(2026, 11, 27)),  # Thanksgiving does not count
        ("3 business days", date(2026, 11, 30)),
        ("15 business days", date(2026, 12, 16)),
        ("4 hours", date(2026, 11, 24)),
        ("15 hours", date(2026, 11, 25)),  # 05:00 UTC is midnight in New York
    ],
)
def test_an_answer_is_due_on_the_day_that_the_office_promised(limit: str, by: date) -> None:
    assert respond_by(TUESDAY, read_within(limit), OFFICE) == by


def test_the_day_of_receipt_is_the_offices_and_not_greenwichs() -> None:
    late = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)  # Tuesday evening in New York
    assert respond_by(late, read_within("1 day"), OFFICE) == date(2026, 11, 25)


@pytest.mark.parametrize(("day", "by"), [(27, date(2026, 11, 30)), (28, date(2026, 11, 30)), (29, date(2026, 11, 30))])
def test_what_comes_before_or_on_a_weekend_is_due_on_monday(day: int, by: date) -> None:
    assert respond_by(datetime(2026, 11, day, 17, tzinfo=UTC), read_within("1 business day"), OFFICE) == by


@pytest.mark.parametrize("text", ["two weeks", "14", "0 days", "-1 days", "1000 days", "14 working days", "14days", "١٤ days"])
def test_other_words_are_no_time_limit(text: str) -> None:
    with pytest.raises(ValueError):
        read_within(text)


@pytest.mark.parametrize("limit", [Within(1, Unit.DAYS), Within(10, Unit.BUSINESS_DAYS), Within(4, Unit.HOURS)])
def test_a_time_limit_is_written_as_it_is_read(limit: Within) -> None:
    assert read_within(str(limit)) == limit


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))


@given(MOMENTS, st.integers(1, 60))
def test_business_days_end_on_a_business_day_after_as_many_of_them(received: datetime, count: int) -> None:
    first = received.astimezone(NEW_YORK).date()
    by = respond_by(received, Within(count, Unit.BUSINESS_DAYS), OFFICE)
    between = [first + timedelta(days=step) for step in range(1, (by - first).days + 1)]
    assert OFFICE.is_business_day(by)
    assert sum(map(OFFICE.is_business_day, between)) == count


@given(MOMENTS, st.sampled_from(Unit), st.integers(1, 200))
def test_more_time_never_means_an_earlier_day(received: datetime, unit: Unit, count: int) -> None:
    assert respond_by(received, Within(count, unit), OFFICE) <= respond_by(received, Within(count + 1, unit), OFFICE)
