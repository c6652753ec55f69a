"""The JSON record and the CSV row."""

import csv
import io
import json
from dataclasses import replace

import pytest

from tests.unit.review.test_digest import record
from triaged.report.record import as_json, write_csv, write_jsonl

CONTRACT = {
    "reference", "mailbox", "message_id", "received_at", "from", "subject", "kind", "language", "topic", "topic_confidence",
    "alternatives", "urgency", "flags", "campaign", "departments", "status", "reasons", "deliveries",
}  # fmt: skip


def test_the_record_has_every_key_of_the_contract() -> None:
    assert as_json(record()).keys() >= CONTRACT


def test_the_record_is_json() -> None:
    out = io.StringIO()
    assert write_jsonl([record(), record(2)], out) == 2
    assert [json.loads(line)["reference"] for line in out.getvalue().splitlines()] == ["MAY-2026-000001", "MAY-2026-000002"]


def test_times_carry_their_zone() -> None:
    assert as_json(record())["received_at"].endswith("+00:00")


@pytest.mark.parametrize("formula", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\tx", "\rx"])
def test_no_cell_starts_a_formula(formula: str) -> None:
    out = io.StringIO()
    write_csv([replace(record(), subject=formula)], out)
    row = next(csv.DictReader(io.StringIO(out.getvalue(), newline="")))
    assert row["subject"].startswith("'")
