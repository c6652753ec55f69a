"""`python -m triaged` is the `triaged` command."""

from triaged.cli import main

main()
