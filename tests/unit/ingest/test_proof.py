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


# What Exchange writes itself. The first is the form of Microsoft's example of a mail read by Graph.

INSIDE = (("X-MS-Exchange-Organization-AuthAs", "Internal"), ("X-MS-Exchange-Organization-AuthMechanism", "04"))
OUTSIDE = (("X-MS-Exchange-Organization-AuthAs", "Anonymous"), ("X-MS-Exchange-Organization-AuthMechanism", "00"))


def exchange(*fields: tuple[str, str], sender: str = "Ana <ana@example.gov>") -> bytes:
    header = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"From: {sender}\r\n{header}Subject: x\r\n\r\ntext\r\n".encode()


def test_what_an_account_of_the_house_submitted_is_proven_where_that_is_switched_on() -> None:
    """RFC 5322: names of fields have no case, Exchange's values have."""
    assert proof_of_sender(read(exchange(*INSIDE)), "", auth_as=True)
    small = [(name.lower(), value) for name, value in INSIDE]
    results = ("Authentication-Results", "dkim=none (message not signed) header.d=none;dmarc=none action=none")
    assert proof_of_sender(read(exchange(results, *small)), "", auth_as=True)


@pytest.mark.parametrize("authserv_id", ["", OURS])
def test_it_proves_nothing_where_it_is_not_switched_on(authserv_id: str) -> None:
    assert proof_of_sender(read(exchange(*INSIDE)), authserv_id) == ""


@pytest.mark.parametrize(
    "fields",
    [
        (),
        OUTSIDE,
        (*INSIDE, OUTSIDE[0]),  # twice, whatever stands first
        (OUTSIDE[0], *INSIDE),
        (*INSIDE, INSIDE[0]),
        (*INSIDE, INSIDE[1]),
        (*INSIDE, OUTSIDE[1]),
        INSIDE[:1],
        INSIDE[1:],
        (("X-MS-Exchange-Organization-AuthAs", "internal"), INSIDE[1]),
        (("X-MS-Exchange-Organization-AuthAs", "INTERNAL"), INSIDE[1]),
        (("X-MS-Exchange-Organization-AuthAs", "Internal74"), INSIDE[1]),  # seen in real spam
        (("X-MS-Exchange-Organization-AuthAs", "Internal, Anonymous"), INSIDE[1]),
        (("X-MS-Exchange-Organization-AuthAs", "Partner"), INSIDE[1]),
        (INSIDE[0], ("X-MS-Exchange-Organization-AuthMechanism", "10")),  # a relay that a connector trusts
        (INSIDE[0], ("X-MS-Exchange-Organization-AuthMechanism", "4")),
        (("X-MS-Exchange-CrossTenant-AuthAs", "Internal"), *OUTSIDE),  # inside another house
        (("X-MS-Exchange-CrossTenant-AuthAs", "Internal"), INSIDE[1]),
        (*INSIDE, ("Sender", "Bo <bo@example.gov>")),  # on behalf of Ana
        (*INSIDE, ("Sender", "Ana <ana@example.gov>")),
        (*INSIDE, ("Authentication-Results", f"{OURS}; dmarc=fail header.from=example.gov")),
        (*INSIDE, ("From", "Eve <eve@else.org>")),
    ],
)
def test_nothing_else_that_looks_like_exchange_does(fields: tuple[tuple[str, str], ...]) -> None:
    assert proof_of_sender(read(exchange(*fields)), OURS, auth_as=True) == ""


@pytest.mark.parametrize("sender", ["ana@example.gov, eve@else.org", '"ana@example.gov" <eve@example.gov>'])
def test_two_names_in_from_prove_nothing_to_exchange_either(sender: str) -> None:
    assert proof_of_sender(read(exchange(*INSIDE, sender=sender)), "", auth_as=True) == ""
