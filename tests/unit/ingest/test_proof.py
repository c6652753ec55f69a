"""What proves a From: our own server's word alone, about exactly that domain."""

import pytest

from triaged.ingest.authentication import proof_of_sender
from triaged.ingest.mime import read

OURS = "mx.example.gov"


def mail(*results: str, sender: str = "Ana <ana@example.gov>") -> bytes:
    fields = "".join(f"Authentication-Results: {result}\r\n" for result in results)
    return f"{fields}From: {sender}\r\nSubject: x\r\n\r\ntext\r\n".encode()


@pytest.mark.parametrize(
    "result",
    [
        "mx.example.gov; dmarc=pass header.from=example.gov",
        "mx.example.gov; dmarc=pass (p=none) header.from=EXAMPLE.GOV; spf=fail smtp.mailfrom=else.org",
        "MX.example.gov 1; dkim=pass header.d=example.gov header.s=a",
        "mx.example.gov; dkim=pass header.d=list.org; dkim=pass header.d=example.gov",
        "mx.example.gov; spf=pass smtp.mailfrom=bounce@example.gov",
    ],
)
@pytest.mark.parametrize("sender", ["Ana <ana@example.gov>", "ana@example.gov", '"ana@example.gov" <ana@example.gov>'])
def test_a_pass_for_its_domain_proves_a_sender(result: str, sender: str) -> None:
    assert proof_of_sender(read(mail(result, sender=sender)), OURS)


@pytest.mark.parametrize(
    "results",
    [
        (),
        ("mx.else.org; dmarc=pass header.from=example.gov",),
        ("mx.example.gov; dmarc=fail header.from=example.gov", "mx.example.gov; dmarc=pass header.from=example.gov"),
        ("mx.example.gov; none", "mx.example.gov; dmarc=pass header.from=example.gov"),
        ("mx.example.gov; dmarc=pass header.from=else.org",),
        ("mx.example.gov; dkim=pass header.d=else.org",),
        ("mx.example.gov; dkim=pass header.d=notexample.gov",),
        ("mx.example.gov; spf=pass smtp.mailfrom=ana@else.org",),
        ("mx.example.gov; dkim=fail header.d=example.gov; spf=softfail smtp.mailfrom=example.gov",),
        ("mx.example.gov; dkim=pass header.d=example.gov; dmarc=fail header.from=example.gov",),
        ("mx.example.gov" + "(" * 100 + "; dmarc=pass header.from=example.gov",),
    ],
)
def test_nothing_else_does(results: tuple[str, ...]) -> None:
    assert proof_of_sender(read(mail(*results)), OURS) == ""


def test_without_a_configured_server_nothing_is_believed() -> None:
    assert proof_of_sender(read(mail("mx.example.gov; dmarc=pass header.from=example.gov")), "") == ""


@pytest.mark.parametrize(
    "sender",
    ["ana@example.gov, eve@else.org", '"ana@example.gov" <eve@example.gov>', "ana@example.gov\r\nFrom: eve@example.gov"],
)
def test_two_names_in_from_prove_nothing(sender: str) -> None:
    passed = "mx.example.gov; dmarc=pass header.from=example.gov"
    assert proof_of_sender(read(mail(passed, sender=sender)), OURS) == ""
