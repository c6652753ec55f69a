"""By when a department answers: pure date arithmetic on the office's calendar."""

import re
from collections.abc import Container
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final

_WRITTEN: Final = re.compile(r"([0-9]{1,3}) (day|business day|hour)s?")
_SATURDAY: Final = 5


class Unit(StrEnum):
    """What a time limit counts."""

    DAYS = "day"  # calendar days
    BUSINESS_DAYS = "business day"  # Monday to Friday, no holidays
    HOURS = "hour"  # by the clock, nights and holidays included


@dataclass(frozen=True, slots=True)
class Within:
    """A time limit such as "14 days"."""

    count: int
    unit: Unit

    def __str__(self) -> str:
        """Return it as rules.yaml writes it."""
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"


def read_within(text: str) -> Within:
    """Read "14 days", "10 business days" or "4 hours".

    Raises:
        ValueError: It is none of these, or 0.
    """
    found = _WRITTEN.fullmatch(" ".join(text.split()))
    if not found or int(found[1]) == 0:
        raise ValueError
    return Within(int(found[1]), Unit(found[2]))


@dataclass(frozen=True, slots=True)
class Calendar:
    """The office's days.

    Attributes:
        zone: Where a day begins.
        holidays: Days on which nobody works, beside Saturdays and Sundays.
    """

    zone: tzinfo
    holidays: Container[date] = frozenset()

    def is_business_day(self, day: date) -> bool:
        """Tell whether the office works on a day."""
        return day.weekday() < _SATURDAY and day not in self.holidays


def respond_by(received: datetime, limit: Within, calendar: Calendar) -> date:
    """Return the last day on which an answer is in time.

    The day of receipt does not count: a letter of Tuesday that is due within 2 business days is due on Thursday.

    Args:
        received: Aware; its day is taken in the calendar's zone.
        limit: How long the department has.
        calendar: The office's zone and holidays.
    """
    if limit.unit is Unit.HOURS:
        return (received + timedelta(hours=limit.count)).astimezone(calendar.zone).date()
    day = received.astimezone(calendar.zone).date()
    if limit.unit is Unit.DAYS:
        return day + timedelta(days=limit.count)
    left = limit.count
    while left:
        day += timedelta(days=1)
        left -= calendar.is_business_day(day)
    return day
