"""The bars of the classifier. `python benchmarks/classify.py [NAME…]` prints a table; NAME: see SETS.

Data: ../shared/data beside the checkout.

Encoding takes most of the time (13 ms a short text, up to 0.3 s a letter): all of it is about an hour on two cores.
"""

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from triaged.classify import starter
from triaged.classify.assess import assess_all
from triaged.classify.features import fold
from triaged.classify.fit import fit
from triaged.classify.language import identify
from triaged.classify.predict import predict_rows
from triaged.classify.promise import threshold
from triaged.classify.rows import Row
from triaged.classify.topic import TopicModel
from triaged.classify.topicfile import load
from triaged.classify.topics import Text
from triaged.classify.train import train_rows
from triaged.message import POSSIBLE_DANGER, Address, Message, Urgency

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
Line = tuple[str, str, str]  # what, found, bar


def lines(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def trained(rows: list[Row]) -> TopicModel:
    with tempfile.TemporaryDirectory() as folder:
        train_rows(rows, Path(folder))
        return load(Path(folder))


def rows_of(records: Iterable[dict[str, str]], label: str) -> list[Row]:
    return [Row(Text("", record["text"]), record[label]) for record in records]


def rights(model: TopicModel, rows: list[Row]) -> list[bool]:
    found = model.rank([row.text for row in rows])
    return [opinion.ranked[0][0] == row.topic for opinion, row in zip(found, rows, strict=True)]


def share_right(model: TopicModel, rows: list[Row]) -> float:
    return float(np.mean(rights(model, rows)))


def clinc() -> Iterator[Line]:
    records = lines("clinc150/full.jsonl")
    model = trained(rows_of((one for one in records if one["split"] == "train"), "label"))
    known = rows_of((one for one in records if one["split"] == "test"), "label")
    strange = rows_of((one for one in records if one["split"] == "oos_test"), "label")
    yield "CLINC150 in scope", f"{share_right(model, known):.1%}", "96.0 %"
    inside = np.array([opinion.novelty for opinion in model.rank([row.text for row in known])])
    outside = np.array([opinion.novelty for opinion in model.rank([row.text for row in strange])])
    refused = float((outside > np.quantile(inside, 0.95)).mean())
    yield "CLINC150 out of scope refused at 95 % accepted", f"{refused:.1%}", "90 %"


def banking() -> Iterator[Line]:
    records = lines("banking77/banking77.jsonl")
    learnt = rows_of((one for one in records if one["split"] == "train"), "label")
    asked = rows_of((one for one in records if one["split"] == "test"), "label")
    yield "Banking77", f"{share_right(trained(learnt), asked):.1%}", "93.5 %"
    random.Random(0).shuffle(learnt)
    few: dict[str, list[Row]] = {}
    for row in learnt:
        few.setdefault(row.topic, []).append(row)
    yield (
        "Banking77, 10 a class",
        f"{share_right(trained([row for group in few.values() for row in group[:10]]), asked):.1%}",
        "80 %",
    )


def kursk() -> Iterator[Line]:
    """Five folds of one shuffle of all rows: each fifth is judged by what a user gets who trains on the rest."""
    records = sorted(lines("kursk/train.jsonl"), key=lambda record: record["id"])
    random.Random(0).shuffle(records)
    for label, bar in (("category_name", "82 %"), ("topic", "57 %")):
        right, double = [], []
        for part in range(5):
            learnt = rows_of((one for at, one in enumerate(records) if at % 5 != part), label)
            asked = rows_of(records[part::5], label)
            known = {fold(row.text.body) for row in learnt}
            right += rights(trained(learnt), asked)
            double += [fold(row.text.body) in known for row in asked]
        new = [one for one, seen in zip(right, double, strict=True) if not seen]
        yield f"Kursk {label}, {len(right):,} rows in five folds", f"{np.mean(right):.1%}", bar
        yield f"… the {len(new):,} whose text is not among the lessons", f"{np.mean(new):.1%}", ""


def promise() -> Iterator[Line]:
    """500 splits of held-out guesses: 1,000 set the threshold, the others judge it."""
    records = lines("clinc150/full.jsonl")
    yield from _splits("CLINC150 domains", [one for one in records if not one["split"].startswith("oos")], "domain")
    yield from _splits("Banking77", lines("banking77/banking77.jsonl"), "label")
    kursk_records = lines("kursk/train.jsonl")
    random.Random(0).shuffle(kursk_records)
    cut = len(kursk_records) // 2
    split = [one | {"split": "train" if at < cut else "test"} for at, one in enumerate(kursk_records)]
    yield from _splits("Kursk categories", split, "category_name")


def _splits(name: str, records: list[dict[str, str]], label: str) -> Iterator[Line]:
    model = trained(rows_of((one for one in records if one["split"] == "train"), label))
    asked = rows_of((one for one in records if one["split"] != "train"), label)
    found = model.rank([row.text for row in asked])
    confidence = np.array([opinion.ranked[0][1] for opinion in found])
    right = np.array([opinion.ranked[0][0] == row.topic for opinion, row in zip(found, asked, strict=True)])
    rng = np.random.default_rng(0)
    labels = min(1_000, len(asked) // 2)
    for ceiling in (0.02, 0.05):
        broken, decided = 0, []
        for _ in range(500):
            order = rng.permutation(len(asked))
            least = threshold(confidence[order[:labels]], right[order[:labels]], ceiling, 0.95)
            alone = confidence[order[labels:]] >= (2.0 if least is None else least)
            decided.append(float(alone.mean()))
            broken += bool(alone.any() and (~right[order[labels:]][alone]).mean() > ceiling)
        bar = "5 %, 85 % decided" if name.startswith("CLINC") and ceiling == 0.02 else "5 %"
        yield f"promise {ceiling:.0%}, {name}: broken; decided", f"{broken / 500:.1%}; {np.mean(decided):.1%}", bar


def language() -> Iterator[Line]:
    right: dict[str, list[bool]] = {}
    for row in starter.examples(ROOT / "models" / "starter"):
        text = f"{row.text.subject}\n{row.text.body}".strip()
        if len(text.split()) >= 5 or (row.language.startswith("zh") and len(text) >= 8):
            right.setdefault(row.language, []).append(identify(text)[0] == row.language)
    for record in lines("san_jose_en_es/pairs.jsonl"):
        if len(record["text"].split()) >= 5:
            right.setdefault(f"{record['lang']} San José", []).append(identify(record["text"])[0] == record["lang"])
    right["ru Kursk"] = [identify(record["text"])[0] == "ru" for record in lines("kursk/train.jsonl")]
    for name, found in sorted(right.items()):
        yield f"language {name} ({len(found)})", f"{np.mean(found):.1%}", "95 %" if name == "ht" else "98 %"


def urgency() -> Iterator[Line]:
    """Texts of danger and near misses: those that the tables were mended on, and those that their authors wrote blind."""
    now = datetime(2026, 11, 24, 9, tzinfo=ZoneInfo("America/New_York"))
    for encoder in (True, False):
        model = load(ROOT / "models" / "starter", with_encoder=encoder).hearing(starter.danger_score())
        how = "" if encoder else ", no encoder"
        for name, folder in (("tests/urgency", "urgency"), ("at first sight", "urgency/first_sight")):
            files = sorted((ROOT / "tests" / folder).glob("*.jsonl"))
            suite = [json.loads(line) for file in files for line in file.read_text().splitlines()]
            told = [row["urgency"] for row in predict_rows([Text("", row["text"]) for row in suite], model, now)]
            called = np.array([urgency == "critical" for urgency in told])
            urgent = called | np.array([urgency == "high" for urgency in told])
            danger = np.array([row["critical"] for row in suite])
            found = f"{called[danger].mean():.1%}; {urgent[danger].mean():.1%}"
            yield f"urgency {name}{how}: {danger.sum()} dangers critical; high or critical", found, "99 %"
            yield f"… {(~danger).sum()} near misses critical", f"{called[~danger].mean():.1%}", "under 5 %"


def danger() -> Iterator[Line]:
    """Real texts of three cities, 400 of each by lot: how many call a person, and how many are marked."""
    now = datetime(2026, 11, 24, 9, tzinfo=ZoneInfo("America/New_York"))
    files = {"Boston": "boston311/unlabelled.jsonl", "San José": "san_jose_en_es/pairs.jsonl", "Kursk": "kursk/train.jsonl"}
    for encoder in (False, True):
        model = load(ROOT / "models" / "starter", with_encoder=encoder).hearing(starter.danger_score())
        for name, file in files.items():
            records = lines(file)
            random.Random(3).shuffle(records)
            letters = [written(record.get("free_text", record["text"])) for record in records[:400]]
            found = assess_all(letters, model, now)
            called = np.mean([one.urgency is Urgency.CRITICAL for one in found])
            marked = np.mean([any(flag.name == POSSIBLE_DANGER for flag in one.flags) for one in found])
            what = f"{name}, {len(letters)} by lot{'' if encoder else ', no encoder'}: critical; possible danger"
            yield what, f"{called:.1%}; {marked:.1%}", ""


def written(body: str) -> Message:
    return Message("", "<1@example.org>", Address("", "a@example.org"), text=body, subject="")


def city() -> Iterator[Line]:
    """Real city texts to test on, labelled by their ids before the model had read them."""
    yield from _cities("")


def city_dev() -> Iterator[Line]:
    """Other texts of the same cities: those on which the examples were developed."""
    yield from _cities("_dev")


def _cities(part: str) -> Iterator[Line]:
    for encoder in (True, False):
        model = load(ROOT / "models" / "starter", with_encoder=encoder)
        for name, file, column in (
            ("boston311", "boston311/unlabelled.jsonl", "free_text"),
            ("san_jose", "san_jose_en_es/pairs.jsonl", "text"),
            ("kursk", "kursk/train.jsonl", "text"),
        ):
            texts = {record["id"]: record[column] for record in lines(file)}
            labels = [
                json.loads(line) for line in (ROOT / "benchmarks" / "labels" / f"{name}{part}.jsonl").read_text().splitlines()
            ]
            labels = [label for label in labels if label["topic"] != "none"]
            best = [opinion.ranked[0][0] for opinion in model.rank([Text("", texts[label["id"]]) for label in labels])]
            strict = np.mean([guess == label["topic"] for guess, label in zip(best, labels, strict=True)])
            wide = np.mean(
                [guess in (label["topic"], *label.get("also", ())) for guess, label in zip(best, labels, strict=True)]
            )
            what = f"starter on {name}{part} ({len(labels)}){'' if encoder else ', no encoder'}: first label; any fitting"
            yield what, f"{strict:.1%}; {wide:.1%}", "" if part else "80 %"


def speed() -> Iterator[Line]:
    words = " ".join(record["text"] for record in lines("boston311/unlabelled.jsonl")).split()
    rng = random.Random(0)
    letters = [Text("", " ".join(words[at : at + 150])) for at in (rng.randrange(len(words) - 150) for _ in range(2_000))]
    now = datetime(2026, 11, 24, 9, tzinfo=UTC)
    for encoder, count in ((False, 2_000), (True, 40)):
        model = load(ROOT / "models" / "starter", with_encoder=encoder).hearing(starter.danger_score())
        list(predict_rows([Text("", "we are starving"), *letters[:20]], model, now))  # imports spaCy
        clock = time.perf_counter if encoder else time.process_time  # one core's time; the encoder's is its child's
        started = clock()
        list(predict_rows(letters[:count], model, now))
        rate = count / (clock() - started)
        yield (
            f"predict, letters a second, {'with' if encoder else 'without'} encoder",
            f"{rate:,.1f}",
            "as it can" if encoder else "1,500",
        )
    code = (
        "from triaged.classify.topicfile import load; from triaged.classify.topics import Text; from pathlib import Path;"
        f"model = load(Path({str(ROOT / 'models' / 'starter')!r}), with_encoder=False);"
        "print(model.predict([Text('', 'no heat')])[0].ranked[0])"
    )
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    yield "start to first prediction, without encoder", f"{time.perf_counter() - started:.2f} s", "2.5 s"


def size() -> Iterator[Line]:
    rows = rows_of(lines("clinc150/full.jsonl"), "label")[:20_000]
    started = time.perf_counter()
    fit(rows)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    yield "training 20,000 rows, without encoder", f"{time.perf_counter() - started:.0f} s, {used:.2f} GB", "120 s, 2 GB"


SETS: dict[str, Callable[[], Iterator[Line]]] = {
    one.__name__: one for one in (urgency, danger, language, speed, size, city, city_dev, clinc, banking, kursk, promise)
}


def main() -> None:
    if not DATA.is_dir():
        sys.exit(f"{DATA} is absent: nothing to measure on")
    print("| on | found | bar |\n|---|--:|--:|")
    for name in sys.argv[1:] or SETS:
        for what, found, bar in SETS[name]():
            print(f"| {what} | {found} | {bar} |", flush=True)


if __name__ == "__main__":
    main()
