"""The JSON record of a message, as `export`, `explain --json` and `show --json` give it (docs/architecture.md has it)."""

import csv
import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final, TextIO

from triaged.message import Record

_CSV: Final = (
    *("reference", "mailbox", "message_id", "received_at", "from_name", "from_address", "subject", "kind", "language", "topic"),
    *("topic_confidence", "urgency", "flags", "campaign", "departments", "status", "due", "why", "deliveries"),
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def as_json(record: Record) -> dict[str, Any]:
    """Return the record as the contract has it."""
    return {
        "reference": record.reference,
        "mailbox": record.mailbox,
        "message_id": record.message_id,
        "received_at": record.received_at.isoformat(),
        "from": {"name": record.sender.name, "address": record.sender.address},
        "subject": record.subject,
        "kind": record.kind.value,
        "language": record.language,
        "topic": record.topic,
        "topic_confidence": round(record.confidence, 4) if record.confidence is not None else None,
        "alternatives": [[topic, round(probability, 4)] for topic, probability in record.alternatives],
        "urgency": record.urgency.value,
        "flags": [flag.name for flag in record.flags],
        "flag_words": {flag.name: list(flag.words) for flag in record.flags},
        "campaign": record.campaign,
        "departments": list(record.departments),
        "status": record.status.value,
        "due": record.due.isoformat() if record.due else None,
        "related": list(record.related),
        "follow_up": record.follow_up,
        "notes": list(record.notes),
        "reasons": [asdict(reason) for reason in record.reasons],
        "deliveries": [
            {
                "kind": item.delivery.kind,
                "to": item.delivery.to,
                "department": item.delivery.department,
                "state": item.delivery.state.value,
                "attempts": item.attempts,
                "message_id": item.delivery.message_id,
                "detail": item.delivery.detail,
            }
            for item in record.deliveries
        ],
    }


def write_jsonl(records: Iterable[Record], out: TextIO) -> int:
    """Write one line a message; return how many."""
    count = 0
    for record in records:
        out.write(json.dumps(as_json(record), ensure_ascii=False) + "\n")
        count += 1
    return count


def write_csv(records: Iterable[Record], out: TextIO) -> int:
    """Write one row a message, safe to open in a spreadsheet; return how many."""
    writer = csv.DictWriter(out, _CSV)
    writer.writeheader()
    count = 0
    for record in records:
        writer.writerow({name: _harmless(value) for name, value in _row(record).items()})
        count += 1
    return count


def _row(record: Record) -> dict[str, Any]:
    flat = as_json(record)
    return {
        **{name: flat[name] for name in _CSV if name in flat and not isinstance(flat[name], list)},
        "from_name": record.sender.name,
        "from_address": record.sender.address,
        "flags": " ".join(flat["flags"]),
        "departments": " ".join(record.departments),
        "why": "; ".join(reason.because for reason in record.reasons),
        "deliveries": " ".join(f"{item.delivery.kind}:{item.delivery.state}" for item in record.deliveries),
    }


def _harmless(value: Any) -> Any:
    """Quote what a spreadsheet would take for a formula (OWASP, "CSV injection")."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
