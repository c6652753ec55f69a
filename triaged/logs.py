"""Logs that journald and people can read: one line an event, `key=value` behind it, never a word of a citizen's mail."""

import logging
import os
import sys
from typing import Final

_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SYSLOG: Final = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class LineFormatter(logging.Formatter):
    """`event key=value …`; under journald with sd-daemon(3) priorities and no clock, which journald has itself."""

    def __init__(self, *, journal: bool) -> None:
        super().__init__(datefmt="%Y-%m-%d %H:%M:%S")
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; a traceback follows in lines of its own."""
        fields = " ".join(f"{key}={_printable(value)}" for key, value in vars(record).items() if key not in _OWN)
        line = f"{_printable(record.getMessage(), bare=True)} {fields}".rstrip()
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        if self._journal:
            priority = f"<{_SYSLOG.get(record.levelno, 6)}>"
            return "\n".join(priority + part for part in line.splitlines())
        return f"{self.formatTime(record, self.datefmt)} {record.levelname.lower():7} {line}"


def _printable(value: object, *, bare: bool = False) -> str:
    """Escape what could forge a line or colour a terminal."""
    text = str(value)
    escaped = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
    return (
        escaped if bare or (escaped and " " not in escaped and '"' not in escaped) else '"' + escaped.replace('"', '\\"') + '"'
    )


def set_up(*, verbose: bool = False) -> None:
    """Log to standard error, in journald's way when it reads us."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(journal="JOURNAL_STREAM" in os.environ))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("triaged").setLevel(logging.DEBUG if verbose else logging.INFO)
