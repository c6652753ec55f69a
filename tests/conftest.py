"""Fixtures of the whole suite; each real peer (server, database) has a file of its own beside this one."""

pytest_plugins = ["tests.databases", "tests.dovecot", "tests.proxy"]
