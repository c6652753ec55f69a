import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ingest.letters import mail, message
from triaged.ingest.authentication import Verdicts, added_by_our_servers, verdicts
from triaged.message import Message

OURS = "mx.example.gov"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (
            f"{OURS}; dmarc=pass header.from=example.org; spf=pass smtp.mailfrom=a@example.org; dkim=pass header.d=example.org",
            ("pass",) * 3,
        ),
        (f"{OURS}; dmarc=fail (p=reject dis=none) header.from=example.org", ("fail", "", "")),
        (f"{OURS.upper()} 1; dmarc=Pass header.from=example.org", ("pass", "", "")),
        (f"{OURS}; dkim=fail header.d=a.example; dkim=pass header.d=b.example", ("", "pass", "")),
        (f"{OURS}; dkim=pass header.d=b.example; dkim=fail header.d=a.example", ("", "pass", "")),
        (f"{OURS}; none", ("", "", "")),
        ("other.example; dmarc=pass header.from=example.org", ("", "", "")),
        ("dmarc=pass header.from=example.org", ("", "", "")),
        (f"{OURS}; dmarc==;;((", ("", "", "")),
        (f"{OURS}; dmarc=pass {'(' * 30}", ("", "", "")),
        (f"{OURS}; dmarc=pass {'x' * 5_000}", ("", "", "")),
    ],
)
def test_only_our_own_servers_results_are_read(value: str, found: tuple[str, str, str]) -> None:
    dmarc, dkim, spf = found
    assert verdicts(mail(Authentication_Results=value), OURS) == Verdicts(dmarc=dmarc, dkim=dkim, spf=spf)


def test_only_the_topmost_of_ours_counts_since_senders_can_write_the_others() -> None:
    assert verdicts(message("results-forged-by-the-sender"), OURS) == Verdicts(dmarc="fail")


def test_without_a_configured_name_nothing_is_believed() -> None:
    assert verdicts(message("dmarc-fail"), "") == Verdicts()


@given(st.text(alphabet='dmarc=ps;() "\\.01/', max_size=80))
def test_any_field_is_read_without_raising(value: str) -> None:
    verdicts(Message(headers={"authentication-results": (f"{OURS}; {value}", f"{OURS}{value}")}), OURS)


def received(*hosts: str) -> tuple[str, ...]:
    return tuple(f"from x by {host} with ESMTP; Mon, 23 Nov 2026 09:00:00 -0500" for host in hosts)


@pytest.mark.parametrize(
    ("names", "hosts", "authserv_id", "ours"),
    [
        (("x-a", "received", "x-b"), ("mx.example.gov",), "", {"x-a"}),
        (
            ("x-a", "received", "x-b", "received", "x-c"),
            ("mx.example.gov", "other.example.com"),
            "",
            {"x-a"},
        ),
        (("x-a", "received", "x-b", "received", "x-c"), ("a.example.gov", "b.example.gov"), "", {"x-a", "received", "x-b"}),
        (("x-a", "received", "x-b", "received", "x-c"), ("a.example.gov", "localhost"), "", {"x-a", "received", "x-b"}),
        (
            ("x-a", "received", "x-b", "received", "x-c"),
            ("store.hoster.example", "mx.example.gov"),
            OURS,
            {"x-a", "received", "x-b"},
        ),
        (("x-a",), (), OURS, set()),
        ((), (), "", set()),
    ],
)
def test_what_stands_above_our_servers_trace_was_added_by_them(
    names: tuple[str, ...], hosts: tuple[str, ...], authserv_id: str, ours: set[str]
) -> None:
    letter = Message(headers={"received": received(*hosts)}, header_names=names)
    assert added_by_our_servers(letter, authserv_id) == ours
