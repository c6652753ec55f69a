"""How soon spot checks notice a broken promise, how seldom they break a kept one, and how seldom a threshold does.

Invented offices only; `python benchmarks/promise.py`. Public sets: `python benchmarks/classify.py promise`.
"""

import numpy as np

from triaged.learning.standing import Label, broken_at, stand

CEILING, LEVEL = 0.02, 0.95
CHECKS, OFFICES = 600, 300
TOPICS = np.array(["heat", "noise", "gift"])
HARD = np.array([0.08, 0.25, 0.6])  # how fast errors grow as confidence falls


def checks(rng: np.random.Generator, wrong: float, n: int) -> list[Label]:
    """Return spot checks of a model that is wrong so often."""
    return [Label("heat", 0.95, bool(right), spot_check=True) for right in rng.uniform(0, 1, n) > wrong]


def noticed_after(labels: list[Label]) -> int:
    """Return after how many checks the promise is first called broken; one more than there are if never."""
    return next((n for n in range(1, len(labels) + 1) if broken_at(labels[:n], CEILING, LEVEL)), len(labels) + 1)


def letters(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return topics, confidences, and whether the guess is right."""
    topic = rng.choice(3, n, p=[0.7, 0.25, 0.05])
    confidence = rng.beta(6, 1.2, n)
    return topic, confidence, rng.uniform(0, 1, n) > HARD[topic] * (1 - confidence)


def main() -> None:
    """Print the figures."""
    rng = np.random.default_rng(3)
    for wrong in (0.01, 0.02, 0.04, 0.08, 0.16):
        broken = sum(broken_at(checks(rng, wrong, CHECKS), CEILING, LEVEL) > 0 for _ in range(OFFICES))
        print(f"{wrong:.0%} wrong: called broken within {CHECKS} checks in {broken / OFFICES:.1%} of offices")
    for wrong in (0.08, 0.16):
        after = np.array([noticed_after(checks(rng, wrong, 200)) for _ in range(100)])
        middle, most = np.median(after), np.quantile(after, 0.9)
        print(f"{wrong:.0%} wrong: noticed after {middle:.0f} checks in the middle, {most:.0f} in nine of ten")
    topic, confidence, right = letters(rng, 200_000)
    for ceiling in (0.02, 0.05):
        broken, alone_share = 0, []
        for _ in range(OFFICES):
            labels = [Label(str(TOPICS[t]), float(c), bool(r)) for t, c, r in zip(*letters(rng, 800), strict=True)]
            found = stand(labels, ceiling, LEVEL)
            least = np.array([2.0 if (needs := found.needs(str(name))) is None else needs for name in TOPICS])
            alone = confidence >= least[topic]
            broken += bool(alone.any() and (~right[alone]).mean() > ceiling)
            alone_share.append(float(alone.mean()))
        print(
            f"{ceiling:.0%} promised, 800 labels: broken in {broken} of {OFFICES} offices; {np.mean(alone_share):.0%} go alone"
        )


if __name__ == "__main__":
    main()
