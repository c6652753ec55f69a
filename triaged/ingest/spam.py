"""Spam verdicts in header fields: believed only where our own server must have set them.

Assumed: a filter on our side writes its field above a Received field of ours (`authentication.added_by_our_servers`), or the
mail has no Received field at all. Filters that write further down (some milters) cannot be told from a foreign server's: their
mail goes to a person, unacknowledged. Exchange keeps others from setting X-MS-Exchange-Organization-* (its "header firewall"),
so that these count wherever they stand. Forefront's report counts only for incoming mail at Microsoft's servers.
"""

import re
from typing import Final

from triaged.ingest.authentication import added_by_our_servers
from triaged.message import Message

_SHOWN: Final = 60
_LEVEL: Final = 5  # of Exchange's spam confidence levels, -1 to 9
_FOREFRONT: Final = frozenset({"SFV:SPM", "SCV:SPM", "CAT:SPM", "CAT:HSPM", "CAT:PHSH", "CAT:HPHSH"})
_MICROSOFT: Final = re.compile(r"\bby [\w.-]{1,200}\.outlook\.com\b", re.IGNORECASE)
_FIELDS: Final = (
    ("x-spam-flag", re.compile(r"\s*yes\b", re.IGNORECASE)),
    ("x-spam-status", re.compile(r"\s*yes\b", re.IGNORECASE)),
    ("x-spam", re.compile(r"\s*(?:yes|true|spam)\b", re.IGNORECASE)),
    ("x-spamd-result", re.compile(r"[^:]{0,40}:\s*true\b", re.IGNORECASE)),
    ("x-rspamd-action", re.compile(r"\s*(?:reject|add header|rewrite subject)\b", re.IGNORECASE)),
)


def own_verdict(message: Message, authserv_id: str) -> str:
    """Return the field with which our own server's filter says spam; "" if there is none."""
    ours = added_by_our_servers(message, authserv_id)
    local = not message.headers.get("received")
    for name, says_spam in _FIELDS:
        if (local or name in ours) and says_spam.match(message.header(name)):
            return _shown(message, name)
    level = message.header("x-ms-exchange-organization-scl").strip()
    if re.fullmatch(r"[0-9]", level) and int(level) >= _LEVEL:
        return _shown(message, "x-ms-exchange-organization-scl")
    report = set(message.header("x-forefront-antispam-report").upper().replace(" ", "").split(";"))
    if report & _FOREFRONT and "DIR:OUT" not in report and _MICROSOFT.search(message.header("received")[:2_000]):
        return "X-Forefront-Antispam-Report"
    return ""


def mark(message: Message) -> str:
    """Return a field that says spam, whoever set it; "" if there is none."""
    return next((_shown(message, name) for name, says_spam in _FIELDS if says_spam.match(message.header(name))), "")


def _shown(message: Message, name: str) -> str:
    return f"{name.title()}: {message.header(name)[:_SHOWN]}"
