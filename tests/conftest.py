"""Fixtures of the whole suite; each real peer (server, database) has a file of its own beside this one."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

# A deadline measures the machine's other work, too; tests that promise quickness count their own processor time.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

pytest_plugins = [
    "tests.databases",
    "tests.dovecot",
    "tests.issuer",
    "tests.graph",
    "tests.ews",
    "tests.proxy",
    "tests.smtp",
    "tests.installation",
]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Where the peers must be there (continuous integration), a test that was left out is a failure."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("TRIAGED_REQUIRE_PEERS"):
        report.outcome = "failed"
        report.longrepr = f"left out although TRIAGED_REQUIRE_PEERS is set: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out, and what would bring it in."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = sorted({str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr) for report in skipped})
    if reasons:
        terminalreporter.write_line(f"\nLeft out ({len(skipped)} tests):")
        for reason in reasons:
            terminalreporter.write_line(f"  {reason.removeprefix('Skipped: ')}")
