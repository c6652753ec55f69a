"""The commands' files; `cli.py` lists them."""
