"""Days between the office's clock and a date in a sentence: numbers and month names here, "tomorrow" in the phrase tables."""

import re
from datetime import date, datetime
from functools import cache
from typing import Final

_NUMERIC: Final = re.compile(r"(?<!\d)(?:(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d{2}))?)(?!\d)")
_CJK: Final = re.compile(r"(?:(\d{4})\s?[年년]\s?)?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日号號일]")
_UNITS: Final = (
    r"days?|hours?|hrs?|d[ií]as?|horas?|jours?|heures?|jou|èdtan|дн(?:я|ей)|час(?:а|ов)?|dni|godzin\w*"
    r"|天|小时|小時|일|시간|দিন|ঘন্টা|أيام|ساعة|دن|گھنٹ\w+"
)
_IN_DAYS: Final = re.compile(rf"(?<!\d)(\d{{1,3}})[ -]?(?:business |more )?({_UNITS})", re.IGNORECASE)
_HOURS: Final = re.compile(r"h|час|godz|小|시간|ঘ|سا|گھ|èd", re.IGNORECASE)
_LOCALES: Final = ("en", "es", "fr", "pl", "ru", "bn", "ar", "ur")
_HAITIAN: Final = ("janvye", "fevriye", "mas", "avril", "me", "jen", "jiyè", "out", "septanm", "oktòb", "novanm", "desanm")


def days_until(sentence: str, now: datetime) -> int | None:
    """Return the days to the nearest coming date in a sentence, None if it names none. Past dates of this year are negative."""
    found = [*_numeric(sentence, now.date()), *_named(sentence, now.date())]
    for match in _IN_DAYS.finditer(sentence):
        number = int(match[1])
        found.append(number // 24 if _HOURS.match(match[2]) else number)
    coming = [days for days in found if days >= 0]
    return min(coming) if coming else max(found, default=None)


def _numeric(sentence: str, today: date) -> list[int]:
    found = []
    for match in _NUMERIC.finditer(sentence):
        if match[1]:
            found.append(_days(int(match[1]), int(match[2]), int(match[3]), today))
        else:
            year = int(match[6]) + (2000 if len(match[6]) == 2 else 0) if match[6] else None
            first, second = int(match[4]), int(match[5])
            # 11/27 is read both ways: where both are dates the nearer one counts, so as not to miss a deadline
            found += [_days(year, first, second, today), _days(year, second, first, today)]
    found += [
        _days(int(match[1]) if match[1] else None, int(match[2]), int(match[3]), today) for match in _CJK.finditer(sentence)
    ]
    return [days for days in found if days is not None]


def _named(sentence: str, today: date) -> list[int]:
    found = []
    for match in _month_pattern().finditer(sentence.casefold()):
        number, name = (match[1], match[2]) if match[1] else (match[4], match[3])
        days = _days(None, _months()[name], int(number), today)
        if days is not None:
            found.append(days)
    return found


def _days(year: int | None, month: int, day: int, today: date) -> int | None:
    try:
        if year is not None:
            return (date(year, month, day) - today).days
        this = (date(today.year, month, day) - today).days
        return this if this > -180 else (date(today.year + 1, month, day) - today).days
    except ValueError:
        return None


@cache
def _months() -> dict[str, int]:
    from babel.dates import get_month_names

    names: dict[str, int] = {name: number for number, name in enumerate(_HAITIAN, start=1)}
    for locale in _LOCALES:
        forms = (
            get_month_names("wide", locale=locale),
            get_month_names("wide", "stand-alone", locale),
            get_month_names("abbreviated", locale=locale),
        )
        for form in forms:
            for number, name in form.items():
                names.setdefault(name.casefold().rstrip("."), int(number))
    return {name: number for name, number in names.items() if not name.isdigit()}


@cache
def _month_pattern() -> re.Pattern[str]:
    names = "|".join(re.escape(name) for name in sorted(_months(), key=lambda name: (-len(name), name)))
    return re.compile(
        rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th|er|º|e)?\.?\s+(?:de\s+|of\s+)?({names})\b|\b({names})\.?\s+(\d{{1,2}})(?!\d)"
    )
