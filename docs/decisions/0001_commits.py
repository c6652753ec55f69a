"""Commits a second of SQLite in WAL mode: synchronous = NORMAL and FULL, side by side. Usage: 0001_commits.py FOLDER."""

import sqlite3
import sys
import tempfile
import time
from pathlib import Path

COMMITS = 1000

with tempfile.TemporaryDirectory(dir=sys.argv[1]) as folder:
    for level in ("NORMAL", "FULL"):
        db = sqlite3.connect(Path(folder) / f"{level}.db", isolation_level=None)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA synchronous = {level}")
        db.execute("CREATE TABLE t (x BLOB)")
        start = time.perf_counter()
        for _ in range(COMMITS):
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT INTO t VALUES (zeroblob(1000))")
            db.execute("COMMIT")
        print(f"{level}: {COMMITS / (time.perf_counter() - start):,.0f} commits/s")
        db.close()
