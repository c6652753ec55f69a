"""The odd mails of tests/mail, and whom their office trusts."""

from pathlib import Path

from triaged.ingest.mime import read
from triaged.ingest.screen import Trust
from triaged.message import Message

ROOT = Path(__file__).parents[3]
MAILS = ROOT / "tests" / "mail"
SHARED = ROOT / "../shared"
TRUST = Trust(
    own_addresses=frozenset({"correspondence@example.gov"}),
    mailbox_addresses=frozenset({"mayor@example.gov"}),
    authserv_id="mx.example.gov",
    webforms=frozenset({"forms@example.gov", "iq@example.gov"}),
    reviewers=frozenset({"reviewer@example.gov"}),
    is_own_loop_header=lambda value: value == "MAY-2026-000001 signed",
    is_own_message_id=lambda value: value.startswith("<triaged.") and value.endswith("@example.gov>"),
)


def octets(name: str) -> bytes:
    return (MAILS / f"{name}.eml").read_bytes()


def message(name: str) -> Message:
    return read(octets(name))


def mail(body: str = "No heat.", **fields: str) -> Message:
    """Read a mail with these fields, underscores in their names meaning hyphens, in this order."""
    known = {
        "Return_Path": "<rosa@example.org>",
        "From": "Rosa Diaz <rosa@example.org>",
        "To": "mayor@example.gov",
        "Subject": "No heat",
    }
    lines = [
        f"{name.replace('_', '-')}: {value}"
        for name, value in {**fields, **{k: v for k, v in known.items() if k not in fields}}.items()
    ]
    return read("\n".join([*(line for line in lines if not line.endswith(": ")), "", body]).encode())
