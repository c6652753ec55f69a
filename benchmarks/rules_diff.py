"""How quick `triaged rules diff` is: letters of about 10 KB as the daemon keeps them, decided again by two files of rules.

    .venv/bin/python -m benchmarks.rules_diff                   # 10,000 letters
    .venv/bin/python -m benchmarks.rules_diff --letters 1000

Letters are those of benchmarks/ingest.py; the other rules are the shipped ones with one rule more.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.ingest import letters, mail
from tests.installation import MAILDIRS, SETTINGS
from triaged.classify.assess import assess_all
from triaged.ingest.mime import read
from triaged.ingest.screen import screen
from triaged.message import Assessment, Decision, Message, RawMail, Screening
from triaged.office import Office, open_office
from triaged.rules.decide import decide
from triaged.settings.file import load_settings
from triaged.store import cases, mails
from triaged.store.engine import migrate, open_engine

ROOT = Path(__file__).parent.parent
_TEXTS = 500  # different ones
_RULE = """
  - name: What is loud goes to the police
    when: {any_text: {words: [noise, loud, music, bar]}}
    then: {urgency: at least high, add_flag: loud}
"""


def keep(config: Path, count: int) -> None:
    """Leave letters in the database as the daemon does, each text assessed once."""
    settings = load_settings(config)
    engine = open_engine(settings.store_url)
    migrate(engine)
    now = datetime.now(UTC)
    office = open_office(settings, engine, lambda: now)
    rng, pool = random.Random(7), letters()
    rng.shuffle(pool)
    texts = [Message(subject=letter.get("subject") or "A letter", text=letter["body"]) for letter in pool[:_TEXTS]]
    assessed = assess_all(texts, office.topics, office.local(now))
    with engine.begin() as db:
        mails.start_watching(db, "mayor", "", now)
    for first in range(0, count, 500):
        numbers = range(first, min(first + 500, count))
        octets = [mail(number, pool[number % len(texts)], rng) for number in numbers]
        raw = [(RawMail("mayor", str(number), each, now), str(number)) for number, each in zip(numbers, octets, strict=True)]
        with engine.begin() as db:
            ids = mails.keep(db, "mayor", "", raw, backfill=False, at=now)
            for mail_id, number, each in zip(ids, numbers, octets, strict=True):
                understood = _judged(each, assessed[number % len(texts)], office, now)
                case = cases.open_case(db, cases.next_reference(db, "MAY", now.year), "mayor", "w@example.org", None, now)
                cases.record(db, mail_id, case, *understood, follow_up=False, at=now)
                mails.finish(db, mail_id)


def _judged(
    octets: bytes, assessment: Assessment, office: Office, now: datetime
) -> tuple[Message, Screening, Assessment, Decision]:
    message = read(octets)
    screening = screen(message, office.trust("mayor"))
    return message, screening, assessment, decide(message, screening, assessment, office.rules, "mayor", now.date())


def measure(count: int) -> None:
    """Keep `count` letters, compare, print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = folder / "triaged.toml"
        spool = 'kind = "spool"\npath = "out"'
        config.write_text(SETTINGS.format(store="sqlite:///triaged.db", mailboxes=MAILDIRS, sender=spool))
        shipped = (ROOT / "triaged/starter/rules.yaml").read_text(encoding="utf-8")
        (folder / "rules.yaml").write_text(shipped, encoding="utf-8")
        new = folder / "new.yaml"
        new.write_text(shipped.replace("\nrules:\n", f"\nrules:\n{_RULE}", 1), encoding="utf-8")
        (folder / "lists").symlink_to(ROOT / "triaged/starter/lists")
        keep(config, count)
        load, started = os.getloadavg()[0], time.perf_counter()
        command = [sys.executable, "-m", "triaged", "rules", "diff", str(new), "--config", str(config)]
        with (folder / "said").open("w+b") as out:
            process = subprocess.Popen([*command, "--html", str(folder / "diff.html")], stdout=out, cwd=ROOT)
            _, status, usage = os.wait4(process.pid, 0)
        seconds, cpu = time.perf_counter() - started, usage.ru_utime + usage.ru_stime
        if status:
            sys.exit("triaged rules diff failed")
        print(f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, load {load:.1f} before it began")
        print(
            f"  triaged rules diff, {count:,} letters: {seconds:.1f} s ({cpu:.1f} s of a core), {usage.ru_maxrss / 1024:.0f} MB"
        )
        print(f"  {(folder / 'said').read_text(encoding='utf-8').splitlines()[0]}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--letters", type=int, default=10_000)
    measure(arguments.parse_args().letters)


if __name__ == "__main__":
    main()
